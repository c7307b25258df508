"""A run is resumed only if it is still the same problem."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from stellarcr._version import __version__
from stellarcr.errors import RunError
from stellarcr.infer.posterior_protocol import FloatArray, Posterior, describe_point
from stellarcr.infer.runs.folder import RunFolder, package_versions
from stellarcr.infer.samplers import sampler_code
from stellarcr.infer.samplers.base import read_arrays
from stellarcr.infer.samplers.map import SLOT as MAP_SLOT
from stellarcr.infer.samplers.settings import SamplerSettings

TOLERANCE = 1e-9
"""Largest relative difference between a stored and a recomputed log likelihood."""

ABSENT = "(absent)"
"""Value of a key that a configuration does not give."""


def check_same_problem(
    folder: RunFolder,
    posterior: Posterior,
    sampler: str,
    settings: SamplerSettings,
    *,
    config_text: str = "",
    extras: Mapping[str, Any] | None = None,
) -> None:
    """Refuse to resume a run whose problem, sampler or settings changed, and say what changed.

    Compared are the sampler, the ordered parameter names, the posterior's fingerprint, the settings that decide
    the result (limits such as ``max_steps`` may change), and the log likelihood of stored points. Other versions of
    packages, or of stellarcr, are noted in the log: what they compute at the stored points is what counts.

    Raises
    ------
    RunError
        If anything differs.
    """
    manifest, where = folder.manifest, str(folder.path)
    remedy = "restore what changed, start anew with --overwrite, or give this run another name"
    if _name_of(manifest["sampler"]) != _name_of(sampler):
        raise RunError(
            f"this run was sampled with {manifest['sampler']!r}, not {sampler!r}", where=where, remedy=remedy
        )
    code = changed_code(manifest.get("sampler_code") or {}, sampler_code(sampler))
    if code:
        raise RunError(f"the code of the sampler changed: {'; '.join(code)}", where=where, remedy=remedy)
    if manifest["names"] != list(posterior.names):
        raise RunError(
            f"the parameters differ: {_difference_of_names(manifest['names'], list(posterior.names))}",
            where=where,
            remedy=remedy,
        )
    if manifest["fingerprint"] != posterior.fingerprint:
        found = _what_changed(folder, config_text, extras or {})
        raise RunError(f"this is not the problem that the run began with: {found}", where=where, remedy=remedy)
    before = manifest["settings"]
    changed = [
        f"{key} was {before.get(key)!r}, is {value!r}"
        for key, value in settings.identity().items()
        if before.get(key) != value
    ]
    if changed:
        raise RunError(
            f"sampler settings that decide the result changed: {'; '.join(changed)}", where=where, remedy=remedy
        )
    _check_stored_points(folder, posterior, sampler, remedy)
    if versions := changed_versions(folder.manifest):
        folder.note(
            f"versions changed since the run began: {'; '.join(versions)}. Stored points were computed again and "
            "agree; the last digits of the samples may not be those of a run with one version"
        )


def _name_of(sampler: str) -> str:
    """Give the name of a sampler; the file of a user's own may lie elsewhere now."""
    return sampler.rpartition(":")[2]


def changed_versions(manifest: Mapping[str, Any]) -> list[str]:
    """Say which versions differ from those that a run began with, as ``numpy was 2.0.1, is 2.1.0``.

    Parameters
    ----------
    manifest : mapping
        Of the run.
    """
    before = {name: manifest.get(key) for name, key in (("stellarcr", "version"), ("Python", "python"))}
    before |= manifest.get("packages") or {}
    now = {"stellarcr": __version__, "Python": sys.version.split()[0], **package_versions()}
    return [
        f"{name} was {old}, is {now.get(name, 'not installed')}"
        for name, old in before.items()
        if old and old != now.get(name)
    ]


def _check_stored_points(folder: RunFolder, posterior: Posterior, sampler: str, remedy: str) -> None:
    maximum = folder.slots.load(MAP_SLOT)
    if maximum is not None:
        theta = read_arrays(maximum.files["map.npz"])["theta"][np.newaxis]
        _compare(folder, posterior, "log_posterior", theta, np.array([maximum.fields["log_posterior"]]), remedy)
    state = folder.slots.fields(sampler)
    if state is not None and "stored_points" in state:
        stored = state["stored_points"]
        theta, old = np.array(stored["theta"]), np.array(stored["values"])
        _compare(folder, posterior, stored["quantity"], theta, old, remedy)


