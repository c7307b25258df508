"""A fit with amplitudes integrated out gives what the full fit gives."""

import tomllib

import numpy as np
import pytest
from scipy.integrate import quad

import stellarcr
from stellarcr.config import build_posterior, config_from_mapping, load_config
from stellarcr.infer.collapsed import CollapsedPosterior
from stellarcr.infer.comparison.volumes import volume_weights

CONFIG = """
name = "sampled"
[galaxy]
preset = "plain-diffusion"
production = "none"
geometry = "slab"
[populations.snr]
[parameters.snr]
log10_power = { prior = "uniform", low = 47.0, high = 50.0, value = 48.0 }
gamma1 = -2.2
gamma2 = { prior = "uniform", low = -2.8, high = -2.1, value = -2.45 }
[parameters.snr.abundance]
He = { prior = "log_normal", median = 1.0, sigma = 0.5 }
[parameters.ams02]
phi = 0.6
[likelihoods.ams02]
species = ["H", "He"]
[sampler]
name = "dynesty"
nlive = 120
walks = 30
[sampler.map]
starts = 2
generations = 60
"""


@pytest.fixture(scope="module")
def content():
    return tomllib.loads(CONFIG)


@pytest.fixture(scope="module")
def runs(content, tmp_path_factory):
    folder = str(tmp_path_factory.mktemp("chains"))
    result = {}
    for form in ("sampled", "collapsed"):
        settings = {**content, "name": form, "amplitudes": form, "output": {"folder": folder}}
        result[form] = stellarcr.run(settings, quiet=True)
    return result


@pytest.fixture(scope="module")
def exact(content):
    """ln Z by quadrature over the one parameter that is left."""
    collapsed = CollapsedPosterior.build(build_posterior(config_from_mapping(content)))
    assert collapsed.names == ("snr.gamma2",)
    grid = np.linspace(-2.8, -2.1, 2001)
    values = collapsed.log_posterior(grid[:, None])
    peak, largest = grid[np.argmax(values)], values.max()

    def density(gamma):
        return np.exp(collapsed.log_posterior(np.array([[gamma]]))[0] - largest)

    integral, _ = quad(density, peak - 0.05, peak + 0.05, points=[peak], epsrel=1e-8)
    return largest + np.log(integral)


@pytest.mark.parametrize("form", ["sampled", "collapsed"])
def test_evidence_is_the_exact_one(runs, exact, form):
    summary = runs[form].summary
    assert abs(summary["log_evidence"] - exact) < 3 * summary["log_evidence_error"]


def test_marginals_agree(runs):
    assert list(runs["collapsed"].summary["parameters"]) == list(runs["sampled"].summary["parameters"])
    for name, one in runs["sampled"].summary["parameters"].items():
        other = runs["collapsed"].summary["parameters"][name]
        # both are worth some hundred samples
        assert abs(one["mean"] - other["mean"]) < 0.25 * one["std"]
        assert other["std"] == pytest.approx(one["std"], rel=0.25)
        assert other["map"] == pytest.approx(one["map"], abs=0.02 * one["std"])


def test_maximum_is_that_of_the_full_posterior(runs):
    one, other = (runs[form].summary["map"] for form in ("sampled", "collapsed"))
    assert other["log_posterior"] == pytest.approx(one["log_posterior"], abs=1e-3)
    assert other["chi2_total"] == pytest.approx(one["chi2_total"], abs=0.05)


def test_fewer_calls(runs):
    assert runs["collapsed"].summary["calls"] < 0.6 * runs["sampled"].summary["calls"]


def test_folder_is_that_of_a_full_run_and_says_how_it_was_made(runs):
    run = runs["collapsed"]
    config = load_config(run.path / "config.toml")
    assert config.amplitudes == "collapsed"
    posterior = build_posterior(config)
    assert posterior.fingerprint == run.manifest["fingerprint"] != runs["sampled"].manifest["fingerprint"]
    assert run.names == posterior.names
    assert np.isfinite(posterior.log_posterior(run.samples[:50])).all()
    assert "amplitudes integrated out" in run.summary["verdict"]
    numbers = run.summary["diagnostics"]["collapsed"]
    assert abs(numbers["log_evidence_correction"]) < 1e-3
    assert numbers["smallest_significance"] > 50


def test_samples_know_the_volumes_of_the_run(runs):
    run = runs["collapsed"]
    assert volume_weights(run.nested, run.samples, draws=5).shape == (5, len(run.samples))
    lp = build_posterior(load_config(run.path / "config.toml")).log_posterior(run.samples)
    np.testing.assert_allclose(run.log_posterior, lp, rtol=1e-9)


def test_search_for_the_maximum_gives_the_maximum(runs, content):
    settings = {**content, "name": "best", "amplitudes": "collapsed", "sampler": {"name": "map", "starts": 2}}
    run = stellarcr.run({**settings, "output": {"folder": str(runs["sampled"].path.parent)}}, quiet=True)
    np.testing.assert_array_equal(run.samples[0], run.maximum)


def test_resume_of_a_finished_run_gives_it_back(runs, content):
    run = runs["collapsed"]
    settings = {**content, "name": "collapsed", "amplitudes": "collapsed", "output": {"folder": str(run.path.parent)}}
    again = stellarcr.run(settings, resume=True, quiet=True)
    assert again.summary == run.summary
    settings["amplitudes"] = "sampled"
    with pytest.raises(stellarcr.errors.RunError, match="newly free: snr"):
        stellarcr.run(settings, resume=True, quiet=True)
