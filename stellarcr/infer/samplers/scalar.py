"""The plain path of dynesty: one point per call, optionally spread over workers.

dynesty wraps the functions that it is given and prints a traceback when one raises. The functions here never
raise: they keep the error, give an impossible value, and the code around them raises it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import repeat
from threading import local
from typing import Any

import numpy as np

from stellarcr.errors import StellarcrError
from stellarcr.infer.pools import WorkerPool, Workers
from stellarcr.infer.pools.problem import held
from stellarcr.infer.posterior_protocol import FloatArray, Posterior
from stellarcr.infer.samplers.evaluate import Evaluator


class ScalarFunctions:
    """Log likelihood and prior transform of single points, counting calls and keeping the first error."""

    def __init__(self, posterior: Posterior, calls_before: int = 0) -> None:
        self._evaluator = Evaluator(posterior, calls_before=calls_before)
        self.error: StellarcrError | None = None

    @property
    def n_calls(self) -> int:
        """Likelihood evaluations."""
        return self._evaluator.n_calls

    def log_likelihood(self, theta: FloatArray) -> float:
        """Log likelihood of one point ``(n_dim,)``; -inf after an error, which :meth:`check` raises."""
        try:
            return float(self._evaluator.log_likelihood(theta[np.newaxis])[0])
        except StellarcrError as error:
            self.error = self.error or error
            return -np.inf

    def prior_transform(self, unit: FloatArray) -> FloatArray:
        """Map one point of the unit cube ``(n_dim,)`` to parameters."""
        return self._evaluator.posterior.prior_transform(unit[np.newaxis])[0]

    def check(self) -> None:
        """Raise the error that was kept, if there is one."""
        if self.error is not None:
            raise self.error

    def __reduce__(self) -> tuple[Callable[[], _WorkerFunctions], tuple[()]]:
        """Travel to a worker as a reference: there it is the worker's own copy of the problem."""
        return _WorkerFunctions, ()


# What a task of this worker did: calls and the first error. A worker may run several tasks in threads.
_tally = local()


class _WorkerFunctions:
    """The functions in a worker: those of the running task, which counts their calls and keeps their errors."""

    def log_likelihood(self, theta: FloatArray) -> float:
        return float(_tally.functions.log_likelihood(theta))

    def prior_transform(self, unit: FloatArray) -> FloatArray:
        transformed: FloatArray = _tally.functions.prior_transform(unit)
        return transformed


def _run_item(key: str, function: Callable[[Any], Any], item: Any) -> tuple[Any, int]:
    """Apply a function in a worker; give its result and the likelihood calls that it made."""
    functions = _tally.functions = ScalarFunctions(held(key))
    outcome = function(item)
    functions.check()
    return outcome, functions.n_calls


class ScalarPool:
    """What dynesty calls a pool: a ``map`` over queued walkers, here or in workers.

    The number of queued walkers is `size`, whatever the number of workers, because results depend on it.

    Parameters
    ----------
    posterior : Posterior
        The problem; every worker receives it once.
    workers : Workers
        Which workers share the queue.
    size : int
        Walkers in the queue.
    calls_before : int
        Calls of earlier sessions.
    """

    def __init__(self, posterior: Posterior, workers: Workers, size: int, calls_before: int = 0) -> None:
        self.size = size
        self.functions = ScalarFunctions(posterior, calls_before)
        self._calls = 0
        self._workers = WorkerPool(posterior, workers) if workers.parallel else None

    @property
    def n_calls(self) -> int:
        """Likelihood evaluations, in all processes."""
        return self._calls + self.functions.n_calls

    def log_likelihoods(self, theta: FloatArray) -> FloatArray:
        """Log likelihood of several points ``(n, n_dim)``, here."""
        values = np.array([self.functions.log_likelihood(point) for point in theta])
        self.functions.check()
        return values

    def map(self, function: Callable[[Any], Any], items: Iterable[Any]) -> list[Any]:
        """Apply a function to each item, in order."""
        if self._workers is None:
            results = [function(item) for item in items]
            self.functions.check()
            return results
        queue = list(items)
        pairs = self._workers.map(_run_item, repeat(function, len(queue)), queue)
        self._calls += sum(calls for _, calls in pairs)
        return [outcome for outcome, _ in pairs]

    def close(self) -> None:
        """End the workers."""
        if self._workers is not None:
            self._workers.close()
