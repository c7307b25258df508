"""Spectra that a cluster's stars inject in total, by species and phase."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from .log_ticks import log_ticks
from .style import PALETTE, TWO_COLUMNS, paper_style

SPECIES_COLORS = (PALETTE["vermillion"], PALETTE["blue"], PALETTE["green"], PALETTE["orange"])
"""H, He, C and O."""

PHASE_LINES: Mapping[str, Any] = {"O": (0, (1.0, 1.4)), "WR": (0, (4.0, 1.8)), "total": "-"}
"""Dotted, dashed and solid, as in the paper's Fig. 5."""

_COLUMNS = ("Bohm", "Kraichnan", "Kolmogorov")
_ROWS = ("individual winds", "collective wind")
_DECADES = 8.0


def injected_figure(
    rigidity: NDArray[np.float64], panels: Sequence[Mapping[str, NDArray[np.float64]]], species: Sequence[str]
) -> Figure:
    """Draw R^2 Q(R) in two rows of three panels.

    Parameters
    ----------
    rigidity : ndarray, shape (n,)
        Rigidity [GV].
    panels : sequence of mapping
        Individual winds, then collective winds, for Bohm, Kraichnan and Kolmogorov: R^2 Q [GV] of every phase, shape
        (n_species, n).
    species : sequence of str
        Names of the species.

    Returns
    -------
    matplotlib.figure.Figure
    """
    with paper_style():
        figure = Figure(figsize=(TWO_COLUMNS, 4.6), layout="constrained")
        grid = figure.subplots(2, 3, sharex=True, sharey=True)
        highest = max(float(np.max(panel["total"])) for panel in panels)
        for place, (axes, panel) in enumerate(zip(grid.flat, panels, strict=True)):
            for phase, line in PHASE_LINES.items():
                for values, color in zip(panel[phase], SPECIES_COLORS, strict=False):
                    seen = values > highest * 10.0 ** (-_DECADES - 1.0)
                    width = 1.2 if phase == "total" else 1.0
                    axes.plot(rigidity[seen], values[seen], color=color, linestyle=line, linewidth=width)
            axes.set(xscale="log", yscale="log", xlim=(rigidity[0], rigidity[-1]))
            axes.set_ylim(highest * 10.0**-_DECADES, highest * 4.0)
            log_ticks(axes)
            if place < len(_COLUMNS):
                axes.set_title(_COLUMNS[place])
            else:
                axes.set_xlabel("rigidity [GV]")
        for axes, name in zip(grid[:, 0], _ROWS, strict=True):
            axes.set_ylabel(rf"$R^2\,Q(R)$ [GV], {name}")
        colors = [Line2D([], [], color=c, label=name) for name, c in zip(species, SPECIES_COLORS, strict=False)]
        phases = [
            Line2D([], [], color="black", linestyle=line, label=name if name == "total" else f"{name} phase")
            for name, line in PHASE_LINES.items()
        ]
        figure.legend(handles=[*colors, *phases], loc="outside upper center", ncols=len(species) + len(phases))
    return figure
