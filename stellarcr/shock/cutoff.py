"""Effective cutoffs of sums of exponentials: where a spectrum is one power of rigidity steeper than its injection.

For Q = R^gamma sum_k c_k exp(-R x_k), x = 1/R_max, the slope is dlnQ/dlnR = gamma - R <x>, with <x> the mean of x_k
weighted by c_k exp(-R x_k). The effective cutoff solves R <x> = 1, whatever gamma is. All solutions lie between the
lowest and the highest R_max. A sum of very different cutoffs can have three or more: it falls at the first and
flattens again before the last. This is tabulation code: NumPy.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import ModelError
from .acceleration import injects
from .checks import check_range

_POINTS_PER_DECADE = 64
_LARGEST_BLOCK = 4_000_000
"""Numbers held at once by the scan (32 MB)."""
_MAXIMUM_STEPS = 100
_TOLERANCE = 1e-13


@dataclass(frozen=True)
class EffectiveCutoff:
    """Effective cutoffs [GV], shape ``(n_species,)``; NaN for species that are not injected.

    Attributes
    ----------
    first : numpy.ndarray
        Lowest rigidity where dlnQ/dlnR = gamma - 1.
    last : numpy.ndarray
        Highest such rigidity; equal to ``first`` where there is only one.
    """

    first: np.ndarray
    last: np.ndarray


def log_slope(
    rigidity: np.ndarray, coefficients: np.ndarray, maximum_rigidity: np.ndarray, gamma: float = -2.0
) -> np.ndarray:
    """Slope dlnQ/dlnR of spectra integrated over steps, by the analytic derivative.

    Parameters
    ----------
    rigidity : numpy.ndarray
        Rigidity [GV], shape ``(n_rigidity,)``.
    coefficients : numpy.ndarray
        From ``integrated_amplitude``, shape ``(n_species, n_steps)``.
    maximum_rigidity : numpy.ndarray
        R_max of the steps [GV], shape ``(n_steps,)``.
    gamma : float
        Injection index.

    Returns
    -------
    numpy.ndarray
        Slopes, shape ``(n_species, n_rigidity)``; NaN for species that are not injected.

    Raises
    ------
    ModelError
        If shapes disagree or values are out of range.
    """
    weights, inverse = _exponentials(coefficients, maximum_rigidity)
    points = np.asarray(rigidity, dtype=float)
    slopes = np.full((weights.shape[0], points.size), np.nan)
    for row, weight in enumerate(weights):
        if np.any(weight > 0):
            mean, _ = _tilted(weight[None, :], inverse, points)
            slopes[row] = gamma - points * mean
    return slopes


def effective_cutoff(coefficients: np.ndarray, maximum_rigidity: np.ndarray) -> EffectiveCutoff:
    """Rigidities where spectra integrated over steps have the slope gamma - 1.

    A scan between the lowest and the highest R_max (64 points per decade) brackets the solutions of every species;
    Newton's method in ln R, kept in the bracket by bisection, refines them to rounding.

    Parameters
    ----------
    coefficients : numpy.ndarray
        From ``integrated_amplitude`` [1/GV], shape ``(n_species, n_steps)``; elements or nuclides.
    maximum_rigidity : numpy.ndarray
        R_max of the steps [GV], shape ``(n_steps,)``.

    Returns
    -------
    EffectiveCutoff
        The first and the last solution of every species.

    Raises
    ------
    ModelError
        If shapes disagree or values are out of range.
    """
    weights, inverse = _exponentials(coefficients, maximum_rigidity)
    first, last = np.full((2, weights.shape[0]), np.nan)
    injected = np.flatnonzero(np.any(weights > 0, axis=1))
    if injected.size:
        weights = weights[injected]
        used = np.any(weights > 0, axis=0)
        weights, inverse = weights[:, used], inverse[used]
        brackets = _brackets(weights, inverse)
        first[injected] = _refine(weights, inverse, *brackets[0])
        last[injected] = _refine(weights, inverse, *brackets[1])
    return EffectiveCutoff(first, last)


def _exponentials(coefficients: np.ndarray, maximum_rigidity: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients without the steps that inject nothing, and 1/R_max [1/GV]."""
    weights, cutoff = np.asarray(coefficients, dtype=float), np.asarray(maximum_rigidity, dtype=float)
    if weights.ndim != 2 or cutoff.shape != weights.shape[1:]:
        raise ModelError(
            f"shapes disagree: coefficients {weights.shape}, R_max {cutoff.shape}",
            remedy="give coefficients of shape (n_species, n_steps) and R_max of shape (n_steps,)",
        )
    check_range("coefficient", weights, 0.0, unit="1/GV")
    check_range("R_max", cutoff, 0.0, unit="GV")
    active = injects(cutoff)
    return weights[:, active], 1.0 / cutoff[active]


