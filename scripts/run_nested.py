"""Launch a nested-sampling run: python scripts/run_nested.py [CONFIG] [--seed N] [--resume].

The calls below are all that a script of your own needs.
"""

import argparse

import stellarcr

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("config", nargs="?", default="scripts/configs/reference.toml")
parser.add_argument("--seed", type=int, default=1)
parser.add_argument("--nlive", type=int, help="live points; more give a smaller error of ln Z")
parser.add_argument("--resume", action="store_true", help="go on with the run in the folder")
arguments = parser.parse_args()

config = stellarcr.load_config(arguments.config)
sampler = {"name": "dynesty"} | ({"nlive": arguments.nlive} if arguments.nlive else {})
config = config.model_copy(
    update={"name": f"{config.name}-nested-{arguments.seed}", "seed": arguments.seed, "sampler": sampler}
)

if __name__ == "__main__":  # worker processes import this file again
    run = stellarcr.run(config, resume=arguments.resume)
    print(run)
    print(f"ln Z = {run.log_evidence:.2f} +- {run.log_evidence_error:.2f}; results in {run.path}")
