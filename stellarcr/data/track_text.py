"""Lines and numbers of track files: what both formats share, and the errors that name file, line and column."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError, nearest

_EXPONENT_WITHOUT_E = re.compile(r"^([+-]?\d*\.?\d*)([+-]\d{3})$")
"""Fortran leaves the E out when an exponent has three digits: 2.83-289."""

RESTORE = "restore the file from its archive"


@dataclass(frozen=True)
class TrackText:
    """A track file as text.

    Attributes
    ----------
    path : pathlib.Path
        The file.
    lines : tuple of str
        Its lines.
    sha256 : str
        Hash of its bytes.
    """

    path: Path
    lines: tuple[str, ...]
    sha256: str

    def line(self, number: int) -> str:
        """Return a line, counted from 1; empty beyond the end."""
        return self.lines[number - 1] if number <= len(self.lines) else ""

    def where(self, line: int | None = None, column: str | None = None) -> str:
        """Say where something stands in the file."""
        parts = [str(self.path)]
        parts += [f"line {line}"] if line is not None else []
        parts += [f"column {column!r}"] if column is not None else []
        return ", ".join(parts)


def read_text(path: str | Path) -> TrackText:
    """Read a track file as text.

    Raises
    ------
    DataError
        If it cannot be read, or is no text.
    """
    file = Path(path)
    try:
        content = file.read_bytes()
        text = content.decode("ascii")
    except OSError as error:
        raise DataError(
            f"cannot read the track file: {error.strerror}", where=str(file), remedy="check the path"
        ) from error
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise DataError(
            f"not a text file: byte {error.start} is {content[error.start]:#04x}",
            where=f"{file}, line {line}",
            remedy=RESTORE,
        ) from error
    return TrackText(file, tuple(text.splitlines()), hashlib.sha256(content).hexdigest())


def number(word: str, text: TrackText, line: int, column: str) -> float:
    """Read one number, also of a Fortran exponent without E.

    Raises
    ------
    DataError
        If the word is no finite number.
    """
    try:
        value = float(word)
    except ValueError:
        match = _EXPONENT_WITHOUT_E.match(word)
        try:
            value = float(f"{match[1]}E{match[2]}") if match else np.nan
        except ValueError:
            value = np.nan
    if not np.isfinite(value):
        raise DataError(f"{word!r} is not a finite number", where=text.where(line, column), remedy=RESTORE)
    return value


def require_columns(present: Collection[str], needed: Sequence[str], text: TrackText, line: int) -> None:
    """Refuse a file that lacks a column.

    Raises
    ------
    DataError
        Names the missing columns and the nearest ones that are there.
    """
    missing = [name for name in needed if name not in present]
    if missing:
        hint = nearest(missing[0], present).partition(" Valid names:")[0]
        raise DataError(
            f"missing column{'s' if len(missing) > 1 else ''} {', '.join(map(repr, missing))}",
            where=text.where(line),
            remedy=f"{hint if hint.startswith('did you mean') else ''} take the file with all columns".strip(),
        )


def read_rows(
    text: TrackText, first_line: int, columns: Mapping[str, int], width: int, skip: Collection[int] = ()
) -> tuple[dict[str, NDArray[np.float64]], NDArray[np.int64]]:
    """Read the rows of a table, from a line to the end of the file.

    Parameters
    ----------
    text : TrackText
        The file.
    first_line : int
        Line of the first row, from 1.
    columns : mapping of str to int
        Name and position of the columns to read.
    width : int
        Number of columns that every row must have.
    skip : collection of int
        Lines to leave out.

    Returns
    -------
    values : dict of ndarray
        Columns by name.
    lines : ndarray of int
        Line of every row.

    Raises
    ------
    DataError
        For a row with another number of columns, or a word that is no number.
    """
    rows, lines = [], []
    for line in range(first_line, len(text.lines) + 1):
        words = text.line(line).split()
        if line in skip or (not words and line == len(text.lines)):
            continue
        if len(words) != width:
            raise DataError(
                f"{len(words)} columns instead of {width}: the file is truncated or damaged",
                where=text.where(line),
                remedy=RESTORE,
            )
        try:
            rows.append([float(words[position]) for position in columns.values()])
        except ValueError:
            rows.append([number(words[position], text, line, name) for name, position in columns.items()])
        lines.append(line)
    values = np.array(rows).reshape(len(rows), len(columns))
    for row, column in np.argwhere(~np.isfinite(values)):
        raise DataError(
            f"{values[row, column]} is not a finite number",
            where=text.where(lines[row], list(columns)[column]),
            remedy=RESTORE,
        )
    return {name: values[:, i] for i, name in enumerate(columns)}, np.array(lines, dtype=np.int64)


def new_ages(age: NDArray[np.float64], lines: NDArray[np.int64], text: TrackText, column: str) -> NDArray[np.int64]:
    """Return the rows to keep: of rows with equal ages only the first.

    Raises
    ------
    DataError
        If an age is not positive, or smaller than that of the row before.
    """
    if age[0] <= 0.0:
        raise DataError(f"age {age[0]:.15g} yr is not positive", where=text.where(lines[0], column), remedy=RESTORE)
    back = np.flatnonzero(np.diff(age) < 0.0)
    if back.size:
        row = back[0] + 1
        raise DataError(
            f"the age goes back, from {age[row - 1]:.15g} to {age[row]:.15g} yr",
            where=text.where(lines[row], column),
            remedy=f"{RESTORE}; if it is so there, leave the line out: --drop-line {text.path.name}:{lines[row]}",
        )
    return np.flatnonzero(np.r_[True, np.diff(age) > 0.0])


def require_between(
    values: NDArray[np.float64], low: float, high: float, lines: NDArray[np.int64], text: TrackText, column: str
) -> None:
    """Refuse values outside a range, the upper end included, the lower one too.

    Raises
    ------
    DataError
        Names the first such value.
    """
    for row in np.flatnonzero((values < low) | (values > high)):
        raise DataError(
            f"{values[row]:.6g} is outside {low:g} to {high:g}", where=text.where(lines[row], column), remedy=RESTORE
        )
