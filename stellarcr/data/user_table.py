"""Reads a user's CSV or ECSV file as text cells, before anything is known about their meaning."""

from __future__ import annotations

import csv
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import DataError, nearest
from .tables import read_ecsv

SEPARATORS: Mapping[str, str] = {"comma": ",", "semicolon": ";", "tab": "\t", "space": " ", "bar": "|"}
"""What may stand between the cells of a CSV file, by name."""

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?(nan|inf|infinity)", re.IGNORECASE | re.ASCII)
"""Stricter than ``float``, which takes 1_000 for a number."""


@dataclass(frozen=True, eq=False)
class UserTable:
    """Columns of text from a user's file.

    Attributes
    ----------
    path : pathlib.Path
        The file.
    columns : mapping of str to tuple of str
        Cells by column name, in the file's order; missing ones are empty.
    lines : tuple of int
        Line of the file that each row stands in; row numbers for an ECSV file.
    units : mapping of str to str
        Units that an ECSV header gives to columns.
    meta : mapping
        ``meta`` of an ECSV header; empty for CSV.
    sha256 : str
        Hash of the file.
    decimal_comma : bool
        Whether numbers are written with a comma, such as 2,7.
    """

    path: Path
    columns: Mapping[str, tuple[str, ...]]
    lines: tuple[int, ...]
    units: Mapping[str, str] = field(default_factory=dict)
    meta: Mapping[str, Any] = field(default_factory=dict)
    sha256: str = ""
    decimal_comma: bool = False

    def place(self, row: int) -> str:
        """Where a row, counted from 0, stands: in which line of a CSV file, or row of an ECSV file."""
        # The first line of a CSV file names its columns: only rows of an ECSV file begin with 1.
        return f"{'row' if self.lines[0] == 1 else 'line'} {self.lines[row]}"

    def numbers(self, column: str) -> np.ndarray:
        """Read a column as numbers; empty cells become NaN.

        Parameters
        ----------
        column : str
            Name in the file.

        Returns
        -------
        numpy.ndarray of float, shape (n,)

        Raises
        ------
        DataError
            If a cell holds no number; names line, column and cell.
        """
        values = np.full(len(self.lines), np.nan)
        for row, cell in enumerate(self.columns[column]):
            if not cell:
                continue
            text = cell.replace(",", ".") if self.decimal_comma and "." not in cell else cell
            if not _NUMBER.fullmatch(text) or (self.decimal_comma and "." in cell):
                raise self.cell_error(row, column, "is no number", _number_remedy(cell, self.decimal_comma))
            values[row] = float(text)
        return values

    def truths(self, column: str) -> np.ndarray:
        """Read a column as True or False; empty cells are False.

        Raises
        ------
        DataError
            If a cell is neither; names line, column and cell.
        """
        known = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False, "": False}
        for row, cell in enumerate(self.columns[column]):
            if cell.lower() not in known:
                raise self.cell_error(row, column, "is neither true nor false", "write true or false")
        return np.array([known[cell.lower()] for cell in self.columns[column]], dtype=bool)

    def cell_error(self, row: int, column: str, problem: str, remedy: str) -> DataError:
        """Make an error of one cell that names file, line, column and cell.

        Parameters
        ----------
        row : int
            Counted from 0.
        column : str
            Name in the file.
        problem, remedy : str
            What is wrong with it, and what to do.
        """
        cell = self.columns[column][row]
        return DataError(
            f"{self.place(row)}, column {column!r}: {cell!r} {problem}", where=str(self.path), remedy=remedy
        )


def _number_remedy(cell: str, decimal_comma: bool) -> str:
    if cell.endswith("%"):
        return "write the number alone, and give --relative-errors with 'percent' for this column"
    if cell[0] in "<>≤":
        return "write the number alone, and 'true' in a column 'upper_limit'"
    if decimal_comma:
        return "write numbers like 2,7 or 1,5e-3, without points, or leave --decimal-comma out"
    remedy = "write numbers like 2.7 or 1.5e-3"
    if "," in cell:
        remedy += "; if its comma is a decimal one, in all numbers of the file, give --decimal-comma"
    return remedy


