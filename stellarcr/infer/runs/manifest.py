"""The manifest of a run, the first file that is read and the one that says whether the rest can be; and its summary."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stellarcr._version import __version__
from stellarcr.errors import RunError
from stellarcr.infer.files import read_json

FORMAT = 1
"""Format of run folders that this version writes and reads."""

_NUMBER = (int, float, type(None))
_MANIFEST: dict[str, Any] = dict.fromkeys(("data_hashes", "packages", "populations"), (dict, type(None)))
_MANIFEST |= dict.fromkeys(("names", "labels", "units", "sessions", "extensions"), list)
_MANIFEST |= dict.fromkeys(("status", "sampler", "fingerprint", "version"), str) | {"seed": int, "settings": dict}
_SUMMARY: dict[str, Any] = {"converged": bool, "verdict": str, "parameters": dict, "derived": dict, "map": dict}
_SUMMARY |= dict.fromkeys(("log_evidence", "log_evidence_error", "ess", "samples"), _NUMBER)


def read_manifest(folder: Path) -> dict[str, Any]:
    """Read ``manifest.json`` of a run, and refuse one whose format this version does not know.

    Raises
    ------
    RunError
        If it is missing, damaged, of another format, or holds entries of wrong types.
    """
    manifest = read_json(folder / "manifest.json")
    if manifest.get("format") != FORMAT:
        writer = manifest.get("version", "of an unknown version")
        raise RunError(
            f"this run has format {manifest.get('format')!r}, written by stellarcr {writer}; "
            f"stellarcr {__version__} reads format {FORMAT}",
            where=str(folder),
            remedy=f"read and resume it with stellarcr {writer}, or run it again",
        )
    check_manifest(manifest, folder)
    return manifest


def check_manifest(manifest: Mapping[str, Any], folder: Path) -> None:
    """Refuse a manifest with entries of wrong types, such as one that was edited by hand.

    Raises
    ------
    RunError
        Names the entry.
    """
    _check_types(manifest, _MANIFEST, "manifest.json", folder)
    for key in ("data_hashes", "packages"):
        texts = manifest.get(key) or {}
        _check_types(texts, dict.fromkeys(texts, str), "manifest.json", folder)


def check_summary(summary: Mapping[str, Any], folder: Path) -> None:
    """Refuse a summary with entries of wrong types, such as one that was edited by hand.

    Raises
    ------
    RunError
        Names the entry.
    """
    name = "summary.json"
    _check_types(summary, _SUMMARY, name, folder)
    fits = summary.get("map", {}).get("chi2", {})
    _check_types({"map.chi2": fits}, {"map.chi2": dict}, name, folder)
    rows: list[tuple[str, Any, tuple[str, ...]]]
    rows = [(f"parameters.{key}", row, ("median", "std", "map")) for key, row in summary.get("parameters", {}).items()]
    rows += [(f"map.chi2.{key}", row, ("chi2", "points")) for key, row in fits.items()]
    for key, row, numbers in rows:
        _check_types({key: row}, {key: dict}, name, folder)
        _check_types(row, dict.fromkeys(numbers, (int, float)), name, folder)


def _check_types(content: Mapping[str, Any], types: Mapping[str, Any], name: str, folder: Path) -> None:
    for key, kind in types.items():
        if key in content and not isinstance(content[key], kind):
            raise RunError(
                f"{name} is damaged: {key} = {content[key]!r:.60}",
                where=str(folder),
                remedy="restore the folder from a copy, or start anew with --overwrite",
            )
