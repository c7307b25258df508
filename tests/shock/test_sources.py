"""From winds to injected spectra: winds known in closed form, convergence on the shipped grids, and real bubbles."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import brentq

from stellarcr.constants import GEV_PER_ERG, SOLAR_MASS, YEAR
from stellarcr.data import load_tracks
from stellarcr.errors import ModelError, ParameterError
from stellarcr.shock.bubble import Medium
from stellarcr.shock.cutoff import effective_cutoff
from stellarcr.shock.injection import equal_rigidity_abundances, integrated_spectrum, kinetic_energy_released
from stellarcr.shock.sources import CLUSTER_AGE_LIMIT, bubble_of, shock_radius, steps_of_stars, steps_of_wind
from stellarcr.stars.cluster import MASS_STEP, TIME_STEP, age_edges, collective_wind, stars_of
from stellarcr.stars.history import star_wind
from stellarcr.stars.imf import kroupa
from stellarcr.stars.winds import WindPhase

_spec = importlib.util.spec_from_file_location(
    "analytic_stars", Path(__file__).parents[1] / "stars" / "analytic_stars.py"
)
analytic_stars = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(analytic_stars)
make_wind = analytic_stars.make_wind

NAMES = ("mist-v1.0-vvcrit0.4", "genec-z014-v00", "genec-z014-v40")
GRID = load_tracks(NAMES[0])
PROTON, HELIUM = 0.938272, 3.727379  # rest energies of the nuclei [GeV]
ELEMENTS = ("H", "He", "C", "O")
TURBULENCES = (("bohm", None), ("kraichnan", 1.0))


# --- winds in closed form ---------------------------------------------------------------------------------------------


def bohm(power, speed, eta_b):
    """R_max = 3 sqrt(mu0 eta_B L V / (2 pi)) [GV] from erg/s and km/s, in SI."""
    return 3.0 * np.sqrt(4e-7 * np.pi * eta_b * power * 1e-7 * speed * 1e3 / (2.0 * np.pi)) / 1e9


def mean_energy(cutoff, hydrogen):
    """<E> [GeV] over R^-2 exp(-R/R_max) above 1 GV and the number of nuclei, by SciPy's quadrature in ln R."""

    def integral(function):
        def integrand(x):
            return function(np.exp(x)) * np.exp(-x - np.exp(x) / cutoff)

        return quad(integrand, 0.0, np.log(50 * cutoff), limit=400)[0]

    proton = integral(lambda r: np.hypot(r, PROTON) - PROTON)
    helium = integral(lambda r: np.hypot(2 * r, HELIUM) - HELIUM)
    return (hydrogen * proton + (1.0 - hydrogen) * helium) / integral(lambda r: 1.0), integral(lambda r: 1.0)


def test_constant_wind():
    rate, speed, life = 1e-5, 2500.0, 3e6
    wind = make_wind([0.0, 1e6, life], rate, speed, [0.7, 0.3])
    power = 0.5 * rate * SOLAR_MASS * 1e3 / YEAR * (speed * 1e5) ** 2
    np.testing.assert_allclose(wind.luminosity, power, rtol=1e-12)
    assert wind.energy == pytest.approx(power * life * YEAR, rel=1e-12)
    steps = steps_of_wind(wind, number=7.0)
    assert steps.energy == pytest.approx(7.0 * power * life * YEAR, rel=1e-12)
    np.testing.assert_allclose(steps.maximum_rigidity(0.03), bohm(power, speed, 0.03), rtol=1e-6)
    # all steps alike: one exponential, whose effective cutoff is R_max
    cutoff = steps.maximum_rigidity(0.03)
    found = effective_cutoff(steps.coefficients(cutoff), cutoff)
    np.testing.assert_allclose(found.first, cutoff[0], rtol=1e-9)
    # mass fractions over mass numbers, as numbers
    hydrogen = 0.7 / (0.7 + 0.3 / 4)
    np.testing.assert_allclose(steps.fractions[0], [hydrogen, 1.0 - hydrogen], rtol=1e-12)


