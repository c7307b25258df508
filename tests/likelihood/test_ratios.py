"""Ratios of fluxes as data: against the exact model, by hand, and what is refused."""

import math

import numpy as np
import pytest

from stellarcr.errors import ConfigError, DataError, ModelError
from stellarcr.likelihood.errors import CombinedErrors, CorrelatedErrors
from stellarcr.likelihood.experiment import load_experiment, representative_rigidity
from stellarcr.likelihood.ratio import quotient

pytestmark = pytest.mark.usefixtures("one_thread")

MASSES = {"H": (1, 0.938272), "He": (2, 3.727379), "C": (6, 11.1749), "O": (8, 14.8951)}
"""Charge and mass [GeV] of the dominant isotopes, to six digits."""

EDGES = np.geomspace(20.0, 2000.0, 9)


def free(mean, width):
    return {"prior": "normal", "mean": mean, "standard_deviation": width}


@pytest.fixture
def toy(tmp_path, write_table):
    """Write tables of ratios and a likelihood file; return a section that names it."""

    def write(*names, axis="R", edges=EDGES, value=0.5, stat=0.01, limits=None, more="", **systematics):
        values = np.broadcast_to(value, len(edges) - 1)
        for k, name in enumerate(names):
            write_table(
                f"toy_{k}_{axis}", name, edges[:-1], edges[1:], values, stat, axis=axis, limits=limits, **systematics
            )
        path = tmp_path / "toy.toml"
        listed = ", ".join(f'"{name}"' for name in names)
        path.write_text(f'experiment = "TOY"\nspecies = [{listed}]\nfolder = "tables"\n{more}')
        return {"file": str(path)}

    return write


def exact(posterior, theta, nodes=400):
    """Ratios of fluxes of `ForwardModel.flux`, averaged over bins by a trapezoid rule in ln x."""
    values = posterior.space.resolve(theta)
    result = {}
    for likelihood in posterior.likelihoods:
        key = likelihood.data.key
        for table in likelihood.data.tables:
            low, high = table.x_low.value, table.x_high.value
            edged = np.isfinite(low)
            low, high = np.where(edged, low, table.x.value), np.where(edged, high, table.x.value * (1 + 1e-9))
            u = np.linspace(0.0, 1.0, nodes if np.any(edged) else 2)
            x = low[:, None] * (high / low)[:, None] ** u
            rows = []
            for k in range(len(theta)):
                at = {name: float(v[k]) if np.ndim(v) else float(v) for name, v in values.items()}
                parameters = posterior.model_parameters(at)

                def average(species, at=at, parameters=parameters, x=x, table=table, key=key):
                    flux = posterior.model.flux(
                        parameters, species, x.ravel() / at[f"{key}.energy_scale"], table.axis, at[f"{key}.phi"]
                    )["total"].reshape(x.shape)
                    return np.trapezoid(flux * x, np.log(x), axis=1)

                numerator, denominator = table.species.split("/")
                rows.append(at[f"{key}.normalisation"] * average(numerator) / average(denominator))
            result[table.name] = np.stack(rows)
    return result


def check(posterior, n=3, tolerance=1e-4):
    theta = posterior.sample_prior(np.random.default_rng(1), n)
    expected, found = exact(posterior, theta), posterior.predictions(theta)
    assert expected.keys() == found.keys()
    for name in expected:
        np.testing.assert_allclose(found[name], expected[name], rtol=tolerance)


# ---------------------------------------------------------------------- predictions


def test_published_ratios_are_predicted_as_the_exact_model_does(reference_content, build):
    content = reference_content()
    content["likelihoods"] = {
        "ams02_ratios": {"species": ["C/O", "He/O", "Fe/O", "H/He"]},
        "calet_ratios": {"species": ["H/He", "C/O"], "axis": "EKN"},
    }
    posterior = build(content)
    assert {"ams02_ratios.phi", "calet_ratios.phi"} <= set(posterior.names)
    assert [len(k.data.values) for k in posterior.likelihoods] == [43 + 43 + 24 + 42, 15 + 22]
    # far below the sources' cutoffs: H/He of CALET reaches them
    content["likelihoods"]["calet_ratios"]["range"] = {"rigidity_max": 3000.0}
    check(build(content))


