"""Bethe's formula against tables and limits; the march in energy against solutions in closed form."""

import array_api_strict
import numpy as np
import pytest
import scipy.constants as si

from stellarcr.constants import ELECTRON_MASS_GEV
from stellarcr.galaxy.losses import (
    CLASSICAL_ELECTRON_RADIUS,
    FREE_ELECTRON_DENSITY,
    HBAR_C,
    HELIUM_EXCITATION,
    HYDROGEN_EXCITATION,
    SPEED,
    coulomb_loss,
    disc_loss,
    ionisation_loss,
    solve_with_losses,
    stopping_per_electron,
    velocity,
)
from stellarcr.species import nuclide

PROTON, HELIUM, CARBON, IRON = nuclide("H", 1), nuclide("He", 4), nuclide("C", 12), nuclide("Fe", 56)
MUON_MASS = 0.10565839
ENERGY = np.geomspace(0.1, 100.0, 7)


def test_constants():
    assert si.physical_constants["classical electron radius"][0] * 100 == pytest.approx(
        CLASSICAL_ELECTRON_RADIUS, rel=1e-9
    )
    assert si.hbar * si.c / si.e * 1e-9 * 100 == pytest.approx(HBAR_C, rel=1e-14)


@pytest.mark.parametrize(
    ("electrons_per_unit", "excitation", "column"),
    [(0.99138, HYDROGEN_EXCITATION, (16.73, 4.617, 4.101)), (0.49968, HELIUM_EXCITATION, (7.712, 2.165, 1.939))],
)
def test_muons_in_gases_as_tabulated(electrons_per_unit, excitation, column):
    """Ionisation of muons of 10, 100 and 300 MeV [MeV cm^2/g]: PUMAS, dedx/muon/hydrogen_gas.txt and helium_gas.txt.

    At higher energies the tables hold photons radiated by the electrons, 0.15% at 1 GeV.
    """
    gamma, beta = velocity(MUON_MASS, 1, np.array([0.01, 0.1, 0.3]))
    per_gram = stopping_per_electron(1, MUON_MASS, gamma, beta, excitation) * 1e3 * electrons_per_unit * si.N_A
    np.testing.assert_allclose(per_gram, column, rtol=6e-4)


def test_minimum_of_ionisation():
    # 4.1 MeV cm^2/g in hydrogen at beta gamma = 3 to 4 for a unit charge
    energy = np.geomspace(0.05, 100.0, 3000)
    gamma, beta = velocity(PROTON.mass, 1, energy)
    per_gram = ionisation_loss(PROTON, energy, 0.0) / (SPEED * beta) * 1e3 * si.N_A / 1.00794
    assert per_gram.min() == pytest.approx(4.10, rel=0.01)
    assert 3.0 < (beta * gamma)[np.argmin(per_gram)] < 4.0
    # far below it as 1 / beta^2 times a logarithm, far above a logarithmic rise
    assert per_gram[0] > 2 * per_gram.min()
    assert per_gram[-1] < 1.6 * per_gram.min()


def test_charge_squared_over_mass_at_equal_velocity():
    # up to the largest energy transfer, and binding: 1% in the mass per nucleon
    for loss in (ionisation_loss, coulomb_loss):
        proton = loss(PROTON, ENERGY)
        for nucleus in (HELIUM, CARBON, IRON):
            per_nucleon = ENERGY * nucleus.mass / nucleus.mass_number / PROTON.mass
            scaled = loss(nucleus, per_nucleon) * nucleus.mass_number / nucleus.charge**2
            np.testing.assert_allclose(scaled, proton, rtol=0.01)


def test_helium_has_two_electrons():
    low, high = ionisation_loss(PROTON, ENERGY, 0.0), ionisation_loss(PROTON, ENERGY, 0.1)
    # two electrons a tenth of the time, more tightly bound: ln(41.8 / 19.2) off a logarithm of 7 to 16
    assert np.all((high / low - 1 > 0.17) & (high / low - 1 < 0.2))


def test_coulomb_logarithm_is_that_of_the_plasma_frequency():
    density = 0.3
    plasma = si.hbar * np.sqrt(density * 1e6 * si.e**2 / (si.epsilon_0 * si.m_e)) / si.e * 1e-9  # hbar omega [GeV]
    gamma, beta = velocity(CARBON.mass, 12, ENERGY)
    recoil = np.sqrt(1 + 2 * gamma * ELECTRON_MASS_GEV / CARBON.mass)
    logarithm = np.log(2 * ELECTRON_MASS_GEV * gamma * beta**2 / (plasma * recoil))
    # 3/2 of Thomson's cross section is 4 pi r_e^2
    thomson = si.physical_constants["Thomson cross section"][0] * 1e4
    expected = 1.5 * thomson * si.c * 100 * ELECTRON_MASS_GEV * 36 / 12 / beta * logarithm
    np.testing.assert_allclose(coulomb_loss(CARBON, ENERGY, density), expected, rtol=1e-9)


def test_density_of_electrons_hardly_matters():
    ratio = coulomb_loss(PROTON, ENERGY, 10 * FREE_ELECTRON_DENSITY) / coulomb_loss(PROTON, ENERGY)
    np.testing.assert_allclose(ratio, 1.0, atol=0.032)


