"""Checks that a table of a measured spectrum is complete and makes sense."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache

import numpy as np
from astropy import units as u
from astropy.table import Table

from ..errors import DataError, nearest
from .schema import (
    AXES,
    FIXED_COLUMNS,
    MOCK,
    QUANTITIES,
    REFERENCE_KEYS,
    REQUIRED_META,
    SCHEMA,
    TRUTHS,
    X_COLUMNS,
    check_axis,
    check_species,
    check_status,
    split_systematic,
    systematic_columns,
    value_unit,
)

_RowFault = Callable[[np.ndarray, str, str, str], Iterator[DataError]]

_EDGE_TOLERANCE = 1e-5
"""Neighbouring bins may overlap by this fraction: sources print edges with few digits."""


def validate(table: Table, *, where: str = "table") -> None:
    """Refuse a table with any fault, naming the first one.

    Parameters
    ----------
    table : astropy.table.Table
        A table as :mod:`stellarcr.data.schema` describes it.
    where : str
        The file, for the message.

    Raises
    ------
    DataError
        Naming file, row and column, value and remedy.
    """
    for fault in faults(table, where=where):
        raise fault


def faults(table: Table, *, where: str = "table") -> Iterator[DataError]:
    """Yield every fault of a table, in the order in which one would repair them.

    The header comes first, then the columns and units, then the rows; a stage with faults ends the list, since
    the next one would only repeat them.

    Parameters
    ----------
    table : astropy.table.Table
        The table.
    where : str
        The file, for the messages.
    """
    for stage in (_header_faults, _column_faults, _unit_faults, _number_faults, _row_faults):
        found = list(stage(table, where))
        yield from found
        if found:
            return


def _header_faults(table: Table, where: str) -> Iterator[DataError]:
    meta = table.meta
    missing = [key for key in REQUIRED_META if key not in meta]
    for key in missing:
        if key == "reference":
            yield _no_reference(where)
        else:
            yield DataError(
                f"the header has no key {key!r}", where=where, remedy=f"add {key!r} to 'meta' in the header"
            )
    if missing:
        return
    if meta["schema"] != SCHEMA:
        yield DataError(
            f"schema is {meta['schema']!r}, this version reads {SCHEMA!r}",
            where=where,
            remedy=f"write the table in the columns of {SCHEMA!r}, or update stellarcr",
        )
    for key in ("name", "experiment"):
        if not str(meta[key] or "").strip():
            yield DataError(f"the header's {key!r} is empty", where=where, remedy=f"name the {key}")
    yield from _species_faults(str(meta["species"]), meta["quantity"], where)
    for check, value in (
        (check_axis, meta["axis"]),
        (check_status, meta.get("status") or "recommended"),
    ):
        try:
            check(str(value))
        except DataError as error:
            yield DataError(error.problem, where=where, remedy=error.remedy)
    for key in (*TRUTHS, MOCK):
        if not isinstance(meta.get(key, False), bool):
            yield DataError(
                f"the header's {key!r} is {meta[key]!r}", where=where, remedy="make it true or false, or leave it out"
            )
    reference = meta["reference"]
    if not isinstance(reference, Mapping) or not str(reference.get("text") or "").strip():
        yield _no_reference(where)
    else:
        for key in REFERENCE_KEYS:
            if not isinstance(reference.get(key, ""), str):
                # YAML reads 2511.05410 as a number and loses the last digit.
                yield DataError(
                    f"the reference's {key!r} was read as the number {reference[key]}",
                    where=where,
                    remedy=f"put quotes around the {key!r} in the header",
                )
    if not isinstance(meta["systematics"], Mapping):
        yield DataError(
            f"the header's 'systematics' is {meta['systematics']!r}",
            where=where,
            remedy="make it a mapping of component to description, empty where no systematic error is given",
        )


def _species_faults(species: str, quantity: str, where: str) -> Iterator[DataError]:
    try:
        check_species(species)
    except DataError as error:
        yield DataError(f"species: {error.problem}", where=where, remedy=error.remedy)
    if quantity not in QUANTITIES:
        yield DataError(
            f"unknown quantity {quantity!r}",
            where=where,
            remedy=nearest(str(quantity), QUANTITIES),
        )
    elif ("/" in species) != (quantity == "ratio"):
        yield DataError(
            f"species {species!r} does not go with the quantity {quantity!r}",
            where=where,
            remedy="give a ratio the quantity 'ratio' and a species such as 'B/C', a flux the species alone",
        )


def _no_reference(where: str) -> DataError:
    return DataError(
        "no reference",
        where=where,
        remedy="give 'reference' in the header, a mapping with at least 'text' (and 'doi', 'arxiv', 'table')",
    )


def _column_faults(table: Table, where: str) -> Iterator[DataError]:
    for name in FIXED_COLUMNS:
        if name not in table.colnames:
            yield DataError(f"column {name!r} is missing", where=where, remedy=f"columns: {_all_columns()}")
    described = table.meta["systematics"]
    found = {part[0] for name in table.colnames if (part := split_systematic(name))}
    for component in sorted(found | set(described)):
        for column in systematic_columns(component):
            if column not in table.colnames:
                yield DataError(
                    f"column {column!r} is missing for the systematic component {component!r}",
                    where=where,
                    remedy="give both the lower and the upper error, or take the component out of the header",
                )
        if component not in described:
            yield DataError(
                f"the systematic component {component!r} is not described",
                where=where,
                remedy=f"add {component!r} to 'systematics' in the header and say what it contains",
            )
    for name in table.colnames:
        if name not in FIXED_COLUMNS and split_systematic(name) is None:
            yield DataError(f"unknown column {name!r}", where=where, remedy=nearest(name, FIXED_COLUMNS))


def _all_columns() -> str:
    return ", ".join([*FIXED_COLUMNS, "systematic_<name>_low", "systematic_<name>_high"])


def _unit_faults(table: Table, where: str) -> Iterator[DataError]:
    axis, quantity = table.meta["axis"], table.meta["quantity"]
    for name in _number_columns(table):
        wanted = AXES[axis] if name in X_COLUMNS else value_unit(quantity, axis)
        given = table[name].unit
        text = "none" if given is None else str(given)
        if isinstance(given, u.UnrecognizedUnit):
            problem = f"astropy does not know the unit {text!r} of column {name!r}"
        elif not (given or u.dimensionless_unscaled).is_equivalent(_unit(wanted)):
            problem = f"the unit of column {name!r} is {text!r}, which does not fit a {quantity} on the axis {axis}"
        else:
            continue
        yield DataError(problem, where=where, remedy=f"give a unit that converts to {wanted or 'a plain number'!r}")


@lru_cache
def _unit(text: str) -> u.UnitBase:
    return u.Unit(text)


def _number_columns(table: Table) -> list[str]:
    return [name for name in table.colnames if name not in ("upper_limit", "flag")]


def _number_faults(table: Table, where: str) -> Iterator[DataError]:
    if len(table) == 0:
        yield DataError("the table has no rows", where=where, remedy="add the measured points")
        return
    if table["upper_limit"].dtype.kind != "b":
        yield DataError(
            f"column 'upper_limit' has the datatype {table['upper_limit'].dtype}",
            where=where,
            remedy="use the datatype bool, and True or False in every row",
        )
        return
    for name in _number_columns(table):
        if table[name].dtype.kind not in "fiu":
            yield DataError(
                f"column {name!r} has the datatype {table[name].dtype}, which holds no numbers",
                where=where,
                remedy="use the datatype float64; nan where no bin edge is known",
            )


def _row_faults(table: Table, where: str) -> Iterator[DataError]:
    columns = {name: column_quantity(table, name).value for name in _number_columns(table)}
    limits = np.ma.filled(table["upper_limit"], False)
    errors = [name for name in columns if name not in (*X_COLUMNS, "value")]

    def fault(rows: np.ndarray, name: str, problem: str, remedy: str) -> Iterator[DataError]:
        for row in np.flatnonzero(rows):
            yield DataError(
                f"row {row + 1}, column {name!r}: {columns[name][row]:g} {problem}", where=where, remedy=remedy
            )

    x, low, high, value = (columns[name] for name in (*X_COLUMNS, "value"))
    for name in ("x", "value", *errors):
        needed = np.ones(len(table), bool) if name in ("x", "value") else ~limits
        yield from fault(needed & ~np.isfinite(columns[name]), name, "where a number is needed", "give a finite number")
    yield from fault(x <= 0.0, "x", "is not positive", "give the bin's representative point")
    # noise may make a drawn flux negative, and leaving it out would bias a fit
    if table.meta["quantity"] != "lnA" and not table.meta.get(MOCK, False):
        yield from fault(
            value <= 0.0,
            "value",
            f"is no {table.meta['quantity']}: it is not positive",
            "correct it, or make it an upper limit",
        )
    for name in errors:
        yield from fault(columns[name] < 0.0, name, "is negative", "give errors as positive distances")
    for side in ("low", "high"):
        none = np.all([columns[name] == 0.0 for name in errors if name.endswith(side)], axis=0)
        yield from fault(
            none & ~limits, "value", f"has no error ({side}): all components are zero", "give at least one error"
        )
    yield from _bin_faults(x, low, high, fault)
    if not table.meta.get("bins_overlap", False):
        yield from _overlap_faults(x, low, high, fault)


def _bin_faults(x: np.ndarray, low: np.ndarray, high: np.ndarray, fault: _RowFault) -> Iterator[DataError]:
    for name, edge in (("x_low", low), ("x_high", high)):
        yield from fault(np.isinf(edge), name, "is infinite", "give a finite edge, or nan for both")
    one_edge = np.isnan(low) != np.isnan(high)
    yield from fault(one_edge, "x_low", "is an edge without the other one", "give both edges, or nan for both")
    yield from fault(low < 0.0, "x_low", "is negative", "correct the edge")
    yield from fault(high <= low, "x_high", "is not above x_low", "correct the edges")
    yield from fault((x < low) | (x > high), "x", "is outside its bin", "correct the point or its edges")
    step = np.diff(x, prepend=-np.inf)
    yield from fault(step == 0.0, "x", "is a duplicate of the row before", "keep one of the two points")
    yield from fault(step < 0.0, "x", "is below the row before: x must increase", "sort the rows by x")


def _overlap_faults(x: np.ndarray, low: np.ndarray, high: np.ndarray, fault: _RowFault) -> Iterator[DataError]:
    before = np.concatenate([[np.nan], high[:-1]])
    overlap = low < before * (1.0 - _EDGE_TOLERANCE)
    yield from fault(
        overlap & (np.diff(x, prepend=-np.inf) > 0.0),
        "x_low",
        "is below the upper edge of the row before: bins are not monotonic",
        "correct the edges; or, where several detectors measured bins that overlap, set 'bins_overlap' in the header "
        "(--bins-overlap of 'stellarcr data import')",
    )


def column_quantity(table: Table, name: str) -> u.Quantity:
    """Read one column of numbers in the schema's unit; cells that are empty become NaN.

    Parameters
    ----------
    table : astropy.table.Table
        A table whose header, columns and units have been checked.
    name : str
        Column of numbers.

    Returns
    -------
    astropy.units.Quantity, shape (n,)
        In GV or GeV for the points and edges, else in the unit of the value.
    """
    axis, quantity = table.meta["axis"], table.meta["quantity"]
    unit = _unit(AXES[axis] if name in X_COLUMNS else value_unit(quantity, axis))
    column = table[name]
    values: np.ndarray = np.ma.filled(np.ma.asarray(column, dtype=float), np.nan)
    return u.Quantity(values, column.unit or u.dimensionless_unscaled).to(unit)
