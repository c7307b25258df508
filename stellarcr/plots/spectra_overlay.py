"""Spectra of several runs on top of each other, with the data once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from ..errors import ParameterError
from ..species import ELEMENTS
from .spectra import curve_looks, draw_panels
from .spectrum_panel import Band, DataSeries, SpectrumPanel
from .style import LineLook, paper_style, run_color, run_line


def overlay_spectra_plot(
    panels_by_run: Mapping[str, Sequence[SpectrumPanel]],
    *,
    scale: float = 2.7,
    style: str | None = None,
    columns: int | None = None,
    populations: bool = False,
    band_label: str = "68% of the posterior",
) -> Figure:
    """Draw the spectra of several runs, each in its own colour, and the data once.

    Pulls are left out: those of several runs on one axis cannot be told apart (`pulls_plot` compares them).

    Parameters
    ----------
    panels_by_run : mapping of str to sequence of SpectrumPanel
        Panels of each run by its name in the legend; all of one axis and, for a species, of the same points ``x``.
    scale : float
        Fluxes are multiplied by the axis to this power.
    style : {"one-column", "two-column"}, optional
        Width; by default what the number of panels needs.
    columns : int, optional
        Panels side by side.
    populations : bool
        Whether to draw the populations of each run too, as lines without bands.
    band_label : str
        What the legend says of the bands.

    Raises
    ------
    ParameterError
        If there is nothing to draw, or runs are given on different points or axes.
    """
    names = list(panels_by_run)
    members = list(
        dict.fromkeys(
            name for panels in panels_by_run.values() for panel in panels for name in panel.components if populations
        )
    )
    looks = curve_looks([panel for panels in panels_by_run.values() for panel in panels])
    lines: dict[str, LineLook] = {}
    for index, run in enumerate(names):
        for member in members:
            lines[_key(run, member)] = LineLook(looks[member].label, run_color(index), looks[member].line, 0.8)
        lines[run] = LineLook(run, run_color(index), run_line(index), 1.3)
    merged = [_merge(panels_by_run, species, populations) for species in _species(panels_by_run)]
    with paper_style():
        handles: list[Any] = [
            Line2D([], [], color=run_color(i), ls=run_line(i), lw=1.3, label=run) for i, run in enumerate(names)
        ]
        if any(band.low is not None for panel in merged for band in panel.bands.values()):
            handles.append(Patch(facecolor="#C8C8C8", label=band_label))
        # A solid line is that of a total.
        handles += [
            Line2D([], [], color="#606060", ls=looks[m].line if looks[m].line != "-" else _DASHED, lw=0.8,
                   label=looks[m].label)
            for m in members
        ]  # fmt: skip
    for key, look in lines.items():
        if key not in names and look.line == "-":
            lines[key] = LineLook(look.label, look.color, _DASHED, look.width)
    return draw_panels(merged, lines, handles, names, scale, style, columns, pulls=False)


_DASHED = (0, (7, 1.5, 1, 1.5, 1, 1.5))


def _key(run: str, member: str) -> str:
    """Name of a population's curve; a line break is in no name of a run."""
    return f"{run}\n{member}"


def _species(panels_by_run: Mapping[str, Sequence[SpectrumPanel]]) -> list[str]:
    """All species, elements by charge and sums after them."""
    found = list(dict.fromkeys(panel.species for panels in panels_by_run.values() for panel in panels))
    order = {element: index for index, element in enumerate(ELEMENTS)}
    return sorted(found, key=lambda species: order.get(species, len(order)))


def _merge(panels_by_run: Mapping[str, Sequence[SpectrumPanel]], species: str, populations: bool) -> SpectrumPanel:
    curves: dict[str, Band] = {}
    data: dict[tuple[Any, ...], DataSeries] = {}
    first: SpectrumPanel | None = None
    for run, panels in panels_by_run.items():
        for panel in panels:
            if panel.species != species:
                continue
            first = first or panel
            if panel.axis != first.axis or not np.array_equal(panel.x, first.x):
                raise ParameterError(
                    f"{species} of run {run!r} is not on the points of the other runs",
                    remedy="evaluate all runs on one axis and at the same points",
                )
            if populations:
                curves.update({_key(run, name): Band(band.median) for name, band in panel.components.items()})
            if panel.total is not None:
                curves[run] = panel.total
            for series in panel.data:
                # Runs share their data; where one experiment's points differ between runs, all are drawn.
                points = tuple(np.asarray(series.x, dtype=float)), tuple(np.asarray(series.value, dtype=float))
                data.setdefault((series.experiment, *points), series)
    if first is None:
        raise ParameterError(f"no run has a panel of {species!r}", remedy="give at least one panel")
    return SpectrumPanel(species, first.x, curves, None, list(data.values()), first.axis)
