"""Commands on run folders, with a small real fit: run --max-time, --extend; runs; export; verify."""

import csv
import json
import re
import shutil
import tomllib
from pathlib import Path

import arviz
import numpy as np
import pytest
import xarray as xr

import stellarcr as package
from stellarcr.config import config_from_mapping
from stellarcr.errors import ConfigError, RunError
from stellarcr.infer.progress import seconds_from
from stellarcr.infer.runs import read_run
from stellarcr.studies.latex_table import escape, unit_text, value_with_errors
from stellarcr.studies.verify_run import verify_run

FIT = """
name = "small"
[galaxy]
preset = "plain-diffusion"
production = "none"
geometry = "slab"
[populations.snr]
[parameters.snr]
log10_power = { prior = "uniform", low = 47.0, high = 50.0, value = 48.0 }
gamma1 = -2.2
gamma2 = { prior = "uniform", low = -2.8, high = -2.1, value = -2.45 }
[likelihoods.ams02]
species = ["H", "He"]
[sampler]
name = "emcee"
walkers = 8
max_steps = 150
learn = false
check_every = 50
map = { starts = 1, population = 24, generations = 30 }
"""


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    """A finished run of the configuration, to be copied."""
    content = tomllib.loads(FIT) | {"output": {"folder": str(tmp_path_factory.mktemp("fits"))}}
    return package.run(content, quiet=True).path


@pytest.fixture
def run(fitted, stellarcr):
    """A copy of the run in ./chains, which is where the command line looks."""
    return shutil.copytree(fitted, Path("chains") / "small")


@pytest.fixture
def config(stellarcr):
    """The configuration as a file."""
    path = Path("small.toml")
    path.write_text(FIT)
    return path


def edit(path, **changes):
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


# ---------------------------------------------------------------------- going on


def test_limits_of_the_command_line_and_extension(stellarcr, run, config, fitted):
    result = stellarcr("run", config, "--extend-by", 50, "-q")
    assert result.code == 0
    assert "stopped at max_steps = 200" in result.out
    assert read_run(run).summary["diagnostics"]["steps"] == 200
    result = stellarcr("run", config, "--extend", "--max-time", "1h", "-q")
    assert read_run(run).summary["diagnostics"]["steps"] == 400
    # as long at once: identical samples
    whole = Path("whole.toml")
    whole.write_text(FIT.replace("max_steps = 150", "max_steps = 400\nmin_steps = 400"))
    assert stellarcr("run", whole, "--name", "whole", "-q").code == 0
    np.testing.assert_array_equal(read_run(run).samples, read_run("chains/whole").samples)


def test_run_that_stops_at_a_limit_says_so_and_goes_on(stellarcr, config):
    result = stellarcr("run", config, "--max-calls", 2000, "-q")
    assert result.code == 0
    assert "stopped at max_calls = 2000" in result.out
    assert "--resume" in result.out
    assert tomllib.loads(Path("chains/small/config.toml").read_text())["sampler"]["max_calls"] == 2000
    first = read_run("chains/small").summary["diagnostics"]["steps"]
    result = stellarcr("run", config, "--max-time", "1000h", "--max-calls", 3000, "--resume", "-q")
    assert first < read_run("chains/small").summary["diagnostics"]["steps"] < 150
    assert read_run("chains/small").manifest["settings"]["max_time"] == 3.6e6


def test_python_extends_too(run):
    content = tomllib.loads(FIT)
    posterior = package.build_posterior(config_from_mapping(content))
    assert package.run(content, extend=10, quiet=True, posterior=posterior).summary["diagnostics"]["steps"] == 160
    with pytest.raises(RunError, match="max_time = 1e-06 is used up"):
        package.run(content, extend=10, max_time=1e-6, quiet=True, posterior=posterior)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), (90, 90), ("1.5", 1.5), ("90s", 90), ("10m", 600), ("2h", 7200), ("1h30m", 5400), ("1 D", 86400)],
)
def test_times(text, seconds):
    assert seconds_from(text) == seconds


@pytest.mark.parametrize("text", ["", "ten", "0", "-5", "nan", "inf", "5x", "m5", "1h-3m"])
def test_what_is_no_time_is_refused(stellarcr, config, text):
    with pytest.raises(ConfigError, match="not a time above zero"):
        seconds_from(text)
    result = stellarcr("run", config, f"--max-time={text}")
    assert (result.code, result.out) == (2, "")
    assert "1h30m" in result.err
    assert not Path("chains").exists()


# ---------------------------------------------------------------------- list, show, diff, clean


