r"""How far a posterior depends on its priors.

**Power scaling** raises the prior, or the likelihood, to a power :math:`\alpha` near one, :math:`p_\alpha(\theta | y)
\propto \pi(\theta)^\alpha L(\theta)`, by reweighting the samples. The sensitivity of a parameter is the change of its
marginal per :math:`\log_2 \alpha`, as the cumulative Jensen-Shannon distance of the marginals before and after
(Kallioinen et al. 2024, Stat. Comput. 34, 57, as ``arviz_stats`` computes it; there values above 0.05 count as
sensitive). A parameter that moves with the prior and with the likelihood lies where the two pull it in different
directions; one that moves with the prior alone is told by the prior. The exponent of a flat prior changes nothing, so
that power scaling is silent about it.

**Other widths**: the prior of one parameter is replaced by the same form, `factor` times as wide about the same
centre, again by reweighting. That gives the change of :math:`\ln Z`, which a Bayes factor inherits, and of the
marginal, for flat priors too. A wider flat prior reaches where no sample is; the result holds only if the posterior
ends before the edges of the prior, and is marked where it does not.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from stellarcr.errors import ModelError
from stellarcr.infer.comparison.averages import log_mean
from stellarcr.infer.constraints import OrderConstraint
from stellarcr.infer.importance.pareto import LEAST_DRAWS, RELIABLE_K, pareto_smoothed
from stellarcr.infer.posterior_protocol import FloatArray
from stellarcr.infer.priors import HalfNormal, LogNormal, LogUniform, Normal, Prior, TruncatedNormal, Uniform

ALPHAS = (0.99, 1.01)
"""Powers between which the derivative is taken (those of ``arviz_stats``)."""

SENSITIVE = 0.05
"""Sensitivity above which a marginal counts as dependent (that of ``arviz_stats`` and of R's priorsense)."""

LARGEST_SAMPLES = 8000
"""Samples whose marginals are compared: more would only take longer (project choice)."""

EDGE, EDGE_SHARE = 0.05, 0.005
"""A posterior with more than this share of samples in the outermost twentieth of a flat prior is cut by it (project
choice: for a Gaussian posterior that wide, 0.005 is three and a half standard deviations from the edge)."""


@dataclass(frozen=True)
class PowerScaling:
    """How the marginals follow a power of one component of the posterior.

    Attributes
    ----------
    distances : tuple of float
        Cumulative Jensen-Shannon distance per log2 of the power, for each parameter.
    flat : bool
        Whether the component is the same at all samples, so that its power has no effect.
    pareto_k : float
        Largest shape of the tails of the weights; ``-inf`` for a flat one.
    """

    distances: tuple[float, ...]
    flat: bool
    pareto_k: float


def power_scaling(samples: FloatArray, log_component: FloatArray, columns: Sequence[int] | None = None) -> PowerScaling:
    """Sensitivity of marginals to a power of a part of the posterior.

    Parameters
    ----------
    samples : array, shape (n, n_dim)
        Equal-weight posterior samples.
    log_component : array, shape (n,)
        Log of the prior, the likelihood or a factor of either, at the samples.
    columns : sequence of int, optional
        Parameters whose marginals are compared; all by default.
    """
    from arviz_stats.base import array_stats

    chosen = range(samples.shape[1]) if columns is None else columns
    thin = np.unique(np.linspace(0, len(samples) - 1, min(len(samples), LARGEST_SAMPLES)).astype(int))
    log_values = np.asarray(log_component, dtype=np.float64)[thin]
    if np.ptp(log_values) < 1e-9:
        return PowerScaling((0.0,) * len(chosen), True, -np.inf)
    smoothed = [pareto_smoothed((alpha - 1.0) * log_values) for alpha in ALPHAS]
    lower, upper = (np.exp(s.log_weights)[np.newaxis] for s in smoothed)
    distances = (
        array_stats.power_scale_sense(samples[thin, k][np.newaxis], lower, upper, *ALPHAS, chain_axis=0, draw_axis=1)
        for k in chosen
    )
    return PowerScaling(tuple(float(d) for d in distances), False, max(s.pareto_k for s in smoothed))


def verdict(prior: PowerScaling, likelihood: PowerScaling, column: int = 0) -> str:
    """Say what the sensitivities of one parameter mean.

    Parameters
    ----------
    prior : PowerScaling
        Of the prior of all parameters.
    likelihood : PowerScaling
        Of the likelihood of all data.
    column : int
        Which parameter.
    """
    moved = prior.distances[column] >= SENSITIVE
    informed = likelihood.distances[column] >= SENSITIVE
    if moved and informed:
        return "prior and data pull in different directions"
    if moved:
        return "the prior decides"
    return "the data decide" if informed else "neither prior nor data decide: flat"


# ---------------------------------------------------------------------- other widths


@dataclass(frozen=True)
class WidthChange:
    """What the posterior becomes under a prior of another width.

    Attributes
    ----------
    factor : float
        Of the width.
    log_evidence_change, log_evidence_error : float
        Change of ln Z, and its numerical error.
    shift : float
        Change of the parameter's mean, in its standard deviations.
    width_ratio : float
        Its standard deviation, as a factor of that before.
    pareto_k : float
        Shape of the tail of the weights.
    cut : bool
        Whether the prior cuts the posterior off, so that what a wider one lets in is not known.
    """

    factor: float
    log_evidence_change: float
    log_evidence_error: float
    shift: float
    width_ratio: float
    pareto_k: float
    cut: bool

    @property
    def reliable(self) -> bool:
        """Whether the weights' tail is light and nothing is cut off."""
        return self.pareto_k <= RELIABLE_K and not self.cut


def rescaled(prior: Prior, factor: float) -> Prior | None:
    """Give the same form of prior, `factor` times as wide about its centre; None for forms without a width.

    Flat priors keep their middle, log-uniform ones the geometric middle, truncated normal ones their edges.
    """
    if isinstance(prior, Uniform):
        middle, half = 0.5 * (prior.low + prior.high), 0.5 * factor * (prior.high - prior.low)
        return Uniform(middle - half, middle + half)
    if isinstance(prior, LogUniform):
        middle, half = math.sqrt(prior.low * prior.high), (prior.high / prior.low) ** (0.5 * factor)
        return LogUniform(middle / half, middle * half)
    if isinstance(prior, Normal | TruncatedNormal):
        return replace(prior, standard_deviation=factor * prior.standard_deviation)
    if isinstance(prior, LogNormal):
        return replace(prior, sigma=factor * prior.sigma)
    if isinstance(prior, HalfNormal):
        return replace(prior, scale=factor * prior.scale)
    return None


def change_width(
    samples: FloatArray,
    name: str,
    priors: Mapping[str, Prior],
    factor: float,
    effective_samples: float | None = None,
    order: Sequence[str] = (),
    volumes: FloatArray | None = None,
) -> WidthChange | None:
    """Replace the prior of one parameter by a wider or narrower one.

    Parameters
    ----------
    samples : array, shape (n,)
        Equal-weight posterior samples of the parameter.
    name : str
        Its name.
    priors : mapping of str to Prior
        Priors by name; of this parameter, and of those that share an order with it.
    factor : float
        Of the width.
    effective_samples : float, optional
        Independent samples that the samples are worth; their number by default.
    order : sequence of str
        Names of the order constraint that the parameter is in, which changes the prior's normalisation.
    volumes : array, shape (draws, n), optional
        Weights of the samples under other prior volumes of a nested run, whose scatter adds to the error.

    Returns
    -------
    WidthChange or None
        None for a prior without a width, and where too few samples lie inside the narrower one.
    """
    old, new = priors[name], rescaled(priors[name], factor)
    if new is None:
        return None
    with np.errstate(divide="ignore"):
        log_ratios = np.asarray(new.logpdf(samples)) - np.asarray(old.logpdf(samples))
    if order:
        constraint = OrderConstraint(tuple(order))
        before = constraint.bind([priors[n] for n in order]).log_normalisation
        after = constraint.bind([new if n == name else priors[n] for n in order]).log_normalisation
        log_ratios += before - after
    if np.isfinite(log_ratios).sum() < LEAST_DRAWS:
        return None
    try:
        mean = log_mean(log_ratios, effective_samples, volumes)
    except ModelError:  # a ratio overflows: the two priors have nothing in common
        return None
    weights = np.exp(mean.log_weights)
    centre, spread = float(np.mean(samples)), float(np.std(samples))
    moved = float(weights @ samples)
    return WidthChange(
        factor=factor,
        log_evidence_change=mean.value,
        log_evidence_error=mean.error,
        shift=(moved - centre) / spread if spread > 0 else 0.0,
        width_ratio=float(np.sqrt(weights @ (samples - moved) ** 2)) / spread if spread > 0 else 1.0,
        pareto_k=mean.pareto_k,
        cut=factor > 1.0 and isinstance(old, Uniform | LogUniform) and _is_cut(samples, old),
    )


def _is_cut(samples: FloatArray, prior: Prior) -> bool:
    below = np.asarray(prior.cdf(samples))
    return bool(np.mean(below < EDGE) > EDGE_SHARE or np.mean(below > 1.0 - EDGE) > EDGE_SHARE)
