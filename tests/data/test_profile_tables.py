"""Source profiles of a user's own."""

import numpy as np
import pytest
from astropy import units as u
from astropy.table import Table

from stellarcr.data.galaxy_presets import load_galaxy
from stellarcr.data.profile_tables import load_profile
from stellarcr.errors import ConfigError, DataError
from stellarcr.galaxy.profiles import PROFILES, TabulatedProfile


@pytest.fixture
def write(tmp_path):
    """Return a function that writes a table and returns its path."""

    def write(radius=(0.0, 4.0, 8.5, 20.0), density=(1.0, 2.0, 1.0, 0.0), unit="kpc", names=("radius", "density")):
        table = Table([np.asarray(radius, dtype=float), np.asarray(density, dtype=float)], names=names)
        if unit:
            table[names[0]].unit = unit
        table.meta["source"] = "made up"
        path = tmp_path / "mine.ecsv"
        table.write(path, format="ascii.ecsv", overwrite=True)
        return str(path)

    return write


def test_a_table_is_linear_between_its_points(write):
    profile = load_profile(write())
    assert isinstance(profile, TabulatedProfile)
    assert (profile.name, profile.source) == ("mine.ecsv", "made up")
    np.testing.assert_allclose(profile(np.array([0.0, 2.0, 4.0, 14.25, 20.0, 30.0])), [1, 1.5, 2, 0.5, 0, 0])


def test_units_are_converted(write):
    pc = load_profile(write(radius=np.array([0.0, 4.0, 8.5, 20.0]) * 1e3, unit="pc"))
    np.testing.assert_allclose(pc.radius, [0.0, 4.0, 8.5, 20.0], rtol=1e-14)


def test_a_name_is_a_named_profile():
    assert load_profile("pulsars") is PROFILES["pulsars"]


def test_an_unknown_name_names_its_neighbours():
    with pytest.raises(ConfigError, match="'trota2011'") as caught:
        load_profile("trota2011", "run.toml [galaxy]")
    assert "trotta2011" in caught.value.remedy
    assert ".ecsv" in caught.value.remedy
    assert caught.value.where == "run.toml [galaxy]"


def test_content_tells_two_tables_apart(write):
    one, same = load_profile(write()), load_profile(write())
    other = load_profile(write(density=(1.0, 2.0, 1.1, 0.0)))
    assert str(one) == str(same) != str(other)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"names": ("radius", "surface")}, "no column 'density'"),
        ({"names": ("r", "density")}, "no column 'radius'"),
        ({"unit": ""}, "not one of length"),
        ({"unit": "GV"}, "not one of length"),
        ({"density": (1.0, -2.0, 1.0, 0.0)}, "row 2"),
        ({"density": (1.0, 2.0, np.nan, 0.0)}, "row 3"),
        ({"radius": (0.0, 4.0, np.inf, 20.0)}, "row 3"),
        ({"radius": (-1.0, 4.0, 8.5, 20.0)}, "row 1"),
        ({"radius": (0.0, 4.0, 4.0, 20.0)}, "must increase"),
        ({"radius": (0.0, 8.5, 4.0, 20.0)}, "must increase"),
        ({"density": (0.0, 0.0, 0.0, 0.0)}, "positive"),
        ({"radius": (8.5,), "density": (1.0,)}, "must increase"),
    ],
)
def test_damage_is_refused(change, problem, write):
    path = write(**change)
    with pytest.raises(DataError, match=problem) as caught:
        load_profile(path)
    assert "mine.ecsv" in caught.value.where
    assert caught.value.remedy


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match=r"none\.ecsv") as caught:
        load_profile(str(tmp_path / "none.ecsv"))
    assert caught.value.remedy


def test_a_density_with_a_unit_is_relative(write, tmp_path):
    table = Table({"radius": [0.0, 10.0] * u.kpc, "density": [2.0, 1.0] / u.kpc**2})
    table.write(tmp_path / "dense.ecsv", format="ascii.ecsv")
    np.testing.assert_allclose(load_profile(str(tmp_path / "dense.ecsv"))(np.array([5.0])), 1.5)


def test_the_galaxy_takes_a_table(tmp_path):
    radius = np.linspace(0.0, 20.0, 401)
    density = (radius / 8.5) ** 1.25 * np.exp(-3.56 * (radius - 8.5) / 8.5)
    Table({"radius": radius * u.kpc, "density": 7.0 * density}).write(tmp_path / "same.ecsv", format="ascii.ecsv")
    plain = {"production": "none"}
    mine = load_galaxy("plain-diffusion", {**plain, "profile": str(tmp_path / "same.ecsv")})
    named = load_galaxy("plain-diffusion", plain)
    s = np.array([0.0, 0.1, 3.0])
    # the same profile, linear in steps of 0.05 kpc: second derivative times step^2 / 8, at most a few 1e-4 of it
    np.testing.assert_allclose(mine.response(s), named.response(s), rtol=5e-4)
