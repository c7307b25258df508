"""The command line in this process, as its entry point runs it."""

import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from stellarcr import cli
from stellarcr.studies import bench
from stellarcr.studies.compare import compare

sys.path.insert(0, str(Path(__file__).parent))  # runs of known evidence
sys.path.insert(0, str(Path(__file__).parents[1] / "infer_evidence"))  # models of known evidence


class Result(NamedTuple):
    """What a shell sees."""

    code: int
    out: str
    err: str


@pytest.fixture
def stellarcr(monkeypatch, capsys, tmp_path):
    """Return a function that runs the command line in an empty folder."""
    # timings are not what is tested here
    measure = bench.best_time
    monkeypatch.setattr(bench, "best_time", lambda call, seconds=0.5, repeats=5: measure(call, seconds / 20, repeats))
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["stellarcr", *map(str, arguments)])
        code = 0
        try:
            cli.main()
        except SystemExit as stop:
            code = int(stop.code or 0)
        return Result(code, *capsys.readouterr())

    return run


@pytest.fixture(scope="module")
def make_run(tmp_path_factory):
    """Return a function that gives the folder of a finished run with samples of a toy's posterior; written once."""
    from known_runs import write_toy

    made = {}

    def make(toy, nested, n):
        key = (toy.fingerprint, toy.points, toy.records, nested, n)
        if key not in made:
            made[key] = write_toy(tmp_path_factory.mktemp("made") / "run", toy, nested, n)
        return made[key]

    return make


@pytest.fixture
def write_run(make_run, tmp_path):
    """Return a function that gives a run folder with a name, a seed and an evidence."""
    from known_runs import CONFIG, Toy, copy_run

    def write(name, toy=None, seed=1, shift=0.0, error=0.2, nested=True, converged=True, config=CONFIG, hashes=None,
              n=2000, **settings):  # fmt: skip
        source = make_run(toy or Toy(), nested, n)
        target = tmp_path / "chains" / name
        return copy_run(source, target, seed, shift, error, converged, config, hashes, settings)

    return write


@pytest.fixture(scope="module")
def three_models(make_run, tmp_path_factory):
    """Return the runs of three models with three seeds each: good and wide are close, bad is far below."""
    from known_runs import CONFIG, Toy, copy_run

    models = {"good_fit": (Toy(), 0.0), "wide": (Toy(half=1.1), 0.0), "bad": (Toy(n_dim=3), -20.0)}
    jitter = {1: -0.15, 2: 0.0, 3: 0.15}
    folder = tmp_path_factory.mktemp("three")
    return [
        copy_run(
            make_run(toy, True, 2000), folder / f"{name}_seed{k}", k, shift + jitter[k], 0.2, True, CONFIG, None, {}
        )
        for k in (2, 1, 3)
        for name, (toy, shift) in models.items()
    ]


@pytest.fixture(scope="module")
def compared(three_models):
    """Return the comparison of the three models."""
    return compare(three_models)
