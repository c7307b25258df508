"""Magnetic field, highest rigidity and mean energy, against their definitions and adaptive quadrature."""

from decimal import Decimal, localcontext
from itertools import pairwise

import array_api_strict as strict
import numpy as np
import pytest
from astropy import constants as astropy_constants
from astropy import units as u
from scipy.integrate import quad
from scipy.special import exp1, expn

from stellarcr.backend import namespace
from stellarcr.errors import ModelError, ParameterError
from stellarcr.shock.acceleration import (
    TURBULENCE,
    injects,
    kinetic_energy,
    magnetic_field,
    maximum_rigidity,
    maximum_rigidity_general,
    mean_kinetic_energy,
    spectral_moments,
)
from stellarcr.species import nuclide

L, V, R_S, L_C = 5.5e38, 3300.0, 15.0, 3.0
"""A cluster wind [erg/s, km/s], its shock [pc] and a coherence length [pc]."""
SPECIES = [nuclide("H", 1), nuclide("He", 4), nuclide("C", 12), nuclide("Fe", 56)]
CHARGE = np.array([float(n.charge) for n in SPECIES])
MASS = np.array([n.mass for n in SPECIES])
FRACTIONS = np.array([0.7, 0.25, 0.04, 0.01])
STEPS = np.array([1.0, 30.0, 2e4])
"""Three values of anything positive."""


def field_by_units(eta_B):
    """The magnetic field at the shock, with units carried along."""
    squared = astropy_constants.mu0 * eta_B * L * u.erg / u.s / (2 * np.pi * V * u.km / u.s)
    return np.sqrt(squared) / (R_S * u.pc)


def test_magnetic_field():
    assert magnetic_field(L, V, R_S, 0.01) == pytest.approx(field_by_units(0.01).to_value(u.uG), rel=1e-9)


def test_field_energy_is_the_share_of_the_wind():
    # B^2/(2 mu0) flowing out at V through the sphere carries eta_B times the wind's power
    field = magnetic_field(L, V, R_S, 0.07) * u.uG
    carried = field**2 / (2 * astropy_constants.mu0) * 4 * np.pi * (R_S * u.pc) ** 2 * V * u.km / u.s
    assert carried.to_value(u.erg / u.s) == pytest.approx(0.07 * L, rel=1e-9)


def test_bohm_in_a_cluster():
    # design value: 1.81 PV
    assert maximum_rigidity(L, V, R_S, 0.01) / 1e6 == pytest.approx(1.81, abs=0.005)


@pytest.mark.parametrize("delta", [0.0, -1 / 2, -2 / 3, -0.9, 0.5])
def test_diffusion_at_the_highest_rigidity_is_velocity_times_radius(delta):
    found = maximum_rigidity_general(L, V, R_S, L_C, 0.01, delta) * u.GV
    larmor_radius = (found / (astropy_constants.c * field_by_units(0.01))).to(u.pc)
    diffusion = astropy_constants.c / 3 * larmor_radius * (larmor_radius / (L_C * u.pc)) ** delta
    assert (diffusion / (V * u.km / u.s * R_S * u.pc)).to_value(u.one) == pytest.approx(1.0, rel=1e-8)


@pytest.mark.parametrize("turbulence", TURBULENCE)
def test_closed_form_is_the_general_solution(turbulence):
    wind = STEPS * 1e36, np.array([50.0, 800.0, 3000.0]), np.array([0.3, 5.0, 40.0])
    closed = maximum_rigidity(*wind, 0.03, turbulence, L_C)
    np.testing.assert_allclose(closed, maximum_rigidity_general(*wind, L_C, 0.03, TURBULENCE[turbulence]), rtol=1e-12)


@pytest.mark.parametrize("turbulence", TURBULENCE)
def test_grows_as_the_root_of_eta_B(turbulence):
    eta_B = np.array([1e-3, 4e-3, 0.1, 1.0])
    found = maximum_rigidity(L, V, R_S, eta_B, turbulence, L_C)
    np.testing.assert_allclose(found / found[0], np.sqrt(eta_B / eta_B[0]), rtol=4e-16)
    assert np.all(np.diff(found) > 0)


