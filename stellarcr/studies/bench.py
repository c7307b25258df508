"""How long one evaluation takes, and where the time goes."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

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


def benchmark(posterior: Posterior, batch: int = BATCH, seed: int = 1) -> dict[str, Any]:
    """Time the log-posterior on one core.

    Parameters
    ----------
    posterior : Posterior
        The problem.
    batch : int
        Points per batch.
    seed : int
        Seed of the prior draws that are evaluated.

    Returns
    -------
    dict
        ``backend``; ``single_us``, time of one point; ``batch`` and ``batch_us_per_point``; ``stages_us``, time
        per batch of prior, parameters, sources and each likelihood; ``memory_mb``, peak memory of the process.
    """
    theta = posterior.sample_prior(np.random.default_rng(seed), batch)
    one = theta[:1]
    values = posterior.space.resolve(theta)
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
        stage_times = {name: 1e6 * best_time(call, 0.2) for name, call in stages.items()}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024.0**2 if sys.platform == "darwin" else 1024.0)
    return {
        "backend": "numpy",
        "single_us": 1e6 * single,
        "batch": batch,
        "batch_us_per_point": 1e6 * together / batch,
        "stages_us": stage_times,
        "memory_mb": peak,
    }
