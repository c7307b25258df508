"""The prior families, each a frozen dataclass."""
# ruff: noqa: D102  (the methods are those of `Prior`, and documented there)

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from scipy import special

from stellarcr.backend import Array, namespace
from stellarcr.errors import ParameterError

from .base import Density, Prior, Quantile, register_prior

SQRT_2 = math.sqrt(2.0)
LN_SQRT_2PI = 0.5 * math.log(2.0 * math.pi)


# Log-density kernels: Array API, without their constants.


def gaussian_kernel(x: Array, mean: float, scale: float) -> Array:
    """Return -(x - mean)^2 / (2 scale^2)."""
    deviation = (x - mean) / scale
    return -0.5 * deviation * deviation


def reciprocal_kernel(x: Array) -> Array:
    """Return -ln x."""
    return -namespace(x).log(x)


def log_gaussian_kernel(x: Array, log_median: float, sigma: float) -> Array:
    """Return -ln x - (ln x - log_median)^2 / (2 sigma^2)."""
    log_x = namespace(x).log(x)
    deviation = (log_x - log_median) / sigma
    return -0.5 * deviation * deviation - log_x


# Quantile kernels: NumPy.


def uniform_quantile(u: np.ndarray, low: float, width: float) -> np.ndarray:
    """Return low + u width."""
    return low + u * width


def log_uniform_quantile(u: np.ndarray, low: float, log_ratio: float) -> np.ndarray:
    """Return low (high / low)^u."""
    return low * np.exp(u * log_ratio)


def normal_quantile(u: np.ndarray, mean: float, scale: float) -> np.ndarray:
    """Return the quantile of a normal distribution."""
    return mean + scale * special.ndtri(u)


def log_normal_quantile(u: np.ndarray, median: float, sigma: float) -> np.ndarray:
    """Return the quantile of a log-normal distribution."""
    return median * np.exp(sigma * special.ndtri(u))


def half_normal_quantile(u: np.ndarray, scale: float) -> np.ndarray:
    """Return the quantile of a half-normal distribution."""
    return scale * SQRT_2 * special.erfinv(u)


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
        ``-inf`` or NaN where nothing that a float can hold lies between them.
    """
    # Where both lie above zero, the mirror image keeps the small numbers small.
    mirrored = np.asarray(low) > 0.0
    log_from = special.log_ndtr(np.where(mirrored, -np.asarray(high), low))
    log_to = special.log_ndtr(np.where(mirrored, -np.asarray(low), high))
    with np.errstate(divide="ignore", invalid="ignore"):
        return log_to + np.log(-np.expm1(log_from - log_to))


@register_prior("uniform")
@dataclass(frozen=True)
class Uniform(Prior):
    """Constant density between two values.

    Parameters
    ----------
    low, high : float
        Edges, in the unit of the parameter.
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        self._set_numbers()
        _require_order(self, self.low, self.high)

    @property
    def support(self) -> tuple[float, float]:
        return self.low, self.high

    @property
    def width(self) -> float:
        return (self.high - self.low) / math.sqrt(12.0)

    def describe(self) -> str:
        return f"uniform {self.low:g} .. {self.high:g}"

    def density(self) -> Density:
        return Density(None, (), -math.log(self.high - self.low))

    def quantile(self) -> Quantile:
        return Quantile(uniform_quantile, (self.low, self.high - self.low))

    def _cdf(self, x: np.ndarray) -> np.ndarray:
        return (x - self.low) / (self.high - self.low)

    def _sf(self, x: np.ndarray) -> np.ndarray:
        return (self.high - x) / (self.high - self.low)

    def _isf(self, q: np.ndarray) -> np.ndarray:
        return self.high - q * (self.high - self.low)


