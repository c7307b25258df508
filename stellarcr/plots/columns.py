"""On what scale a figure shows a parameter: shared by the corner and trace plots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..errors import ParameterError
from .labels import LOG10, axis_label, power_for, readable_label

FloatArray = NDArray[np.float64]

WIDE_RATIO = 30.0
"""A positive parameter whose central 95% span more than this factor is shown as its logarithm (project choice: a
factor 30 is where a linear axis starts to squeeze the lower half of the values into one bin of a histogram)."""

REACH = 3.0
"""An axis ends at this many times the distance from the median to the 95% interval, whatever lies beyond (project
choice: 5.9 standard deviations of a Gaussian, and beyond 99.9% of an exponential density; it cuts thin tails only)."""

_PILE = 25
"""Samples next to an edge that are no accident of a small sample."""

_NARROW = 0.1
"""Fraction of an axis below which a run is narrow."""

TAIL = 1e-3
"""Fraction of the samples that may lie outside an axis on each side where the density has no such thin tail."""


class PosteriorSamples(Protocol):
    """What a figure needs of a run: equal-weight samples with names, labels and units."""

    @property
    def name(self) -> str:
        """Name of the run."""
        ...

    @property
    def names(self) -> Sequence[str]:
        """Names of the parameters."""
        ...

    @property
    def labels(self) -> Sequence[str]:
        """LaTeX labels without dollar signs."""
        ...

    @property
    def units(self) -> Sequence[str]:
        """Units as text; empty for a pure number."""
        ...

    @property
    def samples(self) -> FloatArray:
        """Samples of equal weight, shape (n_samples, n_parameters)."""
        ...

    @property
    def summary(self) -> Mapping[str, Any]:
        """The run's ``summary.json``."""
        ...


@dataclass(frozen=True)
class Column:
    """One parameter as it is drawn.

    Attributes
    ----------
    name : str
        Name of the parameter.
    label : str
        LaTeX label without dollar signs, with the logarithm where one is taken.
    unit : str
        Unit of the parameter.
    logarithm : bool
        Whether log10 of the parameter is drawn.
    power_of_ten : int
        Power of ten that is divided out.
    low, high : float
        Range on the axis.
    bins : int
        Number of bins that resolve the narrowest of the densities.
    """

    name: str
    label: str
    unit: str
    logarithm: bool
    power_of_ten: int
    low: float
    high: float
    bins: int = 30

    def shown(self, values: Any) -> FloatArray:
        """Turn values of the parameter into values on the axis."""
        values = np.asarray(values, dtype=float)
        if self.logarithm:
            with np.errstate(divide="ignore", invalid="ignore"):
                return np.log10(values)
        return values / 10.0**self.power_of_ten

    def axis_label(self, separator: str = " ") -> str:
        """Label and unit."""
        return axis_label(self.label, self.unit, power_of_ten=self.power_of_ten, separator=separator)


def make_column(name: str, label: str, unit: str, samples: Sequence[FloatArray], marks: Sequence[float] = ()) -> Column:
    """Choose scale, range and bins of a parameter from its samples.

    Parameters
    ----------
    name, label, unit : str
        The parameter; a label that is empty or cannot be typeset shows the name.
    samples : sequence of numpy.ndarray
        Samples of each run.
    marks : sequence of float
        Values that must be inside the range.

    Raises
    ------
    ParameterError
        If there is nothing finite to draw.
    """
    parts = [np.ravel(part)[np.isfinite(np.ravel(part))] for part in samples]
    parts = [part for part in parts if part.size]
    if not parts:
        raise ParameterError(f"parameter {name!r} has no finite samples", remedy="look at the run's log.txt")
    label = readable_label(label, name)
    ends = np.array([np.quantile(part, [0.025, 0.5, 0.975]) for part in parts])
    low, high = float(ends[:, 0].min()), float(ends[:, 2].max())
    logarithm = all(part.min() > 0 for part in parts) and high / low > WIDE_RATIO
    power = 0 if logarithm else power_for(ends)
    plain = Column(name, f"{LOG10} {label}" if logarithm else label, unit, logarithm, power, 0.0, 1.0)
    shown = [plain.shown(part) for part in parts]
    low, high = _range(shown, plain.shown([mark for mark in marks if np.isfinite(mark)]))
    return Column(name, plain.label, unit, logarithm, power, low, high, resolving_bins(shown, high - low))


