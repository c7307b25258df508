"""What the dynesty adapter needs around dynesty: first live points, checkpoints, and the integrals of its record."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
from dynesty.dynamicsampler import weight_function
from dynesty.utils import compute_integrals

from stellarcr.errors import ParameterError, RunError
from stellarcr.infer.posterior_protocol import FloatArray, Posterior
from stellarcr.infer.samplers.scalar import ScalarFunctions

LARGEST_TRIES = 200
"""Prior draws per live point before giving up: fewer than one possible point in 200 is a wrong prior."""

CONDITION = 1e-6
"""Smallest ratio of widths in the unit cube that dynesty's bounding ellipsoids keep: it inflates thinner ones, so
that their covariance has a condition number below 1e12 (``improve_covar_mat`` of dynesty 3)."""


@dataclass(frozen=True)
class LivePoints:
    """Live points uniform in the possible part of the prior.

    Attributes
    ----------
    unit, theta : array, shape (n, n_dim)
        Points in the unit cube and as parameters.
    log_likelihood : array, shape (n,)
        All finite.
    log_fraction : float
        Log of the fraction of prior draws that are possible.
    log_fraction_error : float
        Its binomial standard deviation.
    """

    unit: FloatArray
    theta: FloatArray
    log_likelihood: FloatArray
    log_fraction: float
    log_fraction_error: float


def draw_live_points(
    posterior: Posterior, log_likelihood: Callable[[FloatArray], FloatArray], rng: np.random.Generator, n: int
) -> LivePoints:
    """Draw `n` possible points from the prior, and count the impossible ones.

    Nested sampling then runs over the possible part only, and ln Z gains the log of its fraction. dynesty's own
    rule counts draws in rounds of `n` and drops surplus possible ones, which biases ln Z low: by 0.3 for 100 live
    points and a quarter of the prior impossible.

    Raises
    ------
    ParameterError
        If fewer than one draw in 200 is possible.
    """
    units: list[FloatArray] = []
    thetas: list[FloatArray] = []
    values: list[FloatArray] = []
    n_drawn = n_possible = 0
    while n_possible < n:
        if n_drawn >= LARGEST_TRIES * n:
            raise ParameterError(
                f"only {n_possible} of {n_drawn} points drawn from the prior are possible",
                remedy="narrow the priors to where the model can be evaluated",
            )
        unit = rng.random((n, posterior.n_dim))
        theta = posterior.prior_transform(unit)
        value = log_likelihood(theta)
        possible = np.isfinite(value)
        n_drawn, n_possible = n_drawn + n, n_possible + int(possible.sum())
        units.append(unit[possible])
        thetas.append(theta[possible])
        values.append(value[possible])
    fraction = n_possible / n_drawn
    return LivePoints(
        unit=np.concatenate(units)[:n],
        theta=np.concatenate(thetas)[:n],
        log_likelihood=np.concatenate(values)[:n],
        log_fraction=float(np.log(fraction)),
        log_fraction_error=float(np.sqrt((1 - fraction) / n_possible)),
    )


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


def equal_weight_indices(log_weight: FloatArray, n: int, rng: np.random.Generator) -> np.ndarray:
    """Draw `n` samples by weight: systematic resampling, in random order.

    Each sample is taken floor(n w) or ceil(n w) times.
    """
    cumulative = np.cumsum(np.exp(log_weight - np.max(log_weight)))
    positions = (rng.random() + np.arange(n)) / n * cumulative[-1]
    picked = np.minimum(np.searchsorted(cumulative, positions, side="right"), len(log_weight) - 1)
    return rng.permutation(picked)


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