def test_list(stellarcr, run):
    shutil.copytree(run, "chains/cut")
    (Path("chains/cut") / "manifest.json").write_text("{")
    Path("chains/thesis").mkdir()
    result = stellarcr("runs", "list")
    assert result.code == 0
    head, *rows = result.out.splitlines()
    assert head.split()[:6] == ["name", "status", "sampler", "free", "samples", "conv."]
    assert re.match(r"small +finished +emcee +3 +\d+ +no +- +\d+\.\d/85 +1 +20", rows[0])
    assert any(row.startswith("cut: damaged: manifest.json cannot be read") for row in rows)
    assert any(row.startswith("thesis: not a run: ") for row in rows)
    found = {entry["name"]: entry for entry in json.loads(stellarcr("runs", "list", "chains", "--json").out)}
    assert found["small"]["status"] == "finished"
    assert found["small"]["samples"] == len(read_run(run).samples)
    assert found["cut"]["status"] == "damaged"
    assert stellarcr("runs", "list", "nowhere").code == 2


def test_show(stellarcr, run):
    result = stellarcr("runs", "show", run)
    assert result.code == 0
    summary = read_run(run).summary
    for text in (summary["verdict"], "ams02.phi", "GV", "AMS-02 He", "numpy", "session started"):
        assert text in result.out
    assert re.search(r"AMS-02_H +[0-9a-f]{12} +same", result.out)
    found = json.loads(stellarcr("runs", "show", run, "--json").out)
    assert found["chi2"] == summary["map"]["chi2"]
    assert found["parameters"] == summary["parameters"]
    hashes = read_run(run).manifest["data_hashes"]
    edit(run / "manifest.json", data_hashes=hashes | {"AMS-02_H": "0" * 64, "my-table": "1" * 64})
    data = json.loads(stellarcr("runs", "show", run, "--json").out)["data"]
    states = {name: entry["today"] for name, entry in data.items()}
    assert states == {"AMS-02_H": "changed", "AMS-02_He": "same", "my-table": "not shipped"}


@pytest.mark.parametrize("status", ["running", "interrupted", "failed"])
def test_show_without_results(stellarcr, run, status):
    (run / "posterior.nc").unlink()
    edit(run / "manifest.json", status=status)
    result = stellarcr("runs", "show", run)
    assert result.code == 0
    assert result.out.startswith(f"small: {'failed' if status == 'failed' else 'interrupted'}")


def test_diff(stellarcr, run):
    other = Path(shutil.copytree(run, "chains/other"))
    config = (other / "config.toml").read_text()
    assert "low = -2.8" in config
    (other / "config.toml").write_text(config.replace("low = -2.8", "low = -3.0"))
    summary = json.loads((other / "summary.json").read_text())
    row = summary["parameters"]["snr.gamma2"]
    row["median"] += 2 * row["std"]
    edit(other / "summary.json", parameters=summary["parameters"])
    edit(other / "manifest.json", data_hashes={"AMS-02_H": "0" * 64}, version="9.9")
    result = stellarcr("runs", "diff", run, other)
    assert result.code == 0
    assert "parameters.snr.gamma2.low: -2.8 | -3.0" in result.out
    assert re.search(r"snr\.gamma2 .* \+2\.00\n", result.out)
    found = json.loads(stellarcr("runs", "diff", run, other, "--json").out)
    assert list(found["configuration"]) == ["parameters.snr.gamma2.low"]
    assert set(found["data"]) == {"AMS-02_H", "AMS-02_He"}
    assert found["versions"]["version"][1] == "9.9"
    assert found["shifts"]["snr.gamma2"]["sigma"] == pytest.approx(2.0)
    assert found["shifts"]["ams02.phi"]["sigma"] == 0.0
    same = stellarcr("runs", "diff", run, run).out
    for title in ("configuration: the same", "data (sha256): the same", "versions: the same"):
        assert title in same


def test_clean_removes_only_when_told(stellarcr, run):
    before = sorted(run.rglob("*"))
    result = stellarcr("runs", "clean")
    assert re.search(r"would remove: chains/small: checkpoints \(finished; \d+ files, 0\.\d\d MB\)", result.out)
    assert sorted(run.rglob("*")) == before
    assert stellarcr("runs", "clean", "--yes").code == 2
    assert stellarcr("runs", "clean", "--all", "--yes", "--dry-run").code == 2
    assert sorted(run.rglob("*")) == before
    assert stellarcr("runs", "clean", "--checkpoints", "--yes").code == 0
    assert list((run / "state").iterdir()) == []
    assert len(read_run(run).samples)
    assert stellarcr("runs", "clean", "--run", "small", "--yes").code == 0
    assert not run.exists()


# ---------------------------------------------------------------------- export


