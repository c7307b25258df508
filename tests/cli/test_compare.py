"""stellarcr compare: on runs of known evidence, written by the archive's own code, and on small fits of real data."""

import csv
import hashlib
import json
import re
import shutil

import h5py
import numpy as np
import pytest

from stellarcr.infer.files import write_json
from stellarcr.infer.runs import execute, read_run
from stellarcr.infer.runs.archive import build_tree, derive, write_tree
from stellarcr.infer.runs.folder import RunFolder
from stellarcr.infer.samplers.base import SamplerResult
from stellarcr.infer.samplers.dynesty_settings import DynestySettings
from stellarcr.infer.samplers.emcee_settings import EmceeSettings
from stellarcr.infer.samplers.map import MapResult, MapSettings
from stellarcr.infer.summary import build_summary
from stellarcr.studies.compare import compare
from stellarcr.studies.compare_groups import common_name
from stellarcr.studies.compare_report import print_comparison
from stellarcr.studies.compare_tables import decimals, escape, to_csv, to_latex

pytestmark = pytest.mark.usefixtures("one_thread")

WIDTH = 0.05
CONFIG = """
name = "toy"
[likelihoods.one]
experiment = "ONE"
species = ["H", "He"]
[likelihoods.one.range]
rigidity_min = 20.0
[likelihoods.one.errors.systematic.total]
correlation = "uncorrelated"
[likelihoods.one.nuisances.phi]
value = 0.5
"""


class Toy:
    """A Gaussian likelihood of mean 0.2 and width 0.05 in a uniform box [-half, half]^n: ln Z = -n ln(2 half)."""

    def __init__(self, n_dim=2, half=1.0, points=7, records=True):
        self.n_dim, self.half, self.points, self.records = n_dim, half, points, records
        self.names = tuple(f"toy.p_{k}" for k in range(n_dim))
        self.labels = tuple(rf"\theta_{{{k}}}" for k in range(n_dim))
        self.units = ("GV",) + ("",) * (n_dim - 1)

    @property
    def fingerprint(self):
        return hashlib.sha256(f"{self.n_dim} {self.half}".encode()).hexdigest()

    @property
    def log_evidence(self):
        return -self.n_dim * np.log(2 * self.half)

    @property
    def information(self):
        """Of one parameter, in nats."""
        return np.log(2 * self.half / WIDTH) - 0.5 * np.log(2 * np.pi * np.e)

    def log_prior(self, theta):
        inside = np.all(np.abs(theta) <= self.half, axis=1)
        return np.where(inside, self.log_evidence, -np.inf)

    def log_likelihood(self, theta):
        constant = -self.n_dim * np.log(WIDTH * np.sqrt(2 * np.pi))
        return constant - 0.5 * np.sum(((theta - 0.2) / WIDTH) ** 2, axis=1)

    def log_posterior(self, theta):
        return self.log_prior(theta) + self.log_likelihood(theta)

    def prior_transform(self, unit):
        return self.half * (2 * unit - 1)

    def sample_prior(self, rng, n):
        return self.prior_transform(rng.random((n, self.n_dim)))

    def log_likelihood_terms(self, theta):
        return {"ONE H": 0.25 * self.log_likelihood(theta), "ONE He": 0.75 * self.log_likelihood(theta)}

    def chi2_terms(self, theta):
        chi2 = np.sum(((theta - 0.2) / WIDTH) ** 2, axis=1)
        return {"ONE H": (chi2, self.points), "ONE He": (2 * chi2 + 3.5, 11)}

    def derived(self, theta):
        return {"total": theta.sum(axis=1)}

    def parameter_records(self):
        prior = {"kind": "uniform", "low": -self.half, "high": self.half}
        return {name: {"group": "nuisances", "prior": prior} for name in self.names} if self.records else {}


@pytest.fixture(scope="module")
def make_run(tmp_path_factory):
    """Return a function that gives the folder of a finished run with samples of a toy's posterior; written once."""
    made = {}

    def make(toy, nested, n):
        key = (toy.fingerprint, toy.points, toy.records, nested, n)
        if key not in made:
            made[key] = _write(tmp_path_factory.mktemp("made") / "run", toy, nested, n)
        return made[key]

    return make


