"""Merge the seeds of one model into one run folder; needs neither the model nor the data."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import tomli_w

from ..errors import RunError
from ..infer.files import write_json
from ..infer.posterior_protocol import Posterior
from ..infer.runs import Run, RunFolder, read_run
from ..infer.runs.archive import write_tree
from ..infer.runs.checks import config_differences
from ..infer.runs.merging import check_mergeable, merge_trees, merged_record, merged_summary, with_summary
from ..infer.samplers.settings import SamplerSettings
from .compare_groups import identity, read_finished


def merge(
    paths: Sequence[str | Path], name: str, *, output: str | Path = "chains", overwrite: bool = False
) -> tuple[Run, list[str]]:
    """Merge runs of one problem with different seeds; formulas and reasons in `stellarcr.infer.runs.merging`.

    Parameters
    ----------
    paths : sequence of str or Path
        Folders of finished runs.
    name : str
        Name of the merged run.
    output : str or Path
        Folder of runs in which it is written.
    overwrite : bool
        Replace a run of that name.

    Returns
    -------
    tuple
        The merged run, and warnings.

    Raises
    ------
    RunError
        If a run is not finished, the problems or samplers differ (with the key that does), a seed comes twice, or the
        folder cannot be written.

    Examples
    --------
    >>> merge(["chains/reference_seed1", "chains/reference_seed2"], "reference_merged")  # doctest: +SKIP
    """
    target = Path(output) / name
    runs = [read_finished(path) for path in paths]
    for run in runs:
        if run.path.resolve() == target.resolve():
            raise RunError(f"{run.name} cannot be merged into itself", remedy="choose another --name")
    for run in runs[1:]:
        _check_same_problem(runs[0], run)
    check_mergeable(runs)
    tree, kept = merge_trees(runs)
    summary = merged_summary(runs, kept, tree)
    with _create(target, runs, overwrite) as folder:
        write_tree(folder.path / "posterior.nc", with_summary(tree, name, summary))
        write_json(folder.path / "summary.json", summary)
        folder.manifest["converged"] = summary["converged"]
        folder.note(f"merged from {', '.join(str(run.path) for run in runs)}")
        folder.end_session("finished", summary["verdict"])
    return read_run(target), _warnings(runs)


def _check_same_problem(first: Run, other: Run) -> None:
    if first.manifest["fingerprint"] == other.manifest["fingerprint"]:
        return
    found = config_differences(first.path / "config.toml", _text(other, "config.toml"))
    hashes = [run.manifest.get("data_hashes") or {} for run in (first, other)]
    tables = sorted(hashes[0].keys() | hashes[1].keys())
    found += [f"the data {table} differ" for table in tables if hashes[0].get(table) != hashes[1].get(table)]
    if first.names != other.names:
        found.append(f"free parameters {', '.join(first.names)} and {', '.join(other.names)}")
    raise RunError(
        f"{first.name} and {other.name} are different problems: {'; '.join(found[:8]) or 'their fingerprints differ'}",
        where=f"{first.path} and {other.path}",
        remedy="merge seeds of one model only; 'stellarcr compare' compares models",
    )


def _warnings(runs: Sequence[Run]) -> list[str]:
    one = identity(runs[0])
    found = []
    for run in runs[1:]:
        two = identity(run)
        keys = [key for key in dict.fromkeys([*one, *two]) if one.get(key) != two.get(key)]
        if keys:
            changed = ", ".join(f"{key} {one.get(key)!r} and {two.get(key)!r}" for key in keys)
            found.append(f"{runs[0].name} and {run.name} were sampled differently: {changed}")
    return found


@dataclass(frozen=True)
class _Known:
    """What a run folder records of a problem."""

    names: tuple[str, ...]
    labels: tuple[str, ...]
    units: tuple[str, ...]
    fingerprint: str


@dataclass(frozen=True)
class _Stored:
    """Settings as a manifest holds them: of whatever sampler, also one that is not installed here."""

    values: Mapping[str, Any]

    @property
    def seed(self) -> int:
        return int(self.values["seed"])

    def as_dict(self) -> dict[str, Any]:
        return dict(self.values)


def _create(target: Path, runs: Sequence[Run], overwrite: bool) -> RunFolder:
    first = runs[0]
    kept: dict[str, Any] = {
        key: first.manifest[key] for key in ("data_hashes", "description", "populations") if key in first.manifest
    }
    return RunFolder.create(
        target,
        cast(Posterior, _Known(first.names, first.labels, first.units, first.manifest["fingerprint"])),
        first.manifest["sampler"],
        cast(SamplerSettings, _Stored({**first.manifest["settings"], "seed": first.manifest["seed"]})),
        config_text=_renamed(_text(first, "config.toml"), target.name),
        extras={**kept, "merged": [merged_record(run) for run in runs]},
        citations=_text(first, "citations.bib"),
        overwrite=overwrite,
        quiet=True,
    )


def _text(run: Run, name: str) -> str:
    """Content of a file of a run; empty where it has none."""
    path = run.path / name
    return path.read_text(encoding="utf-8") if path.exists() else ""


def _renamed(text: str, name: str) -> str:
    """Give a configuration the name of the merged run."""
    content = tomllib.loads(text)
    return tomli_w.dumps({**content, "name": name}) if "name" in content else text
