"""Populations from stellar evolution: their options, their box, their power, and what makes two of them equal."""

import pickle

import array_api_strict
import numpy as np
import pytest

from stellarcr.data.stellar_tables import load_stellar_population
from stellarcr.errors import ParameterError
from stellarcr.populations.contract import check_population
from stellarcr.populations.stellar import stellar_population
from stellarcr.populations.stellar_options import STELLAR_KINDS, StellarOptions, stellar_options
from stellarcr.populations.strict_array import StrictArray

pytestmark = pytest.mark.usefixtures("one_thread")

OPTIONS = {"age_limit": 1e6, "eta_B_range": (0.01, 0.1), "gamma_range": (-2.3, -1.9)}
R = np.geomspace(1.0, 4e8, 60)


@pytest.fixture(scope="module")
def population():
    return load_stellar_population(stellar_options("msc", OPTIONS))


def pairs(*elements, rigidity=R):
    """All rigidities of some elements, by their positions."""
    return np.repeat(elements, rigidity.size).astype(np.int64), np.tile(rigidity, len(elements))


# --- options ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", STELLAR_KINDS)
def test_defaults_are_those_of_the_paper(kind):
    options = StellarOptions(kind)
    expected = (150.0, 5e6) if kind == "msc" else (105.0, None)
    assert (options.M_up, options.age_limit) == expected
    assert (options.turbulence, options.recipe, options.grid) == ("bohm", "nugis-lamers", "mist-v1.0-vvcrit0.4")


@pytest.mark.parametrize(
    ("given", "problem", "remedy"),
    [
        ({"M_upp": 100.0}, "unknown option 'M_upp'", "'M_up'"),
        ({"eta_B": 0.1}, "unknown option 'eta_B'", "'eta_B_range'"),
        ({"M_up": "100"}, "M_up = '100'", "Msun"),
        ({"M_up": True}, "M_up = True", "Msun"),
        ({"M_up": -1.0}, "M_up = -1.0", "Msun"),
        ({"M_up": float("nan")}, "M_up = nan", "Msun"),
        ({"age_limit": 0}, "age_limit = 0", "yr"),
        ({"age_limit": 100.0}, "age_limit = 100 yr is shorter than a step", "5e6"),
        ({"cluster_mass": [3e4]}, r"cluster_mass = \[30000.0\]", "Msun"),
        ({"L_c": "1 pc"}, "L_c = '1 pc'", "pc"),
        ({"star_formation_rate": 0.0}, "star_formation_rate = 0.0", "Msun/yr"),
        ({"hydrogen_density": "1"}, "hydrogen_density = '1'", "cm"),
        ({"hydrogen_density": 0.0}, "density = 0.0", "cm"),
        ({"temperature": True}, "temperature = True", "K"),
        ({"temperature": float("nan")}, "temperature = nan", "K"),
        ({"turbulence": "bom"}, "turbulence = 'bom'", "'bohm'"),
        ({"turbulence": 1}, "turbulence = 1", "quotes"),
        ({"grid": 1}, "grid = 1", "quotes"),
        ({"iron": "sun"}, "iron = 'sun'", "solar"),
        ({"amplitude": "eta"}, "amplitude = 'eta'", "efficiency"),
        ({"eta_B_range": [0.0, 1.0]}, "eta_B_range = .* within 0 to 1", "lower and the upper"),
        ({"eta_B_range": [0.1, 0.1]}, "eta_B_range", "lower and the upper"),
        ({"eta_B_range": [0.1, 0.01]}, "eta_B_range", "lower and the upper"),
        ({"eta_B_range": [0.1, 1.5]}, "eta_B_range", "lower and the upper"),
        ({"eta_B_range": [0.1, float("nan")]}, "eta_B_range", "lower and the upper"),
        ({"eta_B_range": [0.1, True]}, "eta_B_range", "lower and the upper"),
        ({"eta_B_range": 0.1}, "eta_B_range = 0.1", "lower and the upper"),
        ({"gamma_range": [-2.0]}, "gamma_range", "[-2.6, -1.5]"),
        ({"gamma_range": [-5.0, -2.0]}, "within -4 to 0", "[-2.6, -1.5]"),
    ],
)
def test_impossible_options_are_refused(given, problem, remedy):
    with pytest.raises(ParameterError, match=problem) as caught:
        stellar_options("msc", given)
    assert remedy in caught.value.remedy


