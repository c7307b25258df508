import errno
import io
import json
import os
import subprocess
import sys

import arviz
import numpy as np
import pytest
import xarray as xr
from infer_toys import Gaussian
from toy_job import job

from stellarcr.errors import ModelError, RunError
from stellarcr.infer.progress import Progress, duration, progress_line
from stellarcr.infer.runs import read_run
from stellarcr.infer.runs.archive import derive, write_tree
from stellarcr.infer.summary import interval


@pytest.fixture(scope="module", params=["emcee", "dynesty"])
def run(request, tmp_path_factory):
    return job(tmp_path_factory.mktemp("runs") / request.param, request.param)


def test_groups_names_units_and_attributes(run):
    problem = Gaussian(2)
    tree = xr.open_datatree(run.path / "posterior.nc", engine="h5netcdf")
    extra = "trace" if run.manifest["sampler"] == "emcee" else "nested"
    groups = {"posterior", "sample_stats", "log_likelihood", "log_prior", "derived", "prior", extra}
    assert set(tree.children) == groups
    assert tree.attrs["fingerprint"] == problem.fingerprint
    assert tree.attrs["name"] == run.path.name
    assert tree.attrs["version"] == run.manifest["version"]
    for group in groups:
        for name, variable in tree[group].data_vars.items():
            assert "units" in variable.attrs, f"{group}/{name}"
            assert variable.dtype == np.float64
    posterior = tree["posterior"]
    assert set(posterior.data_vars) == {"p0", "p1"}
    assert posterior["p0"].dims == ("chain", "draw")
    assert posterior["p0"].attrs == {"label": r"\theta_{0}", "units": "GV"}
    assert set(tree["log_likelihood"].data_vars) == {"one", "two"}
    theta = np.stack([posterior[n].to_numpy().ravel() for n in ("p0", "p1")], axis=1)
    np.testing.assert_allclose(tree["log_prior"]["log_prior"].to_numpy().ravel(), problem.log_prior(theta))
    np.testing.assert_allclose(
        sum(v.to_numpy().ravel() for v in tree["log_likelihood"].data_vars.values()), problem.log_likelihood(theta)
    )
    np.testing.assert_allclose(tree["sample_stats"]["lp"].to_numpy().ravel(), problem.log_posterior(theta))
    index = tree["derived"]["sample"].to_numpy()
    np.testing.assert_allclose(tree["derived"]["total"].to_numpy(), theta[index].sum(axis=1))
    np.testing.assert_array_equal(tree["derived"]["constant"].to_numpy(), 3.0)


def test_the_prior_is_kept(run):
    """Draws of the toy's uniform prior; a toy tells no groups, so none are invented."""
    assert run.prior.shape == (5000, 2)
    assert np.all(np.abs(run.prior) <= 1.0)
    np.testing.assert_allclose(run.prior.mean(axis=0), 0.0, atol=5 / np.sqrt(3 * 5000))
    assert run.groups == {}
    assert run.priors == {}
    np.testing.assert_allclose(run.weights.sum(), 1.0)


def test_arviz_reads_it(run):
    data = arviz.from_netcdf(run.path / "posterior.nc", engine="h5netcdf")
    table = arviz.summary(data, round_to="none")
    assert list(table.index) == ["p0", "p1"]
    np.testing.assert_allclose(np.asarray(table["mean"], dtype=float), run.samples.mean(axis=0), rtol=1e-6)


def test_reading_needs_no_model_and_no_sampler(run):
    script = (
        "import sys; from stellarcr.infer.runs import read_run; r = read_run(sys.argv[1]); print(r.samples.shape);"
        "print([m for m in ('emcee', 'dynesty', 'infer_toys', 'stellarcr.model', 'stellarcr.data', 'stellarcr.config',"
        "'matplotlib', 'arviz') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(run.path)], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.splitlines() == [str(run.samples.shape), "[]"]


def test_moved_run_is_read(run, tmp_path):
    copy = tmp_path / "elsewhere"
    copy.mkdir()
    for name in ("posterior.nc", "summary.json", "manifest.json"):
        (copy / name).write_bytes((run.path / name).read_bytes())
    again = read_run(copy / "posterior.nc")
    np.testing.assert_array_equal(again.samples, run.samples)
    assert again.name == "elsewhere"


def test_run_object(run):
    assert run.names == ("p0", "p1")
    assert run.labels == (r"\theta_{0}", r"\theta_{1}")
    assert run.units == ("GV", "")
    assert run.samples.shape == (len(run.log_posterior), 2)
    np.testing.assert_array_equal(run.column("p1"), run.samples[:, 1])
    np.testing.assert_allclose(run.maximum, Gaussian(2).mean, atol=1e-4)
    with pytest.raises(RunError, match="has no parameter 'p2'"):
        run.column("p2")
    text = str(run)
    assert "p0" in text
    assert "GV" in text
    assert ("ln Z" in text) == (run.log_evidence is not None)
    if run.trace is not None:
        assert run.trace.theta.shape == (4, len(run.trace.steps), 8, 2)
        assert run.trace.log_posterior.shape == (4, len(run.trace.steps), 8)


def test_summary_is_complete(run):
    problem = Gaussian(2)
    text = (run.path / "summary.json").read_text()
    summary = json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} in summary.json"))
    assert summary == run.summary
    for i, name in enumerate(("p0", "p1")):
        row = summary["parameters"][name]
        values = run.samples[:, i]
        assert row["median"] == pytest.approx(np.median(values))
        assert row["mean"] == pytest.approx(values.mean())
        assert row["std"] == pytest.approx(values.std(ddof=1))
        assert row["interval_68"] == pytest.approx(list(np.quantile(values, [0.16, 0.84])))
        assert row["interval_95"] == pytest.approx(list(np.quantile(values, [0.025, 0.975])))
        assert row["map"] == pytest.approx(problem.mean[i], abs=1e-4)
        assert row["map_std"] == pytest.approx(np.sqrt(problem.covariance[i, i]), rel=1e-3)
        assert row["unit"] == problem.units[i]
    assert summary["map"]["points_total"] == 14
    terms = problem.chi2_terms(problem.mean[None])
    for name, (chi2, points) in terms.items():
        assert summary["map"]["chi2"][name] == {"chi2": pytest.approx(chi2[0], abs=1e-5), "points": points}
    assert summary["map"]["chi2_total"] == pytest.approx(sum(c[0] for c, _ in terms.values()), abs=1e-5)
    assert summary["map"]["fraction_of_starts"] == 1.0
    assert summary["derived"]["constant"]["interval_68"] == [3.0, 3.0]
    assert summary["derived"]["total"]["map"] == pytest.approx(problem.mean.sum(), abs=1e-4)
    assert summary["calls"] > 0
    assert summary["calls_per_second"] == pytest.approx(summary["calls"] / summary["seconds"])
    assert summary["ess"] > 50
    if run.manifest["sampler"] == "emcee":
        assert summary["log_evidence"] is None
        assert len(summary["diagnostics"]["tau"]) == 2
        assert summary["tau"] == max(summary["diagnostics"]["tau"])
        assert 0.1 < summary["acceptance"] < 0.8  # a mixture that fits a Gaussian is accepted nearly always
        assert summary["burn_in"] > 0
        assert summary["thin"] >= 1
        assert summary["parameters"]["p0"]["rhat"] == summary["diagnostics"]["rhat"][0]
    else:
        assert abs(summary["log_evidence"] - problem.log_evidence) < 3 * summary["log_evidence_error"]
        assert summary["tau"] is None
        assert summary["rhat"] is None


