"""Shapes of injected spectra: slopes, break, cutoff, one point or many."""

import numpy as np
import pytest

from stellarcr.populations.spectra import broken_power_law, power_law

R = np.geomspace(1.0, 1e8, 300)
FAR = 1e30
"""A cutoff that is nowhere near."""


def slope(function, rigidity, step=1e-4):
    """Central difference of ln f against ln R: error step^2/6 times the third derivative."""
    low, high = rigidity * np.exp(-step), rigidity * np.exp(step)
    return (np.log(function(high)) - np.log(function(low))) / (2 * step)


@pytest.mark.parametrize("index", [-2.8, -2.0, -1.7])
def test_a_power_law_without_cutoff(index):
    np.testing.assert_allclose(power_law(R, index, FAR), R**index, rtol=1e-13)


def test_the_cutoff_steepens_by_the_ratio_to_the_maximum_rigidity():
    rigidity = np.array([1e2, 5e4, 2e5])
    # the third derivative of R/R_max against ln R is at most 4, so central differences err below 1e-8
    found = slope(lambda r: power_law(r, -2.0, 5e4), rigidity)
    np.testing.assert_allclose(found, -2.0 - rigidity / 5e4, atol=1e-7)
    assert power_law(np.array([5e4]), -2.0, 5e4)[0] == pytest.approx(5e4**-2.0 * np.exp(-1.0), rel=1e-13)


def test_both_slopes_of_a_broken_power_law():
    found = slope(lambda r: broken_power_law(r, -2.2, -2.45, 10.0, FAR), np.array([1.5, 9.9, 10.1, 1e5]))
    np.testing.assert_allclose(found, [-2.2, -2.2, -2.45, -2.45], atol=1e-9)


def test_a_broken_power_law_is_continuous_and_one_at_its_break():
    beside = 10.0 * np.array([1 - 1e-12, 1.0, 1 + 1e-12])
    np.testing.assert_allclose(broken_power_law(beside, -2.2, -2.45, 10.0, FAR), 1.0, rtol=1e-11)


def test_a_break_between_equal_slopes_is_a_power_law():
    np.testing.assert_allclose(
        broken_power_law(R, -2.3, -2.3, 1e3, 1e6), power_law(R, -2.3, 1e6) * 1e3**2.3, rtol=1e-12
    )


def test_many_points_equal_one_point_after_the_other():
    rng = np.random.default_rng(1)
    low, high = rng.uniform(-2.5, -2.0, (2, 7))
    knee, cutoff = rng.uniform(5, 50, 7), 10 ** rng.uniform(4, 6, 7)
    together = broken_power_law(R, low, high, knee, cutoff)
    assert together.shape == (7, 300)
    for k in range(7):
        np.testing.assert_array_equal(together[k], broken_power_law(R, low[k], high[k], knee[k], cutoff[k]))
    # numbers and arrays mix: what is fixed in a fit is a number
    np.testing.assert_array_equal(broken_power_law(R, -2.2, high, 10.0, cutoff)[3], broken_power_law(
        R, -2.2, high[3], 10.0, cutoff[3]))  # fmt: skip
    together = power_law(R, low.reshape(7, 1), cutoff[:5])
    assert together.shape == (7, 5, 300)
    np.testing.assert_array_equal(together[6, 4], power_law(R, low[6], cutoff[4]))


def test_deep_in_the_cutoff_nothing_underflows_or_turns_negative():
    deep = power_law(np.array([1e8]), -2.0, 1e4)
    assert np.all(deep > 0)
    # exp(-300) of the flux at 1 GV: no detector ever sees it
    assert np.all(deep < 1e-100)
    assert np.all(deep > np.finfo(float).tiny)