@pytest.mark.parametrize("axis", ["R", "EK", "EKN", "ETOT"])
def test_bins_are_averaged_before_the_division(axis, reference_content, build, toy):
    content = reference_content()
    # wide bins across a break without a smooth transition have an error of their own, see test_prediction
    content["galaxy"]["smoothness"] = 0.2
    edges = np.geomspace(100.0, 2000.0, 5) * (1.0 if axis in ("R", "EKN") else 20.0)
    content["likelihoods"] = {"toy": toy("He/O", "p+He/Fe", axis=axis, edges=edges)}
    content["parameters"]["toy"] = {"phi": free(0.6, 0.05), "normalisation": free(1.0, 0.1)}
    check(build(content))


def test_an_energy_scale_moves_both_fluxes(small_content, build, toy):
    content = small_content()
    content["likelihoods"] = {"toy": toy("H/He", axis="EKN", edges=np.array([20.0, 40.0, 80.0]))}
    values = [np.ravel(build(content).predictions(np.array([[48.0, -2.45]]))["toy_0_EKN"])]
    for nuisances in ({"energy_scale": 1.1}, {"normalisation": 1.1}, {"phi": 0.6}):
        content["parameters"]["toy"] = nuisances
        posterior = build(content)
        theta = np.array([[48.0, -2.45]])
        np.testing.assert_allclose(posterior.predictions(theta)["toy_0_EKN"], exact(posterior, theta)["toy_0_EKN"],
                                   rtol=1e-4)  # fmt: skip
        values.append(np.ravel(posterior.predictions(theta)["toy_0_EKN"]))
    plain, scaled, normalised, modulated = values
    np.testing.assert_allclose(normalised, 1.1 * plain, rtol=1e-12)
    # fluxes move by 1.1^1.7, the ratio by little
    assert np.all(np.abs(scaled / plain - 1) < 0.01)
    # protons of equal energy per nucleon lose Z phi / A = phi, helium half of it
    assert np.all(modulated < 0.99 * plain)


def test_isotopes_are_modulated_apart(small_content, build):
    content = small_content()
    content["populations"]["snr"]["isotopes"] = "natural"
    content["parameters"]["galaxy"] = {"delta": {"prior": "uniform", "low": 0.3, "high": 0.6}}
    content["likelihoods"] = {"ams02_ratios": {"species": ["Mg/O", "Ne/O"]}, "calet_ratios": {"species": ["C/O"]}}
    check(build(content), 2)


def test_a_ratio_knows_no_power(small_content, build):
    content = small_content()
    content["likelihoods"] = {"ams02_ratios": {"species": ["C/O", "He/O"]}}
    posterior = build(content)
    theta = np.repeat(posterior.reference()[None, :], 3, axis=0)
    theta[:, posterior.names.index("snr.log10_power")] = [47.1, 48.0, 49.9]
    values = posterior.log_likelihood(theta)
    np.testing.assert_allclose(values, values[0], rtol=1e-10)
    for predicted in posterior.predictions(theta).values():
        np.testing.assert_allclose(predicted, np.broadcast_to(predicted[0], predicted.shape), rtol=1e-10)


def test_a_ratio_of_what_vanishes_is_finite():
    fluxes = np.array([[0.0, 1e-300, 2.0, 0.0, 0.0, 4.0]])
    np.testing.assert_array_equal(quotient(fluxes), [[0.0, 1e-300, 0.5]])


# ---------------------------------------------------------------------- likelihoods


def test_three_points_by_hand(small_content, build, toy):
    content = small_content()
    edges = np.array([20.0, 40.0, 80.0, 160.0])
    measured = np.array([0.8, 0.9, 1.0])
    errors = {"stat": (np.array([0.1, 0.1, 0.2]), np.array([0.2, 0.1, 0.1])), "total": np.array([0.1, 0.2, 0.1])}
    more = '[errors.systematic.total]\ncorrelation = "uncorrelated"\n'
    content["likelihoods"] = {"toy": toy("C/O", edges=edges, value=measured, more=more, **errors)}
    posterior = build(content)
    theta = posterior.reference()[None, :]
    model = exact(posterior, theta)["toy_0_R"][0]
    expected = 0.0
    for k in range(3):
        low = math.hypot(errors["stat"][0][k], errors["total"][k])
        high = math.hypot(errors["stat"][1][k], errors["total"][k])
        pull = (measured[k] - model[k]) / (high if model[k] > measured[k] else low)
        expected += -0.5 * pull**2 - math.log(0.5 * (low + high)) - 0.5 * math.log(2 * math.pi)
    assert posterior.log_likelihood(theta)[0] == pytest.approx(expected, rel=1e-5)
    assert list(posterior.chi2_terms(theta)) == ["TOY C/O"]