@pytest.fixture(scope="module")
def two_phases():
    """A slow wind of hydrogen and helium and then a fast one of helium, with their R_max."""
    wind = make_wind([0.0, 2e6, 2.5e6], [1e-5, 3e-5], [800.0, 3000.0], [[0.7, 0.3], [0.05, 0.95]], stripped=[0, 1])
    steps = steps_of_wind(wind)
    return steps, steps.maximum_rigidity(0.01)


def expected_coefficients(steps):
    """Amplitude times time of both phases, from N_Z = eta_acc n_Z L/<E>: rows hydrogen, helium [1/GV]."""
    columns = []
    phases = zip([2e6, 5e5], steps.luminosity, steps.velocity, steps.fractions, strict=True)
    for years, power, speed, fractions in phases:
        mean, number = mean_energy(bohm(power, speed, 0.01), fractions[0])
        columns.append(fractions * 0.1 * power * GEV_PER_ERG * years * YEAR / mean / number)
    return np.transpose(columns)


def test_two_phases_by_scipy(two_phases):
    steps, cutoff = two_phases
    coefficients = steps.coefficients(cutoff)
    expected = expected_coefficients(steps)
    np.testing.assert_allclose(coefficients, expected, rtol=1e-5)
    rigidity = np.geomspace(1.0, 1e8, 60)
    terms = expected[:, :, None] * np.exp(-rigidity / cutoff[:, None])
    shown = terms.sum(axis=1) > 1e-30 * expected.sum(axis=1)[:, None]
    spectrum = integrated_spectrum(rigidity, coefficients, cutoff)
    np.testing.assert_allclose(spectrum[shown], (rigidity**-2.0 * terms.sum(axis=1))[shown], rtol=1e-5)
    found = effective_cutoff(coefficients, cutoff)
    for row, (a, b) in enumerate(expected):

        def excess(x, a=a, b=b):
            # R <1/R_max> - 1 of a sum of two exponentials
            low, high = (np.exp(x) / c for c in cutoff)
            ratio = b / a * np.exp(low - high)
            return (low + high * ratio) / (1.0 + ratio) - 1.0

        solutions = np.log(np.geomspace(cutoff[0] * 0.9, cutoff[1] * 1.1, 400))
        signs = np.sign([excess(x) for x in solutions])
        changes = np.flatnonzero(signs[1:] > signs[:-1])
        roots = np.exp([brentq(excess, solutions[k], solutions[k + 1], xtol=1e-14) for k in changes])
        assert found.first[row] == pytest.approx(roots[0], rel=1e-5)
        assert found.last[row] == pytest.approx(roots[-1], rel=1e-5)
    total = expected.sum(axis=1)
    np.testing.assert_allclose(equal_rigidity_abundances(coefficients), total / total.sum(), rtol=1e-5)


def test_two_phases_hold_the_energy(two_phases):
    steps, cutoff = two_phases
    budget = steps.energy_budget(cutoff, eta_acc=0.1)
    assert budget.available == pytest.approx(0.1 * steps.energy, rel=1e-12)
    assert budget.lost == 0.0
    for gamma in (-2.0, -2.3):
        coefficients = steps.coefficients(cutoff, gamma)
        released = kinetic_energy_released(coefficients, cutoff, steps.nuclides.charge, steps.nuclides.mass, gamma)
        assert released.sum() == pytest.approx(budget.available, rel=1e-9)


def test_split_by_source_population(two_phases):
    steps, cutoff = two_phases
    parts = [steps.select(rows) for rows in (~steps.stripped, steps.stripped)]
    assert [len(part) for part in parts] == [1, 1]
    assert sum(part.energy for part in parts) == pytest.approx(steps.energy, rel=1e-12)
    joined = [part.coefficients(part.maximum_rigidity(0.01)).sum(axis=1) for part in parts]
    np.testing.assert_allclose(sum(joined), steps.coefficients(cutoff).sum(axis=1), rtol=1e-12)


def test_a_wind_that_has_ended_gives_no_steps():
    wind = make_wind([0.0, 1e6, 2e6, 3e6], [1e-6, 0.0, 1e-6], [2000.0, 0.0, 2000.0], [0.7, 0.3])
    np.testing.assert_array_equal(steps_of_wind(wind).age, [5e5, 2.5e6])


