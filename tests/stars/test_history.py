"""Winds of single stars through time: shipped tracks, and tracks made by hand whose totals are known."""

import importlib.util
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from stellarcr.constants import SOLAR_MASS, YEAR
from stellarcr.data import load_tracks
from stellarcr.errors import ConfigError, ModelError, ParameterError
from stellarcr.stars.history import star_wind, track_wind
from stellarcr.stars.recipes import wind_recipe
from stellarcr.stars.terminal import terminal_velocity
from stellarcr.stars.winds import WindPhase, surface_of

_spec = importlib.util.spec_from_file_location("analytic_stars", Path(__file__).with_name("analytic_stars.py"))
analytic_stars = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(analytic_stars)
SURFACE = analytic_stars.SURFACE
make_grid = analytic_stars.make_grid
make_track = analytic_stars.make_track

GRIDS = ("mist-v1.0-vvcrit0.4", "genec-z014-v00", "genec-z014-v40")
MIST, GENEC = load_tracks(GRIDS[0]), load_tracks(GRIDS[2])
G_PER_MSUN = SOLAR_MASS * 1e3
COLUMNS = ("mass_loss", "momentum_flux", "luminosity", "nuclide_loss", "phase_luminosity", "doubtful_luminosity")


def total(wind, name):
    """Integral of a column over all ages; rates times years."""
    values = getattr(wind, name)
    return np.tensordot(wind.duration, values, axes=1)


@pytest.fixture(scope="module")
def shipped():
    """The wind of every tabulated star: (grid, track, wind)."""
    grids = [load_tracks(name) for name in GRIDS]
    return [(grid, track, star_wind(grid, track.initial_mass)) for grid in grids for track in grid.tracks]


def test_every_shipped_star_loses_what_its_track_loses(shipped):
    for grid, track, wind in shipped:
        if grid.family == "MIST":
            first = int(np.flatnonzero(track.point == 202)[0])  # its tracks begin before the main sequence
            expected = track.mass[first] - track.mass[-1]
        else:
            expected = track.mass[0] - track.mass[-1] + track.mass_loss_rate[0] * track.age[0]
        assert wind.mass_lost == pytest.approx(expected, rel=1e-9), (grid.name, track.initial_mass)
        nuclides = total(wind, "nuclide_loss").sum()
        # by mass at most 0.6% of a surface is in metals that no column holds
        assert 0.994 * expected < nuclides <= expected * (1.0 + 1e-9), (grid.name, track.initial_mass)


def test_every_shipped_wind_is_a_mixture_of_winds(shipped):
    for _, track, wind in shipped:
        assert np.all(wind.duration > 0.0)
        assert np.all(wind.mass_loss >= 0.0)
        rate = wind.mass_loss * G_PER_MSUN / YEAR
        assert np.all(wind.momentum_flux**2 <= 2.0 * wind.luminosity * rate * (1.0 + 1e-12)), track.initial_mass
        np.testing.assert_allclose(wind.phase_luminosity.sum(axis=1), wind.luminosity, rtol=1e-12)
        assert np.all(wind.stripped_luminosity <= wind.luminosity)
        assert np.all(wind.doubtful_luminosity <= wind.luminosity[:, None])


def test_genec_begins_at_birth_and_what_it_lost_before_its_first_row_agrees(shipped):
    for grid, track, wind in shipped:
        assert wind.edges[0] == 0.0
        if grid.family == "GENEC":
            assert wind.edges[1] == track.age[0]
            assert wind.edges[-1] == pytest.approx(track.age[-1], rel=1e-12)
            if track.initial_mass >= 12.0:  # below, fewer than three digits of that mass are tabulated
                before = track.initial_mass - track.mass[0]
                assert wind.mass_loss[0] * wind.edges[1] == pytest.approx(before, rel=0.06), track.initial_mass


def test_mist_counts_from_the_main_sequence(shipped):
    for grid, track, wind in shipped:
        if grid.family == "MIST":
            first = int(np.flatnonzero(track.point == 202)[0])
            assert track.age[first] > 5e3
            assert wind.edges[-1] == pytest.approx(track.age[-1] - track.age[first], rel=1e-12)


