"""Stellar populations in configurations: options, boxes and priors, a user's own grid and recipe, efficiencies."""

import shutil
import tomllib
from dataclasses import replace

import numpy as np
import pytest

from stellarcr.config import build_model, build_posterior, config_from_mapping, load_config, resolved_toml
from stellarcr.config.building import load_data
from stellarcr.data.stellar_tables import grid_file
from stellarcr.errors import ConfigError, ParameterError, StellarcrError

pytestmark = pytest.mark.usefixtures("one_thread")

OPTIONS = "age_limit = 5e5, eta_B_range = [0.01, 0.1], gamma_range = [-2.3, -1.9]"
CONFIG = f"""
name = "young"
[galaxy]
geometry = "slab"
[populations.msc]
spectrum = "stellar"
options = {{ {OPTIONS} }}
[parameters.msc]
log10_power = {{ prior = "uniform", low = 46.0, high = 50.0, value = 48.0 }}
eta_B = {{ prior = "log_uniform", low = 0.01, high = 0.1, value = 0.05 }}
gamma = -2.1
[likelihoods.ams02]
species = ["H", "He"]
[sampler]
name = "map"
starts = 1
"""
RECIPE = """
def fast(surface):
    return 3000.0 + 0.0 * surface.luminosity
"""


@pytest.fixture
def write(tmp_path):
    """Write the configuration with pieces of its text replaced."""

    def written(*changes, folder="mine"):
        text = CONFIG
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        path = tmp_path / folder / "run.toml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return path

    return written


def built(path):
    return build_posterior(load_config(path))


def test_a_posterior(write):
    posterior = built(write())
    theta = np.concatenate([posterior.reference()[None, :], posterior.sample_prior(np.random.default_rng(0), 4)])
    assert posterior.names[:2] == ("msc.log10_power", "msc.eta_B")
    assert np.all(np.isfinite(posterior.log_posterior(theta)))
    # outside the prior, and the box
    theta[0, 1] = 0.2
    assert posterior.log_posterior(theta)[0] == -np.inf


def test_all_three_kinds_together_under_other_names(write):
    path = write(
        ("[populations.msc]\n", '[populations.young]\nkind = "msc"\n'), ("[parameters.msc]", "[parameters.young]")
    )
    posterior = built(path)
    assert [p.name for p in posterior.model.populations] == ["young"]
    assert posterior.names[0] == "young.log10_power"


def test_the_shipped_configuration_with_quick_tables(configs):
    content = tomllib.loads((configs / "stellar.toml").read_text())
    quick = {
        "o_wind": {"age_limit": 5e5, "M_up": 60.0},
        "wr_wind": {"grid": "genec-z014-v00", "M_up": 50.0},
        "msc": {"age_limit": 1e6},
    }
    for name, options in quick.items():
        content["populations"][name]["options"] = options
    posterior = build_posterior(config_from_mapping(content))
    assert {f"{name}.log10_power" for name in quick} < set(posterior.names)
    assert {"o_wind.eta_B", "o_wind.gamma", "msc.eta_B", "msc.gamma"} < set(posterior.names)
    theta = np.concatenate([posterior.reference()[None, :], posterior.sample_prior(np.random.default_rng(0), 20)])
    assert np.all(np.isfinite(posterior.log_posterior(theta)))