def _compare(
    folder: RunFolder, posterior: Posterior, quantity: str, theta: FloatArray, old: FloatArray, remedy: str
) -> None:
    new = getattr(posterior, quantity)(theta)
    wrong = ~(np.abs(new - old) <= TOLERANCE * np.maximum(1.0, np.abs(old)))
    if wrong.any():
        k = int(np.argmax(wrong))
        versions = "".join(f"; {text}" for text in changed_versions(folder.manifest))
        raise RunError(
            f"{quantity} of a stored point was {float(old[k])!r} and is now {float(new[k])!r}: code or data changed"
            f"{versions}",
            where=f"{folder.path}, at {describe_point(posterior, theta[k])}",
            remedy=remedy,
        )


def _what_changed(folder: RunFolder, config_text: str, extras: Mapping[str, Any]) -> str:
    """Name the keys of the configuration, or the data files, that differ."""
    found = config_differences(folder.path / "config.toml", config_text)
    before, after = folder.manifest.get("data_hashes") or {}, extras.get("data_hashes") or {}
    found += [
        f"the data {name} changed"
        for name in sorted(before.keys() | after.keys())
        if before.get(name) != after.get(name)
    ]
    if found:
        return "; ".join(found[:8]) + (f"; and {len(found) - 8} more" if len(found) > 8 else "")
    versions = "; ".join(changed_versions(folder.manifest))
    return "its fingerprint differs, and neither a key of config.toml nor the hash of a data file explains it" + (
        f", but versions do perhaps: {versions}" if versions else ""
    )


_CODE = "code"
_WITHOUT_EFFECT = ("name", "description", "seed", "sampler", "output", _CODE)
"""Sections of a configuration that do not decide the posterior; of the code, the hashes do."""


def config_differences(stored: Path, config_text: str) -> list[str]:
    """Name what differs of what decides the posterior: the user's own code, and keys as ``table.key was a, is b``."""
    try:
        old, new = stored.read_text(encoding="utf-8"), config_text
        codes = [tomllib.loads(text).get(_CODE, {}) for text in (old, new)]
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        return []
    keys = {key: pair for key, pair in differing_keys(old, new).items() if key.partition(".")[0] not in _WITHOUT_EFFECT}
    return changed_code(*codes) + [f"{key} was {one!r}, is {other!r}" for key, (one, other) in keys.items()]


def changed_code(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """Say which files of the user's own code changed since a run began; a file that only moved did not.

    Parameters
    ----------
    before, after : mapping of str to str
        Path to SHA-256.
    """
    found = []
    for path in sorted(before.keys() | after.keys()):
        old, new = before.get(path), after.get(path)
        if old and new and old != new:
            found.append(f"the file {path} changed since the run began")
        elif new is None and old not in after.values():
            found.append(f"the file {path} was part of the code when the run began")
        elif old is None and new not in before.values():
            found.append(f"the file {path} was not part of the code when the run began")
    return found


def differing_keys(first: str, second: str) -> dict[str, tuple[Any, Any]]:
    """Compare two TOML texts key by key.

    Returns
    -------
    dict
        Dotted key to its two values, :data:`ABSENT` where it is not given; sorted, and empty if the texts agree.
    """
    one, two = (dict(_flatten(tomllib.loads(text))) for text in (first, second))
    return {
        key: (one.get(key, ABSENT), two.get(key, ABSENT))
        for key in sorted(one.keys() | two.keys())
        if one.get(key, ABSENT) != two.get(key, ABSENT)
    }


def _flatten(table: Any, prefix: str = "") -> list[tuple[str, Any]]:
    """Pairs of dotted key and value; lists of tables are numbered, or named by their ``name``."""
    if isinstance(table, dict):
        items = list(table.items())
    elif isinstance(table, list) and table and all(isinstance(item, dict) for item in table):
        items = [(str(item.get("name", index)), item) for index, item in enumerate(table)]
    else:
        return [(prefix, table)]
    return [pair for key, value in items for pair in _flatten(value, f"{prefix}.{key}" if prefix else str(key))]


def _difference_of_names(before: list[str], after: list[str]) -> str:
    lost, gained = [n for n in before if n not in after], [n for n in after if n not in before]
    parts = []
    if lost:
        parts.append(f"no longer free: {', '.join(lost)}")
    if gained:
        parts.append(f"newly free: {', '.join(gained)}")
    return "; ".join(parts) or f"their order was {', '.join(before)} and is {', '.join(after)}"
