"""Makes the toy posteriors importable, here and in workers; a small real configuration."""

import json
import os
import sys
from pathlib import Path

import pytest

TOYS = Path(__file__).parents[1] / "infer_runs"
sys.path.insert(0, str(TOYS))
sys.path.insert(0, str(Path(__file__).parent))

SEARCH = "{ starts = 1, generations = 5, population = 16 }"
SAMPLERS = {
    "emcee": {"learn": False, "walkers": 16, "ensembles": 2, "max_steps": 16, "check_every": 20},
    "dynesty": {"nlive": 30, "walks": 5, "batch": 16, "max_calls": 600},
}


@pytest.fixture
def configure(write_config, tmp_path, monkeypatch):
    """Return a function that writes a small configuration with a pool; the test works in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def configure(sampler, name, **options):
        settings = {"name": sampler, **SAMPLERS[sampler], **options}
        lines = [f"{key} = {json.dumps(value)}" for key, value in settings.items()]
        table = "\n".join(["[sampler]", *lines, f"map = {SEARCH}", ""])
        path = write_config('[sampler]\nname = "emcee"\n', table, name=f"{name}.toml")
        path.write_text(path.read_text().replace('name = "small"', f'name = "{name}"'))
        return path

    return configure


@pytest.fixture(scope="session")
def one_thread_environment():
    """Environment of programs that tests start: one thread, and this package."""
    root = str(Path(__file__).parents[2])
    paths = os.pathsep.join([root, str(TOYS), os.environ.get("PYTHONPATH", "")])
    return {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": paths}
