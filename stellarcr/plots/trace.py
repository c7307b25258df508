"""How a run went: chains against step, or nested samples against prior volume, with the marginals beside them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from numpy.typing import NDArray

from .columns import Column, FloatArray, make_column
from .labels import fit_text, inner_ticks
from .selection import select_names
from .style import ONE_COLUMN, PALETTE, RUN_COLORS, paper_style, style_width
from .trace_data import ChainTrace, NestedTrace, trace_of

_BURN_IN_COLOR = "#DDDDDD"
_WEIGHT_COLORS = LinearSegmentedColormap.from_list("weight", ["#E3E3E3", PALETTE["sky"], PALETTE["blue"], "#00263D"])
_SHOWN_POINTS = 1200
_SHOWN_WALKERS = 6
_RASTERISED_BELOW = 1.0
_NO_WEIGHT = 1e-12
_SOME_WEIGHT = 1e-4
_FONTS = {"axes.labelsize": 8.0, "xtick.labelsize": 7.0, "ytick.labelsize": 7.0, "axes.titlesize": 7.0}


def trace_plot(run: Any, parameters: str | Sequence[str] | None = None, *, style: str = "two-column") -> Figure:
    """Draw how a run went.

    For chains: log posterior and parameters against step, a few walkers thin and the median of each ensemble thick,
    burn-in shaded, R-hat and autocorrelation time above each panel. For nested sampling: ln L, posterior weight and
    parameters against ln of the prior volume. Beside each panel stands the marginal that results.

    Parameters
    ----------
    run : Run, ChainTrace or NestedTrace
        A finished run, or what `trace_of` takes from it.
    parameters : str or sequence of str, optional
        Names, patterns or groups; all by default.
    style : {"one-column", "two-column"}
        Width of the figure.

    Returns
    -------
    matplotlib.figure.Figure
        Two axes, trace and marginal, for the log posterior (or ln L) and for every parameter.

    Raises
    ------
    ParameterError
        If there is no parameter of that name, or nothing to draw.
    """
    trace = run if isinstance(run, ChainTrace | NestedTrace) else trace_of(run)
    names = select_names(trace.names, parameters)
    with paper_style({"xtick.top": False, "ytick.right": False, "lines.linewidth": 0.8, **_FONTS}):
        width = style_width(style)
        return (
            _chain_figure(trace, names, width) if isinstance(trace, ChainTrace) else _nested_figure(trace, names, width)
        )


def _columns(n: int, total: float) -> int:
    return 1 if n <= 7 or total == ONE_COLUMN else 2


def _panels(n: int, total_width: float) -> tuple[Figure, list[tuple[Axes, Axes]]]:
    """Pairs of axes (trace, marginal), column by column, below a header for the legend."""
    n_columns = _columns(n, total_width)
    n_rows = math.ceil(n / n_columns)
    height = 0.72 if n_rows <= 9 else 0.59
    header, bottom = 0.3, 0.42
    figure = Figure(figsize=(total_width, header + bottom + n_rows * (height + 0.19)))
    total = float(figure.get_figheight())
    left, gap, right = 0.72, 0.8, 0.05
    width = (total_width - left - right - gap * (n_columns - 1)) / n_columns
    pairs = []
    for index in range(n):
        column, row = divmod(index, n_rows)
        x = left + column * (width + gap)
        y = total - header - (row + 1) * (height + 0.19) + 0.06
        box = (x / total_width, y / total, 0.82 * width / total_width, height / total)
        side = ((x + 0.83 * width) / total_width, y / total, 0.17 * width / total_width, height / total)
        axes = figure.add_axes(box)
        marginal = figure.add_axes(side)
        marginal.set_xticks([])
        marginal.tick_params(axis="y", labelleft=False)
        pairs.append((axes, marginal))
    return figure, pairs


def _finish(figure: Figure, pairs: Sequence[tuple[Axes, Axes]], columns: Sequence[Column], x_label: str) -> None:
    n_rows = math.ceil(len(pairs) / _columns(len(pairs), float(figure.get_figwidth())))
    texts = []
    for index, ((axes, marginal), column) in enumerate(zip(pairs, columns, strict=True)):
        ticks, labels = inner_ticks(column.low, column.high, 3)
        for part in (axes, marginal):
            part.set_ylim(column.low, column.high)
            part.set_yticks(ticks, labels)
        marginal.set_xlim(left=0.0)
        last = (index + 1) % n_rows == 0 or index == len(pairs) - 1
        axes.tick_params(axis="x", labelbottom=last)
        if last:
            axes.set_xlabel(x_label)
        texts.append((axes.set_ylabel(column.axis_label("\n")), axes.get_window_extent().height * 1.05, True))
    fit_text(figure, texts)
    for start in range(0, len(pairs), n_rows):
        figure.align_ylabels([axes for axes, _ in pairs[start : start + n_rows]])


def _chain_figure(trace: ChainTrace, names: Sequence[str], width: float) -> Figure:
    log_posterior = np.asarray(trace.log_posterior, dtype=float)
    columns = [make_column("log_density", r"\mathrm{ln\ posterior}", "", [log_posterior[:, trace.used]])]
    for name in names:
        index = list(trace.names).index(name)
        used = np.asarray(trace.samples, dtype=float)[:, trace.used, index]
        columns.append(make_column(name, trace.labels[index], trace.units[index], [used]))
    ensemble = np.arange(len(log_posterior)) if trace.ensemble is None else np.asarray(trace.ensemble)
    groups = [np.flatnonzero(ensemble == which) for which in np.unique(ensemble)]
    steps = trace.step_numbers
    figure, pairs = _panels(len(columns), width)
    for (axes, marginal), column in zip(pairs, columns, strict=True):
        if column.name == "log_density":
            values = column.shown(log_posterior)
        else:
            values = column.shown(np.asarray(trace.samples)[:, :, list(trace.names).index(column.name)])
        if trace.burn_in:
            axes.axvspan(0.0, trace.burn_in, color=_BURN_IN_COLOR, lw=0, zorder=_RASTERISED_BELOW - 2.0)
        for index, members in enumerate(groups):
            color = RUN_COLORS[index % len(RUN_COLORS)]
            _draw_walkers(axes, steps, values[members], color)
            used = values[members][:, trace.used].ravel()
            density, edges = np.histogram(used, bins=30, range=(column.low, column.high), density=True)
            marginal.stairs(density, edges, orientation="horizontal", color=color, lw=0.8)
        axes.set_xlim(0.0, float(steps[-1]))
        axes.set_title(_diagnostics(trace, column.name), loc="right", pad=2.0)
    _finish(figure, pairs, columns, "Step")
    _chain_legend(figure, trace, len(groups))
    return figure


def _draw_walkers(axes: Axes, steps: NDArray[np.int_], values: FloatArray, color: str) -> None:
    """Draw some walkers thin, and the median of the ensemble in blocks of steps; one chain alone is drawn as it is."""
    every = max(1, len(steps) // _SHOWN_POINTS)
    alone = len(values) == 1
    # One picture per panel inside a PDF, instead of thousands of line segments.
    axes.set_rasterization_zorder(_RASTERISED_BELOW)
    look: dict[str, Any] = {"lw": 0.5, "alpha": 0.7} if alone else {"lw": 0.3, "alpha": 0.28}
    for walker in values[:: max(1, len(values) // _SHOWN_WALKERS)]:
        axes.plot(steps[::every], walker[::every], color=color, zorder=_RASTERISED_BELOW - 1.0, **look)
    if not alone:
        blocks = np.array_split(np.arange(len(steps)), min(len(steps), 150))
        medians = [np.median(values[:, block]) for block in blocks]
        axes.plot([steps[block].mean() for block in blocks], medians, color=color, lw=0.9, zorder=3)


def _diagnostics(trace: ChainTrace, name: str) -> str:
    parts = []
    if name in trace.r_hat:
        parts.append(rf"$\hat{{R}}={trace.r_hat[name]:.3f}$")
    if name in trace.autocorrelation_time:
        parts.append(rf"$\tau={trace.autocorrelation_time[name]:.3g}$")
    return r"   ".join(parts)


def _chain_legend(figure: Figure, trace: ChainTrace, n_groups: int) -> None:
    what = "Chain" if trace.ensemble is None else "Ensemble"
    handles: list[Any] = []
    for index in range(min(n_groups, len(RUN_COLORS))):
        handles.append(Line2D([], [], color=RUN_COLORS[index], lw=1.2, label=f"{what} {index + 1}"))
    if trace.burn_in:
        handles.append(Patch(facecolor=_BURN_IN_COLOR, label="Burn-in"))
    left, narrow = float(figure.axes[0].get_position().x0), float(figure.get_figwidth()) == ONE_COLUMN
    figure.legend(
        handles=handles,
        loc="lower left" if narrow else "upper left",
        bbox_to_anchor=(0.0 if narrow else left, 1.0),
        ncols=min(3, len(handles)) if narrow else len(handles),
        borderaxespad=0.2,
        columnspacing=1.4,
        handlelength=1.6,
    )


def _nested_figure(trace: NestedTrace, names: Sequence[str], width: float) -> Figure:
    log_weight = np.asarray(trace.log_weight, dtype=float)
    weight = np.exp(log_weight - log_weight.max())
    shrinkage = -np.asarray(trace.log_volume, dtype=float)
    log_likelihood = np.asarray(trace.log_likelihood, dtype=float)
    # Ranges follow the points that matter: the first ones fill the whole prior.
    columns = [make_column("log_density", r"\ln\mathcal{L}", "", [log_likelihood[weight > _NO_WEIGHT]])]
    for name in names:
        index = list(trace.names).index(name)
        heavy = np.asarray(trace.samples, dtype=float)[weight > _SOME_WEIGHT, index]
        columns.append(make_column(name, trace.labels[index], trace.units[index], [heavy]))
    # Heavy points last, on top; light ones thinned, they only show the way.
    order = np.argsort(weight)
    order = np.concatenate([order[: -5 * _SHOWN_POINTS : 4], order[-5 * _SHOWN_POINTS :]])
    figure, pairs = _panels(len(columns), width)
    for (axes, marginal), column in zip(pairs, columns, strict=True):
        if column.name == "log_density":
            values = column.shown(log_likelihood)
            axes.plot(shrinkage, values, color="black", lw=0.9)
            per_volume = log_likelihood - shrinkage
            area = np.exp(per_volume - per_volume.max())
            axes.fill_between(
                shrinkage, 0.0, 0.9 * area, transform=axes.get_xaxis_transform(), color=PALETTE["sky"], alpha=0.5, lw=0
            )
        else:
            values = column.shown(np.asarray(trace.samples)[:, list(trace.names).index(column.name)])
            look: dict[str, Any] = {"c": weight[order], "cmap": _WEIGHT_COLORS, "vmin": 0.0, "vmax": 1.0}
            axes.scatter(shrinkage[order], values[order], s=1.2, lw=0, rasterized=True, **look)
        density, edges = np.histogram(values, bins=30, range=(column.low, column.high), weights=weight)
        for fill, alpha in ((True, 0.3), (False, 1.0)):
            marginal.stairs(
                density, edges, orientation="horizontal", color=PALETTE["blue"], lw=0.8, fill=fill, alpha=alpha
            )
        axes.set_xlim(0.0, float(shrinkage.max()))
    _finish(figure, pairs, columns, r"Shrinkage of the prior volume, $-\ln X$")
    _nested_legend(figure, trace, pairs[0][0])
    return figure


def _nested_legend(figure: Figure, trace: NestedTrace, first: Axes) -> None:
    handles: list[Any] = [
        Line2D([], [], color="black", lw=0.9, label=r"$\ln\mathcal{L}$"),
        Patch(facecolor=(PALETTE["sky"], 0.5), label="Posterior weight"),
        *(
            Line2D([], [], ls="", marker="o", ms=4, color=_WEIGHT_COLORS(level), label=f"{100 * level:.0f}%")
            for level in (0.02, 0.5, 1.0)
        ),
    ]
    handles[-1].set_label("100% of the largest weight")
    left, narrow = float(first.get_position().x0), float(figure.get_figwidth()) == ONE_COLUMN
    figure.legend(
        handles=handles,
        loc="lower left" if narrow else "upper left",
        bbox_to_anchor=(0.0 if narrow else left, 1.0),
        ncols=min(3, len(handles)) if narrow else len(handles),
        borderaxespad=0.2,
        columnspacing=1.2,
        handlelength=1.4,
        handletextpad=0.4,
    )
    if trace.log_evidence is not None:
        error = "" if trace.log_evidence_error is None else rf"\pm{trace.log_evidence_error:.2f}"
        first.set_title(rf"$\ln Z={trace.log_evidence:.2f}{error}$", loc="right", pad=2.0)
