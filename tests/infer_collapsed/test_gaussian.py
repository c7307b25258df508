"""The closed form against exact results of Gaussian models."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from stellarcr.infer.collapsed.gaussian import Expansion, draw, find_peak, integrate


def linear_problem(n=5, d=3, n_points=20, seed=3):
    rng = np.random.default_rng(seed)
    design = rng.standard_normal((n, d, n_points))
    residuals = rng.standard_normal((n, n_points)) * 2.0
    peak = find_peak(
        design @ np.swapaxes(design, 1, 2), (design @ residuals[..., None])[..., 0], np.sum(residuals**2, axis=-1)
    )
    return design, residuals, peak


def gaussian_prior(at, mean, covariance):
    precision = np.linalg.inv(covariance)
    value = multivariate_normal(mean, covariance).logpdf(at)
    return Expansion(at, value, -(at - mean) @ precision, np.broadcast_to(-precision, (len(at), *precision.shape)))


def test_integral_over_a_gaussian_prior_is_the_marginal_of_the_data():
    design, residuals, peak = linear_problem()
    mean, root = np.array([0.4, -1.0, 2.0]), np.array([[1.0, 0, 0], [0.5, 0.7, 0], [-0.2, 0.1, 2.0]])
    covariance = root @ root.T
    found = integrate(peak, gaussian_prior(peak.amplitudes, mean, covariance)).log_integral
    n_points = residuals.shape[-1]
    for k in range(len(found)):
        # data = design a + unit noise, a from the prior: Gaussian with this covariance
        total = np.eye(n_points) + design[k].T @ covariance @ design[k]
        exact = multivariate_normal(design[k].T @ mean, total).logpdf(residuals[k]) + 0.5 * n_points * np.log(2 * np.pi)
        assert found[k] == pytest.approx(exact, abs=1e-9)


def test_draws_follow_the_conditional_distribution():
    design, residuals, peak = linear_problem(n=1)
    covariance = np.diag([0.5, 1.0, 0.3])
    mean = np.array([1.0, 0.0, -1.0])
    marginal = integrate(peak, gaussian_prior(peak.amplitudes, mean, covariance))
    precision = np.linalg.inv(covariance) + design[0] @ design[0].T
    exact_mean = np.linalg.solve(precision, np.linalg.solve(covariance, mean) + design[0] @ residuals[0])
    assert marginal.mean[0] == pytest.approx(exact_mean, abs=1e-10)
    count = 40_000
    sample = draw(marginal, np.random.default_rng(1), count)[0]
    exact_covariance = np.linalg.inv(precision)
    # in units of the exact distribution the draws are standard normal
    white = (sample - exact_mean) @ np.linalg.cholesky(precision)
    assert np.abs(white.mean(axis=0)).max() < 5 / np.sqrt(count)
    assert np.cov(white.T) == pytest.approx(np.eye(3), abs=5 * np.sqrt(2 / count))
    assert np.cov(sample.T) == pytest.approx(exact_covariance, abs=0.05 * exact_covariance.max())


def test_peak_is_the_least_squares_solution_whatever_the_scales():
    rng = np.random.default_rng(8)
    scales = np.array([1e-6, 1.0, 1e5])
    design = rng.standard_normal((1, 3, 30)) * scales[:, None]
    residuals = rng.standard_normal((1, 30))
    peak = find_peak(
        design @ np.swapaxes(design, 1, 2), (design @ residuals[..., None])[..., 0], np.sum(residuals**2, axis=-1)
    )
    solution, left, *_ = np.linalg.lstsq((design[0] / scales[:, None]).T, residuals[0], rcond=None)
    assert peak.amplitudes[0] * scales == pytest.approx(solution, rel=1e-9)
    assert peak.chi2[0] == pytest.approx(left[0], rel=1e-10)
    away = peak.amplitudes + 0.3 / scales
    assert peak.chi2_at(away)[0] == pytest.approx(np.sum((residuals[0] - away[0] @ design[0]) ** 2), rel=1e-10)


def test_precision_that_is_not_positive_is_said():
    _, _, peak = linear_problem(n=1)
    flat = Expansion(peak.amplitudes, np.zeros(1), np.zeros((1, 3)), 2.0 * peak.precision)
    assert np.isnan(integrate(peak, flat).log_integral[0])
