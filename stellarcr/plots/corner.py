"""Corner plots: every parameter and every pair of parameters, for one run or several on top of each other."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from scipy.ndimage import gaussian_filter1d

from ..errors import ParameterError
from .columns import Column, FloatArray, PosteriorSamples, make_column, select_names
from .labels import fit_text, inner_ticks, value_with_errors
from .style import RUN_COLORS, TWO_COLUMNS, paper_style

with warnings.catch_warnings():
    # corner imports ArviZ where it is installed, and ArviZ announces its next version on import.
    warnings.simplefilter("ignore", FutureWarning)
    from corner import hist2d

MANY = 10
"""Above this number of parameters titles are left out unless asked for."""
_TRUTH_COLOR = "#444444"
_PRIOR_COLOR = "#7F7F7F"
_MAXIMUM_LINE = (0, (4, 2))
_TRUTH_LINE = (0, (5, 1.5, 1, 1.5))
_PRIOR_LINE = (0, (1, 1.2))


def corner_plot(
    runs: PosteriorSamples | Sequence[PosteriorSamples],
    parameters: str | Sequence[str] | None = None,
    *,
    truths: Mapping[str, float] | None = None,
    priors: Mapping[str, FloatArray] | None = None,
    show_maximum: bool = True,
    titles: bool | None = None,
    colors: Sequence[str] = RUN_COLORS,
    levels: Sequence[float] = (0.68, 0.95),
    smooth: float = 1.0,
) -> Figure:
    """Draw the marginals of one or several runs.

    Panels on the diagonal show densities with the central 68% shaded; panels below it show the smallest regions that
    hold the fractions `levels` of the samples. Positive parameters that span decades are shown as log10.

    Parameters
    ----------
    runs : run or sequence of runs
        Objects with ``name``, ``names``, ``labels``, ``units``, ``samples`` (n, n_parameters) of equal weight, and
        ``summary``, whose ``["parameters"][name]["map"]`` is the maximum. Runs may have different parameters.
    parameters : str or sequence of str, optional
        Names, patterns (``*.R_max``) or groups (``snr``); all by default.
    truths : mapping, optional
        Values to mark, by name.
    priors : mapping, optional
        Samples of the prior by name, drawn as a line on the diagonal.
    show_maximum : bool
        Whether to mark the maximum of the posterior where a run has one.
    titles : bool, optional
        Whether to print medians and 68% intervals above the diagonal; by default up to ten parameters.
    colors : sequence of str
        Colours of the runs.
    levels : sequence of float
        Fractions of the samples inside the contours.
    smooth : float
        Width of the Gaussian that smooths histograms [bins].

    Returns
    -------
    matplotlib.figure.Figure
        With one axes per parameter and per pair.

    Raises
    ------
    ParameterError
        If there is no run, no sample, or no parameter of that name.
    """
    listed: list[PosteriorSamples] = list(runs) if isinstance(runs, Sequence) else [runs]
    if not listed:
        raise ParameterError("no run to draw", remedy="give at least one run")
    known = tuple(dict.fromkeys(name for run in listed for name in run.names))
    names = select_names(known, parameters)
    truths, priors = truths or {}, priors or {}
    select_names(known, [*truths, *priors])

    layers = [_layer(run, colors[i % len(colors)], show_maximum) for i, run in enumerate(listed)]
    columns = [_column(name, layers, truths) for name in names]
    fonts = _fonts(len(columns))
    with paper_style({"xtick.top": False, "ytick.right": False, "lines.linewidth": 1.0, **fonts}):
        figure, grid = _panels(len(columns))
        for layer in layers:
            _draw_layer(grid, columns, layer, tuple(levels), smooth)
        _draw_priors(grid, columns, priors, smooth)
        _draw_truths(grid, columns, truths)
        _finish_axes(figure, grid, columns)
        if titles or (titles is None and len(columns) <= MANY):
            _draw_titles(grid, columns, layers)
        shown_truths = not truths.keys().isdisjoint(names)
        _draw_legend(figure, grid, layers, levels, not priors.keys().isdisjoint(names), shown_truths)
    return figure


@dataclass(frozen=True)
class _Layer:
    """One run: its samples by parameter, its maximum, its colour."""

    name: str
    color: str
    labels: Mapping[str, tuple[str, str]]
    samples: Mapping[str, FloatArray]
    maximum: Mapping[str, float]


def _layer(run: PosteriorSamples, color: str, show_maximum: bool) -> _Layer:
    samples = np.asarray(run.samples, dtype=float)
    if samples.ndim != 2 or samples.shape[0] == 0 or samples.shape[1] != len(run.names):
        raise ParameterError(
            f"run {run.name!r} has samples of shape {samples.shape} for {len(run.names)} parameters",
            remedy="samples have the shape (n_samples, n_parameters), with at least one sample",
        )
    described: Mapping[str, Any] = run.summary.get("parameters", {}) if show_maximum else {}
    return _Layer(
        name=run.name,
        color=color,
        labels={n: (label, unit) for n, label, unit in zip(run.names, run.labels, run.units, strict=True)},
        samples=dict(zip(run.names, samples.T, strict=True)),
        maximum={n: float(described[n]["map"]) for n in run.names if "map" in described.get(n, {})},
    )


def _column(name: str, layers: Sequence[_Layer], truths: Mapping[str, float]) -> Column:
    having = [layer for layer in layers if name in layer.samples]
    marks = [layer.maximum[name] for layer in having if name in layer.maximum]
    marks += [truths[name]] if name in truths else []
    label, unit = having[0].labels[name]
    return make_column(name, label, unit, [layer.samples[name] for layer in having], marks)


def _fonts(n: int) -> dict[str, float]:
    ticks = 7.5 if n <= 6 else 6.5
    return {"xtick.labelsize": ticks, "ytick.labelsize": ticks, "axes.labelsize": 9.0 if n <= 6 else 8.0}


def _panel_size(n: int) -> float:
    """Side of a panel [inch]: a page's width up to ten parameters, then as small as tick labels allow."""
    if n == 1:
        return 2.7
    return max(0.64, min(2.4, 6.4 / n))


