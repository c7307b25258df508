"""Spectra by species, scaled by a power of the axis, with populations, data and pulls."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, LogLocator, NullFormatter

from ..errors import ParameterError
from .spectrum_panel import DataSeries, FloatArray, SpectrumPanel
from .style import ONE_COLUMN, TWO_COLUMNS, LineLook, MarkerLook, experiment_looks, paper_style, population_looks

PULL_LIMIT = 4.5
"""Largest pull on the axis; larger ones are drawn as arrows at the edge."""
_SYMBOLS = {
    "R": ("R", "R", "GV"),
    "EK": (r"E_\mathrm{k}", r"E_\mathrm{k}", "GeV"),
    "EKN": (r"E_\mathrm{k}/n", r"(E_\mathrm{k}/n)", "GeV/n"),
    "ETOT": ("E", "E", "GeV"),
}
_NAMES = {"R": "Rigidity", "EK": "Kinetic energy", "EKN": "Kinetic energy per nucleon", "ETOT": "Energy"}
_PULL_BANDS = ((2.0, "#EFEFEF"), (1.0, "#DADADA"))


def spectra_plot(
    panels: SpectrumPanel | Sequence[SpectrumPanel],
    *,
    scale: float = 2.7,
    columns: int | None = None,
    pulls: bool = True,
    x_range: tuple[float, float] | None = None,
    band_label: str = "68% of the posterior",
) -> Figure:
    """Draw spectra of several species.

    Parameters
    ----------
    panels : SpectrumPanel or sequence of SpectrumPanel
        One per species, all on the same axis.
    scale : float
        Fluxes are multiplied by the axis to this power.
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
        If there is no panel, or panels have different axes.
    """
    listed = [panels] if isinstance(panels, SpectrumPanel) else list(panels)
    axes_codes = {panel.axis for panel in listed}
    if len(axes_codes) != 1:
        raise ParameterError(
            f"panels on the axes {sorted(axes_codes)} cannot share a figure" if axes_codes else "no panel to draw",
            remedy="give at least one panel, all on one axis",
        )
    n_columns = min(len(listed), columns or _default_columns(len(listed)))
    lines = population_looks(dict.fromkeys(name for panel in listed for name in panel.bands))
    markers = experiment_looks(dict.fromkeys(series.experiment for panel in listed for series in panel.data))
    pulls = pulls and any(series.pull is not None for panel in listed for series in panel.data)
    x_low, x_high = x_range or _x_range(listed)
    with paper_style():
        figure, grid = _layout(len(listed), n_columns, pulls)
        for index, (panel, (main, lower)) in enumerate(zip(listed, grid, strict=True)):
            _draw_model(main, panel, lines, scale)
            for series in panel.data:
                _draw_points(main, series, markers[series.experiment], scale)
            main.set_xscale("log")
            main.set_yscale("log")
            main.set_xlim(x_low, x_high)
            main.set_ylim(*_y_range(panel, scale, x_low, x_high))
            _log_ticks(main)
            main.annotate(
                panel.species, (0.0, 1.0), (5.0, -5.0), xycoords="axes fraction", textcoords="offset points",
                ha="left", va="top", fontsize=11.0,
            )  # fmt: skip
            if lower is not None:
                _draw_pulls(lower, panel, markers, x_low, x_high)
                main.tick_params(axis="x", labelbottom=False)
            bottom = index + n_columns >= len(listed)
            lowest = lower or main
            lowest.tick_params(axis="x", labelbottom=bottom)
            if bottom:
                lowest.set_xlabel(f"{_NAMES[panel.axis]} ${_SYMBOLS[panel.axis][0]}$ [{_SYMBOLS[panel.axis][2]}]")
            if index % n_columns == 0:
                main.set_ylabel(flux_label(panel.axis, scale))
                if lower is not None:
                    lower.set_ylabel(r"Pull [$\sigma$]")
        figure.align_ylabels([axes for pair in grid[::n_columns] for axes in pair if axes is not None])
        _legend(figure, listed, lines, markers, band_label)
    return figure


def flux_label(axis: str, scale: float) -> str:
    """Label of a scaled flux with its unit.

    Parameters
    ----------
    axis : {"R", "EK", "EKN", "ETOT"}
        Axis code.
    scale : float
        Power of the axis that multiplies the flux; 0 for the bare flux.
    """
    _, factor, unit = _SYMBOLS[axis]
    base, _, nucleon = unit.partition("/")
    power = f"{scale - 1:.3g}"
    per = rf"({base}/{nucleon})" if nucleon else base
    energy = {"1": f"{per} ", "0": ""}.get(power, rf"{per}$^{{{power}}}$ ")
    symbol = rf"{factor}^{{{scale:g}}}\,J" if scale else "J"
    return rf"${symbol}$ [{energy}m$^{{-2}}$ s$^{{-1}}$ sr$^{{-1}}$]"


def _default_columns(n: int) -> int:
    return 1 if n == 1 else 2 if n in (2, 4) else 3


def _layout(n: int, n_columns: int, pulls: bool) -> tuple[Figure, list[tuple[Axes, Axes | None]]]:
    """Pairs of axes (spectrum, pulls), row by row, below a header for the legend [all lengths in inches]."""
    n_rows = math.ceil(n / n_columns)
    width = ONE_COLUMN if n_columns == 1 else TWO_COLUMNS
    left, right, gap, bottom = 0.62, 0.06, 0.42, 0.42
    header = 0.95 if n_columns == 1 else 0.62
    panel = (width - left - right - gap * (n_columns - 1)) / n_columns
    main = min(2.4, 0.82 * panel if n_columns == 3 else 0.75 * panel)
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


def _draw_model(axes: Axes, panel: SpectrumPanel, lines: dict[str, LineLook], scale: float) -> None:
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
    options = _marker_options(look)
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


def _marker_options(look: MarkerLook) -> dict[str, Any]:
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


def _draw_pulls(axes: Axes, panel: SpectrumPanel, markers: dict[str, MarkerLook], x_low: float, x_high: float) -> None:
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
        axes.plot(x[inside], pull[inside], zorder=3.0, **_marker_options(look))
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
    _log_x_ticks(axes)


def _log_x_ticks(axes: Axes) -> None:
    """Decades, every one or every second as there is room, and minor ticks inside short ranges."""
    low, high = axes.get_xlim()
    decades = math.log10(high / low)
    axes.xaxis.set_major_locator(LogLocator(base=10.0 if decades < 5.5 else 100.0, numticks=12))
    minor = LogLocator(base=10.0, subs=tuple(range(2, 10)) if decades < 5.5 else (1.0,), numticks=120)
    axes.xaxis.set_minor_locator(minor)
    axes.xaxis.set_minor_formatter(NullFormatter())


def _log_ticks(axes: Axes) -> None:
    """Ticks of a spectrum: decades, or 1, 2, 5 where there is room for one decade only."""
    _log_x_ticks(axes)
    low, high = (math.log10(end) for end in axes.get_ylim())
    decades = range(math.floor(low), math.floor(high) + 1)
    factors = (1,) if sum(_is_clear(decade, low, high) for decade in decades) > 1 else (1, 2, 5)
    ticks = [factor * 10.0**decade for decade in decades for factor in factors]
    ticks = [tick for tick in ticks if low < math.log10(tick) < high]
    plain = len(factors) > 1 and low > -2.0 and high < 3.5
    labels = [f"{tick:g}" if plain else _power_of_ten(tick) for tick in ticks]
    clear = [_is_clear(math.log10(tick), low, high) for tick in ticks]
    axes.set_yticks(ticks, [label if shown else "" for label, shown in zip(labels, clear, strict=True)])
    axes.yaxis.set_minor_locator(LogLocator(base=10.0, subs=tuple(range(2, 10)), numticks=120))
    axes.yaxis.set_minor_formatter(NullFormatter())


def _is_clear(tick: float, low: float, high: float) -> bool:
    """Whether a label is so far from the ends of its axis that it touches no label of the neighbouring axes."""
    return low + 0.07 * (high - low) < tick < high - 0.05 * (high - low)


def _power_of_ten(value: float) -> str:
    power = math.floor(math.log10(value) + 1e-9)
    factor = round(value / 10.0**power)
    return f"$10^{{{power}}}$" if factor == 1 else rf"${factor}\times10^{{{power}}}$"


def _x_range(panels: Sequence[SpectrumPanel]) -> tuple[float, float]:
    points = [np.asarray(series.x, dtype=float) for panel in panels for series in panel.data]
    if not points:
        points = [np.asarray(panel.x, dtype=float) for panel in panels]
        return min(float(x.min()) for x in points), max(float(x.max()) for x in points)
    return min(float(x.min()) for x in points) / 1.4, max(float(x.max()) for x in points) * 1.6


def _y_range(panel: SpectrumPanel, scale: float, x_low: float, x_high: float) -> tuple[float, float]:
    """Range that holds the data, the total, and the components that reach a thirtieth of the data."""
    x = np.asarray(panel.x, dtype=float)
    seen = (x >= x_low) & (x <= x_high)
    highs, lows = [], []
    for series in panel.data:
        at = np.asarray(series.x, dtype=float)
        here = (at >= x_low) & (at <= x_high)
        scaled = (np.asarray(series.value) * at**scale)[here]
        error_low, error_high = (
            (np.asarray(error) * at**scale)[here] for error in (series.error_low, series.error_high)
        )
        highs.append(scaled + error_high)
        lows.append(np.maximum(scaled - error_low, 0.3 * scaled))
    curves = {name: (band.median * x**scale)[seen] for name, band in panel.bands.items()}
    if not lows:
        lows = [curve[curve > 0.01 * curve.max()] for curve in curves.values() if curve.max(initial=0.0) > 0]
    highs += [curve for name, curve in curves.items() if name == "total" or len(curves) == 1]
    low = min((float(part.min()) for part in lows if part.size), default=0.1)
    high = max((float(part.max()) for part in highs if part.size), default=1.0)
    peaks = [float(curve.max()) for curve in curves.values() if curve.size and curve.max() > 0]
    bottom = min([low, *(peak for peak in peaks if peak > low / 30.0)]) / 3.0
    # Room at the top for the species' name.
    low, high = math.log10(bottom), math.log10(high) + 0.22 * math.log10(high / bottom)
    # A little more room below where that gives the axis its second decade.
    decade = math.floor(low + 0.35)
    if decade + 1 < high and not _is_clear(decade, low, high):
        low = decade - 0.11 * (high - decade)
    return 10.0**low, 10.0**high


def _legend(
    figure: Figure,
    panels: Sequence[SpectrumPanel],
    lines: dict[str, LineLook],
    markers: dict[str, MarkerLook],
    band_label: str,
) -> None:
    """Populations and experiments above the panels, in as many columns as fit."""
    handles: list[Any] = [
        Line2D([], [], color=look.color, ls=look.line, lw=look.width, label=look.label) for look in lines.values()
    ]
    if any(band.low is not None for panel in panels for band in panel.bands.values()):
        handles.append(Patch(facecolor="#C8C8C8", label=band_label))
    handles += [Line2D([], [], label=name, **_marker_options(look)) for name, look in markers.items()]
    first = figure.axes[0].get_position()
    right = max(float(axes.get_position().x1) for axes in figure.axes)
    figure.legend(
        handles=handles, loc="lower left", mode="expand", borderaxespad=0.0,
        bbox_to_anchor=(first.x0, first.y1 + 0.04 / figure.get_figheight(), right - first.x0, 0.1),
        ncols=2 if figure.get_figwidth() < TWO_COLUMNS - 0.1 else 4, columnspacing=1.2, handletextpad=0.6,
    )  # fmt: skip
