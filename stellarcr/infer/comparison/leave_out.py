r"""How well a model predicts each data set from all the others.

For data sets :math:`y_d` that are independent given the parameters, with likelihoods :math:`L_d`,

.. math:: \ln p(y_d | y_{\rm rest}) = -\ln \langle 1 / L_d \rangle_{\rm posterior}
          = \ln \langle L_d \rangle_{\rm rest} = \ln Z - \ln Z_{\rm rest} ,

where the second mean is over the posterior without :math:`y_d` (and the prior of parameters that only :math:`y_d`
has). The first form needs nothing but a stored run. It reweights the posterior to one that may be much wider, so it
often fails for a whole data set; the Pareto shape `k` of the ratios tells. The second and third need a fit without
:math:`y_d`; the second fails in turn where that fit predicts the data much more broadly than they are measured, the
third needs nested sampling.

Sums over data sets compare models by prediction: unlike evidences, they hardly depend on the widths of priors. They
are no joint density: each term uses all other data.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from stellarcr.infer.comparison.averages import LogMean, log_mean
from stellarcr.infer.importance.pareto import RELIABLE_K
from stellarcr.infer.posterior_protocol import FloatArray


@dataclass(frozen=True)
class LeftOut:
    """Density of one data set, given all others.

    Attributes
    ----------
    log_density, error : float
        ln p of the data set, given the others, and its numerical error.
    method : {"samples", "refit", "evidence"}
        From samples of the fit to all data, from those of a fit without the data set, or from the evidences of both.
    pareto_k : float or None
        Shape of the tail of the ratios; None for evidences.
    effective_samples : float or None
        What the weighted samples are worth; None for evidences.
    """

    log_density: float
    error: float
    method: str
    pareto_k: float | None = None
    effective_samples: float | None = None

    @property
    def reliable(self) -> bool:
        """Whether the number can be used: `pareto_k`, if there is one, is at most 0.7."""
        return self.pareto_k is None or self.pareto_k <= RELIABLE_K


@dataclass(frozen=True)
class LeaveOutTotal:
    """Sum, or difference of two sums, of densities over data sets.

    Attributes
    ----------
    value : float
        The sum over the data sets that are reliable.
    numerical_error : float
        Errors of the terms in quadrature.
    scatter_error : float or None
        For a difference of two models: the square root of the number of data sets times the standard deviation of the
        differences; None for a sum and for fewer than two data sets.
    data_sets : tuple of str
        Those in the sum.
    not_reliable : tuple of str
        Those that are left out of it.
    """

    value: float
    numerical_error: float
    scatter_error: float | None
    data_sets: tuple[str, ...]
    not_reliable: tuple[str, ...]

    @property
    def error(self) -> float:
        """Both errors in quadrature."""
        return float(np.hypot(self.numerical_error, self.scatter_error or 0.0))


def from_samples(
    log_likelihood: FloatArray, effective_samples: float | None = None, volumes: FloatArray | None = None
) -> LeftOut:
    """Density of a data set from samples of the fit to all data.

    Parameters
    ----------
    log_likelihood : array, shape (n,)
        Of the data set, at equal-weight posterior samples.
    effective_samples : float, optional
        Independent samples that they are worth; their number by default.
    volumes : array, shape (draws, n), optional
        Weights under other prior volumes of a nested run.
    """
    mean = log_mean(-np.asarray(log_likelihood, dtype=np.float64), effective_samples, volumes)
    return _left_out(mean, -mean.value, "samples")


def from_refit(
    log_likelihood: FloatArray, effective_samples: float | None = None, volumes: FloatArray | None = None
) -> LeftOut:
    """Density of a data set from samples of a fit without it.

    Parameters
    ----------
    log_likelihood : array, shape (n,)
        Of the data set, at equal-weight samples of that fit; parameters that the data set alone has are drawn from
        their prior.
    effective_samples : float, optional
        Independent samples that they are worth; their number by default.
    volumes : array, shape (draws, n), optional
        Weights under other prior volumes of a nested run.
    """
    mean = log_mean(log_likelihood, effective_samples, volumes)
    return _left_out(mean, mean.value, "refit")


def from_evidences(all_data: tuple[float, float], rest: tuple[float, float]) -> LeftOut:
    """Density of a data set from ln Z and its error, with and without it."""
    return LeftOut(all_data[0] - rest[0], float(np.hypot(all_data[1], rest[1])), "evidence")


def _left_out(mean: LogMean, value: float, method: str) -> LeftOut:
    return LeftOut(value, mean.error, method, mean.pareto_k, mean.effective_samples)


def total(parts: Mapping[str, LeftOut]) -> LeaveOutTotal:
    """Sum over the data sets whose densities are reliable."""
    kept = {name: part for name, part in parts.items() if part.reliable}
    return LeaveOutTotal(
        value=float(sum(part.log_density for part in kept.values())),
        numerical_error=_quadrature(part.error for part in kept.values()),
        scatter_error=None,
        data_sets=tuple(kept),
        not_reliable=tuple(name for name in parts if name not in kept),
    )


def difference(model: Mapping[str, LeftOut], reference: Mapping[str, LeftOut]) -> LeaveOutTotal:
    """Sum of a model minus that of a reference, over the data sets that are reliable in both."""
    names = [*model, *(name for name in reference if name not in model)]
    kept = [n for n in names if n in model and n in reference and model[n].reliable and reference[n].reliable]
    differences = np.array([model[n].log_density - reference[n].log_density for n in kept])
    scatter = float(np.sqrt(len(kept)) * np.std(differences, ddof=1)) if len(kept) > 1 else None
    return LeaveOutTotal(
        value=float(np.sum(differences)),
        numerical_error=_quadrature(part[n].error for n in kept for part in (model, reference)),
        scatter_error=scatter,
        data_sets=tuple(kept),
        not_reliable=tuple(n for n in names if n not in kept),
    )


def _quadrature(errors: Iterable[float]) -> float:
    return float(np.sqrt(sum(error**2 for error in errors)))
