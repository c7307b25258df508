"""Helium published as light minus protons: one covariance for both."""

import numpy as np
import pytest

from stellarcr.data import load_spectrum
from stellarcr.errors import ConfigError, DataError
from stellarcr.likelihood.errors import CorrelatedErrors, IndependentErrors
from stellarcr.likelihood.experiment import load_experiment

LOW, HIGH = np.array([1e5, 2e5, 4e5]), np.array([2e5, 4e5, 8e5])
PROTON = np.array([3e-10, 5e-11, 8e-12])
LIGHT = np.array([6e-10, 1.1e-10, 2e-11])
STAT_P, STAT_LIGHT = 0.02 * PROTON, 0.015 * LIGHT
SYST_P, SYST_LIGHT = 0.10 * PROTON, 0.07 * LIGHT
FILE = """
experiment = "TOY"
species = ["H", "He"]
folder = "tables"
[errors.systematic.total]
correlation = "uncorrelated"
[errors.difference]
total = "p+He"
minuend = "He"
subtrahend = "H"
"""


@pytest.fixture
def toy(tmp_path, write_table):
    """Write three tables and a likelihood file in a user's own folder; return a loader."""

    def make(systematics, correlation=0.0, changes=None):
        # errors of He = light - p, with the given correlation of the systematic errors of p and light
        stat = np.hypot(STAT_P, STAT_LIGHT)
        syst = np.sqrt(SYST_P**2 + SYST_LIGHT**2 - 2 * correlation * SYST_P * SYST_LIGHT)
        for name, species, value, s, t in (
            ("H", "H", PROTON, STAT_P, SYST_P),
            ("He", "He", LIGHT - PROTON, stat, syst),
            ("pHe", "p+He", LIGHT, STAT_LIGHT, SYST_LIGHT),
        ):
            write_table(f"TOY_{name}", species, LOW, HIGH, value, s, axis="ETOT", total=systematics * t)
        path = tmp_path / "toy.toml"
        path.write_text(FILE)
        return load_experiment("toy", str(path), changes)

    return make


def propagated(stat, syst):
    """Covariance of (p, light - p) from one of (p, light)."""
    to_helium = np.block([[np.eye(3), np.zeros((3, 3))], [-np.eye(3), np.eye(3)]])
    return to_helium @ (stat + syst) @ to_helium.T


@pytest.mark.parametrize("correlation", [0.0, 0.6, -0.3])
def test_covariance_is_that_of_light_and_protons_propagated(toy, correlation):
    data = toy(1.0, correlation)
    stat = np.diag(np.concatenate([STAT_P, STAT_LIGHT]) ** 2)
    cross = np.diag(correlation * SYST_P * SYST_LIGHT)
    syst = np.block([[np.diag(SYST_P**2), cross], [cross, np.diag(SYST_LIGHT**2)]])
    expected = propagated(stat, syst)
    # the covariance of p and He is a difference of squares: rounding is relative to the largest of them
    largest = np.sqrt(np.outer(np.diag(expected), np.diag(expected)))
    np.testing.assert_allclose(data.errors.covariance / largest, expected / largest, atol=1e-12)


@pytest.mark.parametrize("table", ["H", "He", "pHe"])
def test_a_component_that_not_all_tables_have_is_refused(toy, write_table, tmp_path, table):
    """It would be lost, or missing, in the covariance."""
    toy(1.0)
    species, value = {"H": ("H", PROTON), "He": ("He", LIGHT - PROTON), "pHe": ("p+He", LIGHT)}[table]
    write_table(
        f"TOY_{table}", species, LOW, HIGH, value, 0.1 * value, axis="ETOT", total=0.1 * value, more=0.1 * value
    )
    more = {"errors": {"systematic": {"more": {"correlation": "uncorrelated"}} if table != "pHe" else {}}}
    with pytest.raises(DataError, match=r"the systematic errors \[.*more.*needs the same ones"):
        load_experiment("toy", str(tmp_path / "toy.toml"), more)


