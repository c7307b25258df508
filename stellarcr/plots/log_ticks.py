"""Ticks of logarithmic axes."""

from __future__ import annotations

import math

from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, NullFormatter


def log_x_ticks(axes: Axes) -> None:
    """Decades, every one or every second as there is room, and minor ticks inside short ranges."""
    low, high = axes.get_xlim()
    decades = math.log10(high / low)
    axes.xaxis.set_major_locator(LogLocator(base=10.0 if decades < 5.5 else 100.0, numticks=12))
    minor = LogLocator(base=10.0, subs=tuple(range(2, 10)) if decades < 5.5 else (1.0,), numticks=120)
    axes.xaxis.set_minor_locator(minor)
    axes.xaxis.set_minor_formatter(NullFormatter())


def log_ticks(axes: Axes) -> None:
    """Ticks of a spectrum: decades, or 1, 2, 5 where there is room for one decade only."""
    log_x_ticks(axes)
    label_log_y(axes)


def label_log_y(axes: Axes) -> None:
    """Label decades of a logarithmic vertical axis, or 1, 2, 5 where there is room for one decade only."""
    low, high = (math.log10(end) for end in axes.get_ylim())
    decades = range(math.floor(low), math.floor(high) + 1)
    factors = (1,) if sum(is_clear(decade, low, high) for decade in decades) > 1 else (1, 2, 5)
    ticks = [factor * 10.0**decade for decade in decades for factor in factors]
    ticks = [tick for tick in ticks if low < math.log10(tick) < high]
    plain = len(factors) > 1 and low > -2.5 and high < 3.5
    labels = [f"{tick:g}" if plain else _power_of_ten(tick) for tick in ticks]
    clear = [is_clear(math.log10(tick), low, high) for tick in ticks]
    axes.set_yticks(ticks, [label if shown else "" for label, shown in zip(labels, clear, strict=True)])
    axes.yaxis.set_minor_locator(LogLocator(base=10.0, subs=tuple(range(2, 10)), numticks=120))
    axes.yaxis.set_minor_formatter(NullFormatter())


def is_clear(tick: float, low: float, high: float) -> bool:
    """Whether a label is so far from the ends of its axis that it touches no label of the neighbouring axes."""
    return low + 0.07 * (high - low) < tick < high - 0.05 * (high - low)


def _power_of_ten(value: float) -> str:
    power = math.floor(math.log10(value) + 1e-9)
    factor = round(value / 10.0**power)
    return f"$10^{{{power}}}$" if factor == 1 else rf"${factor}\times10^{{{power}}}$"


def label_log_x(axes: Axes, most: int = 4) -> None:
    """Label the ticks of a logarithmic horizontal axis, also where it holds less than two decades.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        With its range set.
    most : int
        Largest number of labels.
    """
    log_x_ticks(axes)
    low, high = (math.log10(end) for end in axes.get_xlim())
    decades = range(math.floor(low), math.floor(high) + 1)
    if sum(low < decade < high for decade in decades) > 1:
        return
    for factors in (range(1, 10), (1, 2, 3, 5), (1, 2, 5), (1, 3), (1,)):
        ticks = [factor * 10.0**decade for decade in decades for factor in factors]
        ticks = [tick for tick in ticks if low + 0.02 < math.log10(tick) < high - 0.02]
        if 0 < len(ticks) <= most:
            break
    axes.set_xticks(ticks[:most], [_power_of_ten(tick) for tick in ticks[:most]])
    axes.xaxis.set_minor_locator(LogLocator(base=10.0, subs=tuple(range(2, 10)), numticks=120))
    axes.xaxis.set_minor_formatter(NullFormatter())
