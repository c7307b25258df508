"""Where a spectrum bends upwards: local slopes, hardening, minimum of R^2.7 J."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SCALE = 2.7
"""Power of rigidity in figures; its minimum is where the slope rises through -2.7."""

PER_DECADE = 50


@dataclass(frozen=True)
class Hardening:
    """A stretch of rigidity over which the local slope d ln J / d ln R rises.

    Attributes
    ----------
    rigidity : float
        Where the slope rises fastest [GV]: the place of the hardening, whatever power of R multiplies J.
    softest, hardest : float
        Ends of the stretch [GV]: the local minimum of the slope below, the local maximum above.
    slope_before, slope_after : float
        Slopes there.
    lowest : float or None
        Local minimum of R^2.7 J inside the stretch [GV]; None if the slope does not pass -2.7 there.
    """

    rigidity: float
    softest: float
    hardest: float
    slope_before: float
    slope_after: float
    lowest: float | None

    @property
    def rise(self) -> float:
        """By how much the slope rises."""
        return self.slope_after - self.slope_before


def rigidities(low: float, high: float) -> Floats:
    """Points [GV] on which slopes are taken, evenly in ln R."""
    return np.geomspace(low, high, round(PER_DECADE * np.log10(high / low)) + 1)


def local_slope(rigidity: Floats, flux: Floats) -> Floats:
    """Local slope d ln J / d ln R by central differences.

    Parameters
    ----------
    rigidity : ndarray, shape (n,)
        Rigidity [GV], evenly in ln R.
    flux : ndarray, shape (n,)
        Flux, positive.
    """
    return np.gradient(np.log(flux), np.log(rigidity))


def slope_at(rigidity: Floats, flux: Floats, at: float) -> float:
    """Local slope at one rigidity [GV], interpolated linearly in ln R."""
    return float(np.interp(np.log(at), np.log(rigidity), local_slope(rigidity, flux)))


def hardening(rigidity: Floats, flux: Floats, low: float, high: float, least: float = 0.05) -> Hardening | None:
    """Find the hardening of a spectrum: where its local slope rises fastest.

    Parameters
    ----------
    rigidity : ndarray, shape (n,)
        Rigidity [GV], evenly in ln R.
    flux : ndarray, shape (n,)
        Flux, positive.
    low, high : float
        Where to look for the fastest rise [GV].
    least : float
        Rise of the slope below which a spectrum is not said to harden.

    Returns
    -------
    Hardening or None
        None if the slope rises nowhere by so much.
    """
    place = np.log(rigidity)
    slope = local_slope(rigidity, flux)
    growth = np.gradient(slope, place)
    inside = np.flatnonzero((rigidity >= low) & (rigidity <= high))
    top = int(inside[np.argmax(growth[inside])])
    # rounding of the flux makes no ends of its own
    rising = growth > 1e-6 * abs(growth[top])
    first, last = top, top
    while first > 0 and rising[first - 1]:
        first -= 1
    while last < len(place) - 1 and rising[last + 1]:
        last += 1
    if not rising[top] or slope[last] - slope[first] < least:
        return None
    lowest = None
    if slope[first] < -SCALE < slope[last]:
        lowest = float(np.exp(np.interp(-SCALE, slope[first : last + 1], place[first : last + 1])))
    return Hardening(
        float(np.exp(_top(place, growth, top))),
        float(rigidity[first]),
        float(rigidity[last]),
        float(slope[first]),
        float(slope[last]),
        lowest,
    )


def _top(place: Floats, values: Floats, top: int) -> float:
    """Maximum of the parabola through a highest point and its neighbours."""
    if not 0 < top < len(place) - 1:
        return float(place[top])
    left, middle, right = values[top - 1 : top + 2]
    curvature = left - 2.0 * middle + right
    shift = 0.5 * (left - right) / curvature if curvature < 0 else 0.0
    return float(place[top] + np.clip(shift, -0.5, 0.5) * (place[1] - place[0]))


def largest_rise(rigidity: Floats, flux: Floats, low: float, high: float) -> tuple[float, float, float]:
    """Largest rise of the local slope from a lower to a higher rigidity.

    Parameters
    ----------
    rigidity, flux : ndarray, shape (n,)
        As of `hardening`.
    low, high : float
        Ends of the range [GV].

    Returns
    -------
    tuple of float
        The rise, never negative, and the two rigidities [GV].
    """
    inside = (rigidity >= low) & (rigidity <= high)
    slope, where = local_slope(rigidity, flux)[inside], rigidity[inside]
    rise = slope - np.minimum.accumulate(slope)
    last = int(np.argmax(rise))
    first = int(np.argmin(slope[: last + 1]))
    return float(rise[last]), float(where[first]), float(where[last])
