"""How well runs describe the data: pulls against rigidity, their distribution, and chi2 of every data set."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from scipy.stats import chi2 as chi2_distribution
from scipy.stats import norm

from ..errors import ParameterError, RunError
from .columns import FloatArray
from .labels import text_size
from .legends import legend_columns, legend_on_top
from .log_ticks import log_x_ticks
from .selection import run_labels
from .spectra import draw_pulls, marker_options
from .spectrum_panel import SpectrumPanel
from .style import ONE_COLUMN, experiment_looks, paper_style, run_color, style_width

CAUTION = (
    "p: chance of a larger $\\chi^2$ with as many degrees of freedom\nas points; fitted parameters make it too large"
)
_SMALL_P = 0.01
_TOTAL = "All data"
_LONG_BAR = 15.0
"""Largest chi2 per point on a linear axis; with a larger one the axis is logarithmic and bars start at one."""
_SPECIES_ROOM = 0.36
"""Room for the names of species right of the strips [inch]."""
_SHADE = "#9A9A9A"


def pulls_plot(
    runs: Any,
    panels: Sequence[SpectrumPanel] = (),
    *,
    style: str = "two-column",
    labels: Sequence[str] | None = None,
) -> Figure:
    """Draw how well runs describe their data at the maximum of the posterior.

    Bars show chi2 per point of every data set, with its p-value from the chi2 distribution with as many degrees of
    freedom as points: as parameters were fitted, p is too large. For one run with `panels` the figure also has the
    pulls, (data - model) / total error, against rigidity by species, and their distribution over a unit Gaussian.

    Parameters
    ----------
    runs : run or sequence of runs
        Finished runs (`stellarcr.infer.runs.Run`); their ``summary["map"]["chi2"]`` is drawn.
    panels : sequence of SpectrumPanel
        Data with their pulls on the rigidity axis, of one run.
    style : {"one-column", "two-column"}
        Width of the figure.
    labels : sequence of str, optional
        Names of the runs in the legend; by default their own.

    Returns
    -------
    matplotlib.figure.Figure
        The last axes has the bars.

    Raises
    ------
    ParameterError
        If panels are given for several runs, the style is unknown, or there are not as many labels as runs.
    RunError
        If a run has no chi2 of its data sets.
    """
    listed = list(runs) if isinstance(runs, Sequence) else [runs]
    names = run_labels(listed, labels)
    if panels and len(listed) > 1:
        raise ParameterError(f"pulls of {len(listed)} runs cannot share a figure", remedy="draw one run at a time")
    terms = [_terms(run) for run in listed]
    width = style_width(style)
    sets = list(dict.fromkeys(name for of_run in terms for name in of_run))
    with paper_style({"xtick.top": False, "ytick.right": False}):
        if not panels:
            return _bars_alone(names, terms, sets, width)
        looks = experiment_looks(dict.fromkeys(series.experiment for panel in panels for series in panel.data))
        handles = [Line2D([], [], label=name, **marker_options(look)) for name, look in looks.items()]
        figure, strips, distribution, bars = _layout(len(panels), sets, width, handles)
        _draw_strips(strips, panels, looks)
        _draw_distribution(distribution, panels)
        _draw_bars(bars, terms, sets)
    return figure


def _terms(run: Any) -> dict[str, tuple[float, int]]:
    """Give chi2 and number of points by data set, the sum last."""
    stored = (run.summary.get("map") or {}).get("chi2")
    if not stored:
        raise RunError(
            f"run {run.name!r} keeps no chi2 of its data sets",
            where=str(getattr(run, "path", "")),
            remedy="run it again with this version",
        )
    terms = {name: (float(term["chi2"]), int(term["points"])) for name, term in stored.items()}
    total = sum(value for value, _ in terms.values()), sum(points for _, points in terms.values())
    return {**terms, _TOTAL: total}


def _order(sets: Sequence[str]) -> list[str]:
    """Data sets in the order of the first run; the sum last."""
    return [*(name for name in sets if name != _TOTAL), _TOTAL]


def _bar_height(n_runs: int) -> float:
    """Height of the bars of one data set [inch]."""
    return max(0.155, 0.1 * n_runs + 0.04)


def _name_width(sets: Sequence[str]) -> float:
    return max(text_size(name, 7.0)[0] for name in sets) / 72.0 + 0.12


def _bars_alone(
    names: Sequence[str], terms: Sequence[dict[str, tuple[float, int]]], sets: Sequence[str], width: float
) -> Figure:
    handles = [Patch(facecolor=run_color(i), label=name) for i, name in enumerate(names)] if len(names) > 1 else []
    ncols = legend_columns(handles, width - 0.2, 4) if handles else 1
    header = 0.2 + 0.16 * math.ceil(len(handles) / ncols)
    tall, bottom = _bar_height(len(names)) * len(sets), 0.72
    left, right, height = _name_width(sets), 0.75, header + tall + bottom
    figure = Figure(figsize=(width, height))
    axes = figure.add_axes((left / width, bottom / height, (width - left - right) / width, tall / height))
    _draw_bars(axes, terms, sets)
    if handles:
        legend = legend_on_top(figure, handles, ncols)
        legend.set_bbox_to_anchor((left / width, 1.0 - (header - 0.18) / height, (width - left) / width, 0.1))
    return figure


def _layout(
    n_panels: int, sets: Sequence[str], width: float, handles: Sequence[Any]
) -> tuple[Figure, list[Axes], Axes, Axes]:
    """Strips of pulls with their distribution below, and the bars beside them, or below in one column [inches]."""
    bottom, gap, left = 0.72, 0.5, 0.5
    narrow = width == ONE_COLUMN
    # In one column everything stands one below the other, and a page is 9.5 inches high.
    strip, low, right = (0.37, 0.85, 0.8) if narrow else (0.46, 1.05, 0.8)
    name, bars_tall = _name_width(sets), (0.13 if narrow else _bar_height(1)) * len(sets)
    left_tall = n_panels * strip + gap + low
    first = width - left - _SPECIES_ROOM if narrow else 0.5 * (width - left - _SPECIES_ROOM - name - right)
    ncols = legend_columns(handles, first, len(handles))
    header = 0.14 + 0.16 * math.ceil(len(handles) / ncols)
    if narrow:
        height = header + left_tall + gap + bars_tall + bottom
        bars_box = (name, bottom, width - name - right, bars_tall)
    else:
        height = header + max(left_tall + 0.42, bars_tall + bottom)
        start = left + first + _SPECIES_ROOM + name
        bars_box = (start, height - header - bars_tall, width - start - right, bars_tall)
    figure = Figure(figsize=(width, height))

    def add(x: float, y: float, w: float, h: float) -> Axes:
        return figure.add_axes((x / width, y / height, w / width, h / height))

    strips = [add(left, height - header - (index + 1) * strip, first, strip) for index in range(n_panels)]
    distribution = add(left, height - header - left_tall, first, low)
    bars = add(*bars_box)
    legend_on_top(figure, handles, ncols, (left, left + first))
    return figure, strips, distribution, bars


def _draw_strips(strips: Sequence[Axes], panels: Sequence[SpectrumPanel], looks: Any) -> None:
    points = np.concatenate([np.asarray(series.x, dtype=float) for panel in panels for series in panel.data])
    low, high = float(points.min()) / 1.4, float(points.max()) * 1.6
    for axes, panel in zip(strips, panels, strict=True):
        draw_pulls(axes, panel, looks, low, high)
        # Every strip has the same scale, with room for arrows at its edges.
        axes.set_ylim(-5.2, 5.2)
        axes.set_yticks([-3.0, 0.0, 3.0])
        axes.set_yticks([], minor=True)
        axes.tick_params(axis="x", labelbottom=axes is strips[-1])
        axes.annotate(
            panel.species, (1.0, 0.5), (4.0, 0.0), xycoords="axes fraction", textcoords="offset points",
            ha="left", va="center", fontsize=8.0,
        )  # fmt: skip
        log_x_ticks(axes)
    strips[len(strips) // 2].set_ylabel(r"(Data $-$ model) / error")
    strips[-1].set_xlabel("Rigidity $R$ [GV]")


def _pulls(panels: Sequence[SpectrumPanel]) -> FloatArray:
    """All pulls; upper limits have none."""
    parts = [
        np.asarray(series.pull, dtype=float)[~series.limits]
        for panel in panels
        for series in panel.data
        if series.pull is not None
    ]
    together = np.concatenate(parts)
    return together[np.isfinite(together)]


def _draw_distribution(axes: Axes, panels: Sequence[SpectrumPanel]) -> None:
    pulls = _pulls(panels)
    inside = np.clip(pulls, -4.99, 4.99)
    counts, edges = np.histogram(inside, bins=40, range=(-5.0, 5.0))
    density = counts / (pulls.size * (edges[1] - edges[0]))
    axes.stairs(density, edges, fill=True, color=_SHADE, lw=0)
    x = np.linspace(-5.0, 5.0, 200)
    axes.plot(x, norm.pdf(x), color="black", lw=1.0, ls=(0, (4, 2)))
    axes.set_xlim(-5.0, 5.0)
    top = 1.3 * max(float(density.max()), 0.4)
    axes.set_ylim(0.0, top)
    axes.set_xlabel(r"Pull [$\sigma$]; beyond 5 in the last bin")
    axes.set_ylabel("Density")
    for text, x_at, align, line in (
        (f"{pulls.size} pulls\nmean {pulls.mean():+.2f}, s.d. {pulls.std():.2f}", 0.0, "left", 4.0),
        ("dashed:\nunit Gaussian", 1.0, "right", -4.0),
    ):
        axes.annotate(
            text.replace("-", "\N{MINUS SIGN}"), (x_at, 1.0), (line, -4.0), xycoords="axes fraction",
            textcoords="offset points", ha=align, va="top", fontsize=7.0,
        )  # fmt: skip


def _draw_bars(axes: Axes, terms: Sequence[dict[str, tuple[float, int]]], sets: Sequence[str]) -> None:
    """Bars of chi2 per point with p-values beside them; a line at one."""
    names, n_runs = _order(sets), len(terms)
    step = 0.84 / n_runs
    largest = max(value / points for of_run in terms for value, points in of_run.values())
    for place, name in enumerate(names):
        for index, of_run in enumerate(terms):
            if name not in of_run:
                continue
            value, points = of_run[name]
            y = place + (index - 0.5 * (n_runs - 1)) * step
            # The length of a bar on a logarithmic axis has no meaning of its own: there bars start at one.
            start = 1.0 if largest > _LONG_BAR else 0.0
            axes.barh(
                y, value / points - start, height=0.9 * step, left=start, color=run_color(index), alpha=0.75, lw=0
            )
            p = float(chi2_distribution.sf(value, points))
            axes.annotate(
                _p_value(p), (1.0, y), (5.0, 0.0), xycoords=("axes fraction", "data"), textcoords="offset points",
                va="center", fontsize=7.0 if n_runs == 1 else 5.8, fontweight="bold" if p < _SMALL_P else "normal",
                color=run_color(index) if n_runs > 1 else "black",
            )  # fmt: skip
    axes.axvline(1.0, color="black", lw=0.7, ls=(0, (4, 2)), zorder=3)
    axes.axhline(len(names) - 1.5, color="black", lw=0.4)
    if largest > _LONG_BAR:
        axes.set_xscale("log")
        smallest = min(value / points for of_run in terms for value, points in of_run.values())
        axes.set_xlim(min(0.5, 0.7 * max(smallest, 1e-3)), 1.3 * largest)
    else:
        axes.set_xlim(0.0, 1.06 * max(largest, 1.1))
    axes.set_ylim(len(names) - 0.45, -0.55)
    axes.set_yticks(range(len(names)), names, fontsize=7.0)
    axes.tick_params(axis="y", length=0.0)
    axes.annotate(
        "p", (1.0, 1.0), (5.0, 2.0), xycoords="axes fraction", textcoords="offset points", va="bottom", fontsize=7.0
    )
    axes.set_xlabel(r"$\chi^2$ per point at the maximum")
    axes.annotate(
        CAUTION, (0.0, 0.0), (0.0, -30.0), xycoords="axes fraction", textcoords="offset points", va="top",
        fontsize=6.5,
    )  # fmt: skip


def _p_value(p: float) -> str:
    """Two digits, or a power of ten."""
    if p >= 0.0095:
        return f"{p:.2f}"
    if p < 1e-99:
        return "$<10^{-99}$"
    digit, exponent = f"{p:.0e}".split("e")
    return rf"${digit}\times10^{{{int(exponent)}}}$"
