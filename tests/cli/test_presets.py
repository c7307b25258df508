"""stellarcr presets, and stellarcr spectrum --preset."""

import json

import pytest

from stellarcr.data.galaxy_presets import galaxy_presets, load_galaxy
from stellarcr.populations.reference import POPULATION_KINDS

OWN = """
name = "mine"
D0 = 6.0e28
delta = 0.5
R_h = 250.0
delta_h = 0.3
eta = 1.0
half_height = 5.0
hydrogen_column = 8.9e20
geometry = "slab"
[sources]
D0 = "a fit of mine"
"""


@pytest.fixture
def spectrum(stellarcr):
    """Return a function that gives the fluxes of helium at 1 TV as `spectrum --json` prints them."""

    def run(*arguments):
        result = stellarcr("spectrum", *arguments, "--json", "--species", "He", "--at", "1000")
        assert (result.code, result.err) == (0, "")
        return {name: values[0] for name, values in json.loads(result.out)["flux"]["He"].items()}

    return run


@pytest.fixture
def own(tmp_path):
    """Write a preset into the working folder; return its name there."""
    (tmp_path / "work" / "mine.toml").write_text(OWN)
    return "mine.toml"


def test_list(stellarcr):
    listed = {entry["name"]: entry for entry in json.loads(stellarcr("presets", "--json").out)}
    assert set(listed) == set(galaxy_presets())
    for name, entry in listed.items():
        galaxy = load_galaxy(name)
        for key in ("D0", "delta", "R_h", "delta_h", "half_height", "production"):
            assert entry[key] == getattr(galaxy, key)
        assert entry["source"]
    text = stellarcr("presets").out
    assert all(name in text for name in listed)
    assert "[cm2/s]" in text


def test_a_preset_replaces_the_whole_section(stellarcr, spectrum, write_config, own):
    """The configuration has a slab without fragments; nothing of that stays."""
    config = write_config()
    same = write_config('preset = "plain-diffusion"\nproduction = "none"\ngeometry = "slab"', "", name="plain.toml")
    assert spectrum(config, "--preset", "plain-diffusion") == spectrum(same)
    assert spectrum(config, "--preset", "plain-diffusion")["total"] != spectrum(config)["total"]
    replaced = 'D0 = 6.0e28\ndelta = 0.5\nR_h = 250.0\ndelta_h = 0.3\nhalf_height = 5.0\ngeometry = "slab"\n'
    by_hand = write_config('geometry = "slab"\n', f'{replaced}inelastic = "letaw1983"\n', name="hand.toml")
    assert spectrum(config, "--preset", own) == pytest.approx(spectrum(by_hand), rel=1e-9)


def test_parameters_of_the_propagation_go_too(spectrum, write_config, own):
    """Values of a fit of the propagation must not change a preset that is asked for by name."""
    prior = '[parameters.galaxy]\nD0 = { prior = "uniform", low = 1e28, high = 9e28, value = 2e28 }\ndelta = 0.4\n'
    fitted = write_config("[likelihoods.ams02]", f"{prior}[likelihoods.ams02]", name="fitted.toml")
    assert spectrum(fitted)["total"] != spectrum(write_config())["total"]
    assert spectrum(fitted, "--preset", own) == spectrum(write_config(), "--preset", own)


def test_set_changes_what_the_preset_says(spectrum, write_config, own):
    near, far = (
        spectrum(write_config(), "--preset", own, "--set", f"galaxy.D0={value}")["total"] for value in (6e28, 1.2e29)
    )
    assert near == pytest.approx(spectrum(write_config(), "--preset", own)["total"], rel=1e-12)
    assert 0.5 < far / near < 0.55


def test_without_a_configuration_the_reference_populations(spectrum, own):
    found = spectrum("--preset", own)
    assert list(found) == ["total", *(name for name in POPULATION_KINDS if name != "ia")]
    assert all(value > 0 for value in found.values())
    double = spectrum("--preset", own, "--set", "msc.power=8e46")
    assert double["msc"] == pytest.approx(2.0 * found["msc"], rel=1e-9)


@pytest.mark.parametrize("name", ["plain-difusion", "no.toml"])
def test_unknown_preset(name, stellarcr, write_config):
    for arguments in ([write_config()], []):
        result = stellarcr("spectrum", *arguments, "--preset", name)
        assert (result.code, result.out) == (2, "")
        assert all(word in result.err for word in (name, "--preset", "plain-diffusion"))


def test_a_preset_that_lacks_a_key(stellarcr, own, tmp_path):
    (tmp_path / "work" / own).write_text(OWN.replace("delta = 0.5\n", ""))
    result = stellarcr("spectrum", "--preset", own)
    assert result.code == 2
    assert "delta" in result.err
    assert "mine.toml" in result.err