def test_neon_isotopes_are_in_both_families(shipped):
    for grid, track, wind in shipped:
        lost = dict(zip(wind.nuclides, total(wind, "nuclide_loss"), strict=True))
        assert lost["Ne20"] > 0.0
        if grid.family == "GENEC" or track.initial_mass >= 60.0:  # MIST's is derived, where helium has burnt
            assert lost["Ne22"] > 0.0, (grid.name, track.initial_mass)
        if track.initial_mass in (60.0, 120.0):
            fractions = wind.mass_fractions
            ratio = fractions[:, wind.nuclides.index("Ne22")] / fractions[:, wind.nuclides.index("Ne20")]
            # helium burning turns all CNO nuclei, 0.9% by mass, into Ne22: more than ten times what a star is born with
            assert ratio[-1] > 10.0 * ratio[0], (grid.name, track.initial_mass)


def test_solar_iron_takes_iron_alone():
    tabulated, solar = (star_wind(MIST, 60.0, iron=iron) for iron in ("tabulated", "solar"))
    iron = tabulated.nuclides.index("Fe56")
    expected = np.delete(tabulated.nuclide_loss, iron, axis=1)
    np.testing.assert_array_equal(np.delete(solar.nuclide_loss, iron, axis=1), expected)
    np.testing.assert_array_equal(solar.luminosity, tabulated.luminosity)
    # of MIST's Fe56 at birth, 1.585e-3, iron is 1.38e-3
    np.testing.assert_allclose(solar.nuclide_loss[:, iron] / tabulated.nuclide_loss[:, iron], 0.871, rtol=1e-3)


@pytest.mark.parametrize("grid", [MIST, GENEC], ids=["MIST", "GENEC"])
@pytest.mark.parametrize("mass", [8.0, 33.0, 82.0, 117.0])
def test_finer_parts_hold_the_same_mass_momentum_and_energy(grid, mass):
    coarse, fine = star_wind(grid, mass), star_wind(grid, mass, divisions=3)
    assert len(fine) > 2 * len(coarse)
    for name in COLUMNS:
        expected = total(coarse, name)
        scale = np.max(np.abs(total(coarse, "luminosity" if "luminosity" in name else name)))
        # places of cuts are kept to a thousandth of an interval
        np.testing.assert_allclose(total(fine, name), expected, rtol=1e-6, atol=1e-6 * scale, err_msg=name)
    # the source population changes where the surface crosses its limit, however finely the history is cut
    assert total(fine, "stripped_luminosity") == pytest.approx(total(coarse, "stripped_luminosity"), rel=1e-6)


def test_constant_wind_in_closed_form():
    rate, life = 1e-6, 4e6
    track = make_track([1e5, 1e6, life], 40.0 - rate * np.array([1e5, 1e6, life]), initial_mass=40.0, rate=rate)
    grid = make_grid(track)
    wind = star_wind(grid, 40.0)
    # the surface does not change but for the star's mass, by a tenth: its speeds at the rows
    speeds = terminal_velocity(surface_of(track, "GENEC"), wind_recipe("nugis-lamers")).velocity
    speed = np.interp(wind.edges, track.age, speeds)
    np.testing.assert_allclose(wind.mass_loss, rate, rtol=1e-9)
    np.testing.assert_allclose(wind.velocity, 0.5 * (speed[1:] + speed[:-1]), rtol=1e-12)
    flux = rate * G_PER_MSUN / YEAR * wind.velocity * 1e5
    np.testing.assert_allclose(wind.momentum_flux, flux, rtol=1e-9)
    # within a part the speed is linear in age; the energy is that integral, in closed form
    square = [np.polynomial.Polynomial([a, b - a]) ** 2 for a, b in pairwise(speed)]
    mean = np.array([p.integ()(1.0) for p in square]) * 1e10
    np.testing.assert_allclose(wind.luminosity, 0.5 * rate * G_PER_MSUN / YEAR * mean, rtol=1e-9)
    assert wind.energy == pytest.approx(np.sum(0.5 * rate * G_PER_MSUN * mean * np.diff(wind.edges)), rel=1e-9)
    assert wind.mass_lost == pytest.approx(rate * life, rel=1e-9)
    assert set(wind.phase) == {WindPhase.O}
    np.testing.assert_allclose(wind.mass_fractions[:, : len(SURFACE)], np.broadcast_to(SURFACE, (len(wind), 7)))


