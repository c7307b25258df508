"""The maximum of the posterior from several starts, with its Laplace approximation."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from stellarcr.errors import ParameterError
from stellarcr.infer.posterior_protocol import FloatArray, Posterior, describe_point
from stellarcr.infer.samplers.base import (
    Clock,
    MemoryStore,
    RunInterrupted,
    SamplerResult,
    Store,
    array_writer,
    read_arrays,
)
from stellarcr.infer.samplers.evaluate import Evaluator
from stellarcr.infer.samplers.laplace import laplace_approximation
from stellarcr.infer.samplers.optimise import EDGE, Objective, evolve, polish
from stellarcr.infer.samplers.settings import SamplerSettings

SLOT = "map"

REACHED = 0.5
"""A start reaches the best one if its log posterior is within this of it."""


@dataclass(frozen=True, kw_only=True)
class MapSettings(SamplerSettings):
    """Options of the search for the maximum, besides those of :class:`SamplerSettings`.

    Parameters
    ----------
    starts : int
        Independent starts; each is a population drawn from the prior.
    population : int
        Points per population.
    generations : int
        Largest number of generations of differential evolution per start.
    """

    starts: int = 8
    population: int = 64
    generations: int = 400

    def __post_init__(self) -> None:
        super().__post_init__()
        self._require_integer("starts", 1)
        self._require_integer("population", 8)
        self._require_integer("generations", 0)


@dataclass(frozen=True)
class MapResult:
    """The maximum of the posterior.

    Attributes
    ----------
    theta : array, shape (n_dim,)
        Parameters at the maximum.
    log_posterior, log_likelihood : float
        Values there.
    covariance : array, shape (n_dim, n_dim)
        Laplace approximation in the parameters; bounded by the prior's width.
    unit_point : array, shape (n_dim,)
        The maximum in the prior's unit cube.
    unit_covariance : array, shape (n_dim, n_dim)
        Laplace approximation in the unit cube.
    unconstrained : int
        Directions whose curvature is less than the prior's: their width is the prior's.
    at_edge : dict
        ``lower`` or ``upper`` for each parameter that sits at an edge of the prior; ``lower tail`` or
        ``upper tail`` for one beyond all but 1e-6 of a prior without an edge there.
    start_values : array, shape (n_starts,)
        Log posterior that each start reached.
    fraction_reached : float
        Fraction of the prior-drawn starts that came within 0.5 of the best log posterior.
    n_calls : int
        Likelihood evaluations.
    seconds : float
        Time.
    """

    theta: FloatArray
    log_posterior: float
    log_likelihood: float
    covariance: FloatArray
    unit_point: FloatArray
    unit_covariance: FloatArray
    unconstrained: int
    at_edge: dict[str, str]
    start_values: FloatArray
    fraction_reached: float
    n_calls: int
    seconds: float

    def summary(self) -> str:
        """Say in one line how sure the maximum is."""
        text = (
            f"maximum: log posterior {self.log_posterior:.3f}, reached by "
            f"{100 * self.fraction_reached:.0f}% of {len(self.start_values)} starts drawn from the prior"
        )
        tails = [f"{name} ({side})" for name, side in self.at_edge.items() if side.endswith("tail")]
        edges = [f"{name} ({side})" for name, side in self.at_edge.items() if not side.endswith("tail")]
        if edges:
            text += f"; at the prior's edge: {', '.join(edges)}"
        if tails:
            text += f"; so far in the prior's tail that prior and data contradict each other: {', '.join(tails)}"
        if self.unconstrained:
            text += f"; {self.unconstrained} direction(s) not constrained beyond the prior"
        return text


def find_maximum(posterior: Posterior, settings: MapSettings, store: Store | None = None) -> MapResult:
    """Find the maximum of the posterior from several starts.

    Every start draws a population from the prior, moves it by differential evolution, and polishes the best
    point with L-BFGS-B and damped Newton steps, all in the unit cube, whose faces are the prior's hard edges. One
    more start is the posterior's ``reference()`` if it has one; it does not count in `fraction_reached`.

    Parameters
    ----------
    posterior : Posterior
        The problem.
    settings : MapSettings
        Options.
    store : Store, optional
        Keeps the result, so that a resumed run does not search again.

    Raises
    ------
    ParameterError
        If no start finds a possible point.
    ModelError
        If the posterior gives NaN.
    RunInterrupted
        If a signal asked to stop.
    """
    store = MemoryStore() if store is None else store
    saved = store.load(SLOT)
    if saved is not None:
        return _from_saved(saved.fields, read_arrays(saved.files["map.npz"]))
    clock = Clock()
    seeds = np.random.SeedSequence([settings.seed, 1]).spawn(settings.starts)
    chunk = settings.chunk or 64
    with Evaluator(posterior, workers=settings.workers, chunk=chunk) as evaluator:

        def objective(unit: FloatArray) -> FloatArray:
            if store.interrupted:
                raise RunInterrupted(
                    "the search for the maximum was interrupted",
                    remedy="run the same command with --resume: the search starts anew, it is short",
                )
            return evaluator.log_posterior(posterior.prior_transform(unit))

        ends: list[tuple[FloatArray, float]] = []
        for index, seed in enumerate(seeds):
            ends.append(_one_start(objective, posterior.n_dim, np.random.default_rng(seed), settings))
            store.report(
                sampler=SLOT,
                calls=evaluator.n_calls,
                start=index + 1,
                starts=settings.starts,
                best=max(value for _, value in ends),
                seconds=clock.seconds,
            )
            if _past_limit(settings, evaluator, clock):
                break
        values = np.array([value for _, value in ends])
        reference = _reference_in_cube(posterior)
        if reference is not None:
            ends.append(polish(objective, reference))
        unit, best = max(ends, key=lambda end: end[1])
        if not np.isfinite(best):
            raise ParameterError(
                "no start finds a possible point",
                where=f"the last start ended at {describe_point(posterior, _theta(posterior, unit))}",
                remedy="check the priors' ranges and units, and the constraints between parameters",
            )
        result = _finish(posterior, evaluator, objective, unit, best, values, clock)
    fields, arrays = _to_saved(result)
    store.commit(SLOT, fields, add={"map.npz": array_writer(**arrays)})
    return result


def improve_maximum(posterior: Posterior, found: MapResult, theta: FloatArray) -> MapResult:
    """Polish again from a sample ``(n_dim,)`` that turned out better than the maximum found.

    A sample further out in a prior's tail than the search goes (1e-8) becomes the maximum itself.
    """
    sample_value = float(posterior.log_posterior(theta[np.newaxis])[0])
    clock = Clock(found.seconds)
    better = found
    with Evaluator(posterior, calls_before=found.n_calls) as evaluator:

        def objective(points: FloatArray) -> FloatArray:
            return evaluator.log_posterior(posterior.prior_transform(points))

        unit = invert_transform(posterior, theta)
        if unit is not None:
            unit, best = polish(objective, unit)
            better = _finish(posterior, evaluator, objective, unit, best, found.start_values, clock)
    if better.log_posterior >= sample_value:
        return better
    value = float(posterior.log_likelihood(theta[np.newaxis])[0])
    return replace(better, theta=theta.copy(), log_posterior=sample_value, log_likelihood=value)


class MapSampler:
    """The maximum as a "sampler": its result holds one sample, the maximum itself."""

    name = "map"
    settings_type = MapSettings

    def run(
        self,
        posterior: Posterior,
        settings: MapSettings,
        store: Store,
        *,
        start: MapResult | None = None,
    ) -> SamplerResult:
        """Find the maximum; see :class:`~stellarcr.infer.samplers.base.Sampler`."""
        found = find_maximum(posterior, settings, store) if start is None else start
        return SamplerResult(
            sampler=SLOT,
            samples=found.theta[np.newaxis, np.newaxis],
            log_posterior=np.array([[found.log_posterior]]),
            converged=found.fraction_reached * len(found.start_values) >= 2,
            verdict=found.summary(),
            n_calls=found.n_calls,
            seconds=found.seconds,
            diagnostics={"starts": len(found.start_values), "fraction_reached": found.fraction_reached},
        )


def _one_start(
    objective: Objective, n_dim: int, rng: np.random.Generator, settings: MapSettings
) -> tuple[FloatArray, float]:
    population = np.clip(rng.random((settings.population, n_dim)), EDGE, 1 - EDGE)
    points, values = evolve(objective, population, rng, settings.generations)
    best = int(np.argmax(values))
    if not np.isfinite(values[best]):
        return points[best], -np.inf
    return polish(objective, points[best])


def _past_limit(settings: MapSettings, evaluator: Evaluator, clock: Clock) -> bool:
    calls = settings.max_calls is not None and evaluator.n_calls >= settings.max_calls
    return calls or (settings.max_time is not None and clock.seconds >= settings.max_time)


def _theta(posterior: Posterior, unit: FloatArray) -> FloatArray:
    return posterior.prior_transform(unit[np.newaxis])[0]


def _is_bounded(posterior: Posterior, unit: FloatArray, name: str) -> bool:
    """Whether the prior of a parameter ends at the face of the unit cube that is nearest."""
    k = posterior.names.index(name)
    face = unit.copy()
    face[k] = np.round(unit[k])
    return bool(np.isfinite(_theta(posterior, face)[k]))


def _finish(
    posterior: Posterior,
    evaluator: Evaluator,
    objective: Objective,
    unit: FloatArray,
    best: float,
    start_values: FloatArray,
    clock: Clock,
) -> MapResult:
    unit_covariance, covariance, unconstrained = laplace_approximation(objective, posterior.prior_transform, unit)
    theta = _theta(posterior, unit)
    edges = {}
    for name, u in zip(posterior.names, unit, strict=True):
        if u < 1e-6 or u > 1 - 1e-6:
            edges[name] = ("lower" if u < 0.5 else "upper") + ("" if _is_bounded(posterior, unit, name) else " tail")
    return MapResult(
        theta=theta,
        log_posterior=best,
        log_likelihood=float(evaluator.log_likelihood(theta[np.newaxis])[0]),
        covariance=covariance,
        unit_point=unit,
        unit_covariance=unit_covariance,
        unconstrained=unconstrained,
        at_edge=edges,
        start_values=start_values,
        fraction_reached=float(np.mean(start_values > best - REACHED)),
        n_calls=evaluator.n_calls,
        seconds=clock.seconds,
    )


def _reference_in_cube(posterior: Posterior) -> FloatArray | None:
    """Invert the prior transform at the posterior's reference point, if it has one."""
    reference = getattr(posterior, "reference", None)
    if not callable(reference):
        return None
    return invert_transform(posterior, np.asarray(reference(), dtype=np.float64))


