"""Every likelihood file that stellarcr ships can be fitted; the reference fit holds four experiments."""

import tomllib

import numpy as np
import pytest

from stellarcr.data import list_spectra, load_spectrum
from stellarcr.errors import ConfigError
from stellarcr.likelihood.errors import CombinedErrors
from stellarcr.likelihood.experiment import load_experiment
from stellarcr.likelihood.groups import measured_name
from stellarcr.likelihood.ratio import check_independence
from stellarcr.likelihood.schema import LikelihoodFile, Systematic, likelihood_files

REFERENCE = {"ams02", "dampe", "lhaaso", "nucleon"}
OTHERS = {
    "atic2": "ATIC-2",
    "bess_tev": "BESS-TeV",
    "calet": "CALET",
    "cream": "CREAM-I+III",
    "cream2": "CREAM-II",
    "grapes3": "GRAPES-3",
    "hawc": "HAWC",
    "hess": "H.E.S.S.",
    "icecube_icetop": "IceCube-IceTop",
    "icetop": "IceTop",
    "iss_cream": "ISS-CREAM",
    "kascade": "KASCADE",
    "kascade2005": "KASCADE",
    "kascade_grande": "KASCADE-Grande",
    "pamela": "PAMELA",
    "tale": "TALE",
    "tibet3": "Tibet-III",
    "tracer": "TRACER",
    "tunka133": "TUNKA-133",
}
RATIOS = {"ams02_ratios", "calet_ratios", "dampe_ratios", "pamela_ratios"}
SUMS = {"lhaaso_all", "lhaaso_lna", "lhaaso_phe", "dampe_phe"}
"""Of experiments whose elements are in the reference fit."""
NOT_FITTED = {"Voyager 1", "CREAM"}
"""Below 20 GV, and ratios only."""


def test_shipped_files():
    assert set(likelihood_files()) == REFERENCE | set(OTHERS) | RATIOS | SUMS
    measured = {e.experiment for e in list_spectra()}
    fitted = {load_experiment(key).file.experiment for key in REFERENCE} | set(OTHERS.values())
    assert fitted == measured - NOT_FITTED


@pytest.mark.parametrize("key", sorted(REFERENCE | set(OTHERS) | RATIOS | SUMS))
def test_who_is_in_the_reference_fit(key):
    content = tomllib.loads(likelihood_files()[key].read_text())
    assert content["reference_fit"] == (key in REFERENCE)
    assert content["description"]
    assert content["experiment"] == OTHERS.get(key, content["experiment"])


def test_the_reference_configuration_agrees(reference):
    assert {likelihood.data.key for likelihood in reference.likelihoods} == REFERENCE
    assert all(likelihood.data.file.reference_fit for likelihood in reference.likelihoods)


@pytest.mark.parametrize("key", sorted(REFERENCE | set(OTHERS)))
def test_no_fit_uses_a_superseded_table_or_a_ratio(key):
    data = load_experiment(key)
    for table in data.tables:
        assert table.metadata["status"] == "recommended"
        assert table.quantity == "flux"


@pytest.mark.parametrize("key", sorted(RATIOS))
def test_shipped_ratios_have_no_element_in_common(key):
    data = load_experiment(key)
    assert all((t.quantity, t.metadata["status"]) == ("ratio", "recommended") for t in data.tables)
    used = [part for table in data.tables for part in table.species.split("/")]
    assert len(set(used)) == len(used)


def test_shipped_ratios_go_with_all_shipped_fluxes():
    check_independence([load_experiment(key) for key in sorted((REFERENCE | set(OTHERS) | RATIOS) - {"kascade2005"})])


def shared(first, second, element):
    """Correlation of the statistical errors of two AMS-02 ratios through an element that both contain."""
    flux = load_spectrum("AMS-02", element)
    one, two = (load_spectrum("AMS-02", name, axis="R") for name in (first, second))
    x = one.x.value[(one.x.value > 20.0) & np.isin(one.x.value, two.x.value)]

    def relative(table):
        error = np.maximum(table.stat_low.value / table.value.value, 1e-9)
        return np.exp(np.interp(np.log(x), np.log(table.x.value), np.log(error)))

    return relative(flux) ** 2 / (relative(one) * relative(two))


def test_what_the_file_says_about_ratios_that_share_an_element():
    through_carbon = np.concatenate(
        [shared(*pair, "C") for pair in (("Li/C", "B/C"), ("Be/C", "B/C"), ("Be/C", "Li/C"))]
    )
    assert through_carbon.min() > 0.02
    assert through_carbon.max() < 0.165
    through_boron = shared("B/C", "B/O", "B")
    assert through_boron.min() > 0.585
    assert through_boron.max() < 0.74
    table = load_spectrum("AMS-02", "B/C", axis="R")
    x, larger = table.x.value, table.stat_low.value > table.systematics["total"][0].value
    assert not np.any(larger[(x > 20) & (x < 190)])
    assert np.all(larger[(x > 200) & (x < 310)])


@pytest.mark.parametrize("key", sorted(REFERENCE | set(OTHERS)))
def test_no_particle_is_fitted_twice(key):
    species = load_experiment(key).file.species
    assert "all" not in species or len(species) == 1
    assert "p+He" not in species or not {"H", "He"} & set(species)


@pytest.mark.parametrize("key", sorted(REFERENCE | set(OTHERS) | RATIOS | SUMS))
def test_choices_have_a_source(key):
    content = tomllib.loads(likelihood_files()[key].read_text())
    for section in (*content["errors"].get("systematic", {}).values(), *content["nuisances"].values()):
        assert section["source"]
    systematics = load_experiment(key).file.errors.systematic.values()
    assert all(s.correlation == "uncorrelated" and s.parts is None for s in systematics)


