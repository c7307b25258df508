"""<ln A> as data: predictions, errors, and what it may not be mixed with."""

import numpy as np
import pytest

from stellarcr.errors import ConfigError
from stellarcr.likelihood.experiment import load_experiment
from stellarcr.observe import mean_log_mass


@pytest.fixture(scope="module")
def posterior(reference_content, build):
    """Return the reference model fitted to <ln A> and the all-particle flux."""
    content = reference_content()
    content["likelihoods"] = {"lhaaso_lna": {}, "lhaaso_all": {}}
    return build(content)


def exact(posterior, theta, table, nodes=48):
    """<ln A> of bin-averaged fluxes of every nuclide, from the model that evaluates everything exactly."""
    abscissae, weights = np.polynomial.legendre.leggauss(nodes)
    low, high = table.x_low.value, table.x_high.value
    half = 0.5 * np.log(high / low)[:, None]
    points = np.sqrt(low * high)[:, None] * np.exp(half * abscissae)
    average = half * weights * points / (high - low)[:, None]
    rows = []
    for one in theta:
        values = posterior.model_parameters(
            {k: float(np.ravel(v)[0]) for k, v in posterior.space.resolve(one[None, :]).items()}
        )
        fluxes = [
            (nuclide, np.sum(flux.reshape(points.shape) * average, axis=1))
            for element in posterior.model.elements
            for some in posterior.model.flux_by_nuclide(values, element, points.ravel(), "ETOT").values()
            for nuclide, flux in some.items()
        ]
        rows.append(mean_log_mass(fluxes))
    return np.stack(rows)


def test_predictions_are_those_of_the_exact_model(posterior):
    theta = posterior.sample_prior(np.random.default_rng(0), 3)
    (table,) = posterior.likelihoods[0].data.tables
    np.testing.assert_allclose(
        posterior.predictions(theta)["LHAASO_lnA_EPOS-LHC"], exact(posterior, theta, table), rtol=2e-3
    )


def test_names_and_counts(posterior):
    theta = posterior.reference()[None, :]
    chi2 = posterior.chi2_terms(theta)
    assert {name: count for name, (_, count) in chi2.items()} == {"LHAASO lnA": 20, "LHAASO all": 20}
    assert list(posterior.log_likelihood_terms(theta)) == ["LHAASO lnA", "LHAASO all"]
    # by hand: independent errors of <ln A> itself
    data = posterior.likelihoods[0].data
    residual = (data.values - posterior.predictions(theta)["LHAASO_lnA_EPOS-LHC"][0]) / data.total_errors[0]
    assert chi2["LHAASO lnA"][0][0] == pytest.approx(np.sum(residual**2), rel=1e-12)


def test_between_protons_and_iron(posterior):
    predicted = posterior.predictions(posterior.sample_prior(np.random.default_rng(1), 50))["LHAASO_lnA_EPOS-LHC"]
    assert np.all((predicted > 0) & (predicted < np.log(62)))


def test_powers_together_change_nothing(posterior):
    theta = posterior.reference()[None, :].repeat(2, axis=0)
    theta[1, [name.endswith("log10_power") for name in posterior.names]] += 0.3
    predicted = posterior.predictions(theta)
    np.testing.assert_allclose(*predicted["LHAASO_lnA_EPOS-LHC"], rtol=1e-11)
    np.testing.assert_allclose(predicted["LHAASO_all_EPOS-LHC"][1] / predicted["LHAASO_all_EPOS-LHC"][0], 10**0.3)


@pytest.mark.parametrize(
    ("species", "culprits"),
    [
        (["lnA", "all"], ("<ln A>", "fluxes")),
        (["lnA", "H/He"], ("<ln A>", "ratios")),
        (["all", "H/He"], ("ratios", "fluxes")),
    ],
)
def test_kinds_are_not_mixed(species, culprits):
    with pytest.raises(ConfigError, match="species holds") as caught:
        load_experiment("lhaaso_lna", changes={"species": species})
    assert all(culprit in caught.value.problem for culprit in culprits)
    assert "a likelihood of its own" in caught.value.remedy


def test_a_difference_is_about_fluxes():
    difference = {"total": "p+He", "minuend": "He", "subtrahend": "H"}
    with pytest.raises(ConfigError, match="about fluxes, and species holds <ln A>"):
        load_experiment("lhaaso_lna", changes={"errors": {"difference": difference}})
