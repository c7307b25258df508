"""A population and a prior of the user's own: from the file to a run, and everything that can be wrong with them."""

import importlib
import json
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest

from stellarcr.config import build_model, build_posterior, load_config, resolved_toml
from stellarcr.errors import ConfigError, ParameterError, RunError, StellarcrError
from stellarcr.extensions import find_extension
from stellarcr.infer.priors import prior_from_mapping
from stellarcr.infer.samplers.evaluate import Evaluator
from stellarcr.studies.fit import run
from stellarcr.studies.pictures import posterior_of

KIND = 'kind = "./my_sources.py:wind"'


def built(folder):
    return build_posterior(load_config(folder / "run.toml"))


def resolved(posterior, folder):
    data = [likelihood.data for likelihood in posterior.likelihoods]
    return resolved_toml(load_config(folder / "run.toml"), posterior.model, data)


def test_it_is_built_and_leaves_no_trace(own):
    path, modules = list(sys.path), set(sys.modules)
    posterior = built(own)
    (wind,) = posterior.model.populations
    assert wind.name == "wind"
    assert dict(wind.composition.elements) == {"H": 0.9, "He": pytest.approx(0.1)}
    assert {n.mass_number: f for n, f in wind.isotopes_of("He")} == {3: pytest.approx(0.1), 4: pytest.approx(0.9)}
    rigidity = np.array([1.0, 1e5])
    # R^-2 exp(-R/2e5): the option reached the builder, and the module beside it gave the index
    np.testing.assert_allclose(
        wind.shape(rigidity, {"gamma": -2.0}), rigidity**-2.0 * np.exp(-rigidity / 2e5), rtol=1e-12
    )
    assert np.isfinite(posterior.log_posterior(posterior.reference()[None, :])[0])
    assert sys.path == path
    assert not {"my_sources", "my_numbers", "my_priors"} & (set(sys.modules) - modules)
    assert not (own / "__pycache__").exists()


@pytest.mark.parametrize("kind", ["my_sources:wind", "package.inside:wind"])
def test_modules_beside_the_configuration(own, replace_in, kind):
    (own / "package").mkdir()
    (own / "package" / "__init__.py").write_text("")
    shutil.copy(own / "my_numbers.py", own / "package")
    inside = (own / "my_sources.py").read_text().replace("from my_numbers", "from .my_numbers")
    (own / "package" / "inside.py").write_text(inside)
    replace_in(own / "run.toml", KIND, f'kind = "{kind}"')
    assert built(own).model.parameters["wind.gamma"].default == -2.0


def test_two_folders_with_modules_of_one_name(own, tmp_path, replace_in):
    other = tmp_path / "other"
    shutil.copytree(own, other)
    replace_in(other / "my_numbers.py", "-2.0", "-2.3")
    assert [built(f).model.parameters["wind.gamma"].default for f in (own, other, own)] == [-2.0, -2.3, -2.0]


def test_workers_rebuild_it(own):
    """Spawned processes know neither the folder nor the module; a chunk of one point makes both work."""
    posterior = built(own)
    theta = posterior.sample_prior(np.random.default_rng(1), 4)
    with Evaluator(posterior, processes=2, chunk=1) as evaluator:
        # one point at a time and all together differ by rounding
        np.testing.assert_allclose(evaluator.log_posterior(theta), posterior.log_posterior(theta), rtol=1e-13)


def test_the_prior_of_the_run_is_the_users(own):
    posterior = built(own)
    x = posterior.sample_prior(np.random.default_rng(2), 20_000)[:, 1]
    # mean of the ramp: low + 2/3 (high - low), standard deviation (high - low) / sqrt(18); 5 sigma of the mean
    assert np.mean(x) == pytest.approx(-2.8 + 0.7 * 2 / 3, abs=5 * 0.7 / np.sqrt(18 * 20_000))
    inside, outside = posterior.reference()[None, :], posterior.reference()[None, :]
    inside[0, 1], outside[0, 1] = -2.3, -2.0
    phi = posterior.space.parameters[-3].prior.logpdf(inside[0, 2])
    assert posterior.names[2] == posterior.space.parameters[-3].name == "ams02.phi"
    expected = np.log(1 / 3) + np.log(2 * 0.5 / 0.49) + phi
    assert posterior.log_prior(inside)[0] == pytest.approx(expected, rel=1e-12)
    assert posterior.log_prior(outside)[0] == -np.inf
    mapping = posterior.parameter_records()["wind.gamma"]["prior"]
    assert prior_from_mapping(mapping) == posterior.space.parameters[1].prior


