"""Reweighting to other priors and data against linear Gaussian models, whose posteriors and evidences are known."""

import numpy as np
import pytest
from linear_model import LinearModel
from scipy.stats import norm

from stellarcr.errors import RunError
from stellarcr.infer.comparison.reweighting import outside_share, reweight
from stellarcr.infer.priors import Normal, Uniform

N = 20_000


@pytest.fixture(scope="module")
def model():
    rng = np.random.default_rng(6)
    parts = []
    for _ in range(5):
        design = rng.normal(size=(4, 2))
        parts.append((design, 1.0, design @ [0.5, -0.3] + rng.normal(size=4)))
    return LinearModel([1.0, 1.0], parts)


def log_posterior(model, theta):
    return np.sum(norm.logpdf(theta, 0.0, model.widths), axis=1) + model.total(theta)


def other(model, what):
    if what == "wider prior":
        return LinearModel([2.0, 1.5], model.parts)
    if what == "one data set less":
        return model.without(4)
    return LinearModel(model.widths, [(a, 1.3 * s, y + 0.1) for a, s, y in model.parts])


@pytest.mark.parametrize("what", ["wider prior", "one data set less", "other errors and values"])
def test_the_new_posterior_and_evidence_are_the_exact_ones(model, what):
    new, rng = other(model, what), np.random.default_rng(1)
    theta = model.samples(N, rng)
    found = reweight(
        log_posterior(model, theta), log_posterior(new, theta), rng, log_evidence=(model.log_evidence, 0.01)
    )
    assert found.converged
    assert found.log_evidence == pytest.approx(new.log_evidence, abs=4 * found.weights.error)
    assert found.weights.error < 0.05
    assert found.log_evidence_error == pytest.approx(np.hypot(0.01, found.weights.error))
    samples, (mean, covariance) = theta[found.index], new.posterior
    error = np.sqrt(np.diag(covariance) / found.weights.effective_samples)
    assert np.all(np.abs(samples.mean(axis=0) - mean) < 4 * error)
    np.testing.assert_allclose(np.cov(samples.T), covariance, atol=0.1 * covariance.max())


def test_a_chain_is_worth_fewer_samples(model):
    rng = np.random.default_rng(1)
    theta, new = model.samples(N, rng), other(model, "wider prior")
    whole, part = (
        reweight(log_posterior(model, theta), log_posterior(new, theta), rng, effective_samples=n) for n in (N, N // 25)
    )
    assert part.weights.error == pytest.approx(5 * whole.weights.error, rel=0.1)
    assert part.weights.effective_samples == pytest.approx(whole.weights.effective_samples / 25, rel=0.1)
    assert whole.log_evidence is None


def test_a_posterior_that_is_not_covered_is_told(model):
    rng = np.random.default_rng(1)
    theta = model.samples(N, rng)
    far = LinearModel(model.widths, [(a, s, y + 4.0 * a[:, 0]) for a, s, y in model.parts])
    found = reweight(log_posterior(model, theta), log_posterior(far, theta), rng)
    assert not found.weights.reliable
    assert not found.converged
    with pytest.raises(RunError, match="40 of 20000 samples are possible"):
        reweight(np.zeros(N), np.where(np.arange(N) < 40, 0.0, -np.inf), rng)


def test_what_no_sample_sees_is_measured():
    draws = Uniform(0.0, 4.0).sample(np.random.default_rng(2), (5000, 2))
    share, names = outside_share(draws, ["a", "b"], {"a": Uniform(0.0, 3.0), "b": Normal(0.0, 1.0)})
    assert share == pytest.approx(0.25, abs=0.03)
    assert names == ("a",)
    assert outside_share(draws, ["a", "b"], {}) == (0.0, ())
