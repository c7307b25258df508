"""Errors that an experiment publishes, joined to covariances: components, and how each is correlated between points.

A systematic component with errors sigma_i has the covariance sigma_i sigma_j rho_ij. One that is known only as a total
may be split into parts that are correlated differently, by fractions f_k of its variance: rho = sum_k f_k rho_k.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..errors import DataError
from .errors import IndependentErrors
from .schema import Part, Systematic


def component_correlation(choice: Systematic, log_rigidity: np.ndarray) -> np.ndarray:
    """Correlation of a systematic component between points, that of its parts if it has some.

    Parameters
    ----------
    choice : Systematic
        What the likelihood file says of the component.
    log_rigidity : numpy.ndarray
        ln of the points' rigidity.
    """
    if choice.parts is None:
        return correlation_matrix(choice.correlation, log_rigidity, choice.length)
    total = sum(part.fraction for part in choice.parts)  # 1 but for rounding
    matrices = (part.fraction / total * _of_part(part, log_rigidity) for part in choice.parts)
    correlation = np.sum(list(matrices), axis=0)
    np.fill_diagonal(correlation, 1.0)
    return correlation


def _of_part(part: Part, log_rigidity: np.ndarray) -> np.ndarray:
    return correlation_matrix(part.correlation, log_rigidity, part.length)


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