def test_an_order_of_users_priors_is_normalised(own, replace_in):
    ramp = f'{{ prior = "{own}/my_priors.py:Ramp", low = -2.8, high = -2.1 }}'
    replace_in(own / "run.toml", "[populations.wind]", "[populations.snr]\n[populations.wind]")
    replace_in(own / "run.toml", "[parameters.wind]", f"[parameters.snr]\ngamma2 = {ramp}\n[parameters.wind]")
    with (own / "run.toml").open("a") as file:
        file.write('\n[[constraints]]\norder = ["wind.gamma", "snr.gamma2"]\n')
    space = built(own).space
    theta = space.sample(np.random.default_rng(3), 1000)
    first, second = (theta[:, space.names.index(name)] for name in ("wind.gamma", "snr.gamma2"))
    assert np.all(first < second)
    # two equal independent priors are in order with probability 1/2
    free = sum(p.prior.logpdf(theta[:, space.names.index(p.name)]) for p in space.parameters if p.prior is not None)
    np.testing.assert_allclose(space.log_prior(theta), free + np.log(2.0), rtol=1e-8)


# ---------------------------------------------------------------------- what makes it the same problem


def test_the_code_and_the_options_are_part_of_the_problem(own, tmp_path, replace_in):
    before = built(own).fingerprint
    moved = tmp_path / "moved"
    shutil.copytree(own, moved)
    assert built(moved).fingerprint == before
    for name, old, new in (
        ("my_sources.py", "rigidity / cutoff", "rigidity / (2 * cutoff)"),
        ("my_numbers.py", "-2.0", "-2.1"),
        ("my_priors.py", "import numpy as np", "import numpy as np  # another file"),
        ("mine.ecsv", "He 3 0.01", "He 3 0.02"),
        ("run.toml", "cutoff = 2e5", "cutoff = 3e5"),
        ("run.toml", 'Ramp", low', 'Ramp", high = -2.0, low'),
    ):
        changed = tmp_path / "changed"
        shutil.copytree(own, changed)
        if new.startswith("Ramp"):
            replace_in(changed / "run.toml", ", high = -2.1", "")
        replace_in(changed / name, old, new)
        assert built(changed).fingerprint != before, (name, new)
        shutil.rmtree(changed)


def test_the_resolved_text_works_from_anywhere(own, tmp_path):
    posterior = built(own)
    text = resolved(posterior, own)
    content = tomllib.loads(text)
    assert content["populations"]["wind"]["kind"] == f"{own}/my_sources.py:wind"
    assert content["populations"]["wind"]["composition"] == f"{own}/mine.ecsv"
    assert content["parameters"]["wind"]["gamma"]["prior"] == f"{own}/my_priors.py:Ramp"
    assert set(content["code"]) == {str(own / f"my_{n}.py") for n in ("sources", "numbers", "priors")}
    path = tmp_path / "elsewhere" / "config.toml"
    path.write_text(text)
    again = build_posterior(load_config(path))
    assert again.fingerprint == posterior.fingerprint
    theta = posterior.sample_prior(np.random.default_rng(4), 3)
    np.testing.assert_array_equal(again.log_posterior(theta), posterior.log_posterior(theta))


def test_a_run_is_made_moved_read_and_refused_after_a_change(own, tmp_path, replace_in):
    finished = run(own / "run.toml", quiet=True)
    assert run(own / "run.toml", resume=True, quiet=True).summary == finished.summary
    moved = tmp_path / "moved"
    shutil.move(finished.path, moved)
    from stellarcr.infer.runs import read_run

    assert posterior_of(read_run(moved)).fingerprint == finished.manifest["fingerprint"]
    shutil.copytree(moved, finished.path)
    replace_in(own / "my_numbers.py", "-2.0", "-2.1")
    with pytest.raises(RunError, match=r"my_numbers\.py"):
        run(own / "run.toml", resume=True, quiet=True)
    with pytest.raises(ConfigError, match=r"my_numbers\.py") as caught:
        posterior_of(read_run(moved))
    assert "restore" in caught.value.remedy


