"""Evaluate batches of points, in this process or spread over spawned workers.

A batch is cut into chunks of a fixed size before it is shared, so that results do not depend on the number
of processes.
"""

from __future__ import annotations

import os
import signal
import threading
from concurrent.futures import Executor, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait
from types import TracebackType
from typing import Any, Literal

import numpy as np
from threadpoolctl import threadpool_limits

from stellarcr.errors import ModelError, ParameterError, RunError, StellarcrError
from stellarcr.infer.posterior_protocol import FloatArray, Posterior, describe_point

DEAD_WORKER = "a worker process died"
DEAD_WORKER_REMEDY = (
    "often memory ran out: use fewer processes, then go on with --resume. A script of your own that uses processes "
    "must start its work under: if __name__ == '__main__'"
)

Quantity = Literal["log_posterior", "log_likelihood"]

# The worker's copy of the problem, received once when the process starts.
_worker_posterior: Posterior | None = None


def _start_worker(posterior: Posterior) -> None:
    global _worker_posterior
    _worker_posterior = posterior
    # Ctrl-C and a batch system's SIGTERM reach the whole process group; only the parent reacts, finishes the
    # step with its workers, and ends them itself.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    threadpool_limits(1)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """Leave when the parent dies (SIGKILL included): a worker never outlives its run."""
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def _evaluate_in_worker(quantity: Quantity, theta: FloatArray) -> FloatArray:
    if _worker_posterior is None:
        raise RunError("a worker process has no posterior", remedy="start it through the Evaluator")
    return getattr(_worker_posterior, quantity)(theta)


class Evaluator:
    """Batched evaluation with counting and with checks of what comes back.

    Parameters
    ----------
    posterior : Posterior
        The problem.
    processes : int
        1 evaluates here; more spawn worker processes, which receive the posterior once.
    chunk : int
        Points per task.
    calls_before : int
        Calls of earlier sessions, added to the count.
    """

    def __init__(self, posterior: Posterior, *, processes: int = 1, chunk: int = 64, calls_before: int = 0) -> None:
        self.posterior = posterior
        self.n_calls = calls_before
        self._chunk = chunk
        self._executor: Executor | None = None
        if processes > 1:
            self._executor = ProcessPoolExecutor(
                processes, mp_context=get_context("spawn"), initializer=_start_worker, initargs=(posterior,)
            )

    def __enter__(self) -> Evaluator:
        # One BLAS thread: the matrices are small, and threads that wait for each other cost several times the work.
        self._threads = threadpool_limits(1)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._threads.restore_original_limits()
        self.close()

    def close(self) -> None:
        """End the workers."""
        if self._executor is not None:
            self._executor.shutdown(wait=True, cancel_futures=True)

    def log_posterior(self, theta: FloatArray) -> FloatArray:
        """Log posterior of points ``(n, n_dim)``; NaN and +inf raise ModelError."""
        return self._evaluate("log_posterior", theta)

    def log_likelihood(self, theta: FloatArray) -> FloatArray:
        """Log likelihood of points ``(n, n_dim)``; NaN and +inf raise ModelError."""
        return self._evaluate("log_likelihood", theta)

    def _evaluate(self, quantity: Quantity, theta: FloatArray) -> FloatArray:
        if len(theta) == 0:
            return np.empty(0)
        chunks = [theta[i : i + self._chunk] for i in range(0, len(theta), self._chunk)]
        try:
            if self._executor is None or len(chunks) == 1:
                parts = [getattr(self.posterior, quantity)(chunk) for chunk in chunks]
            else:
                parts = list(self._executor.map(_evaluate_in_worker, [quantity] * len(chunks), chunks))
        except StellarcrError:
            raise
        except BrokenProcessPool as error:
            raise RunError(DEAD_WORKER, remedy=DEAD_WORKER_REMEDY) from error
        except Exception as error:
            raise ModelError(
                f"the model failed with {type(error).__name__}: {error}",
                where=f"{quantity} of a batch of {len(theta)} points, the first at "
                f"{describe_point(self.posterior, theta[0])}",
                remedy="correct the model; a run goes on from its last checkpoint with --resume",
            ) from error
        values = np.concatenate([np.asarray(part, dtype=np.float64) for part in parts])
        self.n_calls += len(theta)
        check_values(self.posterior, quantity, theta, values)
        return values


def check_values(posterior: Posterior, quantity: str, theta: FloatArray, values: FloatArray) -> None:
    """Refuse NaN and +inf, and values of a wrong shape, naming the point."""
    if values.shape != (len(theta),):
        raise ModelError(
            f"{quantity} of {len(theta)} points has shape {values.shape}, not ({len(theta)},)",
            remedy="a posterior's functions take (n, n_dim) and give (n,)",
        )
    bad = np.isnan(values) | (values == np.inf)
    if bad.any():
        first = int(np.argmax(bad))
        raise ModelError(
            f"{quantity} is {values[first]} at {describe_point(posterior, theta[first])}",
            remedy="correct the model, or narrow the prior so that it excludes such points "
            "(impossible points must give -inf, not NaN)",
        )


def check_prior_draws(posterior: Posterior, seed: int, n: int = 512) -> dict[str, Any]:
    """Evaluate points drawn from the prior before anything is spent on sampling.

    Parameters
    ----------
    posterior : Posterior
        The problem.
    seed : int
        Seed of the draws.
    n : int
        Number of draws.

    Returns
    -------
    dict
        ``draws``, ``possible`` (draws with a finite log posterior) and ``best`` (largest log posterior).

    Raises
    ------
    ParameterError
        If every draw is impossible.
    ModelError
        If a draw gives NaN.
    """
    rng = np.random.default_rng(np.random.SeedSequence([seed, 0]))
    theta = posterior.sample_prior(rng, n)
    values = Evaluator(posterior).log_posterior(theta)
    finite = np.isfinite(values)
    if not finite.any():
        log_prior = posterior.log_prior(theta)
        outside = int(np.sum(~np.isfinite(log_prior)))
        blame = (
            f"the prior itself gives -inf for {outside} of its own {n} draws"
            if outside
            else f"the likelihood is zero for all {n} draws"
        )
        raise ParameterError(
            f"all points drawn from the prior are impossible: {blame}",
            where=f"for example {describe_point(posterior, theta[0])}",
            remedy="check the priors' ranges and units, and the constraints between parameters",
        )
    return {"draws": n, "possible": int(finite.sum()), "best": float(values[finite].max())}
