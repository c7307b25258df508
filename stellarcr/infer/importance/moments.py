r"""Means and widths of weighted and of equal-weight samples with their Monte Carlo errors, and how two of them differ.

For weights :math:`w_i` that sum to one, mean :math:`m` and standard deviation :math:`s`, the errors are those of
self-normalised importance sampling to first order,

.. math:: \sigma_m^2 = \sum_i w_i^2 (x_i - m)^2, \qquad
          \sigma_s^2 = \frac{1}{4 s^2} \sum_i w_i^2 \left[(x_i - m)^2 - s^2\right]^2 .

For `n` equal-weight samples they are :math:`s / \sqrt n` and :math:`s \sqrt{(\kappa - 1) / 4n}` with the kurtosis
:math:`\kappa`: a heavy tail makes a width uncertain.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stellarcr.infer.posterior_protocol import FloatArray


@dataclass(frozen=True)
class Moments:
    """Means and standard deviations of parameters, with their Monte Carlo errors.

    Attributes
    ----------
    mean, mean_error : array, shape (n_dim,)
        Means.
    width, width_error : array, shape (n_dim,)
        Standard deviations.
    """

    mean: FloatArray
    mean_error: FloatArray
    width: FloatArray
    width_error: FloatArray


def weighted_moments(theta: FloatArray, log_weights: FloatArray) -> Moments:
    """Moments of independent weighted draws.

    Parameters
    ----------
    theta : array, shape (n, n_dim)
        Draws.
    log_weights : array, shape (n,)
        Their log weights, of any normalisation.
    """
    weights = np.exp(log_weights - np.max(log_weights))[:, np.newaxis]
    weights /= weights.sum()
    return _moments(theta, weights, weights)


def sample_moments(theta: FloatArray, effective_samples: float) -> Moments:
    """Moments of equal-weight samples that are worth `effective_samples` independent ones.

    Parameters
    ----------
    theta : array, shape (n, n_dim)
        Samples.
    effective_samples : float
        Independent samples that they are worth.
    """
    equal = np.full((len(theta), 1), 1.0 / len(theta))
    # the sums of the errors, with the number of samples in place of their effective number
    return _moments(theta, equal, equal * np.sqrt(len(theta) / effective_samples))


def _moments(theta: FloatArray, weights: FloatArray, error_weights: FloatArray) -> Moments:
    mean = np.sum(weights * theta, axis=0)
    deviation = theta - mean
    variance = np.sum(weights * deviation**2, axis=0)
    width = np.sqrt(variance)
    mean_error = np.sqrt(np.sum((error_weights * deviation) ** 2, axis=0))
    width_error = np.sqrt(np.sum((error_weights * (deviation**2 - variance)) ** 2, axis=0)) / (2.0 * width)
    return Moments(mean, mean_error, width, width_error)


@dataclass(frozen=True)
class Agreement:
    """How one set of moments differs from another, in widths of the latter.

    Attributes
    ----------
    shift, shift_error : array, shape (n_dim,)
        Difference of the means over the width, with its Monte Carlo error.
    ratio, ratio_error : array, shape (n_dim,)
        Ratio of the widths, with its Monte Carlo error.
    """

    shift: FloatArray
    shift_error: FloatArray
    ratio: FloatArray
    ratio_error: FloatArray


def agreement(moments: Moments, reference: Moments) -> Agreement:
    """Compare moments of independent samples of one posterior.

    Parameters
    ----------
    moments : Moments
        Those in question.
    reference : Moments
        Those they are compared with.
    """
    ratio = moments.width / reference.width
    return Agreement(
        shift=(moments.mean - reference.mean) / reference.width,
        shift_error=np.hypot(moments.mean_error, reference.mean_error) / reference.width,
        ratio=ratio,
        ratio_error=ratio * np.hypot(moments.width_error / moments.width, reference.width_error / reference.width),
    )