def test_what_changed_is_named_and_limits_are_not(own, replace_in):
    run(own / "run.toml", quiet=True)
    replace_in(own / "my_numbers.py", "-2.0", "-2.1")
    replace_in(own / "run.toml", "cutoff = 2e5", "cutoff = 3e5")
    replace_in(own / "run.toml", 'name = "mine"', 'name = "mine"\ndescription = "again"')
    with pytest.raises(RunError) as caught:
        run(own / "run.toml", resume=True, quiet=True)
    found = caught.value.problem.partition("began with: ")[2]
    assert found == (
        f"the file {own}/my_numbers.py changed since the run began; "
        "populations.wind.options.cutoff was 200000.0, is 300000.0"
    )


def test_code_may_move_if_the_run_is_told(own, tmp_path, replace_in):
    from stellarcr.infer.runs import read_run

    finished = run(own / "run.toml", quiet=True)
    moved = tmp_path / "moved"
    own.rename(moved)
    with pytest.raises(ConfigError, match="no such file") as caught:
        posterior_of(read_run(finished.path))
    assert "config.toml" in caught.value.where
    assert "write its path" in caught.value.remedy
    replace_in(Path(finished.path) / "config.toml", f"{own}/my_", f"{moved}/my_")
    replace_in(Path(finished.path) / "config.toml", f"{own}/mine", f"{moved}/mine")
    assert posterior_of(read_run(finished.path)).fingerprint == finished.manifest["fingerprint"]
    # the resolved configuration names the files' old places: moving alone is no change
    text = (Path(finished.path) / "config.toml").read_text()
    (Path(finished.path) / "config.toml").write_text(
        text.replace(f'"{moved}/my_numbers.py" =', f'"{own}/my_numbers.py" =')
    )
    assert posterior_of(read_run(finished.path)).fingerprint == finished.manifest["fingerprint"]


def test_code_that_changes_under_a_worker_is_refused(own, replace_in):
    extension = find_extension(f"{own}/my_sources.py:wind")
    extension.load()
    replace_in(own / "my_numbers.py", "-2.0", "-2.1")
    with pytest.raises(ConfigError, match="changed while it was in use"):
        extension.load()


def test_a_prior_of_a_likelihood_file_is_found_beside_that_file(own, tmp_path):
    (own / "deep").mkdir()
    shutil.copy(own / "my_priors.py", own / "deep" / "their_priors.py")
    (own / "deep" / "ams.toml").write_text(
        'experiment = "AMS-02"\nspecies = ["H", "He"]\n[errors.systematic.total]\n[nuisances.phi]\nunit = "GV"\n'
        'prior = { kind = "./their_priors.py:Ramp", low = 0.2, high = 0.9 }\n'
    )
    text = (own / "run.toml").read_text().replace("[likelihoods.ams02]", '[likelihoods.ams02]\nfile = "deep/ams.toml"')
    (own / "run.toml").write_text(text)
    posterior = built(own)
    assert dict(zip(posterior.names, [p.prior for p in posterior.space.parameters if p.prior], strict=True))[
        "ams02.phi"
    ].support == (0.2, 0.9)
    content = tomllib.loads(resolved(posterior, own))
    assert str(own / "deep" / "their_priors.py") in content["code"]


# ---------------------------------------------------------------------- installed packages


@pytest.fixture
def installed(own, tmp_path, monkeypatch):
    """Install a package that declares a kind of population, by hand: a module and its metadata on the Python path."""
    site = tmp_path / "site"
    information = site / "their_sources-1.0.dist-info"
    information.mkdir(parents=True)
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: their-sources\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text("[stellarcr.populations]\ntheir_wind = their_sources.winds:wind\n")
    (site / "their_sources").mkdir()
    (site / "their_sources" / "__init__.py").write_text("")
    code = (own / "my_sources.py").read_text().replace("from my_numbers import INDEX", "INDEX = -2.2")
    (site / "their_sources" / "winds.py").write_text(code)
    monkeypatch.syspath_prepend(str(site))
    importlib.invalidate_caches()
    yield site
    for name in [n for n in sys.modules if n.partition(".")[0] == "their_sources"]:
        del sys.modules[name]


