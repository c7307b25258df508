"""What nuclei turn into on the way, inside a fit: the nuclear network on a coarse grid of energies.

The network couples nuclides at equal energy per nucleon, and varies slowly with it; source spectra and breaks of the
diffusion coefficient do not. So the network is solved at few energies, and only the slow ratio

    (density of fragments at the Sun) / (source spectrum of a main parent * trend)

is interpolated to the grid on which detectors are tabulated. The trend, one over the product of (psi D + Gamma) of
nuclide and parent with one slab's psi, carries the break of D at its place. With propagation fixed the network is a
matrix for each energy, made once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ..backend import Array, Stencil, expanded
from ..errors import ModelError
from ..galaxy import Galaxy
from ..galaxy.network import RATE_PER_MILLIBARN, NetworkTables, restricted
from ..galaxy.profiles import RadialProfile
from ..observe.grid import STENCIL, RigidityGrid
from ..observe.response import TYPICAL_INDEX
from ..species import Nuclide
from .fragment_trend import Trend

HEAVY_RATIO = 2.05
"""A/Z above which a parent counts as heavy: iron and the neutron-rich isotopes."""

LARGE_SHIFT = 0.2
"""Difference of ln(A/Z) from which a target's ratio refers to its parent's rigidity."""

SLAB_ERROR = 1e-4
"""Relative error of the reduction to slabs inside a fit."""


@dataclass(frozen=True, eq=False)
class SourceColumn:
    """A spectrum on the grid that the disc injects.

    Attributes
    ----------
    isotopes : tuple of (Nuclide, float)
        Nuclides with number fractions at equal rigidity.
    profile : RadialProfile
        Where the sources are.
    position : int
        Among all columns of the source table.
    """

    isotopes: tuple[tuple[Nuclide, float], ...]
    profile: RadialProfile
    position: int


@dataclass(frozen=True, eq=False)
class Fragments:
    """Densities of fragments at the Sun, for many parameter vectors at once.

    Attributes
    ----------
    galaxy : Galaxy
        With a network.
    grid : RigidityGrid
        Of the source spectra and of the result.
    columns : tuple of SourceColumn
        What is injected.
    n_columns : int
        Number of all columns of the source table.
    targets : tuple of Nuclide
        Whose densities are wanted.
    seen : tuple of numpy.ndarray
        For each target: positions in the grid where they are, without gaps.
    made : tuple of Nuclide
        All that the network makes of what is injected.
    free : bool
        Whether propagation parameters vary.
    defaults : mapping
        Propagation parameters that do not, by local name.
    energy : numpy.ndarray
        Kinetic energies per nucleon [GeV] at which the network is solved.
    typical : numpy.ndarray
        Spectra of all columns at a typical point, ``(n_columns * grid.size,)``: they decide which parent a fragment's
        ratio refers to.
    """

    galaxy: Galaxy
    grid: RigidityGrid
    columns: tuple[SourceColumn, ...]
    n_columns: int
    targets: tuple[Nuclide, ...]
    seen: tuple[np.ndarray, ...]
    made: tuple[Nuclide, ...]
    free: bool
    defaults: Mapping[str, float]
    energy: np.ndarray
    typical: np.ndarray

    # ------------------------------------------------------------------ building

    @cached_property
    def tables(self) -> NetworkTables:
        """The network at the energies."""
        assert self.galaxy.network is not None
        used = {n.name for c in self.columns for n, _ in c.isotopes} | {n.name for n in self.made}
        return NetworkTables.build(restricted(self.galaxy.network, used), self.energy)

    @cached_property
    def _rows(self) -> tuple[int, ...]:
        return tuple(self.tables.position(n) for n in self.targets)

    @cached_property
    def _profiles(self) -> tuple[RadialProfile, ...]:
        return tuple(dict.fromkeys(c.profile for c in self.columns))

    @cached_property
    def _sampled(self) -> tuple[tuple[int, ...], ...]:
        """For each profile: positions in the network of the nuclides that are injected."""
        return tuple(
            tuple(
                sorted({self.tables.position(n) for c in self.columns if c.profile == p for n, _ in c.isotopes} - {-1})
            )
            for p in self._profiles
        )

    @cached_property
    def _sampling(self) -> tuple[Stencil, ...]:
        """For each profile: from columns on the grid to injected spectra at the nuclides' rigidities.

        Rows are ``(n_nuclides, n_energy)`` where propagation is free, else ``(n_energy, n_sampled)``.
        """
        operators = []
        for profile, sampled in zip(self._profiles, self._sampled, strict=True):
            mine = [c for c in self.columns if c.profile == profile]
            entries: dict[int, list[tuple[SourceColumn, float]]] = {}
            for column in mine:
                for nuclide, fraction in column.isotopes:
                    entries.setdefault(self.tables.position(nuclide), []).append((column, fraction))
            width = max(len(v) for k, v in entries.items() if k >= 0)
            rows = range(len(self.tables.nuclides)) if self.free else sampled
            index = np.zeros((len(rows), len(self.energy), width * STENCIL), dtype=int)
            weight = np.zeros(index.shape)
            for r, k in enumerate(rows):
                for j, (column, fraction) in enumerate(entries.get(k, [])):
                    place = slice(j * STENCIL, (j + 1) * STENCIL)
                    first, values = self._stencil(self.tables.rigidity[k])
                    index[r, :, place] = column.position * self.grid.size + first
                    weight[r, :, place] = fraction * values
            if not self.free:
                index, weight = index.transpose(1, 0, 2), weight.transpose(1, 0, 2)
            flat = (-1, index.shape[-1])
            operators.append(Stencil(index.reshape(flat), weight.reshape(flat), self.n_columns * self.grid.size))
        return tuple(operators)

    def _stencil(self, rigidity: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Interpolation on the grid; what lies outside it is taken at its end, which no detector sees."""
        inside = np.clip(rigidity, self.grid.rigidity[0], self.grid.rigidity[-1])
        first, weights = self.grid.interpolation(inside, TYPICAL_INDEX)
        return first[:, None] + np.arange(STENCIL), weights

    @cached_property
    def _parents(self) -> tuple[tuple[int, ...], tuple[tuple[int, ...], ...]]:
        """For each target: position of the main parent in the network, and the columns of the two main elements.

        The main parent is the injected nuclide with the largest product of source and production cross section at the
        middle energy.
        """
        network = self.tables.network
        middle = len(self.energy) // 2
        spectra = self._spectra_at(middle)
        found, columns = [], []
        for row in self._rows:
            share: dict[int, float] = {}
            for p, f, sigma in zip(network.parent, network.fragment, network.production[:, middle], strict=True):
                if f == row and sigma * spectra[int(p)] > 0.0:
                    share[int(p)] = sigma * spectra[int(p)]
            if not share:
                raise ModelError(
                    f"nothing that is injected turns into {self.tables.nuclides[row]}",
                    remedy="leave it out, or add a population of heavier nuclei",
                )
            order = sorted(share, key=lambda k: -share[k])
            # two elements: a multiplier of one may be zero, or a population that injects it cut off
            symbols = list(dict.fromkeys(self.tables.nuclides[k].symbol for k in order))[:2]
            found.append(order[0])
            columns.append(tuple(c.position for c in self.columns if c.isotopes[0][0].symbol in symbols))
        return tuple(found), tuple(columns)

    def _spectra_at(self, k: int) -> dict[int, float]:
        """Typical source spectra of all nuclides at one of the energies."""
        spectra = dict.fromkeys(range(len(self.tables.nuclides)), 0.0)
        for column in self.columns:
            values = self.typical.reshape(self.n_columns, -1)[column.position]
            for nuclide, fraction in column.isotopes:
                position = self.tables.position(nuclide)
                if position >= 0:
                    first, weights = self._stencil(self.tables.rigidity[position][k : k + 1])
                    spectra[position] += fraction * float(np.sum(values[first] * weights))
        return spectra

    @cached_property
    def sampled(self) -> np.ndarray:
        """Entries of the flattened ``(n_columns, grid.size)`` that the fragments depend on."""
        operators = (*self._sampling, self._reference_at_nodes, self._reference_on_grid)
        return np.unique(np.concatenate([o.index[o.weight != 0.0] for o in operators]))

    @cached_property
    def _reference_at_nodes(self) -> Stencil:
        """From columns to the parents' element, rows ``(n_targets, n_energy)``."""
        rigidity = [self.tables.rigidity[row] for row in self._rows]
        return self._reference(rigidity, None)

    @cached_property
    def _reference_on_grid(self) -> Stencil:
        """From columns to the parents' element where the targets are seen."""
        return self._reference([self.grid.rigidity[points] for points in self.seen], self.seen)

    def _reference(self, rigidity: Sequence[np.ndarray], on_grid: Sequence[np.ndarray] | None) -> Stencil:
        """Spectra of the parents' elements at rigidities of the targets.

        They are taken at the target's rigidity, which on the grid costs nothing, or, where A/Z differs much, at the
        parent's.
        """
        width = max(len(c) for c in self._parents[1])
        index, weight = [], []
        for t, columns in enumerate(self._parents[1]):
            shift = float(self._shifts[t])
            if on_grid is not None and abs(shift) < LARGE_SHIFT:
                first, values = on_grid[t][:, None], np.ones((len(on_grid[t]), 1))
            else:
                first, values = self._stencil(rigidity[t] * (np.exp(shift) if abs(shift) >= LARGE_SHIFT else 1.0))
            places = np.zeros((len(first), width * STENCIL), dtype=int)
            used = np.zeros(places.shape)
            for j, position in enumerate(columns):
                here = slice(j * STENCIL, j * STENCIL + first.shape[1])
                places[:, here] = position * self.grid.size + first
                used[:, here] = values
            index.append(places)
            weight.append(used)
        return Stencil(np.concatenate(index), np.concatenate(weight), self.n_columns * self.grid.size)

    @cached_property
    def _interpolation(self) -> Stencil:
        """From ratios ``(n_targets, n_energy)`` to where the targets are seen."""
        index, weight = [], []
        nodes = np.log(self.energy)
        width = min(STENCIL, len(nodes))
        for t, (nuclide, points) in enumerate(zip(self.targets, self.seen, strict=True)):
            x = np.log(energy_per_nucleon(nuclide, self.grid.rigidity[points]))
            first = np.clip(np.searchsorted(nodes, x) - width // 2, 0, len(nodes) - width)
            places = first[:, None] + np.arange(width)
            near = nodes[places]
            factors = np.ones_like(near)
            for j in range(width):
                for m in range(width):
                    if m != j:
                        factors[:, j] *= (x - near[:, m]) / (near[:, j] - near[:, m])
            index.append(t * len(nodes) + places)
            weight.append(factors)
        return Stencil(np.concatenate(index), np.concatenate(weight), len(self.targets) * len(nodes))

    # ------------------------------------------------------------------ trend

    @cached_property
    def _shifts(self) -> np.ndarray:
        """Logarithm of the parent's rigidity over the target's at equal energy per nucleon, ``(n_targets,)``."""
        ratio = [
            (self.tables.nuclides[p].mass_number * n.charge) / (self.tables.nuclides[p].charge * n.mass_number)
            for p, n in zip(self._parents[0], self.targets, strict=True)
        ]
        return np.log(ratio)

    @cached_property
    def _break_places(self) -> tuple[tuple[tuple[float, float], ...], ...]:
        """For each target: parts of what is made of light and of heavy A/Z, and their mean shifts as in `_shifts`.

        A sharp break of D lies at one rigidity, so at different energies for parents of different A/Z.
        """
        network, middle = self.tables.network, len(self.energy) // 2
        spectra = self._spectra_at(middle)
        found = []
        for row, nuclide in zip(self._rows, self.targets, strict=True):
            sums = {False: [0.0, 0.0], True: [0.0, 0.0]}
            for p, f, sigma in zip(network.parent, network.fragment, network.production[:, middle], strict=True):
                if f == row:
                    parent = self.tables.nuclides[p]
                    ratio = parent.mass_number / parent.charge
                    made = sigma * spectra[int(p)]
                    group = sums[ratio > HEAVY_RATIO]
                    group[0] += made
                    group[1] += made * np.log(ratio * nuclide.charge / nuclide.mass_number)
            total = sum(weight for weight, _ in sums.values())
            found.append(tuple((w / total, shift / w) for w, shift in sums.values() if w > 0.01 * total))
        return tuple(found)

    @cached_property
    def _trend(self) -> Trend:
        # 2 h Gamma [kpc/s] at the highest energy
        rates = self.tables.network.destruction[:, -1] * RATE_PER_MILLIBARN * self.galaxy.hydrogen_column
        own, parents = rates[list(self._rows)], rates[list(self._parents[0])]
        return Trend(self.galaxy, tuple(map(float, own)), tuple(map(float, parents)), self._break_places)

    @cached_property
    def _where_nodes(self) -> tuple[np.ndarray, tuple[slice, ...]]:
        rigidity = np.log(self.tables.rigidity[list(self._rows)])
        n = len(self.energy)
        return rigidity.ravel(), tuple(slice(t * n, (t + 1) * n) for t in range(len(rigidity)))

    @cached_property
    def _where_seen(self) -> tuple[np.ndarray, tuple[slice, ...]]:
        return self.grid.log_rigidity, tuple(slice(int(s[0]), int(s[-1]) + 1) for s in self.seen)

    # ------------------------------------------------------------------ evaluation

    @cached_property
    def _transfer(self) -> np.ndarray:
        """Fragments per injected nuclide, divided by the trend: ``(n_energy, n_targets, n_sampled)``; fixed only."""
        parts = []
        trend = self._trend(*self._where_nodes, self.defaults, np).reshape(len(self.targets), len(self.energy), 1)
        for profile, sampled in zip(self._profiles, self._sampled, strict=True):
            unit = np.zeros((len(self.tables.nuclides), len(self.energy), len(sampled)))
            unit[list(sampled), :, np.arange(len(sampled))] = 1.0
            density = self.galaxy.arrivals(self.tables, {profile: unit}, self.defaults, rows=self._rows, made=True)
            parts.append((density / trend).transpose(1, 0, 2))
        return np.concatenate(parts, axis=-1)

    @cached_property
    def _fixed_trend(self) -> np.ndarray:
        return self._trend(*self._where_seen, self.defaults, np)

    def densities(
        self, flat: Array, propagation: Mapping[str, Array], xp: Any = np, relativistic: Array | None = None
    ) -> Array:
        """Densities of the fragments where they are seen.

        Parameters
        ----------
        flat : array
            Spectra of all columns, ``(n_columns * grid.size, n)`` [1/(GV s)].
        propagation : mapping
            Propagation parameters that are given, by local name, numbers or ``(n,)``.
        xp : module
            Their array namespace.
        relativistic : array, optional
            D on the grid for beta = 1 [kpc^2/s], ``(grid.size, n)``.

        Returns
        -------
        array
            ``(n_seen, n)`` [1/(m^3 GV)], targets one after the other.
        """
        n = flat.shape[-1]
        n_energy, n_targets = len(self.energy), len(self.targets)
        reference = self._reference_at_nodes @ flat
        safe = xp.where(reference > 1e-290, reference, 1.0)
        if self.free:
            sources = {
                profile: xp.reshape(operator @ flat, (-1, n_energy, n))
                for profile, operator in zip(self._profiles, self._sampling, strict=True)
            }
            density = self.galaxy.arrivals(self.tables, sources, propagation, SLAB_ERROR, self._rows, made=True)
            flat_density = xp.reshape(expanded(density, (n_targets, n_energy, n), xp), (-1, n))
            ratio = flat_density / (safe * self._trend(*self._where_nodes, propagation, xp))
            trend = self._trend(*self._where_seen, propagation, xp, relativistic)
        else:
            injected = [xp.reshape(operator @ flat, (n_energy, -1, n)) for operator in self._sampling]
            sources = injected[0] if len(injected) == 1 else xp.concat(injected, axis=1)
            arrived = xp.permute_dims(xp.asarray(self._transfer) @ sources, (1, 0, 2))
            ratio = xp.reshape(arrived, (-1, n)) / safe
            trend = xp.asarray(self._fixed_trend)
        return (self._interpolation @ ratio) * (self._reference_on_grid @ flat) * trend


def energy_per_nucleon(nuclide: Nuclide, rigidity: np.ndarray) -> np.ndarray:
    """Kinetic energy per nucleon [GeV] at a rigidity [GV]."""
    momentum = nuclide.charge * rigidity
    return momentum**2 / (np.sqrt(momentum**2 + nuclide.mass**2) + nuclide.mass) / nuclide.mass_number
