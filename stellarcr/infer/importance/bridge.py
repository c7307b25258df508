r"""ln Z from draws of a proposal `q` and samples of the posterior `p` together: bridge sampling.

With :math:`r = L \pi / q`, and the shares :math:`s_p, s_q` of samples and draws in their sum,

.. math:: Z = \langle r / (s_p r + s_q Z) \rangle_q \,/\, \langle 1 / (s_p r + s_q Z) \rangle_p ,

which is solved by iteration (known as Meng and Wong's optimal bridge). Nothing in the two means can be large, so no
single draw or sample decides. The price is that samples are needed, and taken for right.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp

from stellarcr.infer.posterior_protocol import FloatArray

ITERATIONS = 1000
"""Iterations at most; tens are usual."""


@dataclass(frozen=True)
class Bridge:
    """ln Z by bridge sampling.

    Attributes
    ----------
    log_evidence, error : float
        ln Z and its statistical error.
    difference_error : float
        Statistical error of its difference from ln Z by importance sampling with the same draws.
    """

    log_evidence: float
    error: float
    difference_error: float


def log_mean(log_values: FloatArray) -> tuple[float, float]:
    """Log of the mean of values given by their logs ``(n,)``, and its statistical error."""
    n = len(log_values)
    result = float(logsumexp(log_values) - np.log(n))
    return result, float(np.std(np.exp(log_values - result), ddof=1) / np.sqrt(n))


def bridge_evidence(
    log_ratios_of_draws: FloatArray, log_ratios_of_samples: FloatArray, effective_samples: float
) -> Bridge:
    """Estimate ln Z.

    Parameters
    ----------
    log_ratios_of_draws, log_ratios_of_samples : array, shapes (n,) and (m,)
        ln r at independent draws of the proposal and at samples of the posterior.
    effective_samples : float
        Number of independent samples that the `m` are worth.
    """
    of_q, of_p = log_ratios_of_draws, log_ratios_of_samples
    log_p, log_q = np.log(np.array([effective_samples, len(of_q)]) / (effective_samples + len(of_q)))
    log_z, last = float(np.median(of_p)), np.inf
    upper, lower = of_q, of_p
    for _ in range(ITERATIONS):
        if abs(log_z - last) < 1e-10:
            break
        upper = of_q - np.logaddexp(log_p + of_q, log_q + log_z)
        lower = -np.logaddexp(log_p + of_p, log_q + log_z)
        last, log_z = log_z, log_mean(upper)[0] - log_mean(lower)[0]
    from_samples = log_mean(lower)[1] * np.sqrt(len(of_p) / effective_samples)
    # both estimates rest on the same draws, whose scatter largely cancels in their difference
    both = np.exp(of_q - log_mean(of_q)[0]) - np.exp(upper - log_mean(upper)[0])
    return Bridge(
        log_evidence=log_z,
        error=float(np.hypot(log_mean(upper)[1], from_samples)),
        difference_error=float(np.hypot(np.std(both, ddof=1) / np.sqrt(len(of_q)), from_samples)),
    )
