"""Nuclei that make each other: the steady state of the whole network.

At equal kinetic energy per nucleon T, nuclide i of a slab with radial wavenumber k obeys

    (2 k coth(k L) D_i + 2 h Gamma_i) N_i = 2 h q_i + sum_j 2 h Gamma_(j -> i) N_j + decays ,

with 2 h Gamma = beta c N_H sigma (N_H hydrogen atoms per area through the disc, sigma per hydrogen atom). A
fragment is lighter than its parent, so this is a triangular system; the density at the Sun is a weighted sum over slabs
(`stellarcr.galaxy.reduction`, or all Bessel orders). Divided by c N_H, with y = beta N, only the diagonal depends on
diffusion, in units of a cross section:

    (2 k coth(k L) D_i / (beta_i c N_H) + sigma_i) y_i = 2 h q_i / (c N_H) + sum_j sigma_(j -> i) y_j .

A nuclide with lifetime tau decays in the whole halo: there k becomes kappa, kappa^2 = k^2 + 1/(gamma tau D), and its
stable daughter gains 2 D (kappa coth(kappa L) - k coth(k L)) N of the parent, whatever the daughter's own D.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from ..backend import Array, expanded, forward_substitution, namespace
from ..constants import KILOPARSEC, MILLIBARN, SPEED_OF_LIGHT, YEAR
from ..species import Nuclide
from .nuclear import NuclearNetwork
from .reduction import escape_coefficient

RATE_PER_MILLIBARN = SPEED_OF_LIGHT * 100.0 * MILLIBARN / (KILOPARSEC * 100.0)
"""c sigma N_H [kpc/s] of 1 mb and one hydrogen atom per cm^2."""

_SAME_TABLE = 1e-4
"""Production cross sections that differ by less, relative to the fragment's largest, are taken as equal in neighbouring
energies, which are then solved together."""


@dataclass(frozen=True, eq=False)
class NetworkTables:
    """A nuclear network at chosen energies per nucleon, ready to be solved.

    Attributes
    ----------
    network : NuclearNetwork
        Cross sections at these energies.
    energy : numpy.ndarray
        Kinetic energy per nucleon T [GeV], ``(n_energy,)``.
    """

    network: NuclearNetwork
    energy: np.ndarray

    @classmethod
    def build(cls, network: NuclearNetwork, energy: np.ndarray, last: int | None = None) -> NetworkTables:
        """Interpolate a network to energies.

        Parameters
        ----------
        network : NuclearNetwork
            The network.
        energy : numpy.ndarray
            Kinetic energies per nucleon [GeV], ``(n_energy,)``.
        last : int, optional
            Position of the last nuclide that is wanted; what comes after it is left out.
        """
        energy = np.asarray(energy, dtype=float)
        if last is not None:
            network = restricted(network, {n.name for n in network.nuclides[: last + 1]})
        return cls(network.interpolated(energy), energy)

    @property
    def nuclides(self) -> tuple[Nuclide, ...]:
        """Nuclides, parents before fragments."""
        return self.network.nuclides

    def position(self, nuclide: Nuclide) -> int:
        """Where a nuclide stands in the network, -1 if it is no member."""
        return self.network.positions.get(nuclide.name, -1)

    @cached_property
    def _kinematics(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        charge, number, mass = (
            np.array([getattr(n, name) for n in self.nuclides], dtype=float)[:, None]
            for name in ("charge", "mass_number", "mass")
        )
        kinetic = number * self.energy
        rigidity = np.sqrt(kinetic * (kinetic + 2.0 * mass)) / charge
        beta = charge * rigidity / (kinetic + mass)
        return rigidity, beta, number / (charge * beta)

    @property
    def rigidity(self) -> np.ndarray:
        """Rigidity of every nuclide at the energies [GV], ``(n_nuclides, n_energy)``."""
        return self._kinematics[0]

    @property
    def beta(self) -> np.ndarray:
        """Velocity over c, ``(n_nuclides, n_energy)``."""
        return self._kinematics[1]

    @property
    def rigidity_per_energy(self) -> np.ndarray:
        """Derivative dR/dT = A / (Z beta) [GV per GeV/n], ``(n_nuclides, n_energy)``."""
        return self._kinematics[2]

    @cached_property
    def _matrices(self) -> np.ndarray:
        """Production [mb] at each energy, ``(n_energy, n_nuclides, n_nuclides)``, fragments by parents."""
        n = len(self.nuclides)
        matrices = np.zeros((len(self.energy), n, n))
        matrices[:, self.network.fragment, self.network.parent] = self.network.production.T
        return matrices

    @cached_property
    def last(self) -> int:
        """Nuclides from here on make no others: their cross sections may vary in a band."""
        return int(self.network.parent.max()) + 1 if len(self.network.parent) else len(self.nuclides)

    @cached_property
    def bands(self) -> tuple[tuple[int, int, np.ndarray], ...]:
        """Stretches of energies: first, last + 1, and production [mb], fragments by parents.

        ``(n_energy, last, last)`` at low energies; one matrix ``(last, last)`` for the energies above, where it is
        constant.
        """
        matrices = self._matrices[:, : self.last, : self.last]
        scale = np.maximum(matrices.max(axis=(0, 2)), 1e-300)[:, None]
        differs = np.any(np.abs(matrices - matrices[-1]) > _SAME_TABLE * scale, axis=(1, 2))
        start = int(np.max(np.flatnonzero(differs), initial=-1)) + 1
        constant = (start, len(matrices), matrices[-1])
        return (constant,) if start == 0 else ((0, start, matrices[:start]), constant)

    @cached_property
    def endings(self) -> np.ndarray:
        """Production [mb] of the nuclides that make no others, ``(n_energy, n_nuclides - last, last)``."""
        return self._matrices[:, self.last :, : self.last]

    @cached_property
    def decaying(self) -> tuple[int, ...]:
        """Positions of the nuclides that decay."""
        return tuple(int(k) for k in np.flatnonzero(np.isfinite(self.network.half_life)))

    @cached_property
    def decay_rates(self) -> np.ndarray:
        """1 / (gamma tau) [1/s] of the decaying nuclides, ``(n_decaying, n_energy)``."""
        rates = []
        for k in self.decaying:
            nuclide, lifetime = self.nuclides[k], self.network.half_life[k] * YEAR / np.log(2.0)
            # gamma from the energy: 1 - beta^2 is lost in rounding at high energies
            rates.append(1.0 / (lifetime * (1.0 + nuclide.mass_number * self.energy / nuclide.mass)))
        return np.reshape(rates, (-1, len(self.energy)))


def restricted(network: NuclearNetwork, names: Collection[str]) -> NuclearNetwork:
    """The part of a network that some nuclides form.

    Parameters
    ----------
    network : NuclearNetwork
        The whole.
    names : collection of str
        Nuclides that stay.
    """
    kept = np.array([k for k, n in enumerate(network.nuclides) if n.name in names])
    new = np.full(len(network.nuclides) + 1, -1)
    new[kept] = np.arange(len(kept))
    channels = (new[network.parent] >= 0) & (new[network.fragment] >= 0)
    return replace(
        network,
        nuclides=tuple(network.nuclides[k] for k in kept),
        destruction=network.destruction[kept],
        parent=new[network.parent[channels]],
        fragment=new[network.fragment[channels]],
        production=network.production[channels],
        half_life=network.half_life[kept],
        daughter=new[network.daughter[kept]],
    )


def steady_state(
    tables: NetworkTables,
    wavenumbers: np.ndarray,
    sources: Sequence[tuple[np.ndarray, Array]],
    diffusion: Array,
    half_height: Array,
    hydrogen_column: Array,
    destruction: Array = 1.0,
    production: Mapping[str, Array] | None = None,
    rows: Sequence[int] | None = None,
    made: bool = False,
) -> Array:
    """Densities of nuclides at the Sun.

    Parameters
    ----------
    tables : NetworkTables
        ``n_nuclides`` and ``n_energy``.
    wavenumbers : numpy.ndarray
        k_p of the slabs [1/kpc], ``(n_slabs,)``.
    sources : sequence of (numpy.ndarray, array)
        For each radial profile: weights of the slabs [1/kpc^2], and injected spectra of the whole disc at the
        nuclides' rigidities [1/(GV s)], ``(n_nuclides, n_energy, n)``.
    diffusion : array
        D [kpc^2/s], ``(n_nuclides, n_energy, n)``; the last axis may be 1.
    half_height : array or float
        L [kpc], a number or ``(n,)``.
    hydrogen_column : array or float
        Hydrogen atoms through the whole disc [1/cm^2], a number or ``(n,)``.
    destruction : array or float
        Factor on all inelastic cross sections, a number or ``(n,)``.
    production : mapping, optional
        Element to factor on all cross sections for its production, a number or ``(n,)``.
    rows : sequence of int, optional
        Positions of the nuclides that are wanted; all by default.
    made : bool
        Leave out what was injected as the nuclide itself: fragments and daughters alone.

    Returns
    -------
    array
        Density per unit rigidity [1/(kpc^3 GV)], ``(n_rows, n_energy, n)``.
    """
    xp = namespace(sources[0][1], diffusion, half_height, hydrogen_column)
    n_nuclides, n_energy, n = sources[0][1].shape
    # parameter vectors come last, slabs before them: (n_energy, n_slabs, n) for each nuclide
    whole = (n_energy, len(wavenumbers), n)
    rate = RATE_PER_MILLIBARN * hydrogen_column
    reach = (diffusion / (xp.asarray(tables.beta)[:, :, None] * rate))[:, :, None, :]
    k = xp.asarray(wavenumbers)[:, None]
    escape = escape_coefficient(k, half_height)
    sigma = xp.asarray(tables.network.destruction)[:, :, None, None] * destruction
    both = reach * escape + sigma
    diagonal = [expanded(both[row, ...], whole, xp) for row in range(n_nuclides)]
    couplings = []
    for row, daughter, gain in _decays(tables, k, reach, escape, diffusion, half_height, xp):
        diagonal[row] = diagonal[row] + gain
        if daughter >= 0:
            couplings.append((daughter, row, expanded(gain, whole, xp)))
    per_area = xp.asarray(tables.rigidity_per_energy)[:, :, None] / rate
    if len(sources) == 1:
        # sources of one profile differ between slabs by the slabs' weights only, which are applied in the end
        weights, right = sources[0][0], (sources[0][1] * per_area)[:, :, None, :]
    else:
        weights = np.ones(len(wavenumbers))
        parts = [(injected * per_area)[:, :, None, :] * xp.asarray(w)[:, None] for w, injected in sources]
        right = sum(parts[1:], parts[0])
    factors = {
        row: xp.asarray(value)
        for element, value in (production or {}).items()
        for row, nuclide in enumerate(tables.nuclides)
        if nuclide.symbol == element
    }
    solved = _solve(tables, right, diagonal, couplings, factors, xp)
    found = []
    wanted = list(range(n_nuclides)) if rows is None else list(rows)
    for row in wanted:
        total = solved[row] - right[row, ...] / diagonal[row] if made else solved[row]
        terms = [float(w) * total[:, p, :] for p, w in enumerate(weights)]
        found.append(sum(terms[1:], terms[0]))
    return xp.stack(found) / xp.asarray((tables.beta * tables.rigidity_per_energy)[wanted])[:, :, None]


def _solve(
    tables: NetworkTables,
    right: Array,
    diagonal: Sequence[Array],
    couplings: Sequence[tuple[int, int, Array]],
    factors: Mapping[int, Array],
    xp: Any,
) -> list[Array]:
    """Solve for all nuclides: one array ``(n_energy, n_slabs, n)`` each."""
    last = tables.last
    parts = []
    for start, stop, lower in tables.bands:
        here = slice(start, stop)
        inside = [(i, j, gain[here, ...]) for i, j, gain in couplings if i < last]
        rows = [d[here, ...] for d in diagonal[:last]]
        parts.append(forward_substitution(lower, right[:last, here, ...], rows, inside, factors))
    together = parts[0] if len(parts) == 1 else xp.concat(parts, axis=1)
    solved = [together[row, ...] for row in range(last)]
    if last < len(diagonal):
        shape = diagonal[0].shape
        known = xp.reshape(xp.permute_dims(together, (1, 0, 2, 3)), (shape[0], last, -1))
        gained = xp.asarray(tables.endings) @ known
        for row in range(last, len(diagonal)):
            gain = xp.reshape(gained[:, row - last, :], shape)
            total = right[row, ...] + (gain * factors[row] if row in factors else gain)
            for daughter, parent, coupling in couplings:
                total = total + coupling * solved[parent] if daughter == row else total
            solved.append(total / diagonal[row])
    return solved


def _decays(
    tables: NetworkTables,
    wavenumbers: Array,
    reach: Array,
    escape: Array,
    diffusion: Array,
    half_height: Array,
    xp: Any,
) -> list[tuple[int, int, Array]]:
    """Nuclides that decay: position, daughter's position, and what decay adds to the one and takes to the other."""
    found = []
    for k, parent in enumerate(tables.decaying):
        rate = xp.asarray(tables.decay_rates[k])[:, None]
        kappa = xp.sqrt(wavenumbers**2 + (rate / diffusion[parent, ...])[:, None, :])
        gain = reach[parent, ...] * (escape_coefficient(kappa, half_height) - escape)
        found.append((parent, int(tables.network.daughter[parent]), gain))
    return found
