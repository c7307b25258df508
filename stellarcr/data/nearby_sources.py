"""Tables of nearby sources: what a row says, and reading one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from astropy import units as u
from astropy.table import Table

from ..errors import DataError, nearest
from ..galaxy.nearby import check_light_travel
from .content import content_path
from .tables import read_ecsv, text_column

SCHEMA = "stellarcr-nearby/1"
"""Schema that the header of a table of nearby sources names."""

SOURCE_TYPES = {"ia": "type_ia", "cc": "snr", "snr": "snr"}
"""Types of sources and the composition that they inject: ejecta of a Type Ia supernova, or that of the kind ``snr``."""

_REQUIRED = {"distance": u.kpc, "age": u.yr, "energy": u.erg}
_OPTIONAL = {"gamma": u.dimensionless_unscaled, "R_max": u.GV, "duration": u.yr, "longitude": u.deg}
_COLUMNS = ("name", "distance", "age", "type", "energy", "reference")


@dataclass(frozen=True)
class NearbySource:
    """One source of a table.

    Attributes
    ----------
    name : str
        Name of the source, and of the population that it becomes.
    distance : float
        Distance from the Sun [kpc].
    age : float
        Time since the source was born, as seen by the particles: the burst, or the begin of the releases [yr].
    type : str
        A key of `SOURCE_TYPES`.
    energy : float
        Energy of all particles that it releases above 1 GV [erg].
    reference : str
        Where the numbers come from.
    gamma : float, optional
        Injection index.
    maximum_rigidity : float, optional
        Exponential cutoff [GV].
    duration : float, optional
        How long it releases particles at a constant rate [yr]; a burst if there is none.
    longitude : float, optional
        Galactic longitude [deg], for the direction of its dipole.
    """

    name: str
    distance: float
    age: float
    type: str
    energy: float
    reference: str
    gamma: float | None = None
    maximum_rigidity: float | None = None
    duration: float | None = None
    longitude: float | None = None


def nearby_table_path(table: str, base: Path = Path()) -> Path:
    """Find a table of nearby sources.

    Parameters
    ----------
    table : str
        A file that ends in ``.ecsv``, relative to ``base``; or the name of a shipped table, such as ``qiu2026``.
    base : Path
        Folder to which files are relative.

    Raises
    ------
    DataError
        If there is no such file; names the shipped tables.
    """
    if not table.endswith(".ecsv"):
        return content_path("datasets", "nearby", f"{table}.ecsv")
    path = base / Path(table).expanduser()
    if not path.is_file():
        near = sorted(p.name for p in path.parent.glob("*.ecsv")) if path.parent.is_dir() else []
        shipped = ", ".join(sorted(repr(p.stem) for p in content_path("datasets", "nearby").glob("*.ecsv")))
        raise DataError(
            "no such file", where=str(path), remedy=f"{nearest(path.name, near)}; shipped tables: {shipped}"
        )
    return path


def read_nearby_sources(path: str | Path, names: Sequence[str] | None = None) -> tuple[NearbySource, ...]:
    """Read a table of nearby sources.

    Parameters
    ----------
    path : str or Path
        ECSV file with ``schema: stellarcr-nearby/1`` in its header, and the columns ``name``, ``distance``, ``age``,
        ``type``, ``energy`` and ``reference``; ``gamma``, ``R_max``, ``duration`` and ``longitude`` may be added, with
        empty cells where a source has none. Columns with a dimension have a unit; they are converted.
    names : sequence of str, optional
        Which sources; all by default.

    Returns
    -------
    tuple of NearbySource
        In the order of ``names``, or of the table.

    Raises
    ------
    DataError
        For a missing column, a missing or wrong unit, a missing or impossible number, a name that cannot be one or is
        there twice, an unknown type, an empty reference, a source from which not even light has arrived, and an unknown
        name; names file, row, column and remedy. All rows are checked, also those that are not asked for.
    """
    path = Path(path)
    table, _ = read_ecsv(path)
    where = str(path)
    if table.meta.get("schema") != SCHEMA:
        raise DataError(
            f"schema is {table.meta.get('schema')!r}, expected {SCHEMA!r}",
            where=where,
            remedy=f"write '# - {{schema: {SCHEMA}}}' under '# meta: !!omap' in its header",
        )
    _check_columns(table, where)
    factors = {key: _factor(table, key, unit, where) for key, unit in {**_REQUIRED, **_OPTIONAL}.items()}
    texts = {key: text_column(table, key) for key in ("name", "type", "reference")}
    sources = tuple(_source(table, k, texts, factors, where) for k in range(len(table)))
    if not sources:
        raise DataError("the table has no rows", where=where, remedy="add a row per source")
    for k, source in enumerate(sources):
        if source.name in texts["name"][:k]:
            raise _cell_error(
                k, "name", f"{source.name!r} is there twice, also in row {texts['name'].index(source.name) + 1}",
                where, "give each source its own name",
            )  # fmt: skip
    if names is None:
        return sources
    known = {source.name: source for source in sources}
    for name in names:
        if name not in known:
            raise DataError(f"names: the table has no source {name!r}", where=where, remedy=nearest(name, known))
    twice = [name for k, name in enumerate(names) if name in names[:k]]
    if twice:
        raise DataError(f"names: {twice[0]!r} is asked for twice", where=where, remedy="name each source once")
    return tuple(known[name] for name in names)


def _check_columns(table: Table, where: str) -> None:
    for column in _COLUMNS:
        if column not in table.colnames:
            others = [name for name in table.colnames if name not in _COLUMNS and name not in _OPTIONAL]
            near = f"{nearest(column, others)}; " if others else ""
            raise DataError(
                f"column {column!r} is missing",
                where=where,
                remedy=f"{near}the columns needed are {', '.join(_COLUMNS)}",
            )
    known = (*_COLUMNS, *_OPTIONAL)
    for column in table.colnames:
        if column not in known:
            raise DataError(f"unknown column {column!r}", where=where, remedy=nearest(column, known))
        numeric = table[column].dtype.kind in "fiu"
        if numeric != (column not in ("name", "type", "reference")):
            raise DataError(
                f"column {column!r} has the datatype {table[column].dtype}",
                where=where,
                remedy=f"write datatype: {'string' if numeric else 'float64'} for it in the header",
            )


def _factor(table: Table, column: str, wanted: Any, where: str) -> float:
    """From a column's unit to the one that is used here."""
    if column not in table.colnames:
        return math.nan
    unit = table[column].unit
    if unit is None:
        if wanted == u.dimensionless_unscaled:
            return 1.0
        raise DataError(
            f"column {column!r} has no unit", where=where, remedy=f"write unit: {wanted} for it in the header"
        )
    try:
        return float(u.Unit(unit).to(wanted))
    except (u.UnitConversionError, ValueError, TypeError):
        wish = "no unit" if wanted == u.dimensionless_unscaled else f"unit: {wanted}, or another of its kind,"
        raise DataError(
            f"column {column!r} has the unit {str(unit)!r}", where=where, remedy=f"write {wish} for it in the header"
        ) from None


