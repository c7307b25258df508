"""Commands that work on a configuration say when its data reach below the model's range."""

import pytest

pytestmark = pytest.mark.usefixtures("one_thread")

CONFIG = """
name = "low"
[galaxy]
geometry = "slab"
[populations.snr]
[parameters.snr]
log10_power = {{ prior = "uniform", low = 47.0, high = 50.0, value = 48.0 }}
[likelihoods.ams02]
species = ["H", "He"]
range.rigidity_min = {cut}
nuisances.phi.value = 0.6
[sampler]
name = "emcee"
walkers = 16
ensembles = 2
max_steps = 4
map = {{ starts = 1 }}
"""


@pytest.fixture
def config(tmp_path):
    def write(cut):
        path = tmp_path / "low.toml"
        path.write_text(CONFIG.format(cut=cut))
        return path

    return write


@pytest.mark.parametrize("command", [("check", "--draws", 20), ("run",)])
def test_low_rigidities_are_named(stellarcr, config, command):
    name, *options = command
    result = stellarcr(name, config(10.0), "--quiet", *options)
    assert result.code == 0
    (line,) = [line for line in result.err.splitlines() if "leaves out" in line]
    # AMS-02's first bin above 10 GV begins at 10.1 GV, to which modulation adds some 0.6 GV
    assert line.startswith("warning: likelihood 'ams02' sees H")
    assert " 10.7 GV (interstellar)" in line
    assert "% of H" in line


def test_data_in_range_need_no_warning(stellarcr, config):
    result = stellarcr("check", config(20.0), "--quiet", "--draws", 20)
    assert result.code == 0
    assert "leaves out" not in result.err