def test_the_shock_of_a_constant_wind_is_that_of_its_bubble():
    edges = np.concatenate([[0.0], np.geomspace(1e4, 3e6, 600)])
    wind = make_wind(edges, 1e-6, 2500.0, [0.7, 0.3])
    bubble = bubble_of(wind)
    radius = shock_radius(wind, bubble)
    assert np.isnan(radius[0])  # before the bubble's start
    middle = np.sqrt(bubble.shock_radius[1:-2] * bubble.shock_radius[2:-1])  # at the last end no wind blows
    np.testing.assert_allclose(radius[1:-1], middle, rtol=2e-4)
    assert steps_of_wind(wind, bubble=bubble).shock_radius[0] == radius[1]


# --- shipped grids ----------------------------------------------------------------------------------------------------


def cluster_steps(mass_step=MASS_STEP, time_step=TIME_STEP):
    edges = age_edges(CLUSTER_AGE_LIMIT, time_step)
    wind = collective_wind(GRID, kroupa(150.0), edges=edges, mass_step=mass_step)
    return {"MSC": steps_of_wind(wind, bubble=bubble_of(wind))}


def star_steps(mass_step=MASS_STEP, divisions=1):
    # lighter stars never turn WR, have the lowest cutoffs, and are most of the work
    stars = stars_of(GRID, kroupa(105.0), mass_step=mass_step, divisions=divisions, lowest_mass=50.0)
    steps = steps_of_stars(stars)
    return {"O": steps.select(~steps.stripped), "WR": steps.select(steps.stripped)}


@pytest.fixture(scope="module")
def default_steps():
    return {**cluster_steps(), **star_steps()}


def injected(steps, turbulence, length, eta_b=0.01):
    """Coefficients of H, He, C and O, and R_max."""
    cutoff = steps.maximum_rigidity(eta_b, turbulence, length)
    elements = steps.nuclides.elements
    coefficients = steps.nuclides.sum_isotopes(steps.coefficients(cutoff), axis=-2)
    rows = coefficients[[elements.index(name) for name in ELEMENTS]]
    # steps whose cutoffs agree to 0.2% count as one: nine e-folds deep (9 x 0.002)^2/24, and much quicker
    used = cutoff >= 1.0
    number = np.floor(np.log(cutoff[used]) / 2e-3).astype(int)
    kinds, place = np.unique(number, return_inverse=True)
    joined = np.stack([np.bincount(place, row[used], kinds.size) for row in rows])
    return joined, np.exp(2e-3 * (kinds + 0.5))


def assert_converged(coarse, fine, turbulence="bohm", length=None, depth=1e-4):
    """Cutoffs within 0.5%, and spectra where they are above `depth` of the power law: 1e-4 is nine e-folds of one step.

    Where R_max depends more strongly on the wind (Kraichnan), tails are from fewer steps: there to 1e-3.
    """
    (a, cutoff_a), (b, cutoff_b) = (injected(steps, turbulence, length) for steps in (coarse, fine))
    np.testing.assert_allclose(effective_cutoff(a, cutoff_a).first, effective_cutoff(b, cutoff_b).first, rtol=5e-3)
    np.testing.assert_allclose(effective_cutoff(a, cutoff_a).last, effective_cutoff(b, cutoff_b).last, rtol=5e-3)
    rigidity = np.geomspace(1.0, 15.0 * cutoff_b.max(), 150)
    one, two = (integrated_spectrum(rigidity, *pair) * rigidity**2 for pair in ((a, cutoff_a), (b, cutoff_b)))
    shown = two > depth * two[:, :1]
    error = np.abs(np.where(shown, one, 1.0) / np.where(shown, two, 1.0) - 1.0)
    assert np.all(error < 5e-3), (turbulence, dict(zip(ELEMENTS, np.max(error, axis=1), strict=True)))


def test_converged_in_the_masses_of_stars(default_steps):
    fine = {**cluster_steps(mass_step=MASS_STEP / 2), **star_steps(mass_step=MASS_STEP / 2)}
    for name, steps in fine.items():
        assert_converged(default_steps[name], steps)
    assert_converged(default_steps["MSC"], fine["MSC"], "kraichnan", 1.0, depth=1e-3)


