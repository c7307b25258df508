"""The prior inside the posterior of a real configuration: every parameter counts, once, in its place."""

import numpy as np
import pytest
from scipy import stats

# Parameters of the configuration below, by name, with their densities as SciPy has them.
ORACLES = {
    "snr.log10_power": stats.uniform(47.0, 3.0),
    "snr.gamma2": stats.norm(-2.4, 0.05),
    "snr.abundance.He": stats.lognorm(0.2, scale=1.0),
    "galaxy.eta": stats.loguniform(0.5, 2.0),
    "ams02.phi": stats.truncnorm(-3.5, np.inf, loc=0.7, scale=0.2),
}
PRIORS = {
    "snr.log10_power": {"prior": "uniform", "low": 47.0, "high": 50.0},
    "snr.gamma2": {"prior": "normal", "mean": -2.4, "standard_deviation": 0.05},
    "snr.abundance.He": {"prior": "log_normal", "median": 1.0, "sigma": 0.2},
    "galaxy.eta": {"prior": "log_uniform", "low": 0.5, "high": 2.0},
    "ams02.phi": {"prior": "truncated_normal", "mean": 0.7, "standard_deviation": 0.2, "low": 0.0},
}


@pytest.fixture(scope="module")
def posterior(small_content, build):
    content = small_content()
    content["parameters"] = {}
    for name, prior in PRIORS.items():
        table = content["parameters"]
        *sections, last = name.split(".")
        for section in sections:
            table = table.setdefault(section, {})
        table[last] = prior
    return build(content)


def test_log_prior_is_the_sum_over_the_names(posterior):
    assert set(posterior.names) == set(ORACLES)
    theta = posterior.sample_prior(np.random.default_rng(1), 200)
    expected = sum(ORACLES[name].logpdf(theta[:, k]) for k, name in enumerate(posterior.names))
    np.testing.assert_allclose(posterior.log_prior(theta), expected, rtol=1e-12)


def test_transform_is_that_of_the_names(posterior):
    u = np.random.default_rng(2).uniform(0.01, 0.99, (50, posterior.n_dim))
    expected = np.stack([ORACLES[name].ppf(u[:, k]) for k, name in enumerate(posterior.names)], axis=1)
    np.testing.assert_allclose(posterior.prior_transform(u), expected, rtol=1e-10)


def test_log_posterior_is_prior_plus_likelihood(posterior):
    theta = posterior.sample_prior(np.random.default_rng(3), 20)
    expected = posterior.log_prior(theta) + posterior.log_likelihood(theta)
    np.testing.assert_allclose(posterior.log_posterior(theta), expected, rtol=1e-12)
    # some of a batch outside of the prior
    mixed = theta.copy()
    mixed[::3, posterior.names.index("snr.log10_power")] = 46.0
    np.testing.assert_array_equal(posterior.log_posterior(mixed)[::3], -np.inf)
    inside = np.arange(20) % 3 > 0
    np.testing.assert_allclose(posterior.log_posterior(mixed)[inside], expected[inside], rtol=1e-12)


def test_likelihood_takes_each_value_under_its_name(posterior):
    """The model is called with names: its spectrum at a point is that of the values the names have there."""
    theta = posterior.reference()[None, :].repeat(2, axis=0)
    theta[1, posterior.names.index("snr.log10_power")] += 1.0
    hydrogen, brighter = posterior.predictions(theta)["AMS-02_H"]
    np.testing.assert_allclose(brighter, 10.0 * hydrogen, rtol=1e-9)
    theta[1] = theta[0]
    theta[1, posterior.names.index("snr.abundance.He")] *= 1.5
    predicted = posterior.predictions(theta)
    # the power is shared: hydrogen loses as much at all rigidities, and helium gains 1.5 times over it
    hydrogen, helium = (predicted[f"AMS-02_{element}"] for element in ("H", "He"))
    lost = hydrogen[1] / hydrogen[0]
    np.testing.assert_allclose(lost, lost[0], rtol=1e-9)
    np.testing.assert_allclose(helium[1] / helium[0], 1.5 * lost[0], rtol=1e-9)
