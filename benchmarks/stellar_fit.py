"""What stellar populations cost in a fit: `OMP_NUM_THREADS=1 python benchmarks/stellar_fit.py`.

Both models are timed in turns, so that a host that other jobs share slows both alike.
"""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from stellarcr.config import build_posterior, load_config

CONFIGS = Path(__file__).resolve().parents[1] / "scripts" / "configs"
MODELS = ("reference", "stellar")
ROUNDS = 15


def main() -> None:
    """Print times of one log-posterior, effective and stellar, and the ratio of their medians."""
    posteriors = {name: build_posterior(load_config(CONFIGS / f"{name}.toml")) for name in MODELS}
    for points, calls in ((64, 20), (1, 100)):
        theta = {name: p.sample_prior(np.random.default_rng(1), points) for name, p in posteriors.items()}
        taken: dict[str, list[float]] = {name: [] for name in MODELS}
        with threadpool_limits(1):
            for _ in range(ROUNDS):
                for name, posterior in posteriors.items():
                    begin = time.perf_counter()
                    for _ in range(calls):
                        posterior.log_posterior(theta[name])
                    taken[name].append((time.perf_counter() - begin) / calls / points * 1e6)
        effective, stellar = (float(np.median(taken[name])) for name in MODELS)
        print(
            f"batches of {points:2d}: effective {effective:6.1f} us, stellar {stellar:6.1f} us per point, "
            f"ratio {stellar / effective:.2f}"
        )


if __name__ == "__main__":
    main()
