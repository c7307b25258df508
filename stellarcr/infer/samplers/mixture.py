"""Gaussian mixtures fitted to the past positions of walkers, for moves that propose from them.

Most Gaussians follow the bulk. Places where the posterior is thinly covered by them get Gaussians of their own, again
and again: an end of a curved ridge, or a part of the posterior where one population has no power.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import logsumexp

from stellarcr.infer.posterior_protocol import FloatArray

BULK_COMPONENTS = 6
"""Gaussians that follow the bulk (project choice: more gained nothing on the reference fit)."""

THIN_EXCESSES = (2.0, 2.0, 4.0, 4.0, 6.0, 6.0)
"""In each turn, a point is thinly covered if ln of posterior over mixture lies so far above the typical one: a walker
there accepts independence moves e^2 times more rarely than usual, or worse (project choice). Later turns are for what
earlier ones left."""

THIN_WEIGHT, THIN_COMPONENTS, THIN_WIDER = 0.06, 3, 1.2
"""With which weight, in each turn, thinly covered points get how many Gaussians, and how much wider than fitted."""

LOST_EXCESS = 4.0
"""The same in a share of thinly covered positions: a walker there accepts independence moves e^4 times more rarely."""

NEAR = 3.0
"""Points of heated walkers count if their log posterior is at most so many times the number of parameters below the
typical one: in a Gaussian it spreads by half the number, and points further out are never covered thinly (project
choice)."""

WIDE_WEIGHT = 0.05
WIDE_FACTOR = 3.0
"""Each mixture gains one Gaussian with this weight, this much wider than all samples together: it reaches the tails."""

FIT_SAMPLES, SEARCHED_SAMPLES = 20_000, 100_000
"""Samples that a fit uses at most, and among which thinly covered ones are searched."""

LARGEST_BLOCK = 5_000
"""Points whose density is computed at once, to save memory."""


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
        blocks = np.array_split(points, max(1, len(points) // LARGEST_BLOCK))
        return np.concatenate([logsumexp(self._log_parts(block), axis=0) for block in blocks])

    def log_shares(self, points: FloatArray) -> FloatArray:
        """Log share of each part in the density at points ``(n, n_dim)``, shape ``(components, n)``."""
        parts = self._log_parts(points)
        return parts - logsumexp(parts, axis=0)

    def _log_parts(self, points: FloatArray) -> FloatArray:
        white = np.matmul(points[None] - self.means[:, None], np.swapaxes(self._inverse, -1, -2))
        return np.asarray(self._log_terms[:, None] - 0.5 * np.sum(white**2, axis=-1))

    def draw(self, random: np.random.RandomState, n: int) -> FloatArray:
        """Draw ``n`` points, ``(n, n_dim)``."""
        which = np.sum(random.rand(n, 1) > np.cumsum(self.weights)[:-1], axis=-1)
        noise = random.randn(n, self.means.shape[-1])
        return self.means[which] + np.matmul(self.factors[which], noise[..., None])[..., 0]


def fit_mixture(
    history: FloatArray,
    log_posterior: FloatArray,
    seed: int,
    heated: tuple[FloatArray, FloatArray] | None = None,
) -> Mixture:
    """Fit a mixture to the past positions of all walkers.

    Most components follow the bulk. Where the bulk's fit is thin compared with the posterior, walkers would sit for
    long; points there get components of their own. Walkers of higher temperatures find such places, for example those
    where a population has no power, long before the others.

    Parameters
    ----------
    history : array, shape (n, n_dim)
        Past positions.
    log_posterior : array, shape (n,)
        Log posterior there, of any normalisation.
    seed : int
        Seed of the fits' starts.
    heated : tuple of arrays, shapes (m, n_dim) and (m,), optional
        Positions of walkers at higher temperatures, and the same log posterior there.

    Returns
    -------
    Mixture
        Bulk, thinly covered points, and one wide component.
    """
    seen, seen_values = _distinct(history, log_posterior, seed)
    points, values = seen[:FIT_SAMPLES], seen_values[:FIT_SAMPLES]
    centre, root = _centre_and_root(points)
    bulk = _fit(points, BULK_COMPONENTS, centre, root, seed)
    wide = Mixture(np.ones(1), centre[None], WIDE_FACTOR**0.5 * root[None])
    mixture = _join([(1.0 - WIDE_WEIGHT, bulk), (WIDE_WEIGHT, wide)])
    if heated is not None:
        near = heated[1] > np.median(values) - NEAR * points.shape[1]
        more, more_values = _distinct(heated[0][near], heated[1][near], seed)
        seen, seen_values = np.concatenate([seen, more]), np.concatenate([seen_values, more_values])
    for turn, excess in enumerate(THIN_EXCESSES):
        typical = np.median(values - mixture.log_density(points))
        thin = seen[seen_values - mixture.log_density(seen) > typical + excess][:FIT_SAMPLES]
        components = min(THIN_COMPONENTS, len(thin) // (3 * points.shape[1]))
        if components == 0:
            continue
        found = _fit(thin, components, *_centre_and_root(thin), seed + turn, regular=1e-2)
        wider = Mixture(found.weights, found.means, THIN_WIDER * found.factors)
        mixture = _join([(1.0 - THIN_WEIGHT, mixture), (THIN_WEIGHT, wider)])
    return mixture


def thin_share(mixture: Mixture, points: FloatArray, log_posterior: FloatArray) -> float:
    """Share of positions at which a walker accepts independence moves e^4 times more rarely than usual, or worse.

    Parameters
    ----------
    mixture : Mixture
        Fitted to other positions.
    points : array, shape (n, n_dim)
        Positions.
    log_posterior : array, shape (n,)
        Log posterior there, of any normalisation.
    """
    every = max(1, len(points) // FIT_SAMPLES)
    excess = log_posterior[::every] - mixture.log_density(points[::every])
    return float(np.mean(excess > np.median(excess) + LOST_EXCESS))


def _distinct(points: FloatArray, log_posterior: FloatArray, seed: int) -> tuple[FloatArray, FloatArray]:
    """Draw from the points that differ: a walker that rests must not look like a narrow peak."""
    first = np.unique(points[:, 0], return_index=True)[1]  # all moves change all parameters
    first = np.random.default_rng(seed).permutation(first)[:SEARCHED_SAMPLES]
    return points[first], log_posterior[first]


def _centre_and_root(points: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Mean of points, and the Cholesky factor of their covariance."""
    covariance = np.cov(points, rowvar=False).reshape(2 * points.shape[1:])
    return points.mean(axis=0), np.asarray(np.linalg.cholesky(_regular(covariance)), dtype=np.float64)


def _fit(
    points: FloatArray, components: int, centre: FloatArray, root: FloatArray, seed: int, regular: float = 1e-3
) -> Mixture:
    """Fit Gaussians in coordinates in which all points together are white."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.mixture import GaussianMixture

    white = np.linalg.solve(root, (points - centre).T).T
    with warnings.catch_warnings():
        # a fit that stops early is still a valid proposal
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = GaussianMixture(components, reg_covar=regular, max_iter=100, random_state=seed % 2**32).fit(white)
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