@pytest.mark.parametrize("mass", [5.0, 8.0, 301.0])
def test_masses_outside_the_grid_are_refused(mass):
    with pytest.raises(ParameterError, match=f"M_up = {mass}.*'mist-v1.0-vvcrit0.4'") as caught:
        load_stellar_population(stellar_options("msc", {"M_up": mass}), where="run.toml [populations.msc]")
    assert "run.toml [populations.msc]" in caught.value.where
    assert "above 8 and up to 300 Msun" in caught.value.remedy


def test_what_decides_a_table():
    """Options that only scale the spectrum, or have no effect, are no part of it."""
    plain = stellar_options("o_wind", {}).decisive()
    for same in (
        {"star_formation_rate": 3.0},
        {"amplitude": "efficiency"},
        {"L_c": 3.0},
        {"hydrogen_density": 5.0},
        {"cluster_mass": 1e4},
        {"M_up": 105},
    ):
        assert stellar_options("o_wind", same).decisive() == plain
    others = [
        {"M_up": 104.0},
        {"age_limit": 1e7},
        {"turbulence": "kraichnan", "L_c": 1.0},
        {"turbulence": "kraichnan", "L_c": 2.0},
        {"turbulence": "kraichnan", "L_c": 1.0, "temperature": 0.0},
        {"iron": "solar"},
        {"eta_B_range": (0.01, 1.0)},
    ]
    made = [plain, *(stellar_options("o_wind", other).decisive() for other in others)]
    assert all(a != b for i, a in enumerate(made) for b in made[:i])
    assert stellar_options("msc", {"cluster_mass": 1e4}).decisive() != stellar_options("msc", {}).decisive()


def test_options_can_be_written_and_read_again():
    options = stellar_options("wr_wind", {"turbulence": "kraichnan", "L_c": 2, "gamma_range": [-2, -1.7]})
    content = options.to_mapping()
    assert "age_limit" not in content  # there is none
    assert stellar_options("wr_wind", content) == options


# --- inside a fit -----------------------------------------------------------------------------------------------------


def test_batches_are_the_single_vectors(population):
    random = np.random.default_rng(3)
    eta, gamma = np.exp(random.uniform(*np.log(OPTIONS["eta_B_range"]), 6)), random.uniform(-2.3, -1.9, 6)
    log_energy = random.uniform(0.0, 3.0, 6)
    together = population.injected(pairs(0, 3, 1), {"eta_B": eta, "gamma": gamma}, log_energy)
    alone = [
        population.injected(pairs(0, 3, 1), {"eta_B": e, "gamma": g}, x)
        for e, g, x in zip(eta.tolist(), gamma.tolist(), log_energy.tolist(), strict=True)
    ]
    np.testing.assert_allclose(together, np.stack(alone), rtol=1e-10)
    # any shape of parameters, numbers beside arrays
    square = population.shape(R, {"eta_B": eta.reshape(2, 3), "gamma": -2.0})
    flat = population.shape(R, {"eta_B": eta, "gamma": np.full(6, -2.0)})
    np.testing.assert_allclose(square.reshape(flat.shape), flat, rtol=1e-12)


def test_the_amplitude_is_the_energy(population):
    values = {"eta_B": np.array([0.02, 0.05]), "gamma": -2.1}
    one, two = (population.injected(pairs(0, 1), values, x) for x in (0.0, np.log(7.0)))
    np.testing.assert_allclose(two[..., :30], 7 * one[..., :30], rtol=1e-12)


def test_no_element_is_a_choice(population):
    assert population.injected(pairs(), {"eta_B": np.full(3, 0.02), "gamma": -2.1}, 0.0).shape == (3, 0)


