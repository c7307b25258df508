"""What the commands print, JSON above all: it is part of the interface."""

import json
import re

import numpy as np
import pytest

from stellarcr import __version__
from stellarcr.config import build_posterior, load_config
from stellarcr.config.schema import ConstraintConfig
from stellarcr.studies.bench import with_propagation
from stellarcr.studies.spectrum import reference_parameters

pytestmark = pytest.mark.usefixtures("one_thread")

MODEL_FILE = """
name = "small"
[galaxy]
geometry = "slab"
[populations.snr]
[populations.o_wind]
[populations.wr_wind]
[populations.ia]
[parameters.snr]
log10_power = { prior = "uniform", low = 47.0, high = 50.0, value = 48.0 }
gamma2 = { prior = "uniform", low = -2.8, high = -2.1, value = -2.45 }
[parameters.o_wind]
gamma = -1.9
[parameters.wr_wind]
gamma = { linked = "o_wind.gamma" }
[likelihoods.ams02]
species = ["H", "He"]
"""


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    path = tmp_path_factory.mktemp("configuration") / "run.toml"
    path.write_text(MODEL_FILE)
    return path


@pytest.fixture(scope="module")
def posterior(config):
    return build_posterior(load_config(config))


@pytest.fixture
def spectrum(stellarcr, config):
    """Run `spectrum --json`; return what it prints."""

    def run(*arguments):
        result = stellarcr("spectrum", config, "--json", *arguments)
        assert (result.code, result.err) == (0, "")
        return json.loads(result.out)

    return run


def test_spectrum_has_the_keys_of_the_interface(spectrum):
    printed = spectrum("--species", "H,Fe,p+He,all", "--at", "20,1e3")
    assert list(printed) == ["axis", "x_unit", "flux_unit", "x", "flux"]
    assert (printed["axis"], printed["x_unit"], printed["x"]) == ("R", "GV", [20.0, 1000.0])
    assert printed["flux_unit"] == "1 / (m2 s sr GV)"
    assert list(printed["flux"]) == ["H", "Fe", "p+He", "all"]
    for fluxes in printed["flux"].values():
        assert list(fluxes) == ["total", "snr", "o_wind", "wr_wind", "ia"]
        parts = np.sum([fluxes[name] for name in fluxes if name != "total"], axis=0)
        np.testing.assert_allclose(parts, fluxes["total"], rtol=1e-14)
    assert printed["flux"]["H"]["ia"] == [0.0, 0.0]


@pytest.mark.parametrize(
    ("axis", "x_unit", "flux_unit"),
    [("R", "GV", "1 / (m2 s sr GV)"), ("EK", "GeV", "1 / (m2 s sr GeV)"), ("ETOT", "GeV", "1 / (m2 s sr GeV)"),
     ("EKN", "GeV per nucleon", "1 / (m2 s sr GeV/n)")],
)  # fmt: skip
def test_spectrum_prints_the_model(axis, x_unit, flux_unit, spectrum, posterior):
    printed = spectrum("--axis", axis, "--phi", "0.5", "--at", "30,3e4", "--species", "He")
    assert (printed["x_unit"], printed["flux_unit"]) == (x_unit, flux_unit)
    values = posterior.model_parameters(posterior.space.resolve(posterior.reference()[None, :]))
    expected = posterior.model.flux(values, "He", np.array([30.0, 3e4]), axis, 0.5)
    np.testing.assert_allclose(printed["flux"]["He"]["total"], expected["total"][0], rtol=1e-12)


def test_spectrum_of_the_mean_log_mass(spectrum):
    printed = spectrum("--species", "lnA", "--axis", "ETOT", "--at", "1e4,1e6")
    assert list(printed["flux"]) == ["lnA"]
    assert all(0 < value < np.log(60) for value in printed["flux"]["lnA"]["total"])


def test_set_changes_the_model(spectrum):
    before = spectrum("--species", "H", "--at", "1e3")["flux"]["H"]
    double = spectrum("--species", "H", "--at", "1e3", "--set", "snr.power=2e48")["flux"]["H"]
    same = spectrum("--species", "H", "--at", "1e3", "--set", f"snr.log10_power={np.log10(2e48)}")["flux"]["H"]
    assert double["snr"][0] == pytest.approx(2 * before["snr"][0], rel=1e-12)
    assert same["snr"][0] == pytest.approx(double["snr"][0], rel=1e-12)
    assert double["o_wind"] == before["o_wind"]


def test_set_reaches_the_propagation(spectrum):
    before, far = (
        spectrum("--species", "He", "--at", "1e3", "--set", f"galaxy.D0={value}")["flux"]["He"]["total"][0]
        for value in (3.7e28, 7.4e28)
    )
    # twice the diffusion, hardly less destruction: half the flux and a little more
    assert 0.5 < far / before < 0.53


def test_links_follow_what_is_set(posterior):
    for changes in ({"o_wind.gamma": -2.05}, {"snr.gamma2": -2.3}):
        values = reference_parameters(posterior.space, posterior.model, changes)
        for name, value in changes.items():
            assert values[name] == value
        assert values["wr_wind.gamma"] == values["o_wind.gamma"]
    alone = reference_parameters(posterior.space, posterior.model, {"wr_wind.gamma": -1.8})
    assert (alone["wr_wind.gamma"], alone["o_wind.gamma"]) == (-1.8, -1.9)


