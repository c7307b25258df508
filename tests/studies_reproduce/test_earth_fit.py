"""Powers of the reference populations: the linear fit against brute force, and on data that are known."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import minimize

from stellarcr.config import build_posterior, config_from_mapping
from stellarcr.errors import ModelError
from stellarcr.likelihood.errors import CombinedErrors, CorrelatedErrors, IndependentErrors, UpperLimits
from stellarcr.studies.reproduce.earth_fit import (
    ELEMENTS,
    SOURCES,
    EarthFit,
    configuration,
    fit_powers,
    nonnegative_fit,
    whitened,
)


@pytest.fixture(scope="module")
def posterior():
    """Return the posterior of the reference populations in one slab, without fragments."""
    config = configuration(fragments=False)
    return build_posterior(config.model_copy(update={"galaxy": config.galaxy | {"geometry": "slab"}}))


@pytest.fixture(scope="module")
def fitted(posterior):
    return fit_powers(posterior)


def with_data(posterior, theta):
    """Return the posterior with what it predicts at a point in place of the data."""
    predicted = posterior.predictions(theta[None, :])
    likelihoods = []
    for likelihood in posterior.likelihoods:
        tables = tuple(replace(t, value=predicted[t.name][0] * t.value.unit) for t in likelihood.data.tables)
        likelihoods.append(replace(likelihood, data=replace(likelihood.data, tables=tables)))
    return replace(posterior, likelihoods=tuple(likelihoods))


@pytest.mark.parametrize("seed", range(5))
def test_linear_fit_against_brute_force(seed):
    rng = np.random.default_rng(seed)
    design = rng.lognormal(size=(40, 3)) * np.array([1e-3, 1.0, 1e4])
    residual = design @ (np.array([2.0, -1.0 + seed / 2, 0.7]) / np.array([1e-3, 1.0, 1e4])) + rng.normal(size=40)
    found, chi2 = nonnegative_fit(design, residual)
    scaled = design / np.array([1e-3, 1.0, 1e4])
    searched = minimize(
        lambda x: np.sum((scaled @ x - residual) ** 2), np.ones(3), bounds=[(0.0, None)] * 3, options={"ftol": 1e-14}
    )
    assert chi2 == pytest.approx(searched.fun, rel=1e-6)
    np.testing.assert_allclose(found * np.array([1e-3, 1.0, 1e4]), searched.x, rtol=1e-3, atol=1e-4)
    assert chi2 == pytest.approx(np.sum((design @ found - residual) ** 2))


def test_a_column_that_changes_nothing_gets_nothing():
    found, chi2 = nonnegative_fit(np.array([[1.0, 0.0], [1.0, 0.0]]), np.array([1.0, 3.0]))
    np.testing.assert_allclose(found, [2.0, 0.0])
    assert chi2 == pytest.approx(2.0)


def test_squares_of_whitened_residuals_are_chi2():
    rng = np.random.default_rng(1)
    root = rng.normal(size=(4, 4)) * np.array([1.0, 1e-3, 1e-6, 1e-9])[:, None]
    correlated = CorrelatedErrors(root @ root.T + np.diag(np.diag(root @ root.T)))
    plain = IndependentErrors(np.array([0.1, 2.0]), np.array([0.1, 2.0]))
    both = CombinedErrors(((np.array([0, 2, 4, 5]), correlated), (np.array([1, 3]), plain)))
    residuals = rng.normal(size=(3, 6))
    np.testing.assert_allclose(np.sum(whitened(both, residuals) ** 2, axis=-1), both.chi2(residuals), rtol=1e-9)


def test_upper_limits_are_refused():
    with pytest.raises(ModelError, match="UpperLimits"):
        whitened(UpperLimits(np.ones(2)), np.ones(2))


def test_powers_are_recovered_from_mock_data(posterior):
    truth = {"snr.power": 2.2e48, "o_wind.power": 5e46, "wr_wind.power": 1.1e47, "msc.power": 3e47}
    truth |= {"ams02.phi": 0.65, "dampe.phi": 0.5}
    point = np.array([truth[name] for name in posterior.names])
    found = fit_powers(with_data(posterior, point))
    assert found.total_chi2 < 1e-2
    assert found.values == pytest.approx(truth, rel=3e-3)


def test_a_population_that_the_data_exclude_gets_no_power(posterior):
    truth = {"snr.power": 2.2e48, "o_wind.power": 0.0, "wr_wind.power": 1.1e47, "msc.power": 3e47}
    truth |= {"ams02.phi": 0.65, "dampe.phi": 0.5}
    point = np.array([truth[name] for name in posterior.names])
    found = fit_powers(with_data(posterior, point))
    assert 0.0 <= found.values["o_wind.power"] < 2e44


def test_no_neighbour_is_better(posterior, fitted):
    best = float(posterior.log_posterior(fitted.best[None, :])[0])
    rng = np.random.default_rng(0)
    steps = rng.normal(size=(300, len(fitted.best))) * rng.choice([1e-3, 1e-2, 0.1], size=(300, 1))
    # a power at zero may only grow
    scale = np.where(fitted.best > 0, fitted.best, 1e46)
    points = np.maximum(fitted.best + steps * scale, 0.0)
    assert np.all(posterior.log_posterior(points) <= best + 1e-3)
    assert fitted.total_chi2 == pytest.approx(sum(value for value, _ in fitted.chi2.values()))


def test_the_fit_is_the_same_again(posterior, fitted):
    np.testing.assert_array_equal(fit_powers(posterior).best, fitted.best)


def test_shapes_and_data_are_those_of_the_paper(posterior):
    space = posterior.space
    assert [name for name in space.names if name.endswith(".power")] == [f"{name}.power" for name in SOURCES]
    resolved = EarthFit(posterior, posterior.reference()).parameters
    values = posterior.model.local_values(resolved)
    assert (values["snr"]["gamma1"], values["snr"]["gamma2"], values["snr"]["R_br"]) == (-2.2, -2.45, 10.0)
    assert [values[name]["R_max"] for name in SOURCES] == [5e4, 6e4, 1.5e5, 5e6]
    assert [values[name]["gamma"] for name in SOURCES[1:]] == [-1.95, -1.95, -2.1]
    fitted_species = {t.species for likelihood in posterior.likelihoods for t in likelihood.data.tables}
    assert fitted_species == set(ELEMENTS)


def test_another_free_parameter_is_refused(small_content):
    with pytest.raises(ModelError, match=r"snr\.log10_power"):
        fit_powers(build_posterior(config_from_mapping(small_content())))
