"""What reaches the Sun inside a fit with a nuclear network: only the entries of columns and grid that data see."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ..backend import Array, Stencil, sum_of_rows
from ..constants import KILOPARSEC
from ..galaxy import Galaxy
from ..galaxy.profiles import RadialProfile
from ..galaxy.reduction import escape_coefficient
from ..observe.grid import RigidityGrid
from ..species import Nuclide
from .columns import Column
from .fragment_energies import build_fragments
from .secondaries import SLAB_ERROR, Fragments, SourceColumn


@dataclass(frozen=True, eq=False)
class Primary:
    """A nuclide of a source, and where it is seen.

    Attributes
    ----------
    source : int
        Position among the sources.
    nuclide : Nuclide
        One of its isotopes.
    fraction : float
        Number fraction at equal rigidity.
    points : numpy.ndarray of int
        Positions in the grid.
    """

    source: int
    nuclide: Nuclide
    fraction: float
    points: np.ndarray


@dataclass(frozen=True, eq=False)
class Arrivals:
    """Seen entries of all columns: injected spectra, transferred ones, fragments.

    Attributes
    ----------
    galaxy : Galaxy
        With a network.
    grid : RigidityGrid
        Of the columns.
    sources : tuple of Column
        What populations inject.
    folded : tuple of Primary
        With the transfer in the response.
    free : tuple of Primary
        Of the disc, transferred here.
    apart : tuple of Primary
        Others, each transferred by itself.
    fragments : Fragments or None
        What is made on the way; None if no data see it.
    total : Stencil
        From all these, one after the other, to what is seen.
    places : numpy.ndarray of int
        Row of `evaluate`'s result for every entry of ``(n_columns, grid.size)``; what nobody sees has row 0.
    """

    galaxy: Galaxy
    grid: RigidityGrid
    sources: tuple[Column, ...]
    folded: tuple[Primary, ...]
    free: tuple[Primary, ...]
    apart: tuple[Primary, ...]
    fragments: Fragments | None
    total: Stencil
    places: np.ndarray

    @cached_property
    def sampled(self) -> np.ndarray:
        """Mask ``(n_sources, grid.size)`` of the source spectra that are needed."""
        mask = np.zeros(len(self.sources) * self.grid.size, dtype=bool)
        mask[self._entries((*self.folded, *self.free, *self.apart))] = True
        if self.fragments is not None:
            mask[self.fragments.sampled] = True
        return mask.reshape(len(self.sources), -1)

    def evaluate(
        self, flat: Array, propagation: Mapping[str, Array], transfers: Sequence[Array], xp: Any = np
    ) -> Array:
        """All that is seen.

        Parameters
        ----------
        flat : array
            Injected spectra, ``(n_sources * grid.size, n)``.
        propagation : mapping
            Propagation parameters that are given, by local name, numbers or ``(n,)``.
        transfers : sequence
            Transfer on the grid ``(n, grid.size)`` of each of `apart`.
        xp : module
            Array namespace.

        Returns
        -------
        array
            ``(n_seen, n)`` in the order of `places`.
        """
        rigidity = xp.asarray(self.grid.rigidity)[:, None]
        parts = [xp.take(flat, xp.asarray(self._entries(self.folded)), axis=0)] if self.folded else []
        relativistic = self.galaxy.diffusion(rigidity, xp.ones_like(rigidity), propagation) if self.free else None
        if self.free:
            parts.extend(self._transferred(flat, relativistic, propagation, xp))
        for primary, transfer in zip(self.apart, transfers, strict=True):
            injected = xp.take(flat, xp.asarray(self._entries((primary,))), axis=0)
            here = xp.permute_dims(xp.take(transfer, xp.asarray(primary.points), axis=1), (1, 0))
            parts.append(primary.fraction * injected * here)
        if self.fragments is not None:
            parts.append(self.fragments.densities(flat, propagation, xp, relativistic))
        return self.total @ xp.concat(parts, axis=0)

    def _entries(self, primaries: Sequence[Primary]) -> np.ndarray:
        """Entries of the flattened ``(n_sources, grid.size)``, one primary after the other."""
        return np.concatenate([np.zeros(0, dtype=int), *(p.source * self.grid.size + p.points for p in primaries)])

    @cached_property
    def _free_nuclei(self) -> tuple[tuple[slice, np.ndarray, np.ndarray, int], ...]:
        """Of each free primary: stretch of the grid, beta and 2 h Gamma [kpc/s] there, position of its profile."""
        found = []
        for primary in self.free:
            stretch = slice(int(primary.points[0]), int(primary.points[-1]) + 1)
            rigidity = self.grid.rigidity[stretch]
            momentum = primary.nuclide.charge * rigidity
            beta = momentum / np.sqrt(momentum**2 + primary.nuclide.mass**2)
            rate = self.galaxy.grammage_rate(primary.nuclide, rigidity)
            profile = self._profiles.index(self.sources[primary.source].profile)
            found.append((stretch, beta[:, None], rate[:, None], profile))
        return tuple(found)

    @cached_property
    def _profiles(self) -> tuple[RadialProfile, ...]:
        return tuple(dict.fromkeys(c.profile for c in self.sources if c.profile is not None))

    def _transferred(self, flat: Array, relativistic: Array, propagation: Mapping[str, Array], xp: Any) -> list[Array]:
        """Density at the Sun [1/(m^3 GV)] of the free primaries.

        ``relativistic`` is D on the grid for beta = 1 [kpc^2/s].
        """
        eta = propagation.get("eta", self.galaxy.eta)
        gas = propagation.get("hydrogen_column", self.galaxy.hydrogen_column) / self.galaxy.hydrogen_column
        destruction = gas * propagation.get("destruction", 1.0)
        height = propagation.get("half_height", self.galaxy.half_height)
        slabs = self.galaxy.slabs(self._profiles, height, SLAB_ERROR)
        escape = [escape_coefficient(xp.asarray(float(k)), height) * relativistic for k in slabs.wavenumbers]
        found = []
        # one nuclide after the other: its stretch of the grid stays in the cache
        for primary, (stretch, beta, rate, profile) in zip(self.free, self._free_nuclei, strict=True):
            slow, destroyed = xp.asarray(beta) ** eta, xp.asarray(rate) * destruction
            terms = [
                float(w) * (primary.fraction / KILOPARSEC**3) / (speed[stretch, ...] * slow + destroyed)
                for w, speed in zip(slabs.weights[profile], escape, strict=True)
            ]
            start = primary.source * self.grid.size
            injected = flat[start + stretch.start : start + stretch.stop, ...]
            found.append(injected * sum(terms[1:], terms[0]))
        return found


def build_arrivals(
    galaxy: Galaxy,
    grid: RigidityGrid,
    columns: Sequence[Column],
    sources: Sequence[Column],
    seen: np.ndarray,
    defaults: Mapping[str, float],
    typical: np.ndarray,
    made: Collection[Nuclide],
) -> Arrivals:
    """Sort what data see.

    Parameters
    ----------
    galaxy, grid, sources
        As for `Arrivals`.
    columns : sequence of Column
        What detectors see.
    seen : numpy.ndarray of bool
        ``(n_columns, grid.size)``.
    defaults : mapping
        Propagation parameters that are fixed, by local name.
    typical : numpy.ndarray
        Injected spectra at a typical point, ``(n_sources, grid.size)``.
    made : collection of Nuclide
        What the network makes from what is injected.
    """
    network = galaxy.network
    assert network is not None
    points = [_without_gaps(np.flatnonzero(mask)) for mask in seen]
    group = {n: c for c, column in enumerate(columns) for n in column.members}
    own = {(column.place, column.isotopes, column.profile): c for c, column in enumerate(columns)}
    folded: list[Primary] = []
    free: list[Primary] = []
    apart: list[Primary] = []
    ends: list[list[np.ndarray]] = [[], [], []]
    for k, source in enumerate(sources):
        if source.folded or source.place != "disc":
            kinds = [((folded, ends[0]) if source.folded else (apart, ends[2]), source.isotopes[0][0], 1.0)]
            targets = [own.get((source.place, source.isotopes, source.profile), -1)]
        else:
            kinds, targets = [], []
            for nuclide, fraction in source.isotopes:
                decays = np.isfinite(network.half_life[network.positions[nuclide.name]])
                kinds.append(((apart, ends[2]) if decays else (free, ends[1]), nuclide, fraction))
                targets.append(group.get(nuclide, -1))
        for ((kind, end), nuclide, fraction), target in zip(kinds, targets, strict=True):
            if target >= 0 and len(points[target]):
                kind.append(Primary(k, nuclide, fraction, points[target]))
                end.append(target * grid.size + points[target])
    fragile = [n for n, c in group.items() if len(points[c]) and n in made]
    disc = [SourceColumn(s.isotopes, s.profile, k) for k, s in enumerate(sources) if s.place == "disc" and s.profile]
    is_free = any(not s.folded for s in sources if s.place == "disc")
    fragments = None
    if fragile:
        stretches = {n: points[group[n]] for n in fragile}
        fragments = build_fragments(
            galaxy, grid, disc, len(sources), stretches, made, is_free, defaults, typical.ravel()
        )
    # where all these end up: entries of the flattened (n_columns, grid.size)
    last = []
    if fragments is not None:
        last = [group[n] * grid.size + some for n, some in zip(fragments.targets, fragments.seen, strict=True)]
    together = np.concatenate([end for some in (*ends, last) for end in some])
    rows, row = np.unique(together, return_inverse=True)
    places = np.zeros(seen.size, dtype=int)
    places[rows] = np.arange(len(rows))
    return Arrivals(
        galaxy,
        grid,
        tuple(sources),
        tuple(folded),
        tuple(free),
        tuple(apart),
        fragments,
        sum_of_rows(row, len(rows)),
        places,
    )


def _without_gaps(points: np.ndarray) -> np.ndarray:
    return np.arange(points[0], points[-1] + 1) if len(points) else points
