"""Grids of tracks: how they are made, stored and refused, and those that stellarcr comes with."""

import hashlib
import importlib.util
from pathlib import Path

import h5py
import numpy as np
import pytest

from stellarcr.data import content_path
from stellarcr.data.track_storage import read_grid, write_grid
from stellarcr.data.tracks import build_grid, list_tracks, load_tracks
from stellarcr.errors import DataError, ParameterError

_spec = importlib.util.spec_from_file_location("track_samples", Path(__file__).with_name("track_samples.py"))
samples = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(samples)

SHIPPED = ("genec-z014-v00", "genec-z014-v40", "mist-v1.0-vvcrit0.4")


@pytest.fixture
def mist(tmp_path):
    folder = tmp_path / "mist"
    folder.mkdir()
    for mass in (5.0, 40.0, 60.0, 80.0):
        samples.write_mist(folder / f"{mass:05.0f}M.track.eep", mass)
    return folder


def _short(folder, mass):
    """A file that stops at the third point, and the one that its authors filled."""
    rows = samples.mist_rows(mass)
    samples.write_mist(folder / f"{mass:05.0f}M.track.eep", mass, rows[:3], points=(1, 2, 3))
    samples.write_mist(folder / f"{mass:05.0f}M.track.eep_INTERP", mass, rows)


def test_build_and_read_back(mist, tmp_path):
    built = build_grid(mist, "mine", output=tmp_path / "out", reference="somebody")
    read = load_tracks(tmp_path / "out" / "mine.h5")
    assert (read.name, read.family, read.version, read.reference) == ("mine", "MIST", "1.0", "somebody")
    assert (read.metallicity, read.rotation) == (1.42857e-2, 0.4)
    assert read.has_equivalent_points
    np.testing.assert_array_equal(read.masses, [40.0, 60.0, 80.0])  # 5 Msun is below the minimum
    assert "Ne22" in read.derived
    assert "Fe56" in read.lumped
    for ours, theirs in zip(built.tracks, read.tracks, strict=True):
        np.testing.assert_array_equal(theirs.age, ours.age)
        np.testing.assert_array_equal(theirs.mass, ours.mass)
        np.testing.assert_array_equal(theirs.point, ours.point)
        for name in ("mass_loss_rate", "log_luminosity", "log_temperature", "radius", "surface", "center"):
            np.testing.assert_allclose(getattr(theirs, name), getattr(ours, name), rtol=1e-7, atol=1e-30)
        assert (theirs.source, theirs.sha256) == (ours.source, ours.sha256)
        assert theirs.sha256 == hashlib.sha256((mist / theirs.source).read_bytes()).hexdigest()
        assert theirs.primary_points == (1, 2, 3, 4)


def test_genec_keeps_both_temperatures(tmp_path):
    for mass in (20, 60):
        samples.write_genec(tmp_path, f"M{mass:03d}p00Z14V40.dat")
    grid = build_grid(tmp_path, "mine", output=tmp_path)
    track = read_grid(tmp_path / "mine.h5").track(60.0)
    np.testing.assert_allclose(track.log_temperature_wind - track.log_temperature, 0.05, atol=1e-6)
    assert (grid.metallicity, grid.rotation, grid.family) == (0.014, 0.40, "GENEC")
    assert grid.has_equivalent_points
    assert not grid.derived


def test_same_files_give_the_same_bytes(mist, tmp_path):
    for place in ("one", "two"):
        build_grid(mist, "mine", output=tmp_path / place)
    assert (tmp_path / "one" / "mine.h5").read_bytes() == (tmp_path / "two" / "mine.h5").read_bytes()


def test_files_that_stop_early_or_were_filled_are_left_out_with_the_reason(mist):
    _short(mist, 40.0)
    grid = build_grid(mist, "mine")
    np.testing.assert_array_equal(grid.masses, [60.0, 80.0])
    assert [entry.source for entry in grid.excluded] == ["00040M.track.eep", "00040M.track.eep_INTERP"]
    assert "stops at equivalent evolutionary point 3 of 4" in grid.excluded[0].reason
    # rates 1e-6, 1e-5, 5e-5, 4e-5 at 1e4, 6e6, 6.15e6, 6.3e6 yr; 24 Msun are lost
    integral = 0.5 * (1.1e-5 * 5.99e6 + 6e-5 * 0.15e6 + 9e-5 * 0.15e6)
    assert f"integrates to {integral / 24.0:.3f} of the mass lost" in grid.excluded[1].reason


def test_a_filled_file_can_be_asked_for(mist):
    _short(mist, 40.0)
    grid = build_grid(mist, "mine", use_filled=[40.0])
    assert [track.filled for track in grid.tracks] == [True, False, False]


def test_a_mass_can_be_left_out(mist):
    grid = build_grid(mist, "mine", exclude={60.0: "unphysical"})
    np.testing.assert_array_equal(grid.masses, [40.0, 80.0])
    assert grid.excluded == ((60.0, "00060M.track.eep", "unphysical"),)


def test_a_dropped_line_is_recorded(tmp_path):
    for name in ("M020p00Z14V40.dat", "M060p00Z14V40.dat"):
        samples.write_genec(tmp_path, name)
    build_grid(tmp_path, "mine", output=tmp_path, drop_lines=["M020p00Z14V40.dat:300"])
    grid = read_grid(tmp_path / "mine.h5")
    assert grid.dropped_lines == ("M020p00Z14V40.dat:300",)
    assert len(grid.track(20.0)) == len(grid.track(60.0)) - 1


