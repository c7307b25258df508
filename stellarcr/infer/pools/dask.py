"""The workers of an existing Dask cluster.

Every worker receives the posterior through a plugin of the cluster, also one that joins later or comes back after it
died. A task whose worker dies is given to another one by Dask itself.
"""

from __future__ import annotations

import logging
import time
from concurrent.futures import CancelledError
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from stellarcr.errors import MissingDependencyError, RunError, StellarcrError
from stellarcr.infer.pools.pool import Backend
from stellarcr.infer.pools.problem import Problem, forget, receive
from stellarcr.infer.pools.workers import Workers

CONNECT = 30.0
"""Seconds to wait for the scheduler."""

WITHOUT_WORKERS = 300.0
"""Seconds to wait for a worker while the cluster has none: a nanny or a batch system may bring one back."""

RESUME = "mend the cluster, then go on with --resume"


def require_dask() -> None:
    """Refuse to work without Dask.

    Raises
    ------
    MissingDependencyError
        If distributed is not installed.
    """
    if find_spec("distributed") is None:
        raise MissingDependencyError(
            'pool = "dask" needs the package distributed, which is not installed',
            remedy='pip install "stellarcr[dask]"',
        )


def open_dask(problem: Problem, workers: Workers) -> Backend:
    """Connect to the scheduler, and send the posterior to its workers."""
    require_dask()
    # Tracebacks of lost connections would hide the error that is raised for them here.
    loggers = [logging.getLogger(name) for name in ("distributed.client", "tornado.application")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    client = _connect(str(workers.dask_scheduler))
    name = f"stellarcr-{problem.key[:16]}-{client.id}"
    watch = _Watch(client, str(workers.dask_scheduler))
    try:
        client.register_plugin(_plugin(problem), name=name)
        watch.wait_for_workers()
    except StellarcrError:
        client.close()
        raise
    except Exception as error:  # what a worker without this package answers
        client.close()
        raise RunError(
            f"the Dask workers cannot take the posterior: {type(error).__name__}: {error}",
            where=watch.address,
            remedy="install the same version of stellarcr where the workers run",
        ) from error

    def close() -> None:
        if client.status == "running":
            client.unregister_worker_plugin(name)
        client.close()
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)

    return Backend(client.get_executor(pure=False), watch.check, close)


def _connect(address: str) -> Any:
    from distributed import Client

    path = Path(address)
    try:
        if "://" in address or not path.suffix:
            return Client(address, timeout=CONNECT, set_as_default=False)
        if not path.is_file():
            raise RunError(
                f"dask_scheduler = {address!r}: there is no such file",
                remedy="start the scheduler first: dask scheduler --scheduler-file FILE",
            )
        return Client(scheduler_file=address, timeout=CONNECT, set_as_default=False)
    except (OSError, ValueError) as error:
        raise RunError(
            f"the Dask scheduler {address} does not answer: {error}",
            remedy="start it (dask scheduler --scheduler-file FILE), or correct dask_scheduler in [sampler]",
        ) from error


def _plugin(problem: Problem) -> Any:
    from distributed import WorkerPlugin

    class Receive(WorkerPlugin):  # of this function, since Dask is imported only here; it travels by value
        def setup(self, worker: Any) -> None:
            receive(problem)

        def teardown(self, worker: Any) -> None:
            forget(problem.key)

    return Receive()


class _Watch:
    """Looks whether the scheduler is there and has workers."""

    def __init__(self, client: Any, address: str) -> None:
        self._client, self.address = client, address
        self._alone_since: float | None = None

    def wait_for_workers(self) -> None:
        """Wait until there is a worker."""
        while not self._client.nthreads():
            self.check(None)
            time.sleep(0.2)

    def check(self, error: Exception | None) -> None:
        """Raise RunError if the scheduler is gone, workers died over a task, or there have been none for long."""
        from distributed import KilledWorker
        from distributed.comm import CommClosedError

        if isinstance(error, KilledWorker):
            raise RunError(
                f"Dask gave up: {error}", where=self.address, remedy=f"often memory ran out: {RESUME}"
            ) from error
        if isinstance(error, (CancelledError, CommClosedError)) or self._client.status != "running":
            raise RunError("the Dask scheduler is gone", where=self.address, remedy=RESUME) from error
        if error is not None:
            return
        if self._client.nthreads():
            self._alone_since = None
            return
        now = time.monotonic()
        self._alone_since = self._alone_since or now
        if now - self._alone_since > WITHOUT_WORKERS:
            raise RunError(
                f"the Dask cluster has had no worker for {WITHOUT_WORKERS:.0f} s", where=self.address, remedy=RESUME
            )
