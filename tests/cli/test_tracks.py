"""stellarcr tracks: what the commands print, write and refuse."""

import importlib.util
import json
from pathlib import Path

import pytest

from stellarcr.data import load_tracks

_spec = importlib.util.spec_from_file_location("track_samples", Path(__file__).parents[1] / "data" / "track_samples.py")
samples = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(samples)


@pytest.fixture
def mist(tmp_path):
    folder = tmp_path / "mist"
    folder.mkdir()
    for mass in (40.0, 60.0, 80.0):
        samples.write_mist(folder / f"{mass:05.0f}M.track.eep", mass)
    return folder


def test_list(stellarcr):
    result = stellarcr("tracks", "list", "--json")
    assert result.code == 0
    entries = {entry["name"]: entry for entry in json.loads(result.out)}
    assert set(entries) == {"genec-z014-v00", "genec-z014-v40", "mist-v1.0-vvcrit0.4"}
    assert (entries["genec-z014-v40"]["mass_min"], entries["genec-z014-v40"]["mass_max"]) == (8.0, 120.0)
    assert entries["mist-v1.0-vvcrit0.4"]["equivalent_points"] is True
    text = stellarcr("tracks", "list").out
    assert all(name in text for name in entries)


def test_show(stellarcr):
    result = stellarcr("tracks", "show", "mist-v1.0-vvcrit0.4", "--json")
    shown = json.loads(result.out)
    star = next(track for track in shown["tracks"] if track["initial_mass"] == 120.0)
    track = load_tracks("mist-v1.0-vvcrit0.4").track(120.0)
    assert star["final_mass"] == track.mass[-1]
    assert star["bare_surface"] < star["hydrogen_exhaustion"] < star["end"] == track.age[-1]
    assert {"initial_mass": 38.0, "source": "03800M.track.eep"}.items() <= shown["excluded"][1].items()
    assert "stops at" in shown["excluded"][1]["reason"]
    text = stellarcr("tracks", "show", "mist-v1.0-vvcrit0.4").out
    for words in (
        "Ne22 (derived)",
        "Fe56 (carries others)",
        "left out: 05000M.track.eep",
        "00800M.track.eep_INTERP (filled)",
    ):
        assert words in text
    assert "…" not in text  # nothing shortened
    assert "line left out: M008p00Z14V00.dat:373" in stellarcr("tracks", "show", "genec-z014-v00").out


def test_show_an_unknown_grid(stellarcr):
    result = stellarcr("tracks", "show", "mist")
    assert result.code == 2
    assert "unknown grid of tracks 'mist'" in result.err
    assert "mist-v1.0-vvcrit0.4" in result.err


def test_build_then_show_and_list(stellarcr, mist, tmp_path):
    result = stellarcr(
        "tracks", "build", mist, "--name", "mine", "--output", tmp_path / "out", "--exclude", "60=does not belong"
    )
    assert result.code == 0, result.err
    assert "left out: 00060M.track.eep (60 Msun): does not belong" in result.out
    assert "mine.h5" in result.out
    shown = json.loads(stellarcr("tracks", "show", tmp_path / "out" / "mine.h5", "--json").out)
    assert [track["initial_mass"] for track in shown["tracks"]] == [40.0, 80.0]
    listed = json.loads(stellarcr("tracks", "list", "--folder", tmp_path / "out", "--json").out)
    assert [entry["name"] for entry in listed] == ["mine"]


def test_build_prints_nothing_but_json(stellarcr, mist):
    result = stellarcr("tracks", "build", mist, "--name", "mine", "--json")
    assert json.loads(result.out)["name"] == "mine"
    assert Path("mine.h5").is_file()


def test_a_damaged_file_writes_nothing(stellarcr, mist):
    path = mist / "00060M.track.eep"
    path.write_text(path.read_text().replace("5.7", "5.x", 1))
    result = stellarcr("tracks", "build", mist, "--name", "mine")
    assert result.code == 2
    for word in ("00060M.track.eep", "line 13", "column 'log_L'", "next:"):
        assert word in result.err
    assert "Traceback" not in result.err
    assert not Path("mine.h5").exists()


def test_genec_needs_one_rotation_and_may_need_a_line_less(stellarcr, tmp_path):
    rows = samples.genec_rows(20.0)
    rows[299][1] = "2.0E+06"
    samples.write_genec(tmp_path, "M020p00Z14V40.dat", rows)
    samples.write_genec(tmp_path, "M060p00Z14V40.dat")
    samples.write_genec(tmp_path, "M060p00Z14V00.dat")
    result = stellarcr("tracks", "build", tmp_path, "--name", "mine")
    assert result.code == 2
    assert "--pattern '*V40.dat'" in result.err
    command = ("tracks", "build", tmp_path, "--name", "mine", "--pattern", "*V40.dat")
    result = stellarcr(*command)
    assert result.code == 2
    assert "line 303, column 'time'" in result.err
    advice = result.err.split("--drop-line ")[1].strip()
    result = stellarcr(*command, "--drop-line", advice)
    assert result.code == 0, result.err
    assert f"line left out: {advice}" in result.out


@pytest.mark.parametrize("entry", ["60", "sixty=why", "60=", "-1=why"])
def test_bad_exclusions(stellarcr, mist, entry):
    result = stellarcr("tracks", "build", mist, "--name", "mine", "--exclude", entry)
    assert result.code == 2
    assert "is not MASS=REASON" in result.err
