"""Run folders with samples of linear Gaussian models, whose posteriors and evidences are known."""

import hashlib

import numpy as np
from known_runs import write_samples
from scipy.special import ndtri
from scipy.stats import norm


class LinearPosterior:
    """What run folders need to know of a linear model.

    Parameters
    ----------
    model : LinearModel
        The problem.
    names : sequence of str
        Of its parameters; those with a dot behind ``one`` or ``two`` are nuisances.
    data_sets : sequence of str
        Of its parts.
    """

    def __init__(self, model, names, data_sets):
        self.model, self.names, self.data_sets = model, tuple(names), tuple(data_sets)
        self.labels, self.units, self.n_dim = self.names, ("",) * len(self.names), len(self.names)

    @property
    def fingerprint(self):
        return hashlib.sha256(f"{self.names} {self.data_sets} {self.model.widths}".encode()).hexdigest()

    @property
    def log_evidence(self):
        return self.model.log_evidence

    def log_prior(self, theta):
        return np.sum(norm.logpdf(theta, 0.0, self.model.widths), axis=1)

    def log_likelihood(self, theta):
        return self.model.total(theta)

    def log_posterior(self, theta):
        return self.log_prior(theta) + self.log_likelihood(theta)

    def prior_transform(self, unit):
        return ndtri(unit) * self.model.widths

    def sample_prior(self, rng, n):
        return rng.normal(size=(n, self.n_dim)) * self.model.widths

    def log_likelihood_terms(self, theta):
        return {name: self.model.log_likelihood(theta, k) for k, name in enumerate(self.data_sets)}

    def chi2_terms(self, theta):
        parts = zip(self.data_sets, self.model.parts, strict=True)
        return {name: (np.sum(((y - theta @ a.T) / s) ** 2, axis=1), len(y)) for name, (a, s, y) in parts}

    def derived(self, theta):
        return {"total": theta.sum(axis=1)}

    def parameter_records(self):
        def group(name):
            return "nuisances" if name.startswith(("one.", "two.")) else "populations"

        widths = zip(self.names, self.model.widths, strict=True)
        return {
            name: {"group": group(name), "prior": {"kind": "normal", "mean": 0.0, "standard_deviation": float(width)}}
            for name, width in widths
        }


def write_linear(path, posterior, sections, nested=True, n=4000, seed=0):
    """Write a run of exact samples; `sections` are keys of likelihoods with the species that they hold."""
    samples = posterior.model.samples(n, np.random.default_rng(seed))
    config = "".join(
        f'[likelihoods.{key}]\nexperiment = "{key.upper()}"\nspecies = {list(species)}\n'
        for key, species in sections.items()
    ).replace("'", '"')
    hashes = {name.replace(" ", "_"): hashlib.sha256(name.encode()).hexdigest() for name in posterior.data_sets}
    return write_samples(path, posterior, samples, posterior.model.posterior[0], nested, config, hashes)
