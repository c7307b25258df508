r"""Samples of one posterior as samples of another: other priors, ranges, error models or data.

With :math:`w = \pi_2 L_2 / (\pi_1 L_1)` at samples of the first posterior, :math:`\ln Z_2 = \ln Z_1 + \ln \langle w
\rangle`, and the samples with weights `w` are the second posterior. That holds if the first posterior covers the
second: the Pareto shape `k` of the weights tells where it is too narrow, but not whether the second has a part where
the first has no sample at all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from stellarcr.errors import RunError
from stellarcr.infer.comparison.averages import LogMean, log_mean
from stellarcr.infer.posterior_protocol import FloatArray
from stellarcr.infer.priors import Prior
from stellarcr.infer.samplers.nested_parts import equal_weight_indices

LEAST_EFFECTIVE = 100.0
"""Effective samples below which a reweighted posterior does not count as converged (project choice: a median is then
known to an eighth of the posterior's width)."""


@dataclass(frozen=True, eq=False)
class Reweighted:
    """A posterior made of the samples of another.

    Attributes
    ----------
    weights : LogMean
        ln of the ratio of evidences with its error, Pareto shape, effective samples and weights.
    log_evidence, log_evidence_error : float or None
        Of the new posterior; None if that of the old one is not known.
    index : numpy.ndarray of int, shape (n,)
        Rows of the old samples that are equal-weight samples of the new posterior; some come more than once.
    """

    weights: LogMean
    log_evidence: float | None
    log_evidence_error: float | None
    index: np.ndarray

    @property
    def converged(self) -> bool:
        """Whether the weights can be believed, and are worth enough samples."""
        return self.weights.reliable and self.weights.effective_samples >= LEAST_EFFECTIVE


def reweight(
    old_log_posterior: FloatArray,
    new_log_posterior: FloatArray,
    rng: np.random.Generator,
    *,
    effective_samples: float | None = None,
    volumes: FloatArray | None = None,
    log_evidence: tuple[float | None, float | None] = (None, None),
) -> Reweighted:
    """Turn samples of one posterior into samples of another.

    Parameters
    ----------
    old_log_posterior, new_log_posterior : array, shape (n,)
        Log prior plus log likelihood, both normalised, at equal-weight samples of the old posterior.
    rng : numpy.random.Generator
        Of the equal-weight samples.
    effective_samples : float, optional
        Independent samples that they are worth; their number by default.
    volumes : array, shape (draws, n), optional
        Weights under other prior volumes of a nested run.
    log_evidence : tuple of float or None
        ln Z of the old posterior and its error.

    Raises
    ------
    RunError
        If hardly a sample is possible under the new posterior.
    ModelError
        If a ratio is not a number.
    """
    ratios = np.asarray(new_log_posterior, dtype=np.float64) - old_log_posterior
    possible = int(np.sum(ratios > -np.inf))
    if possible < LEAST_EFFECTIVE:
        raise RunError(
            f"{possible} of {len(ratios)} samples are possible under the new configuration",
            remedy="fit the new configuration: the two have too little in common",
        )
    weights = log_mean(ratios, effective_samples, volumes)
    z, error = log_evidence
    known = z is not None and error is not None
    return Reweighted(
        weights=weights,
        log_evidence=z + weights.value if known and z is not None else None,
        log_evidence_error=float(np.hypot(error, weights.error)) if known and error is not None else None,
        index=equal_weight_indices(weights.log_weights, len(ratios), rng),
    )


def outside_share(
    draws: FloatArray, names: Sequence[str], priors: Mapping[str, Prior]
) -> tuple[float, tuple[str, ...]]:
    """Share of a prior that lies where another one is zero: there reweighting sees nothing.

    Parameters
    ----------
    draws : array, shape (n, n_dim)
        From the new prior.
    names : sequence of str
        Parameters of the draws.
    priors : mapping of str to Prior
        The old priors; parameters without one are taken to be covered.

    Returns
    -------
    tuple
        The share, and the parameters that reach beyond.
    """
    outside = np.zeros(draws.shape, dtype=bool)
    for k, name in enumerate(names):
        if name in priors:
            outside[:, k] = ~np.isfinite(np.asarray(priors[name].logpdf(draws[:, k])))
    beyond = tuple(name for k, name in enumerate(names) if outside[:, k].any())
    return float(np.mean(outside.any(axis=1))), beyond
