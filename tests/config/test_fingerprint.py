"""What makes two runs the same problem, and configurations that can be written and read again."""

import tomllib

import numpy as np
import pytest

from stellarcr.config import (
    build_model,
    build_posterior,
    build_space,
    config_from_mapping,
    fingerprint,
    load_config,
    load_data,
    resolved_toml,
)


def parts(content, where=""):
    config = config_from_mapping(content, where)
    model, data = build_model(config), load_data(config)
    return config, model, data, build_space(config, model, data)


def mark(content):
    return fingerprint(*parts(content))


def changed(content, key, value):
    """Set a dotted key of a nested mapping; ``None`` removes it."""
    inner = content
    *path, last = key.split("/")
    for part in path:
        inner = inner.setdefault(part, {})
    if value is None:
        del inner[last]
    else:
        inner[last] = value
    return content


@pytest.fixture(scope="module")
def plain(small_content):
    return mark(small_content())


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("name", "other"),
        ("description", "words"),
        ("seed", 7),
        ("sampler/name", "dynesty"),
        ("sampler/walkers", 100),
        ("output", {"folder": "elsewhere"}),
        ("galaxy/preset", "plain-diffusion"),
        ("galaxy/delta", 0.45),
        ("parameters/snr/gamma1", {"value": -2.2, "source": "a better one"}),
        ("parameters/snr/gamma1", {"value": -2.2, "label": "g"}),
        ("likelihoods/ams02/description", "words"),
        ("likelihoods/ams02/errors", {"systematic": {"total": {"correlation": "uncorrelated", "source": "a paper"}}}),
        ("likelihoods/ams02/nuisances", {"normalisation": {"value": 1.0, "suggested": {"kind": "uniform"}}}),
    ],
)
def test_what_does_not_matter(key, value, plain, small_content):
    assert mark(changed(small_content(), key, value)) == plain


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("galaxy/D0", 4e28),
        ("galaxy/smoothness", 0.1),
        ("galaxy/geometry", "cylinder"),
        ("galaxy/profile", "green2015"),
        ("galaxy/helium_fraction", 0.11),
        ("grid", {"per_decade": 30}),
        ("populations/msc", {}),
        ("populations/snr/composition", "msc"),
        ("populations/snr/isotopes", "given"),
        ("populations/snr/kind", "msc"),
        ("parameters/snr/gamma1", -2.3),
        ("parameters/snr/gamma1", {"prior": "uniform", "low": -2.4, "high": -2.0}),
        ("parameters/snr/gamma1", {"linked": "snr.gamma2"}),
        ("parameters/snr/R_br", 11.0),
        ("parameters/snr/gamma2/low", -2.9),
        ("parameters/snr/gamma2/prior", "log_uniform"),
        ("parameters/ams02", {"phi": 0.6}),
        ("likelihoods/ams02/species", ["H"]),
        ("likelihoods/ams02/range", {"rigidity_min": 30.0}),
        ("likelihoods/ams02/range", {"rigidity_max": 500.0}),
        ("likelihoods/ams02/nuisances", {"phi": {"value": 0.6}}),
        ("likelihoods/ams02/nuisances", {"normalisation": {"value": 1.01}}),
        ("likelihoods/ams02/errors", {"systematic": {"total": {"correlation": "length", "length": 0.3}}}),
        ("likelihoods/dampe", {}),
    ],
)
def test_what_does_matter(key, value, plain, small_content):
    content = changed(small_content(), key, value)
    if key == "populations/snr/kind":
        # same numbers of the same elements, another shape
        content["parameters"]["snr"] = {"gamma": -2.0, "log10_power": content["parameters"]["snr"]["log10_power"]}
        same = changed(small_content(), key, "snr")
        same["parameters"]["snr"] = {"log10_power": content["parameters"]["snr"]["log10_power"]}
        plain = mark(same)
    if value == "log_uniform":
        content["parameters"]["snr"]["gamma2"] = {"prior": "log_uniform", "low": 1.0, "high": 2.0}
        other = small_content()
        other["parameters"]["snr"]["gamma2"] = {"prior": "uniform", "low": 1.0, "high": 2.0}
        plain = mark(other)
    assert mark(content) != plain


def test_the_cross_sections_matter(small_content):
    sets = [
        {"production": "none"},
        {"production": "evoli2019", "inelastic": "letaw1983"},
        {"production": "evoli2019", "inelastic": "tripathi1999"},
        {"production": "webber2003", "inelastic": "tripathi1999"},
    ]
    assert len({mark({**small_content(), "galaxy": some}) for some in sets}) == len(sets)


def test_the_kind_matters_through_its_defaults(small_content):
    """Two kinds with one shape and one composition differ in the cutoff that nobody wrote down."""
    content = small_content()
    content["populations"]["wind"] = {"kind": "o_wind", "composition": "msc"}
    other = changed(small_content(), "populations/wind", {"kind": "wr_wind", "composition": "msc"})
    assert mark(content) != mark(other)


def test_an_order_matters(reference_content):
    content = reference_content()
    assert "constraints" in content
    ordered = mark(content)
    del content["constraints"]
    assert mark(content) != ordered


def test_the_explosion_model_matters(small_content):
    content = small_content()
    content["populations"]["ia"] = {}
    other = changed(small_content(), "populations/ia", {"yields": "N10"})
    assert mark(content) != mark(other)


def test_the_data_matter(tmp_path, small_content, write_table):
    edges, flux = np.array([20.0, 40.0, 80.0]), np.array([1.0, 0.2])
    path = tmp_path / "toy.toml"
    path.write_text('experiment = "TOY"\nspecies = ["H"]\nfolder = "tables"\n')
    content = small_content()
    content["likelihoods"] = {"toy": {"file": str(path)}}
    write_table("mine", "H", edges[:-1], edges[1:], flux, 0.1 * flux)
    before = mark(content)
    write_table("mine", "H", edges[:-1], edges[1:], 1.001 * flux, 0.1 * flux)
    assert mark(content) != before


