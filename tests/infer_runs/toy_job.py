"""A run in a process of its own, to be killed: python toy_job.py FOLDER SAMPLER SLEEP MODE [OPTIONS as JSON].

MODE is new, resume or extend.
"""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from infer_toys import Gaussian

from stellarcr.infer.runs import RunInterrupted, execute
from stellarcr.infer.samplers.map import MapSettings

OWN = f"{Path(__file__).parents[2]}/docs/examples/own_sampler/my_sampler.py:Differences"
SETTINGS = {
    "emcee": {"walkers": 8, "heated_steps": 20, "max_steps": 800, "check_every": 100, "seed": 5},
    "dynesty": {"nlive": 60, "walks": 25, "batch": 16, "seed": 5},
    "ultranest": {"nlive": 40, "slices": 3, "batch": 10, "seed": 5},
    OWN: {"walkers": 20, "max_steps": 400, "seed": 5},
}
SEARCH = MapSettings(starts=2, generations=60, population=24, seed=5)


def job(folder, sampler, sleep=0.0, resume=False, extend=False, limits=None, **options):
    settings = {**SETTINGS[sampler], "checkpoint_every": 0.05, **options}
    how = {"resume": resume, "extend": extend, "limits": limits, "quiet": True, "map_settings": SEARCH}
    return execute(Gaussian(2, sleep=sleep), sampler, settings, folder, **how)


if __name__ == "__main__":
    folder, sampler, sleep, mode = sys.argv[1:5]
    options = json.loads(sys.argv[5]) if len(sys.argv) > 5 else {}
    try:
        job(folder, sampler, float(sleep), mode == "resume", mode == "extend", **options)
    except RunInterrupted as error:
        print(error, flush=True)
        sys.exit(130)