@pytest.mark.parametrize(
    ("turbulence", "velocity_power", "radius_power"), [("bohm", 0.5, 0), ("kraichnan", 1.5, 1), ("kolmogorov", 2.5, 2)]
)
def test_powers_of_the_wind(turbulence, velocity_power, radius_power):
    def found(luminosity, velocity, radius, length):
        return maximum_rigidity(luminosity, velocity, radius, 0.01, turbulence, length)

    reference = found(L, V, R_S, L_C)
    assert found(9 * L, V, R_S, L_C) / reference == pytest.approx(3.0, rel=1e-14)
    assert found(L, 2 * V, R_S, L_C) / reference == pytest.approx(2.0**velocity_power, rel=1e-14)
    assert found(L, V, 2 * R_S, L_C) / reference == pytest.approx(2.0**radius_power, rel=1e-14)
    assert found(L, V, R_S, 2 * L_C) / reference == pytest.approx(2.0**-radius_power, rel=1e-14)


@pytest.mark.parametrize("turbulence", TURBULENCE)
def test_a_dead_star_accelerates_nothing(turbulence):
    wind = np.array([0.0, L]), np.array([0.0, V]), np.array([R_S, R_S])
    assert maximum_rigidity(*wind, 0.01, turbulence, L_C)[0] == 0.0
    assert maximum_rigidity_general(*wind, L_C, 0.01, TURBULENCE[turbulence])[0] == 0.0


def test_all_arguments_broadcast():
    found = maximum_rigidity(STEPS * 1e36, V, R_S * np.ones((2, 1, 1)), np.full((4, 1), 0.1), "kolmogorov", L_C)
    assert found.shape == (2, 4, 3)
    assert maximum_rigidity(L, V, np.full(5, R_S), 0.1).shape == (5,)


def test_kinetic_energy_does_not_cancel():
    for rigidity in (1e-6, 1e-2, 1.0, 1e9):
        with localcontext() as context:
            context.prec = 50
            momentum, mass = Decimal(26) * Decimal(rigidity), Decimal(MASS[3])
            exact = float((momentum * momentum + mass * mass).sqrt() - mass)
        assert kinetic_energy(rigidity, 26.0, MASS[3]) == pytest.approx(exact, rel=1e-15)


def adaptive(cutoff, gamma, energy):
    """Integral above 1 GV of R^gamma exp(-R/cutoff) energy(R), in pieces of ln R."""
    edges = np.linspace(0.0, np.log(60 * cutoff), 20)

    def integrand(x):
        return np.exp((gamma + 1) * x - np.exp(x) / cutoff) * energy(np.exp(x))

    return sum(quad(integrand, low, high, epsabs=0, epsrel=1e-12, limit=200)[0] for low, high in pairwise(edges))


@pytest.mark.parametrize("gamma", [-4.0, -3.0, -2.37, -2.0, -1.5, -1.0, 0.0])
def test_moments_against_adaptive_quadrature(gamma):
    cutoffs = np.array([1.0, 1.7, 40.0, 3.3e4, 2e6, 1e9])
    number, energy = spectral_moments(cutoffs, gamma, CHARGE, MASS)
    mean = mean_kinetic_energy(cutoffs, gamma, FRACTIONS, CHARGE, MASS)
    for k, cutoff in enumerate(cutoffs):
        exact = adaptive(cutoff, gamma, lambda r: 1.0)
        by_species = [
            adaptive(cutoff, gamma, lambda r, n=n: (n.charge * r) ** 2 / (np.hypot(n.charge * r, n.mass) + n.mass))
            for n in SPECIES
        ]
        assert number[k] == pytest.approx(exact, rel=1e-10)
        np.testing.assert_allclose(energy[k], by_species, rtol=1e-10)
        assert mean[k] == pytest.approx(FRACTIONS @ by_species / exact, rel=1e-10)


def test_moments_of_massless_particles_are_exponential_integrals():
    cutoffs = np.geomspace(1.0, 1e9, 37)
    number, energy = spectral_moments(cutoffs, -2.0, [1.0, 6.0], [1e-200, 1e-200])
    np.testing.assert_allclose(number, expn(2, 1 / cutoffs), rtol=1e-11)
    np.testing.assert_allclose(energy, np.outer(exp1(1 / cutoffs), [1.0, 6.0]), rtol=1e-11)


def test_mean_energy_broadcasts_over_steps_indices_and_compositions():
    cutoffs, gamma = np.geomspace(1.0, 1e7, 5), np.array([-2.2, -2.0])
    fractions = np.stack([np.roll(FRACTIONS, k) for k in range(5)])
    found = mean_kinetic_energy(cutoffs, gamma[:, None], fractions, CHARGE, MASS)
    one_by_one = [
        [mean_kinetic_energy(c, g, f, CHARGE, MASS) for c, f in zip(cutoffs, fractions, strict=True)] for g in gamma
    ]
    np.testing.assert_allclose(found, one_by_one, rtol=1e-13)


