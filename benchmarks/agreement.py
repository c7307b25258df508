"""Whether samplers agree on one problem: `python benchmarks/agreement.py RUN RUN ...`.

Prints, for every parameter, how far the means of the runs lie from those of the first run, and their widths in units of
its own; then the evidences. Each number has its Monte Carlo error, from the effective samples of the runs.
"""

from __future__ import annotations

import argparse

import numpy as np

from stellarcr.infer.runs import Run, read_run


def effective_samples(run: Run) -> float:
    """Independent samples: those of the sampler, and not more than the archive holds."""
    return float(min(run.summary["ess"], len(run.samples)))


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", nargs="+", help="run folders of one problem; the first is the reference")
    runs = [read_run(path) for path in parser.parse_args().runs]
    first, others = runs[0], runs[1:]
    for run in others:
        if tuple(run.names) != tuple(first.names):
            raise SystemExit(f"{run.path} has other parameters than {first.path}")
        if run.manifest["fingerprint"] != first.manifest["fingerprint"]:
            print(f"{run.name} has another fingerprint than {first.name}: is only `amplitudes` different?")
    print(
        f"Against {first.name}: (mean - mean) / sigma, and sigma / sigma; +- from the effective samples of both runs."
    )
    print()
    print("| parameter | " + " | ".join(f"shift, {run.name} | width, {run.name}" for run in others) + " |")
    print("|---" * (1 + 2 * len(others)) + "|")
    largest = np.zeros((len(others), 2))
    for i, name in enumerate(first.names):
        cells = []
        for k, run in enumerate(others):
            x, y = first.samples[:, i], run.samples[:, run.names.index(name)]
            inverse = 1.0 / effective_samples(first) + 1.0 / effective_samples(run)
            shift, width = (y.mean() - x.mean()) / x.std(), y.std() / x.std()
            largest[k] = np.maximum(largest[k], [abs(shift), abs(width - 1.0)])
            cells.append(f"{shift:+.3f} +- {np.sqrt(inverse):.3f} | {width:.3f} +- {np.sqrt(0.5 * inverse):.3f}")
        print(f"| {name} | {' | '.join(cells)} |")
    print("| largest | " + " | ".join(f"{shift:.3f} | {width:.3f}" for shift, width in largest) + " |")
    print()
    print("| run | sampler | converged | ln Z | effective samples | calls [1e6] |")
    print("|---|---|---|---|---|---|")
    for run in runs:
        evidence = "" if run.log_evidence is None else f"{run.log_evidence:.2f} +- {run.log_evidence_error:.2f}"
        print(
            f"| {run.name} | {run.summary['sampler']} | {'yes' if run.converged else 'no'} | {evidence} | "
            f"{run.summary['ess']:.0f} | {run.summary['calls'] / 1e6:.2f} |"
        )


if __name__ == "__main__":
    main()
