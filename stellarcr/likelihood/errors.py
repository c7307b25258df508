"""Error models: normalised log-likelihoods of residuals.

Each takes residuals (data minus model) of shape ``(..., n_points)`` and returns the logarithm of a density that is
normalised over the data, so that evidences can be compared. One method is the point of extension: `log_likelihood`.

An intrinsic scatter comes as ``variance``: what is added to the variance of each point, of the residuals' shape. The
density stays normalised, so its constant then depends on the parameters.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from scipy.linalg import LinAlgError, cholesky, solve_triangular

from ..backend import Array, log_ndtr, namespace
from ..errors import DataError

_LOG_2PI = math.log(2.0 * math.pi)


class ErrorModel(Protocol):
    """What a likelihood needs of its errors."""

    @property
    def size(self) -> int:
        """Number of points."""

    def log_likelihood(self, residuals: Array, variance: Array | None = None) -> Array:
        """Log-density of the residuals, ``(..., size)`` to ``(...)``."""

    def chi2(self, residuals: Array, variance: Array | None = None) -> Array:
        """Squared distance in units of the errors, ``(..., size)`` to ``(...)``."""

    def draw(
        self,
        rng: np.random.Generator,
        count: int,
        variance: np.ndarray | None = None,
        predicted: np.ndarray | None = None,
    ) -> np.ndarray:
        """Draw residuals ``(count, size)``; ``predicted`` where noise alone does not make a data set."""


@dataclass(frozen=True, eq=False)
class IndependentErrors:
    """Uncorrelated Gaussian errors, possibly asymmetric.

    An asymmetric error is a two-piece normal distribution: the upper error applies where the model lies above the
    data, and the density is divided by (lower + upper)/2 so that it stays normalised.

    Attributes
    ----------
    lower, upper : numpy.ndarray
        Errors towards smaller and larger values, positive.
    """

    lower: np.ndarray
    upper: np.ndarray

    def __post_init__(self) -> None:
        for name in ("lower", "upper"):
            error = getattr(self, name)
            if not np.all(np.isfinite(error) & (error > 0)):
                row = int(np.flatnonzero(~(np.isfinite(error) & (error > 0)))[0])
                raise DataError(
                    f"{name} error of point {row} is {error[row]!r}; it must be positive",
                    remedy="give the point an error, or leave it out by its rigidity range",
                )

    @property
    def size(self) -> int:
        """Number of points."""
        return len(self.lower)

    @cached_property
    def _symmetric(self) -> bool:
        return bool(np.array_equal(self.lower, self.upper))

    @cached_property
    def _inverse(self) -> np.ndarray:
        return 1.0 / self.lower

    @cached_property
    def _constant(self) -> float:
        return float(-np.sum(np.log(0.5 * (self.lower + self.upper))) - 0.5 * self.size * _LOG_2PI)

    def chi2(self, residuals: Array, variance: Array | None = None) -> Array:
        """Sum of squared pulls."""
        xp = namespace(residuals)
        if variance is not None:
            lower, upper = self._widened(variance)
            pulls = residuals / xp.where(residuals < 0, upper, lower)
        elif self._symmetric:
            pulls = residuals * xp.asarray(self._inverse)
        else:
            pulls = residuals / xp.where(residuals < 0, xp.asarray(self.upper), xp.asarray(self.lower))
        return xp.sum(pulls * pulls, axis=-1)

    def log_likelihood(self, residuals: Array, variance: Array | None = None) -> Array:
        """Log-density of independent, two-piece normal residuals."""
        if variance is None:
            return self._constant - 0.5 * self.chi2(residuals)
        xp = namespace(residuals)
        lower, upper = self._widened(variance)
        constant = -xp.sum(xp.log(0.5 * (lower + upper)), axis=-1) - 0.5 * self.size * _LOG_2PI
        return constant - 0.5 * self.chi2(residuals, variance)

    def draw(
        self,
        rng: np.random.Generator,
        count: int,
        variance: np.ndarray | None = None,
        predicted: np.ndarray | None = None,
    ) -> np.ndarray:
        """Draw residuals ``(count, size)``, with their asymmetry."""
        lower, upper = (self.lower, self.upper) if variance is None else self._widened(np.asarray(variance))
        distance = np.abs(rng.standard_normal((count, self.size)))
        # the upper error applies where the model lies above the data, so to negative residuals
        negative = rng.random((count, self.size)) < upper / (lower + upper)
        return np.where(negative, -distance * upper, distance * lower)

    def _widened(self, variance: Array) -> tuple[Array, Array]:
        """Both sides with a variance added."""
        xp = namespace(variance)
        return xp.sqrt(xp.asarray(self.lower) ** 2 + variance), xp.sqrt(xp.asarray(self.upper) ** 2 + variance)


@dataclass(frozen=True, eq=False)
class CorrelatedErrors:
    """Gaussian errors with a full covariance matrix.

    Attributes
    ----------
    covariance : numpy.ndarray
        Symmetric, positive definite, ``(size, size)``.
    """

    covariance: np.ndarray

    def __post_init__(self) -> None:
        variance = np.diag(self.covariance)
        bad = np.flatnonzero(~(np.isfinite(variance) & (variance > 0)))
        if len(bad):
            raise DataError(
                f"the covariance matrix is not positive definite: the variance of point {bad[0]} is {variance[bad[0]]}",
                remedy="give the point an error, or leave it out by its rigidity range",
            )
        self._factor  # noqa: B018  (factorise now, so that a mistake shows where it was made)

    @property
    def size(self) -> int:
        """Number of points."""
        return len(self.covariance)

    @cached_property
    def _factor(self) -> np.ndarray:
        try:
            # factorise the correlation matrix: fluxes span many decades
            return self._scale[:, None] * cholesky(self._correlation, lower=True)
        except LinAlgError as error:
            raise DataError(
                "the covariance matrix is not positive definite",
                remedy="points that share one systematic error need an error of their own: set "
                "errors.statistical_floor where statistical errors are printed as 0, or make a part of the systematic "
                "error 'uncorrelated' or of a short 'length'",
            ) from error

    @cached_property
    def whitening(self) -> np.ndarray:
        """Matrix that makes residuals, multiplied by it from the right, independent with unit variance."""
        return np.ascontiguousarray(solve_triangular(self._factor, np.eye(self.size), lower=True).T)

    @cached_property
    def _constant(self) -> float:
        return float(-np.sum(np.log(np.diag(self._factor))) - 0.5 * self.size * _LOG_2PI)

    def chi2(self, residuals: Array, variance: Array | None = None) -> Array:
        """Mahalanobis distance squared."""
        if variance is not None:
            return self._widened(residuals, variance)[0]
        xp = namespace(residuals)
        white = residuals @ xp.asarray(self.whitening)
        return xp.sum(white * white, axis=-1)

    def log_likelihood(self, residuals: Array, variance: Array | None = None) -> Array:
        """Log-density of the multivariate normal distribution."""
        if variance is None:
            return self._constant - 0.5 * self.chi2(residuals)
        chi2, log_root = self._widened(residuals, variance)
        return -log_root - 0.5 * self.size * _LOG_2PI - 0.5 * chi2

    def draw(
        self,
        rng: np.random.Generator,
        count: int,
        variance: np.ndarray | None = None,
        predicted: np.ndarray | None = None,
    ) -> np.ndarray:
        """Draw residuals ``(count, size)``."""
        residuals = rng.standard_normal((count, self.size)) @ self._factor.T
        if variance is None:
            return residuals
        return residuals + np.sqrt(variance) * rng.standard_normal((count, self.size))

    @cached_property
    def _scale(self) -> np.ndarray:
        return np.sqrt(np.diag(self.covariance))

    @cached_property
    def _correlation(self) -> np.ndarray:
        return self.covariance / np.outer(self._scale, self._scale)

    def _widened(self, residuals: Array, variance: Array) -> tuple[Array, Array]:
        """Mahalanobis distance squared and ln of the root of the determinant, with variances added.

        The variances differ from one parameter vector to the next in more than a factor, so that no decomposition
        serves them all: one Cholesky factor each, in a batch.
        """
        xp = namespace(residuals)
        scale = xp.asarray(self._scale)
        size = self.size
        diagonal = xp.eye(size) * (variance / scale**2)[..., None, :]
        factor = xp.linalg.cholesky(xp.asarray(self._correlation) + diagonal)
        white = xp.linalg.solve(factor, (residuals / scale)[..., :, None])[..., 0]
        roots = xp.sum(factor * xp.eye(size), axis=-1)
        return xp.sum(white * white, axis=-1), xp.sum(xp.log(roots * scale), axis=-1)


@dataclass(frozen=True, eq=False)
class UpperLimits:
    """One-sided terms: the probability that the measurement would have stayed below its limit.

    ln Phi((limit - model)/sigma), with sigma the error given with the limit. Residuals are limit minus model.

    Attributes
    ----------
    sigma : numpy.ndarray
        Width of each limit, positive.
    """

    sigma: np.ndarray

    @property
    def size(self) -> int:
        """Number of limits."""
        return len(self.sigma)

    def chi2(self, residuals: Array, variance: Array | None = None) -> Array:
        """-2 ln of the probability; 0 for a model far below its limits."""
        return -2.0 * self.log_likelihood(residuals, variance)

    def log_likelihood(self, residuals: Array, variance: Array | None = None) -> Array:
        """Sum of ln Phi(residual / sigma)."""
        xp = namespace(residuals)
        sigma = xp.asarray(self.sigma)
        if variance is not None:
            sigma = xp.sqrt(sigma**2 + variance)
        return xp.sum(log_ndtr(residuals / sigma), axis=-1)

    def draw(
        self,
        rng: np.random.Generator,
        count: int,
        variance: np.ndarray | None = None,
        predicted: np.ndarray | None = None,
    ) -> np.ndarray:
        """Refuse: what an experiment would have seen is not told by its limit."""
        raise DataError(
            "errors of the kind UpperLimits have no distribution, so data cannot be replicated",
            remedy="leave upper limits out by the likelihood file's range",
        )


@dataclass(frozen=True, eq=False)
class CombinedErrors:
    """Independent groups of points, each with its own error model.

    Attributes
    ----------
    parts : tuple of (indices, error model)
        Every point belongs to exactly one group.
    """

    parts: tuple[tuple[np.ndarray, ErrorModel], ...]

    @property
    def size(self) -> int:
        """Number of points."""
        return sum(len(index) for index, _ in self.parts)

    def chi2(self, residuals: Array, variance: Array | None = None) -> Array:
        """Sum over the groups."""
        return sum(m.chi2(points_of(residuals, index), points_of(variance, index)) for index, m in self.parts)

    def log_likelihood(self, residuals: Array, variance: Array | None = None) -> Array:
        """Sum over the groups."""
        return sum(m.log_likelihood(points_of(residuals, index), points_of(variance, index)) for index, m in self.parts)

    def draw(
        self,
        rng: np.random.Generator,
        count: int,
        variance: np.ndarray | None = None,
        predicted: np.ndarray | None = None,
    ) -> np.ndarray:
        """Draw residuals ``(count, size)``, group by group."""
        residuals = np.empty((count, self.size))
        for index, model in self.parts:
            residuals[:, index] = model.draw(rng, count, points_of(variance, index), points_of(predicted, index))
        return residuals


def points_of(values: Array | None, index: np.ndarray) -> Array | None:
    """Values ``(..., n)`` at some points; none stay none."""
    if values is None:
        return None
    xp = namespace(values)
    return xp.take(values, xp.asarray(index), axis=-1)


def combine(parts: Sequence[tuple[np.ndarray, ErrorModel]]) -> ErrorModel:
    """Join groups of points; independent Gaussians in order become one flat model, the common and fastest case.

    Parameters
    ----------
    parts : sequence of (indices, error model)
        Every point belongs to exactly one group.
    """
    if len(parts) == 1 and np.array_equal(parts[0][0], np.arange(parts[0][1].size)):
        return parts[0][1]
    order = np.concatenate([index for index, _ in parts])
    flat = [model for _, model in parts if isinstance(model, IndependentErrors)]
    if len(flat) == len(parts) and np.array_equal(order, np.arange(len(order))):
        return IndependentErrors(np.concatenate([m.lower for m in flat]), np.concatenate([m.upper for m in flat]))
    return CombinedErrors(tuple(parts))
