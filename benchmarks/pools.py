"""Time a batch of points on every pool: `python benchmarks/pools.py [CONFIG] [--points 64] [--batches 50]`.

MPI is timed where it is there: `mpiexec -n 3 python -m mpi4py.futures benchmarks/pools.py`.
"""

from __future__ import annotations

import argparse
import logging
import sys
import time
from contextlib import ExitStack
from importlib.util import find_spec

import numpy as np

from stellarcr.config import build_posterior, load_config
from stellarcr.infer.pools import Workers
from stellarcr.infer.samplers.evaluate import Evaluator


def pools(stack: ExitStack) -> dict[str, Workers]:
    """Pools that can be had here; a Dask cluster of two workers is started for the time of the measurement."""
    found = {"serial": Workers(), "2 processes": Workers(processes=2)}
    if "mpi4py.futures" in sys.orig_argv:
        return {"serial": Workers(), "MPI ranks": Workers("mpi")}
    if find_spec("distributed"):
        from distributed import LocalCluster

        cluster = LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None, silence_logs=logging.ERROR)
        found["2 Dask workers"] = Workers("dask", dask_scheduler=stack.enter_context(cluster).scheduler_address)
    return found


def measure(evaluator: Evaluator, theta: np.ndarray, batches: int) -> tuple[float, np.ndarray]:
    """Median time of a batch in milliseconds, and its values."""
    times = []
    for _ in range(batches):
        start = time.perf_counter()
        values = evaluator.log_posterior(theta)
        times.append(time.perf_counter() - start)
    return 1e3 * float(np.median(times)), values


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("config", nargs="?", default="scripts/configs/reference.toml")
    parser.add_argument("--points", type=int, default=64)
    parser.add_argument("--batches", type=int, default=50)
    arguments = parser.parse_args()

    posterior = build_posterior(load_config(arguments.config))
    theta = posterior.sample_prior(np.random.default_rng(1), arguments.points)
    print(f"{arguments.config}: batches of {arguments.points} points in two chunks; the median of {arguments.batches}")
    print("pool            start [s]  batch [ms]  same bits")
    serial = None
    with ExitStack() as stack:
        for name, workers in pools(stack).items():
            begin = time.perf_counter()
            with Evaluator(posterior, workers=workers, chunk=-(-arguments.points // 2)) as evaluator:
                evaluator.log_posterior(theta)
                start = time.perf_counter() - begin
                milliseconds, values = measure(evaluator, theta, arguments.batches)
            serial = values if serial is None else serial
            print(f"{name:<14}  {start:9.2f}  {milliseconds:10.2f}  {np.array_equal(values, serial)}")
