"""Mock data: written files are the drawn data, drawn data follow their likelihood, and nobody takes them for real."""

import json
import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from stellarcr.config import build_posterior, config_from_mapping, load_config
from stellarcr.data import load_spectrum
from stellarcr.data.tables import load_table
from stellarcr.infer.calibration import mock_random
from stellarcr.infer.runs import read_run
from stellarcr.likelihood.errors import IndependentErrors, UpperLimits
from stellarcr.studies.fit import run as fit
from stellarcr.studies.mock import make_mocks
from stellarcr.studies.mock_draw import draw_experiment, draw_mock, limit_parts

EDGES = np.geomspace(100.0, 1e4, 9)


@pytest.fixture
def own_data(write_table, tmp_path):
    """Return a function that gives the small configuration with tables of its own: asymmetric errors, and limits."""

    def make(correlation="uncorrelated", limits=(), more="", scatter=""):
        low, high = EDGES[:-1], EDGES[1:]
        flux = 1e4 * (low * high) ** (-1.35)
        mask = np.isin(np.arange(8), limits)
        for species, factor in (("H", 1.0), ("He", 0.7)):
            value = factor * flux
            write_table(
                f"TOY_{species}", species, low, high, value, (0.05 * value, 0.08 * value),
                limits=mask if species == "H" else None, total=(0.10 * value, 0.15 * value),
            )  # fmt: skip
        (tmp_path / "toy.toml").write_text(
            f'experiment = "TOY"\nspecies = ["H", "He"]\nfolder = "tables"\n[errors]\n{more}'
            f'[errors.systematic.total]\ncorrelation = "{correlation}"\n'
            + ("length = 0.7\n" if correlation == "length" else "")
            + f"[nuisances.phi]\nvalue = 0.4\n{scatter}"
        )
        return str(tmp_path / "toy.toml")

    return make


@pytest.fixture
def configured(small_content, own_data):
    """Return a function that gives a configuration of own tables, with some of the shipped ones beside them."""

    def make(lhaaso=False, **options):
        content = small_content()
        content["likelihoods"] = {"toy": {"file": own_data(**options)}}
        if lhaaso:
            content["parameters"]["snr"]["log10_R_max"] = 7.0  # bright where LHAASO measures
            content["likelihoods"]["lhaaso"] = {"hadronic_model": lhaaso} if isinstance(lhaaso, str) else lhaaso
        return config_from_mapping(content)

    return make


CASES = {
    "asymmetric": {},
    "correlated": {"correlation": "length"},
    "limits": {"limits": (5, 6, 7)},
    "correlated with limits": {"correlation": "length", "limits": (0, 7)},
    "floor": {"more": "statistical_floor = 0.06\n"},
    "scatter": {"scatter": '[nuisances.scatter]\nprior = { kind = "uniform", low = 0.0, high = 0.2 }\n'},
    "difference": {"lhaaso": "EPOS-LHC"},
    "mixture": {
        "lhaaso": {"hadronic_model": ["EPOS-LHC", "QGSJET-II-04"], "species": ["H"], "range": {"rigidity_max": 1e6}}
    },
}


@pytest.mark.parametrize("case", CASES)
def test_files_hold_what_was_drawn(configured, tmp_path, case):
    config = configured(**CASES[case])
    posterior = build_posterior(config)
    theta = posterior.reference()
    truth = [f"snr.log10_power={48.3}", "snr.gamma2=-2.5"]
    (mock,) = make_mocks(config, tmp_path / "mock", assignments=truth, seed=3)
    for item in truth:
        name, _, value = item.partition("=")
        theta[posterior.names.index(name)] = float(value)
    drawn = draw_mock(posterior, theta, mock_random(3, 0)[0])
    read = build_posterior(load_config(mock.path / "config.toml"))
    assert read.names == posterior.names
    points = np.concatenate([theta[None, :], posterior.sample_prior(np.random.default_rng(1), 20)])
    expected = drawn.log_likelihood(points)
    assert np.max(np.abs(read.log_likelihood(points) / expected - 1)) < 1e-12
    assert mock.record["log_likelihood"] == pytest.approx(expected[0], rel=1e-12)
    for before, after in zip(drawn.likelihoods, read.likelihoods, strict=True):
        assert np.array_equal(before.data.values, after.data.values)
        assert np.array_equal(before.data.total_errors, after.data.total_errors)
        for table, again in zip(before.data.tables, after.data.tables, strict=True):
            assert np.array_equal(table.x.value, again.x.value)
            assert np.array_equal(table.upper_limit, again.upper_limit)


