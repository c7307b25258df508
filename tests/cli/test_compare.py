"""stellarcr compare: what is grouped, ranked, refused and flagged, on runs of known evidence."""

import json
import shutil

import h5py
import numpy as np
import pytest
from known_runs import CONFIG, WIDTH, Toy, change_json

from stellarcr.errors import RunError
from stellarcr.infer.runs import read_run
from stellarcr.infer.runs.reading import samples_hash
from stellarcr.studies.compare import compare
from stellarcr.studies.compare_files import to_latex
from stellarcr.studies.compare_groups import common_name
from stellarcr.studies.merge import merge

pytestmark = pytest.mark.usefixtures("one_thread")


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


def test_a_merged_run_is_not_counted_beside_its_parts(write_run, tmp_path):
    parts = [write_run(f"a_seed{k}", seed=k, nested=False) for k in (1, 2)]
    merged, _ = merge(parts, "a_all", output=tmp_path / "merged")
    found = compare([merged.path, *parts])
    assert [model.runs for model in found.models] == [tuple(str(part) for part in parts)]
    assert any(f"{merged.path} is left out: it has the seed 1" in w for w in found.warnings)
    assert [model.runs for model in compare([merged.path]).models] == [(str(merged.path),)]


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


# ---------------------------------------------------------------------- data left out, and cross-checks


def test_data_left_out_are_predicted_as_the_toys_are(compared):
    for name, toy in (("good_fit", Toy()), ("bad", Toy(n_dim=3))):
        peak = -toy.n_dim * np.log(WIDTH * np.sqrt(2 * np.pi))
        # the data set has a power of the likelihood: 1/L is the exponential of a chi2 with n_dim degrees of freedom
        found = compared[name].left_out
        exact = 0.25 * peak + 0.5 * toy.n_dim * np.log(0.75)
        assert found["ONE H"].reliable
        assert found["ONE H"].log_density == pytest.approx(exact, abs=4 * found["ONE H"].error)
        assert compared[name].leave_out_total.data_sets[0] == "ONE H"
    # the tail of ONE He is a power law of index 3/4
    bad = compared["bad"].left_out["ONE He"]
    assert bad.pareto_k == pytest.approx(0.75, abs=0.2)
    kept = "ONE He" in compared["bad"].leave_out_total.data_sets
    assert kept == bad.reliable
    assert kept != any("cannot be left out by reweighting" in w and w.startswith("bad") for w in compared.warnings)


def test_differences_of_prediction_are_over_common_data_sets(compared):
    difference = compared["bad"].leave_out_difference
    one, two = compared["bad"].left_out, compared["good_fit"].left_out
    assert compared["good_fit"].leave_out_difference is None
    expected = sum(one[name].log_density - two[name].log_density for name in difference.data_sets)
    assert difference.value == pytest.approx(expected)
    assert set(difference.data_sets) | set(difference.not_reliable) == {"ONE H", "ONE He"}


def test_fits_without_a_data_set_replace_what_is_not_reliable(write_run):
    run = write_run("a", Toy(n_dim=3))
    part = compare([run]).models[0].left_out["ONE He"]
    record = {"log_density": -1.5, "error": 0.1, "method": "refit", "pareto_k": 0.3, "effective_samples": 500.0}
    fingerprint = read_run(run).manifest["fingerprint"]
    (run / "leave_out.json").write_text(
        json.dumps({"fingerprint": fingerprint, "data_sets": {"ONE He": record, "ONE H": record}})
    )
    again = compare([run]).models[0].left_out
    assert again["ONE He"].method == ("samples" if part.reliable else "refit")
    assert again["ONE H"].method == "samples"
    (run / "leave_out.json").write_text(json.dumps({"fingerprint": fingerprint, "data_sets": {"ONE He": 3}}))
    with pytest.raises(RunError, match=r"leave_out\.json is damaged"):
        compare([run])


def write_evidence(run, shift, **insertion):
    importance = {
        "log_evidence": read_run(run).log_evidence + shift, "log_evidence_error": 0.01, "effective_samples": 900.0,
        "pareto_k": 0.2, "reliable": True, "verdict": "reliable",
    }  # fmt: skip
    content = {"posterior_sha256": samples_hash(run), "importance": importance, "insertion": insertion or None}
    (run / "evidence.json").write_text(json.dumps(content))
    return content


def test_cross_checks_of_evidence_stand_beside_it(write_run, stellarcr):
    good, wrong = write_run("good"), write_run("wrong_fit", Toy(half=2.0))
    content = write_evidence(good, 0.1, p_value=0.4, passed=True, verdict="uniform")
    write_evidence(wrong, -2.0, p_value=1e-4, passed=False, verdict="walks are too short")
    result = compare([good, wrong])
    (check,) = result["good"].evidence_checks
    assert check.deviation == pytest.approx(-0.1 / np.hypot(0.2, 0.01))
    assert result["wrong_fit"].evidence_checks[0].deviation == pytest.approx(2.0 / np.hypot(0.2, 0.01))
    told = [w for w in result.warnings if "one of them is biased" in w or "insertion ranks" in w]
    assert [w.partition(":")[0] for w in told] == ["wrong_fit", "wrong_fit"]
    done = stellarcr("compare", good, wrong)
    assert "Cross-checks of evidence" in done.out
    assert "+10.0" in done.out
    assert "walks are too short" in done.err
    content["importance"] |= {"reliable": False, "verdict": "one draw decides"}
    (good / "evidence.json").write_text(json.dumps(content))
    assert any("good: ln Z by importance sampling is not reliable: one draw" in w for w in compare([good]).warnings)
    # of samples that were here before: not about this run
    (good / "evidence.json").write_text(json.dumps({**content, "posterior_sha256": "0" * 64}))
    assert compare([good]).models[0].evidence_checks == ()
    (good / "evidence.json").write_text(json.dumps({**content, "importance": {"log_evidence": "high"}}))
    assert "evidence.json is damaged" in stellarcr("compare", good).err


def test_every_comparison_prints_the_priors(write_run, stellarcr):
    done = stellarcr("compare", write_run("a"), write_run("b", Toy(half=2.0)))
    lines = [line.split() for line in done.out.splitlines()]
    k = lines.index(["toy.p_0", "uniform", "-1", "..", "1", "a", "differs"])
    assert lines[k + 1] == ["uniform", "-2", "..", "2", "b", "differs"]
    same = stellarcr("compare", write_run("c"), write_run("d", Toy(n_dim=3)))
    assert "Models that share a parameter share its prior." in same.out
    assert "differs" not in same.out


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
