"""What is refused before, and what ends a run while it works, each with its reason and a way out."""

import os
import signal
import subprocess
import sys
from concurrent.futures import CancelledError
from dataclasses import replace

import numpy as np
import pytest
from distributed.comm import CommClosedError
from infer_toys import Box, Gaussian

from stellarcr.errors import ConfigError, MissingDependencyError, RunError
from stellarcr.infer.pools import Workers, dask, require_workers
from stellarcr.infer.pools.problem import Problem, forget, held, receive
from stellarcr.infer.samplers.evaluate import Evaluator
from stellarcr.infer.samplers.settings import SamplerSettings


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"pool": "threads"}, "one of processes, mpi, dask"),
        ({"pool": "mpi", "processes": 2}, "mpiexec -n decides"),
        ({"pool": "dask"}, "scheduler file"),
        ({"pool": "dask", "dask_scheduler": "tcp://a:1", "processes": 3}, "the cluster decides"),
        ({"dask_scheduler": "tcp://a:1"}, "left out"),
    ],
)
def test_settings_that_contradict_each_other(options, says):
    with pytest.raises(ConfigError, match=says):
        SamplerSettings(**options)


def test_the_pool_may_change_when_a_run_is_resumed():
    assert {"pool", "processes", "dask_scheduler"} <= SamplerSettings.LIMITS
    assert "chunk" in SamplerSettings().identity()


@pytest.mark.parametrize("pool", ["mpi", "dask"])
def test_a_missing_package_says_how_to_get_it(monkeypatch, pool):
    monkeypatch.setattr(f"stellarcr.infer.pools.{pool}.find_spec", lambda name: None)
    with pytest.raises(MissingDependencyError, match=rf'pip install "stellarcr\[{pool}\]"'):
        require_workers(Workers(pool, dask_scheduler="tcp://a:1"))
    require_workers(Workers(processes=2))


def test_mpi_outside_an_mpi_job_shows_the_command():
    for begin in (require_workers, lambda workers: Evaluator(Gaussian(2), workers=workers)):
        with pytest.raises(RunError, match=r"mpiexec -n 4 python -m mpi4py\.futures -m stellarcr\.cli run"):
            begin(Workers("mpi"))


def test_a_dask_scheduler_that_is_not_there(monkeypatch, tmp_path):
    monkeypatch.setattr(dask, "CONNECT", 0.5)
    with pytest.raises(RunError, match="does not answer"):
        Evaluator(Gaussian(2), workers=Workers("dask", dask_scheduler="tcp://127.0.0.1:9"))
    with pytest.raises(RunError, match="no such file"):
        Evaluator(Gaussian(2), workers=Workers("dask", dask_scheduler=str(tmp_path / "scheduler.json")))


def test_a_worker_with_other_numbers_refuses_and_says_which():
    problem = Problem.of(Gaussian(2))
    other = replace(problem, log_posterior=problem.log_posterior + 1e-6)
    receive(other)
    try:
        with pytest.raises(RunError, match="a worker computes another log posterior"):
            held(problem.key)
    finally:
        forget(problem.key)
    receive(replace(problem, content=problem.content.replace(b"infer_toys", b"other_toys")))
    try:
        with pytest.raises(RunError, match=r"cannot rebuild the posterior: ModuleNotFoundError.*other_toys"):
            held(problem.key)
    finally:
        forget(problem.key)
    with pytest.raises(RunError, match="has no posterior"):
        held(problem.key)


def test_two_runs_share_a_posterior_until_both_end():
    problem = Problem.of(Gaussian(2))
    receive(problem)
    first = held(problem.key)
    receive(problem)
    forget(problem.key)
    assert held(problem.key) is first
    forget(problem.key)
    with pytest.raises(RunError, match="has no posterior"):
        held(problem.key)


class Unnamed(Gaussian):
    """A posterior without a fingerprint, as a user's own may be."""

    fingerprint = ""


def test_a_worker_tells_posteriors_of_one_fingerprint_apart():
    problems = [Problem.of(Unnamed(n_dim)) for n_dim in (2, 3)]
    for problem in problems:
        receive(problem)
    try:
        assert [held(problem.key).n_dim for problem in problems] == [2, 3]
    finally:
        for problem in problems:
            forget(problem.key)


class Dies(Box):
    """Kills its process where a worker evaluates it, not where it is made."""

    def __init__(self):
        super().__init__(1)
        self.home = os.getpid()

    def log_likelihood(self, theta):
        if os.getpid() != self.home and len(theta) == 3:
            os.kill(os.getpid(), signal.SIGKILL)
        return np.zeros(len(theta))


def test_a_spawned_worker_that_dies_ends_the_run():
    with (
        Evaluator(Dies(), workers=Workers(processes=2), chunk=3) as evaluator,
        pytest.raises(RunError, match="a worker process died") as caught,
    ):
        evaluator.log_likelihood(np.zeros((6, 1)))
    assert "--resume" in str(caught.value)


class FakeClient:
    """A Dask client whose cluster is as the test says."""

    def __init__(self, status="running", workers=()):
        self.status, self._workers = status, workers

    def nthreads(self):
        return dict.fromkeys(self._workers, 1)


def test_a_lost_scheduler_and_a_cluster_without_workers_end_the_run(monkeypatch):
    for error in (CancelledError(), CommClosedError()):
        with pytest.raises(RunError, match="scheduler is gone") as caught:
            dask._Watch(FakeClient(), "tcp://a:1").check(error)
        assert "--resume" in str(caught.value)
    with pytest.raises(RunError, match="scheduler is gone"):
        dask._Watch(FakeClient("closed"), "tcp://a:1").check(None)
    monkeypatch.setattr(dask, "WITHOUT_WORKERS", -1.0)
    with pytest.raises(RunError, match="has had no worker"):
        dask._Watch(FakeClient(), "tcp://a:1").check(None)
    dask._Watch(FakeClient(workers=("tcp://b:1",)), "tcp://a:1").check(None)
    # an error of the model stays what it is
    dask._Watch(FakeClient(), "tcp://a:1").check(ValueError("the table ends"))


def test_neither_mpi_nor_dask_is_imported_before_it_is_asked_for():
    code = (
        "import stellarcr.infer.samplers.evaluate, sys; assert not {'mpi4py', 'distributed', 'dask'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
