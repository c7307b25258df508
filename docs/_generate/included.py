"""Pages that are files of the checkout, with their links set right."""

from __future__ import annotations

import posixpath
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

_PLACES = {
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "benchmarks/README.md": "benchmarks.md",
    "chains/README.md": "reference/run_folder.md",
}
"""Where files of the checkout appear in the documentation."""


def changelog() -> str:
    """Give the changelog."""
    return _page("CHANGELOG.md")


def contributing() -> str:
    """Give the rules for contributions."""
    return _page("CONTRIBUTING.md")


def benchmarks() -> str:
    """Give the measured times."""
    return _page("benchmarks/README.md")


def run_folder() -> str:
    """Give the format of a run folder."""
    return re.sub(r"\A# .*", "# A run folder", _page("chains/README.md"))


def _page(source: str) -> str:
    """Read a file; links to what the documentation holds are kept, others to files become plain text."""
    place = _PLACES[source]

    def link(match: re.Match[str]) -> str:
        text, target = match[1], match[2]
        if re.match(r"[a-z]+:|#", target):
            return match[0]
        path, _, anchor = target.partition("#")
        path = posixpath.normpath(posixpath.join(posixpath.dirname(source), path))
        inside = path.removeprefix("docs/") if path.startswith("docs/") else _PLACES.get(path)
        if inside is None:
            return f"{text} (`{path}`)"
        relative = posixpath.relpath(inside, posixpath.dirname(place) or ".")
        return f"[{text}]({relative}{'#' + anchor if anchor else ''})"

    return re.sub(r"\[([^\]]+)\]\(([^)]+)\)", link, (ROOT / source).read_text())
