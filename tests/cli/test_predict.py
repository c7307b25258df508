"""Predictions from a stored run, through the command line and from Python."""

import csv
import json
import shutil

import numpy as np
import pytest

from stellarcr import run as fit
from stellarcr.config import config_from_mapping
from stellarcr.errors import ParameterError
from stellarcr.likelihood.schema import likelihood_files
from stellarcr.studies.predict import draws_of, predict
from stellarcr.studies.predict_data import predict_data

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def folder(small_content, tmp_path_factory):
    """Return the folder of a short run of the small configuration."""
    root = tmp_path_factory.mktemp("runs")
    content = {**small_content(), "output": {"folder": str(root)}}
    # the prior of AMS-02's potential reaches below zero, where predictions are refused: 60 steps must not stray there
    potential = {"prior": {"kind": "truncated_normal", "mean": 0.65, "standard_deviation": 0.1, "low": 0.0}}
    content["likelihoods"]["ams02"] = {**content["likelihoods"]["ams02"], "nuisances": {"phi": potential}}
    content["sampler"] = {"name": "emcee", "max_steps": 60, "walkers": 24}
    fit(config_from_mapping(content), quiet=True)
    return root / "small"


@pytest.fixture(scope="module")
def draws(folder):
    return draws_of(folder, 80)


@pytest.fixture
def asked(stellarcr, folder):
    """Run `predict --json`; return what it prints."""

    def run(*arguments):
        result = stellarcr("predict", folder, "--json", *arguments)
        assert (result.code, result.err) == (0, "")
        return json.loads(result.out)

    return run


def test_bands_are_quantiles_of_exact_spectra(asked, draws):
    printed = asked("--species", "H,p+He", "--at", "20,1e3", "--draws", 80, "--level", "0.5", "--populations")
    (run,) = printed["runs"]
    assert (run["axis"], run["x"], run["draws"]) == ("R", [20.0, 1000.0], 80)
    for curve in run["curves"]:
        values = draws.posterior.model_parameters(draws.values)
        fluxes = draws.posterior.model.flux(values, curve["species"], np.array([20.0, 1e3]))[curve["population"]]
        (interval,) = curve["intervals"]
        assert interval["level"] == 0.5
        got = [interval["low"], curve["median"], interval["high"]]
        np.testing.assert_allclose(got, np.quantile(fluxes, [0.25, 0.5, 0.75], axis=0), rtol=1e-12)
    names = [(c["species"], c["population"]) for c in run["curves"]]
    assert names == [("H", "total"), ("H", "snr"), ("p+He", "total"), ("p+He", "snr")]


def test_log_mass_and_sums(draws):
    prediction = predict(draws, ["lnA", "all", "H"], "ETOT", [1e4])
    assert 0 < prediction.curve("lnA").median[0] < np.log(56)
    assert prediction.curve("all").median[0] > prediction.curve("H").median[0]


def test_what_no_population_injects_is_named_and_left_out(asked):
    printed = asked("--species", "H,B", "--at", "100")
    assert [c["species"] for c in printed["runs"][0]["curves"]] == ["H"]
    assert any("injects B" in note for note in printed["notes"])


def test_fitted_data_are_predicted_as_in_the_fit(draws):
    (experiment,) = predict_data(draws, ["ams02"], species=["H", "He"])
    expected = draws.posterior.predictions(draws.theta)
    for table in experiment.tables:
        np.testing.assert_allclose(table.mean, expected[table.spectrum.name].mean(axis=0), rtol=1e-5)
        assert table.fitted.all()
    assert [check.fitted for check in experiment.checks] == ["yes", "yes", "yes"]
    assert [check.name for check in experiment.checks] == ["AMS-02 H", "AMS-02 He", "AMS-02, all"]
    assert experiment.nuisances["phi"] == "posterior of the run"