def test_disc_is_neutral_and_ionised_gas():
    column, cm_per_kpc = 8.9e20, 3.0856775814913673e21
    neutral = disc_loss(HELIUM, ENERGY, column, ionised_fraction=0.0)
    ionised = disc_loss(HELIUM, ENERGY, column, ionised_fraction=1.0)
    np.testing.assert_allclose(neutral, column / cm_per_kpc * ionisation_loss(HELIUM, ENERGY), rtol=1e-13)
    np.testing.assert_allclose(ionised, column / cm_per_kpc * coulomb_loss(HELIUM, ENERGY), rtol=1e-13)
    half = disc_loss(HELIUM, ENERGY, column, ionised_fraction=0.5)
    np.testing.assert_allclose(half, (neutral + ionised) / 2, rtol=1e-13)


def grid(low, high, n):
    return np.geomspace(low, high, n)


def test_without_losses_nothing_changes():
    energy = grid(0.1, 100.0, 50)
    source, rate = energy**-2.3, 0.2 * energy**0.4 + 0.1
    density = solve_with_losses(rate, np.zeros_like(energy), source, energy)
    np.testing.assert_allclose(density, source / rate, rtol=1e-14)


def test_power_law_with_losses_that_rise_with_energy():
    # rate a, loss b E, source E^-g: N = E^-g / (a + b (g - 1))
    energy, a, b, g = grid(0.1, 1e4, 2001), 0.3, 0.4, 2.4
    density = solve_with_losses(np.full_like(energy, a), b * energy, energy**-g, energy)
    # the wrong start at the top decays as E^(a/b + 1) / E^g
    inside = energy < 10
    np.testing.assert_allclose(density[inside], energy[inside] ** -g / (a + b * (g - 1)), rtol=1e-4)


def exponential(n):
    """Error of the density for constant loss b and source exp(-E): N = exp(-E) / (a + b)."""
    energy, a, b = grid(0.3, 30.0, n), 0.3, 0.4
    density = solve_with_losses(np.full_like(energy, a), np.full_like(energy, b), np.exp(-energy), energy)
    at = np.array([0.3, 1.0, 3.0])
    points = np.searchsorted(energy, at * (1 - 1e-9))
    return density[points] / (np.exp(-energy[points]) / (a + b)) - 1


def test_constant_loss():
    coarse, fine = exponential(1001), exponential(2001)
    assert np.all(np.abs(fine) < 1e-4)
    # second order in the step
    np.testing.assert_allclose(coarse / fine, 4.0, rtol=0.1)


def manufactured(n):
    """Density that solves rates and losses of nuclei's shape, and what the march makes of its source."""
    energy = grid(0.1, 1e4, n)
    expected = energy**-2.7 / (1 + 0.3 / energy)
    loss, rate = 0.05 * (1 + 0.1 / energy), 0.3 * energy**0.4 + 0.1
    derivative = expected * (-2.7 / energy + 0.3 / energy**2 / (1 + 0.3 / energy))
    source = rate * expected - loss * derivative + 0.005 / energy**2 * expected
    return energy, expected, solve_with_losses(rate, loss, source, energy)


def test_rates_that_depend_on_energy():
    errors = []
    for n in (301, 601):
        energy, expected, density = manufactured(n)
        # at the very top the start without losses is wrong by loss over rate and energy, and is forgotten at once
        errors.append(np.max(np.abs(density / expected - 1)[energy < 1e3]))
    # step^2 / 3 times the third derivative in ln E, at most 2.7^3
    assert errors[1] < np.log(1e5 / 1) ** 2 / 600**2 / 3 * 2.7**3
    assert errors[0] / errors[1] == pytest.approx(4.0, rel=0.1)


def test_without_sinks_all_that_is_released_flows_down():
    # rate to zero: the flow loss N at E is all that was released above
    energy = grid(0.1, 1e3, 4001)
    tiny = np.full_like(energy, 1e-12)
    tiny[-1] = 1e3  # nothing at the top
    density = solve_with_losses(tiny, 0.3 + 0.1 * energy, np.exp(-energy), energy)
    np.testing.assert_allclose(((0.3 + 0.1 * energy) * density)[:1000], np.exp(-energy)[:1000], rtol=1e-4)


def test_orders_and_nuclides_go_together_in_any_array_library():
    energy = grid(0.1, 100.0, 40)
    source = np.array([1.0, 2.0])[:, None, None] * energy**-2.3 * np.ones((2, 3, 1))
    rate = np.array([0.1, 1.0, 10.0])[:, None] * energy**0.4 * np.ones((2, 1, 1))
    loss = np.full((2, 3, 40), 0.05)
    together = solve_with_losses(rate, loss, source, energy)
    assert together.shape == (2, 3, 40)
    np.testing.assert_array_equal(together[1, 2], solve_with_losses(rate[1, 2], loss[1, 2], source[1, 2], energy))
    strict = [array_api_strict.asarray(x) for x in (rate, loss, source, energy)]
    np.testing.assert_allclose(np.asarray(solve_with_losses(*strict)), together, rtol=1e-14)
