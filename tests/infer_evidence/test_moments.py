"""Moments of weighted and equal-weight samples: exact values, errors that are the scatter of repetitions."""

import numpy as np
import pytest
from infer_toys import Gaussian
from scipy.stats import norm, t

from stellarcr.infer.importance.evidence import importance_evidence
from stellarcr.infer.importance.moments import agreement, sample_moments, weighted_moments


def repeated(rng, n, trials):
    """Moments of a standard normal from weighted draws of a wider Student t, and those of a Student t from itself."""
    proposal, heavy = t(6, scale=1.5), t(9)
    for _ in range(trials):
        x = proposal.rvs((n, 1), random_state=rng)
        yield (
            weighted_moments(x, (norm.logpdf(x) - proposal.logpdf(x))[:, 0]),
            sample_moments(heavy.rvs((n, 1), random_state=rng), n),
        )


def test_errors_are_the_scatter_of_repetitions():
    pairs = list(repeated(np.random.default_rng(0), 800, 400))
    for k, width in ((0, 1.0), (1, t(9).std())):
        for value, error, truth in (("mean", "mean_error", 0.0), ("width", "width_error", width)):
            pulls = np.array([(getattr(m[k], value)[0] - truth) / getattr(m[k], error)[0] for m in pairs])
            # the width of 400 pulls is known to 0.035, their mean to 0.05
            assert abs(np.std(pulls) - 1.0) < 0.15, (k, value)
            assert abs(np.mean(pulls)) < 0.3, (k, value)


def test_repeated_samples_are_worth_less():
    x = np.random.default_rng(1).normal(size=(500, 2))
    one, many = sample_moments(x, 500), sample_moments(np.repeat(x, 4, axis=0), 500)
    np.testing.assert_allclose(many.mean_error, one.mean_error)
    np.testing.assert_allclose(many.width_error, one.width_error)


def test_importance_sampling_gives_the_moments_of_the_posterior():
    """Also from samples that are shifted and too narrow, which the comparison names."""
    toy, rng = Gaussian(3), np.random.default_rng(2)
    sigma = np.sqrt(np.diag(toy.covariance))
    wrong = rng.multivariate_normal(toy.mean + np.array([0.4 * sigma[0], 0, 0]), 0.7 * toy.covariance, 2000)
    moments = importance_evidence(toy, wrong, rng, draws=20_000).moments
    assert np.all(np.abs(moments.mean - toy.mean) < 4 * moments.mean_error)
    assert np.all(np.abs(moments.width - sigma) < 4 * moments.width_error)
    assert np.all(moments.mean_error < 0.03 * sigma)
    found = agreement(sample_moments(wrong, len(wrong)), moments)
    assert found.shift[0] == pytest.approx(0.4, abs=4 * found.shift_error[0])
    np.testing.assert_allclose(found.ratio, np.sqrt(0.7), atol=4 * found.ratio_error.max())