def test_chi2_of_p_and_helium_is_that_of_p_and_light(toy):
    """Without systematic errors protons and light are independent: both ways to fit agree for any model."""
    data = toy(0.0)
    rng = np.random.default_rng(5)
    proton, light = rng.normal(0, 1, (20, 3)) * STAT_P, rng.normal(0, 1, (20, 3)) * STAT_LIGHT
    independent = IndependentErrors(np.concatenate([STAT_P, STAT_LIGHT]), np.concatenate([STAT_P, STAT_LIGHT]))
    residuals = np.concatenate([proton, light - proton], axis=1)
    both = np.concatenate([proton, light], axis=1)
    np.testing.assert_allclose(data.errors.chi2(residuals), independent.chi2(both), rtol=1e-9)
    # and the densities: the map (p, light) -> (p, He) has determinant one
    np.testing.assert_allclose(data.errors.log_likelihood(residuals), independent.log_likelihood(both), rtol=1e-11)


def test_correlated_bins_keep_the_published_covariance_in_each_bin(toy):
    changes = {"errors": {"systematic": {"total": {"correlation": "length", "length": 0.5}}}}
    within, apart = toy(1.0, 0.6).errors.covariance, toy(1.0, 0.6, changes).errors.covariance
    for block in (slice(0, 3), slice(3, 6)):
        np.testing.assert_allclose(np.diag(apart[block, block]), np.diag(within[block, block]), rtol=1e-12)
    np.testing.assert_allclose(np.diag(apart[:3, 3:]), np.diag(within[:3, 3:]), rtol=1e-10)
    # neighbouring bins: exp(-ln 2 / 0.5) = 1/4 of the systematic part
    assert apart[0, 1] == pytest.approx(0.25 * SYST_P[0] * SYST_P[1], rel=1e-6)


def test_one_of_the_two_alone_needs_no_covariance(toy):
    assert isinstance(toy(1.0, changes={"species": ["He"]}).errors, IndependentErrors)
    assert isinstance(toy(1.0, changes={"species": ["H", "p+He"]}).errors, IndependentErrors)


def test_switched_off(toy):
    data = toy(1.0, changes={"errors": {"difference": False}})
    assert isinstance(data.errors, IndependentErrors)
    assert [group.name for group in data.groups] == ["TOY H", "TOY He"]


def test_points_that_do_not_pair_are_refused(toy):
    # helium has half the rigidity of protons at one energy: this cut leaves three points of H and two of He
    with pytest.raises(DataError, match="different bins") as caught:
        toy(1.0, changes={"range": {"rigidity_min": 1e5}})
    assert "toy.toml" in caught.value.where
    assert "difference" in caught.value.remedy


def test_limits_cannot_be_differences(toy, write_table, tmp_path):
    toy(1.0)
    helium = LIGHT - PROTON
    write_table("TOY_He", "He", LOW, HIGH, helium, 0.1 * helium, axis="ETOT", limits=[False, False, True],
                total=0.1 * helium)  # fmt: skip
    with pytest.raises(DataError, match="upper limits"):
        load_experiment("toy", str(tmp_path / "toy.toml"))


@pytest.mark.parametrize("model", ["EPOS-LHC", "QGSJET-II-04", "SIBYLL-2.3d"])
def test_lhaaso(model):
    data = load_experiment("lhaaso", changes={"hadronic_model": model})
    assert isinstance(data.errors, CorrelatedErrors)
    assert [group.name for group in data.groups] == ["LHAASO H+He"]
    covariance = data.errors.covariance
    np.testing.assert_array_equal(covariance, covariance.T)
    scale = np.sqrt(np.diag(covariance))
    assert np.linalg.eigvalsh(covariance / np.outer(scale, scale))[0] > 0.01
    # section by section, from the published tables: LHAASO gives one systematic error, "total"
    proton, helium, light = (load_spectrum("LHAASO", s, model) for s in ("H", "He", "p+He"))
    n = len(proton)
    total = {s.species: s.systematics["total"][0].value for s in (proton, helium, light)}
    statistical = proton.stat_low.value**2
    systematic = 0.5 * (total["p+He"] ** 2 - total["H"] ** 2 - total["He"] ** 2)
    cross = covariance[:n, n:]
    np.testing.assert_allclose(np.diag(cross), systematic - statistical, rtol=1e-12)
    np.testing.assert_array_equal(cross, np.diag(np.diag(cross)))
    np.testing.assert_allclose(np.diag(covariance)[:n], statistical + total["H"] ** 2, rtol=1e-12)
    np.testing.assert_allclose(np.diag(covariance)[n:], helium.stat_low.value**2 + total["He"] ** 2, rtol=1e-12)


