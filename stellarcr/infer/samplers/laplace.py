"""The Laplace approximation around a maximum, never wider than the prior."""

from __future__ import annotations

import numpy as np

from stellarcr.infer.posterior_protocol import FloatArray
from stellarcr.infer.samplers.optimise import EDGE, Objective, curvature_steps, hessian

PRIOR_PRECISION = 12.0
"""Inverse variance of a uniform distribution on [0, 1]: in the unit cube that is the prior."""


def laplace_approximation(
    objective: Objective, transform: Objective, unit: FloatArray
) -> tuple[FloatArray, FloatArray, int]:
    """Covariance at a maximum in the unit cube, and in the parameters.

    Where the Hessian is not negative definite, or flatter than the prior (a maximum at an edge, a parameter that
    the data do not touch), the direction gets the prior's variance in the cube, 1/12, and is counted.

    Parameters
    ----------
    objective : callable
        Log posterior as a function of the unit cube, batched.
    transform : callable
        The prior transform, ``(n, n_dim)`` to ``(n, n_dim)``.
    unit : array, shape (n_dim,)
        The maximum.

    Returns
    -------
    tuple
        Covariance in the cube, covariance in the parameters, number of directions with the prior's width.
    """
    steps = curvature_steps(objective, unit)
    _, _, matrix = hessian(objective, unit, steps)
    values, vectors = np.linalg.eigh(-matrix / PRIOR_PRECISION)
    unconstrained = int(np.sum(values < 1.0))
    unit_covariance = (vectors / np.maximum(values, 1.0)) @ vectors.T / PRIOR_PRECISION
    unit_covariance = 0.5 * (unit_covariance + unit_covariance.T)
    return unit_covariance, _in_parameters(transform, unit, unit_covariance), unconstrained


def _in_parameters(transform: Objective, unit: FloatArray, unit_covariance: FloatArray) -> FloatArray:
    """Carry the covariance over with the Jacobian of the prior transform."""
    h = 1e-5
    offsets = h * np.eye(len(unit))
    up, down = np.clip(unit + offsets, EDGE, 1 - EDGE), np.clip(unit - offsets, EDGE, 1 - EDGE)
    values = transform(np.vstack([up, down]))
    width = np.diag(up) - np.diag(down)
    jacobian = ((values[: len(unit)] - values[len(unit) :]) / width[:, np.newaxis]).T
    covariance = jacobian @ unit_covariance @ jacobian.T
    return 0.5 * (covariance + covariance.T)
