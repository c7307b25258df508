"""A few slabs instead of the Bessel series."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from stellarcr.data.galaxy_presets import load_galaxy
from stellarcr.errors import ModelError
from stellarcr.galaxy.cylinder import BesselSeries, cylinder_series, slab_series
from stellarcr.galaxy.galaxy import FREE_HEIGHTS
from stellarcr.galaxy.profiles import PROFILES
from stellarcr.galaxy.reduction import escape_coefficient, reduce_to_slabs
from stellarcr.species import dominant_isotope

pytestmark = pytest.mark.usefixtures("one_thread")

RATES = np.concatenate([[0.0], np.geomspace(2e-4, 80.0, 37)])
"""s = 2 h Gamma / D [1/kpc], not those of the fit."""


@pytest.fixture(scope="module")
def series():
    return {name: cylinder_series(PROFILES[name]) for name in ("trotta2011", "pulsars")}


def errors(slabs, one, height, profile=0):
    exact = one.at(height)
    return np.max(
        [
            np.max(np.abs(slabs.response(RATES, height, profile) / exact(RATES) - 1)),
            np.max(np.abs(slabs.derivative(RATES, height, profile) / exact.derivative(RATES) - 1)),
        ]
    )


def test_escape_coefficient_by_hand():
    # 2 k coth(k L): k L = 1 at k = 1/4: 0.5 coth 1 = 0.5 * 1.3130352855
    assert escape_coefficient(np.array([0.25]), 4.0)[0] == pytest.approx(0.65651764275, rel=1e-10)


def test_escape_coefficient_at_its_ends():
    heights = np.array([0.5, 4.0, 20.0])
    np.testing.assert_allclose(escape_coefficient(np.zeros(3), heights), 2 / heights, rtol=1e-15)
    np.testing.assert_allclose(escape_coefficient(np.array([1e4]), 4.0), 2e4, rtol=1e-15)
    # both sides of the switch to the expansion: 1 + x^2 / 3
    x = np.array([0.9e-4, 1.1e-4, 1e-2])
    np.testing.assert_allclose(escape_coefficient(x, 1.0), 2 * (1 + x**2 / 3 - x**4 / 45), rtol=1e-13)


@pytest.mark.parametrize("height", [0.3, 1.0, 4.0, 12.0])
@pytest.mark.parametrize("tolerance", [1e-4, 1e-5])
def test_one_height(height, tolerance, series):
    slabs = reduce_to_slabs([series["trotta2011"]], (height, height), tolerance)
    assert slabs.error <= tolerance
    assert len(slabs.wavenumbers) <= 4
    assert errors(slabs, series["trotta2011"], height) < 1.5 * tolerance


def test_all_heights_that_may_be_free(series):
    slabs = reduce_to_slabs([series["trotta2011"]], FREE_HEIGHTS, 1e-4)
    assert len(slabs.wavenumbers) <= 5
    # between the heights of the fit, too
    for height in (0.5, 0.8, 1.4, 2.7, 4.0, 7.7, 13.0, 20.0):
        assert errors(slabs, series["trotta2011"], height) < 1e-4
    # a height per parameter vector
    both = slabs.response(np.array([0.1, 0.2]), np.array([2.0, 6.0]))
    one = [slabs.response(np.array([s]), h)[0] for s, h in ((0.1, 2.0), (0.2, 6.0))]
    np.testing.assert_allclose(both, one, rtol=1e-14)


def test_two_profiles_share_their_wavenumbers(series):
    slabs = reduce_to_slabs(list(series.values()), (4.0, 4.0), 1e-5)
    assert slabs.weights.shape == (2, len(slabs.wavenumbers))
    for profile, one in enumerate(series.values()):
        assert errors(slabs, one, 4.0, profile) < 1.5e-5


def test_the_derivative_is_that_of_the_response(series):
    slabs = reduce_to_slabs([series["trotta2011"]], (4.0, 4.0), 1e-4)
    step, s = 1e-5, np.array([0.1, 1.0])
    numerical = (slabs.response(s + step, 4.0) - slabs.response(s - step, 4.0)) / (2 * step)
    np.testing.assert_allclose(slabs.derivative(s, 4.0), numerical, rtol=1e-8)


def test_more_slabs_are_better(series):
    found = [reduce_to_slabs([series["trotta2011"]], (4.0, 4.0), count=n).error for n in (1, 2, 3, 4)]
    assert all(b < 0.5 * a for a, b in pairwise(found))


def test_a_slab_is_one_slab():
    slabs = reduce_to_slabs([slab_series(PROFILES["trotta2011"])], (4.0, 4.0))
    assert len(slabs.wavenumbers) == 1
    assert slabs.wavenumbers[0] < 1e-2


def test_what_cannot_be_reduced_is_refused():
    # a source in one ring far away: weights of either sign that nearly cancel
    rough = BesselSeries(np.linspace(0.1, 50.0, 200), (-1.0) ** np.arange(200))
    with pytest.raises(ModelError, match="slabs represent the cylinder") as caught:
        reduce_to_slabs([rough], (4.0, 4.0), 1e-6)
    assert "smoother" in caught.value.remedy


def test_a_height_as_a_number_or_an_array_gives_the_same_density():
    galaxy = load_galaxy("plain-diffusion", {"production": "none"})
    profile = PROFILES["trotta2011"]
    rigidity = np.array([3.0, 100.0, 1e5])
    for height in (0.7, 4.0, 15.0):
        number = galaxy.disc_transfer(profile, dominant_isotope("Fe"), rigidity, {"half_height": height})
        array = galaxy.disc_transfer(
            profile, dominant_isotope("Fe"), rigidity, {"half_height": np.array([[height], [3.0]])}
        )
        np.testing.assert_allclose(array[0], number, rtol=1e-4)
        other = replace(galaxy, half_height=height)
        np.testing.assert_allclose(other.disc_transfer(profile, dominant_isotope("Fe"), rigidity), number, rtol=1e-12)
