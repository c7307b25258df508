"""Every kind of error model with an oracle of its own: what the contract in `test_error_contract` is tried on.

To have a new one covered, add it to `CASES`.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import stats
from scipy.special import logsumexp

from stellarcr.likelihood.components import correlation_matrix, gaussian_errors
from stellarcr.likelihood.errors import (
    CombinedErrors,
    CorrelatedErrors,
    ErrorModel,
    IndependentErrors,
    UpperLimits,
    combine,
)
from stellarcr.likelihood.mixture import mixture

LOG_R = np.log([20.0, 25.0, 40.0, 100.0])
STAT = np.array([0.5, 0.2, 0.7, 0.1])
SYST = np.array([0.3, 0.4, 0.2, 0.2])
HADRONIC = np.array([0.1, 0.5, 0.6, 0.3])


@dataclass(frozen=True)
class Case:
    """An error model and what it must give, from dense matrices and scipy alone.

    Attributes
    ----------
    model : ErrorModel
        What is tested.
    log_density : callable
        Residuals and added variances ``(size,)`` to a number.
    chi2 : callable
        The same.
    residuals : callable
        Measured numbers ``(..., n)`` to the model's residuals; None if it is no density of measured numbers.
    width : numpy.ndarray
        About how far each of the n numbers scatters.
    predicted : numpy.ndarray
        Predictions around which data are drawn, ``(size,)``.
    """

    model: ErrorModel
    log_density: Callable[[np.ndarray, np.ndarray], float]
    chi2: Callable[[np.ndarray, np.ndarray], float]
    residuals: Callable[[np.ndarray], np.ndarray] | None
    width: np.ndarray
    predicted: np.ndarray


def identity(numbers):
    return numbers


def gaussian(model, covariance):
    def density(residuals, variance):
        return stats.multivariate_normal(np.zeros(len(covariance)), covariance + np.diag(variance)).logpdf(residuals)

    def chi2(residuals, variance):
        return residuals @ np.linalg.solve(covariance + np.diag(variance), residuals)

    return Case(model, density, chi2, identity, np.sqrt(np.diag(covariance)), np.zeros(len(covariance)))


def built(*kinds):
    """Statistical errors and one or two components with these correlations; the covariance element by element."""
    length = {"length": 0.4}
    components, covariance = [], np.diag(STAT**2)
    for sigma, kind in zip((SYST, HADRONIC), kinds, strict=False):
        components.append((sigma, sigma, correlation_matrix(kind, LOG_R, length.get(kind))))
        for i in range(4):
            for j in range(4):
                near = np.exp(-abs(LOG_R[i] - LOG_R[j]) / 0.4)
                rho = {"uncorrelated": float(i == j), "full": 1.0, "length": near}[kind]
                covariance[i, j] += rho * sigma[i] * sigma[j]
    errors = gaussian_errors((STAT, STAT), components)
    return gaussian(errors if isinstance(errors, IndependentErrors) else CorrelatedErrors(errors), covariance)


def in_groups():
    """Points 0 and 2 correlated, 3 and 1 independent."""
    block = np.array([[0.5, 0.2], [0.2, 0.3]])
    model = combine(
        [(np.array([0, 2]), CorrelatedErrors(block)), (np.array([3, 1]), IndependentErrors(STAT[:2], STAT[:2]))]
    )
    covariance = np.zeros((4, 4))
    covariance[np.ix_([0, 2], [0, 2])] = block
    covariance[3, 3], covariance[1, 1] = STAT[:2] ** 2
    return gaussian(model, covariance)


def two_piece(residuals, variance, lower, upper):
    """Half a normal distribution on either side, of equal height where they meet."""
    low, high = np.sqrt(lower**2 + variance), np.sqrt(upper**2 + variance)
    below = np.log(2 * high / (low + high)) + stats.norm(0, high).logpdf(residuals)
    above = np.log(2 * low / (low + high)) + stats.norm(0, low).logpdf(residuals)
    return np.where(residuals < 0, below, above)


def asymmetric():
    lower, upper = STAT, np.array([3.0, 0.5, 1.0, 2.0]) * STAT

    def chi2(residuals, variance):
        return np.sum(residuals**2 / (np.where(residuals < 0, upper, lower) ** 2 + variance))

    def density(residuals, variance):
        return np.sum(two_piece(residuals, variance, lower, upper))

    return Case(IndependentErrors(lower, upper), density, chi2, identity, np.maximum(lower, upper), np.zeros(4))


def limits():
    def density(residuals, variance):
        return np.sum(stats.norm.logcdf(residuals / np.sqrt(STAT**2 + variance)))

    return Case(UpperLimits(STAT), density, lambda r, v: -2 * density(r, v), None, STAT, np.zeros(4))


def limits_among_points():
    model = CombinedErrors(
        ((np.array([0, 3]), IndependentErrors(STAT[:2], STAT[:2])), (np.array([1, 2]), UpperLimits(SYST[:2])))
    )

    def parts(residuals, variance):
        points = stats.norm(0, np.sqrt(STAT[:2] ** 2 + variance[[0, 3]])).logpdf(residuals[[0, 3]])
        bounds = stats.norm.logcdf(residuals[[1, 2]] / np.sqrt(SYST[:2] ** 2 + variance[[1, 2]]))
        return points, bounds

    def chi2(residuals, variance):
        pulls = residuals[[0, 3]] ** 2 / (STAT[:2] ** 2 + variance[[0, 3]])
        return np.sum(pulls) - 2 * np.sum(parts(residuals, variance)[1])

    return Case(model, lambda r, v: sum(map(np.sum, parts(r, v))), chi2, None, STAT, np.zeros(4))


def averaged(relative):
    """Two points reduced under two assumptions, with correlated and with independent errors, interleaved."""
    block = np.array([[0.09, 0.03], [0.03, 0.04]])
    sigma = np.array([0.4, 0.3])
    first, second = np.array([0, 2]), np.array([1, 3])
    measured = np.array([2.0, 3.2, 1.5, 1.2])
    weights = np.array([0.3, 0.7])
    model = mixture(
        ((first, CorrelatedErrors(block)), (second, IndependentErrors(sigma, sigma))),
        measured, (3.0, 7.0), ("one", "two"), relative,
    )  # fmt: skip
    one, two = measured[first], measured[second]
    middle = np.sqrt(one * two) if relative else 0.5 * (one + two)
    jacobian = np.array([np.sum(np.log(one / middle)), np.sum(np.log(two / middle))]) if relative else np.zeros(2)
    predicted = np.array([2.1, 3.0, 1.4, 1.3])

    def alternatives(residuals, variance):
        return [
            (residuals[first], block + np.diag(variance[first])),
            (residuals[second], np.diag(sigma**2 + variance[second])),
        ]

    def densities(residuals, variance):
        each = [stats.multivariate_normal(np.zeros(2), c).logpdf(r) for r, c in alternatives(residuals, variance)]
        return np.log(weights) + jacobian + np.array(each)

    def chi2(residuals, variance):
        shares = np.exp(densities(residuals, variance) - logsumexp(densities(residuals, variance)))
        each = [r @ np.linalg.solve(c, r) for r, c in alternatives(residuals, variance)]
        return np.sum(shares * np.array(each))

    def residuals(numbers):
        """Numbers in units of the widths: the same counts make both fluxes."""
        counts = middle + numbers
        found = np.empty((*numbers.shape[:-1], 4))
        found[..., first] = counts * one / middle if relative else counts + one - middle
        found[..., second] = counts * two / middle if relative else counts + two - middle
        return found - predicted

    return Case(model, lambda r, v: logsumexp(densities(r, v)), chi2, residuals, np.array([1.0, 0.6]), predicted)


CASES = {
    "statistical": built(),
    "uncorrelated": built("uncorrelated"),
    "full": built("full"),
    "length": built("length"),
    "two components": built("full", "length"),
    "in groups": in_groups(),
    "asymmetric": asymmetric(),
    "limits": limits(),
    "limits among points": limits_among_points(),
    "mean of hadronic models, fluxes": averaged(relative=True),
    "mean of hadronic models, <ln A>": averaged(relative=False),
}
