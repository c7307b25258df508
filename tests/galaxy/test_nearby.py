"""The burst's Green's function: particle number, positivity, diffusion equation, time integral."""

import numpy as np
import pytest
from scipy.integrate import quad

from stellarcr.galaxy.nearby import burst_density

D, AGE = 2e-8, 5e4
"""kpc^2/yr, as at about 1 TV, and yr."""


@pytest.mark.parametrize("diffusion", [1e-9, 2e-8, 5e-7])
@pytest.mark.parametrize("age", [1e3, 5e4, 1e6])
def test_integrates_to_the_particles_released(diffusion, age):
    width = np.sqrt(4 * diffusion * age)
    number, _ = quad(lambda d: 4 * np.pi * d**2 * burst_density(diffusion, d, age), 0, 12 * width, epsrel=1e-11)
    assert number == pytest.approx(1.0, rel=1e-9)


def test_mean_square_distance_is_six_times_diffusion_times_age():
    width = np.sqrt(4 * D * AGE)
    moment, _ = quad(lambda d: 4 * np.pi * d**4 * burst_density(D, d, AGE), 0, 12 * width, epsrel=1e-11)
    assert moment == pytest.approx(6 * D * AGE, rel=1e-9)


def test_solves_the_diffusion_equation():
    distance, h, tau = 0.07, 1e-4, 10.0

    def density(d, t):
        return burst_density(D, d, t)

    rate = (density(distance, AGE + tau) - density(distance, AGE - tau)) / (2 * tau)
    curvature = (density(distance + h, AGE) - 2 * density(distance, AGE) + density(distance - h, AGE)) / h**2
    gradient = (density(distance + h, AGE) - density(distance - h, AGE)) / (2 * h)
    # central differences: relative errors (h/width)^2 = 2.5e-6 and (tau/age)^2 = 4e-8
    assert rate == pytest.approx(D * (curvature + 2 / distance * gradient), rel=2e-5)


def test_positive_and_largest_when_six_diffusion_times_equal_the_square_of_the_distance():
    age = np.geomspace(1e2, 1e9, 70001)
    density = burst_density(D, 0.3, age)
    # far outside the front the density underflows to zero, never below
    assert np.all(density >= 0)
    # the grid of ages has steps of 2.3e-4 in the logarithm
    assert age[np.argmax(density)] == pytest.approx(0.3**2 / (6 * D), rel=3e-4)


def test_a_steady_source_is_the_integral_over_ages():
    # a source of one particle per year since ever in infinite space: 1 / (4 pi D d)
    def integrand(u):
        return np.exp(u) * burst_density(D, 0.5, np.exp(u))

    number, _ = quad(integrand, np.log(1e2), np.log(1e18), epsrel=1e-11, limit=200)
    # the part beyond 1e18 yr is 2 (4 pi D)^-1.5 / sqrt(1e18)
    number += 2 * (4 * np.pi * D) ** -1.5 / np.sqrt(1e18)
    assert number == pytest.approx(1 / (4 * np.pi * D * 0.5), rel=1e-8)


def test_batched():
    diffusion = np.geomspace(1e-9, 1e-6, 5)
    distance, age = np.array([[0.2], [1.0]]), np.array([[1e4], [1e6]])
    together = burst_density(diffusion, distance, age)
    assert together.shape == (2, 5)
    np.testing.assert_array_equal(together[1], burst_density(diffusion, 1.0, 1e6))
