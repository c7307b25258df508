"""Measurements of several experiments over each other, on one axis and scaled by a power of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullFormatter

from ..data import Spectrum
from ..errors import DataError, ParameterError
from .axis_labels import flux_label
from .log_ticks import label_log_y
from .overlay_axes import common_axis, common_quantity, on_axis
from .spectrum_panel import DataSeries
from .style import EXPERIMENTS, MarkerLook, paper_style, style_width

SCALE = 2.7
"""Power of the axis that a flux is multiplied by, unless another one is asked for."""

_COLORS = ("#009E73", "#D55E00", "#7B3F8C", "#3A9BDC", "#B87F00", "#000000", "#0072B2")
"""Those that are nearest to the looks of the reference fit's experiments come last."""
_MARKERS = ("v", "p", "X", "<", ">", "h", "P", "*", "d", "8", "H")
"""As many markers as have no common factor with colours and fillings: no look comes twice in the first hundred."""
_X_LABELS = {
    "R": "Rigidity $R$ [GV]",
    "EK": r"Kinetic energy $E_\mathrm{k}$ [GeV]",
    "EKN": r"Kinetic energy per nucleon $E_\mathrm{k}/n$ [GeV/n]",
    "ETOT": "Energy $E$ [GeV]",
}
_LIGHT = 0.28
_GREY = "#606060"


def overlay_plot(
    spectra: Sequence[Spectrum],
    *,
    axis: str | None = None,
    scale: float | None = None,
    style: str = "two-column",
    x_range: tuple[float, float] | None = None,
) -> Figure:
    """Draw measurements over each other.

    Dark bars are statistical errors, light ones total errors; arrows are upper limits.

    Parameters
    ----------
    spectra : sequence of Spectrum
        All fluxes, all ratios, or all mean ln A.
    axis : {"R", "EK", "EKN", "ETOT"}, optional
        The axis; by default that of `common_axis`. Fluxes of single elements are moved there with their dominant
        isotope, exactly for it.
    scale : float, optional
        Power of the axis that multiplies fluxes; 2.7 by default. Ratios and mean ln A are not scaled.
    style : {"one-column", "two-column"}
        Width of the figure.
    x_range : tuple of float, optional
        Part of the axis [GV or GeV] to draw; tables without a point there are left out.

    Returns
    -------
    matplotlib.figure.Figure
        One axes, its legend above it.

    Raises
    ------
    DataError
        If the tables hold different quantities, one of them cannot be moved to the axis, or none has a point in the
        range.
    ParameterError
        If axis or style are unknown, or a scale is given for a quantity that has none.
    """
    quantity = common_quantity(spectra)
    if quantity != "flux" and scale:
        raise ParameterError(f"scale = {scale:g} for a {quantity}", remedy="leave it out: only fluxes are scaled")
    power = (SCALE if scale is None else scale) if quantity == "flux" else 0.0
    chosen = axis or common_axis(spectra)
    series = [
        on_axis(spectrum, label, chosen) for spectrum, label in zip(spectra, overlay_labels(spectra), strict=True)
    ]
    if x_range is not None:
        cut = [points.within(*x_range) for points in series]
        spectra = [spectrum for spectrum, points in zip(spectra, cut, strict=True) if len(points.x)]
        series = [points for points in cut if len(points.x)]
        if not series:
            raise DataError(
                f"no table has a point from {x_range[0]:g} to {x_range[1]:g} on the axis {chosen}",
                remedy="widen the range; `stellarcr data list` shows where tables have points",
            )
    narrow = style_width(style) < 5.0
    looks = _looks(spectra, 2.6 if narrow else 3.2)
    with paper_style({"legend.fontsize": 7.0} if narrow else None):
        figure = Figure(figsize=(style_width(style), 1.0))
        axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
        for points, look in zip(series, looks, strict=True):
            _draw(axes, points, look, power, narrow)
        axes.set_xscale("log")
        _set_range(axes, series, power, quantity)
        axes.set_xlabel(_X_LABELS[chosen])
        axes.set_ylabel(_value_label(spectra, quantity, chosen, power))
        axes.annotate(
            _title(spectra), (0.0, 1.0), (5.0, -5.0), xycoords="axes fraction", textcoords="offset points",
            ha="left", va="top", fontsize=11.0,
        )  # fmt: skip
        _arrange(figure, axes, _handles(series, looks), 2.6 if narrow else 4.0)
    return figure


