"""Posterior predictive statistics against cases that are known exactly."""

import numpy as np
import pytest
from scipy.stats import chi2, kstest

from stellarcr.errors import DataError, ParameterError
from stellarcr.infer.predictive import LEAST_DRAWS, check_predictions, covariance_of, replicate, without_limits
from stellarcr.likelihood.errors import CombinedErrors, CorrelatedErrors, IndependentErrors, UpperLimits

N, K = 12, 3
X = np.linspace(-1.0, 1.0, N)
DESIGN = np.stack([np.ones(N), X, X**2], axis=1)
PRIOR = np.array([2.0, 1.0, 0.5])


def correlated():
    sigma = np.linspace(0.5, 1.5, N)
    return CorrelatedErrors(np.outer(sigma, sigma) * np.exp(-np.abs(X[:, None] - X) / 0.3))


def asymmetric():
    return IndependentErrors(np.linspace(0.5, 1.0, N), np.linspace(0.8, 2.0, N))


ERRORS = pytest.mark.parametrize("errors", [correlated(), asymmetric()], ids=["correlated", "asymmetric"])


def prior_draws(rng, count):
    """Predictions of the linear model for parameters from the prior."""
    return rng.normal(size=(count, K)) * PRIOR @ DESIGN.T


def fit(values, covariance):
    """Mean and covariance of the parameters given Gaussian data."""
    information = np.linalg.inv(covariance)
    posterior = np.linalg.inv(np.diag(PRIOR**-2) + DESIGN.T @ information @ DESIGN)
    return posterior @ DESIGN.T @ information @ values, posterior


@pytest.fixture(scope="module")
def new_data():
    """Return checks of 300 data sets that the prior predicts, none of which made the draws."""
    rng, errors = np.random.default_rng(1), correlated()
    return [
        check_predictions(
            prior_draws(rng, 1)[0] + replicate(errors, rng, 1)[0], prior_draws(rng, 400), errors, rng, 2000
        )
        for _ in range(300)
    ]


def test_predictive_chi2_of_new_data_follows_chi2(new_data):
    assert kstest([c.predictive_chi2 for c in new_data], chi2(N).cdf).pvalue > 0.01


def test_chi2_of_new_data_is_larger_where_predictions_are_uncertain(new_data):
    """Its mean is n + trace(C_data^-1 C_model): the data's errors alone do not explain the distance."""
    model = DESIGN @ np.diag(PRIOR**2) @ DESIGN.T
    expected = N + np.trace(np.linalg.solve(correlated().covariance, model))
    values = np.array([c.chi2 for c in new_data])
    assert expected > 2 * N
    assert values.mean() == pytest.approx(expected, abs=4 * values.std() / np.sqrt(len(values)))


def test_p_values_of_new_data_are_uniform(new_data):
    assert kstest([c.p_value for c in new_data], "uniform").pvalue > 0.01


def test_realised_p_value_of_new_data_is_small_where_predictions_are_wide(new_data):
    """What the documentation warns of; the predictive p-value is there for this case."""
    assert np.mean([c.p_realised < 0.05 for c in new_data]) > 0.2


def test_p_values_do_not_need_many_draws_or_a_gaussian_posterior():
    """Few draws, a skewed posterior and asymmetric errors: the statistic is no chi2, its p-value is uniform still."""
    rng, errors = np.random.default_rng(2), asymmetric()

    def draws(count):
        return rng.exponential(size=(count, K)) * 3.0 @ DESIGN.T

    p = [
        check_predictions(draws(1)[0] + replicate(errors, rng, 1)[0], draws(40), errors, rng, 1000).p_value
        for _ in range(300)
    ]
    assert kstest(p, "uniform").pvalue > 0.01


def test_p_values_of_fitted_data_are_conservative():
    rng, errors = np.random.default_rng(3), correlated()
    checks = []
    for _ in range(200):
        values = prior_draws(rng, 1)[0] + replicate(errors, rng, 1)[0]
        mean, covariance = fit(values, errors.covariance)
        theta = rng.multivariate_normal(mean, covariance, size=200)
        checks.append(check_predictions(values, theta @ DESIGN.T, errors, rng, 1000))
    for name in ("p_value", "p_realised"):
        p = np.array([getattr(c, name) for c in checks])
        assert np.mean(p < 0.05) < 0.05
        assert np.mean(p < 0.25) < 0.2
        assert p.mean() > 0.5


def test_predictions_without_spread_leave_the_data_s_errors():
    rng, errors = np.random.default_rng(4), correlated()
    values = replicate(errors, rng, 1)[0]
    check = check_predictions(values, np.zeros((50, N)), errors, rng, 40_000)
    expected = values @ np.linalg.solve(errors.covariance, values)
    assert check.points == N
    assert check.chi2 == pytest.approx(expected, rel=1e-10)
    assert check.predictive_chi2 == pytest.approx(expected, rel=1e-10)
    assert check.predictive_chi2_error == pytest.approx(0.0, abs=1e-10)
    assert check.p_realised == pytest.approx(chi2(N).sf(expected), rel=1e-10)
    assert check.p_value == pytest.approx(chi2(N).sf(expected), abs=4 * check.p_value_error)


