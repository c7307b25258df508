"""Injected spectra of winds with known answers: constant, two phases, and random sums of exponentials."""

from itertools import pairwise

import array_api_strict as strict
import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import brentq

from stellarcr.backend import namespace
from stellarcr.constants import GEV_PER_ERG, YEAR
from stellarcr.errors import ModelError, ParameterError
from stellarcr.shock.acceleration import mean_kinetic_energy
from stellarcr.shock.cutoff import effective_cutoff, log_slope
from stellarcr.shock.injection import (
    energy_budget,
    equal_rigidity_abundances,
    injection_amplitude,
    integrated_amplitude,
    integrated_spectrum,
    kinetic_energy_released,
    number_rate,
    species_ratio,
)
from stellarcr.shock.nuclides import WindNuclides

WIND = WindNuclides.named(("H1", "He4", "C12", "Ne20", "Ne22", "Fe56"))
MASS_FRACTIONS = np.array([0.70, 0.28, 0.01, 0.005, 0.003, 0.002])
NUMBERS = WIND.number_fractions(MASS_FRACTIONS)
HELIUM = WIND.number_fractions(np.array([0.0, 0.9, 0.08, 0.01, 0.005, 0.005]))
R = np.geomspace(1.0, 1e8, 60)
TRAPEZOID = np.array([0.5, 1.0, 1.0, 0.5]) * 1e6
"""Weights [yr] of four points in time, 3 Myr in all."""


def released(amplitude, maximum_rigidity, gamma, weights=TRAPEZOID, mask=None):
    """Coefficients, and the function R -> Q."""
    coefficients = integrated_amplitude(amplitude, weights, mask)
    return coefficients, lambda rigidity: integrated_spectrum(rigidity, coefficients, maximum_rigidity, gamma)


def evolving_wind(gamma=-2.1, eta_acc=0.1, scale=1.0):
    """Four steps of different power, cutoff and composition: amplitude, R_max."""
    luminosity = np.array([1e36, 3e36, 4e37, 2e35])
    maximum_rigidity = scale * np.array([2e4, 7e4, 6e5, 300.0])
    fractions = np.stack([NUMBERS, NUMBERS, HELIUM, 0.5 * (NUMBERS + HELIUM)])
    amplitude = injection_amplitude(luminosity, maximum_rigidity, fractions, WIND.charge, WIND.mass, gamma, eta_acc)
    return amplitude, maximum_rigidity, luminosity


# --- analytic stars -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("gamma", [-2.4, -2.0, -1.5])
def test_constant_wind(gamma):
    luminosity, cutoff, eta_acc = np.full(4, 2e37), np.full(4, 3e5), 0.08
    amplitude = injection_amplitude(luminosity, cutoff, NUMBERS, WIND.charge, WIND.mass, gamma, eta_acc)
    mean = mean_kinetic_energy(3e5, gamma, NUMBERS, WIND.charge, WIND.mass)
    rate = eta_acc * NUMBERS * 2e37 * GEV_PER_ERG / mean
    np.testing.assert_allclose(number_rate(amplitude, cutoff, gamma), np.tile(rate, (4, 1)), rtol=1e-12)

    # N_Z nuclei per second above 1 GV, for 3 Myr, in the shape of one exponential
    coefficients, spectrum = released(amplitude, cutoff, gamma)
    points = R[R < 5e7]  # further on, spectra are cut at exp(-300)
    shape = points**gamma * np.exp(-points / 3e5)
    edges = np.linspace(0, np.log(2e7), 15)
    integral = sum(
        quad(lambda x: np.exp((gamma + 1) * x - np.exp(x) / 3e5), low, high, epsrel=1e-12)[0]
        for low, high in pairwise(edges)
    )
    np.testing.assert_allclose(spectrum(points), 3e6 * YEAR * np.outer(rate, shape) / integral, rtol=1e-9)

    found = effective_cutoff(coefficients, cutoff)
    np.testing.assert_allclose(found.first, 3e5, rtol=1e-14)
    np.testing.assert_allclose(found.last, 3e5, rtol=1e-14)
    np.testing.assert_allclose(equal_rigidity_abundances(coefficients), NUMBERS, rtol=1e-13)
    ratio = species_ratio(spectrum(R), WIND.names, "H1", "He4")
    np.testing.assert_allclose(ratio, 0.70 / (0.28 / 4), rtol=1e-12)


