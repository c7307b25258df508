r"""The evidence by importance sampling of a mixture fitted to posterior samples of any sampler.

With draws :math:`x_i` of a proposal :math:`q`, fitted to the samples in coordinates without edges,

.. math:: Z = \int L\,\pi\,dx = \langle w \rangle, \qquad w_i = L(x_i)\,\pi(x_i) / q(x_i),

whatever the proposal, so that an imperfect fit costs precision and nothing else. It holds as long as :math:`q` reaches
all of the posterior. Three numbers say whether it does:

- the Pareto shape `k` of the largest weights (:mod:`stellarcr.infer.importance.pareto`);
- the effective number of draws;
- bridge sampling (:mod:`stellarcr.infer.importance.bridge`), which uses samples of the posterior as well and so sees
  those in places that the proposal hardly reaches.

No number sees what sampler and proposal both miss; nested sampling from the whole prior does, if anything.

Samples are parted in the order in which they come: the first three quarters make the proposal, the last one is the
bridge's, which so sees places that the proposal never heard of. Proposals with bad weights are fitted again to these
samples and to weighted draws. Draws that chose a proposal are not used for Z.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from stellarcr.errors import ConfigError, RunError
from stellarcr.infer.diagnostics import kish_sample_size
from stellarcr.infer.importance.bridge import Bridge, bridge_evidence, log_mean
from stellarcr.infer.importance.mixture import StudentMixture, fit_mixture
from stellarcr.infer.importance.moments import Moments, weighted_moments
from stellarcr.infer.importance.pareto import RELIABLE_K, SmoothedWeights, pareto_smoothed
from stellarcr.infer.importance.unbounded import Unbounded
from stellarcr.infer.posterior_protocol import FloatArray, Posterior
from stellarcr.infer.samplers.evaluate import Evaluator
from stellarcr.infer.samplers.nested_parts import equal_weight_indices

DRAWS = 50_000
"""Draws by default: on the reference fit, 21 parameters, they give ln Z to 0.01 in seconds."""

LEAST_EFFECTIVE = 200.0
"""Effective draws below which the estimate is called not reliable: its error, about 0.07, is then known to a
tenth (project choice)."""

ROUNDS = 4
"""Proposals that are tried at most (project choice)."""

GOOD_SHARE = 0.05
"""Effective share of draws at which a proposal is good enough not to try another (project choice)."""

CONSISTENT = 3.0
"""Errors of the difference of importance and bridge sampling above which they contradict each other."""

LEAST_DRAWS = 500
"""Draws below which nothing is estimated: with :data:`LEAST_EFFECTIVE` in mind, fewer are never enough."""

LARGEST_BRIDGE = 5_000
"""Posterior samples that the bridge uses at most."""


@dataclass(frozen=True)
class ImportanceEvidence:
    """ln Z by importance sampling, with what tells how good it is.

    Attributes
    ----------
    log_evidence, error : float
        ln Z and its statistical error, from the scatter of the weights.
    effective_samples : float
        What the draws are worth.
    pareto_k : float
        Shape of the tail of the weights.
    draws : int
        Draws behind `log_evidence`.
    bridge, bridge_error : float
        ln Z by bridge sampling, with its statistical error.
    components : int
        Distributions that the proposal mixes.
    n_calls : int
        Points evaluated in all.
    reliable : bool
        Whether all checks are passed.
    verdict : str
        One line that says why, or why not.
    moments : Moments
        Means and widths of the posterior, from the weighted draws: they do not depend on how well the sampler
        mixed, as long as the proposal reaches all of the posterior.
    """

    log_evidence: float
    error: float
    effective_samples: float
    pareto_k: float
    draws: int
    bridge: float
    bridge_error: float
    components: int
    n_calls: int
    reliable: bool
    verdict: str
    moments: Moments = field(compare=False)


@dataclass(frozen=True)
class _Weighted:
    """Draws of a proposal, with the log of target over proposal."""

    z: FloatArray
    log_target: FloatArray
    log_ratios: FloatArray
    smoothed: SmoothedWeights

    @property
    def effective(self) -> float:
        # of the weights as they are: this is what the error of their mean rests on
        return kish_sample_size(self.log_ratios)

    @property
    def share(self) -> float:
        return self.effective / len(self.log_ratios)


def importance_evidence(
    posterior: Posterior,
    theta: FloatArray,
    rng: np.random.Generator,
    *,
    draws: int = DRAWS,
    effective_samples: float | None = None,
    processes: int = 1,
    chunk: int = 128,
) -> ImportanceEvidence:
    """Estimate the evidence of a posterior from samples of it.

    Parameters
    ----------
    posterior : Posterior
        The problem.
    theta : array, shape (n, n_dim)
        Equal-weight posterior samples in the order of their sampler, of any chain or nested run.
    rng : numpy.random.Generator
        Randomness.
    draws : int
        Fresh draws for the estimate. A quarter as many judge each proposal.
    effective_samples : float, optional
        Number of independent samples that `theta` is worth; the number of distinct ones by default.
    processes : int
        Workers that share the evaluations.
    chunk : int
        Points per call.

    Returns
    -------
    ImportanceEvidence
        The estimate with its verdict: read it before the number.

    Raises
    ------
    ConfigError
        If fewer than 500 draws are asked for.
    RunError
        If the samples are too few: fewer than four distinct ones per parameter in either part.
    ModelError
        If the posterior gives NaN, or next to no draw is possible.
    """
    if draws < LEAST_DRAWS:
        raise ConfigError(f"{draws} draws are too few to judge their weights", remedy=f"take {LEAST_DRAWS} or more")
    theta = np.asarray(theta, dtype=np.float64)
    part = 3 * len(theta) // 4
    distinct = min(len(np.unique(theta[:part], axis=0)), len(np.unique(theta[part:], axis=0)))
    if distinct < 4 * posterior.n_dim:
        raise RunError(
            f"{len(theta)} samples, of which {distinct} are distinct in a part, are too few for {posterior.n_dim} "
            "parameters",
            remedy=f"sample longer: each of its parts needs {4 * posterior.n_dim} distinct samples",
        )
    unbounded = Unbounded.around(posterior, theta)
    z = unbounded.to_unbounded(theta)
    with Evaluator(posterior, processes=processes, chunk=chunk) as evaluator:

        def log_target(points: FloatArray) -> FloatArray:
            parameters, log_volume = unbounded.to_theta(points)
            return evaluator.log_posterior(parameters) + log_volume

        def weigh(proposal: StudentMixture, n: int) -> _Weighted:
            points = proposal.draw(rng, n)
            values = log_target(points)
            log_ratios = values - proposal.log_density(points)
            return _Weighted(points, values, log_ratios, pareto_smoothed(log_ratios))

        proposal = _choose(z[:part], log_target, weigh, draws // 4, rng)
        fresh = weigh(proposal, draws)
        rows = np.linspace(part, len(z) - 1, min(LARGEST_BRIDGE, len(z) - part)).astype(int)
        known = (effective_samples or len(np.unique(theta, axis=0))) / len(theta)
        bridge = bridge_evidence(
            fresh.log_ratios,
            log_target(z[rows]) - proposal.log_density(z[rows]),
            min(known * (len(z) - part), len(rows)),
        )
        n_calls = evaluator.n_calls
    log_evidence, error = log_mean(fresh.log_ratios)
    verdict, reliable = _judge(log_evidence, error, fresh, bridge)
    return ImportanceEvidence(
        log_evidence=log_evidence,
        error=error,
        effective_samples=fresh.effective,
        pareto_k=fresh.smoothed.pareto_k,
        draws=draws,
        bridge=bridge.log_evidence,
        bridge_error=bridge.error,
        components=len(proposal.weights),
        n_calls=n_calls,
        reliable=reliable,
        verdict=verdict,
        moments=weighted_moments(unbounded.to_theta(fresh.z)[0], fresh.smoothed.log_weights),
    )


def _choose(
    z: FloatArray,
    log_target: Callable[[FloatArray], FloatArray],
    weigh: Callable[[StudentMixture, int], _Weighted],
    draws: int,
    rng: np.random.Generator,
) -> StudentMixture:
    """Fit proposals, each to what the one before it taught as well, until one is good; give the best."""
    tried: list[tuple[float, StudentMixture]] = []
    values = log_target(z)
    for _ in range(ROUNDS):
        proposal = fit_mixture(z, values, rng)
        pilot = weigh(proposal, max(draws, LEAST_DRAWS))
        tried.append((pilot.share, proposal))
        if pilot.smoothed.reliable and pilot.share >= GOOD_SHARE:
            break
        taught = equal_weight_indices(pilot.smoothed.log_weights, int(np.ceil(pilot.smoothed.effective_samples)), rng)
        z, values = np.concatenate([z, pilot.z[taught]]), np.concatenate([values, pilot.log_target[taught]])
    return max(tried, key=lambda pair: pair[0])[1]


def _judge(log_evidence: float, error: float, fresh: _Weighted, bridge: Bridge) -> tuple[str, bool]:
    k, effective = fresh.smoothed.pareto_k, fresh.effective
    numbers = (
        f"Pareto k {k:.2f}, {effective:.0f} effective of {len(fresh.log_ratios)} draws, "
        f"bridge sampling {bridge.log_evidence:.3f} +- {bridge.error:.3f}"
    )
    if not fresh.smoothed.reliable:
        return f"not reliable: a few draws carry the weight (Pareto k above {RELIABLE_K}); {numbers}", False
    if effective < LEAST_EFFECTIVE:
        return f"not reliable: fewer than {LEAST_EFFECTIVE:.0f} effective draws, take more; {numbers}", False
    # what is less than the quoted error does not matter
    if abs(bridge.log_evidence - log_evidence) > max(CONSISTENT * bridge.difference_error, error):
        why = "the samples lie where the proposal hardly draws, or are not the posterior's"
        return f"not reliable: {why}; {numbers}", False
    return f"reliable: {numbers}", True
