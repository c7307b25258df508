"""The command line in this process, as its entry point runs it."""

import sys
from typing import NamedTuple

import pytest

from stellarcr import cli
from stellarcr.studies import bench


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
