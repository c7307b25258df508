"""A spectrum as a short table of text."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import numpy as np
from astropy import units as u

from .schema import AXIS_NAMES, value_unit

if TYPE_CHECKING:
    from .spectrum import ErrorPair, Spectrum

_HEAD, _TAIL = 6, 4
_WIDTH = 100


def spectrum_table(spectrum: Spectrum) -> str:
    """Lay out a spectrum for reading: what it is, its reference, and its first and last points.

    Parameters
    ----------
    spectrum : Spectrum
        The spectrum; more than ten points are shortened to the first six and the last four.
    """
    model = f" ({spectrum.hadronic_model})" if spectrum.hadronic_model else ""
    quantity = {"lnA": "<ln A>"}.get(spectrum.quantity, spectrum.quantity)
    written = value_unit(spectrum.quantity, spectrum.axis)
    unit = written if spectrum.value.unit == u.Unit(written) else spectrum.value.unit.to_string()
    if spectrum.axis == "EKN" and unit:
        unit += ", per nucleon"
    period = spectrum.metadata.get("data_period")
    source = f"{spectrum.reference}; data of {period}" if period else str(spectrum.reference)
    superseded = ", superseded" if spectrum.metadata.get("status") == "superseded" else ""
    limits = int(np.count_nonzero(spectrum.upper_limit))
    lines = [
        f"{spectrum.experiment} {spectrum.species}{model}: {quantity} against {AXIS_NAMES[spectrum.axis]} "
        f"[{spectrum.x.unit}], {len(spectrum)} points" + (f", {limits} upper limits" if limits else "") + superseded,
        *textwrap.wrap(source, _WIDTH, initial_indent="  ", subsequent_indent="  "),
        f"  values and errors in {unit}" if unit else "  values and errors are plain numbers",
        *_rows(spectrum),
        *_remarks(spectrum),
    ]
    return "\n".join(lines)


def _rows(spectrum: Spectrum) -> list[str]:
    columns: dict[str, list[str]] = {}
    if np.any(np.isfinite(spectrum.x_low.value)):
        columns["x_low"] = _numbers(spectrum.x_low.value)
        columns["x_high"] = _numbers(spectrum.x_high.value)
    columns["x"] = _numbers(spectrum.x.value)
    marks = ["<" if limit else "" for limit in spectrum.upper_limit]
    columns["value"] = [m + f"{v:.4g}" for m, v in zip(marks, spectrum.value.value, strict=True)]
    columns["stat"] = _errors((spectrum.stat_low, spectrum.stat_high))
    for name, pair in spectrum.systematics.items():
        columns[f"sys {name}"] = _errors(pair)
    count = len(spectrum)
    short = count > _HEAD + _TAIL
    shown = [*range(_HEAD), *range(count - _TAIL, count)] if short else list(range(count))
    rows = [list(columns), *[[cells[i] for cells in columns.values()] for i in shown]]
    widths = [max(len(row[i]) for row in rows) for i in range(len(columns))]
    lines = ["  " + "  ".join(cell.rjust(w) for cell, w in zip(row, widths, strict=True)) for row in rows]
    if short:
        lines.insert(1 + _HEAD, "  " + "  ".join("...".rjust(width) for width in widths))
    return lines


def _remarks(spectrum: Spectrum) -> list[str]:
    remarks: dict[str, list[str]] = {}
    for x, flag in zip(spectrum.x.value, spectrum.flags, strict=True):
        if flag:
            remarks.setdefault(flag, []).append(f"{x:.4g}")
    return [
        line
        for flag, where in remarks.items()
        for line in textwrap.wrap(
            f"at x = {', '.join(where)}: {flag}", _WIDTH, initial_indent="  ! ", subsequent_indent="    "
        )
    ]


def _numbers(values: np.ndarray) -> list[str]:
    return [f"{value:.5g}" if np.isfinite(value) else "-" for value in values]


def _errors(pair: ErrorPair) -> list[str]:
    low, high = (quantity.value for quantity in pair)
    return [
        f"{up:.3g}" if down == up or not np.isfinite(down) else f"-{down:.3g}+{up:.3g}"
        for down, up in zip(low, high, strict=True)
    ]
