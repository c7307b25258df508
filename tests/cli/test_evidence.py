"""stellarcr evidence: what it computes, keeps, prints and refuses."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from stellarcr.infer.runs import execute, read_run
from stellarcr.studies.evidence import evidence_of

sys.path.insert(0, str(Path(__file__).parents[1] / "infer_runs"))
from infer_toys import Gaussian

pytestmark = pytest.mark.usefixtures("one_thread")

NESTED = """
[sampler]
name = "dynesty"
nlive = 60
dlogz = 0.5
"""


@pytest.fixture
def toy_run(tmp_path):
    """Return a short nested run of a Gaussian, with its problem."""
    toy = Gaussian(3)
    execute(toy, "dynesty", {"nlive": 100, "dlogz": 0.5}, tmp_path / "toy", quiet=True)
    return tmp_path / "toy", toy


def test_a_real_run_from_its_own_configuration(stellarcr, write_config):
    config = write_config('[sampler]\nname = "emcee"\n', NESTED.lstrip())
    assert stellarcr("run", config, "--quiet").code == 0
    result = stellarcr("evidence", "chains/small", "--draws", 1000, "--json")
    assert result.code == 0, result.err
    (found,) = json.loads(result.out)
    assert found["importance"]["reliable"], found["importance"]["verdict"]
    assert found["importance"]["log_evidence_error"] < 0.05
    assert abs(found["deviation"]) < 4.0
    assert found["insertion"]["passed"]
    kept = read_run("chains/small").evidence
    assert kept["importance"] == found["importance"]
    printed = stellarcr("evidence", "chains/small", "--draws", 1000)
    assert "Pareto k" in printed.out
    assert "small: importance sampling is reliable" in printed.out
    assert "small: insertion ranks: passed" in printed.out
    # same seed, same numbers
    assert read_run("chains/small").evidence == kept


def test_a_chain_gets_an_evidence(tmp_path):
    toy = Gaussian(2)
    execute(toy, "emcee", {"max_steps": 1500}, tmp_path / "chain", quiet=True)
    found = evidence_of(tmp_path / "chain", draws=5000, posterior=toy)
    assert found.log_evidence is None
    assert found.deviation is None
    assert found.importance.reliable, found.importance.verdict
    assert abs(found.importance.log_evidence - toy.log_evidence) < 4 * found.importance.error < 0.1
    assert "no insertion ranks" in found.insertion_verdict


def test_what_is_kept_belongs_to_the_samples(toy_run):
    folder, toy = toy_run
    found = evidence_of(folder, draws=1000, posterior=toy)
    assert read_run(folder).evidence["importance"]["log_evidence"] == found.importance.log_evidence
    assert read_run(folder).evidence["deviation"] == pytest.approx(found.deviation)
    # other samples: what was found does not hold for them
    with open(folder / "posterior.nc", "ab") as file:
        file.write(b" ")
    assert read_run(folder).evidence is None
    # a run that is overwritten loses it, one that writes its results anew as well
    execute(toy, "dynesty", {"nlive": 50, "dlogz": 0.5}, folder, overwrite=True, quiet=True)
    assert not (folder / "evidence.json").exists()


def test_a_wrong_evidence_is_seen(toy_run, monkeypatch):
    """A sampler's ln Z that is off by ten of its errors."""
    folder, toy = toy_run
    right = evidence_of(folder, draws=1000, posterior=toy)
    assert abs(right.deviation) < 4.0
    import h5py

    with h5py.File(folder / "posterior.nc", "a") as file:
        summary = json.loads(file["summary"].asstr()[()])
        summary["log_evidence"] += 10 * summary["log_evidence_error"]
        file["summary"][()] = json.dumps(summary)
    wrong = evidence_of(folder, draws=1000, posterior=toy)
    assert wrong.deviation > right.deviation + 5.0
    assert wrong.importance.log_evidence == right.importance.log_evidence


def test_what_cannot_be_done_is_refused(stellarcr, toy_run):
    folder, _ = toy_run
    result = stellarcr("evidence", folder)
    assert result.code == 2  # its configuration is not one of the package
    result = stellarcr("evidence", folder.parent / "nothing")
    assert result.code == 2
    assert "there is no folder" in result.err
    result = stellarcr("evidence", folder, "--seed", -1)
    assert (result.code, "--seed" in result.err) == (2, True)
    assert not (folder / "evidence.json").exists()


def test_too_few_draws_are_refused(toy_run, stellarcr):
    folder, toy = toy_run
    from stellarcr.errors import ConfigError

    with pytest.raises(ConfigError, match="10 draws"):
        evidence_of(folder, draws=10, posterior=toy)
    assert np.all([not path.name.startswith("evidence") for path in folder.iterdir()])
