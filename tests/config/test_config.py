"""Configurations: the shipped ones, nested parameter tables, and the same in Python."""

import numpy as np
import pytest

from stellarcr.config import (
    build_model,
    build_posterior,
    build_space,
    config_from_mapping,
    flatten_parameters,
    load_config,
    load_data,
)
from stellarcr.errors import ConfigError, ParameterError
from stellarcr.infer.priors import prior_from_mapping

SHIPPED = {
    # number of free parameters and of points
    "quickstart": (21, 487),
    "reference": (21, 487),
    "benchmark": (19, 487),
    "snr_only": (13, 487),
    "reference_ia": (22, 487),
    "reference_ia_free": (25, 487),
    "reference_correlated": (21, 487),
    "reference_scales": (24, 487),
    "propagation": (11, 121),
    "joint": (31, 608),
    "stellar": (20, 487),
    "calibration": (7, 123),
}


def built(config):
    model, data = build_model(config), load_data(config)
    return model, data, build_space(config, model, data)


def test_all_shipped_configurations_are_tested(configs):
    assert {path.stem for path in configs.glob("*.toml")} == set(SHIPPED)


# its three full tables take twenty seconds; tests/config/test_stellar.py has it with quick ones
SLOW = ("stellar",)


@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.slow) if n in SLOW else n for n in SHIPPED])
def test_shipped_configurations(name, configs):
    config = load_config(configs / f"{name}.toml")
    model, data, space = built(config)
    assert config.name == name
    assert config.description
    assert (space.n_dim, sum(len(d.values) for d in data)) == SHIPPED[name]
    populations = {"snr_only": 1, "propagation": 1, "calibration": 2, "reference_ia": 5, "reference_ia_free": 5}
    assert len(model.populations) == populations.get(name, 4)
    # every free parameter says where its prior comes from, but for the benchmark, whose source is its description
    rows = [row for row in space.table() if row.kind == "free"]
    assert all(row.source for row in rows) or name == "benchmark"
    assert np.all(np.isfinite(space.log_prior(space.reference()[None, :])))


@pytest.mark.parametrize("name", ["snr_only", "reference_ia"])
def test_they_can_be_sampled(name, configs):
    posterior = build_posterior(load_config(configs / f"{name}.toml"))
    theta = np.concatenate([posterior.reference()[None, :], posterior.sample_prior(np.random.default_rng(0), 3)])
    assert np.all(np.isfinite(posterior.log_posterior(theta)))


def test_quickstart_is_the_reference_with_another_sampler(configs):
    quick, slow = (load_config(configs / f"{name}.toml") for name in ("quickstart", "reference"))
    for key in ("galaxy", "grid", "populations", "parameters", "constraints", "likelihoods"):
        assert getattr(quick, key) == getattr(slow, key)
    assert (quick.sampler["name"], slow.sampler["name"]) == ("emcee", "dynesty")


def test_priors_of_the_reference(reference):
    """The table of priors: bounds in the logarithm where the text says log-uniform."""
    described = {row.name: row for row in reference.space.table()}
    bounds = {
        "snr.log10_power": (47, 50),
        "o_wind.log10_power": (43, 50),
        "wr_wind.log10_power": (43, 50),
        "msc.log10_power": (43, 50),
        "snr.gamma2": (-2.8, -2.1),
        "snr.log10_R_max": (4, 6),
        "o_wind.gamma": (-2.3, -1.7),
        "o_wind.log10_R_max": (4, np.log10(3e5)),
        "wr_wind.log10_R_max": (np.log10(2e4), 6),
        "msc.gamma": (-2.4, -1.7),
        "msc.log10_R_max": (6, np.log10(2e7)),
    }
    priors = {p.name: p.prior for p in reference.space.parameters}
    for name, expected in bounds.items():
        assert priors[name].support == pytest.approx(expected, abs=1e-5)
        assert priors[name].kind == "uniform"
    for element in ("He", "C", "O", "Ne", "Mg", "Si", "S", "Fe"):
        prior = priors[f"snr.abundance.{element}"]
        assert prior.ppf(0.5) == pytest.approx(1.0, rel=1e-12)
        assert np.log(prior.ppf(0.841344746068543)) == pytest.approx(0.5, rel=1e-9)
    assert described["wr_wind.gamma"].kind == "linked"
    assert described["snr.gamma1"].reference == -2.2
    assert described["snr.R_br"].reference == 10.0
    assert priors["ams02.phi"].ppf(0.5) == pytest.approx(0.65)
    assert priors["dampe.phi"].support[0] == 0.0
    assert described["nucleon.phi"].reference == described["lhaaso.phi"].reference == 0.0
    assert {row.reference for name, row in described.items() if name.endswith("energy_scale")} == {1.0}


