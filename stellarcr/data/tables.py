"""Reads one table of a measured spectrum."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
from astropy.table import Table

from ..errors import DataError
from .headers import read_reference, split_ecsv
from .schema import check_species, systematic_columns
from .spectrum import Spectrum
from .validation import column_quantity, validate


def load_table(path: str | Path) -> Spectrum:
    """Read and validate one table of a measured spectrum, from any folder.

    Parameters
    ----------
    path : str or pathlib.Path
        An ECSV file of the schema that :mod:`stellarcr.data.schema` describes. Other energy, area or time
        units than the schema's are converted.

    Returns
    -------
    Spectrum
        The measurement, in GV or GeV and per m2 s sr.

    Raises
    ------
    DataError
        If the file cannot be read, or fails any check of :func:`stellarcr.data.validate`.
    """
    path = Path(path)
    table, digest = read_ecsv(path)
    validate(table, where=str(path))
    meta = table.meta
    pairs = {}
    for name in meta["systematics"]:
        low, high = systematic_columns(name)
        pairs[name] = (column_quantity(table, low), column_quantity(table, high))
    return Spectrum(
        name=str(meta["name"]),
        experiment=str(meta["experiment"]),
        species=check_species(str(meta["species"])),
        quantity=meta["quantity"],
        axis=meta["axis"],
        hadronic_model=str(meta.get("hadronic_model") or "") or None,
        x=column_quantity(table, "x"),
        x_low=column_quantity(table, "x_low"),
        x_high=column_quantity(table, "x_high"),
        value=column_quantity(table, "value"),
        stat_low=column_quantity(table, "stat_low"),
        stat_high=column_quantity(table, "stat_high"),
        systematics=pairs,
        upper_limit=np.asarray(table["upper_limit"], dtype=bool),
        flags=text_column(table, "flag"),
        reference=read_reference(meta["reference"]),
        metadata=dict(meta),
        sha256=digest,
    )


def read_ecsv(path: Path) -> tuple[Table, str]:
    """Read an ECSV file of any schema.

    Returns
    -------
    table : astropy.table.Table
    digest : str
        SHA-256 of the file.

    Raises
    ------
    DataError
        If there is no such file, or astropy cannot read it.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"cannot read the table: {error.strerror}", where=str(path), remedy="check the path") from error
    try:
        table = Table.read(content.decode("utf-8").splitlines(), format="ascii.ecsv")
    except Exception as error:  # astropy raises many types here; all of them mean a damaged file
        raise DataError(
            _first_bad_cell(content) or f"astropy cannot read the table: {_first_line(error)}",
            where=str(path),
            remedy="make it ECSV: '# %ECSV 1.0', a header in YAML, then rows with one cell per column, all of "
            "the column's datatype",
        ) from error
    return table, hashlib.sha256(content).hexdigest()


def _first_bad_cell(content: bytes) -> str:
    """Say which row breaks the table, as far as a look at its text can tell."""
    try:
        header, names, rows = split_ecsv(content.decode("utf-8"))
        numeric = {item["name"] for item in header["datatype"] if item["datatype"].startswith(("float", "int"))}
    except Exception:  # not even the header can be split: astropy's own message is all there is
        return ""
    for number, row in enumerate(rows, start=1):
        if len(row) != len(names):
            return f"row {number} has {len(row)} cells, but there are {len(names)} columns"
        for name, cell in zip(names, row, strict=True):
            if name in numeric and cell and not _is_number(cell):
                return f"row {number}, column {name!r}: {cell!r} is no number"
    return ""


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def text_column(table: Table, name: str) -> tuple[str, ...]:
    """Cells of a text column; empty (masked) cells become empty strings."""
    return tuple("" if cell is np.ma.masked else str(cell) for cell in table[name])


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).strip().splitlines()[0]
