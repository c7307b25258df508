"""Legends above the panels of a figure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib
from matplotlib.figure import Figure
from matplotlib.legend import Legend

from .labels import text_size


def legend_columns(handles: Sequence[Any], width: float, most: int) -> int:
    """Columns of a legend that fit side by side.

    Parameters
    ----------
    handles : sequence of artists
        With their labels.
    width : float
        Room [inch].
    most : int
        Largest number of columns.
    """
    size = float(matplotlib.rcParams["legend.fontsize"])
    widest = max((text_size(str(handle.get_label()), size)[0] for handle in handles), default=0.0)
    # A column holds a handle of 2.2 font sizes, a gap, the text, and the gap to the next column.
    each = widest + (float(matplotlib.rcParams["legend.handlelength"]) + 0.6 + 1.2) * size
    return max(1, min(most, len(handles), int((72.0 * width + 1.2 * size) / each)))


def legend_on_top(
    figure: Figure, handles: Sequence[Any], ncols: int, span: tuple[float, float] | None = None, gap: float = 0.04
) -> Legend:
    """Put a legend above the panels.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        With its panels in place.
    handles : sequence of artists
        What the legend explains.
    ncols : int
        Number of columns, from `legend_columns`.
    span : tuple of float, optional
        Left and right end [inch]; by default the panels' whole width.
    gap : float
        Distance from the highest panel [inch].
    """
    boxes = [axes.get_position() for axes in figure.axes]
    left, right = min(float(box.x0) for box in boxes), max(float(box.x1) for box in boxes)
    if span is not None:
        left, right = (end / figure.get_figwidth() for end in span)
    top = max(float(box.y1) for box in boxes)
    return figure.legend(
        handles=handles, loc="lower left", mode="expand", borderaxespad=0.0, ncols=ncols, columnspacing=1.2,
        bbox_to_anchor=(left, top + gap / figure.get_figheight(), right - left, 0.1), handletextpad=0.6,
    )  # fmt: skip
