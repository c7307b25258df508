"""Ratios of fluxes as data: how they are predicted, and what may be fitted beside what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ..backend import Array, namespace
from ..errors import ConfigError
from ..species import GROUPS, members, parts

if TYPE_CHECKING:
    from .experiment import ExperimentData

_SCALE = "an absolute flux"
"""What joins the fluxes of an experiment to each other: knowing two of them is knowing their ratio."""

MASS_GROUPS = (("H",), ("He",), ("C", "N", "O"), ("Ne", "Mg", "Si"), ("Fe",))
"""Elements of which one of each group makes a set of fluxes whose sum is nearly the all-particle flux (project choice:
what is left, between and beyond them, is about a tenth)."""


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
    the other. So are a sum and one of its members (p+He and H). A sum beside all of its members follows from them; the
    all-particle flux, beside fluxes of all groups of elements that matter in it. All-particle beside H and He alone
    tells of the heavier elements, and is allowed; so is <ln A>, which air showers give by their muons.

    Likelihoods of one experiment must assume the same hadronic model, and only one of them may average over several:
    each would choose its own.

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
    sums: list[tuple[str, str, str]] = []
    for d in data:
        for table in d.distinct_tables:
            if table.quantity == "lnA":
                continue
            if table.species in GROUPS:
                sums.append((table.experiment, table.species, f"{table.name} (likelihood {d.key!r})"))
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
    for experiment, species, what in sums:
        _check_sum(species, what, lines[experiment])
    _check_hadronic_models(data)


def _check_sum(species: str, what: str, lines: Mapping[str, Mapping[str, str]]) -> None:
    """Refuse a sum whose members are measured too, as fluxes or by ratios to fluxes."""
    without = {here: {there: t for there, t in ways.items() if t != what} for here, ways in lines.items()}
    used: list[str] = []
    for group in MASS_GROUPS if species == "all" else tuple((member,) for member in members(species)):
        ways = [way for member in group if (way := _path(without, member, _SCALE))]
        if not ways:
            return
        used += [table for table in ways[0] if table not in used]
    raise ConfigError(
        f"{what} is the sum of {', '.join(used)}"
        + (", but for rare elements" if species == "all" else "")
        + "; fitted together they count the same nuclei twice",
        remedy="leave the sum, or one of its parts, out of 'species'",
    )


def _check_hadronic_models(data: Sequence[ExperimentData]) -> None:
    assumed: dict[str, ExperimentData] = {}
    for d in data:
        if d.file.hadronic_model is None:
            continue
        other = assumed.setdefault(d.file.experiment, d)
        several = len(d.file.hadronic_models) > 1
        if other is not d and (several or d.file.hadronic_model != other.file.hadronic_model):
            first, second = (" or ".join(map(str, one.file.hadronic_models)) for one in (other, d))
            raise ConfigError(
                f"{d.file.experiment} is fitted for {first} by the likelihood {other.key!r}, and for {second} by "
                f"{d.key!r}" + (": each would choose its own model" if several else ": one of them cannot hold"),
                remedy="give both the same hadronic_model"
                + (", or join their species in one likelihood, where one choice holds for all" if several else ""),
            )


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
