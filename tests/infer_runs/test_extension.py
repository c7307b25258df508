"""A finished run goes on, and is then the run that a longer one would have been."""

import json
import shutil

import numpy as np
import pytest
from infer_toys import Gaussian
from test_kill import generation, start, wait_for
from toy_job import job

from stellarcr.errors import ConfigError, RunError
from stellarcr.infer.runs import execute, read_run
from stellarcr.infer.runs.inspection import inspect_run
from stellarcr.infer.samplers.map import MapSettings

PLAIN = {"learn": False, "max_steps": 200, "check_every": 50, "checkpoint_every": 60.0}
DYNAMIC = {"mode": "dynamic", "nlive": 25, "walks": 6, "n_effective": 100, "checkpoint_every": 60.0}


@pytest.fixture(scope="module")
def half(tmp_path_factory):
    """A finished emcee run of 200 steps, to be copied."""
    folder = tmp_path_factory.mktemp("runs") / "half"
    job(folder, "emcee", **PLAIN)
    return folder


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The same run made with 400 steps at once, by force: it may meet its targets on the way."""
    return job(tmp_path_factory.mktemp("runs") / "whole", "emcee", **{**PLAIN, "max_steps": 400, "min_steps": 400})


@pytest.fixture
def short(half, tmp_path):
    """A copy of the run, to be changed."""
    return shutil.copytree(half, tmp_path / "run")


def same(one, two):
    np.testing.assert_array_equal(one.samples, two.samples)
    np.testing.assert_array_equal(one.log_posterior, two.log_posterior)
    assert one.summary["parameters"] == two.summary["parameters"]
    assert one.summary["map"]["log_posterior"] == two.summary["map"]["log_posterior"]
    assert one.log_evidence == two.log_evidence


def test_twice_as_long_is_what_a_run_of_twice_the_steps_gives(short, whole):
    before = read_run(short)
    extended = job(short, "emcee", extend=True, **PLAIN)
    assert extended.summary["diagnostics"]["steps"] == 400
    assert len(extended.samples) > len(before.samples)
    aim = {"quantity": "steps", "from": 200, "to": 400, "max_time": None, "max_calls": None}
    assert extended.manifest["extensions"] == [{**aim, "status": "finished", "reached": 400}]
    same(extended, whole)
    # a resume with the limits of the file has nothing to add
    same(job(short, "emcee", resume=True, **PLAIN), extended)


def test_by_a_number_of_steps_and_again_while_the_sampler_learns(tmp_path):
    """The sampler of two parameters learns in steps 25, 50, ... 300, 320, 350, 400, 500 and 650."""
    quick = {"checkpoint_every": 60.0}
    job(tmp_path / "run", "emcee", max_steps=120, **quick)
    job(tmp_path / "run", "emcee", extend=90, max_steps=120, **quick)
    extended = job(tmp_path / "run", "emcee", extend=130, max_steps=120, **quick)
    assert extended.summary["diagnostics"]["steps"] == 340
    same(extended, job(tmp_path / "whole", "emcee", max_steps=340, **quick))


def test_converged_chain_goes_on_too(tmp_path):
    easy = {**PLAIN, "target_tau": 5.0, "max_steps": 4000}
    first = job(tmp_path, "emcee", **easy)
    assert first.converged
    steps = first.summary["diagnostics"]["steps"]
    assert job(tmp_path, "emcee", extend=True, **easy).summary["diagnostics"]["steps"] == 2 * steps


def test_limits_of_the_file_do_not_hold_but_given_ones_do(short):
    calls = read_run(short).summary["calls"]
    job(short, "emcee", extend=20, **PLAIN, max_calls=calls, max_time=1e-3)
    stopped = job(short, "emcee", extend=True, **PLAIN, limits={"max_calls": calls + 2000})
    assert 220 < stopped.summary["diagnostics"]["steps"] < 440
    assert f"stopped at max_calls = {calls + 2000}" in stopped.summary["verdict"]
    assert stopped.manifest["extensions"][-1]["reached"] == stopped.summary["diagnostics"]["steps"]
    with pytest.raises(RunError, match="max_calls = 10 is used up") as caught:
        job(short, "emcee", extend=True, **PLAIN, limits={"max_calls": 10})
    assert "whole run" in caught.value.remedy


def test_dynamic_nested_run_is_what_a_run_with_the_larger_target_gives(tmp_path):
    first = job(tmp_path / "first", "dynesty", **DYNAMIC)
    extended = job(tmp_path / "first", "dynesty", extend=True, **DYNAMIC)
    assert extended.summary["ess"] > first.summary["ess"]
    assert extended.manifest["extensions"][-1]["to"] == 200
    same(extended, job(tmp_path / "whole", "dynesty", **{**DYNAMIC, "n_effective": 200}))
    np.testing.assert_allclose(extended.nested.log_prior, Gaussian(2).log_prior(extended.nested.theta), rtol=1e-12)


def test_what_cannot_be_extended_says_why(half, short, tmp_path):
    static = {"nlive": 40, "walks": 10, "max_calls": 3000}
    job(tmp_path / "static", "dynesty", **static)
    with pytest.raises(RunError, match="a static nested run cannot be extended") as caught:
        job(tmp_path / "static", "dynesty", extend=True, **static)
    assert "--seed" in caught.value.remedy
    search = MapSettings(starts=1, generations=10, population=16)
    execute(Gaussian(2), "map", search, tmp_path / "map", quiet=True)
    with pytest.raises(RunError, match="nothing to extend in a run of the sampler 'map'"):
        execute(Gaussian(2), "map", search, tmp_path / "map", quiet=True, extend=True)
    with pytest.raises(RunError, match="no run to resume here"):
        job(tmp_path / "nowhere", "emcee", extend=True)
    with pytest.raises(RunError, match="extend and overwrite exclude each other"):
        execute(Gaussian(2), "emcee", {}, short, extend=True, overwrite=True, quiet=True)
    with pytest.raises(RunError, match="cannot be extended by -5"):
        job(short, "emcee", extend=-5, **PLAIN)
    with pytest.raises(RunError, match="not the problem that the run began with"):
        execute(Gaussian(2, width=0.05), "emcee", {"walkers": 8}, short, extend=True, quiet=True)
    with pytest.raises(RunError, match="seed was 5, is 6"):
        job(short, "emcee", extend=True, **PLAIN, seed=6)
    shutil.rmtree(short / "state")
    with pytest.raises(RunError, match="the checkpoints of this run are gone"):
        job(short, "emcee", extend=True, **PLAIN)
    with pytest.raises(RunError, match="the checkpoints of this finished run are gone"):
        job(short, "emcee", resume=True, **{**PLAIN, "max_steps": 500})
    same(read_run(short), read_run(half))


def test_only_a_finished_run_is_extended(short):
    manifest = json.loads((short / "manifest.json").read_text())
    (short / "manifest.json").write_text(json.dumps(manifest | {"status": "interrupted"}))
    with pytest.raises(RunError, match="this one is interrupted") as caught:
        job(short, "emcee", extend=True, **PLAIN)
    assert "--resume" in caught.value.remedy


def test_steps_at_least_and_at_most_agree():
    with pytest.raises(ConfigError, match="min_steps = 500"):
        execute(Gaussian(2), "emcee", {"min_steps": 500, "max_steps": 400}, "unused")


@pytest.mark.parametrize("how", ["resume", "extend"])
def test_killed_extension_keeps_the_results_and_goes_on(half, whole, short, how):
    reached = generation(short, "emcee")
    process = start(short, "emcee", "extend", **{**PLAIN, "checkpoint_every": 0.05})
    try:
        wait_for(process, lambda: generation(short, "emcee") >= reached + 3, "checkpoints of the extension")
    finally:
        process.kill()
        process.communicate()
    same(read_run(short), read_run(half))
    found = inspect_run(short)
    assert (found.status, found.has_results) == ("interrupted", True)
    assert "the results of the session before are there" in found.problem
    goes_on = job(short, "emcee", **{how: True}, **PLAIN)
    assert len(goes_on.manifest["extensions"]) == 1
    same(goes_on, whole)


def test_samples_and_summary_are_replaced_in_one_step(short):
    """A death between the archive and summary.json leaves the new summary beside the new samples."""
    old = (short / "summary.json").read_text()
    new = job(short, "emcee", extend=10, **PLAIN)
    (short / "summary.json").write_text(old)
    assert read_run(short).summary == new.summary
