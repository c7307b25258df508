"""Figures of winds through time: four panels with two vertical axes each, the wind's phases behind the curves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from numpy.typing import NDArray

from ..errors import DataError
from ..stars.winds import WindPhase
from .evolution_axes import VerticalAxis, set_vertical_axis
from .style import PALETTE, TWO_COLUMNS, LineLook, paper_style

FloatArray = NDArray[np.float64]

PHASE_COLORS: Mapping[int, str] = {
    WindPhase.O: "#FBDFDA",
    WindPhase.RSG: "#ABD6A6",
    WindPhase.WN: "#C6D9F3",
    WindPhase.WC: "#FBD88A",
}
"""Pale red, green, blue and orange, the hues of the paper (arXiv:2605.31362, Fig. 2); the green is darker than the red,
and blue and orange differ in any eye."""

_WINE = "#882255"
_HYDROGEN = LineLook("H", PALETTE["vermillion"])
_HELIUM = LineLook("He", PALETTE["blue"])
_CARBON = LineLook("C", PALETTE["black"])
_OXYGEN = LineLook("O", PALETTE["green"])
_DASHES = ((5.0, 1.6), (3.0, 1.3), (1.6, 1.2), (5.0, 1.4, 1.2, 1.4))


@dataclass(frozen=True, eq=False)
class EvolutionPanel:
    """What one panel shows.

    Attributes
    ----------
    title : str
        Above the panel.
    age : ndarray, shape (n,)
        Ages of the curves [Myr].
    curves : mapping of str to ndarray
        Values of each curve, shape (n,), by its name; NaN where there is none.
    phase_edges : ndarray, shape (m + 1,)
        Ends of the intervals of the background [Myr].
    phases : ndarray of int, shape (m,)
        Their `WindPhase`; anything else stays blank.
    """

    title: str
    age: FloatArray
    curves: Mapping[str, FloatArray]
    phase_edges: FloatArray
    phases: NDArray[np.int8]

    def __post_init__(self) -> None:
        for name, values in self.curves.items():
            if np.shape(values) != np.shape(self.age):
                raise DataError(
                    f"curve {name!r} has shape {np.shape(values)}, its ages {np.shape(self.age)}",
                    where=f"panel {self.title!r}",
                )


def injection_plot(panels: Sequence[EvolutionPanel], last_age: float) -> Figure:
    """Mass injection rates of elements (left, solid) and wind velocity (right, dashed).

    Parameters
    ----------
    panels : sequence of EvolutionPanel
        Four, with curves ``H``, ``He``, ``C`` [Msun/yr] and ``velocity`` [km/s].
    last_age : float
        End of the horizontal axes [Myr].
    """
    left = VerticalAxis(
        r"Mass injection rate [$M_\odot$ yr$^{-1}$]", {"H": _HYDROGEN, "He": _HELIUM, "C": _CARBON}, decades=7.0
    )
    velocity = LineLook("Wind velocity", _WINE, (0, _DASHES[1]))
    right = VerticalAxis(r"Wind velocity [km s$^{-1}$]", {"velocity": velocity}, logarithmic=False, color=_WINE)
    return _evolution_plot(panels, left, right, last_age)


def radii_plot(panels: Sequence[EvolutionPanel], last_age: float) -> Figure:
    """Radii of termination shock and shell (left, solid) and pressure of the shocked wind (right, dashed).

    Parameters
    ----------
    panels : sequence of EvolutionPanel
        Four, with curves ``shock`` and ``shell`` [pc] and ``pressure`` [erg/cm^3].
    last_age : float
        End of the horizontal axes [Myr].
    """
    radii = {
        "shock": LineLook(r"Termination shock $R_{\rm s}$", PALETTE["black"]),
        "shell": LineLook(r"Shell $R_{\rm b}$", PALETTE["blue"]),
    }
    left = VerticalAxis(r"$R_{\rm s}$, $R_{\rm b}$ [pc]", radii)
    pressure = LineLook("Pressure $p$ of the shocked wind", _WINE, (0, _DASHES[1]))
    right = VerticalAxis(r"Pressure $p$ [erg cm$^{-3}$]", {"pressure": pressure}, color=_WINE)
    return _evolution_plot(panels, left, right, last_age)


def acceleration_plot(panels: Sequence[EvolutionPanel], last_age: float) -> Figure:
    """Highest rigidity (left, solid) and injection rates of nuclei (right, dashed).

    Parameters
    ----------
    panels : sequence of EvolutionPanel
        Four, with curves ``R_max`` [GV] and ``H``, ``He``, ``C``, ``O`` [1/s].
    last_age : float
        End of the horizontal axes [Myr].
    """
    left = VerticalAxis(r"$R_{\rm max}$ [GV]", {"R_max": LineLook(r"$R_{\rm max}$", _WINE, "-", 1.5)}, color=_WINE)
    elements = {"H": _HYDROGEN, "He": _HELIUM, "C": _CARBON, "O": _OXYGEN}
    rates = {
        name: LineLook(rf"$N_{{\rm {name}}}$", look.color, (0, dashes))
        for (name, look), dashes in zip(elements.items(), _DASHES, strict=True)
    }
    right = VerticalAxis(r"Injection rate $N_Z$ [s$^{-1}$]", rates, decades=8.0)
    return _evolution_plot(panels, left, right, last_age)


_LEFT, _RIGHT, _BOTTOM, _TOP = 0.62, 0.62, 0.42, 0.60
_GAP_X, _GAP_Y, _HEIGHT = 0.16, 0.30, 1.85
"""Room around and between the panels and their height [inch]."""


def _evolution_plot(
    panels: Sequence[EvolutionPanel], left: VerticalAxis, right: VerticalAxis, last_age: float
) -> Figure:
    if len(panels) != 4:
        raise DataError(f"{len(panels)} panels for a figure of four", remedy="give three stars and a cluster")
    width, height = TWO_COLUMNS, _BOTTOM + 2 * _HEIGHT + _GAP_Y + _TOP
    each = (width - _LEFT - _RIGHT - _GAP_X) / 2
    with paper_style({"ytick.right": False}):
        figure = Figure(figsize=(width, height))
        for index, panel in enumerate(panels):
            row, column = divmod(index, 2)
            bottom = _BOTTOM + (1 - row) * (_HEIGHT + _GAP_Y)
            box = ((_LEFT + column * (each + _GAP_X)) / width, bottom / height, each / width, _HEIGHT / height)
            axes = figure.add_axes(box)
            twin = axes.twinx()
            axes.set_xlim(0.0, last_age)
            _draw_background(axes, panel)
            for of_axes, vertical in ((axes, left), (twin, right)):
                for name, look in vertical.curves.items():
                    of_axes.plot(panel.age, panel.curves[name], color=look.color, ls=look.line, lw=look.width)
                shown = [_visible(p, vertical, last_age) for p in panels]
                set_vertical_axis(of_axes, vertical, np.concatenate(shown))
            axes.set_title(panel.title, fontsize=8.5, pad=4.0)
            axes.tick_params(axis="x", labelbottom=row == 1)
            axes.tick_params(axis="y", labelleft=column == 0)
            twin.tick_params(axis="y", which="both", labelright=column == 1)
            axes.set_xlabel("Age [Myr]" if row == 1 else "")
            axes.set_ylabel(left.label if column == 0 else "", color=left.color)
            twin.set_ylabel(right.label if column == 1 else "", color=right.color)
        _legends(figure, left, right)
    return figure


def _visible(panel: EvolutionPanel, vertical: VerticalAxis, last_age: float) -> FloatArray:
    """All values of an axis that one panel shows."""
    inside = panel.age <= last_age
    return np.concatenate([np.asarray(panel.curves[name])[inside] for name in vertical.curves])


def _draw_background(axes: Axes, panel: EvolutionPanel) -> None:
    """Tint the intervals by phase; neighbours of one phase are one patch, so that no seam shows."""
    starts = np.flatnonzero(np.append(True, np.diff(panel.phases) != 0))
    ends = np.append(starts[1:], len(panel.phases))
    for start, end in zip(starts, ends, strict=True):
        color = PHASE_COLORS.get(int(panel.phases[start]))
        if color is not None:
            axes.axvspan(panel.phase_edges[start], panel.phase_edges[end], color=color, lw=0.0, zorder=0.0)


def _legends(figure: Figure, left: VerticalAxis, right: VerticalAxis) -> None:
    """Curves in one line, phases in another, both above the panels."""
    curves = [
        Line2D([], [], color=look.color, ls=look.line, lw=look.width, label=f"{look.label} ({side})")
        for vertical, side in ((left, "left"), (right, "right"))
        for look in vertical.curves.values()
    ]
    phases = [
        Patch(facecolor=PHASE_COLORS[phase], edgecolor="#808080", lw=0.4, label=f"{phase.name} phase")
        for phase in (WindPhase.O, WindPhase.RSG, WindPhase.WN, WindPhase.WC)
    ]
    height = figure.get_figheight()
    for handles, distance in ((curves, 0.10), (phases, 0.28)):
        figure.legend(
            handles=handles, loc="center", bbox_to_anchor=(0.5, 1.0 - distance / height), ncols=len(handles),
            columnspacing=1.6, handletextpad=0.6, borderaxespad=0.0,
        )  # fmt: skip
