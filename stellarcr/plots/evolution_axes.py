"""Vertical axes of figures of winds through time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import AutoMinorLocator, MaxNLocator
from numpy.typing import NDArray

from .log_ticks import label_log_y
from .style import LineLook


@dataclass(frozen=True)
class VerticalAxis:
    """One of the two vertical axes of a panel.

    Attributes
    ----------
    label : str
        With its unit.
    curves : mapping of str to LineLook
        What is drawn on it, by name.
    logarithmic : bool
        Whether the axis is logarithmic.
    decades : float
        A logarithmic axis shows at most as many decades below its highest value.
    color : str
        Of the axis' text.
    """

    label: str
    curves: Mapping[str, LineLook]
    logarithmic: bool = True
    decades: float = 10.0
    color: str = "black"


def set_vertical_axis(axes: Axes, vertical: VerticalAxis, values: NDArray[np.float64]) -> None:
    """Set scale, range, ticks and colour of a vertical axis.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        With its curves.
    vertical : VerticalAxis
        What it is.
    values : ndarray
        All values that panels with this axis show; those that are not finite, or not positive on a logarithmic axis,
        do not count.
    """
    known = values[np.isfinite(values) & (values > 0.0)]
    highest = float(known.max()) if known.size else 1.0
    if vertical.logarithmic:
        lowest = max(float(known.min()), highest * 10.0**-vertical.decades) if known.size else 0.1
        room = 0.05 * np.log10(highest / lowest) + 0.05
        axes.set_yscale("log")
        axes.set_ylim(lowest * 10.0**-room, highest * 10.0**room)
        label_log_y(axes)
    else:
        axes.set_ylim(0.0, 1.08 * highest)
        axes.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
        axes.yaxis.set_minor_locator(AutoMinorLocator())
    axes.tick_params(axis="y", which="both", colors=vertical.color)
