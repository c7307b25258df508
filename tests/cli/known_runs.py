"""Runs of known evidence, written by the archive's own code."""

import hashlib
import json
import shutil

import numpy as np

from stellarcr.infer.files import write_json
from stellarcr.infer.runs.archive import build_tree, derive, write_tree
from stellarcr.infer.runs.folder import RunFolder
from stellarcr.infer.samplers.base import SamplerResult
from stellarcr.infer.samplers.dynesty_settings import DynestySettings
from stellarcr.infer.samplers.emcee_settings import EmceeSettings
from stellarcr.infer.samplers.map import MapResult
from stellarcr.infer.summary import build_summary

WIDTH = 0.05
CONFIG = """
name = "toy"
[likelihoods.one]
experiment = "ONE"
species = ["H", "He"]
[likelihoods.one.range]
rigidity_min = 20.0
[likelihoods.one.errors.systematic.total]
correlation = "uncorrelated"
[likelihoods.one.nuisances.phi]
value = 0.5
"""


class Toy:
    """A Gaussian likelihood of mean 0.2 and width 0.05 in a uniform box [-half, half]^n: ln Z = -n ln(2 half)."""

    def __init__(self, n_dim=2, half=1.0, points=7, records=True):
        self.n_dim, self.half, self.points, self.records = n_dim, half, points, records
        self.names = tuple(f"toy.p_{k}" for k in range(n_dim))
        self.labels = tuple(rf"\theta_{{{k}}}" for k in range(n_dim))
        self.units = ("GV",) + ("",) * (n_dim - 1)

    @property
    def fingerprint(self):
        return hashlib.sha256(f"{self.n_dim} {self.half}".encode()).hexdigest()

    @property
    def log_evidence(self):
        return -self.n_dim * np.log(2 * self.half)

    @property
    def information(self):
        """Of one parameter, in nats."""
        return np.log(2 * self.half / WIDTH) - 0.5 * np.log(2 * np.pi * np.e)

    def log_prior(self, theta):
        inside = np.all(np.abs(theta) <= self.half, axis=1)
        return np.where(inside, self.log_evidence, -np.inf)

    def log_likelihood(self, theta):
        constant = -self.n_dim * np.log(WIDTH * np.sqrt(2 * np.pi))
        return constant - 0.5 * np.sum(((theta - 0.2) / WIDTH) ** 2, axis=1)

    def log_posterior(self, theta):
        return self.log_prior(theta) + self.log_likelihood(theta)

    def prior_transform(self, unit):
        return self.half * (2 * unit - 1)

    def sample_prior(self, rng, n):
        return self.prior_transform(rng.random((n, self.n_dim)))

    def log_likelihood_terms(self, theta):
        return {"ONE H": 0.25 * self.log_likelihood(theta), "ONE He": 0.75 * self.log_likelihood(theta)}

    def chi2_terms(self, theta):
        chi2 = np.sum(((theta - 0.2) / WIDTH) ** 2, axis=1)
        return {"ONE H": (chi2, self.points), "ONE He": (2 * chi2 + 3.5, 11)}

    def derived(self, theta):
        return {"total": theta.sum(axis=1)}

    def parameter_records(self):
        prior = {"kind": "uniform", "low": -self.half, "high": self.half}
        return {name: {"group": "nuisances", "prior": prior} for name in self.names} if self.records else {}


def write_toy(path, toy, nested, n):
    samples = np.random.default_rng(4).normal(0.2, WIDTH, (n, toy.n_dim))
    hashes = {"ONE_H": "a" * 64, "ONE_He": "b" * 64}
    return write_samples(path, toy, samples, np.full(toy.n_dim, 0.21), nested, CONFIG, hashes)


def write_samples(path, toy, samples, best, nested, config, hashes):
    """Write a finished run with these samples ``(n, n_dim)``, and its maximum at `best`."""
    n = len(samples)
    result = SamplerResult(
        sampler="dynesty" if nested else "emcee",
        samples=samples[np.newaxis],
        log_posterior=toy.log_posterior(samples)[np.newaxis],
        converged=True,
        verdict="converged: toy",
        n_calls=1000,
        seconds=1.0,
        diagnostics={"ess": float(n)},
        log_evidence=toy.log_evidence if nested else None,
        log_evidence_error=0.2 if nested else None,
    )
    maximum = MapResult(
        theta=best,
        log_posterior=float(toy.log_posterior(best[np.newaxis])[0]),
        log_likelihood=float(toy.log_likelihood(best[np.newaxis])[0]),
        covariance=np.atleast_2d(np.cov(samples, rowvar=False)),
        unit_point=np.full(toy.n_dim, 0.6),
        unit_covariance=np.eye(toy.n_dim),
        unconstrained=0,
        at_edge={},
        start_values=np.zeros(2),
        fraction_reached=1.0,
        n_calls=10,
        seconds=0.1,
    )
    settings = DynestySettings() if nested else EmceeSettings()
    extras = {"data_hashes": hashes}
    with RunFolder.create(path, toy, result.sampler, settings, config_text=config, extras=extras, quiet=True) as folder:
        derived, index = derive(toy, samples, 100)
        write_tree(path / "posterior.nc", build_tree(toy, result, derived, index, {}))
        write_json(path / "summary.json", build_summary(toy, result, maximum, derived))
        folder.end_session("finished", result.verdict)
    return path


def change_json(path, **changes):
    content = json.loads(path.read_text())
    path.write_text(json.dumps(content | changes))


def copy_run(source, target, seed, shift, error, converged, config, hashes, settings):
    """Copy a run, with another seed, evidence, configuration or settings in its records."""
    shutil.copytree(source, target)
    (target / "config.toml").write_text(config)
    manifest = json.loads((target / "manifest.json").read_text())
    changed = manifest["settings"] | {"seed": seed} | settings
    hashes = hashes or manifest["data_hashes"]
    change_json(target / "manifest.json", seed=seed, settings=changed, data_hashes=hashes)
    summary = json.loads((target / "summary.json").read_text())
    if summary["log_evidence"] is not None:
        change_json(target / "summary.json", log_evidence=summary["log_evidence"] + shift, log_evidence_error=error)
    if not converged:
        change_json(target / "summary.json", converged=False, verdict="not converged: stopped at max_time = 1 s")
    return target
