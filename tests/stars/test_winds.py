"""Phases, Eddington factor, escape speeds: limits known by hand, one star as many, refusals."""

import math

import numpy as np
import pytest
from astropy import constants as astropy_constants

from stellarcr import constants
from stellarcr.errors import ModelError, ParameterError
from stellarcr.stars.tracks import Track
from stellarcr.stars.winds import (
    LARGEST_EDDINGTON_FACTOR,
    SourcePopulation,
    StellarSurface,
    WindPhase,
    core_radius,
    eddington_factor,
    escape_velocity,
    mechanical_luminosity,
    source_population,
    surface_of,
    wind_phase,
)

GAS = {
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


def surface(**changes):
    return StellarSurface(**{**GAS, **changes})


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (constants.GRAVITATIONAL_CONSTANT, astropy_constants.G),
        (constants.SOLAR_MASS, astropy_constants.M_sun),
        (constants.SOLAR_RADIUS, astropy_constants.R_sun),
        (constants.SOLAR_LUMINOSITY, astropy_constants.L_sun),
    ],
)
def test_constants(ours, theirs):
    assert ours == pytest.approx(theirs.si.value, rel=1e-10)


def test_opacity_is_that_of_electrons():
    # one electron for two nucleons where there is no hydrogen
    electrons = (astropy_constants.sigma_T / (2 * astropy_constants.u)).si.value
    assert electrons == pytest.approx(constants.ELECTRON_SCATTERING_OPACITY, rel=2e-3)


@pytest.mark.parametrize(
    ("temperature", "hydrogen", "carbon", "nitrogen", "phase"),
    [
        (4e4, 0.70, 2e-3, 7e-4, WindPhase.O),
        (4e4, 0.41, 1e-4, 8e-3, WindPhase.O),
        (4e4, 0.40, 1e-4, 8e-3, WindPhase.WN),  # X_H = 0.4 is no longer O
        (4e4, 0.20, 1e-4, 8e-3, WindPhase.WN),
        (9e4, 0.00, 1e-4, 8e-3, WindPhase.WN),
        (9e4, 0.02, 0.30, 1e-4, WindPhase.WN),  # carbon-rich, but not free of hydrogen
        (9e4, 0.005, 0.30, 1e-4, WindPhase.WC),
        (9e3, 0.005, 0.30, 1e-4, WindPhase.WC),  # whatever its temperature
        (1.1e4, 0.70, 2e-3, 7e-4, WindPhase.RSG),
        (3.5e3, 0.60, 1e-3, 5e-3, WindPhase.RSG),
        (9e3, 0.30, 1e-4, 8e-3, WindPhase.RSG),
    ],
)
def test_phases(temperature, hydrogen, carbon, nitrogen, phase):
    assert wind_phase(temperature, hydrogen, carbon, nitrogen) == phase


def test_populations_split_at_a_tenth_and_not_by_phase():
    np.testing.assert_array_equal(source_population([0.7, 0.3, 0.1, 0.0999, 0.0]), [0, 0, 0, 1, 1])
    assert SourcePopulation.O_TYPE == 0
    assert SourcePopulation.WR == 1
    assert wind_phase(4e4, 0.3, 1e-4, 8e-3) == WindPhase.WN
    assert source_population(0.3) == SourcePopulation.O_TYPE


def test_the_sun():
    # kappa_e = 0.348 cm^2/g, L = 3.828e33 erg/s, 4 pi c G M = 5.000e37 cgs
    assert eddington_factor(1.0, 1.0, 0.74) == pytest.approx(2.664e-5, rel=5e-4)
    assert escape_velocity(1.0, 1.0) == pytest.approx(617.7, abs=0.1)


def test_scalings():
    assert eddington_factor(40.0, 1e6, 0.0) == pytest.approx(eddington_factor(1.0, 1.0, 1.0) * 1e6 / 40.0 / 2.0)
    assert escape_velocity(40.0, 10.0, 0.75) == pytest.approx(escape_velocity(1.0, 1.0))
    assert core_radius(10**5.5) == pytest.approx(10**0.014)


def test_mechanical_luminosity():
    # 1e-6 Msun/yr = 6.30e19 g/s at 2e8 cm/s
    assert mechanical_luminosity(1e-6, 2000.0) == pytest.approx(1.260e36, rel=1e-3)


def test_a_surface_binds_what_it_was_given():
    star = surface()
    assert star.phase == WindPhase.O
    assert star.eddington_factor == eddington_factor(40.0, 10**5.4, 0.70)
    assert star.escape_velocity == escape_velocity(40.0, 10.0, star.eddington_factor)
    ratio = math.sqrt(10.0 / float(core_radius(10**5.4)))
    assert star.core_escape_velocity == pytest.approx(star.escape_velocity * ratio)
    assert not star.clipped


