"""Energy losses of nuclei in the disc, and the diffusion equation with them.

The forward model leaves losses out; these kernels say by how much that matters (`benchmarks/losses.py`,
`stellarcr.galaxy.validity`). Loss rates are positive: a nucleus loses ``-dE/dt`` of kinetic energy per nucleon.

Ionisation follows from Bethe's formula and constants of nature, without shell and Bloch corrections and without the
density effect, which an interstellar gas does not have. The Coulomb loss is the cold-plasma form of GALPROP's
``energy_losses.cc`` (release 56, opened), which names Strong & Moskalenko 1998, ApJ 509, 212; its factor for thermal
electrons, one for relativistic nuclei, is left out. There, each helium atom of the neutral gas slows nuclei down like
one electron; here like its two.
"""

from __future__ import annotations

import math

from ..backend import Array, namespace
from ..constants import ELECTRON_MASS_GEV, KILOPARSEC, SPEED_OF_LIGHT
from ..species import Nuclide

CLASSICAL_ELECTRON_RADIUS = 2.8179403205e-13
"""r_e [cm] (CODATA 2022)."""

HBAR_C = 1.973269804593025e-14
"""hbar c [GeV cm], exact in the 2019 SI."""

HYDROGEN_EXCITATION = 19.2e-9
"""Mean excitation energy of hydrogen gas [GeV]; header of the PUMAS table of hydrogen gas (niess/pumas-materials)."""

HELIUM_EXCITATION = 41.8e-9
"""Mean excitation energy of helium gas [GeV]; header of the PUMAS table of helium gas (niess/pumas-materials)."""

IONISED_FRACTION = 1.3 / 8.9
"""Share of the disc's hydrogen that is ionised: the columns at 8.5 kpc are H I 5.8, H2 1.8, H II 1.3 e20 per cm^2."""

FREE_ELECTRON_DENSITY = 0.02
"""Density of free electrons in the Coulomb logarithm [1/cm^3].

`project choice`: 1.3e20 per cm^2 in a layer 1 kpc to both sides; ten times more changes the loss by 3%.
"""

SPEED = SPEED_OF_LIGHT * 100.0
CM_PER_KPC = KILOPARSEC * 100.0
# 4 pi r_e^2 m_e c^2: what an electron takes, up to charge squared, beta and a logarithm [GeV cm^2]
UNIT_LOSS = 4.0 * math.pi * CLASSICAL_ELECTRON_RADIUS**2 * ELECTRON_MASS_GEV


def velocity(mass: float, mass_number: int, energy: Array) -> tuple[Array, Array]:
    """Lorentz factor and v/c of a nucleus.

    Parameters
    ----------
    mass : float
        Rest energy [GeV].
    mass_number : int
        A.
    energy : array
        Kinetic energy per nucleon [GeV].
    """
    kinetic = mass_number * energy / mass
    gamma = 1.0 + kinetic
    return gamma, namespace(energy).sqrt(kinetic * (kinetic + 2.0)) / gamma


def stopping_per_electron(charge: int, mass: float, gamma: Array, beta: Array, excitation: float) -> Array:
    """Energy that a charge loses per bound electron in its way [GeV cm^2], by Bethe's formula.

    4 pi r_e^2 m_e c^2 Z^2 / beta^2 [ln(2 m_e beta^2 gamma^2 W / I^2) / 2 - beta^2] with the largest energy transfer
    W = 2 m_e beta^2 gamma^2 / (1 + 2 gamma m_e/m + (m_e/m)^2).

    Parameters
    ----------
    charge : int
        Z of the nucleus.
    mass : float
        Rest energy of the nucleus [GeV].
    gamma, beta : array
        Lorentz factor and v/c.
    excitation : float
        Mean excitation energy of the atom [GeV].
    """
    xp = namespace(gamma, beta)
    ratio = ELECTRON_MASS_GEV / mass
    transfer = 2.0 * ELECTRON_MASS_GEV * (beta * gamma) ** 2
    largest = transfer / (1.0 + 2.0 * gamma * ratio + ratio**2)
    logarithm = 0.5 * xp.log(transfer * largest / excitation**2)
    return UNIT_LOSS * charge**2 / beta**2 * (logarithm - beta**2)


