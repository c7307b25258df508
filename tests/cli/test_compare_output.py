"""stellarcr compare: its tables, files and JSON, and small fits of real data."""

import csv
import json
import re

import numpy as np
import pytest
from known_runs import Toy

from stellarcr.infer.runs import execute
from stellarcr.infer.samplers.map import MapSettings
from stellarcr.studies.compare import compare
from stellarcr.studies.compare_files import to_csv, to_latex
from stellarcr.studies.compare_report import print_comparison
from stellarcr.studies.text_tables import decimals, escape

pytestmark = pytest.mark.usefixtures("one_thread")


def test_terminal_tables_keep_every_digit_at_any_width(compared, capsys, monkeypatch):
    print_comparison(compared)
    wide = capsys.readouterr().out
    for text in ("not separated", "lower (", "Models closer than 3 total errors", "ONE He", "toy.p_0 [GV]"):
        assert text in wide
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setattr("rich.console.Console.is_terminal", property(lambda self: True))
    print_comparison(compared)
    narrow = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", capsys.readouterr().out)
    assert max(len(line) for line in narrow.splitlines()) <= 80
    assert "…" not in narrow
    numbers = re.findall(r"-?\d+\.\d\d+", wide)
    assert len(numbers) > 50
    assert sorted(numbers) == sorted(re.findall(r"-?\d+\.\d\d+", narrow))


def test_files_are_written(three_models, compared, stellarcr, tmp_path):
    table, latex = tmp_path / "out.csv", tmp_path / "out.tex"
    done = stellarcr("compare", *three_models, "--csv", table, "--latex", latex)
    assert done.code == 0
    assert f"written: {table}" in done.out
    assert f"written: {latex}" in done.out
    assert table.read_text() == to_csv(compared)
    assert latex.read_text() == to_latex(compared)


def test_csv_is_one_long_table_with_full_precision(compared):
    rows = list(csv.DictReader(to_csv(compared).splitlines()))
    found = {(r["table"], r["model"], r["item"], r["quantity"]): r for r in rows}
    assert len(found) == len(rows)
    assert float(found["evidence", "bad", "", "log_evidence"]["value"]) == compared["bad"].evidence.log_evidence
    assert found["bayes_factor", "wide", "good_fit", "verdict"]["value"] == "not separated"
    assert found["parameter", "wide", "toy.p_0", "prior_std"]["unit"] == "GV"
    seeds = [r for r in rows if (r["table"], r["model"]) == ("seed", "wide")]
    assert [r["quantity"] for r in seeds] == 3 * ["seed", "log_evidence", "log_evidence_error"]
    values = [float(r["value"]) for r in seeds if r["quantity"] == "log_evidence"]
    assert np.mean(values) == pytest.approx(compared["wide"].evidence.log_evidence)
    assert np.std(values, ddof=1) == pytest.approx(0.15)
    assert float(found["chi2", "bad", "ONE H", "points"]["value"]) == 7
    assert not any(key[:2] == ("bayes_factor", "good_fit") for key in found)


def test_latex_is_escaped_and_rounded(compared):
    text = to_latex(compared)
    assert text.count(r"\begin{tabular}") == text.count(r"\end{tabular}") == 6
    body = [line for line in text.splitlines() if line and not line.startswith("%")]
    assert not any(re.search(r"(?<!\\)_fit", line) for line in body)
    evidence = next(line for line in body if r"good\_fit" in line)
    # ln Z = -2 ln 2; quoted 0.2 / sqrt(3) = 0.115; scatter 0.15 with Student's factor 1.32 / sqrt(3): 0.114
    assert evidence.startswith(r"$1$ & good\_fit & $3$ & $-1.39$ & $0.12$ & $0.15$ & $0.11$ & $0.12$ & $")
    columns = None
    for line in body:
        if line.startswith(r"\begin{tabular}"):
            columns = len(line.removeprefix(r"\begin{tabular}{").removesuffix("}"))
        elif line.endswith(r"\\"):
            assert len(re.split(r"(?<!\\)&", line)) == columns, line


def test_json_is_json_only(three_models, stellarcr):
    done = stellarcr("compare", *sorted(three_models)[3:], "--json")
    content = json.loads(done.out)
    assert (done.err, content["reference"]) == ("", "good_fit")
    assert content["models"][1]["bayes_factor"]["separated"] is False


