"""Dipoles against differences of densities, and against what is known of a burst alone."""

from dataclasses import replace

import numpy as np
import pytest

from stellarcr.constants import KILOPARSEC, YEAR
from stellarcr.data.compositions import load_type_ia
from stellarcr.data.galaxy_presets import load_galaxy
from stellarcr.errors import ParameterError
from stellarcr.galaxy.anisotropy import burst_dipole, dipole, ensemble_slope, nearby_dipole, vector_sum
from stellarcr.galaxy.nearby import LIGHT_SPEED
from stellarcr.populations import build_population
from stellarcr.populations.nearby import with_release
from stellarcr.species import nuclide

GALAXY = load_galaxy()
IRON = nuclide("Fe", 56)
R = np.geomspace(100.0, 1e6, 7)
BETA = IRON.charge * R / np.sqrt((IRON.charge * R) ** 2 + IRON.mass**2)
SOURCE = {"age": 5e4, "distance": 1.0, "duration": 3e4, "gas_density": 0.1}
OPTIONS = {
    "burst": {},
    "halo": {"boundary": "halo"},
    "gas": {"gas_density": 0.1},
    "continuous": {"release": "continuous", "duration": 3e4},
    "all": {"release": "continuous", "duration": 3e4, "boundary": "halo", "gas_density": 0.1},
}


def population(name):
    return with_release(build_population("ia", load_type_ia()), OPTIONS[name])


def test_of_a_burst_alone():
    # light needs 3261.56 yr per kpc, the light year being 1/3261.56 kpc
    assert burst_dipole(1.0, 5e4) == pytest.approx(1.5 * 3261.56 / 5e4, rel=1e-5)
    for name in ("burst", "halo", "gas"):
        found = nearby_dipole(GALAXY, population(name), IRON, R, SOURCE)
        np.testing.assert_allclose(found, burst_dipole(1.0, 5e4, BETA), rtol=1e-12)


@pytest.mark.parametrize("propagation", [{}, {"destruction": 30.0}])
@pytest.mark.parametrize("name", OPTIONS)
def test_of_a_source_is_the_gradient_of_its_density(name, propagation):
    h = 1e-4
    near, far = (
        GALAXY.transfer(population(name), IRON, R, propagation, {**SOURCE, "distance": 1.0 + step}) for step in (-h, h)
    )
    diffusion = GALAXY.diffusion(R, BETA, {}) * YEAR
    expected = dipole(diffusion, BETA, (np.log(near) - np.log(far)) / (2 * h))
    found = nearby_dipole(GALAXY, population(name), IRON, R, SOURCE, propagation)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_batches_of_sources():
    batch = {key: value * np.array([[1.0], [0.7]]) for key, value in SOURCE.items()}
    together = nearby_dipole(GALAXY, population("all"), IRON, R, batch)
    alone = nearby_dipole(GALAXY, population("all"), IRON, R, {key: 0.7 * value for key, value in SOURCE.items()})
    np.testing.assert_allclose(together[1], alone, rtol=1e-12)


def test_propagation_parameters_are_heard():
    slow = nearby_dipole(GALAXY, population("continuous"), IRON, R, SOURCE, {"D0": 0.5 * GALAXY.D0})
    again = nearby_dipole(replace(GALAXY, D0=0.5 * GALAXY.D0), population("continuous"), IRON, R, SOURCE)
    np.testing.assert_array_equal(slow, again)
    assert not np.allclose(slow, nearby_dipole(GALAXY, population("continuous"), IRON, R, SOURCE), rtol=1e-3)


def test_an_unseen_source_has_none_and_an_impossible_one_is_refused():
    late = {**SOURCE, "age": np.array([[1e3], [5e4]])}
    assert np.all(nearby_dipole(GALAXY, population("burst"), IRON, R, late)[0] == 0.0)
    with pytest.raises(ParameterError, match="light needs"):
        nearby_dipole(GALAXY, population("burst"), IRON, R, {**SOURCE, "age": 1e3})


