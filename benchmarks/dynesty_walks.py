"""Bias of dynesty's evidence against the length of its walks: `python benchmarks/dynesty_walks.py`.

Runs dynesty on problems with known ln Z (``evidence_toys.py``) for several lengths of the walks, numbers of live points
and seeds, and prints a Markdown table. The default takes about ten minutes on one core.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
from evidence_toys import TOYS

from stellarcr.infer.samplers import MemoryStore, get_sampler, settings_from


def measure(toy, per_dimension: int, nlive: int, seeds: int) -> dict[str, float]:
    """Give the mean and scatter of ln Z minus the truth over seeds, the quoted error, calls and CPU seconds."""
    adapter = get_sampler("dynesty")
    start, differences, errors, calls = time.process_time(), [], [], []
    for seed in range(1, seeds + 1):
        options = {"nlive": nlive, "walks": per_dimension * toy.n_dim, "seed": seed}
        result = adapter.run(toy, settings_from(adapter.settings_type, options), MemoryStore())
        differences.append(result.log_evidence - toy.log_evidence)
        errors.append(result.log_evidence_error)
        calls.append(result.n_calls)
    return {
        "bias": float(np.mean(differences)),
        "bias_error": float(np.mean(errors) / np.sqrt(seeds)),
        "scatter": float(np.std(differences, ddof=1)) if seeds > 1 else float("nan"),
        "quoted": float(np.mean(errors)),
        "calls": float(np.mean(calls)),
        "seconds": (time.process_time() - start) / seeds,
    }


def main() -> None:
    """Read the options and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--toys", nargs="+", choices=TOYS, default=list(TOYS), help="problems")
    parser.add_argument("--per-dimension", nargs="+", type=int, default=[4, 8, 12, 25, 50], help="walks / n_dim")
    parser.add_argument("--nlive", nargs="+", type=int, default=[125, 250], help="live points")
    parser.add_argument("--seeds", type=int, default=4, help="runs of each")
    options = parser.parse_args()
    print(
        "ln Z found minus true: mean +- quoted error / sqrt(seeds); scatter over seeds; calls and CPU time of one run."
    )
    print()
    print("| problem | live points | walks / n_dim | bias of ln Z | scatter | quoted error | calls [1e6] | CPU [s] |")
    print("|---|---|---|---|---|---|---|---|")
    for name in options.toys:
        toy = TOYS[name]()
        for nlive in options.nlive:
            for k in options.per_dimension:
                found = measure(toy, k, nlive, options.seeds)
                print(
                    f"| {name} | {nlive} | {k} | {found['bias']:+.2f} +- {found['bias_error']:.2f} | "
                    f"{found['scatter']:.2f} | {found['quoted']:.2f} | {found['calls'] / 1e6:.2f} | "
                    f"{found['seconds']:.1f} |",
                    flush=True,
                )


if __name__ == "__main__":
    main()