def _panels(n: int) -> tuple[Figure, dict[tuple[int, int], Axes]]:
    """Lay out the lower triangle; keys are (row, column)."""
    panel, margin = _panel_size(n), 0.75
    gap = 0.06 * panel
    width = margin + n * panel + (n - 1) * gap + 0.1
    figure = Figure(figsize=(width, width))
    grid = {}
    for row in range(n):
        for column in range(row + 1):
            left = (margin + column * (panel + gap)) / width
            bottom = (margin + (n - 1 - row) * (panel + gap)) / width
            grid[row, column] = figure.add_axes((left, bottom, panel / width, panel / width))
    return figure, grid


def _bins(n_samples: int) -> int:
    """Number of bins: grows with the cube root of the sample, as the optimal width shrinks."""
    return int(np.clip(1.6 * n_samples ** (1 / 3), 12, 45))


def _density(values: FloatArray, column: Column, bins: int, smooth: float) -> tuple[FloatArray, FloatArray]:
    """Density of the values on a column's axis, normalised over all of them, and the bins' edges."""
    counts, edges = np.histogram(values, bins=bins, range=(column.low, column.high))
    density = counts / (values.size * np.diff(edges))
    return (gaussian_filter1d(density, smooth) if smooth > 0 else density), edges


def _draw_layer(
    grid: Mapping[tuple[int, int], Axes],
    columns: Sequence[Column],
    layer: _Layer,
    levels: tuple[float, ...],
    smooth: float,
) -> None:
    values = {c.name: c.shown(layer.samples[c.name]) for c in columns if c.name in layer.samples}
    maximum = {c.name: float(c.shown(layer.maximum[c.name])) for c in columns if c.name in layer.maximum}
    for row, vertical in enumerate(columns):
        if vertical.name not in values:
            continue
        own = values[vertical.name]
        bins = _bins(own.size)
        _draw_marginal(grid[row, row], own, vertical, layer.color, bins, smooth)
        if vertical.name in maximum:
            grid[row, row].axvline(maximum[vertical.name], color=layer.color, lw=0.8, ls=_MAXIMUM_LINE)
        for column, horizontal in enumerate(columns[:row]):
            if horizontal.name not in values:
                continue
            axes = grid[row, column]
            hist2d(
                values[horizontal.name],
                own,
                bins=max(12, int(0.75 * bins)),
                range=[(horizontal.low, horizontal.high), (vertical.low, vertical.high)],
                levels=levels,
                smooth=smooth or None,
                ax=axes,
                color=layer.color,
                quiet=True,
                plot_datapoints=False,
                plot_density=False,
                no_fill_contours=True,
                fill_contours=True,
                contour_kwargs={"linewidths": 0.7},
                contourf_kwargs={"colors": _fills(layer.color, len(levels)), "antialiased": True},
            )
            if {horizontal.name, vertical.name} <= maximum.keys():
                axes.plot(
                    maximum[horizontal.name],
                    maximum[vertical.name],
                    "*",
                    ms=6.5,
                    mew=0.5,
                    mec="white",
                    color=layer.color,
                    zorder=5,
                )