def _tilted(weights: np.ndarray, inverse: np.ndarray, rigidity: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance of x weighted by c exp(-R x), row by row: weights (n or 1, n_steps), rigidity (n,)."""
    # relative to the row's hardest exponential, so that one term at least is of the size of its coefficient
    hardest = np.min(np.where(weights > 0, inverse, np.inf), axis=1, keepdims=True)
    # a term that was excluded has a zero weight; the clip keeps its exponential finite
    tilted = weights * np.exp(np.clip(-rigidity[:, None] * (inverse - hardest), -700.0, 0.0))
    total = np.sum(tilted, axis=1)
    mean = np.sum(tilted * inverse, axis=1) / total
    variance = np.sum(tilted * (inverse - mean[:, None]) ** 2, axis=1) / total
    return mean, variance


def _brackets(
    weights: np.ndarray, inverse: np.ndarray
) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Ends [GV] of an interval around the first and around the last solution of each species."""
    lowest = 1.0 / np.max(np.where(weights > 0, inverse, 0.0), axis=1)
    highest = 1.0 / np.min(np.where(weights > 0, inverse, np.inf), axis=1)
    span = np.log10(highest.max() / lowest.min())
    # widened, so that rounding leaves R <x> below 1 at the first point and above 1 at the last
    grid = np.geomspace(lowest.min() * (1 - 1e-9), highest.max() * (1 + 1e-9), 3 + int(span * _POINTS_PER_DECADE))
    above = np.empty((weights.shape[0], grid.size), dtype=bool)
    size = max(1, _LARGEST_BLOCK // inverse.size)
    for start in range(0, grid.size, size):
        block = grid[start : start + size]
        decay = np.exp(np.maximum(-block[:, None] * inverse, -700.0))
        # R <x> >= 1 <=> R sum(c x e) >= sum(c e)
        above[:, start : start + size] = (weights * inverse) @ decay.T * block >= weights @ decay.T
    # no solution lies outside a species' own cutoffs: beyond its hardest one, where its sums may underflow, R <x> > 1
    above = (above & (grid > lowest[:, None] * (1 - 1e-9))) | (grid > highest[:, None])
    rises = np.argmax(above, axis=1)
    falls = grid.size - 1 - np.argmax(~above[:, ::-1], axis=1)
    return (grid[rises - 1], grid[rises]), (grid[falls], grid[falls + 1])


def _refine(weights: np.ndarray, inverse: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Solve R <x> = 1 in brackets where R <x> - 1 goes from below zero to above; one bracket for each species."""
    low, high = np.log(low), np.log(high)
    point = (low + high) / 2
    for _ in range(_MAXIMUM_STEPS):
        rigidity = np.exp(point)
        mean, variance = _tilted(weights, inverse, rigidity)
        product = rigidity * mean
        # ln(R <x>) is nearly linear in ln R; its derivative is 1 - R Var(x)/<x>
        distance, slope = np.log(product), 1.0 - rigidity * variance / mean
        low, high = np.where(distance < 0, point, low), np.where(distance >= 0, point, high)
        newton = point - distance / np.where(slope > 0.01, slope, 0.01)
        inside = (newton >= low) & (newton <= high)
        following = np.where(inside, newton, (low + high) / 2)
        done = np.max(np.abs(following - point)) < _TOLERANCE
        point = following
        if done:
            return np.exp(point)
    raise ModelError(
        f"no effective cutoff was found within {_MAXIMUM_STEPS} steps",
        where=f"between {np.exp(low.min()):g} and {np.exp(high.max()):g} GV",
        remedy="please report this with the R_max of the steps",
    )