def test_a_kind_that_a_package_declares(own, installed, replace_in):
    replace_in(own / "run.toml", KIND, 'kind = "their_wind"')
    posterior = built(own)
    assert posterior.model.parameters["wind.gamma"].default == -2.2
    code = tomllib.loads(resolved(posterior, own))["code"]
    assert str(installed / "their_sources" / "winds.py") in code
    replace_in(own / "run.toml", "their_wind", "their_wnd")
    with pytest.raises(ConfigError, match="'their_wnd'") as caught:
        built(own)
    assert "did you mean 'their_wind'" in caught.value.remedy


# ---------------------------------------------------------------------- mistakes

RETURN = "        return xp.exp("
OVERRIDE = """class Mine(Population):
    def isotopes_of(self, element):
        return ()


def wind(composition, isotopes, cutoff=1e5):
    plain = plain_wind(composition, isotopes, cutoff)
    return Mine(plain.name, plain.label, composition, plain.parameters, plain.shape)


def plain_wind(composition"""
SOURCE_MISTAKES = {
    # what is replaced in the source, with what, what the message names, what it advises
    "syntax": ("def wind(", "def wind((", "syntax error in line 7", "correct"),
    "import": ("from my_numbers", "from no_such_module", "No module named 'no_such_module' (line 4", "install"),
    "raises": ("INDEX\n", "INDEX\n1 / 0\n", "ZeroDivisionError: division by zero (line 5", "correct"),
    "exits": ("INDEX\n", "INDEX\nraise SystemExit(3)\n", "SystemExit", "correct"),
    "name": ("def wind(", "def wnd(", "there is no 'wind'", "'wnd'"),
    "value": ("def wind(", "wind = 3\ndef wnd(", "wind = 3", "function"),
    "arguments": ("isotopes, cutoff=1e5", "*, cutoff", "does not take 2 arguments", "f(composition, isotopes"),
    "option unknown": ("cutoff=1e5", "cut=1e5", "no argument 'cutoff'", "'cut'"),
    "option missing": ("cutoff=1e5", "cutoff, more", "more not given", "cutoff, more"),
    "fails": ("    parameters = (", "    parameters = (1 / 0,", "ZeroDivisionError", "correct"),
    "gives": ("isotopes=isotopes)", "isotopes=isotopes), 3", "gave a tuple, not a Population", "Population(name="),
    "gives nothing": ("    return Population", "    Population", "None, not a Population", "return"),
    "no amplitude": ('"power", 1e46', '"pwr", 1e46', "needs a parameter 'power'", "erg/yr"),
    "unit": ('1e46, "erg/yr"', '1e46, "erg/s"', "erg/s", "erg/yr"),
    "default": ("INDEX,", '"steep",', "default = 'steep'", "number"),
    "nan default": ("INDEX,", 'float("nan"),', "default = nan", "finite"),
    "twice": ('"gamma", INDEX', '"power", INDEX', "two parameters are named 'power'", "own name"),
    "nearby": ("isotopes=isotopes)", 'isotopes=isotopes, place="nearby")', "needs a parameter 'energy'", "erg"),
    "place": ("isotopes=isotopes)", 'isotopes=isotopes, place="halo")', "'halo'", "'disc'"),
    "multipliers": ("isotopes=isotopes)", "isotopes=isotopes, free_abundances=True)", "free_abundances", "abundance"),
    "not declared": ('parameters["gamma"]', 'parameters["index"]', "KeyError: 'index' (line", "declare"),
    "negative": ("return xp.exp(", "return 1e-9 - xp.exp(", "at 1 GV and power = 1e+46", "not negative"),
    "overflow": ("- rigidity / cutoff", "+ rigidity / cutoff", "inf at", "finite"),
    "no batch": ('column(parameters["gamma"])', 'parameters["gamma"]', "shape (3,)", "column"),
    "scalar": ("return xp.exp(column", "return 1.0; xp.exp(column", "float, not an array", "(..., n_rigidity)"),
    "branch": (RETURN, '        rigidity = rigidity if parameters["gamma"] else 1\n' + RETURN, "ValueError", "where"),
    "in place": (RETURN, "        rigidity *= 2\n" + RETURN, "read-only", "leave the given arrays"),
    "amplitude": ("return xp.exp(", 'return column(parameters["power"]) * xp.exp(', "depends on 'power'", "leave"),
    "label": ('"wind", "W"', '"wind", ""', "label = ''", "text"),
    "budget": ("isotopes=isotopes)", 'isotopes=isotopes, budget="1e48")', "budget = '1e48'", "positive number"),
    "override": ("def wind(composition", OVERRIDE, "replaces isotopes_of", "methods alone"),
}  # fmt: skip