def _fills(color: str, n_levels: int) -> list[tuple[str, float]]:
    """Fills from outside the last contour (nothing) to inside the first."""
    return [(color, 0.5 * i / n_levels) for i in range(n_levels + 1)]


def _draw_marginal(axes: Axes, values: FloatArray, column: Column, color: str, bins: int, smooth: float) -> None:
    density, edges = _density(values, column, bins, smooth)
    axes.stairs(density, edges, color=color, lw=1.0)
    # The shaded interval ends inside a bin: draw the step curve finely and cut it.
    low, high = np.quantile(values, [0.16, 0.84])
    fine = np.linspace(max(low, column.low), min(high, column.high), 400)
    inside = density[np.clip(np.searchsorted(edges, fine, side="right") - 1, 0, bins - 1)]
    axes.fill_between(fine, inside, color=color, alpha=0.22, lw=0)


def _draw_priors(
    grid: Mapping[tuple[int, int], Axes], columns: Sequence[Column], priors: Mapping[str, FloatArray], smooth: float
) -> None:
    for index, column in enumerate(columns):
        if column.name in priors:
            values = column.shown(np.ravel(priors[column.name]))
            density, edges = _density(values, column, 30, smooth)
            grid[index, index].stairs(density, edges, baseline=None, color=_PRIOR_COLOR, lw=0.9, ls=_PRIOR_LINE)


def _draw_truths(grid: Mapping[tuple[int, int], Axes], columns: Sequence[Column], truths: Mapping[str, float]) -> None:
    look: dict[str, Any] = {"color": _TRUTH_COLOR, "lw": 0.7, "ls": _TRUTH_LINE, "zorder": 4}
    for (row, column), axes in grid.items():
        if columns[column].name in truths:
            axes.axvline(float(columns[column].shown(truths[columns[column].name])), **look)
        if row != column and columns[row].name in truths:
            axes.axhline(float(columns[row].shown(truths[columns[row].name])), **look)


