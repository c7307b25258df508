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
from .columns import Column, FloatArray, PosteriorSamples, make_column, resolving_bins
from .corner_layout import Grid, corner_layout, finish_axes, make_panels, place_legend
from .labels import text_size, value_with_errors
from .prior_curves import prior_curve, same_curves
from .selection import chosen_names, run_labels, select_names
from .style import RUN_COLORS, paper_style, run_line

with warnings.catch_warnings():
    # corner imports ArviZ where it is installed, and ArviZ announces its next version on import.
    warnings.simplefilter("ignore", FutureWarning)
    from corner import hist2d

MANY = 10
"""Above this number of parameters titles are left out unless asked for."""

FEW_SAMPLES = 50
"""Below this number of samples a run has no contours: only its maximum is marked (project choice)."""

_TRUTH_COLOR = "#444444"
_PRIOR_COLOR = "#5A5A5A"
_MAXIMUM_LINE = (0, (1, 1.2))
_TRUTH_LINE = (0, (5, 1.5, 1, 1.5))
_PRIOR_LINE = (0, (2.4, 1.4))


def corner_plot(
    runs: PosteriorSamples | Sequence[PosteriorSamples],
    parameters: str | Sequence[str] | None = None,
    groups: str | Sequence[str] | None = None,
    *,
    style: str = "two-column",
    priors: bool = True,
    labels: Sequence[str] | None = None,
    truths: Mapping[str, float] | None = None,
    show_maximum: bool = True,
    titles: bool | None = None,
    colors: Sequence[str] = RUN_COLORS,
    levels: Sequence[float] = (0.68, 0.95),
    smooth: float = 1.0,
) -> Figure:
    """Draw the marginals of one or several runs.

    Panels on the diagonal show densities with the central 68% shaded; panels below it show the smallest regions that
    hold the fractions `levels` of the samples. All runs share ranges, and bins on the diagonal. Positive parameters
    that span decades are shown as log10. A thin tail that would fill most of an axis is cut (`columns.REACH`);
    densities are normalised over all samples all the same.

    Parameters
    ----------
    runs : run or sequence of runs
        Objects with ``name``, ``names``, ``labels``, ``units``, ``samples`` (n, n_parameters) of equal weight, and
        ``summary``, whose ``["parameters"][name]["map"]`` is the maximum; where they have them, ``prior``, ``priors``
        and ``groups`` as in `stellarcr.infer.runs.Run`. Runs may have different parameters.
    parameters : str or sequence of str, optional
        Names, patterns (``*.R_max``) or what stands before the dot (``snr``); all by default.
    groups : str or sequence of str, optional
        ``populations``, ``nearby`` (or ``type_ia``), ``propagation``, ``nuisances``; added to `parameters`.
    style : {"one-column", "two-column"}
        Width of the figure.
    priors : bool
        Whether to draw the prior densities on the diagonal. Runs that kept none are named in the legend.
    labels : sequence of str, optional
        Names of the runs in the legend; by default their own.
    truths : mapping, optional
        Values to mark, by name.
    show_maximum : bool
        Whether to mark the maximum of the posterior where a run has one.
    titles : bool, optional
        Whether to print medians and 68% intervals above the diagonal; by default up to ten parameters, where there
        is room.
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
        If there is no run, no sample, no parameter or group of that name, more parameters than a column can show, or
        runs have no parameter in common.
    RunError
        If `groups` are asked of runs that did not keep them.
    """
    listed: list[PosteriorSamples] = list(runs) if isinstance(runs, Sequence) else [runs]
    names = chosen_names(listed, parameters, groups)
    truths = truths or {}
    select_names(tuple(name for run in listed for name in run.names), list(truths))
    shown_labels = run_labels(listed, labels)
    layers = [
        _layer(run, label, (colors[i % len(colors)], run_line(i)), show_maximum)
        for i, (run, label) in enumerate(zip(listed, shown_labels, strict=True))
    ]
    columns = [_column(name, layers, truths) for name in names]
    with paper_style():
        layout = corner_layout(columns, style)
    with paper_style(layout.settings):
        figure, grid = make_panels(layout, len(columns))
        for layer in layers:
            _draw_layer(grid, columns, layer, tuple(levels), smooth, layout.settings["lines.linewidth"])
        finish_axes(figure, grid, columns, layout)
        handles: list[Any] = [_run_handle(layer, names) for layer in layers]
        if any(layer.maximum for layer in layers):
            handles.append(_maximum_handle(layers))
        if priors:
            handles += _draw_priors(grid, columns, listed, layers)
        handles += _draw_truths(grid, columns, truths)
        if titles or (titles is None and len(columns) <= MANY):
            _draw_titles(figure, grid, columns, layers, layout.tick_size, forced=bool(titles))
        inside = " and ".join(f"{100 * level:g}%" for level in levels)
        contours = len(columns) > 1 and any(layer.many for layer in layers)
        title = f"Contours: {inside}" if contours else None
        place_legend(figure, grid, handles, title, 8.0 if style == "two-column" else 7.0)
    return figure


