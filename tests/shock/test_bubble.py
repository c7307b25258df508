"""The bubble against what is known exactly: similarity, adiabats, conserved energies, and a brute-force integration."""

import numpy as np
import pytest
from scipy.integrate import RK45
from scipy.optimize import brentq

from stellarcr.shock import bubble_dynamics
from stellarcr.shock.bubble import Medium, shocked_wind_pressure, similarity_solution, solve_bubble

YEAR, PARSEC, SOLAR_MASS = 3.15576e7, 3.0856775814913673e18, 1.988409870698051e33
VACUUM = Medium(temperature=0.0)


def wind(mass_loss, velocity):
    """F [g cm/s^2] and L [erg/s] of mdot [Msun/yr] at a velocity [km/s]."""
    rate, speed = np.asarray(mass_loss) * SOLAR_MASS / YEAR, np.asarray(velocity) * 1e5
    return rate * speed, rate * speed**2 / 2


def constant_wind(ages, mass_loss=1e-6, velocity=2500.0):
    return tuple(np.full(len(ages), value) for value in wind(mass_loss, velocity))


AGES = np.concatenate([[0.0], np.geomspace(1e4, 4e7, 120)])


def star_with_three_phases(ages):
    """O, red supergiant, Wolf-Rayet, dead."""
    phase = np.searchsorted([4e6, 4.5e6, 5e6], ages, side="right")
    return wind(np.array([2e-6, 5e-5, 2e-5, 0.0])[phase], np.array([2800.0, 20.0, 2000.0, 0.0])[phase])


def test_pressure_is_the_positive_root_over_the_whole_range():
    energies, fluxes = np.meshgrid(10.0 ** np.arange(0, 81, 2.5), 10.0 ** np.arange(0, 61, 2.5))
    pressure = shocked_wind_pressure(10.0, energies, fluxes)
    radius = 10 * PARSEC
    linear, constant = energies / (2 * np.pi * radius**3), (fluxes / (4 * np.pi)) ** 1.5 / radius**3

    def root(a, b):
        scale = a**0.5 + b ** (1 / 3)  # an upper bound; the root is at least half of it
        a, b = a / scale**2, b / scale**3
        return scale * brentq(lambda u: u**3 - a * u - b, 0.4, 1.1, xtol=1e-15, rtol=1e-14)

    expected = np.vectorize(root)(linear, constant) ** 2
    np.testing.assert_allclose(pressure, expected, rtol=1e-12)


def test_pressure_limits():
    radius, energy, flux = 10 * PARSEC, 1e50, 1e29
    assert shocked_wind_pressure(10.0, energy, 0.0) == pytest.approx(energy / (2 * np.pi * radius**3), rel=1e-14)
    assert shocked_wind_pressure(10.0, 0.0, flux) == pytest.approx(flux / (4 * np.pi * radius**2), rel=1e-13)
    assert shocked_wind_pressure(10.0, 0.0, 0.0) == 0.0


def test_the_scalar_root_of_the_integration_is_the_public_one():
    thermal, ram = np.meshgrid(10.0 ** np.arange(-40.0, 10), 10.0 ** np.arange(-40.0, 10))
    scalar = np.vectorize(bubble_dynamics._pressure)(thermal, ram)
    np.testing.assert_allclose(scalar, bubble_dynamics.thermal_pressure(thermal, ram), rtol=1e-13)


def test_coefficients_are_those_of_dormand_and_prince():
    assert bubble_dynamics.NODES[:6] == pytest.approx(RK45.C, rel=1e-15)
    for row, theirs in zip(bubble_dynamics.STAGES[:5], RK45.A[1:], strict=True):
        assert row == pytest.approx(theirs[: len(row)], rel=1e-15)
    assert bubble_dynamics.STAGES[5] == pytest.approx(RK45.B, rel=1e-15)
    weights, theirs = np.array(bubble_dynamics.ERROR_WEIGHTS), np.array(RK45.E)  # the sign of an error is free
    assert weights * np.sign(weights[0] * theirs[0]) == pytest.approx(theirs, rel=1e-12)