def overlay_labels(spectra: Sequence[Spectrum]) -> list[str]:
    """Name every measurement as shortly as tells them apart: experiment, species, hadronic model, period or name."""
    several = len({spectrum.species for spectrum in spectra}) > 1
    labels = []
    for spectrum in spectra:
        group = bool(spectrum.metadata.get("mass_group"))
        label = f"{spectrum.experiment} {_species_text(spectrum)}" if several or group else spectrum.experiment
        label += " group" if group else ""
        labels.append(f"{label} ({spectrum.hadronic_model})" if spectrum.hadronic_model else label)
    for key in (lambda s: str(s.metadata.get("data_period") or ""), lambda s: s.name):
        told = list(labels)
        for i, spectrum in enumerate(spectra):
            if told.count(told[i]) > 1 and key(spectrum):
                labels[i] = f"{told[i]}, {key(spectrum)}"
    return labels


def _looks(spectra: Sequence[Spectrum], size: float) -> list[MarkerLook]:
    """Fixed looks of the known experiments, for their first table; others in turn."""
    looks, used, spare = [], set(), 0
    for spectrum in spectra:
        if spectrum.experiment in EXPERIMENTS and spectrum.experiment not in used:
            used.add(spectrum.experiment)
            known = EXPERIMENTS[spectrum.experiment]
            looks.append(replace(known, size=min(known.size, size)))
            continue
        looks.append(
            MarkerLook(_MARKERS[spare % len(_MARKERS)], _COLORS[spare % len(_COLORS)], filled=spare % 2 == 0, size=size)
        )
        spare += 1
    return looks


def _draw(axes: Axes, series: DataSeries, look: MarkerLook, power: float, narrow: bool) -> None:
    x = np.asarray(series.x, dtype=float)
    factor = x**power
    value, limits = np.asarray(series.value) * factor, series.limits
    kept = ~limits
    total, stat = _error_pairs(series, factor)
    axes.errorbar(
        x[kept], value[kept], yerr=total[:, kept], fmt="none", ecolor=look.color, alpha=_LIGHT,
        elinewidth=2.2 if narrow else 3.0, capsize=0.0, zorder=2.0,
    )  # fmt: skip
    axes.errorbar(
        x[kept], value[kept], yerr=stat[:, kept], fmt="none", ecolor=look.color, elinewidth=0.7, capsize=0.0, zorder=3.0
    )
    axes.plot(x[kept], value[kept], zorder=3.2, **_marker(look))
    if limits.any():
        # The arrow hangs from the limit, as long on paper wherever it is.
        axes.plot(x[limits], value[limits], zorder=3.2, **{**_marker(look), "marker": "_", "ms": 6.0, "mew": 0.9})
        for at, top in zip(x[limits], value[limits], strict=True):
            axes.annotate(
                "", (at, top), (0.0, -11.0), textcoords="offset points", zorder=3.1,
                arrowprops={"arrowstyle": "<-", "color": look.color, "lw": 0.8, "shrinkA": 0.0, "shrinkB": 0.0},
            )  # fmt: skip