def _write(path, toy, nested, n):
    samples = np.random.default_rng(4).normal(0.2, WIDTH, (1, n, toy.n_dim))
    result = SamplerResult(
        sampler="dynesty" if nested else "emcee",
        samples=samples,
        log_posterior=toy.log_posterior(samples[0])[np.newaxis],
        converged=True,
        verdict="converged: toy",
        n_calls=1000,
        seconds=1.0,
        diagnostics={"ess": float(n)},
        log_evidence=toy.log_evidence if nested else None,
        log_evidence_error=0.2 if nested else None,
    )
    best = np.full(toy.n_dim, 0.21)
    value = float(toy.log_likelihood(best[np.newaxis])[0])
    maximum = MapResult(
        theta=best,
        log_posterior=value + toy.log_evidence,
        log_likelihood=value,
        covariance=WIDTH**2 * np.eye(toy.n_dim),
        unit_point=np.full(toy.n_dim, 0.6),
        unit_covariance=np.eye(toy.n_dim),
        unconstrained=0,
        at_edge={},
        start_values=np.zeros(2),
        fraction_reached=1.0,
        n_calls=10,
        seconds=0.1,
    )
    settings = DynestySettings() if nested else EmceeSettings()
    extras = {"data_hashes": {"ONE_H": "a" * 64, "ONE_He": "b" * 64}}
    with RunFolder.create(path, toy, result.sampler, settings, config_text=CONFIG, extras=extras, quiet=True) as folder:
        derived, index = derive(toy, samples[0], 100)
        write_tree(path / "posterior.nc", build_tree(toy, result, derived, index, {}))
        write_json(path / "summary.json", build_summary(toy, result, maximum, derived))
        folder.end_session("finished", result.verdict)
    return path


def change_json(path, **changes):
    content = json.loads(path.read_text())
    path.write_text(json.dumps(content | changes))


def _copy(source, target, seed, shift, error, converged, config, hashes, settings):
    """Copy a run, with another seed, evidence, configuration or settings in its records."""
    shutil.copytree(source, target)
    (target / "config.toml").write_text(config)
    manifest = json.loads((target / "manifest.json").read_text())
    changed = manifest["settings"] | {"seed": seed} | settings
    hashes = hashes or manifest["data_hashes"]
    change_json(target / "manifest.json", seed=seed, settings=changed, data_hashes=hashes)
    summary = json.loads((target / "summary.json").read_text())
    if summary["log_evidence"] is not None:
        change_json(target / "summary.json", log_evidence=summary["log_evidence"] + shift, log_evidence_error=error)
    if not converged:
        change_json(target / "summary.json", converged=False, verdict="not converged: stopped at max_time = 1 s")
    return target


@pytest.fixture
def write_run(make_run, tmp_path):
    """Return a function that gives a run folder with a name, a seed and an evidence."""

    def write(name, toy=None, seed=1, shift=0.0, error=0.2, nested=True, converged=True, config=CONFIG, hashes=None,
              n=2000, **settings):  # fmt: skip
        source = make_run(toy or Toy(), nested, n)
        target = tmp_path / "chains" / name
        return _copy(source, target, seed, shift, error, converged, config, hashes, settings)

    return write


@pytest.fixture(scope="module")
def three_models(make_run, tmp_path_factory):
    """Return the runs of three models with three seeds each: good and wide are close, bad is far below."""
    models = {"good_fit": (Toy(), 0.0), "wide": (Toy(half=1.1), 0.0), "bad": (Toy(n_dim=3), -20.0)}
    jitter = {1: -0.15, 2: 0.0, 3: 0.15}
    folder = tmp_path_factory.mktemp("three")
    return [
        _copy(make_run(toy, True, 2000), folder / f"{name}_seed{k}", k, shift + jitter[k], 0.2, True, CONFIG, None, {})
        for k in (2, 1, 3)
        for name, (toy, shift) in models.items()
    ]


@pytest.fixture(scope="module")
def compared(three_models):
    """Return the comparison of the three models."""
    return compare(three_models)


# ---------------------------------------------------------------------- evidence