def ionisation_loss(nuclide: Nuclide, energy: Array, helium_fraction: float = 0.1) -> Array:
    """Ionisation loss per neutral hydrogen atom per cm^3 and the helium that goes with it [GeV cm^3 / s per nucleon].

    Parameters
    ----------
    nuclide : Nuclide
        The nucleus.
    energy : array
        Kinetic energy per nucleon [GeV].
    helium_fraction : float
        Helium to hydrogen by number; a helium atom has two electrons.
    """
    gamma, beta = velocity(nuclide.mass, nuclide.mass_number, energy)
    hydrogen = stopping_per_electron(nuclide.charge, nuclide.mass, gamma, beta, HYDROGEN_EXCITATION)
    helium = stopping_per_electron(nuclide.charge, nuclide.mass, gamma, beta, HELIUM_EXCITATION)
    return SPEED * beta * (hydrogen + 2.0 * helium_fraction * helium) / nuclide.mass_number


def coulomb_loss(nuclide: Nuclide, energy: Array, electron_density: float = FREE_ELECTRON_DENSITY) -> Array:
    """Coulomb loss per free electron per cm^3 [GeV cm^3 / s per nucleon].

    4 pi r_e^2 m_e c^2 c Z^2 / beta times the Coulomb logarithm of a cold plasma,
    ln[m_e^2 c^4 / (pi r_e (hbar c)^2 n_e) m beta^4 gamma^2 / (m + 2 gamma m_e)] / 2.

    Parameters
    ----------
    nuclide : Nuclide
        The nucleus.
    energy : array
        Kinetic energy per nucleon [GeV].
    electron_density : float
        n_e in the logarithm [1/cm^3].
    """
    xp = namespace(energy)
    gamma, beta = velocity(nuclide.mass, nuclide.mass_number, energy)
    plasma = math.pi * CLASSICAL_ELECTRON_RADIUS * HBAR_C**2 * electron_density / ELECTRON_MASS_GEV**2
    recoil = 1.0 + 2.0 * gamma * ELECTRON_MASS_GEV / nuclide.mass
    logarithm = 0.5 * xp.log(beta**4 * gamma**2 / (plasma * recoil))
    return SPEED * UNIT_LOSS * nuclide.charge**2 / beta * logarithm / nuclide.mass_number


def disc_loss(
    nuclide: Nuclide,
    energy: Array,
    hydrogen_column: float,
    helium_fraction: float = 0.1,
    ionised_fraction: float = IONISED_FRACTION,
) -> Array:
    """Loss rate times the thickness of the disc, 2h (-dE/dt) [kpc GeV / s per nucleon].

    Parameters
    ----------
    nuclide : Nuclide
        The nucleus.
    energy : array
        Kinetic energy per nucleon [GeV].
    hydrogen_column : float
        Hydrogen atoms and ions through the whole disc [1/cm^2].
    helium_fraction : float
        Helium to hydrogen by number in the neutral gas.
    ionised_fraction : float
        Share of the hydrogen that is ionised; it gives one free electron per atom.
    """
    neutral = (1.0 - ionised_fraction) * ionisation_loss(nuclide, energy, helium_fraction)
    return hydrogen_column / CM_PER_KPC * (neutral + ionised_fraction * coulomb_loss(nuclide, energy))


def solve_with_losses(rate: Array, loss: Array, source: Array, energy: Array) -> Array:
    """Density with losses in one slab: rate N - d(loss N)/dE = source, marching from high to low energy.

    Implicit differences against the flow of particles, of second order in ln E (first order for the second point): with
    F = loss N, E dF/dE is (4 F(k+1) - F(k+2) - 3 F(k)) / (2 step). Where losses vanish, N = source / rate; so it
    is at the highest energy, which has to lie where losses do not matter.

    Parameters
    ----------
    rate : array (..., n_energy)
        lambda D + 2h Gamma [kpc/s].
    loss : array (..., n_energy)
        2h (-dE/dt) [kpc GeV/s].
    source : array (..., n_energy)
        What is released and produced in the disc, 2h q [1/(kpc^2 s GeV)].
    energy : array (n_energy,)
        Kinetic energy per nucleon [GeV], ascending in equal steps of its logarithm.

    Returns
    -------
    array (..., n_energy)
        N [1/(kpc^3 GeV)].
    """
    xp = namespace(rate, loss, source)
    n = energy.shape[0]
    step = math.log(float(energy[-1]) / float(energy[0])) / (n - 1)
    density: list[Array] = [source[..., n - 1] / rate[..., n - 1]]
    for k in range(n - 2, -1, -1):
        flow = loss[..., k + 1] * density[-1]
        per_energy = energy[k] * step
        if len(density) == 1:
            gain, weight = flow, 1.0
        else:
            gain, weight = 2.0 * flow - 0.5 * loss[..., k + 2] * density[-2], 1.5
        density.append((source[..., k] * per_energy + gain) / (rate[..., k] * per_energy + weight * loss[..., k]))
    return xp.stack(density[::-1], axis=-1)
