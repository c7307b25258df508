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
_ARXIV = re.compile(r",?\s*arXiv:(\d{4}\.\d{4,5}(?:v\d+)?)")
_DOI = re.compile(r",?\s*doi:(10\.\d{4,}/[^\s,]+)")
_PERIOD = re.compile(r"\s*\[(\d{4}/\d{2}-\d{4}/\d{2})\]")
_MODEL = re.compile(r",\s*(?:QGSJet|SIBYLL)[-\w. ]*$", re.IGNORECASE)
_BIBCODE = re.compile(r"(10\.\S+)\s+\((\d{4})([A-Za-z.]{5})([\d.]{4})([a-z.\d])([\d.]{4})[A-Z]\)")

_JOURNALS = {
    "APh": "Astropart. Phys.",
    "ApJ": "ApJ",
    "JETPL": "JETP Lett.",
    "PhR": "Phys. Rep.",
    "PhRvD": "PRD",
    "PhRvL": "PRL",
    "Sci": "Science",
    "SciBu": "Sci. Bull.",
}
_COLLABORATIONS = {"AMS-02": "AMS", "BESS-TeV": "BESS", "CREAM-I+III": "CREAM", "IceTop": "IceCube"}


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

    def sorted(self) -> Source:
        """Return the same table with rows that increase in x."""
        return Source(tuple(sorted(self.rows, key=lambda row: float(row["x_mean"]))), self.index)


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


def split_reference(text: str, dois: dict[str, str], experiment: str = "") -> tuple[dict[str, str], str]:
    """Split a reference into its parts.

    Parameters
    ----------
    text : str
        Such as ``X Collab., PRL 1, 2 (2026), arXiv:2601.00001 Table S5 [2011/05-2018/05]``, or a DOI with a
        bibliographic code: ``10.1103/PhysRevLett.129.251103 (2022PhRvL.129y1103A)``.
    dois : dict of str to str
        Journal reference to DOI, used where the text has none.
    experiment : str
        Whose collaboration signs a bibliographic code.

    Returns
    -------
    reference : dict of str to str
        ``text``, ``doi``, ``arxiv``, ``table``; empty where not given, or where DOI and code contradict each other.
    period : str
        Period of data taking, or empty.
    """
    code = _BIBCODE.fullmatch(text.strip())
    if code is not None:
        return _from_bibcode(code, experiment), ""
    found = {}
    for key, pattern in (("doi", _DOI), ("arxiv", _ARXIV), ("table", _TABLE), ("period", _PERIOD)):
        match = pattern.search(text)
        found[key] = match[1] if match else ""
        text = pattern.sub("", text)
    period = found.pop("period")
    text = " ".join(text.replace(" Suppl. Mat.", ", supplemental material").split()).strip(" ,")
    text = _MODEL.sub("", text).replace(": (", " (")
    if not found["doi"]:
        found["doi"] = next((doi for journal, doi in dois.items() if journal in text), "")
    return {"text": text, **found}, period


def _from_bibcode(code: re.Match[str], experiment: str) -> dict[str, str]:
    """Write out a bibliographic code: year, journal, volume, a letter for the hundreds of pages, page."""
    doi, year, *parts = code.groups()
    journal, volume, letter, page = (part.strip(".") for part in parts)
    if letter.isalpha():
        page = f"{ord(letter) - ord('a') + 1:02d}{page}"
    if journal == "ICRC":
        where = f"PoS(ICRC{year}){page}"
    elif journal in _JOURNALS:
        where = f"{_JOURNALS[journal]} {volume}, {page} ({year})"
    else:
        raise BuildError(f"bibliographic code {code[0]!r}: journal {journal!r} is not known")
    if doi.startswith("10.1103/") and not doi.endswith(f".{volume}.{page}"):
        doi = ""
    return {
        "text": f"{_COLLABORATIONS.get(experiment, experiment)} Collab., {where}",
        "doi": doi,
        "arxiv": "",
        "table": "",
    }