@dataclass(frozen=True)
class _Layer:
    """One run: its samples by parameter, its maximum, its name in the legend, its colour and line."""

    name: str
    color: str
    line: Any
    labels: Mapping[str, tuple[str, str]]
    samples: Mapping[str, FloatArray]
    maximum: Mapping[str, float]

    @property
    def many(self) -> bool:
        """Whether there are enough samples for densities."""
        return len(next(iter(self.samples.values()))) >= FEW_SAMPLES


def _layer(run: PosteriorSamples, label: str, look: tuple[str, Any], show_maximum: bool) -> _Layer:
    samples = np.asarray(run.samples, dtype=float)
    if samples.ndim != 2 or samples.shape[0] == 0 or samples.shape[1] != len(run.names):
        raise ParameterError(
            f"run {run.name!r} has samples of shape {samples.shape} for {len(run.names)} parameters",
            remedy="samples have the shape (n_samples, n_parameters), with at least one sample",
        )
    described: Mapping[str, Any] = run.summary.get("parameters", {}) if show_maximum else {}
    return _Layer(
        name=label,
        color=look[0],
        line=look[1],
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


def _density(values: FloatArray, column: Column, smooth: float) -> tuple[FloatArray, FloatArray]:
    """Density of the values on a column's axis, normalised over all of them, and the bins' edges."""
    counts, edges = np.histogram(values, bins=column.bins, range=(column.low, column.high))
    density = counts / (values.size * np.diff(edges))
    return (gaussian_filter1d(density, smooth) if smooth > 0 else density), edges


def _draw_layer(
    grid: Grid, columns: Sequence[Column], layer: _Layer, levels: tuple[float, ...], smooth: float, line: float
) -> None:
    values = {c.name: c.shown(layer.samples[c.name]) for c in columns if c.name in layer.samples}
    maximum = {c.name: float(c.shown(layer.maximum[c.name])) for c in columns if c.name in layer.maximum}
    # Contours are binned for this run alone: bins that resolve a narrower run would break them into islands.
    bins = {c.name: max(12, round(0.75 * resolving_bins([values[c.name]], c.high - c.low))) for c in columns
            if c.name in values}  # fmt: skip
    for row, vertical in enumerate(columns):
        if vertical.name not in values:
            continue
        own = values[vertical.name]
        if layer.many:
            _draw_marginal(grid[row, row], own, vertical, layer, smooth, line)
        if vertical.name in maximum:
            grid[row, row].axvline(maximum[vertical.name], color=layer.color, lw=0.8 * line, ls=_MAXIMUM_LINE)
        for column, horizontal in enumerate(columns[:row]):
            if horizontal.name not in values:
                continue
            axes = grid[row, column]
            if layer.many:
                hist2d(
                    values[horizontal.name],
                    own,
                    bins=[bins[c.name] for c in (horizontal, vertical)],
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
                    contour_kwargs={"linewidths": 0.7 * line, "linestyles": [layer.line]},
                    contourf_kwargs={"colors": _fills(layer.color, len(levels)), "antialiased": True},
                )
            if {horizontal.name, vertical.name} <= maximum.keys():
                at = (maximum[horizontal.name], maximum[vertical.name])
                star: dict[str, Any] = {"ms": 2.0 + 4.5 * line, "mew": 0.5 * line, "mec": "white", "zorder": 5}
                axes.plot(*at, "*", color=layer.color, **star)


def _fills(color: str, n_levels: int) -> list[tuple[str, float]]:
    """Fills from outside the last contour (nothing) to inside the first."""
    return [(color, 0.5 * i / n_levels) for i in range(n_levels + 1)]


def _draw_marginal(axes: Axes, values: FloatArray, column: Column, layer: _Layer, smooth: float, line: float) -> None:
    density, edges = _density(values, column, smooth)
    axes.stairs(density, edges, color=layer.color, lw=line, ls=layer.line)
    # The shaded interval ends inside a bin: draw the step curve finely and cut it.
    low, high = np.quantile(values, [0.16, 0.84])
    fine = np.linspace(max(low, column.low), min(high, column.high), 400)
    inside = density[np.clip(np.searchsorted(edges, fine, side="right") - 1, 0, column.bins - 1)]
    axes.fill_between(fine, inside, color=layer.color, alpha=0.22, lw=0)


def _draw_priors(grid: Grid, columns: Sequence[Column], runs: Sequence[Any], layers: Sequence[_Layer]) -> list[Line2D]:
    """Draw the prior densities: one grey curve where all runs have the same, else one in the colour of each run.

    Returns what the legend says of them.
    """
    look: dict[str, Any] = {"lw": 0.8, "ls": _PRIOR_LINE, "zorder": 1.9}
    drawn = False
    without = dict.fromkeys(layer.name for layer in layers)
    for index, column in enumerate(columns):
        curves = {
            layer.name: (curve, layer.color)
            for run, layer in zip(runs, layers, strict=True)
            if column.name in layer.samples and (curve := prior_curve(run, column)) is not None
        }
        drawn = drawn or bool(curves)
        for name in curves:
            without.pop(name, None)
        shared = len(curves) > 1 and same_curves([curve for curve, _ in curves.values()])
        for (x, density), color in list(curves.values())[: 1 if shared else None]:
            alone = shared or len(layers) == 1 or len(curves) == 1
            grid[index, index].plot(x, density, color=_PRIOR_COLOR if alone else color, **look)
    handles = [Line2D([], [], color=_PRIOR_COLOR, label="Prior", **look)] if drawn else []
    having = {name for layer in layers for name in (layer.name,) if any(c.name in layer.samples for c in columns)}
    return handles + [Line2D([], [], ls="", label=f"No prior kept: {name}") for name in without if name in having]


def _draw_truths(grid: Grid, columns: Sequence[Column], truths: Mapping[str, float]) -> list[Line2D]:
    look: dict[str, Any] = {"color": _TRUTH_COLOR, "lw": 0.7, "ls": _TRUTH_LINE, "zorder": 4}
    for (row, column), axes in grid.items():
        if columns[column].name in truths:
            axes.axvline(float(columns[column].shown(truths[columns[column].name])), **look)
        if row != column and columns[row].name in truths:
            axes.axhline(float(columns[row].shown(truths[columns[row].name])), **look)
    shown = any(column.name in truths for column in columns)
    return [Line2D([], [], label="Truth", **look)] if shown else []


def _run_handle(layer: _Layer, names: Sequence[str]) -> Patch:
    shown = any(name in layer.samples for name in names)
    label = layer.name if shown else f"{layer.name} (has none of these)"
    label = label if layer.many else f"{layer.name} (maximum only)"
    return Patch(facecolor=(layer.color, 0.4), edgecolor=layer.color, ls=layer.line, label=label)


def _maximum_handle(layers: Sequence[_Layer]) -> Line2D:
    star: dict[str, Any] = {"marker": "*", "ms": 6.5, "mew": 0.5, "mec": "white"}
    color = layers[0].color if len(layers) == 1 else "black"
    return Line2D([], [], color=color, lw=0.8, ls=_MAXIMUM_LINE, label="MAP", **star)


def _draw_titles(
    figure: Figure, grid: Grid, columns: Sequence[Column], layers: Sequence[_Layer], size: float, *, forced: bool
) -> None:
    """Medians and 68% intervals: flush left, so that long ones run into the empty triangle.

    The last panel has only its own width: labels, and below five points of font size the titles, are left out.
    """
    texts = [_title_lines(column, layers) for column in columns]
    room = (
        72.0 * float(figure.get_figwidth()) * (1.0 - float(grid[len(columns) - 1, len(columns) - 1].get_position().x0))
    )
    widest = max(text_size(number, size)[0] for _, number in texts[-1])
    labelled = text_size(f"${columns[-1].label}=$ {texts[-1][0][1]}", size)[0]
    with_labels = labelled * min(1.0, 6.0 / size) <= room
    needed = max(labelled, widest) if with_labels else widest
    size = min(size, size * room / needed)
    if size < 5.0 and not forced:
        return
    for index, (column, lines) in enumerate(zip(columns, texts, strict=True)):
        for line, (layer, number) in enumerate(reversed(lines)):
            first = with_labels and line == len(lines) - 1
            grid[index, index].annotate(
                f"${column.label}=$ {number}" if first else number,
                (0.0, 1.0),
                (0.0, 1.0 + 1.75 * size * line),
                xycoords="axes fraction",
                textcoords="offset points",
                va="bottom",
                fontsize=size,
                color="black" if len(layers) == 1 else layer.color,
            )


def _title_lines(column: Column, layers: Sequence[_Layer]) -> list[tuple[_Layer, str]]:
    lines = []
    for layer in layers:
        if column.name in layer.samples:
            low, median, high = np.quantile(column.shown(layer.samples[column.name]), [0.16, 0.5, 0.84])
            number = value_with_errors(median, median - low, high - median)
            if column.power_of_ten:
                number += rf"$\,\times\,10^{{{column.power_of_ten}}}$"
            lines.append((layer, number))
    return lines
