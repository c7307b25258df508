# ruff: noqa: D102 - the methods are those of the posterior protocol
"""Evidences of problems with a known answer, over 20 seeds: `python benchmarks/evidences.py`.

For each problem and sampler: the mean deviation of ln Z and the pulls, deviation over quoted error. Honest errors give
pulls of unit width. Options: `--samplers dynesty,ultranest`, `--seeds 20`, `--problems`. With `--precise`, one seed of
dynesty at its default walks, with live points for a quoted error of at most 0.1 (25 minutes).
"""

from __future__ import annotations

import argparse
import time

import numpy as np
from scipy.special import ndtri
from scipy.stats import chi2, multivariate_normal, norm

from stellarcr.infer.importance.evidence import importance_evidence
from stellarcr.infer.parameters import OrderConstraint, Parameter, ParameterSpace
from stellarcr.infer.priors import Uniform
from stellarcr.infer.samplers import MemoryStore, get_sampler, settings_from


class Known:
    """A problem with a known evidence; subclasses give prior, likelihood and ``log_evidence``."""

    name: str
    log_evidence: float

    def __init__(self, n_dim: int) -> None:
        self.n_dim = n_dim
        self.names = self.labels = tuple(f"p{k}" for k in range(n_dim))
        self.units = ("",) * n_dim

    @property
    def fingerprint(self) -> str:
        return self.name

    def log_posterior(self, theta):
        return self.log_prior(theta) + self.log_likelihood(theta)

    def sample_prior(self, rng, n):
        return self.prior_transform(rng.random((n, self.n_dim)))

    def log_likelihood_terms(self, theta):
        return {"all": self.log_likelihood(theta)}

    def chi2_terms(self, theta):
        return {"all": (-2.0 * self.log_likelihood(theta), self.n_dim)}

    def derived(self, theta):
        return {}


class CorrelatedGaussian(Known):
    """Normalised, all correlations 0.7, widths from 0.04 to 0.12, in the box [-1, 1]^n: ln Z = -n ln 2."""

    def __init__(self, n_dim: int) -> None:
        super().__init__(n_dim)
        self.name = f"correlated Gaussian, {n_dim} parameters"
        width = np.geomspace(0.04, 0.12, n_dim)
        self.root = np.linalg.cholesky((0.7 + 0.3 * np.eye(n_dim)) * np.outer(width, width))
        self.inverse = np.linalg.inv(self.root)
        self.constant = -np.sum(np.log(np.diag(self.root))) - 0.5 * n_dim * np.log(2.0 * np.pi)
        self.log_evidence = -n_dim * np.log(2.0)

    def log_prior(self, theta):
        return np.where(np.all(np.abs(theta) <= 1.0, axis=1), self.log_evidence, -np.inf)

    def prior_transform(self, unit):
        return 2.0 * unit - 1.0

    def log_likelihood(self, theta):
        return self.constant - 0.5 * np.sum((theta @ self.inverse.T) ** 2, axis=1)


class Triangle(Known):
    """A Gaussian of width 0.1 in the middle of a unit square of which only x < y is left: the edge cuts it in half."""

    name = "Gaussian on a triangle"

    def __init__(self) -> None:
        super().__init__(2)
        free = [Parameter(name, prior=Uniform(0.0, 1.0)) for name in self.names]
        self.space = ParameterSpace(free, [OrderConstraint(self.names)])
        self.log_prior, self.prior_transform = self.space.log_prior, self.space.prior_transform
        # half of the square's Gaussian, twice the density
        self.log_evidence = 2.0 * np.log(norm.cdf(5.0) - norm.cdf(-5.0))

    def log_likelihood(self, theta):
        return np.sum(norm.logpdf(theta, 0.5, 0.1), axis=1)


class LinearModel(Known):
    """Twelve points of a cubic polynomial with errors and normal priors of width one: the data are Gaussian."""

    name = "linear model, 4 parameters"

    def __init__(self) -> None:
        super().__init__(4)
        self.design = np.vander(np.linspace(-1.0, 1.0, 12), 4)
        rng = np.random.default_rng(1)
        self.y = self.design @ rng.standard_normal(4) + rng.standard_normal(12)
        covariance = self.design @ self.design.T + np.eye(12)
        self.log_evidence = float(multivariate_normal(np.zeros(12), covariance).logpdf(self.y))

    def log_prior(self, theta):
        return np.sum(norm.logpdf(theta), axis=1)

    def prior_transform(self, unit):
        return ndtri(unit)

    def log_likelihood(self, theta):
        return np.sum(norm.logpdf(theta @ self.design.T, self.y), axis=1)


