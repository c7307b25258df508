"""Which runs are seeds of one model: the same problem, sampled in the same way."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import ConfigError, RunError
from ..infer.runs import Run, read_run
from ..infer.samplers import get_sampler
from ..infer.samplers.settings import SamplerSettings

_NUMBERED = re.compile(r"^(?P<stem>.*[^-_. ])[-_. ]+(?:seed)?[-_. ]?\d+$|^(?P<word>.*[^-_. ])seed\d+$")


@dataclass(frozen=True)
class Group:
    """Runs of one model with different seeds.

    Attributes
    ----------
    name : str
        Name of the model.
    runs : tuple of Run
        One per seed.
    """

    name: str
    runs: tuple[Run, ...]


def read_finished(path: str | Path) -> Run:
    """Read a run whose results are those of its last session.

    Raises
    ------
    RunError
        If it is not a run, damaged, or not finished.
    """
    run = read_run(path)
    missing = [key for key in ("fingerprint", "sampler", "settings", "seed") if key not in run.manifest]
    if missing or "chi2" not in run.summary.get("map", {}):
        raise RunError(
            f"its records lack {', '.join(missing) or 'chi2 at the maximum'}",
            where=str(run.path),
            remedy=f"it was written by stellarcr {run.manifest.get('version', 'of an unknown version')}: run it again",
        )
    status = run.manifest.get("status", "unknown")
    if status != "finished":
        raise RunError(
            f"run {run.name!r} is not finished (status: {status})",
            where=str(run.path),
            remedy="finish it with --resume, or leave it out",
        )
    return run


def identity(run: Run) -> dict[str, Any]:
    """Sampler and settings that decide the result, the seed left out."""
    try:
        limits = get_sampler(run.manifest["sampler"]).settings_type.LIMITS
    except ConfigError:  # a sampler of another version
        limits = SamplerSettings.LIMITS
    settings = {k: v for k, v in run.manifest["settings"].items() if k not in limits and k != "seed"}
    return {"sampler": run.manifest["sampler"], **settings}


def group_runs(
    paths: Sequence[str | Path], named: Mapping[str, Sequence[str | Path]] | None = None
) -> tuple[list[Group], list[str]]:
    """Read runs and put the seeds of each model together.

    Parameters
    ----------
    paths : sequence of str or Path
        Run folders. Those with one fingerprint and the same sampler settings are one model, named by what their
        folders' names have in common.
    named : mapping, optional
        Run folders by the name of the model that they belong to.

    Returns
    -------
    tuple
        Groups in the order given, and warnings.

    Raises
    ------
    RunError
        If a folder holds no finished run, or a named group holds different models.
    """
    groups: list[Group] = []
    warnings: list[str] = []
    taken: set[Path] = set()
    for name, members in (named or {}).items():
        runs = [read_finished(path) for path in members]
        if not runs:
            raise RunError(f"group {name!r} has no runs", remedy="name its run folders")
        _check_one_model(name, runs, warnings)
        taken |= {run.path.resolve() for run in runs}
        groups.append(Group(name, _different_seeds(runs, warnings)))
    found: dict[str, list[Run]] = {}
    for path in paths:
        run = read_finished(path)
        if run.path.resolve() not in taken:
            key = json.dumps([run.manifest["fingerprint"], identity(run)], sort_keys=True, default=str)
            found.setdefault(key, []).append(run)
    for same_model in found.values():
        different = _different_seeds(same_model, warnings)
        groups.append(Group(common_name([run.path.resolve().name for run in different]), different))
    return _distinct_names(groups), warnings


def _check_one_model(name: str, runs: Sequence[Run], warnings: list[str]) -> None:
    first = runs[0]
    for run in runs[1:]:
        if run.manifest["fingerprint"] != first.manifest["fingerprint"]:
            raise RunError(
                f"group {name!r} holds different models: the fingerprints of {first.name!r} and {run.name!r} differ",
                where=f"{first.path} and {run.path}",
                remedy="put only repeated seeds of one model into a group",
            )
        changed = _changed(identity(first), identity(run))
        if changed:
            warnings.append(f"group {name!r}: {first.name} and {run.name} were sampled differently: {changed}")


def _changed(one: Mapping[str, Any], two: Mapping[str, Any]) -> str:
    keys = [k for k in dict.fromkeys([*one, *two]) if one.get(k) != two.get(k)]
    return ", ".join(f"{k} {one.get(k)!r} and {two.get(k)!r}" for k in keys)


def _different_seeds(runs: Sequence[Run], warnings: list[str]) -> tuple[Run, ...]:
    """Keep one run per seed: the same seed twice is one piece of evidence, not two."""
    kept: list[Run] = []
    known: dict[tuple[int, str], Run] = {}
    # of a merged run and its parts the parts are kept, which tell the scatter
    for run in sorted(runs, key=lambda run: "merged" in run.manifest):
        sampled = json.dumps(identity(run), sort_keys=True, default=str)
        seeds = [(seed, sampled) for seed in seeds_of(run)]
        twice = next((seed for seed in seeds if seed in known), None)
        if twice is None:
            kept.append(run)
            known.update(dict.fromkeys(seeds, run))
        else:
            warnings.append(
                f"{run.path} is left out: it has the seed {twice[0]} of {known[twice].path}, "
                "and is no independent estimate"
            )
    return tuple(kept)


def seeds_of(run: Run) -> tuple[int, ...]:
    """The seed of a run, or those of the runs that it was merged from."""
    return tuple(int(part["seed"]) for part in run.manifest.get("merged", [run.manifest]))


def common_name(names: Sequence[str]) -> str:
    """Name a model by what the names of its runs have in common.

    Examples
    --------
    >>> common_name(["reference_seed1", "reference_seed2"])
    'reference'
    >>> common_name(["reference"])
    'reference'
    """
    matches = [_NUMBERED.match(name) for name in names]
    stems = {m["stem"] or m["word"] for m in matches if m}
    only_seed = len(names) == 1 and "seed" not in names[0]
    if all(matches) and len(stems) == 1 and not only_seed:
        return str(stems.pop())
    shortest, longest = min(names), max(names)
    same = next((i for i, (a, b) in enumerate(zip(shortest, longest, strict=False)) if a != b), len(shortest))
    return shortest[:same].rstrip("-_. ") or "+".join(names)


def _distinct_names(groups: Sequence[Group]) -> list[Group]:
    """Tell models of one name apart: by their sampler if that does it, else by a number."""
    names = [group.name for group in groups]
    result: list[Group] = []
    for group in groups:
        name = group.name
        if names.count(name) > 1:
            name = f"{name} ({group.runs[0].manifest['sampler']})"
        candidate, number = name, 2
        while candidate in [other.name for other in result]:
            candidate, number = f"{name} {number}", number + 1
        result.append(Group(candidate, group.runs))
    return result
