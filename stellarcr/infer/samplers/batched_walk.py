"""dynesty's random walk with all queued walkers advanced in lockstep: one batched call per step.

dynesty fills a queue of walkers and hands each to ``pool.map(sampler.sample, arguments)``. A likelihood whose cost
per point falls tenfold in a batch should see all walkers at once. :class:`LockstepPool` recognises the walkers of
:class:`BatchedWalk` and moves them together; every walker makes the same walk as ``dynesty``'s ``rwalk``: the same
number of steps, each uniform in the scaled bounding ellipsoid, accepted where the likelihood exceeds the threshold.

A queue of q walkers is started with one threshold. Those that end below the threshold of the moment at which they
are taken are dropped by dynesty (``Sampler._new_point``), so that what enters is uniform above it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from dynesty.internal_samplers import RWalkSampler, SamplerReturn, UnitCubeSampler

from stellarcr.infer.posterior_protocol import FloatArray, Posterior
from stellarcr.infer.samplers.evaluate import Evaluator
from stellarcr.infer.samplers.scalar import ScalarFunctions

Function = Callable[[FloatArray], FloatArray]

LOST = 1e3
"""An ellipsoid that reaches this many standard deviations beyond the live points has lost a direction (project
choice: a healthy one reaches about ten)."""


class BatchedWalk(RWalkSampler):
    """dynesty's random walk, marked for :class:`LockstepPool`."""

    @staticmethod
    def sample(args: Any) -> SamplerReturn:
        """Evolve one walker with dynesty's own code (used where no lockstep pool is)."""
        return RWalkSampler.sample(args)


class LockstepPool:
    """A pool whose ``map`` moves the queued walkers of a :class:`BatchedWalk` together.

    Parameters
    ----------
    posterior : Posterior
        The problem.
    evaluator : Evaluator
        Evaluates and counts the batches; ended by :meth:`close`.
    size : int
        Walkers in the queue.
    """

    def __init__(self, posterior: Posterior, evaluator: Evaluator, size: int) -> None:
        self.size = size
        # dynesty asks for functions of one point, but calls them only through this pool.
        self.functions = ScalarFunctions(posterior)
        self._evaluator = evaluator
        self.log_likelihoods = evaluator.log_likelihood
        self._prior_transform = posterior.prior_transform

    @property
    def n_calls(self) -> int:
        """Likelihood evaluations."""
        return self._evaluator.n_calls

    def map(self, function: Callable[[Any], Any], items: Iterable[Any]) -> list[Any]:
        """Apply a function to each item; queued walkers in lockstep."""
        if function is BatchedWalk.sample:
            return walk_together(list(items), self.log_likelihoods, self._prior_transform)
        if function is UnitCubeSampler.sample:
            return draw_together(list(items), self.log_likelihoods, self._prior_transform)
        results = [function(item) for item in items]
        self.functions.check()
        return results

    def close(self) -> None:
        """End the evaluator's workers."""
        self._evaluator.close()


def walk_together(arguments: list[Any], log_likelihood: Function, prior_transform: Function) -> list[SamplerReturn]:
    """Evolve walkers by random walks inside the likelihood contour, one batch per step.

    Parameters
    ----------
    arguments : list of dynesty.internal_samplers.SamplerArgument
        One per walker: start, threshold, axes, scale and seed. Periodic and reflective parameters are not used
        by this package.
    log_likelihood, prior_transform : callable
        Batched functions.

    Returns
    -------
    list of dynesty.internal_samplers.SamplerReturn
        One per walker.
    """
    n_walkers, n_dim = len(arguments), len(arguments[0].u)
    n_steps = arguments[0].kwargs["walks"]
    threshold, scale = arguments[0].loglstar, arguments[0].scale
    here = np.array([a.u for a in arguments])
    axes = kept_axes(np.array([a.axes for a in arguments]), here)
    steps = np.stack([_steps(a, ax, n_steps) for a, ax in zip(arguments, axes, strict=True)], axis=1) * scale
    theta = np.empty((n_walkers, n_dim))
    value = np.full(n_walkers, np.nan)
    accepted = np.zeros(n_walkers, dtype=int)
    for step in steps:
        trial = here + step
        inside = np.flatnonzero(np.all((trial > 0.0) & (trial < 1.0), axis=1))
        if len(inside) == 0:
            continue
        trial_theta = prior_transform(trial[inside])
        trial_value = log_likelihood(trial_theta)
        better = trial_value > threshold
        rows = inside[better]
        here[rows], theta[rows], value[rows] = trial[rows], trial_theta[better], trial_value[better]
        accepted[rows] += 1
    # A walker that never moved returns its start, as dynesty's does.
    still = np.flatnonzero(accepted == 0)
    if len(still):
        theta[still] = prior_transform(here[still])
        value[still] = log_likelihood(theta[still])
    return [
        SamplerReturn(
            u=here[k].copy(),
            v=theta[k].copy(),
            logl=float(value[k]),
            ncalls=n_steps,
            tuning_info={"accept": int(accepted[k]), "reject": n_steps - int(accepted[k]), "scale": scale},
            evaluation_history=[],
            proposal_stats={"n_accept": int(accepted[k]), "n_reject": n_steps - int(accepted[k])},
        )
        for k in range(n_walkers)
    ]


