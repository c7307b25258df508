"""Where the parts of a corner plot stand: panels, ticks, labels, titles and the legend, at the width of a style."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.patches import StepPatch
from matplotlib.text import Text

from ..errors import ParameterError
from .columns import Column
from .labels import fit_text, inner_ticks, text_size
from .style import ONE_COLUMN, style_width

Grid = Mapping[tuple[int, int], Axes]

ONE_COLUMN_LIMIT = 15
"""Most parameters in one column of a journal: panels of a fifth of an inch (project choice)."""

_SMALLEST_PANEL = 0.17
_LARGEST_PANEL = 2.6
_GAP = 0.06
_SMALL = 0.5
_PAD = 7.0
_RIGHT = 0.06


@dataclass(frozen=True)
class CornerLayout:
    """Sizes of a corner plot.

    Attributes
    ----------
    panel : float
        Side of a panel [inch].
    left, bottom : float
        Margins [inch].
    tick_size, label_size : float
        Font sizes [points].
    turn : float
        Angle of the tick labels of the horizontal axis [degree].
    two_lines : bool
        Whether units stand on a line of their own.
    ticks : sequence of (list of float, list of str)
        Positions and labels of every parameter.
    """

    panel: float
    left: float
    bottom: float
    tick_size: float
    label_size: float
    turn: float
    two_lines: bool
    ticks: Sequence[tuple[list[float], list[str]]]

    @property
    def small(self) -> bool:
        """Whether panels are so small that labels stand upright below them and flat beside them."""
        return self.panel < _SMALL

    def label(self, column: Column) -> str:
        """Label of an axis."""
        return column.axis_label("\n" if self.two_lines else " ")

    @property
    def settings(self) -> dict[str, Any]:
        """Settings of matplotlib that go with the sizes."""
        scale = min(1.0, max(0.4, self.panel))
        return {
            "xtick.labelsize": self.tick_size,
            "ytick.labelsize": self.tick_size,
            "axes.labelsize": self.label_size,
            "axes.linewidth": max(0.35, 0.6 * scale),
            "xtick.major.size": 3.2 * scale,
            "ytick.major.size": 3.2 * scale,
            "xtick.major.pad": 1.5 + 1.5 * scale,
            "ytick.major.pad": 1.5 + 1.5 * scale,
            "axes.labelpad": 1.0 + 2.0 * scale,
            "xtick.major.width": max(0.3, 0.6 * scale),
            "ytick.major.width": max(0.3, 0.6 * scale),
            "lines.linewidth": max(0.5, scale),
            "xtick.top": False,
            "ytick.right": False,
        }


def corner_layout(columns: Sequence[Column], style: str) -> CornerLayout:
    """Choose sizes so that the figure has the width of its style.

    Parameters
    ----------
    columns : sequence of Column
        The parameters.
    style : {"one-column", "two-column"}
        Width; beyond some 36 parameters panels stop to shrink and the figure becomes wider than a page.

    Raises
    ------
    ParameterError
        If the style is unknown, or has no room for so many parameters.
    """
    width, n = style_width(style), len(columns)
    if n > ONE_COLUMN_LIMIT and width == ONE_COLUMN:
        raise ParameterError(
            f"{n} parameters cannot be read in one column of {width:g} in (at most {ONE_COLUMN_LIMIT})",
            remedy="choose some with --group (populations, nearby, propagation, nuisances) or --parameters, or use "
            "--style two-column",
        )
    layout = _at_margin(columns, width, 0.6)
    # Margins depend on font sizes, these on the panels, and those on the margins: it settles at once.
    for _ in range(2):
        layout = _at_margin(columns, width, layout.left)
    return layout


def _at_margin(columns: Sequence[Column], width: float, left: float) -> CornerLayout:
    n = len(columns)
    panel = (width - left - _RIGHT) / (n + _GAP * (n - 1))
    panel = min(_LARGEST_PANEL, max(_SMALLEST_PANEL, panel))
    tick_size = min(7.5, max(4.6, 3.7 + 4.2 * panel))
    label_size = min(9.0, max(5.6, tick_size + 1.2))
    most = 2 if panel < 0.7 else 3 if panel < 1.5 else 4
    ticks = [inner_ticks(column.low, column.high, most) for column in columns]
    lengths = [[text_size(label, tick_size)[0] for label in labels] for _, labels in ticks]
    longest = max(max(widths) for widths in lengths)
    # Labels side by side need a gap of a character, and none may reach into the next panel.
    crowded = any(sum(widths) + 0.9 * tick_size * len(widths) > 0.9 * 72.0 * panel for widths in lengths)
    turn = 0.0 if not crowded else 45.0 if panel >= _SMALL else 90.0
    two_lines = any(text_size(column.axis_label(), label_size)[0] > 72.0 * panel for column in columns)
    separator = "\n" if two_lines else " "
    sizes = [text_size(column.axis_label(separator), label_size) for column in columns]
    thick = max(size[0 if panel < _SMALL else 1] for size in sizes)
    fall = {0.0: tick_size, 45.0: 0.71 * (longest + tick_size), 90.0: longest}[turn]
    left = (_PAD + longest + thick) / 72.0 if n > 1 else 0.2
    return CornerLayout(panel, left, (_PAD + fall + thick) / 72.0, tick_size, label_size, turn, two_lines, ticks)


def make_panels(layout: CornerLayout, n: int) -> tuple[Figure, dict[tuple[int, int], Axes]]:
    """Lay out the lower triangle; keys are (row, column)."""
    panel, step = layout.panel, (1.0 + _GAP) * layout.panel
    width = layout.left + (n - 1) * step + panel + _RIGHT
    height = layout.bottom + (n - 1) * step + panel + _RIGHT
    figure = Figure(figsize=(width, height))
    grid = {}
    for row in range(n):
        for column in range(row + 1):
            left, bottom = layout.left + column * step, layout.bottom + (n - 1 - row) * step
            box = (left / width, bottom / height, panel / width, panel / height)
            grid[row, column] = figure.add_axes(box)
    return figure, grid


def finish_axes(figure: Figure, grid: Grid, columns: Sequence[Column], layout: CornerLayout) -> None:
    """Ranges, ticks and labels of all panels."""
    n = len(columns)
    upright: dict[str, Any] = {"rotation": 90.0} if layout.small else {}
    flat: dict[str, Any] = {"rotation": 0.0, "ha": "right", "va": "center"} if layout.small else {}
    turned: dict[str, Any] = {}
    if layout.turn:
        turned = {"rotation": layout.turn, "rotation_mode": "anchor", "ha": "right"}
        turned["va"] = "top" if layout.turn == 45.0 else "center"
    texts = []
    for (row, column), axes in grid.items():
        axes.set_xlim(columns[column].low, columns[column].high)
        axes.set_xticks(*layout.ticks[column], **turned)
        axes.tick_params(axis="x", labelbottom=row == n - 1)
        if row == column:
            axes.set_yticks([])
            # A prior that is much narrower than the posterior must not squeeze it.
            axes.set_ylim(0.0, 1.12 * _highest(axes))
        else:
            axes.set_ylim(columns[row].low, columns[row].high)
            axes.set_yticks(*layout.ticks[row])
            axes.tick_params(axis="y", labelleft=column == 0)
        width, height = axes.get_window_extent().size
        if row == n - 1:
            texts.append((axes.set_xlabel(layout.label(columns[column]), **upright), width, False))
        if column == 0 and row > 0:
            texts.append((axes.set_ylabel(layout.label(columns[row]), **flat), height, True))
    fit_text(figure, texts, smallest=4.0)
    figure.align_xlabels([grid[n - 1, column] for column in range(n)])
    figure.align_ylabels([grid[row, 0] for row in range(1, n)])


def _highest(axes: Axes) -> float:
    """Top of the step curves of a diagonal panel; 1 where there is none."""
    steps = [patch for patch in axes.patches if isinstance(patch, StepPatch)]
    return max((float(np.max(patch.get_data()[0])) for patch in steps), default=0.0) or 1.0


def place_legend(figure: Figure, grid: Grid, handles: Sequence[Any], title: str | None, size: float) -> Legend:
    """Put the legend into the empty upper triangle, or above the panels where it would touch a panel or a title.

    Parameters
    ----------
    figure, grid
        The figure and its panels, titles included.
    handles : sequence of artists
        What the legend explains.
    title : str, optional
        Its first line.
    size : float
        Font size [points].
    """
    look: dict[str, Any] = {"handles": handles, "fontsize": size, "title_fontsize": size, "alignment": "left"}
    n = 1 + max(row for row, _ in grid)
    first, last = grid[0, 0].get_position(), grid[n - 1, n - 1].get_position()
    renderer = FigureCanvasAgg(figure).get_renderer()
    taken = [axes.get_window_extent(renderer) for axes in grid.values()]
    texts = [text for axes in grid.values() for text in axes.texts]
    taken += [text.get_window_extent(renderer).padded(2.0) for text in texts]
    legend = figure.legend(
        loc="upper right", bbox_to_anchor=(last.x1, first.y1), borderaxespad=0.0, title=title, **look
    )
    box = legend.get_window_extent(renderer)
    if box.x0 >= 0.0 and not any(box.overlaps(other) for other in taken):
        return legend
    legend.remove()
    return _legend_above(figure, grid, texts, look, title)


def _legend_above(
    figure: Figure, grid: Grid, texts: Sequence[Text], look: Mapping[str, Any], title: str | None
) -> Legend:
    """Put the legend above everything, in as many columns as the figure's width allows; the figure grows."""
    renderer = FigureCanvasAgg(figure).get_renderer()
    right = float(figure.bbox.width)
    top = max([float(axes.get_window_extent(renderer).y1) for axes in grid.values()]
              + [float(text.get_window_extent(renderer).y1) for text in texts])  # fmt: skip
    left = float(grid[0, 0].get_window_extent(renderer).x0)
    n_handles = len(look["handles"])
    legend = None
    for columns in range(n_handles, 0, -1):
        if legend is not None:
            legend.remove()
        legend = figure.legend(
            loc="lower left", bbox_to_anchor=(left / right, (top + 5.0) / float(figure.bbox.height)),
            borderaxespad=0.0, ncols=columns, columnspacing=1.2, title=title, **look,
        )  # fmt: skip
        if legend.get_window_extent(renderer).x1 <= right:
            break
    assert legend is not None
    return legend
