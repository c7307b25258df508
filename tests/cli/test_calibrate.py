"""`stellarcr calibrate` on a small real configuration."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from stellarcr.config import config_from_mapping
from stellarcr.studies.calibrate import mock_fit

SAMPLER = """name = "emcee"
walkers = 32
ensembles = 2
chunk = 32
learn = false
target_tau = 4.0
check_every = 40
map = { starts = 1, population = 16, generations = 10 }
"""


@pytest.fixture
def config(write_config):
    """Return the path of a configuration whose mocks are fitted in a fraction of a second."""
    text = write_config('name = "emcee"', SAMPLER).read_text()
    path = write_config()
    path.write_text(text.replace('species = ["H", "He"]', 'species = ["H"]\nrange = { rigidity_min = 300.0 }'))
    return path


def test_a_calibration_is_written_printed_and_resumed(stellarcr, config):
    result = stellarcr("calibrate", config, "--mocks", 20, "--seed", 5, "--quiet")
    assert result.code == 0
    for name in ("snr.log10_power", "snr.gamma2", "ams02.phi", "log_likelihood"):
        assert name in result.out
    assert "uniform: 20 mocks" in result.out
    assert result.out.rstrip().endswith("results: chains/small.calibration")
    folder = Path("chains/small.calibration")
    rows = list(csv.DictReader((folder / "ranks.csv").open()))
    assert len(rows) == 20
    assert {int(row["mock"]) for row in rows} == set(range(20))
    for row in rows:
        assert 47.0 < float(row["truth:snr.log10_power"]) < 50.0
        assert 0 <= int(row["rank:snr.gamma2"]) <= 99
    (folder / "mocks" / "000017.json").unlink()
    again = stellarcr("calibrate", config, "--mocks", 20, "--seed", 5, "--resume", "--json")
    content = json.loads(again.out)
    assert content["folder"] == "chains/small.calibration"
    assert content["mocks"] == 20
    redone = list(csv.DictReader((folder / "ranks.csv").open()))
    assert [{k: v for k, v in row.items() if k != "seconds"} for row in redone] == [
        {k: v for k, v in row.items() if k != "seconds"} for row in rows
    ]
    refused = stellarcr("calibrate", config, "--mocks", 20, "--seed", 6, "--resume")
    assert refused.code == 2
    assert "seed = 6, in this folder it was 5" in refused.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--mocks", 5], "--mocks 5 are too few for a test"),
        (["--resume", "--overwrite"], "--resume and --overwrite exclude each other"),
        (["--sampler", "map"], "the sampler 'map' gives a maximum and no samples"),
        (["--sampler", "emcees"], "unknown sampler 'emcees'"),
        (["--resume"], "there is no calibration to go on with"),
    ],
)
def test_what_cannot_be_calibrated_is_refused(stellarcr, config, arguments, message):
    result = stellarcr("calibrate", config, *arguments)
    assert result.code == 2
    assert message in result.err


def test_amplitudes_that_are_integrated_out_are_ranked_too(small_content):
    content = small_content()
    content["likelihoods"]["ams02"]["range"] = {"rigidity_min": 300.0}
    content["parameters"]["snr"]["log10_power"] |= {"low": 48.0, "high": 49.0}
    content["parameters"]["snr"]["abundance"] = {"He": {"prior": "log_normal", "median": 1.0, "sigma": 0.3}}
    content["sampler"] = {
        "walkers": 32, "ensembles": 2, "chunk": 32, "learn": False, "target_tau": 4.0, "check_every": 40,
        "map": {"starts": 1, "population": 16, "generations": 10},
    }  # fmt: skip
    sampled, collapsed = (
        mock_fit(config_from_mapping({**content, "amplitudes": how}), 3, 99)(0) for how in ("sampled", "collapsed")
    )
    assert collapsed.ranks.keys() == sampled.ranks.keys()
    assert "snr.abundance.He" in collapsed.ranks
    assert collapsed.truth == sampled.truth
    assert collapsed.converged
    assert "amplitudes integrated out" in collapsed.verdict
    # the same posterior: ranks differ by the noise of 99 draws
    for name, rank in collapsed.ranks.items():
        assert abs(rank - sampled.ranks[name]) < 4 * np.sqrt(2 * 99 * 0.25)
