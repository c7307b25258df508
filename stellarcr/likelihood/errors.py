"""Error models: normalised log-likelihoods of residuals.

Each takes residuals (data minus model) of shape ``(..., n_points)`` and returns the logarithm of a density that is
normalised over the data, so that evidences can be compared. One method is the point of extension: `log_likelihood`.
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

    def log_likelihood(self, residuals: Array) -> Array:
        """Log-density of the residuals, ``(..., size)`` to ``(...)``."""

    def chi2(self, residuals: Array) -> Array:
        """Squared distance in units of the errors, ``(..., size)`` to ``(...)``."""


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

    def chi2(self, residuals: Array) -> Array:
        """Sum of squared pulls."""
        xp = namespace(residuals)
        if self._symmetric:
            pulls = residuals * xp.asarray(self._inverse)
        else:
            pulls = residuals / xp.where(residuals < 0, xp.asarray(self.upper), xp.asarray(self.lower))
        return xp.sum(pulls * pulls, axis=-1)

    def log_likelihood(self, residuals: Array) -> Array:
        """Log-density of independent, two-piece normal residuals."""
        return self._constant - 0.5 * self.chi2(residuals)


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
        scale = np.sqrt(np.diag(self.covariance))
        try:
            # factorise the correlation matrix: fluxes span many decades
            return scale[:, None] * cholesky(self.covariance / np.outer(scale, scale), lower=True)
        except LinAlgError as error:
            raise DataError(
                "the covariance matrix is not positive definite",
                remedy="points that share one systematic error need statistical errors above zero: choose 'length' or "
                "'uncorrelated' instead of 'full', or leave points out by their rigidity range",
            ) from error

    @cached_property
    def _whitening(self) -> np.ndarray:
        return np.ascontiguousarray(solve_triangular(self._factor, np.eye(self.size), lower=True).T)

    @cached_property
    def _constant(self) -> float:
        return float(-np.sum(np.log(np.diag(self._factor))) - 0.5 * self.size * _LOG_2PI)

    def chi2(self, residuals: Array) -> Array:
        """Mahalanobis distance squared."""
        xp = namespace(residuals)
        white = residuals @ xp.asarray(self._whitening)
        return xp.sum(white * white, axis=-1)

    def log_likelihood(self, residuals: Array) -> Array:
        """Log-density of the multivariate normal distribution."""
        return self._constant - 0.5 * self.chi2(residuals)


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

    def chi2(self, residuals: Array) -> Array:
        """-2 ln of the probability; 0 for a model far below its limits."""
        return -2.0 * self.log_likelihood(residuals)

    def log_likelihood(self, residuals: Array) -> Array:
        """Sum of ln Phi(residual / sigma)."""
        xp = namespace(residuals)
        return xp.sum(log_ndtr(residuals / xp.asarray(self.sigma)), axis=-1)


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

    def chi2(self, residuals: Array) -> Array:
        """Sum over the groups."""
        return sum(model.chi2(_points(residuals, index)) for index, model in self.parts)

    def log_likelihood(self, residuals: Array) -> Array:
        """Sum over the groups."""
        return sum(model.log_likelihood(_points(residuals, index)) for index, model in self.parts)


def _points(residuals: Array, index: np.ndarray) -> Array:
    xp = namespace(residuals)
    return xp.take(residuals, xp.asarray(index), axis=-1)


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


def correlation_matrix(kind: str, log_rigidity: np.ndarray, length: float | None = None) -> np.ndarray:
    """Correlation of a systematic error between points.

    Parameters
    ----------
    kind : {"uncorrelated", "full", "length"}
        Independent points, one common shift in units of the error, or exp(-|difference of ln R| / length).
    log_rigidity : numpy.ndarray
        ln of the points' rigidity.
    length : float, optional
        Correlation length in ln R.
    """
    n = len(log_rigidity)
    if kind == "uncorrelated":
        return np.eye(n)
    if kind == "full":
        return np.ones((n, n))
    if kind == "length" and length is not None and length > 0:
        return np.exp(-np.abs(log_rigidity[:, None] - log_rigidity) / length)
    raise DataError(
        f"correlation {kind!r} with length {length!r} is not possible",
        remedy="use 'uncorrelated', 'full', or 'length' together with a positive length in ln R",
    )


def gaussian_errors(
    statistical: tuple[np.ndarray, np.ndarray],
    components: Sequence[tuple[np.ndarray, np.ndarray, np.ndarray]],
) -> IndependentErrors | np.ndarray:
    """Join statistical errors and systematic components.

    Parameters
    ----------
    statistical : tuple of numpy.ndarray
        Lower and upper statistical errors.
    components : sequence of (lower, upper, correlation)
        Systematic errors with their correlation matrices.

    Returns
    -------
    IndependentErrors or numpy.ndarray
        Independent errors (asymmetry kept) if no component correlates points; else the covariance matrix, with
        the mean of lower and upper errors, because a two-piece distribution has no correlated form.
    """
    lower, upper = (np.asarray(s, dtype=float) ** 2 for s in statistical)
    diagonal = all(np.array_equal(c, np.eye(len(c))) for *_, c in components)
    if diagonal:
        for low, high, _ in components:
            lower, upper = lower + low**2, upper + high**2
        return IndependentErrors(np.sqrt(lower), np.sqrt(upper))
    covariance = np.diag((0.5 * (np.sqrt(lower) + np.sqrt(upper))) ** 2)
    for low, high, correlation in components:
        sigma = 0.5 * (low + high)
        covariance = covariance + np.outer(sigma, sigma) * correlation
    return covariance
