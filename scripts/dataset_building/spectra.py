"""Makes one table of a measured spectrum."""

from __future__ import annotations

import math
from pathlib import Path

from astropy.table import Column, Table

from dataset_building.source_table import SourceTable
from dataset_building.sources import AXES as SOURCE_AXES
from dataset_building.sources import BuildError, Source, split_reference
from dataset_building.vocabulary import DOIS, EDGES_DEFINITIONS, TABLE_FLAGS, X_DEFINITIONS, flag
from stellarcr.data.schema import AXES, SCHEMA, TRUTHS, systematic_columns, value_unit

_WHAT = {"flux": "flux", "lnA": "mean logarithmic mass <ln A>", "ratio": "ratio of fluxes"}


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
    columns = [
        ("value", source.numbers("flux"), _WHAT[entry.quantity]),
        ("stat_low", source.numbers("stat_lo"), "statistical error, downwards"),
        ("stat_high", source.numbers("stat_hi"), "statistical error, upwards"),
    ]
    for component in entry.systematics:
        low, high = systematic_columns(component)
        from_low, from_high = _systematic(entry, source, component)
        columns.append((low, from_low, f"systematic error ({component}), downwards"))
        columns.append((high, from_high, f"systematic error ({component}), upwards"))
    for name, numbers, description in columns:
        table[name] = Column(numbers, unit=unit or None, description=description)
    table["upper_limit"] = Column(
        [row["is_upper_limit"] == "1" for row in source.rows], description="value is an upper limit"
    )
    flags = _flags(entry, source)
    table["flag"] = Column(flags, dtype=str, description="remark on this row")
    return table


def _systematic(entry: SourceTable, source: Source, component: str) -> tuple[list[float], list[float]]:
    """Lower and upper errors of a component."""
    column = entry.columns[component]
    if column == "sys":
        return source.numbers("sys_lo"), source.numbers("sys_hi")
    if column != "remainder":
        return source.numbers(column), source.numbers(column)
    low, high = source.numbers("sys_lo"), source.numbers("sys_hi")
    others = [_systematic(entry, source, name) for name in entry.systematics if name != component]
    for other in others:
        low = [remainder(total, part) for total, part in zip(low, other[0], strict=True)]
        high = [remainder(total, part) for total, part in zip(high, other[1], strict=True)]
    return low, high


def remainder(total: float, part: float) -> float:
    """What one part leaves of a quadrature sum that is printed with seven digits.

    The fewest digits that give the sum again are those of the published number.

    Raises
    ------
    BuildError
        If the part is larger than the total, or no number of up to seven digits gives the total.
    """
    if part > total:
        raise BuildError(f"systematic component {part} is larger than the total {total}")
    exact = math.sqrt(total**2 - part**2)
    for digits in range(1, 8):
        rounded = float(f"{exact:.{digits}g}")
        if f"{math.hypot(part, rounded):.7g}" == f"{total:.7g}":
            return rounded
    raise BuildError(f"{part} and {exact} do not add up to {total} in quadrature")


def _flags(entry: SourceTable, source: Source) -> list[str]:
    given = [row["flag"] for row in source.rows]
    for text in TABLE_FLAGS:
        if text in given and set(given) != {text}:
            raise BuildError(f"{entry.file}: {text!r} is said of some rows only")
    flags = [flag(text) for text in given]
    for text, ours in zip(given, flags, strict=True):
        if ours is None:
            raise BuildError(f"{entry.file}: {text!r} is not in the catalogue; read it and add it in your own words")
    return [ours for ours in flags if ours is not None]


def _header(entry: SourceTable, source: Source, axis: str) -> dict[str, object]:
    reference, period = split_reference(source.one("ref"), DOIS, entry.experiment)
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
        "status": entry.status,
        "reference": reference,
        "data_period": period,
        "x_definition": _translate(source.one("x_mean_def"), X_DEFINITIONS, entry.file),
        "edges_definition": max(edges, key=len),
        **{key: True for key in TRUTHS if getattr(entry, key)},
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
