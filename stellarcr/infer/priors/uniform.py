"""Priors of constant density: in the value, or in its logarithm."""
# ruff: noqa: D102  (the methods are those of `Prior`, and documented there)

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from stellarcr.backend import Array, namespace
from stellarcr.errors import ParameterError

from .base import Density, Prior, Quantile, plain, register_prior, require_order


def reciprocal_kernel(x: Array) -> Array:
    """Return -ln x."""
    return -namespace(x).log(x)


def uniform_quantile(u: np.ndarray, low: float, width: float) -> np.ndarray:
    """Return low + u width."""
    return low + u * width


def log_uniform_quantile(u: np.ndarray, low: float, log_ratio: float) -> np.ndarray:
    """Return low (high / low)^u."""
    return low * np.exp(u * log_ratio)


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
        require_order(self, self.low, self.high)

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
        require_order(self, self.low, self.high)
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
        return f"log-uniform {plain(self.low)} .. {plain(self.high)}"

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
