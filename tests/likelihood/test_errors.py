"""Single properties of error models; what holds for all of them is in `test_error_contract`."""

import itertools

import numpy as np
import pytest
from error_models import HADRONIC, LOG_R, STAT, SYST
from scipy import stats
from scipy.integrate import quad, trapezoid

from stellarcr.errors import DataError
from stellarcr.likelihood.components import correlation_matrix, gaussian_errors
from stellarcr.likelihood.errors import CorrelatedErrors, IndependentErrors, UpperLimits, combine

RESIDUALS = np.random.default_rng(4).normal(0, 1, (7, 4))


def correlation(kind, n=4):
    """Between points, by definition, element by element."""
    length = 0.4
    result = np.zeros((n, n))
    for i, j in itertools.product(range(n), repeat=2):
        same, near = float(i == j), np.exp(-abs(LOG_R[i] - LOG_R[j]) / length)
        result[i, j] = {"uncorrelated": same, "full": 1.0, "length": near}[kind]
    return result


@pytest.mark.parametrize(("lower", "upper"), [(0.5, 0.5), (0.2, 1.0), (3.0, 0.1)])
def test_a_two_piece_error_is_normalised(lower, upper):
    model = IndependentErrors(np.array([lower]), np.array([upper]))
    # over the data at a fixed model: below it the upper error counts, above it the lower one
    density = lambda r: float(np.exp(model.log_likelihood(np.array([r]))))  # noqa: E731
    below, above = (quad(density, *ends, epsrel=1e-12)[0] for ends in ((-np.inf, 0), (0, np.inf)))
    assert below + above == pytest.approx(1.0, rel=1e-9)
    assert below / above == pytest.approx(upper / lower, rel=1e-9)


def test_a_two_piece_error_takes_the_side_of_the_model():
    model = IndependentErrors(np.array([1.0]), np.array([4.0]))
    # the model lies above the data: the upper error
    assert model.chi2(np.array([-4.0])) == pytest.approx(1.0, rel=1e-14)
    assert model.chi2(np.array([4.0])) == pytest.approx(16.0, rel=1e-14)


def test_asymmetric_errors_become_normal_where_they_are_equal():
    residuals = RESIDUALS[:, :2]
    expected = stats.norm(0, STAT[:2]).logpdf(residuals).sum(axis=-1)
    np.testing.assert_allclose(IndependentErrors(STAT[:2], STAT[:2]).log_likelihood(residuals), expected, rtol=1e-12)


def test_a_correlated_density_is_normalised():
    model = CorrelatedErrors(np.array([[0.5, -0.4], [-0.4, 0.6]]))
    axis = np.linspace(-8, 8, 401)
    residuals = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1)
    density = np.exp(model.log_likelihood(residuals))
    # the trapezoid rule converges exponentially for a Gaussian that is resolved and ends at ten sigma
    assert trapezoid(trapezoid(density, axis), axis) == pytest.approx(1.0, rel=1e-12)


def test_an_upper_limit_is_a_probability():
    model = UpperLimits(np.array([0.7]))
    limit, prediction = 2.0, np.linspace(0.0, 30.0, 31)
    expected = stats.norm.logcdf((limit - prediction) / 0.7)
    found = model.log_likelihood((limit - prediction)[:, None])
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    # of a measurement that follows the prediction, this fraction stays below the limit
    fraction = quad(lambda d: stats.norm.pdf(d, 3.0, 0.7), -np.inf, limit)[0]
    assert np.exp(model.log_likelihood(np.array([limit - 3.0]))) == pytest.approx(fraction, rel=1e-8)
    # far above its limit a model is excluded, by a finite amount that still grows
    assert np.all(np.isfinite(found))
    assert np.all(np.diff(found) < 0)
    assert model.chi2(np.array([50.0])) == 0.0


def test_systematics_join_in_quadrature_on_each_side():
    errors = gaussian_errors((STAT, 2 * STAT), [(SYST, 3 * SYST, np.eye(4)), (HADRONIC, HADRONIC, np.eye(4))])
    assert isinstance(errors, IndependentErrors)
    np.testing.assert_allclose(errors.lower, np.sqrt(STAT**2 + SYST**2 + HADRONIC**2), rtol=1e-14)
    np.testing.assert_allclose(errors.upper, np.sqrt(4 * STAT**2 + 9 * SYST**2 + HADRONIC**2), rtol=1e-14)


def test_a_correlated_component_uses_the_mean_of_both_sides():
    covariance = gaussian_errors((STAT, 3 * STAT), [(SYST, 2 * SYST, correlation("full"))])
    expected = np.diag((2 * STAT) ** 2) + np.outer(1.5 * SYST, 1.5 * SYST)
    np.testing.assert_allclose(covariance, expected, rtol=1e-14)


@pytest.mark.parametrize("kind", ["uncorrelated", "full", "length"])
def test_correlation_matrices(kind):
    found = correlation_matrix(kind, LOG_R, 0.4 if kind == "length" else None)
    np.testing.assert_allclose(found, correlation(kind), rtol=1e-13)


@pytest.mark.parametrize(("kind", "length"), [("fully", None), ("length", None), ("length", 0.0), ("length", -1.0)])
def test_impossible_correlations_are_refused(kind, length):
    with pytest.raises(DataError, match=repr(kind)) as caught:
        correlation_matrix(kind, LOG_R, length)
    assert "length" in caught.value.remedy


@pytest.mark.parametrize("bad", [0.0, -1.0, np.nan, np.inf])
def test_an_error_that_is_not_positive_is_refused(bad):
    with pytest.raises(DataError, match="upper error of point 2"):
        IndependentErrors(STAT, np.array([1.0, 1.0, bad, 1.0]))


@pytest.mark.parametrize(
    "covariance",
    [np.ones((2, 2)), np.array([[1.0, 2.0], [2.0, 1.0]]), np.diag([1.0, 0.0]), np.diag([1.0, np.nan])],
    ids=["singular", "indefinite", "zero", "nan"],
)
def test_a_matrix_that_is_no_covariance_is_refused(covariance):
    with pytest.raises(DataError, match="not positive definite"):
        CorrelatedErrors(covariance).log_likelihood(np.zeros(2))


def test_covariances_over_many_decades():
    # fluxes fall by ten decades within one table
    scale = np.array([1.0, 1e-3, 1e-6, 1e-10])
    covariance = np.outer(scale, scale) * (0.3 * correlation("length") + np.eye(4))
    unscaled = stats.multivariate_normal(np.zeros(4), covariance / np.outer(scale, scale)).logpdf(RESIDUALS)
    found = CorrelatedErrors(covariance).log_likelihood(RESIDUALS * scale)
    np.testing.assert_allclose(found, unscaled - np.sum(np.log(scale)), rtol=1e-12)


def test_groups_of_independent_gaussians_become_one():
    flat = combine([(np.arange(2), IndependentErrors(STAT[:2], STAT[:2])), (np.arange(2, 4), IndependentErrors(
        STAT[2:], 2 * STAT[2:]))])  # fmt: skip
    assert isinstance(flat, IndependentErrors)
    np.testing.assert_array_equal(flat.upper, [*STAT[:2], *(2 * STAT[2:])])
    swapped = combine([(np.array([2, 3]), IndependentErrors(STAT[:2], STAT[:2])), (np.array([0, 1]), IndependentErrors(
        STAT[2:], STAT[2:]))])  # fmt: skip
    expected = stats.norm(0, STAT[[2, 3, 0, 1]]).logpdf(RESIDUALS).sum(axis=-1)
    np.testing.assert_allclose(swapped.log_likelihood(RESIDUALS), expected, rtol=1e-12)