def test_the_speed_jumps_where_the_phase_changes():
    # log T falls evenly from 4.5 to 3.9 and passes 1.1e4 K after a share of the interval
    temperature = 10.0 ** np.array([4.5, 4.5, 3.9, 3.9])
    track = make_track(
        [1e5, 2e5, 3e5, 4e5], [40.0, 39.9, 39.8, 39.7], temperature=temperature, radius=[10, 10, 100, 100]
    )
    wind = star_wind(make_grid(track), 40.0)
    share = (4.5 - np.log10(1.1e4)) / 0.6
    change = wind.edges[np.flatnonzero(wind.phase == WindPhase.RSG)[0]]
    assert change == pytest.approx(2e5 + share * 1e5, abs=0.002 * 1e5)
    # between rows speeds are linear from those of the rows to those of the surface on either side of the change
    sides = {}
    for side in (-0.002, 0.002):
        there = share + side
        surface = make_track(
            [1e5, 2e5],
            [39.9 - 0.1 * there, 39.8],
            temperature=10.0 ** (4.5 - 0.6 * there),
            radius=10.0 ** (1.0 + there),
        )
        sides[side] = terminal_velocity(surface_of(surface, "GENEC"), wind_recipe("nugis-lamers")).velocity[0]
    speeds = terminal_velocity(surface_of(track, "GENEC"), wind_recipe("nugis-lamers")).velocity
    assert sides[-0.002] > 1.5 * sides[0.002]
    for begin, end, low, high in (
        (2e5, change, speeds[1], sides[-0.002]),
        (change, 3e5, sides[0.002], speeds[2]),
    ):
        inside = (wind.age > begin + 1e3) & (wind.age < end - 1e3)
        expected = np.interp(wind.age[inside], [begin, end], [low, high])
        np.testing.assert_allclose(wind.velocity[inside], expected, rtol=0.03)


def test_every_phase_within_an_interval_is_found():
    """From O to WC in one interval a star passes WN; found where hydrogen falls through its limits."""
    carbon = [0.0, 0.6, 0.38, 0.001, 0.018, 0.001, 0.0]
    surface = np.array([SURFACE, SURFACE, carbon, carbon])
    track = make_track([1e5, 2e5, 3e5, 4e5], [40.0, 39.9, 30.0, 29.9], temperature=6e4, radius=8.0, surface=surface)
    wind = star_wind(make_grid(track), 40.0)
    order = wind.phase[np.flatnonzero(np.diff(wind.phase, prepend=-1))]
    assert list(order) == [WindPhase.O, WindPhase.WN, WindPhase.WC]
    hydrogen = SURFACE[0]
    for phase, limit in ((WindPhase.WN, 0.4), (WindPhase.WC, 0.01)):
        first = wind.edges[np.flatnonzero(wind.phase == phase)[0]]
        assert first == pytest.approx(2e5 + 1e5 * (1.0 - limit / hydrogen), abs=0.002 * 1e5)


@pytest.mark.parametrize("share", [1e-9, 1.0 - 1e-9])
def test_a_phase_that_changes_at_a_row(share):
    """A change within rounding of a row is not lost, nor is the interval given to the wrong phase."""
    limit = np.log10(1.1e4)
    first, last = (limit + 1e-12, 3.9) if share < 0.5 else (4.5, limit - 1e-12)
    temperature = 10.0 ** np.array([4.5, first, last, 3.9])
    track = make_track([1e5, 2e5, 3e5, 4e5], [40.0, 39.9, 39.8, 39.7], temperature=temperature)
    wind = star_wind(make_grid(track), 40.0)
    change = wind.edges[np.flatnonzero(wind.phase == WindPhase.RSG)[0]]
    assert 2e5 <= change <= 3e5
    assert set(wind.phase[(wind.age > 1e5) & (wind.age < 2e5)]) == {WindPhase.O}
    assert set(wind.phase[wind.age > 3e5]) == {WindPhase.RSG}
    assert change == pytest.approx(2e5 if share < 0.5 else 3e5, abs=0.002 * 1e5)


