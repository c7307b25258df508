"""Spectra by species, scaled by a power of the axis, with populations, data and pulls."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, MaxNLocator

from ..errors import ParameterError
from .axis_labels import AXIS_LABELS, AXIS_SYMBOLS, flux_label, ratio_label
from .labels import fit_text, population_label
from .legends import legend_columns, legend_on_top
from .log_ticks import label_log_y, log_x_ticks
from .spectra_ranges import ratio_y_range, spectra_x_range, spectra_y_range
from .spectrum_panel import DataSeries, FloatArray, SpectrumPanel
from .style import (
    ONE_COLUMN,
    TWO_COLUMNS,
    LineLook,
    MarkerLook,
    experiment_looks,
    paper_style,
    population_looks,
    style_width,
)

PULL_LIMIT = 4.5
"""Largest pull on the axis; larger ones are drawn as arrows at the edge."""
_NARROW = {
    "axes.labelsize": 7.5, "xtick.labelsize": 6.5, "ytick.labelsize": 6.5, "legend.fontsize": 7.0,
    "xtick.major.size": 2.5, "ytick.major.size": 2.5, "xtick.minor.size": 1.4, "ytick.minor.size": 1.4,
}  # fmt: skip
"""Settings of panels that are narrower than two inches."""
_PULL_BANDS = ((2.0, "#EFEFEF"), (1.0, "#DADADA"))


def spectra_plot(
    panels: SpectrumPanel | Sequence[SpectrumPanel],
    *,
    scale: float = 2.7,
    style: str | None = None,
    columns: int | None = None,
    pulls: bool = True,
    x_range: tuple[float, float] | None = None,
    band_label: str = "68% of the posterior",
) -> Figure:
    """Draw spectra of several species, or ratios of fluxes.

    Parameters
    ----------
    panels : SpectrumPanel or sequence of SpectrumPanel
        One per species, all on the same axis; all fluxes or all ratios.
    scale : float
        Fluxes are multiplied by the axis to this power; ratios are not.
    style : {"one-column", "two-column"}, optional
        Width; by default one column of a journal for one panel side by side, else two.
    columns : int, optional
        Panels side by side; by default one, two, or three.
    pulls : bool
        Whether to draw pulls below the spectra.
    x_range : tuple of float, optional
        Range of the axis [GV or GeV]; by default that of the data (of the curves without data).
    band_label : str
        What the legend says of the bands.

    Returns
    -------
    matplotlib.figure.Figure
        For every panel an axes with the spectrum and, with `pulls`, one beneath it.

    Raises
    ------
    ParameterError
        If there is no panel, panels have different axes, fluxes and ratios are mixed, or the style is unknown.
    """
    listed = [panels] if isinstance(panels, SpectrumPanel) else list(panels)
    lines = curve_looks(listed)
    with paper_style():
        handles: list[Any] = [
            Line2D([], [], color=look.color, ls=look.line, lw=look.width, label=look.label) for look in lines.values()
        ]
        if any(band.low is not None for panel in listed for band in panel.bands.values()):
            handles.append(Patch(facecolor="#C8C8C8", label=band_label))
    return draw_panels(listed, lines, handles, {"total"}, scale, style, columns, pulls, x_range)


def curve_looks(panels: Sequence[SpectrumPanel]) -> dict[str, LineLook]:
    """Give the curves of panels their lines, with the labels that the populations have.

    Parameters
    ----------
    panels : sequence of SpectrumPanel
        Panels of one or several runs.
    """
    labels = {name: band.label for panel in panels for name, band in panel.bands.items()}
    return {
        name: replace(look, label=population_label(name, labels[name]))
        for name, look in population_looks(labels).items()
    }


def draw_panels(
    panels: Sequence[SpectrumPanel],
    lines: Mapping[str, LineLook],
    handles: Sequence[Any],
    totals: Collection[str],
    scale: float = 2.7,
    style: str | None = None,
    columns: int | None = None,
    pulls: bool = True,
    x_range: tuple[float, float] | None = None,
) -> Figure:
    """Draw panels whose curves have given looks; the parameters are those of `spectra_plot` but for these.

    Parameters
    ----------
    panels : sequence of SpectrumPanel
        One per species, all on the same axis.
    lines : mapping
        Look of every curve.
    handles : sequence of artists
        What the legend says of the curves; experiments are added.
    totals : collection of str
        Curves that must be inside the axes.
    """
    axes_codes = {panel.axis for panel in panels}
    if len(axes_codes) != 1:
        raise ParameterError(
            f"panels on the axes {sorted(axes_codes)} cannot share a figure" if axes_codes else "no panel to draw",
            remedy="give at least one panel, all on one axis",
        )
    ratios = panels[0].shows_ratio
    if any(panel.shows_ratio != ratios for panel in panels):
        raise ParameterError(
            f"fluxes and ratios cannot share a figure: {', '.join(panel.species for panel in panels)}",
            remedy="draw them one after another",
        )
    if not math.isfinite(scale):
        raise ParameterError(f"scale = {scale} is not finite", remedy="give a power of the axis, such as 2.7")
    scale = 0.0 if ratios else scale
    n_columns = min(len(panels), columns or _default_columns(len(panels), style))
    markers = experiment_looks(dict.fromkeys(series.experiment for panel in panels for series in panel.data))
    handles = [*handles, *(Line2D([], [], label=name, **marker_options(look)) for name, look in markers.items())]
    pulls = pulls and any(series.pull is not None for panel in panels for series in panel.data)
    x_low, x_high = x_range or spectra_x_range(panels)
    width = style_width(style) if style else ONE_COLUMN if n_columns == 1 else TWO_COLUMNS
    narrow = (width / n_columns) < 2.0
    with paper_style(_NARROW if narrow else None):
        # In one column of a journal the legend may stand over the labels of the axis too.
        span = (0.05, width - 0.05) if width < TWO_COLUMNS else (0.6, width - 0.06)
        ncols = legend_columns(handles, span[1] - span[0], 2 if width < TWO_COLUMNS else 4)
        figure, grid = _layout(len(panels), n_columns, pulls, width, math.ceil(len(handles) / ncols))
        for index, (panel, (main, lower)) in enumerate(zip(panels, grid, strict=True)):
            _draw_model(main, panel, lines, scale)
            for series in panel.data:
                _draw_points(main, series, markers[series.experiment], scale)
            main.set_xscale("log")
            main.set_xlim(x_low, x_high)
            _set_y_axis(main, panel, scale, totals)
            main.annotate(
                panel.species, (0.0, 1.0), (5.0, -5.0), xycoords="axes fraction", textcoords="offset points",
                ha="left", va="top", fontsize=9.0 if narrow else 11.0,
            )  # fmt: skip
            if lower is not None:
                draw_pulls(lower, panel, markers, x_low, x_high)
                main.tick_params(axis="x", labelbottom=False)
            bottom = index + n_columns >= len(panels)
            lowest = lower or main
            lowest.tick_params(axis="x", labelbottom=bottom)
            if bottom:
                name = "" if narrow else f"{AXIS_LABELS[panel.axis]} "
                lowest.set_xlabel(f"{name}${AXIS_SYMBOLS[panel.axis][0]}$ [{AXIS_SYMBOLS[panel.axis][2]}]")
            if index % n_columns == 0:
                text = ratio_label(panels) if ratios else flux_label(panel.axis, scale)
                label = main.set_ylabel(text)
                fit_text(figure, [(label, main.get_window_extent().height, True)], smallest=4.5)
                if lower is not None:
                    label = lower.set_ylabel(r"Pull [$\sigma$]")
                    fit_text(figure, [(label, 0.85 * lower.get_window_extent().height, True)], smallest=4.5)
        figure.align_ylabels([axes for pair in grid[::n_columns] for axes in pair if axes is not None])
        legend_on_top(figure, handles, ncols, span)
    return figure


def _set_y_axis(axes: Axes, panel: SpectrumPanel, scale: float, totals: Collection[str]) -> None:
    """Logarithmic, but linear for a ratio that stays within a small factor."""
    x_low, x_high = axes.get_xlim()
    logarithmic = True
    if panel.shows_ratio:
        low, high, logarithmic = ratio_y_range(panel, x_low, x_high, totals)
    else:
        low, high = spectra_y_range(panel, scale, x_low, x_high, totals)
    axes.set_yscale("log" if logarithmic else "linear")
    axes.set_ylim(low, high)
    log_x_ticks(axes)
    if logarithmic:
        label_log_y(axes)
    else:
        axes.yaxis.set_major_locator(MaxNLocator(nbins=5, prune="both"))


def _default_columns(n: int, style: str | None) -> int:
    if style == "one-column":
        return 1 if n <= 3 else 2
    return 1 if n == 1 else 2 if n in (2, 4) else 3


def _layout(
    n: int, n_columns: int, pulls: bool, width: float, legend_rows: int
) -> tuple[Figure, list[tuple[Axes, Axes | None]]]:
    """Pairs of axes (spectrum, pulls), row by row, below a header for the legend [all lengths in inches]."""
    n_rows = math.ceil(n / n_columns)
    narrow = (width / n_columns) < 2.0
    left, right, gap, bottom = (0.5, 0.06, 0.34, 0.36) if narrow else (0.62, 0.06, 0.42, 0.42)
    header = 0.12 + 0.16 * legend_rows
    panel = (width - left - right - gap * (n_columns - 1)) / n_columns
    main = min(2.4, 0.82 * panel if n_columns == 3 else 0.9 * panel if narrow else 0.75 * panel)
    lower = 0.34 * main if pulls else 0.0
    row_gap = 0.1
    height = header + n_rows * (main + lower) + (n_rows - 1) * row_gap + bottom
    figure = Figure(figsize=(width, height))
    grid: list[tuple[Axes, Axes | None]] = []
    for index in range(n):
        row, column = divmod(index, n_columns)
        x = left + column * (panel + gap)
        y = height - header - (row + 1) * (main + lower) - row * row_gap
        spectrum = figure.add_axes((x / width, (y + lower) / height, panel / width, main / height))
        beneath = figure.add_axes((x / width, y / height, panel / width, lower / height)) if pulls else None
        grid.append((spectrum, beneath))
    return figure, grid


def _draw_model(axes: Axes, panel: SpectrumPanel, lines: Mapping[str, LineLook], scale: float) -> None:
    factor = np.asarray(panel.x, dtype=float) ** scale
    for name, band in panel.bands.items():
        look = lines[name]
        if band.low is not None and band.high is not None:
            axes.fill_between(
                panel.x, band.low * factor, band.high * factor, color=look.color, alpha=0.22, lw=0, zorder=1.5
            )
        axes.plot(panel.x, band.median * factor, color=look.color, ls=look.line, lw=look.width, zorder=2.0)


def _draw_points(axes: Axes, series: DataSeries, look: MarkerLook, scale: float) -> None:
    """Points with total errors, an inner cap for the statistical ones, arrows for upper limits."""
    limits = series.limits
    x = np.asarray(series.x, dtype=float)
    factor = x**scale
    value = np.asarray(series.value) * factor
    kept = ~limits
    errors = np.array([series.error_low * factor, series.error_high * factor])
    options = marker_options(look)
    axes.errorbar(
        x[kept], value[kept], yerr=errors[:, kept], xerr=_x_errors(series, kept), zorder=3.0, elinewidth=0.5, capsize=0,
        **options,
    )  # fmt: skip
    if series.stat_low is not None and series.stat_high is not None:
        inner = np.array([series.stat_low * factor, series.stat_high * factor])
        axes.errorbar(
            x[kept], value[kept], yerr=inner[:, kept], ls="", ecolor=look.color, elinewidth=0.9, capsize=1.2,
            capthick=0.5, zorder=2.9,
        )  # fmt: skip
    if limits.any():
        drawn: ErrorbarContainer = axes.errorbar(
            x[limits], value[limits], yerr=0.35 * value[limits], xerr=_x_errors(series, limits), uplims=True,
            ls="", marker="", color=look.color, elinewidth=0.6, capsize=1.6, zorder=3.0,
        )  # fmt: skip
        for cap in drawn[1]:
            cap.set_markeredgewidth(0.4)


def marker_options(look: MarkerLook) -> dict[str, Any]:
    """Give matplotlib's settings of an experiment's marker."""
    return {
        "ls": "", "marker": look.marker, "ms": look.size, "color": look.color,
        # A thin white rim parts filled points from the line beneath them.
        "mew": 0.25 if look.filled else 0.6,
        "mec": "white" if look.filled else look.color,
        "mfc": look.color if look.filled else "white",
    }  # fmt: skip


def _x_errors(series: DataSeries, kept: Any) -> FloatArray | None:
    """Bars over the bins; none where no edges are known."""
    if series.x_low is None or series.x_high is None:
        return None
    x = np.asarray(series.x, dtype=float)
    bars = np.array([x - series.x_low, series.x_high - x])[:, kept]
    return np.where(np.isfinite(bars), np.maximum(bars, 0.0), 0.0)


def draw_pulls(
    axes: Axes, panel: SpectrumPanel, markers: Mapping[str, MarkerLook], x_low: float, x_high: float
) -> None:
    """Draw the pulls of a panel's data over bands of one and two; larger ones are arrows at the edge."""
    for limit, shade in _PULL_BANDS:
        axes.axhspan(-limit, limit, color=shade, lw=0, zorder=0)
    axes.axhline(0.0, color="black", lw=0.6, zorder=1)
    largest = 3.0
    for series in panel.data:
        if series.pull is None:
            continue
        pull = np.asarray(series.pull, dtype=float)
        x, look = np.asarray(series.x, dtype=float), markers[series.experiment]
        shown = np.isfinite(pull) & ~series.limits & (x >= x_low) & (x <= x_high)
        inside = shown & (np.abs(pull) <= PULL_LIMIT)
        axes.plot(x[inside], pull[inside], zorder=3.0, **marker_options(look))
        if inside.any():
            largest = max(largest, 1.15 * float(np.abs(pull[inside]).max()))
        for marker, beyond, edge in (("^", pull > PULL_LIMIT, 0.93), ("v", pull < -PULL_LIMIT, 0.07)):
            there = shown & beyond
            if there.any():
                axes.plot(
                    x[there], np.full(there.sum(), edge), ls="", marker=marker, ms=3.5, mew=0, color=look.color,
                    transform=axes.get_xaxis_transform(), zorder=4.0, label=f"beyond {PULL_LIMIT:g}",
                )  # fmt: skip
                largest = 1.15 * PULL_LIMIT
    axes.set_xscale("log")
    axes.set_xlim(x_low, x_high)
    axes.set_ylim(-largest, largest)
    axes.yaxis.set_major_locator(FixedLocator([-2.0, 0.0, 2.0]))
    axes.yaxis.set_minor_locator(FixedLocator([-4.0, -3.0, -1.0, 1.0, 3.0, 4.0]))
    log_x_ticks(axes)
