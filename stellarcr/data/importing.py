"""Turns a user's table into a valid table of stellarcr: columns by role, units, errors, header."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from astropy.table import Column, Table

from .._version import __version__
from ..errors import DataError, nearest
from .converting import ConvertedColumns
from .description import Missing, TableDescription, missing, resolve_quantity, with_header
from .roles import ROLES, column_roles, components
from .schema import AXES, SCHEMA, TRUTHS, check_axis, value_unit
from .spectrum import Spectrum
from .tables import load_table
from .user_table import UserTable, read_user_table
from .validation import faults
from .verification import ROW_FAULT, SUMS, identify

_NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._+-]*$")
_DIGITS = 12
"""Significant digits that are written: more than any publication gives, fewer than a change of units spoils."""
_SHOWN_FAULTS = 12


@dataclass(frozen=True)
class ImportedTable:
    """A table that was written.

    Attributes
    ----------
    path : pathlib.Path
        The file.
    spectrum : Spectrum
        What it holds.
    """

    path: Path
    spectrum: Spectrum


def import_table(
    file: str | Path,
    folder: str | Path,
    description: TableDescription,
    *,
    separator: str = "comma",
    decimal_comma: bool = False,
    overwrite: bool = False,
) -> ImportedTable:
    r"""Write a user's CSV or ECSV file as a table of stellarcr into a folder.

    Parameters
    ----------
    file : str or pathlib.Path
        CSV file with column names in its first line, or ECSV file.
    folder : str or pathlib.Path
        Where to; made if needed. The file is called like the table.
    description : TableDescription
        What the columns do not say: axis, units, species, reference.
    separator : str
        What stands between the cells of a CSV file.
    decimal_comma : bool
        Numbers of a CSV file are written with a comma, such as 2,7.
    overwrite : bool
        Replace a table of the same name.

    Returns
    -------
    ImportedTable
        The new file and its content.

    Raises
    ------
    DataError
        If anything that is needed is missing (everything that is, with the option that gives it), a unit cannot be
        parsed or is of the wrong kind, the result has any fault (all of them), or the file exists.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from stellarcr.data import TableDescription, import_table
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "mine.csv").write_text("E,flux,stat\n1,2e-5,1e-6\n2,3e-6,2e-7\n")
    >>> imported = import_table(
    ...     folder / "mine.csv",
    ...     folder,
    ...     TableDescription(
    ...         experiment="MINE", species="H", axis="EK", unit_x="TeV", unit_value="GeV^-1 m^-2 s^-1 sr^-1",
    ...         reference="typed by hand", columns={"x": "E", "value": "flux"},
    ...     ),
    ... )
    >>> imported.spectrum
    <Spectrum MINE H: flux on EK, 2 points>
    """
    source = read_user_table(file, separator, decimal_comma)
    complete = with_header(description, source)
    needed = missing(source, complete)
    if needed:
        raise missing_error(source, needed)
    table = build_table(source, complete)
    path = _target(Path(folder), str(table.meta["name"]), overwrite)
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f".{path.name}.partial")
    table.write(scratch, format="ascii.ecsv", overwrite=True)
    scratch.replace(path)
    return ImportedTable(path, load_table(path))


def missing_error(source: UserTable, needed: Sequence[Missing]) -> DataError:
    """Make one error of everything that is missing.

    Parameters
    ----------
    source : UserTable
        The file.
    needed : sequence of Missing
        From `stellarcr.data.description.missing`.
    """
    unknown = [item.key.partition(".")[2] for item in needed if item.key.startswith("columns.")]
    others = [item.key for item in needed if not item.key.startswith("columns.")]
    parts = []
    if unknown:
        parts.append(f"unknown columns: {', '.join(map(repr, unknown))}")
    if others:
        parts.append(f"not given: {', '.join(dict.fromkeys(others))}")
    options = [item.option for item in needed]
    if unknown:
        options.insert(len(unknown), f"where NAME is one of {', '.join(ROLES)}")
    return DataError("; ".join(parts), where=str(source.path), remedy="give\n    " + "\n    ".join(options))


def build_table(source: UserTable, description: TableDescription) -> Table:
    """Make a table of the schema, and refuse one with any fault.

    Parameters
    ----------
    source : UserTable
        The file.
    description : TableDescription
        With nothing missing.

    Returns
    -------
    astropy.table.Table
        In GV or GeV, per m2 s sr.

    Raises
    ------
    DataError
        For cells that are no numbers, units that do not fit, and all faults of the result.
    """
    where = str(source.path)
    axis = check_axis(description.axis)
    species, quantity = resolve_quantity(description, where)
    roles = column_roles(source, description.columns, description.ignore)
    for name in description.systematics:
        if name not in components(roles):
            raise DataError(
                f"--systematic {name!r} describes an error that no column holds",
                where=where,
                remedy=nearest(name, components(roles)),
            )
    columns = ConvertedColumns(source, description, roles, axis, quantity)
    table = Table(meta=_header(source, description, species, quantity, list(roles)))
    for name in ("x_low", "x_high", "x"):
        table[name] = Column(_rounded(columns.x(name)), unit=AXES[axis], description=_DESCRIPTIONS[name])
    unit = value_unit(quantity, axis) or None
    noun = {"flux": "flux", "lnA": "mean logarithmic mass"}.get(quantity, quantity)
    table["value"] = Column(_rounded(columns.value), unit=unit, description=noun)
    for name in ("stat", *(f"systematic_{component}" for component in components(roles))):
        text = "statistical error" if name == "stat" else f"systematic error ({name.removeprefix('systematic_')})"
        for side, word in (("low", "downwards"), ("high", "upwards")):
            table[f"{name}_{side}"] = Column(
                _rounded(columns.error(name, side)), unit=unit, description=f"{text}, {word}"
            )
    rows = len(source.lines)
    limits = source.truths(roles["upper_limit"]) if "upper_limit" in roles else np.zeros(rows, bool)
    flags = list(source.columns[roles["flag"]]) if "flag" in roles else [""] * rows
    table["upper_limit"] = Column(limits, description="value is an upper limit")
    table["flag"] = Column(flags, dtype=str, description="remark on this row")
    _refuse_faults(table, source, roles)
    return table


_DESCRIPTIONS = {
    "x_low": "lower bin edge; nan where none is published",
    "x_high": "upper bin edge; nan where none is published",
    "x": "representative point of the bin",
}


def _header(
    source: UserTable, description: TableDescription, species: str, quantity: str, roles: Sequence[str]
) -> dict[str, object]:
    notes = [description.notes] if description.notes else []
    power = description.value_multiplied_by_x_to
    if power:
        notes.append(f"Published as the flux times x^{power:g}; divided by it at x.")
    if description.x_from_edges:
        notes.append(f"x is the {description.x_from_edges} centre of the bin.")
    if description.no_statistical_errors:
        notes.append("No statistical errors are published; they are set to zero.")
    for role, kind in description.relative_errors.items():
        notes.append(f"{role} was given as a {kind} of the value.")
    reference = {key: getattr(description, key) for key in ("doi", "arxiv", "table")}
    return {
        "schema": SCHEMA,
        "name": description.name or default_name(description, species),
        "experiment": description.experiment,
        "species": species,
        "quantity": quantity,
        "axis": description.axis,
        "hadronic_model": description.hadronic_model,
        "status": "recommended",
        "reference": {"text": description.reference, **reference},
        "systematics": {name: str(description.systematics[name]) for name in components(roles)},
        **{key: True for key in TRUTHS if getattr(description, key)},
        "data_period": description.data_period,
        "notes": notes,
        "provenance": f"{source.path.name} (SHA-256 {source.sha256}), imported by stellarcr {__version__}",
    }


def default_name(description: TableDescription, species: str) -> str:
    """Name of a table in the way of the shipped ones: experiment, species, hadronic model."""
    measured = "lnA" if resolve_quantity(description, "")[1] == "lnA" else species
    parts = [description.experiment, measured.replace("+", "").replace("/", "_over_"), description.hadronic_model]
    return "_".join(re.sub(r"[^A-Za-z0-9._+-]+", "-", part.strip()) for part in parts if part.strip())


def _refuse_faults(table: Table, source: UserTable, roles: Mapping[str, str]) -> None:
    where = str(source.path)
    # A symmetric error is two columns of the table, and one of the file: its faults are told once.
    found = {fault.problem: fault for fault in (_in_file(f, source, roles) for f in faults(table, where=where))}
    if len(found) == 1:
        raise next(iter(found.values()))
    if found:
        shown = [f"{problem} ({fault.remedy})" for problem, fault in found.items()]
        if len(shown) > _SHOWN_FAULTS:
            shown = [*shown[:_SHOWN_FAULTS], f"and {len(shown) - _SHOWN_FAULTS} more"]
        raise DataError(
            f"{len(found)} faults:\n    " + "\n    ".join(shown),
            where=where,
            remedy="correct the file, or how it is described",
        )


def _in_file(fault: DataError, source: UserTable, roles: Mapping[str, str]) -> DataError:
    """Name line, column and cell of the user's file, instead of those of the table that was made of it."""
    cell = ROW_FAULT.match(fault.problem)
    if not cell:
        return fault
    row, name = int(cell["row"]) - 1, cell["column"]
    column = roles.get(name) or roles.get(name.removesuffix("_low").removesuffix("_high"))
    if column is None:  # x from edges, and errors that are not there
        return DataError(
            f"{source.place(row)}, {name} = {cell['value']} {cell['problem']}", where=fault.where, remedy=fault.remedy
        )
    return source.cell_error(row, column, cell["problem"], fault.remedy)


def _target(folder: Path, name: str, overwrite: bool) -> Path:
    if not _NAME.match(name):
        raise DataError(
            f"{name!r} cannot name a table", where=str(folder), remedy="use letters, digits, and . _ + - in --name"
        )
    if folder.exists() and not folder.is_dir():
        raise DataError("the output is a file, not a folder", where=str(folder), remedy="name a folder with --output")
    if any((parent / SUMS).is_file() for parent in (folder, *folder.resolve().parents)):
        raise DataError(
            f"the folder belongs to tables that are listed in {SUMS}",
            where=str(folder),
            remedy="keep your own tables in a folder of your own",
        )
    path = folder / f"{name}.ecsv"
    if path.exists() and not overwrite:
        raise DataError("the table exists", where=str(path), remedy="give --overwrite to replace it, or another --name")
    for other in folder.rglob("*.ecsv") if folder.is_dir() else ():
        if other != path and identify(other).name == name:
            raise DataError(f"another table is named {name!r}", where=str(other), remedy="give another --name")
    return path


def _rounded(values: np.ndarray) -> np.ndarray:
    return np.array([float(f"{value:.{_DIGITS}g}") for value in values])
