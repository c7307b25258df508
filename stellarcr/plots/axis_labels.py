"""Labels of the axes of spectra."""

from __future__ import annotations

from collections.abc import Sequence

from .spectrum_panel import SpectrumPanel

AXIS_SYMBOLS = {
    "R": ("R", "R", "GV"),
    "EK": (r"E_\mathrm{k}", r"E_\mathrm{k}", "GeV"),
    "EKN": (r"E_\mathrm{k}/n", r"(E_\mathrm{k}/n)", "GeV/n"),
    "ETOT": ("E", "E", "GeV"),
}
"""Symbol of every axis, as it stands alone and with a power, and its unit."""

AXIS_LABELS = {"R": "Rigidity", "EK": "Kinetic energy", "EKN": "Kinetic energy per nucleon", "ETOT": "Energy"}
"""Every axis in words."""


def flux_label(axis: str, scale: float) -> str:
    """Label of a scaled flux with its unit.

    Parameters
    ----------
    axis : {"R", "EK", "EKN", "ETOT"}
        Axis code.
    scale : float
        Power of the axis that multiplies the flux; 0 for the bare flux.
    """
    _, factor, unit = AXIS_SYMBOLS[axis]
    base, _, nucleon = unit.partition("/")
    power = f"{scale - 1:.3g}"
    per = rf"({base}/{nucleon})" if nucleon else base
    energy = {"1": f"{per} ", "0": ""}.get(power, rf"{per}$^{{{power}}}$ ")
    symbol = rf"{factor}^{{{scale:g}}}\,J" if scale else "J"
    return rf"${symbol}$ [{energy}m$^{{-2}}$ s$^{{-1}}$ sr$^{{-1}}$]"


def ratio_label(panels: Sequence[SpectrumPanel]) -> str:
    """Label of ratios: the name of a single one, and what is equal for numerator and denominator."""
    name = panels[0].species if len({panel.species for panel in panels}) == 1 else "Ratio"
    return f"{name} at equal ${AXIS_SYMBOLS[panels[0].axis][0]}$"
