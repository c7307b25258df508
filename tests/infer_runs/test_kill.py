"""Processes that are told to stop, meet another writer, or have workers; see `test_random_kills` for more deaths."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from infer_toys import Gaussian
from toy_job import job

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


def test_workers_end_with_their_killed_parent_and_the_run_goes_on_without_them(tmp_path):
    folder = tmp_path / "killed"
    process = start(folder, "emcee", "new", processes=2)
    try:
        wait_for(process, lambda: generation(folder, "emcee") >= 1, "a checkpoint")
        workers = children(process.pid)
        assert len(workers) >= 2
    finally:
        process.kill()
        process.communicate()
    deadline = time.monotonic() + 20
    while any(alive(pid) for pid in workers):
        assert time.monotonic() < deadline, "workers outlive their parent"
        time.sleep(0.05)
    # The number of processes changes nothing, and may change at a resume.
    resumed, whole = job(folder, "emcee", resume=True), job(tmp_path / "whole", "emcee", checkpoint_every=60.0)
    np.testing.assert_array_equal(resumed.samples, whole.samples)
    np.testing.assert_array_equal(resumed.log_posterior, whole.log_posterior)
    assert resumed.summary["calls"] == whole.summary["calls"]


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
