"""Errors of means over nested runs, whose prior volumes are known only statistically."""

import numpy as np
import pytest

from stellarcr.infer.comparison.averages import log_mean
from stellarcr.infer.comparison.volumes import volume_weights
from stellarcr.infer.diagnostics import kish_sample_size
from stellarcr.infer.samplers.base import WeightedSamples
from stellarcr.infer.samplers.nested_parts import equal_weight_indices

DIMENSIONS, LIVE, WIDTH = 6, 60, 40.0


def perfect_run(rng):
    """A nested run of a Gaussian in a ball, by its definition; a point is half of the squared radius, in sigma."""
    steps = int(LIVE * 16)
    true_volume = -np.cumsum(rng.exponential(size=steps)) / LIVE
    theta = WIDTH * np.exp(2.0 * true_volume / DIMENSIONS)
    expected = -np.arange(1, steps + 1) / LIVE
    log_weight = -theta + expected
    log_weight -= np.logaddexp.reduce(log_weight)
    nested = WeightedSamples(theta[:, None], log_weight, -theta, expected)
    n = int(kish_sample_size(log_weight))
    return nested, theta[equal_weight_indices(log_weight, n, rng)]


def test_errors_hold_what_volumes_do():
    # the posterior of a point is a Gamma distribution, so that the mean of exp(0.3 s) is (1 - 0.3)^(-d/2)
    exact = -0.5 * DIMENSIONS * np.log(0.7)
    plain, whole = [], []
    for seed in range(60):
        nested, samples = perfect_run(np.random.default_rng(seed))
        volumes = volume_weights(nested, samples[:, None], seed)
        for pulls, weights in ((plain, None), (whole, volumes)):
            found = log_mean(0.3 * samples, volumes=weights)
            pulls.append((found.value - exact) / found.error)
    assert np.std(plain) > 1.25  # too small by more than chance: three errors of a scatter of 60
    assert 0.7 < np.std(whole) < 1.3
    assert abs(np.mean(whole)) < 4 / np.sqrt(60)


def test_chains_and_other_samples_have_no_volumes():
    nested, samples = perfect_run(np.random.default_rng(1))
    assert volume_weights(None, samples[:, None]) is None
    assert volume_weights(nested, samples[:, None] + 1e-9) is None
    weights = volume_weights(nested, samples[:, None], draws=7)
    assert weights.shape == (7, len(samples))
    assert np.mean(weights, axis=1) == pytest.approx(np.ones(7))