def test_converged_in_time(default_steps):
    fine = {**cluster_steps(time_step=TIME_STEP / 2), **star_steps(divisions=2)}
    for name, steps in fine.items():
        assert_converged(default_steps[name], steps)
    assert_converged(default_steps["MSC"], fine["MSC"], "kraichnan", 1.0, depth=1e-3)


def test_converged_in_rigidity(default_steps):
    """The quadrature behind <E> has fixed nodes: against a trapezoid rule on ten times as many."""
    steps = default_steps["MSC"]
    rows = np.linspace(0, len(steps) - 1, 40).astype(int)
    some = steps.select(np.isin(np.arange(len(steps)), rows))
    cutoff = some.maximum_rigidity(0.01)
    log_rigidity = np.linspace(0.0, np.log(60.0 * cutoff.max()), 20001)
    rigidity = np.exp(log_rigidity)
    spectrum = np.exp(-log_rigidity - rigidity / cutoff[:, None])
    charge, mass = some.nuclides.charge, some.nuclides.mass
    energy = np.stack(
        [
            np.trapezoid(spectrum * (np.hypot(z * rigidity, m) - m), log_rigidity)
            for z, m in zip(charge, mass, strict=True)
        ]
    )
    amplitude = 0.1 * some.luminosity * GEV_PER_ERG / np.sum(energy * some.fractions.T, axis=0)
    expected = some.fractions.T * amplitude * some.weight * YEAR
    np.testing.assert_allclose(some.coefficients(cutoff), expected, rtol=1e-5)


@pytest.mark.parametrize("name", ["MSC", "O", "WR"])
def test_more_field_means_higher_rigidities(default_steps, name):
    steps = default_steps[name]
    steps = steps.select(np.arange(len(steps)) % 10 == 0)
    values = np.array([1e-3, 1e-2, 0.05, 0.3])
    reference = steps.maximum_rigidity(values[0])
    cutoffs = []
    for eta_b in values:
        cutoff = steps.maximum_rigidity(eta_b)
        np.testing.assert_allclose(cutoff, reference * np.sqrt(eta_b / values[0]), rtol=1e-12)
        cutoffs.append(effective_cutoff(*injected(steps, "bohm", None, eta_b)).first)
    assert np.all(np.diff(cutoffs, axis=0) > 0.0)


def test_field_scales_every_turbulence(default_steps):
    steps = default_steps["MSC"]
    for turbulence, length in (*TURBULENCES, ("kolmogorov", 2.0)):
        one, four = (steps.maximum_rigidity(eta_b, turbulence, length) for eta_b in (0.01, 0.04))
        np.testing.assert_allclose(four, 2.0 * one, rtol=1e-12)


def test_energy_of_populations_is_that_of_the_stars(default_steps):
    parts = default_steps["O"].energy + default_steps["WR"].energy
    whole = sum(number * wind.energy for _, number, wind in stars_of(GRID, kroupa(105.0), lowest_mass=50.0))
    assert parts == pytest.approx(whole, rel=1e-10)


# --- bubbles ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def bubbles():
    """Winds of all grids with their bubbles, by grid and mass."""
    masses = dict.fromkeys(NAMES, (8.0, 13.5, 25.0, 60.0, 85.0, 117.0))
    masses[NAMES[0]] += (45.0, 100.0, 120.0, 150.0)
    winds = {(name, mass): star_wind(load_tracks(name), mass) for name in NAMES for mass in masses[name]}
    return {key: (wind, bubble_of(wind)) for key, wind in winds.items()}


def test_bubbles_of_real_winds_keep_their_energy(bubbles):
    for key, (wind, bubble) in bubbles.items():
        after = wind.edges >= 1e4
        assert np.max(np.abs(bubble.energy_imbalance[after])) < 1e-6, key
        assert np.all(np.isfinite(bubble.shell_radius[after])), key
        assert np.all(bubble.shell_radius[after] > 0.0), key
        blowing = (wind.edges[:-1] >= 1e4) & (wind.momentum_flux > 0.0)
        radius = shock_radius(wind, bubble)
        assert np.all(np.isfinite(radius[blowing]) & (radius[blowing] > 0.0)), key
        assert np.all(radius[blowing] < np.maximum(bubble.shell_radius[:-1], bubble.shell_radius[1:])[blowing]), key
        # injected energy is the wind's own since the start
        begin = np.clip(wind.edges[:-1], 1e4, wind.edges[1:])
        energy = np.sum(wind.luminosity * (wind.edges[1:] - begin)) * YEAR
        assert bubble.energy_injected[-1] == pytest.approx(energy, rel=1e-9), key


