"""Sensitivity to priors against conjugate Gaussian posteriors, whose changes are known."""

import numpy as np
import pytest
from scipy.stats import norm

from stellarcr.infer.comparison.sensitivity import change_width, power_scaling, rescaled, verdict
from stellarcr.infer.priors import (
    HalfNormal,
    LogNormal,
    LogUniform,
    Normal,
    TruncatedNormal,
    Uniform,
    prior_from_mapping,
)

N = 20_000


class Conjugate:
    """A normal prior of mean zero and a measurement: powers of both give normal posteriors."""

    def __init__(self, width, y, error):
        self.width, self.y, self.error = width, y, error

    def posterior(self, prior_power=1.0, likelihood_power=1.0, factor=1.0):
        a, b = prior_power / (factor * self.width) ** 2, likelihood_power / self.error**2
        return b * self.y / (a + b), (a + b) ** -0.5

    def samples(self, rng):
        return rng.normal(*self.posterior(), N)

    def log_likelihood(self, x):
        return norm.logpdf(self.y, x, self.error)

    def log_evidence(self, factor=1.0):
        return norm.logpdf(self.y, 0.0, np.hypot(self.error, factor * self.width))


def distance(one, two, x):
    """Cumulative Jensen-Shannon distance of two normal distributions on the range of x, the larger of both ways."""
    grid = np.linspace(x.min(), x.max(), 200_001)
    step = grid[1] - grid[0]
    largest = 0.0
    for p, q in ((norm.cdf(grid, *one), norm.cdf(grid, *two)), (norm.sf(grid, *one), norm.sf(grid, *two))):
        middle = 0.5 * (p + q)
        with np.errstate(divide="ignore", invalid="ignore"):
            left = np.nansum(p * np.log2(p / middle)) * step + 0.5 / np.log(2) * np.sum(q - p) * step
            right = np.nansum(q * np.log2(q / middle)) * step + 0.5 / np.log(2) * np.sum(p - q) * step
        largest = max(largest, np.sqrt((left + right) / (np.sum(p + q) * step)))
    return largest


CASES = {
    "conflict": (Conjugate(1.0, 1.5, 0.5), "prior and data pull in different directions"),
    "data decide": (Conjugate(10.0, 1.5, 0.5), "the data decide"),
    "prior decides": (Conjugate(0.3, 0.1, 5.0), "the prior decides"),
}


@pytest.mark.parametrize("name", CASES)
def test_power_scaling_gives_the_exact_distance(name):
    problem, says = CASES[name]
    x = problem.samples(np.random.default_rng(1))
    prior = power_scaling(x[:, None], norm.logpdf(x, 0.0, problem.width))
    likelihood = power_scaling(x[:, None], problem.log_likelihood(x))
    for found, key in ((prior, "prior_power"), (likelihood, "likelihood_power")):
        exact = 0.0
        for alpha in (0.99, 1.01):
            moved = problem.posterior(**{key: alpha})
            exact += 0.5 * distance(problem.posterior(), moved, x) / abs(np.log2(alpha))
        assert found.distances[0] == pytest.approx(exact, rel=0.1, abs=0.003)
        assert not found.flat
    assert verdict(prior, likelihood) == says


def test_flat_components_are_silent():
    x = np.random.default_rng(1).normal(size=(1000, 2))
    found = power_scaling(x, np.full(1000, -3.0))
    assert found.flat
    assert found.distances == (0.0, 0.0)
    moving = power_scaling(x, norm.logpdf(x[:, 0], 3.0))
    assert verdict(found, moving, 0) == "the data decide"
    assert verdict(found, moving, 1) == "neither prior nor data decide: flat"
    assert power_scaling(x, norm.logpdf(x[:, 0], 3.0), [1]).distances == moving.distances[1:]


@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_another_width_gives_the_exact_posterior(factor):
    problem = CASES["conflict"][0]
    x = problem.samples(np.random.default_rng(2))
    found = change_width(x, "a", {"a": Normal(0.0, problem.width)}, factor)
    (mean, width), (moved, other) = problem.posterior(), problem.posterior(factor=factor)
    assert found.reliable
    exact = problem.log_evidence(factor) - problem.log_evidence()
    assert found.log_evidence_change == pytest.approx(exact, abs=4 * found.log_evidence_error)
    assert found.log_evidence_error < 0.02
    assert found.shift == pytest.approx((moved - mean) / width, abs=0.05)
    assert found.width_ratio == pytest.approx(other / width, rel=0.05)


