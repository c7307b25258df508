"""The section [nearby], the kind nearby, and the options of a release."""

import copy

import numpy as np
import pytest

from stellarcr.config import build_model, build_posterior, config_from_mapping, load_config
from stellarcr.config.records import resolved_toml
from stellarcr.errors import ConfigError, ParameterError
from stellarcr.populations.release import Release

TABLE = """# %ECSV 1.0
# ---
# datatype:
# - {name: name, datatype: string}
# - {name: distance, unit: kpc, datatype: float64}
# - {name: age, unit: yr, datatype: float64}
# - {name: type, datatype: string}
# - {name: energy, unit: erg, datatype: float64}
# - {name: R_max, unit: TV, datatype: float64}
# - {name: duration, unit: yr, datatype: float64}
# - {name: longitude, unit: deg, datatype: float64}
# - {name: reference, datatype: string}
# meta: !!omap
# - {schema: stellarcr-nearby/1}
# schema: astropy-2.0
name distance age type energy R_max duration longitude reference
first_one 0.4 30000.0 cc 1e50 20.0 10000.0 75.0 "made up, for a test"
second 1.2 80000.0 ia 5e50 "" "" "" "made up, for a test"
"""


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "sources.ecsv"
    path.write_text(TABLE)
    return path


@pytest.fixture
def content(small_content, table):
    return {**small_content(), "nearby": {"table": str(table)}}


def model(content):
    return build_model(config_from_mapping(content))


def test_one_population_for_each_row(content):
    built = model(content)
    assert [p.name for p in built.populations] == ["snr", "first_one", "second"]
    first, second = built.populations[1:]
    assert (first.place, first.release, second.release) == ("nearby", Release("continuous"), Release())
    defaults = {info.name: info.default for info in first.parameters}
    assert defaults == {"energy": 1e50, "gamma": -2.0, "R_max": 2e4, "age": 3e4, "distance": 0.4, "duration": 1e4}
    assert {info.source for info in first.parameters} >= {"made up, for a test"}
    assert next(i for i in first.parameters if i.name == "gamma").source.startswith("project choice")
    assert first.elements == build_model(config_from_mapping(content)).population("snr").elements
    assert "H" not in second.elements
    assert first.metadata == {"type": "cc", "reference": "made up, for a test", "longitude": "75.0"}


def test_a_subset_and_common_options(content):
    content["nearby"] |= {"names": ["second"], "boundary": "halo", "gas_density": 0.2, "yields": "N40"}
    built = model(content)
    second = built.populations[1]
    assert [p.name for p in built.populations] == ["snr", "second"]
    assert second.release == Release("burst", "halo", gas=True)
    assert built.parameters["second.gas_density"].default == 0.2
    assert second.composition.name == "type_ia_N40"


def test_the_shipped_table_is_the_kind_ia(small_content):
    content = small_content()
    content["populations"]["ia"] = {}
    content["nearby"] = {"table": "qiu2026"}
    flux = model(content).flux({}, "Fe", np.geomspace(10.0, 1e6, 6))
    np.testing.assert_array_equal(flux["nearby_ia"], flux["ia"])
    assert np.all(flux["ia"] > 0)


def test_a_file_beside_the_configuration(write_config, table):
    path = write_config(add='\n[nearby]\ntable = "sources.ecsv"\n')
    config = load_config(path)
    assert config.nearby.table == str(table)
    posterior = build_posterior(config)
    again = path.with_name("resolved.toml")
    again.write_text(resolved_toml(config, posterior.model, []))
    assert [p.name for p in build_model(load_config(again)).populations] == ["snr", "first_one", "second"]


