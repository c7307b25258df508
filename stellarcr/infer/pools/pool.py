"""One pool for all kinds of workers: tasks in, results out, in order."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Executor, Future, wait
from dataclasses import dataclass
from typing import Any

from stellarcr.infer.pools.problem import Problem
from stellarcr.infer.pools.workers import Workers
from stellarcr.infer.posterior_protocol import Posterior

PATIENCE = 5.0
"""Seconds between two looks at the workers while a result is awaited."""


@dataclass(frozen=True)
class Backend:
    """An executor whose workers hold the posterior, and what differs between kinds of workers.

    Attributes
    ----------
    executor : Executor
        Runs the tasks.
    check : callable
        ``check(error)`` raises RunError if the workers are lost; `error` is what a task ended with, None while waiting.
    close : callable
        Ends what was started.
    """

    executor: Executor
    check: Callable[[Exception | None], None]
    close: Callable[[], None]


class WorkerPool:
    """Workers that hold a posterior.

    Parameters
    ----------
    posterior : Posterior
        The problem; every worker receives it once.
    workers : Workers
        Which workers.

    Raises
    ------
    MissingDependencyError
        If the package of the pool is not installed.
    RunError
        If the workers cannot be reached.
    """

    def __init__(self, posterior: Posterior, workers: Workers) -> None:
        problem = Problem.of(posterior)
        self._key = problem.key
        self._backend = _open(problem, workers)

    def map(self, function: Callable[..., Any], *columns: Iterable[Any]) -> list[Any]:
        """Call ``function(key, *row)`` for every row of the columns; give the results in order.

        Raises
        ------
        RunError
            If the workers died, or one cannot work on the problem.
        """
        backend, futures = self._backend, []
        try:
            for row in zip(*columns, strict=True):
                futures.append(backend.executor.submit(function, self._key, *row))
            return [self._result(future) for future in futures]
        except BaseException as error:
            for future in futures:
                future.cancel()
            if isinstance(error, Exception):
                backend.check(error)
            raise

    def _result(self, future: Future[Any]) -> Any:
        while not wait([future], timeout=PATIENCE).done:
            self._backend.check(None)
        return future.result()

    def close(self) -> None:
        """End the workers, or leave them to others where they are not ours."""
        self._backend.close()


def require_workers(workers: Workers) -> None:
    """Refuse workers that this process cannot have, before anything is spent or written.

    Raises
    ------
    MissingDependencyError
        If the package of the pool is not installed.
    RunError
        If this is no MPI job although the pool is ``"mpi"``.
    """
    if workers.pool == "mpi":
        from stellarcr.infer.pools.mpi import require_mpi

        require_mpi()
    elif workers.pool == "dask":
        from stellarcr.infer.pools.dask import require_dask

        require_dask()


def _open(problem: Problem, workers: Workers) -> Backend:
    if workers.pool == "mpi":
        from stellarcr.infer.pools.mpi import open_mpi

        return open_mpi(problem)
    if workers.pool == "dask":
        from stellarcr.infer.pools.dask import open_dask

        return open_dask(problem, workers)
    from stellarcr.infer.pools.processes import open_processes

    return open_processes(problem, workers.processes)
