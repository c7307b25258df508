"""Error models in which amplitudes can be integrated out: Gaussian ones, as a linear map to unit errors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stellarcr.errors import ConfigError
from stellarcr.infer.posterior_protocol import FloatArray
from stellarcr.likelihood.errors import CombinedErrors, CorrelatedErrors, ErrorModel, IndependentErrors, UpperLimits
from stellarcr.likelihood.experiment import ExperimentData

_REMEDY = 'use amplitudes = "sampled", or leave the data out'


@dataclass(frozen=True, eq=False)
class Whitening:
    """Maps residuals to independent numbers of unit variance.

    Attributes
    ----------
    independent : array of int
        Points with errors of their own.
    scale : array
        Inverse errors of these.
    blocks : tuple of (array of int, array)
        Points that are correlated, and the matrix that multiplies their residuals from the right.
    log_constant : float
        Log-density of residuals zero.
    """

    independent: np.ndarray
    scale: FloatArray
    blocks: tuple[tuple[np.ndarray, FloatArray], ...]
    log_constant: float


def whitening_of(data: ExperimentData) -> Whitening:
    """Find the linear map of an experiment's errors.

    Parameters
    ----------
    data : ExperimentData
        Points and errors.

    Raises
    ------
    ConfigError
        If the likelihood is not Gaussian in the predictions; names data and reason.
    """
    if data.holds_ratios or data.holds_log_mass:
        what = "ratios" if data.holds_ratios else "mean logarithmic masses"
        raise _refused(data.key, f"{what} are not linear in the amplitudes")
    independent: list[tuple[np.ndarray, FloatArray]] = []
    blocks: list[tuple[np.ndarray, FloatArray]] = []
    for group in data.groups:
        for points, errors in _pieces(group.points, group.errors):
            if isinstance(errors, IndependentErrors) and np.array_equal(errors.lower, errors.upper):
                independent.append((points, 1.0 / errors.lower))
            elif isinstance(errors, CorrelatedErrors):
                blocks.append((points, errors.whitening))
            else:
                raise _refused(group.name, _reason(errors))
    return Whitening(
        np.concatenate([np.array([], dtype=int), *(p for p, _ in independent)]),
        np.concatenate([np.array([]), *(s for _, s in independent)]),
        tuple(blocks),
        float(data.errors.log_likelihood(np.zeros(len(data.values)))),
    )


def _pieces(points: np.ndarray, errors: ErrorModel) -> list[tuple[np.ndarray, ErrorModel]]:
    if isinstance(errors, CombinedErrors):
        return [piece for index, part in errors.parts for piece in _pieces(points[index], part)]
    return [(points, errors)]


def _reason(errors: ErrorModel) -> str:
    if isinstance(errors, IndependentErrors):
        return "asymmetric errors are not Gaussian"
    if isinstance(errors, UpperLimits):
        return "upper limits are not Gaussian"
    return f"errors of the form {type(errors).__name__} are not Gaussian in the predictions"


def _refused(name: str, reason: str) -> ConfigError:
    return ConfigError(f'amplitudes = "collapsed" is not possible with {name}: {reason}', remedy=_REMEDY)
