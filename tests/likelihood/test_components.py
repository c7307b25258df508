"""Systematic components in parts, assumed ones beside published ones, floors of statistical errors."""

import numpy as np
import pytest

from stellarcr.data import load_spectrum
from stellarcr.errors import ConfigError, DataError
from stellarcr.likelihood.components import component_correlation
from stellarcr.likelihood.errors import CorrelatedErrors, IndependentErrors
from stellarcr.likelihood.experiment import load_experiment
from stellarcr.likelihood.schema import Part, Systematic

LOG_R = np.log([20.0, 25.0, 40.0, 100.0, 3000.0])


def total(**settings):
    return {"errors": {"systematic": {"total": settings}}}


def test_parts_mix_their_correlations():
    choice = Systematic(
        parts=(
            Part(fraction=0.5, correlation="full"),
            Part(fraction=0.3, correlation="length", length=0.7),
            Part(fraction=0.2),
        )
    )
    found = component_correlation(choice, LOG_R)
    near = np.exp(-np.abs(np.subtract.outer(LOG_R, LOG_R)) / 0.7)
    np.testing.assert_allclose(found, 0.5 + 0.3 * near + 0.2 * np.eye(5), rtol=1e-14)
    np.testing.assert_array_equal(np.diag(found), 1.0)


def test_a_single_part_is_the_component_itself():
    for kind, length in (("full", None), ("length", 0.4), ("uncorrelated", None)):
        whole = component_correlation(Systematic(correlation=kind, length=length), LOG_R)
        part = component_correlation(Systematic(parts=(Part(fraction=1.0, correlation=kind, length=length),)), LOG_R)
        np.testing.assert_array_equal(whole, part)


def test_parts_of_a_published_error_keep_its_size():
    parts = [{"fraction": 0.75, "correlation": "length", "length": 2.3}, {"fraction": 0.25}]
    plain, split = (load_experiment("ams02", changes=c) for c in ({}, total(parts=parts)))
    for name, part in split.slices.items():
        table = next(t for t in split.tables if t.name == name)
        group = next(g for g in split.groups if np.array_equal(g.points, np.arange(part.start, part.stop)))
        assert isinstance(group.errors, CorrelatedErrors)
        covariance = group.errors.covariance
        np.testing.assert_allclose(np.sqrt(np.diag(covariance)), plain.total_errors[0][part], rtol=1e-12)
        sigma, log_r = table.systematics["total"][0].value, np.log(table.x.value)
        expected = 0.75 * sigma[0] * sigma[-1] * np.exp(-(log_r[-1] - log_r[0]) / 2.3)
        assert covariance[0, -1] == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"parts": [{"fraction": 0.5}, {"fraction": 0.4}]}, "add up to 0.9 instead of 1"),
        ({"parts": [{"fraction": 0.5, "correlation": "length"}, {"fraction": 0.5}]}, "length belong together"),
        ({"parts": [{"fraction": 1.5}]}, "fraction"),
        ({"parts": [{"share": 1.0}]}, "share"),
        ({"parts": []}, "parts"),
        ({"parts": [{"fraction": 1.0}], "correlation": "full"}, "give parts, or one correlation"),
        ({"every_table": True, "correlation": "full"}, "every_table is for an assumed error"),
    ],
)
def test_impossible_parts_are_refused(settings, match):
    with pytest.raises(ConfigError, match=match) as caught:
        load_experiment("ams02", changes=total(**settings))
    assert caught.value.remedy


