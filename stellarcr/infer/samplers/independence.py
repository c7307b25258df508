"""A move that proposes from a Gaussian mixture fitted to the walkers' own past.

Differential evolution needs hundreds of steps per independent sample in twenty dimensions. A mixture of Gaussians
that resembles the posterior proposes points far away that are accepted often, and so shortens the autocorrelation
time. The mixture is learned from all ensembles during burn-in and frozen before the first step that counts: from there
on every ensemble is a Markov chain of its own, with the same fixed proposal.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import logsumexp

from stellarcr.infer.posterior_protocol import FloatArray
from stellarcr.infer.samplers.moves import EnsemblesMove

BULK_COMPONENTS = 6
"""Gaussians that follow the bulk (project choice: more gained nothing on the reference fit)."""

THIN_TURNS, THIN_FRACTION, THIN_WEIGHT, THIN_COMPONENTS = 2, 0.02, 0.08, 2
"""How often, for which fraction of the points, with which weight, thinly covered points get how many Gaussians."""

WIDE_WEIGHT = 0.05
WIDE_FACTOR = 3.0
"""Each mixture gains one Gaussian with this weight, this much wider than all samples together: it reaches the tails."""

FIT_SAMPLES = 20_000
"""Samples that a fit uses at most."""


@dataclass(frozen=True)
class Mixture:
    """A Gaussian mixture, normalised over all space.

    Attributes
    ----------
    weights : array, shape (components,)
        Sum to one.
    means : array, shape (components, n_dim)
        Centres.
    factors : array, shape (components, n_dim, n_dim)
        Lower Cholesky factors of the covariances.
    """

    weights: FloatArray
    means: FloatArray
    factors: FloatArray

    def as_arrays(self) -> dict[str, np.ndarray]:
        """Arrays for a checkpoint."""
        return {"weights": self.weights, "means": self.means, "factors": self.factors}

    @cached_property
    def _inverse(self) -> FloatArray:
        return np.asarray(np.linalg.inv(self.factors), dtype=np.float64)

    @cached_property
    def _log_terms(self) -> FloatArray:
        log_volume = np.sum(np.log(np.diagonal(self.factors, axis1=-2, axis2=-1)), axis=-1)
        return np.log(self.weights) - log_volume - 0.5 * self.means.shape[-1] * math.log(2.0 * math.pi)

    def log_density(self, points: FloatArray) -> FloatArray:
        """Log density at points ``(n, n_dim)``, shape ``(n,)``."""
        white = np.matmul(points[None] - self.means[:, None], np.swapaxes(self._inverse, -1, -2))
        return logsumexp(self._log_terms[:, None] - 0.5 * np.sum(white**2, axis=-1), axis=0)

    def draw(self, random: np.random.RandomState, n: int) -> FloatArray:
        """Draw ``n`` points, ``(n, n_dim)``."""
        which = np.sum(random.rand(n, 1) > np.cumsum(self.weights)[:-1], axis=-1)
        noise = random.randn(n, self.means.shape[-1])
        return self.means[which] + np.matmul(self.factors[which], noise[..., None])[..., 0]


class Independence(EnsemblesMove):
    """Propose from a fixed mixture, whatever the walker's position; a Metropolis-Hastings step corrects for it."""

    def __init__(self, ensembles: int, mixture: Mixture) -> None:
        super().__init__(ensembles)
        self.mixture = mixture

    def proposal(
        self, active: FloatArray, others: FloatArray, random: np.random.RandomState
    ) -> tuple[FloatArray, FloatArray]:
        """Propose points with the log ratio of the mixture's density, old over new."""
        old = active.reshape(-1, active.shape[-1])
        new = self.mixture.draw(random, len(old))
        factors = self.mixture.log_density(old) - self.mixture.log_density(new)
        return new.reshape(active.shape), factors.reshape(active.shape[:2])


def fit_mixture(history: FloatArray, log_posterior: FloatArray, seed: int) -> Mixture:
    """Fit a mixture to the past positions of all walkers.

    Most components follow the bulk. Where the bulk's fit is thinnest compared with the posterior, walkers would sit for
    long; the points there get components of their own.

    Parameters
    ----------
    history : array, shape (n, n_dim)
        Past positions.
    log_posterior : array, shape (n,)
        Log posterior there, of any normalisation.
    seed : int
        Seed of the fits' starts.

    Returns
    -------
    Mixture
        Bulk, thinly covered points, and one wide component.
    """
    every = max(1, len(history) // FIT_SAMPLES)
    points, values = history[::every], log_posterior[::every]
    centre = points.mean(axis=0)
    root: FloatArray = np.asarray(np.linalg.cholesky(_regular(np.cov(points.T))), dtype=np.float64)
    bulk = _fit(points, BULK_COMPONENTS, centre, root, seed)
    wide = Mixture(np.ones(1), centre[None], WIDE_FACTOR**0.5 * root[None])
    mixture = _join([(1.0 - WIDE_WEIGHT, bulk), (WIDE_WEIGHT, wide)])
    for turn in range(THIN_TURNS):
        excess = values - mixture.log_density(points)
        thin = points[excess > np.quantile(excess, 1.0 - THIN_FRACTION)]
        mixture = _join(
            [(1.0 - THIN_WEIGHT, mixture), (THIN_WEIGHT, _fit(thin, THIN_COMPONENTS, centre, root, seed + turn))]
        )
    return mixture


def _fit(points: FloatArray, components: int, centre: FloatArray, root: FloatArray, seed: int) -> Mixture:
    """Fit Gaussians in coordinates in which all points together are white."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.mixture import GaussianMixture

    white = np.linalg.solve(root, (points - centre).T).T
    with warnings.catch_warnings():
        # a fit that stops early is still a valid proposal
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = GaussianMixture(components, reg_covar=1e-3, max_iter=100, random_state=seed % 2**32).fit(white)
    factors = root @ np.linalg.cholesky(model.covariances_)
    return Mixture(model.weights_, centre + model.means_ @ root.T, factors)


def _join(parts: list[tuple[float, Mixture]]) -> Mixture:
    """Mix mixtures with weights that sum to one."""
    return Mixture(
        np.concatenate([weight * part.weights for weight, part in parts]),
        np.concatenate([part.means for _, part in parts]),
        np.concatenate([part.factors for _, part in parts]),
    )


def _regular(covariance: FloatArray) -> FloatArray:
    """Keep a covariance invertible: walkers may not have spread in every direction yet."""
    scale = np.sqrt(np.maximum(np.diag(covariance), 1e-300))
    correlation = covariance / np.outer(scale, scale) + 1e-9 * np.eye(len(covariance))
    return correlation * np.outer(scale, scale)