def invert_transform(posterior: Posterior, theta: FloatArray) -> FloatArray | None:
    """Find the point of the unit cube that the prior transform maps to `theta`.

    Coordinates are bisected in turn, in sweeps, since a constraint may tie a parameter to others.

    Returns
    -------
    array, shape (n_dim,), or None
        None if no point is found, for example because `theta` is outside the prior.
    """
    n_dim = len(theta)
    unit = np.full(n_dim, 0.5)
    for _ in range(4):
        for i in range(n_dim):
            low, high = EDGE, 1 - EDGE
            for _ in range(8):
                grid = np.linspace(low, high, 65)
                points = np.tile(unit, (65, 1))
                points[:, i] = grid
                offset = posterior.prior_transform(points)[:, i] - theta[i]
                if offset[-1] < offset[0]:
                    offset = -offset
                above = int(np.clip(np.searchsorted(offset, 0.0), 1, 64))
                low, high = grid[above - 1], grid[above]
            unit[i] = 0.5 * (low + high)
        if np.allclose(_theta(posterior, unit), theta, rtol=1e-6, atol=1e-12):
            return unit
    return None


_ARRAYS = ("theta", "covariance", "unit_point", "unit_covariance", "start_values")


def _to_saved(result: MapResult) -> tuple[dict[str, Any], dict[str, FloatArray]]:
    values = dict(vars(result))
    arrays = {name: values.pop(name) for name in _ARRAYS}
    return values, arrays


def _from_saved(fields: dict[str, Any], arrays: dict[str, Any]) -> MapResult:
    return MapResult(**fields, **arrays)
