"""Ratios of fluxes as data: how they are predicted, and what may be fitted beside what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ..backend import Array, namespace
from ..errors import ConfigError
from ..species import parts

if TYPE_CHECKING:
    from .experiment import ExperimentData

_SCALE = "an absolute flux"
"""What joins the fluxes of an experiment to each other: knowing two of them is knowing their ratio."""


def quotient(fluxes: Array) -> Array:
    """Divide the first half of the points by the second half.

    Parameters
    ----------
    fluxes : array
        ``(..., 2 n_points)``: bin averages of the numerators, then those of the denominators at the same points.

    Returns
    -------
    array
        ``(..., n_points)``. Where a denominator vanishes far beyond the sources' cutoffs, and the numerator with it,
        the ratio is that of the numerator to one, so that a likelihood stays finite.
    """
    xp = namespace(fluxes)
    half = fluxes.shape[-1] // 2
    below = fluxes[..., half:]
    return fluxes[..., :half] / xp.where(below > 0, below, xp.ones_like(below))


def check_independence(data: Sequence[ExperimentData]) -> None:
    """Refuse measurements of one experiment that follow from others that are fitted too.

    Fluxes and ratios of an experiment come from the same counts. A ratio beside both of its fluxes uses them twice,
    and so does the third of B/C, B/O and C/O. In general: draw a line from B to C for the ratio B/C, and a line from B
    to one common point for the flux of B; the measurements are independent as long as no lines form a loop. Two ratios
    with an element in common form none: they are correlated, through that element's errors, but neither follows from
    the other.

    Parameters
    ----------
    data : sequence of ExperimentData
        All experiments of a fit.

    Raises
    ------
    ConfigError
        Names the tables of the loop and the likelihoods that hold them.
    """
    lines: dict[str, dict[str, dict[str, str]]] = {}
    for d in data:
        for table in d.tables:
            ends = parts(table.species)
            start, end = ends if len(ends) == 2 else (ends[0], _SCALE)
            known = lines.setdefault(table.experiment, {})
            loop = _path(known, start, end)
            what = f"{table.name} (likelihood {d.key!r})"
            if loop:
                raise ConfigError(
                    f"{what} follows from {' and '.join(loop)}; one of them is too many",
                    remedy="fluxes and ratios of one experiment are made of the same counts: leave one of them out of "
                    "'species'",
                )
            known.setdefault(start, {})[end] = what
            known.setdefault(end, {})[start] = what


def _path(lines: Mapping[str, Mapping[str, str]], start: str, end: str) -> list[str]:
    """Tables on the way from one end to the other; none if there is no way."""
    ways: dict[str, list[str]] = {start: []}
    queue = [start]
    while queue:
        here = queue.pop(0)
        for there, table in lines.get(here, {}).items():
            if there not in ways:
                ways[there] = [*ways[here], table]
                queue.append(there)
    return ways.get(end, [])