# --- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "problem", "remedy"),
    [
        ("age_limit = 5e5", "age_limt = 5e5", "unknown option 'age_limt'", "'age_limit'"),
        ("age_limit = 5e5", 'age_limit = "5e5"', "age_limit = '5e5'", "yr"),
        ("age_limit = 5e5", "M_up = 400", "M_up = 400", "up to 300"),
        ("age_limit = 5e5", 'grid = "mist-v1"', "unknown grid of tracks 'mist-v1'", "mist-v1.0-vvcrit0.4"),
        ("age_limit = 5e5", 'grid = "none.h5"', "no such file", "path"),
        ("age_limit = 5e5", 'recipe = "nugis"', "unknown wind recipe 'nugis'", "'nugis-lamers'"),
        ("age_limit = 5e5", 'recipe = "none.py:f"', "no such file", "path"),
        ("age_limit = 5e5", 'turbulence = "kolmogorv"', "turbulence = 'kolmogorv'", "'kolmogorov'"),
        ("age_limit = 5e5", 'turbulence = "kolmogorov"', "needs a coherence length", "L_c"),
        ("[0.01, 0.1]", "[0.1, 0.01]", "eta_B_range", "lower and the upper"),
        ('spectrum = "stellar"', 'spectrum = "stelar"', "'effective' or 'stellar'", "spectrum"),
        ('spectrum = "stellar"', 'spectrum = "stellar"\ncomposition = "msc"', "composition = 'msc'", "remove"),
        ('spectrum = "stellar"', 'spectrum = "stellar"\nisotopes = "all"', "isotopes = 'all'", "'given'"),
        ('spectrum = "stellar"', 'spectrum = "stellar"\nkind = "snr"', "'snr' has no spectrum", "o_wind"),
        ('spectrum = "stellar"', 'spectrum = "stellar"\nkind = "ia"', "'ia' has no spectrum", "o_wind"),
        ('spectrum = "stellar"', 'spectrum = "stellar"\nkind = "a.py:f"', "has no spectrum", "o_wind"),
        ('spectrum = "stellar"\n', "", "options", ""),
    ],
)
def test_impossible_sections_are_refused(write, old, new, problem, remedy):
    with pytest.raises(ConfigError) as caught:
        built(write((old, new)))
    assert problem in str(caught.value)
    assert remedy in caught.value.remedy
    assert "populations.msc" in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "shown"),
    [
        ("low = 0.01, high = 0.1, value", "low = 0.001, high = 0.1, value", ("msc.eta_B", "0.001", "eta_B_range")),
        ("low = 0.01, high = 0.1, value", "low = 0.01, high = 0.3, value", ("msc.eta_B", "0.3", "eta_B_range")),
        (
            'eta_B = { prior = "log_uniform", low = 0.01, high = 0.1, value = 0.05 }',
            'log10_eta_B = { prior = "uniform", low = -2.5, high = -1.0 }',
            ("msc.log10_eta_B", "-2.5", "-2 to -1", "eta_B_range"),
        ),
        (
            'eta_B = { prior = "log_uniform", low = 0.01, high = 0.1, value = 0.05 }',
            'eta_B = { prior = "normal", mean = 0.05, standard_deviation = 0.01 }',
            ("msc.eta_B", "-inf", "inf", "eta_B_range"),
        ),
        (
            'eta_B = { prior = "log_uniform", low = 0.01, high = 0.1, value = 0.05 }',
            "log10_eta_B = -0.5",
            ("msc.log10_eta_B", "-0.5", "eta_B_range"),
        ),
        ("gamma = -2.1", "gamma = -2.4", ("msc.gamma", "-2.4", "gamma_range", "[populations.msc]")),
        ("gamma = -2.1", 'gamma = { prior = "normal", mean = -2.1, standard_deviation = 0.1 }', ("inf", "gamma_range")),
    ],
)
def test_what_the_table_does_not_reach_is_refused(write, old, new, shown):
    with pytest.raises(ParameterError, match="outside its limits") as caught:
        built(write((old, new)))
    assert all(part in str(caught.value) for part in shown)
    assert "[parameters]" in caught.value.where