def test_intrinsic_scatter_is_an_error_of_the_data():
    """Without spread, a scatter is a covariance with a larger diagonal; that of each draw is its own."""
    rng, errors = np.random.default_rng(10), correlated()
    variance = np.tile(rng.uniform(1.0, 4.0, N), (50, 1))
    values = replicate(errors, rng, 1, variance=variance[0])[0]
    check = check_predictions(values, np.zeros((50, N)), errors, rng, 40_000, variance)
    expected = values @ np.linalg.solve(errors.covariance + np.diag(variance[0]), values)
    assert check.chi2 == pytest.approx(expected, rel=1e-10)
    assert check.predictive_chi2 == pytest.approx(expected, rel=1e-10)
    assert check.p_realised == pytest.approx(chi2(N).sf(expected), rel=1e-9)
    assert check.p_value == pytest.approx(chi2(N).sf(expected), abs=4 * check.p_value_error)
    half = check_predictions(values, np.zeros((50, N)), errors, rng, 100, variance * (np.arange(50) % 2)[:, None])
    without = values @ np.linalg.solve(errors.covariance, values)
    assert half.p_realised == pytest.approx(0.5 * (chi2(N).sf(expected) + chi2(N).sf(without)), rel=1e-9)


@ERRORS
@pytest.mark.parametrize("count", [LEAST_DRAWS, 400])
def test_predictive_chi2_against_dense_matrices(errors, count):
    """Fewer draws than points and directions included."""
    rng = np.random.default_rng(5)
    draws, values = rng.normal(size=(count, N)) * 2.0, rng.normal(size=N)
    model = np.cov(draws.T) * (1 + 1 / count)
    residual = values - draws.mean(axis=0)
    expected = residual @ np.linalg.solve(covariance_of(errors) + model, residual)
    assert check_predictions(values, draws, errors, rng, 100).predictive_chi2 == pytest.approx(expected, rel=1e-9)


def test_monte_carlo_errors_are_those_of_repeated_draws():
    rng, errors = np.random.default_rng(6), correlated()
    values = prior_draws(rng, 1)[0] + 1.5
    checks = [check_predictions(values, prior_draws(rng, 200), errors, rng, 2000) for _ in range(60)]
    for name in ("predictive_chi2", "p_value", "p_realised"):
        scatter = np.std([getattr(c, name) for c in checks], ddof=1)
        quoted = np.mean([getattr(c, f"{name}_error") for c in checks])
        assert 0.5 < quoted / scatter < 2.0, name


@ERRORS
def test_replicated_data_have_the_density_of_the_error_model(errors):
    """chi2 of replicates follows chi2_n; a two-piece error is drawn from its wider side more often."""
    residuals = replicate(errors, np.random.default_rng(7), 4000)
    assert kstest(errors.chi2(residuals), chi2(N).cdf).pvalue > 0.01
    if isinstance(errors, IndependentErrors):
        share = errors.upper / (errors.lower + errors.upper)
        np.testing.assert_allclose(np.mean(residuals < 0, axis=0), share, atol=4 * 0.5 / np.sqrt(4000))
    else:
        scale = np.sqrt(np.diag(errors.covariance))
        np.testing.assert_allclose(
            np.cov(residuals.T) / np.outer(scale, scale), errors.covariance / np.outer(scale, scale), atol=0.1
        )


def test_groups_keep_their_points():
    first, second = np.array([0, 2]), np.array([1, 3])
    part = CorrelatedErrors(np.array([[2.0, 0.5], [0.5, 1.0]]))
    errors = CombinedErrors(((first, part), (second, IndependentErrors(np.array([1.0, 3.0]), np.array([1.0, 3.0])))))
    expected = np.array([[2.0, 0, 0.5, 0], [0, 1, 0, 0], [0.5, 0, 1.0, 0], [0, 0, 0, 9.0]])
    np.testing.assert_array_equal(covariance_of(errors), expected)
    sample = replicate(errors, np.random.default_rng(8), 20_000)
    np.testing.assert_allclose(np.cov(sample.T), expected, atol=0.3)


def test_upper_limits_are_left_out():
    limits, measured = UpperLimits(np.array([1.0])), IndependentErrors(np.array([1.0, 2.0]), np.array([1.0, 2.0]))
    errors = CombinedErrors(((np.array([0, 2]), measured), (np.array([1]), limits)))
    kept, points = without_limits(errors)
    np.testing.assert_array_equal(points, [0, 2])
    np.testing.assert_array_equal(covariance_of(kept), np.diag([1.0, 4.0]))
    assert without_limits(limits)[0] is None
    nested = CombinedErrors(((np.array([3, 0, 1]), errors), (np.array([2]), limits)))
    kept, points = without_limits(nested)
    np.testing.assert_array_equal(points, [1, 3])
    np.testing.assert_array_equal(covariance_of(kept), np.diag([4.0, 1.0]))
    with pytest.raises(DataError, match="UpperLimits"):
        covariance_of(errors)
    with pytest.raises(DataError, match="UpperLimits"):
        replicate(limits, np.random.default_rng(0), 1)


def test_too_few_draws_and_predictions_that_are_not_finite():
    rng, errors = np.random.default_rng(9), correlated()
    with pytest.raises(ParameterError, match="5 draws"):
        check_predictions(np.zeros(N), np.zeros((5, N)), errors, rng)
    draws = np.zeros((50, N))
    draws[3, 1] = np.nan
    with pytest.raises(DataError, match="1 of 50 draws"):
        check_predictions(np.zeros(N), draws, errors, rng)


def test_far_data_have_a_p_value_above_zero_with_its_error():
    rng, errors = np.random.default_rng(10), correlated()
    check = check_predictions(np.full(N, 50.0), prior_draws(rng, 100), errors, rng, 1000)
    assert 0 < check.p_value <= 1 / 500
    assert check.p_value_error == pytest.approx(1 / 1001)
