"""stellarcr reweight: a run of the small configuration as that of another one."""

import json
import re

import numpy as np
import pytest

from stellarcr import run as fit
from stellarcr.config import build_posterior, config_from_mapping, load_config
from stellarcr.infer.runs import read_run

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def folder(small_content, tmp_path_factory):
    """Return the folder of a nested run of the small configuration."""
    content = {**small_content(), "output": {"folder": str(tmp_path_factory.mktemp("runs"))}}
    content["sampler"] = {"name": "dynesty", "nlive": 120, "walks": 16, "dlogz": 0.5}
    content["sampler"]["map"] = {"starts": 2, "generations": 10, "population": 8}
    return fit(config_from_mapping(content), quiet=True).path


def test_another_prior(folder, write_config, stellarcr):
    config = write_config("low = -2.8, high = -2.1", "low = -2.6, high = -2.3", name="narrow.toml")
    done = stellarcr("reweight", folder, config, "--name", "narrow", "--json")
    assert (done.code, done.err) == (0, "")
    found = json.loads(done.out)
    old, new = read_run(folder), read_run(folder.with_name("narrow"))
    # the posterior lies inside both priors: the evidence rises by the ratio of their widths
    assert found["log_evidence_change"] == pytest.approx(np.log(0.7 / 0.3))
    assert new.log_evidence == pytest.approx(old.log_evidence + np.log(0.7 / 0.3))
    assert new.log_evidence_error == pytest.approx(old.log_evidence_error)
    assert new.converged == old.converged
    assert new.summary["verdict"].startswith("reweighted from small")
    assert new.manifest["sampler"] == "reweighting"
    assert new.manifest["reweighted"]["fingerprint"] == old.manifest["fingerprint"]
    assert any("gamma2.low was -2.8, is -2.6" in text for text in found["differences"])
    assert set(map(tuple, new.samples)) <= set(map(tuple, old.samples))
    highest = old.summary["map"]["log_posterior"] + np.log(0.7 / 0.3)
    # climbed from the best sample, so not below what either run knew
    assert new.summary["map"]["log_posterior"] > max(highest, new.log_posterior.max()) - 0.01
    # what it stores is what its own configuration gives
    verified = stellarcr("verify", folder.with_name("narrow"))
    assert verified.code == 0


def test_other_data(folder, write_config, stellarcr):
    config = write_config('species = ["H", "He"]', 'species = ["H", "He"]\nrange = { rigidity_min = 23.0 }')
    done = stellarcr("reweight", folder, config, "--name", "cut")
    assert done.code == 0
    assert "likelihoods.ams02.range.rigidity_min was 20.0, is 23.0" in done.out
    old, new = read_run(folder), read_run(folder.with_name("cut"))
    posterior = build_posterior(load_config(new.path / "config.toml"))
    ratios = posterior.log_posterior(old.samples) - old.log_posterior
    weights = np.exp(ratios - np.max(ratios))
    expected = np.max(ratios) + np.log(np.mean(weights))
    found = new.manifest["reweighted"]
    assert found["log_evidence_change"] == pytest.approx(expected, abs=4 * found["log_evidence_change_error"])
    # equal-weight samples have the moments of the weighted ones
    mean = weights @ old.samples / weights.sum()
    spread = np.sqrt(weights @ (old.samples - mean) ** 2 / weights.sum())
    assert np.all(np.abs(new.samples.mean(axis=0) - mean) < 0.15 * spread)
    assert sum(fit["points"] for fit in new.summary["map"]["chi2"].values()) < 85
    assert new.log_evidence == pytest.approx(old.log_evidence + found["log_evidence_change"])


def test_what_the_samples_do_not_cover_is_refused_unless_told_otherwise(folder, write_config, stellarcr):
    config = write_config(
        'species = ["H", "He"]', 'species = ["H", "He"]\nrange = { rigidity_min = 400.0 }', name="far.toml"
    )
    done = stellarcr("reweight", folder, config, "--name", "far")
    assert done.code == 2
    assert "do not cover the posterior of" in done.err
    assert "--unreliable" in done.err
    assert not folder.with_name("far").exists()
    assert stellarcr("reweight", folder, config, "--name", "far", "--unreliable").code == 0
    new = read_run(folder.with_name("far"))
    assert not new.converged
    assert new.summary["verdict"].startswith("not reliable: reweighted from small")
    again = stellarcr("reweight", folder, config, "--name", "far", "--unreliable")
    assert again.code == 2
    assert "there is a run here already" in again.err


def test_a_prior_that_reaches_further_is_told(folder, write_config, stellarcr):
    done = stellarcr("reweight", folder, write_config("high = 50.0", "high = 51.0", name="wide.toml"))
    assert done.code == 0
    (share,) = re.findall(r"(\d+)% of the new prior lies where the old one is zero \(snr.log10_power\)", done.err)
    assert int(share) == pytest.approx(25, abs=3)
    assert folder.with_name("small.reweighted.small").is_dir()


def test_other_parameters_are_refused(folder, write_config, stellarcr):
    config = write_config("gamma1 = -2.2", 'gamma1 = { prior = "uniform", low = -2.5, high = -2.0 }', name="more.toml")
    done = stellarcr("reweight", folder, config)
    assert done.code == 2
    assert "newly free: snr.gamma1" in done.err