def test_a_far_narrower_prior_is_not_reached_from_here():
    problem = Conjugate(10.0, 8.0, 0.5)
    found = change_width(problem.samples(np.random.default_rng(2)), "a", {"a": Normal(0.0, 10.0)}, 0.02)
    assert found.pareto_k > 0.7
    assert not found.reliable


@pytest.mark.parametrize("prior", [Uniform(-4.0, 6.0), LogUniform(np.exp(-4.0), np.exp(6.0))])
def test_flat_priors(prior):
    x = np.random.default_rng(3).normal(0.9, 0.8, N)
    values = np.exp(x) if isinstance(prior, LogUniform) else x
    wider = change_width(values, "a", {"a": prior}, 2.0)
    assert wider.log_evidence_change == pytest.approx(-np.log(2.0))
    assert not wider.cut
    narrower = change_width(values, "a", {"a": prior}, 0.2)  # from 0 to 2
    inside = norm.cdf(2.0, 0.9, 0.8) - norm.cdf(0.0, 0.9, 0.8)
    assert narrower.log_evidence_change == pytest.approx(np.log(5 * inside), abs=4 * narrower.log_evidence_error)
    # a posterior that ends at the prior's edge says nothing of what lies beyond
    kept = values[(x > -4.0) & (x < 1.5)]
    edge = LogUniform(np.exp(-4.0), np.exp(1.5)) if isinstance(prior, LogUniform) else Uniform(-4.0, 1.5)
    assert change_width(kept, "a", {"a": edge}, 2.0).cut
    assert not change_width(kept, "a", {"a": edge}, 0.5).cut
    assert change_width(kept, "a", {"a": edge}, 1e-9) is None


def test_an_order_changes_the_normalisation():
    # the prior a < b halves the volume; a flat prior of a that is twice as wide about its middle loses 3/8 of its own
    rng = np.random.default_rng(4)
    a = rng.normal(0.5, 0.02, N)
    priors = {"a": Uniform(0.0, 1.0), "b": Uniform(0.0, 1.0)}
    found = change_width(a, "a", priors, 2.0, order=("a", "b"))
    # P(a < b): 1/2 before; a in (-1/2, 3/2): int_0^1 (b + 1/2) / 2 db = 1/2 after
    assert found.log_evidence_change == pytest.approx(-np.log(2.0), abs=1e-6)
    shifted = change_width(a, "a", {"a": Uniform(0.0, 1.0), "b": Uniform(0.0, 2.0)}, 2.0, order=("a", "b"))
    # before 3/4; after: 1/2 int_0^2 min(b + 1/2, 2) / 2 db = 1/4 (int_0^1.5 (b + 1/2) db + 1) = (1.875 + 1) / 4
    assert shifted.log_evidence_change == pytest.approx(-np.log(2.0) + np.log(0.75 / 0.71875), abs=1e-6)


@pytest.mark.parametrize(
    ("prior", "wide"),
    [
        (Uniform(0.0, 2.0), Uniform(-1.0, 3.0)),
        (LogUniform(1.0, 100.0), LogUniform(0.1, 1000.0)),
        (Normal(1.0, 2.0), Normal(1.0, 4.0)),
        (TruncatedNormal(1.0, 2.0, low=0.0), TruncatedNormal(1.0, 4.0, low=0.0)),
        (LogNormal(3.0, 0.2), LogNormal(3.0, 0.4)),
        (HalfNormal(2.0), HalfNormal(4.0)),
    ],
)
def test_forms_of_priors_that_have_a_width(prior, wide):
    found = rescaled(prior, 2.0)
    assert type(found) is type(wide)
    for name, value in wide.to_mapping().items():
        assert found.to_mapping()[name] == (value if isinstance(value, str) else pytest.approx(value))


def test_forms_without_a_width_are_left_alone():
    prior = prior_from_mapping({"kind": "scipy", "distribution": "gamma", "a": 2.0})
    assert rescaled(prior, 2.0) is None
    assert change_width(np.ones(100), "a", {"a": prior}, 2.0) is None
