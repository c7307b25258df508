"""One look for every figure: sizes, fonts, and a fixed colour, line or marker for everything that is drawn.

Colours are those of Okabe & Ito, which people with any kind of colour vision can tell apart; lines and markers differ
in shape too, so that figures survive a black and white printer. Fonts come with matplotlib: no LaTeX is needed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from ..errors import ParameterError, nearest

ONE_COLUMN = 3.4
"""Width of one column of a journal [inch]."""
TWO_COLUMNS = 7.1
"""Width of a page of two columns [inch]."""

STYLES: Mapping[str, float] = MappingProxyType({"one-column": ONE_COLUMN, "two-column": TWO_COLUMNS})
"""Width of a figure by the name of its style [inch]."""

PALETTE: Mapping[str, str] = MappingProxyType(
    {
        "black": "#000000",
        "orange": "#E69F00",
        "sky": "#56B4E9",
        "green": "#009E73",
        "yellow": "#F0E442",
        "blue": "#0072B2",
        "vermillion": "#D55E00",
        "purple": "#CC79A7",
    }
)
"""The eight colours of Okabe & Ito (https://jfly.uni-koeln.de/color/)."""

RUN_COLORS = tuple(PALETTE[name] for name in ("blue", "vermillion", "green", "orange", "purple", "sky"))
"""Colours of runs, chains or ensembles, in order."""

RUN_LINES: tuple[Any, ...] = ("-", (0, (5, 2.2)), (0, (2, 1.6)))
"""Lines of runs, in order; the first one's is solid, so that it shows between the dashes of one on top of it."""

SETTINGS: Mapping[str, Any] = MappingProxyType(
    {
        "font.family": ["STIXGeneral"],
        "mathtext.fontset": "stix",
        "font.size": 9.0,
        "axes.labelsize": 9.0,
        "axes.titlesize": 9.0,
        "legend.fontsize": 8.0,
        "xtick.labelsize": 8.0,
        "ytick.labelsize": 8.0,
        "axes.linewidth": 0.6,
        "axes.grid": False,
        "axes.unicode_minus": True,
        "lines.linewidth": 1.2,
        "xtick.direction": "in",
        "ytick.direction": "in",
        "xtick.top": True,
        "ytick.right": True,
        "xtick.major.size": 3.5,
        "ytick.major.size": 3.5,
        "xtick.minor.size": 1.8,
        "ytick.minor.size": 1.8,
        "xtick.major.width": 0.6,
        "ytick.major.width": 0.6,
        "xtick.minor.width": 0.4,
        "ytick.minor.width": 0.4,
        "legend.frameon": False,
        "legend.handlelength": 2.2,
        "figure.dpi": 150.0,
        "text.usetex": False,
    }
)
"""What differs from matplotlib's defaults."""

_SAVING: dict[Any, Any] = {"pdf.fonttype": 42, "ps.fonttype": 42}
_MARGIN = 0.04


@dataclass(frozen=True)
class LineLook:
    """How a curve is drawn and called.

    Attributes
    ----------
    label : str
        Name in the legend.
    color : str
        Colour code.
    line : str or tuple
        Line style of matplotlib.
    width : float
        Line width [points].
    """

    label: str
    color: str
    line: Any = "-"
    width: float = 1.2


@dataclass(frozen=True)
class MarkerLook:
    """How an experiment's points are drawn.

    Attributes
    ----------
    marker : str
        Marker of matplotlib.
    color : str
        Colour of marker and error bars.
    filled : bool
        Whether the marker is filled; otherwise white inside.
    size : float
        Marker size [points].
    """

    marker: str
    color: str
    filled: bool = True
    size: float = 2.6


POPULATIONS: Mapping[str, LineLook] = MappingProxyType(
    {
        "total": LineLook("Total", PALETTE["black"], "-", 1.3),
        "snr": LineLook("SNR", PALETTE["green"], (0, (6, 1.5, 1.2, 1.5))),
        "o_wind": LineLook("O-type winds", PALETTE["vermillion"], (0, (5, 1.6))),
        "wr_wind": LineLook("WR winds", PALETTE["blue"], (0, (3, 1.6))),
        "msc": LineLook("Massive star clusters", PALETTE["orange"], "-"),
        "ia": LineLook("Nearby Type Ia", PALETTE["purple"], (0, (1.1, 1.3)), 1.4),
    }
)
"""Look of the populations of the reference model; O-type winds red and WR winds blue, dashed, as in the paper
(arXiv:2605.31362, Fig. 8)."""

_OTHER_LINES = (
    (PALETTE["sky"], (0, (7, 2, 1, 2, 1, 2))),
    ("#7F7F7F", (0, (5, 1, 1, 1))),
    (PALETTE["yellow"], "-"),
    ("#7B3F00", (0, (2, 2))),
)

EXPERIMENTS: Mapping[str, MarkerLook] = MappingProxyType(
    {
        "AMS-02": MarkerLook("o", "#4D4D4D", size=2.8),
        "DAMPE": MarkerLook("s", "#005A8C", filled=False),
        "NUCLEON": MarkerLook("^", "#8C4600", filled=False, size=3.2),
        "LHAASO": MarkerLook("D", "#A3195B", size=2.9),
    }
)
"""Look of the experiments of the reference fit."""

_OTHER_MARKERS = (
    MarkerLook("v", "#5B3A8C", filled=False, size=3.2),
    MarkerLook("p", "#00664B", size=3.2),
    MarkerLook("X", "#666666", size=3.2),
    MarkerLook("<", "#8C1A1A", filled=False, size=3.2),
    MarkerLook(">", "#1A3C8C", size=3.2),
    MarkerLook("h", "#7A6A00", filled=False, size=3.2),
)


def style_width(style: str) -> float:
    """Width of a figure of a style [inch].

    Parameters
    ----------
    style : {"one-column", "two-column"}
        Whether the figure fills a column or a page.

    Raises
    ------
    ParameterError
        If the style is unknown.
    """
    if style not in STYLES:
        raise ParameterError(f"unknown style {style!r}", remedy=nearest(style, STYLES))
    return STYLES[style]


def run_color(index: int) -> str:
    """Colour of a run by its place in the list of runs."""
    return RUN_COLORS[index % len(RUN_COLORS)]


def run_line(index: int) -> Any:
    """Line style of a run by its place in the list of runs."""
    return RUN_LINES[index % len(RUN_LINES)]


@contextmanager
def paper_style(changes: Mapping[str, Any] | None = None) -> Iterator[None]:
    """Draw with the project's settings inside a ``with`` block; outside nothing changes.

    Parameters
    ----------
    changes : mapping, optional
        Further matplotlib settings, such as ``{"font.size": 7}``.
    """
    settings: dict[Any, Any] = {**SETTINGS, **(changes or {})}
    with matplotlib.rc_context(settings):
        yield


def population_looks(names: Iterable[str]) -> dict[str, LineLook]:
    """Give each population its look: the fixed one, or for a user's own population a spare one by order.

    Parameters
    ----------
    names : iterable of str
        Names of populations.
    """
    looks: dict[str, LineLook] = {}
    spare = 0
    for name in names:
        if name in POPULATIONS:
            looks[name] = POPULATIONS[name]
        elif name not in looks:
            color, line = _OTHER_LINES[spare % len(_OTHER_LINES)]
            looks[name] = LineLook(name.replace("_", " "), color, line)
            spare += 1
    return looks


def experiment_looks(names: Iterable[str]) -> dict[str, MarkerLook]:
    """Give each experiment its marker: the fixed one, or a spare one by order.

    Parameters
    ----------
    names : iterable of str
        Names of experiments; ``NUCLEON-KLEM`` has NUCLEON's marker.
    """
    looks: dict[str, MarkerLook] = {}
    spare = 0
    for name in names:
        known = next((key for key in EXPERIMENTS if name == key or name.startswith(f"{key}-")), None)
        if known is not None:
            looks[name] = EXPERIMENTS[known]
        elif name not in looks:
            looks[name] = _spare_marker(spare)
            spare += 1
    return looks


def _spare_marker(index: int) -> MarkerLook:
    """Marker of the next unknown experiment; after all shapes they come again in other colours, open for filled."""
    count = len(_OTHER_MARKERS)
    again, shape = divmod(index, count)
    look = _OTHER_MARKERS[shape]
    return replace(look, color=_OTHER_MARKERS[(shape + again) % count].color, filled=look.filled ^ (again % 2 == 1))


def save(
    figure: Figure, path_without_suffix: str | Path, formats: Sequence[str] = ("pdf", "png"), dpi: float | None = None
) -> tuple[Path, ...]:
    """Write a figure in several formats, trimmed to what is drawn.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        The figure.
    path_without_suffix : str or path
        Where to; its folder is made if needed. The format is appended: ``plots/corner`` gives ``plots/corner.pdf``.
    formats : sequence of str
        Formats that matplotlib writes.
    dpi : float, optional
        Resolution of pixel formats, and of what is rasterised inside vector formats; by default 300, down to 200
        for figures wider than a page, which are shrunk when they are printed.

    Returns
    -------
    tuple of pathlib.Path
        The files.

    Raises
    ------
    ParameterError
        If a format is unknown.
    """
    path = Path(path_without_suffix)
    known = figure.canvas.get_supported_filetypes()
    for suffix in formats:
        if suffix not in known:
            raise ParameterError(f"unknown picture format {suffix!r}", remedy=f"valid: {', '.join(sorted(known))}")
    if dpi is None:
        dpi = float(np.clip(300.0 * TWO_COLUMNS / figure.get_figwidth(), 200.0, 300.0))
    path.parent.mkdir(parents=True, exist_ok=True)
    written = tuple(path.with_name(f"{path.name}.{suffix}") for suffix in formats)
    with matplotlib.rc_context(_SAVING):
        # Measured once: matplotlib's own bbox="tight" draws the figure again for every format.
        figure.draw_without_rendering()
        box = figure.get_tightbbox().padded(_MARGIN)
        for file in written:
            # The date would make every file differ from the one before.
            metadata = {"CreationDate": None} if file.suffix == ".pdf" else None
            figure.savefig(file, dpi=dpi, metadata=metadata, bbox_inches=box)
    return written