@pytest.mark.parametrize("mass", [50.9, 66.5, 78.55, 83.1])
def test_what_a_star_releases_is_continuous_in_its_mass(mass):
    """A row that changes phase between two stars must not change what they release: their WC winds differ little."""
    low, high = (star_wind(MIST, mass * (1.0 + side)) for side in (-1e-6, 1e-6))
    for phase in WindPhase:
        one, two = (total(wind, "phase_luminosity")[phase] for wind in (low, high))
        assert abs(one - two) < 2e-3 * high.energy / YEAR, (mass, phase)


def test_the_source_population_changes_at_a_tenth_of_hydrogen():
    surface = np.array(
        [[0.3, 0.69, 0.001, 0.004, 0.001, 0.0016, 0.0004], [0.05, 0.94, 0.001, 0.004, 0.001, 0.0016, 4e-4]]
    )
    track = make_track([1e5, 2e5], [20.0, 19.0], temperature=8e4, radius=2.0, surface=surface)
    wind = star_wind(make_grid(track), 20.0)
    first = wind.edges[np.flatnonzero(wind.stripped)[0]]
    assert first == pytest.approx(1e5 + 1e5 * 0.2 / 0.25, abs=100.0)  # where 0.3 - 0.25 x = 0.1
    assert np.all(wind.mass_fractions[wind.stripped, 0] < 0.1)
    assert np.all(wind.mass_fractions[~wind.stripped & (wind.mass_loss > 0.0), 0] > 0.1)


def test_a_wind_that_pauses_has_neither_speed_nor_composition():
    track = make_track([1e5, 2e5, 3e5, 4e5], [10.0, 9.9, 9.9, 9.8])
    wind = star_wind(make_grid(track), 10.0)
    quiet = (wind.age > 2e5) & (wind.age < 3e5)
    assert np.all(wind.luminosity[quiet] == 0.0)
    assert np.all(wind.velocity[quiet] == 0.0)
    assert np.all(wind.mass_fractions[quiet] == 0.0)
    assert np.all(wind.phase[quiet] == -1)
    assert not np.any(wind.stripped[quiet])


def test_histories_cannot_be_written_to():
    with pytest.raises(ValueError, match="read-only"):
        star_wind(GENEC, 60.0).luminosity[0] = 0.0


@pytest.mark.parametrize("mass", [7.9, 301.0, np.nan])
def test_masses_outside_the_grid(mass):
    with pytest.raises(ParameterError, match=rf"(?s){mass:g} Msun is outside the grid.*from 8 to 300 Msun"):
        star_wind(MIST, mass)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"iron": "sollar"}, r"(?s)iron = 'sollar' is not a choice.*solar"),
        ({"divisions": 0}, r"(?s)divisions = 0.*whole number from 1"),
        ({"divisions": 1.5}, r"(?s)divisions = 1\.5.*whole number from 1"),
    ],
)
def test_unknown_options(options, message):
    with pytest.raises(ParameterError, match=message):
        star_wind(MIST, 60.0, **options)


def test_unknown_recipe():
    with pytest.raises(ConfigError, match=r"(?s)nugis-lammers.*nugis-lamers"):
        star_wind(MIST, 60.0, "nugis-lammers")


def test_tracks_without_a_main_sequence_or_with_growing_mass():
    recipe = wind_recipe("nugis-lamers")
    young = make_track([1e4, 2e4, 3e4], [20.0, 20.0, 19.9])
    with pytest.raises(ModelError, match=r"(?s)20 Msun has 0 rows .*202.*two rows"):
        track_wind(young, make_grid(young, family="MIST"), recipe)
    growing = make_track([1e4, 2e4, 3e4], [20.0, 19.8, 19.9])
    with pytest.raises(ModelError, match=r"mass.*19\.9"):
        track_wind(growing, make_grid(growing), recipe)
