"""The nuclear network: what destroys nuclei in the gas, what they turn into, and what decays."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from ..backend import Array, namespace
from ..species import NUCLIDES, Nuclide
from .inelastic import HELIUM_TO_HYDROGEN_AREA

DECAYS: Mapping[str, tuple[str, float]] = {
    "Be10": ("B10", 1.387e6),
    "C14": ("N14", 5.70e3),
    "Al26": ("Mg26", 9.1e5),
    "Cl36": ("Ar36", 3.01e5),
    "Mn54": ("Fe54", 6.3e5),
    "Ni56": ("Fe56", 5.1e4),
    "Fe60": ("Ni60", 2.6e6),
}
"""Decays in flight: daughter and half-life of the bare nucleus [yr].

Sources: Be10 Chmeleff et al. 2010; Cl36 as measured in atoms (0.301 Myr: beta- to Ar36, electron capture is 2%); all
others as the nuclear chart of XS4GCR (``crchart_Z28_2020.txt``) gives them for bare nuclei: Al26 beta+ alone
(it names Martinez-Pinedo & Vogel 1998), Mn54 beta- (Wuosmaa 1998), Ni56 beta+ (Lund Fisker et al. 1999). Those of Mn54
and Ni56 are not measured directly. All other nuclides of the network are stable in flight: a bare nucleus has no
electron to capture (Be7, Ar37, Ca41, Ti44, V49, Cr51, Mn53, Fe55, Co57, Ni59), or lives much longer than it stays in
the Galaxy (K40, 1.25 Gyr).
"""

HELIUM_RATIO_LIMIT = 6.0
"""Largest ratio of a production cross section on helium to that on hydrogen: `project choice`.

Ferrando's formula gives 5.6 for Fe -> B at its highest energy, 1.51 GeV/n, and 1e3 to 1e6 for light fragments of iron
at 0.1 to 0.3 GeV/n, where it extrapolates.
"""


@dataclass(frozen=True, eq=False)
class NuclearNetwork:
    """Cross sections and decays of all nuclides, per hydrogen atom of a gas with helium.

    Attributes
    ----------
    name : str
        Production and inelastic set.
    nuclides : tuple of Nuclide
        Every parent stands before all its fragments, and every nuclide that decays before its daughter.
    energy : array, shape (n_energy,)
        Kinetic energy per nucleon [GeV], increasing. Between these all cross sections are linear in ln E, outside
        constant.
    destruction : array, shape (n_nuclides, n_energy)
        Total inelastic cross section [mb] per hydrogen atom, helium included. A proton that interacts is removed too,
        although a nucleon with about half its energy goes on.
    parent, fragment : array of int, shape (n_channels,)
        Positions in `nuclides`; fragment > parent.
    production : array, shape (n_channels, n_energy)
        Production cross section [mb] per hydrogen atom, helium included, cumulative: short-lived nuclides in between
        have decayed. The fragment keeps the parent's energy per nucleon.
    half_life : array, shape (n_nuclides,)
        Of bare nuclei at rest [yr]; infinite if stable.
    daughter : array of int, shape (n_nuclides,)
        Position of what a nuclide decays into; -1 if stable.
    sources : mapping
        Where numbers are from: by ``inelastic``, ``decays``, ``helium`` and by channel, such as ``C12 -> B11``.
    """

    name: str
    nuclides: tuple[Nuclide, ...]
    energy: np.ndarray
    destruction: np.ndarray
    parent: np.ndarray
    fragment: np.ndarray
    production: np.ndarray
    half_life: np.ndarray
    daughter: np.ndarray
    sources: Mapping[str, str]

    @cached_property
    def positions(self) -> Mapping[str, int]:
        """Positions of the nuclides by name."""
        return {n.name: k for k, n in enumerate(self.nuclides)}

    def destruction_of(self, position: int, energy: Array) -> Array:
        """Total inelastic cross section [mb] of one nuclide at kinetic energies per nucleon [GeV], any shape."""
        xp = namespace(energy)
        row, nodes = xp.asarray(self.destruction[position]), xp.asarray(np.log(self.energy))
        if len(self.energy) == 1:
            return row[0] + 0.0 * energy
        log_energy = xp.reshape(xp.log(energy), (-1,))
        left = xp.searchsorted(nodes[1:-1], log_energy, side="right")
        before = xp.take(nodes, left)
        weight = (log_energy - before) / (xp.take(nodes, left + 1) - before)
        weight = xp.where(weight < 0.0, 0.0, xp.where(weight > 1.0, 1.0, weight))
        found = xp.take(row, left) * (1.0 - weight) + xp.take(row, left + 1) * weight
        return xp.reshape(found, energy.shape)

    def interpolated(self, energy: np.ndarray) -> NuclearNetwork:
        """Return the same network with its tables at other energies.

        Parameters
        ----------
        energy : array
            Kinetic energy per nucleon [GeV], increasing.
        """
        return replace(
            self,
            energy=np.array(energy, dtype=float),
            destruction=interpolate_rows(self.energy, self.destruction, energy),
            production=interpolate_rows(self.energy, self.production, energy),
        )


def interpolate_rows(energy: np.ndarray, table: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Interpolate rows linearly in ln E, constant outside.

    Parameters
    ----------
    energy : array, shape (n_energy,)
        Energies of the columns, increasing.
    table : array, shape (n, n_energy)
        One row per quantity.
    at : array, shape (n_at,)
        Where.

    Returns
    -------
    array, shape (n, n_at)
    """
    if len(energy) == 1:
        return np.repeat(table, len(at), axis=1)
    log_energy, log_at = np.log(energy), np.log(np.clip(at, energy[0], energy[-1]))
    left = np.clip(np.searchsorted(log_energy, log_at, side="right") - 1, 0, len(energy) - 2)
    weight = (log_at - log_energy[left]) / (log_energy[left + 1] - log_energy[left])
    return table[:, left] * (1.0 - weight) + table[:, left + 1] * weight


