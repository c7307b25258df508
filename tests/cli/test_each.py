"""One configuration fitted for each of several values of a key."""

import tomllib

import pytest

from stellarcr.errors import ConfigError
from stellarcr.infer.runs import read_run
from stellarcr.studies.variants import variants

KNEE = """
name = "knee"
[galaxy]
preset = "plain-diffusion"
production = "none"
geometry = "slab"
[populations.snr]
[parameters.snr]
log10_power = { prior = "uniform", low = 46.0, high = 50.0, value = 48.0 }
gamma2 = -2.45
log10_R_max = { prior = "uniform", low = 5.0, high = 7.5, value = 6.5 }
[likelihoods.lhaaso]
[sampler]
name = "map"
starts = 2
"""


def test_every_hadronic_model(stellarcr, tmp_path):
    path = tmp_path / "knee.toml"
    path.write_text(KNEE)
    models = ["EPOS-LHC", "QGSJET-II-04"]
    result = stellarcr("run", path, "--quiet", "--each", f"likelihoods.lhaaso.hadronic_model={','.join(models)}")
    assert result.code == 0, result.err
    runs = [read_run(tmp_path / "work" / "chains" / f"knee.{model}") for model in models]
    for run, model in zip(runs, models, strict=True):
        content = tomllib.loads((run.path / "config.toml").read_text())
        assert content["likelihoods"]["lhaaso"]["hadronic_model"] == model
        assert str(run.path.name) in result.out
    assert runs[0].manifest["data_hashes"].keys() != runs[1].manifest["data_hashes"].keys()


def test_a_mistake_in_the_last_value_is_found_before_the_first_fit(stellarcr, tmp_path):
    path = tmp_path / "knee.toml"
    path.write_text(KNEE)
    result = stellarcr("run", path, "--quiet", "--each", "seed=1,x")
    assert result.code != 0
    assert "seed = 'x'" in result.err
    assert not (tmp_path / "work" / "chains").exists()


def test_values_are_numbers_where_they_can_be():
    content = {"name": "one", "likelihoods": {"ams02": {"range": {"rigidity_min": 20.0}}}}
    low, high = variants(content, "likelihoods.ams02.range.rigidity_min = 30, 45.5")
    assert (low["name"], high["name"]) == ("one.30", "one.45.5")
    assert low["likelihoods"]["ams02"]["range"] == {"rigidity_min": 30}
    assert high["likelihoods"]["ams02"]["range"] == {"rigidity_min": 45.5}
    assert content["likelihoods"]["ams02"]["range"] == {"rigidity_min": 20.0}


@pytest.mark.parametrize("text", ["likelihoods.lhaaso", "key=", "key=1", "key=1,1", "=1,2", "key=1,,2"])
def test_what_is_no_choice_is_refused(text):
    with pytest.raises(ConfigError, match="--each") as caught:
        variants({"name": "one", "likelihoods": {"lhaaso": {}}}, text)
    assert "VALUE,VALUE" in caught.value.remedy


def test_a_misspelled_section_is_shown_the_right_one():
    with pytest.raises(ConfigError, match=r"no section 'likelihoods\.lhaso'") as caught:
        variants({"name": "one", "likelihoods": {"lhaaso": {}}}, "likelihoods.lhaso.hadronic_model=A,B", "one.toml")
    assert "'lhaaso'" in caught.value.remedy
    assert caught.value.where == "one.toml"
