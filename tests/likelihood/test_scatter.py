"""Intrinsic scatter of an experiment: a parameter that is not there unless asked for."""

import numpy as np
import pytest
from scipy import stats

from stellarcr.config import config_from_mapping, resolved_toml
from stellarcr.config.building import build_model, load_data
from stellarcr.errors import ConfigError, ParameterError
from stellarcr.likelihood.errors import CorrelatedErrors

PRIOR = {"kind": "half_normal", "scale": 0.05}


def scattered(content, **settings):
    content["likelihoods"]["ams02"]["nuisances"] = {"scatter": settings}
    return content


@pytest.fixture(scope="module")
def free(small_content, build):
    """Two species of AMS-02 with a free scatter."""
    return build(scattered(small_content(), prior=PRIOR))


def by_hand(posterior, theta, column):
    """Sum over points of normal densities whose variance holds (scatter x prediction)^2."""
    predicted = np.concatenate(list(posterior.predictions(theta).values()), axis=1)
    (likelihood,) = posterior.likelihoods
    sigma = np.sqrt(likelihood.data.total_errors[0] ** 2 + (theta[:, [column]] * predicted) ** 2)
    return stats.norm(predicted, sigma).logpdf(likelihood.data.values).sum(axis=1)


def test_without_it_nothing_changes(small_content, build):
    plain, zero = build(small_content()), build(scattered(small_content(), value=0.0))
    assert "ams02.scatter" not in {p.name for p in plain.space.parameters}
    assert plain.fingerprint == zero.fingerprint
    theta = plain.sample_prior(np.random.default_rng(0), 5)
    np.testing.assert_array_equal(plain.log_likelihood(theta), zero.log_likelihood(theta))
    named = small_content()
    named["parameters"]["ams02"] = {"scatter": 0.0}
    np.testing.assert_array_equal(build(named).log_likelihood(theta), plain.log_likelihood(theta))


def test_free_scatter_is_part_of_every_variance(free):
    assert free.names[-1] == "ams02.scatter"
    assert free.labels[-1] == r"\sigma_{\rm AMS02}"
    theta = free.sample_prior(np.random.default_rng(1), 6)
    np.testing.assert_allclose(free.log_likelihood(theta), by_hand(free, theta, -1), rtol=1e-11)
    terms = free.log_likelihood_terms(theta)
    np.testing.assert_allclose(sum(terms.values()), free.log_likelihood(theta), rtol=1e-12)
    assert free.parameter_records()["ams02.scatter"]["group"] == "nuisances"


def test_chi2_is_in_units_of_the_widened_errors(free):
    theta = free.reference()[None, :].repeat(2, axis=0)
    theta[:, -1] = [0.0, 0.1]
    narrow, wide = sum(chi2 for chi2, _ in free.chi2_terms(theta).values())
    assert wide < 0.5 * narrow
    assert all(points > 40 for _, points in free.chi2_terms(theta).values())


def test_scatter_of_a_bad_fit_is_found(free):
    # a slope that is wrong: the likelihood is largest where the scatter is about as large as the residuals
    theta = np.repeat(free.reference()[None, :], 200, axis=0)
    measured = free.likelihoods[0].data.tables[0].value.value
    theta[:, 0] += np.log10(np.median(measured / free.predictions(theta[:1])["AMS-02_H"][0]))
    theta[:, 1] += 0.05
    theta[:, -1] = np.linspace(0.0, 0.4, 200)
    residuals = measured / free.predictions(theta[:1])["AMS-02_H"][0] - 1.0
    best = theta[np.argmax(free.log_likelihood_terms(theta)["AMS-02 H"]), -1]
    assert 0.03 < best < 0.4
    assert best == pytest.approx(np.sqrt(np.mean(residuals**2)), rel=0.1)


def test_with_correlated_errors(small_content, build):
    content = scattered(small_content(), prior=PRIOR)
    content["likelihoods"]["ams02"]["errors"] = {"systematic": {"total": {"correlation": "length", "length": 2.3}}}
    posterior = build(content)
    theta = posterior.sample_prior(np.random.default_rng(2), 3)
    predicted = posterior.predictions(theta)
    (likelihood,) = posterior.likelihoods
    expected = np.zeros(3)
    for group, table in zip(likelihood.data.groups, likelihood.data.tables, strict=True):
        assert isinstance(group.errors, CorrelatedErrors)
        for k in range(3):
            mean = predicted[table.name][k]
            unit = table.value.value  # fluxes span decades
            covariance = (group.errors.covariance + np.diag((theta[k, -1] * mean) ** 2)) / np.outer(unit, unit)
            density = stats.multivariate_normal(mean / unit, covariance).logpdf(table.value.value / unit)
            expected[k] += density - np.sum(np.log(unit))
    np.testing.assert_allclose(posterior.log_likelihood(theta), expected, rtol=1e-9)


def test_mock_data_scatter_as_the_likelihood_says(free):
    theta = np.repeat(free.reference()[None, :], 4000, axis=0)
    theta[:, -1] = 0.1
    values = free.space.resolve(theta)
    (likelihood,) = free.likelihoods
    predicted = likelihood.predict(free.sources.evaluate(values, len(theta)), values)
    drawn = likelihood.draw(np.random.default_rng(3), predicted, values)
    sigma = np.sqrt(likelihood.data.total_errors[0] ** 2 + (0.1 * predicted[0]) ** 2)
    pulls = (drawn - predicted) / sigma
    assert abs(pulls.mean()) < 4 / np.sqrt(pulls.size)
    assert abs(pulls.std() - 1.0) < 4 / np.sqrt(2 * pulls.size)


def test_it_is_recorded_and_read_again(small_content, build, free):
    config = config_from_mapping(scattered(small_content(), prior=PRIOR))
    import tomllib

    again = tomllib.loads(resolved_toml(config, build_model(config), load_data(config)))
    assert again["likelihoods"]["ams02"]["nuisances"]["scatter"]["prior"] == PRIOR
    assert build(again).fingerprint == free.fingerprint


def test_it_may_be_linked(small_content, build):
    content = small_content()
    content["likelihoods"]["dampe"] = {"species": ["H"], "nuisances": {"scatter": {"prior": PRIOR}}}
    content["parameters"]["ams02"] = {"scatter": {"linked": "dampe.scatter"}}
    posterior = build(content)
    assert [n for n in posterior.names if n.endswith("scatter")] == ["dampe.scatter"]
    theta = posterior.sample_prior(np.random.default_rng(0), 2)
    assert np.all(np.isfinite(posterior.log_posterior(theta)))


@pytest.mark.parametrize(
    "settings", [{"value": -0.1}, {"prior": {"kind": "normal", "mean": 0.1, "standard_deviation": 0.1}}]
)
def test_a_negative_scatter_is_refused(small_content, build, settings):
    with pytest.raises(ParameterError, match=r"ams02\.scatter can be") as caught:
        build(scattered(small_content(), **settings))
    assert "half_normal" in caught.value.remedy


def test_a_misspelled_scatter_is_shown_the_right_name(small_content, build):
    content = small_content()
    content["parameters"]["ams02"] = {"scater": 0.1}
    with pytest.raises(ConfigError, match=r"ams02\.scater") as caught:
        build(content)
    assert "'ams02.scatter'" in caught.value.remedy
