"""H/He at equal rigidity against the highest mass of a star."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from matplotlib.figure import Figure
from numpy.typing import NDArray

from .style import ONE_COLUMN, PALETTE, paper_style

RATIO_LINES: Mapping[str, dict[str, Any]] = {
    "O-type": {"label": "O-type winds", "color": PALETTE["vermillion"]},
    "O + WR": {"label": "O-type and WR winds", "color": PALETTE["purple"]},
    "WR": {"label": "WR winds", "color": PALETTE["green"]},
    "MSC, whole life": {"label": "clusters", "color": "black", "marker": ".", "markersize": 4.0},
    "MSC": {
        "label": "clusters within 5 Myr",
        "color": PALETTE["blue"],
        "linestyle": (0, (4.0, 2.0)),
        "marker": ".",
        "markersize": 4.0,
    },
}
"""Lines by source; clusters solid, and blue dashed within 5 Myr, as in the paper's Fig. 7."""


def ratio_figure(curves: Mapping[str, tuple[NDArray[Any], NDArray[Any]]], band: tuple[float, float]) -> Figure:
    """Draw H/He of all sources against M_up.

    Parameters
    ----------
    curves : mapping of str to (ndarray, ndarray)
        M_up [Msun] and H/He by source, keys of `RATIO_LINES`.
    band : tuple of float
        Ends of the measured H/He.

    Returns
    -------
    matplotlib.figure.Figure
    """
    with paper_style():
        figure = Figure(figsize=(ONE_COLUMN, 3.1), layout="constrained")
        axes = figure.subplots()
        axes.axhspan(*band, color="0.85", linewidth=0.0, label="LHAASO at 3 PV")
        for name, look in RATIO_LINES.items():
            axes.plot(*curves[name], **look)
        axes.set(yscale="log", xlabel=r"$M_\mathrm{up}\ [M_\odot]$", ylabel="H/He at equal rigidity")
        low, high = axes.get_ylim()
        axes.set_ylim(low, high * 1.3)
        figure.legend(loc="outside upper center", ncols=2, columnspacing=1.0)
    return figure
