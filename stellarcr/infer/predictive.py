r"""Posterior predictive statistics: how measured values lie in the predictions of posterior draws.

Data y (n points) have errors of covariance C_data. S draws theta_s predict mu_s = mu(theta_s), nuisance parameters
included, with mean m and covariance C_model = sum_s (mu_s - m)(mu_s - m)^T / (S - 1).

``chi2``
    Distance of the data from the mean prediction in units of the data's errors alone, chi2(y - m), as the error
    model defines it (the side of an asymmetric error included). It does not know that predictions are uncertain.
``predictive_chi2``
    X(y) = (y - m)^T [C_data + (1 + 1/S) C_model]^-1 (y - m); 1/S is the variance of m. If draws and errors are
    Gaussian and y was not used to make the draws, it follows chi2_n. Nothing singular is inverted, however few the
    draws: with C_data = L L^T, the singular values s_k and left vectors u_k of L^-1 (mu - m)^T / sqrt(S - 1), and
    r = L^-1 (y - m), X = |r|^2 - sum_k w_k (u_k . r)^2 with w_k = a_k / (1 + a_k), a_k = (1 + 1/S) s_k^2. Directions
    that no draw explored keep the data's errors. In k directions where C_model dominates, X comes out too large by
    about (S - 1)/(S - k - 2): 5% for 500 draws and 22 parameters. The error given for X is that of a jackknife over
    ten blocks of draws.
``p_value``
    Predictive p-value: P[T(y_rep) >= T(y)] over replicated data y_rep = mu_s + e, with e drawn from the error model.
    T is X with m and C_model of one half of the draws, and y_rep comes from the other half. So T is a fixed function of
    the data, and if draws and errors are right and y is new, y and y_rep have the same distribution: p is uniform,
    whatever the shape of the posterior. Given is the mean over the two ways to choose the halves; its Monte Carlo
    error is half their difference, or that of the replicates where this is larger.
``p_realised``
    p-value of the realised discrepancy: P[chi2(y_rep - mu_s) >= chi2(y - mu_s)] over draws and replicates of each.
    For given theta the replicated chi2 follows chi2_n exactly (two-piece normal errors included), so the p-value is
    the mean over draws of the survival function of chi2_n at chi2(y - mu_s). It asks whether the typical draw
    describes the data within the data's errors: for new data it is too small where C_model is not small against
    C_data, since then most draws miss the data although their spread covers them.

Of data that the draws were fitted to, both p-values are conservative: the data are used twice, predictions have moved
towards them, and the p-values crowd around 1/2 or above. There only a small one means something.

An intrinsic scatter that was fitted belongs to the errors of the data: to C_data its mean over the draws, to y_rep and
to the realised discrepancy that of the draw.

Asymmetric errors enter C_data with the mean of both sides, because a two-piece distribution has no correlated form;
`replicate` draws them with their asymmetry. Upper limits have no covariance and are left out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import cholesky, solve_triangular
from scipy.stats import chi2 as chi2_distribution

from ..errors import DataError, ParameterError
from ..likelihood.errors import CombinedErrors, CorrelatedErrors, ErrorModel, IndependentErrors, UpperLimits, combine

LEAST_DRAWS = 20
"""Draws below which no statistic is given (project choice: two for each block of the jackknife)."""

_BLOCKS = 10
_VALUES_AT_ONCE = 4_000_000
"""Replicated values held in memory at a time: 32 MB."""


@dataclass(frozen=True)
class PredictiveCheck:
    """How data lie in the predictions of posterior draws; the module's text defines each number.

    Attributes
    ----------
    points : int
        Number of points.
    chi2 : float
        At the mean prediction, with the data's errors alone.
    predictive_chi2, predictive_chi2_error : float
        With the covariance of the predictions added, and its Monte Carlo error.
    p_value, p_value_error : float
        Predictive p-value and its Monte Carlo error; never zero: at least one over the number of replicates.
    p_realised, p_realised_error : float
        p-value of the realised discrepancy and its Monte Carlo error.
    """

    points: int
    chi2: float
    predictive_chi2: float
    predictive_chi2_error: float
    p_value: float
    p_value_error: float
    p_realised: float
    p_realised_error: float


def covariance_of(errors: ErrorModel) -> np.ndarray:
    """Covariance matrix of an error model, with the mean of both sides where errors are asymmetric.

    Parameters
    ----------
    errors : ErrorModel
        Without upper limits.

    Returns
    -------
    numpy.ndarray
        ``(n, n)``, in the squared unit of the data.

    Raises
    ------
    DataError
        If the error model has no covariance.
    """
    if isinstance(errors, IndependentErrors):
        return np.diag((0.5 * (errors.lower + errors.upper)) ** 2)
    if isinstance(errors, CorrelatedErrors):
        return np.asarray(errors.covariance, dtype=float)
    if isinstance(errors, CombinedErrors):
        covariance = np.zeros((errors.size, errors.size))
        for index, part in errors.parts:
            covariance[np.ix_(index, index)] = covariance_of(part)
        return covariance
    raise _no_covariance(errors)


def replicate(
    errors: ErrorModel,
    rng: np.random.Generator,
    count: int,
    predicted: np.ndarray | None = None,
    variance: np.ndarray | None = None,
) -> np.ndarray:
    """Draw residuals, data minus model, from an error model.

    Parameters
    ----------
    errors : ErrorModel
        Without upper limits.
    rng : numpy.random.Generator
        Source of randomness.
    count : int
        Number of replicated data sets.
    predicted : numpy.ndarray, optional
        Predictions ``(n,)`` or ``(count, n)``: a mean over hadronic models needs them.
    variance : numpy.ndarray, optional
        Of an intrinsic scatter, ``(n,)`` or ``(count, n)``, added to that of every point.

    Returns
    -------
    numpy.ndarray
        ``(count, n)``.

    Raises
    ------
    DataError
        If the error model cannot be drawn from.
    """
    return errors.draw(rng, count, variance, predicted)


def without_limits(errors: ErrorModel) -> tuple[ErrorModel | None, np.ndarray]:
    """Keep the points of an error model that are no upper limits.

    Parameters
    ----------
    errors : ErrorModel
        Any error model.

    Returns
    -------
    ErrorModel or None
        Over the points that are kept; None if there are none.
    numpy.ndarray of int
        These points.
    """
    kept = [
        (index, part) for index, part in _parts(errors, np.arange(errors.size)) if not isinstance(part, UpperLimits)
    ]
    if not kept:
        return None, np.array([], dtype=int)
    points = np.sort(np.concatenate([index for index, _ in kept]))
    return combine([(np.searchsorted(points, index), part) for index, part in kept]), points


def _parts(errors: ErrorModel, points: np.ndarray) -> list[tuple[np.ndarray, ErrorModel]]:
    """Error models that are no combinations, with their points; combinations may hold combinations."""
    if isinstance(errors, CombinedErrors):
        return [piece for index, part in errors.parts for piece in _parts(part, points[index])]
    return [(points, errors)]


def check_predictions(
    values: np.ndarray,
    predictions: np.ndarray,
    errors: ErrorModel,
    rng: np.random.Generator,
    replicates: int = 10_000,
    variance: np.ndarray | None = None,
) -> PredictiveCheck:
    """Compare data with the predictions of posterior draws.

    Parameters
    ----------
    values : numpy.ndarray
        Measured values ``(n,)``, no upper limits among them.
    predictions : numpy.ndarray
        Predictions ``(n_draws, n)`` in the same unit. Their order must not matter: neighbours of a chain should be
        shuffled.
    errors : ErrorModel
        Of the values.
    rng : numpy.random.Generator
        Source of the replicated data.
    replicates : int
        About how many data sets are replicated for the p-value.
    variance : numpy.ndarray, optional
        Of an intrinsic scatter, ``(n_draws, n)``: added to that of every point. Where one number is asked for, its mean
        over the draws.

    Returns
    -------
    PredictiveCheck
        Chi-squares and p-values.

    Raises
    ------
    ParameterError
        For too few draws.
    DataError
        If predictions are not finite, or the errors have no covariance.
    """
    values, predictions = np.asarray(values, dtype=float), np.asarray(predictions, dtype=float)
    n_draws = len(predictions)
    if n_draws < LEAST_DRAWS:
        raise ParameterError(
            f"{n_draws} draws cannot tell how uncertain a prediction is", remedy=f"use at least {LEAST_DRAWS}, or 500"
        )
    if not np.all(np.isfinite(predictions)):
        bad = int(np.sum(~np.isfinite(predictions).all(axis=1)))
        raise DataError(
            f"{bad} of {n_draws} draws predict values that are not finite",
            remedy="check the range of the data and the parameters of the run",
        )
    scatter = None if variance is None else np.mean(variance, axis=0)
    factor = _factor(covariance_of(errors) + (0.0 if scatter is None else np.diag(scatter)))

    def whiten(rows: np.ndarray) -> np.ndarray:
        return np.asarray(solve_triangular(factor, rows.T, lower=True)).T

    white, measured = whiten(predictions), whiten(values[None, :])
    statistic = float(_Discrepancy.of(white)(measured)[0])
    p_value, p_error = _predictive_p(white, measured, errors, variance, whiten, rng, replicates)
    realised = chi2_distribution.sf(errors.chi2(values - predictions, variance), errors.size)
    return PredictiveCheck(
        points=errors.size,
        chi2=float(errors.chi2(values - predictions.mean(axis=0), scatter)),
        predictive_chi2=statistic,
        predictive_chi2_error=_jackknife(white, measured),
        p_value=p_value,
        p_value_error=p_error,
        p_realised=float(realised.mean()),
        p_realised_error=float(realised.std(ddof=1) / np.sqrt(n_draws)),
    )


@dataclass(frozen=True, eq=False)
class _Discrepancy:
    """Squared distance from the mean of draws, in units in which the data's covariance is the unit matrix."""

    mean: np.ndarray
    directions: np.ndarray
    weights: np.ndarray

    @classmethod
    def of(cls, draws: np.ndarray) -> _Discrepancy:
        n_draws, mean = len(draws), draws.mean(axis=0)
        # right vectors of (draws, points): the directions in which predictions vary
        _, singular, directions = np.linalg.svd((draws - mean) / np.sqrt(n_draws - 1.0), full_matrices=False)
        variance = (1.0 + 1.0 / n_draws) * singular**2
        return cls(mean, directions, variance / (1.0 + variance))

    def __call__(self, rows: np.ndarray) -> np.ndarray:
        residuals = rows - self.mean
        along = residuals @ self.directions.T
        return np.sum(residuals**2, axis=-1) - np.sum(self.weights * along**2, axis=-1)


