"""Seeds merged into one run: read, drawn and compared like any other; refused where they are not one problem."""

import json

import h5py
import numpy as np
import pytest
from known_runs import CONFIG, Toy, change_json, write_toy

import stellarcr as package
from stellarcr.errors import RunError
from stellarcr.infer.comparison.evidence import combine_seeds
from stellarcr.infer.diagnostics import split_rhat
from stellarcr.infer.files import write_json
from stellarcr.infer.runs.archive import build_tree, derive, write_tree
from stellarcr.infer.runs.folder import RunFolder
from stellarcr.infer.samplers.base import SamplerResult, WeightedSamples
from stellarcr.infer.samplers.dynesty_settings import DynestySettings
from stellarcr.studies.merge import merge


@pytest.fixture
def seeds(write_run):
    """Return a function that writes seeds of a model sampled by MCMC, with so many samples each."""
    return lambda *sizes: [
        write_run(f"toy_seed{k}", seed=k, nested=False, n=size) for k, size in enumerate(sizes, start=1)
    ]


def test_chains_of_mcmc_lie_side_by_side(seeds, tmp_path):
    folders = seeds(300, 200)
    parts = [package.load_run(folder) for folder in folders]
    run, warnings = merge(folders, "both", output=tmp_path / "chains")
    assert warnings == []
    assert (run.n_chains, len(run.samples)) == (2, 400)
    # the last draws of the longer chain, all of the shorter one
    np.testing.assert_array_equal(run.samples[:200], parts[0].samples[100:])
    np.testing.assert_array_equal(run.samples[200:], parts[1].samples)
    np.testing.assert_array_equal(run.log_posterior[200:], parts[1].log_posterior)
    for name, values in run.log_likelihood.items():
        np.testing.assert_array_equal(values[:200], parts[0].log_likelihood[name][100:])
    np.testing.assert_allclose(run.derived["total"], run.samples[run.derived_index].sum(axis=1))
    for i, name in enumerate(run.names):
        expected = split_rhat(np.stack([parts[0].samples[100:, i], parts[1].samples[:, i]], axis=1))
        assert run.summary["parameters"][name]["rhat"] == pytest.approx(expected, rel=1e-12)
    assert run.summary["rhat"] == max(run.summary["parameters"][name]["rhat"] for name in run.names)
    assert run.converged == (run.summary["rhat"] < 1.01)
    assert "largest R-hat over all chains" in run.summary["verdict"]


def test_chains_in_different_places_are_not_converged(seeds, tmp_path):
    folders = seeds(400, 400)
    with h5py.File(folders[1] / "posterior.nc", "r+") as file:
        file["posterior"]["toy.p_0"][...] += 0.2
    run, _ = merge(folders, "apart", output=tmp_path / "chains")
    assert not run.converged
    assert run.summary["verdict"].startswith("not converged")
    assert "toy.p_0; target 1.01" in run.summary["verdict"]


def nested_seeds(tmp_path, sizes, shifts):
    """Nested runs with raw weighted samples of known effective sizes."""
    toy, folders = Toy(), []
    source = json.loads((write_toy(tmp_path / "source", toy, True, 50) / "summary.json").read_text())
    for k, (size, shift) in enumerate(zip(sizes, shifts, strict=True), start=1):
        rng = np.random.default_rng(k)
        theta = rng.normal(0.2, 0.05, (size, toy.n_dim))
        order = np.argsort(toy.log_likelihood(theta))
        theta = theta[order]
        result = SamplerResult(
            sampler="dynesty",
            samples=theta[np.newaxis],
            log_posterior=toy.log_posterior(theta)[np.newaxis],
            converged=True,
            verdict="converged: toy",
            n_calls=100,
            seconds=2.0,
            diagnostics={"ess": float(size)},
            log_evidence=toy.log_evidence + shift,
            log_evidence_error=0.2,
            nested=WeightedSamples(
                theta, np.full(size, -np.log(size)), toy.log_likelihood(theta), -np.arange(size) / 10.0
            ),
        )
        path = tmp_path / "chains" / f"toy_seed{k}"
        summary = {**source, "log_evidence": toy.log_evidence + shift, "ess": float(size)}
        settings = DynestySettings(seed=k)
        hashes = {"data_hashes": {"ONE_H": "a" * 64}}
        with RunFolder.create(path, toy, "dynesty", settings, config_text=CONFIG, extras=hashes, quiet=True) as folder:
            derived, index = derive(toy, theta, 50)
            write_tree(path / "posterior.nc", build_tree(toy, result, derived, index, {}, summary))
            write_json(path / "summary.json", summary)
            folder.end_session("finished", "toy")
        folders.append(path)
    return folders


