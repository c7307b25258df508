"""Spectra at Earth as the paper's Figs. 8 to 10 show them: by population, with data, and with and without Type Ia."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.transforms import blended_transform_factory

from .spectra import draw_panels, spectra_plot
from .spectrum_panel import SpectrumPanel
from .style import PALETTE, LineLook, paper_style

TYPE_IA_LINES: Mapping[str, LineLook] = {
    "without": LineLook("Without Type Ia", PALETTE["blue"], (0, (5, 1.8))),
    "ia": LineLook("Type Ia alone", PALETTE["purple"], (0, (1.1, 1.3)), 1.4),
    "total": LineLook("Sum", PALETTE["black"], "-", 1.3),
}
"""Dashed, dotted and solid, as in the paper's Fig. 10."""

_MARK: Mapping[str, Any] = {"color": "0.35", "linestyle": (0, (1.0, 2.2)), "linewidth": 0.8, "zorder": 1.2}
_PETAVOLT = 1e6


def population_figure(
    panels: Sequence[SpectrumPanel],
    x_range: tuple[float, float],
    marks: Mapping[str, float] | None = None,
    style: str = "two-column",
    columns: int | None = None,
) -> Figure:
    """Draw spectra by population, one line style each.

    Parameters
    ----------
    panels : sequence of SpectrumPanel
        One per element.
    x_range : tuple of float
        Rigidities [GV].
    marks : mapping of str to float, optional
        Element to the rigidity [GV] of a vertical line, named in PV.
    style : {"one-column", "two-column"}
        Width.
    columns : int, optional
        Panels side by side.

    Returns
    -------
    matplotlib.figure.Figure
        One axes per panel, in their order.
    """
    figure = spectra_plot(panels, style=style, columns=columns, pulls=False, x_range=x_range)
    with paper_style():
        for axes, panel in zip(figure.axes, panels, strict=True):
            rigidity = (marks or {}).get(panel.species)
            if rigidity is None:
                continue
            axes.axvline(rigidity, **_MARK)
            axes.annotate(
                f"{rigidity / _PETAVOLT:.2g} PV", (rigidity, 1.0), (0.0, -6.0), color=_MARK["color"], fontsize=7.0,
                xycoords=blended_transform_factory(axes.transData, axes.transAxes), textcoords="offset points",
                ha="center", va="top", bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.8},
            )  # fmt: skip
    return figure


def type_ia_figure(
    panels: Sequence[SpectrumPanel], x_range: tuple[float, float], style: str = "two-column", columns: int | None = None
) -> Figure:
    """Draw spectra without a Type Ia remnant, of it alone, and their sum.

    Parameters
    ----------
    panels : sequence of SpectrumPanel
        One per element, with the components ``without`` and ``ia``.
    x_range, style, columns
        As of `population_figure`.

    Returns
    -------
    matplotlib.figure.Figure
        One axes per panel, in their order.
    """
    with paper_style():
        handles: list[Any] = [
            Line2D([], [], color=look.color, ls=look.line, lw=look.width, label=look.label)
            for look in TYPE_IA_LINES.values()
        ]
    return draw_panels(
        panels, TYPE_IA_LINES, handles, {"total", "without"}, style=style, columns=columns, pulls=False, x_range=x_range
    )
