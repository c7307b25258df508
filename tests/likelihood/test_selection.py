"""Which points are fitted, by experiment, species and rigidity; likelihood files of a user's own."""

import math

import numpy as np
import pytest
from astropy.table import Table

from stellarcr.data import list_spectra
from stellarcr.errors import ConfigError, DataError, ParameterError, StellarcrError
from stellarcr.likelihood.errors import CombinedErrors, UpperLimits
from stellarcr.likelihood.experiment import load_experiment, representative_rigidity

MASSES = {"H": (1, 0.938272), "He": (2, 3.727379), "C": (6, 11.1749), "O": (8, 14.8951), "Ne": (10, 18.6177),
          "Mg": (12, 22.3358), "Si": (14, 26.0532), "S": (16, 29.7818), "Fe": (26, 52.0898)}  # fmt: skip
"""Charge and mass [GeV] of the dominant isotopes, to six digits."""
PLAIN = {"ams02": "R", "dampe": "EK", "nucleon": "ETOT", "lhaaso": "ETOT"}


def counted(experiment, hadronic_model=None):
    """Points above 20 GV of each element, straight from the tables."""
    counts = {}
    for entry in list_spectra():
        fits = entry.experiment == experiment and entry.quantity == "flux" and entry.hadronic_model == hadronic_model
        if not fits or entry.status != "recommended" or entry.species not in MASSES:
            continue
        x = np.asarray(Table.read(entry.path, format="ascii.ecsv")["x"], dtype=float)
        charge, mass = MASSES[entry.species]
        total = {"R": np.hypot(charge * x, mass), "EK": x + mass, "ETOT": x}[entry.axis]
        counts[entry.species] = int(np.sum(np.sqrt(total**2 - mass**2) / charge > 20.0))
    return counts


def test_a_group_of_elements_is_not_fitted_as_an_element():
    with pytest.raises(ConfigError, match="'KASCADE_Fe_QGSJET-II-04' holds a group of elements"):
        load_experiment("kascade", changes={"species": ["Fe"]})


def test_the_reference_fit_has_487_points(reference):
    assert sum(len(k.data.values) for k in reference.likelihoods) == 487


@pytest.mark.parametrize(
    ("key", "name", "model"),
    [("ams02", "AMS-02", None), ("dampe", "DAMPE", None), ("nucleon", "NUCLEON", None),
     ("lhaaso", "LHAASO", "EPOS-LHC")],
)  # fmt: skip
def test_every_point_above_20_gv_is_fitted(key, name, model):
    data = load_experiment(key)
    counts = counted(name, model)
    assert {t.species: len(t) for t in data.tables} == {s: counts[s] for s in data.file.species}
    assert {t.axis for t in data.tables} == {PLAIN[key]}


@pytest.mark.parametrize("key", PLAIN)
def test_vectors_are_in_the_order_of_the_tables(key):
    data = load_experiment(key)
    lower, upper = data.total_errors
    assert len(data.values) == len(lower) == len(upper) == data.errors.size
    for table in data.tables:
        part = data.slices[table.name]
        np.testing.assert_array_equal(data.values[part], table.value.value)
        np.testing.assert_array_equal(lower[part], table.total_error()[0].value)
    groups = np.concatenate([group.points for group in data.groups])
    np.testing.assert_array_equal(np.sort(groups), np.arange(len(data.values)))


def test_groups_add_up_to_the_whole(reference):
    theta = reference.sample_prior(np.random.default_rng(1), 3)
    terms = reference.log_likelihood_terms(theta)
    np.testing.assert_allclose(sum(terms.values()), reference.log_likelihood(theta), rtol=1e-12)
    chi2 = reference.chi2_terms(theta)
    assert sum(n for _, n in chi2.values()) == 487
    whole = np.zeros(3)
    values = reference.space.resolve(theta)
    spectra = reference.sources.evaluate(values, 3)
    for likelihood in reference.likelihoods:
        whole = whole + likelihood.chi2(spectra, values)
    np.testing.assert_allclose(sum(c for c, _ in chi2.values()), whole, rtol=1e-12)


def test_range_is_open_at_both_ends():
    table = load_experiment("ams02", changes={"species": ["He"]}).tables[0]
    lowest, third = table.x.value[[0, 2]]
    inside = load_experiment("ams02", changes={"species": ["He"], "range": {
        "rigidity_min": float(lowest), "rigidity_max": float(third)}})  # fmt: skip
    np.testing.assert_array_equal(inside.tables[0].x.value, table.x.value[1:2])


def test_range_is_in_rigidity_on_every_axis():
    charge, mass = MASSES["Fe"]
    data = load_experiment("dampe", changes={"species": ["Fe"], "range": {"rigidity_min": 1000.0}})
    kinetic = data.tables[0].x.value
    assert kinetic.min() > math.hypot(1000.0 * charge, mass) - mass
    np.testing.assert_allclose(
        representative_rigidity(data.tables[0]), np.sqrt(kinetic * (kinetic + 2 * mass)) / charge, rtol=1e-5
    )


def test_an_empty_range_says_where_the_points_are():
    with pytest.raises(ConfigError, match=r"rigidity_min = 10000000.*AMS-02|AMS-02.*rigidity_min = 10000000") as caught:
        load_experiment("ams02", changes={"range": {"rigidity_min": 1e7}})
    assert "span" in caught.value.remedy