def test_correlated_errors_and_limits(toy):
    more = '[errors.systematic.total]\ncorrelation = "length"\nlength = 0.5\n'
    section = toy("C/O", more=more, total=0.05)
    errors = load_experiment("toy", section["file"]).errors
    assert isinstance(errors, CorrelatedErrors)
    step = 0.25 * math.log(10.0)
    assert errors.covariance[0, 1] == pytest.approx(0.05**2 * math.exp(-step / 0.5), rel=1e-9)
    assert errors.covariance[0, 0] == pytest.approx(0.05**2 + 0.01**2, rel=1e-9)
    section = toy("C/O", limits=np.arange(8) == 7)
    data = load_experiment("toy", section["file"])
    assert isinstance(data.errors, CombinedErrors)
    below, above = np.full(8, 0.5), np.where(np.arange(8) == 7, 0.9, 0.5)
    difference = data.errors.log_likelihood(data.values - np.stack([below - 0.2 * (np.arange(8) == 7), above]))
    assert difference[0] > difference[1] + 100


def test_the_range_holds_for_both_nuclei():
    data = load_experiment("calet_ratios", changes={"species": ["H/He"], "axis": "EKN"})
    (table,) = data.tables
    rigidities = []
    for element, nucleons in (("H", 1), ("He", 4)):
        charge, mass = MASSES[element]
        rigidities.append(np.sqrt((nucleons * table.x.value + mass) ** 2 - mass**2) / charge)
    np.testing.assert_allclose(representative_rigidity(table), np.minimum(*rigidities), rtol=1e-5)
    np.testing.assert_allclose(representative_rigidity(table), rigidities[0], rtol=1e-5)
    narrower = load_experiment(
        "calet_ratios", changes={"species": ["H/He"], "axis": "EKN", "range": {"rigidity_min": 200.0}}
    )
    assert len(narrower.values) == int(np.sum(rigidities[0] > 200.0)) < len(data.values)


def test_vectors_are_in_the_order_of_the_tables():
    data = load_experiment("ams02_ratios")
    assert [t.species for t in data.tables] == ["B/C", "N/O", "F/Si"]
    assert data.elements == ("B", "C", "N", "O", "F", "Si")
    names = [name for name, _ in data.measurements]
    assert names == [("B",), ("N",), ("F",), ("C",), ("O",), ("Si",)]
    assert all(t.axis == "R" for t in data.tables)
    assert len(data.values) == 42 + 42 + 24


# ---------------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("changes", "error", "problem", "remedy"),
    [
        ({"species": ["B/X"]}, DataError, "no table of species 'B/X'", "'B/O' or 'B/C'"),
        ({"species": ["O/B"]}, DataError, "no table of species 'O/B'", "B/O,"),
        ({"species": ["B/C/O"]}, DataError, "'B/C/O'", "B/C"),
        ({"species": ["C/O"], "axis": "EKN"}, DataError, "no table with axis 'EKN'", "R"),
        ({"species": ["C/O"], "axis": "ekn"}, ConfigError, "axis = 'ekn'", "axis"),
        ({"species": ["C/O", "C"]}, ConfigError, "ratios such as 'C/O' and fluxes such as 'C'", "of its own"),
        ({"species": ["C/O", "C/O"]}, ConfigError, "holds one twice", "once"),
        (
            {"errors": {"difference": {"total": "p+He", "minuend": "He", "subtrahend": "H"}}},
            ConfigError,
            r"\[errors.difference\] is about fluxes",
            "remove",
        ),
        ({"errors": {"systematic": {"hadronic": {}}}}, ConfigError, "hadronic", "total"),
    ],
)
def test_files_that_cannot_be_fitted(changes, error, problem, remedy):
    with pytest.raises(error, match=problem) as caught:
        load_experiment("ams02_ratios", changes=changes)
    assert remedy in caught.value.remedy


