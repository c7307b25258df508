"""LHAASO for one hadronic model, or the mean of the likelihoods of several."""

import itertools

import numpy as np
import pytest
from scipy.special import logsumexp

from stellarcr.data import load_spectrum
from stellarcr.errors import ConfigError, DataError, StellarcrError
from stellarcr.likelihood.experiment import load_experiment
from stellarcr.likelihood.mixture import MixtureErrors

MODELS = ["EPOS-LHC", "QGSJET-II-04", "SIBYLL-2.3d"]


@pytest.fixture(scope="module")
def lhaaso(small_content, build):
    """Return a function that builds a posterior of LHAASO alone."""

    def make(key="lhaaso", **changes):
        content = small_content()
        content["parameters"]["snr"]["log10_R_max"] = {"prior": "uniform", "low": 5.0, "high": 7.0, "value": 6.5}
        content["likelihoods"] = {key: changes}
        return build(content)

    return make


def points(posterior, n=40):
    """Parameters near a fit, where every hadronic model has something to say."""
    theta = posterior.sample_prior(np.random.default_rng(0), n)
    names = list(posterior.names)
    (table, *_) = posterior.likelihoods[0].data.tables
    predicted = posterior.predictions(theta)[table.name]
    theta[:, names.index("snr.log10_power")] += np.log10(np.median(table.value.value / predicted, axis=1))
    return theta


@pytest.mark.parametrize(("weights", "shares"), [(None, [1 / 3] * 3), ([2.0, 1.0, 5.0], [0.25, 0.125, 0.625])])
def test_the_mean_is_that_of_the_models(lhaaso, weights, shares):
    together = lhaaso(hadronic_model=MODELS, **({} if weights is None else {"hadronic_weights": weights}))
    theta = points(together)
    alone = [lhaaso(hadronic_model=model) for model in MODELS]
    each = np.array([posterior.log_likelihood(theta) for posterior in alone])
    # densities of different numbers, the published fluxes, are compared as densities of the same counts
    logs = np.array([np.log(posterior.likelihoods[0].data.values) for posterior in alone])
    jacobian = (logs - logs.mean(axis=0)).sum(axis=1)
    terms = each + (np.log(shares) + jacobian)[:, None]
    np.testing.assert_allclose(together.log_likelihood(theta), logsumexp(terms, axis=0), rtol=1e-11)
    probability = np.exp(terms - logsumexp(terms, axis=0))
    derived = together.derived(theta)
    for model, expected in zip(MODELS, probability, strict=True):
        np.testing.assert_allclose(derived[f"hadronic_probability.lhaaso.{model}"], expected, rtol=1e-8, atol=1e-12)
    ((name, (chi2, count)),) = together.chi2_terms(theta).items()
    assert (name, count) == ("LHAASO H+He", 38)
    expected = sum(
        p * posterior.chi2_terms(theta)["LHAASO H+He"][0] for p, posterior in zip(probability, alone, strict=True)
    )
    np.testing.assert_allclose(chi2, expected, rtol=1e-9)


def test_one_model_has_no_probabilities(lhaaso):
    posterior = lhaaso(hadronic_model="EPOS-LHC")
    assert not [name for name in posterior.derived(posterior.reference()[None, :]) if "hadronic" in name]


def test_the_unit_of_a_model_does_not_decide():
    """A model that made all fluxes and their errors half as large would be neither better nor worse."""
    data = load_experiment("lhaaso", changes={"hadronic_model": MODELS})
    errors = data.groups[0].errors
    assert isinstance(errors, MixtureErrors)
    np.testing.assert_allclose(np.sum(np.log(errors.scale), axis=0), 0.0, atol=1e-12)
    perfect = np.zeros(errors.size)
    # at residuals of zero what is left are the relative errors of the models
    sizes = [np.linalg.slogdet(model.covariance / np.outer(v, v))[1] for (index, model) in errors.alternatives
             for v in [data.values[index]]]  # fmt: skip
    expected = np.exp(-0.5 * np.array(sizes) - logsumexp(-0.5 * np.array(sizes)))
    np.testing.assert_allclose(errors.probabilities(perfect), expected, rtol=1e-8)


def test_correlated_errors_and_scatter_of_every_model(lhaaso):
    settings = {"errors": {"systematic": {"total": {"correlation": "length", "length": 2.3}}},
                "nuisances": {"scatter": {"value": 0.05}}}  # fmt: skip
    together = lhaaso(hadronic_model=MODELS, **settings)
    theta = points(together, 5)
    alone = [lhaaso(hadronic_model=model, **settings) for model in MODELS]
    logs = np.array([np.log(posterior.likelihoods[0].data.values) for posterior in alone])
    terms = np.array([p.log_likelihood(theta) for p in alone]) + (logs - logs.mean(axis=0)).sum(axis=1)[:, None]
    np.testing.assert_allclose(together.log_likelihood(theta), logsumexp(terms, axis=0) - np.log(3), rtol=1e-10)


