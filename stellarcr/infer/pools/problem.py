"""The posterior on its way to a worker, and what a worker holds.

A posterior is built in seconds to minutes and pickled in a tenth of a second to a few megabytes
(``docs/decisions/0019``): workers receive the pickle. A worker of another machine may have other code or data; it
computes the log posterior of a few points again and refuses the work if a value differs.
"""

from __future__ import annotations

import hashlib
import pickle
import platform
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from stellarcr._version import __version__
from stellarcr.errors import RunError
from stellarcr.infer.posterior_protocol import FloatArray, Posterior

PROBES = 8
"""Points at which a worker's posterior is compared with the original."""

TOLERANCE = 1e-9
"""Largest relative difference between them, as between sessions of a resumed run."""

REMEDY = (
    "give the workers the same version of stellarcr, of its packages and of your own code: the simplest is one "
    "environment on a file system that all of them see"
)


@dataclass(frozen=True)
class Problem:
    """A posterior that can travel.

    Attributes
    ----------
    key : str
        What tasks call it: a hash of the pickle. A worker of a cluster may hold several problems, and a posterior's
        fingerprint does not tell all of them apart: a user's own need not have one, and the sampled and the collapsed
        form of one configuration share it.
    version : str
        Version of this package that pickled it.
    content : bytes
        The pickle.
    points : array, shape (n, n_dim)
        Draws from the prior.
    log_posterior : array, shape (n,)
        Values there.
    """

    key: str
    version: str
    content: bytes
    points: FloatArray
    log_posterior: FloatArray

    @classmethod
    def of(cls, posterior: Posterior) -> Problem:
        """Pack a posterior."""
        points = posterior.sample_prior(np.random.default_rng(0), PROBES)
        content = pickle.dumps(posterior, protocol=pickle.HIGHEST_PROTOCOL)
        return cls(hashlib.sha256(content).hexdigest(), __version__, content, points, posterior.log_posterior(points))

    def unpack(self) -> Posterior:
        """Rebuild the posterior in a worker.

        Raises
        ------
        RunError
            If it cannot be rebuilt here, or is not the same.
        """
        where = f"worker on {platform.node()} with stellarcr {__version__} (the run has {self.version})"
        try:
            posterior: Posterior = pickle.loads(self.content)
            values = posterior.log_posterior(self.points)
        except Exception as error:  # whatever other code makes of it
            raise RunError(
                f"a worker cannot rebuild the posterior: {type(error).__name__}: {error}", where=where, remedy=REMEDY
            ) from None
        if not np.allclose(values, self.log_posterior, rtol=TOLERANCE, atol=TOLERANCE, equal_nan=True):
            worst = int(np.argmax(np.abs(values - self.log_posterior)))
            raise RunError(
                f"a worker computes another log posterior: {values[worst]!r} instead of {self.log_posterior[worst]!r}",
                where=where,
                remedy=REMEDY,
            )
        return posterior


# What this worker holds by key: the posterior, or why it has none; and how many runs gave it.
_held: dict[str, tuple[Posterior | RunError, int]] = {}


def receive(problem: Problem) -> None:
    """Take a posterior over. An error is kept and raised by the first task: initialisers of pools swallow it."""
    # One thread: the matrices are small, and workers share the machine.
    threadpool_limits(1)
    known, count = _held.get(problem.key, (None, 0))
    if known is None or isinstance(known, RunError):
        try:
            known = problem.unpack()
        except RunError as error:
            known = error
    _held[problem.key] = (known, count + 1)


def forget(key: str) -> None:
    """Drop a posterior when the last run that gave it ends."""
    known, count = _held.get(key, (None, 0))
    if known is not None and count > 1:
        _held[key] = (known, count - 1)
    else:
        _held.pop(key, None)


def held(key: str) -> Posterior:
    """Give the posterior that this worker received.

    Raises
    ------
    RunError
        If it has none, with the reason.
    """
    known, _ = _held.get(key, (None, 0))
    if known is None:
        raise RunError("a worker has no posterior", remedy="start the workers through WorkerPool")
    if isinstance(known, RunError):
        raise known
    return known