def test_species_subsets_keep_their_order():
    data = load_experiment("nucleon", changes={"species": ["Fe", "H"]})
    assert [t.species for t in data.tables] == ["Fe", "H"]
    assert data.elements == ("Fe", "H")


@pytest.mark.parametrize("species", [["H", "p"], ["He", "H", "He"]])
def test_a_species_twice_is_refused(species):
    with pytest.raises(ConfigError, match="twice"):
        load_experiment("nucleon", changes={"species": species})


@pytest.mark.parametrize(("species", "kind"), [("Xx", ParameterError), ("Ti", DataError)])
def test_species_without_a_table_are_refused(species, kind):
    with pytest.raises(kind, match=species):
        load_experiment("ams02", changes={"species": ["H", species]})


FILE = """
experiment = "TOY"
species = ["H"]
folder = "my tables"
[range]
rigidity_min = 30.0
[errors.systematic.gain]
correlation = "full"
[errors.systematic.flow]
correlation = "uncorrelated"
[nuisances.phi]
prior = { kind = "normal", mean = 0.5, standard_deviation = 0.1 }
unit = "GV"
"""
EDGES = np.array([20.0, 40.0, 80.0, 160.0, 320.0])
FLUX = np.array([1.0, 0.2, 0.04, 0.008])


@pytest.fixture
def own(tmp_path, write_table):
    """Write a user's own likelihood file and table, away from those of the package."""
    write_table("mine", "H", EDGES[:-1], EDGES[1:], FLUX, (0.1 * FLUX, 0.2 * FLUX), folder="my tables",
                gain=0.05 * FLUX, flow=(0.02 * FLUX, 0.03 * FLUX))  # fmt: skip
    path = tmp_path / "toy.toml"
    path.write_text(FILE)
    return path


def test_a_users_own_experiment(own):
    data = load_experiment("toy", own.name, base=own.parent)
    assert [len(t) for t in data.tables] == [3]
    # sqrt(20 * 40) = 28 GV lies below the range
    np.testing.assert_allclose(data.values, FLUX[1:])
    stat, gain, flow = 0.15 * FLUX[1:], 0.05 * FLUX[1:], 0.025 * FLUX[1:]
    expected = np.diag(stat**2 + flow**2) + np.outer(gain, gain)
    np.testing.assert_allclose(data.errors.covariance, expected, rtol=1e-12)


def test_a_users_own_experiment_in_a_fit(own, small_content, build):
    content = small_content()
    content["likelihoods"] = {"toy": {"file": str(own)}, "ams02": {"species": ["H"]}}
    posterior = build(content)
    assert "toy.phi" in posterior.names
    theta = posterior.sample_prior(np.random.default_rng(0), 4)
    assert np.all(np.isfinite(posterior.log_posterior(theta)))
    assert list(posterior.predictions(theta)) == ["mine", "AMS-02_H"]


def test_limits_are_one_sided(tmp_path, write_table):
    write_table("mine", "H", EDGES[:-1], EDGES[1:], FLUX, 0.1 * FLUX, limits=[False, True, False, True])
    path = tmp_path / "toy.toml"
    path.write_text('experiment = "TOY"\nspecies = ["H"]\nfolder = "tables"\n')
    data = load_experiment("toy", str(path))
    assert isinstance(data.errors, CombinedErrors)
    below = data.values * np.array([1.0, 1e-3, 1.0, 1e-3])
    above = data.values * np.array([1.0, 2.0, 1.0, 2.0])
    assert data.errors.chi2(data.values - below) == pytest.approx(0.0, abs=1e-9)
    # ten sigma above each limit
    expected = 2 * UpperLimits(np.array([1.0])).chi2(np.array([-10.0]))
    assert data.errors.chi2(data.values - above) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(
    ("old", "new", "culprit", "remedy"),
    [
        ("[errors.systematic.flow]", "[errors.systematic.flaw]", "flaw", "'flow'"),
        ('[errors.systematic.flow]\ncorrelation = "uncorrelated"\n', "", "flow", "uncorrelated"),
        ('correlation = "full"', 'correlation = "fully"', "errors.systematic.gain.correlation = 'fully'", "gain"),
        ('correlation = "full"', 'correlation = "length"', "length", "gain"),
        ('correlation = "full"', 'correlation = "full"\nlength = 1.0', "length", "gain"),
        ("rigidity_min = 30.0", 'rigidity_min = "30 GV"', "range.rigidity_min = '30 GV'", "rigidity_min"),
        ("rigidity_min = 30.0", "rigidity_minimum = 30.0", "range.rigidity_minimum", "'rigidity_min'"),
        ('experiment = "TOY"', 'experiment = "TOYS"', "'TOYS'", "'TOY'"),
        ('experiment = "TOY"', "", "experiment", "add"),
        ("[nuisances.phi]", "[nuisances.phi_0]", "nuisances.phi_0", "'phi'"),
        ('species = ["H"]', "species = []", "species", "species"),
        ('folder = "my tables"', 'folder = "no tables"', "no such folder", "path"),
        ("prior = {", "prior = 3 #", "nuisances.phi.prior = 3", "prior"),
        ("[range]", "[range", "not valid TOML", "line"),
    ],
)
def test_mistakes_in_a_likelihood_file(own, old, new, culprit, remedy):
    assert old in FILE
    own.write_text(FILE.replace(old, new, 1))
    with pytest.raises(StellarcrError) as caught:
        load_experiment("toy", str(own))
    assert culprit in caught.value.problem
    assert remedy in caught.value.remedy
    assert caught.value.where
