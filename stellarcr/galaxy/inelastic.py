"""Total inelastic cross sections: what destroys nuclei on their way."""

from __future__ import annotations

import math

from ..backend import Array, namespace
from ..species import Nuclide

PION_THRESHOLD = 0.2797
"""Kinetic energy above which p + p is inelastic [GeV] (Kafexhiu et al. 2014)."""

HELIUM_TO_HYDROGEN_AREA = 4.0 ** (2.0 / 3.0)
"""Ratio of a helium target's cross section to hydrogen's: geometric, A^(2/3)."""


def proton_inelastic(kinetic_energy: Array) -> Array:
    """Inelastic p + p cross section [mb].

    Source: Kafexhiu et al. 2014: (30.7 - 0.96 ln x + 0.18 ln^2 x)(1 - x^-1.9)^3 with x = T / 0.2797 GeV.

    Parameters
    ----------
    kinetic_energy : array
        Kinetic energy of the proton [GeV].
    """
    xp = namespace(kinetic_energy)
    x = xp.where(kinetic_energy > PION_THRESHOLD, kinetic_energy / PION_THRESHOLD, 1.0)
    ln_x = xp.log(x)
    return (30.7 - 0.96 * ln_x + 0.18 * ln_x**2) * (1.0 - x**-1.9) ** 3


def letaw_inelastic(kinetic_energy_per_nucleon: Array, charge: int, mass_number: int) -> Array:
    """Total inelastic cross section of a nucleus on hydrogen [mb].

    Source: Letaw et al. 1983: 45 A^0.7 [1 + 0.016 sin(5.3 - 2.63 ln A)] at high energy, times
    1 - 0.62 exp(-T/0.2 GeV) sin(1.58 (T/GeV)^-0.28); helium times 0.8, beryllium times 1 + 0.75 exp(-T/0.075 GeV).
    At 2 GeV/n it lies 10% above (H2), 13% (He3) and 15% (He4) below Tripathi et al. 1999 with Coste et al. 2012.

    Parameters
    ----------
    kinetic_energy_per_nucleon : array
        T [GeV per nucleon].
    charge, mass_number : int
        Z and A of the nucleus.
    """
    xp = namespace(kinetic_energy_per_nucleon)
    high = 45.0 * mass_number**0.7 * (1.0 + 0.016 * math.sin(5.3 - 2.63 * math.log(mass_number)))
    if charge == 2:
        high *= 0.8
    t = kinetic_energy_per_nucleon
    if charge == 4:
        high = high * (1.0 + 0.75 * xp.exp(-t / 0.075))
    return high * (1.0 - 0.62 * xp.exp(-t / 0.2) * xp.sin(1.58 * t**-0.28))


def inelastic_cross_section(nuclide: Nuclide, kinetic_energy_per_nucleon: Array) -> Array:
    """Total inelastic cross section on hydrogen [mb]: Kafexhiu for protons, Letaw for nuclei.

    Parameters
    ----------
    nuclide : Nuclide
        The projectile.
    kinetic_energy_per_nucleon : array
        T [GeV per nucleon].
    """
    if nuclide.mass_number == 1:
        return proton_inelastic(kinetic_energy_per_nucleon)
    return letaw_inelastic(kinetic_energy_per_nucleon, nuclide.charge, nuclide.mass_number)
