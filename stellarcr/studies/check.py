"""What `stellarcr check` reports before anything is sampled."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..config import RunConfig
from ..config.nuisances import double_counting_warnings
from ..galaxy.validity import validity_warnings
from ..infer.collapsed import CollapsedPosterior
from ..infer.posterior import Posterior
from ..observe.axes import from_rigidity, rigidity
from ..species import dominant_isotope, members, parts
from .bench import benchmark

FAR = 1.0
"""Decades by which a prior's median prediction may miss the data before it is called far off (project choice)."""

AUTOCORRELATION_PER_DIMENSION = 15.0
"""Assumed autocorrelation time of emcee in steps per parameter (project choice: 160 were seen in 12 dimensions)."""

CALLS_PER_SLICE = 7.0
"""Calls of UltraNest per slice step (project choice: 7.3 were seen in the reference fit)."""

INFORMATION_PER_DIMENSION = 3.0
"""Assumed information gain of nested sampling, nats per parameter (project choice)."""


@dataclass(frozen=True)
class PriorPrediction:
    """How a data set lies in the prior's predictions.

    Attributes
    ----------
    name : str
        Table.
    points : int
        Points in the fit.
    offset : float
        Median over points of log10(median prediction / data).
    inside : float
        Fraction of points inside the central 95% of the predictions.
    """

    name: str
    points: int
    offset: float
    inside: float

    @property
    def far(self) -> bool:
        """Whether the predictions miss the data: by a decade in the median, or with most points outside."""
        return abs(self.offset) > FAR or self.inside < 0.5


def prior_predictions(posterior: Posterior, draws: int = 500, seed: int = 1) -> list[PriorPrediction]:
    """Compare data with predictions for parameters drawn from the prior.

    Parameters
    ----------
    posterior : Posterior
        The problem.
    draws : int
        Points drawn.
    seed : int
        Seed of the draws.
    """
    theta = posterior.sample_prior(np.random.default_rng(seed), draws)
    predicted = posterior.predictions(theta)
    result = []
    for likelihood in posterior.likelihoods:
        for table in likelihood.data.tables:
            values = table.value.value
            low, median, high = np.quantile(predicted[table.name], [0.025, 0.5, 0.975], axis=0)
            # a data point that is zero or negative has no logarithm; it can still lie inside the band
            positive = values > 0
            ratio = np.maximum(median[positive], np.finfo(float).tiny) / values[positive]
            offset = float(np.median(np.log10(ratio))) if np.any(positive) else 0.0
            inside = float(np.mean((values >= low) & (values <= high)))
            result.append(PriorPrediction(table.name, len(values), offset, inside))
    return result


def lowest_rigidities(posterior: Posterior) -> dict[str, dict[str, float]]:
    """Smallest interstellar rigidity [GV] of every likelihood and species: where its first point begins.

    Modulation potential and energy scale are those of the reference point; the force field takes Z phi from a nucleus,
    so that a rigidity at the detector was a larger one outside.

    Parameters
    ----------
    posterior : Posterior
        The problem.
    """
    values = posterior.space.resolve(posterior.reference()[None, :])
    lowest: dict[str, dict[str, float]] = {}
    for likelihood in posterior.likelihoods:
        key = likelihood.data.key
        phi = float(np.ravel(values[f"{key}.phi"])[0])
        scale = float(np.ravel(values[f"{key}.energy_scale"])[0])
        for table in likelihood.data.tables:
            edges = np.asarray(table.x_low.value)
            first = float(np.min(np.where(np.isfinite(edges), edges, table.x.value))) / scale
            lowest.setdefault(key, {})[table.species] = min(
                _interstellar(table.axis, first, element, phi)
                for part in parts(table.species)
                for element in members(part)
            )
    return lowest


def _interstellar(axis: str, x: float, element: str, phi: float) -> float:
    """Rigidity [GV] before modulation of the element's dominant isotope; 0 below its rest energy."""
    nucleus = dominant_isotope(element)
    measured = rigidity(axis, np.asarray(x), nucleus)
    kinetic = from_rigidity("EK", measured, nucleus) + nucleus.charge * phi
    return float(rigidity("EK", kinetic, nucleus))


def model_warnings(posterior: Posterior) -> list[str]:
    """One line per likelihood that looks below the model's range, or counts an energy scale twice.

    See `stellarcr.galaxy.validity` and `stellarcr.config.nuisances`.

    Parameters
    ----------
    posterior : Posterior
        The problem.
    """
    data = [likelihood.data for likelihood in posterior.likelihoods]
    return [*validity_warnings(lowest_rigidities(posterior)), *double_counting_warnings(posterior.space, data)]


@dataclass(frozen=True)
class Expectation:
    """Expected cost of a run.

    Attributes
    ----------
    single_us, batch_us : float
        Time of one evaluation alone, and per point in a batch [microseconds].
    calls : float
        Expected evaluations.
    seconds : float
        Expected time on one core.
    assumption : str
        What the estimate assumes.
    """

    single_us: float
    batch_us: float
    calls: float
    seconds: float
    assumption: str


def expected_cost(posterior: Posterior, config: RunConfig, collapsed: CollapsedPosterior | None = None) -> Expectation:
    """Estimate the time of a run from the time of a call and rules of thumb; an order of magnitude.

    Parameters
    ----------
    posterior : Posterior
        The problem.
    config : RunConfig
        Its sampler section.
    collapsed : CollapsedPosterior, optional
        What the sampler sees of it, if amplitudes are integrated out.
    """
    times = benchmark(posterior, target=collapsed)
    single, batch = times["single_us"], times.get("collapsed_us_per_point", times["batch_us_per_point"])
    options = config.sampler
    n_dim = posterior.n_dim if collapsed is None else collapsed.n_dim
    name = options.get("name", "emcee")
    if name == "dynesty":
        live = options.get("nlive") or max(500, 25 * n_dim)
        walks = options.get("walks") or max(100, 25 * n_dim)
        calls = live * INFORMATION_PER_DIMENSION * n_dim * walks
        assumption = f"{live} live points, {walks} steps, {INFORMATION_PER_DIMENSION:g} nats per parameter"
    elif name == "ultranest":
        live = options.get("nlive") or max(400, 20 * n_dim)
        slices = options.get("slices") or 4 * n_dim
        calls = live * INFORMATION_PER_DIMENSION * n_dim * slices * CALLS_PER_SLICE
        assumption = f"{live} live points, {slices} slices, {INFORMATION_PER_DIMENSION:g} nats per parameter"
    else:
        walkers = options.get("walkers") or max(64, 4 * n_dim)
        ensembles = options.get("ensembles") or 4
        steps = 60.0 * AUTOCORRELATION_PER_DIMENSION * n_dim
        steps = min(steps, options.get("max_steps") or steps)
        calls = steps * walkers * ensembles
        assumption = (
            f"{ensembles} x {walkers} walkers, autocorrelation time {AUTOCORRELATION_PER_DIMENSION:g} per parameter"
        )
        if name != "emcee":
            assumption = f"what emcee would need: {assumption}"
    seconds = calls * batch * 1e-6
    limit = options.get("max_time")
    if limit is not None and limit < seconds:
        seconds, assumption = float(limit), f"max_time = {limit:g} s ends it; {assumption}"
    return Expectation(single, batch, calls, seconds, assumption)
