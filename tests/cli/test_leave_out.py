"""stellarcr leave-out: what is fitted again, how it is judged, and what compare makes of it."""

import csv
import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from known_runs import change_json
from scipy.stats import norm

from stellarcr import run as fit
from stellarcr.config import config_from_mapping, load_config
from stellarcr.errors import ConfigError, RunError
from stellarcr.infer.comparison import from_refit
from stellarcr.infer.constraints import OrderConstraint
from stellarcr.infer.runs import read_run
from stellarcr.studies.compare import compare
from stellarcr.studies.leave_out import held_out_log_likelihood
from stellarcr.studies.pictures import posterior_of
from stellarcr.studies.reduced_config import HeldOut, config_without, find_held_out

pytestmark = pytest.mark.usefixtures("one_thread")

TINY = {"name": "dynesty", "nlive": 60, "walks": 10, "dlogz": 0.5}


@pytest.fixture(scope="module")
def folder(small_content, tmp_path_factory):
    """Return the folder of a run of two experiments."""
    content = {**small_content(), "output": {"folder": str(tmp_path_factory.mktemp("runs"))}}
    content["likelihoods"] = {"ams02": {"species": ["H", "He"]}, "dampe": {"species": ["H", "He"]}}
    content["sampler"] = {**TINY, "map": {"starts": 2, "generations": 10, "population": 8}}
    return fit(config_from_mapping(content), quiet=True).path


@pytest.fixture(scope="module")
def posterior(folder):
    return posterior_of(read_run(folder))


# ---------------------------------------------------------------------- the configuration without it


def test_a_data_set_is_one_species_of_its_likelihood(folder, posterior):
    run, config = read_run(folder), load_config(folder / "config.toml")
    (held,) = find_held_out(posterior, ["DAMPE He"], [])
    assert held == HeldOut("DAMPE He", "dampe", ("He",), ("DAMPE He",), False)
    reduced = config_without(config, posterior, held, run)
    assert reduced.name == "small.without.DAMPE_He"
    assert reduced.output.folder == str(folder.parent)
    assert reduced.likelihoods["dampe"]["species"] == ["H"]
    assert reduced.likelihoods["ams02"] == config.likelihoods["ams02"]
    assert reduced.sampler == config.sampler
    assert config_without(config, posterior, held, run, "emcee").sampler == {"name": "emcee"}


def test_an_experiment_goes_with_its_nuisance_parameters(folder, posterior):
    config = load_config(folder / "config.toml")
    named = config.model_copy(update={"parameters": {**config.parameters, "dampe": {"phi": 0.5}}})
    (held,) = find_held_out(posterior, [], ["dampe"])
    assert held.whole
    assert held.data_sets == ("DAMPE H", "DAMPE He")
    reduced = config_without(named, posterior, held, read_run(folder))
    assert list(reduced.likelihoods) == ["ams02"]
    assert "dampe" not in reduced.parameters
    alone = config.model_copy(update={"likelihoods": {"dampe": config.likelihoods["dampe"]}})
    with pytest.raises(ConfigError, match="nothing to fit"):
        config_without(alone, posterior, held, read_run(folder))


def test_species_of_a_common_covariance_go_together(small_content, build, folder):
    content = small_content()
    content["likelihoods"]["lhaaso"] = {}
    posterior = build(content)
    (held,) = find_held_out(posterior, ["LHAASO H+He"], [])
    assert held.whole
    assert set(held.species) == {"H", "He"}
    (both,) = find_held_out(posterior, [], ["lhaaso"])
    assert both.data_sets == held.data_sets


# ---------------------------------------------------------------------- the statistics


class Offset:
    """Data that are the sum of a parameter of the fit and a nuisance parameter of their own."""

    names = ("own.offset", "snr.level")
    width, sigma, y = 0.5, 0.3, 1.4
    space = SimpleNamespace(constraints=())

    def sample_prior(self, rng, n):
        return np.column_stack([rng.normal(0.0, self.width, n), rng.normal(0.0, 5.0, n)])

    def log_likelihood_terms(self, theta):
        return {"OWN H": norm.logpdf(self.y, theta.sum(axis=1), self.sigma), "OTHER H": np.zeros(len(theta))}


def test_nuisance_parameters_of_the_data_are_drawn_from_their_prior(tmp_path):
    rng, refit = np.random.default_rng(1), SimpleNamespace(path=tmp_path, names=("snr.level",))
    refit.samples = rng.normal(1.0, 0.2, (4000, 1))
    held = HeldOut("own", "own", ("H",), ("OWN H",), True)
    values = held_out_log_likelihood(Offset(), refit, held, rng)
    assert len(values) == 20_000
    found = from_refit(values, 4000)
    exact = norm.logpdf(1.4, 1.0, np.sqrt(0.2**2 + 0.5**2 + 0.3**2))
    assert found.log_density == pytest.approx(exact, abs=4 * found.error)
    tied = Offset()
    tied.space = SimpleNamespace(constraints=(OrderConstraint(("own.offset", "snr.level")),))
    with pytest.raises(RunError, match="ties parameters of 'own' to others"):
        held_out_log_likelihood(tied, refit, held, rng)


# ---------------------------------------------------------------------- the command


@pytest.fixture(scope="module")
def printed(folder):
    """What the command prints, as JSON; made once."""
    from stellarcr.studies.leave_out import leave_out

    return leave_out(folder, ["DAMPE He"], ["dampe"], draws=100, quiet=True)


