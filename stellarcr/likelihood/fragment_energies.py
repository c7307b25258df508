"""At how many energies the nuclear network is solved in a fit: the fewest that interpolate well enough."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence

import numpy as np

from ..errors import ModelError
from ..galaxy import Galaxy
from ..observe.grid import RigidityGrid
from ..species import Nuclide
from .secondaries import Fragments, SourceColumn, energy_per_nucleon

_log = logging.getLogger("stellarcr")

PER_DECADE = (3, 4, 5, 6, 8, 11, 16, 24)
"""Energies per decade that are tried."""

SPARSE_ABOVE = 3e3
"""Kinetic energy per nucleon [GeV] above which half as many are taken."""

AIMED_ERROR = 7e-4
"""Error that the interpolation in energy should make at most, relative to the density of the fragment's element."""

LARGEST_ERROR = 5e-3
"""Error that is refused; in between the log says what is reached. Sharp breaks of source spectra lie at equal rigidity,
so at different energies for parent and fragment."""

NEGLIGIBLE = 1e-3
"""Densities smaller than this part of an element's largest R^2.7 J are judged against it."""


def element_densities(fragments: Fragments, made: np.ndarray, typical: np.ndarray) -> np.ndarray:
    """Density of each target's element where it is seen: fragments of all isotopes, and what is injected as such.

    Never less than `NEGLIGIBLE`.

    Parameters
    ----------
    fragments : Fragments
        Says who is seen where.
    made : numpy.ndarray
        Densities of the fragments, as `Fragments.densities` gives them.
    typical : numpy.ndarray
        Spectra of all columns, ``(n_columns * grid.size,)``.
    """
    grid, galaxy = fragments.grid, fragments.galaxy
    totals = {n.symbol: np.full(grid.size, 1e-300) for n in fragments.targets}
    spectra = typical.reshape(fragments.n_columns, -1)
    for column in fragments.columns:
        for nuclide, fraction in column.isotopes:
            if nuclide.symbol in totals:
                transfer = galaxy.disc_transfer(column.profile, nuclide, grid.rigidity, fragments.defaults)
                totals[nuclide.symbol] += fraction * spectra[column.position] * transfer
    for nuclide, points, values in _split(fragments, made):
        totals[nuclide.symbol][points] += np.abs(values)
    # far beyond a cutoff a relative error means nothing: what counts there is a part of the largest R^2.7 J
    floor = {e: NEGLIGIBLE * np.max(t * grid.rigidity**2.7) / grid.rigidity**2.7 for e, t in totals.items()}
    return _joined(fragments, {e: np.maximum(t, floor[e]) for e, t in totals.items()})


def by_element(fragments: Fragments, values: np.ndarray) -> np.ndarray:
    """Sums over the isotopes of each target's element where the target is seen: errors of isotopes may add.

    Parameters
    ----------
    fragments : Fragments
        Says who is seen where.
    values : numpy.ndarray
        For all targets, one after the other, as `Fragments.densities` gives them.
    """
    sums = {n.symbol: np.zeros(fragments.grid.size) for n in fragments.targets}
    for nuclide, points, some in _split(fragments, values):
        sums[nuclide.symbol][points] += some
    return _joined(fragments, sums)


def _split(fragments: Fragments, values: np.ndarray) -> list[tuple[Nuclide, np.ndarray, np.ndarray]]:
    ends = np.cumsum([len(points) for points in fragments.seen])
    return list(zip(fragments.targets, fragments.seen, np.split(values, ends[:-1]), strict=True))


def _joined(fragments: Fragments, sums: Mapping[str, np.ndarray]) -> np.ndarray:
    return np.concatenate([sums[n.symbol][p] for n, p in zip(fragments.targets, fragments.seen, strict=True)])


def energies(lowest: float, highest: float, per_decade: int) -> np.ndarray:
    """Kinetic energies per nucleon [GeV]: so many per decade below `SPARSE_ABOVE`, half as many above."""
    decades = np.log10(max(min(SPARSE_ABOVE, highest) / lowest, 1.0))
    above = np.log10(max(highest / max(SPARSE_ABOVE, lowest), 1.0))
    parts = []
    if decades:
        parts.append(np.geomspace(lowest, min(SPARSE_ABOVE, highest), int(np.ceil(decades * per_decade)) + 1))
    if above:
        parts.append(np.geomspace(max(SPARSE_ABOVE, lowest), highest, int(np.ceil(above * per_decade / 2)) + 1))
    return np.unique(np.concatenate(parts))


def build_fragments(
    galaxy: Galaxy,
    grid: RigidityGrid,
    columns: Sequence[SourceColumn],
    n_columns: int,
    seen: Mapping[Nuclide, np.ndarray],
    made: Collection[Nuclide],
    free: bool,
    defaults: Mapping[str, float],
    typical: np.ndarray,
) -> Fragments:
    """Choose the energies at which the network is solved, the fewest that interpolate well enough.

    Parameters
    ----------
    galaxy, grid, columns, n_columns, made, free, defaults, typical
        As for `Fragments`.
    seen : mapping
        Nuclide to positions in the grid at which its fragments are wanted.

    Raises
    ------
    ModelError
        If no number of energies stays below `LARGEST_ERROR`, or nothing turns into a nuclide.
    """
    ranges = np.concatenate([energy_per_nucleon(n, grid.rigidity[points[[0, -1]]]) for n, points in seen.items()])
    flat = typical[:, None]

    def attempt(per_decade: int) -> Fragments:
        nodes = energies(float(ranges.min()), float(ranges.max()), per_decade)
        return Fragments(
            galaxy,
            grid,
            tuple(columns),
            n_columns,
            tuple(seen),
            tuple(seen.values()),
            tuple(made),
            free,
            dict(defaults),
            nodes,
            typical,
        )

    propagation = {k: np.asarray([v]) for k, v in defaults.items()} if free else defaults
    finest_table = attempt(2 * PER_DECADE[-1])
    finest = finest_table.densities(flat, propagation)[:, 0]
    scale = element_densities(finest_table, finest, typical)
    best: tuple[float, Fragments] | None = None
    for per_decade in PER_DECADE:
        chosen = attempt(per_decade)
        wrong = np.abs(chosen.densities(flat, propagation)[:, 0] - finest)
        error = float(np.max(by_element(finest_table, wrong) / scale))
        if best is None or error < best[0]:
            best = error, chosen
        if error <= AIMED_ERROR:
            break
    assert best is not None
    if not best[0] <= LARGEST_ERROR:
        raise ModelError(
            f"fragments cannot be interpolated in energy: an error of {best[0]:.1e} remains",
            remedy="leave the smallest rigidities out, or take a smoother break of D (galaxy.smoothness)",
        )
    if best[0] > AIMED_ERROR:
        _log.info(
            "fragments are interpolated in energy to %.1e of an element's flux, not to %.0e: a sharp break of a source "
            "spectrum lies in the fitted range",
            best[0],
            AIMED_ERROR,
        )
    return best[1]