def test_log10_names_and_truncated_priors_inside_the_box(write):
    path = write(
        ('eta_B = { prior = "log_uniform", low = 0.01, high = 0.1, value = 0.05 }',
         'log10_eta_B = { prior = "uniform", low = -2.0, high = -1.0, value = -1.3 }'),
        ("gamma = -2.1",
         'gamma = { prior = "truncated_normal", mean = -2.1, standard_deviation = 0.1, low = -2.3, high = -1.9 }'),
    )  # fmt: skip
    posterior = built(path)
    assert posterior.names[:3] == ("msc.log10_power", "msc.log10_eta_B", "msc.gamma")
    assert np.isfinite(posterior.log_posterior(posterior.reference()[None, :]))[0]


def test_a_link_that_leaves_the_box_is_refused(write):
    """A linked parameter has no prior: what it becomes is found by trying."""
    path = write(
        ("gamma = -2.1", 'gamma = { linked = "0.1 * msc.log10_power - 6.5" }'),
    )
    with pytest.raises(StellarcrError, match="msc") as caught:
        built(path)
    assert "gamma" in str(caught.value)


# --- the user's own files ---------------------------------------------------------------------------------------------


def own(write):
    """A configuration with a grid and a recipe beside it."""
    path = write(("age_limit = 5e5", 'age_limit = 5e5, grid = "tracks/my.h5", recipe = "mine.py:fast"'))
    (path.parent / "mine.py").write_text(RECIPE)
    (path.parent / "tracks").mkdir(exist_ok=True)
    shutil.copy(grid_file("mist-v1.0-vvcrit0.4"), path.parent / "tracks" / "my.h5")
    return path


def resolved(config):
    return resolved_toml(config, build_model(config), load_data(config))


def test_own_grid_and_recipe_lie_beside_the_configuration(write, tmp_path, monkeypatch):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    path = own(write)
    posterior = built(path)
    # what a run folder keeps can be read from anywhere, and is the same problem
    kept = elsewhere / "config.toml"
    config = load_config(path)
    kept.write_text(resolved(config))
    assert built(kept).fingerprint == posterior.fingerprint
    assert str(path.parent / "mine.py") in load_config(kept).code
    # and so is a copy of everything elsewhere
    moved = tmp_path / "moved"
    shutil.copytree(path.parent, moved)
    assert built(moved / "run.toml").fingerprint == posterior.fingerprint
    # but not another recipe
    (moved / "mine.py").write_text(RECIPE.replace("3000", "2500"))
    assert built(moved / "run.toml").fingerprint != posterior.fingerprint


def test_a_changed_recipe_is_found_when_a_run_goes_on(write, tmp_path):
    path = own(write)
    kept = tmp_path / "config.toml"
    kept.write_text(resolved(load_config(path)))
    built(kept)
    (path.parent / "mine.py").write_text(RECIPE.replace("3000", "2500"))
    with pytest.raises(ConfigError, match=r"code is not the one that the run began with.*mine\.py"):
        built(kept)


def test_a_grid_by_name_or_as_a_copy_is_the_same_problem(write, tmp_path):
    copy = tmp_path / "any_name.h5"
    shutil.copy(grid_file("mist-v1.0-vvcrit0.4"), copy)
    as_file = write(("age_limit = 5e5", f'age_limit = 5e5, grid = "{copy}"'), folder="file")
    assert built(as_file).fingerprint == built(write()).fingerprint


def test_resolved_configurations_state_all_options(write, tmp_path):
    path = write()
    kept = tmp_path / "config.toml"
    kept.write_text(resolved(load_config(path)))
    options = load_config(kept).populations["msc"].options
    assert (options["M_up"], options["grid"], options["recipe"]) == (150.0, "mist-v1.0-vvcrit0.4", "nugis-lamers")
    assert built(kept).fingerprint == built(path).fingerprint


@pytest.mark.parametrize(
    ("old", "new", "differs"),
    [
        ("age_limit = 5e5", "age_limit = 6e5", True),
        ("age_limit = 5e5", "age_limit = 5e5, M_up = 150", False),
        ("age_limit = 5e5", "age_limit = 5e5, star_formation_rate = 3.0", False),
        ("age_limit = 5e5", "age_limit = 5e5, L_c = 3.0", False),
        ('spectrum = "stellar"', 'spectrum = "stellar"\nisotopes = "given"', True),
    ],
)
def test_what_decides_the_problem(write, old, new, differs):
    assert (built(write((old, new), folder="other")).fingerprint != built(write()).fingerprint) == differs


