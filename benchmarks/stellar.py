"""Time winds, bubbles, steps and tables of a shipped grid: `OMP_NUM_THREADS=1 python benchmarks/stellar.py`."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from stellarcr.data import load_tracks
from stellarcr.data.stellar_tables import load_stellar_population
from stellarcr.populations.stellar_options import STELLAR_KINDS, StellarOptions
from stellarcr.shock.sources import bubble_of, steps_of_stars
from stellarcr.stars.cluster import collective_wind, stars_of
from stellarcr.stars.history import star_wind
from stellarcr.stars.imf import kroupa

GRID = "mist-v1.0-vvcrit0.4"


def seconds(work: Callable[[], object], times: int = 3) -> float:
    """Shortest of some runs [s]."""
    taken = []
    for _ in range(times):
        begin = time.perf_counter()
        work()
        taken.append(time.perf_counter() - begin)
    return min(taken)


def main() -> None:
    """Print the time of a cluster's history, of single bubbles, and of the steps of all individual winds."""
    grid = load_tracks(GRID)
    print(f"grid {GRID}, one core")
    print(
        f"cluster history, 8-150 Msun, 0-40 Myr:        {seconds(lambda: collective_wind(grid, kroupa(150.0))):6.2f} s"
    )
    for mass in (8.0, 60.0, 120.0):
        wind = star_wind(grid, mass)
        taken = seconds(lambda wind=wind: bubble_of(wind))
        print(f"bubble of a star of {mass:3.0f} Msun, {len(wind)} ages:      {taken:6.3f} s")
    stars = list(stars_of(grid, kroupa(105.0)))
    print(f"winds of {len(stars)} stars, 8-105 Msun: {len(steps_of_stars(stars))} steps")
    taken = seconds(lambda: steps_of_stars(stars_of(grid, kroupa(105.0)), bubbles=True), times=1)
    print(f"steps of individual winds, 8-105 Msun, bubbles: {taken:6.1f} s")
    for options in (*map(StellarOptions, STELLAR_KINDS), StellarOptions("o_wind", turbulence="kolmogorov", L_c=1.0)):
        with tempfile.TemporaryDirectory() as folder:
            making, loading = (
                seconds(lambda o=options, f=folder: load_stellar_population(o, folder=Path(f)), times)
                for times in (1, 3)
            )
            made = load_stellar_population(options, folder=Path(folder)).metadata["table error"]
        name = f"{options.kind}, {options.turbulence}"
        print(f"table of {name:18s}: {making:6.1f} s once, {1e3 * loading:5.1f} ms from the cache, error {made}")


if __name__ == "__main__":
    main()
