"""Whether samplers agree on one problem: `python benchmarks/agreement.py RUN RUN ... [--draws N]`.

Prints, for every parameter, how far the means of the runs lie from those of the reference, and their widths in units of
its own; then the evidences. The reference is the first run or, with `--draws`, weighted draws from a mixture that is
fitted to the samples of all runs: these depend on no walk. Each number has its Monte Carlo error, that of a width with
the kurtosis of the samples, since heavy tails make widths uncertain.
"""

from __future__ import annotations

import argparse

import numpy as np

from stellarcr.infer.importance.evidence import importance_evidence
from stellarcr.infer.importance.moments import Moments, agreement, sample_moments
from stellarcr.infer.runs import Run, read_run
from stellarcr.studies.pictures import posterior_of


def effective_samples(run: Run) -> float:
    """Independent samples: those of the sampler, and not more than the archive holds."""
    return float(min(run.summary["ess"], len(run.samples)))


def moments_of(run: Run, names: tuple[str, ...]) -> Moments:
    """Moments of a run's samples."""
    return sample_moments(run.samples[:, [run.names.index(name) for name in names]], effective_samples(run))


def weighted(runs: list[Run], draws: int, seed: int) -> tuple[tuple[str, ...], Moments]:
    """Moments of weighted draws from a mixture fitted to the samples of all runs."""
    posterior = posterior_of(runs[0])
    columns = [[run.names.index(name) for name in posterior.names] for run in runs]
    rng = np.random.default_rng(seed)
    least = min(len(run.samples) for run in runs)
    pooled = np.concatenate(
        [
            run.samples[rng.choice(len(run.samples), least, replace=False)][:, chosen]
            for run, chosen in zip(runs, columns, strict=True)
        ]
    )
    found = importance_evidence(posterior, rng.permutation(pooled), rng, draws=draws)
    print(f"Weighted draws: ln Z = {found.log_evidence:.3f} +- {found.error:.3f}; {found.verdict}")
    return tuple(posterior.names), found.moments


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", nargs="+", help="run folders of one problem; the first is the reference")
    parser.add_argument("--draws", type=int, default=0, help="make weighted draws the reference, so many")
    parser.add_argument("--seed", type=int, default=0, help="seed of the draws")
    options = parser.parse_args()
    runs = [read_run(path) for path in options.runs]
    first = runs[0]
    for run in runs[1:]:
        if tuple(run.names) != tuple(first.names):
            raise SystemExit(f"{run.path} has other parameters than {first.path}")
        if run.manifest["fingerprint"] != first.manifest["fingerprint"]:
            print(f"{run.name} has another fingerprint than {first.name}: is only `amplitudes` different?")
    if options.draws:
        names, reference = weighted(runs, options.draws, options.seed)
        label, others = "the weighted draws", runs
    else:
        names, others = tuple(first.names), runs[1:]
        reference, label = moments_of(first, names), first.name
    print(f"Against {label}: (mean - mean) / sigma, and sigma / sigma, with their Monte Carlo errors.")
    print()
    print("| parameter | " + " | ".join(f"shift, {run.name} | width, {run.name}" for run in others) + " |")
    print("|---" * (1 + 2 * len(others)) + "|")
    compared = [agreement(moments_of(run, names), reference) for run in others]
    for i, name in enumerate(names):
        cells = [
            f"{found.shift[i]:+.3f} +- {found.shift_error[i]:.3f} | {found.ratio[i]:.3f} +- {found.ratio_error[i]:.3f}"
            for found in compared
        ]
        print(f"| {name} | {' | '.join(cells)} |")
    counts = [(np.sum(np.abs(found.shift) < 0.1), np.sum(np.abs(found.ratio - 1.0) < 0.1)) for found in compared]
    cells = [f"{means} of {len(names)} | {widths} of {len(names)}" for means, widths in counts]
    print(f"| within 0.1 sigma, 10% | {' | '.join(cells)} |")
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