def test_csv(stellarcr, run):
    result = stellarcr("export", run, "--format", "csv")
    assert (result.code, result.out) == (0, "small.csv\n")
    lines = Path("small.csv").read_text().splitlines()
    comments = [line for line in lines if line.startswith("#")]
    assert any(line.startswith("#   ams02.phi [GV]  ") for line in comments)
    head, *rows = csv.reader(lines[len(comments) :])
    stored = read_run(run)
    assert head == ["weight", "log_posterior", *stored.names]
    numbers = np.array(rows, dtype=float)
    np.testing.assert_array_equal(numbers[:, 2:], stored.samples)
    np.testing.assert_array_equal(numbers[:, 1], stored.log_posterior)
    np.testing.assert_allclose(numbers[:, 0].sum(), 1.0)


def test_getdist(stellarcr, run):
    result = stellarcr("export", run, "--format", "getdist", "-o", "out/root")
    assert result.out.split() == ["out/root.txt", "out/root.paramnames", "out/root.ranges"]
    stored = read_run(run)
    table = np.loadtxt("out/root.txt")
    np.testing.assert_allclose(table[:, 0], 1.0)
    np.testing.assert_array_equal(-table[:, 1], stored.log_posterior)
    np.testing.assert_array_equal(table[:, 2:], stored.samples)
    names = [line.split("\t") for line in Path("out/root.paramnames").read_text().splitlines()]
    assert [name for name, _ in names] == list(stored.names)
    assert all("$" not in label for _, label in names)
    ranges = dict(line.split(" ", 1) for line in Path("out/root.ranges").read_text().splitlines())
    assert ranges == {"snr.log10_power": "47 50", "snr.gamma2": "-2.8 -2.1", "ams02.phi": "0 N"}


def test_netcdf_is_one_file_with_everything(stellarcr, run):
    assert stellarcr("export", run, "--format", "netcdf").code == 0
    stored = read_run(run)
    tree = xr.open_datatree("small.nc", engine="h5netcdf")
    assert json.loads(tree["manifest"].item()) == stored.manifest
    assert tree["config"].item() == (run / "config.toml").read_text()
    assert tree["posterior"]["ams02.phi"].attrs["units"] == "GV"
    data = arviz.from_netcdf("small.nc", engine="h5netcdf")
    np.testing.assert_array_equal(data.posterior["snr.gamma2"].to_numpy().ravel(), stored.column("snr.gamma2"))
    refused = stellarcr("export", run, "--format", "netcdf", "-o", run / "posterior.nc")
    assert refused.code == 2
    assert "own archive" in refused.err


def test_latex(stellarcr, run):
    from matplotlib.mathtext import MathTextParser

    assert stellarcr("export", run, "--format", "latex").code == 0
    text = Path("small.tex").read_text()
    rows = [line.strip() for line in text.splitlines() if line.strip().startswith("$")]
    assert len(rows) == 3
    assert re.search(r"\$\\phi_.*\$ & \$0\.\d+.*\$ & \$\\mathrm\{GV\}\$ \\\\", text)
    assert "had not converged" in text
    for opened in re.findall(r"\\begin\{(\w+)\}", text):
        assert text.count(rf"\begin{{{opened}}}") == text.count(rf"\end{{{opened}}}") == 1
    for row in rows:
        assert row.count(" & ") == 2
        assert row.count("{") == row.count("}")
        for cell in re.findall(r"\$[^$]+\$", row):
            MathTextParser("path").parse(cell)


@pytest.mark.parametrize(
    ("value", "plus", "minus", "text"),
    [
        (48.45231, 0.00318, 0.00291, "48.4523_{-0.0029}^{+0.0032}"),
        (-2.4447, 0.0051, 0.0051, r"-2.4447 \pm 0.0051"),
        (0.5, 0.0996, 0.0996, r"0.50 \pm 0.10"),
        (1234.5, 123.0, 98.0, "1234_{-98}^{+123}"),
        (12345.0, 4321.0, 4321.0, r"12300 \pm 4300"),
        (3.7421e28, 2e27, 2e27, r"(3.74 \pm 0.20) \times 10^{28}"),
        (2e-5, 3e-6, 1e-6, r"2.00_{-0.10}^{+0.30} \times 10^{-5}"),
        (1.0, 0.0, 0.0, r"1.0000 \pm 0.0000"),
        (-0.0001, 0.03, 0.03, r"0.000 \pm 0.030"),
        (0.2, 0.9, 1e-3, "0.2000_{-0.0010}^{+0.9000}"),
    ],
)
def test_rounding(value, plus, minus, text):
    assert value_with_errors(value, plus, minus) == text


