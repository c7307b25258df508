"""Pieces of Markdown: tables, and docstrings turned into text."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Sequence


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Write a table.

    Parameters
    ----------
    header : sequence of str
        Names of the columns.
    rows : iterable of sequence of str
        Cells; a pipe in a cell is escaped, line ends become spaces.
    """
    lines = [" | ".join(header), " | ".join("---" for _ in header)]
    lines += [" | ".join(_cell(text) for text in row) for row in rows]
    return "\n".join(f"| {line} |" for line in lines) + "\n"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", r"\|")


def code(text: object) -> str:
    """Mark text as code; nothing for an empty text."""
    return f"`{text}`" if str(text) else ""


def from_docstring(text: str) -> str:
    """Turn what a docstring writes (reStructuredText's double backticks and roles) into Markdown."""
    text = re.sub(r":\w+:`~?([^`]*)`", r"`\1`", text)
    text = re.sub(r"``([^`]*)``", r"`\1`", text)
    # prose may hold symbols that Markdown reads as something else
    parts = re.split(r"(`[^`]*`)", text)
    return "".join(part if part.startswith("`") else re.sub(r"([*_<])", r"\\\1", part) for part in parts)


def summary(thing: object) -> str:
    """First paragraph of a docstring, on one line."""
    return from_docstring(" ".join((inspect.getdoc(thing) or "").split("\n\n")[0].split()))


def number(value: float) -> str:
    """Write a number briefly: ``1e48``, not ``1e+48``; infinity as TOML has it."""
    return f"{value:.12g}".replace("e+", "e")


def described(thing: object, *sections: str) -> dict[str, tuple[str, str]]:
    """Read the names that a numpydoc docstring describes.

    Parameters
    ----------
    thing : object
        A class or function.
    *sections : str
        Titles of sections, such as ``Parameters``.

    Returns
    -------
    dict
        Name to type and description; ``low, high : float`` gives both names the same.
    """
    found: dict[str, tuple[str, str]] = {}
    for title in sections:
        match = re.search(rf"^{title}\n-+\n(.*?)(?=^\S[^\n]*\n-+\n|\Z)", inspect.getdoc(thing) or "", re.M | re.S)
        if not match:
            continue
        for entry in re.finditer(r"^(\S[^\n:]*?)(?: : ([^\n]*))?\n((?:[ \t]+[^\n]*\n?|\n)+)", match[1] + "\n", re.M):
            text = " ".join(entry[3].split())
            for name in entry[1].split(","):
                found[name.strip()] = ((entry[2] or "").strip(), text)
    return found