def test_last_digits_of_a_table_do_not_decide_it(write, monkeypatch):
    """A table that is made again on another machine differs in rounding."""
    path = write(('log10_power = { prior = "uniform", low = 46.0, high = 50.0, value = 48.0 }', ""))
    before = built(path).fingerprint
    load = build_model.__globals__["load_stellar_population"]

    def rounded(*arguments):
        population = load(*arguments)
        elements = {e: value * (1.0 + 1e-13) for e, value in population.composition.elements.items()}
        amplitude, *others = population.parameters
        return replace(
            population,
            composition=replace(population.composition, elements=elements),
            parameters=(replace(amplitude, default=amplitude.default * (1.0 + 1e-13)), *others),
        )

    monkeypatch.setitem(build_model.__globals__, "load_stellar_population", rounded)
    assert built(path).fingerprint == before


# --- efficiency -------------------------------------------------------------------------------------------------------


def efficient(write, settings, folder="efficient"):
    return write(
        ("age_limit = 5e5", 'age_limit = 5e5, amplitude = "efficiency"'),
        ('log10_power = { prior = "uniform", low = 46.0, high = 50.0, value = 48.0 }', f"eta_acc = {settings}"),
        folder=folder,
    )


def test_an_efficiency_sets_the_power(write):
    share = built(efficient(write, '{ prior = "uniform", low = 0.001, high = 0.5, value = 0.1 }'))
    budget = share.model.population("msc").budget
    power = built(write(("value = 48.0", f"value = {np.log10(0.1 * budget)}")))
    for name, expected in share.predictions(share.reference()[None, :]).items():
        np.testing.assert_allclose(power.predictions(power.reference()[None, :])[name], expected, rtol=1e-9)
    values = {"msc.eta_acc": 0.1, "msc.eta_B": 0.05, "msc.gamma": -2.1}
    assert share.model.injected_power("msc", values) == pytest.approx(0.1 * budget, rel=1e-3)
    # the star-formation rate is part of it
    other = efficient(write, "0.1", folder="one"), efficient(write, "0.1, star_formation_rate = 3.0 }", folder="two")
    (other[1]).write_text(
        other[1].read_text().replace("0.1, star_formation_rate = 3.0 }", "0.1").replace(
            '"efficiency"', '"efficiency", star_formation_rate = 3.0')
    )  # fmt: skip
    assert built(other[0]).fingerprint != built(other[1]).fingerprint


@pytest.mark.parametrize(
    ("settings", "shown"),
    [
        ("-0.1", "-0.1"),
        ("0.0", "0"),
        ('{ prior = "uniform", low = -0.1, high = 0.5 }', "-0.1"),
        ('{ prior = "normal", mean = 0.1, standard_deviation = 0.1 }', "inf"),
    ],
)
def test_an_efficiency_is_positive(write, settings, shown):
    with pytest.raises(ParameterError, match=r"'msc\.eta_acc'") as caught:
        built(efficient(write, settings))
    assert shown in caught.value.problem


def test_a_power_beside_an_efficiency_is_unknown(write):
    path = write(("age_limit = 5e5", 'age_limit = 5e5, amplitude = "efficiency"'))
    with pytest.raises(ParameterError, match=r"no parameter 'msc\.log10_power'"):
        built(path)


def test_python_gives_the_same(write):
    path = write()
    config = load_config(path)
    content = config.model_dump(exclude={"code"}, exclude_none=True)
    content["populations"]["msc"]["options"]["eta_B_range"] = (0.01, 0.1)
    assert build_posterior(config_from_mapping(content)).fingerprint == built(path).fingerprint
