"""Information in nats, against what is known in closed form."""

import numpy as np
import pytest

from stellarcr.errors import RunError
from stellarcr.infer.comparison import marginal_information, total_information
from stellarcr.infer.priors import prior_from_mapping

UNIFORM = prior_from_mapping({"kind": "uniform", "low": -1.0, "high": 1.0})
NORMAL = prior_from_mapping({"kind": "normal", "mean": 0.0, "standard_deviation": 1.0})
GAUSSIAN_ENTROPY = 0.5 * np.log(2 * np.pi * np.e)


def in_uniform(width):
    """Divergence of a narrow Gaussian from a uniform density on [-1, 1]."""
    return np.log(2.0 / width) - GAUSSIAN_ENTROPY


def in_normal(mean, width):
    """Divergence of N(mean, width) from N(0, 1)."""
    return -np.log(width) + 0.5 * (width**2 + mean**2 - 1.0)


CASES = [
    pytest.param(UNIFORM, 0.2, 0.03, in_uniform(0.03), id="Gaussian in uniform"),
    pytest.param(UNIFORM, 0.2, 1e-5, in_uniform(1e-5), id="much narrower than draws resolve"),
    pytest.param(NORMAL, 0.5, 0.1, in_normal(0.5, 0.1), id="Gaussian in Gaussian"),
    pytest.param(NORMAL, 8.0, 0.1, in_normal(8.0, 0.1), id="in the upper tail"),
    pytest.param(NORMAL, -8.0, 0.1, in_normal(-8.0, 0.1), id="in the lower tail"),
    pytest.param(NORMAL, 0.4, 1.0, in_normal(0.4, 1.0), id="moved, not narrowed"),
]


@pytest.mark.parametrize(("prior", "mean", "width", "truth"), CASES)
@pytest.mark.parametrize("n", [200, 10_000])
def test_gaussians(prior, mean, width, truth, n):
    rng = np.random.default_rng(n)
    estimates = [marginal_information(rng.normal(mean, width, n), prior) for _ in range(20)]
    nats = np.array([e.nats for e in estimates])
    # pieces of constant density cost 0.01; the rest is noise
    assert np.mean(nats) == pytest.approx(truth, abs=0.02 + 4 * np.sqrt(0.5 / n / 20))
    # and the quoted error is that noise
    assert 0.5 < np.std(nats, ddof=1) / np.mean([e.error for e in estimates]) < 2.0
    assert not any(e.lower_limit for e in estimates)


@pytest.mark.parametrize("known", ["density", "draws"])
@pytest.mark.parametrize("n", [40, 100, 1000])
def test_posterior_equal_to_prior_teaches_nothing_at_any_size(n, known):
    """No bias: the mean over many runs is zero within its error; a plain histogram would give pieces / 2n."""
    rng = np.random.default_rng(7)
    nats = np.array(
        [
            marginal_information(rng.normal(size=n), NORMAL if known == "density" else rng.normal(size=5000)).nats
            for _ in range(150)
        ]
    )
    # 0.005: the outermost pieces hold few draws, for which the mean of digamma is not exact
    assert np.mean(nats) == pytest.approx(0.0, abs=4 * np.std(nats) / np.sqrt(150) + 0.005)
    assert np.all(np.abs(nats) < 8.0 / np.sqrt(n))


def test_draws_of_the_prior_give_the_same_as_its_density():
    rng = np.random.default_rng(5)
    samples = rng.normal(0.2, 0.2, 4000)
    exact = marginal_information(samples, UNIFORM)
    drawn = marginal_information(samples, UNIFORM.sample(rng, 5000))
    assert not drawn.lower_limit
    assert drawn.nats == pytest.approx(exact.nats, abs=3 * drawn.error + 0.02)


def test_draws_that_cannot_resolve_the_posterior_give_a_lower_limit():
    rng = np.random.default_rng(6)
    truth = in_uniform(1e-5)
    information = marginal_information(rng.normal(0.2, 1e-5, 4000), UNIFORM.sample(rng, 5000))
    assert information.lower_limit
    assert 0.0 < information.nats < truth


def test_a_function_of_the_parameter_carries_the_same_information():
    rng = np.random.default_rng(8)
    samples, draws = rng.normal(1.0, 0.3, 4000), rng.normal(0.0, 1.0, 5000)
    plain = marginal_information(samples, draws)
    assert marginal_information(np.exp(samples), np.exp(draws)).nats == pytest.approx(plain.nats, abs=1e-12)


def test_repeated_samples_count_as_often_as_they_are_worth():
    """Equal-weight samples of a nested run repeat: 500 independent ones, taken ten times each."""
    rng = np.random.default_rng(9)
    samples = np.repeat(rng.normal(0.2, 0.03, 500), 10)
    information = marginal_information(samples, UNIFORM, effective_samples=500.0)
    assert information.nats == pytest.approx(in_uniform(0.03), abs=4 * information.error)
    assert information.error == pytest.approx(np.sqrt(0.5 / 500), rel=0.5)


@pytest.mark.parametrize(
    ("samples", "draws", "says"),
    [
        (np.arange(39.0), np.arange(100.0), "there are 39"),
        (np.arange(100.0), np.empty(0), "draws of the prior"),
        (np.ones(100), np.arange(100.0), "all samples are equal"),
    ],
)
def test_too_little_to_say_anything_is_refused(samples, draws, says):
    with pytest.raises(RunError, match=says):
        marginal_information(samples, draws)


def test_whole_posterior_of_a_gaussian():
    """Four independent Gaussians of likelihood, in a uniform box: the divergences add up."""
    width, n_dim, n = 0.02, 4, 20_000
    rng = np.random.default_rng(10)
    offset = rng.normal(0.0, width, (n, n_dim))
    log_likelihood = -0.5 * np.sum((offset / width) ** 2, axis=1)
    log_evidence = n_dim * np.log(width * np.sqrt(2 * np.pi) / 2.0)
    information = total_information(log_likelihood, log_evidence, 0.1)
    assert information.nats == pytest.approx(n_dim * in_uniform(width), abs=0.05)
    assert information.error == pytest.approx(np.hypot(0.1, np.sqrt(n_dim / 2 / n)), rel=0.05)
    assert total_information(log_likelihood, log_evidence, 0.0, 100.0).error == pytest.approx(
        np.sqrt(n_dim / 2 / 100), rel=0.05
    )