def read_user_table(path: str | Path, separator: str = "comma", decimal_comma: bool = False) -> UserTable:
    """Read a CSV or ECSV file.

    Parameters
    ----------
    path : str or pathlib.Path
        A CSV file in UTF-8 whose first line names the columns (empty lines and lines that begin with ``#`` are
        passed over), or an ECSV file of any columns.
    separator : str
        What stands between the cells of a CSV file: a key of `SEPARATORS`, or the character itself.
    decimal_comma : bool
        Numbers of a CSV file are written with a comma, such as 2,7; a point in a number is then an error.

    Returns
    -------
    UserTable
        Names and cells; no cell is converted.

    Raises
    ------
    DataError
        If the file cannot be read, is empty, not UTF-8, has another separator, names a column twice, or has rows of
        different lengths; names file and line.
    """
    path = Path(path)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"cannot read the file: {error.strerror}", where=str(path), remedy="check the path") from error
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise DataError(
            f"line {line} is not UTF-8: it holds the byte 0x{content[error.start]:02x}",
            where=str(path),
            remedy="save the file as UTF-8, for instance with: iconv -f LATIN1 -t UTF-8",
        ) from None
    if not text.strip():
        raise DataError("the file is empty", where=str(path), remedy="give a table with column names and rows")
    digest = hashlib.sha256(content).hexdigest()
    if text.startswith("# %ECSV"):
        return _read_ecsv(path, digest)
    return replace(_read_csv(path, text, separator, digest), decimal_comma=decimal_comma)


def _read_ecsv(path: Path, digest: str) -> UserTable:
    table, _ = read_ecsv(path)
    columns = {
        name: tuple("" if cell is np.ma.masked else str(cell).strip() for cell in table[name])
        for name in table.colnames
    }
    units = {name: str(table[name].unit) for name in table.colnames if table[name].unit is not None}
    return _checked(UserTable(path, columns, tuple(range(1, len(table) + 1)), units, dict(table.meta), digest))


def _read_csv(path: Path, text: str, separator: str, digest: str) -> UserTable:
    character = SEPARATORS.get(separator, separator)
    if len(character) != 1:
        raise DataError(f"unknown separator {separator!r}", where=str(path), remedy=nearest(separator, SEPARATORS))
    rows = [
        (number, _cells(line, character))
        for number, line in enumerate(text.splitlines(), start=1)
        if line.strip() and not line.lstrip().startswith("#")
    ]
    if not rows:
        raise DataError(
            "the file holds comments only", where=str(path), remedy="give a table with column names and rows"
        )
    (first, names), *body = rows
    if len(names) == 1:
        inside = [name for name, mark in SEPARATORS.items() if mark != character and mark in names[0]]
        if inside:
            raise DataError(
                f"line {first} has one cell, {names[0]!r}, when it is split at {separator!r}",
                where=str(path),
                remedy=f"give --separator {inside[0]}, if that is what stands between the columns",
            )
    for position, name in enumerate(names, start=1):
        if not name:
            raise DataError(
                f"line {first}: column {position} has no name",
                where=str(path),
                remedy="name every column in the first line",
            )
        if _is_number(name):
            raise DataError(
                f"line {first} should name the columns, but column {position} is called {name!r}",
                where=str(path),
                remedy="add a first line with the names of the columns, such as: x,value,stat",
            )
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise DataError(
            f"line {first} names the column {twice!r} twice", where=str(path), remedy="give each column its own name"
        )
    for number, cells in body:
        if len(cells) != len(names):
            raise DataError(
                f"line {number} has {len(cells)} cells, but there are {len(names)} columns",
                where=str(path),
                remedy=f"give every row {len(names)} cells, separated by {separator!r}; missing numbers are empty",
            )
    columns = {name: tuple(cells[i] for _, cells in body) for i, name in enumerate(names)}
    return _checked(UserTable(path, columns, tuple(number for number, _ in body), sha256=digest))


def _cells(line: str, separator: str) -> list[str]:
    # Several spaces in a row are one separator.
    line = line.strip() if separator == " " else line
    return [cell.strip() for cell in next(csv.reader([line], delimiter=separator, skipinitialspace=True))]


def _checked(table: UserTable) -> UserTable:
    if not table.lines:
        raise DataError("the table has no rows", where=str(table.path), remedy="add the measured points")
    return table


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