def test_statistical_errors_printed_as_zero_have_a_floor():
    # a common shift of points that have no error of their own says that they are exactly one point
    with pytest.raises(DataError, match="not positive definite") as caught:
        load_experiment("ams02", changes=total(correlation="full"))
    assert "statistical_floor" in caught.value.remedy
    changes = total(correlation="full")
    changes["errors"]["statistical_floor"] = 3e-4
    data = load_experiment("ams02", changes=changes)
    published = load_spectrum("AMS-02", "H")
    published = published.select(published.x.value > 20.0)
    raised = data.tables[0].stat_low.value
    floor = 3e-4 * published.value.value
    np.testing.assert_allclose(raised, np.maximum(published.stat_low.value, floor), rtol=1e-14)
    zero = published.stat_low.value == 0
    assert 0 < np.sum(zero) < len(zero)
    # what the floor adds is nothing beside the systematic error
    assert np.all(floor[zero] < 0.05 * published.systematics["total"][0].value[zero])
    sigma = published.systematics["total"][0].value
    np.testing.assert_allclose(
        data.groups[0].errors.covariance, np.outer(sigma, sigma) + np.diag(raised**2), rtol=1e-12
    )
    assert np.isfinite(data.errors.log_likelihood(np.zeros(data.errors.size)))


@pytest.mark.parametrize("floor", [-1e-4, 0.1, "small"])
def test_impossible_floors_are_refused(floor):
    with pytest.raises(ConfigError, match="statistical_floor"):
        load_experiment("ams02", changes={"errors": {"statistical_floor": floor}})


def test_an_assumed_error_beside_published_ones():
    extra = {"correlation": "full", "relative": 0.03, "every_table": True, "source": "test"}
    plain = load_experiment("nucleon")
    data = load_experiment("nucleon", changes={"errors": {"systematic": {"calibration": extra}}})
    for table, before in zip(data.tables, plain.tables, strict=True):
        assert list(table.systematics) == ["total", "calibration"]
        np.testing.assert_allclose(table.systematics["calibration"][0].value, 0.03 * before.value.value)
    flux = plain.tables[0].value.value
    first = data.groups[0].errors.covariance
    expected = np.diag(plain.total_errors[0][: len(flux)] ** 2) + np.outer(0.03 * flux, 0.03 * flux)
    # the published errors are symmetric
    np.testing.assert_allclose(first, expected, rtol=1e-12)


def test_an_assumed_error_is_for_tables_without_one():
    with pytest.raises(ConfigError, match=r"errors\.systematic\.calibration: the tables have no such component"):
        load_experiment("nucleon", changes={"errors": {"systematic": {"calibration": {
            "correlation": "full", "relative": 0.03}}}})  # fmt: skip


@pytest.mark.parametrize("key", ["ams02", "dampe", "nucleon", "lhaaso"])
def test_every_correlation_is_possible_for_the_reference_data(key):
    plain = load_experiment(key)
    rng = np.random.default_rng(3)
    residuals = rng.normal(size=(2, len(plain.values))) * plain.total_errors[0]
    assert np.all(np.isfinite(plain.errors.log_likelihood(residuals)))
    for settings in ({"correlation": "full"}, *({"correlation": "length", "length": n} for n in (0.1, 2.3, 50.0))):
        names = plain.tables[0].systematics
        changes = {"errors": {"systematic": dict.fromkeys(names, settings), "statistical_floor": 3e-4}}
        data = load_experiment(key, changes=changes)
        assert not isinstance(data.errors, IndependentErrors)
        for group in data.groups:
            covariance = group.errors.covariance
            scale = np.sqrt(np.diag(covariance))
            eigenvalues = np.linalg.eigvalsh(covariance / np.outer(scale, scale))
            assert eigenvalues[0] > 1e-8
            # the size of the errors is what the tables say, whatever their correlation
            np.testing.assert_allclose(scale, plain.total_errors[0][group.points], rtol=2e-3)


@pytest.mark.parametrize("key", ["ams02", "dampe", "nucleon"])
def test_a_common_shift_costs_less_where_errors_are_correlated(key):
    plain = load_experiment(key)
    names = plain.tables[0].systematics
    settings = {"correlation": "length", "length": 2.3}
    data = load_experiment(key, changes={"errors": {"systematic": dict.fromkeys(names, settings)}})
    shift = plain.total_errors[0]
    assert data.errors.chi2(shift) < 0.5 * plain.errors.chi2(shift)
    # and signs that change from point to point cost more
    alternating = shift * (-1.0) ** np.arange(len(shift))
    assert data.errors.chi2(alternating) > plain.errors.chi2(alternating)
