"""The rate that adds up to the mass lost."""

import numpy as np
import pytest

from stellarcr.errors import ModelError
from stellarcr.stars.mass_loss import consistent_mass_loss


def uneven_track(seed):
    """Ages, masses and tabulated rates that have little to do with each other."""
    rng = np.random.default_rng(seed)
    age = np.cumsum(10 ** rng.uniform(0, 5, 300))
    mass = 80.0 - np.cumsum(10 ** rng.uniform(-8, -1, 300))
    return age, mass, 10 ** rng.uniform(-8, -4, 300)


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("tabulated", [True, False])
def test_the_integral_is_the_mass_lost(seed, tabulated):
    age, mass, rate = uneven_track(seed)
    loss = consistent_mass_loss(age, mass, rate if tabulated else None)
    assert np.trapezoid(loss.rate, age) == pytest.approx(mass[0] - mass[-1], rel=1e-12)
    assert loss.mass_lost == mass[0] - mass[-1]
    assert np.all(loss.rate >= 0.0)
    if tabulated:
        assert loss.tabulated_mass_lost == pytest.approx(np.trapezoid(rate, age))
        np.testing.assert_allclose(loss.ratio * rate, loss.rate)


def test_a_rate_that_adds_up_comes_back():
    age, _, rate = uneven_track(5)
    rate[150:] *= 100.0  # a jump, as at the onset of the WR phase
    lost = np.concatenate([[0.0], np.cumsum(0.5 * np.diff(age) * (rate[1:] + rate[:-1]))])
    loss = consistent_mass_loss(age, 1.1 * lost[-1] - lost, rate)
    np.testing.assert_allclose(loss.rate, rate, rtol=1e-6)
    np.testing.assert_allclose(loss.ratio, 1.0, rtol=1e-6)


def test_a_rate_that_is_off_by_a_factor_is_corrected():
    age = np.array([0.0, 1e6, 1.5e6, 4e6])
    loss = consistent_mass_loss(age, 60.0 - 2e-6 * age, np.full(4, 2.5e-6))
    np.testing.assert_allclose(loss.rate, 2e-6)
    np.testing.assert_allclose(loss.ratio, 0.8)
    assert loss.tabulated_mass_lost == pytest.approx(10.0)
    assert loss.mass_lost == pytest.approx(8.0)


def test_no_tabulated_rate_gives_the_slope_of_the_mass():
    age = np.linspace(0.0, 1e6, 11)
    loss = consistent_mass_loss(age, 20.0 - 1e-12 * age**2)
    np.testing.assert_allclose(loss.rate[1:-1], 2e-12 * age[1:-1], rtol=1e-9)
    assert np.all(np.isinf(loss.ratio))


def test_stars_without_wind():
    loss = consistent_mass_loss([0.0, 1.0, 2.0], [9.0, 9.0, 9.0], [0.0, 0.0, 0.0])
    np.testing.assert_array_equal(loss.rate, 0.0)
    np.testing.assert_array_equal(loss.ratio, 1.0)


@pytest.mark.parametrize(
    ("age", "mass", "rate", "message"),
    [
        ([0.0, 2.0, 1.0], [3.0, 2.0, 1.0], None, r"age = 1\.0 at row 2 is not above that of the row before"),
        ([0.0, 1.0, 1.0], [3.0, 2.0, 1.0], None, r"age = 1\.0 at row 2"),
        ([0.0, np.nan, 1.0], [3.0, 2.0, 1.0], None, "age = nan at row 1"),
        ([0.0, 1.0, 2.0], [3.0, 2.0, 2.5], None, r"mass = 2\.5 at row 2 is not at or below"),
        ([0.0, 1.0], [3.0, 2.0], [1.0, -1.0], r"tabulated_rate = -1\.0 at row 1 is not finite and not below zero"),
        ([0.0, 1.0], [3.0, 2.0, 1.0], None, r"ages of shape \(2,\), masses \(3,\)"),
        ([0.0], [3.0], None, r"ages of shape \(1,\)"),
    ],
)
def test_bad_tracks_are_named(age, mass, rate, message):
    with pytest.raises(ModelError, match=message):
        consistent_mass_loss(age, mass, rate)