def test_units_and_escapes():
    assert unit_text("") == "--"
    assert unit_text("GV") == r"$\mathrm{GV}$"
    assert unit_text("cm2/s") == r"$\mathrm{cm^{2}\,s^{-1}}$"
    assert unit_text("erg/yr") == r"$\mathrm{erg\,yr^{-1}}$"
    assert unit_text("50 %") == r"50 \%"
    assert escape(r"a_b & 5% \ {x}~^#$") == (
        r"a\_b \& 5\% \textbackslash{} \{x\}\textasciitilde{}\textasciicircum{}\#\$"
    )


def test_what_cannot_be_exported(stellarcr, run):
    for arguments, message in (
        (("--format", "csv", "--weighted"), "emcee has no weighted samples"),
        (("--format", "latex", "--weighted"), "no place in the format 'latex'"),
        (("--format", "csv", "-o", "chains"), "chains is a folder"),
    ):
        result = stellarcr("export", run, *arguments)
        assert (result.code, result.out) == (2, "")
        assert message in result.err
    assert stellarcr("export", run, "--format", "root").code == 2


# ---------------------------------------------------------------------- verify


def test_verify_of_an_untouched_run(stellarcr, run):
    result = stellarcr("verify", run)
    assert result.code == 0
    assert result.out.startswith("equal: 256 stored samples")
    found = json.loads(stellarcr("verify", run, "--points", 20, "--json").out)
    assert (found["equal"], found["points"], found["changed_data"]) == (True, 20, {})
    assert set(found["differences"]) == {"log_likelihood", "log_prior", "AMS-02 H", "AMS-02 He"}
    assert found["largest_relative_difference"] < 1e-9


def test_verify_finds_changed_numbers_data_and_versions(stellarcr, run):
    with xr.open_datatree(run / "posterior.nc", engine="h5netcdf") as opened:
        tree = opened.load()
    tree["log_likelihood"]["AMS-02 He"][0, 0] += 1e-4
    (run / "posterior.nc").write_bytes(tree.to_netcdf(engine="h5netcdf"))
    hashes = read_run(run).manifest["data_hashes"]
    edit(run / "manifest.json", data_hashes=hashes | {"AMS-02_H": "0" * 64}, packages={"numpy": "1.0"}, version="9.9")
    result = stellarcr("verify", run)
    assert result.code == 2
    assert result.out.startswith("NOT equal")
    assert "the run: 9.9" in result.out
    assert re.search(r"sample 0: then .*, now", result.out)
    assert re.search(r"data table AMS-02_H changed: sha256 000000000000 -> [0-9a-f]{12}", result.out)
    assert "numpy 1.0 -> " in result.out
    found = verify_run(run, 10).as_dict()
    assert found["worst"]["point"] == 0
    assert found["worst"]["parameters"].keys() == dict.fromkeys(read_run(run).names).keys()
    value = abs(found["worst"]["then"])
    assert found["largest_relative_difference"] == pytest.approx(1e-4 / max(1.0, value), rel=1e-6)
    assert found["differences"]["AMS-02 H"] < 1e-9


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('preset = "plain-diffusion"', 'preset = "plain"', "today's code cannot build"),
        ("[populations.snr]", "[populations.remnant]", "today's code cannot build"),
        ('species = ["H", "He"]', 'species = ["H"]', "today its configuration gives AMS-02 H"),
        ("low = -2.8", "lwo = -2.8", "'lwo'"),
    ],
)
def test_verify_says_why_todays_code_is_no_match(stellarcr, run, old, new, message):
    path = run / "config.toml"
    text = re.sub(r"species = \[\s*\"H\",\s*\"He\",?\s*\]", 'species = ["H", "He"]', path.read_text())
    assert old in text
    path.write_text(text.replace(old, new))
    result = stellarcr("verify", run)
    assert (result.code, result.out) == (2, "")
    assert message in result.err
    assert "use stellarcr" in result.err


# ---------------------------------------------------------------------- folders that are no runs


@pytest.mark.parametrize(
    "command", [("runs", "show"), ("runs", "diff"), ("export", "--format", "csv"), ("verify",)], ids=lambda c: c[-1]
)
@pytest.mark.parametrize("fault", ["missing", "empty", "no manifest", "other format", "cut"])
def test_every_command_refuses_what_is_no_run(stellarcr, run, command, fault):
    folder = Path("chains/bad")
    if fault != "missing":
        folder.mkdir()
    if fault not in ("missing", "empty"):
        shutil.copytree(run, folder, dirs_exist_ok=True)
    if fault == "no manifest":
        (folder / "manifest.json").unlink()
    elif fault == "other format":
        edit(folder / "manifest.json", format=7)
    elif fault == "cut":
        (folder / "manifest.json").write_text('{"format": 1, "na')
    result = stellarcr(*command, folder, *((run,) if command[-1] == "diff" else ()))
    assert (result.code, result.out) == (2, "")
    assert "bad" in result.err
    assert "next:" in result.err
    assert "Traceback" not in result.err