def test_mean_energy_grows_with_the_cutoff():
    assert np.all(np.diff(mean_kinetic_energy(np.geomspace(1, 1e9, 50), -2.0, FRACTIONS, CHARGE, MASS)) > 0)


def test_nothing_is_injected_below_one_GV():
    cutoffs = np.array([0.0, 0.99, 1.0, 5.0])
    np.testing.assert_array_equal(injects(cutoffs), [False, False, True, True])
    mean = mean_kinetic_energy(cutoffs, -2.0, FRACTIONS, CHARGE, MASS)
    np.testing.assert_array_equal(np.isnan(mean), [True, True, False, False])


KERNELS = {
    "magnetic_field": (lambda x: magnetic_field(x * 1e36, V, R_S, 0.01), STEPS),
    **{name: (lambda x, name=name: maximum_rigidity(x * 1e36, V, R_S, 0.01, name, L_C), STEPS) for name in TURBULENCE},
    "general": (lambda x: maximum_rigidity_general(x * 1e36, V, R_S, L_C, 0.01, -0.4), STEPS),
    "eta_B alone": (lambda x: maximum_rigidity(L, V, R_S, x, "kraichnan", L_C), STEPS / 1e5),
    "injects": (lambda x: injects(x), STEPS),
    "number": (lambda x: spectral_moments(x, -2.0, CHARGE, MASS)[0], STEPS),
    "energy": (lambda x: spectral_moments(1e6, x, CHARGE, MASS)[1], -STEPS / 1e4),
    "mean energy": (lambda x: mean_kinetic_energy(x, -2.1, namespace(x).asarray(FRACTIONS), CHARGE, MASS), STEPS),
}


@pytest.mark.parametrize("name", KERNELS)
def test_kernels_need_nothing_but_the_standard(name):
    kernel, argument = KERNELS[name]
    found, expected = kernel(strict.asarray(argument)), kernel(argument)
    assert namespace(found).__name__ == "array_api_strict"
    np.testing.assert_allclose(np.asarray(found), expected, rtol=1e-12)


def test_an_unknown_turbulence_names_its_neighbours():
    with pytest.raises(ParameterError, match="'kolmogorow'") as caught:
        maximum_rigidity(L, V, R_S, 0.01, "kolmogorow", L_C)
    assert "'kolmogorov'" in caught.value.remedy


def test_turbulence_needs_its_coherence_length():
    with pytest.raises(ParameterError, match="'kraichnan' needs a coherence length"):
        maximum_rigidity(L, V, R_S, 0.01, "kraichnan")


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: maximum_rigidity(np.array([L, -1.0]), V, R_S, 0.01), ModelError, r"luminosity\[1\] = -1 erg/s"),
        (lambda: maximum_rigidity(L, np.nan, R_S, 0.01), ModelError, "velocity = nan km/s"),
        (lambda: maximum_rigidity(L, V, np.inf, 0.01), ModelError, "shock radius = inf pc"),
        (lambda: maximum_rigidity(L, V, R_S, -0.01), ParameterError, "eta_B = -0.01"),
        (lambda: maximum_rigidity(L, V, R_S, 0.01, "kraichnan", 0.0), ParameterError, "L_c = 0 pc"),
        (lambda: maximum_rigidity_general(L, V, R_S, L_C, 0.01, -1.0), ParameterError, "delta = -1"),
        (lambda: magnetic_field(L, 0.0, R_S, 0.01), ModelError, "velocity = 0 km/s"),
        (lambda: magnetic_field(L, V, 0.0, 0.01), ModelError, "radius = 0 pc"),
        (lambda: spectral_moments(1e10, -2.0, CHARGE, MASS), ModelError, r"R_max = 1e\+10 GV"),
        (lambda: spectral_moments(1e3, -4.5, CHARGE, MASS), ParameterError, "gamma = -4.5"),
        (lambda: mean_kinetic_energy(1e3, -2.0, FRACTIONS[:2], CHARGE, MASS), ModelError, r"fractions \(2,\)"),
    ],
)
def test_bad_input(call, error, message):
    with pytest.raises(error, match=message) as caught:
        call()
    assert caught.value.remedy