def test_a_measurement_on_two_axes_needs_a_choice():
    with pytest.raises(DataError, match="differ in 'axis'") as caught:
        load_experiment("calet_ratios", changes={"species": ["H/He"]})
    assert "'EKN', 'R'" in caught.value.remedy


LIGHT = """# %ECSV 1.0
# ---
# datatype:
# - {name: element, datatype: string}
# - {name: mass_number, datatype: int64}
# - {name: number_fraction, datatype: float64}
# meta: !!omap
# - {schema: stellarcr-composition/1}
# - {name: light}
# - reference: {text: example values}
# schema: astropy-2.0
element mass_number number_fraction
H 1 0.9
He 4 0.1
"""
"""Nothing of which carbon could be made."""


def test_an_element_that_the_model_does_not_have(tmp_path, small_content, build):
    (tmp_path / "light.ecsv").write_text(LIGHT)
    content = small_content()
    content["populations"]["snr"]["composition"] = str(tmp_path / "light.ecsv")
    content["likelihoods"] = {"ams02_ratios": {"species": ["H/He", "C/O"]}}
    with pytest.raises(ModelError, match="'C', which 'AMS-02_C_over_O_R' measures") as caught:
        build(content)
    assert "'C/O'" in caught.value.remedy
    assert "'ams02_ratios'" in caught.value.where
    content["likelihoods"]["ams02_ratios"]["species"] = ["He/O"]
    with pytest.raises(ModelError, match="'O', which 'AMS-02_He_over_O_R' measures"):
        build(content)
    content["likelihoods"]["ams02_ratios"]["species"] = ["H/He"]
    assert build(content).n_dim == 3


@pytest.mark.parametrize(
    ("ratios", "fluxes", "culprits"),
    [
        # a ratio and both of its fluxes
        (["C/O"], ["C", "O"], ("AMS-02_C_over_O_R", "AMS-02_C ", "AMS-02_O ")),
        # the third of three ratios
        (["He/O", "Fe/O", "Fe/He"], ["H"], ("He_over_O", "Fe_over_O", "Fe_over_He")),
        # a chain of ratios between two fluxes
        (["Ne/O", "Ne/Mg"], ["O", "Mg"], ("Ne_over_O", "Ne_over_Mg", "AMS-02_O ", "AMS-02_Mg ")),
    ],
)
def test_what_follows_from_other_data_is_not_fitted_beside_them(ratios, fluxes, culprits, reference_content, build):
    content = reference_content()
    content["likelihoods"] = {"ams02_ratios": {"species": ratios}, "fluxes": {"file": "ams02", "species": fluxes}}
    with pytest.raises(ConfigError, match="follows from") as caught:
        build(content)
    for culprit in culprits:
        assert culprit in caught.value.problem
    assert "'ams02_ratios'" in caught.value.problem
    # without the last table there is no loop
    content["likelihoods"]["fluxes"]["species"] = fluxes[:-1] or ["H"]
    if len(ratios) == 3:
        content["likelihoods"]["ams02_ratios"]["species"] = ratios[:-1]
    if not fluxes[:-1]:
        content["likelihoods"]["fluxes"]["species"] = ["H"]
    assert build(content).n_dim > 0


def test_other_experiments_are_independent(reference_content, build):
    content = reference_content()
    content["likelihoods"] = {"ams02_ratios": {"species": ["C/O"]}, "dampe": {"species": ["C", "O"]}}
    posterior = build(content)
    assert [len(k.data.tables) for k in posterior.likelihoods] == [1, 2]


def test_one_ratio_twice(small_content, build):
    content = small_content()
    content["likelihoods"] = {
        "ams02_ratios": {"species": ["C/O"]},
        "again": {"file": "ams02_ratios", "species": ["C/O"]},
    }
    with pytest.raises(ConfigError, match="AMS-02 C/O is fitted twice") as caught:
        build(content)
    assert "'again'" in caught.value.problem
