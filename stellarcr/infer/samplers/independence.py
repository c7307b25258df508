"""A move that proposes from a Gaussian mixture fitted to the ensemble's own past.

Differential evolution needs hundreds of steps per independent sample in twenty dimensions. A mixture of Gaussians
that resembles the posterior proposes points far away that are accepted often, and so shortens the autocorrelation
time by an order of magnitude. Each ensemble learns from its own history only, so that ensembles stay independent; the
fit is frozen before the first step that counts, so that the chain is a Markov chain.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass

import numpy as np

from stellarcr.infer.posterior_protocol import FloatArray
from stellarcr.infer.samplers.moves import EnsemblesMove

COMPONENTS = 5
"""Gaussians per mixture (project choice: more gained nothing on the reference fit)."""

WIDE_WEIGHT = 0.05
WIDE_FACTOR = 3.0
"""Each mixture gains one Gaussian with this weight, this much wider than all samples together: it reaches the tails."""

FIT_SAMPLES = 8000
"""Samples that a fit uses at most."""


@dataclass(frozen=True)
class Mixtures:
    """One Gaussian mixture per ensemble, normalised over all space.

    Attributes
    ----------
    weights : array, shape (ensembles, components)
        Sum to one.
    means : array, shape (ensembles, components, n_dim)
        Centres.
    factors : array, shape (ensembles, components, n_dim, n_dim)
        Lower Cholesky factors of the covariances.
    """

    weights: FloatArray
    means: FloatArray
    factors: FloatArray

    def as_arrays(self) -> dict[str, np.ndarray]:
        """Arrays for a checkpoint."""
        return {"weights": self.weights, "means": self.means, "factors": self.factors}

    def log_density(self, points: FloatArray) -> FloatArray:
        """Log density of each ensemble's mixture at its points, ``(ensembles, n, n_dim)`` to ``(ensembles, n)``."""
        n_dim = points.shape[-1]
        shifted = points[:, :, None, :] - self.means[:, None]
        inverse = np.linalg.inv(self.factors)
        white = np.einsum("ekij,enkj->enki", inverse, shifted)
        log_volume = np.sum(np.log(np.diagonal(self.factors, axis1=-2, axis2=-1)), axis=-1)
        terms = np.log(self.weights) - log_volume - 0.5 * n_dim * math.log(2.0 * math.pi)
        exponents = terms[:, None] - 0.5 * np.sum(white**2, axis=-1)
        largest = np.max(exponents, axis=-1)
        return largest + np.log(np.sum(np.exp(exponents - largest[..., None]), axis=-1))

    def draw(self, random: np.random.RandomState, n: int) -> FloatArray:
        """Draw ``n`` points from each mixture, ``(ensembles, n, n_dim)``."""
        ensembles, _, n_dim = self.means.shape
        levels = np.cumsum(self.weights, axis=1)
        which = np.sum(random.rand(ensembles, n, 1) > levels[:, None, :-1], axis=-1)
        rows = np.arange(ensembles)[:, None]
        noise = random.randn(ensembles, n, n_dim)
        return self.means[rows, which] + np.einsum("enij,enj->eni", self.factors[rows, which], noise)


class Independence(EnsemblesMove):
    """Propose from a fixed mixture, whatever the walker's position; a Metropolis-Hastings step corrects for it."""

    def __init__(self, mixtures: Mixtures) -> None:
        super().__init__(len(mixtures.weights))
        self.mixtures = mixtures

    def proposal(
        self, active: FloatArray, others: FloatArray, random: np.random.RandomState
    ) -> tuple[FloatArray, FloatArray]:
        """Propose points with the log ratio of the mixture's density, old over new."""
        points = self.mixtures.draw(random, active.shape[1])
        return points, self.mixtures.log_density(active) - self.mixtures.log_density(points)


def fit_mixtures(history: FloatArray, seed: int) -> Mixtures:
    """Fit a mixture to the history of each ensemble.

    Parameters
    ----------
    history : array, shape (n_steps, ensembles, walkers, n_dim)
        Past positions.
    seed : int
        Seed of the fits' starts and of the choice of samples.

    Returns
    -------
    Mixtures
        With one wide component added to each.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.mixture import GaussianMixture

    n_dim = history.shape[-1]
    weights, means, factors = [], [], []
    for ensemble in range(history.shape[1]):
        points = history[:, ensemble].reshape(-1, n_dim)
        points = points[:: max(1, len(points) // FIT_SAMPLES)]
        centre = points.mean(axis=0)
        root = np.linalg.cholesky(_regular(np.cov(points.T)))
        white = np.linalg.solve(root, (points - centre).T).T
        with warnings.catch_warnings():
            # a fit that stops early is still a valid proposal
            warnings.simplefilter("ignore", ConvergenceWarning)
            model = GaussianMixture(COMPONENTS, reg_covar=1e-3, max_iter=60, random_state=seed % 2**32).fit(white)
        inner = np.linalg.cholesky(model.covariances_)
        weights.append(np.append((1.0 - WIDE_WEIGHT) * model.weights_, WIDE_WEIGHT))
        means.append(np.vstack([centre + model.means_ @ root.T, centre]))
        factors.append(np.concatenate([root @ inner, WIDE_FACTOR**0.5 * root[None]]))
    return Mixtures(np.array(weights), np.array(means), np.array(factors))


def _regular(covariance: FloatArray) -> FloatArray:
    """Keep a covariance invertible: walkers may not have spread in every direction yet."""
    scale = np.sqrt(np.maximum(np.diag(covariance), 1e-300))
    correlation = covariance / np.outer(scale, scale) + 1e-9 * np.eye(len(covariance))
    return correlation * np.outer(scale, scale)
