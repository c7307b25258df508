"""Worker processes spawned on this machine."""

from __future__ import annotations

import os
import signal
import threading
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait

from stellarcr.errors import RunError
from stellarcr.infer.pools.pool import Backend
from stellarcr.infer.pools.problem import Problem, receive

DEAD_WORKER = "a worker process died"
DEAD_WORKER_REMEDY = (
    "often memory ran out: use fewer processes, then go on with --resume. A script of your own that uses processes "
    "must start its work under: if __name__ == '__main__'"
)


def open_processes(problem: Problem, processes: int) -> Backend:
    """Spawn worker processes; never fork, since threads of this process may hold locks."""
    executor = ProcessPoolExecutor(processes, mp_context=get_context("spawn"), initializer=_start, initargs=(problem,))
    return Backend(executor, _check, partial(executor.shutdown, wait=True, cancel_futures=True))


def _check(error: Exception | None) -> None:
    if isinstance(error, BrokenExecutor):
        raise RunError(DEAD_WORKER, remedy=DEAD_WORKER_REMEDY) from error


def _start(problem: Problem) -> None:
    ignore_signals()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    receive(problem)


def ignore_signals() -> None:
    """Leave Ctrl-C and a batch system's SIGTERM, which reach the whole process group, to the head of the run.

    It finishes the step with its workers, writes a checkpoint, and ends them itself.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)


def _end_with_parent() -> None:
    """Leave when the parent dies (SIGKILL included): a worker never outlives its run."""
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
