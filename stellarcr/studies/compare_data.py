"""Whether runs were fitted to the same data: only then may their evidences be compared.

Data are the tables, the points of them that were used, and what the likelihood makes of them (ranges, error models).
Nuisance parameters and their priors belong to the model, and may differ.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from pydantic import ValidationError

from ..errors import RunError
from ..infer.runs import Run
from ..likelihood.schema import LikelihoodFile

ABSENT = "(absent)"
LARGEST_LIST = 8
"""Differences that a message names."""

_NOT_DATA = ("nuisances", "description", "reference_fit", "source", "file", "folder")


def stored_configuration(run: Run) -> dict[str, Any] | None:
    """Content of a run's ``config.toml``; None where it is missing or damaged."""
    try:
        return _parsed((run.path / "config.toml").read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        return None


@lru_cache(maxsize=256)
def _parsed(text: str) -> dict[str, Any]:
    """Parse once what is asked for at every parameter."""
    return tomllib.loads(text)


def check_same_data(runs: Sequence[Run]) -> None:
    """Refuse runs that were fitted to different data.

    Raises
    ------
    RunError
        Names tables, points and keys of the likelihoods that differ, with both values.
    """
    first, *others = runs
    for other in others:
        differences = data_differences(first, other)
        if differences:
            more = len(differences) - LARGEST_LIST
            listed = "; ".join(differences[:LARGEST_LIST]) + (f"; and {more} more" if more > 0 else "")
            raise RunError(
                f"{first.name!r} and {other.name!r} were fitted to different data: {listed}",
                where=f"{first.path} and {other.path}",
                remedy="evidences compare models of the same data: fit both to the same tables, ranges and error "
                "models, or leave one out",
            )


def data_differences(first: Run, other: Run) -> list[str]:
    """List what differs in the data of two runs, as ``key is a in FIRST, b in OTHER``."""
    one, two = _signature(first), _signature(other)
    if stored_configuration(first) is None or stored_configuration(other) is None:
        one, two = ({k: v for k, v in s.items() if not k.startswith("likelihoods.")} for s in (one, two))
    return [
        f"{key} is {_shown(one.get(key, ABSENT))} in {first.name}, {_shown(two.get(key, ABSENT))} in {other.name}"
        for key in dict.fromkeys([*one, *two])
        if one.get(key, ABSENT) != two.get(key, ABSENT)
    ]


def check_parts(joint: Run, parts: Sequence[Run]) -> None:
    """Refuse runs whose data are not, all together and each once, those of a joint run.

    Raises
    ------
    RunError
        Names data sets, tables and keys of the likelihoods that differ.
    """
    expected = _signature(joint)
    found: dict[str, tuple[str, Any]] = {}
    differences = []
    for part in parts:
        for key, value in _signature(part).items():
            if key.endswith(".species"):
                continue  # a part may hold some of an experiment's species
            if key in found and key.startswith("number of points"):
                name = key.removeprefix("number of points of ")
                differences.append(f"{name} is in {found[key][0]} and in {part.name}")
            elif expected.get(key, ABSENT) != value:
                differences.append(
                    f"{key} is {_shown(expected.get(key, ABSENT))} in {joint.name}, {_shown(value)} in {part.name}"
                )
            found[key] = (part.name, value)
    differences += [
        f"{key.removeprefix('number of points of ')} is in {joint.name} and in none of the others"
        for key in expected
        if key.startswith("number of points") and key not in found
    ]
    if differences:
        more = len(differences) - LARGEST_LIST
        listed = "; ".join(differences[:LARGEST_LIST]) + (f"; and {more} more" if more > 0 else "")
        raise RunError(
            f"the data of {joint.name!r} are not those of the other runs together: {listed}",
            where=str(joint.path),
            remedy="give one run of all data, and runs that hold each of its data sets once",
        )


def _signature(run: Run) -> dict[str, Any]:
    """What a run was fitted to, by key: tables' hashes, points of each data set, sections of the likelihoods."""
    tables = {f"table {name}": value for name, value in (run.manifest.get("data_hashes") or {}).items()}
    fits = run.summary["map"]["chi2"]
    points = {f"number of points of {name}": fit["points"] for name, fit in fits.items()}
    sections = (stored_configuration(run) or {}).get("likelihoods", {})
    keys = {k: v for name, section in sections.items() for k, v in _flat(_resolved(section), f"likelihoods.{name}")}
    return tables | points | keys


def _resolved(section: Mapping[str, Any]) -> Mapping[str, Any]:
    """A likelihood's section with the defaults that an older version may not have written out."""
    try:
        content = LikelihoodFile.model_validate({k: v for k, v in section.items() if k != "file"}).model_dump()
    except ValidationError:  # of a version with other keys: compared as it is
        return section
    return content | {"species": sorted(content["species"])}


def _flat(table: Any, prefix: str) -> list[tuple[str, Any]]:
    if not isinstance(table, Mapping):
        return [(prefix, list(table) if isinstance(table, tuple) else table)]
    return [
        pair for key, value in table.items() if key not in _NOT_DATA for pair in _flat(value, f"{prefix}.{key}")
    ]  # fmt: skip


def _shown(value: Any) -> str:
    """Values in messages; of a hash, the part that tells two apart."""
    if isinstance(value, str) and len(value) == 64:
        return value[:12]
    return value if value is ABSENT else repr(value)