def draw_together(arguments: list[Any], log_likelihood: Function, prior_transform: Function) -> list[SamplerReturn]:
    """Draw points from the whole prior until each exceeds the threshold, one batch per round.

    This is what dynesty does before its first bounding ellipsoid (``UnitCubeSampler``), for all queued points
    together.
    """
    n_walkers, n_dim = len(arguments), len(arguments[0].u)
    threshold = arguments[0].loglstar
    generators = [np.random.default_rng(a.rseed) for a in arguments]
    unit, theta = np.empty((n_walkers, n_dim)), np.empty((n_walkers, n_dim))
    value = np.full(n_walkers, -np.inf)
    tries = np.zeros(n_walkers, dtype=int)
    waiting = np.arange(n_walkers)
    while len(waiting):
        unit[waiting] = [generators[k].random(n_dim) for k in waiting]
        theta[waiting] = prior_transform(unit[waiting])
        value[waiting] = log_likelihood(theta[waiting])
        tries[waiting] += 1
        waiting = waiting[value[waiting] <= threshold]
    return [
        SamplerReturn(
            u=unit[k].copy(),
            v=theta[k].copy(),
            logl=float(value[k]),
            ncalls=int(tries[k]),
            tuning_info=None,
            evaluation_history=[],
            proposal_stats={"n_proposals": int(tries[k])},
        )
        for k in range(n_walkers)
    ]


def kept_axes(axes: FloatArray, starts: FloatArray) -> FloatArray:
    """Replace ellipsoids that lost a direction.

    dynesty keeps the condition number of a covariance below 1e12 (``improve_covar_mat``). Where the posterior lies in
    the far tail of a prior, the live points are thinner than that in the unit cube: the ellipsoid reaches orders of
    magnitude beyond them, every proposal fails, and the live points collapse. The covariance of the walkers' starts,
    which are live points, is then used instead; it is well conditioned once each coordinate is scaled.

    Parameters
    ----------
    axes : array, shape (n_walkers, n_dim, n_dim)
        Axes of the bounding ellipsoids, as columns.
    starts : array, shape (n_walkers, n_dim)
        Where the walkers start.

    Returns
    -------
    array, shape (n_walkers, n_dim, n_dim)
        `axes` itself where no direction is lost.
    """
    n_walkers, n_dim = starts.shape
    spread = np.std(starts, axis=0)
    reach = np.sqrt(np.sum(axes**2, axis=2)).max(axis=0)
    if not np.any(reach > LOST * spread) or np.any(spread == 0.0):
        return axes
    correlation = np.corrcoef((starts - starts.mean(axis=0)) / spread, rowvar=False) if n_walkers > n_dim else 0.0
    # Shrunk towards independence, the more the fewer walkers there are.
    share = n_dim / (n_dim + n_walkers)
    root = np.linalg.cholesky((1.0 - share) * correlation + share * np.eye(n_dim))
    # A uniform ellipsoid reaches sqrt(n_dim + 2) standard deviations.
    own = np.sqrt(n_dim + 2.0) * spread[:, np.newaxis] * root
    return np.broadcast_to(own, axes.shape)


def _steps(argument: Any, axes: FloatArray, n_steps: int) -> FloatArray:
    """All steps of one walker: uniform in the unit ball, carried to the bounding ellipsoid by its axes."""
    rng = np.random.default_rng(argument.rseed)
    n_dim = len(axes)
    direction = rng.standard_normal((n_steps, n_dim))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    ball = direction * rng.random((n_steps, 1)) ** (1.0 / n_dim)
    return ball @ axes.T