def test_chi2_is_that_of_the_mean_prediction(draws):
    (experiment,) = predict_data(draws, ["dampe"], species=["He"], nuisances={"dampe.phi": 0.5})
    (check,), (table,) = experiment.checks, experiment.tables
    low, high = (side.value for side in table.spectrum.total_error())
    residual = table.spectrum.value.value - table.mean
    pulls = residual / np.where(residual < 0, high, low)
    assert check.fitted == "no"
    assert check.result.chi2 == pytest.approx(np.sum(pulls**2), rel=1e-9)
    assert check.mean_pull == pytest.approx(pulls.mean())
    assert abs(check.largest_pull) == pytest.approx(np.abs(pulls).max())
    assert check.largest_pull_x == table.spectrum.x.value[np.abs(pulls).argmax()]
    assert experiment.nuisances["phi"] == "0.5, as given"
    assert experiment.phi == 0.5


def test_nuisance_parameters_move_predictions_as_in_a_fit(draws):
    def mean(**changes):
        given = {f"nucleon.{name}": value for name, value in changes.items()}
        return predict_data(draws, ["nucleon"], species=["H"], nuisances=given)[0].tables[0].mean

    np.testing.assert_allclose(mean(normalisation=1.2), 1.2 * mean(), rtol=1e-9)
    # where the spectrum is a power law, below the cutoff: J(E/s)/s = s^(-1 - g) J(E)
    x = predict_data(draws, ["nucleon"], species=["H"])[0].tables[0].spectrum.x.value[:5]
    slope = np.diff(np.log(mean()[:5])) / np.diff(np.log(x))
    ratio = np.log(mean(energy_scale=1.01)[:5] / mean()[:5]) / np.log(1.01)
    np.testing.assert_allclose(ratio[1:-1], -1 - 0.5 * (slope[1:] + slope[:-1]), atol=0.03)


def test_a_prior_of_an_unfitted_experiment_widens_its_predictions(draws):
    free = predict_data(draws, ["dampe"], species=["H"])[0]
    fixed = predict_data(draws, ["dampe"], species=["H"], nuisances={"dampe.phi": 0.5})[0]
    assert free.nuisances["phi"].startswith("prior")
    width = [np.subtract(*e.tables[0].interval[::-1])[0] for e in (free, fixed)]
    assert width[0] > width[1]


def test_species_of_a_common_covariance_can_be_chosen(draws):
    both = predict_data(draws, ["lhaaso"])[0].checks[0]
    (alone,) = predict_data(draws, ["lhaaso"], species=["He"])[0].checks
    assert both.result.points == 2 * alone.result.points
    assert (both.name, alone.name) == ("LHAASO H+He", "LHAASO He")


def test_each_hadronic_model_is_checked(draws, tmp_path):
    models = ["EPOS-LHC", "QGSJET-II-04"]
    text = likelihood_files()["lhaaso"].read_text()
    for key, value in (("one", f'"{models[1]}"'), ("both", str(models))):
        lines = [f"hadronic_model = {value}" if x.startswith("hadronic_model") else x for x in text.splitlines()]
        (tmp_path / f"{key}.toml").write_text("\n".join(lines))
    for species in (None, ["He"]):
        (alone,) = predict_data(draws, [tmp_path / "one.toml"], species=species)[0].checks
        both = predict_data(draws, [tmp_path / "both.toml"], species=species)[0].checks
        assert [check.name for check in both] == [f"{alone.name}, {model}" for model in models]
        assert both[1].result.points == alone.result.points
        assert both[1].result.chi2 == pytest.approx(alone.result.chi2, rel=1e-9)
        assert both[1].result.predictive_chi2 == pytest.approx(alone.result.predictive_chi2, rel=1e-9)


def test_scatter_widens_the_errors_of_the_data(draws):
    def check(scatter):
        return predict_data(draws, ["nucleon"], species=["H"], nuisances={"nucleon.scatter": scatter})[0].checks[0]

    assert predict_data(draws, ["nucleon"], species=["H"])[0].checks[0].result == check(0.0).result
    assert check(0.3).result.chi2 < 0.7 * check(0.0).result.chi2
    with pytest.raises(ParameterError, match=r"nucleon\.scatter = -0\.1"):
        check(-0.1)


