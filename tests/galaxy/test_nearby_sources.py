"""Halo boundary, continuous release, gas and causality: against other forms, integrals and limits of the solution."""

from itertools import pairwise

import array_api_strict as strict
import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import erfc

from stellarcr.errors import ParameterError
from stellarcr.galaxy.nearby import (
    LIGHT_SPEED,
    burst_density,
    check_light_travel,
    disc_averaged_density,
    nearby_transfer,
    source_density,
    source_gradient,
)
from stellarcr.galaxy.nearby_halo import halo_factor, image_factor, mode_factor
from stellarcr.populations.release import Release

D, AGE = 2e-8, 5e4
"""kpc^2/yr, as at about 1 TV, and yr."""
SPREADS = np.geomspace(1e-3, 10.0, 200)
"""D t / L^2."""


# ---------------------------------------------------------------------- the halo


@pytest.mark.parametrize("height", [0.0, 0.3, 0.8])
def test_images_and_modes_are_one_function(height):
    s = np.geomspace(0.02, 3.0, 100)
    np.testing.assert_allclose(image_factor(s, height, 60), mode_factor(s, height, 60), rtol=1e-10)


@pytest.mark.parametrize("height", [0.0, 0.5])
def test_a_handful_of_terms_is_all_of_them(height):
    s = np.geomspace(0.02, 3.0, 400)
    np.testing.assert_allclose(halo_factor(s, height), mode_factor(s, height, 200), rtol=1e-12)
    early = np.geomspace(1e-4, 0.02, 50)
    np.testing.assert_allclose(halo_factor(early, height), image_factor(early, height, 200), rtol=1e-12)


def test_density_vanishes_at_the_boundary():
    middle = halo_factor(SPREADS, 0.0)
    # relative to infinite space in the plane: halo_factor is relative to that at the same height
    edge = halo_factor(SPREADS, 1.0) * np.exp(-1.0 / (4.0 * SPREADS))
    assert np.max(np.abs(edge) / middle) < 1e-13


def test_a_high_halo_is_infinite_space():
    distance = 0.5
    free = source_density(D, distance, AGE)
    factor = [source_density(D, distance, AGE, half_height=height) / free for height in (0.02, 0.05, 0.1, 1e3)]
    # at first order the two nearest images: 1 - 2 exp(-L^2 / (D t))
    assert factor[2] == pytest.approx(1.0 - 2.0 * np.exp(-(0.1**2) / (D * AGE)), rel=1e-12)
    assert np.all(np.diff(factor[:3]) > 0)
    assert factor[3] == 1.0


@pytest.mark.parametrize("spread", [0.01, 0.2, 1.0])
def test_particles_left_in_the_halo(spread):
    # the lowest modes: sum over m of 2 (-1)^m / a_m exp(-a_m^2 s), a_m = (m + 1/2) pi; all of them at first
    def across(z):
        return np.exp(-(z**2) / (4 * spread)) / np.sqrt(4 * np.pi * spread) * float(halo_factor(np.array(spread), z))

    left = 2 * quad(across, 0.0, 1.0, epsabs=1e-14)[0]
    wave = (np.arange(200) + 0.5) * np.pi
    expected = np.sum(2.0 * (-1.0) ** np.arange(200) / wave * np.exp(-(wave**2) * spread))
    assert left == pytest.approx(expected, rel=1e-10)
    assert left < 1.0


def test_the_halo_solves_the_diffusion_equation():
    # of the factor f(s, z) exp(-z^2 / 4 s) / sqrt(s): one derivative in s is two in z
    def density(s, z):
        return float(halo_factor(np.array(s), z)) * np.exp(-(z**2) / (4 * s)) / np.sqrt(s)

    for s in (0.1, 0.2999, 0.3001, 1.0):
        h = 1e-3
        rate = (density(s * (1 + 1e-5), 0.4) - density(s * (1 - 1e-5), 0.4)) / (2e-5 * s)
        bend = (density(s, 0.4 + h) - 2 * density(s, 0.4) + density(s, 0.4 - h)) / h**2
        assert rate == pytest.approx(bend, rel=1e-4, abs=1e-6)


# ---------------------------------------------------------------------- continuous release


def bursts(diffusion, distance, age, duration, half_height=None, loss_rate=None):
    """Adaptive integral of bursts over the times of release that light allows."""
    first = max(age - duration, distance / LIGHT_SPEED)

    def integrand(u):
        elapsed = np.exp(u)
        density = burst_density(diffusion, distance, elapsed) * np.exp(-(loss_rate or 0.0) * elapsed)
        if half_height is not None:
            density = density * float(halo_factor(np.array(diffusion * elapsed / half_height**2)))
        return elapsed * density

    peak = np.log(np.clip(distance**2 / (6 * diffusion), 1.001 * first, 0.999 * age))
    points = [np.log(first), peak, np.log(age)]
    pieces = [quad(integrand, *ends, epsabs=0.0, epsrel=1e-11, limit=400)[0] for ends in pairwise(points)]
    return sum(pieces) / duration