def test_numbers_of_the_table_may_be_free(content, build):
    content["parameters"]["second"] = {"log10_age": {"prior": "uniform", "low": 4.0, "high": 6.0}}
    posterior = build(content)
    assert "second.log10_age" in posterior.names
    assert np.all(np.isfinite(posterior.log_posterior(posterior.sample_prior(np.random.default_rng(1), 3))))


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"table": "nowhere.ecsv"}, "no such file"),
        ({"table": "qiu2025"}, "qiu2025.ecsv"),
        ({"names": ["third"]}, "no source 'third'"),
        ({"names": []}, "names"),
        ({"boundary": "wall"}, "boundary"),
        ({"gas_density": -1.0}, "gas_density"),
        ({"isotopes": "all"}, "isotopes = 'all'"),
        ({"yields": "N101"}, "N101"),
        ({"tabel": "x"}, "tabel"),
    ],
)
def test_what_is_refused(changes, problem, content):
    content["nearby"] |= changes
    with pytest.raises(ConfigError) as caught:
        model(content)
    assert problem in str(caught.value)
    assert "nearby" in str(caught.value)
    assert caught.value.remedy


@pytest.mark.parametrize(("kind", "name"), [("populations", "second"), ("likelihoods", "first_one")])
def test_a_name_that_is_taken_is_refused(kind, name, content):
    content[kind][name] = {"kind": "ia"} if kind == "populations" else {"file": "dampe"}
    with pytest.raises(ConfigError, match=rf"'{name}' has the name of \[{kind}.{name}\]") as caught:
        model(content)
    assert "sources.ecsv" in caught.value.where
    assert "[nearby]" in caught.value.where


# ---------------------------------------------------------------------- kinds and options


def test_the_kind_nearby_needs_a_composition(small_content):
    content = small_content()
    content["populations"]["nearby"] = {}
    with pytest.raises(ConfigError, match="the kind 'nearby' has no default") as caught:
        model(content)
    assert "'snr'" in caught.value.remedy
    content["populations"]["nearby"] = {"composition": "snr", "options": {"release": "continuous"}}
    built = model(content)
    assert built.population("nearby").release == Release("continuous")
    assert built.parameters["nearby.duration"].default == built.parameters["nearby.age"].default


def test_without_options_ia_stays_as_it_is(small_content, build):
    content = small_content()
    content["populations"]["ia"] = {}
    plain = build(content)
    assert plain.model.population("ia").release is None
    content["populations"]["ia"] = {"options": {"boundary": "free", "release": "burst", "gas_density": 0.0}}
    assert build(content).fingerprint == plain.fingerprint


def test_options_change_the_fingerprint_and_the_flux(small_content, build):
    found = {}
    for options in (
        {}, {"boundary": "halo"}, {"release": "continuous"}, {"release": "continuous", "duration": 1e4},
        {"gas_density": 0.3},
    ):  # fmt: skip
        content = small_content()
        content["populations"]["ia"] = {"options": copy.copy(options)}
        posterior = build(content)
        flux = posterior.model.flux({"ia.age": 2e6}, "Fe", np.array([3e4]))["ia"][0]
        found[posterior.fingerprint] = flux
    assert len(found) == 5
    assert len(set(found.values())) == 5


@pytest.mark.parametrize(
    ("options", "problem", "remedy"),
    [
        ({"boundry": "halo"}, "no option 'boundry'", "boundary"),
        ({"boundary": "hallo"}, "boundary = 'hallo'", "halo"),
        ({"release": "bursts"}, "release = 'bursts'", "burst"),
        ({"duration": 1e4}, "a burst has none", "continuous"),
        ({"release": "continuous", "duration": 0}, "duration = 0 ", "yr"),
        ({"gas_density": -0.1}, "gas_density = -0.1", "1/cm3"),
        ({"gas_density": "much"}, "gas_density = 'much'", "1/cm3"),
    ],
)
def test_wrong_options_are_refused(options, problem, remedy, small_content):
    content = small_content()
    content["populations"]["ia"] = {"options": options}
    with pytest.raises(ConfigError) as caught:
        model(content)
    assert problem in caught.value.problem
    assert remedy in caught.value.remedy
    assert "[populations.ia]" in caught.value.where


def test_a_source_that_light_has_not_reached_from_is_refused(small_content, build):
    content = small_content()
    content["populations"]["ia"] = {}
    content["parameters"]["ia"] = {"age": 2e3}
    content["likelihoods"] = {"ams02": {"species": ["Fe"]}}
    with pytest.raises(ParameterError, match="2000 yr is less than light needs from its distance of 1 kpc"):
        build(content)
