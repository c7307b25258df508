"""Pools of workers that share a batch of points: spawned processes, MPI ranks, or the workers of a Dask cluster.

All of them are a `concurrent.futures.Executor` behind :class:`WorkerPool`. A worker receives the posterior once; from
then on only parameters travel. What a task is does not depend on the pool, so results do not either.
"""

from __future__ import annotations

from stellarcr.infer.pools.pool import Backend, WorkerPool, require_workers
from stellarcr.infer.pools.workers import POOLS, SERIAL, Workers

__all__ = ["POOLS", "SERIAL", "Backend", "WorkerPool", "Workers", "require_workers"]
