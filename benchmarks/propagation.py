"""Time and accuracy of the Galaxy: the nuclear network in the steady state, beside published times of full codes.

Run it with:  python benchmarks/propagation.py

What is timed is one solution for all nuclides at chosen energies; the full codes solve more physics (energy losses,
reacceleration, gas in three dimensions), so the ratio of times is not one of equal models.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from stellarcr.data.galaxy_presets import load_galaxy
from stellarcr.galaxy.network import NetworkTables
from stellarcr.galaxy.profiles import source_profile
from stellarcr.galaxy.reduction import reduce_to_slabs
from stellarcr.studies.bench import best_time

PUBLISHED = {"GALPROP v56": (40.0, 90.0), "DRAGON2": (200.0, 700.0), "CRAMS 1.1": (97.0, 97.0)}
"""Run times for one model, H to Ni, on a desktop core [s], as published."""


def solutions(energies: int, n: int) -> tuple[Callable[[], Any], int]:
    """A solution of the network for n parameter vectors, and the number of nuclides."""
    galaxy = load_galaxy("plain-diffusion")
    assert galaxy.network is not None
    tables = NetworkTables.build(galaxy.network, np.geomspace(5.0, 1e6, energies))
    generator = np.random.default_rng(1)
    sources = generator.random((len(tables.nuclides), energies, n)) * tables.rigidity[:, :, None] ** -2.4
    free = {
        "D0": 3.7e28 * (1.0 + 0.1 * generator.random(n)),
        "delta": 0.45 + 0.05 * generator.random(n),
        "R_h": 300.0 * (1.0 + 0.1 * generator.random(n)),
        "delta_h": 0.25 + 0.05 * generator.random(n),
    }
    profile = source_profile(galaxy.profile)
    return lambda: galaxy.arrivals(tables, {profile: sources}, free, tolerance=1e-4), len(tables.nuclides)


def main() -> None:
    """Print the table."""
    with threadpool_limits(1):
        numbers = np.random.default_rng(1).random(20_000)
        print(f"numpy.exp: {1e9 * best_time(lambda: np.exp(numbers), 0.05) / len(numbers):.2f} ns")
        print("energies  nuclides  one model [ms]  per model of 64 [us]")
        fastest = np.inf
        for energies in (16, 24, 200):
            one, n_nuclides = solutions(energies, 1)
            many, _ = solutions(energies, 64)
            single, together = best_time(one), best_time(many, 2.0, 3) / 64
            fastest = single if energies == 200 else fastest
            print(f"{energies:8d}  {n_nuclides:8d}  {1e3 * single:14.2f}  {1e6 * together:20.0f}")
        print("published times for one model over ours (all nuclides, 200 energies, one model alone):")
        for name, (low, high) in PUBLISHED.items():
            print(f"  {name:12s} {low:4.0f} to {high:4.0f} s: {low / fastest:.1e} to {high / fastest:.1e}")
    galaxy = load_galaxy("plain-diffusion")
    print("slabs  largest error at L = 4 kpc  for L = 1 to 15 kpc  time [s]")
    for count in (1, 2, 3, 4, 5):
        start = time.perf_counter()
        errors = [
            reduce_to_slabs([galaxy.series()], heights, count=count).error for heights in ((4.0, 4.0), (1.0, 15.0))
        ]
        print(f"{count:5d}  {errors[0]:26.1e}  {errors[1]:19.1e}  {time.perf_counter() - start:8.2f}")


if __name__ == "__main__":
    main()
