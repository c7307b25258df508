"""Posteriors with known answers. A module of its own, so that spawned workers can import it."""

from __future__ import annotations

import hashlib
import time

import numpy as np
from scipy.special import ndtri


class Box:
    """A uniform prior on [low, high]^n_dim; subclasses give a likelihood."""

    def __init__(self, n_dim, low=-1.0, high=1.0):
        self.n_dim, self.low, self.high = n_dim, low, high
        self.names = tuple(f"p{i}" for i in range(n_dim))
        self.labels = tuple(rf"\theta_{{{i}}}" for i in range(n_dim))
        self.units = tuple("GV" if i == 0 else "" for i in range(n_dim))

    @property
    def fingerprint(self):
        return hashlib.sha256(repr(sorted(vars(self).items())).encode()).hexdigest()

    def log_prior(self, theta):
        inside = np.all((theta >= self.low) & (theta <= self.high), axis=1)
        return np.where(inside, -self.n_dim * np.log(self.high - self.low), -np.inf)

    def log_likelihood(self, theta):
        return np.zeros(len(theta))

    def log_posterior(self, theta):
        return self.log_prior(theta) + self.log_likelihood(theta)

    def prior_transform(self, unit):
        return self.low + (self.high - self.low) * unit

    def sample_prior(self, rng, n):
        return self.prior_transform(rng.random((n, self.n_dim)))

    def log_likelihood_terms(self, theta):
        value = self.log_likelihood(theta)
        return {"one": 0.25 * value, "two": 0.75 * value}

    def derived(self, theta):
        return {"total": theta.sum(axis=1), "constant": np.array(3.0)}

    def chi2_terms(self, theta):
        return {name: (-2 * value, 7) for name, value in self.log_likelihood_terms(theta).items()}


class Gaussian(Box):
    """A normalised correlated Gaussian, far from the edges of the box: ln Z = -n_dim ln(high - low)."""

    def __init__(self, n_dim, low=-1.0, high=1.0, width=0.03, correlation=0.7, sleep=0.0):
        super().__init__(n_dim, low, high)
        self.width, self.correlation = width, correlation
        self._sleep = sleep
        root = np.linalg.cholesky(self.covariance)
        self._whitening = np.linalg.inv(root).T
        self._constant = -np.sum(np.log(np.diag(root))) - 0.5 * n_dim * np.log(2 * np.pi)

    @property
    def fingerprint(self):
        known = {k: v for k, v in vars(self).items() if not k.startswith("_")}
        return hashlib.sha256(repr(sorted(known.items())).encode()).hexdigest()

    @property
    def mean(self):
        return np.linspace(-0.2, 0.3, self.n_dim)

    @property
    def covariance(self):
        sigma = self.width * np.geomspace(1.0, 3.0, self.n_dim)
        shape = self.correlation + (1 - self.correlation) * np.eye(self.n_dim)
        return shape * np.outer(sigma, sigma)

    @property
    def log_evidence(self):
        return -self.n_dim * np.log(self.high - self.low)

    def log_likelihood(self, theta):
        if self._sleep:
            time.sleep(self._sleep)
        white = (theta - self.mean) @ self._whitening
        return self._constant - 0.5 * np.sum(white**2, axis=1)


class TwoPeaks(Box):
    """Two separated Gaussian peaks; the one at -0.5 is higher by one."""

    def log_likelihood(self, theta):
        left = 1.0 - 0.5 * np.sum((theta + 0.5) ** 2 / 0.05**2, axis=1)
        return np.logaddexp(left, -0.5 * np.sum((theta - 0.5) ** 2 / 0.02**2, axis=1))


class Rosenbrock(Box):
    """A curved valley with its maximum, 0, at (1, ..., 1)."""

    def log_likelihood(self, theta):
        bend = theta[:, 1:] - theta[:, :-1] ** 2
        return -np.sum(20 * bend**2 + (1 - theta[:, :-1]) ** 2, axis=1)


class Corner(Box):
    """Peaks outside the box, so that the maximum lies in its upper corner; the last parameter has no effect."""

    def log_likelihood(self, theta):
        return -0.5 * np.sum((theta[:, :-1] - 1.1) ** 2 / 0.1**2, axis=1)


class WithNaN(Gaussian):
    """NaN in a part of the box around the peak, which prior draws rarely hit."""

    def log_likelihood(self, theta):
        bad = np.all(np.abs(theta - self.mean) < 1e-3, axis=1)
        return np.where(bad, np.nan, super().log_likelihood(theta))


class Breaks(Gaussian):
    """Raises an error of its own near the peak."""

    def log_likelihood(self, theta):
        if np.any(np.all(np.abs(theta - self.mean) < 1e-3, axis=1)):
            raise ValueError("the table ends at 3 TV")
        return super().log_likelihood(theta)


class Impossible(Box):
    """Zero likelihood everywhere."""

    def log_likelihood(self, theta):
        return np.full(len(theta), -np.inf)


class HalfImpossible(Gaussian):
    """Zero likelihood on the left of the box; the peak is cut through its mean."""

    def log_likelihood(self, theta):
        return np.where(theta[:, 0] < self.mean[0], -np.inf, super().log_likelihood(theta))


class FarTail(Box):
    """A standard normal prior and a likelihood at -9 with width 0.5: the posterior is at -7.2 with width 0.447."""

    def __init__(self, n_dim, n_far=None):
        super().__init__(n_dim)
        self.n_far = n_far or n_dim

    def log_prior(self, theta):
        return -0.5 * np.sum(theta**2, axis=1) - 0.5 * self.n_dim * np.log(2 * np.pi)

    def log_likelihood(self, theta):
        """Of the first `n_far` parameters, by default all."""
        return -0.5 * np.sum(((theta[:, : self.n_far] + 9.0) / 0.5) ** 2, axis=1)

    def prior_transform(self, unit):
        return ndtri(unit)


class MayBeOff(Box):
    """Parameter 0 is log10 of a power that may as well be zero; the others follow the power closely.

    2.7% of the posterior lies where the power is negligible, ten widths of all others away from the bulk.
    """

    def __init__(self, n_dim):
        super().__init__(n_dim, low=-3.0, high=1.0)
        self.depth, self.lean, self.width = 3.5, 10.0, 0.02

    def log_likelihood(self, theta):
        missing = 10.0 ** theta[:, :1] - 1.0
        rest = theta[:, 1:] / self.width - self.lean * missing
        return -0.5 * (self.depth * missing[:, 0]) ** 2 - 0.5 * np.sum(rest**2, axis=1)

    def share_below(self, value):
        """Posterior probability that parameter 0 is below a value."""
        grid = np.linspace(self.low, self.high, 200_001)
        density = np.exp(-0.5 * (self.depth * (10.0**grid - 1.0)) ** 2)
        return density[grid < value].sum() / density.sum()