def test_fits_without_are_runs_beside_the_first(folder, printed, posterior):
    set_out, whole = printed
    assert set_out.refit.path == folder.with_name("small.without.DAMPE_He")
    assert whole.refit.path == folder.with_name("small.without.dampe")
    assert set(set_out.refit.log_likelihood) == {"AMS-02 H", "AMS-02 He", "DAMPE H"}
    assert set(whole.refit.log_likelihood) == {"AMS-02 H", "AMS-02 He"}
    assert whole.refit.names == tuple(n for n in read_run(folder).names if n != "dampe.phi")
    assert (set_out.points, whole.points) == (18, 36)
    for result in printed:
        assert result.evidences.log_density == pytest.approx(read_run(folder).log_evidence - result.refit.log_evidence)
        (checked, *_) = result.prediction.checks
        assert checked.fitted == "no"
        assert 0 < checked.result.p_value <= 1
    assert set_out.prediction.nuisances["phi"] == "posterior of the run"
    assert whole.prediction.nuisances["phi"].startswith("prior")


def test_a_fit_that_did_not_converge_is_not_quoted(folder, printed, posterior, monkeypatch):
    from stellarcr.studies import leave_out as module

    (result, _) = printed
    short = replace(result, refit=replace(result.refit, summary={**result.refit.summary, "converged": False}))
    assert short.best is not short.refitted
    written = {}
    monkeypatch.setattr(module, "write_left_out", lambda run, parts: written.update(parts))
    monkeypatch.setattr(module, "_judge", lambda *given: short)
    module.leave_out(folder, ["DAMPE He"], quiet=True)
    assert written == {}


def test_a_finished_fit_is_taken_as_it_is(folder, printed, stellarcr, tmp_path):
    before = (folder.with_name("small.without.DAMPE_He") / "posterior.nc").stat().st_mtime_ns
    done = stellarcr("leave-out", folder, "--data", "DAMPE He", "--draws", 100, "--json")
    assert (done.code, done.err) == (0, "")
    (found,) = json.loads(done.out)["left_out"]
    assert found["name"] == "DAMPE He"
    assert found["log_density"]["refit"]["log_density"] == printed[0].refitted.log_density
    assert found["prediction"]["checks"][0]["chi2"] == pytest.approx(printed[0].prediction.checks[0].result.chi2)
    assert (folder.with_name("small.without.DAMPE_He") / "posterior.nc").stat().st_mtime_ns == before
    table = stellarcr("leave-out", folder, "--data", "DAMPE He", "--csv", tmp_path / "l.csv", "--quiet")
    assert "ln p(left out | others)" in table.out
    assert "predictive chi2" in table.out
    with (tmp_path / "l.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {row["quantity"] for row in rows} == {"log_density", "points", "chi2", "predictive_chi2", "p_value"}


def test_compare_takes_what_was_found(folder, printed):
    (model,) = compare([folder]).models
    assert set(model.left_out) == {"AMS-02 H", "AMS-02 He", "DAMPE H", "DAMPE He"}
    own = printed[0].samples
    expected = own if own.reliable else printed[0].best
    if expected.reliable:
        assert model.left_out["DAMPE He"].log_density == pytest.approx(expected.log_density)
    # densities of a problem that was here before do not count
    content = json.loads((folder / "leave_out.json").read_text())
    assert content["fingerprint"] == read_run(folder).manifest["fingerprint"]
    change_json(folder / "leave_out.json", fingerprint="another")
    (again,) = compare([folder]).models
    assert all(part.method == "samples" for part in again.left_out.values())
    change_json(folder / "leave_out.json", fingerprint=content["fingerprint"])


def test_tension_fits_the_parts_that_it_needs(folder, printed, stellarcr):
    done = stellarcr("tension", folder, "--experiment", "dampe", "--json")
    assert (done.code, done.err) == (0, "")
    found = json.loads(done.out)
    assert found["parts"] == ["small.only.dampe", "small.without.dampe"]
    assert set(read_run(folder.with_name("small.only.dampe")).log_likelihood) == {"DAMPE H", "DAMPE He"}
    (pair,) = found["pairs"]
    assert pair["parameters"] == ["snr.log10_power", "snr.gamma2"]
    for arguments, says in (
        (["--experiment", "damp"], "did you mean 'dampe'"),
        (["--experiment", "dampe", folder], "give one of the two"),
        ([], "at least two parts"),
    ):
        assert says in stellarcr("tension", folder, *arguments).err


def test_a_run_of_few_samples_is_refused(write_run, stellarcr):
    done = stellarcr("leave-out", write_run("short", n=30), "--data", "ONE H")
    assert done.code == 2
    assert "'short' holds 30 posterior samples" in done.err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "nothing is named"),
        (["--data", "DAMPE Hee"], "did you mean 'DAMPE He'"),
        (["--experiment", "damp"], "did you mean 'dampe'"),
    ],
)
def test_mistakes_end_in_a_message(folder, posterior, stellarcr, monkeypatch, arguments, says):
    from stellarcr.studies import leave_out as module

    monkeypatch.setattr(module, "posterior_of", lambda run: posterior)  # built once is enough
    done = stellarcr("leave-out", folder, *arguments)
    assert (done.code, done.out) == (2, "")
    assert says in done.err
