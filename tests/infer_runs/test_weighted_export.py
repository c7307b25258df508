"""Weighted samples of nested sampling in the formats of others."""

import csv
import json
from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from infer_toys import Gaussian
from toy_job import job

from stellarcr.errors import RunError
from stellarcr.infer.runs import read_run
from stellarcr.studies.export import export_run, samples_of


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A converged nested run."""
    return job(tmp_path_factory.mktemp("runs") / "nested", "dynesty", nlive=50, walks=20, checkpoint_every=60.0)


def test_weighted_csv(run, tmp_path):
    (path,) = export_run(run.path, "csv", tmp_path / "deep" / "w.csv", weighted=True)
    rows = list(csv.reader(line for line in path.read_text().splitlines() if not line.startswith("#")))
    numbers = np.array(rows[1:], dtype=float)
    weight, log_posterior, theta = numbers[:, 0], numbers[:, 1], numbers[:, 2:]
    np.testing.assert_array_equal(theta, run.nested.theta)
    np.testing.assert_allclose(weight.sum(), 1.0)
    np.testing.assert_allclose(log_posterior, Gaussian(2).log_posterior(theta), rtol=1e-12)
    # the same posterior as the known one: means to a tenth of its width, with some hundred effective samples
    width = np.sqrt(np.diag(Gaussian(2).covariance))
    effective = 1.0 / np.sum(weight**2)
    np.testing.assert_allclose((weight @ theta - Gaussian(2).mean) / width, 0.0, atol=5.0 / np.sqrt(effective))


def test_weighted_getdist(run, tmp_path):
    paths = export_run(run.path, "getdist", tmp_path / "root.txt", weighted=True)
    assert [path.name for path in paths] == ["root.txt", "root.paramnames", "root.ranges"]
    table = np.loadtxt(paths[0])
    assert table[:, 0].max() == 1.0
    np.testing.assert_allclose(table[:, 0] / table[:, 0].sum(), samples_of(run, True)[1], rtol=1e-12)
    np.testing.assert_array_equal(table[:, 1], -samples_of(run, True)[2])
    assert paths[1].read_text() == "p0\t\\theta_{0}\\ [{\\rm GV}]\np1\t\\theta_{1}\n"


def test_netcdf_keeps_the_weighted_samples(run, tmp_path):
    (path,) = export_run(run.path, "netcdf", tmp_path / "one.nc")
    with xr.open_datatree(path, engine="h5netcdf") as tree:
        np.testing.assert_array_equal(tree["nested"]["log_weight"].to_numpy(), run.nested.log_weight)
        assert json.loads(tree["summary"].item())["log_evidence"] == run.log_evidence


def test_latex_gives_the_evidence(run, tmp_path):
    (path,) = export_run(run.path, "latex", tmp_path / "t.tex")
    assert rf"$\ln Z = {run.log_evidence:.2f} \pm" in path.read_text()


def test_older_run_without_prior_densities_is_refused(run):
    old = replace(run, nested=replace(run.nested, log_prior=None))
    with pytest.raises(RunError, match="does not keep the prior density"):
        samples_of(old, True)
    assert len(samples_of(old, False)[0]) == len(read_run(run.path).samples)


def test_unknown_format(run):
    with pytest.raises(RunError, match="unknown format 'cvs'") as caught:
        export_run(run.path, "cvs")
    assert "'csv'" in caught.value.remedy
