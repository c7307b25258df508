"""Where the walkers of a chain start: around the maximum, inside the prior."""

from __future__ import annotations

import numpy as np

from stellarcr.errors import ParameterError
from stellarcr.infer.posterior_protocol import FloatArray, Posterior
from stellarcr.infer.samplers.evaluate import Evaluator
from stellarcr.infer.samplers.map import MapResult


def scatter_walkers(
    posterior: Posterior,
    evaluator: Evaluator,
    start: MapResult,
    rng: np.random.Generator,
    n: int,
    scatter: float,
) -> tuple[FloatArray, FloatArray]:
    """Draw walkers around the maximum, inside the prior, where the posterior is finite.

    They are drawn in the unit cube of the prior from the Laplace approximation widened by `scatter`, and
    reflected at the cube's faces. Draws that are impossible are replaced by narrower ones.

    Returns
    -------
    tuple of arrays
        Points ``(n, n_dim)`` and their log posterior ``(n,)``.

    Raises
    ------
    ParameterError
        If no possible point is found around the maximum.
    """
    root = np.linalg.cholesky(start.unit_covariance)
    coords = np.empty((n, posterior.n_dim))
    log_prob = np.full(n, -np.inf)
    for attempt in range(30):
        missing = np.flatnonzero(~np.isfinite(log_prob))
        if len(missing) == 0:
            return coords, log_prob
        width = scatter * 0.7 ** max(0, attempt - 5)
        unit = start.unit_point + width * rng.standard_normal((len(missing), posterior.n_dim)) @ root.T
        coords[missing] = posterior.prior_transform(reflect(unit))
        log_prob[missing] = evaluator.log_posterior(coords[missing])
    raise ParameterError(
        f"{int(np.sum(~np.isfinite(log_prob)))} of {n} walkers find no possible point around the maximum",
        remedy="check constraints that cut the prior into thin pieces, or use the dynesty sampler",
    )


def reflect(unit: FloatArray) -> FloatArray:
    """Fold points back into the open unit cube at its faces."""
    folded = np.abs(np.mod(unit + 1.0, 2.0) - 1.0)
    return np.clip(folded, 1e-9, 1.0 - 1e-9)