@pytest.mark.parametrize("library", [StrictArray, array_api_strict.asarray])
def test_fits_run_with_other_array_libraries(population, library):
    values = {"eta_B": np.array([0.02, 0.05, 0.5]), "gamma": np.array([-2.1, -2.0, -2.0])}
    log_energy = np.array([1.0, 2.0, 3.0])
    found = population.injected(pairs(0, 2), {k: library(v) for k, v in values.items()}, library(log_energy))
    assert type(found) is type(library(R))
    plain = found.values if library is StrictArray else np.asarray(found)
    expected = population.injected(pairs(0, 2), values, log_energy)
    np.testing.assert_allclose(plain[:2], expected[:2], rtol=1e-12)
    assert np.all(np.isnan(plain[2]))


@pytest.mark.parametrize(
    ("eta", "gamma"), [(0.00999, -2.0), (0.1001, -2.0), (0.05, -2.301), (0.05, -1.899), (0.0, -2.0), (-0.1, -2.0)]
)
@pytest.mark.filterwarnings("ignore:(invalid value|divide by zero) encountered:RuntimeWarning")
def test_outside_its_box_nothing_is_known(population, eta, gamma):
    both = {"eta_B": np.array([0.05, eta]), "gamma": np.array([-2.0, gamma])}
    for found in (population.shape(R, both), population.injected(pairs(0, 1), both, 0.0)):
        assert np.all(np.isfinite(found[0]))
        assert np.all(np.isnan(found[1]))
    inside = population.shape(R, {"eta_B": 0.05, "gamma": -2.0})
    np.testing.assert_allclose(population.shape(R, both)[0], inside, rtol=1e-12)


def test_the_edges_of_the_box_are_inside(population):
    eta, gamma = np.meshgrid(OPTIONS["eta_B_range"], OPTIONS["gamma_range"])
    assert np.all(np.isfinite(population.shape(R, {"eta_B": eta, "gamma": gamma})))


# --- power ------------------------------------------------------------------------------------------------------------


def test_budgets_of_clusters_and_of_single_stars():
    """Clusters of 100 to 1e5 Msun with M^-2: a third of the stars is in those above 1e4, two thirds in the others."""
    table = load_stellar_population(stellar_options("msc", OPTIONS)).shape.table
    released = 2.0 * table.mechanical_energy
    for kind, share in (("msc", 1 / 3), ("o_wind", 2 / 3), ("wr_wind", 2 / 3)):
        found = stellar_population(stellar_options(kind, {}), table, identity=("test",)).budget
        assert found == pytest.approx(share * released, rel=1e-9)
    doubled = stellar_options("msc", OPTIONS | {"star_formation_rate": 4.0})
    assert stellar_population(doubled, table, identity=("test",)).budget == pytest.approx(2 * released / 3, rel=1e-9)


def test_an_efficiency_is_a_part_of_the_budget(population):
    share = load_stellar_population(stellar_options("msc", OPTIONS | {"amplitude": "efficiency"}))
    assert (share.amplitude_name, population.amplitude_name) == ("eta_acc", "power")
    assert share.amplitude_unit == share.budget == population.budget
    assert share.parameters[0].default * share.budget == pytest.approx(population.parameters[0].default)


# --- identity ---------------------------------------------------------------------------------------------------------


def test_equal_are_populations_of_the_same_origin(population):
    again = pickle.loads(pickle.dumps(population))
    assert again.shape == population.shape
    assert hash(again.shape) == hash(population.shape)
    other = load_stellar_population(stellar_options("msc", OPTIONS | {"gamma_range": (-2.4, -1.9)}))
    assert other.shape != population.shape


def test_the_composition_is_complete(population):
    assert check_population(population) == ""
    assert set(population.elements) >= {"H", "He", "C", "N", "O", "Ne", "Mg", "Si", "Fe"}
    total = sum(population.composition.elements.values())
    assert total == pytest.approx(1.0, abs=1e-5)
    for inside in population.composition.isotopes.values():
        assert sum(inside.values()) == pytest.approx(1.0, rel=1e-9)
