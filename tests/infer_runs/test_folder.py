import json
import os
import sys

import numpy as np
import pytest
from folder_jobs import CONFIG, SHORT, Drifted, go
from infer_toys import Box, Gaussian, Impossible, WithNaN

from stellarcr.errors import ModelError, ParameterError, RunError
from stellarcr.infer.runs import RunFolder, read_run
from stellarcr.infer.runs.checks import config_differences
from stellarcr.infer.samplers import settings_from
from stellarcr.infer.samplers.emcee_settings import EmceeSettings
from stellarcr.infer.samplers.map import MapSettings


def test_folder_explains_itself(tmp_path):
    folder = tmp_path / "deep" / "run"
    extras = {"data_hashes": {"ams.ecsv": "abc"}, "description": "a test"}
    go(folder, extras=extras, citations="@article{x}")
    names = {p.name for p in folder.iterdir()}
    assert names == {
        ".lock", "config.toml", "manifest.json", "state", "posterior.nc", "summary.json", "citations.bib", "plots",
        "log.txt", "progress.json",
    }  # fmt: skip
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["status"] == "finished"
    assert manifest["sampler"] == "emcee"
    assert manifest["names"] == ["p0", "p1"]
    assert manifest["units"] == ["GV", ""]
    assert manifest["settings"]["walkers"] == 16
    assert manifest["seed"] == 7
    assert manifest["fingerprint"] == Gaussian(2).fingerprint
    assert manifest["data_hashes"] == {"ams.ecsv": "abc"}
    assert manifest["packages"]["emcee"]
    assert manifest["python"] == sys.version.split()[0]
    assert [s["status"] for s in manifest["sessions"]] == ["finished"]
    assert (folder / "config.toml").read_text() == CONFIG
    assert (folder / "citations.bib").read_text() == "@article{x}"
    log = (folder / "log.txt").read_text()
    assert "prior: 512 of 512 draws are possible" in log
    assert "not converged" in log
    assert json.loads((folder / "progress.json").read_text())["status"] == "finished"


def test_existing_run_is_not_touched(tmp_path):
    go(tmp_path)
    before = (tmp_path / "posterior.nc").read_bytes()
    with pytest.raises(RunError, match="there is a run here already") as caught:
        go(tmp_path, settings={**SHORT, "seed": 8})
    assert "--resume" in caught.value.remedy
    assert "--overwrite" in caught.value.remedy
    assert (tmp_path / "posterior.nc").read_bytes() == before


def test_overwrite_replaces_the_run_and_nothing_else(tmp_path):
    one = go(tmp_path)
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "plots" / "corner.pdf").write_text("old")
    two = go(tmp_path, settings={**SHORT, "seed": 8}, overwrite=True)
    assert not np.array_equal(one.samples, two.samples)
    assert (tmp_path / "notes.txt").read_text() == "mine"
    assert not (tmp_path / "plots" / "corner.pdf").exists()
    assert len(two.manifest["sessions"]) == 1


def test_folder_with_other_files_is_refused(tmp_path):
    (tmp_path / "thesis.tex").write_text("mine")
    with pytest.raises(RunError, match=r"files that are not of a run: thesis\.tex"):
        go(tmp_path)
    assert (tmp_path / "thesis.tex").read_text() == "mine"


def test_start_that_died_before_its_manifest_is_no_obstacle(tmp_path):
    (tmp_path / ".lock").write_text("process 1 on a dead machine")
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "emcee.json").write_text("{half")
    (tmp_path / "config.toml").write_text("")
    assert len(go(tmp_path).samples) > 0


def test_resume_needs_a_run(tmp_path):
    with pytest.raises(RunError, match="no run to resume"):
        go(tmp_path, resume=True)
    with pytest.raises(RunError, match="exclude each other"):
        go(tmp_path, resume=True, overwrite=True)


def test_finished_run_is_given_back(tmp_path):
    one = go(tmp_path)
    stamp = (tmp_path / "posterior.nc").stat().st_mtime_ns
    two = go(tmp_path, resume=True)
    np.testing.assert_array_equal(one.samples, two.samples)
    assert (tmp_path / "posterior.nc").stat().st_mtime_ns == stamp
    assert "nothing to do" in (tmp_path / "log.txt").read_text()


def test_unconverged_run_goes_on_with_higher_limits(tmp_path):
    go(tmp_path)
    longer = {**SHORT, "max_steps": 100}
    run = go(tmp_path, settings=longer, resume=True, config_text=CONFIG.replace("60", "100"))
    assert run.summary["diagnostics"]["steps"] == 100
    assert len(run.manifest["sessions"]) == 2
    assert run.manifest["settings"]["max_steps"] == 100
    assert "max_steps = 100" in (tmp_path / "config.toml").read_text()
    at_once = go(tmp_path.with_name(tmp_path.name + "-at-once"), settings=longer)
    np.testing.assert_array_equal(run.samples, at_once.samples)


def test_converged_run_goes_on_when_a_target_is_raised(tmp_path):
    easy = {"walkers": 16, "seed": 7, "learn": False, "check_every": 50}
    first = go(tmp_path, settings={**easy, "target_tau": 10.0})
    assert first.converged
    again = go(tmp_path, settings={**easy, "target_tau": 10.0, "max_steps": 10_000}, resume=True)
    assert again.summary["diagnostics"]["steps"] == first.summary["diagnostics"]["steps"]
    further = go(tmp_path, settings={**easy, "target_tau": 30.0}, resume=True)
    assert further.converged
    assert further.summary["diagnostics"]["steps"] >= 2 * first.summary["diagnostics"]["steps"]


