"""Makes one table of a measured spectrum."""

from __future__ import annotations

from pathlib import Path

from astropy.table import Column, Table

from dataset_building.catalogue import DOIS, EDGES_DEFINITIONS, FLAGS, X_DEFINITIONS, SourceTable
from dataset_building.sources import AXES as SOURCE_AXES
from dataset_building.sources import BuildError, Source, split_reference
from stellarcr.data.schema import AXES, SCHEMA, systematic_columns, value_unit

_SYSTEMATIC_SOURCE = {"total": ("sys_lo", "sys_hi"), "analysis": ("sys_ana",) * 2, "hadronic": ("sys_had",) * 2}


def make_spectrum(entry: SourceTable, source: Source) -> Table:
    """Make a table in stellarcr's format from a source table.

    Parameters
    ----------
    entry : SourceTable
        What it becomes.
    source : Source
        Its rows and line of the index.

    Returns
    -------
    astropy.table.Table
        Ready to be written as ECSV.

    Raises
    ------
    BuildError
        If the source holds a definition or a remark that the catalogue does not know.
    """
    axis = SOURCE_AXES[source.one("axis")]
    x_unit, unit = AXES[axis], value_unit(entry.quantity, axis)
    point = "representative point of the bin"
    table = Table(meta=_header(entry, source, axis))
    for name, column, description in (
        ("x_low", "x_lo", "lower bin edge; nan where none is published"),
        ("x_high", "x_hi", "upper bin edge; nan where none is published"),
        ("x", "x_mean", point),
    ):
        table[name] = Column(source.numbers(column), unit=x_unit, description=description)
    what = "mean logarithmic mass <ln A>" if entry.quantity == "lnA" else "flux"
    columns = [
        ("value", "flux", what),
        ("stat_low", "stat_lo", "statistical error, downwards"),
        ("stat_high", "stat_hi", "statistical error, upwards"),
    ]
    for component in entry.systematics:
        low, high = systematic_columns(component)
        from_low, from_high = _SYSTEMATIC_SOURCE[component]
        columns.append((low, from_low, f"systematic error ({component}), downwards"))
        columns.append((high, from_high, f"systematic error ({component}), upwards"))
    for name, column, description in columns:
        table[name] = Column(source.numbers(column), unit=unit or None, description=description)
    table["upper_limit"] = Column(
        [row["is_upper_limit"] == "1" for row in source.rows], description="value is an upper limit"
    )
    flags = [_translate(row["flag"], FLAGS, entry.file) for row in source.rows]
    table["flag"] = Column(flags, dtype=str, description="remark on this row")
    return table


def _header(entry: SourceTable, source: Source, axis: str) -> dict[str, object]:
    reference, period = split_reference(source.one("ref"), DOIS)
    reference["text"] = reference["text"].removesuffix(f", {entry.analysis} (CRDB)")
    edges = {_translate(row["edges_def"], EDGES_DEFINITIONS, entry.file) for row in source.rows}
    return {
        "schema": SCHEMA,
        "name": entry.name,
        "experiment": entry.experiment,
        "analysis": entry.analysis,
        "species": entry.species,
        "quantity": entry.quantity,
        "axis": axis,
        "hadronic_model": entry.hadronic_model,
        "status": "recommended",
        "reference": reference,
        "data_period": period,
        "x_definition": _translate(source.one("x_mean_def"), X_DEFINITIONS, entry.file),
        "edges_definition": max(edges, key=len),
        "systematics": dict(entry.systematics),
        "notes": [*entry.notes, *entry.species_notes],
        "confidence": source.index["confidence"].split(" (")[0],
        "provenance": source.one("source"),
    }


def _translate(text: str, words: dict[str, str], file: str) -> str:
    if text not in words:
        raise BuildError(f"{file}: {text!r} is not in the catalogue; read it and add it in your own words")
    return words[text]


def write_table(table: Table, path: Path) -> None:
    """Write a table as ECSV, with the folders that it needs."""
    path.parent.mkdir(parents=True, exist_ok=True)
    table.write(path, format="ascii.ecsv", overwrite=True)