def test_seeds_are_grouped_and_numbers_are_those_of_the_toys(compared):
    result = compared
    assert [m.name for m in result.models] == ["good_fit", "wide", "bad"]
    assert result.reference == "good_fit"
    for model, toy, shift in zip(result.models, (Toy(), Toy(half=1.1), Toy(n_dim=3)), (0.0, 0.0, -20.0), strict=True):
        assert sorted(model.seeds) == [1, 2, 3]
        assert model.evidence.log_evidence == pytest.approx(toy.log_evidence + shift)
        assert model.evidence.scatter == pytest.approx(0.15)
        assert model.evidence.statistical_error == pytest.approx(0.2 / np.sqrt(3))
        for parameter in model.parameters:
            assert parameter.information.nats == pytest.approx(toy.information, abs=0.05)
            assert parameter.prior.std == pytest.approx(toy.half / np.sqrt(3), rel=0.05)
            assert parameter.posterior.std == pytest.approx(WIDTH, rel=0.05)
            assert parameter.posterior.high_95 - parameter.posterior.low_95 == pytest.approx(3.92 * WIDTH, rel=0.05)
    # both parameters are independent, so their information adds up to that of the whole
    whole = result["good_fit"].information
    assert whole.nats == pytest.approx(2 * Toy().information, abs=4 * whole.error)


def test_close_models_share_a_rank_and_far_ones_do_not(compared):
    result = compared
    assert {m.name: m.rank for m in result.models} == {"good_fit": 1, "wide": 1, "bad": 3}
    wide, bad = result["wide"].bayes_factor, result["bad"].bayes_factor
    assert wide.log_bayes_factor == pytest.approx(-2 * np.log(1.1))
    assert not wide.separated
    assert bad.separated
    assert result["good_fit"].bayes_factor is None


def test_reference_can_be_chosen(three_models):
    result = compare(three_models, reference="bad")
    assert result["good_fit"].bayes_factor.log_bayes_factor == pytest.approx(20.0 + np.log(2.0))
    assert result["bad"].bayes_factor is None


def test_scatter_forbids_what_quoted_errors_would_allow(write_run):
    runs = [write_run(f"a_seed{k}", Toy(), k, 1.5 * (k - 2), 0.05) for k in (1, 2, 3)]
    runs += [write_run(f"b_seed{k}", Toy(half=1.5), k, 1.5 * (k - 2), 0.05) for k in (1, 2, 3)]
    result = compare(runs)
    assert abs(result["b"].bayes_factor.log_bayes_factor) > 3 * result["b"].bayes_factor.statistical_error
    assert [m.rank for m in result.models] == [1, 1]
    assert sum("more than their quoted errors explain" in w for w in result.warnings) == 2


def test_the_same_seed_is_not_counted_twice(write_run):
    first = write_run("a_seed1", seed=1)
    copy = first.with_name("a_copy")
    shutil.copytree(first, copy)
    result = compare([first, copy, first, write_run("a_seed2", seed=2)])
    assert result.models[0].seeds == (1, 2)
    assert len([w for w in result.warnings if "is left out: it has the seed 1" in w]) == 2
    # a run that is left out gives the model no part of its name
    assert [compare(runs).models[0].name for runs in ([first, copy], [copy, first])] == ["a", "a_copy"]


def test_other_sampler_settings_are_another_row_of_the_same_model(write_run):
    result = compare([write_run("short", walks=25), write_run("long", walks=200, seed=2)])
    assert len(result.models) == 2
    assert any("different settings: walks per parameter = 12.5 and 100.0" in w for w in result.warnings)
    assert any("are one model" in w for w in result.warnings)


def test_walks_in_proportion_to_the_parameters_are_no_other_setting(write_run):
    result = compare([write_run("two", walks=24), write_run("three", Toy(n_dim=3), walks=36)])
    assert not any("different settings" in w for w in result.warnings)
    result = compare([write_run("four", walks=24), write_run("five", Toy(n_dim=3), walks=24)])
    assert any("different settings: walks per parameter = 12.0 and 8.0" in w for w in result.warnings)


def test_a_verdict_on_one_seed_says_so(write_run):
    runs = [write_run("good"), write_run("bad_seed1", Toy(half=9.0)), write_run("bad_seed2", Toy(half=9.0), seed=2)]
    (latex,) = (line for line in to_latex(compare(runs)).splitlines() if "lower (" in line)
    assert latex.endswith(r"errors, quoted error of one seed) \\")


def test_limits_do_not_split_a_model(write_run):
    runs = [write_run("a_seed1", max_time=100.0), write_run("a_seed2", seed=2, max_time=500.0, processes=2)]
    assert [m.seeds for m in compare(runs).models] == [(1, 2)]


