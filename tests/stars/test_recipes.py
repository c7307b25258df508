"""Terminal velocities against values worked out by hand; the registry; what is said of doubtful winds."""

import math

import numpy as np
import pytest

from stellarcr.errors import ConfigError, ModelError
from stellarcr.stars import recipes
from stellarcr.stars.recipes import WIND_RECIPES, WindRecipe, jump_temperature, wind_recipe
from stellarcr.stars.terminal import terminal_velocity
from stellarcr.stars.winds import StellarSurface, WindPhase

O_STAR = {
    "mass": 40.0,
    "luminosity": 10**5.4,
    "effective_temperature": 4e4,
    "radius": 10.0,
    "hydrogen": 0.70,
    "helium": 0.2858,
    "metals": 0.0142,
    "carbon12": 2.4e-3,
    "nitrogen14": 7e-4,
    "solar_metals": 0.0142,
}
STRIPPED = {**O_STAR, "mass": 15.0, "luminosity": 10**5.5, "effective_temperature": 1e5, "radius": 2.0, "hydrogen": 0.0}
WN = {**STRIPPED, "helium": 0.98, "metals": 0.02, "carbon12": 1e-4, "nitrogen14": 9e-3}
WN_RICH = {**WN, "hydrogen": 0.2, "helium": 0.78}
WC = {**STRIPPED, "helium": 0.5, "metals": 0.5, "carbon12": 0.35, "nitrogen14": 0.0}
RSG = {**O_STAR, "mass": 18.0, "luminosity": 1e5, "effective_temperature": 3.6e3, "radius": 800.0}
ZOO = (O_STAR, WN, WN_RICH, WC, RSG)


def star(properties, **changes):
    return StellarSurface(**{**properties, **changes})


def zoo():
    columns = {name: [kind[name] for kind in ZOO] for name in O_STAR if name != "solar_metals"}
    return StellarSurface(**columns, solar_metals=0.0142)


def escape_by_hand(mass, luminosity, radius, hydrogen):
    """sqrt(2 G M (1 - Gamma_e)/R) in cgs [km/s]."""
    GM, L, R = 1.3271244e26 * mass, 3.828e33 * luminosity, 6.957e10 * radius
    gamma = 0.2 * (1 + hydrogen) * L / (4 * math.pi * 2.99792458e10 * GM)
    return math.sqrt(2 * GM * (1 - gamma) / R) / 1e5


def test_jump_temperature():
    # log<rho> = -14.94 + 0.8 = -14.14 and 61.2 - 2.59 * 14.14 = 24.577
    assert jump_temperature(1.0, 0.25) == pytest.approx(24577.4)
    # a tenth of the metals: 0.85 * 2.59 kK less
    assert jump_temperature(0.1, 0.25) == pytest.approx(24577.4 - 2201.5)


def test_o_stars_on_both_sides_of_the_jump():
    escape = escape_by_hand(40.0, 10**5.4, 10.0, 0.70)
    assert escape == pytest.approx(1129.7, abs=0.5)
    # Gamma_e = 0.1635 puts the jump at 23.86 kK
    temperatures = np.array([4e4, 2.39e4, 2.38e4, 1.5e4])
    velocity = terminal_velocity(star(O_STAR, effective_temperature=temperatures)).velocity
    np.testing.assert_allclose(velocity, escape * np.array([2.6, 2.6, 1.3, 1.3]), rtol=1e-9)
    poor = terminal_velocity(star(O_STAR, metals=0.00142)).velocity
    assert poor == pytest.approx(2.6 * escape * 10**-0.13)


def test_rsg():
    assert terminal_velocity(star(RSG)).velocity == pytest.approx(0.7 * escape_by_hand(18.0, 1e5, 800.0, 0.70))


# log R_core = -1.845 + 0.338 * 5.5 = 0.014; WN: 0.61 - 0.715 + 0.30 log 0.98; WC: -2.37 + 2.365 - 0.07 log 0.5
CORE, TRACK = (escape_by_hand(15.0, 10**5.5, radius, 0.0) for radius in (10**0.014, 2.0))
WN_RATIO, WC_RATIO, WC_AS_WN = 0.98**0.30 * 10**-0.105, 0.5**-0.07 * 10**-0.005, 0.5**0.30 * 10**-0.105


