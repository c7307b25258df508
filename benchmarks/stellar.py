"""Time winds, bubbles and steps of a shipped grid: `python benchmarks/stellar.py`."""

from __future__ import annotations

import time
from collections.abc import Callable

from stellarcr.data import load_tracks
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


if __name__ == "__main__":
    main()