@pytest.mark.parametrize("distance", [0.05, 0.3, 1.5])
@pytest.mark.parametrize("duration", [1e3, 3e4, 1e7])
@pytest.mark.parametrize("diffusion", [2e-8, 1e-6])
def test_continuous_release_is_the_sum_of_its_bursts(diffusion, distance, duration):
    for age in (2e4, 1e6):
        expected = bursts(diffusion, distance, age, duration)
        found = source_density(np.array(diffusion), distance, age, duration)
        assert found == pytest.approx(expected, rel=1e-8, abs=1e-12 / duration)
        for extra in ({"half_height": 1.0}, {"loss_rate": 1e-6}, {"half_height": 0.5, "loss_rate": 3e-7}):
            expected = bursts(diffusion, distance, age, duration, **extra)
            found = source_density(np.array(diffusion), distance, age, duration, **extra)
            assert found == pytest.approx(expected, rel=1e-8, abs=1e-12 / duration)


def test_a_short_release_is_a_burst():
    for extra in ({}, {"half_height": 0.3}, {"loss_rate": 1e-6}):
        burst = source_density(np.array(D), 0.3, AGE, **extra)
        # the mean over a release of 1e-5 of the age differs by half of that times the logarithmic slope
        assert source_density(np.array(D), 0.3, AGE, 1e-5 * AGE, **extra) == pytest.approx(burst, rel=2e-4)
        assert source_density(np.array(D), 0.3, AGE, 1e-9 * AGE, **extra) == pytest.approx(burst, rel=1e-7)


def test_in_infinite_space_it_is_an_error_function():
    # released since t: erfc(d / sqrt(4 D t)) / (4 pi D d); slow enough that light does not matter
    diffusion, distance, age = np.array([1e-9, 1e-8]), 0.05, 1e5
    expected = erfc(distance / np.sqrt(4 * diffusion * age)) / (4 * np.pi * diffusion * distance)
    found = age * source_density(diffusion, distance, age, age)
    np.testing.assert_allclose(found, expected, rtol=1e-10)


def test_a_steady_source_falls_with_distance():
    # one particle per year since ever: N = 1 / (4 pi D d)
    rate = 1e13 * source_density(np.array(D), np.array([0.1, 0.5, 2.0]), 1e13, 1e13)
    # what is left of the error function is d / sqrt(pi D t)
    np.testing.assert_allclose(rate, 1 / (4 * np.pi * D * np.array([0.1, 0.5, 2.0])), rtol=3e-3)


def test_a_source_that_has_just_begun_released_little():
    # energy is that of the whole duration: half of it while half of the time has passed
    half = source_density(np.array(D), 0.3, AGE, 2 * AGE)
    assert 2 * half == pytest.approx(source_density(np.array(D), 0.3, AGE, AGE), rel=1e-12)


@pytest.mark.parametrize("duration", [None, 3e4])
@pytest.mark.parametrize("extra", [{}, {"half_height": 0.4}, {"half_height": 0.4, "loss_rate": 1e-6}])
def test_gradient_is_the_derivative(duration, extra):
    distance, h = 0.3, 1e-5
    found = source_gradient(np.array(D), distance, AGE, duration, **extra)
    ends = [source_density(np.array(D), distance + step, AGE, duration, **extra) for step in (h, -h)]
    # the density falls by d / 2 D t = 150 per kpc, or faster for later releases: central differences have 150^2 h^2 / 6
    assert found == pytest.approx((ends[1] - ends[0]) / (2 * h), rel=2e-6)


def test_smooth_in_age_distance_and_diffusion():
    age = np.geomspace(4e4, 4e6, 2001)
    for extra in ({}, {"half_height": 1.0, "loss_rate": 1e-7}):
        curve = np.log(source_density(np.full_like(age, 1e-7), 0.5, age, 2e4, **extra))
        bend = np.diff(curve, 2) / np.log(age[1] / age[0]) ** 2
        # it is -d^2/4Dt = -16 at first and changes by as much per e-fold, 0.036 per step
        assert np.max(np.abs(np.diff(bend))) < 0.04


# ---------------------------------------------------------------------- gas


def test_survival():
    rate = np.array([0.0, 1e-6, 1e-5])
    survived = source_density(D, 0.3, AGE, loss_rate=rate) / burst_density(D, 0.3, AGE)
    np.testing.assert_allclose(survived, np.exp(-rate * AGE), rtol=1e-13)