def test_changed_problem_is_refused_with_the_keys(tmp_path):
    go(tmp_path)
    changed = CONFIG.replace("1e48", "1e49").replace("20.0, ", "30.0, ")
    with pytest.raises(RunError, match="not the problem that the run began with") as caught:
        go(tmp_path, Gaussian(2, width=0.05), resume=True, config_text=changed)
    assert "model.snr.power was 1e+48, is 1e+49" in caught.value.problem
    assert "data.AMS-02.range was [20.0, 2000.0], is [30.0, 2000.0]" in caught.value.problem
    assert str(tmp_path) in caught.value.where
    assert "--overwrite" in caught.value.remedy


def test_changed_data_are_refused_with_the_file(tmp_path):
    go(tmp_path, extras={"data_hashes": {"ams.ecsv": "abc"}})
    with pytest.raises(RunError, match=r"the data ams\.ecsv changed"):
        go(tmp_path, Gaussian(2, width=0.05), resume=True, extras={"data_hashes": {"ams.ecsv": "abd"}})


def test_unexplained_change_is_refused_too(tmp_path):
    go(tmp_path)
    with pytest.raises(RunError, match="its fingerprint differs"):
        go(tmp_path, Gaussian(2, width=0.05), resume=True)


class Renamed(Gaussian):
    """The same problem with its parameters in another order."""

    @property
    def fingerprint(self):
        return Gaussian(2).fingerprint


def test_permuted_names_are_refused(tmp_path):
    go(tmp_path)
    problem = Renamed(2)
    problem.names = ("p1", "p0")
    with pytest.raises(RunError, match="their order was p0, p1 and is p1, p0"):
        go(tmp_path, problem, resume=True)
    problem.names = ("p0", "q")
    with pytest.raises(RunError, match="no longer free: p1; newly free: q"):
        go(tmp_path, problem, resume=True)


@pytest.mark.parametrize(("sampler", "settings"), [("emcee", SHORT), ("dynesty", {"nlive": 50, "max_calls": 3000})])
def test_changed_likelihood_is_found_by_computing_stored_points_again(tmp_path, sampler, settings):
    go(tmp_path, sampler=sampler, settings=settings)
    with pytest.raises(RunError, match=r"of a stored point was .* and is now .*: code or data changed") as caught:
        go(tmp_path, Drifted(2), sampler=sampler, settings=settings, resume=True)
    assert "p0 = " in caught.value.where


def test_changed_sampler_and_settings_are_refused(tmp_path):
    go(tmp_path)
    with pytest.raises(RunError, match="sampled with 'emcee', not 'dynesty'"):
        go(tmp_path, sampler="dynesty", settings={"nlive": 50}, resume=True)
    with pytest.raises(RunError, match="seed was 7, is 8; walkers was 16, is 18"):
        go(tmp_path, settings={**SHORT, "walkers": 18, "seed": 8}, resume=True)


def test_second_writer_is_refused_at_once_and_the_lock_ends_with_its_holder(tmp_path):
    settings = settings_from(EmceeSettings, SHORT)
    first = RunFolder.create(tmp_path, Gaussian(2), "emcee", settings, quiet=True)
    with pytest.raises(RunError, match=f"another process is writing this run .process {os.getpid()}"):
        RunFolder.resume(tmp_path)
    with pytest.raises(RunError, match="another process is writing"):
        RunFolder.create(tmp_path, Gaussian(2), "emcee", settings, overwrite=True)
    with first:
        pass
    with RunFolder.resume(tmp_path, quiet=True):
        pass


def test_file_in_place_of_the_folder(tmp_path):
    (tmp_path / "run").write_text("a file")
    with pytest.raises(RunError, match="cannot write") as caught:
        go(tmp_path / "run")
    assert "in the way" in caught.value.remedy
    with pytest.raises(RunError, match="cannot write"):
        go(tmp_path / "run" / "below")
    assert (tmp_path / "run").read_text() == "a file"


def test_nan_leaves_a_run_that_says_it_failed_and_can_be_resumed(tmp_path):
    problem = WithNaN(2)
    with pytest.raises(ModelError, match="is nan at p0"):
        go(tmp_path, problem, settings={**SHORT, "max_steps": 4000}, map_settings=MapSettings(starts=1, generations=0))
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert manifest["status"] == "failed"
    assert "is nan at p0" in manifest["sessions"][-1]["message"]
    with pytest.raises(RunError, match=r"no results yet \(status: failed\)"):
        read_run(tmp_path)


def test_impossible_problem_is_refused(tmp_path):
    with pytest.raises(ParameterError, match="all points drawn from the prior are impossible"):
        go(tmp_path, Impossible(2))
    assert json.loads((tmp_path / "manifest.json").read_text())["status"] == "failed"


def test_config_differences_are_found_key_by_key(tmp_path):
    stored = tmp_path / "config.toml"
    stored.write_text("a = 1\n[b]\nc = [1, 2]\nold = true\n[[d]]\nx = 1\n")
    found = config_differences(stored, "a = 1\n[b]\nc = [1, 3]\n[[d]]\nx = 2\n")
    assert found == [
        "b.c was [1, 2], is [1, 3]",
        "b.old was True, is '(absent)'",
        "d.0.x was 1, is 2",
    ]
    assert config_differences(tmp_path / "missing.toml", "a = 1") == []


def test_map_run(tmp_path):
    run = go(tmp_path, Box(2), sampler="map", settings={"starts": 2})
    assert run.samples.shape == (1, 2)
    assert run.summary["converged"]
