"""One configuration with several values of a key: a fit for each."""

from __future__ import annotations

import copy
import re
import tomllib
from collections.abc import Mapping
from typing import Any

from ..errors import ConfigError, nearest


def variants(content: Mapping[str, Any], assignment: str, where: str = "") -> list[dict[str, Any]]:
    """Give a configuration each of several values of one key; names of runs end with the value.

    Parameters
    ----------
    content : mapping
        Keys of a run configuration, with ``name``.
    assignment : str
        Dotted key and values, such as ``likelihoods.lhaaso.hadronic_model=EPOS-LHC,QGSJET-II-04``. A value is read as
        TOML, or else taken as text.
    where : str
        The configuration, for messages.

    Returns
    -------
    list of dict
        One configuration for each value.

    Raises
    ------
    ConfigError
        If the assignment has no key or fewer than two different values, or the section of its key is not there.
    """
    key, equals, listed = assignment.partition("=")
    values = [value.strip() for value in listed.split(",")]
    if not equals or not key.strip() or len(values) < 2 or len(set(values)) < len(values) or "" in values:
        raise ConfigError(
            f"--each {assignment!r} is no key with two or more different values",
            where=where,
            remedy="write --each KEY=VALUE,VALUE, as in --each likelihoods.lhaaso.hadronic_model=EPOS-LHC,QGSJET-II-04",
        )
    path = [part.strip() for part in key.split(".")]
    return [_with(content, path, value, where) for value in values]


def _with(content: Mapping[str, Any], path: list[str], value: str, where: str) -> dict[str, Any]:
    changed = copy.deepcopy(dict(content))
    section: Any = changed
    for depth, part in enumerate(path[:-1]):
        if not isinstance(section.get(part), dict):
            known = [name for name, inside in section.items() if isinstance(inside, dict)]
            raise ConfigError(
                f"--each {'.'.join(path)}: the configuration has no section {'.'.join(path[: depth + 1])!r}",
                where=where,
                remedy=nearest(part, known),
            )
        section = section[part]
    section[path[-1]] = _read(value)
    changed["name"] = f"{content['name']}.{re.sub(r'[^A-Za-z0-9._-]', '_', value)}"
    return changed


def _read(value: str) -> Any:
    try:
        return tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        return value