def test_two_phases():
    # an O phase of 4 Myr and a WR phase of 0.3 Myr, each constant
    times, luminosity, cutoff = np.array([4e6, 3e5]), np.array([2e36, 3e37]), np.array([8e4, 9e5])
    fractions = np.stack([NUMBERS, HELIUM])
    amplitude = injection_amplitude(luminosity, cutoff, fractions, WIND.charge, WIND.mass)
    coefficients, _ = released(amplitude, cutoff, -2.0, times)

    # gamma = -2: N_Z = eta n_Z L/<E>, and the integral of the shape from adaptive quadrature
    weights = []
    for k in range(2):
        mean = mean_kinetic_energy(cutoff[k], -2.0, fractions[k], WIND.charge, WIND.mass)
        edges = np.linspace(0, np.log(60 * cutoff[k]), 15)
        norm = sum(
            quad(lambda x, c=cutoff[k]: np.exp(-x - np.exp(x) / c), low, high, epsrel=1e-12)[0]
            for low, high in pairwise(edges)
        )
        weights.append(0.1 * fractions[k] * luminosity[k] * GEV_PER_ERG * times[k] * YEAR / mean / norm)
    weights = np.array(weights).T
    np.testing.assert_allclose(coefficients, weights, rtol=1e-10)
    np.testing.assert_allclose(equal_rigidity_abundances(coefficients), weights.sum(1) / weights.sum(), rtol=1e-10)

    def excess(x, c):
        terms = c * np.exp(-np.exp(x) / cutoff)
        return np.exp(x) * (terms / cutoff).sum() / terms.sum() - 1

    expected = [np.exp(brentq(excess, np.log(7e4), np.log(1e6), args=(c,), xtol=1e-13)) for c in weights]
    found = effective_cutoff(coefficients, cutoff)
    np.testing.assert_allclose(found.first, expected, rtol=1e-11)
    np.testing.assert_array_equal(found.first, found.last)
    assert found.first[0] < found.first[1]  # hydrogen ends with the O phase, helium with the WR phase
    np.testing.assert_allclose(found.first[0], 8e4, rtol=0.5)
    np.testing.assert_allclose(found.first[1:], 9e5, rtol=0.1)

    # by population: each phase alone is a single exponential
    for k, mask in enumerate(np.eye(2, dtype=bool)):
        alone, _ = released(amplitude, cutoff, -2.0, times, mask)
        present = fractions[k] > 0
        single = effective_cutoff(alone, cutoff)
        np.testing.assert_allclose(single.first[present], cutoff[k], rtol=1e-14)
        assert np.all(np.isnan(single.first[~present]))
        assert np.all(np.isnan(single.last[~present]))


def test_populations_add_up():
    amplitude, cutoff, _ = evolving_wind()
    mask = np.array([True, False, False, True])
    parts = [released(amplitude, cutoff, -2.1, mask=m)[1](R) for m in (mask, ~mask)]
    np.testing.assert_allclose(sum(parts), released(amplitude, cutoff, -2.1)[1](R), rtol=1e-13)


@pytest.mark.parametrize("what", ["luminosity", "eta_acc", "weights"])
def test_spectra_are_linear(what):
    factor = {"luminosity": 1.0, "eta_acc": 1.0, "weights": 1.0} | {what: 3.0}
    cutoff = np.array([1e3, 1e4, 1e5, 1e6])

    def spectrum(luminosity, eta_acc, weights):
        amplitude = injection_amplitude(1e36 * luminosity, cutoff, NUMBERS, WIND.charge, WIND.mass, -2.0, 0.1 * eta_acc)
        return released(amplitude, cutoff, -2.0, TRAPEZOID * weights)[1](R)

    np.testing.assert_allclose(spectrum(**factor), 3.0 * spectrum(1.0, 1.0, 1.0), rtol=1e-14)


@pytest.mark.parametrize("gamma", [-3.0, -2.3, -2.0, -1.0])
def test_energy_is_conserved(gamma):
    amplitude, cutoff, luminosity = evolving_wind(gamma, eta_acc=0.15)
    coefficients, spectrum = released(amplitude, cutoff, gamma)
    available = 0.15 * (TRAPEZOID * luminosity).sum() * YEAR
    edges = np.linspace(0.0, np.log(60 * cutoff.max()), 25)
    energy = []
    for row, particle in enumerate(WIND.nuclides):

        def integrand(x, row=row, z=particle.charge, m=particle.mass):
            rigidity = np.array([np.exp(x)])
            kinetic = (z * rigidity) ** 2 / (np.hypot(z * rigidity, m) + m)
            # in units of 1e50 GeV
            return (rigidity * kinetic * spectrum(rigidity)[row])[0] / 1e50

        energy.append(sum(quad(integrand, low, high, epsabs=1e-16, epsrel=1e-11)[0] for low, high in pairwise(edges)))
    assert 1e50 * sum(energy) / GEV_PER_ERG == pytest.approx(available, rel=1e-8)
    by_species = kinetic_energy_released(coefficients, cutoff, WIND.charge, WIND.mass, gamma)
    np.testing.assert_allclose(by_species, 1e50 * np.array(energy) / GEV_PER_ERG, rtol=1e-8)
    assert by_species.sum() == pytest.approx(
        energy_budget(luminosity, cutoff, TRAPEZOID, None, 0.15).injected, rel=1e-12
    )