@pytest.mark.parametrize(("old", "new", "named", "advised"), SOURCE_MISTAKES.values(), ids=SOURCE_MISTAKES)
def test_mistakes_in_a_source(own, replace_in, old, new, named, advised):
    replace_in(own / "my_sources.py", old, new)
    with pytest.raises(ConfigError) as caught:
        build_model(load_config(own / "run.toml"))
    error = caught.value
    assert named in error.problem
    assert advised in error.remedy
    assert str(own / "my_sources.py") in error.where
    assert "run.toml [populations.wind]" in error.where


PRIOR_MISTAKES = {
    "name": ("class Ramp", "class Rmp", "there is no 'Ramp'", "'Rmp'"),
    "argument": ("self, low, high=1.0", "self, lo, high=1.0", "no argument 'low'", "'lo'"),
    "missing": ("self, low, high=1.0", "self, low, high, knee", "knee not given", "low, high, knee"),
    "member": ("def ppf", "def quantile", "has no ppf", "support"),
    "support": ("(low, high)\n", "low\n", "not a pair", "-math.inf"),
    "support reversed": ("(low, high)\n", "(high, low)\n", "empty", "lower edge first"),
    "support too narrow": ("(low, high)\n", "(low, high - 0.1)\n", "leave the support", "support"),
    "not normalised": ("np.log(2.0 *", "np.log(3.0 *", "the integral of exp(logpdf)", "normalise"),
    "ppf": ("np.sqrt(u)", "u", "cdf(ppf(u)) is", "inverse"),
    "falling ppf": ("np.sqrt(u)", "np.sqrt(1.0 - u)", "does not rise", "inverse"),
    "shape": ("return ((x", "return np.sum((x", "has shape ()", "shape of the argument"),
    "nan": ("np.log(2.0 *", "np.log(-2.0 *", "NaN", "logpdf"),
    "fails": ("return ((x", "return (undefined + (x", "NameError", "numbers and arrays"),
}


@pytest.mark.parametrize(("old", "new", "named", "advised"), PRIOR_MISTAKES.values(), ids=PRIOR_MISTAKES)
def test_mistakes_in_a_prior(own, replace_in, old, new, named, advised):
    replace_in(own / "my_priors.py", old, new)
    with pytest.raises(StellarcrError) as caught:
        prior_from_mapping({"kind": f"{own}/my_priors.py:Ramp", "low": -2.8, "high": -2.1}, where="wind.gamma")
    error = caught.value
    assert named in error.problem
    assert advised in error.remedy
    assert str(own / "my_priors.py") in error.where
    assert "wind.gamma" in error.where


@pytest.mark.parametrize("value", ["steep", True, float("nan")])
def test_arguments_of_a_prior_are_numbers(own, value):
    with pytest.raises(ParameterError, match="low") as caught:
        prior_from_mapping({"kind": f"{own}/my_priors.py:Ramp", "low": value})
    assert "plain number" in caught.value.remedy


