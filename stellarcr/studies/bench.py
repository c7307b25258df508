"""How long one evaluation takes, and where the time goes."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from ..config import RunConfig
from ..infer.collapsed import CollapsedPosterior
from ..infer.posterior import Posterior

BATCH = 64


def best_time(function: Callable[[], Any], seconds: float = 0.5, repeats: int = 5) -> float:
    """Shortest mean time of a call over several rounds [s]: what the machine can do undisturbed.

    Parameters
    ----------
    function : callable
        What is timed.
    seconds : float
        Time to spend.
    repeats : int
        Rounds.
    """
    function()
    start = time.perf_counter()
    function()
    once = max(time.perf_counter() - start, 1e-7)
    calls = max(1, int(seconds / repeats / once))
    rounds = []
    for _ in range(repeats):
        start = time.perf_counter()
        for _ in range(calls):
            function()
        rounds.append((time.perf_counter() - start) / calls)
    return min(rounds)


def benchmark(
    posterior: Posterior, batch: int = BATCH, seed: int = 1, target: CollapsedPosterior | None = None
) -> dict[str, Any]:
    """Time the log-posterior on one core.

    Parameters
    ----------
    posterior : Posterior
        The problem.
    batch : int
        Points per batch.
    seed : int
        Seed of the prior draws that are evaluated.
    target : CollapsedPosterior, optional
        What samplers see of it, if not the posterior itself: timed in addition.

    Returns
    -------
    dict
        ``backend``; ``single_us``, time of one point; ``batch`` and ``batch_us_per_point``; ``stages_us``, time
        per batch of prior, parameters, sources and each likelihood; ``memory_mb``, peak memory of the process;
        ``numpy_exp_ns``, time of one exponential, which tells machines and their loads apart; ``propagation``,
        ``"fixed"`` or ``"free"``; ``collapsed_us_per_point``, if a target is given; ``network``, the set of cross
        sections or ``"none"``, and if there is one the number of its ``nuclides`` and of the ``energies`` at which it
        is solved.
    """
    theta = posterior.sample_prior(np.random.default_rng(seed), batch)
    one = theta[:1]
    values = posterior.space.resolve(theta)
    varying = [p.name for p in posterior.space.parameters if p.kind != "fixed"]
    with threadpool_limits(1):
        spectra = posterior.sources.evaluate(values, batch)
        stages: dict[str, Callable[[], Any]] = {
            "prior": lambda: posterior.log_prior(theta),
            "parameters": lambda: posterior.space.resolve(theta),
            "sources": lambda: posterior.sources.evaluate(values, batch),
        }
        for likelihood in posterior.likelihoods:
            stages[f"likelihood {likelihood.data.key}"] = partial(likelihood.log_likelihood, spectra, values)
        single = best_time(lambda: posterior.log_posterior(one))
        together = best_time(lambda: posterior.log_posterior(theta))
        numbers = np.random.default_rng(seed).random(20_000)
        exponential = best_time(lambda: np.exp(numbers), 0.05) / len(numbers)
        collapsed: dict[str, float] = {}
        if target is not None:
            draws = target.sample_prior(np.random.default_rng(seed), batch)
            collapsed["collapsed_us_per_point"] = 1e6 * best_time(lambda: target.log_posterior(draws)) / batch
        stage_times = {name: 1e6 * best_time(call, 0.2) for name, call in stages.items()}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024.0**2 if sys.platform == "darwin" else 1024.0)
    return {
        "backend": "numpy",
        "single_us": 1e6 * single,
        "batch": batch,
        "batch_us_per_point": 1e6 * together / batch,
        "stages_us": stage_times,
        "memory_mb": peak,
        "numpy_exp_ns": 1e9 * exponential,
        **collapsed,
        "propagation": "free" if any(name.startswith("galaxy.") for name in varying) else "fixed",
        **_network(posterior),
    }


def _network(posterior: Posterior) -> dict[str, Any]:
    network, arrivals = posterior.model.galaxy.network, posterior.sources.arrivals
    if network is None:
        return {"network": "none"}
    if arrivals is None or arrivals.fragments is None:
        return {"network": network.name}
    fragments = arrivals.fragments
    return {"network": network.name, "nuclides": len(fragments.tables.nuclides), "energies": len(fragments.energy)}


FREE_PROPAGATION: Mapping[str, Mapping[str, Any]] = {
    "log10_D0": {"prior": "uniform", "low": 28.0, "high": 29.2, "value": 28.5682},
    "delta": {"prior": "uniform", "low": 0.2, "high": 0.8, "value": 0.45},
    "log10_R_h": {"prior": "uniform", "low": 2.0, "high": 3.0, "value": 2.47712},
    "delta_h": {"prior": "uniform", "low": 0.0, "high": 0.6, "value": 0.25},
}
"""Priors that free the propagation of a configuration for a timing: those of scripts/configs/propagation.toml."""


def with_propagation(config: RunConfig, free: bool) -> RunConfig:
    """The same configuration with its propagation parameters free or fixed.

    Parameters
    ----------
    config : RunConfig
        The configuration.
    free : bool
        Free D0, delta, R_h and delta_h with the priors of `FREE_PROPAGATION`, or fix all parameters of the Galaxy at
        the preset's values.
    """
    parameters = {key: value for key, value in config.parameters.items() if not key.startswith("galaxy.")}
    parameters.pop("galaxy", None)
    known = {f"galaxy.{name}" for name in FREE_PROPAGATION} if free else set()
    # an order of parameters that vary no longer would be refused
    constraints = tuple(
        c for c in config.constraints if all(name in known for name in c.order if name.startswith("galaxy."))
    )
    if free:
        parameters["galaxy"] = {name: dict(prior) for name, prior in FREE_PROPAGATION.items()}
    return config.model_copy(update={"parameters": parameters, "constraints": constraints})
