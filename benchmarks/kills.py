"""Kill a small real fit at random moments with SIGKILL, resume it each time, and compare with a fit that nobody killed.

`python benchmarks/kills.py [--sampler emcee] [--kills 20] [--seed S]`: everything goes through the command line, in a
temporary folder. Prints the moments and whether samples, ln Z, calls and summary are the same, digit for digit.
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from stellarcr.infer.runs import Run, read_run
from stellarcr.infer.runs.slots import CheckpointSlots

CONFIG = """
seed = 3
[galaxy]
preset = "plain-diffusion"
production = "none"
geometry = "slab"
[populations.snr]
[parameters.snr]
log10_power = { prior = "uniform", low = 47.0, high = 50.0, value = 48.0 }
gamma1 = -2.2
gamma2 = { prior = "uniform", low = -2.8, high = -2.1, value = -2.45 }
[likelihoods.ams02]
species = ["H", "He"]
[sampler]
checkpoint_every = 0.2
map = { starts = 2, generations = 100 }
"""
SAMPLERS = {
    "emcee": 'name = "emcee"\nwalkers = 24\nmax_steps = 600',
    "dynesty": 'name = "dynesty"\nnlive = 100\nwalks = 50',
    "dynamic": 'name = "dynesty"\nmode = "dynamic"\nnlive = 60\nwalks = 50\nn_effective = 1000',
    "workers": 'name = "emcee"\nwalkers = 24\nmax_steps = 600\nprocesses = 2',
}
TIMES = ("seconds", "calls_per_second")


def start(config: Path, name: str, *options: str) -> subprocess.Popen:
    command = [sys.executable, "-m", "stellarcr.cli", "run", str(config), "--quiet", "--name", name, *options]
    return subprocess.Popen(command, cwd=config.parent, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def finish(process: subprocess.Popen) -> None:
    error = process.communicate()[1]
    if process.returncode:
        sys.exit(f"the run failed: {error}")


def without_times(content):
    if not isinstance(content, dict):
        return content
    return {key: without_times(value) for key, value in content.items() if key not in TIMES}


def differences(one: Run, other: Run) -> list[str]:
    found = [
        name
        for name in ("samples", "log_posterior", "maximum")
        if not np.array_equal(getattr(one, name), getattr(other, name))
    ]
    found += [name for name in ("log_evidence", "log_evidence_error") if getattr(one, name) != getattr(other, name)]
    if one.nested is not None and other.nested is not None:
        found += [key for key, value in vars(one.nested).items() if not np.array_equal(value, vars(other.nested)[key])]
    if without_times(one.summary) != without_times(other.summary):
        found.append("summary")
    return found


def sessions(folder: Path) -> int:
    """Count the sessions of a run; 0 if there is none yet."""
    manifest = folder / "manifest.json"
    return len(json.loads(manifest.read_text())["sessions"]) if manifest.exists() else 0


def resume_if_begun(folder: Path) -> list[str]:
    """Killed before its manifest, a run does not exist yet and begins anew."""
    return ["--resume"] if sessions(folder) else []


def wait_for_session(process: subprocess.Popen, folder: Path, number: int, at_most: float | None = None) -> None:
    """Wait until the process has entered its session in the manifest, has ended, or some seconds have passed."""
    end = math.inf if at_most is None else time.monotonic() + at_most
    while sessions(folder) < number and process.poll() is None and time.monotonic() < end:
        time.sleep(0.005)


def describe(folder: Path) -> str:
    """Say what a killed run had reached."""
    if not sessions(folder):
        return "not yet a run"
    slots = CheckpointSlots(folder / "state")
    found = {path.stem: slots.load(path.stem) for path in (folder / "state").glob("*.json")}  # refused if damaged
    calls = max((saved.fields["n_calls"] for slot, saved in found.items() if saved and slot != "map"), default=None)
    where = "in the search for the maximum" if "map" not in found else f"{calls or 0:,} calls in its checkpoint"
    writing = sorted(path.name for path in folder.rglob(".*.tmp"))
    return where + (f", and {writing[0]} half written" if writing else "")


def kill_and_resume(config: Path, kills: int, rng: np.random.Generator) -> list[str]:
    """Compare a run that was killed so many times with one that was not."""
    chains, begun = config.parent / "chains", time.monotonic()
    process = start(config, "whole")
    wait_for_session(process, chains / "whole", 1)
    startup = time.monotonic() - begun
    finish(process)
    seconds = time.monotonic() - begun
    whole, folder = read_run(chains / "whole"), chains / "killed"
    sampling = seconds - startup
    print(f"not killed: {seconds:.0f} s, {startup:.0f} s of them before it is a run; {whole.summary['calls']:,} calls")
    killed, rounds, found = 0, 0, []
    while killed < kills:
        process, moment = start(config, "killed", *resume_if_begun(folder)), rng.uniform(-0.1, 0.25) * sampling
        # A negative moment is one before this session has begun to work on the run.
        wait_for_session(
            process, folder, 1 + sessions(folder), -moment / sampling * 10.0 * startup if moment < 0.0 else None
        )
        try:
            process.wait(timeout=max(moment, 0.0))
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            killed += 1
            print(f"kill {killed:2d} {moment:+7.2f} s from the start of sampling: {describe(folder)}", flush=True)
            continue
        finish(process)
        rounds += 1
        found += differences(read_run(folder), whole)
        # Finished before the moment came: another run is begun for the other kills.
        folder.rename(folder.with_name(f"finished{rounds}"))
    finish(start(config, "killed", *resume_if_begun(folder)))
    print(f"{rounds + 1} killed run(s) came to their end, the last in {sessions(folder)} sessions")
    return found + differences(read_run(folder), whole)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sampler", choices=SAMPLERS, default="emcee", help="what is killed (default: emcee)")
    parser.add_argument("--kills", type=int, default=20, help="how many times (default: 20)")
    parser.add_argument("--seed", type=int, help="seed of the moments; default: the clock")
    given = parser.parse_args()
    seed = time.time_ns() % 2**32 if given.seed is None else given.seed
    print(f"{given.sampler}, moments drawn with seed {seed}", flush=True)
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "kills.toml"
        path.write_text(CONFIG + SAMPLERS[given.sampler])
        different = kill_and_resume(path, given.kills, np.random.default_rng(seed))
    print("different: " + ", ".join(different) if different else "the same, digit for digit")
    sys.exit(1 if different else 0)
