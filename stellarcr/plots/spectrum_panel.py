"""What a figure of spectra shows, as plain arrays: bands of the model and measured points, on one axis per panel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError, ParameterError, nearest
from ..observe import AXES, from_rigidity, rigidity
from ..observe.axes import energy_jacobian
from ..species import ELEMENTS, dominant_isotope, is_ratio

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Band:
    """A curve with its uncertainty.

    Attributes
    ----------
    median : numpy.ndarray, shape (n,)
        The curve [1 / (m2 s sr unit of the axis)].
    low, high : numpy.ndarray, shape (n,), optional
        Ends of the band, usually the central 68% of the posterior; none for a single parameter vector.
    label : str
        What the population calls itself, LaTeX without dollar signs (`labels.population_label`); may be empty.
    """

    median: FloatArray
    low: FloatArray | None = None
    high: FloatArray | None = None
    label: str = ""

    @classmethod
    def from_samples(cls, values: Any, fraction: float = 0.68) -> Band:
        """Median and central interval of curves of shape (n_samples, n)."""
        tail = 0.5 * (1.0 - fraction)
        low, median, high = np.quantile(np.asarray(values, dtype=float), [tail, 0.5, 1.0 - tail], axis=0)
        return cls(median, low, high)


@dataclass(frozen=True, eq=False)
class DataSeries:
    """Points of one measurement.

    Attributes
    ----------
    experiment : str
        Name in the legend; decides the marker.
    x : numpy.ndarray, shape (n,)
        Points on the axis [GV or GeV].
    value : numpy.ndarray, shape (n,)
        Flux [1 / (m2 s sr unit of the axis)].
    error_low, error_high : numpy.ndarray, shape (n,)
        Total errors: statistical and systematic in quadrature.
    stat_low, stat_high : numpy.ndarray, shape (n,), optional
        Statistical errors, drawn as an inner cap.
    x_low, x_high : numpy.ndarray, shape (n,), optional
        Bin edges; NaN where none are known.
    pull : numpy.ndarray, shape (n,), optional
        (Data - model) / error as the likelihood sees it; without it the panel shows no pulls of this measurement.
    upper_limit : numpy.ndarray of bool, shape (n,), optional
        Where `value` is an upper limit.
    """

    experiment: str
    x: FloatArray
    value: FloatArray
    error_low: FloatArray
    error_high: FloatArray
    stat_low: FloatArray | None = None
    stat_high: FloatArray | None = None
    x_low: FloatArray | None = None
    x_high: FloatArray | None = None
    pull: FloatArray | None = None
    upper_limit: NDArray[np.bool_] | None = None

    def __post_init__(self) -> None:
        shape = np.shape(self.x)
        for name in _PER_POINT:
            given = getattr(self, name)
            if given is not None and np.shape(given) != shape:
                raise DataError(
                    f"{name} has shape {np.shape(given)}, x has {shape}", where=f"points of {self.experiment}"
                )

    @property
    def limits(self) -> NDArray[np.bool_]:
        """Where the points are upper limits."""
        return np.zeros(np.shape(self.x), bool) if self.upper_limit is None else np.asarray(self.upper_limit, bool)

    def within(self, low: float, high: float) -> DataSeries:
        """The points from `low` to `high` of the axis."""
        kept = (np.asarray(self.x) >= low) & (np.asarray(self.x) <= high)
        values: dict[str, Any] = {name: getattr(self, name) for name in ("x", *_PER_POINT)}
        cut: dict[str, Any] = {name: np.asarray(value)[kept] for name, value in values.items() if value is not None}
        return replace(self, **cut)


_PER_POINT = (
    "value", "error_low", "error_high", "stat_low", "stat_high", "x_low", "x_high", "pull", "upper_limit"
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class SpectrumPanel:
    """One species: the model on a fine axis, and the measurements on the same axis.

    Attributes
    ----------
    species : str
        Element, ``p+He`` or ``all``, or a ratio such as ``B/C``, whose values are plain numbers; the panel's title.
    x : numpy.ndarray, shape (n,)
        Points of the model's curves [GV or GeV].
    components : mapping of str to Band
        Curves by population, in drawing order.
    total : Band or None
        Their sum.
    data : sequence of DataSeries
        Measurements, on this panel's axis (`place_on_axis`).
    axis : {"R", "EK", "EKN", "ETOT"}
        The axis; the same for all panels of a figure.
    """

    species: str
    x: FloatArray
    components: Mapping[str, Band] = field(default_factory=dict)
    total: Band | None = None
    data: Sequence[DataSeries] = ()
    axis: str = "R"

    def __post_init__(self) -> None:
        if self.axis not in AXES:
            raise ParameterError(f"unknown axis {self.axis!r}", remedy=nearest(self.axis, AXES))
        for name, band in self.bands.items():
            for part in (band.median, band.low, band.high):
                if part is not None and np.shape(part) != np.shape(self.x):
                    raise DataError(
                        f"curve {name!r} has shape {np.shape(part)}, x has {np.shape(self.x)}",
                        where=f"panel {self.species}",
                    )

    @property
    def bands(self) -> dict[str, Band]:
        """All curves by name, the total last."""
        return {**self.components, **({"total": self.total} if self.total is not None else {})}

    @property
    def shows_ratio(self) -> bool:
        """Whether the panel shows a ratio of fluxes."""
        return is_ratio(self.species)

    def without_components(self) -> SpectrumPanel:
        """Return the same panel with the total alone."""
        return replace(self, components={})


def place_on_axis(series: DataSeries, species: str, from_axis: str, to_axis: str) -> DataSeries:
    """Move measured points to another axis, exactly for the dominant isotope of the element.

    For drawing only: a fit converts the model to the data's axis, isotope by isotope.

    Parameters
    ----------
    series : DataSeries
        Points on `from_axis`.
    species : str
        Element.
    from_axis, to_axis : {"R", "EK", "EKN", "ETOT"}
        Axes.

    Returns
    -------
    DataSeries
        The same measurement; fluxes and errors are multiplied by dx/dx', pulls stay.

    Raises
    ------
    ParameterError
        If an axis is unknown, or the species is a sum, which has no isotope to convert with.
    """
    for axis in (from_axis, to_axis):
        if axis not in AXES:
            raise ParameterError(f"unknown axis {axis!r}", remedy=nearest(axis, AXES))
    if from_axis == to_axis:
        return series
    if species not in ELEMENTS:
        what = "a ratio of two elements" if is_ratio(species) else "no single element"
        raise ParameterError(
            f"{species!r} cannot be moved from axis {from_axis} to {to_axis}: it is {what}",
            where=f"points of {series.experiment}",
            remedy=f"draw it on its own axis, {from_axis}",
        )
    isotope = dominant_isotope(species)

    def move(x: FloatArray) -> FloatArray:
        moved = np.asarray(from_rigidity(to_axis, rigidity(from_axis, x, isotope), isotope))
        return np.where(np.isfinite(x), moved, np.nan)  # edges that are not known stay so

    x = np.asarray(series.x, dtype=float)
    moved = move(x)
    # J dx is the same on both axes, and so is the energy: J' = J (dE/dx') / (dE/dx).
    jacobian = energy_jacobian(to_axis, moved, isotope) / energy_jacobian(from_axis, x, isotope)

    def times(values: FloatArray | None) -> FloatArray | None:
        return None if values is None else np.asarray(values) * jacobian

    return replace(
        series,
        x=moved,
        value=np.asarray(series.value) * jacobian,
        error_low=np.asarray(series.error_low) * jacobian,
        error_high=np.asarray(series.error_high) * jacobian,
        stat_low=times(series.stat_low),
        stat_high=times(series.stat_high),
        x_low=None if series.x_low is None else move(np.asarray(series.x_low, dtype=float)),
        x_high=None if series.x_high is None else move(np.asarray(series.x_high, dtype=float)),
    )