def test_energy_below_one_GV_is_lost_and_reported():
    luminosity, cutoff = np.array([1e36, 1e36, 3e35, 0.0]), np.array([1e4, 0.8, 0.999, 0.0])
    fractions = np.stack([NUMBERS, NUMBERS, HELIUM, 0 * NUMBERS])
    amplitude = injection_amplitude(luminosity, cutoff, fractions, WIND.charge, WIND.mass)
    np.testing.assert_array_equal(amplitude[1:], 0.0)
    budget = energy_budget(luminosity, cutoff, TRAPEZOID)
    assert budget.injected == pytest.approx(0.1 * 1e36 * 0.5e6 * YEAR)
    assert budget.lost == pytest.approx(0.1 * (1e36 + 3e35) * 1e6 * YEAR)
    assert budget.available == pytest.approx(budget.injected + budget.lost)
    of_second = energy_budget(luminosity, cutoff, TRAPEZOID, np.array([False, True, False, False]))
    assert of_second.injected == 0.0
    assert of_second.lost == pytest.approx(0.1 * 1e36 * 1e6 * YEAR)
    coefficients, spectrum = released(amplitude, cutoff, -2.0)
    assert np.all(np.isfinite(spectrum(R)))
    np.testing.assert_allclose(effective_cutoff(coefficients, cutoff).first, 1e4, rtol=1e-14)


def test_a_wind_that_injects_nothing():
    cutoff = np.array([0.2, 0.3, 0.0, 0.9])
    coefficients = integrated_amplitude(np.zeros((4, 6)), TRAPEZOID)
    found = effective_cutoff(coefficients, cutoff)
    assert np.all(np.isnan(found.first))
    assert np.all(np.isnan(found.last))
    np.testing.assert_array_equal(equal_rigidity_abundances(coefficients), 0.0)
    assert np.isnan(species_ratio(equal_rigidity_abundances(coefficients), WIND.names, "H1", "He4", axis=-1))


# --- effective cutoffs ----------------------------------------------------------------------------------------------


def test_random_sums_have_the_slope_at_their_cutoffs():
    generator = np.random.default_rng(4)
    for _ in range(20):
        cutoff = 10 ** generator.uniform(0.5, 7.0, 30)
        coefficients = 10 ** generator.uniform(-9.0, 0.0, (8, 30)) * (generator.random((8, 30)) > 0.3)
        found = effective_cutoff(coefficients, cutoff)
        grid = np.geomspace(cutoff.min(), cutoff.max(), 5000)
        slopes = log_slope(grid, coefficients, cutoff, -2.0)
        for row in range(8):
            ends = np.array([found.first[row], found.last[row]])
            np.testing.assert_allclose(log_slope(ends, coefficients[[row]], cutoff, -2.0), -3.0, rtol=0, atol=1e-10)
            assert np.all(slopes[row][grid < ends[0] * (1 - 1e-9)] > -3.0)
            assert np.all(slopes[row][grid > ends[1] * (1 + 1e-9)] < -3.0)


def test_a_small_hard_component_gives_two_cutoffs():
    found = effective_cutoff(np.array([[1.0, 1e-3], [1.0, 10.0]]), np.array([1e3, 1e6]))
    assert found.first[0] == pytest.approx(1e3, rel=0.01)
    assert found.last[0] == pytest.approx(1e6, rel=0.01)
    assert found.first[1] == found.last[1] == pytest.approx(1e6, rel=0.01)


def test_slope_is_the_derivative_of_the_spectrum():
    amplitude, cutoff, _ = evolving_wind()
    coefficients, spectrum = released(amplitude, cutoff, -2.1)
    points, step = np.geomspace(3.0, 3e6, 25), 1e-5
    numerical = (np.log(spectrum(points * np.exp(step))) - np.log(spectrum(points * np.exp(-step)))) / (2 * step)
    np.testing.assert_allclose(log_slope(points, coefficients, cutoff, -2.1), numerical, rtol=1e-8)


def test_cutoffs_scale_with_the_rigidities_and_grow_with_eta_B():
    amplitude, cutoff, _ = evolving_wind()
    coefficients = integrated_amplitude(amplitude, TRAPEZOID)
    reference = effective_cutoff(coefficients, cutoff)
    scaled = effective_cutoff(coefficients, 10 * cutoff)
    np.testing.assert_allclose(scaled.first, 10 * reference.first, rtol=1e-11)
    np.testing.assert_allclose(scaled.last, 10 * reference.last, rtol=1e-11)
    # with the weights 1/<E> following: nearly the square root of eta_B
    rows = []
    for eta_B in np.geomspace(0.01, 1.0, 9):
        amplitude, cutoffs, _ = evolving_wind(scale=np.sqrt(eta_B / 0.01))
        rows.append(effective_cutoff(integrated_amplitude(amplitude, TRAPEZOID), cutoffs).first)
    rows = np.array(rows)
    assert np.all(np.diff(rows, axis=0) > 0)
    np.testing.assert_allclose(rows[-1] / rows[0], 10.0, rtol=0.05)


