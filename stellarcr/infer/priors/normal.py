"""Priors of the normal family: normal, log-normal and half-normal."""
# ruff: noqa: D102  (the methods are those of `Prior`, and documented there)

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from scipy import special

from stellarcr.backend import Array, namespace

from .base import Density, Prior, Quantile, plain, register_prior, require_positive

SQRT_2 = math.sqrt(2.0)
LN_SQRT_2PI = 0.5 * math.log(2.0 * math.pi)


def gaussian_kernel(x: Array, mean: float, scale: float) -> Array:
    """Return -(x - mean)^2 / (2 scale^2)."""
    deviation = (x - mean) / scale
    return -0.5 * deviation * deviation


def log_gaussian_kernel(x: Array, log_median: float, sigma: float) -> Array:
    """Return -ln x - (ln x - log_median)^2 / (2 sigma^2)."""
    log_x = namespace(x).log(x)
    deviation = (log_x - log_median) / sigma
    return -0.5 * deviation * deviation - log_x


def normal_quantile(u: np.ndarray, mean: float, scale: float) -> np.ndarray:
    """Return the quantile of a normal distribution."""
    return mean + scale * special.ndtri(u)


def log_normal_quantile(u: np.ndarray, median: float, sigma: float) -> np.ndarray:
    """Return the quantile of a log-normal distribution."""
    return median * np.exp(sigma * special.ndtri(u))


def half_normal_quantile(u: np.ndarray, scale: float) -> np.ndarray:
    """Return the quantile of a half-normal distribution."""
    return scale * SQRT_2 * special.erfinv(u)


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
        require_positive(self, "standard_deviation")

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
        require_positive(self, "median")
        require_positive(self, "sigma")

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
        return f"log-normal, median {plain(self.median)}, sigma {self.sigma:g} in ln"

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
        require_positive(self, "scale")

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
