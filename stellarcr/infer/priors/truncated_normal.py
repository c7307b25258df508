"""The truncated normal prior, accurate also far in a tail."""
# ruff: noqa: D102  (the methods are those of `Prior`, and documented there)

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import special

from stellarcr.errors import ParameterError

from .base import Density, Prior, Quantile, register_prior, require_order, require_positive
from .normal import LN_SQRT_2PI, gaussian_kernel


def truncated_normal_quantile(
    u: np.ndarray, mean: float, scale: float, log_below: float, log_above: float, log_mass: float
) -> np.ndarray:
    """Return the quantile of a truncated normal distribution.

    ``log_below`` and ``log_above`` are the logarithms of what the truncation cuts off on either side, and
    ``log_mass`` is the logarithm of what it leaves.
    """
    return _truncated_quantile(np.log(u), np.log1p(-u), mean, scale, log_below, log_above, log_mass)


def _truncated_quantile(
    log_lower: np.ndarray,
    log_upper: np.ndarray,
    mean: float,
    scale: float,
    log_below: float,
    log_above: float,
    log_mass: float,
) -> np.ndarray:
    # ln Phi(z) and ln Phi(-z); the smaller of the two fixes z without cancellation in either tail.
    below = np.logaddexp(log_below, log_lower + log_mass)
    above = np.logaddexp(log_above, log_upper + log_mass)
    sign = np.where(below < above, 1.0, -1.0)
    return mean + scale * sign * special.ndtri_exp(np.minimum(below, above))


def log_normal_mass(low: np.ndarray | float, high: np.ndarray | float) -> np.ndarray:
    """Logarithm of the standard normal probability between two deviations.

    Parameters
    ----------
    low, high : float or array
        Deviations, ``low < high``; either may be infinite.

    Returns
    -------
    array
        ``-inf`` where nothing that a float can hold lies between them.
    """
    # Where both lie above zero, the mirror image keeps the small numbers small.
    mirrored = np.asarray(low) > 0.0
    log_from = special.log_ndtr(np.where(mirrored, -np.asarray(high), low))
    log_to = special.log_ndtr(np.where(mirrored, -np.asarray(low), high))
    with np.errstate(divide="ignore", invalid="ignore"):
        mass = log_to + np.log(-np.expm1(log_from - log_to))
    return np.where(np.isneginf(log_to), -np.inf, mass)  # the difference of two infinities has no value


@register_prior("truncated_normal")
@dataclass(frozen=True)
class TruncatedNormal(Prior):
    """Normal distribution cut at one or two edges and normalised again.

    Parameters
    ----------
    mean, standard_deviation : float
        Of the distribution before the cut, in the unit of the parameter.
    low, high : float
        Edges; one of them may be left out.
    """

    mean: float
    standard_deviation: float
    low: float = -math.inf
    high: float = math.inf

    def __post_init__(self) -> None:
        self._set_numbers()
        require_positive(self, "standard_deviation")
        if math.isinf(self.low) and math.isinf(self.high):
            raise ParameterError(
                "truncated_normal prior: neither low nor high is given",
                remedy="give low or high, or use the kind normal",
            )
        require_order(self, self.low, self.high)
        if not math.isfinite(self._log_mass):
            raise ParameterError(
                f"truncated_normal prior: nothing of {self.mean:g} +- {self.standard_deviation:g} lies in "
                f"{self.low:g} .. {self.high:g}",
                remedy="move the edges or the mean",
            )

    @cached_property
    def _log_mass(self) -> float:
        return float(log_normal_mass(*self._deviation_of_edges))

    @property
    def _deviation_of_edges(self) -> tuple[float, float]:
        return (
            (self.low - self.mean) / self.standard_deviation,
            (self.high - self.mean) / self.standard_deviation,
        )

    @property
    def support(self) -> tuple[float, float]:
        return self.low, self.high

    @cached_property
    def width(self) -> float:
        # Moments as integrals over the quantiles of either half; the cells shrink towards the tails.
        nodes, weights = np.polynomial.legendre.leggauss(8)
        edges = np.concatenate([[0.0], 0.5 ** np.arange(60, 0, -1)])
        half_widths = 0.5 * np.diff(edges)[:, None]
        tail = 0.5 * (edges[:-1] + edges[1:])[:, None] + half_widths * nodes
        deviation = (np.array([self.ppf(tail), self.isf(tail)]) - self.median) / self.standard_deviation
        mean = float(np.sum(half_widths * weights * deviation))
        variance = float(np.sum(half_widths * weights * (deviation - mean) ** 2))
        return self.standard_deviation * math.sqrt(variance)

    def describe(self) -> str:
        return f"normal {self.mean:g} +- {self.standard_deviation:g}, within {self.low:g} .. {self.high:g}"

    def density(self) -> Density:
        constant = -math.log(self.standard_deviation) - LN_SQRT_2PI - self._log_mass
        return Density(gaussian_kernel, (self.mean, self.standard_deviation), constant)

    @cached_property
    def _quantile_arguments(self) -> tuple[float, ...]:
        low, high = self._deviation_of_edges
        cut_off = float(special.log_ndtr(low)), float(special.log_ndtr(-high))
        return self.mean, self.standard_deviation, *cut_off, self._log_mass

    def quantile(self) -> Quantile:
        return Quantile(truncated_normal_quantile, self._quantile_arguments)

    def _cdf(self, x: np.ndarray) -> np.ndarray:
        deviation = (x - self.mean) / self.standard_deviation
        return np.exp(log_normal_mass(self._deviation_of_edges[0], deviation) - self._log_mass)

    def _sf(self, x: np.ndarray) -> np.ndarray:
        deviation = (x - self.mean) / self.standard_deviation
        return np.exp(log_normal_mass(deviation, self._deviation_of_edges[1]) - self._log_mass)

    def _isf(self, q: np.ndarray) -> np.ndarray:
        return _truncated_quantile(np.log1p(-q), np.log(q), *self._quantile_arguments)