# ---------------------------------------------------------------------- the Galaxy


def ring_orders(count=40, radius=20.0):
    """Wave numbers and weights of a smooth distribution, q ~ exp(-(r / 6 kpc)^2), whose series converges fast."""
    from scipy.special import j0, j1, jn_zeros

    zeros = jn_zeros(0, count)
    r, w = np.polynomial.legendre.leggauss(400)
    r, w = 0.5 * radius * (r + 1), 0.5 * radius * w
    q = np.exp(-((r / 6.0) ** 2))
    moments = np.array([np.sum(w * r * q * j0(z * r / radius)) for z in zeros])
    return zeros / radius, 2.0 * moments / (radius * j1(zeros)) ** 2


def density(s, wavenumbers, weights, half_height, r):
    from scipy.special import j0

    poles = 2 * wavenumbers / np.tanh(wavenumbers * half_height)
    return np.sum(weights * j0(wavenumbers * r) / (poles + s[:, None]), axis=-1)


@pytest.mark.parametrize("half_height", [1.0, 4.0])
def test_of_the_ensemble_is_the_gradient_of_the_cylinder(half_height):
    wavenumbers, weights = ring_orders()
    s = np.array([0.0, 0.01, 1.0])
    h = 1e-4
    inner, here, outer = (density(s, wavenumbers, weights, half_height, 8.5 + step) for step in (-h, 0.0, h))
    found = ensemble_slope(s, wavenumbers, weights, half_height, 8.5)
    np.testing.assert_allclose(found, (outer - inner) / (2 * h) / here, rtol=1e-6)
    assert np.all(found < 0)
    # where nuclei do not travel far, the density is that of the sources: dln q / dr = -2 r / 36 kpc^2
    local = ensemble_slope(np.array([1e6]), wavenumbers, weights, half_height, 8.5)
    assert local[0] == pytest.approx(-2 * 8.5 / 36, rel=1e-3)
    assert abs(found[0]) < abs(local[0])


def test_the_galaxys_own_series_has_the_slope_of_its_density():
    from stellarcr.galaxy.cylinder import cylinder_series
    from stellarcr.galaxy.profiles import source_profile

    profile, h = source_profile(GALAXY.profile), 0.25
    centre = cylinder_series(profile, GALAXY.radius, 0.0)  # J0(0) = 1: the weights alone
    s = np.array([0.0, 0.05])
    slope = ensemble_slope(s, centre.wavenumbers, centre.weights, GALAXY.half_height, GALAXY.sun)
    inner, here, outer = (
        cylinder_series(profile, GALAXY.radius, GALAXY.sun + step).at(GALAXY.half_height)(s) for step in (-h, 0.0, h)
    )
    # the series of the gradient has a relative error of the order of 1e-2 of the last term, 3e-3 here
    np.testing.assert_allclose(slope, (outer - inner) / (2 * h) / here, rtol=5e-3)


def test_units():
    # D = 1e28 cm2/s, a gradient of 1/kpc, v = c: 3 D / (c kpc)
    diffusion = 1e24 * YEAR / KILOPARSEC**2
    assert dipole(diffusion, 1.0, 1.0) == pytest.approx(3e24 / (299792458.0 * KILOPARSEC), rel=1e-12)
    assert pytest.approx(1 / 3261.56, rel=1e-5) == LIGHT_SPEED


def test_vectors():
    amplitude, phase = vector_sum(np.array([[3.0, 1.0], [4.0, 1.0], [0.0, -2.0]]), np.array([0.0, 90.0, 45.0]))
    np.testing.assert_allclose(amplitude, [5.0, 2.0 - np.sqrt(2.0)], rtol=1e-12)
    np.testing.assert_allclose(phase, [np.degrees(np.arctan2(4, 3)), 225.0], rtol=1e-12)
