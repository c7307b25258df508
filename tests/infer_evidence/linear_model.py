"""A linear model with Gaussian prior and Gaussian data sets: everything about it is known in closed form."""

import numpy as np
from scipy.stats import multivariate_normal


class LinearModel:
    """Data sets y = design theta + noise, and theta drawn from a Gaussian prior of mean zero.

    Parameters
    ----------
    widths : sequence of float
        Standard deviations of the prior.
    parts : sequence of (design, sigma, y)
        Design ``(n_points, n_dim)``, error of each point, measured values ``(n_points,)``.
    """

    def __init__(self, widths, parts):
        self.widths = np.asarray(widths, dtype=float)
        self.parts = [(np.atleast_2d(a), s, np.atleast_1d(y)) for a, s, y in parts]

    def without(self, k):
        return LinearModel(self.widths, self.parts[:k] + self.parts[k + 1 :])

    def only(self, *ks):
        return LinearModel(self.widths, [self.parts[k] for k in ks])

    @property
    def posterior(self):
        """Mean and covariance."""
        precision = np.diag(self.widths**-2.0) + sum(a.T @ a / s**2 for a, s, _ in self.parts)
        covariance = np.linalg.inv(precision)
        return covariance @ sum(a.T @ y / s**2 for a, s, y in self.parts), covariance

    def samples(self, n, rng):
        return rng.multivariate_normal(*self.posterior, size=n, method="cholesky")

    def log_likelihood(self, theta, k):
        a, s, y = self.parts[k]
        residual = (y - theta @ a.T) / s
        return -0.5 * np.sum(residual**2, axis=1) - len(y) * np.log(s * np.sqrt(2 * np.pi))

    def total(self, theta):
        return sum(self.log_likelihood(theta, k) for k in range(len(self.parts)))

    def log_density(self, k):
        """Of data set k, given all others."""
        mean, covariance = self.without(k).posterior
        a, s, y = self.parts[k]
        return multivariate_normal(a @ mean, a @ covariance @ a.T + s**2 * np.eye(len(y))).logpdf(y)

    @property
    def log_evidence(self):
        a = np.concatenate([a for a, _, _ in self.parts])
        noise = np.concatenate([np.full(len(y), s**2) for _, s, y in self.parts])
        y = np.concatenate([y for *_, y in self.parts])
        return multivariate_normal(np.zeros(len(y)), a @ np.diag(self.widths**2) @ a.T + np.diag(noise)).logpdf(y)

    @property
    def mean_log_likelihood(self):
        mean, covariance = self.posterior
        at_mean = float(self.total(mean[np.newaxis])[0])
        return at_mean - 0.5 * sum(np.trace(a @ covariance @ a.T) / s**2 for a, s, _ in self.parts)