def test_similarity_solution_of_a_fast_thin_wind():
    flux, power = wind(1e-10, 250_000.0)
    bubble = solve_bubble(AGES, np.full(AGES.shape, flux), np.full(AGES.shape, power), medium=VACUUM)
    thin = (bubble.shock_radius / bubble.shell_radius)[1:] ** 3 < 1e-4
    assert np.sum(thin) > 100
    radius, velocity, energy = similarity_solution(AGES[1:], power, VACUUM)
    np.testing.assert_allclose(bubble.shell_radius[1:][thin], radius[thin], rtol=1e-3)
    np.testing.assert_allclose(bubble.shell_velocity[1:][thin], velocity[thin], rtol=1e-3)
    np.testing.assert_allclose(bubble.energy[1:][thin], energy[thin], rtol=1e-3)
    np.testing.assert_allclose(bubble.energy[1:], 5 / 11 * power * AGES[1:] * YEAR, rtol=1e-3)
    assert np.gradient(np.log(bubble.shell_radius[1:]), np.log(AGES[1:]))[20:] == pytest.approx(0.6, abs=1e-4)


def test_a_real_wind_approaches_similarity_late():
    bubble = solve_bubble(AGES, *constant_wind(AGES), medium=VACUUM)
    slopes = np.gradient(np.log(bubble.shock_radius[1:]), np.log(AGES[1:]))
    assert slopes[-2] == pytest.approx(0.4, abs=2e-3)  # p ~ t^-0.8
    radius, _, _ = similarity_solution(AGES[1:], wind(1e-6, 2500.0)[1], VACUUM)
    departure = np.abs(bubble.shell_radius[1:] / radius - 1)
    assert departure[-1] < 2e-3 < departure[30]


def test_scaling_with_luminosity_and_density():
    flux, power = wind(1e-10, 250_000.0)
    ages = np.array([0.0, 1e4, 1e6, 1e7])
    ones = np.ones(4)
    reference = solve_bubble(ages, flux * ones, power * ones, medium=VACUUM)
    brighter = solve_bubble(ages, flux * ones, 32 * power * ones, medium=VACUUM)
    denser = solve_bubble(ages, flux * ones, power * ones, medium=Medium(hydrogen_density=32.0, temperature=0.0))
    assert brighter.shell_radius[1:] / reference.shell_radius[1:] == pytest.approx(2.0, rel=1e-4)
    assert denser.shell_radius[1:] / reference.shell_radius[1:] == pytest.approx(0.5, rel=1e-3)
    # exact: lengths x 2 and times x 2 with rho0 fixed keep velocities, so F and L grow by 4
    doubled = solve_bubble(2 * ages, 4 * flux * ones, 4 * power * ones, medium=VACUUM, start=2e4)
    assert doubled.shell_radius[1:] / reference.shell_radius[1:] == pytest.approx(2.0, rel=1e-8)
    assert doubled.shock_radius[1:] / reference.shock_radius[1:] == pytest.approx(2.0, rel=1e-8)


def test_slopes_of_the_o_phase_with_external_pressure():
    bubble = solve_bubble(AGES, *constant_wind(AGES, 2e-6, 3000.0))
    window = (AGES > 1e5) & (AGES < 4e6)
    age = np.log(AGES[window])
    # physics of the reference model: R_b ~ t^0.58-0.59 and, for a constant wind, R_s no steeper than t^0.40
    assert np.polyfit(age, np.log(bubble.shell_radius[window]), 1)[0] == pytest.approx(0.585, abs=0.01)
    assert 0.35 < np.polyfit(age, np.log(bubble.shock_radius[window]), 1)[0] < 0.40


def test_late_pressure_equilibrium():
    ages = np.concatenate([[0.0], np.geomspace(1e4, 1e10, 60)])
    flux, power = wind(1e-8, 25_000.0)
    bubble = solve_bubble(ages, np.full(61, flux), np.full(61, power))
    external = bubble.medium.pressure
    excess = np.abs(bubble.pressure / external - 1)
    assert excess[-1] < 2e-3
    assert excess[ages > 1e8].max() < 0.03
    # the enthalpy 5/2 p_II V is what the wind has delivered
    volume = 4 / 3 * np.pi * (bubble.shell_radius[-1] * PARSEC) ** 3
    assert 2.5 * external * volume == pytest.approx(power * 1e10 * YEAR, rel=1e-2)


