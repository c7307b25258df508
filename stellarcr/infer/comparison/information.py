r"""What the data taught: Kullback-Leibler divergences of the posterior from the prior, in nats.

For one parameter with marginal prior :math:`\pi` and marginal posterior :math:`p`,

.. math:: D = \int p \ln(p / \pi)\,dx ,

which does not change if the parameter is replaced by a function of it. It is zero where the data say nothing, and
:math:`\ln(\hbox{prior width} / \hbox{posterior width})` up to a constant of shape where they say much. Marginals know
nothing of correlations: their sum may be smaller than the information of the whole posterior,

.. math:: D_{\rm total} = \langle \ln L \rangle - \ln Z ,

by any amount.

The estimator of a marginal uses spacings. Sorted samples are cut into `k` pieces that hold the same number of samples;
piece `j` covers the prior probability :math:`w_j`, and

.. math:: \hat D = -\frac1k \sum_j \ln w_j + \psi(m) - \psi(n + 1) ,

where `n` is the effective number of samples, `m = (n - 1) / k`, and the digamma functions are what
:math:`\langle\ln w\rangle` is for samples of the prior itself: spacings of `n` uniform numbers follow
Beta(m, n + 1 - m). So :math:`\langle\hat D\rangle = 0` for a posterior equal to its prior, at any `n`; otherwise the
density is taken as constant within a piece, which underestimates `D` slightly (0.01 for a Gaussian in 100 pieces).

:math:`w_j` comes from the prior's distribution function. Where only draws of the prior are known (constraints between
parameters change marginals), it comes from the number `c` of `N` draws in the piece:
:math:`\ln w = \psi(c + 1) - \ln N`, whose mean is :math:`\ln` of the truth where the expected `c` is not small. A
posterior so narrow that hardly a draw falls into it gives a lower limit, and is marked as one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import digamma

from stellarcr.errors import RunError
from stellarcr.infer.posterior_protocol import FloatArray
from stellarcr.infer.priors import Prior

LARGEST_PIECES = 100
SMALLEST_PIECES = 4
SAMPLES_PER_PIECE = 10
"""Effective samples, and draws of the prior, that a piece holds on average (project choice: their noise is corrected in
the mean, but the correction assumes independent samples)."""

MINIMUM_SAMPLES = SMALLEST_PIECES * SAMPLES_PER_PIECE
"""Effective samples without which there is no estimate."""


@dataclass(frozen=True)
class Information:
    """A divergence in nats.

    Attributes
    ----------
    nats : float
        The estimate; by chance it may be slightly negative where the truth is zero.
    error : float
        Its statistical error.
    lower_limit : bool
        Whether the draws of the prior are too few to resolve the posterior, so that the truth is larger.
    """

    nats: float
    error: float
    lower_limit: bool = False


def marginal_information(
    samples: FloatArray, prior: Prior | FloatArray, effective_samples: float | None = None
) -> Information:
    """Information on one parameter.

    Parameters
    ----------
    samples : array, shape (n,)
        Equal-weight posterior samples.
    prior : Prior or array, shape (m,)
        The marginal prior, or draws from it.
    effective_samples : float, optional
        Number of independent samples that `samples` are worth; their number by default.

    Returns
    -------
    Information
        Its error is that of a mean over the effective samples, and over the draws of the prior.

    Raises
    ------
    RunError
        If there are fewer than 40 effective samples, or no draws.
    """
    x = np.sort(np.asarray(samples, dtype=np.float64))
    effective = float(min(len(x), effective_samples or len(x)))
    if effective < MINIMUM_SAMPLES or (not isinstance(prior, Prior) and len(prior) == 0):
        raise RunError(
            f"the information needs {MINIMUM_SAMPLES} effective samples of the posterior and draws "
            f"of the prior; there are {effective:.0f} of the posterior",
            remedy="sample longer",
        )
    if x[0] == x[-1]:
        raise RunError("all samples are equal: there is no density", remedy="check the run's samples")
    pieces = int(np.clip(effective / SAMPLES_PER_PIECE, SMALLEST_PIECES, LARGEST_PIECES))
    resolved, draws = True, np.empty(0)
    if not isinstance(prior, Prior):
        draws = np.sort(np.asarray(prior, dtype=np.float64))
        inside = int(np.searchsorted(draws, x[-1], "right") - np.searchsorted(draws, x[0], "left"))
        resolved = inside >= MINIMUM_SAMPLES
        pieces = int(np.clip(inside / SAMPLES_PER_PIECE, SMALLEST_PIECES, pieces))
    edges = x[np.round(np.linspace(0, len(x) - 1, pieces + 1)).astype(int)]
    noise = 0.0
    if isinstance(prior, Prior):
        log_widths = _log_probability(edges, prior)
    else:
        counts = np.diff(np.searchsorted(draws, edges))
        log_widths = digamma(counts + 1.0) - np.log(len(draws))
        noise = float(np.mean(1.0 / np.maximum(counts, 1))) / pieces
    terms = -log_widths + digamma((effective - 1.0) / pieces) - digamma(effective + 1.0)
    noise += float(np.var(terms, ddof=1)) / effective
    return Information(float(np.mean(terms)), float(np.sqrt(noise)), lower_limit=not resolved)


def _log_probability(edges: FloatArray, prior: Prior) -> FloatArray:
    """Give ln of the prior probability of each piece; from the upper tail where that is exact."""
    below, above = np.diff(prior.cdf(edges)), -np.diff(prior.sf(edges))
    share = np.where(edges[:-1] > prior.median, above, below)
    # A piece of no width holds repeated samples only; the smallest number stands for it.
    return np.log(np.maximum(share, np.finfo(np.float64).tiny))


def total_information(
    log_likelihood: FloatArray, log_evidence: float, log_evidence_error: float, effective_samples: float | None = None
) -> Information:
    """Information of the whole posterior, <ln L> - ln Z.

    Parameters
    ----------
    log_likelihood : array, shape (n,)
        Of equal-weight posterior samples, all data together.
    log_evidence, log_evidence_error : float
        ln Z and its total error.
    effective_samples : float, optional
        Number of independent samples; their number by default.
    """
    values = np.asarray(log_likelihood, dtype=np.float64)
    effective = float(min(len(values), effective_samples or len(values)))
    spread = float(np.std(values)) / np.sqrt(effective)
    return Information(float(np.mean(values)) - log_evidence, float(np.hypot(spread, log_evidence_error)))
