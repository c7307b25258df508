"""How numbers are read off an evolving wind: slopes, medians by time, values at an age."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...stars.tracks import FloatArray

_POINTS = 200


def logarithmic_slope(age: FloatArray, values: FloatArray, first: float, last: float) -> float | None:
    """Slope of ln(values) against ln(age), fitted by least squares at ages even in the logarithm.

    Parameters
    ----------
    age, values : ndarray, shape (n,)
        What is fitted; values that are not finite are left out.
    first, last : float
        Window, in the unit of `age`.

    Returns
    -------
    float or None
        None where the window holds less than two values.
    """
    known = np.isfinite(values) & (values > 0.0)
    if np.count_nonzero(known & (age >= first) & (age <= last)) < 2:
        return None
    points = np.linspace(np.log(first), np.log(last), _POINTS)
    return float(np.polyfit(points, np.interp(points, np.log(age[known]), np.log(values[known])), 1)[0])


def median_by_time(values: FloatArray, duration: FloatArray, chosen: NDArray[np.bool_]) -> float | None:
    """The value that is exceeded for half of the time.

    Parameters
    ----------
    values : ndarray, shape (n,)
        By interval; those that are not finite are left out.
    duration : ndarray, shape (n,)
        Widths of the intervals.
    chosen : ndarray of bool, shape (n,)
        Which intervals count.

    Returns
    -------
    float or None
        None where no interval counts.
    """
    used = chosen & np.isfinite(values)
    if not np.any(used):
        return None
    order = np.argsort(values[used])
    share = np.cumsum(duration[used][order])
    return float(values[used][order][np.searchsorted(share, 0.5 * share[-1])])


def value_at(age: float, edges: FloatArray, values: FloatArray) -> float:
    """The value of the interval that ends at an age or holds it."""
    return float(values[np.searchsorted(edges, age, side="left") - 1])


def quotient(upper: float | None, lower: float | None) -> float | None:
    """Divide, None where one of them does not exist."""
    return None if upper is None or not lower else upper / lower
