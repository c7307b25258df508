"""Tests of uniform ranks, against scipy and against what they are for."""

import numpy as np
import pytest
from scipy import stats

from stellarcr.errors import ParameterError
from stellarcr.infer.calibration import LEAST_MOCKS, ecdf_band, holm, uniformity_of
from stellarcr.infer.calibration.uniformity import bins_for


@pytest.mark.parametrize(("mocks", "largest", "bins"), [(200, 99, 20), (50, 99, 5), (20, 99, 2), (1000, 63, 16)])
def test_chi2_is_that_of_scipy(mocks, largest, bins):
    ranks = np.random.default_rng(mocks).integers(0, largest + 1, mocks)
    result = uniformity_of(ranks, largest)
    counts, _ = np.histogram(ranks, bins=bins, range=(-0.5, largest + 0.5))
    expected = stats.chisquare(counts)
    assert result.counts == tuple(counts)
    assert result.chi2 == pytest.approx(expected.statistic, rel=1e-12)
    assert result.chi2_p == pytest.approx(expected.pvalue, rel=1e-9)


@pytest.mark.parametrize("mocks", [20, 37, 200, 5000])
def test_bins_are_equal_and_filled(mocks):
    bins = bins_for(mocks, 99)
    assert 100 % bins == 0
    assert mocks / bins >= 10


def test_distance_is_that_of_kolmogorov_and_smirnov_for_many_ranks():
    largest = 999
    ranks = np.random.default_rng(3).integers(0, largest + 1, 150)
    result = uniformity_of(ranks, largest)
    expected = stats.kstest((ranks + 0.5) / (largest + 1), "uniform")
    assert result.distance == pytest.approx(expected.statistic, abs=1e-3)
    assert result.distance_p == pytest.approx(expected.pvalue, abs=0.03)


def test_p_values_of_uniform_ranks_are_uniform():
    rng = np.random.default_rng(5)
    results = [uniformity_of(rng.integers(0, 100, 200), 99) for _ in range(400)]
    for p_values in (np.array([r.chi2_p for r in results]), np.array([r.distance_p for r in results])):
        for level in (0.01, 0.05, 0.2, 0.5):
            error = np.sqrt(level * (1 - level) / len(results))
            # equal distances are common among whole numbers, which makes their p-values a little too large
            assert 0.75 * level - 4 * error < np.mean(p_values <= level) < level + 4 * error
    mean = np.array([r.mean for r in results])
    spread = np.array([r.spread for r in results])
    assert np.mean(mean) == pytest.approx(0.5, abs=4 * results[0].mean_error / 20)
    assert np.std(mean) == pytest.approx(results[0].mean_error, rel=0.15)
    assert np.mean(spread) == pytest.approx(1.0, abs=4 * results[0].spread_error / 20)
    assert np.std(spread) == pytest.approx(results[0].spread_error, rel=0.15)


def test_band_holds_whole_curves():
    rng = np.random.default_rng(7)
    band = ecdf_band(80, 63, 0.95)
    ranks = rng.integers(0, 64, (2000, 80))
    inside = [uniformity_of(row, 63).distance <= band + 1e-12 for row in ranks[:500]]
    assert np.mean(inside) == pytest.approx(0.95, abs=4 * np.sqrt(0.95 * 0.05 / 500))


@pytest.mark.parametrize(
    ("transform", "says"),
    [
        (lambda u: stats.norm.cdf(1.6 * stats.norm.ppf(u)), "narrow"),
        (lambda u: stats.norm.cdf(0.6 * stats.norm.ppf(u)), "wide"),
        (lambda u: stats.norm.cdf(stats.norm.ppf(u) + 0.5), "low"),
    ],
)
def test_deviations_are_seen_and_named(transform, says):
    unit = transform(np.random.default_rng(11).random(300))
    result = uniformity_of((unit * 100).astype(int), 99)
    assert min(result.chi2_p, result.distance_p) < 1e-4
    bias = (result.mean - 0.5) / result.mean_error
    spread = (result.spread - 1.0) / result.spread_error
    assert {"narrow": spread > 4, "wide": spread < -4, "low": bias > 4}[says]


def test_holm_corrects_step_by_step():
    # Wikipedia's worked example of the Holm-Bonferroni method has the p-values 0.01, 0.04, 0.03, 0.005
    assert holm(np.array([0.01, 0.04, 0.03, 0.005])) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm(np.array([0.9, 0.8])) == pytest.approx([1.0, 1.0])
    assert len(holm(np.array([]))) == 0


def test_holm_keeps_the_family_rate():
    rng = np.random.default_rng(13)
    false = [np.min(holm(rng.random(18))) < 0.05 for _ in range(4000)]
    assert np.mean(false) == pytest.approx(0.05, abs=4 * np.sqrt(0.05 * 0.95 / 4000))


def test_what_cannot_be_tested_is_refused():
    with pytest.raises(ParameterError, match="too few"):
        uniformity_of(np.zeros(LEAST_MOCKS - 1, dtype=int), 99)
    with pytest.raises(ParameterError, match="outside 0 to 99"):
        uniformity_of(np.full(50, 100), 99)
