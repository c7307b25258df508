"""Predictions of stored runs: spectra with bands of several probabilities, measurements over them, and <ln A>."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from ..errors import ParameterError
from .legends import legend_columns, legend_on_top
from .spectra import spectra_plot
from .spectra_overlay import overlay_spectra_plot
from .spectrum_panel import Band, SpectrumPanel
from .style import PALETTE, paper_style, run_color, style_width

_INNER, _OUTER = 0.3, 0.14
"""Opacity of the narrowest band of <ln A>, and of all wider bands."""


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
    """Draw predictive bands of one or several runs and measurements over them.

    Parameters
    ----------
    panels : sequence of SpectrumPanel
        One per species, elements by charge and sums after them, all on one axis: measurements with their pulls and,
        for one run, the populations' curves. The totals are taken from ``runs``.
    runs : sequence of RunBands
        Bands of the total. One run is drawn in black with pulls below; several have the colours of runs and no
        pulls, which could not be told apart.
    levels : sequence of float
        Probabilities inside the bands; for the legend.
    scale : float
        Fluxes are multiplied by the axis to this power; ratios are not.
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
    _check(runs, len(panels))
    scale = 0.0 if panels[0].shows_ratio else scale
    label = _level_label(levels)
    if len(levels) > 1 and any(band.low is not None for panel in panels for band in panel.components.values()):
        label += f" (populations: {100 * min(levels):.3g}%)"
    filled = [[replace(panel, total=run.bands[k][0]) for k, panel in enumerate(panels)] for run in runs]
    if len(runs) == 1:
        figure = spectra_plot(filled[0], scale=scale, style=style, band_label=label)
        colors = [PALETTE["black"]]
    else:
        by_run = {run.name: shown for run, shown in zip(runs, filled, strict=True)}
        figure = overlay_spectra_plot(by_run, scale=scale, style=style, band_label=label)
        colors = [run_color(k) for k in range(len(runs))]
    step = len(figure.axes) // len(panels)
    for k, (axes, panel) in enumerate(zip(figure.axes[::step], panels, strict=True)):
        x = np.asarray(panel.x, dtype=float)
        for run, color in zip(runs, colors, strict=True):
            for band in run.bands[k][1:]:
                _fill(axes, x, band, color, x**scale, _OUTER)
    return figure


def log_mass_plot(
    x: np.ndarray, runs: Sequence[RunBands], *, levels: Sequence[float], style: str = "two-column"
) -> Figure:
    """Draw <ln A> against total energy.

    Parameters
    ----------
    x : numpy.ndarray, shape (n,)
        Total energy per nucleus [GeV].
    runs : sequence of RunBands
        With one panel each.
    levels : sequence of float
        Probabilities inside the bands; for the legend.
    style : {"one-column", "two-column"}
        Width of the figure.

    Raises
    ------
    ParameterError
        For an unknown style, no run, or bands that do not belong to one panel.
    """
    _check(runs, 1)
    width = style_width(style)
    with paper_style():
        figure = Figure(figsize=(width, 2.6))
        axes = figure.add_axes((0.55 / width, 0.16, 1.0 - 0.61 / width, 0.66))
        for k, run in enumerate(runs):
            for j, band in enumerate(run.bands[0]):
                _fill(axes, x, band, run_color(k), np.ones_like(x), _OUTER if j else _INNER)
            axes.plot(x, run.bands[0][0].median, color=run_color(k), lw=1.1)
        axes.set_xscale("log")
        axes.set_xlim(float(x.min()), float(x.max()))
        axes.set_xlabel("Energy $E$ [GeV]")
        axes.set_ylabel(r"$\langle\ln A\rangle$")
        handles: list[Any] = [Line2D([], [], color=run_color(k), lw=1.1, label=run.name) for k, run in enumerate(runs)]
        handles.append(Patch(facecolor="#C8C8C8", label=_level_label(levels)))
        legend_on_top(figure, handles, legend_columns(handles, width - 0.7, 4))
    return figure


def _check(runs: Sequence[RunBands], n_panels: int) -> None:
    if not runs or not n_panels:
        raise ParameterError("no prediction to draw", remedy="give at least one run and one species")
    for run in runs:
        if len(run.bands) != n_panels or not all(run.bands):
            raise ParameterError(
                f"run {run.name!r} has bands for {len(run.bands)} panels, not {n_panels}",
                remedy="predict every species with every run",
            )


def _level_label(levels: Sequence[float]) -> str:
    return f"{' and '.join(f'{100 * level:.3g}%' for level in sorted(levels))} of the posterior"


def _fill(axes: Axes, x: np.ndarray, band: Band, color: str, factor: np.ndarray, alpha: float) -> None:
    if band.low is not None and band.high is not None:
        axes.fill_between(x, band.low * factor, band.high * factor, color=color, alpha=alpha, lw=0, zorder=1.2)