def test_lhaasos_statistical_errors_of_helium_are_sums_of_squares():
    # what makes protons and light independent; some are printed to one digit, 2 for 2.24
    proton, helium, light = (load_spectrum("LHAASO", s, "EPOS-LHC") for s in ("H", "He", "p+He"))
    expected = np.hypot(proton.stat_low.value, light.stat_low.value)
    np.testing.assert_allclose(helium.stat_low.value, expected, rtol=0.25)


@pytest.mark.parametrize("model", ["EPOS-LHC", "QGSJET-II-04", "SIBYLL-2.3d"])
@pytest.mark.parametrize(
    "settings",
    [
        {"correlation": "full"},
        {"correlation": "length", "length": 2.3},
        {"parts": [{"fraction": 0.6, "correlation": "full"}, {"fraction": 0.4}]},
    ],
    ids=["full", "length", "parts"],
)
def test_any_correlation_is_positive_definite(model, settings):
    changes = {"hadronic_model": model, "errors": {"systematic": {"total": settings}}}
    covariance = load_experiment("lhaaso", changes=changes).errors.covariance
    independent = load_experiment("lhaaso", changes={"hadronic_model": model}).errors.covariance
    n = len(covariance) // 2
    proton, helium, light = (load_spectrum("LHAASO", s, model) for s in ("H", "He", "p+He"))
    # one dense oracle, bin pair by bin pair: L_i L_j^T rho_ij, and the statistical part of (p, light - p)
    a, b, c = (s.systematics["total"][0].value for s in (proton, helium, light))
    factors = [np.linalg.cholesky([[x**2, (z**2 - x**2 - y**2) / 2], [(z**2 - x**2 - y**2) / 2, y**2]])
               for x, y, z in zip(a, b, c, strict=True)]  # fmt: skip
    log_r = np.log(proton.x.value)
    expected = np.zeros((2 * n, 2 * n))
    for i in range(n):
        for j in range(n):
            near = np.exp(-abs(log_r[i] - log_r[j]) / 2.3)
            rho = {"full": 1.0, "length": near}.get(settings.get("correlation"), 0.6 + 0.4 * (i == j))
            expected[np.ix_([i, n + i], [j, n + j])] = rho * factors[i] @ factors[j].T
    stat_p, stat_he = proton.stat_low.value, helium.stat_low.value
    for i in range(n):
        expected[np.ix_([i, n + i], [i, n + i])] += [
            [stat_p[i] ** 2, -(stat_p[i] ** 2)],
            [-(stat_p[i] ** 2), stat_he[i] ** 2],
        ]
    scale = np.sqrt(np.diag(independent))
    np.testing.assert_allclose(covariance / np.outer(scale, scale), expected / np.outer(scale, scale), atol=2e-6)
    assert np.linalg.eigvalsh(covariance / np.outer(scale, scale))[0] > 1e-6
    for i in range(n):
        pair = np.ix_([i, n + i], [i, n + i])
        np.testing.assert_allclose(covariance[pair], independent[pair], rtol=1e-9)


def test_errors_that_are_no_triangle_are_refused(toy, write_table, tmp_path):
    toy(1.0)
    # the sum cannot be better known than the difference of both errors
    light = 0.001 * LIGHT
    write_table("TOY_pHe", "p+He", LOW, HIGH, LIGHT, STAT_LIGHT, axis="ETOT", total=light)
    with pytest.raises(DataError, match="not those of two fluxes and their sum") as caught:
        load_experiment("toy", str(tmp_path / "toy.toml"))
    assert "GeV" in caught.value.problem
    assert "difference" in caught.value.where


def test_tables_on_two_axes_do_not_pair(toy, write_table, tmp_path):
    toy(1.0)
    helium = LIGHT - PROTON
    write_table("TOY_He", "He", LOW, HIGH, helium, 0.1 * helium, axis="EK", total=0.1 * helium)
    with pytest.raises(DataError, match="different bins"):
        load_experiment("toy", str(tmp_path / "toy.toml"))


def test_an_unknown_hadronic_model_is_refused():
    with pytest.raises((ConfigError, DataError), match="'EPOS'") as caught:
        load_experiment("lhaaso", changes={"hadronic_model": "EPOS"})
    assert "'EPOS-LHC'" in caught.value.remedy