def helium_ratio(kinetic_energy_per_nucleon: np.ndarray, parent_charge: int, fragment_charge: int) -> np.ndarray:
    """Ratio of a production cross section on helium to that on hydrogen.

    Source: Ferrando et al. 1988: exp(mu |Z_i - Z_f - f_Z d|^1.43), T not above 1.51 GeV/n, Z_i in f_Z not above 26.
    Never above `HELIUM_RATIO_LIMIT`.

    Parameters
    ----------
    kinetic_energy_per_nucleon : array
        T [GeV per nucleon].
    parent_charge, fragment_charge : int
        Z_i and Z_f.
    """
    t = np.minimum(kinetic_energy_per_nucleon, 1.51)
    mu = 0.1601136 - 0.21994302 * t + 0.08903134 * t**2
    d = 0.40183405 + 5.60541311 * t - 1.95868946 * t**2
    f_z = -2.90627699 + 1.19911266 * math.log(min(parent_charge, 26))
    exponent = mu * np.abs(parent_charge - fragment_charge - f_z * d) ** 1.43
    return np.exp(np.minimum(exponent, math.log(HELIUM_RATIO_LIMIT)))


def network_order(names: set[str]) -> tuple[Nuclide, ...]:
    """Nuclides by decreasing mass number; within one mass number those that decay first, then by decreasing charge."""
    found = [n for n in NUCLIDES.values() if n.name in names]
    return tuple(sorted(found, key=lambda n: (-n.mass_number, n.name not in DECAYS, -n.charge)))


def decays(nuclides: tuple[Nuclide, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Half-lives [yr] and positions of daughters, after `DECAYS`; infinite and -1 for stable nuclides."""
    position = {n.name: k for k, n in enumerate(nuclides)}
    half_life = np.full(len(nuclides), np.inf)
    daughter = np.full(len(nuclides), -1)
    for name, (product, value) in DECAYS.items():
        if name in position and product in position:
            half_life[position[name]], daughter[position[name]] = value, position[product]
    return half_life, daughter


def released_protons(
    nuclides: tuple[Nuclide, ...],
    destruction: np.ndarray,
    parent: np.ndarray,
    fragment: np.ndarray,
    production: np.ndarray,
) -> np.ndarray:
    """Protons set free at the parent's energy per nucleon, per interaction of each nuclide [mb].

    `project choice`: what remains of the parent's nucleons after its fragments, A sigma - sum A_f sigma_f, less those
    that interact inelastically themselves, A sigma(p), which lose about half their energy. Neutrons count: they decay
    at once. For He4 it gives 51 mb on hydrogen at 2 GeV/n, where Coste et al. 2012 tabulate 50 mb; for C12 664 mb,
    where Webber et al. 2003 tabulate 360 mb of protons without neutrons. Never below zero.

    Parameters
    ----------
    nuclides : tuple of Nuclide
        The last is H1.
    destruction, production : array
        Cross sections [mb] of the nuclides and of the channels, shape (n, n_energy).
    parent, fragment : array of int
        Positions of the channels.

    Returns
    -------
    array, shape (n_nuclides, n_energy)
    """
    mass_number = np.array([n.mass_number for n in nuclides], dtype=float)
    bound = np.zeros_like(destruction)
    np.add.at(bound, parent, mass_number[fragment][:, None] * production)
    free = mass_number[:, None] * (destruction - destruction[-1]) - bound
    return np.where(mass_number[:, None] > 1.0, np.maximum(free, 0.0), 0.0)


def helium_destruction(helium_fraction: float) -> float:
    """Destruction per hydrogen atom of a gas with helium, relative to hydrogen alone: 1 + 4^(2/3) He/H (geometric)."""
    return 1.0 + HELIUM_TO_HYDROGEN_AREA * helium_fraction