def brute_force(phases, medium, start, steps):
    """Fixed-step RK4 in ln t, in cgs, for (R, momentum, E): phases are (end [yr], F, L); the shell keeps its mass."""
    rho, external = medium.mass_density, medium.pressure

    def rate(log_time, state, flux, power):
        radius, momentum, energy = state
        velocity = momentum / (4 / 3 * np.pi * rho * max(radius, largest) ** 3)
        cavity = (flux / (4 * np.pi)) ** 1.5 / radius**3
        thermal = energy / (2 * np.pi * radius**3)
        upper = thermal**0.5 + cavity ** (1 / 3)
        root = brentq(lambda s: s**3 - thermal * s - cavity, upper / 2.1, 1.01 * upper, xtol=1e-25, rtol=1e-13)
        force = 4 * np.pi * radius**2 * (root**2 - external)
        return np.exp(log_time) * np.array([velocity, force, power - 4 * np.pi * radius**2 * root**2 * velocity])

    time = start * YEAR
    power = phases[0][2]
    radius = (125 / (154 * np.pi) * power * time**3 / rho) ** 0.2
    largest = radius
    state = np.array([radius, 4 / 3 * np.pi * rho * radius**3 * 0.6 * radius / time, 5 / 11 * power * time])
    ends = []
    for end, flux, power in phases:
        grid, h = np.linspace(np.log(time), np.log(end * YEAR), steps + 1, retstep=True)
        for x in grid[:-1]:
            k1 = rate(x, state, flux, power)
            k2 = rate(x + h / 2, state + h / 2 * k1, flux, power)
            k3 = rate(x + h / 2, state + h / 2 * k2, flux, power)
            k4 = rate(x + h, state + h * k3, flux, power)
            state = state + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
            largest = max(largest, state[0])
        time = end * YEAR
        ends.append((state[0] / PARSEC, state[2]))
    return np.array(ends).T


def test_jumps_against_a_brute_force_integration():
    phases = [(3e6, *wind(2e-6, 2800.0)), (3.3e6, *wind(3e-5, 30.0)), (3.8e6, *wind(2e-5, 2000.0))]
    radii, energies = brute_force(phases, Medium(), 1e4, steps=700)
    ages = np.array([0.0, 3e6, 3.3e6, 3.8e6])
    flux, power = (np.array([phases[k][column] for k in (0, 1, 2, 2)]) for column in (1, 2))
    bubble = solve_bubble(ages, flux, power, interpolation="constant")
    np.testing.assert_allclose(bubble.shell_radius[1:], radii, rtol=1e-7)
    np.testing.assert_allclose(bubble.energy[1:], energies, rtol=1e-7)
    assert bubble.shock_radius[2] > 2 * bubble.shock_radius[1] * (flux[1] / flux[0]) ** 0.5  # node: the wind from it on
    # the same jumps as ramps of one year
    ramps = np.array([0.0, 3e6, 3e6 + 1, 3.3e6, 3.3e6 + 1, 3.8e6])
    ramped = solve_bubble(ramps, flux[[0, 0, 1, 1, 2, 2]], power[[0, 0, 1, 1, 2, 2]])
    assert ramped.shell_radius[-1] == pytest.approx(radii[-1], rel=1e-6)


@pytest.mark.parametrize("interpolation", ["linear", "constant"])
@pytest.mark.parametrize("velocity", [300.0, 2500.0])
def test_energy_bookkeeping(interpolation, velocity):
    ages = np.unique(np.concatenate([AGES, np.linspace(3.9e6, 5.1e6, 200)]))
    flux, power = star_with_three_phases(ages)
    bubble = solve_bubble(ages, flux * velocity / 2500, power * (velocity / 2500) ** 2, interpolation=interpolation)
    assert np.nanmax(np.abs(bubble.energy_imbalance)) <= 1e-6
    # the energy injected is the rule that was promised
    power = power * (velocity / 2500) ** 2
    means = (power[2:] + power[1:-1]) / 2 if interpolation == "linear" else power[1:-1]
    assert bubble.energy_injected[-1] == pytest.approx(np.sum(means * np.diff(ages[1:])) * YEAR, rel=1e-12)


