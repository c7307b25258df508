"""Tables of stellar populations against the sum over all steps of all winds, and against winds in closed form."""

import importlib.util
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from scipy.integrate import quad

from stellarcr.constants import GEV_PER_ERG
from stellarcr.data import load_tracks
from stellarcr.data.galaxy_presets import load_galaxy
from stellarcr.errors import ModelError, ParameterError
from stellarcr.model import ForwardModel
from stellarcr.observe.grid import RigidityGrid
from stellarcr.populations.base import Population
from stellarcr.populations.stellar import stellar_population
from stellarcr.populations.stellar_options import StellarOptions, stellar_options
from stellarcr.populations.stellar_steps import merge_steps, stellar_steps
from stellarcr.populations.stellar_tabulation import build_table
from stellarcr.shock.injection import integrated_spectrum
from stellarcr.shock.sources import WindSteps, bubble_of, steps_of_stars, steps_of_wind
from stellarcr.species import nuclide
from stellarcr.stars.cluster import age_edges, collective_wind, stars_of
from stellarcr.stars.imf import kroupa
from stellarcr.stars.recipes import wind_recipe

pytestmark = pytest.mark.usefixtures("one_thread")

_spec = importlib.util.spec_from_file_location(
    "analytic_stars", Path(__file__).parents[1] / "stars" / "analytic_stars.py"
)
analytic_stars = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(analytic_stars)
make_wind = analytic_stars.make_wind

TARGET = 1e-3
"""Largest error of a table that issue and documentation allow."""

VISIBLE = 1e-5
"""Where spectra are compared: the cutoff leaves more than this of the power law."""

NARROW = {"eta_B_range": (0.01, 0.1), "gamma_range": (-2.3, -1.9)}
GENEC = "genec-z014-v00"
CASES = {
    "msc": ("msc", {}),
    "msc-kolmogorov": ("msc", {"turbulence": "kolmogorov", "L_c": 1.0, "age_limit": 3e6} | NARROW),
    "msc-kraichnan": ("msc", {"turbulence": "kraichnan", "L_c": 1.0, "grid": GENEC, "M_up": 100.0} | NARROW),
    "o_wind": ("o_wind", {"age_limit": 5e5, "M_up": 60.0} | NARROW),
    "wr_wind": ("wr_wind", {"grid": GENEC, "M_up": 50.0} | NARROW),
}
FULL = {
    "o_wind": ("o_wind", {}),
    "wr_wind": ("wr_wind", {}),
    "wr_wind-kraichnan": ("wr_wind", {"turbulence": "kraichnan", "L_c": 1.0}),
    "msc-long": ("msc", {"age_limit": 4e7, "gamma_range": (-3.0, -1.0)}),
    "msc-genec": ("msc", {"grid": GENEC, "M_up": 120.0, "recipe": "track-radius"}),
}


class Made(NamedTuple):
    options: StellarOptions
    steps: WindSteps
    population: Population


def make(kind, given):
    options = stellar_options(kind, given)
    steps = stellar_steps(options, load_tracks(options.grid), wind_recipe(options.recipe))
    return Made(options, steps, population_of(options, steps))


def population_of(options, steps):
    return stellar_population(options, build_table(steps, options), identity=("test",))


@pytest.fixture(scope="module", params=CASES)
def made(request):
    return make(*CASES[request.param])


def random_points(options, count, seed=20):
    """Points of the box: random ones and two corners."""
    random = np.random.default_rng(seed)
    eta = np.exp(random.uniform(*np.log(options.eta_B_range), count))
    gamma = random.uniform(*options.gamma_range, count)
    corners = zip(options.eta_B_range, options.gamma_range, strict=True)
    return [*zip(eta.tolist(), gamma.tolist(), strict=True), *corners]


