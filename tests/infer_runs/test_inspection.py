"""Lists of runs, and their removal: whatever is wrong with a folder is told, and nothing foreign is touched."""

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from toy_job import job

from stellarcr._version import __version__
from stellarcr.errors import RunError
from stellarcr.infer.runs import read_run
from stellarcr.infer.runs.cleaning import clean, plan_cleaning
from stellarcr.infer.runs.inspection import inspect_run, list_runs
from stellarcr.infer.runs.lock import RunLock, is_locked
from stellarcr.infer.runs.manifest import FORMAT


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    """A finished run with ln Z, to be copied."""
    folder = tmp_path_factory.mktemp("runs") / "good"
    job(folder, "dynesty", nlive=40, walks=10, max_calls=4000)
    return folder


@pytest.fixture
def run(good, tmp_path):
    """A copy, to be damaged."""
    return shutil.copytree(good, tmp_path / "chains" / "good")


def cut(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def edit(path, **changes):
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_a_finished_run_in_one_line(good):
    found, summary = inspect_run(good), read_run(good).summary
    assert (found.status, found.problem, found.sampler, found.parameters) == ("finished", "", "dynesty", 2)
    assert (found.samples, found.converged, found.seed) == (summary["samples"], False, 5)
    assert (found.log_evidence, found.log_evidence_error) == (summary["log_evidence"], summary["log_evidence_error"])
    assert (found.chi2, found.points) == (summary["map"]["chi2_total"], 14)
    assert found.as_dict()["version"] == read_run(good).manifest["version"]
    assert list_runs(good) == [found]


# what is done to a run's folder; status and reason in the list; what reading it says
DAMAGE = {
    "manifest cut": (lambda f: cut(f / "manifest.json"), "damaged", "manifest.json cannot be read", "manifest.json"),
    "manifest empty": (lambda f: (f / "manifest.json").write_text(""), "damaged", "manifest.json", "manifest.json"),
    "manifest a list": (lambda f: (f / "manifest.json").write_text("[]"), "damaged", "not a JSON object", "not a JSON"),
    "manifest gone": (lambda f: (f / "manifest.json").unlink(), "damaged", "manifest.json is missing", "is missing"),
    "other format": (lambda f: edit(f / "manifest.json", format=9, version="9.9"), "other version", "format 9", "9.9"),
    "seed a word": (lambda f: edit(f / "manifest.json", seed="one"), "damaged", "seed = 'one'", "seed = 'one'"),
    "no settings": (lambda f: edit(f / "manifest.json", settings=None), "damaged", "settings = None", "settings = "),
    "hash a number": (lambda f: edit(f / "manifest.json", data_hashes={"T": 1}), "damaged", "T = 1", "T = 1"),
    "sessions gone": (lambda f: edit(f / "manifest.json", sessions=None), "damaged", "sessions = ", "sessions = "),
    "archive cut": (lambda f: cut(f / "posterior.nc"), "damaged", "is cut off", "posterior.nc cannot be read"),
    "archive empty": (lambda f: (f / "posterior.nc").write_text(""), "damaged", "is empty", "cannot be read"),
    "archive text": (lambda f: (f / "posterior.nc").write_text("x" * 99), "damaged", "not an HDF5", "cannot be read"),
    "archive gone": (lambda f: (f / "posterior.nc").unlink(), "damaged", "posterior.nc is missing", "is missing"),
    "summary cut": (lambda f: cut(f / "summary.json"), "damaged", "summary.json cannot be read", None),
    "summary gone": (lambda f: (f / "summary.json").unlink(), "damaged", "summary.json is missing", None),
    "summary of something": (lambda f: (f / "summary.json").write_text("{}"), "damaged", "not the summary", None),
    "ln Z a word": (lambda f: edit(f / "summary.json", log_evidence="big"), "damaged", "log_evidence = 'big'", None),
    "chi2 a number": (lambda f: edit(f / "summary.json", map={"chi2": 3}), "damaged", "map.chi2 = 3", None),
    "a row of text": (lambda f: edit(f / "summary.json", parameters={"p0": "x"}), "damaged", "parameters.p0 =", None),
    "archive folder": (lambda f: (f / "posterior.nc").unlink() or (f / "posterior.nc").mkdir(), "damaged",
                       "cannot be read", "cannot be read"),
}  # fmt: skip


@pytest.mark.parametrize("fault", DAMAGE)
def test_damage_is_listed_and_reading_says_what_is_wrong(run, good, fault):
    damage, status, reason, message = DAMAGE[fault]
    damage(run)
    found = inspect_run(run)
    assert (found.status, found.has_results) == (status, False)
    assert reason in found.problem
    if message is None:  # the archive holds the summary too
        assert read_run(run).summary == read_run(good).summary
    else:
        with pytest.raises(RunError, match=message.replace(".", r"\.")) as caught:
            read_run(run)
        assert str(run) in caught.value.where
        assert caught.value.remedy


def test_run_of_another_version_names_both(run):
    edit(run / "manifest.json", format=9, version="9.9")
    with pytest.raises(RunError) as caught:
        read_run(run)
    assert "written by stellarcr 9.9" in caught.value.problem
    assert f"stellarcr {__version__} reads format {FORMAT}" in caught.value.problem
    assert "9.9" in caught.value.remedy


@pytest.mark.parametrize(
    ("status", "listed", "remedy"),
    [
        ("running", "interrupted", "--resume"),
        ("interrupted", "interrupted", "--resume"),
        ("failed", "failed", "log.txt"),
    ],
)
def test_half_written_run_says_how_to_finish(run, status, listed, remedy):
    for name in ("posterior.nc", "summary.json"):
        (run / name).unlink()
    sessions = [{"started": None, "ended": None, "status": status, "message": "the table ends"}]
    edit(run / "manifest.json", status=status, sessions=sessions)
    found = inspect_run(run)
    assert found.status == listed
    assert found.problem == {"failed": "the table ends"}.get(status, found.problem)
    assert found.calls > 0
    with pytest.raises(RunError, match=rf"no results yet \(status: {status}\)") as caught:
        read_run(run)
    assert remedy in caught.value.remedy


def test_run_under_way_is_told_by_its_lock(run):
    edit(run / "manifest.json", status="running")
    assert inspect_run(run).status == "interrupted"
    (run / "posterior.nc").unlink()
    lock = RunLock(run)
    try:
        assert is_locked(run)
        assert inspect_run(run).status == "running"
        with pytest.raises(RunError, match="no results yet") as caught:
            read_run(run)
        assert "wait" in caught.value.remedy
    finally:
        lock.release()
    assert not is_locked(run)


def test_folders_of_others_are_listed_last(run):
    chains = run.parent
    (chains / "a-thesis").mkdir()
    (chains / "a-thesis" / "thesis.tex").write_text("mine")
    (chains / "born-dead").mkdir()
    (chains / "born-dead" / "config.toml").write_text("")
    (chains / "born-dead" / ".lock").write_text("")
    (chains / "README.md").write_text("")
    (chains / ".hidden").mkdir()
    (chains / "mine.check").mkdir()  # the figure of `stellarcr check`
    assert [(r.name, r.status) for r in list_runs(chains)] == [
        ("good", "finished"), ("born-dead", "half-written"), ("a-thesis", "not a run")
    ]  # fmt: skip
    with pytest.raises(RunError, match="there is no folder"):
        list_runs(chains / "nowhere")


def test_fifty_runs_are_listed_and_one_is_read_within_a_second(good, tmp_path):
    for number in range(50):
        folder = tmp_path / f"run{number:02d}"
        folder.mkdir()
        for name in ("manifest.json", "summary.json", "posterior.nc"):
            shutil.copy(good / name, folder / name)
    begin = time.perf_counter()
    assert [run.status for run in list_runs(tmp_path)] == ["finished"] * 50
    assert time.perf_counter() - begin < 1.0
    begin = time.perf_counter()
    assert len(read_run(tmp_path / "run07").samples)
    assert time.perf_counter() - begin < 1.0


def test_reading_loads_neither_model_nor_data_nor_samplers(good):
    script = (
        "import sys, stellarcr; print(len(stellarcr.load_run(sys.argv[1]).samples)); "
        "print(sorted({m for m in sys.modules if m.startswith(('stellarcr.model', 'stellarcr.data', "
        "'stellarcr.config', 'stellarcr.likelihood', 'stellarcr.infer.samplers.emcee', 'emcee', 'dynesty', 'astropy', "
        "'pydantic', 'matplotlib'))}))"
    )
    done = subprocess.run([sys.executable, "-c", script, good], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split("\n")[1] == "[]"


def test_plain_xarray_reads_a_run(good):
    """What a person without stellarcr does; the names, labels and units are in the file."""
    script = (
        "import sys, json, xarray as xr; path = sys.argv[1] + '/posterior.nc'\n"
        "posterior = xr.open_dataset(path, group='posterior', engine='h5netcdf')\n"
        "print(posterior['p0'].attrs['label'], posterior['p0'].attrs['units'], float(posterior['p0'].mean()))\n"
        "print(json.loads(xr.open_dataset(path, engine='h5netcdf')['summary'].item())['sampler'])\n"
        "print('stellarcr' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script, good], capture_output=True, text=True, check=True, timeout=60)
    first, sampler, loaded = done.stdout.splitlines()
    label, unit, mean = first.split()
    assert (label, unit, sampler, loaded) == (r"\theta_{0}", "GV", "dynesty", "False")
    np.testing.assert_allclose(float(mean), read_run(good).column("p0").mean(), rtol=1e-12)


# ---------------------------------------------------------------------- removal


def test_checkpoints_of_finished_runs_are_removed_and_results_stay(run, good):
    (run / "state" / "mine.txt").write_text("mine")
    (plan,) = plan_cleaning(run.parent, checkpoints=True)
    sizes = sum(p.stat().st_size for p in (run / "state").iterdir()) - 4
    assert (plan.what, plan.size) == ("checkpoints", sizes)
    assert (run / "state" / "dynesty.json").exists()
    clean([plan])
    assert [p.name for p in (run / "state").iterdir()] == ["mine.txt"]
    np.testing.assert_array_equal(read_run(run).samples, read_run(good).samples)


def test_only_runs_without_results_go_as_failed(run, good):
    chains = run.parent
    for name, status in (("broke", "failed"), ("stopped", "interrupted"), ("longer", "failed")):
        shutil.copytree(good, chains / name)
        edit(chains / name / "manifest.json", status=status)
    for name in ("broke", "stopped"):
        (chains / name / "posterior.nc").unlink()
    (chains / "broke" / "notes.txt").write_text("mine")
    (chains / "broke" / "plots" / "sketch.svg").write_text("mine")
    (chains / "longer" / ".posterior.nc.tmp").write_text("half")
    found = {r.run.name: r.what for r in clean(plan_cleaning(chains, failed=True))}
    assert found == {"broke": "the whole run", "longer": "left-over temporary files"}
    left = sorted(p.relative_to(chains / "broke").as_posix() for p in (chains / "broke").rglob("*"))
    assert left == ["notes.txt", "plots", "plots/sketch.svg"]
    assert [r.name for r in list_runs(chains) if r.status != "not a run"] == ["good", "longer", "stopped"]


def test_a_finished_run_goes_only_by_name(run):
    everything = plan_cleaning(run.parent, checkpoints=True, failed=True)
    assert {file.parent.name for r in everything for file in r.files} == {"state"}
    clean(plan_cleaning(run.parent, names=["good"]))
    assert not run.exists()
    with pytest.raises(RunError, match="there is no run 'god'"):
        plan_cleaning(run.parent, names=["god"])


def test_a_run_that_is_written_is_never_touched(run):
    plan = plan_cleaning(run.parent, names=["good"])
    lock = RunLock(run)
    try:
        (kept,) = plan_cleaning(run.parent, names=["good"])
        assert (kept.files, kept.kept) == ((), "a process is writing it")
        (late,) = clean(plan)  # the process began after the plan was made
        assert "another process is writing this run" in late.kept
    finally:
        lock.release()
    assert (run / "posterior.nc").exists()


def test_a_link_is_not_followed(run, tmp_path):
    shutil.move(run, tmp_path / "elsewhere")
    run.symlink_to(tmp_path / "elsewhere")
    (kept,) = clean(plan_cleaning(run.parent, names=["good"]))
    assert "link" in kept.kept
    assert (tmp_path / "elsewhere" / "posterior.nc").exists()


@pytest.mark.parametrize("part", ["state", "plots"])
def test_a_linked_part_of_a_run_is_not_followed(run, tmp_path, part):
    """Checkpoints on another disk, or pictures that somebody keeps elsewhere, may be those of other runs."""
    plan = plan_cleaning(run.parent, names=["good"])
    elsewhere = tmp_path / "elsewhere"
    shutil.move(run / part, elsewhere)
    (elsewhere / "mine.png").write_text("mine")
    (run / part).symlink_to(elsewhere)
    before = sorted(tmp_path.rglob("*"))
    kept = [*clean(plan), *clean(plan_cleaning(run.parent, checkpoints=True, failed=True, names=["good"]))]
    assert [removal.kept for removal in kept] == 2 * [f"its folder {part} is a link to another place"]
    assert sorted(tmp_path.rglob("*")) == before


def test_folders_that_only_look_like_runs_are_never_touched(run):
    chains = run.parent
    (chains / "project" / "state").mkdir(parents=True)
    (chains / "project" / "config.toml").write_text("mine")
    (chains / "project" / "state" / "mine.json").write_text("{}")
    (run / "state" / "mine.json").write_text('{"format": "mine"}')
    (run / "state" / "mine-000001-data").write_text("mine")
    clean(plan_cleaning(chains, checkpoints=True, failed=True))
    clean(plan_cleaning(chains, names=["good"]))
    assert (chains / "project" / "config.toml").exists()
    assert (chains / "project" / "state" / "mine.json").exists()
    assert sorted(p.name for p in run.rglob("*") if p.is_file()) == ["mine-000001-data", "mine.json"]
    assert [r.status for r in list_runs(chains)] == ["not a run", "not a run"]


def test_only_what_was_asked_for_is_mentioned(run, good):
    shutil.copytree(good, run.parent / "other")
    (run.parent / "link").symlink_to(run)
    assert [r.run.name for r in plan_cleaning(run.parent, names=["other"])] == ["other"]


def test_a_run_is_named_by_its_folder_from_inside_too(run, monkeypatch):
    monkeypatch.chdir(run)
    assert inspect_run(Path()).name == read_run(".").name == "good"
    assert [r.run.name for r in plan_cleaning(".", names=["good"])] == ["good"]
