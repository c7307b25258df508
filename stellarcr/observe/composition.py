"""Mean logarithmic mass, the composition that air-shower experiments measure."""

from __future__ import annotations

import math
from collections.abc import Iterable

from ..backend import Array
from ..species import Nuclide


def mean_log_mass(fluxes: Iterable[tuple[Nuclide, Array]]) -> Array:
    """Mean of ln A over the nuclei of a flux at equal energy per nucleus.

    Parameters
    ----------
    fluxes : iterable of (Nuclide, array)
        Flux of each nuclide at the same total energies, equal units.

    Returns
    -------
    array
        <ln A>, of the fluxes' shape.
    """
    numerator: Array = 0.0
    denominator: Array = 0.0
    for nuclide, flux in fluxes:
        numerator = numerator + math.log(nuclide.mass_number) * flux
        denominator = denominator + flux
    return numerator / denominator
