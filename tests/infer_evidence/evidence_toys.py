"""Posteriors whose evidence and exact samples are known."""

import hashlib

import numpy as np
from scipy.integrate import quad


class Curved:
    """Twelve parameters of our kind: powers of ten, edges of the prior that are reached, curved and tight ridges.

    Each parameter has a normalised density given those before it, so that ln Z is that of the first two alone.
    """

    n_dim = 12
    low = np.array([44.0, 0.0, 0.5, *np.full(9, -5.0)])
    high = np.array([50.0, 10.0, 1.5, *np.full(9, 5.0)])
    names = labels = tuple(f"p{i}" for i in range(12))
    units = ("",) * 12
    fingerprint = hashlib.sha256(b"curved").hexdigest()
    widths = np.array([0.05, 0.03, 0.15, 0.05, *np.full(5, 0.1)])

    @property
    def log_evidence(self):
        limit = quad(lambda x: np.exp(-(10.0 ** (x - 48.0))), 44.0, 50.0, points=[47.0, 48.0, 49.0])[0]
        return np.log(limit) + 0.5 * np.log(0.5 * np.pi) - np.sum(np.log(self.high - self.low))

    def _mean(self, t, k):
        """Mean of parameter `k` given those before it."""
        if k == 3:  # what one population does not give, another must
            return 0.6 - 0.1 * 10.0 ** np.clip(t[:, 0] - 48.0, -10.0, 1.2)
        if k == 4:
            return -1.0 + (t[:, 3] - 0.5) ** 2 + 0.1 * t[:, 1]
        if k == 5:
            return 0.5 * t[:, 2]
        if k == 6:
            return 2.0 * t[:, 5] ** 2
        return 0.9 * t[:, k - 1] * (0.5 if k % 2 else -0.7) + 0.2

    def log_prior(self, t):
        inside = np.all((t >= self.low) & (t <= self.high), axis=1)
        return np.where(inside, -np.sum(np.log(self.high - self.low)), -np.inf)

    def log_likelihood(self, t):
        result = -(10.0 ** np.clip(t[:, 0] - 48.0, -10.0, 3.0)) - 0.5 * t[:, 1] ** 2
        for k in range(3, 12):
            width = self.widths[k - 3]
            result -= 0.5 * ((t[:, k] - self._mean(t, k)) / width) ** 2 + np.log(width) + 0.5 * np.log(2.0 * np.pi)
        return result

    def log_posterior(self, t):
        return self.log_prior(t) + self.log_likelihood(t)

    def prior_transform(self, unit):
        return self.low + (self.high - self.low) * unit

    def exact_samples(self, rng, n):
        """Independent posterior samples."""
        grid = np.linspace(44.0, 50.0, 100_001)
        cumulative = np.cumsum(np.exp(-(10.0 ** (grid - 48.0))))
        t = np.empty((n, 12))
        t[:, 0] = np.interp(rng.random(n), cumulative / cumulative[-1], grid)
        t[:, 1] = np.abs(rng.standard_normal(n))
        t[:, 2] = 0.5 + rng.random(n)
        for k in range(3, 12):
            t[:, k] = self._mean(t, k) + self.widths[k - 3] * rng.standard_normal(n)
        return t