def test_nested_runs_are_pooled_by_effective_size_and_evidences_are_combined(tmp_path, stellarcr):
    sizes, shifts = [300, 100, 200], [0.1, -0.1, 0.3]
    folders = nested_seeds(tmp_path, sizes, shifts)
    done = stellarcr("merge", *folders, "--name", "all", "--output", tmp_path / "chains")
    assert done.code == 0, done.err
    assert f"results: {tmp_path / 'chains/all'}" in done.out
    run = package.load_run(tmp_path / "chains/all")
    assert (run.n_chains, len(run.samples), run.manifest["sampler"]) == (1, 600, "dynesty")
    weights = np.exp(run.nested.log_weight)
    assert weights.sum() == pytest.approx(1.0, abs=1e-12)
    # equal weights inside each run, and shares by size: all samples weigh the same
    np.testing.assert_allclose(weights, 1 / 600, rtol=1e-12)
    assert run.summary["ess"] == pytest.approx(600.0)
    assert np.all(np.diff(run.nested.log_likelihood) >= 0)
    assert np.all(np.diff(run.nested.log_prior_volume) <= 0)
    # the runs' volumes are -k / 10 at their k-th sample: at the lowest likelihood of all, the mean is above -0.1
    assert -0.1 < run.nested.log_prior_volume[0] <= 0
    assert -29.9 <= run.nested.log_prior_volume[-1] <= -9.9
    expected = combine_seeds([Toy().log_evidence + s for s in shifts], [0.2] * 3)
    assert run.log_evidence == expected.log_evidence
    assert run.log_evidence_error == expected.total_error
    assert run.converged
    assert run.summary["calls"] == 3000
    merged = run.manifest["merged"]
    assert [part["seed"] for part in merged] == [1, 2, 3]
    assert all(len(part["posterior_sha256"]) == 64 for part in merged)
    # alone it stands for all of its seeds, with their scatter
    (model,) = package.compare([run.path]).models
    assert vars(model.evidence) == pytest.approx(vars(expected))
    assert not any("one seed" in warning for warning in package.compare([run.path]).warnings)
    # everything that reads a run reads this one
    other = stellarcr("compare", folders[0], tmp_path / "chains/all")
    assert other.code == 0, other.err
    for command in (
        ["runs", "show", tmp_path / "chains/all"],
        ["runs", "diff", folders[0], tmp_path / "chains/all"],
        ["plot", "corner", tmp_path / "chains/all"],
        ["plot", "trace", tmp_path / "chains/all"],
        ["export", tmp_path / "chains/all", "--format", "csv", "--weighted"],
    ):
        done = stellarcr(*command)
        assert done.code == 0, done.err
    assert (tmp_path / "chains/all/plots/corner.pdf").exists()


def test_evidences_that_scatter_more_than_they_say_are_told(tmp_path):
    run, _ = merge(nested_seeds(tmp_path, [100, 100, 100], [-2.0, 0.0, 2.0]), "all", output=tmp_path / "chains")
    assert not run.converged
    assert "more than the quoted errors explain" in run.summary["verdict"]


def test_what_cannot_be_merged_is_refused_with_the_reason(tmp_path, seeds, write_run, stellarcr):
    folders = seeds(60, 60)
    target = ["--name", "both", "--output", tmp_path / "chains"]

    def refused(*paths, says):
        done = stellarcr("merge", *paths, *target)
        assert done.code == 2
        assert says in done.err
        assert not (tmp_path / "chains/both").exists()

    refused(folders[0], says="nothing to merge")
    refused(folders[0], folders[0], says="the same seed, 1")
    nested = write_run("nested", seed=7, n=60)
    refused(folders[0], nested, says="'emcee'")
    config = CONFIG.replace("rigidity_min = 20.0", "rigidity_min = 30.0")
    other = write_run("wide", toy=Toy(half=2.0), seed=8, nested=False, n=60, config=config)
    refused(folders[0], other, says="likelihoods.one.range.rigidity_min was 20.0, is 30.0")
    change_json(folders[1] / "manifest.json", status="interrupted")
    refused(*folders, says="is not finished")
    change_json(folders[1] / "manifest.json", status="finished")
    assert stellarcr("merge", *folders, *target).code == 0
    assert "there is a run here already" in stellarcr("merge", *folders, *target).err
    assert stellarcr("merge", *folders, *target, "--overwrite").code == 0
    with pytest.raises(RunError, match="is merged itself"):
        merge([tmp_path / "chains/both", folders[0]], "again", output=tmp_path / "chains")


def test_different_settings_are_told(tmp_path, seeds):
    folders = seeds(60, 60)
    manifest = json.loads((folders[1] / "manifest.json").read_text())
    change_json(folders[1] / "manifest.json", settings=manifest["settings"] | {"walkers": 128})
    _, warnings = merge(folders, "both", output=tmp_path / "chains")
    assert warnings == ["toy_seed1 and toy_seed2 were sampled differently: walkers None and 128"]