def test_groups_are_named_by_the_user(write_run, stellarcr):
    a, b, c = write_run("x", seed=1), write_run("y", seed=2), write_run("z", Toy(half=2.0))
    done = stellarcr("compare", a, c, "--group", f"mine={a},{b}", "--json")
    assert [(m["name"], m["seeds"]) for m in json.loads(done.out)["models"]] == [("mine", [1, 2]), ("z", [1])]
    wrong = stellarcr("compare", "--group", f"mine={a},{c}")
    assert wrong.code == 2
    assert "fingerprints of 'x' and 'z' differ" in wrong.err
    for text, says in (("mine", "names no model"), ("=a", "names no model"), ("mine=", "names no model")):
        assert says in stellarcr("compare", "--group", text).err
    assert "given twice" in stellarcr("compare", "--group", f"m={a}", "--group", f"m={b}").err


@pytest.mark.parametrize(
    ("names", "common"),
    [
        (["reference"], "reference"),
        (["model2"], "model2"),
        (["model-2"], "model-2"),
        (["reference_seed12"], "reference"),
        (["reference_seed1", "reference_seed10", "reference_seed11"], "reference"),
        (["reference-nested-1", "reference-nested-2"], "reference-nested"),
        (["seed1", "seed2"], "seed"),
        (["snr_again", "snr"], "snr"),
        (["this", "other"], "this+other"),
    ],
)
def test_names_of_groups(names, common):
    assert common_name(names) == common


def test_names_of_different_models_stay_distinct(write_run):
    runs = [write_run("a_seed1"), write_run("a_seed2", Toy(half=2.0)), write_run("a_seed3", Toy(half=3.0))]
    assert len({m.name for m in compare(runs).models}) == 3


# ---------------------------------------------------------------------- what may be compared


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"hashes": {"ONE_H": "a" * 64, "ONE_He": "c" * 64}}, ["table ONE_He is bbbbbbbbbbbb in a, cccccccccccc in b"]),
        ({"hashes": {"ONE_H": "a" * 64}}, ["table ONE_He is bbbbbbbbbbbb in a, (absent) in b"]),
        ({"toy": Toy(half=2.0, points=6)}, ["number of points of ONE H is 7 in a, 6 in b"]),
        (
            {"config": CONFIG.replace("20.0", "45.0")},
            ["likelihoods.one.range.rigidity_min is 20.0 in a, 45.0 in b"],
        ),
        (
            {"config": CONFIG.replace('"uncorrelated"', '"full"')},
            ["likelihoods.one.errors.systematic.total.correlation is 'uncorrelated' in a, 'full' in b"],
        ),
        (
            {"config": CONFIG.replace("likelihoods.one", "likelihoods.two")},
            ["likelihoods.one.experiment is 'ONE' in a, (absent) in b"],
        ),
    ],
)
def test_different_data_are_refused_with_what_differs(write_run, stellarcr, changes, says):
    a, b = write_run("a"), write_run("b", **{"toy": Toy(half=2.0), **changes})
    done = stellarcr("compare", a, b)
    assert (done.code, done.out) == (2, "")
    for text in ["'a' and 'b' were fitted to different data", str(a), str(b), *says]:
        assert text in done.err


def test_nuisances_and_explanations_are_no_data(write_run):
    other = CONFIG.replace("value = 0.5", "value = 0.7") + "\n[likelihoods.one.nuisances.normalisation]\nvalue = 1.1\n"
    other = other.replace('experiment = "ONE"', 'experiment = "ONE"\ndescription = "words"\nreference_fit = true')
    result = compare([write_run("a"), write_run("b", Toy(half=2.0), config=other.replace('"H", "He"', '"He", "H"'))])
    assert len(result.models) == 2


def test_defaults_that_an_older_version_left_out_are_no_difference(write_run):
    other = CONFIG.replace("rigidity_min = 20.0", "rigidity_min = 20.0\nrigidity_max = inf")
    assert len(compare([write_run("a"), write_run("b", Toy(half=2.0), config=other)]).models) == 2


def test_runs_without_evidence_are_shown_without_rank(write_run, stellarcr):
    nested, chain = write_run("nested"), write_run("chain", Toy(half=2.0), nested=False)
    done = stellarcr("compare", chain, nested, "--json")
    models = json.loads(done.out)["models"]
    assert [(m["name"], m["rank"]) for m in models] == [("nested", 1), ("chain", None)]
    assert models[1]["evidence"] is None
    assert models[1]["chi2"] == pytest.approx(3.5 + 3 * 2 * 0.04)
    assert models[1]["parameters"][0]["information"]["nats"] == pytest.approx(Toy(half=2.0).information, abs=0.1)
    alone = stellarcr("compare", chain)
    assert alone.code == 0
    assert "no run has an evidence" in alone.err
    assert "dynesty" in alone.err
    assert "ln Z" in alone.out