@pytest.mark.parametrize(
    ("recipe", "nitrogen", "carbon"),
    [
        ("nugis-lamers", CORE * WN_RATIO, CORE * WC_RATIO),
        ("nugis-lamers-wn", CORE * WN_RATIO, CORE * WC_AS_WN),
        ("track-radius", TRACK * WN_RATIO, TRACK * WC_RATIO),
        ("starburst99-classes", 1900.0, 2650.0),
    ],
)
def test_recipes_by_hand(recipe, nitrogen, carbon):
    assert terminal_velocity(star(WN), recipe).velocity == pytest.approx(nitrogen, rel=1e-9)
    assert terminal_velocity(star(WC), recipe).velocity == pytest.approx(carbon, rel=1e-9)


def test_a_nitrogen_star_in_numbers():
    # Gamma_e = 0.3228, v_esc,core = 617.7 sqrt(15 * 0.6772 / 1.0328) = 1937 km/s, ratio 0.7805
    assert terminal_velocity(star(WN)).velocity == pytest.approx(1512.0, abs=1.0)


def test_classes_of_fixed_value():
    assert terminal_velocity(star(WN_RICH), "starburst99-classes").velocity == 1650.0
    metals = np.array([0.0, 0.5, 1.0])
    carbon = terminal_velocity(star(WC, metals=metals, helium=1.0 - metals), "starburst99-classes").velocity
    np.testing.assert_allclose(carbon, [1800.0, 2650.0, 3500.0])


@pytest.mark.parametrize("recipe", WIND_RECIPES)
def test_one_star_as_many(recipe):
    many = terminal_velocity(zoo(), recipe)
    np.testing.assert_array_equal(many.phase, [WindPhase.O, WindPhase.WN, WindPhase.WN, WindPhase.WC, WindPhase.RSG])
    for i, kind in enumerate(ZOO):
        assert terminal_velocity(star(kind), recipe).velocity == many.velocity[i]
    assert many.recipe == recipe
    np.testing.assert_array_equal(many.wolf_rayet, [False, True, True, True, False])


def test_domains():
    surface = zoo()
    domains = {name: terminal_velocity(surface, name).outside_domain.tolist() for name in WIND_RECIPES}
    assert domains["nugis-lamers"] == [False, False, True, False, False]
    assert domains["track-radius"] == [False, False, True, False, False]
    assert domains["nugis-lamers-wn"] == [False, False, True, True, False]
    assert domains["starburst99-classes"] == [False] * 5


def test_winds_that_nobody_saw_are_marked():
    winds = terminal_velocity(star(WN, radius=[2.0, 20.0, 0.05]), "track-radius")
    assert winds.velocity[1] < 740.0
    assert winds.velocity[2] > 5500.0
    np.testing.assert_array_equal(winds.outside_range, [False, True, True])
    # the range is that of Wolf-Rayet stars: a slow RSG wind is none of its business
    assert not terminal_velocity(star(RSG)).outside_range


def test_energy_shares():
    surface = zoo()
    flat = WindRecipe("flat", lambda rows: np.full(rows.mass.shape, 1000.0), phases=tuple(WindPhase))
    winds = terminal_velocity(surface, flat)
    shares = winds.energy_shares([1.0, 2.0, 3.0, 4.0, 0.0])
    assert shares.wolf_rayet == pytest.approx(0.9)
    assert shares.outside_range == 0.0
    assert shares.outside_domain == 0.0
    assert shares.recipe == "flat"
    winds = terminal_velocity(surface)
    energy = np.array([1.0, 1.0, 3.0, 1.0, 2.0])
    shares = winds.energy_shares(1e-6, energy / winds.velocity**2)
    assert shares.outside_domain == pytest.approx(3.0 / 8.0)
    assert shares.wolf_rayet == pytest.approx(5.0 / 8.0)
    assert (shares.clipped, shares.clipped_count) == (0.0, 0)


def test_clipped_rows_are_counted_and_weighed():
    winds = terminal_velocity(star(WN, luminosity=[10**5.5, 1e7, 2e7]))
    np.testing.assert_array_equal(winds.clipped, [False, True, True])
    shares = winds.energy_shares(1.0 / winds.velocity**2)
    assert shares.clipped_count == 2
    assert shares.clipped == pytest.approx(2.0 / 3.0)


