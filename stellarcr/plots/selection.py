"""Which parameters a figure shows: by name, by pattern, or by group."""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence
from typing import Any

from ..errors import ParameterError, RunError, nearest

GROUPS = ("populations", "nearby", "propagation", "nuisances")
"""Groups of parameters that a run folder knows."""

GROUP_ALIASES = {"type_ia": "nearby"}
"""Other names of groups."""


def select_names(names: Sequence[str], parameters: str | Sequence[str] | None) -> tuple[str, ...]:
    """Choose parameters by name, by pattern, or by group.

    Parameters
    ----------
    names : sequence of str
        All names, in order.
    parameters : str, sequence of str, or None
        Names (``snr.gamma2``), shell patterns (``*.R_max``) or groups, which are what stands before the dot (``snr``).
        None chooses all.

    Returns
    -------
    tuple of str
        The chosen names in the order of the request, each once.

    Raises
    ------
    ParameterError
        If an entry fits no name.
    """
    if parameters is None:
        return tuple(names)
    chosen: list[str] = []
    for wanted in [parameters] if isinstance(parameters, str) else parameters:
        found = [name for name in names if name == wanted]
        found = found or [name for name in names if fnmatch.fnmatchcase(name, wanted)]
        found = found or [name for name in names if name.split(".")[0] == wanted]
        if not found:
            groups = {name.split(".")[0] for name in names if "." in name}
            raise ParameterError(f"no parameter fits {wanted!r}", remedy=nearest(wanted, {*names, *groups}))
        chosen += [name for name in found if name not in chosen]
    return tuple(chosen)


def names_of_groups(runs: Sequence[Any], groups: Sequence[str]) -> tuple[str, ...]:
    """Names of the parameters that belong to groups, over all runs.

    A run of a version that did not keep groups takes those of its parameters that another run has too.

    Parameters
    ----------
    runs : sequence of run
        Runs with ``name``, ``names`` and ``groups``.
    groups : sequence of str
        Of ``populations``, ``nearby`` (or ``type_ia``), ``propagation``, ``nuisances``.

    Returns
    -------
    tuple of str
        Names, run by run in their order, each once.

    Raises
    ------
    ParameterError
        If a group is unknown, or no parameter is in it.
    RunError
        If no run knows the groups of its parameters.
    """
    wanted = [GROUP_ALIASES.get(group, group) for group in groups]
    for group, given in zip(wanted, groups, strict=True):
        if group not in GROUPS:
            raise ParameterError(f"unknown group {given!r}", remedy=nearest(given, (*GROUPS, *GROUP_ALIASES)))
    known = {name: group for run in runs for name, group in getattr(run, "groups", {}).items()}
    if not known:
        names = ", ".join(repr(run.name) for run in runs)
        raise RunError(
            f"{names}: no run says to which group its parameters belong; the version that made it did not keep groups",
            remedy="choose by name instead, as in --parameters snr,o_wind, or run it again",
        )
    all_names = dict.fromkeys(name for run in runs for name in run.names)
    chosen = tuple(name for name in all_names if known.get(name) in wanted)
    if not chosen:
        raise ParameterError(
            f"no parameter belongs to the group {' or '.join(repr(group) for group in groups)}",
            where=", ".join(run.name for run in runs),
            remedy=f"groups of these runs: {', '.join(g for g in GROUPS if g in set(known.values()))}",
        )
    return chosen


def chosen_names(
    runs: Sequence[Any], parameters: str | Sequence[str] | None, groups: str | Sequence[str] | None
) -> tuple[str, ...]:
    """Names that a figure of several runs shows; parameters and groups that are both given add up.

    Parameters
    ----------
    runs : sequence of run
        Runs with ``name``, ``names`` and, for groups, ``groups``.
    parameters : str or sequence of str, optional
        Names, patterns, or what stands before the dot (`select_names`).
    groups : str or sequence of str, optional
        Groups (`names_of_groups`).

    Raises
    ------
    ParameterError
        If there is no run, an entry fits nothing, or runs have no parameter in common.
    """
    if not runs:
        raise ParameterError("no run to draw", remedy="give at least one run")
    for run in runs:
        others = {name for other in runs if other is not run for name in other.names}
        if others and others.isdisjoint(run.names):
            raise ParameterError(
                f"run {run.name!r} has no parameter in common with the other runs",
                where=f"its parameters: {', '.join(run.names)}",
                remedy="draw it in a figure of its own",
            )
    known = tuple(dict.fromkeys(name for run in runs for name in run.names))
    if groups is None:
        return select_names(known, parameters)
    listed = [groups] if isinstance(groups, str) else list(groups)
    in_groups = names_of_groups(runs, listed)
    if parameters is None:
        return in_groups
    return tuple(dict.fromkeys((*in_groups, *select_names(known, parameters))))


def run_labels(runs: Sequence[Any], labels: Sequence[str] | None) -> list[str]:
    """Names of runs in a legend: those given, else the runs' own, with their folder where two are alike.

    Parameters
    ----------
    runs : sequence of run
        Runs with ``name`` and, to tell equal names apart, ``path``.
    labels : sequence of str, optional
        One per run.

    Raises
    ------
    ParameterError
        If there are not as many labels as runs, or two are equal.
    """
    if labels is None:
        names = [run.name for run in runs]
        labels = [
            f"{run.path.parent.name}/{run.name}" if names.count(run.name) > 1 and hasattr(run, "path") else run.name
            for run in runs
        ]
        if len(set(labels)) < len(labels):
            labels = [f"{label} ({index})" for index, label in enumerate(labels, 1)]
        return list(labels)
    if len(labels) != len(runs):
        raise ParameterError(
            f"{len(labels)} labels for {len(runs)} runs: {', '.join(labels)}", remedy="give one label per run"
        )
    if len(set(labels)) < len(labels):
        raise ParameterError(f"two runs have one label: {', '.join(labels)}", remedy="give each run its own label")
    return list(labels)
