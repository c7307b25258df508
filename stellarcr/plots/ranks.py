"""Ranks of truths among posterior draws, which are uniform if a fit is calibrated."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.stats import binom

from ..infer.calibration import Uniformity, ecdf_band
from .labels import readable_label
from .style import PALETTE, STYLES, paper_style

COLUMNS = 3
_PANEL_HEIGHT = 1.45
_BAND, _DATA = "#D9D9D9", PALETTE["blue"]
_BIN_LEVEL = 0.99
_BAND_LEVEL = 0.95


def rank_plot(
    ranks: Mapping[str, np.ndarray], tests: Mapping[str, Uniformity], largest: int, labels: Mapping[str, str]
) -> Figure:
    """Draw a histogram of ranks for every quantity, with the range in which 99% of bins of uniform ranks lie.

    Parameters
    ----------
    ranks : mapping of str to array of int
        Ranks ``(mocks,)`` of every quantity.
    tests : mapping of str to Uniformity
        Their tests.
    largest : int
        Largest rank: the number of posterior draws.
    labels : mapping of str to str
        LaTeX labels without dollar signs; a quantity without one is called by its name.
    """

    def draw(axes: Axes, name: str) -> None:
        counts = np.array(tests[name].counts)
        chance = 1.0 / len(counts)
        low, high = binom.interval(_BIN_LEVEL, len(ranks[name]), chance)
        axes.axhspan(low, high, color=_BAND, lw=0)
        axes.axhline(len(ranks[name]) * chance, color="black", lw=0.6, ls=(0, (3, 2)))
        edges = np.linspace(0.0, 1.0, len(counts) + 1)
        axes.stairs(counts, edges, color=_DATA, lw=1.2)
        axes.set_ylim(0.0, 1.3 * max(counts.max(), high))
        _write_p(axes, rf"$p_{{\chi^2}}={tests[name].chi2_p:.2g}$")

    return _figure(ranks, labels, draw, "Mocks per bin", "99% of bins")


def distance_plot(
    ranks: Mapping[str, np.ndarray], tests: Mapping[str, Uniformity], largest: int, labels: Mapping[str, str]
) -> Figure:
    """Draw how far the cumulative distribution of ranks is from the uniform one, with a band for the whole curve.

    The curve of uniform ranks leaves the band nowhere with a probability of 95%, for one quantity. Parameters are
    those of `rank_plot`.
    """

    def draw(axes: Axes, name: str) -> None:
        n = len(ranks[name])
        band = ecdf_band(n, largest, _BAND_LEVEL)
        axes.axhspan(-band, band, color=_BAND, lw=0)
        axes.axhline(0.0, color="black", lw=0.6, ls=(0, (3, 2)))
        at = np.arange(1, largest + 2) / (largest + 1)
        cumulative = np.cumsum(np.bincount(ranks[name], minlength=largest + 1)) / n
        axes.step(np.concatenate([[0.0], at]), np.concatenate([[0.0], cumulative - at]), color=_DATA, where="post")
        limit = 1.6 * max(band, tests[name].distance)
        axes.set_ylim(-limit, limit)
        _write_p(axes, rf"$p_D={tests[name].distance_p:.2g}$")

    return _figure(ranks, labels, draw, "Fraction below $-$ uniform", "95% of whole curves")


def _figure(
    ranks: Mapping[str, np.ndarray],
    labels: Mapping[str, str],
    draw: Callable[[Axes, str], None],
    y_label: str,
    band: str,
) -> Figure:
    rows = -(-len(ranks) // COLUMNS)
    with paper_style():
        figure = Figure(figsize=(STYLES["two-column"], _PANEL_HEIGHT * rows + 0.5), layout="constrained")
        panels = figure.subplots(rows, COLUMNS, sharex=True, squeeze=False)
        for axes, name in zip(panels.flat, ranks, strict=False):
            draw(axes, name)
            axes.set_xlim(0.0, 1.0)
            axes.set_xticks([0.0, 0.5, 1.0])
            axes.set_title(f"${readable_label(labels.get(name, ''), name)}$", pad=6.0)
        for axes in panels.flat[len(ranks) :]:
            axes.remove()
        for column in range(COLUMNS):
            filled = [axes for axes in panels[:, column] if axes.figure is not None]
            if filled:
                filled[-1].tick_params(labelbottom=True)
        figure.supxlabel(
            f"Rank of the truth among posterior draws, as a fraction (grey: {band} of uniform ranks)", fontsize=9.0
        )
        figure.supylabel(y_label, fontsize=9.0)
    return figure


def _write_p(axes: Axes, text: str) -> None:
    axes.text(0.97, 0.94, text, transform=axes.transAxes, ha="right", va="top", fontsize=7.5)
