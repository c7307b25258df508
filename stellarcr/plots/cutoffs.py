"""Effective cutoffs of H and He against the share of wind power in magnetic field."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from numpy.typing import NDArray

from .style import PALETTE, TWO_COLUMNS, paper_style

ELEMENT_COLORS = {"H": PALETTE["vermillion"], "He": PALETTE["blue"]}
"""Red and blue, as in the paper's Fig. 6."""

MASS_LINES: tuple[tuple[Any, Any], ...] = (("-", "-"), ((0, (4.5, 2.0)), (3.25, (4.5, 2.0))))
"""Lines of the higher and of the lower M_up, of H and He: dashes alternate where both agree."""

_ALONE = (0, (1.0, 1.6))
_PETAVOLT = 1e6


def cutoff_figure(
    eta_B: NDArray[np.float64],
    lines: Mapping[tuple[str, float], NDArray[np.float64]],
    masses: tuple[float, ...],
    band: tuple[float, float],
) -> Figure:
    """Draw effective cutoffs of individual winds and of collective winds, one panel each.

    Parameters
    ----------
    eta_B : ndarray, shape (n,)
        Share of wind power in magnetic field.
    lines : mapping of (str, float) to ndarray of shape (2, n)
        Cutoffs of H and He [GV] by source (``O-type``, ``O + WR``, ``MSC``) and M_up [Msun].
    masses : tuple of float
        M_up of solid and dashed lines [Msun].
    band : tuple of float
        Ends of the measured break [GV].

    Returns
    -------
    matplotlib.figure.Figure
    """
    with paper_style():
        figure = Figure(figsize=(TWO_COLUMNS, 2.9), layout="constrained")
        left, right = figure.subplots(1, 2, sharex=True, sharey=True)
        for axes, source, title in ((left, "O + WR", "(a) individual winds"), (right, "MSC", "(b) collective winds")):
            axes.axhspan(band[0] / _PETAVOLT, band[1] / _PETAVOLT, color="0.85", linewidth=0.0)
            for (mass, styles), (row, color) in product(
                zip(masses, MASS_LINES, strict=False), enumerate(ELEMENT_COLORS.values())
            ):
                axes.plot(eta_B, lines[source, mass][row] / _PETAVOLT, color=color, linestyle=styles[row])
            axes.set(xscale="log", yscale="log", xlabel=r"$\eta_B$", xlim=(eta_B[0], eta_B[-1]))
            axes.set_title(title, loc="left")
        helium = lines["O-type", masses[0]][1] / _PETAVOLT
        left.plot(eta_B, helium, color=ELEMENT_COLORS["He"], linestyle=_ALONE, linewidth=1.0)
        left.set_ylabel("effective cutoff [PV]")
        _legends(left, right, masses)
    return figure


def _legends(left: Axes, right: Axes, masses: tuple[float, ...]) -> None:
    elements = [Line2D([], [], color=color, label=name) for name, color in ELEMENT_COLORS.items()]
    alone = Line2D([], [], color=ELEMENT_COLORS["He"], linestyle=_ALONE, linewidth=1.0, label="He, O-type alone")
    left.legend(handles=[*elements, alone], loc="upper left")
    heaviest = [
        Line2D([], [], color="black", linestyle=line, label=rf"$M_\mathrm{{up}} = {mass:g}\,M_\odot$")
        for mass, (line, _) in zip(masses, MASS_LINES, strict=False)
    ]
    right.legend(handles=[*heaviest, Patch(color="0.85", label="LHAASO, break of H and He")], loc="lower right")