def test_a_file_that_cannot_be_written_is_named(write_run, stellarcr, tmp_path):
    (tmp_path / "taken").write_text("mine")
    run = write_run("a")
    for target, reason in ((tmp_path / "taken" / "out.csv", "cannot write"), (tmp_path, "is a folder")):
        done = stellarcr("compare", run, "--csv", target)
        assert (done.code, done.out) == (2, "")
        assert str(target) in done.err
        assert reason in done.err
        assert "--resume" not in done.err
    assert stellarcr("compare", run, "--csv", tmp_path / "new" / "out.csv").code == 0
    assert (tmp_path / "new" / "out.csv").exists()


@pytest.mark.parametrize(
    ("error", "digits"), [(0.0996, 2), (0.372, 2), (1.0, 1), (12.3, 0), (250.0, 0), (0.0, 2), (None, 2), (np.nan, 2)]
)
def test_two_digits_of_the_error_are_shown(error, digits):
    assert decimals(error) == digits


def test_escaping():
    assert escape("a_b & 5% #1 {x} ~^\\$") == (
        r"a\_b \& 5\% \#1 \{x\} \textasciitilde{}\textasciicircum{}\textbackslash{}\$"
    )


# ---------------------------------------------------------------------- sampled runs


def test_sampled_evidences_agree_with_the_analytic_ones(tmp_path):
    models = {"narrow": Toy(half=1.0), "broad": Toy(half=4.0)}
    for name, toy in models.items():
        for seed in (1, 2):
            execute(
                toy,
                "dynesty",
                {"nlive": 60, "walks": 25, "dlogz": 0.1, "seed": seed},
                tmp_path / f"{name}_{seed}",
                quiet=True,
                map_settings=MapSettings(starts=2, generations=20, population=12),
            )
    result = compare(sorted(tmp_path.iterdir()))
    assert [m.name for m in result.models] == ["narrow", "broad"]
    for model in result.models:
        toy = models[model.name]
        assert model.evidence.log_evidence == pytest.approx(toy.log_evidence, abs=4 * model.evidence.total_error)
        assert model.information.nats == pytest.approx(2 * toy.information, abs=4 * model.information.error)
        assert model.parameters[0].information.nats == pytest.approx(toy.information, abs=0.1)
    factor = result["broad"].bayes_factor
    assert factor.log_bayes_factor == pytest.approx(-2 * np.log(4.0), abs=4 * factor.total_error)


def test_fits_of_real_data(stellarcr, write_config, tmp_path):
    sampler = 'name = "emcee"'
    tiny = (
        'name = "dynesty"\nnlive = 50\nwalks = 5\ndlogz = 50.0\nmap = { starts = 2, generations = 5, population = 8 }'
    )
    full = write_config(sampler, tiny, name="full.toml")
    fixed = tmp_path / "fixed.toml"
    prior = 'gamma2 = { prior = "uniform", low = -2.8, high = -2.1, value = -2.45 }'
    fixed.write_text(full.read_text().replace(prior, "gamma2 = -2.45"))
    cut = tmp_path / "cut.toml"
    cut.write_text(
        full.read_text()
        .replace('species = ["H", "He"]', 'species = ["H", "He"]\nrange = { rigidity_min = 45.0 }')
        .replace(tiny, 'name = "map"\nstarts = 2\ngenerations = 5\npopulation = 8')
    )
    for config, name, seed in ((full, "full_seed1", 1), (full, "full_seed2", 2), (fixed, "fixed", 1), (cut, "cut", 1)):
        assert stellarcr("run", config, "--name", name, "--seed", seed, "--quiet").code == 0
    done = stellarcr("compare", "chains/full_seed1", "chains/full_seed2", "chains/fixed", "--json")
    models = {m["name"]: m for m in json.loads(done.out)["models"]}
    assert models["full"]["seeds"] == [1, 2]
    assert len(models["full"]["parameters"]) == len(models["fixed"]["parameters"]) + 1
    assert set(models["full"]["data"]) == {"AMS-02 H", "AMS-02 He"}
    gamma2 = next(p for p in models["full"]["parameters"] if p["name"] == "snr.gamma2")
    assert gamma2["prior"]["std"] == pytest.approx(0.7 / np.sqrt(12), rel=0.05)
    refused = stellarcr("compare", "chains/full_seed1", "chains/cut")
    assert refused.code == 2
    assert "likelihoods.ams02.range.rigidity_min is 20.0 in full_seed1, 45.0 in cut" in refused.err
    assert "number of points of AMS-02 H" in refused.err
