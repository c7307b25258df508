"""Reads source tables: CSV files of measured spectra with an index, and CSV files of yields."""

from __future__ import annotations

import csv
import math
import re
from dataclasses import dataclass
from pathlib import Path

AXES = {"rigidity GV": "R", "E_total GeV": "ETOT", "Ekin_total GeV": "EK", "Ekin_per_n GeV/n": "EKN"}
"""Axis column of the sources -> axis code."""

_TABLE = re.compile(r"\s*\b(Table [A-Z]?\.?\d+)")
_ARXIV = re.compile(r",?\s*arXiv:(\d{4}\.\d{4,5})")
_DOI = re.compile(r",?\s*doi:(10\.\d{4,}/[^\s,]+)")
_PERIOD = re.compile(r"\s*\[(\d{4}/\d{2}-\d{4}/\d{2})\]")


class BuildError(Exception):
    """A source table or a table made from it fails a check."""


@dataclass(frozen=True)
class Source:
    """A source table: its rows as text and its line of the index."""

    rows: tuple[dict[str, str], ...]
    index: dict[str, str]

    def one(self, column: str) -> str:
        """Return the value that a column has in every row.

        Raises
        ------
        BuildError
            If rows differ.
        """
        values = {row[column] for row in self.rows}
        if len(values) != 1:
            raise BuildError(f"{self.index['file']}: column {column!r} differs between rows: {sorted(values)}")
        return values.pop()

    def numbers(self, column: str) -> list[float]:
        """Read a column of numbers; empty cells become NaN."""
        return [float(row[column]) if row[column] else math.nan for row in self.rows]


def read_index(folder: Path) -> dict[str, dict[str, str]]:
    """Read ``INDEX.csv``: one line per source table, by file name."""
    return {line["file"]: line for line in _read_csv(folder / "INDEX.csv")}


def read_source(folder: Path, file: str, index: dict[str, dict[str, str]]) -> Source:
    """Read one source table and its line of the index.

    Raises
    ------
    BuildError
        If the file is missing or not in the index.
    """
    if file not in index:
        raise BuildError(f"{file}: no line in {folder / 'INDEX.csv'}")
    return Source(tuple(_read_csv(folder / file)), index[file])


def read_yields(path: Path) -> list[dict[str, str]]:
    """Read a table of yields: lines of ``model, isotope, mass_msun`` after comment lines."""
    return _read_csv(path)


def _read_csv(path: Path) -> list[dict[str, str]]:
    if not path.is_file():
        raise BuildError(f"source table {path} not found")
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(line for line in stream if not line.startswith("#")))


def split_reference(text: str, dois: dict[str, str]) -> tuple[dict[str, str], str]:
    """Split a reference into its parts.

    Parameters
    ----------
    text : str
        Such as ``X Collab., PRL 1, 2 (2026), arXiv:2601.00001 Table S5 [2011/05-2018/05]``.
    dois : dict of str to str
        Journal reference to DOI, used where the text has none.

    Returns
    -------
    reference : dict of str to str
        ``text``, ``doi``, ``arxiv``, ``table``; empty where not given.
    period : str
        Period of data taking, or empty.
    """
    found = {}
    for key, pattern in (("doi", _DOI), ("arxiv", _ARXIV), ("table", _TABLE), ("period", _PERIOD)):
        match = pattern.search(text)
        found[key] = match[1] if match else ""
        text = pattern.sub("", text)
    period = found.pop("period")
    text = " ".join(text.replace(" Suppl. Mat.", ", supplemental material").split()).strip(" ,")
    if not found["doi"]:
        found["doi"] = next((doi for journal, doi in dois.items() if journal in text), "")
    return {"text": text, **found}, period
