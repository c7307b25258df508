"""Processes that die, are told to stop, or meet another writer."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from infer_toys import Gaussian
from toy_job import SETTINGS, job

from stellarcr.errors import RunError
from stellarcr.infer.runs import execute, read_run

JOB = Path(__file__).parent / "toy_job.py"


def start(folder, sampler, mode, sleep=0.003, **options):
    command = [sys.executable, str(JOB), str(folder), sampler, str(sleep), mode, json.dumps(options)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_for(process, condition, what):
    deadline = time.monotonic() + 60
    while not condition():
        assert process.poll() is None, f"ended before {what}: {process.communicate()}"
        assert time.monotonic() < deadline, f"no {what} within a minute"
        time.sleep(0.005)


def generation(folder, slot):
    """Number of the slot's last commit, 0 if there is none."""
    try:
        return json.loads((folder / "state" / f"{slot.rpartition(':')[2]}.json").read_text())["generation"]
    except FileNotFoundError:
        return 0


def kill_at(folder, sampler, mode, condition, what):
    process = start(folder, sampler, mode)
    try:
        wait_for(process, condition, what)
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("sampler", SETTINGS)
def test_run_killed_three_times_ends_as_if_it_had_not_been(tmp_path, sampler):
    folder = tmp_path / "killed"
    # Before anything is sampled; at an early checkpoint; some checkpoints into the resumed run.
    kill_at(folder, sampler, "new", (folder / "manifest.json").exists, "a manifest")
    kill_at(folder, sampler, "resume", lambda: generation(folder, sampler) >= 2, "a second checkpoint")
    reached = generation(folder, sampler)
    kill_at(folder, sampler, "resume", lambda: generation(folder, sampler) >= reached + 3, "three more")
    assert json.loads((folder / "manifest.json").read_text())["status"] == "running"
    resumed = job(folder, sampler, resume=True)
    whole = job(tmp_path / "whole", sampler, checkpoint_every=60.0)
    np.testing.assert_array_equal(resumed.samples, whole.samples)
    np.testing.assert_array_equal(resumed.log_posterior, whole.log_posterior)
    assert resumed.log_evidence == whole.log_evidence
    assert resumed.summary["parameters"] == whole.summary["parameters"]
    assert len(resumed.manifest["sessions"]) == 4
    assert [s["status"] for s in resumed.manifest["sessions"]] == ["running"] * 3 + ["finished"]


@pytest.mark.parametrize(("sampler", "number"), [("emcee", signal.SIGINT), ("dynesty", signal.SIGTERM)])
def test_signal_finishes_the_step_and_leaves_a_resumable_run(tmp_path, sampler, number):
    process = start(tmp_path, sampler, "new", checkpoint_every=60.0)
    # The maximum is found: sampling has begun, and only the signal will make it write a checkpoint.
    wait_for(process, (tmp_path / "state" / "map.json").exists, "the maximum")
    time.sleep(0.3)
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130, err
    assert "--resume" in out
    assert str(tmp_path) in out
    assert "Traceback" not in err
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert manifest["status"] == "interrupted"
    with pytest.raises(RunError, match="no results yet"):
        read_run(tmp_path)
    assert generation(tmp_path, sampler) == 1
    resumed = job(tmp_path, sampler, resume=True)
    assert resumed.manifest["status"] == "finished"
    assert len(resumed.samples) > 100


def test_second_process_is_refused_while_the_first_works(tmp_path):
    process = start(tmp_path, "emcee", "new")
    try:
        wait_for(process, (tmp_path / "manifest.json").exists, "a manifest")
        for options in ({"resume": True}, {"overwrite": True}, {}):
            with pytest.raises(RunError, match=f"another process is writing this run .process {process.pid}"):
                execute(Gaussian(2), "emcee", {}, tmp_path, quiet=True, **options)
    finally:
        process.kill()
        process.communicate()
    # The lock died with its holder.
    assert len(job(tmp_path, "emcee", resume=True).samples) > 0


def test_workers_end_when_their_parent_is_killed(tmp_path):
    process = start(tmp_path, "emcee", "new", processes=2)
    try:
        wait_for(process, lambda: generation(tmp_path, "emcee") >= 1, "a checkpoint")
        workers = children(process.pid)
        assert len(workers) >= 2
    finally:
        process.kill()
        process.communicate()
    deadline = time.monotonic() + 20
    while any(alive(pid) for pid in workers):
        assert time.monotonic() < deadline, "workers outlive their parent"
        time.sleep(0.05)


def children(parent):
    """Process ids whose parent is `parent`."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                status = (entry / "stat").read_text().rsplit(")", 1)[1].split()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if int(status[1]) == parent:
                found.append(int(entry.name))
    return found


def alive(pid):
    try:
        state = (Path("/proc") / str(pid) / "stat").read_text().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"