@pytest.mark.parametrize("key", sorted(SUMS))
def test_sums_have_a_likelihood(key, one_thread, reference_content, build):
    terms = evaluate([key], reference_content, build)
    assert len(terms) == 1


def evaluate(keys, reference_content, build):
    content = reference_content()
    content["likelihoods"] = {key: {} for key in keys}
    posterior = build(content)
    theta = posterior.reference()[None, :]
    assert posterior.log_likelihood(theta).shape == (1,)
    assert np.isfinite(posterior.log_posterior(theta)[0])
    terms = posterior.log_likelihood_terms(theta)
    chi2 = posterior.chi2_terms(theta)
    for data in (likelihood.data for likelihood in posterior.likelihoods):
        for table in data.tables:
            name = f"{data.file.experiment} {measured_name(table)}"
            assert np.isfinite(terms[name][0])
            value, points = chi2[name]
            assert points == len(table) > 0
            # a wrong unit or axis would be off by orders of magnitude
            assert 0.0 <= value[0] < 1e3 * points
    return terms


def test_all_together_have_a_likelihood(one_thread, reference_content, build):
    terms = evaluate([key for key in OTHERS if key != "kascade2005"], reference_content, build)
    assert {name.rpartition(" ")[0] for name in terms} == set(OTHERS.values())


def test_the_older_unfolding_of_kascade(one_thread, reference_content, build):
    evaluate(["kascade2005"], reference_content, build)
    with pytest.raises(ConfigError, match="KASCADE H is fitted twice"):
        evaluate(["kascade", "kascade2005"], reference_content, build)


@pytest.mark.parametrize(
    ("key", "changes", "points"),
    [
        ("hawc", {"species": ["all"]}, 10),
        ("icetop", {"hadronic_model": "QGSJET-II-04"}, 8),
        ("tibet3", {"hadronic_model": "SIBYLL+HD"}, 30),
        ("kascade2005", {"hadronic_model": "QGSJET-01"}, 40),
        ("kascade", {"species": ["all"], "errors": {"systematic": {"hadronic": {"correlation": "uncorrelated"}}}}, 20),
        ("icecube_icetop", {"species": ["all"]}, 15),
        ("kascade_grande", {"species": ["all"]}, 17),
    ],
)
def test_alternatives_of_the_comments(key, changes, points):
    assert len(load_experiment(key, changes=changes).values) == points


def test_assumed_errors_go_to_tables_without_systematic_ones():
    data = load_experiment("tracer")
    for table in data.tables:
        published = load_spectrum("TRACER", table.species)
        if table.species == "Si":
            assert not published.systematics
            np.testing.assert_allclose(table.systematics["assumed"][0].value, 0.1 * table.value.value)
        else:
            assert list(table.systematics) == ["total"]
    low, high = data.total_errors
    part = data.slices["TRACER_Si"]
    silicon = data.tables[list(data.slices).index("TRACER_Si")]
    np.testing.assert_allclose(low[part], np.hypot(silicon.stat_low.value, 0.1 * silicon.value.value))
    np.testing.assert_allclose(high[part], np.hypot(silicon.stat_high.value, 0.1 * silicon.value.value))


def test_assumed_errors_leave_limits_alone():
    data = load_experiment("kascade2005", changes={"species": ["H"]})
    assert isinstance(data.errors, CombinedErrors)
    without = load_experiment("kascade2005", changes={"species": ["H"], "errors": {"systematic": {"assumed": {
        "correlation": "uncorrelated", "relative": 1e-12}}}})  # fmt: skip
    with_limits = [model.sigma for _, model in data.errors.parts if hasattr(model, "sigma")]
    np.testing.assert_array_equal(with_limits, [m.sigma for _, m in without.errors.parts if hasattr(m, "sigma")])
    np.testing.assert_allclose(with_limits[0] * 1.645, data.tables[0].value.value[data.tables[0].upper_limit])


def test_an_assumed_error_that_no_table_needs_is_refused():
    changes = {"errors": {"systematic": {"assumed": {"correlation": "uncorrelated", "relative": 0.1}}}}
    with pytest.raises(ConfigError, match=r"errors\.systematic\.assumed"):
        load_experiment("calet", changes=changes)


@pytest.mark.parametrize("relative", [0.0, -0.1, 1.0])
def test_an_assumed_error_is_a_fraction(relative):
    changes = {"errors": {"systematic": {"assumed": {"correlation": "uncorrelated", "relative": relative}}}}
    with pytest.raises(ConfigError, match="relative"):
        load_experiment("atic2", changes=changes)


def test_files_without_assumed_errors_are_recorded_as_before():
    # what a run's fingerprint is made from
    assert set(Systematic().model_dump()) == {"correlation", "length", "source"}
    plain = LikelihoodFile(experiment="ONE", species=("H",))
    recorded = plain.model_dump(mode="json")
    assert list(recorded) == [name for name in LikelihoodFile.model_fields if name not in ("axis", "hadronic_weights")]
    assert "statistical_floor" not in recorded["errors"]
    assert list(recorded["nuisances"]) == ["phi", "energy_scale", "normalisation"]
    assert "allow_double_counting" not in recorded["nuisances"]["phi"]
    assert recorded["range"] == {"rigidity_min": 20.0, "rigidity_max": np.inf}
    assert plain.model_copy(update={"axis": "R"}).model_dump()["axis"] == "R"
    assert Systematic(relative=0.1).model_dump()["relative"] == 0.1
