"""Evaluate batches of points, in this process or spread over workers.

A batch is cut into chunks of a fixed size before it is shared, so that results do not depend on the workers.
"""

from __future__ import annotations

from types import TracebackType
from typing import Any, Literal

import numpy as np
from threadpoolctl import threadpool_limits

from stellarcr.errors import ModelError, ParameterError, StellarcrError
from stellarcr.infer.pools import SERIAL, WorkerPool, Workers
from stellarcr.infer.pools.problem import held
from stellarcr.infer.pools.processes import DEAD_WORKER as DEAD_WORKER
from stellarcr.infer.pools.processes import DEAD_WORKER_REMEDY as DEAD_WORKER_REMEDY
from stellarcr.infer.posterior_protocol import FloatArray, Posterior, describe_point

Quantity = Literal["log_posterior", "log_likelihood"]


def _evaluate_in_worker(key: str, quantity: Quantity, theta: FloatArray) -> FloatArray:
    values: FloatArray = getattr(held(key), quantity)(theta)
    return values


class Evaluator:
    """Batched evaluation with counting and with checks of what comes back.

    Parameters
    ----------
    posterior : Posterior
        The problem.
    workers : Workers
        Which workers share a batch; they receive the posterior once. By default this process does the work.
    processes : int
        Short for ``workers=Workers(processes=processes)``.
    chunk : int
        Points per task.
    calls_before : int
        Calls of earlier sessions, added to the count.
    """

    def __init__(
        self,
        posterior: Posterior,
        *,
        workers: Workers = SERIAL,
        processes: int = 1,
        chunk: int = 64,
        calls_before: int = 0,
    ) -> None:
        self.posterior = posterior
        self.n_calls = calls_before
        self._chunk = chunk
        if processes > 1:
            workers = Workers(processes=processes)
        self._pool = WorkerPool(posterior, workers) if workers.parallel else None

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
        if self._pool is not None:
            self._pool.close()

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
            if self._pool is None or len(chunks) == 1:
                parts = [getattr(self.posterior, quantity)(chunk) for chunk in chunks]
            else:
                parts = self._pool.map(_evaluate_in_worker, [quantity] * len(chunks), chunks)
        except StellarcrError:
            raise
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
