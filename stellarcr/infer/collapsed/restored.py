"""From the samples of a collapsed posterior to those of the full one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from stellarcr.infer.comparison.volumes import rows_of
from stellarcr.infer.posterior import Posterior
from stellarcr.infer.posterior_protocol import FloatArray
from stellarcr.infer.samplers.base import SamplerResult
from stellarcr.infer.samplers.map import SLOT as MAP
from stellarcr.infer.samplers.map import MapResult, improve_maximum

from .posterior import SIGNIFICANT, CollapsedPosterior, Restored

CHUNK = 256
"""Samples per batch."""

LARGEST_SPREAD = 0.1
"""Spread of the corrections, in ln, above which the closed form is not trusted (project choice: samples are not
reweighted, and so much would still move no quantile by a tenth of an error)."""

_TINY = 1e-6
"""Posterior probability of amplitudes that are not well above zero which is still no matter."""


def restore_result(
    collapsed: CollapsedPosterior, maximum: MapResult, result: SamplerResult, seed: int
) -> tuple[Posterior, MapResult, SamplerResult]:
    """Give samples, maximum and evidence of the full posterior.

    Every sample gets amplitudes drawn from their conditional distribution, and ln Z the mean of what the closed form
    leaves out.

    Parameters
    ----------
    collapsed : CollapsedPosterior
        What was sampled.
    maximum, result
        Its maximum and samples.
    seed : int
        Seed of the draws.

    Returns
    -------
    tuple
        The full posterior, its maximum, and the samples with all parameters. A weighted sample of a nested run keeps
        its integrated likelihood. The verdict says so where the closed form did not hold.
    """
    full = collapsed.full
    children = np.random.SeedSequence([seed, 5]).spawn(2)
    shape = result.samples.shape[:2]
    flat = result.samples.reshape(-1, collapsed.n_dim)
    nested = result.nested
    rows = None if nested is None else rows_of(flat, nested.theta)
    if nested is not None:
        checked = _restore(collapsed, nested.theta, np.random.default_rng(children[1]))
        weight = np.exp(nested.log_weight)
        nested = replace(nested, theta=checked.theta)
    if nested is not None and rows is not None:
        # samples stay points of the run, whose prior volumes tell their errors
        samples = checked.theta[rows]
    else:
        drawn = _restore(collapsed, flat, np.random.default_rng(children[0]))
        samples = drawn.theta
        if nested is None:
            checked, weight = drawn, np.full(len(flat), 1.0 / len(flat))
    numbers, verdict, holds = _verdict(checked, weight)
    best = collapsed.most_probable(maximum.theta[None, :])[0]
    found = improve_maximum(full, replace(maximum, log_posterior=-np.inf), best)
    if result.sampler == MAP:
        samples = found.theta[None, :]
    log_posterior = np.concatenate([full.log_posterior(part) for part in _parts(samples)])
    log_evidence = result.log_evidence
    if log_evidence is not None:
        log_evidence += numbers["log_evidence_correction"]
    trace = result.trace
    if trace is not None:
        steps = trace.theta.reshape(-1, collapsed.n_dim)
        joined = np.concatenate([collapsed.most_probable(part) for part in _parts(steps)])
        trace = replace(trace, theta=joined.reshape(*trace.theta.shape[:-1], full.n_dim))
    per_parameter: dict[str, FloatArray] = {
        name: _by_name(collapsed, result.diagnostics[name]) for name in ("tau", "rhat") if name in result.diagnostics
    }
    return (
        full,
        found,
        replace(
            result,
            samples=samples.reshape(*shape, full.n_dim),
            log_posterior=log_posterior.reshape(shape),
            converged=result.converged and holds,
            verdict=f"{result.verdict}; {verdict}",
            diagnostics={**result.diagnostics, **per_parameter, "collapsed": numbers},
            log_evidence=log_evidence,
            nested=nested,
            trace=trace,
        ),
    )


def _restore(collapsed: CollapsedPosterior, theta: FloatArray, rng: np.random.Generator) -> Restored:
    pieces = [collapsed.restore(part, rng) for part in _parts(theta)]
    return Restored(
        np.concatenate([p.theta for p in pieces]),
        np.concatenate([p.log_correction for p in pieces]),
        np.concatenate([p.significance for p in pieces]),
    )


def _verdict(samples: Restored, weight: FloatArray) -> tuple[dict[str, float], str, bool]:
    """Judge the closed form by weighted samples."""
    near_zero = float(np.sum(weight[samples.significance < SIGNIFICANT]))
    ratio = np.where(np.isfinite(samples.log_correction), np.exp(samples.log_correction), 0.0)
    mean = float(np.sum(weight * ratio))
    spread = float(np.sqrt(np.sum(weight * (ratio / mean - 1.0) ** 2)))
    numbers = {
        "log_evidence_correction": float(np.log(mean)),
        "correction_spread": spread,
        "smallest_significance": float(np.min(samples.significance[weight > 0.01 * np.max(weight)])),
        "probability_near_zero": near_zero,
    }
    if near_zero > _TINY:
        text = (
            f"not reliable: with probability {near_zero:.1g} an amplitude lies within {SIGNIFICANT:g} of its errors of "
            "zero, or the prior excludes what the data prefer; the closed form fails there: use "
            'amplitudes = "sampled"'
        )
        return numbers, text, False
    if spread > LARGEST_SPREAD:
        text = (
            f"not reliable: the prior bends within the errors of the amplitudes (corrections spread by {spread:.2f}): "
            'use amplitudes = "sampled"'
        )
        return numbers, text, False
    return numbers, f"amplitudes integrated out (ln Z corrected by {np.log(mean):+.1g})", True


def _by_name(collapsed: CollapsedPosterior, values: FloatArray) -> FloatArray:
    """Diagnostics of the sampled parameters in the full order; drawn amplitudes are as independent as the worst."""
    known = dict(zip(collapsed.names, np.asarray(values), strict=True))
    worst = np.max(np.asarray(values))
    return np.array([known.get(name, worst) for name in collapsed.full.names])


def _parts(theta: FloatArray) -> list[FloatArray]:
    return [theta[i : i + CHUNK] for i in range(0, len(theta), CHUNK)]
