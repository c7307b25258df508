"""What winds are made of: tabulated surfaces, and what grids do not tabulate."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from stellarcr.data import load_tracks
from stellarcr.errors import ParameterError
from stellarcr.stars.wind_composition import (
    HEAVY_AT_BIRTH,
    HEAVY_METALLICITY,
    SOLAR_IRON_SHARE,
    wind_composition,
    wind_nuclides,
)

_spec = importlib.util.spec_from_file_location("analytic_stars", Path(__file__).with_name("analytic_stars.py"))
analytic_stars = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(analytic_stars)
SURFACE = analytic_stars.SURFACE
make_track = analytic_stars.make_track

MIST, GENEC = load_tracks("mist-v1.0-vvcrit0.4"), load_tracks("genec-z014-v40")


@pytest.mark.parametrize("mass", [8.0, 60.0, 120.0])
def test_mist_winds_are_its_surfaces(mass):
    track = MIST.track(mass)
    assert wind_nuclides(track) == track.nuclides
    np.testing.assert_array_equal(wind_composition(track, MIST.metallicity), np.maximum(track.surface, 0.0))


@pytest.mark.parametrize("mass", [8.0, 60.0, 120.0])
def test_genec_winds_are_completed(mass):
    track = GENEC.track(mass)
    nuclides, fractions = wind_nuclides(track), wind_composition(track, GENEC.metallicity)
    assert set(HEAVY_AT_BIRTH) <= set(nuclides)
    assert len(set(nuclides)) == len(nuclides)
    np.testing.assert_array_equal(fractions[:, : len(track.nuclides)], np.maximum(track.surface, 0.0))
    for name, at_birth in HEAVY_AT_BIRTH.items():
        expected = at_birth * GENEC.metallicity / HEAVY_METALLICITY
        np.testing.assert_allclose(fractions[:, nuclides.index(name)], expected, rtol=1e-12)
    total = fractions.sum(axis=1)
    assert np.all((total > 0.994) & (total < 1.0005))


@pytest.mark.parametrize("mass", [15.0, 60.0, 120.0])
def test_what_is_added_is_what_mist_stars_are_born_with(mass):
    track = MIST.track(mass)
    row = int(np.flatnonzero(track.point == 202)[0])
    for name, at_birth in HEAVY_AT_BIRTH.items():
        assert track.surface[row, track.nuclides.index(name)] == pytest.approx(at_birth, rel=2e-3), name


def test_iron_alone_is_from_the_solar_photosphere():
    # X(Fe) from X(Si28): 92.2% of silicon is Si28; log eps = 7.50 (Fe), 7.51 (Si) of Asplund et al. (2009)
    silicon_nuclei = HEAVY_AT_BIRTH["Si28"] / 27.977 / 0.922
    iron = silicon_nuclei * 10.0 ** (7.50 - 7.51) * 55.845
    assert pytest.approx(iron / HEAVY_AT_BIRTH["Fe56"], rel=1e-3) == SOLAR_IRON_SHARE
    for grid in (MIST, GENEC):
        track = grid.track(60.0)
        column = wind_nuclides(track).index("Fe56")
        whole, alone = (wind_composition(track, grid.metallicity, choice) for choice in ("tabulated", "solar"))
        np.testing.assert_allclose(alone[:, column], SOLAR_IRON_SHARE * whole[:, column], rtol=1e-12)
        np.testing.assert_array_equal(np.delete(alone, column, axis=1), np.delete(whole, column, axis=1))


def test_rounding_below_zero_is_not_passed_on():
    surface = np.array(SURFACE)
    surface[2] = -1e-9
    fractions = wind_composition(make_track([1.0, 2.0], [20.0, 19.0], surface=surface), 0.014)
    assert np.all(fractions >= 0.0)
    assert np.all(fractions[:, 2] == 0.0)


def test_unknown_choice_of_iron():
    with pytest.raises(ParameterError, match=r"(?s)iron = 'tabulatd' is not a choice.*tabulated"):
        wind_composition(MIST.track(60.0), MIST.metallicity, "tabulatd")
