"""Densities of priors as curves on the axis of a figure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.ndimage import gaussian_filter1d

from ..errors import ParameterError
from ..infer.priors import Prior, prior_from_mapping
from .columns import Column, FloatArray

POINTS = 240
"""Points of a curve."""

SAME = 1.95
"""Largest sqrt(n) D of a Kolmogorov test (a false alarm in a thousand) at which draws count as those of a formula."""

_CELLS = 512


def prior_curve(run: Any, column: Column) -> tuple[FloatArray, FloatArray] | None:
    """Density of a run's prior on the axis of a parameter.

    The formula of the prior where the draws follow it; a smooth density of the draws where a constraint between
    parameters shapes the prior, or where the formula is not known.

    Parameters
    ----------
    run : run
        With ``names``, and ``prior`` (draws) or ``priors`` (mappings) where it kept them.
    column : Column
        The parameter, its scale and range.

    Returns
    -------
    tuple of numpy.ndarray or None
        Points on the axis and the density there, normalised over the whole prior; None for a run that kept no prior
        of this parameter.
    """
    draws = getattr(run, "prior", None)
    if draws is not None:
        draws = np.asarray(draws, dtype=float)[:, list(run.names).index(column.name)]
    mapping = getattr(run, "priors", {}).get(column.name)
    formula = None if mapping is None else _formula(mapping)
    if formula is not None and (draws is None or _follows(draws, formula)):
        return _formula_curve(formula, column)
    return None if draws is None else _draws_curve(column.shown(draws), column)


def same_curves(curves: Sequence[tuple[FloatArray, FloatArray]]) -> bool:
    """Whether all curves show one density: equal to 10% of the largest one, the noise of draws."""
    first = curves[0][0]
    values = np.array([np.interp(first, x, density) for x, density in curves])
    return bool(np.max(np.ptp(values, axis=0)) <= 0.1 * np.max(values))


def _formula(mapping: Any) -> Prior | None:
    """Build the prior that a run describes; None for a kind that is not installed here."""
    try:
        return prior_from_mapping(mapping)
    except ParameterError:
        return None


def _follows(draws: FloatArray, prior: Prior) -> bool:
    """Whether draws have the distribution of a prior: Kolmogorov's test."""
    n = len(draws)
    expected = np.asarray(prior.cdf(np.sort(draws)))
    steps = np.arange(n + 1) / n
    distance = max(np.max(steps[1:] - expected), np.max(expected - steps[:-1]))
    return bool(np.sqrt(n) * distance < SAME)


def _formula_curve(prior: Prior, column: Column) -> tuple[FloatArray, FloatArray]:
    shown = np.linspace(column.low, column.high, POINTS)
    # The ends of the support are on the curve, so that a uniform prior ends in a vertical line.
    with np.errstate(divide="ignore", invalid="ignore"):
        edges = column.shown([edge for edge in prior.support if np.isfinite(edge)])
    inside = edges[np.isfinite(edges) & (edges >= column.low) & (edges <= column.high)]
    step = 1e-9 * (column.high - column.low)
    shown = np.sort(np.concatenate([shown, inside - step, inside + step]))
    value = 10.0**shown if column.logarithm else shown * 10.0**column.power_of_ten
    slope = value * np.log(10.0) if column.logarithm else 10.0**column.power_of_ten
    return shown, np.exp(np.asarray(prior.logpdf(value))) * slope


def _draws_curve(shown: FloatArray, column: Column) -> tuple[FloatArray, FloatArray]:
    """Smooth density of draws, mirrored at the ends where the draws pile up there."""
    shown = shown[np.isfinite(shown)]
    x = np.linspace(column.low, column.high, POINTS)
    if shown.size < 2 or np.ptp(shown) == 0.0:
        return x, np.zeros_like(x)
    # Twice Silverman's rule, with the smaller of the two measures of width: priors are smooth, draws are few.
    width = min(float(np.std(shown)), float(np.subtract(*np.quantile(shown, [0.75, 0.25]))) / 1.34)
    bandwidth = 1.8 * (width or float(np.std(shown))) * shown.size ** (-0.2)
    low, high = float(shown.min()), float(shown.max())
    if np.mean(shown < low + bandwidth) < 0.005:
        low -= 4.0 * bandwidth
    if np.mean(shown > high - bandwidth) < 0.005:
        high += 4.0 * bandwidth
    counts, edges = np.histogram(shown, bins=_CELLS, range=(low, high))
    cell = edges[1] - edges[0]
    density = gaussian_filter1d(counts / (shown.size * cell), bandwidth / cell, mode="reflect")
    return x, np.interp(x, 0.5 * (edges[1:] + edges[:-1]), density, left=0.0, right=0.0)