@pytest.mark.parametrize("rate", [0.0, np.nan, [1e-6, -1e-6, 1e-6, 1e-6, 1e-6]])
def test_energy_shares_of_no_wind(rate):
    with pytest.raises(ModelError, match=r"recipe 'nugis-lamers' carry the energy .* or parts below zero"):
        terminal_velocity(zoo()).energy_shares(rate)


def test_an_unknown_recipe_names_its_neighbours():
    with pytest.raises(ConfigError, match="unknown wind recipe 'nugis-lamer'") as caught:
        wind_recipe("nugis-lamer", where="run.toml, [stellar]")
    assert "did you mean 'nugis-lamers'" in caught.value.remedy
    assert "file.py:Name" in caught.value.remedy
    assert caught.value.where == "run.toml, [stellar]"


USER_CODE = """
import numpy as np
from stellarcr.stars.recipes import WindRecipe
from stellarcr.stars.winds import WindPhase

def fast(surface):
    return 2500.0 + 100.0 * surface.helium

def half(surface):
    return surface.mass[:1]

def broken(surface):
    return surface.no_such_column

def in_metres(surface):
    return np.full(surface.mass.shape, 2e6)


def negative(surface):
    return -surface.mass

slow = WindRecipe("slow", lambda surface: np.full(surface.mass.shape, 900.0), "all slow")
partial = WindRecipe("partial", fast, phases=(WindPhase.WC,))
odd = WindRecipe("odd", fast, domain=half)
number = 3.0
"""


@pytest.fixture
def user_file(tmp_path):
    path = tmp_path / "my_recipes.py"
    path.write_text(USER_CODE)
    return path


def test_a_users_function_is_a_recipe(user_file):
    winds = terminal_velocity(star(WC), f"{user_file}:fast")
    assert winds.velocity == 2550.0
    assert winds.recipe == f"{user_file}:fast"
    # the other phases keep their branches
    assert terminal_velocity(star(O_STAR), f"{user_file}:fast").velocity == terminal_velocity(star(O_STAR)).velocity
    found = wind_recipe(f"{user_file}:slow")
    assert found.description == "all slow"
    assert terminal_velocity(star(WN), found).velocity == 900.0
    # the code is part of what decides the recipe
    assert found.identity[0] == "slow"
    assert len(found.identity[1]) == 64


def test_an_installed_package_can_declare_a_recipe(user_file, monkeypatch):
    monkeypatch.setattr(recipes, "entry_points", lambda group: {"theirs": f"{user_file}:fast"} if group else {})
    assert terminal_velocity(star(WC), "theirs").velocity == 2550.0
    with pytest.raises(ConfigError, match="unknown wind recipe 'their'") as caught:
        wind_recipe("their")
    assert "'theirs'" in caught.value.remedy


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("number", ConfigError, r"number = 3\.0 is not a wind recipe"),
        ("WindRecipe", ConfigError, "is not a wind recipe"),
        ("partial", ConfigError, "'partial' does not cover WN"),
        ("missing", ConfigError, "there is no 'missing' in it"),
        ("half", ModelError, r"gave velocities of shape \(1,\) for \(3,\) stars"),
        ("odd", ModelError, r"gave a domain of shape \(1,\) for \(3,\) stars"),
        ("broken", ModelError, "fails: .*no_such_column"),
        ("negative", ModelError, r"gave v_inf = -15\.0 km/s for a star with M = 15 Msun"),
        ("in_metres", ModelError, r"gave v_inf = 2000000\.0 km/s for a star with M = 15 Msun"),
    ],
)
def test_bad_recipes_are_named(user_file, name, error, message):
    with pytest.raises(error, match=message):
        terminal_velocity(zoo(), f"{user_file}:{name}")


def test_stars_for_which_a_recipe_has_no_value():
    with pytest.raises(ModelError, match=r"'nugis-lamers' gave v_inf = 0\.0 km/s .*X = 0, Y = 0, Z = 1"):
        terminal_velocity(star(WN, helium=0.0, metals=1.0))
