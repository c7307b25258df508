"""Ranges of the axes of spectra."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

import numpy as np

from .log_ticks import is_clear
from .spectrum_panel import SpectrumPanel


def spectra_x_range(panels: Sequence[SpectrumPanel]) -> tuple[float, float]:
    """Range of the data with some room, or of the curves where there are no data."""
    points = [np.asarray(series.x, dtype=float) for panel in panels for series in panel.data]
    if not points:
        points = [np.asarray(panel.x, dtype=float) for panel in panels]
        return min(float(x.min()) for x in points), max(float(x.max()) for x in points)
    return min(float(x.min()) for x in points) / 1.4, max(float(x.max()) for x in points) * 1.6


def spectra_y_range(
    panel: SpectrumPanel, scale: float, x_low: float, x_high: float, totals: Collection[str]
) -> tuple[float, float]:
    """Range that holds the data, the totals, and the components that reach a thirtieth of the data."""
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
        # fluxes of mock data may be negative, which a logarithmic axis cannot show
        positive = scaled > 0
        highs.append((scaled + error_high)[positive])
        lows.append(np.maximum(scaled - error_low, 0.3 * scaled)[positive])
    curves = {name: (band.median * x**scale)[seen] for name, band in panel.bands.items()}
    curves = {name: curve[np.isfinite(curve)] for name, curve in curves.items()}
    if not lows:
        lows = [curve[curve > 0.01 * curve.max()] for curve in curves.values() if curve.max(initial=0.0) > 0]
    highs += [curve for name, curve in curves.items() if (name in totals or len(curves) == 1) and curve.size]
    low = min((float(part.min()) for part in lows if part.size), default=0.1)
    high = max((float(part.max()) for part in highs if part.size), default=1.0)
    peaks = [float(curve.max()) for curve in curves.values() if curve.size and curve.max() > 0]
    # Components rise from below; totals alone need no such room.
    components = any(name not in totals for name in curves) and len(curves) > 1
    bottom = min([low, *(peak for peak in peaks if peak > low / 30.0)]) / (3.0 if components else 1.5)
    # Room at the top for the species' name.
    low, high = math.log10(bottom), math.log10(high) + 0.22 * math.log10(high / bottom)
    # A little more room below where that gives the axis its second decade.
    decade = math.floor(low + 0.35)
    if components and decade + 1 < high and not is_clear(decade, low, high):
        low = decade - 0.11 * (high - decade)
    return 10.0**low, 10.0**high


_LINEAR = 5.0
"""Ratios that vary by less than this factor are drawn on a linear axis (project choice)."""


def ratio_y_range(
    panel: SpectrumPanel, x_low: float, x_high: float, totals: Collection[str]
) -> tuple[float, float, bool]:
    """Range that holds a ratio's data with their errors, and the totals with their bands.

    Returns
    -------
    low, high : float
        Ends of the axis.
    logarithmic : bool
        Whether the axis should be: where all is positive and varies by more than a small factor.
    """
    parts: list[np.ndarray] = []
    for series in panel.data:
        at = np.asarray(series.x, dtype=float)
        here = (at >= x_low) & (at <= x_high)
        value, low, high = (np.asarray(v)[here] for v in (series.value, series.error_low, series.error_high))
        # an error bar that reaches zero must not stretch a logarithmic axis
        parts += [np.where(value > 0, np.maximum(value - low, 0.3 * value), value - low), value + high]
    x = np.asarray(panel.x, dtype=float)
    seen = (x >= x_low) & (x <= x_high)
    shown = [band for name, band in panel.bands.items() if name in totals or len(panel.bands) == 1]
    parts += [part[seen] for band in shown for part in (band.low, band.median, band.high) if part is not None]
    every = np.concatenate([*parts, np.empty(0)])
    every = every[np.isfinite(every)]
    if not every.size:
        return 0.0, 1.0, False
    bottom, top = float(every.min()), float(every.max())
    # room at the top for the name
    if bottom > 0 and top > _LINEAR * bottom:
        bottom /= 1.2
        return bottom, top * (top / bottom) ** 0.22, True
    width = (top - bottom) or abs(top) or 1.0
    return bottom - 0.06 * width, top + 0.24 * width, False