def test_unconverged_evidence_is_not_used(write_run):
    runs = [write_run("a_seed1"), write_run("a_seed2", seed=2, shift=-50.0, converged=False)]
    model = compare(runs).models[0]
    assert model.evidence.seeds == 1
    assert model.evidence.log_evidence == pytest.approx(Toy().log_evidence)
    assert (model.log_evidences[1], model.log_evidence_errors) == (None, (0.2, None))
    warnings = compare(runs[1:]).warnings
    assert any("a_seed2: its ln Z is not used (not converged: stopped at max_time = 1 s)" in w for w in warnings)
    assert compare(runs[1:]).reference is None


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda run: change_json(run / "manifest.json", status="running"), "not finished (status: running)"),
        (lambda run: (run / "posterior.nc").unlink(), "posterior.nc is missing"),
        (lambda run: (run / "posterior.nc").write_bytes(b"half"), "posterior.nc cannot be read"),
        (lambda run: (run / "summary.json").write_text('{"half'), "summary.json cannot be read"),
        (lambda run: (run / "manifest.json").unlink(), "manifest.json is missing"),
        (lambda run: change_json(run / "summary.json", map={}), "chi2 at the maximum"),
        (shutil.rmtree, "there is no folder"),
    ],
)
def test_half_written_runs_are_refused(write_run, stellarcr, damage, says):
    good, bad = write_run("good"), write_run("bad", Toy(half=2.0))
    damage(bad)
    done = stellarcr("compare", good, bad)
    assert (done.code, done.out) == (2, "")
    assert says in done.err
    assert str(bad) in done.err
    assert "next:" in done.err


def test_wrong_references_and_empty_lists_are_refused(write_run, stellarcr):
    nested, chain = write_run("nested"), write_run("chain", Toy(half=2.0), nested=False)
    assert "did you mean 'nested'" in stellarcr("compare", nested, chain, "--reference", "nestd").err
    assert "'chain' has no evidence" in stellarcr("compare", nested, chain, "--reference", "chain").err
    assert "no run to compare" in stellarcr("compare").err


def test_runs_of_another_version_are_compared_with_a_warning(write_run):
    old, new = write_run("old"), write_run("new", Toy(half=2.0))
    change_json(old / "manifest.json", version="0.0.9")
    assert any("0.0.9: old" in w for w in compare([old, new]).warnings)


def test_runs_that_kept_no_prior_lack_widths_and_say_so(write_run):
    run = write_run("old", Toy(records=False))
    with h5py.File(run / "posterior.nc", "r+") as file:
        del file["prior"]
    assert read_run(run).prior is None
    result = compare([run])
    assert result.models[0].parameters[0].prior is None
    assert result.models[0].parameters[0].information is None
    assert result.models[0].information.nats == pytest.approx(2 * Toy().information, abs=1.0)
    assert any("run it again" in w for w in result.warnings)


def test_too_few_samples_for_information_are_said(write_run):
    result = compare([write_run("short", n=20)])
    assert result.models[0].parameters[0].information is None
    assert any("20 effective samples are too few" in w for w in result.warnings)


def test_priors_that_differ_are_named(write_run):
    warnings = compare([write_run("a"), write_run("b", Toy(half=2.0))]).warnings
    assert any("the prior of toy.p_0 differs: uniform -1 .. 1 in a, uniform -2 .. 2 in b" in w for w in warnings)


def test_an_order_is_part_of_the_prior(write_run):
    """An ordered parameter has another marginal prior than its own: the draws of the prior tell, not its formula."""
    order = CONFIG + '\n[[constraints]]\norder = ["toy.p_0", "toy.p_1"]\n'
    result = compare([write_run("free", walks=50), write_run("ordered", walks=60, config=order)])
    assert any("uniform -1 .. 1, toy.p_0 < toy.p_1 in" in w for w in result.warnings)
    exact, drawn = (result[name].parameters[0].information for name in ("free", "ordered"))
    assert drawn.nats != exact.nats
    assert drawn.nats == pytest.approx(exact.nats, abs=4 * drawn.error)  # here the draws know of no order


# ---------------------------------------------------------------------- output


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
    assert text.count(r"\begin{tabular}") == text.count(r"\end{tabular}") == 4
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
