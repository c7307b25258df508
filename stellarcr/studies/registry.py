"""What `stellarcr data` prints and draws."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Console
from rich.table import Table

from ..data.registry import SpectrumEntry, list_spectra
from ..data.schema import AXES, AXIS_NAMES, X_COLUMNS, axis_code, value_unit
from ..data.selecting import find_spectra, is_pattern, measured
from ..errors import DataError

if TYPE_CHECKING:
    from ..data.spectrum import Spectrum
    from ..data.verification import Verification


_REFERENCE_WIDTH = 24
"""Columns below which a reference says nothing: it is left out of the list."""


def print_list(entries: Sequence[SpectrumEntry], as_json: bool) -> None:
    """Print tables, one a line.

    Parameters
    ----------
    entries : sequence of SpectrumEntry
        The tables.
    as_json : bool
        Print a list of objects with the keys ``name``, ``experiment``, ``quantity`` (what is measured: ``H``,
        ``B/C``, ``lnA``), ``axis``, ``points``, ``x_min``, ``x_max`` [GV or GeV] and ``reference``.
    """
    if as_json:
        listed = [
            {
                "name": entry.name,
                "experiment": entry.experiment,
                "quantity": measured(entry),
                "axis": entry.axis,
                "points": entry.points,
                "x_min": entry.x_min,
                "x_max": entry.x_max,
                "reference": entry.reference,
            }
            for entry in entries
        ]
        print(json.dumps(listed, indent=1, allow_nan=False))
        return
    old = any(entry.status != "recommended" for entry in entries)
    headings = ["name", "experiment", "measures", "axis", "points", "range", *(["status"] if old else [])]
    rows = []
    for entry in entries:
        span = f"{entry.x_min:.4g} to {entry.x_max:.4g} {AXES[entry.axis]}"
        cells = [entry.name, entry.experiment, measured(entry), entry.axis, str(entry.points), span]
        rows.append([*cells, *(["" if entry.status == "recommended" else entry.status] if old else [])])
    widths = [max(len(heading), *(len(row[i]) for row in rows)) for i, heading in enumerate(headings)]
    least = sum(widths) + 2 * len(widths) + 1
    console = _console()
    room = console.width - least - 2
    referenced = room > _REFERENCE_WIDTH
    console = _console(least)
    table = Table(title=f"{len(entries)} tables", title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for heading, width in zip(headings, widths, strict=True):
        # Without a least width, rich shortens every column instead of the references alone.
        right = heading in ("points", "range")
        table.add_column(heading, no_wrap=True, min_width=width, justify="right" if right else "left")
    if referenced:
        table.add_column("reference", no_wrap=True, max_width=room, overflow="ellipsis")
    for entry, row in zip(entries, rows, strict=True):
        text = entry.reference
        table.add_row(*row, *([text if len(text) <= room else f"{text[: room - 1]}…"] if referenced else []))
    console.print(table)
    axes = "; ".join(f"{code} {AXIS_NAMES[code]}" for code in AXES if any(entry.axis == code for entry in entries))
    console.print(f"measures: the species of a flux, the two of a ratio, or lnA; axis: {axes}")


def print_table(name: str, folder: Path | None, as_json: bool) -> None:
    """Print header and rows of one table.

    Parameters
    ----------
    name : str
        Name of the table.
    folder : Path, optional
        Where to look; by default the shipped tables.
    as_json : bool
        Print JSON.

    Raises
    ------
    DataError
        If there is no such table, with the nearest names.
    """
    if is_pattern(name):
        raise DataError(f"{name!r} is a pattern", remedy="name one table; 'stellarcr data list' names all")
    entry = find_spectra(list_spectra(folder), [name])[name][0]
    from ..data.tables import load_table

    spectrum = load_table(entry.path)
    columns = _columns(spectrum)
    if as_json:
        units = {"x": AXES[spectrum.axis], "value": value_unit(spectrum.quantity, spectrum.axis)}
        rows = [{key: _json_cell(cells[i]) for key, cells in columns.items()} for i in range(len(spectrum))]
        content = {
            "file": str(entry.path),
            "sha256": spectrum.sha256,
            "header": _plain(spectrum.metadata),
            "units": {key: units["x" if key in X_COLUMNS else "value"] for key in columns if key not in _NOT_NUMBERS},
            "rows": rows,
        }
        print(json.dumps(content, indent=1, allow_nan=False))
        return
    console = _console()
    for line in _header_lines(spectrum, entry.path):
        console.print(line, soft_wrap=True)
    console.print(_row_table(spectrum, columns))


_NOT_NUMBERS = ("upper_limit", "flag")


def _columns(spectrum: Spectrum) -> dict[str, Sequence[Any]]:
    columns: dict[str, Sequence[Any]] = {
        name: getattr(spectrum, name).value.tolist()
        for name in ("x_low", "x_high", "x", "value", "stat_low", "stat_high")
    }
    for component, (low, high) in spectrum.systematics.items():
        columns[f"systematic_{component}_low"] = low.value.tolist()
        columns[f"systematic_{component}_high"] = high.value.tolist()
    return {**columns, "upper_limit": spectrum.upper_limit.tolist(), "flag": spectrum.flags}


def _header_lines(spectrum: Spectrum, path: Path) -> list[str]:
    """Everything that the header says, the most important first."""
    meta = dict(spectrum.metadata)
    for key in ("schema", "name", "experiment", "species", "quantity", "axis", "hadronic_model", "reference"):
        meta.pop(key, None)
    quantity = {"flux": f"flux of {spectrum.species}", "lnA": "mean ln A", "ratio": f"ratio {spectrum.species}"}
    lines = [
        f"{spectrum.name}: {spectrum.experiment}, {quantity[spectrum.quantity]} against "
        f"{AXIS_NAMES[spectrum.axis]} ({spectrum.axis}), {len(spectrum)} points",
        f"  reference: {spectrum.reference}",
    ]
    if spectrum.hadronic_model:
        lines.append(f"  hadronic model: {spectrum.hadronic_model}")
    for key, value in meta.items():
        if isinstance(value, Mapping):
            lines += [f"  {key.replace('_', ' ')}, {name}: {text}" for name, text in value.items()]
        elif isinstance(value, tuple | list):
            lines += [f"  {key.rstrip('s')}: {text}" for text in value]
        elif value not in ("", None):
            lines.append(f"  {key.replace('_', ' ')}: {value}")
    return [*lines, f"  file: {path}", f"  SHA-256: {spectrum.sha256}"]


def _row_table(spectrum: Spectrum, columns: Mapping[str, Sequence[Any]]) -> Table:
    unit = value_unit(spectrum.quantity, spectrum.axis)
    nucleon = " per nucleon" if spectrum.axis == "EKN" else ""
    x_text = f"x in {AXES[spectrum.axis]}{nucleon}"
    table = Table(
        title=f"{x_text}; value and errors in {unit}{nucleon}" if unit else f"{x_text}; value and errors without unit",
        title_justify="left",
    )
    shown = {key: cells for key, cells in columns.items() if key not in _NOT_NUMBERS or any(cells)}
    for key in shown:
        heading = key.replace("systematic_", "systematic\n", 1).replace("_low", "\nlow").replace("_high", "\nhigh")
        table.add_column(heading.replace("x\n", "x "), justify="left" if key == "flag" else "right")
    for i in range(len(spectrum)):
        table.add_row(*(_text_cell(cells[i]) for cells in shown.values()))
    return table


def _text_cell(cell: Any) -> str:
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "yes" if cell else ""
    return f"{cell:.6g}" if math.isfinite(cell) else "-"


def _json_cell(cell: Any) -> Any:
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return cell
    return float(cell) if math.isfinite(cell) else None


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(inside) for key, inside in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(inside) for inside in value]
    return value if isinstance(value, str | int | float | bool | None) else str(value)


def print_verification(result: Verification, as_json: bool, quiet: bool) -> None:
    """Print what a verification found.

    Parameters
    ----------
    result : Verification
        From `stellarcr.data.verify`.
    as_json : bool
        Print an object with ``folder``, ``tables``, ``points``, ``hashed`` and ``faults``.
    quiet : bool
        Print faults only.
    """
    if as_json:
        print(json.dumps({**asdict(result), "folder": str(result.folder)}, indent=1))
        return
    hashes = "hashes were not checked: the folder has no SHA256SUMS"
    if result.hashed is not None:
        hashes = f"{result.hashed} hashes compared"
    if not result.faults:
        if not quiet:
            print(f"{result.tables} tables, {result.points} points: no fault ({hashes})")
        return
    by_file: dict[str, list[str]] = {}
    for fault in result.faults:
        by_file.setdefault(fault.file, []).append(f"  {fault.problem}\n    next: {fault.remedy}")
    for file, lines in by_file.items():
        print("\n".join([file, *lines]))
    print(f"{len(result.faults)} faults in {len(by_file)} of {result.tables} tables ({hashes})")


def draw_tables(
    names: Sequence[str],
    axis: str | None,
    scale: float | None,
    style: str,
    output: Path | None,
    folder: Path | None,
    species: str | None,
    status: str,
    x_range: tuple[float, float] | None = None,
) -> None:
    """Overlay tables in one figure, and say what was drawn.

    Parameters
    ----------
    names : sequence of str
        Names of tables or patterns.
    axis, scale, style, x_range
        As for `stellarcr.plots.overlay_plot`.
    output : Path, optional
        File; a suffix ``.pdf`` or ``.png`` is left out, since both are written. By default named after what is drawn.
    folder : Path, optional
        Tables besides the shipped ones; of two with one name, that of the folder is meant.
    species : str, optional
        What the tables that a pattern finds measure.
    status : {"recommended", "superseded", "all"}
        Which tables a pattern finds.

    Raises
    ------
    DataError
        If a name finds nothing, or the tables do not go into one figure. What a pattern finds is left out where it
        cannot be moved to `axis`.
    """
    if axis is not None:
        axis = axis_code(axis)
    entries = {entry.name: entry for entry in list_spectra()}
    if folder is not None:
        entries |= {entry.name: entry for entry in list_spectra(folder)}
    found = find_spectra(entries.values(), names, species=species, status=status)
    from ..data.tables import load_table
    from ..plots.data_overlay import overlay_plot
    from ..plots.overlay_axes import can_move, common_axis
    from ..plots.style import save

    spectra: list[Spectrum] = []
    for name, matches in found.items():
        loaded = [load_table(entry.path) for entry in matches]
        if is_pattern(name):
            # A table that is named must be drawn; what a pattern finds may lie on an axis that was not asked for.
            drawn = [s for s in loaded if axis is None or s.axis == axis or can_move(s)]
            print(f"{name}: {', '.join(spectrum.name for spectrum in drawn) or 'nothing more'}")
            if len(drawn) < len(loaded):
                rest = ", ".join(f"{s.name} ({s.axis})" for s in loaded if s not in drawn)
                print(f"left out, since they cannot be moved to {axis}: {rest}")
            loaded = drawn
        spectra += loaded
    chosen = axis or common_axis(spectra)
    figure = overlay_plot(spectra, axis=chosen, scale=scale, style=style, x_range=x_range)
    moved = [f"{spectrum.name} ({spectrum.axis})" for spectrum in spectra if spectrum.axis != chosen]
    if moved:
        print(f"moved to {chosen} with the dominant isotope of the element: {', '.join(moved)}")
    target = output or Path(_default_stem(spectra, chosen))
    target = target.with_suffix("") if target.suffix.lower() in (".pdf", ".png") else target
    for path in save(figure, target):
        print(path)


def _default_stem(spectra: Iterable[Spectrum], axis: str) -> str:
    species = dict.fromkeys("lnA" if spectrum.quantity == "lnA" else spectrum.species for spectrum in spectra)
    return "_".join([*(name.replace("+", "").replace("/", "_over_") for name in species), axis])


def _console(least: int = 0) -> Console:
    """Return a console as wide as the terminal, but not narrower than a table needs; 200 columns in a file or pipe."""
    plain = Console()
    return Console(width=max(least, plain.width) if plain.is_terminal else 200, markup=False, highlight=False)