def test_a_wrong_energy_would_show_in_the_bookkeeping(monkeypatch):
    ages = AGES[:60]
    right = solve_bubble(ages, *constant_wind(ages))
    # one weight of the solver's sum off by 1e-3 harms the energy, not the quadrature
    stages = (*bubble_dynamics.STAGES[:5], (35 / 384, 0.0, 500 / 1113, 125 / 192 * 1.001, -2187 / 6784, 11 / 84))
    monkeypatch.setattr(bubble_dynamics, "STAGES", stages)
    wrong = solve_bubble(ages, *constant_wind(ages), tolerance=1e-3)
    assert np.nanmax(np.abs(right.energy_imbalance)) < 1e-7
    assert np.nanmax(np.abs(wrong.energy_imbalance)) > 1e-5


def test_convergence_with_the_tolerance():
    ages = np.unique(np.concatenate([AGES, np.linspace(3.9e6, 5.1e6, 200)]))
    flux, power = star_with_three_phases(ages)
    best = solve_bubble(ages, flux, power, tolerance=1e-12)
    errors = []
    for tolerance in (1e-5, 1e-7, 1e-9):
        bubble = solve_bubble(ages, flux, power, tolerance=tolerance)
        errors.append(np.nanmax(np.abs(bubble.shell_radius / best.shell_radius - 1)))
    assert errors[1] < errors[0] / 5
    assert errors[2] < 1e-6


def test_a_start_between_nodes_and_a_node_at_the_start_agree():
    ages = np.array([0.0, 1e6, 3e6])
    flux, power = wind([1e-6, 2e-6, 1e-6], 2500.0)
    between = solve_bubble(ages, flux, power)
    at = np.array([0.0, 1e4, 1e6, 3e6])
    on = solve_bubble(at, np.interp(at, ages, flux), np.interp(at, ages, power))
    assert between.shell_radius[1:] == pytest.approx(on.shell_radius[2:], rel=1e-9)
    assert between.energy_injected[1:] == pytest.approx(on.energy_injected[2:], rel=1e-12)
    assert np.isnan(between.shell_radius[0])
    assert np.isnan(on.shell_radius[0])
    assert on.shell_radius[1] == similarity_solution(1e4, np.interp(1e4, ages, power), Medium())[0]
    assert on.work[1] == on.energy_injected[1] == 0
    assert abs(on.energy_imbalance[1]) < 1e-15


def test_batch_equals_single_stars():
    ages = np.unique(np.concatenate([AGES, np.linspace(3.9e6, 5.1e6, 50)]))
    flux, power = star_with_three_phases(ages)
    scales = np.array([[0.1, 1.0, 3.0], [10.0, 30.0, 0.01]])
    batch = solve_bubble(ages, scales[..., None] * flux, scales[..., None] * power)
    assert batch.shell_radius.shape == batch.swept_mass_frozen.shape == (2, 3, len(ages))
    for index in np.ndindex(2, 3):
        single = solve_bubble(ages, scales[index] * flux, scales[index] * power)
        for name in ("age", "shock_radius", "shell_radius", "pressure", "energy", "work", "swept_mass_frozen"):
            np.testing.assert_array_equal(getattr(batch, name)[index], getattr(single, name))


def test_a_dead_star_coasts_on_its_adiabat():
    ages = np.concatenate([[0.0, 1e4], np.linspace(1e6, 3e6, 5), 3e6 + np.array([1.0, 1e4, 1e5, 1e6, 3e6, 1e7, 3.7e7])])
    flux, power = constant_wind(ages)
    dead = ages > 3e6
    flux[dead] = power[dead] = 0.0
    bubble = solve_bubble(ages, flux, power)
    assert np.all(np.isnan(bubble.shock_radius[dead]))
    assert np.all(np.isfinite(bubble.shock_radius[1:][~dead[1:]]))
    assert np.all(np.isfinite(bubble.shell_radius[dead]))
    assert np.all(bubble.shell_radius[dead] > 0)
    # without a wind E_b R_b^2 is constant (5/3), and p = E_b/(2 pi R_b^3)
    adiabat = (bubble.energy * bubble.shell_radius**2)[dead]
    assert adiabat / adiabat[0] == pytest.approx(1.0, rel=1e-7)
    thermal = bubble.energy / (2 * np.pi * (bubble.shell_radius * PARSEC) ** 3)
    assert bubble.pressure[dead] == pytest.approx(thermal[dead], rel=1e-12)
    assert np.all(np.diff(bubble.energy_injected[dead]) == 0)


