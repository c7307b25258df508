"""Winds along the grids of tracks that come with the package: nothing is lost, every row has a speed."""

import numpy as np
import pytest

from stellarcr.data.tracks import list_tracks, load_tracks
from stellarcr.stars.mass_loss import consistent_mass_loss
from stellarcr.stars.recipes import WIND_RECIPES
from stellarcr.stars.terminal import terminal_velocity
from stellarcr.stars.winds import WindPhase, source_population, surface_of


@pytest.fixture(scope="module", params=list_tracks())
def grid(request):
    return load_tracks(request.param)


def test_mass_is_conserved_along_every_track(grid):
    for track in grid.tracks:
        loss = consistent_mass_loss(track.age, track.mass, track.mass_loss_rate)
        assert np.trapezoid(loss.rate, track.age) == pytest.approx(track.mass[0] - track.mass[-1], rel=1e-12)
        assert np.all(loss.rate >= 0.0)


@pytest.mark.parametrize("recipe", WIND_RECIPES)
def test_every_row_has_a_wind(grid, recipe):
    for track in grid.tracks:
        winds = terminal_velocity(surface_of(track, grid.family), recipe)
        assert np.all((winds.velocity > 1.0) & (winds.velocity < 6000.0))
        # electron scattering alone brings no star of these grids near the Eddington limit
        assert not np.any(winds.clipped)


def test_the_most_massive_stars_lose_their_hydrogen_and_the_least_massive_do_not(grid):
    phases = [set(surface_of(track, grid.family).phase.tolist()) for track in (grid.tracks[0], grid.tracks[-1])]
    assert phases[0] <= {WindPhase.O, WindPhase.RSG}
    assert {WindPhase.O, WindPhase.WN, WindPhase.WC} <= phases[1]
    assert source_population(grid.tracks[-1].surface_fraction("H1"))[-1] == 1