@pytest.mark.parametrize("case", [case for case in CASES if case != "floor"])
def test_drawn_data_follow_the_likelihood(configured, case):
    """The mean of p(y | a) / p(y | b) over data drawn at b is one if and only if they are drawn from p(y | b)."""
    posterior = build_posterior(configured(**CASES[case]))
    start = posterior.reference()
    if "lhaaso" in CASES[case]:
        posterior = replace(posterior, likelihoods=posterior.likelihoods[1:])
    # at a flux like the data's, limits are passed sometimes
    other = start.copy()
    other[posterior.names.index("snr.log10_power")] += 0.01
    rng = np.random.default_rng(2)
    both = np.stack([other, start])
    terms = np.array([np.diff(draw_mock(posterior, start, rng).log_likelihood(both))[0] for _ in range(400)])
    ratios = np.exp(-terms)
    assert 0.02 < np.std(terms) < 1.5
    assert np.mean(ratios) == pytest.approx(1.0, abs=4 * np.std(ratios) / np.sqrt(len(ratios)))


def test_limits_are_kept_or_become_measurements(configured):
    posterior = build_posterior(configured(limits=(5, 6, 7)))
    data = posterior.likelihoods[0].data
    ((places, limits),) = limit_parts(data.groups[0].errors)
    far_below, far_above = 0.01 * data.values, 100.0 * data.values
    low = draw_experiment(data, far_below, np.random.default_rng(1))
    assert np.array_equal(low.values[places], data.values[places])
    assert np.array_equal(low.tables[0].upper_limit, data.tables[0].upper_limit)
    high = draw_experiment(data, far_above, np.random.default_rng(1))
    assert not np.any(high.tables[0].upper_limit)
    pulls = (high.values[places] - far_above[places]) / limits.sigma
    assert np.all(np.abs(pulls) < 5)
    residuals = np.zeros((1, len(data.values)))
    model = IndependentErrors(limits.sigma, limits.sigma)
    expected = model.log_likelihood(residuals[:, places])
    rest = data.groups[0].errors.log_likelihood(residuals[:, :8]) - UpperLimits(limits.sigma).log_likelihood(
        residuals[:, places]
    )
    assert high.groups[0].errors.log_likelihood(residuals[:, :8]) == pytest.approx(rest + expected, rel=1e-12)


def test_nobody_takes_it_for_a_measurement(stellarcr, write_config):
    result = stellarcr("mock", write_config(), "--seed", 4, "--set", "snr.gamma2=-2.4")
    assert result.code == 0
    assert "MOCK DATA in mock: seed 4, number 0" in result.out
    assert "stellarcr run mock/config.toml" in result.out
    truth = json.loads(Path("mock/truth.json").read_text())
    assert truth["mock"] is True
    assert truth["truth"]["snr.gamma2"] == -2.4
    table = load_table("mock/tables/ams02/AMS-02_He-mock.ecsv")
    assert table.experiment == "AMS-02-mock"
    assert table.metadata["mock"] is True
    assert table.metadata["mock_seed"] == 4
    assert table.metadata["mock_truth"]["snr.gamma2"] == -2.4
    assert "MOCK DATA" in str(table.reference)
    real = load_spectrum("AMS-02", "He")
    assert real.sha256 in table.metadata["mock_of"]
    config = tomllib.loads(Path("mock/config.toml").read_text())
    assert config["name"] == "small_mock"
    assert config["description"].startswith("MOCK DATA (seed 4, number 0)")
    listed = stellarcr("data", "list", "--folder", "mock/tables")
    assert "AMS-02-mock" in listed.out
    assert stellarcr("check", "mock/config.toml", "--quiet").code == 0