def test_log_masses_are_compared_as_they_are(lhaaso):
    together = lhaaso("lhaaso_lna", hadronic_model=MODELS)
    theta = together.sample_prior(np.random.default_rng(1), 4)
    each = [lhaaso("lhaaso_lna", hadronic_model=model).log_likelihood(theta) for model in MODELS]
    np.testing.assert_allclose(together.log_likelihood(theta), logsumexp(each, axis=0) - np.log(3), rtol=1e-11)


def test_mock_data_are_one_measurement(lhaaso):
    posterior = lhaaso(hadronic_model=MODELS)
    (likelihood,) = posterior.likelihoods
    theta = np.repeat(points(posterior, 1), 500, axis=0)
    values = posterior.space.resolve(theta)
    predicted = likelihood.predict(posterior.sources.evaluate(values, 500), values)
    drawn = likelihood.draw(np.random.default_rng(2), predicted, values)
    published = likelihood.data.values
    for first, second in itertools.pairwise(np.arange(114).reshape(3, 38)):
        # the same counts, converted by each model as it converts the published ones
        np.testing.assert_allclose(
            drawn[:, second] / drawn[:, first], np.broadcast_to(published[second] / published[first], (500, 38))
        )


def test_difference_is_kept_for_every_model():
    data = load_experiment("lhaaso", changes={"hadronic_model": MODELS})
    assert [table.hadronic_model for table in data.tables] == [m for m in MODELS for _ in "12"]
    assert [t.name for t in data.distinct_tables] == ["LHAASO_H_EPOS-LHC", "LHAASO_He_EPOS-LHC"]
    for k, model in enumerate(MODELS):
        one = load_experiment("lhaaso", changes={"hadronic_model": model})
        index, errors = data.groups[0].errors.alternatives[k]
        np.testing.assert_array_equal(data.values[index], one.values)
        np.testing.assert_array_equal(errors.covariance, one.errors.covariance)
        assert one.values[0] == load_spectrum("LHAASO", "H", model).value.value[0]


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"hadronic_model": ["EPOS-LHC"]}, "two or more different models"),
        ({"hadronic_model": ["EPOS-LHC", "EPOS-LHC"]}, "two or more different models"),
        ({"hadronic_model": MODELS, "hadronic_weights": [1.0, 2.0]}, "one weight for each"),
        ({"hadronic_model": MODELS, "hadronic_weights": [1.0, 2.0, 0.0]}, "not all positive"),
        ({"hadronic_model": "EPOS-LHC", "hadronic_weights": [1.0]}, "needs a list"),
        ({"hadronic_model": ["EPOS-LHC", "EPOS"]}, "'EPOS'"),
    ],
)
def test_impossible_choices_are_refused(changes, match):
    with pytest.raises(StellarcrError, match=match) as caught:
        load_experiment("lhaaso", changes=changes)
    assert caught.value.remedy


def test_models_with_other_bins_are_no_reductions_of_one_measurement(tmp_path, write_table):
    edges = np.array([1e5, 2e5, 4e5, 8e5])
    flux = np.array([3e-10, 5e-11, 8e-12])
    for model, high in (("A", 1.0), ("B", 1.1)):
        path = write_table(f"TOY_{model}", "H", edges[:-1] * high, edges[1:] * high, flux, 0.1 * flux, axis="ETOT")
        path.write_text(
            path.read_text().replace("- {axis: ETOT}", f"- {{axis: ETOT}}\n# - {{hadronic_model: {model}}}")
        )
    file = tmp_path / "toy.toml"
    file.write_text('experiment = "TOY"\nspecies = ["H"]\nfolder = "tables"\nhadronic_model = ["A", "B"]\n')
    with pytest.raises(DataError, match="different bins") as caught:
        load_experiment("toy", str(file))
    assert "one hadronic model" in caught.value.remedy


@pytest.mark.parametrize(
    ("first", "second", "match"),
    [
        ("EPOS-LHC", "QGSJET-II-04", "one of them cannot hold"),
        (MODELS, MODELS, "each would choose its own"),
        ("EPOS-LHC", MODELS, "each would choose its own"),
    ],
)
def test_likelihoods_of_one_experiment_hold_for_one_model(small_content, build, first, second, match):
    content = small_content()
    content["likelihoods"] = {"lhaaso": {"hadronic_model": first}, "lhaaso_all": {"hadronic_model": second}}
    with pytest.raises(ConfigError, match=match) as caught:
        build(content)
    assert "'lhaaso'" in caught.value.problem
    assert "'lhaaso_all'" in caught.value.problem
    assert "hadronic_model" in caught.value.remedy


def test_one_choice_for_sums_and_elements(lhaaso):
    posterior = lhaaso(hadronic_model=MODELS, species=["H", "He", "all"])
    ((name, (_, count)),) = posterior.chi2_terms(posterior.reference()[None, :]).items()
    assert (name, count) == ("LHAASO H+He+all", 58)