# ---------------------------------------------------------------------- the resolved configuration


def resolved(content):
    config, model, data, _ = parts(content)
    return tomllib.loads(resolved_toml(config, model, data))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("name", "small"),
        ("galaxy/D0", 4e28),
        ("populations/twin", {"kind": "msc", "composition": "snr"}),
        ("likelihoods/ams02/range", {"rigidity_max": 500.0}),
        ("likelihoods/ams02/nuisances", {"phi": {"value": 0.6, "unit": "GV"}}),
        ("likelihoods/ams02/nuisances", {"phi": {"prior": {"kind": "uniform", "low": 0.1, "high": 1.0}}}),
        ("likelihoods/ams02/errors", {"systematic": {"total": {"correlation": "length", "length": 0.3}}}),
        ("likelihoods/lhaaso", {"hadronic_model": "SIBYLL-2.3d"}),
        ("likelihoods/lhaaso", {"errors": {"difference": False}}),
        ("parameters/ams02", {"phi": 0.6}),
        ("sampler/max_time", 10.5),
    ],
)
def test_resolved_text_is_the_same_problem(key, value, small_content):
    content = changed(small_content(), key, value)
    again = resolved(content)
    assert mark(again) == mark(content)
    # and settled: resolving it once more changes nothing
    assert resolved(again) == again


def test_resolved_text_spells_out_defaults(small_content):
    again = resolved(small_content())
    assert again["galaxy"]["D0"] == 3.7e28
    assert again["grid"]["per_decade"] == 20
    assert again["seed"] == 1
    assert again["likelihoods"]["ams02"]["nuisances"]["phi"]["prior"]["kind"] == "truncated_normal"
    assert again["likelihoods"]["ams02"]["range"]["rigidity_min"] == 20.0


def test_resolved_text_lifts_a_limit_that_the_file_sets(tmp_path, small_content, write_table):
    edges, flux = np.geomspace(20.0, 320.0, 5), np.geomspace(1.0, 1e-3, 4)
    write_table("mine", "H", edges[:-1], edges[1:], flux, 0.1 * flux)
    path = tmp_path / "toy.toml"
    path.write_text('experiment = "TOY"\nspecies = ["H"]\nfolder = "tables"\n[range]\nrigidity_max = 100.0\n')
    content = small_content()
    content["likelihoods"] = {"toy": {"file": str(path), "range": {"rigidity_max": float("inf")}}}
    assert mark(resolved(content)) == mark(content)


def test_resolved_text_finds_files_from_anywhere(tmp_path, monkeypatch, small_content, write_table, configs):
    """A run folder keeps the text; paths in it must not depend on where it lies."""
    edges, flux = np.geomspace(20.0, 320.0, 5), np.geomspace(1.0, 1e-3, 4)
    write_table("mine", "H", edges[:-1], edges[1:], flux, 0.1 * flux)
    (tmp_path / "toy.toml").write_text('experiment = "TOY"\nspecies = ["H"]\nfolder = "tables"\n')
    preset = (configs.parents[1] / "datasets" / "galaxy" / "plain-diffusion.toml").read_text()
    (tmp_path / "mine.toml").write_text(preset.replace("half_height = 4.0", "half_height = 5.0"))
    content = small_content()
    content["likelihoods"] = {"toy": {"file": "toy.toml"}}
    content["galaxy"] = {"preset": "mine.toml"}
    monkeypatch.chdir(tmp_path.parent)
    built = parts(content, str(tmp_path / "run.toml"))
    assert built[1].galaxy.half_height == 5.0
    elsewhere = tmp_path / "chains" / "run"
    elsewhere.mkdir(parents=True)
    (elsewhere / "config.toml").write_text(resolved_toml(*built[:3]))
    again = load_config(elsewhere / "config.toml")
    assert build_posterior(again).fingerprint == fingerprint(*built)


def test_a_run_from_before_there_were_cross_sections_follows_no_fragments(small_content):
    """Its text names a preset that follows them today."""
    content = {**small_content(), "galaxy": {"production": "none"}}
    old = resolved(content)
    del old["galaxy"]["production"], old["galaxy"]["inelastic"]
    assert old["galaxy"]["preset"] == "plain-diffusion"
    assert mark(old) == mark(content) != mark({**content, "galaxy": {}})


PROFILE = """# %ECSV 1.0
# ---
# datatype:
# - {name: radius, unit: kpc, datatype: float64}
# - {name: density, datatype: float64}
radius density
0 1
10 1
20 0
"""


def test_resolved_text_finds_the_profile_of_a_preset(tmp_path, small_content, configs):
    """The table lies beside the preset, not beside the run."""
    (tmp_path / "profile.ecsv").write_text(PROFILE)
    preset = (configs.parents[1] / "datasets" / "galaxy" / "plain-diffusion.toml").read_text()
    lines = [line for line in preset.splitlines() if not line.startswith("profile")]
    (tmp_path / "mine.toml").write_text("\n".join(['profile = "profile.ecsv"', *lines]))
    content = {**small_content(), "galaxy": {"preset": str(tmp_path / "mine.toml")}}
    elsewhere = tmp_path / "chains" / "config.toml"
    elsewhere.parent.mkdir()
    elsewhere.write_text(resolved_toml(*parts(content)[:3]))
    again = load_config(elsewhere)
    built = build_model(again), load_data(again)
    assert fingerprint(again, *built, build_space(again, *built)) == mark(content) != mark(small_content())