def test_interval_of_one_sample_has_no_nan():
    assert interval(np.array([2.0])) == {
        "median": 2.0, "mean": 2.0, "std": 0.0, "interval_68": [2.0, 2.0], "interval_95": [2.0, 2.0],
    }  # fmt: skip


def test_damaged_and_missing_folders(run, tmp_path):
    with pytest.raises(RunError, match="there is no folder"):
        read_run(tmp_path / "nothing")
    with pytest.raises(RunError, match=r"manifest\.json is missing"):
        read_run(tmp_path)
    for name in ("summary.json", "manifest.json"):
        (tmp_path / name).write_bytes((run.path / name).read_bytes())
    (tmp_path / "posterior.nc").write_bytes((run.path / "posterior.nc").read_bytes()[:5000])
    with pytest.raises(RunError, match=r"posterior\.nc cannot be read"):
        read_run(tmp_path)


def test_full_disk_keeps_the_old_archive(tmp_path, monkeypatch):
    path = tmp_path / "posterior.nc"
    path.write_bytes(b"old")

    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(RunError, match="cannot write: No space left on device"):
        write_tree(path, xr.DataTree(xr.Dataset({"x": ("n", np.arange(3.0))})))
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["posterior.nc"]


def test_derived_quantities_of_few_and_many_samples():
    problem = Gaussian(2)
    theta = problem.sample_prior(np.random.default_rng(0), 1000)
    values, index = derive(problem, theta, 300)
    assert len(index) == 300
    np.testing.assert_allclose(values["total"], theta[index].sum(axis=1))
    values, index = derive(problem, theta[:5], 300)
    np.testing.assert_array_equal(index, np.arange(5))

    class Slash(Gaussian):
        def derived(self, theta):
            return {"a/b": theta[:, 0]}

    with pytest.raises(ModelError, match="'a/b' contains '/'"):
        derive(Slash(2), theta, 10)


def test_progress_of_a_terminal_a_pipe_and_quiet(tmp_path):
    numbers = {"sampler": "dynesty", "calls": 3_200_000, "seconds": 100.0, "log_evidence": -12.345}
    pipe = io.StringIO()
    progress = Progress(stream=pipe, path=tmp_path / "progress.json", plain_every=3600.0)
    progress.update(**numbers)
    progress.update(**{**numbers, "calls": 3_300_000, "seconds": 102.0})
    assert pipe.getvalue().splitlines() == ["dynesty: 3,200,000 calls, 32.0k/s, ln Z -12.35 +- nan"]
    assert json.loads((tmp_path / "progress.json").read_text())["calls"] == 3_200_000
    progress.close(status="finished", rate=float("inf"))
    assert json.loads((tmp_path / "progress.json").read_text())["rate"] is None
    silent = io.StringIO()
    quiet = Progress(stream=silent, quiet=True)
    quiet.update(**numbers)
    quiet.say("a line")
    assert silent.getvalue() == ""


def test_progress_line_shows_what_there_is():
    line = progress_line(
        {"sampler": "emcee", "calls": 12_000, "calls_per_second": 9800.0, "steps": 400, "tau": 31.2, "rhat": 1.02,
         "ess": 812.4, "remaining_seconds": 75.0}
    )  # fmt: skip
    assert line == "emcee: 12,000 calls, 9.8k/s, 400 steps, tau 31, R-hat 1.020, ESS 812, ETA 1 min 15 s"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(4.4, "4 s"), (59.6, "1 min 00 s"), (3599.0, "59 min 59 s"), (7500.0, "2 h 05 min"), (float("inf"), "?")],
)
def test_duration(seconds, text):
    assert duration(seconds) == text
