r"""Logarithms of means of ratios over posterior samples, with the verdict of Pareto smoothing.

Leave-one-out densities, evidences under other priors and predictions of held-out data are all of the form :math:`\ln
\langle r \rangle`, where the ratio :math:`r` may vary over many orders of magnitude: then a few samples decide the
mean. The largest ratios are replaced by quantiles of a fitted tail (`stellarcr.infer.importance.pareto`), and the
shape `k` of that tail says whether the mean can be believed.

The error is that of a mean of the smoothed ratios, :math:`\sqrt{(n \sum w^2 - 1) / n_{\rm eff}}` with normalised
weights `w` of `n` samples that are worth :math:`n_{\rm eff}` independent ones. It knows nothing of what no sample
saw.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stellarcr.infer.importance.pareto import RELIABLE_K, pareto_smoothed
from stellarcr.infer.posterior_protocol import FloatArray


@dataclass(frozen=True, eq=False)
class LogMean:
    """ln of a mean of ratios.

    Attributes
    ----------
    value, error : float
        ln of the mean, and its statistical error.
    pareto_k : float
        Shape of the tail of the ratios; ``-inf`` where there is none.
    effective_samples : float
        What the weighted samples are worth.
    log_weights : array, shape (n,)
        Smoothed log weights of the samples; the weights sum to one.
    """

    value: float
    error: float
    pareto_k: float
    effective_samples: float
    log_weights: FloatArray

    @property
    def reliable(self) -> bool:
        """Whether the tail is light enough for the mean to be believed."""
        return self.pareto_k <= RELIABLE_K


def log_mean(
    log_ratios: FloatArray, effective_samples: float | None = None, volumes: FloatArray | None = None
) -> LogMean:
    """Mean of ratios whose logarithms are given.

    Parameters
    ----------
    log_ratios : array, shape (n,)
        ``-inf`` where the ratio is zero.
    effective_samples : float, optional
        Independent samples that they are worth; their number by default.
    volumes : array, shape (draws, n), optional
        Weights of the samples under other prior volumes of a nested run
        (`stellarcr.infer.comparison.volumes.volume_weights`), whose scatter adds to the error.

    Raises
    ------
    ModelError
        If fewer than 25 ratios are above zero, or one is NaN or infinite.
    """
    ratios = np.asarray(log_ratios, dtype=np.float64)
    n = len(ratios)
    independent = float(np.clip(n if effective_samples is None else effective_samples, 1.0, n))
    with np.errstate(divide="ignore", invalid="ignore"):
        # Where repeated samples leave no tail to fit, k is NaN, and the mean counts as not reliable.
        smoothed = pareto_smoothed(ratios, independent / n)
    possible = np.isfinite(ratios)
    # Weights are normalised; below the smoothed tail they differ from the ratios by the sum of all ratios.
    log_sum = float(np.median(ratios[possible] - smoothed.log_weights[possible]))
    relative_variance = max(n * float(np.sum(np.exp(2.0 * smoothed.log_weights))) - 1.0, 0.0)
    return LogMean(
        value=log_sum - float(np.log(n)),
        error=float(np.hypot(np.sqrt(relative_variance / independent), _scatter(smoothed.log_weights, volumes))),
        pareto_k=smoothed.pareto_k,
        effective_samples=smoothed.effective_samples,
        log_weights=smoothed.log_weights,
    )


def _scatter(log_weights: FloatArray, volumes: FloatArray | None) -> float:
    if volumes is None:
        return 0.0
    means = volumes @ np.exp(log_weights) / np.mean(volumes, axis=1)
    return float(np.std(np.log(means), ddof=1))