@register_prior("log_uniform")
@dataclass(frozen=True)
class LogUniform(Prior):
    """Density proportional to 1 / x: constant in the logarithm.

    Parameters
    ----------
    low, high : float
        Edges, in the unit of the parameter (not of its logarithm); positive.
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        self._set_numbers()
        if self.low <= 0.0:
            raise ParameterError(
                f"log_uniform prior: low = {self.low:g} is not positive",
                remedy="give both edges as values of the parameter itself, not of its logarithm",
            )
        _require_order(self, self.low, self.high)
        if not math.isfinite(self.high / self.low):
            raise ParameterError(
                f"log_uniform prior: {self.low:g} .. {self.high:g} spans more than a float can hold",
                remedy="narrow the range, or give the logarithm of the parameter a uniform prior",
            )

    @cached_property
    def _log_ratio(self) -> float:
        return math.log(self.high / self.low)

    @property
    def support(self) -> tuple[float, float]:
        return self.low, self.high

    @property
    def width(self) -> float:
        # In units of the upper edge: mean (1 - a) / L, mean square (1 - a^2) / (2 L), with a = low / high.
        ratio = self.low / self.high
        mean = (1.0 - ratio) / self._log_ratio
        variance = (1.0 - ratio**2) / (2.0 * self._log_ratio) - mean**2
        # Narrow ranges, where the difference cancels, are uniform to the same accuracy.
        narrow = (1.0 - ratio) / math.sqrt(12.0)
        return self.high * (math.sqrt(variance) if narrow > 1e-4 else narrow)

    def describe(self) -> str:
        return f"log-uniform {_plain(self.low)} .. {_plain(self.high)}"

    def density(self) -> Density:
        return Density(reciprocal_kernel, (), -math.log(self._log_ratio))

    def quantile(self) -> Quantile:
        return Quantile(log_uniform_quantile, (self.low, self._log_ratio))

    def _cdf(self, x: np.ndarray) -> np.ndarray:
        return np.log(x / self.low) / self._log_ratio

    def _sf(self, x: np.ndarray) -> np.ndarray:
        return np.log(self.high / x) / self._log_ratio

    def _isf(self, q: np.ndarray) -> np.ndarray:
        return self.high * np.exp(-q * self._log_ratio)


@register_prior("normal")
@dataclass(frozen=True)
class Normal(Prior):
    """Normal distribution.

    Parameters
    ----------
    mean, standard_deviation : float
        In the unit of the parameter.
    """

    mean: float
    standard_deviation: float

    def __post_init__(self) -> None:
        self._set_numbers()
        _require_positive(self, "standard_deviation")

    @property
    def support(self) -> tuple[float, float]:
        return -math.inf, math.inf

    @property
    def width(self) -> float:
        return self.standard_deviation

    def describe(self) -> str:
        return f"normal {self.mean:g} +- {self.standard_deviation:g}"

    def density(self) -> Density:
        constant = -math.log(self.standard_deviation) - LN_SQRT_2PI
        return Density(gaussian_kernel, (self.mean, self.standard_deviation), constant)

    def quantile(self) -> Quantile:
        return Quantile(normal_quantile, (self.mean, self.standard_deviation))

    def _cdf(self, x: np.ndarray) -> np.ndarray:
        return special.ndtr((x - self.mean) / self.standard_deviation)

    def _sf(self, x: np.ndarray) -> np.ndarray:
        return special.ndtr((self.mean - x) / self.standard_deviation)

    def _isf(self, q: np.ndarray) -> np.ndarray:
        return self.mean - self.standard_deviation * special.ndtri(q)


@register_prior("log_normal")
@dataclass(frozen=True)
class LogNormal(Prior):
    """Normal distribution of the natural logarithm.

    Parameters
    ----------
    median : float
        In the unit of the parameter; positive.
    sigma : float
        Standard deviation of ln x.
    """

    median: float = field()  # given here; the base class computes it
    sigma: float

    def __post_init__(self) -> None:
        self._set_numbers()
        _require_positive(self, "median")
        _require_positive(self, "sigma")

    @property
    def support(self) -> tuple[float, float]:
        return 0.0, math.inf

    @property
    def density_edges(self) -> tuple[float, float]:
        return math.ulp(0.0), math.inf

    @property
    def width(self) -> float:
        variance = self.sigma**2
        if variance > 300.0:
            return math.inf
        return self.median * math.exp(0.5 * variance) * math.sqrt(math.expm1(variance))

    def describe(self) -> str:
        return f"log-normal, median {_plain(self.median)}, sigma {self.sigma:g} in ln"

    def density(self) -> Density:
        constant = -math.log(self.sigma) - LN_SQRT_2PI
        return Density(log_gaussian_kernel, (math.log(self.median), self.sigma), constant)

    def quantile(self) -> Quantile:
        return Quantile(log_normal_quantile, (self.median, self.sigma))

    def _cdf(self, x: np.ndarray) -> np.ndarray:
        return special.ndtr((np.log(x) - math.log(self.median)) / self.sigma)

    def _sf(self, x: np.ndarray) -> np.ndarray:
        return special.ndtr((math.log(self.median) - np.log(x)) / self.sigma)

    def _isf(self, q: np.ndarray) -> np.ndarray:
        return self.median * np.exp(-self.sigma * special.ndtri(q))


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
        _require_positive(self, "standard_deviation")
        if math.isinf(self.low) and math.isinf(self.high):
            raise ParameterError(
                "truncated_normal prior: neither low nor high is given",
                remedy="give low or high, or use the kind normal",
            )
        _require_order(self, self.low, self.high)
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


@register_prior("half_normal")
@dataclass(frozen=True)
class HalfNormal(Prior):
    """Normal distribution around zero, folded onto positive values.

    Parameters
    ----------
    scale : float
        Standard deviation before the folding, in the unit of the parameter.
    """

    scale: float

    def __post_init__(self) -> None:
        self._set_numbers()
        _require_positive(self, "scale")

    @property
    def support(self) -> tuple[float, float]:
        return 0.0, math.inf

    @property
    def width(self) -> float:
        return self.scale * math.sqrt(1.0 - 2.0 / math.pi)

    def describe(self) -> str:
        return f"half-normal, scale {self.scale:g}"

    def density(self) -> Density:
        constant = math.log(2.0) - math.log(self.scale) - LN_SQRT_2PI
        return Density(gaussian_kernel, (0.0, self.scale), constant)

    def quantile(self) -> Quantile:
        return Quantile(half_normal_quantile, (self.scale,))

    def _cdf(self, x: np.ndarray) -> np.ndarray:
        return special.erf(x / (self.scale * SQRT_2))

    def _sf(self, x: np.ndarray) -> np.ndarray:
        return special.erfc(x / (self.scale * SQRT_2))

    def _isf(self, q: np.ndarray) -> np.ndarray:
        return self.scale * SQRT_2 * special.erfcinv(q)


def _require_positive(prior: Prior, name: str) -> None:
    value = getattr(prior, name)
    if value <= 0.0:
        raise ParameterError(
            f"{prior.kind} prior: {name} = {value:g} is not positive", remedy=f"give a {name} above zero"
        )


def _require_order(prior: Prior, low: float, high: float) -> None:
    if low >= high:
        raise ParameterError(
            f"{prior.kind} prior: low = {low:g} is not below high = {high:g}",
            remedy="exchange the two, or fix the parameter with a value",
        )
    if not math.isfinite(high - low) and math.isfinite(low) and math.isfinite(high):
        raise ParameterError(
            f"{prior.kind} prior: {low:g} .. {high:g} spans more than a float can hold",
            remedy="narrow the range",
        )


def _plain(value: float) -> str:
    return f"{value:g}".replace("e+", "e")
