"""The cache of tables: found again by all that made them, made again when damaged, and never in the way."""

import json
import logging
import multiprocessing
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from stellarcr.data import stellar_tables
from stellarcr.data.stellar_tables import (
    CACHE_VARIABLE,
    cache_folder,
    grid_file,
    load_stellar_population,
    load_stellar_table,
    table_identity,
)
from stellarcr.errors import ConfigError, DataError
from stellarcr.populations.stellar_options import stellar_options
from stellarcr.populations.stellar_table import StellarTable
from stellarcr.stars.recipes import wind_recipe

pytestmark = pytest.mark.usefixtures("one_thread")

GIVEN = {"age_limit": 5e5, "eta_B_range": (0.01, 0.02), "gamma_range": (-2.1, -1.9)}
OPTIONS = stellar_options("msc", GIVEN)
RECIPE = """
def fast(surface):
    return 3000.0 + 0.0 * surface.luminosity
"""


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """A cache with one table."""
    folder = tmp_path_factory.mktemp("filled") / "cache"
    load_stellar_population(OPTIONS, folder=folder)
    return folder


@pytest.fixture
def cache(filled, tmp_path):
    """A copy of it, to be spoiled."""
    return Path(shutil.copytree(filled, tmp_path / "cache"))


@pytest.fixture
def made(monkeypatch):
    """Count the tables that are made, and give a ready one in their place."""
    table = load_stellar_population(OPTIONS).shape.table
    calls = []
    monkeypatch.setattr(stellar_tables, "stellar_steps", lambda options, grid, recipe: None)
    monkeypatch.setattr(stellar_tables, "build_table", lambda steps, options: calls.append(options) or table)
    return calls


def files(folder):
    return sorted(path.name for path in folder.iterdir())


def load(folder, options=OPTIONS):
    recipe = wind_recipe(options.recipe)
    return load_stellar_table(options, recipe, table_identity(options, recipe), folder)


def same(one: StellarTable, two: StellarTable) -> bool:
    return all(np.array_equal(value, getattr(two, key)) for key, value in vars(one).items() if key[0] != "_")


# --- found again ------------------------------------------------------------------------------------------------------


def test_a_table_is_made_once_and_read_with_the_same_numbers(filled, caplog):
    with caplog.at_level(logging.INFO, "stellarcr"):
        one, two = load(filled), load(filled)
    assert not caplog.records
    assert same(one, two)
    fresh = load_stellar_population(OPTIONS, folder=filled.parent / "other").shape.table
    for key in ("elements", "isotopes", "eta_B_range", "gamma_range"):
        assert getattr(one, key) == getattr(fresh, key)
    rigidity = np.geomspace(1.0, 1e7, 30)
    found, expected = (t.spectrum(rigidity, 0.0137, -2.03) for t in (one, fresh))
    np.testing.assert_allclose(found, expected, rtol=1e-9)
    assert len(files(filled)) == 1


def test_making_one_is_announced(tmp_path, made, caplog):
    with caplog.at_level(logging.INFO, "stellarcr"):
        load(tmp_path / "new" / "folder")
    assert len(made) == 1
    assert "tabulating the spectra of 'msc' from mist-v1.0-vvcrit0.4 with nugis-lamers" in caplog.text
    assert str(tmp_path / "new" / "folder") in caplog.text


@pytest.mark.parametrize(
    "other",
    [
        {"M_up": 149.0},
        {"age_limit": 6e5},
        {"gamma_range": (-2.1, -1.8)},
        {"recipe": "track-radius"},
        {"turbulence": "kraichnan", "L_c": 1.0},
        {"grid": "genec-z014-v40", "M_up": 100.0},
        {"iron": "solar"},
    ],
)
def test_another_option_is_another_table(cache, made, other):
    load(cache, stellar_options("msc", GIVEN | other))
    assert len(made) == 1
    assert len(files(cache)) == 2


@pytest.mark.parametrize("other", [{"star_formation_rate": 3.0}, {"amplitude": "efficiency"}, {"L_c": 2.0}])
def test_what_the_spectra_do_not_depend_on_needs_no_other(cache, made, other):
    load(cache, stellar_options("msc", GIVEN | other))
    assert not made
    assert len(files(cache)) == 1


def test_other_code_or_physics_is_another_table(cache, made, monkeypatch):
    monkeypatch.setattr(stellar_tables, "_code_hash", lambda: "changed")
    load(cache)
    assert len(made) == 1


def test_the_name_of_a_grid_does_not_matter_but_its_content_does(tmp_path):
    recipe = wind_recipe("nugis-lamers")
    copy = tmp_path / "mine.h5"
    shutil.copy(grid_file("mist-v1.0-vvcrit0.4"), copy)
    plain = table_identity(OPTIONS, recipe)
    assert table_identity(replace(OPTIONS, grid=str(copy)), recipe) == plain
    assert str(tmp_path) not in json.dumps(plain)
    copy.write_bytes(copy.read_bytes() + b"changed")
    assert table_identity(replace(OPTIONS, grid=str(copy)), recipe) != plain