def test_an_eddington_factor_above_one_is_clipped_and_marked():
    stars = surface(luminosity=[1e5, 1e7])
    assert eddington_factor(40.0, 1e7, 0.70) > 1.0
    np.testing.assert_array_equal(stars.clipped, [False, True])
    assert stars.eddington_factor[1] == LARGEST_EDDINGTON_FACTOR
    assert stars.escape_velocity[1] == pytest.approx(escape_velocity(40.0, 10.0) / 10.0)


def test_one_star_as_many():
    rng = np.random.default_rng(4)
    masses, temperatures = rng.uniform(8, 100, (3, 5)), rng.uniform(3e3, 1e5, (3, 5))
    many = surface(mass=masses, effective_temperature=temperatures, hydrogen=rng.uniform(0, 0.7, (3, 5)))
    for i in np.ndindex(3, 5):
        one = surface(mass=masses[i], effective_temperature=temperatures[i], hydrogen=many.hydrogen[i])
        for name in ("phase", "eddington_factor", "escape_velocity", "core_escape_velocity"):
            assert getattr(many, name)[i] == getattr(one, name), name


def test_select_keeps_the_rows_asked_for():
    stars = surface(mass=[[10.0, 20.0], [30.0, 40.0]])
    np.testing.assert_array_equal(stars.select(stars.mass > 15.0).mass, [20.0, 30.0, 40.0])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"mass": [40.0, 0.0]}, r"mass = 0\.0 at row 1 is not finite and above zero"),
        ({"luminosity": [[1e5], [np.nan]]}, r"luminosity = nan at row 1, 0 is not"),
        ({"effective_temperature": -4e4}, r"effective_temperature = -40000\.0 at row 0"),
        ({"radius": np.inf}, "radius = inf at row 0"),
        ({"hydrogen": 1.2}, r"hydrogen = 1\.2 at row 0 is not a mass fraction"),
        ({"metals": -0.01}, r"metals = -0\.01 at row 0 is not a mass fraction"),
        ({"nitrogen14": np.nan}, "nitrogen14 = nan"),
        ({"solar_metals": 0.0}, r"solar_metals = 0\.0 is not a mass fraction"),
        ({"mass": [1.0, 2.0], "radius": [1.0, 2.0, 3.0]}, r"do not broadcast: mass \(2,\), .*radius \(3,\)"),
    ],
)
def test_bad_surfaces_are_named(changes, message):
    with pytest.raises(ModelError, match=message):
        surface(**changes)


def test_an_unbound_star_has_no_escape_speed():
    with pytest.raises(ModelError, match=r"eddington = 1\.0 at row 1 is not below 1"):
        escape_velocity(40.0, 10.0, [0.5, 1.0])


def hand_made_track():
    nuclides = ("H1", "He3", "He4", "C12", "N14")
    surface = np.array([[0.70, 1e-4, 0.2857, 2e-3, 7e-4], [0.0, 0.0, 0.50, 0.35, 0.0]])
    return Track(
        initial_mass=60.0,
        age=np.array([0.0, 4e6]),
        mass=np.array([60.0, 20.0]),
        mass_loss_rate=np.array([1e-5, 1e-5]),
        log_luminosity=np.array([5.7, 5.6]),
        log_temperature=np.array([4.6, 5.1]),
        log_temperature_wind=None,
        radius=np.array([12.0, 1.5]),
        surface=surface,
        center=np.zeros((2, 3)),
        point=np.array([1, 2]),
        nuclides=nuclides,
        primary_points=(),
        filled=False,
        source="by hand",
        sha256="",
    )


def test_the_surface_of_a_track():
    surface = surface_of(hand_made_track(), "GENEC")
    np.testing.assert_array_equal(surface.phase, [WindPhase.O, WindPhase.WC])
    np.testing.assert_allclose(surface.metals, [0.0142, 0.5])
    np.testing.assert_allclose(surface.helium, [0.2858, 0.5])
    np.testing.assert_allclose(surface.luminosity, [10**5.7, 10**5.6])
    np.testing.assert_allclose(surface.effective_temperature, [10**4.6, 10**5.1])
    np.testing.assert_array_equal(surface.radius, [12.0, 1.5])
    assert surface.solar_metals == 0.014
    assert surface_of(hand_made_track(), "MIST").solar_metals == 0.0142


def test_an_unknown_family_is_named():
    with pytest.raises(ParameterError, match="unknown family of tracks 'Genec'") as caught:
        surface_of(hand_made_track(), "Genec")
    assert "GENEC" in caught.value.remedy