def test_a_cluster_to_forty_million_years():
    wind = collective_wind(GRID, kroupa(150.0), edges=age_edges(4e7, 4e4), mass_step=0.2)
    bubble = bubble_of(wind)
    after = wind.edges >= 1e4
    assert np.max(np.abs(bubble.energy_imbalance[after])) < 1e-6
    assert np.all(np.isfinite(bubble.shell_radius[after]))


@pytest.mark.parametrize("mass", [45.0, 60.0, 100.0, 120.0])
def test_growth_in_the_o_phase(bubbles, mass):
    """Exponents from 0.1 Myr to the end of the O phase, even in ln t, with p_II of 8000 K at 1 cm^-3."""
    wind, bubble = bubbles[NAMES[0], mass]
    assert bubble.medium == Medium()
    end = wind.edges[int(np.argmax(wind.phase != WindPhase.O))]
    ages = np.geomspace(1e5, end, 200)
    radius = shock_radius(wind, bubble)
    known = np.isfinite(radius)
    shell = np.polyfit(np.log(ages), np.log(np.interp(ages, wind.edges, bubble.shell_radius)), 1)[0]
    shock = np.polyfit(np.log(ages), np.log(np.interp(ages, wind.age[known], radius[known])), 1)[0]
    assert shell == pytest.approx(0.585, abs=0.0101)  # 0.58 to 0.59
    assert 0.385 <= shock <= 0.425  # 0.39 to 0.42


@pytest.mark.parametrize("mass", [60.0, 85.0, 117.0, 120.0])
def test_shock_contracts_late_in_a_wc_phase(bubbles, mass):
    wind, bubble = bubbles[NAMES[0], mass]
    carbon = np.flatnonzero(wind.phase == WindPhase.WC)
    radius = shock_radius(wind, bubble)[carbon]
    assert radius[-1] < 0.7 * radius.max()
    assert np.argmax(radius) < radius.size - 1


# --- bad input --------------------------------------------------------------------------------------------------------


def test_steps_without_radius_refuse_what_needs_it(default_steps, two_phases):
    steps = two_phases[0]
    with pytest.raises(
        ParameterError, match=r"(?s)'kolmogorov' needs the shock's radius, which 2 of 2 steps.*bubbles=True"
    ):
        steps.maximum_rigidity(0.01, "kolmogorov", 1.0)
    with pytest.raises(ParameterError, match=r"(?s)unknown turbulence 'kolmogorow'.*kolmogorov"):
        steps.maximum_rigidity(0.01, "kolmogorow", 1.0)
    with pytest.raises(ParameterError, match=r"(?s)'kraichnan' needs a coherence length.*pc"):
        default_steps["MSC"].maximum_rigidity(0.01, "kraichnan")
    with pytest.raises(ParameterError, match=r"eta_B"):
        steps.maximum_rigidity(-0.01)


def test_a_few_steps_without_radius_are_not_taken_for_shocks_of_no_size():
    wind = make_wind([0.0, 1e6, 2e6], 1e-6, 2500.0, [0.7, 0.3])
    both = steps_of_stars([(40.0, 1.0, wind)], bubbles=True)
    half = type(both)(**{**vars(both), "shock_radius": np.array([np.nan, 5.0])})
    with pytest.raises(ParameterError, match="1 of 2 steps"):
        half.maximum_rigidity(0.01, "kraichnan", 1.0)


def test_the_bubble_of_another_wind():
    one, other = (make_wind([0.0, age, 2e6], 1e-6, 2500.0, [0.7, 0.3]) for age in (1e6, 1.5e6))
    with pytest.raises(ModelError, match=r"(?s)not that of the wind on 2 intervals.*bubble_of\(history\)"):
        steps_of_wind(one, bubble=bubble_of(other))


def test_no_stars():
    with pytest.raises(ParameterError, match=r"(?s)there are no stars.*M_up"):
        steps_of_stars([])
