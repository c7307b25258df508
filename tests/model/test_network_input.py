"""What a model with a nuclear network refuses."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from stellarcr.data import load_composition
from stellarcr.data.galaxy_presets import load_galaxy
from stellarcr.data.nuclear_tables import nuclear_sets
from stellarcr.errors import ConfigError, DataError, ModelError, ParameterError
from stellarcr.model import ForwardModel
from stellarcr.model.names import check_diffusion
from stellarcr.observe.grid import RigidityGrid
from stellarcr.populations import Composition, build_population

SNR = build_population("snr", load_composition("snr"))


@pytest.fixture(scope="module")
def galaxy():
    return load_galaxy()


@pytest.fixture(scope="module")
def model(galaxy):
    return ForwardModel(galaxy, (SNR,))


def test_a_nuclide_that_the_network_lacks_is_refused(galaxy):
    odd = replace(
        SNR,
        composition=Composition("odd", {"H": 0.9, "Fe": 0.1}, {"Fe": {59: 1.0}}, {}),
        isotopes="given",
    )
    with pytest.raises(ModelError, match="'snr' injects Fe59") as caught:
        ForwardModel(galaxy, (odd,))
    assert "dominant" in caught.value.remedy


@pytest.mark.parametrize("value", [0.0, -3e28, float("nan")])
def test_a_diffusion_coefficient_that_is_not_positive_is_refused(value, model):
    with pytest.raises(ConfigError, match="D0"):
        load_galaxy("plain-diffusion", {"D0": value})
    with pytest.raises(ParameterError, match=r"galaxy\.D0"):
        model.check_value("galaxy.D0", value)


@pytest.mark.parametrize("value", [0.5, 1e9])
def test_a_break_outside_the_grid_is_refused(value, model):
    with pytest.raises(ModelError, match=r"galaxy\.R_h") as caught:
        ForwardModel(load_galaxy("plain-diffusion", {"R_h": value, "production": "none"}), (SNR,))
    assert f"{value:g}" in caught.value.problem
    assert "1 to 4e+08 GV" in caught.value.problem
    assert "delta_h" in caught.value.remedy
    with pytest.raises(ParameterError, match=r"galaxy\.R_h"):
        model.check_value("galaxy.R_h", value)
    with pytest.raises(ParameterError, match=r"galaxy\.log10_R_h"):
        model.check_value("galaxy.log10_R_h", np.log10(value))


def test_priors_of_the_break(model):
    for low, high in ((0.5, 500.0), (100.0, 1e9)):
        with pytest.raises(ParameterError, match=r"galaxy\.R_h.*a prior from"):
            model.check_limits("galaxy.R_h", low, high)
        with pytest.raises(ParameterError, match=r"log10_R_h"):
            model.check_limits("galaxy.log10_R_h", np.log10(low), np.log10(high))
    # a normal prior of the logarithm has no ends
    model.check_limits("galaxy.log10_R_h", -np.inf, np.inf)
    model.check_limits("galaxy.log10_R_h", 2.0, np.inf)
    model.check_limits("galaxy.R_h", 1.0, 4e8)
    wide = replace(model, grid=RigidityGrid(highest=1e10))
    wide.check_value("galaxy.R_h", 1e9)


@pytest.mark.parametrize("value", [0.1, 0.02, -4.0])
def test_a_halo_thinner_than_the_disc_is_refused(value, model):
    with pytest.raises(ConfigError, match="half_height") as caught:
        load_galaxy("plain-diffusion", {"half_height": value})
    assert str(value) in str(caught.value)
    with pytest.raises(ParameterError, match=r"galaxy\.half_height"):
        model.check_value("galaxy.half_height", value)
    with pytest.raises(ParameterError, match=r"galaxy\.half_height"):
        model.check_limits("galaxy.half_height", value, 10.0)


def test_bad_priors_are_refused_in_a_configuration(small_content, build):
    for name, prior, match in (
        ("log10_R_h", {"prior": "uniform", "low": -1.0, "high": 3.0}, "log10_R_h"),
        ("half_height", {"prior": "uniform", "low": 0.05, "high": 3.0}, "half_height"),
        ("D0", {"prior": "uniform", "low": -1e28, "high": 1e29}, "D0"),
    ):
        content = small_content()
        content["parameters"]["galaxy"] = {name: prior}
        with pytest.raises(ParameterError, match=match) as caught:
            build(content)
        assert caught.value.remedy
    content = small_content()
    content["galaxy"]["R_h"] = 0.1
    with pytest.raises(ModelError, match=r"galaxy\.R_h"):
        build(content)


def test_a_table_with_a_hole_is_refused(tmp_path):
    """A production table without some channels, and without saying where to take them from."""
    text = nuclear_sets()["evoli2019"].read_text().splitlines()
    header = list(itertools.takewhile(lambda line: line.startswith("#"), text))
    body = text[len(header) :]
    lost = [line for line in body if not line.startswith("C12 B11")]
    assert len(lost) < len(body)
    path = tmp_path / "hole.ecsv"
    path.write_text("\n".join([*header, *lost]) + "\n")
    with pytest.raises((ConfigError, DataError), match="C12 -> B11"):
        load_galaxy("plain-diffusion", {"production": str(path)})


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("galaxy.log10_D0", 270.0, 290.0),
        ("galaxy.D0", 3.7, 3.7),
        ("galaxy.delta", 0.2, 5.0),
        ("galaxy.eta", 50.0, 50.0),
    ],
)
def test_a_diffusion_coefficient_that_cannot_be_meant_is_refused(name, low, high):
    with pytest.raises(ParameterError) as caught:
        check_diffusion(name, low, high)
    assert name in caught.value.problem
    assert f"{low:g}" in caught.value.problem
    assert "cm2/s" in caught.value.remedy


def test_unbounded_priors_of_diffusion_are_left_alone():
    check_diffusion("galaxy.delta", -np.inf, np.inf)
    check_diffusion("galaxy.log10_D0", 28.0, np.inf)
    check_diffusion("galaxy.half_height", 1.0, 100.0)
