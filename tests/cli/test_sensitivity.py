"""stellarcr sensitivity, on runs of linear Gaussian models."""

import csv
import json

import numpy as np
import pytest
from linear_model import LinearModel
from linear_runs import LinearPosterior, write_linear

pytestmark = pytest.mark.usefixtures("one_thread")

NAMES = ("snr.gamma", "one.phi", "snr.far", "snr.unseen")


@pytest.fixture(scope="module")
def model():
    """Return a model whose parameters are measured well, badly, far out in their prior, and not at all."""
    design = np.diag([1.0, 1.0, 1.0, 0.0])[:3]
    parts = [(design[[0]], 0.1, [0.5]), (design[[1]], 3.0, [1.0]), (design[[2]], 0.7, [3.0])]
    return LinearModel([5.0, 1.0, 1.0, 1.0], parts)


@pytest.fixture(scope="module")
def run(model, tmp_path_factory):
    posterior = LinearPosterior(model, NAMES, ["ONE H", "ONE He", "ONE C"])
    return write_linear(tmp_path_factory.mktemp("s") / "toy", posterior, {"one": ["H", "He", "C"]}, n=8000)


def test_verdicts_and_evidences(model, run, stellarcr):
    done = stellarcr("sensitivity", run, "--json")
    assert (done.code, done.err) == (0, "")
    found = {row["name"]: row for row in json.loads(done.out)["parameters"]}
    assert found["snr.gamma"]["verdict"] == "the data decide"
    assert found["snr.gamma"]["strongest"] == "ONE H"
    assert found["one.phi"]["verdict"] == "the prior decides"
    assert found["snr.far"]["verdict"] == "prior and data pull in different directions"
    assert found["snr.unseen"]["verdict"] == "the prior decides"
    for k, name in enumerate(NAMES):
        for change, factor in zip(found[name]["widths"], (0.5, 2.0), strict=True):
            widths = model.widths.copy()
            widths[k] *= factor
            exact = LinearModel(widths, model.parts).log_evidence - model.log_evidence
            assert change["factor"] == factor
            assert change["reliable"] == (change["pareto_k"] is None or change["pareto_k"] <= 0.7)
            if change["reliable"]:
                error = max(change["log_evidence_error"], 1e-3)
                assert change["log_evidence_change"] == pytest.approx(exact, abs=4 * error)


def test_tables_and_csv(run, stellarcr, tmp_path):
    done = stellarcr("sensitivity", run, "--parameter", "snr.far", "--factor", "1.5", "--csv", tmp_path / "s.csv")
    assert done.code == 0
    assert "x 1.5: d ln Z" in done.out
    assert "normal 0 +- 1" in done.out
    assert "snr.gamma" not in done.out
    with (tmp_path / "s.csv").open() as file:
        rows = {row["quantity"]: row["value"] for row in csv.DictReader(file)}
    assert float(rows["all_priors"]) > 0.05
    assert float(rows["width x 1.5: shift"]) > 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--parameter", "snr.gama"], "did you mean 'snr.gamma'"),
        (["--factor", "half"], "'half' is not a list of numbers"),
        (["--factor", "0"], "widths of priors are above zero"),
    ],
)
def test_mistakes_end_in_a_message(run, stellarcr, arguments, says):
    done = stellarcr("sensitivity", run, *arguments)
    assert (done.code, done.out) == (2, "")
    assert says in done.err


def test_a_run_without_priors_is_refused(write_run, stellarcr):
    from known_runs import Toy

    assert "the run kept no priors" in stellarcr("sensitivity", write_run("old", Toy(records=False))).err
    assert "50 samples do not tell" in stellarcr("sensitivity", write_run("short", n=50)).err


def test_flat_priors(write_run, stellarcr):
    done = stellarcr("sensitivity", write_run("flat"), "--json")
    for row in json.loads(done.out)["parameters"]:
        assert row["own_prior"] is None
        assert row["verdict"] == "the data decide"
        assert [w["log_evidence_change"] for w in row["widths"]] == pytest.approx([np.log(2), -np.log(2)], abs=1e-9)