def _of_another_grid(folder):
    path = samples.write_mist(folder / "00070M.track.eep", 70.0)
    path.write_text(path.read_text().replace("0.00     0.40", "0.00     0.00"))
    return {}


def _rotating(folder):
    for path in folder.iterdir():
        path.unlink()
    samples.write_genec(folder, "M060p00Z14V40.dat")
    samples.write_genec(folder, "M060p00Z14V00.dat")
    return {}


def _twice(folder):
    samples.write_mist(folder / "copy_of_60.track.eep", 60.0)
    return {}


def _genec_too(folder):
    samples.write_genec(folder)
    return {}


def _damaged(folder):
    path = folder / "00060M.track.eep"
    path.write_text("\n".join(path.read_text().splitlines()[:-1]))
    return {}


@pytest.mark.parametrize(
    ("prepare", "words"),
    [
        (_damaged, ["00060M.track.eep", "line 15", "3 rows instead of 4", "restore"]),
        (_of_another_grid, ["00070M.track.eep is of another grid", "00005M.track.eep", "--pattern"]),
        (_rotating, ["M060p00Z14V40.dat is of another grid", "--pattern '*V40.dat'"]),
        (_twice, ["two tracks of 60 Msun", "00060M.track.eep", "copy_of_60.track.eep"]),
        (_genec_too, ["files of both formats", "--pattern"]),
        (lambda folder: {"pattern": "*.txt"}, ["no track", "'*.txt'", "mist"]),
        (lambda folder: {"minimum_mass": 70.0}, ["1 usable tracks of at least 70 Msun"]),
        (lambda folder: {"exclude": {61.0: "why"}}, ["no such track of 61 Msun to leave out"]),
        (lambda folder: {"use_filled": [60.0]}, ["no such track of 60 Msun to take from a filled file"]),
        (lambda folder: {"drop_lines": ["00061M.track.eep:20"]}, ["'00061M.track.eep:20'", "did you mean"]),
        (lambda folder: {"drop_lines": ["20"]}, ["'20'", "is not FILE:LINE"]),
        (lambda folder: {"name": "a/b"}, ["'a/b' cannot be the name"]),
    ],
)
def test_bad_folders(mist, prepare, words):
    options = {"name": "mine"} | prepare(mist)
    with pytest.raises(DataError) as error:
        build_grid(mist, **options)
    for word in words:
        assert word in str(error.value)
    assert error.value.remedy


def test_no_folder(tmp_path):
    with pytest.raises(DataError, match="no such folder of tracks"):
        build_grid(tmp_path / "none", "mine")


def test_shipped_grids_are_listed():
    assert tuple(list_tracks()) == SHIPPED


def test_no_folder_of_grids(tmp_path):
    with pytest.raises(DataError, match="no such folder of grids"):
        list_tracks(tmp_path / "none")


def test_unknown_grid():
    with pytest.raises(DataError, match="did you mean 'genec-z014-v40'"):
        load_tracks("genec-z014-v41")


def test_missing_file(tmp_path):
    with pytest.raises(DataError, match="no such file of tracks"):
        load_tracks(tmp_path / "none.h5")


def test_damaged_and_foreign_files(tmp_path):
    content = list_tracks()["genec-z014-v00"].read_bytes()
    broken = tmp_path / "broken.h5"
    broken.write_bytes(content[: len(content) // 2])
    with pytest.raises(DataError, match="damaged"):
        load_tracks(broken)
    foreign = tmp_path / "foreign.h5"
    h5py.File(foreign, "w").close()
    with pytest.raises(DataError, match="schema is 'none'"):
        load_tracks(foreign)
    short = tmp_path / "short.h5"
    write_grid(load_tracks("genec-z014-v00"), short)
    with h5py.File(short, "a") as tree:
        age = tree["age"][()]
        del tree["age"]
        tree["age"] = age[:-1]
    with pytest.raises(DataError, match="lengths of its columns differ: age"):
        load_tracks(short)


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_grid_is_compact_and_says_where_it_is_from(name):
    path = list_tracks()[name]
    assert path.stat().st_size <= 4e6
    grid = load_tracks(name)
    assert grid.name == name
    assert grid.reference
    assert all(len(track.sha256) == 64 for track in grid.tracks)
    listed = (content_path("datasets") / "SHA256SUMS").read_text()
    assert f"{hashlib.sha256(path.read_bytes()).hexdigest()}  tracks/{name}.h5\n" in listed


def test_masses_of_the_shipped_grids():
    mist = load_tracks("mist-v1.0-vvcrit0.4")
    expected = [*range(8, 21), *range(22, 38, 2), *range(45, 155, 5), *range(175, 325, 25)]
    np.testing.assert_array_equal(mist.masses, [mass for mass in expected if mass != 50])
    left_out = {entry.initial_mass for entry in mist.excluded if not entry.source.endswith("_INTERP")}
    assert left_out == {8.0, 38.0, 40.0, 50.0}
    assert [track.initial_mass for track in mist.tracks if track.filled] == [8.0]
    genec = [8, 9, 10, 10.25, 10.5, 11, 11.5, 11.75, 12, 15, 20, 25, 32, 40, 60, 85, 120]
    for name in ("genec-z014-v00", "genec-z014-v40"):
        np.testing.assert_array_equal(load_tracks(name).masses, genec)
        assert load_tracks(name).excluded == ()


def test_a_mass_that_is_not_tabulated():
    with pytest.raises(ParameterError, match=r"no track of 50 Msun(.|\n)*tabulated masses"):
        load_tracks("mist-v1.0-vvcrit0.4").track(50.0)
