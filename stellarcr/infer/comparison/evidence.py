r"""Evidences of repeated runs, Bayes factors, and which of them are large enough to rank models.

A model was sampled :math:`n` times with different seeds; run :math:`i` gave :math:`z_i = \ln Z_i` and quotes the
error :math:`\sigma_i`.

====================  ============================================  =============================================
number                formula                                       reason
====================  ============================================  =============================================
ln Z                  :math:`\bar z = \sum z_i / n`                 no weights: errors of one sampler on one
                                                                    problem differ only by chance
statistical error     :math:`\sqrt{\sum \sigma_i^2} / n`            error of the mean, if the quoted errors hold
scatter               :math:`s^2 = \sum (z_i-\bar z)^2 / (n-1)`     what one run is really uncertain by; unknown
                                                                    for one seed
error from scatter    :math:`t_{n-1}\, s / \sqrt n`                 error of the mean without the quoted errors;
                                                                    :math:`t_{n-1}` is Student's quantile that
                                                                    holds 68.3 %: 1.84, 1.32, 1.20 for n = 2, 3,
                                                                    4, because so few seeds say little about s
total error           the larger of the two errors                  neither may hide the other: few seeds agree by
                                                                    chance, quoted errors leave out what walks do
====================  ============================================  =============================================

The seeds are consistent with their quoted errors if :math:`\chi^2 = \sum (z_i - z_w)^2 / \sigma_i^2`, with the weighted
mean :math:`z_w`, is likely for :math:`n - 1` degrees of freedom; its p-value is reported.

A Bayes factor is a difference of two ln Z; its errors are those of both models in quadrature, kind by kind. Two models
are separated if their ln Z differ by at least `SEPARATION` total errors. Models that are not separated share a rank,
and so do all that are tied by a chain of such pairs: a rank never claims an order that a pair of errors denies.

That is less sure than three Gaussian errors. Models of equal evidence are separated by chance in less than 0.3 % of all
cases if the quoted errors hold, but if these are far too small, in 3.2, 1.7, 1.2 and 0.9 % of them with 2, 3, 4 and 5
seeds each (simulated; Student's factor is exact for one total error, not for three). With one seed nothing guards
against quoted errors that are too small: if they are half of the truth, 13 % are separated by chance.

What none of this sees is a bias that all seeds share. Random walks that are too short raise ln Z of every seed alike;
only longer walks, more live points or another sampler show it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import chi2, norm
from scipy.stats import t as student

from stellarcr.errors import RunError

SEPARATION = 3.0
"""Total errors between two ln Z that can be ranked (project choice: errors from few seeds have long tails, and a wrong
order misleads more than a missing one)."""

_ONE_SIGMA = float(norm.cdf(1.0))


@dataclass(frozen=True)
class Evidence:
    """ln Z of a model from all of its seeds.

    Attributes
    ----------
    log_evidence : float
        Mean ln Z.
    statistical_error : float
        Error of the mean from the errors that the runs quote.
    scatter : float or None
        Standard deviation over seeds; None for one seed.
    scatter_error : float or None
        Error of the mean from the scatter, with Student's factor; None for one seed.
    total_error : float
        The larger of the two errors.
    seeds : int
        Number of runs.
    p_value : float or None
        Probability of a larger scatter if the quoted errors hold; None for one seed.
    """

    log_evidence: float
    statistical_error: float
    scatter: float | None
    scatter_error: float | None
    total_error: float
    seeds: int
    p_value: float | None


@dataclass(frozen=True)
class BayesFactor:
    """ln of the ratio of two evidences.

    Attributes
    ----------
    log_bayes_factor : float
        ln Z of the model minus ln Z of the reference.
    statistical_error, total_error : float
        From the errors of both models in quadrature.
    scatter_error : float or None
        The same from the scatter of seeds; None unless both models have several.
    separated : bool
        Whether the difference is at least `SEPARATION` total errors.
    """

    log_bayes_factor: float
    statistical_error: float
    scatter_error: float | None
    total_error: float
    separated: bool

    @property
    def significance(self) -> float:
        """Size of the difference in total errors; infinite where the error is zero."""
        size = abs(self.log_bayes_factor)
        return size / self.total_error if self.total_error > 0 else (np.inf if size > 0 else 0.0)


def combine_seeds(log_evidences: Sequence[float], errors: Sequence[float]) -> Evidence:
    """Combine independent runs of one model; formulas in the module's description.

    Parameters
    ----------
    log_evidences, errors : sequence of float
        ln Z of each run with its quoted error.

    Raises
    ------
    RunError
        If there is none, or a number is not finite, or an error is negative.
    """
    z, sigma = np.asarray(log_evidences, dtype=np.float64), np.asarray(errors, dtype=np.float64)
    n = len(z)
    if n == 0 or sigma.shape != z.shape or not np.all(np.isfinite(z)) or not np.all(sigma >= 0):
        raise RunError(
            f"ln Z = {z.tolist()} with errors {sigma.tolist()} cannot be combined",
            remedy="give one finite ln Z and one error of at least zero per run",
        )
    mean, statistical = float(np.mean(z)), float(np.sqrt(np.sum(sigma**2)) / n)
    if n == 1:
        return Evidence(mean, statistical, None, None, statistical, 1, None)
    scatter = float(np.std(z, ddof=1))
    scatter_error = float(student.ppf(_ONE_SIGMA, n - 1)) * scatter / np.sqrt(n)
    total = max(statistical, float(scatter_error))
    return Evidence(mean, statistical, scatter, float(scatter_error), total, n, _consistency(z, sigma))


def _consistency(z: np.ndarray, sigma: np.ndarray) -> float:
    if np.any(sigma == 0):
        return 1.0 if np.ptp(z) == 0 else 0.0
    mean = np.average(z, weights=sigma**-2.0)
    return float(chi2.sf(np.sum(((z - mean) / sigma) ** 2), len(z) - 1))


def bayes_factor(model: Evidence, reference: Evidence) -> BayesFactor:
    """Compare two models that were fitted to the same data."""
    difference = model.log_evidence - reference.log_evidence
    both = None
    if model.scatter_error is not None and reference.scatter_error is not None:
        both = float(np.hypot(model.scatter_error, reference.scatter_error))
    total = float(np.hypot(model.total_error, reference.total_error))
    return BayesFactor(
        log_bayes_factor=difference,
        statistical_error=float(np.hypot(model.statistical_error, reference.statistical_error)),
        scatter_error=both,
        total_error=total,
        separated=difference != 0.0 and abs(difference) >= SEPARATION * total,
    )


def ranks(evidences: Sequence[Evidence]) -> tuple[int, ...]:
    """Rank models, 1 for the best; models that the errors do not separate share a rank.

    Returns
    -------
    tuple of int
        In the order given. A shared rank is followed by the next number that is free, as in sports: 1, 1, 3.
    """
    order = sorted(range(len(evidences)), key=lambda k: -evidences[k].log_evidence)
    result = [0] * len(evidences)
    for place, k in enumerate(order):
        above, below = order[:place], order[place:]
        # A border lies where every model above is separated from every model below it.
        border = all(bayes_factor(evidences[a], evidences[b]).separated for a in above for b in below)
        result[k] = place + 1 if border else result[order[place - 1]]
    return tuple(result)
