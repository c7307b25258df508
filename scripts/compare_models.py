"""Compare models by their evidence: python scripts/compare_models.py [CONFIG...] [--seeds 1 2 3] [--output chains].

Samples every model with every seed by nested sampling, or takes the runs that are there (finished ones as they are,
others are continued), then prints the comparison and writes it as CSV and LaTeX. The runs are named as those of
scripts/run_seeds.sh, which spreads them over processors or a cluster; run that first, and this only compares.
The calls below are all that a script of your own needs.
"""

import argparse
import sys
from pathlib import Path

import stellarcr
from stellarcr.errors import StellarcrError
from stellarcr.infer.runs import RunInterrupted
from stellarcr.studies.compare_report import compare_report

CONFIGS = Path(__file__).resolve().parent / "configs"
MODELS = ["reference", "reference_ia", "snr_only"]

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("configs", nargs="*", default=[CONFIGS / f"{name}.toml" for name in MODELS])
parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
parser.add_argument("--nlive", type=int, help="live points of new runs; more give a smaller error of ln Z")
parser.add_argument("--dlogz", type=float, help="where new runs stop; smaller is later")
parser.add_argument("--output", type=Path, default=Path("chains"), help="folder of the runs and of the tables")
parser.add_argument("--quiet", action="store_true", help="no progress of runs")


def sample(config: stellarcr.RunConfig, seed: int, arguments: argparse.Namespace) -> Path:
    """Run one model with one seed, or go on with its run; return the run folder."""
    # All models need an evidence: a configuration that asks for another sampler gets dynesty with its defaults.
    sampler = dict(config.sampler) if config.sampler.get("name") == "dynesty" else {"name": "dynesty"}
    sampler |= {key: value for key in ("nlive", "dlogz") if (value := getattr(arguments, key)) is not None}
    name = f"{config.name}_seed{seed}"
    output = config.output.model_copy(update={"folder": str(arguments.output)})
    config = config.model_copy(update={"name": name, "seed": seed, "sampler": sampler, "output": output})
    exists = (arguments.output / name / "manifest.json").exists()
    return stellarcr.run(config, resume=exists, quiet=arguments.quiet).path


def main() -> None:
    """Sample, compare, write."""
    arguments = parser.parse_args()
    configs = [stellarcr.load_config(path) for path in arguments.configs]
    # Seed by seed, so that a comparison of all models exists as early as possible.
    runs = [sample(config, seed, arguments) for seed in arguments.seeds for config in configs]
    # In Python: comparison = stellarcr.compare(runs); comparison.models[0].evidence.log_evidence, ...
    compare_report(runs, csv=arguments.output / "comparison.csv", latex=arguments.output / "comparison.tex")


if __name__ == "__main__":  # worker processes import this file again
    try:
        main()
    except StellarcrError as error:
        print(f"compare_models: {error}", file=sys.stderr)
        sys.exit(130 if isinstance(error, RunInterrupted) else 2)