def test_negative_fluxes_are_kept(stellarcr, write_config):
    add = '[likelihoods.lhaaso]\nhadronic_model = "EPOS-LHC"\n'
    path = write_config("[sampler]", f"{add}[sampler]")
    result = stellarcr("mock", path, "--json", "--set", "snr.log10_power=47.1", "--set", "snr.gamma2=-2.7")
    assert result.code == 0
    (record,) = json.loads(result.out)
    assert record["negative_values"]["LHAASO_H_EPOS-LHC"] > 0
    read = build_posterior(load_config("mock/config.toml"))
    negative = sum(np.sum(likelihood.data.values < 0) for likelihood in read.likelihoods)
    assert negative == sum(record["negative_values"].values())
    assert "negative values, where errors are large (kept): " in stellarcr(
        "mock", path, "--set", "snr.log10_power=47.1", "--output", "again"
    ).out  # fmt: skip


def test_several_mocks_and_priors(stellarcr, write_config):
    path = write_config()
    result = stellarcr("mock", path, "--prior", "--count", 3, "--seed", 9, "--output", "many", "--json")
    records = json.loads(result.out)
    assert [r["folder"] for r in records] == ["many/0000", "many/0001", "many/0002"]
    assert len({r["truth"]["snr.gamma2"] for r in records}) == 3
    posterior = build_posterior(load_config(path))
    for number, record in enumerate(records):
        # mock k of a seed is mock k of a calibration of that seed
        rng, _ = mock_random(9, number)
        assert list(record["truth"].values()) == posterior.sample_prior(rng, 1)[0].tolist()
    (second,) = json.loads(
        stellarcr("mock", path, "--prior", "--first", 1, "--seed", 9, "--output", "one", "--json").out
    )
    assert second["truth"] == records[1]["truth"]
    assert second["data_hashes"] == records[1]["data_hashes"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--set", "snr.gamma=-2"], "unknown parameter 'snr.gamma'"),
        (["--set", "snr.gamma1=-2"], "snr.gamma1 is fixed in the configuration"),
        (["--set", "snr.gamma2=-3"], "outside the prior: snr.gamma2 = -3"),
        (["--prior", "--from", "chains/x"], "--from and --prior exclude each other"),
        (["--from", "chains/x"], "there is no folder chains/x"),
        (["--output", "full"], "full is not empty"),
    ],
)
def test_what_cannot_be_drawn_is_refused(stellarcr, write_config, arguments, message, tmp_path):
    (tmp_path / "work" / "full").mkdir()
    (tmp_path / "work" / "full" / "notes.txt").write_text("")
    result = stellarcr("mock", write_config(), *arguments)
    assert result.code == 2
    assert message in result.err


def test_truths_are_recovered(stellarcr, write_config):
    sampler = 'name = "emcee"\nwalkers = 12\nensembles = 2\nlearn = false\ntarget_tau = 10.0\nmap = { starts = 1 }'
    path = write_config('name = "emcee"', sampler)
    fit(path, quiet=True)
    assert stellarcr("mock", path, "--from", "chains/small", "--count", 2, "--output", "two").code == 0
    best = dict(zip((run := read_run("chains/small")).names, run.maximum.tolist(), strict=True))
    for k in range(2):
        truth = json.loads(Path(f"two/000{k}/truth.json").read_text())
        assert truth["truth"] == best
        assert truth["truth_from"].startswith("maximum of ")
        fit(f"two/000{k}/config.toml", quiet=True)
    runs = [f"chains/small_mock_000{k}" for k in range(2)]
    found = json.loads(stellarcr("recover", *runs, "--mock", "two", "--json").out)
    assert [item["mock"] for item in found] == ["two/0000", "two/0001"]
    for item in found:
        for p in item["parameters"]:
            assert p["truth"] == best[p["name"]]
            assert abs(p["offset"]) < 4.0
            side = p["plus"] if p["truth"] > p["median"] else p["minus"]
            assert p["offset"] == pytest.approx((p["truth"] - p["median"]) / side, abs=0.5)
    text = stellarcr("recover", *runs, "--mock", "two").out
    assert "offsets of 2 runs: mean (0 expected) and root mean square (1 expected)" in text
    wrong = stellarcr("recover", "chains/small", "--mock", "two")
    assert wrong.code == 2
    assert "not fitted to the tables of this mock" in wrong.err
    assert "holds no mock data" in stellarcr("recover", runs[0], "--mock", "chains").err
