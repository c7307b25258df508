"""Tests of ranks that should be uniform on 0, 1, ..., L."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.stats import chi2 as chi2_distribution

from ...errors import ParameterError

LEAST_MOCKS = 20
"""Mocks below which nothing is tested: two bins of ten (project choice, twice the usual least count of a chi2 test)."""

_MOST_BINS = 20
_LEAST_IN_BIN = 10
_SIMULATED = 20_000


@dataclass(frozen=True)
class Uniformity:
    """How far ranks are from uniform.

    Attributes
    ----------
    mocks : int
        Number of ranks.
    counts : tuple of int
        Ranks in bins of equal width.
    chi2, chi2_p : float
        Of the counts against equal ones, with one degree of freedom less than bins; p-value of the chi2 distribution.
    distance, distance_p : float
        Largest distance between the ranks' cumulative distribution and the uniform one (Kolmogorov and Smirnov's), and
        the fraction of simulated sets of uniform ranks with as large a distance; at least one over their number.
    mean, mean_error : float
        Mean of (rank + 1/2)/(L + 1), and its error for uniform ranks, for which it is 1/2. Above: posteriors lie too
        low.
    spread, spread_error : float
        Standard deviation of the same over that of uniform ranks, and its error for these, for which it is one. Above:
        posteriors are too narrow; below: too wide.
    """

    mocks: int
    counts: tuple[int, ...]
    chi2: float
    chi2_p: float
    distance: float
    distance_p: float
    mean: float
    mean_error: float
    spread: float
    spread_error: float


def uniformity_of(ranks: np.ndarray, largest: int) -> Uniformity:
    """Test ranks against the uniform distribution on 0, 1, ..., `largest`.

    Parameters
    ----------
    ranks : array of int, shape (mocks,)
        One per mock, independent of each other.
    largest : int
        L, the number of posterior draws among which each truth was ranked.

    Returns
    -------
    Uniformity
        Two tests, and what a deviation would look like.

    Raises
    ------
    ParameterError
        For fewer than `LEAST_MOCKS` ranks, or ranks outside 0 to L.
    """
    ranks = np.asarray(ranks)
    n, values = len(ranks), largest + 1
    if n < LEAST_MOCKS:
        raise ParameterError(f"{n} mocks are too few to test", remedy=f"draw at least {LEAST_MOCKS}, better 200")
    if np.any((ranks < 0) | (ranks > largest)):
        raise ParameterError(f"a rank among {largest} draws lies outside 0 to {largest}", remedy="rank all alike")
    counts = np.bincount(ranks * bins_for(n, largest) // values, minlength=bins_for(n, largest))
    expected = n / len(counts)
    chi2 = float(np.sum((counts - expected) ** 2) / expected)
    distance = _distance(np.bincount(ranks, minlength=values))
    simulated = _simulated_distances(n, largest)
    unit = (ranks + 0.5) / values
    uniform_width = np.sqrt((1.0 - values**-2.0) / 12.0)
    return Uniformity(
        mocks=n,
        counts=tuple(counts.tolist()),
        chi2=chi2,
        chi2_p=float(chi2_distribution.sf(chi2, len(counts) - 1)),
        distance=float(distance),
        # rounding must not decide between equal distances; the ranks count as one more set
        distance_p=float((1 + np.sum(simulated >= distance - 1e-12)) / (1 + len(simulated))),
        mean=float(unit.mean()),
        mean_error=float(uniform_width / np.sqrt(n)),
        spread=float(np.sqrt(np.mean((unit - 0.5) ** 2)) / uniform_width),
        # the fourth moment of a uniform distribution is 9/5 of its squared variance
        spread_error=float(np.sqrt(0.8 / n) / 2.0),
    )


def bins_for(mocks: int, largest: int) -> int:
    """Bins of equal width for ranks 0 to `largest`: at most 20, with ten mocks or more in each on average."""
    most = min(_MOST_BINS, mocks // _LEAST_IN_BIN)
    return max(b for b in range(1, max(1, most) + 1) if (largest + 1) % b == 0)


def ecdf_band(mocks: int, largest: int, level: float = 0.95) -> float:
    """Half-width of a band that holds the whole cumulative distribution of uniform ranks with a probability.

    Parameters
    ----------
    mocks : int
        Number of ranks.
    largest : int
        Largest rank.
    level : float
        The probability, for one set of ranks.
    """
    return float(np.quantile(_simulated_distances(mocks, largest), level))


def holm(p_values: np.ndarray) -> np.ndarray:
    """p-values corrected for their number, after Holm: those below a level are false with at most its probability.

    Parameters
    ----------
    p_values : array, shape (n,)
        Of single tests, which may depend on each other.

    Returns
    -------
    array, shape (n,)
        In the same order, at most one.
    """
    p = np.asarray(p_values, dtype=float)
    order = np.argsort(p)
    corrected = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    result = np.empty_like(p)
    result[order] = np.minimum(corrected, 1.0)
    return result


@lru_cache(maxsize=8)
def _simulated_distances(mocks: int, largest: int) -> np.ndarray:
    """Distances of sets of uniform ranks, always the same ones: a report must not change from one look to the next."""
    rng = np.random.default_rng(0)
    chance = np.full(largest + 1, 1.0 / (largest + 1))
    chunks = (rng.multinomial(mocks, chance, _SIMULATED // 10) for _ in range(10))
    return np.concatenate([_distance(counts) for counts in chunks])


def _distance(counts: np.ndarray) -> np.ndarray:
    """Largest distance of cumulative counts from uniform ones, ``(..., values)`` to ``(...)``."""
    values = counts.shape[-1]
    cumulative = np.cumsum(counts, axis=-1) / np.sum(counts, axis=-1, keepdims=True)
    return np.max(np.abs(cumulative - np.arange(1, values + 1) / values), axis=-1)
