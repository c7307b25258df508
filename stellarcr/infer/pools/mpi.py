"""The ranks of an MPI job as workers: rank 0 runs the program, the others wait for tasks.

``mpi4py.futures`` as a launcher is the form that works everywhere: it needs no spawning of processes by MPI, which many
clusters forbid, and ends the job if rank 0 fails.
"""

from __future__ import annotations

import sys
from concurrent.futures import BrokenExecutor
from functools import partial
from importlib.util import find_spec

from stellarcr.errors import MissingDependencyError, RunError
from stellarcr.infer.pools.pool import Backend
from stellarcr.infer.pools.problem import Problem, receive
from stellarcr.infer.pools.processes import ignore_signals

LAUNCH = "mpiexec -n 4 python -m mpi4py.futures -m stellarcr.cli run CONFIG"


def require_mpi() -> None:
    """Refuse to work outside an MPI job.

    Raises
    ------
    MissingDependencyError
        If mpi4py is not installed.
    RunError
        If this process is not rank 0 of several, or was not started by ``mpi4py.futures``.
    """
    if find_spec("mpi4py") is None:
        raise MissingDependencyError(
            'pool = "mpi" needs the package mpi4py, which is not installed',
            remedy='pip install "stellarcr[mpi]", and an MPI library (that of the cluster, or pip install mpich)',
        )
    # Asked before MPI is initialised: a process without a launcher could hang there.
    if "mpi4py.futures" in sys.orig_argv:
        from mpi4py import MPI

        size = MPI.COMM_WORLD.Get_size()
        if size > 1:
            return
        problem = f'pool = "mpi" needs at least two MPI processes, and there is {size}'
    else:
        problem = 'pool = "mpi", but this is no MPI job of mpi4py.futures'
    raise RunError(problem, remedy=f'start it with: {LAUNCH}; or set pool = "processes"')


def open_mpi(problem: Problem) -> Backend:
    """Use the ranks above 0 of this job."""
    require_mpi()
    from mpi4py.futures import MPIPoolExecutor

    executor = MPIPoolExecutor(initializer=_start, initargs=(problem,))
    return Backend(executor, _check, partial(executor.shutdown, wait=True, cancel_futures=True))


def _start(problem: Problem) -> None:
    ignore_signals()
    receive(problem)


def _check(error: Exception | None) -> None:
    if isinstance(error, BrokenExecutor):
        raise RunError(f"the MPI workers cannot work: {error}", remedy="go on with --resume") from error
