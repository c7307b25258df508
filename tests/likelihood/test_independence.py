"""Sums beside what they are made of; energy scales that published errors contain."""

import pytest

from stellarcr.config import build_posterior, config_from_mapping
from stellarcr.config.building import load_data
from stellarcr.errors import ConfigError
from stellarcr.likelihood.ratio import check_independence
from stellarcr.likelihood.schema import likelihood_files, merge
from stellarcr.studies.check import model_warnings


@pytest.fixture
def check(small_content):
    """Return a function that reads likelihoods and checks that none follows from others."""

    def run(**likelihoods):
        content = small_content()
        content["likelihoods"] = likelihoods
        check_independence(load_data(config_from_mapping(content)))

    return run


@pytest.mark.parametrize(
    ("likelihoods", "culprits"),
    [
        ({"lhaaso": {}, "lhaaso_phe": {}}, ("LHAASO_pHe", "LHAASO_H_", "LHAASO_He_", "'lhaaso_phe'")),
        ({"lhaaso_phe": {}, "lhaaso": {}}, ("LHAASO_pHe", "LHAASO_H_", "LHAASO_He_", "'lhaaso'")),
        ({"lhaaso": {"species": ["H", "p+He", "He"]}}, ("LHAASO_pHe", "LHAASO_H_", "LHAASO_He_")),
        ({"dampe": {}, "dampe_phe": {}}, ("DAMPE_pHe", "DAMPE_H ", "DAMPE_He ")),
        # helium from protons and a ratio
        (
            {"nucleon": {"species": ["H"]}, "other": {"file": "nucleon", "species": ["H/He"], "axis": "R",
             "errors": {"systematic": {"total": {"correlation": "uncorrelated", "relative": 0.1}}}},
             "sums": {"file": "nucleon", "species": ["all"]},
             "rest": {"file": "nucleon", "species": ["O", "Si", "Fe"]}},
            ("NUCLEON_all", "NUCLEON_H_over_He", "NUCLEON_O ", "rare elements"),
        ),
        ({"nucleon": {"species": ["H", "He", "C", "Mg", "Fe", "all"]}}, ("NUCLEON_all", "NUCLEON_Mg", "rare elements")),
    ],
)  # fmt: skip
def test_a_sum_beside_all_of_its_parts_is_refused(check, likelihoods, culprits):
    with pytest.raises(ConfigError, match="count the same nuclei twice") as caught:
        check(**likelihoods)
    assert all(culprit in caught.value.problem for culprit in culprits)
    assert "'species'" in caught.value.remedy


@pytest.mark.parametrize(
    "likelihoods",
    [
        {"lhaaso": {}, "lhaaso_all": {}, "lhaaso_lna": {}},
        {"lhaaso": {"species": ["H"]}, "lhaaso_phe": {}, "lhaaso_all": {}, "lhaaso_lna": {}},
        {"dampe": {"species": ["C", "O", "Fe"]}, "dampe_phe": {}},
        {"dampe": {"species": ["H", "C", "O", "Fe"]}, "dampe_phe": {}},
        {"nucleon": {"species": ["H", "He", "Fe", "all"]}},
        # of different experiments
        {"dampe": {}, "lhaaso_phe": {}},
    ],
)
def test_a_sum_beside_some_of_its_parts_is_allowed(check, likelihoods):
    check(**likelihoods)


def test_the_same_log_mass_twice(small_content):
    content = small_content()
    content["likelihoods"] = {"lhaaso_lna": {}, "again": {"file": "lhaaso_lna"}}
    with pytest.raises(ConfigError, match="LHAASO lnA is fitted twice"):
        build_posterior(config_from_mapping(content))


PRIOR = {"kind": "normal", "mean": 1.0, "standard_deviation": 0.02}


@pytest.mark.parametrize("key", ["ams02", "ams02_ratios"])
@pytest.mark.parametrize("where", ["likelihood", "parameters", "linked"])
def test_an_energy_scale_in_the_published_errors_is_not_counted_twice(small_content, key, where):
    content = small_content()
    content["likelihoods"] = {key: {"species": ["H"]} if key == "ams02" else {"species": ["H/He"]}}
    if where == "likelihood":
        content["likelihoods"][key]["nuisances"] = {"energy_scale": {"prior": PRIOR}}
    elif where == "parameters":
        content["parameters"][key] = {"energy_scale": {"prior": PRIOR}}
    else:
        content["likelihoods"]["dampe"] = {"species": ["H"], "nuisances": {"energy_scale": {"prior": PRIOR}}}
        content["parameters"][key] = {"energy_scale": {"linked": "dampe.energy_scale"}}
    with pytest.raises(ConfigError, match=rf"{key}\.energy_scale is free") as caught:
        build_posterior(config_from_mapping(content))
    assert "AMS-02" in caught.value.problem
    assert "counted twice" in caught.value.problem
    assert "allow_double_counting = true" in caught.value.remedy
    if key == "ams02":
        assert "the rigidity scale included" in caught.value.problem  # the table's own words


def test_who_asks_for_it_is_warned(small_content):
    content = small_content()
    content["likelihoods"]["ams02"]["nuisances"] = {"energy_scale": {"prior": PRIOR, "allow_double_counting": True}}
    posterior = build_posterior(config_from_mapping(content))
    assert "ams02.energy_scale" in posterior.names
    (warning,) = [message for message in model_warnings(posterior) if "counted twice" in message]
    assert warning.startswith("warning: ams02.energy_scale is free")


def test_a_fixed_scale_and_other_experiments_are_free_to_choose(small_content):
    content = small_content()
    content["parameters"]["ams02"] = {"energy_scale": 1.01}
    content["likelihoods"]["dampe"] = {"species": ["H"], "nuisances": {"energy_scale": {"prior": PRIOR}}}
    posterior = build_posterior(config_from_mapping(content))
    assert not [message for message in model_warnings(posterior) if "twice" in message]


def test_what_tables_contain_stays_when_a_nuisance_is_given_anew():
    old = {"nuisances": {"energy_scale": {"value": 1.0, "published_systematics_contain_it": True, "source": "old"}}}
    new = merge(old, {"nuisances": {"energy_scale": {"prior": PRIOR}}})
    assert new["nuisances"]["energy_scale"] == {"prior": PRIOR, "published_systematics_contain_it": True}
    said = merge(old, {"nuisances": {"energy_scale": {"prior": PRIOR, "published_systematics_contain_it": False}}})
    assert said["nuisances"]["energy_scale"]["published_systematics_contain_it"] is False


def test_flags_are_those_of_the_tables(small_content):
    content = small_content()
    content["likelihoods"] = {key: {} for key in likelihood_files()}
    for data in load_data(config_from_mapping(content)):
        said = [text for table in data.tables for text in table.metadata["systematics"].values() if "scale" in text]
        flag = data.file.nuisances.energy_scale.published_systematics_contain_it
        # of AMS-02's ratios the tables say nothing; the file names its source
        assert flag == bool(said) or (data.key == "ams02_ratios" and "USINE" in data.file.nuisances.energy_scale.source)