def test_gas_of_a_thin_disc_that_a_walk_from_plane_to_plane_meets():
    # integral over s of G(0, s) G(0, t-s) / G(0, t), G the heat kernel in one dimension
    def kernel(t):
        return 1 / np.sqrt(4 * np.pi * D * t)

    # s = t sin^2 takes the ends' singularities away
    met, _ = quad(
        lambda a: kernel(AGE * np.sin(a) ** 2) * kernel(AGE * np.cos(a) ** 2) * 2 * AGE * np.sin(a) * np.cos(a),
        0, np.pi / 2,
    )  # fmt: skip
    column = 8.9e20
    expected = column * met / kernel(AGE) / AGE / 3.0856775814913673e21
    assert disc_averaged_density(column, D, AGE) == pytest.approx(expected, rel=1e-10)


# ---------------------------------------------------------------------- causality


def test_nothing_is_seen_before_light():
    age = np.array([3.2e3, 3.3e3])  # light needs 3262 yr per kpc
    for duration in (None, 1e3, 1e6):
        for extra in ({}, {"half_height": 4.0}, {"loss_rate": 1e-8}):
            density = source_density(np.array([1e-4, 1e-4]), 1.0, age, duration, **extra)
            assert density[0] == 0.0
            assert density[1] > 0.0
            assert source_gradient(np.array([1e-4, 1e-4]), 1.0, age, duration, **extra)[0] == 0.0


def test_releases_that_would_be_faster_than_light_do_not_count():
    # fast diffusion: most of the particles of the last 3262 yr would have arrived from 1 kpc
    fast, age = np.array(1e-3), 1e4
    expected = bursts(1e-3, 1.0, age, age)
    assert source_density(fast, 1.0, age, age) == pytest.approx(expected, rel=1e-8)
    everything = erfc(1 / np.sqrt(4 * 1e-3 * age)) / (4 * np.pi * 1e-3 * age)
    assert expected < 0.5 * everything


def test_a_source_younger_than_its_light_is_refused_with_both_numbers():
    with pytest.raises(ParameterError) as caught:
        check_light_travel(1.0, 3e3, "'young'")
    assert "3000 yr" in caught.value.problem
    assert "1 kpc" in caught.value.problem
    assert "3262" in caught.value.remedy
    check_light_travel(1.0, 3.3e3)


def test_numbers_are_refused_and_arrays_give_zero():
    source = {"age": 1e3, "distance": 1.0}
    with pytest.raises(ParameterError, match="population 'ia'"):
        nearby_transfer(None, np.array([1e-6]), source, 4.0, where="ia")
    batch = {"age": np.array([[1e3], [1e5]]), "distance": 1.0}
    density = nearby_transfer(None, np.array([1e-6]), batch, 4.0)
    assert density[0, 0] == 0.0
    assert density[1, 0] == burst_density(1e-6, 1.0, 1e5)


# ---------------------------------------------------------------------- one kernel, any release


RELEASES = {
    "burst": None,
    "halo": Release("burst", "halo"),
    "gas": Release("burst", "free", gas=True),
    "continuous": Release("continuous", "free"),
    "continuous, halo, gas": Release("continuous", "halo", gas=True),
}


@pytest.mark.parametrize("name", RELEASES)
def test_kernel_needs_nothing_but_the_standard(name):
    diffusion = np.geomspace(1e-8, 1e-5, 6)
    batch = {
        "age": np.array([[2e4], [1e6]]),
        "distance": np.array([[0.3], [2.0]]),
        "duration": np.array([[1e2], [3e6]]),
        "gas_density": np.array([[0.1], [1.0]]),
    }
    rate = np.geomspace(1e-7, 2e-7, 6)
    expected = nearby_transfer(RELEASES[name], diffusion, batch, 4.0, rate)
    given = {key: strict.asarray(value) for key, value in batch.items()}
    found = nearby_transfer(RELEASES[name], strict.asarray(diffusion), given, 4.0, strict.asarray(rate))
    assert found.__array_namespace__().__name__ == "array_api_strict"
    assert expected.shape == (2, 6)
    np.testing.assert_allclose(np.asarray(found), expected, rtol=1e-12)
    # one parameter vector alone, as numbers, and with some of them arrays
    for k in range(2):
        alone = {key: float(value[k, 0]) for key, value in batch.items()}
        np.testing.assert_allclose(
            nearby_transfer(RELEASES[name], diffusion, alone, 4.0, rate), expected[k], rtol=1e-12
        )
        mixed = nearby_transfer(
            RELEASES[name], strict.asarray(diffusion), {**alone, "age": given["age"]}, 4.0, strict.asarray(rate)
        )
        np.testing.assert_allclose(np.asarray(mixed)[k], expected[k], rtol=1e-12)


def test_a_release_that_is_no_choice_is_refused():
    with pytest.raises(ParameterError, match="boundary = 'hallo'") as caught:
        Release("burst", "hallo")
    assert "halo" in caught.value.remedy
