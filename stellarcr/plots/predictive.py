"""Predictions of stored runs: spectra with bands, measurements over them with pulls, and <ln A>."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from ..errors import ParameterError, nearest
from .spectra import spectra_plot
from .spectrum_panel import Band, SpectrumPanel
from .style import ONE_COLUMN, RUN_COLORS, TWO_COLUMNS, paper_style, population_looks

STYLES = ("one-column", "two-column")
"""Widths of figures, as journals have them."""

_ALPHAS = (0.3, 0.14)
"""Opacity of the innermost band, and of all wider ones."""


@dataclass(frozen=True, eq=False)
class RunBands:
    """What one run predicts for the panels of a figure.

    Attributes
    ----------
    name : str
        Name in the legend.
    bands : sequence of sequence of Band
        For every panel its bands, the narrowest first, on the panel's points.
    """

    name: str
    bands: Sequence[Sequence[Band]]


def predictive_plot(
    panels: Sequence[SpectrumPanel],
    runs: Sequence[RunBands],
    *,
    levels: Sequence[float],
    scale: float = 2.7,
    style: str = "two-column",
) -> Figure:
    """Draw predictive bands of one or several runs, measurements over them, pulls below.

    Parameters
    ----------
    panels : sequence of SpectrumPanel
        One per species, all on one axis: the populations' curves (drawn if there is one run) and measurements with
        their pulls. The total is taken from ``runs``.
    runs : sequence of RunBands
        Bands of the total; one run is drawn in black, several in the colours of runs.
    levels : sequence of float
        Probabilities inside the bands, the smallest first; for the legend.
    scale : float
        Fluxes are multiplied by the axis to this power.
    style : {"one-column", "two-column"}
        Width of the figure.

    Returns
    -------
    matplotlib.figure.Figure
        For every panel an axes with the spectrum and, where there are pulls, one beneath it.

    Raises
    ------
    ParameterError
        For an unknown style, no run, or bands that do not belong to the panels.
    """
    _check(style, panels, runs)
    single = len(runs) == 1
    shown = [
        replace(panel, total=runs[0].bands[k][0] if single else None, components=panel.components if single else {})
        for k, panel in enumerate(panels)
    ]
    label = _level_label(levels)
    figure = spectra_plot(shown, scale=scale, columns=1 if style == "one-column" else None, band_label=label)
    if style == "two-column" and figure.get_figwidth() < TWO_COLUMNS:
        figure.set_size_inches(TWO_COLUMNS, figure.get_figheight())
    step = len(figure.axes) // len(panels)
    with paper_style():
        for k, (axes, panel) in enumerate(zip(figure.axes[::step], panels, strict=True)):
            x = np.asarray(panel.x, dtype=float)
            if single:
                _fill(axes, x, runs[0].bands[k][1:], population_looks(["total"])["total"].color, x**scale, _ALPHAS[1:])
                continue
            for run, color in zip(runs, _colors(runs), strict=True):
                _fill(axes, x, run.bands[k], color, x**scale, _ALPHAS)
                axes.plot(x, run.bands[k][0].median * x**scale, color=color, lw=1.1, zorder=2.0)
            if not panel.data:
                _fit_to_curves(axes, x, [run.bands[k][0].median * x**scale for run in runs])
        if not single:
            _name_runs(figure, runs, label)
    return figure


def log_mass_plot(
    x: np.ndarray, runs: Sequence[RunBands], *, levels: Sequence[float], style: str = "one-column"
) -> Figure:
    """Draw <ln A> against total energy.

    Parameters
    ----------
    x : numpy.ndarray, shape (n,)
        Total energy per nucleus [GeV].
    runs : sequence of RunBands
        One panel each: ``bands[0]``.
    levels : sequence of float
        Probabilities inside the bands.
    style : {"one-column", "two-column"}
        Width of the figure.

    Raises
    ------
    ParameterError
        For an unknown style or no run.
    """
    _check(style, [None], runs)
    with paper_style():
        width = ONE_COLUMN if style == "one-column" else TWO_COLUMNS
        figure = Figure(figsize=(width, 2.6))
        axes = figure.add_axes((0.5 / width, 0.16, 1.0 - 0.56 / width, 0.66))
        for run, color in zip(runs, _colors(runs), strict=True):
            _fill(axes, x, run.bands[0], color, np.ones_like(x), _ALPHAS)
            axes.plot(x, run.bands[0][0].median, color=color, lw=1.1)
        axes.set_xscale("log")
        axes.set_xlim(float(x.min()), float(x.max()))
        axes.set_xlabel("Energy $E$ [GeV]")
        axes.set_ylabel(r"$\langle\ln A\rangle$")
        _name_runs(figure, runs, _level_label(levels))
    return figure


def _check(style: str, panels: Sequence[Any], runs: Sequence[RunBands]) -> None:
    if style not in STYLES:
        raise ParameterError(f"unknown style {style!r}", remedy=nearest(style, STYLES))
    if not runs or not panels:
        raise ParameterError("no prediction to draw", remedy="give at least one run and one species")
    for run in runs:
        if len(run.bands) != len(panels) or not all(run.bands):
            raise ParameterError(
                f"run {run.name!r} has bands for {len(run.bands)} of {len(panels)} panels",
                remedy="predict every species",
            )


def _colors(runs: Sequence[RunBands]) -> list[str]:
    return [RUN_COLORS[k % len(RUN_COLORS)] for k in range(len(runs))]


def _level_label(levels: Sequence[float]) -> str:
    return f"{' and '.join(f'{100 * level:.3g}%' for level in sorted(levels))} of the posterior"


def _fill(
    axes: Axes, x: np.ndarray, bands: Sequence[Band], color: str, factor: np.ndarray, alphas: Sequence[float]
) -> None:
    for k, band in enumerate(bands):
        if band.low is not None and band.high is not None:
            alpha = alphas[min(k, len(alphas) - 1)]
            axes.fill_between(x, band.low * factor, band.high * factor, color=color, alpha=alpha, lw=0, zorder=1.2)


def _fit_to_curves(axes: Axes, x: np.ndarray, curves: Sequence[np.ndarray]) -> None:
    """Limits of a panel without measurements: all curves, down to a thousandth of their peak."""
    low, high = axes.get_xlim()
    seen = np.concatenate([curve[(x >= low) & (x <= high)] for curve in curves])
    top = float(seen.max())
    bottom = max(float(seen[seen > 0].min()), 1e-3 * top)
    axes.set_ylim(bottom / 1.5, top * (top / bottom) ** 0.22 * 1.3)


def _name_runs(figure: Figure, runs: Sequence[RunBands], band_label: str) -> None:
    """Put the runs before the experiments in the legend above the panels."""
    handles: list[Any] = [
        Line2D([], [], color=color, lw=1.1, label=run.name) for run, color in zip(runs, _colors(runs), strict=True)
    ]
    handles.append(Patch(facecolor="#C8C8C8", label=band_label))
    for legend in list(figure.legends):
        for handle, text in zip(legend.legend_handles, legend.get_texts(), strict=True):
            if handle is not None:
                handle.set_label(text.get_text())
                handles.append(handle)
        legend.remove()
    first = figure.axes[0].get_position()
    right = max(float(axes.get_position().x1) for axes in figure.axes)
    figure.legend(
        handles=handles, loc="lower left", mode="expand", borderaxespad=0.0,
        bbox_to_anchor=(first.x0, first.y1 + 0.04 / figure.get_figheight(), right - first.x0, 0.1),
        ncols=2 if figure.get_figwidth() < TWO_COLUMNS - 0.1 else 4, columnspacing=1.2, handletextpad=0.6,
    )  # fmt: skip