def _source(
    table: Table, row: int, texts: dict[str, tuple[str, ...]], factors: dict[str, float], where: str
) -> NearbySource:
    name, kind, reference = (texts[key][row].strip() for key in ("name", "type", "reference"))
    if not name.isidentifier() or not name.isascii():
        remedy = "use letters, digits and underscores, and begin with a letter: parameters are named after it"
        raise _cell_error(row, "name", f"{name!r} cannot be the name of a source", where, remedy)
    if kind not in SOURCE_TYPES:
        raise _cell_error(row, "type", f"{kind!r} is not known", where, nearest(kind, SOURCE_TYPES))
    if not reference:
        raise _cell_error(row, "reference", "it is empty", where, "say where the numbers come from")
    numbers: dict[str, float | None] = {}
    for key, factor in factors.items():
        cell = table[key][row] if key in table.colnames else np.ma.masked
        empty = cell is np.ma.masked or math.isnan(float(cell))
        if empty and key in _REQUIRED:
            raise _cell_error(row, key, "it is empty", where, f"give the {key} of {name!r}")
        value = None if empty else float(cell) * factor
        signed = key in ("gamma", "longitude")
        if value is not None and not (math.isfinite(value) and (signed or value > 0)):
            remedy = f"give {name!r} a {'finite' if signed else 'positive'} number"
            raise _cell_error(row, key, f"{cell!s} cannot be", where, remedy)
        numbers[key] = value
    distance, age, energy = (float(numbers[key] or 0.0) for key in _REQUIRED)
    check_light_travel(distance, age, f"row {row + 1}, columns 'age' and 'distance': {name!r}", where, DataError)
    return NearbySource(
        name, distance, age, kind, energy, reference,
        numbers["gamma"], numbers["R_max"], numbers["duration"], numbers["longitude"],
    )  # fmt: skip


def _cell_error(row: int, column: str, problem: str, where: str, remedy: str) -> DataError:
    return DataError(f"row {row + 1}, column {column!r}: {problem}", where=where, remedy=remedy)
