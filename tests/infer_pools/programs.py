"""Processes that tests look for, start and kill."""

import json
import time
from pathlib import Path

import numpy as np


def wait_until(condition, what, seconds=60.0, while_running=None):
    """Wait for a condition; fail when a program ends before, or time is up."""
    deadline = time.monotonic() + seconds
    while not condition():
        if while_running is not None:
            assert while_running.poll() is None, f"ended before {what}: {while_running.communicate()}"
        assert time.monotonic() < deadline, f"no {what} within {seconds} s"
        time.sleep(0.02)


def descendants(parent):
    """Process ids below a process."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                status = (entry / "stat").read_text().rsplit(")", 1)[1].split()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if int(status[1]) == parent:
                found += [int(entry.name), *descendants(int(entry.name))]
    return found


def environment_of(pid):
    """Environment of a process, as text."""
    try:
        return (Path("/proc") / str(pid) / "environ").read_text().split("\0")
    except (FileNotFoundError, ProcessLookupError):
        return []


def generation(folder, slot):
    """Number of a slot's last commit, 0 if there is none."""
    try:
        return json.loads((Path(folder) / "state" / f"{slot}.json").read_text())["generation"]
    except FileNotFoundError:
        return 0


def same(one, two):
    """Whether two runs are the same to the last bit."""
    np.testing.assert_array_equal(one.samples, two.samples)
    np.testing.assert_array_equal(one.log_posterior, two.log_posterior)
    assert one.log_evidence == two.log_evidence
    assert one.summary["calls"] == two.summary["calls"]
    assert one.summary["parameters"] == two.summary["parameters"]
    return True
