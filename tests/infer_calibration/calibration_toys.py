"""Conjugate problems whose posteriors are drawn exactly, some with a mistake in them."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace

import numpy as np
from scipy.special import ndtri

from stellarcr.errors import ModelError
from stellarcr.infer.calibration import MockFit
from stellarcr.infer.samplers.base import SamplerResult
from stellarcr.infer.samplers.map import MapSettings
from stellarcr.infer.samplers.settings import SamplerSettings

POINTS = np.array([0.5, 1.0, 2.0])
SIGMA = 0.7
EXACT = f"{__file__}:Exact"
SEARCH = MapSettings(starts=1, population=8, generations=2)


@dataclass(frozen=True)
class Line:
    """Slope and offset with unit normal priors; three values of known error.

    ``width`` is the prior's width that the fit assumes, ``noise`` the factor on the error that it assumes, ``shift`` is
    added to the data, and ``blind`` fits give back their prior. Right are 1, 1, 0 and False.
    """

    values: tuple[float, ...] = (0.0, 0.0, 0.0)
    width: float = 1.0
    noise: float = 1.0
    shift: float = 0.0
    blind: bool = False
    sleep: float = 0.0
    names: tuple[str, ...] = ("toy.slope", "toy.offset")
    labels: tuple[str, ...] = (r"a", r"b")
    units: tuple[str, ...] = ("", "GV")
    fails: frozenset[int] = field(default_factory=frozenset)

    n_dim = 2

    @property
    def fingerprint(self):
        return f"{self.width} {self.noise} {self.shift} {self.blind}"

    @property
    def design(self):
        return np.stack([POINTS, np.ones(3)], axis=1)

    def mock(self, theta, rng):
        if self.sleep:
            time.sleep(self.sleep)
        drawn = self.design @ theta + SIGMA * rng.standard_normal(3)
        if len(self.fails) and round(1000 * abs(drawn[0])) % 3 in self.fails:
            raise ModelError("the table ends at 3 TV")
        return replace(self, values=tuple(drawn + self.shift))

    def sample_prior(self, rng, n):
        return rng.standard_normal((n, 2))

    def prior_transform(self, unit):
        return self.width * ndtri(unit)

    def log_prior(self, theta):
        return _log_normal(theta, self.width)

    def log_likelihood(self, theta):
        return _log_normal(self.values - theta @ self.design.T, self.noise * SIGMA)

    def log_posterior(self, theta):
        return self.log_prior(theta) + self.log_likelihood(theta)

    def posterior_draws(self, rng, n):
        if self.blind:
            return self.sample_prior(rng, n)
        precision = self.design.T @ self.design / (self.noise * SIGMA) ** 2 + np.eye(2) / self.width**2
        covariance = np.linalg.inv(precision)
        mean = covariance @ self.design.T @ np.array(self.values) / (self.noise * SIGMA) ** 2
        return rng.multivariate_normal(mean, covariance, n)


def _log_normal(x, width):
    return -0.5 * np.sum((x / width) ** 2, axis=1) - x.shape[1] * np.log(width * np.sqrt(2 * np.pi))


class Exact:
    """A sampler that draws from the known posterior."""

    name = "exact"
    settings_type = SamplerSettings

    def run(self, posterior, settings, store, *, start=None):
        samples = posterior.posterior_draws(np.random.default_rng(settings.seed), 400)
        return SamplerResult(
            sampler=EXACT,
            samples=samples[None],
            log_posterior=posterior.log_posterior(samples)[None],
            converged=True,
            verdict="converged: exact",
            n_calls=0,
            seconds=0.0,
            diagnostics={"ess": 400.0},
        )


def fit_of(line, seed=1, draws=99, settings=None, sampler=EXACT):
    return MockFit(line, line.mock, sampler, settings or SamplerSettings(), SEARCH, seed, draws)
