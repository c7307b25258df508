"""Where spectra harden, on spectra whose slopes are known."""

import numpy as np
import pytest

from stellarcr.studies.reproduce.earth_slopes import hardening, largest_rise, local_slope, rigidities, slope_at

R = rigidities(1e2, 1e7)


def two_power_laws(before, after, crossing):
    """Sum of two power laws that are equal at a rigidity: its slope is a logistic function of ln R, centred there."""
    return (R / crossing) ** before + (R / crossing) ** after


@pytest.mark.parametrize(("before", "after", "crossing"), [(-3.2, -2.4, 2e5), (-2.9, -2.55, 4.3e4), (-4.5, -2.6, 5e5)])
def test_two_components_harden_where_they_cross(before, after, crossing):
    found = hardening(R, two_power_laws(before, after, crossing), 1e4, 3e6)
    assert found.rigidity == pytest.approx(crossing, rel=0.01)
    assert found.softest < crossing < found.hardest
    assert (before, after) == pytest.approx((found.slope_before, found.slope_after), abs=0.12)
    # where -2.7 is the mean of both slopes, weighted by the fluxes
    expected = crossing * ((-2.7 - before) / (after + 2.7)) ** (1.0 / (after - before))
    assert found.lowest == pytest.approx(expected, rel=0.01)


def test_the_place_does_not_depend_on_the_power_of_rigidity():
    flux = two_power_laws(-3.2, -2.4, 2e5)
    plain, scaled = (hardening(R, flux * R**power, 1e4, 3e6) for power in (0.0, 2.7))
    assert scaled.rigidity == pytest.approx(plain.rigidity, rel=1e-6)
    assert scaled.rise == pytest.approx(plain.rise, rel=1e-6)


def test_a_sharp_break_is_found_at_the_break():
    flux = np.where(R < 1e5, (R / 1e5) ** -3.0, (R / 1e5) ** -2.6)
    found = hardening(R, flux, 1e4, 3e6)
    assert found.rigidity == pytest.approx(1e5, rel=0.03)
    assert found.rise == pytest.approx(0.4, abs=1e-6)
    assert found.lowest is not None


@pytest.mark.parametrize("flux", [R**-2.7, R**-2.7 * np.exp(-R / 5e4), (R / 1e5) ** -2.5 / (1.0 + R / 1e5)])
def test_what_does_not_harden(flux):
    assert hardening(R, flux, 1e4, 3e6) is None


def test_a_slight_rise_is_none_unless_asked_for():
    flux = R**-2.73 * (1.0 + (R / 1e5) ** 5.0) ** (0.03 / 5.0)
    assert hardening(R, flux, 1e4, 3e6) is None
    assert hardening(R, flux, 1e4, 3e6, least=0.02).rigidity == pytest.approx(1e5, rel=0.02)


def test_steep_rise_without_a_minimum_of_the_scaled_flux():
    assert hardening(R, two_power_laws(-3.6, -2.9, 1e5), 1e4, 3e6).lowest is None


def test_slopes_and_rises():
    flux = two_power_laws(-3.0, -2.5, 1e4)
    assert slope_at(R, flux, 1e4) == pytest.approx(-2.75, abs=1e-3)
    assert local_slope(R, R**-2.6) == pytest.approx(np.full(len(R), -2.6))
    rise, first, last = largest_rise(R, flux, 1e3, 1e5)
    assert rise == pytest.approx(slope_at(R, flux, 1e5) - slope_at(R, flux, 1e3), abs=0.01)
    assert (first, last) == pytest.approx((1e3, 1e5), rel=0.05)
    assert largest_rise(R, R**-2.0 * np.exp(-R / 1e5), 1e3, 1e5)[0] == 0.0
