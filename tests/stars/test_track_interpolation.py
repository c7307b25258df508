"""Tracks between the tabulated masses: what is kept exactly, and how near they come to a track that is left out."""

from dataclasses import replace

import numpy as np
import pytest

from stellarcr.data import load_tracks
from stellarcr.errors import ParameterError
from stellarcr.stars.track_interpolation import interpolate_track, mean_surface
from stellarcr.stars.tracks import age_of_bare_surface, age_of_hydrogen_exhaustion

GRID = load_tracks("mist-v1.0-vvcrit0.4")


@pytest.mark.parametrize("mass", [8.0, 60.0, 300.0])
def test_tabulated_masses_give_the_tabulated_track(mass):
    assert interpolate_track(GRID, mass) is GRID.track(mass)


@pytest.mark.parametrize("mass", [8.3, 39.0, 57.5, 82.0, 117.0, 290.0])
def test_interpolated_tracks_are_stars(mass):
    track = interpolate_track(GRID, mass)
    assert track.initial_mass == mass
    assert np.all(np.diff(track.age) > 0.0)
    assert np.all(np.diff(track.mass) <= 0.0)
    assert track.mass[0] == pytest.approx(mass, rel=1e-3)
    assert np.all((track.surface >= 0.0) & (track.surface <= 1.0))
    assert np.all(np.abs(track.surface.sum(axis=-1) - 0.9996) < 1e-3)
    law = 2.0 * np.log10(track.radius) + 4.0 * (track.log_temperature - np.log10(5772.0))
    np.testing.assert_allclose(track.log_luminosity, law, atol=4e-3)
    assert "interpolated between" in track.source


def test_between_the_neighbours_in_every_point():
    low, high = GRID.track(55.0), GRID.track(60.0)
    track = interpolate_track(GRID, np.sqrt(55.0 * 60.0))  # the middle in log M0
    np.testing.assert_array_equal(track.point, low.point)
    np.testing.assert_allclose(track.age, np.sqrt(low.age * high.age))
    np.testing.assert_allclose(track.mass_loss_rate, np.sqrt(low.mass_loss_rate * high.mass_loss_rate))
    np.testing.assert_allclose(track.surface, 0.5 * (low.surface + high.surface), atol=1e-15)
    np.testing.assert_allclose(track.log_luminosity, 0.5 * (low.log_luminosity + high.log_luminosity))


def test_continuous_at_tabulated_masses():
    for mass in (60.0 * (1.0 - 1e-10), 60.0 * (1.0 + 1e-10)):
        np.testing.assert_allclose(interpolate_track(GRID, mass).age, GRID.track(60.0).age, rtol=1e-7)
        np.testing.assert_allclose(interpolate_track(GRID, mass).mass, GRID.track(60.0).mass, rtol=1e-7)


@pytest.mark.parametrize("mass", [15.0, 28.0, 100.0, 120.0, 140.0])
def test_a_track_that_is_left_out_comes_back(mass):
    truth = GRID.track(mass)
    grid = replace(GRID, tracks=tuple(track for track in GRID.tracks if track is not truth))
    guess = interpolate_track(grid, mass)
    # neighbours' lifetimes differ from the truth by 2-9%; what is left is their curvature and the models' scatter
    assert age_of_hydrogen_exhaustion(guess) == pytest.approx(age_of_hydrogen_exhaustion(truth), rel=0.01)
    assert guess.age[-1] == pytest.approx(truth.age[-1], rel=0.01)
    if mass >= 100.0:
        assert age_of_bare_surface(guess) == pytest.approx(age_of_bare_surface(truth), rel=0.02)


def test_surfaces_keep_their_sum_and_are_exact_at_both_ends():
    low, high = GRID.track(80.0), GRID.track(85.0)
    for weight in (0.0, 0.3, 1.0):
        mixed = mean_surface(low.surface, high.surface, weight)
        total = (1.0 - weight) * low.surface.sum(axis=1) + weight * high.surface.sum(axis=1)
        np.testing.assert_allclose(mixed.sum(axis=1), total, rtol=1e-12)
        assert np.all(mixed >= 0.0)
    for weight, track in ((0.0, low), (1.0, high)):
        np.testing.assert_allclose(mean_surface(low.surface, high.surface, weight), track.surface, atol=1e-15)


def _at(track, ages, values):
    """Values at ages; a dead star has none of anything."""
    return np.interp(ages, track.age, values, right=0.0)


@pytest.mark.parametrize("name", ["genec-z014-v00", "genec-z014-v40"])
def test_equal_points_do_better_than_equal_ages(name):
    mass, below, above = 85.0, 60.0, 120.0
    full = load_tracks(name)
    truth, low, high = (full.track(m) for m in (mass, below, above))
    guess = interpolate_track(replace(full, tracks=(low, high)), mass)
    weight = np.log(mass / below) / np.log(above / below)
    ages = np.linspace(truth.age[0], low.age[-1], 2000)

    def errors(quantity):
        """Mean distance from the truth over the life of the longest-lived, by points and by ages."""
        right = _at(truth, ages, quantity(truth))
        by_points = _at(guess, ages, quantity(guess))
        by_ages = (1.0 - weight) * _at(low, ages, quantity(low)) + weight * _at(high, ages, quantity(high))
        return np.abs(by_points - right).mean(), np.abs(by_ages - right).mean()

    for quantity in (lambda t: t.mass, lambda t: t.surface_fraction("H1"), lambda t: t.log_luminosity):
        by_points, by_ages = errors(quantity)
        assert by_points < by_ages
    assert abs(guess.age[-1] / truth.age[-1] - 1.0) < abs(high.age[-1] / truth.age[-1] - 1.0)


@pytest.mark.parametrize("name", ["genec-z014-v00", "genec-z014-v40"])
def test_rows_of_genec_are_equivalent(name):
    # The same stages stand in the same rows of every file, told by what is left in the centre.
    for track in load_tracks(name).tracks:
        hydrogen, helium = (dict(zip(track.point, track.center[:, i], strict=True)) for i in (0, 1))
        assert hydrogen[1] > 0.7
        assert hydrogen[109] > 1e-4
        assert hydrogen[112] < 1e-3
        assert 0.95 < helium[189] < 0.99
        assert 0.95 < helium[190] < 0.985  # burning has begun
        assert 0.6 < helium[200] < 0.85
        assert 0.3 < helium[210] < 0.65
        assert helium[371] < 1e-3  # not 370: that row of one file goes back in age


@pytest.mark.parametrize("mass", [8.5, 50.0, 100.0])
def test_genec_between_masses(mass):
    track = interpolate_track(load_tracks("genec-z014-v40"), mass)
    assert np.all(np.diff(track.age) > 0.0)
    assert np.all(np.diff(track.mass) <= 0.0)
    assert track.log_temperature_wind is not None
    assert "Ne22" in track.nuclides


def test_a_grid_without_equivalent_points():
    grid = replace(GRID, tracks=tuple(replace(track, primary_points=()) for track in GRID.tracks[:2]))
    with pytest.raises(ParameterError, match=r"rows of these tracks are not equivalent(.|\n)*give a tabulated mass"):
        interpolate_track(grid, 8.5)


@pytest.mark.parametrize("mass", [7.99, 300.1, float("nan"), -1.0])
def test_never_beyond_the_grid(mass):
    with pytest.raises(ParameterError, match=r"outside the grid(.|\n)*from 8 to 300 Msun"):
        interpolate_track(GRID, mass)
