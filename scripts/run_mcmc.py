"""Launch an MCMC run: python scripts/run_mcmc.py [CONFIG] [--seed N] [--resume].

The calls below are all that a script of your own needs.
"""

import argparse

import stellarcr

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("config", nargs="?", default="scripts/configs/quickstart.toml")
parser.add_argument("--seed", type=int, default=1)
parser.add_argument("--resume", action="store_true", help="go on with the run in the folder")
arguments = parser.parse_args()

config = stellarcr.load_config(arguments.config)
config = config.model_copy(
    update={
        "name": f"{config.name}-mcmc-{arguments.seed}",
        "seed": arguments.seed,
        "sampler": {"name": "emcee", "max_time": 600.0},
    }
)

if __name__ == "__main__":  # worker processes import this file again
    run = stellarcr.run(config, resume=arguments.resume)
    print(run)
    print(f"converged: {run.converged}; results in {run.path}")
