"""stellarcr tension, on runs of linear Gaussian models."""

import csv
import json

import numpy as np
import pytest
from linear_model import LinearModel
from linear_runs import LinearPosterior, write_linear
from scipy.stats import chi2

pytestmark = pytest.mark.usefixtures("one_thread")

SHARED = ("snr.log10_power", "snr.gamma")


def model(shift=0.8):
    rng = np.random.default_rng(7)
    parts = []
    for k, sigma in enumerate((0.3, 0.4)):
        design = np.zeros((12, 4))
        design[:, :2] = rng.normal(size=(12, 2))
        design[:, 2 + k] = 1.0
        parts.append((design, sigma, design @ [0.3 + k * shift, -0.2, 0.1, -0.1] + sigma * rng.normal(size=12)))
    return LinearModel([30.0, 30.0, 0.5, 0.5], parts)


def part(whole, k):
    """One experiment, without the nuisance parameter of the other."""
    columns = [0, 1, 2 + k]
    design, sigma, y = whole.parts[k]
    return LinearModel(whole.widths[columns], [(design[:, columns], sigma, y)])


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Return run folders: joint, one, two."""
    folder, whole = tmp_path_factory.mktemp("tension"), model()
    joint = LinearPosterior(whole, [*SHARED, "one.phi", "two.phi"], ["ONE H", "TWO H"])
    found = [write_linear(folder / "joint", joint, {"one": ["H"], "two": ["H"]}, n=20_000)]
    for k, key in enumerate(("one", "two")):
        posterior = LinearPosterior(part(whole, k), [*SHARED, f"{key}.phi"], [f"{key.upper()} H"])
        found.append(write_linear(folder / key, posterior, {key: ["H"]}, n=20_000, seed=k + 1))
    return found


def test_numbers_are_the_exact_ones(runs, stellarcr):
    done = stellarcr("tension", *runs, "--json")
    assert (done.code, done.err) == (0, "")
    found = json.loads(done.out)
    whole = model()
    parts = [part(whole, k) for k in (0, 1)]
    s = found["suspiciousness"]
    exact = whole.mean_log_likelihood - sum(p.mean_log_likelihood for p in parts)
    assert s["log_suspiciousness"]["value"] == pytest.approx(exact, abs=4 * s["log_suspiciousness"]["error"])
    ratio = whole.log_evidence - sum(p.log_evidence for p in parts)
    assert s["log_bayes_ratio"] == pytest.approx({"value": ratio, "error": 0.2 * np.sqrt(3)})
    # each experiment has a nuisance parameter of its own, which is not shared
    assert s["dimensions"]["value"] == pytest.approx(2.0, abs=4 * s["dimensions"]["error"])
    (pair,) = found["pairs"]
    assert pair["parameters"] == list(SHARED)
    assert pair["shift"]["directions"] == 2
    (one, c1), (two, c2) = (p.posterior for p in parts)
    difference, covariance = (one - two)[:2], (c1 + c2)[:2, :2]
    q = difference @ np.linalg.solve(covariance, difference)
    assert pair["shift"]["chi2"]["value"] == pytest.approx(q, abs=4 * pair["shift"]["chi2"]["error"])
    assert s["p_value"]["value"] == pytest.approx(chi2.sf(q, 2), abs=4 * s["p_value"]["error"] + 1e-4)
    for k, marginal in enumerate(pair["shift"]["marginals"]):
        assert marginal["difference"] == pytest.approx(difference[k], abs=0.05 * marginal["error"])


def test_tables_and_csv(runs, stellarcr, tmp_path):
    done = stellarcr("tension", *runs, "--csv", tmp_path / "t.csv")
    assert done.code == 0
    for title in ("Suspiciousness", "Shift of shared parameters", "one minus two, parameter by parameter"):
        assert title in done.out
    assert "snr.gamma" in done.out
    assert "one.phi" not in done.out
    with (tmp_path / "t.csv").open() as file:
        rows = {(row["test"], row["quantity"]): float(row["value"]) for row in csv.DictReader(file)}
    assert rows["shift", "directions"] == 2.0
    assert rows["suspiciousness", "p_value"] < 0.05
    assert ("marginal", "snr.gamma") in rows


def test_chains_have_no_bayes_ratio(runs, stellarcr, tmp_path):
    whole = model()
    joint = LinearPosterior(whole, [*SHARED, "one.phi", "two.phi"], ["ONE H", "TWO H"])
    chain = write_linear(tmp_path / "chain", joint, {"one": ["H"], "two": ["H"]}, nested=False)
    found = json.loads(stellarcr("tension", chain, *runs[1:], "--json").out)["suspiciousness"]
    assert found["log_bayes_ratio"] is None
    assert found["p_value"] is not None


def test_parts_that_are_not_the_joint_data_are_refused(runs, stellarcr, tmp_path):
    joint, one, two = runs
    assert "at least two parts" in stellarcr("tension", joint, one).err
    twice = stellarcr("tension", joint, one, two, one)
    assert twice.code == 2
    assert "ONE H is in one and in one" in twice.err
    others = LinearPosterior(part(model(), 1), [*SHARED, "two.phi"], ["TWO He"])
    wrong = stellarcr("tension", joint, one, write_linear(tmp_path / "other", others, {"two": ["He"]}))
    assert "TWO H is in joint and in none of the others" in wrong.err
    assert "number of points of TWO He is (absent) in joint, 12 in other" in wrong.err


def test_other_priors_are_told(runs, stellarcr, tmp_path):
    narrow = part(model(), 1)
    narrow.widths = narrow.widths * 0.9
    other = LinearPosterior(narrow, [*SHARED, "two.phi"], ["TWO H"])
    done = stellarcr("tension", *runs[:2], write_linear(tmp_path / "other", other, {"two": ["H"]}))
    assert done.code == 0
    assert "the prior of snr.gamma is another one in other than in joint" in done.err
