"""Time the bubble of one star whose wind is tabulated on 1000 ages: `python benchmarks/bubble.py`."""

from __future__ import annotations

import time

import numpy as np

from stellarcr.shock.bubble import solve_bubble

MSUN_PER_YEAR = 6.3e25
"""g/s"""


def main() -> None:
    """Solve an O, red supergiant, Wolf-Rayet, dead star alone and as a batch of 50, and print the times."""
    ages = np.unique(
        np.concatenate([[0.0], np.geomspace(1e4, 3.5e6, 500), np.linspace(3.5e6, 5e6, 490), [5e6 + 1, 4e7]])
    )
    phase = np.searchsorted([4e6, 4.5e6, 5e6 + 0.5], ages, side="right")
    mass_loss = np.array([2e-6, 5e-5, 2e-5, 0.0])[phase] * MSUN_PER_YEAR
    velocity = np.array([2.8e8, 2e6, 2e8, 0.0])[phase]
    flux, luminosity = mass_loss * velocity, mass_loss * velocity**2 / 2
    for stars in (1, 50):
        scale = np.geomspace(0.01, 10.0, stars)[:, None] if stars > 1 else np.ones((1, 1))
        times = []
        for _ in range(3):
            begin = time.perf_counter()
            bubble = solve_bubble(ages, scale * flux, scale * luminosity)
            times.append(time.perf_counter() - begin)
        worst = np.nanmax(np.abs(bubble.energy_imbalance))
        print(
            f"{stars:3d} star(s), {len(ages)} ages to 40 Myr: {min(times) / stars * 1e3:6.1f} ms per bubble, "
            f"energy imbalance {worst:.1e}"
        )


if __name__ == "__main__":
    main()
