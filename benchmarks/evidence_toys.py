"""Twelve-parameter problems whose evidence is known, for tests of bias.

Both have what makes the package's fits hard: curved ridges, some parameters a hundred times better known than others,
and powers that the data only limit from above.
"""

from __future__ import annotations

import hashlib

import numpy as np
from scipy.special import ndtri, roots_legendre


class Toy:
    """A problem on the unit cube; subclasses give the likelihood and ``log_evidence``."""

    name = ""

    def __init__(self, n_dim: int = 12) -> None:
        self.n_dim = n_dim
        self.names = self.labels = tuple(f"x{i}" for i in range(n_dim))
        self.units = ("",) * n_dim

    @property
    def fingerprint(self) -> str:
        """SHA-256 of what defines the problem."""
        return hashlib.sha256(f"{self.name} {self.n_dim}".encode()).hexdigest()

    def log_prior(self, theta):
        """Zero inside the unit cube."""
        return np.where(np.all((theta >= 0.0) & (theta <= 1.0), axis=1), 0.0, -np.inf)

    def prior_transform(self, unit):
        """The cube itself."""
        return unit

    def sample_prior(self, rng, n):
        """Uniform draws."""
        return rng.random((n, self.n_dim))

    def log_posterior(self, theta):
        """Sum of log prior and log likelihood."""
        return self.log_prior(theta) + self.log_likelihood(theta)

    def log_likelihood_terms(self, theta):
        """One data set."""
        return {"all": self.log_likelihood(theta)}

    def chi2_terms(self, theta):
        """Minus twice the log likelihood."""
        return {"all": (-2.0 * self.log_likelihood(theta), self.n_dim)}

    def derived(self, theta):
        """Nothing."""
        return {}


class Bent(Toy):
    """A Gaussian seen through a bijection of the unit cube that bends it.

    With z the normal deviates of the cube and w = (z1, z2 - z1^2, z3, z4 - z3^2, ...), whose Jacobian is one,
    the likelihood is N(Q w; 0, s) exp((z^2 - w^2) / 2) with a fixed rotation Q. Then Z is the integral of a Gaussian
    times a standard normal density: ln Z = -sum ln(2 pi (1 + s^2)) / 2.
    """

    name = "bent"

    def __init__(self, n_dim: int = 12) -> None:
        super().__init__(n_dim)
        self.sigma = np.where(np.arange(n_dim) % 2 == 0, 1.0, np.geomspace(0.3, 0.01, n_dim))
        self.rotation = np.linalg.qr(np.random.default_rng(1).standard_normal((n_dim, n_dim)))[0]
        self.log_evidence = float(-0.5 * np.sum(np.log(2.0 * np.pi * (1.0 + self.sigma**2))))

    def log_likelihood(self, theta):
        """Log likelihood of points ``(n, n_dim)``."""
        z = ndtri(np.clip(theta, 1e-300, 1.0 - 1e-16))
        w = z.copy()
        w[:, 1::2] -= z[:, 0::2] ** 2
        pull = (w @ self.rotation.T) / self.sigma
        normal = -0.5 * np.sum(pull**2, axis=1) - np.sum(np.log(self.sigma)) - 0.5 * self.n_dim * np.log(2.0 * np.pi)
        return normal + 0.5 * np.sum(z**2 - w**2, axis=1)


class PowerLaws(Toy):
    """Blocks of three parameters: a power law and a harder one whose power the data see in every second block only.

    Each block has 12 points with errors of 4 %; its evidence is a three-dimensional integral, by quadrature.
    """

    name = "power laws"

    def __init__(self, n_dim: int = 12) -> None:
        super().__init__(n_dim)
        self.n_blocks = n_dim // 3
        self.log_energy = np.linspace(0.0, 3.0, 12)
        rng = np.random.default_rng(2)
        truth = np.array([[0.55, 0.5, 0.7 if block % 2 else 0.15] for block in range(self.n_blocks)])
        exact = self._spectra(truth)
        self.data = exact * (1.0 + 0.04 * rng.standard_normal(exact.shape))
        self.error = 0.04 * exact
        self.log_evidence = sum(self._block_evidence(block) for block in range(self.n_blocks))

    def _spectra(self, block):
        """Spectra of one block, shape (..., 3) to (..., 12), times E^0.5."""
        x = self.log_energy
        norm, slope, hard = (block[..., i, np.newaxis] for i in range(3))
        return 10.0 ** (2.0 * norm - 1.0 - (slope - 0.5) * x) + 10.0 ** (5.0 * hard - 5.0 + 0.3 * x)

    def _block(self, theta, block):
        pull = (self._spectra(theta) - self.data[block]) / self.error[block]
        constant = np.sum(np.log(self.error[block])) + 6.0 * np.log(2.0 * np.pi)
        return -0.5 * np.sum(pull**2, axis=-1) - constant

    def log_likelihood(self, theta):
        """Log likelihood of points ``(n, n_dim)``."""
        return sum(self._block(theta[:, 3 * b : 3 * b + 3], b) for b in range(self.n_blocks))

    def _block_evidence(self, block, n_soft=120, n_hard=200):
        """Sum over the region that holds the posterior; chi-squared of a sum of two spectra is a matrix product.

        The trapezoidal rule on the power law, where the integrand ends in zeros; Gauss-Legendre along the other.
        """
        soft, step = np.linspace(0.4, 0.7, n_soft, retstep=True)
        nodes, weights = roots_legendre(n_hard)
        grid = np.stack(np.meshgrid(soft, soft, [-np.inf], indexing="ij"), axis=-1).reshape(-1, 3)
        first = (self._spectra(grid) - self.data[block]) / self.error[block]
        hard = np.column_stack([np.full((n_hard, 2), [-np.inf, 0.5]), 0.5 * (nodes + 1.0)])
        second = self._spectra(hard) / self.error[block]
        chi2 = np.sum(first**2, axis=1)[:, np.newaxis] + 2.0 * first @ second.T + np.sum(second**2, axis=1)
        constant = np.sum(np.log(self.error[block])) + 6.0 * np.log(2.0 * np.pi)
        return float(np.log(step**2 * 0.5 * np.sum(np.exp(-0.5 * chi2) @ weights)) - constant)


TOYS = {toy.name: toy for toy in (Bent, PowerLaws)}