def test_the_swept_mass_is_frozen_after_the_largest_radius():
    ages = np.unique(np.concatenate([AGES[AGES < 2e6], [2e6, 2e6 + 1], np.linspace(2.1e6, 4e7, 400)]))
    flux, power = constant_wind(ages, 1e-7, 2000.0)
    flux[ages > 2e6] = power[ages > 2e6] = 0.0
    bubble = solve_bubble(ages, flux, power)
    frozen = bubble.swept_mass_frozen
    assert 0 < np.argmax(frozen) < len(ages) - 50
    assert not np.any(frozen[bubble.shell_velocity > 0][: np.argmax(frozen) - 1])
    # a shell of constant mass in a constant pressure conserves kinetic + thermal energy + p_II V: the mass that does so
    # is the one swept up to the largest radius (nodes 1e5 yr apart miss that by (1e5 yr / 8 Myr)^2 at most)
    speed = bubble.shell_velocity[frozen] * 1e5
    volume = 4 / 3 * np.pi * (bubble.shell_radius[frozen] * PARSEC) ** 3
    rest = bubble.energy[frozen] + bubble.medium.pressure * volume
    fit = np.polynomial.Polynomial.fit(speed**2 / 2, rest, 1).convert()
    mass = -fit.coef[1]
    assert mass * speed**2 / 2 + rest == pytest.approx(fit.coef[0], rel=1e-6)
    largest = (mass / (4 / 3 * np.pi * bubble.medium.mass_density)) ** (1 / 3) / PARSEC
    assert largest == pytest.approx(np.nanmax(bubble.shell_radius), rel=1e-3)


def test_a_new_wind_pushes_the_shell_beyond_its_largest_radius():
    phases = [(1e6, *wind(1e-8, 1000.0)), (7e6, 0.0, 0.0), (7.5e6, *wind(1e-5, 2000.0)), (1e7, *wind(1e-5, 2000.0))]
    radii, energies = brute_force(phases, Medium(), 1e4, steps=800)
    ages = np.array([0.0, 1e6, 7e6, 7.5e6, 1e7])
    flux, power = (np.array([phases[k][column] for k in (0, 1, 2, 3, 3)]) for column in (1, 2))
    bubble = solve_bubble(ages, flux, power, interpolation="constant")
    np.testing.assert_array_equal(bubble.swept_mass_frozen, [False, False, True, False, False])
    # the brute force meets the turning points to the order of its step squared only
    np.testing.assert_allclose(bubble.shell_radius[1:], radii, rtol=1e-4)
    np.testing.assert_allclose(bubble.energy[1:], energies, rtol=1e-4)
    assert bubble.shell_radius[-1] > 2 * bubble.shell_radius[2]
    assert np.nanmax(np.abs(bubble.energy_imbalance)) <= 1e-6


def test_winds_with_random_jumps_reach_40_myr():
    generator = np.random.default_rng(20260601)
    ages = np.concatenate([[0.0], np.sort(10 ** generator.uniform(4.1, 7.5, 60)), [4e7]])
    mass_loss = 10 ** generator.uniform(-9, -4, (12, 62))
    velocity = 10 ** generator.uniform(2.0, 3.6, (12, 62))
    velocity[:, 0], mass_loss[:, 0] = 3000.0, 1e-6
    for interpolation in ("linear", "constant"):
        bubble = solve_bubble(ages, *wind(mass_loss, velocity), interpolation=interpolation)
        assert np.all(np.isfinite(bubble.shell_radius[:, 1:]))
        assert np.all(bubble.shock_radius[:, 1:] < bubble.shell_radius[:, 1:])
        assert np.nanmax(np.abs(bubble.energy_imbalance)) <= 1e-6
        cavity = bubble.shell_radius**3 - bubble.shock_radius**3
        implied = 2 * np.pi * bubble.pressure * cavity * PARSEC**3
        np.testing.assert_allclose(implied[:, 1:], bubble.energy[:, 1:], rtol=1e-8)
