"""Count how often starts drawn from the prior reach the chi2 of 696 of the calibration fit.

    python benchmarks/benchmark_fit.py [--starts 16] [--config scripts/configs/benchmark.toml]

Prints the chi2 of every start's end, the fraction that does no worse than 696, and the best fit by data set.
"""

import argparse
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from stellarcr.config import build_posterior, load_config
from stellarcr.infer.samplers.map import MapSettings, find_maximum

TARGET = 696.0
CONFIG = Path(__file__).resolve().parent.parent / "scripts" / "configs" / "benchmark.toml"


def main() -> None:
    """Run independent searches, one start each, and report them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--starts", type=int, default=16)
    parser.add_argument("--config", type=Path, default=CONFIG)
    arguments = parser.parse_args()
    posterior = build_posterior(load_config(arguments.config))
    ends = []
    with threadpool_limits(1):
        for seed in range(1, arguments.starts + 1):
            found = find_maximum(posterior, MapSettings(starts=1, seed=seed))
            terms = posterior.chi2_terms(found.theta[None, :])
            chi2 = sum(float(value[0]) for value, _ in terms.values())
            ends.append((chi2, found, terms))
            print(f"start {seed:3d}: chi2 {chi2:8.2f}, {found.n_calls} calls")
    chi2, found, terms = min(ends, key=lambda end: end[0])
    values = np.array([end[0] for end in ends])
    points = sum(n for _, n in terms.values())
    print(f"\nbest chi2 {chi2:.2f} for {points} points and {posterior.n_dim} parameters; calibration fit {TARGET:g}")
    print(f"fraction of starts with chi2 <= {TARGET:g}: {np.mean(values <= TARGET):.2f}")
    print(f"fraction of starts within 1 of the best: {np.mean(values <= chi2 + 1.0):.2f}")
    for name, (value, n) in terms.items():
        print(f"  {name:<16} {float(value[0]):8.1f} / {n}")
    for name, value in zip(posterior.names, found.theta, strict=True):
        print(f"  {name:<24} {value:10.4f}")


if __name__ == "__main__":
    main()