def _predictive_p(white, measured, errors, variance, whiten, rng, replicates):  # type: ignore[no-untyped-def]
    """p-value and Monte Carlo error: mean and half the difference of both ways to split the draws."""
    halves = (slice(0, None, 2), slice(1, None, 2))
    per_draw = max(1, round(0.5 * replicates / (len(white) // 2)))
    values, errors_of_fraction = [], []
    for reference, half in (halves, halves[::-1]):
        discrepancy, sources = _Discrepancy.of(white[reference]), white[half]
        scatter = None if variance is None else variance[half]
        observed = discrepancy(measured)[0]
        at_once = max(1, _VALUES_AT_ONCE // (per_draw * errors.size))
        fractions = []
        for start in range(0, len(sources), at_once):
            some = sources[start : start + at_once]
            own = None if scatter is None else np.repeat(scatter[start : start + at_once], per_draw, axis=0)
            noise = whiten(replicate(errors, rng, len(some) * per_draw, variance=own)).reshape(len(some), per_draw, -1)
            fractions.append(np.mean(discrepancy(some[:, None, :] + noise) >= observed, axis=1))
        fraction = np.concatenate(fractions)
        # the data count as one more replicate: p is never zero
        values.append((1.0 + fraction.sum() * per_draw) / (1.0 + fraction.size * per_draw))
        errors_of_fraction.append(fraction.std(ddof=1) / np.sqrt(len(fraction)))
    spread = 0.5 * abs(values[0] - values[1])
    floor = 1.0 / (1.0 + per_draw * len(white))
    return float(np.mean(values)), float(max(spread, np.hypot(*errors_of_fraction) / 2.0, floor))


def _jackknife(white: np.ndarray, measured: np.ndarray) -> float:
    """Monte Carlo error of the predictive chi-square, leaving out one block of draws at a time."""
    block = np.arange(len(white)) % _BLOCKS
    without = [float(_Discrepancy.of(white[block != k])(measured)[0]) for k in range(_BLOCKS)]
    return float(np.sqrt((_BLOCKS - 1.0) * np.var(without)))


def _factor(covariance: np.ndarray) -> np.ndarray:
    scale = np.sqrt(np.diag(covariance))
    # the correlation matrix: fluxes span many decades
    return np.asarray(scale[:, None] * cholesky(covariance / np.outer(scale, scale), lower=True))


def _no_covariance(errors: ErrorModel) -> DataError:
    return DataError(
        f"errors of the kind {type(errors).__name__} have no covariance, so data cannot be replicated",
        remedy="use independent or correlated Gaussian errors",
    )
