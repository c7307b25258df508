"""A run with populations from stellar evolution, as a user starts it, and what can be done with its folder."""

import numpy as np
import pytest

from stellarcr import load_run
from stellarcr.plots.powers_data import population_powers

pytestmark = pytest.mark.usefixtures("one_thread")

CONFIG = """
name = "young"
[galaxy]
geometry = "slab"
[populations.snr]
[populations.msc]
spectrum = "stellar"
options = { age_limit = 5e5, eta_B_range = [0.01, 0.1], gamma_range = [-2.3, -1.9], amplitude = "efficiency" }
[populations.young]
kind = "msc"
spectrum = "stellar"
options = { age_limit = 5e5, eta_B_range = [0.01, 0.1], gamma_range = [-2.3, -1.9] }
[parameters.snr]
log10_power = { prior = "uniform", low = 47.0, high = 50.0, value = 48.0 }
gamma2 = { prior = "uniform", low = -2.8, high = -2.1, value = -2.45 }
[parameters.msc]
eta_acc = { prior = "log_uniform", low = 1e-4, high = 0.9, value = 0.05 }
eta_B = { prior = "log_uniform", low = 0.01, high = 0.1, value = 0.05 }
gamma = -2.1
[parameters.young]
log10_power = { prior = "uniform", low = 43.0, high = 49.0, value = 45.0 }
eta_B = { linked = "msc.eta_B" }
gamma = { linked = "msc.gamma" }
[likelihoods.ams02]
species = ["H", "He"]
[sampler]
name = "map"
starts = 1
"""


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "young.toml"
    path.write_text(CONFIG)
    return path


def test_from_the_configuration_to_pictures(stellarcr, config, tmp_path, monkeypatch):
    monkeypatch.setenv("STELLARCR_CACHE", str(tmp_path / "cache"))
    first = stellarcr("check", config)
    assert first.code == 0, first.err
    assert "tabulating the spectra of 'msc'" in first.err
    assert "tabulating" not in first.out
    assert "msc.eta_acc" in first.out
    # two populations, one table; it is found again
    assert len(list((tmp_path / "cache").iterdir())) == 1
    ran = stellarcr("run", config)
    assert ran.code == 0, ran.err
    assert "tabulating" not in ran.err + ran.out
    folder = "chains/young"
    for command in (("plot", "spectra", folder), ("plot", "powers", folder), ("plot", "corner", folder)):
        drawn = stellarcr(*command)
        assert drawn.code == 0, (command, drawn.err)
    verified = stellarcr("verify", folder)
    assert verified.code == 0, verified.err
    shown = stellarcr("runs", "show", folder)
    assert shown.code == 0, shown.err
    assert "msc.eta_acc" in shown.out
    compared = stellarcr("compare", folder)
    assert compared.code == 0, compared.err
    # powers, whatever the amplitude is
    run = load_run(folder)
    powers = {power.name: power for power in population_powers(run)}
    assert {power.unit for power in powers.values()} == {"erg/yr"}
    assert powers["msc"].budget == powers["young"].budget
    share = run.samples[:, run.names.index("msc.eta_acc")]
    np.testing.assert_allclose(powers["msc"].values, share * powers["msc"].budget)
    np.testing.assert_allclose(powers["young"].values, 10 ** run.samples[:, run.names.index("young.log10_power")])
    np.testing.assert_allclose(run.derived["efficiency.msc"], share[run.derived_index])
    again = stellarcr("run", f"{folder}/config.toml", "--resume")
    assert again.code == 0, again.err


def test_a_mistake_ends_in_a_message(stellarcr, config):
    config.write_text(CONFIG.replace("age_limit", "age_limt"))
    found = stellarcr("check", config)
    assert found.code == 2
    assert "unknown option 'age_limt'" in found.err
    assert "did you mean 'age_limit'" in found.err
    assert "[populations.msc]" in found.err
    assert "Traceback" not in found.err
