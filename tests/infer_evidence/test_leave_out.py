"""Leave-one-out densities against those of a linear Gaussian model, which are known."""

import numpy as np
import pytest
from linear_model import LinearModel

from stellarcr.errors import ModelError
from stellarcr.infer.comparison.averages import log_mean
from stellarcr.infer.comparison.leave_out import (
    LeftOut,
    difference,
    from_evidences,
    from_refit,
    from_samples,
    total,
)


@pytest.fixture(scope="module")
def model():
    rng = np.random.default_rng(3)
    designs = [rng.normal(size=(n, 2)) for n in (3, 2, 4, 3)]
    parts = [(a, 1.5, a @ [0.4, -0.7] + 1.5 * rng.normal(size=len(a))) for a in designs]
    # one more that is so precise that the others do not predict it
    precise = rng.normal(size=(30, 2))
    return LinearModel([3.0, 3.0], [*parts, (precise, 0.05, precise @ [0.4, -0.7] + 0.05 * rng.normal(size=30))])


@pytest.mark.parametrize("k", range(4))
def test_densities_of_data_sets_are_the_exact_ones(model, k):
    rng = np.random.default_rng(k)
    weak = model.only(0, 1, 2, 3)
    found = from_samples(weak.log_likelihood(weak.samples(20_000, rng), k))
    assert found.reliable
    assert 0 < found.error < 0.05
    assert found.log_density == pytest.approx(weak.log_density(k), abs=4 * found.error)
    again = from_refit(weak.log_likelihood(weak.without(k).samples(20_000, rng), k))
    assert again.reliable
    assert again.log_density == pytest.approx(weak.log_density(k), abs=4 * again.error)
    exact = from_evidences((weak.log_evidence, 0.1), (weak.without(k).log_evidence, 0.2))
    assert exact.log_density == pytest.approx(weak.log_density(k), abs=1e-9)
    assert exact.error == pytest.approx(np.hypot(0.1, 0.2))


def test_a_data_set_that_decides_the_fit_is_not_judged_by_its_samples(model):
    samples = model.samples(20_000, np.random.default_rng(1))
    found = from_samples(model.log_likelihood(samples, 4))
    assert found.pareto_k > 0.7
    assert not found.reliable
    # what the number would have been worth
    assert abs(found.log_density - model.log_density(4)) > 0.5


def test_errors_are_honest(model):
    weak = model.only(0, 1, 2, 3)
    pulls = []
    for seed in range(60):
        samples = weak.samples(2000, np.random.default_rng(seed))
        found = from_samples(weak.log_likelihood(samples, 2))
        pulls.append((found.log_density - weak.log_density(2)) / found.error)
    assert abs(np.mean(pulls)) < 4 / np.sqrt(60)
    assert 0.7 < np.std(pulls) < 1.4


def test_repeated_samples_do_not_count_twice(model):
    weak = model.only(0, 1, 2, 3)
    samples = weak.samples(4000, np.random.default_rng(1))
    once = from_samples(weak.log_likelihood(samples, 0))
    twice = from_samples(weak.log_likelihood(np.repeat(samples, 2, axis=0), 0), effective_samples=4000)
    assert twice.error == pytest.approx(once.error, rel=0.1)
    assert twice.log_density == pytest.approx(once.log_density, abs=0.3 * once.error)


def test_the_mean_of_known_ratios():
    x = np.random.default_rng(0).normal(size=50_000)
    found = log_mean(0.5 * x)  # the mean of exp(x / 2) is exp(1/8)
    assert found.value == pytest.approx(0.125, abs=4 * found.error)
    assert found.error == pytest.approx(np.sqrt(np.expm1(0.25) / 50_000), rel=0.1)
    inside = log_mean(np.where(x > 0, np.log(3.0), -np.inf))
    assert inside.value == pytest.approx(np.log(1.5), abs=4 * inside.error)
    with pytest.raises(ModelError, match="too few"):
        log_mean(np.zeros(10))


def test_sums_leave_out_what_is_not_reliable():
    good, bad = LeftOut(-3.0, 0.1, "samples", 0.3), LeftOut(-9.0, 0.1, "samples", 0.9)
    found = total({"a": good, "b": bad, "c": good})
    assert (found.value, found.data_sets, found.not_reliable) == (-6.0, ("a", "c"), ("b",))
    assert found.error == pytest.approx(0.1 * np.sqrt(2))


def test_differences_are_over_data_sets_that_both_know():
    one = {"a": LeftOut(-3.0, 0.1, "samples", 0.3), "b": LeftOut(-5.0, 0.1, "samples", 0.3),
           "c": LeftOut(0.0, 0.1, "samples", 0.8), "d": LeftOut(1.0, 0.2, "evidence")}  # fmt: skip
    two = {"a": LeftOut(-4.0, 0.1, "samples", 0.3), "b": LeftOut(-4.0, 0.1, "samples", 0.3),
           "c": LeftOut(0.0, 0.1, "samples", 0.2), "d": LeftOut(-2.0, 0.2, "refit", 0.1)}  # fmt: skip
    found = difference(one, two)
    assert (found.data_sets, found.not_reliable) == (("a", "b", "d"), ("c",))
    assert found.value == pytest.approx(1.0 - 1.0 + 3.0)
    assert found.numerical_error == pytest.approx(np.sqrt(4 * 0.01 + 2 * 0.04))
    assert found.scatter_error == pytest.approx(np.sqrt(3) * np.std([1.0, -1.0, 3.0], ddof=1))
    assert difference({"a": one["a"]}, {"a": two["a"]}).scatter_error is None