def _range(samples: Sequence[FloatArray], marks: FloatArray) -> tuple[float, float]:
    """Range of an axis: what every run needs, and the marks with some room."""
    spread = [part for part in samples if np.ptp(part) > 0.0]
    if not spread:
        # A single point, or a constant: nothing tells a scale.
        values = np.concatenate([*samples, marks])
        room = max(1e-2 * float(np.abs(values).max()), 1e-12)
        return float(values.min()) - room, float(values.max()) + room
    low, high = _common_range([_run_range(part) for part in spread])
    constants = [part[:1] for part in samples if np.ptp(part) == 0.0]
    marks = np.concatenate([marks, *constants])
    marks, room = marks[np.isfinite(marks)], 0.03 * (high - low)
    return min([low, *(marks[marks < low] - room)]), max([high, *(marks[marks > high] + room)])


def _common_range(runs: Sequence[_RunRange]) -> tuple[float, float]:
    """Range that holds all runs: with some room, but flush where the samples pile up at an edge.

    A run that is much narrower than the axis has room in any case: at the frame it could not be seen.
    """
    low, high = min(run.low for run in runs), max(run.high for run in runs)
    wide = [run for run in runs if run.high - run.low > _NARROW * (high - low)]
    flush_low = all(run.piled_low and run in wide for run in runs if run.low == low)
    flush_high = all(run.piled_high and run in wide for run in runs if run.high == high)
    room = 0.05 * (high - low)
    return low - (0.0 if flush_low else room), high + (0.0 if flush_high else room)


@dataclass(frozen=True)
class _RunRange:
    """Range that one run needs on an axis, and whether its samples pile up at the ends."""

    low: float
    high: float
    piled_low: bool
    piled_high: bool


def _run_range(shown: FloatArray) -> _RunRange:
    """Range up to the tails of a run, or to the edges where its samples pile up."""
    low, first, median, last, high = (float(v) for v in np.quantile(shown, [TAIL, 0.025, 0.5, 0.975, 1.0 - TAIL]))
    low, high = max(low, median - REACH * (median - first)), min(high, median + REACH * (last - median))
    # A density cut off by a prior has a per cent of its samples next to the edge; a tail has far fewer. How near is
    # "next to" is told by the middle of the density: a long tail on the other side must not widen it.
    near = 0.15 * float(np.subtract(*np.quantile(shown, [0.84, 0.16])))
    edges = float(shown.min()), float(shown.max())
    if high <= low:  # nearly all samples are equal
        low, high = edges
    enough = max(_PILE, 8.0 * TAIL * len(shown))
    piled_low = bool(np.count_nonzero(shown < edges[0] + near) > enough)
    piled_high = bool(np.count_nonzero(shown > edges[1] - near) > enough)
    return _RunRange(edges[0] if piled_low else low, edges[1] if piled_high else high, piled_low, piled_high)


def resolving_bins(samples: Sequence[FloatArray], width: float) -> int:
    """Number of bins for the narrowest density and the smallest sample.

    The width of a bin shrinks with the cube root of the sample, as the optimal width does.

    Parameters
    ----------
    samples : sequence of numpy.ndarray
        Samples of each run on the axis.
    width : float
        Width of the axis.
    """
    spread = [part for part in samples if np.ptp(part) > 0.0]
    cores = [float(np.subtract(*np.quantile(part, [0.84, 0.16]))) for part in spread]
    smallest = min((len(part) for part in spread), default=1)
    finest = max((0.47 * smallest ** (1 / 3) / core for core in cores if core > 0.0), default=0.0)
    return int(np.clip(round(finest * width), 12, 90))
