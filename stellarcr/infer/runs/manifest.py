"""The manifest of a run: the first file that is read, and the one that says whether the rest can be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from stellarcr._version import __version__
from stellarcr.errors import RunError
from stellarcr.infer.files import read_json

FORMAT = 1
"""Format of run folders that this version writes and reads."""


def read_manifest(folder: Path) -> dict[str, Any]:
    """Read ``manifest.json`` of a run, and refuse one whose format this version does not know.

    Raises
    ------
    RunError
        If it is missing, damaged, or of another format.
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
    return manifest