def _error_pairs(series: DataSeries, factor: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Total and statistical errors of shape (2, n), scaled."""
    total = np.array([series.error_low, series.error_high], dtype=float) * factor
    stat = np.array([series.stat_low, series.stat_high], dtype=float) * factor
    return np.nan_to_num(total), np.nan_to_num(stat)


def _marker(look: MarkerLook) -> dict[str, Any]:
    return {
        "ls": "",
        "marker": look.marker,
        "ms": look.size,
        "color": look.color,
        "mfc": look.color if look.filled else "white",
        "mec": look.color,
        "mew": 0.7,
    }


def _set_range(axes: Axes, series: Sequence[DataSeries], power: float, quantity: str) -> None:
    """Room for every point with its errors, and at the top for the title."""
    x = np.concatenate([np.asarray(points.x, dtype=float) for points in series])
    axes.set_xlim(x.min() / 1.4, x.max() * 1.4)
    axes.xaxis.set_major_locator(LogLocator(base=10.0, numticks=14))
    axes.xaxis.set_minor_locator(LogLocator(base=10.0, subs=tuple(range(2, 10)), numticks=200))
    if x.max() / x.min() > 12.0:
        axes.xaxis.set_minor_formatter(NullFormatter())
    lows, highs = [], []
    for points in series:
        factor = np.asarray(points.x, dtype=float) ** power
        value = np.asarray(points.value) * factor
        total, _ = _error_pairs(points, factor)
        kept = ~points.limits
        lows += [*(value - total[0])[kept], *value[~kept] * (1.0 if quantity == "lnA" else 0.6)]
        highs += [*(value + total[1])[kept], *value[~kept]]
    values = np.concatenate([np.asarray(p.value) * np.asarray(p.x, dtype=float) ** power for p in series])
    if quantity == "lnA" or (quantity == "ratio" and values.max() < 10.0 * values.min()):
        low, high = min(lows), max(highs)
        axes.set_ylim(low - 0.06 * (high - low), high + 0.16 * (high - low))
        return
    axes.set_yscale("log", nonpositive="clip")
    # A bar that reaches zero has no end on this axis: it may leave the figure.
    low = max(min(lows), 0.35 * values.min())
    high = min(max(highs), 3.0 * values.max())
    decades = np.log10(high / low)
    axes.set_ylim(low / 10.0 ** (0.06 * decades), high * 10.0 ** (0.16 * decades))
    label_log_y(axes)


def _species_text(spectrum: Spectrum) -> str:
    return r"$\langle\ln A\rangle$" if spectrum.quantity == "lnA" else spectrum.species


def _title(spectra: Sequence[Spectrum]) -> str:
    return ", ".join(dict.fromkeys(_species_text(spectrum) for spectrum in spectra))


def _value_label(spectra: Sequence[Spectrum], quantity: str, axis: str, power: float) -> str:
    if quantity == "flux":
        return flux_label(axis, power)
    if quantity == "lnA":
        return r"$\langle\ln A\rangle$"
    names = {spectrum.species for spectrum in spectra}
    return f"{names.pop()} flux ratio" if len(names) == 1 else "Flux ratio"


def _handles(series: Sequence[DataSeries], looks: Sequence[MarkerLook]) -> list[Line2D]:
    handles = [
        Line2D([], [], label=points.experiment, **_marker(look)) for points, look in zip(series, looks, strict=True)
    ]
    handles.append(Line2D([], [], color=_GREY, lw=0.8, label="statistical error"))
    handles.append(Line2D([], [], color=_GREY, lw=3.0, alpha=_LIGHT + 0.1, label="total error", solid_capstyle="butt"))
    if any(points.limits.any() for points in series):
        handles.append(Line2D([], [], ls="", marker=r"$\downarrow$", ms=7.0, color=_GREY, label="upper limit"))
    return handles


def _arrange(figure: Figure, axes: Axes, handles: list[Line2D], height: float) -> None:
    """Put the legend above the axes in as many columns as fit, and make the figure as high as that needs [inch]."""
    width = figure.get_figwidth()
    left, right, bottom, gap = 0.62, 0.06, 0.42, 0.06
    inside = width - left - right
    renderer = FigureCanvasAgg(figure).get_renderer()

    def legend(columns: int, size: float | None) -> Legend:
        return figure.legend(
            handles=handles, loc="lower left", borderaxespad=0.0, borderpad=0.0, ncols=columns, columnspacing=1.0,
            handletextpad=0.4, handlelength=1.3, bbox_to_anchor=(0.0, 0.0), fontsize=size,
        )  # fmt: skip

    # Many tables in one column of a page: small letters rather than a legend higher than the figure.
    least = 2 if len(handles) > 5 else 1
    tries = [(columns, size) for size in (None, 6.0, 5.0) for columns in range(min(6, len(handles)), least - 1, -1)]
    for columns, size in [*tries, (1, None)]:
        drawn = legend(columns, size)
        box = drawn.get_window_extent(renderer)
        if box.width / figure.dpi <= inside or columns == 1:
            break
        drawn.remove()
    top = box.height / figure.dpi
    total = bottom + height + gap + top
    figure.set_figheight(total)
    axes.set_position((left / width, bottom / total, inside / width, height / total))
    drawn.set_bbox_to_anchor((left / width, (bottom + height + gap) / total), figure.transFigure)
