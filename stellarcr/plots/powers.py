"""Injected powers of the populations against their mechanical budgets."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from scipy.ndimage import gaussian_filter1d

from .columns import FloatArray, make_column
from .labels import text_size, unit_latex, value_with_errors
from .legends import legend_columns, legend_on_top
from .log_ticks import label_log_x
from .powers_data import PopulationPower, population_powers, populations_without_power
from .selection import run_labels
from .style import paper_style, run_color, style_width

_NOTE_SIZE = 7.0
_NOTE_LINE = 0.13
"""Height of a line of the note below the panels [inch]."""
_NO_BUDGET = "no budget"
_BUDGET_COLOR = "black"
_AXIS_LABELS = {"erg/yr": "Injected power", "erg": "Injected energy"}


def powers_plot(runs: Any, *, style: str = "one-column", labels: Sequence[str] | None = None) -> Figure:
    """Draw the injected power of every population, for one run or several side by side.

    Each bar has the median (dot), the central 68% (thick) and 95% (thin) over the posterior density; a black tick is
    the mechanical budget. Beside it stands the efficiency, power over budget, as median with its 68% interval.
    Energies of bursts stand in a panel of their own. A fixed power is a dot; a population whose power the run does not
    tell is named below.

    Parameters
    ----------
    runs : run or sequence of runs
        Finished runs (`stellarcr.infer.runs.Run`); neither model nor data are needed.
    style : {"one-column", "two-column"}
        Width of the figure.
    labels : sequence of str, optional
        Names of the runs in the legend; by default their own.

    Returns
    -------
    matplotlib.figure.Figure
        One axes for powers, one for energies where a run has some.

    Raises
    ------
    RunError
        If a run has no power of any population.
    ParameterError
        If the style is unknown, or there are not as many labels as runs.
    """
    listed = list(runs) if isinstance(runs, Sequence) else [runs]
    names = run_labels(listed, labels)
    powers = [population_powers(run) for run in listed]
    units = list(dict.fromkeys(power.unit for of_run in powers for power in of_run))
    width = style_width(style)
    with paper_style({"xtick.top": False, "ytick.right": False, "ytick.major.size": 0.0}):
        rows = {unit: _rows(powers, unit) for unit in units}
        handles = _handles(names, any(row.budget is not None for of_unit in rows.values() for row in _all(of_unit)))
        ncols = legend_columns(handles, width - 0.1, 5)
        notes = _notes(listed, names, width)
        figure, axes = _layout(rows, len(listed), width, math.ceil(len(handles) / ncols), _NOTE_LINE * len(notes))
        for unit, panel in zip(units, axes, strict=True):
            _draw_panel(panel, rows[unit], len(listed), unit)
        for line, note in enumerate(reversed(notes)):
            figure.text(0.05 / width, (0.04 + _NOTE_LINE * line) / figure.get_figheight(), note, fontsize=_NOTE_SIZE)
        legend_on_top(figure, handles, ncols, (0.05, width - 0.05), gap=0.18)
    return figure


_Rows = list[tuple[str, list[PopulationPower | None]]]


def _rows(powers: Sequence[Sequence[PopulationPower]], unit: str) -> _Rows:
    """Label and the power in each run (None where it lacks the population), population by population."""
    names = dict.fromkeys(power.name for of_run in powers for power in of_run if power.unit == unit)
    rows: _Rows = []
    for name in names:
        found = [next((p for p in of_run if p.name == name and p.unit == unit), None) for of_run in powers]
        rows.append((next(power.label for power in found if power is not None), found))
    return rows


def _notes(runs: Sequence[Any], names: Sequence[str], width: float) -> list[str]:
    """Lines that name the populations that cannot be drawn."""
    absent: dict[str, list[str]] = {}
    for run, name in zip(runs, names, strict=True):
        for label in populations_without_power(run):
            absent.setdefault(label, []).append(name)
    if not absent:
        return []
    parts = [label if len(runs) == 1 else f"{label} ({', '.join(having)})" for label, having in absent.items()]
    text = f"Power neither sampled nor fixed, not drawn: {', '.join(parts)}"
    letter = text_size(text, _NOTE_SIZE)[0] / len(text) / 72.0
    return textwrap.wrap(text, max(20, int(0.95 * (width - 0.1) / letter)))


def _all(rows: _Rows) -> list[PopulationPower]:
    return [power for _, found in rows for power in found if power is not None]


def _layout(
    rows: dict[str, _Rows], n_runs: int, width: float, legend_rows: int, below: float
) -> tuple[Figure, list[Axes]]:
    """Panels one above the other, between the names of the populations and the efficiencies [inches]."""
    each = max(0.27, 0.17 * n_runs + 0.06)
    label = max(text_size(_wrapped(text, width), 8.0)[0] for of_unit in rows.values() for text, _ in of_unit)
    left, right = label / 72.0 + 0.12, 0.95
    bottom, gap, header = 0.42 + below, 0.5, 0.25 + 0.16 * legend_rows
    heights = [each * len(of_unit) + 0.1 for of_unit in rows.values()]
    height = header + sum(heights) + gap * (len(heights) - 1) + bottom
    figure = Figure(figsize=(width, height))
    axes, top = [], height - header
    for tall in heights:
        box = (left / width, (top - tall) / height, (width - left - right) / width, tall / height)
        axes.append(figure.add_axes(box))
        top -= tall + gap
    return figure, axes


def _wrapped(text: str, width: float) -> str:
    """A long name on two lines where the figure is narrow."""
    breaks = [index for index, letter in enumerate(text) if letter == " " and text[:index].count("$") % 2 == 0]
    if width > 5.0 or len(text) <= 12 or not breaks:
        return text
    middle = min(breaks, key=lambda index: abs(2 * index - len(text)))
    return f"{text[:middle]}\n{text[middle + 1 :]}"


def _draw_panel(axes: Axes, rows: _Rows, n_runs: int, unit: str) -> None:
    drawn = _all(rows)
    column = make_column("power", "P", unit, [np.log10(power.values) for power in drawn])
    budgets = [float(np.log10(power.budget)) for power in drawn if power.budget is not None]
    low, high = min([column.low, *budgets]) - 0.08, max([column.high, *budgets]) + 0.12
    step = 0.8 / n_runs
    for place, (_, found) in enumerate(rows):
        for index, power in enumerate(found):
            if power is None:
                continue
            y = place + (index - 0.5 * (n_runs - 1)) * step
            _draw_power(axes, power, y, step, run_color(index))
            axes.annotate(
                _efficiency(power), (1.0, y), (5.0, 0.0), xycoords=("axes fraction", "data"),
                textcoords="offset points", va="center", fontsize=7.0,
                color=run_color(index) if n_runs > 1 and power.budget is not None else "black",
            )  # fmt: skip
            if power.budget is not None:
                axes.plot([power.budget] * 2, [y - 0.5 * step, y + 0.5 * step], color=_BUDGET_COLOR, lw=1.6, zorder=4)
        if place:
            axes.axhline(place - 0.5, color="#C8C8C8", lw=0.4, zorder=0)
    width = float(axes.get_figure(root=True).get_figwidth())  # type: ignore[union-attr]
    axes.set_xscale("log")
    axes.set_xlim(10.0**low, 10.0**high)
    label_log_x(axes, 2 if width < 5.0 else 6)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_yticks(range(len(rows)), [_wrapped(label, width) for label, _ in rows])
    axes.set_xlabel(f"{_AXIS_LABELS.get(unit, 'Amplitude')} [{unit_latex(unit)}]")
    if budgets:
        what = "Power" if unit == "erg/yr" else "Energy"
        axes.annotate(
            f"{what} / budget", (1.0, 1.0), (5.0, 3.0), xycoords="axes fraction", textcoords="offset points",
            va="bottom", fontsize=7.0,
        )  # fmt: skip


def _draw_power(axes: Axes, power: PopulationPower, y: float, step: float, color: str) -> None:
    """Density of log10 of the power as a violin, with the intervals inside."""
    low2, low1, median, high1, high2 = np.quantile(power.values, [0.025, 0.16, 0.5, 0.84, 0.975])
    if power.values.size > 1 and high2 > low2:
        x, density = _violin(np.log10(power.values))
        half = 0.46 * step * density / density.max()
        axes.fill_between(10.0**x, y - half, y + half, color=color, alpha=0.25, lw=0, zorder=1)
        axes.plot([low2, high2], [y, y], color=color, lw=0.9, zorder=2, solid_capstyle="butt")
        axes.plot([low1, high1], [y, y], color=color, lw=2.6, zorder=3, solid_capstyle="butt")
    axes.plot([median], [y], "o", ms=3.4, color="white", mec=color, mew=0.9, zorder=5)


def _violin(logarithms: FloatArray) -> tuple[FloatArray, FloatArray]:
    column = make_column("power", "P", "", [logarithms])
    counts, edges = np.histogram(logarithms, bins=column.bins, range=(column.low, column.high))
    return 0.5 * (edges[1:] + edges[:-1]), gaussian_filter1d(counts.astype(float), 1.0)


def _efficiency(power: PopulationPower) -> str:
    """Median of power over budget with its 68% interval."""
    fixed = ", fixed" if np.ptp(power.values) == 0.0 else ""
    if power.budget is None:
        return f"{_NO_BUDGET}{fixed}"
    low, median, high = np.quantile(power.values / power.budget, [0.16, 0.5, 0.84])
    if 1e-3 <= median < 1e3:
        return f"{value_with_errors(median, median - low, high - median)}{fixed}"
    exponent = int(np.floor(np.log10(median)))
    factor = 10.0**exponent
    number = value_with_errors(median / factor, (median - low) / factor, (high - median) / factor)
    return number + rf"$\,\times10^{{{exponent}}}${fixed}"


def _handles(names: Sequence[str], with_budget: bool) -> list[Any]:
    handles: list[Any] = [
        Patch(facecolor=(run_color(index), 0.4), edgecolor=run_color(index), label=name)
        for index, name in enumerate(names)
    ]
    grey = "#606060"
    handles.append(Line2D([], [], ls="", marker="o", ms=3.4, mfc="white", mec=grey, mew=0.9, label="Median"))
    handles.append(Line2D([], [], color=grey, lw=2.6, label="Central 68%"))
    handles.append(Line2D([], [], color=grey, lw=0.9, label="Central 95%"))
    if with_budget:
        handles.append(Line2D([], [], ls="", marker="|", ms=7, mew=1.6, color=_BUDGET_COLOR, label="Mechanical budget"))
    return handles