def test_the_code_of_a_recipe_matters_and_not_its_place(tmp_path):
    found = []
    for folder, text in (("a", RECIPE), ("b", RECIPE), ("c", RECIPE.replace("3000", "2000"))):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "mine.py").write_text(text)
        name = f"{tmp_path / folder / 'mine.py'}:fast"
        found.append(table_identity(stellar_options("msc", {"recipe": name}), wind_recipe(name)))
    assert found[0] == found[1] != found[2]
    assert str(tmp_path) not in json.dumps(found)
    assert found[0] != table_identity(stellar_options("msc", {}), wind_recipe("nugis-lamers"))


def test_a_table_says_what_it_is(filled):
    with np.load(next(filled.iterdir()), allow_pickle=False) as content:
        described = json.loads(str(content["description"]))
    assert described["identity"]["kind"] == "msc"
    assert described["identity"]["age_limit"] == 5e5
    assert described["elements"][:2] == ["H", "He"]
    assert next(filled.iterdir()).name.startswith("msc-")


# --- damaged, in the way ----------------------------------------------------------------------------------------------


def truncated(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def emptied(path):
    path.write_bytes(b"")


def text(path):
    path.write_text("this is not a table")


def one_bit(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def another_layout(path):
    np.savez(path, abundances=np.zeros(3))


def wrong_kind(path):
    with np.load(path) as content:
        fields = dict(content)
    np.savez(path, **fields | {"log_top": np.zeros(3)})


def folder_instead(path):
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize("spoil", [truncated, emptied, text, one_bit, another_layout, wrong_kind])
def test_a_damaged_table_is_made_again_with_a_warning(cache, made, caplog, spoil):
    path = next(cache.iterdir())
    spoil(path)
    with caplog.at_level(logging.WARNING, "stellarcr"):
        table = load(cache)
    assert len(made) == 1
    assert str(path) in caplog.text
    assert "made again" in caplog.text
    caplog.clear()
    assert same(load(cache), table)
    assert len(made) == 1
    assert not caplog.records


@pytest.mark.parametrize("what", ["a file", "below a file", "a folder of the table's name"])
def test_a_cache_that_cannot_be_written_does_not_stop_the_work(tmp_path, cache, made, caplog, what):
    folder = tmp_path / "taken"
    if what == "a folder of the table's name":
        folder = cache
        folder_instead(next(cache.iterdir()))
    else:
        folder.write_text("a file")
        folder = folder / "cache" if what == "below a file" else folder
    with caplog.at_level(logging.WARNING, "stellarcr"):
        table = load(folder)
    assert len(made) == 1
    assert table.elements[0] == "H"
    assert "cannot be kept" in caplog.text
    assert CACHE_VARIABLE in caplog.text
    assert not list(tmp_path.rglob("*.part"))


def test_the_folder_is_that_of_the_environment_or_the_users(monkeypatch, tmp_path):
    monkeypatch.setenv(CACHE_VARIABLE, "~/tables")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "tables"
    monkeypatch.delenv(CACHE_VARIABLE)
    assert cache_folder().name == "stellarcr"


def _job(folder):
    return load(Path(folder)).spectrum(np.array([1.0, 1e3]), 0.015, -2.0).tolist()


def test_two_processes_at_once(tmp_path):
    """Both may make it; what stays is whole."""
    with multiprocessing.get_context("fork").Pool(2) as pool:
        one, two = pool.map(_job, [str(tmp_path)] * 2, chunksize=1)
    np.testing.assert_allclose(one, two, rtol=1e-9)
    assert len(files(tmp_path)) == 1
    np.testing.assert_allclose(load(tmp_path).spectrum(np.array([1.0, 1e3]), 0.015, -2.0), one, rtol=1e-9)


# --- unknown ----------------------------------------------------------------------------------------------------------


def test_unknown_grids_and_recipes(tmp_path):
    with pytest.raises(DataError, match="unknown grid of tracks 'mist'") as caught:
        load_stellar_population(stellar_options("msc", {"grid": "mist"}), folder=tmp_path)
    assert "mist-v1.0-vvcrit0.4" in caught.value.remedy
    with pytest.raises(DataError, match="no such file") as caught:
        load_stellar_population(stellar_options("msc", {"grid": str(tmp_path / "none.h5")}), folder=tmp_path)
    assert "none.h5" in caught.value.where
    with pytest.raises(ConfigError, match="unknown wind recipe 'nugis'") as caught:
        load_stellar_population(stellar_options("msc", {"recipe": "nugis"}), folder=tmp_path)
    assert "'nugis-lamers'" in caught.value.remedy
    broken = tmp_path / "broken.h5"
    broken.write_bytes(b"not a grid")
    with pytest.raises(DataError) as caught:
        load_stellar_population(stellar_options("msc", {"grid": str(broken)}), folder=tmp_path, where="run.toml")
    assert str(broken) in caught.value.where
    assert "run.toml" in caught.value.where
