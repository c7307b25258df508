"""Small finished runs, and a folder to execute a page in."""

import shutil
import sys
import tomllib
from pathlib import Path

import pytest
from threadpoolctl import threadpool_limits

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "docs")]  # helpers, and the generators of pages

# A fit that takes seconds and has what pages speak of: several populations, two experiments, a nuisance parameter.
SMALL = """
[galaxy]
geometry = "slab"
production = "none"
[grid]
per_decade = 10
[populations.snr]
[populations.msc]
[parameters.snr]
log10_power = { prior = "uniform", low = 47.0, high = 50.0, value = 48.4 }
gamma2 = { prior = "uniform", low = -2.8, high = -2.1, value = -2.45 }
[parameters.msc]
log10_power = { prior = "uniform", low = 43.0, high = 50.0, value = 47.0 }
[likelihoods.ams02]
species = ["H", "He", "Fe"]
range.rigidity_min = 100.0
[likelihoods.lhaaso]
[sampler]
map = { starts = 1, population = 16, generations = 10 }
"""
NESTED = {"name": "dynesty", "nlive": 60, "walks": 12, "dlogz": 0.1}
CHAIN = {"name": "emcee", "walkers": 16, "ensembles": 2, "max_steps": 300, "learn": False}


def small_content(name):
    """Give the configuration of the small run that stands for a run of this name."""
    content = tomllib.loads(SMALL)
    content["name"] = name
    content["sampler"] |= CHAIN if name.startswith("quickstart") or name.endswith("mcmc") else NESTED
    if name.startswith("snr_only"):
        del content["populations"]["msc"], content["parameters"]["msc"]
    if name.startswith("reference_ia"):
        content["populations"]["ia"] = {}
        prior = {"prior": "uniform", "low": 48.0, "high": 52.0, "value": 50.0}
        content["parameters"]["ia"] = {"log10_energy": prior}
    content["seed"] = int("".join(filter(str.isdigit, name)) or 1)
    return content


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory):
    """Return a function that copies a small finished run to a folder; each is made once."""
    import stellarcr

    base = tmp_path_factory.mktemp("runs")

    def copy(name, target):
        if not (base / name).exists():
            content = {**small_content(name), "output": {"folder": str(base)}}
            with threadpool_limits(1):
                stellarcr.run(content, quiet=True)
        shutil.copytree(base / name, target)

    return copy


@pytest.fixture
def execute(tmp_path, monkeypatch, finished_run):
    """Return a function that executes all blocks of a page in an empty copy of a checkout."""
    from documents import blocks
    from runner import Session

    from stellarcr.studies import bench

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "Agg")
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setenv("STELLARCR_CACHE", str(tmp_path / "cache"))
    monkeypatch.syspath_prepend(str(tmp_path))
    # timings are not what is tested here
    measure = bench.best_time
    monkeypatch.setattr(bench, "best_time", lambda call, seconds=0.5, repeats=5: measure(call, seconds / 20, repeats))

    def run(page):
        session = Session(tmp_path, finished_run)
        with threadpool_limits(1):
            for block in blocks(page):
                session.execute(block)

    return run