def test_spectrum_as_a_table(stellarcr, config):
    result = stellarcr("spectrum", config, "--species", "He", "--at", "5,500")
    assert result.code == 0
    assert "He [1 / (m2 s sr GV)]" in result.out
    assert re.search(r"\b500\b", result.out)
    # there the model leaves out what matters
    assert "fluxes below 20 GV" in result.out
    per_nucleon = stellarcr("spectrum", config, "--species", "He,C/O", "--axis", "EKN", "--at", "8").out
    assert "He at 8 GeV per nucleon: He of 18 GV" in per_nucleon
    assert "ratios" not in per_nucleon


def test_bench_has_the_keys_of_the_interface(stellarcr, config):
    result = stellarcr("bench", config, "--json", "--batch", "32")
    assert (result.code, result.err) == (0, "")
    printed = json.loads(result.out)
    interface = ["backend", "single_us", "batch", "batch_us_per_point", "stages_us", "memory_mb"]
    assert list(printed) == [*interface, "numpy_exp_ns", "propagation", "network", "nuclides", "energies"]
    assert (printed["backend"], printed["batch"], printed["propagation"]) == ("numpy", 32, "fixed")
    assert 0 < printed["batch_us_per_point"] < printed["single_us"]
    assert {"prior", "sources", "likelihood ams02"} <= set(printed["stages_us"])
    # what a batch needs is about the sum of its stages
    assert sum(printed["stages_us"].values()) == pytest.approx(32 * printed["batch_us_per_point"], rel=0.9)
    assert printed["memory_mb"] > 10


def test_bench_frees_the_propagation(stellarcr, config):
    result = stellarcr("bench", config, "--json", "--batch", "8", "--propagation", "free")
    assert result.code == 0
    printed = json.loads(result.out)
    assert printed["propagation"] == "free"
    assert printed["network"].startswith("evoli2019")
    assert printed["energies"] > 5
    assert printed["nuclides"] > 50


def test_bench_without_a_network(stellarcr, configs):
    printed = json.loads(stellarcr("bench", configs / "benchmark.toml", "--json", "--batch", "8").out)
    assert (printed["propagation"], printed["network"]) == ("fixed", "none")
    assert "nuclides" not in printed


def test_check_of_the_reference(stellarcr, configs, tmp_path):
    result = stellarcr("check", configs / "reference.toml", "--draws", "20", "--plot", tmp_path / "prior")
    assert result.code == 0
    assert "21 free parameters" in result.out
    assert "487 points" in result.out
    assert "AMS-02_Fe" in result.out
    assert re.search(r"\d+ us per point", result.out) or re.search(r"[\d.]+ us per point", result.out)
    assert "nested sampling" in result.out
    assert "dynesty expects about" in result.out
    assert {path.name for path in tmp_path.glob("prior.*")} == {"prior.pdf", "prior.png"}


def test_check_of_collapsed_amplitudes(stellarcr, write_config, tmp_path):
    more = '[parameters.snr.abundance]\nHe = { prior = "log_normal", median = 1.0, sigma = 0.5 }\n'
    line = 'amplitudes = "collapsed"\nname = '
    options = ("--draws", "30", "--plot", tmp_path / "prior")
    result = stellarcr("check", write_config("name = ", line, more), *options)
    assert result.code == 0
    assert "amplitudes integrated out: 2 of 4 parameters are sampled" in result.out
    result = stellarcr("check", write_config("name = ", line, more + "[parameters.ams02]\nscatter = 0.1\n"), *options)
    assert result.code == 2
    assert "with ams02.scatter errors depend on the prediction" in result.err


def test_check_warns_of_a_prior_decades_off(stellarcr, write_config):
    path = write_config("low = 47.0, high = 50.0, value = 48.0", "low = 43.0, high = 46.0, value = 44.0")
    result = stellarcr("check", path, "--draws", "50", "--quiet")
    assert result.code == 0
    assert "warning: the prior misses AMS-02_H" in result.err
    assert re.search(r"10\^-[3-5]\.\d of the data", result.err)
    assert result.out == ""


def test_check_samples_nothing_and_writes_only_its_plot(stellarcr, write_config, tmp_path):
    result = stellarcr("check", write_config(), "--draws", "20")
    assert result.code == 0
    written = {path.relative_to(tmp_path / "work").as_posix() for path in (tmp_path / "work").rglob("*.*")}
    assert written == {"chains/small.check/prior_predictive.pdf", "chains/small.check/prior_predictive.png",
                       "chains/small.check"}  # fmt: skip


def test_version_and_help(stellarcr):
    assert stellarcr("--version").out.strip() == f"stellarcr {__version__}"
    result = stellarcr("--help")
    assert result.code == 0
    for command in ("check", "run", "spectrum", "plot", "bench"):
        assert re.search(rf"\b{command}\b", result.out)
        assert stellarcr(command, "--help").code == 0


def test_what_is_fixed_for_a_timing_is_no_longer_ordered(configs):
    given = load_config(configs / "joint.toml")
    order = ConstraintConfig(order=("galaxy.delta_h", "galaxy.delta"))
    config = given.model_copy(update={"constraints": (*given.constraints, order)})
    assert with_propagation(config, False).constraints == given.constraints
    assert with_propagation(config, True).constraints == config.constraints