def summed(steps, options, eta, gamma, elements, rigidity):
    """All steps added up with no merging, for eta_acc = 0.1: spectra [1/GV], and their energy above 1 GV [GeV]."""
    total, energy = 0.0, 0.0
    wanted = [steps.nuclides.elements.index(element) for element in elements]
    for some in np.array_split(np.arange(len(steps)), len(steps) // 3000 + 1):
        part = steps.select(some)
        cutoff = part.maximum_rigidity(eta, options.turbulence, options.L_c)
        coefficients = part.nuclides.sum_isotopes(part.coefficients(cutoff, gamma, 0.1), axis=-2)
        total = total + np.asarray(integrated_spectrum(rigidity, coefficients[wanted], cutoff, gamma))
        energy += float(part.energy_budget(cutoff, 0.1).injected) * GEV_PER_ERG
    return total, energy


def injected(table, rigidity, eta, gamma, log_energy, chosen):
    """What a fit uses: spectra of chosen elements, ``(..., n_chosen, n_rigidity)``."""
    pairs = np.repeat(chosen, rigidity.size).astype(np.int64), np.tile(rigidity, len(chosen))
    found = table.injected(pairs, eta, gamma, log_energy)
    return found.reshape(*found.shape[:-1], len(chosen), rigidity.size)


def errors_at(made, points, rigidity):
    """Largest relative error, absolute normalisation included, of every element at every point."""
    table, elements = made.population.shape.table, made.population.elements
    every = tuple(range(len(elements)))
    largest = []
    for eta, gamma in points:
        direct, energy = summed(made.steps, made.options, eta, gamma, elements, rigidity)
        found = injected(table, rigidity, eta, gamma, np.log(energy), every)
        visible = direct > VISIBLE * direct[:, :1] * (rigidity / rigidity[0]) ** gamma
        assert np.all(visible[:, 0])
        largest.append(np.max(np.abs(found / np.where(visible, direct, 1.0) - 1.0)[visible]))
    return np.array(largest)


# --- the sum over all steps -------------------------------------------------------------------------------------------


def test_spectra_are_those_of_all_steps(made):
    """At rigidities between the table's nodes and on them, with the normalisation by the energy."""
    nodes = np.exp(made.population.shape.table.log_rigidity)[::7]
    between = np.geomspace(1.003, 3.3e8, 23)
    count = 12 if len(made.steps) < 4000 else 4
    largest = errors_at(made, random_points(made.options, count), np.sort(np.concatenate([nodes, between])))
    assert np.max(largest) < TARGET


@pytest.mark.slow
@pytest.mark.parametrize("name", FULL)
def test_spectra_of_full_tables_are_those_of_all_steps(name):
    full = make(*FULL[name])
    largest = errors_at(full, random_points(full.options, 30), np.geomspace(1.0, 4e8, 70))
    assert np.max(largest) < TARGET
    assert full.population.shape.table.error < TARGET


def test_the_error_that_it_states_is_that_of_other_points(made):
    table = made.population.shape.table
    assert 0.0 < table.error < TARGET
    assert made.population.metadata["table error"] == f"{table.error:.1e}"


def test_energy_by_an_adaptive_quadrature(made):
    """Integral of the tabulated spectra in panels of ln R, with the isotopes of the composition."""
    table = made.population.shape.table
    parts = [
        (k, fraction * table.abundances[k], nuclide(element, a))
        for k, element in enumerate(table.elements)
        for a, fraction in table.isotopes[element].items()
    ]
    rows, numbers = np.array([k for k, *_ in parts]), np.array([number for _, number, _ in parts])
    charge, mass = (np.array([getattr(n, key) for *_, n in parts]) for key in ("charge", "mass"))
    for eta, gamma in random_points(made.options, 1):

        def integrand(x, eta=eta, gamma=gamma):
            rigidity = np.exp(x)
            energy = np.hypot(charge * rigidity, mass) - mass
            return np.sum(table.spectrum(np.array([rigidity]), eta, gamma)[rows, 0] * numbers * energy) * rigidity

        total = sum(quad(integrand, *ends, epsrel=1e-6, epsabs=0.0)[0] for ends in pairwise(np.linspace(0, 19.8, 4)))
        assert np.exp(table.log_energy(eta, gamma)) == pytest.approx(total, rel=TARGET)


def test_power_integrates_back(made):
    name = made.population.name
    model = ForwardModel(load_galaxy("plain-diffusion"), (made.population,), RigidityGrid())
    for eta, gamma in random_points(made.options, 3, seed=5):
        parameters = {f"{name}.power": 3e46, f"{name}.eta_B": eta, f"{name}.gamma": gamma}
        assert model.injected_power(name, parameters) == pytest.approx(3e46, rel=TARGET)


def test_both_ways_give_the_same_spectra(made):
    """What a fit uses, and the shape with the amplitude from an integral over the grid."""
    model = ForwardModel(load_galaxy("plain-diffusion"), (made.population,), RigidityGrid())
    name, rigidity = made.population.name, np.geomspace(1.0, 3e8, 40)
    eta, gamma = (np.array(values) for values in zip(*random_points(made.options, 5, seed=6), strict=True))
    values = {f"{name}.power": np.full(eta.shape, 2e46), f"{name}.eta_B": eta, f"{name}.gamma": gamma}
    generic = model.injection(name, values, rigidity)
    log_power = np.log(2e46 * GEV_PER_ERG / 31557600.0)
    chosen = (2, 0)
    fast = injected(made.population.shape.table, rigidity, eta, gamma, log_power, chosen)
    assert fast.shape == (len(eta), 2, rigidity.size)
    for place, k in enumerate(chosen):
        exact = generic[made.population.elements[k]]
        # far beyond the cutoffs both are zero in all that matters
        seen = exact > 1e-30 * exact[:, :1]
        np.testing.assert_allclose(fast[:, place][seen], exact[seen], rtol=TARGET)


def test_mechanical_energy_is_that_of_the_steps(made):
    table = made.population.shape.table
    assert table.mechanical_energy * made.options.cluster_mass == pytest.approx(made.steps.energy, rel=1e-12)
    cutoff = made.steps.maximum_rigidity(made.options.eta_B_range[0], made.options.turbulence, made.options.L_c)
    budget = made.steps.energy_budget(cutoff)
    assert table.lost == pytest.approx(float(budget.lost / budget.available), abs=1e-12)


def cutoff_of(table, eta, gamma, element=0):
    """Where a spectrum falls to 1/e of its power law."""
    rigidity = np.geomspace(1.0, 4e8, 4000)
    spectrum = table.spectrum(rigidity, eta, gamma)[element] / rigidity**gamma
    return rigidity[np.argmax(spectrum < spectrum[0] / np.e)]


def test_cutoffs_rise_with_the_magnetic_field(made):
    table = made.population.shape.table
    low, high = made.options.eta_B_range
    for element in (0, 1):
        cutoffs = [cutoff_of(table, eta, -2.0, element) for eta in np.geomspace(low, high, 9)]
        assert np.all(np.diff(cutoffs) > 0)


# --- closed forms -----------------------------------------------------------------------------------------------------


def steps_by_hand(velocities, luminosities=None):
    wind = make_wind(np.linspace(0.0, 1e6, len(velocities) + 1), 1e-5, velocities, [0.7, 0.3])
    return steps_of_wind(wind)


@pytest.fixture(scope="module")
def constant():
    """One wind that does not change: a power law with an exponential cutoff."""
    options = stellar_options("msc", {})
    steps = steps_by_hand([2500.0])
    return Made(options, steps, population_of(options, steps))


def test_a_constant_wind_is_a_power_law_with_a_cutoff(constant):
    table = constant.population.shape.table
    rigidity = np.geomspace(1.0, 1e7, 60)
    for eta, gamma in random_points(constant.options, 10):
        cutoff = constant.steps.maximum_rigidity(eta)[0]
        seen = rigidity < 11 * cutoff
        found = table.spectrum(rigidity[seen], eta, gamma)[0]
        expected = rigidity[seen] ** gamma * np.exp(-rigidity[seen] / cutoff)
        np.testing.assert_allclose(found / found[0], expected / expected[0], rtol=TARGET)


def test_cutoffs_go_with_the_square_root_of_eta_b(constant):
    """Four times eta_B is the same spectrum at twice the rigidity."""
    table = constant.population.shape.table
    rigidity = np.geomspace(1.0, 3 * constant.steps.maximum_rigidity(0.01)[0], 30)
    for gamma in (-2.4, -2.0, -1.6):
        ratio = table.spectrum(2 * rigidity, 0.04, gamma) / table.spectrum(rigidity, 0.01, gamma)
        np.testing.assert_allclose(ratio / ratio[:, :1], 1.0, rtol=2 * TARGET)


def test_two_phases_share_the_energy():
    """Each phase's power law is normalised by its energy: where the slow one is cut off, the fast one remains."""
    options = stellar_options("msc", {})
    steps = steps_by_hand([200.0, 3000.0])
    table = build_table(steps, options)
    slow, fast = steps.maximum_rigidity(0.1)
    assert fast / slow == pytest.approx(15.0**1.5)
    shares = steps.coefficients(np.array([slow, fast]))[0]
    found = table.spectrum(np.array([1.0, 20 * slow]), 0.1, -2.0)[0] * np.array([1.0, (20 * slow) ** 2])
    expected = (shares[1] * np.exp(-20 * slow / fast)) / np.sum(shares * np.exp(-1.0 / np.array([slow, fast])))
    assert found[1] / found[0] == pytest.approx(expected, rel=TARGET)


def test_merging_keeps_energy_and_nuclei(made):
    cutoff = made.steps.maximum_rigidity(1.0, made.options.turbulence, made.options.L_c)
    merged = merge_steps(made.steps, cutoff)
    assert np.all(np.diff(merged.log_cutoff) >= 0.0)
    energy = made.steps.weight * made.steps.luminosity
    assert np.sum(merged.energy) == pytest.approx(1.0, rel=1e-12)
    assert merged.reference == pytest.approx(np.sum(energy * np.log(cutoff)) / np.sum(energy), rel=1e-10)
    np.testing.assert_allclose(np.sum(merged.fractions, axis=1), np.sum(made.steps.fractions[0]), rtol=1e-9)


# --- turbulence -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def cluster():
    """Steps of a cluster that know their shock's radius."""
    wind = collective_wind(load_tracks("mist-v1.0-vvcrit0.4"), kroupa(150.0), edges=age_edges(2e6))
    return steps_of_wind(wind, bubble=bubble_of(wind))


@pytest.mark.parametrize(("turbulence", "power"), [("kraichnan", 2), ("kolmogorov", 4)])
def test_coherence_length_and_magnetic_field_are_degenerate(cluster, turbulence, power):
    """Twice L_c takes 4 (Kraichnan) or 16 (Kolmogorov) times eta_B."""
    factor = 2**power
    tables = [
        build_table(
            cluster,
            stellar_options("msc", {"turbulence": turbulence, "L_c": length, "eta_B_range": box} | {
                "gamma_range": (-2.3, -1.9)}),
        )
        for length, box in ((1.0, (0.01, 0.06)), (2.0, (0.01 * factor, 0.06 * factor)))
    ]  # fmt: skip
    rigidity = np.geomspace(1.0, 1e8, 50)
    for eta in (0.011, 0.03, 0.055):
        one, two = (injected(t, rigidity, eta * f, -2.1, 0.0, (0, 1)) for t, f in zip(tables, (1, factor), strict=True))
        seen = one > VISIBLE * one[:, :1] * rigidity**-2.1
        np.testing.assert_allclose(one[seen], two[seen], rtol=2 * TARGET)


def test_turbulence_needs_a_coherence_length():
    for turbulence in ("kraichnan", "kolmogorov"):
        with pytest.raises(ParameterError, match=rf"'{turbulence}' needs a coherence length") as caught:
            stellar_options("msc", {"turbulence": turbulence})
        assert "L_c" in caught.value.remedy


def test_bubbles_of_single_stars_are_followed():
    """Every thirtieth star of an IMF, each in a bubble of its own."""
    stars = list(stars_of(load_tracks(GENEC), kroupa(60.0)))[::30]
    steps = steps_of_stars(stars, bubbles=True)
    # so few stars make steps of their own: those whose R_max crosses 1 GV in the box would be seen
    options = stellar_options("o_wind", {"turbulence": "kraichnan", "L_c": 0.01, "age_limit": 2e6} | NARROW)
    steps = steps.select(~steps.stripped & (steps.age < 2e6))
    some = Made(options, steps, population_of(options, steps))
    assert np.max(errors_at(some, random_points(options, 2), np.geomspace(1.0, 4e8, 60))) < TARGET


# --- what cannot be tabulated -----------------------------------------------------------------------------------------


def test_stars_without_wolf_rayet_winds_are_refused():
    with pytest.raises(ModelError, match="no star of 'wr_wind' blows a wind with M_up = 12 Msun") as caught:
        make("wr_wind", {"grid": GENEC, "M_up": 12.0})
    assert "M_up" in caught.value.remedy


def test_cutoffs_beyond_what_is_known_are_refused(cluster):
    options = stellar_options("msc", {"turbulence": "kolmogorov", "L_c": 1e-3})
    with pytest.raises(ModelError, match=r"R_max reaches .* GV, beyond 1e\+09") as caught:
        build_table(cluster, options)
    assert "L_c" in caught.value.remedy


@pytest.mark.parametrize("length", [1e4, 1e9])
def test_a_box_where_nothing_is_injected_is_refused(cluster, length):
    with pytest.raises(ModelError, match="no step has an R_max above 1 GV") as caught:
        build_table(cluster, stellar_options("msc", {"turbulence": "kolmogorov", "L_c": length}))
    assert "eta_B_range" in caught.value.remedy


def test_rigidities_reach_beyond_the_highest_cutoff(cluster):
    """A steep turbulence with cutoffs near 1e9 GV: the energy is still that of the whole spectrum."""
    top = cluster.maximum_rigidity(1.0, "kraichnan", 1.0).max()
    options = stellar_options("msc", {"turbulence": "kraichnan", "L_c": float(top / 9e8), "eta_B_range": (0.2, 1.0)})
    table = build_table(cluster, options)
    made = Made(options, cluster, stellar_population(options, table, identity=("test",)))
    assert np.exp(table.log_rigidity[-1]) > 15e9
    assert np.max(errors_at(made, random_points(options, 4), np.geomspace(1.0, 1e10, 60))) < TARGET
