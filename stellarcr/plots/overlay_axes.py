"""Measurements of several experiments on one axis."""

from __future__ import annotations

from collections.abc import Sequence

from ..data import Spectrum
from ..errors import DataError, ParameterError, nearest
from ..observe import AXES
from ..species import ELEMENTS
from .spectrum_panel import DataSeries, place_on_axis


def common_axis(spectra: Sequence[Spectrum]) -> str:
    """Axis that all measurements can be drawn on.

    Their own if they share one; else that of the sums, ratios and mean ln A among them, which cannot be moved; else
    rigidity.

    Raises
    ------
    DataError
        If measurements hold different quantities, or cannot be moved and have different axes.
    """
    common_quantity(spectra)
    axes = {spectrum.axis for spectrum in spectra}
    if len(axes) == 1:
        return next(iter(axes))
    fixed = {spectrum.axis: spectrum.name for spectrum in spectra if not can_move(spectrum)}
    if len(fixed) > 1:
        listed = ", ".join(f"{name} on {axis}" for axis, name in fixed.items())
        raise DataError(
            f"tables that cannot be moved to another axis have different ones: {listed}",
            remedy=f"draw those of one axis with --axis {' or '.join(sorted(fixed))}: sums, ratios and mean ln A have "
            "no single isotope to convert with",
        )
    return next(iter(fixed), "R")


def on_axis(spectrum: Spectrum, label: str, axis: str) -> DataSeries:
    """Points of a measurement on an axis.

    Parameters
    ----------
    spectrum : Spectrum
        The measurement.
    label : str
        Name in the legend.
    axis : {"R", "EK", "EKN", "ETOT"}
        The axis.

    Raises
    ------
    DataError
        If the measurement is of no single element and on another axis.
    ParameterError
        If the axis is unknown.
    """
    if axis not in AXES:
        raise ParameterError(f"unknown axis {axis!r}", remedy=nearest(axis, AXES))
    if axis != spectrum.axis and not can_move(spectrum):
        what = {"lnA": "a mean ln A", "ratio": "a ratio"}.get(spectrum.quantity, f"the sum {spectrum.species!r}")
        raise DataError(
            f"{spectrum.name!r} cannot be moved from the axis {spectrum.axis} to {axis}: it is {what}, "
            "and every isotope would move differently",
            remedy=f"draw it on its own axis, {spectrum.axis}, or leave it out",
        )
    low, high = spectrum.total_error()
    series = DataSeries(
        label,
        spectrum.x.value,
        spectrum.value.value,
        low.value,
        high.value,
        spectrum.stat_low.value,
        spectrum.stat_high.value,
        spectrum.x_low.value,
        spectrum.x_high.value,
        upper_limit=spectrum.upper_limit,
    )
    return place_on_axis(series, spectrum.species, spectrum.axis, axis)


def can_move(spectrum: Spectrum) -> bool:
    """Whether a measurement can be drawn on another axis: fluxes of one element can."""
    return spectrum.quantity == "flux" and spectrum.species in ELEMENTS


def common_quantity(spectra: Sequence[Spectrum]) -> str:
    """The one quantity that all measurements hold.

    Raises
    ------
    DataError
        If there is none, or they differ.
    """
    if not spectra:
        raise DataError("no table to draw", remedy="name at least one")
    first = {spectrum.quantity: spectrum.name for spectrum in reversed(spectra)}
    if len(first) > 1:
        listed = ", ".join(f"{name} is a {quantity}" for quantity, name in first.items())
        raise DataError(f"one figure cannot show different quantities: {listed}", remedy="draw them one after another")
    return spectra[0].quantity