def test_the_two_winds_are_ordered(reference):
    theta = reference.sample_prior(np.random.default_rng(1), 500)
    o_wind, wr_wind = (theta[:, reference.names.index(f"{name}_wind.log10_R_max")] for name in ("o", "wr"))
    assert np.all(o_wind < wr_wind)
    swapped = theta.copy()
    swapped[:, reference.names.index("o_wind.log10_R_max")] = 5.4
    swapped[:, reference.names.index("wr_wind.log10_R_max")] = 4.5
    assert np.all(reference.log_posterior(swapped) == -np.inf)


@pytest.mark.parametrize(
    "tree",
    [
        {"snr": {"gamma2": {"prior": "uniform", "low": -2.8, "high": -2.1}}},
        {"snr": {"gamma2": {"prior": {"kind": "uniform", "low": -2.8, "high": -2.1}}}},
        {"snr.gamma2": {"prior": "uniform", "low": -2.8, "high": -2.1}},
    ],
)
def test_ways_to_write_a_prior(tree):
    assert flatten_parameters(tree, "") == {"snr.gamma2": {"prior": {"kind": "uniform", "low": -2.8, "high": -2.1}}}


def test_ways_to_write_a_number():
    tree = {"snr": {"gamma1": -2, "abundance": {"He": {"value": 1.1, "source": "here"}}}}
    assert flatten_parameters(tree, "") == {
        "snr.gamma1": {"value": -2.0},
        "snr.abundance.He": {"value": 1.1, "source": "here"},
    }


def test_a_nuisance_in_parameters_replaces_the_files(small_content):
    content = small_content()
    content["parameters"]["ams02"] = {"phi": {"prior": "uniform", "low": 0.2, "high": 0.9}, "normalisation": 1.02}
    _, _, space = built(config_from_mapping(content))
    by_name = {p.name: p for p in space.parameters}
    assert by_name["ams02.phi"].prior.support == (0.2, 0.9)
    assert by_name["ams02.phi"].unit == "GV"
    assert by_name["ams02.normalisation"].value == 1.02
    assert by_name["ams02.energy_scale"].value == 1.0


def test_names_of_sections_are_names_of_components(small_content, build):
    content = small_content()
    content["populations"]["old"] = {"kind": "snr"}
    content["likelihoods"] = {"first": {"file": "ams02", "species": ["H"]}}
    content["parameters"]["old"] = {"power": 1e46}
    posterior = build(content)
    assert "first.phi" in posterior.names
    assert [p.name for p in posterior.model.populations] == ["snr", "old"]


def test_labels_and_units(reference):
    labels = dict(zip(reference.names, reference.labels, strict=True))
    assert labels["snr.log10_power"] == r"\log_{10}(P_{\rm SNR}/{\rm erg\,yr^{-1}})"
    assert labels["msc.log10_R_max"] == r"\log_{10}(R_{\rm max}^{\rm MSC}/{\rm GV})"
    assert labels["ams02.phi"] == r"\phi_{\rm AMS02}"
    units = dict(zip(reference.names, reference.units, strict=True))
    # the logarithm of a number has no unit
    assert (units["snr.log10_power"], units["ams02.phi"], units["snr.gamma2"]) == ("", "GV", "")


@pytest.mark.parametrize("name", ["snr", "galaxy"])
def test_a_likelihood_cannot_have_the_name_of_a_component(name, small_content):
    content = small_content()
    content["likelihoods"][name] = {"file": "dampe"}
    with pytest.raises(ConfigError, match=name):
        config_from_mapping(content)


def test_an_element_that_nothing_injects_cannot_be_fitted(small_content, build):
    content = small_content()
    content["likelihoods"]["ams02"]["species"] = ["H", "B"]
    with pytest.raises(Exception, match="no population injects 'B'") as caught:
        build(content)
    assert "AMS-02_B" in str(caught.value)


def test_one_measurement_cannot_be_fitted_twice(small_content, build):
    content = small_content()
    content["likelihoods"]["again"] = {"file": "ams02", "species": ["H"]}
    with pytest.raises(ConfigError, match="AMS-02 H") as caught:
        build(content)
    assert "again" in str(caught.value)


def test_an_order_of_what_is_fixed_is_refused(small_content, build):
    content = small_content()
    content["constraints"] = [{"order": ["snr.gamma2", "snr.gamma1"]}]
    with pytest.raises(ParameterError, match="fixed"):
        build(content)


def test_runs_keep_group_and_prior_of_every_parameter(configs):
    posterior = build_posterior(load_config(configs / "reference_ia.toml"))
    records = posterior.parameter_records()
    assert tuple(records) == posterior.names
    for prefix, group in (("snr", "populations"), ("ia", "nearby"), ("ams02", "nuisances")):
        found = {r["group"] for name, r in records.items() if name.startswith(f"{prefix}.")}
        assert found <= {group}
        assert found or prefix == "ams02"
    for parameter in posterior.space.parameters:
        if parameter.prior is not None:
            again = prior_from_mapping(records[parameter.name]["prior"])
            assert again.to_mapping() == parameter.prior.to_mapping()