# --- arrays of another library, and bad input -----------------------------------------------------------------------

AMPLITUDE, CUTOFF, LUMINOSITY = evolving_wind()
COEFFICIENTS = integrated_amplitude(AMPLITUDE, TRAPEZOID)
KERNELS = {
    "amplitude": (
        lambda lum, cut, n: injection_amplitude(lum, cut, n, WIND.charge, WIND.mass, -2.1),
        (LUMINOSITY, CUTOFF, NUMBERS),
    ),
    "number_rate": (number_rate, (AMPLITUDE, CUTOFF)),
    "integrated_amplitude": (integrated_amplitude, (AMPLITUDE, TRAPEZOID, CUTOFF > 1e4)),
    "integrated_spectrum": (integrated_spectrum, (R, COEFFICIENTS, CUTOFF)),
    "integrated_spectrum, indices": (integrated_spectrum, (R, COEFFICIENTS, CUTOFF, np.array([-2.2, -2.0]))),
    "energy": (
        lambda c, cut: kinetic_energy_released(c, cut, WIND.charge, WIND.mass, -2.1),
        (COEFFICIENTS, CUTOFF),
    ),
    "budget": (lambda *a: energy_budget(*a).lost, (LUMINOSITY, CUTOFF / 1e3, TRAPEZOID)),
    "abundances": (equal_rigidity_abundances, (COEFFICIENTS,)),
    "ratio": (lambda c: species_ratio(c, WIND.names, "H1", "He4"), (COEFFICIENTS,)),
    "number_fractions": (WIND.number_fractions, (np.stack([MASS_FRACTIONS, MASS_FRACTIONS[::-1]]),)),
    "sum_isotopes": (WIND.sum_isotopes, (AMPLITUDE,)),
    "sum_isotopes of spectra": (lambda c: WIND.sum_isotopes(c, axis=-2), (COEFFICIENTS,)),
}


@pytest.mark.parametrize("name", KERNELS)
def test_kernels_need_nothing_but_the_standard(name):
    kernel, arguments = KERNELS[name]
    expected, found = kernel(*arguments), kernel(*(strict.asarray(a) for a in arguments))
    assert namespace(found).__name__ == "array_api_strict"
    assert found.shape == expected.shape
    np.testing.assert_allclose(np.asarray(found), expected, rtol=1e-12, atol=1e-100)


def amplitude_of(luminosity=1e36, cutoff=1e4, fractions=NUMBERS, gamma=-2.0, eta_acc=0.1):
    return injection_amplitude(luminosity, cutoff, fractions, WIND.charge, WIND.mass, gamma, eta_acc)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: amplitude_of(luminosity=-1.0), ModelError, "luminosity = -1 erg/s"),
        (lambda: amplitude_of(cutoff=np.array([1.0, np.nan])), ModelError, r"R_max\[1\] = nan GV"),
        (lambda: amplitude_of(fractions=-NUMBERS), ModelError, r"number fraction\[0\]"),
        (lambda: amplitude_of(fractions=NUMBERS[:3]), ModelError, r"fractions \(3,\)"),
        (lambda: amplitude_of(eta_acc=1.2), ParameterError, "eta_acc = 1.2"),
        (lambda: amplitude_of(gamma=1.0), ParameterError, "gamma = 1"),
        (lambda: integrated_amplitude(AMPLITUDE, TRAPEZOID[:3]), ModelError, r"weights \(3,\)"),
        (lambda: integrated_amplitude(AMPLITUDE, TRAPEZOID, np.ones(5, bool)), ModelError, r"mask \(5,\)"),
        (lambda: integrated_amplitude(AMPLITUDE, -TRAPEZOID), ModelError, r"weight\[0\] = -500000 yr"),
        (lambda: integrated_spectrum(R / 2, COEFFICIENTS, CUTOFF), ModelError, r"rigidity\[0\] = 0.5 GV"),
        (lambda: effective_cutoff(COEFFICIENTS, CUTOFF[:2]), ModelError, "shapes disagree"),
        (lambda: effective_cutoff(-COEFFICIENTS, CUTOFF), ModelError, r"coefficient\["),
        (lambda: species_ratio(COEFFICIENTS, WIND.names, "H", "He4"), ParameterError, "no species 'H'"),
        (lambda: species_ratio(COEFFICIENTS, WIND.elements), ModelError, "axis -2 of 5 species"),
    ],
)
def test_bad_input(call, error, message):
    with pytest.raises(error, match=message) as caught:
        call()
    assert caught.value.remedy