PROBLEMS = {
    "gaussian2": lambda: CorrelatedGaussian(2),
    "gaussian10": lambda: CorrelatedGaussian(10),
    "gaussian20": lambda: CorrelatedGaussian(20),
    "triangle": Triangle,
    "linear": LinearModel,
}

PRECISE = {"gaussian2": 480, "triangle": 220, "linear": 280, "gaussian10": 2700, "gaussian20": 5500}
"""Live points for a quoted error of at most 0.1."""

SETTINGS = {
    # walks of 8 steps per parameter, the shortest that are recommended, and few live points: pulls need many seeds
    "dynesty": lambda n_dim: {"nlive": 60, "walks": max(50, 8 * n_dim), "batch": 32},
    "ultranest": lambda n_dim: {"nlive": 100},
}


def run(problem: Known, sampler: str, seed: int) -> tuple[tuple[float, float], tuple[float, float]]:
    """Find ln Z with its error, by a sampler and by importance sampling of its samples."""
    adapter = get_sampler(sampler)
    options = {"seed": seed, **SETTINGS.get(sampler, lambda _: {})(problem.n_dim)}
    result = adapter.run(problem, settings_from(adapter.settings_type, options), MemoryStore())
    theta = result.samples.reshape(-1, problem.n_dim)
    again = importance_evidence(problem, theta, np.random.default_rng(seed), draws=10_000)
    return (result.log_evidence, result.log_evidence_error), (again.log_evidence, again.error)


def row(problem: Known, method: str, found: np.ndarray, seconds: float) -> str:
    """One line of the table."""
    deviation = found[:, 0] - problem.log_evidence
    pulls, n = deviation / found[:, 1], len(found)
    chance = chi2.sf(np.sum(pulls**2), n)
    return (
        f"| {problem.name} | {method} | {np.mean(found[:, 1]):.3f} | {np.mean(deviation):+.3f} +- "
        f"{np.std(deviation, ddof=1) / np.sqrt(n):.3f} | {np.max(np.abs(deviation)):.3f} | {np.mean(pulls):+.2f} | "
        f"{np.std(pulls, ddof=1):.2f} +- {1.0 / np.sqrt(2.0 * (n - 1)):.2f} | {chance:.2g} | {seconds / n:.1f} |"
    )


def precise(key: str) -> None:
    """Print one run with a small quoted error."""
    problem, begin = PROBLEMS[key](), time.process_time()
    adapter = get_sampler("dynesty")
    options = {"seed": 1, "nlive": PRECISE[key], "batch": 128}
    result = adapter.run(problem, settings_from(adapter.settings_type, options), MemoryStore())
    theta = result.samples.reshape(-1, problem.n_dim)
    again = importance_evidence(problem, theta, np.random.default_rng(1), draws=20_000)
    deviation = result.log_evidence - problem.log_evidence
    print(
        f"| {problem.name} | {PRECISE[key]} | {deviation:+.3f} +- {result.log_evidence_error:.3f} | "
        f"{again.log_evidence - problem.log_evidence:+.4f} +- {again.error:.4f} | {result.n_calls / 1e6:.1f} | "
        f"{time.process_time() - begin:.0f} |",
        flush=True,
    )


def main() -> None:
    """Print the table as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samplers", default="dynesty")
    parser.add_argument("--problems", default=",".join(PROBLEMS))
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--precise", action="store_true")
    options = parser.parse_args()
    if options.precise:
        print("| problem | live points | ln Z - exact | importance sampling - exact | calls [1e6] | CPU s |")
        print("|---|---|---|---|---|---|")
        for key in options.problems.split(","):
            precise(key)
        return
    print(
        "| problem | method | quoted error | mean deviation of ln Z | largest | mean pull | width of pulls "
        "| p of chi2 | CPU s |\n|---|---|---|---|---|---|---|---|---|"
    )
    for key in options.problems.split(","):
        problem = PROBLEMS[key]()
        for sampler in options.samplers.split(","):
            begin = time.process_time()
            found = np.array([run(problem, sampler, seed) for seed in range(options.seeds)])
            seconds = time.process_time() - begin
            print(row(problem, sampler, found[:, 0], seconds), flush=True)
            print(row(problem, f"importance sampling of {sampler}", found[:, 1], seconds), flush=True)


if __name__ == "__main__":
    main()