CONFIG_MISTAKES = {
    "file": ("my_sources.py:wind", "my_source.py:wind", "no such file", "'my_sources.py'"),
    "module": ("./my_sources.py:wind", "my_source:wind", "no module 'my_source'", "file.py:Name"),
    "nothing": ("./my_sources.py:wind", ":wind", "names no object", "file.py:Name"),
    "not an object": ("./my_sources.py:wind", "./my_sources.py:", "names no object", "file.py:Name"),
    "no source": ("./my_sources.py:wind", "sys:path", "no source file", "file.py:Name"),
    "no composition": ('composition = "mine.ecsv"\n', "", "composition is not given", "'snr'"),
    "composition": ("mine.ecsv", "min.ecsv", "no such file", "'mine.ecsv'"),
    "options of a shipped kind": (KIND, 'kind = "snr"', "no options", "remove"),
}


@pytest.mark.parametrize(("old", "new", "named", "advised"), CONFIG_MISTAKES.values(), ids=CONFIG_MISTAKES)
def test_mistakes_in_the_configuration(own, replace_in, old, new, named, advised):
    replace_in(own / "run.toml", old, new)
    with pytest.raises(ConfigError) as caught:
        build_model(load_config(own / "run.toml"))
    assert named in caught.value.problem
    assert advised in caught.value.remedy
    assert caught.value.where


COMPOSITION_MISTAKES = {
    "schema": ("stellarcr-composition/1", "stellarcr-spectrum/1", "schema is", "stellarcr-composition/1"),
    "column": ("number_fraction", "fraction", "'number_fraction' is missing", "element, number_fraction"),
    "reference": ("reference: {text: example values}", "more: {}", "reference", "whose"),
    "name": ("{name: mine}", "{title: mine}", "name", "whose"),
    "twice": ("He 3 0.01", "He 4 0.01", "He is listed twice", "mass_number"),
    "element": ("H 1 0.9", "Hx 1 0.9", "'Hx'", ""),
    "negative": ("He 3 0.01", "He 3 -0.01", "-0.1", "not negative"),
    "cell": ("H 1 0.9", "H 1 many", "'many' is no number", "ECSV"),
}  # fmt: skip


@pytest.mark.parametrize(("old", "new", "named", "advised"), COMPOSITION_MISTAKES.values(), ids=COMPOSITION_MISTAKES)
def test_mistakes_in_a_composition(own, replace_in, old, new, named, advised):
    replace_in(own / "mine.ecsv", old, new)
    with pytest.raises(ConfigError) as caught:
        build_model(load_config(own / "run.toml"))
    assert named in caught.value.problem
    assert advised in caught.value.remedy
    assert str(own / "mine.ecsv") in caught.value.where


def test_a_file_with_the_name_of_an_installed_module_is_refused(own, replace_in):
    shutil.move(own / "my_sources.py", own / "numpy.py")
    replace_in(own / "run.toml", "my_sources.py", "numpy.py")
    with pytest.raises(ConfigError, match=r"cannot be named numpy\.py"):
        build_model(load_config(own / "run.toml"))
    assert sys.modules["numpy"] is np


# ---------------------------------------------------------------------- the grid


@pytest.mark.parametrize(("highest", "refused"), [("4e8", False), ("4e5", True)])
def test_a_grid_that_cuts_spectra_off_is_refused(write_config, highest, refused):
    """The cutoff is 5e4 GV; above 8 cutoffs lies 1e-4 of the power, above 0.4 (a prior up to 1e6) far more."""
    wide = 'log10_R_max = { prior = "uniform", low = 4.0, high = 6.0 }\ngamma1 = -2.2'
    path = write_config("gamma1 = -2.2", wide, f"[grid]\nhighest = {highest}\n")
    if not refused:
        assert build_posterior(load_config(path)).n_dim == 4
        return
    with pytest.raises(ConfigError, match=r"grid\.highest = 400000") as caught:
        build_posterior(load_config(path))
    assert "snr.log10_R_max" in caught.value.problem
    assert "raise grid.highest" in caught.value.remedy


def test_the_command_line_from_another_folder(own, tmp_path):
    """A process of its own, as a user starts it: nothing of this one helps it to find the files."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "MPLBACKEND": "Agg"}
    command = [
        str(Path(sys.executable).with_name("stellarcr")),
        "spectrum",
        "../own/run.toml",
        "--species",
        "He",
        "--json",
    ]
    result = subprocess.run(command, cwd=tmp_path / "elsewhere", env=environment, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert set(json.loads(result.stdout)["flux"]["He"]) == {"total", "wind"}
