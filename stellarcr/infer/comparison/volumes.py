r"""What the unknown prior volumes of a nested run do to means over its posterior.

A dead point's weight is its likelihood times a shell of prior volume that is known only statistically: the logarithm
of the volume falls by an exponential number of the mean that the run gives. Between shells that are :math:`\Delta \ln
V` apart, weights are uncertain by :math:`\sqrt{\Delta \ln V / n_{\rm live}}`, which a number of effective samples
does not know. Drawing the volumes again gives other weights of the same samples, and the scatter of a mean over them
is that error.
"""

from __future__ import annotations

import numpy as np

from stellarcr.infer.posterior_protocol import FloatArray
from stellarcr.infer.samplers.base import WeightedSamples

DRAWS = 100
"""Sets of volumes; the error is then known to 7 %."""


def volume_weights(
    nested: WeightedSamples | None, samples: FloatArray, seed: int = 0, draws: int = DRAWS
) -> FloatArray | None:
    """Weights of equal-weight samples under other prior volumes.

    Parameters
    ----------
    nested : WeightedSamples or None
        Dead points of the run, by rising likelihood; None for a chain.
    samples : array, shape (n, n_dim)
        Equal-weight samples drawn from them.
    seed : int
        Of the volumes.
    draws : int
        Sets of volumes.

    Returns
    -------
    array, shape (draws, n), or None
        Relative to equal weights; None for a chain, and for samples that are no dead points.
    """
    if nested is None:
        return None
    index = rows_of(samples, nested.theta)
    if index is None:
        return None
    steps = np.maximum(-np.diff(nested.log_prior_volume, prepend=0.0), 1e-12)
    drawn = np.random.default_rng(seed).exponential(size=(draws, len(steps))) * steps
    log_weights = _log_shells(np.maximum(drawn, 1e-300))[:, index] - _log_shells(steps[np.newaxis])[:, index]
    weights: FloatArray = np.exp(log_weights - np.max(log_weights, axis=1, keepdims=True))
    return weights / np.mean(weights, axis=1, keepdims=True)


def rows_of(samples: FloatArray, points: FloatArray) -> np.ndarray | None:
    """Rows of dead points that equal-weight samples are, ``(n,)``; None unless all of them are dead points."""
    rows = {row.tobytes(): k for k, row in enumerate(np.ascontiguousarray(points))}
    found = np.array([rows.get(row.tobytes(), -1) for row in np.ascontiguousarray(samples)], dtype=int)
    return None if (found < 0).any() else found


def _log_shells(steps: FloatArray) -> FloatArray:
    """Ln of the shells of volume between neighbouring contours, ``(draws, n)``."""
    outer = -np.cumsum(steps, axis=1) + steps
    return outer + np.log(-np.expm1(-steps))