def test_parts_of_what_was_fitted_are_flagged(draws, tmp_path):
    text = likelihood_files()["ams02"].read_text().replace('"Fe"]', '"Fe", "B"]')
    (tmp_path / "ams_more.toml").write_text(text.replace("rigidity_min = 20.0", "rigidity_min = 5.0"))
    (experiment,) = predict_data(draws, [tmp_path / "ams_more.toml"])
    flags = {check.name: check.fitted for check in experiment.checks}
    assert (flags["AMS-02 H"], flags["AMS-02 C"], flags["AMS-02, all"]) == ("partly", "no", "partly")
    # the file gives its own prior: the key is not the run's
    assert experiment.nuisances["phi"].startswith("prior")
    assert experiment.skipped == (("B",) if "B" not in draws.posterior.model.elements else ())


def test_json_csv_and_plot_of_data(asked, folder, stellarcr, tmp_path):
    printed = asked(
        "--data", "dampe,lhaaso", "--species", "H", "--csv", tmp_path / "checks.csv", "--plot", tmp_path / "data"
    )
    (run,) = printed["runs"]
    checks = [check for e in run["experiments"] for check in e["checks"]]
    assert [check["data"] for check in checks] == ["DAMPE H", "LHAASO H"]
    for check in checks:
        assert 0 < check["p_value"] <= 1
        assert check["p_value_error"] > 0
        assert check["points"] == pytest.approx(18, abs=5)
    with (tmp_path / "checks.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["data"] for row in rows] == ["DAMPE H", "LHAASO H"]
    assert float(rows[0]["predictive_chi2"]) == checks[0]["predictive_chi2"]
    assert (tmp_path / "data.pdf").read_bytes().startswith(b"%PDF")
    again = asked("--data", "dampe,lhaaso", "--species", "H")
    assert again == printed
    table = stellarcr("predict", folder, "--data", "ams02", "--species", "H").out
    assert "conservative" in table
    assert "AMS-02 H" in table


def test_two_measurements_of_one_experiment_are_told_apart(stellarcr, folder):
    result = stellarcr("predict", folder, "--data", "kascade,kascade2005", "--species", "H", "--draws", 40)
    assert result.code == 0
    assert "KASCADE H (kascade)" in result.out
    assert "KASCADE H (kascade2005)" in result.out
    # What the table's columns are called elsewhere.
    assert "p-value (p_value in JSON and CSV)" in result.out
    assert "p realised (p_realised in JSON and CSV)" in result.out


def test_several_runs_have_their_columns(stellarcr, folder, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(folder, other)
    result = stellarcr("predict", folder, other, "--at", "100", "--csv", tmp_path / "bands.csv")
    assert result.code == 0
    assert "small: " in result.out
    assert "other: " in result.out
    with (tmp_path / "bands.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["run"], row["species"]) for row in rows] == [
        ("small", "H"), ("small", "He"), ("other", "H"), ("other", "He"),
    ]  # fmt: skip
    assert rows[0]["median"] == rows[2]["median"]
    drawn = stellarcr("predict", folder, other, "--species", "H", "--points", 30, "--plot", tmp_path / "bands.png")
    assert drawn.code == 0
    assert (tmp_path / "bands.pdf").exists()


def test_a_run_is_tested_against_the_data_of_its_fit(asked, draws, folder, stellarcr):
    printed = asked("--check", "--draws", 80)
    (run,) = printed["runs"]
    (experiment,) = run["experiments"]
    assert [c["data"] for c in experiment["checks"]] == ["AMS-02 H", "AMS-02 He", "AMS-02, all"]
    assert {c["fitted"] for c in experiment["checks"]} == {"yes"}
    assert any("conservative, because the data are used twice" in note for note in printed["notes"])
    # ranges and errors are those of the fit, and so is chi2 at the mean prediction
    (likelihood,) = draws.posterior.likelihoods
    expected = draws.posterior.predictions(draws.theta)
    for table, record in zip(likelihood.data.tables, experiment["tables"], strict=True):
        np.testing.assert_allclose(record["mean"], expected[table.name].mean(axis=0), rtol=1e-5)
    assert "p-value" in stellarcr("predict", folder, "--check").out


BAD = [
    (["--check", "--data", "dampe"], "--check takes", "leave out"),
    (["--check", "--at", "3"], "--at does not go with --check", "leave it out"),
    (["--species", "Hee"], "'Hee'", "'He'"),
    (["--species", "B"], "injects B", "choose among"),
    (["--species", ","], "--species is empty", "H,He"),
    (["--species", "lnA"], "equal total energy", "--axis ETOT"),
    (["--species", "lnA", "--axis", "ETOT", "--at", "0.5"], "--at 0.5", "rest energy"),
    (["--axis", "RR"], "'RR'", "'R'"),
    (["--at", "ten"], "'ten'", "10,100"),
    (["--at", "-3"], "-3", "positive"),
    (["--at", "3", "--points", "4"], "--at and --range", "keep one"),
    (["--range", "10"], "'10'", "10:1e7"),
    (["--range", "10:1"], "--range 10:1", "rising"),
    (["--range", "1:10", "--points", "1"], "--points 1", "50"),
    (["--phi", "-1"], "--phi -1", "0.6"),
    (["--draws", "0"], "--draws 0", "500"),
    (["--draws", "5", "--data", "dampe"], "5 draws", "500"),
    (["--level", "1.5"], "--level 1.5", "0.68"),
    (["--level", "half"], "'half'", "0.68"),
    (["--set", "dampe.phi=1"], "--set", "--phi"),
    (["--data", "dmpe"], "'dmpe'", "'dampe'"),
    (["--data", "dampe,dampe"], "'dampe' is named twice", "once"),
    (["--data", "dampe", "--at", "3"], "--at does not go", "leave it out"),
    (["--data", "dampe", "--species", "S"], "'S'", "valid names"),
    (["--data", "dampe", "--set", "dampe.phii=1"], "dampe.phii", "dampe.phi"),
    (["--data", "dampe", "--set", "dampe.phi=-1"], "dampe.phi = -1", "zero or more"),
    (["--data", "dampe", "--set", "dampe.energy_scale=0"], "dampe.energy_scale = 0", "factor"),
    (["--plot", "no/such/folder/x"], "no/such/folder", "make it"),
    (["--plot", "x", "--style", "wide", "--points", "9"], "'wide'", "one-column"),
]


@pytest.mark.parametrize(("arguments", "named", "advice"), BAD, ids=[" ".join(a) for a, *_ in BAD])
def test_mistakes_end_in_a_message(stellarcr, folder, draws, monkeypatch, arguments, named, advice):
    from stellarcr.studies import pictures
    from stellarcr.studies import predict as module

    assert module.posterior_of is pictures.posterior_of
    monkeypatch.setattr(module, "posterior_of", lambda run: draws.posterior)  # built once is enough
    result = stellarcr("predict", folder, *arguments)
    assert result.code == 2
    assert named in result.err
    assert advice in result.err
    assert result.out == ""


def test_a_folder_that_is_no_run(stellarcr, folder, tmp_path):
    assert "there is no folder" in stellarcr("predict", tmp_path / "nowhere").err
    other = tmp_path / "changed"
    shutil.copytree(folder, other)
    text = (other / "config.toml").read_text()
    (other / "config.toml").write_text(text.replace("-2.8", "-2.9"))
    result = stellarcr("predict", other)
    assert result.code == 2
    assert "another model or data" in result.err
    (other / "posterior.nc").unlink()
    assert "posterior.nc is missing" in stellarcr("predict", other).err
    assert "named twice" in stellarcr("predict", folder, folder).err