def _finish_axes(figure: Figure, grid: Mapping[tuple[int, int], Axes], columns: Sequence[Column]) -> None:
    n = len(columns)
    ticks = [inner_ticks(column.low, column.high, 4 if n <= 3 else 3) for column in columns]
    turned: dict[str, Any] = {"rotation": 45, "rotation_mode": "anchor", "ha": "right", "va": "top"} if n > 6 else {}
    texts = []
    for (row, column), axes in grid.items():
        axes.set_xlim(columns[column].low, columns[column].high)
        axes.set_xticks(*ticks[column], **turned)
        axes.tick_params(axis="x", labelbottom=row == n - 1)
        if row == column:
            axes.set_yticks([])
            axes.set_ylim(0.0, 1.12 * axes.dataLim.y1)
        else:
            axes.set_ylim(columns[row].low, columns[row].high)
            axes.set_yticks(*ticks[row])
            axes.tick_params(axis="y", labelleft=column == 0)
        width, height = axes.get_window_extent().size
        if row == n - 1:
            texts.append((axes.set_xlabel(columns[column].axis_label("\n")), width, False))
        if column == 0 and row > 0:
            texts.append((axes.set_ylabel(columns[row].axis_label("\n")), height, True))
    fit_text(figure, texts)
    figure.align_xlabels([grid[n - 1, column] for column in range(n)])
    figure.align_ylabels([grid[row, 0] for row in range(1, n)])


def _draw_titles(grid: Mapping[tuple[int, int], Axes], columns: Sequence[Column], layers: Sequence[_Layer]) -> None:
    """Medians and 68% intervals: flush left, so that long ones run into the empty triangle."""
    for index, column in enumerate(columns):
        having = [layer for layer in layers if column.name in layer.samples]
        for line, layer in enumerate(reversed(having)):
            low, median, high = np.quantile(column.shown(layer.samples[column.name]), [0.16, 0.5, 0.84])
            number = value_with_errors(median, median - low, high - median)
            if column.power_of_ten:
                number += rf"$\,\times\,10^{{{column.power_of_ten}}}$"
            grid[index, index].annotate(
                f"${column.label}=$ {number}" if line == len(having) - 1 else number,
                (0.0, 1.0),
                (0.0, 1.0 + 12.0 * line),
                xycoords="axes fraction",
                textcoords="offset points",
                va="bottom",
                fontsize=7.5,
                color="black" if len(having) == 1 else layer.color,
            )


def _draw_legend(
    figure: Figure,
    grid: Mapping[tuple[int, int], Axes],
    layers: Sequence[_Layer],
    levels: Sequence[float],
    with_priors: bool,
    with_truths: bool,
) -> None:
    handles: list[Any] = [
        Patch(facecolor=(layer.color, 0.4), edgecolor=layer.color, label=layer.name) for layer in layers
    ]
    if any(layer.maximum for layer in layers):
        star: dict[str, Any] = {"marker": "*", "ms": 6.5, "mew": 0.5, "mec": "white"}
        color = layers[0].color if len(layers) == 1 else "black"
        handles.append(Line2D([], [], color=color, lw=0.8, ls=_MAXIMUM_LINE, label="MAP", **star))
    if with_truths:
        handles.append(Line2D([], [], color=_TRUTH_COLOR, lw=0.7, ls=_TRUTH_LINE, label="Truth"))
    if with_priors:
        handles.append(Line2D([], [], color=_PRIOR_COLOR, lw=0.9, ls=_PRIOR_LINE, label="Prior"))
    n = 1 + max(row for row, _ in grid)
    inside = " and ".join(f"{100 * level:g}%" for level in levels)
    title = f"Contours: {inside}" if n > 1 else None
    # A figure wider than a page is shrunk when it is printed.
    size = 8.0 * max(1.0, float(figure.get_figwidth()) / TWO_COLUMNS)
    # The empty upper triangle has room from three parameters on; before that the legend stands right of the panels.
    corner = grid[0, 0].get_position()
    right = grid[n - 1, n - 1].get_position().x1
    where: dict[str, Any] = {"loc": "upper right", "bbox_to_anchor": (right, corner.y1)}
    if n < 3:
        where = {"loc": "upper left", "bbox_to_anchor": (corner.x1, corner.y1)}
    figure.legend(
        handles=handles, title=title, fontsize=size, title_fontsize=size, alignment="left", borderaxespad=0.3, **where
    )
