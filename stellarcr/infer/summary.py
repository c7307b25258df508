"""``summary.json``: the numbers of a run that one quotes."""

from __future__ import annotations

from typing import Any

import numpy as np

from stellarcr.infer.files import json_ready
from stellarcr.infer.posterior_protocol import FloatArray, Posterior
from stellarcr.infer.samplers.base import SamplerResult
from stellarcr.infer.samplers.map import MapResult


def interval(values: FloatArray) -> dict[str, Any]:
    """Median, mean, standard deviation, and central 68 % and 95 % intervals of samples ``(n,)``."""
    low2, low1, middle, high1, high2 = np.percentile(values, [2.5, 16.0, 50.0, 84.0, 97.5])
    return {
        "median": middle,
        "mean": np.mean(values),
        "std": np.std(values, ddof=1) if len(values) > 1 else 0.0,
        "interval_68": [low1, high1],
        "interval_95": [low2, high2],
    }


def build_summary(
    posterior: Posterior,
    result: SamplerResult,
    maximum: MapResult,
    derived: dict[str, FloatArray],
) -> dict[str, Any]:
    """Summarise a run.

    Parameters
    ----------
    posterior : Posterior
        The problem; evaluated at the maximum.
    result : SamplerResult
        The samples.
    maximum : MapResult
        The maximum of the posterior.
    derived : dict of arrays, each (n,)
        Derived quantities of posterior samples.

    Returns
    -------
    dict
        What JSON can hold; unknown numbers are None.
    """
    theta = result.samples.reshape(-1, posterior.n_dim)
    described = list(zip(posterior.names, posterior.labels, posterior.units, strict=True))
    numbers = result.diagnostics
    per_parameter = {name: numbers[name] for name in ("tau", "rhat") if name in numbers}
    parameters = {
        name: {
            "label": label,
            "unit": unit,
            "map": maximum.theta[i],
            "map_std": np.sqrt(maximum.covariance[i, i]),
            **interval(theta[:, i]),
            **{key: values[i] for key, values in per_parameter.items()},
        }
        for i, (name, label, unit) in enumerate(described)
    }
    at_maximum = posterior.derived(maximum.theta[np.newaxis])
    summary = {
        "sampler": result.sampler,
        "converged": result.converged,
        "verdict": result.verdict,
        "parameters": parameters,
        "derived": {
            name: {"map": float(np.ravel(at_maximum[name])[0]), **interval(values)} for name, values in derived.items()
        },
        "map": _maximum(posterior, maximum),
        "log_evidence": result.log_evidence,
        "log_evidence_error": result.log_evidence_error,
        "samples": len(theta),
        "ess": numbers.get("ess"),
        "tau": np.max(numbers["tau"]) if "tau" in numbers else None,
        "rhat": np.max(numbers["rhat"]) if "rhat" in numbers else None,
        "acceptance": numbers.get("acceptance"),
        "burn_in": numbers.get("burn_in"),
        "thin": numbers.get("thin"),
        "seconds": result.seconds,
        "calls": result.n_calls,
        "calls_per_second": result.n_calls / result.seconds if result.seconds > 0 else None,
        "diagnostics": numbers,
    }
    ready: dict[str, Any] = json_ready(summary)
    return ready


def _maximum(posterior: Posterior, maximum: MapResult) -> dict[str, Any]:
    terms = {
        name: {"chi2": float(np.ravel(chi2)[0]), "points": int(points)}
        for name, (chi2, points) in posterior.chi2_terms(maximum.theta[np.newaxis]).items()
    }
    return {
        "log_posterior": maximum.log_posterior,
        "log_likelihood": maximum.log_likelihood,
        "chi2": terms,
        "chi2_total": sum(term["chi2"] for term in terms.values()),
        "points_total": sum(term["points"] for term in terms.values()),
        "start_log_posterior": maximum.start_values,
        "fraction_of_starts": maximum.fraction_reached,
        "at_edge": maximum.at_edge,
        "unconstrained_directions": maximum.unconstrained,
        "calls": maximum.n_calls,
        "seconds": maximum.seconds,
    }
