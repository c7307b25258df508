"""Solar modulation in the force-field approximation."""

from __future__ import annotations

from collections.abc import Callable

from ..backend import Array
from ..species import Nuclide


def force_field(interstellar: Callable[[Array], Array], kinetic_energy: Array, nuclide: Nuclide, phi: Array) -> Array:
    """Flux at Earth from an interstellar flux, both per unit kinetic energy of the nucleus.

    J(Ek) = J_LIS(Ek + Z phi) Ek (Ek + 2 m) / [(Ek + Z phi)(Ek + Z phi + 2 m)].
    Source: Gleeson & Axford's force field in the form restated by the package's design; per isotope.

    Parameters
    ----------
    interstellar : callable
        J_LIS of the kinetic energy per nucleus [GeV].
    kinetic_energy : array
        Ek at Earth [GeV].
    nuclide : Nuclide
        The nucleus.
    phi : array or float
        Modulation potential [GV].
    """
    shifted = kinetic_energy + nuclide.charge * phi
    factor = kinetic_energy * (kinetic_energy + 2.0 * nuclide.mass) / (shifted * (shifted + 2.0 * nuclide.mass))
    return interstellar(shifted) * factor
