"""What the dynesty adapter needs around dynesty: checkpoints, and the integrals of its record."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from io import BytesIO
from typing import Any

import numpy as np
from dynesty.dynamicsampler import weight_function
from dynesty.utils import compute_integrals

from stellarcr.errors import RunError
from stellarcr.infer.posterior_protocol import FloatArray
from stellarcr.infer.samplers.scalar import ScalarFunctions

CONDITION = 1e-6
"""Smallest ratio of widths in the unit cube that dynesty's bounding ellipsoids keep: it inflates thinner ones, so
that their covariance has a condition number below 1e12 (``improve_covar_mat`` of dynesty 3)."""


def range_of_batch(results: Any, options: dict[str, Any]) -> tuple[float, float]:
    """Where dynamic sampling adds points: dynesty's choice, but above the first point.

    From the whole prior dynesty would draw impossible points again.
    """
    low, high = weight_function(results, options)
    first = results.logl[0]
    return (max(low, first) if results.logl[-1] > first else low), high


def integrals(record: Any) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray, float, float]:
    """Samples, their log weights, and ln Z with dynesty's error, from dynesty's record."""
    log_likelihood, log_volume = np.array(record["logl"], dtype=float), np.array(record["logvol"], dtype=float)
    log_weight, log_z, variance, _ = compute_integrals(logl=log_likelihood, logvol=log_volume)
    theta = np.array(record["v"], dtype=float)
    # dynesty writes -1e300 for a likelihood of zero.
    log_likelihood = np.where(log_likelihood < -1e299, -np.inf, log_likelihood)
    return theta, log_likelihood, log_volume, log_weight, float(log_z[-1]), float(np.sqrt(variance[-1]))


def birth_contours(record: Any) -> FloatArray:
    """Contour above which each point of a static run was drawn; ``-inf`` for the first live points.

    dynesty records the iteration at which a point was made; iteration k replaces its k-th dead point. A dynamic run
    counts iterations over all its batches, sorts what they give, and so loses this order.
    """
    contours = np.concatenate([[-np.inf], np.array(record["logl"], dtype=float)])
    return np.asarray(contours[np.array(record["it"], dtype=int)], dtype=np.float64)


def lost_directions(unit: FloatArray, names: Sequence[str]) -> tuple[str, ...]:
    """Parameters in which the live points are too narrow for dynesty's ellipsoids.

    This happens where the posterior lies in the far tail of a prior. Proposals of dynesty's own walk are then far too
    wide in that direction, walks do not move, and the live points collapse: ln Z and the widths of all parameters can
    be wrong (six dimensions, one of them 7 sigma out in its prior: ln Z off by 2, widths by a factor of 2 to 4). The
    lockstep walk keeps such directions (`batched_walk.kept_axes`).

    Parameters
    ----------
    unit : array, shape (n, n_dim)
        The last live points, in the unit cube.
    names : sequence of str
        Parameters.
    """
    widths = np.std(unit, axis=0)
    return tuple(name for name, width in zip(names, widths, strict=True) if width < CONDITION * widths.max())


class SamplerPickler(pickle.Pickler):
    """Leaves the problem out of a checkpoint: it is named there, and given back when it is read."""

    def persistent_id(self, obj: Any) -> str | None:
        """Name the functions that belong to the problem."""
        return "functions" if isinstance(obj, ScalarFunctions) else None


class SamplerUnpickler(pickle.Unpickler):
    """Reads what :class:`SamplerPickler` wrote, with the problem's functions put back in."""

    def __init__(self, content: bytes, functions: ScalarFunctions) -> None:
        super().__init__(BytesIO(content))
        self._functions = functions

    def persistent_load(self, pid: Any) -> ScalarFunctions:
        """Give the problem's functions."""
        if pid != "functions":
            raise RunError(f"the checkpoint refers to an unknown object {pid!r}", remedy="start anew")
        return self._functions
