"""Which parameters a figure shows, and on what scale: shared by the corner and trace plots."""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..errors import ParameterError, nearest
from .labels import LOG10, axis_label, power_for

FloatArray = NDArray[np.float64]

WIDE_RATIO = 30.0
"""A positive parameter whose central 95% span more than this factor is shown as its logarithm (project choice: a
factor 30 is where a linear axis starts to squeeze the lower half of the values into one bin of a histogram)."""


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
    """

    name: str
    label: str
    unit: str
    logarithm: bool
    power_of_ten: int
    low: float
    high: float

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


def select_names(names: Sequence[str], parameters: str | Sequence[str] | None) -> tuple[str, ...]:
    """Choose parameters by name, by pattern, or by group.

    Parameters
    ----------
    names : sequence of str
        All names, in order.
    parameters : str, sequence of str, or None
        Names (``snr.gamma2``), shell patterns (``*.R_max``) or groups, which are what stands before the dot (``snr``).
        None chooses all.

    Returns
    -------
    tuple of str
        The chosen names in the order of the request, each once.

    Raises
    ------
    ParameterError
        If an entry fits no name.
    """
    if parameters is None:
        return tuple(names)
    chosen: list[str] = []
    for wanted in [parameters] if isinstance(parameters, str) else parameters:
        found = [name for name in names if name == wanted]
        found = found or [name for name in names if fnmatch.fnmatchcase(name, wanted)]
        found = found or [name for name in names if name.split(".")[0] == wanted]
        if not found:
            groups = {name.split(".")[0] for name in names if "." in name}
            raise ParameterError(f"no parameter fits {wanted!r}", remedy=nearest(wanted, {*names, *groups}))
        chosen += [name for name in found if name not in chosen]
    return tuple(chosen)


def make_column(
    name: str, label: str, unit: str, samples: Sequence[FloatArray], marks: Sequence[float] = (), tail: float = 1e-3
) -> Column:
    """Choose scale and range of a parameter from its samples.

    Parameters
    ----------
    name, label, unit : str
        The parameter; an empty label shows the name.
    samples : sequence of numpy.ndarray
        Samples of each run.
    marks : sequence of float
        Values that must be inside the range.
    tail : float
        Fraction of the samples that may lie outside on each side.

    Raises
    ------
    ParameterError
        If there is nothing finite to draw.
    """
    values = np.concatenate([np.ravel(part) for part in samples]) if samples else np.empty(0)
    values = values[np.isfinite(values)]
    if values.size == 0:
        raise ParameterError(f"parameter {name!r} has no finite samples", remedy="look at the run's log.txt")
    label = label or r"\mathrm{" + name.replace("_", r"\_") + "}"
    low, high = np.quantile(values, [0.025, 0.975])
    logarithm = bool(values.min() > 0 and high / low > WIDE_RATIO)
    power = 0 if logarithm else power_for(np.quantile(values, [0.025, 0.5, 0.975]))
    plain = Column(name, f"{LOG10} {label}" if logarithm else label, unit, logarithm, power, 0.0, 1.0)
    low, high = _range(plain.shown(values), plain.shown([mark for mark in marks if np.isfinite(mark)]), tail)
    return Column(name, plain.label, unit, logarithm, power, low, high)


def _range(shown: FloatArray, marks: FloatArray, tail: float) -> tuple[float, float]:
    """Range of an axis: up to the tails with some room, but flush where the samples pile up at an edge."""
    low, high = (float(edge) for edge in np.quantile(shown, [tail, 1.0 - tail]))
    width = high - low
    if width == 0.0:
        room = max(1e-2 * abs(high), 1e-12)
        return low - room, high + room
    # A density cut off by a prior has a few per cent of the samples next to the edge; a tail has fewer.
    piled_low = np.mean(shown < low + 0.02 * width) > 8.0 * tail
    piled_high = np.mean(shown > high - 0.02 * width) > 8.0 * tail
    low = float(shown.min()) if piled_low else low - 0.05 * width
    high = float(shown.max()) if piled_high else high + 0.05 * width
    room = 0.03 * width
    marks = marks[np.isfinite(marks)]
    return min([low, *(marks[marks < low] - room)]), max([high, *(marks[marks > high] + room)])
