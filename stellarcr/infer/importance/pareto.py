r"""Importance weights whose largest are smoothed by a generalised Pareto distribution, and how far they can be trusted.

The largest weights decide a mean over weighted draws, and its error. A generalised Pareto distribution is fitted to
them; its shape :math:`\hat k` tells how heavy their tail is: moments of order below :math:`1 / k` exist, so that above
1/2 the variance is infinite and above 1 the mean is. The fit, the length of the tail (three times the square root of
the number of draws, at most a fifth of them) and the replacement of the tail by quantiles of the fit are those of
ArviZ (Vehtari et al. 2024, arXiv:1507.02646, as ``arviz_stats`` cites it); its estimate of `k` is drawn weakly towards
1/2, as if ten of the tail's draws had told so.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp

from stellarcr.errors import ModelError
from stellarcr.infer.diagnostics import kish_sample_size
from stellarcr.infer.posterior_protocol import FloatArray

RELIABLE_K = 0.7
"""Largest shape of the tail at which smoothed weights are used (the default of ``mcse_loo`` of R's loo 2.1)."""

LEAST_DRAWS = 25
"""Draws of weight above zero without which there is no tail to fit: five of them lie in it."""


@dataclass(frozen=True)
class SmoothedWeights:
    """Smoothed importance weights.

    Attributes
    ----------
    log_weights : array, shape (n,)
        Log weights; the weights sum to one.
    pareto_k : float
        Shape of the tail; ``-inf`` where the largest weights are all equal, so that there is no tail.
    effective_samples : float
        What the draws are worth: the squared sum of weights over the sum of their squares, times the draws'
        relative efficiency.
    """

    log_weights: FloatArray
    pareto_k: float
    effective_samples: float

    @property
    def reliable(self) -> bool:
        """Whether the tail is light enough: `pareto_k` at most :data:`RELIABLE_K`."""
        return self.pareto_k <= RELIABLE_K


def pareto_smoothed(log_ratios: FloatArray, relative_efficiency: float = 1.0) -> SmoothedWeights:
    """Smooth importance ratios.

    Parameters
    ----------
    log_ratios : array, shape (n,)
        Log of target density over proposal density at draws of the proposal, of any normalisation; ``-inf`` where
        the target is zero.
    relative_efficiency : float
        Independent draws that one draw is worth: 1 unless they come from a chain.

    Raises
    ------
    ModelError
        If fewer than 25 draws have weight above zero, or a ratio is NaN or ``+inf``.
    """
    from arviz_stats.base import array_stats

    ratios = np.asarray(log_ratios, dtype=np.float64)
    wrong = np.isnan(ratios) | np.isposinf(ratios)
    if wrong.any():
        raise ModelError(
            "an importance ratio is NaN or infinite",
            where=f"draw {int(np.argmax(wrong))} of {ratios.size}",
            remedy="check both log densities there",
        )
    possible = np.isfinite(ratios)
    if possible.sum() < LEAST_DRAWS:
        raise ModelError(
            f"{int(possible.sum())} of {ratios.size} draws have weight above zero: too few to judge",
            remedy=f"at least {LEAST_DRAWS} are needed: take more draws, or a target that is nearer to the proposal",
        )
    log_weights = np.full(ratios.shape, -np.inf)
    if _without_tail(ratios[possible], relative_efficiency):
        log_weights[possible] = ratios[possible] - logsumexp(ratios[possible])
        pareto_k = -np.inf
    else:
        # arviz_stats smooths the weights of leave-one-out, whose log ratios are minus the log likelihood it is given
        smoothed, k = array_stats.psislw(-ratios[possible], r_eff=relative_efficiency)
        log_weights[possible], pareto_k = smoothed, float(k)
    return SmoothedWeights(log_weights, pareto_k, relative_efficiency * kish_sample_size(log_weights))


def _without_tail(ratios: FloatArray, relative_efficiency: float) -> bool:
    """Whether the largest ratios are equal: no distribution can be fitted to them."""
    n = len(ratios)
    tail = int(min(n / 5, 3 * np.sqrt(n / relative_efficiency)))
    return bool(np.ptp(np.partition(ratios, n - tail)[n - tail :]) < 1e-10)
