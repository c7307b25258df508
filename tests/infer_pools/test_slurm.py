"""The batch scripts, run as SLURM runs them: variables of the job are set, and scontrol is a stand-in."""

import os
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest
from programs import generation, same, wait_until

import stellarcr

ROOT = Path(__file__).parents[2]
BASH = shutil.which("bash")
COMMAND = str(Path(sys.executable).with_name("stellarcr"))  # the environment need not be entered
VARIABLES = ("JOBS", "OUTPUT", "LAUNCH", "LAUNCHER", "STELLARCR", "PYTHON")

# Stands for stellarcr and for launchers: writes down what it was asked, ends with 130 when it is told to stop.
STAND_IN = """#!{bash}
echo "$(basename "$0") $*" >>"{calls}"
trap 'exit 130' TERM
for _ in $(seq "${{TENTHS:-0}}"); do sleep 0.1; done
"""


@pytest.fixture
def batch(tmp_path, one_thread_environment):
    """Return a function that starts a batch script of a checkout as a task of a job, and the calls of stand-ins."""
    checkout = tmp_path / "checkout"
    shutil.copytree(ROOT / "scripts", checkout / "scripts")
    calls = checkout / "calls"
    calls.write_text("")
    for program in ("scontrol", "srun", "stand-in"):
        path = checkout / "bin" / program
        path.parent.mkdir(exist_ok=True)
        path.write_text(STAND_IN.format(bash=BASH, calls=calls))
        path.chmod(0o755)

    def start(script, *arguments, task=None, **variables):
        outside = {k: v for k, v in one_thread_environment.items() if k not in VARIABLES and not k.startswith("SLURM_")}
        paths = os.pathsep.join([str(checkout / "bin"), str(Path(sys.executable).parent), outside["PATH"]])
        job = {"SLURM_JOB_ID": "77", "SLURM_SUBMIT_DIR": str(checkout), "PATH": paths}
        if task is not None:
            job["SLURM_ARRAY_TASK_ID"] = str(task)
        # SLURM runs a copy of the script, from a folder of its own
        spooled = shutil.copy(ROOT / "scripts/slurm" / script, tmp_path / "slurm_script")
        return subprocess.Popen(
            [BASH, spooled, *arguments],
            cwd="/",
            env={**outside, **job, **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    start.checkout, start.calls = checkout, lambda: calls.read_text().splitlines()
    return start


@pytest.mark.parametrize("path", sorted((ROOT / "scripts/slurm").iterdir()), ids=lambda path: path.name)
def test_scripts_are_valid_bash(path):
    subprocess.run([BASH, "-n", path], check=True)


@pytest.mark.parametrize("name", ["seeds.sbatch", "models.sbatch", "mpi.sbatch"])
def test_scripts_ask_for_a_signal_and_may_be_requeued(name):
    options = [
        line.split()[1] for line in (ROOT / "scripts/slurm" / name).read_text().splitlines() if "#SBATCH" in line
    ]
    assert {"--signal=B:USR1@180", "--requeue", "--open-mode=append", "--cpus-per-task=1"} <= set(options)


def test_a_task_that_is_preempted_goes_on_when_it_is_started_again(batch, configure):
    """The first time it gets SIGTERM, the second time the signal before the time limit, the third time it ends."""
    config = configure("emcee", "model", max_steps=300, checkpoint_every=0)
    folder = batch.checkout / "chains/model_seed3"
    reached = 0
    for number in (signal.SIGTERM, signal.SIGUSR1):
        job = batch("seeds.sbatch", str(config), task=3, STELLARCR=COMMAND)
        wait_until(lambda r=reached: generation(folder, "emcee") > r + 1, "checkpoints", while_running=job)
        job.send_signal(number)
        _, errors = job.communicate(timeout=60)
        assert job.returncode == 130, errors
        reached = generation(folder, "emcee")
    assert batch.calls() == ["scontrol requeue 77"]
    job = batch("seeds.sbatch", str(config), task=3, STELLARCR=COMMAND)
    _, errors = job.communicate(timeout=120)
    assert job.returncode == 0, errors
    run = stellarcr.load_run(folder)
    assert [s["status"] for s in run.manifest["sessions"]] == ["interrupted", "interrupted", "finished"]
    assert run.manifest["seed"] == 3
    content = tomllib.loads(config.read_text()) | {"name": "whole", "seed": 3}
    content["sampler"]["checkpoint_every"] = 60.0
    assert same(run, stellarcr.run(content, quiet=True))


def test_models_and_seeds_share_out_the_tasks(batch, configure):
    first, second = configure("emcee", "one"), configure("emcee", "two")
    arguments = ["models.sbatch", str(first), str(second), "--", "5", "6", "7"]
    for task in range(6):
        job = batch(*arguments, task=task, STELLARCR=str(batch.checkout / "bin/stand-in"))
        _, errors = job.communicate(timeout=60)
        assert job.returncode == 0, errors
    line = "stand-in run {path} --output chains --name {name}_seed{seed} --seed {seed}"
    expected = [line.format(path=path, name=path.stem, seed=seed) for path in (first, second) for seed in (5, 6, 7)]
    assert batch.calls() == expected


def test_mpi_job_starts_the_ranks_and_passes_the_signal_on(batch, configure):
    config = configure("emcee", "shared", pool="mpi")
    job = batch("mpi.sbatch", str(config), "4", SLURM_NTASKS="5", PYTHON=sys.executable, TENTHS="300")
    wait_until(batch.calls, "the launcher's start", while_running=job)
    time.sleep(0.2)
    job.send_signal(signal.SIGTERM)
    job.communicate(timeout=60)
    assert job.returncode == 130
    launched = f"srun -n 5 {sys.executable} -m mpi4py.futures -m stellarcr.cli"
    assert batch.calls() == [f"{launched} run {config} --output chains --name shared_seed4 --seed 4"]


@pytest.mark.parametrize(
    ("arguments", "task", "says"),
    [
        (["seeds.sbatch"], 1, "no configuration is given"),
        (["seeds.sbatch", "{config}"], None, "Give the seeds: sbatch --array=1-4"),
        (["models.sbatch", "no.toml", "--", "1"], 0, "there is no file no.toml"),
        (["models.sbatch", "{config}"], 0, "configurations and seeds are needed"),
        (["models.sbatch", "{config}", "--", "1", "2"], 2, "Submit with --array=0-1"),
        (["models.sbatch", "{config}", "--", "1", "2"], None, "There are 2 pairs"),
        (["mpi.sbatch", "{config}"], None, "a configuration and a seed are needed"),
        (["mpi.sbatch", "{config}", "1"], None, 'Write pool = "mpi" into its [sampler]'),
    ],
)
def test_mistakes_end_the_job_with_the_reason(batch, configure, arguments, task, says):
    config = configure("emcee", "model")
    job = batch(*(argument.format(config=config) for argument in arguments), task=task)
    _, errors = job.communicate(timeout=60)
    assert job.returncode == 2
    assert says in errors
    assert batch.calls() == []
