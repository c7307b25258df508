"""SIGKILL at random moments of a run, checkpoints and archive included: it ends as if it had not been killed."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from toy_job import SETTINGS

from stellarcr.infer.runs import read_run
from stellarcr.infer.runs.slots import CheckpointSlots

KILLS = [6, pytest.param(20, marks=pytest.mark.slow)]
# A sampler is covered by adding its settings to the toy's.
RUNS = {Path(sampler).name: (sampler, {}) for sampler in SETTINGS}
RUNS["emcee"] = ("emcee", {"checkpoint_every": 0.1})
RUNS["dynesty, dynamic"] = ("dynesty", {"mode": "dynamic", "n_effective": 400, "nlive": 40})


class KillServer:
    """Asks `kill_server.py` for runs."""

    def __init__(self):
        script = Path(__file__).with_name("kill_server.py")
        self.process = subprocess.Popen(
            [sys.executable, str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )

    def run(self, folder, sampler, options, die_at=None, after=None):
        """Run to the end, or until the operation `die_at`, or kill after so many seconds.

        Returns signal, or 0, and file operations.
        """
        # Killed before its manifest, it was never a run, and begins anew.
        mode = "resume" if (folder / "manifest.json").exists() else "new"
        request = {"folder": str(folder), "sampler": sampler, "mode": mode, "options": options, "die_at": die_at}
        self.process.stdin.write(json.dumps(request) + "\n")
        pid = int(self.process.stdout.readline())
        if after is not None:
            timer = threading.Timer(after, kill, [pid])
            timer.start()
        number, count = (int(word) for word in self.process.stdout.readline().split())
        if after is not None:
            timer.cancel()
        assert number >= 0, "the run failed; see its message on standard error"
        return number, count

    def close(self):
        self.process.stdin.close()
        self.process.wait(timeout=30)


def kill(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return  # it ended first


@pytest.fixture(scope="module")
def server():
    server = KillServer()
    yield server
    server.close()


def without_times(content):
    if not isinstance(content, dict):
        return content
    times = ("seconds", "calls_per_second")
    return {key: without_times(value) for key, value in content.items() if key not in times}


def assert_same(run, whole):
    """Not a sample, a call or a digit is lost, doubled or changed."""
    np.testing.assert_array_equal(run.samples, whole.samples)
    np.testing.assert_array_equal(run.log_posterior, whole.log_posterior)
    assert run.log_evidence == whole.log_evidence
    assert without_times(run.summary) == without_times(whole.summary)  # calls, steps, acceptance, intervals ...
    for name in ("nested", "trace"):
        one, other = getattr(run, name), getattr(whole, name)
        assert (one is None) == (other is None)
        for field in vars(other) if other is not None else ():
            np.testing.assert_array_equal(getattr(one, field), getattr(other, field))


@pytest.fixture(scope="module")
def whole(server, tmp_path_factory):
    """Return a function that gives a run that nobody killed, with its time in seconds and its file operations."""
    made = {}

    def make(case):
        if case not in made:
            sampler, options = RUNS[case]
            folder = tmp_path_factory.mktemp("whole") / "run"
            begun = time.monotonic()
            ended, operations = server.run(folder, sampler, options)
            assert ended == 0
            made[case] = read_run(folder), time.monotonic() - begun, operations
        return made[case]

    return make


@pytest.mark.parametrize("kills", KILLS)
@pytest.mark.parametrize("case", RUNS)
def test_run_killed_at_random_moments_ends_as_if_it_had_not_been(tmp_path, server, whole, case, kills):
    sampler, options = RUNS[case]
    expected, seconds, operations = whole(case)
    seed = time.time_ns() % 2**32
    print(f"moments drawn with seed {seed}")  # shown when the test fails
    rng = np.random.default_rng(seed)
    folder, killed, reached = tmp_path / "killed", 0, 0
    while killed < kills:
        if rng.random() < 0.5:
            moment = {"after": rng.uniform(0.0, seconds / 4)}
        else:
            moment = {"die_at": int(rng.integers(1, operations // 4))}
        ended, _ = server.run(folder, sampler, options, **moment)
        if ended == 0:
            # Finished before the moment came: one more run that must be right, and another begins.
            assert_same(read_run(folder), expected)
            shutil.rmtree(folder)
            reached = 0
            continue
        assert ended == signal.SIGKILL
        killed += 1
        if (folder / "manifest.json").exists():
            commits = commits_of_whole_checkpoints(folder)
            assert commits >= reached  # a good checkpoint is never replaced by an earlier one
            reached = commits
    assert server.run(folder, sampler, options)[0] == 0
    assert_same(read_run(folder), expected)


def commits_of_whole_checkpoints(folder):
    """Load what a killed run left, which is refused unless every byte is what was committed; count the commits."""
    slots, journals = CheckpointSlots(folder / "state"), [*(folder / "state").glob("*.json")]
    for journal in journals:
        slots.load(journal.stem)
    return sum(json.loads(journal.read_text())["generation"] for journal in journals)


@pytest.mark.parametrize(
    "name", ["config.toml", "manifest.json", "map.json", "emcee.json", "posterior.nc", "summary.json"]
)
def test_run_killed_while_it_writes_a_certain_file(tmp_path, server, whole, name):
    """In the order of a run's life: before it is a run, in the search for the maximum, sampling, writing results."""
    sampler, options = RUNS["emcee"]
    ended, _ = server.run(tmp_path / "run", sampler, options, die_at=name)
    assert ended == signal.SIGKILL
    assert [p.name for p in (tmp_path / "run").rglob(".*.tmp")] == [f".{name}.tmp"]
    assert server.run(tmp_path / "run", sampler, options)[0] == 0
    assert_same(read_run(tmp_path / "run"), whole("emcee")[0])
    statuses = [session["status"] for session in read_run(tmp_path / "run").manifest["sessions"]]
    assert statuses == (["finished"] if name in ("config.toml", "manifest.json") else ["running", "finished"])
