"""Drawing stored runs from the command line."""

import copy
import shutil
import tomllib

import pytest

import stellarcr as package
from stellarcr.infer.files import read_json, write_json


@pytest.fixture(scope="module")
def finished(small_content, tmp_path_factory):
    """Two folders of one run of the small configuration, the maximum only."""
    folder = tmp_path_factory.mktemp("chains")
    content = copy.deepcopy(small_content())
    content |= {"sampler": {"name": "map", "starts": 1}, "output": {"folder": str(folder)}}
    package.run(content, quiet=True)
    shutil.copytree(folder / "small", folder / "other")
    return folder / "small", folder / "other"


def written(result):
    assert result.code == 0, result.err
    return [line.rsplit("/", 1)[-1] for line in result.out.split()]


def refused(result, *parts):
    assert (result.code, result.out) == (2, "")
    assert "Traceback" not in result.err
    for part in parts:
        assert part in result.err


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("corner", ["--group", "populations", "--style", "one-column", "--no-priors", "--labels", "A,B"]),
        ("spectra", ["--species", "H", "--axis", "EKN", "--scale", "2", "--populations"]),
        ("powers", ["--style", "two-column"]),
        ("pulls", []),
    ],
)
def test_several_runs_make_one_figure(stellarcr, finished, kind, options):
    result = stellarcr("plot", kind, *finished, *options)
    assert written(result) == [f"{kind}+other.pdf", f"{kind}+other.png"]
    assert (finished[0] / "plots" / f"{kind}+other.pdf").read_bytes().startswith(b"%PDF")


def test_one_run_to_a_file(stellarcr, finished, tmp_path):
    for kind in ("pulls", "spectra"):
        result = stellarcr("plot", kind, finished[0], "--style", "one-column", "-o", tmp_path / "deep" / f"{kind}.pdf")
        assert written(result) == [f"{kind}.pdf", f"{kind}.png"]
        assert (tmp_path / "deep" / f"{kind}.png").exists()


def test_wrong_choices(stellarcr, finished, tmp_path):
    run = finished[0]
    refused(stellarcr("plot", "corner", run, "--group", "nuisance"), "'nuisance'", "'nuisances'")
    refused(stellarcr("plot", "corner", run, "--parameters", "snr.gama2"), "'snr.gama2'", "'snr.gamma2'")
    refused(stellarcr("plot", "corner", run, "--labels", "A,B"), "2 labels for 1 runs")
    refused(stellarcr("plot", "corner", run, "--style", "poster"), "'poster'", "two-column")
    refused(stellarcr("plot", "spectra", run, "--species", "Hee"), "'Hee'", "'He'")
    refused(stellarcr("plot", "spectra", run, "--axis", "E"), "'E'", "ETOT")
    refused(stellarcr("plot", "spectra", run, "--scale", "nan"), "scale = nan")
    refused(stellarcr("plot", "trace", run), "has no trace", "MCMC")
    refused(stellarcr("plot", "trace", *finished, "-o", "one"), "one file for 2 figures")
    refused(stellarcr("plot", "powers", tmp_path / "nowhere"), "nowhere", "chains/<name>")
    (tmp_path / "file").write_text("")
    refused(stellarcr("plot", "powers", run, "-o", tmp_path / "file" / "plot"), str(tmp_path / "file"), "--output")


def test_a_run_whose_model_cannot_be_built_again(stellarcr, finished, tmp_path):
    old = tmp_path / "old"
    shutil.copytree(finished[0], old)
    manifest = read_json(old / "manifest.json")
    write_json(old / "manifest.json", {**manifest, "fingerprint": "of another version"})
    assert tomllib.loads((old / "config.toml").read_text())["name"] == "small"
    for kind in ("spectra", "pulls"):
        refused(stellarcr("plot", kind, old), "another model or data", str(old), "run it again")
    # What needs no model is drawn all the same.
    assert written(stellarcr("plot", "pulls", finished[0], old)) == ["pulls+old.pdf", "pulls+old.png"]
