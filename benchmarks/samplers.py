"""Effective samples per second and per call of each sampler: `python benchmarks/samplers.py [CONFIG]`.

Samples one configuration with each sampler, at its defaults and within `--max-time`, in this process; seconds are those
of the processor, which other jobs on the machine change little. Or reads the numbers of finished runs with `--runs`;
seconds are then those of the clock. Samples of a run that did not converge are no measure of speed: theirs are not
counted.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np

from stellarcr.config import build_collapsed, build_posterior, load_config
from stellarcr.infer.progress import seconds_from
from stellarcr.infer.runs import read_run
from stellarcr.infer.samplers import MemoryStore, get_sampler, sampler_names, settings_from
from stellarcr.infer.samplers.map import MapSettings, find_maximum

REFERENCE = Path(__file__).parents[1] / "scripts" / "configs" / "reference.toml"


def row(name: str, converged: bool, ess: float, calls: int, seconds: float, evidence: str) -> str:
    """One line of the table."""
    speed = f"{ess:.0f} | {ess / seconds:.2f} | {1e3 * ess / calls:.3f}" if converged else "- | - | -"
    return f"| {name} | {'yes' if converged else 'no'} | {evidence} | {calls / 1e6:.2f} | {seconds:.0f} | {speed} |"


def evidence_text(value: float | None, error: float | None) -> str:
    """Write ln Z with its error, or nothing."""
    return "" if value is None else f"{value:.2f} +- {error:.2f}"


def main() -> None:
    """Read the options, sample or read, and print the table."""
    names = [name for name in sampler_names() if name != "map"]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("config", nargs="?", default=str(REFERENCE), help="configuration; default: reference.toml")
    parser.add_argument("--samplers", nargs="+", default=names, help="names, or file.py:Class of your own")
    parser.add_argument("--max-time", default="10m", help="sampling time of each, as 90s, 10m or 1h")
    parser.add_argument("--seed", type=int, default=1, help="seed of all random numbers")
    parser.add_argument("--runs", nargs="+", default=[], help="finished runs to read instead of sampling")
    options = parser.parse_args()
    print("Effective samples (ESS), calls, and sampling time without the search for the maximum.")
    print()
    print("| sampler | converged | ln Z | calls [1e6] | time [s] | ESS | ESS per second | ESS per 1000 calls |")
    print("|---|---|---|---|---|---|---|---|")
    for path in options.runs:
        run = read_run(path)
        numbers, evidence = run.summary, evidence_text(run.log_evidence, run.log_evidence_error)
        label = f"{numbers['sampler']} ({run.name})"
        print(row(label, run.converged, numbers["ess"], numbers["calls"], numbers["seconds"], evidence))
    if options.runs:
        return
    config = load_config(options.config)
    posterior = build_posterior(config)
    posterior = build_collapsed(config, posterior) or posterior
    maximum = find_maximum(posterior, MapSettings(seed=options.seed), MemoryStore())
    for name in options.samplers:
        adapter = get_sampler(name)
        given = {"seed": options.seed, "max_time": seconds_from(options.max_time)}
        begin = time.process_time()
        result = adapter.run(posterior, settings_from(adapter.settings_type, given), MemoryStore(), start=maximum)
        ess = float(np.min(result.diagnostics["ess"]))
        evidence = evidence_text(result.log_evidence, result.log_evidence_error)
        print(
            row(adapter.name, result.converged, ess, result.n_calls, time.process_time() - begin, evidence), flush=True
        )


if __name__ == "__main__":
    main()
