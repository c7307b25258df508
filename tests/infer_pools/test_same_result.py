"""Same settings and seed: the same bits on every pool, from the command line and from Python."""

import logging
import os
import shutil
import signal
import subprocess
import sys
import threading

import numpy as np
import pytest
from distributed import Client, LocalCluster
from infer_toys import Gaussian
from programs import descendants, environment_of, generation, same, wait_until

import stellarcr
from stellarcr.infer.pools import Workers
from stellarcr.infer.samplers import MemoryStore, get_sampler
from stellarcr.infer.samplers.dynesty_settings import DynestySettings
from stellarcr.infer.samplers.scalar import ScalarPool

MPIEXEC = shutil.which("mpiexec", path=os.pathsep.join([os.path.dirname(sys.executable), os.environ["PATH"]]))
MPI = ["-n", "3", sys.executable, "-m", "mpi4py.futures", "-m", "stellarcr.cli", "run"]


@pytest.fixture(scope="module")
def cluster():
    """Two Dask workers with a thread each."""
    with LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None, silence_logs=logging.CRITICAL
    ) as cluster:
        yield cluster


def test_serial_processes_mpi_and_dask_give_the_same_run(configure, cluster, one_thread_environment):
    serial = stellarcr.run(configure("emcee", "serial"), quiet=True)
    assert same(serial, stellarcr.run(configure("emcee", "spawned", processes=2), quiet=True))
    dask = configure("emcee", "dask", pool="dask", dask_scheduler=cluster.scheduler_address)
    assert same(serial, stellarcr.run(dask, quiet=True))
    command = [MPIEXEC, *MPI, configure("emcee", "mpi", pool="mpi"), "--quiet"]
    done = subprocess.run(command, env=one_thread_environment, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    # what one process prints, once
    assert done.stdout.count("results: ") == 1
    assert same(serial, stellarcr.load_run("chains/mpi"))


def test_run_outlives_a_dask_worker_that_is_killed(configure, cluster):
    """Its tasks go to the other worker; the nanny starts a new one, which receives the posterior by itself."""
    whole = stellarcr.run(configure("emcee", "whole"), quiet=True)
    path = configure("emcee", "killed", pool="dask", dask_scheduler=cluster.scheduler_address, checkpoint_every=0)
    killed = []

    def kill():
        wait_until(lambda: generation("chains/killed", "emcee") >= 2, "a second checkpoint")
        with Client(cluster) as client:
            worker = next(iter(client.run(os.getpid).values()))
        os.kill(worker, signal.SIGKILL)
        killed.append(worker)

    thread = threading.Thread(target=kill)
    thread.start()
    run = stellarcr.run(path, quiet=True)
    thread.join()
    assert len(killed) == 1
    assert same(whole, run)


def test_mpi_job_whose_rank_is_killed_goes_on_from_its_checkpoint(configure, one_thread_environment):
    """And a signal to the job: the first rank writes a checkpoint, the others wait for it."""
    whole = stellarcr.run(configure("emcee", "alone", max_steps=150), quiet=True)
    path = configure("emcee", "ranks", pool="mpi", checkpoint_every=0, max_steps=150)
    for options, how in (([], signal.SIGKILL), (["--resume"], signal.SIGINT)):
        before = generation("chains/ranks", "emcee")
        command = [MPIEXEC, *MPI, path, "--quiet", *options]
        job = subprocess.Popen(
            command, env=one_thread_environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        wait_until(lambda b=before: generation("chains/ranks", "emcee") > b + 1, "checkpoints", while_running=job)
        rank = [pid for pid in descendants(job.pid) if "PMI_RANK=2" in environment_of(pid)][-1]
        os.kill(rank if how == signal.SIGKILL else job.pid, how)
        _, errors = job.communicate(timeout=60)
        assert job.returncode == (9 if how == signal.SIGKILL else 130), errors
        assert ("--resume" in errors) == (how == signal.SIGINT)
    assert same(whole, stellarcr.run(configure("emcee", "ranks", max_steps=150), resume=True, quiet=True))


def test_dynesty_with_its_own_walk_on_dask_is_the_run_made_here(cluster):
    """Walkers of a queue travel one by one, as dynesty's own objects."""
    options = {"seed": 2, "nlive": 20, "walks": 5, "batch": 0, "queue_size": 4, "max_calls": 150}
    dask = {"pool": "dask", "dask_scheduler": cluster.scheduler_address}
    adapter = get_sampler("dynesty")
    one, two = (adapter.run(Gaussian(2), DynestySettings(**options, **pool), MemoryStore()) for pool in ({}, dask))
    np.testing.assert_array_equal(one.nested.theta, two.nested.theta)
    assert one.log_evidence == two.log_evidence
    assert one.n_calls == two.n_calls


def test_points_one_by_one_are_counted_on_dask_as_here(cluster):
    toy = Gaussian(2)
    theta = toy.sample_prior(np.random.default_rng(1), 5)
    dask = Workers("dask", dask_scheduler=cluster.scheduler_address)
    for workers in (Workers(), dask):
        pool = ScalarPool(toy, workers, 4)
        try:
            values = pool.map(pool.functions.log_likelihood, list(theta))
        finally:
            pool.close()
        assert values == [float(toy.log_likelihood(point[np.newaxis])[0]) for point in theta]
        assert pool.n_calls == 5
