"""Stellar populations as they run in a fit, against the exact model, at random points of the prior."""

import tomllib

import numpy as np
import pytest

from stellarcr.config import build_posterior, config_from_mapping

pytestmark = pytest.mark.usefixtures("one_thread")

TARGET = 1e-3
"""Of a flux: the table states the energy of its spectra to that."""

OPTIONS = "eta_B_range = [0.01, 0.1], gamma_range = [-2.3, -1.9]"
CONFIG = f"""
name = "winds"
[galaxy]
geometry = "slab"
production = "none"
[populations.snr]
[populations.msc]
spectrum = "stellar"
options = {{ age_limit = 1e6, {OPTIONS} }}
[populations.wr_wind]
spectrum = "stellar"
isotopes = "given"
options = {{ grid = "genec-z014-v00", M_up = 50.0, amplitude = "efficiency", {OPTIONS} }}
[parameters.snr]
log10_power = {{ prior = "uniform", low = 48.0, high = 49.0 }}
[parameters.msc]
log10_power = {{ prior = "uniform", low = 47.0, high = 49.0 }}
eta_B = {{ prior = "log_uniform", low = 0.01, high = 0.1 }}
gamma = {{ prior = "uniform", low = -2.3, high = -1.9 }}
[parameters.wr_wind]
eta_acc = {{ prior = "log_uniform", low = 0.1, high = 1.0 }}
eta_B = {{ linked = "msc.eta_B" }}
gamma = -2.0
[likelihoods.ams02]
[likelihoods.dampe]
"""


def compare(posterior, exact_predictions, target=TARGET):
    theta = posterior.sample_prior(np.random.default_rng(4), 3)
    exact, fast = exact_predictions(posterior, theta), posterior.predictions(theta)
    assert set(fast) == set(exact)
    for name, expected in exact.items():
        np.testing.assert_allclose(fast[name], expected, rtol=target, err_msg=name)
    return theta


def test_fast_and_exact(exact_predictions):
    posterior = build_posterior(config_from_mapping(tomllib.loads(CONFIG)))
    theta = compare(posterior, exact_predictions)
    # one vector at a time gives the same
    alone = np.concatenate([posterior.log_likelihood(row[None, :]) for row in theta])
    np.testing.assert_allclose(posterior.log_likelihood(theta), alone, rtol=1e-9)


def test_fast_and_exact_where_isotopes_travel_apart(exact_predictions):
    content = tomllib.loads(CONFIG)
    content["parameters"]["galaxy"] = {"delta": {"prior": "uniform", "low": 0.45, "high": 0.55}}
    content["galaxy"]["smoothness"] = 0.2
    content["likelihoods"] = {"ams02": {"species": ["H", "He", "Ne"]}}
    compare(build_posterior(config_from_mapping(content)), exact_predictions)


@pytest.mark.parametrize("propagation", ["fixed", "free"])
def test_fast_and_exact_with_a_network(propagation, exact_predictions):
    """Each element with a spectrum of its own, isotopes of the winds, and what they turn into."""
    content = tomllib.loads(CONFIG)
    content["galaxy"] |= {"production": "evoli2019", "smoothness": 0.2}
    if propagation == "free":
        content["parameters"]["galaxy"] = {"delta": {"prior": "uniform", "low": 0.45, "high": 0.55}}
    content["likelihoods"] = {"ams02": {"species": ["He", "Ne"]}}
    posterior = build_posterior(config_from_mapping(content))
    assert any(len(column.members) > 1 for column in posterior.sources.columns)
    # the table of stellar spectra, and fragments between the energies of the network
    compare(posterior, exact_predictions, 2 * TARGET)


def test_stellar_populations_matter_in_it():
    """The comparison is not one of remnants alone."""
    posterior = build_posterior(config_from_mapping(tomllib.loads(CONFIG)))
    theta = posterior.sample_prior(np.random.default_rng(4), 3)
    derived = posterior.derived(theta)
    for name in ("msc", "wr_wind"):
        assert max(np.max(v) for key, v in derived.items() if f".{name}." in key) > 0.02
