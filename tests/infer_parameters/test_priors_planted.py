"""The contract catches errors that are planted in the priors: what someone might get wrong in their source."""

import math

import numpy as np
import pytest
from prior_contract import CHECKS, EXAMPLES
from scipy import special

from stellarcr.infer.priors import (
    HalfNormal,
    LogNormal,
    LogUniform,
    Normal,
    Prior,
    ScipyPrior,
    TruncatedNormal,
    Uniform,
    UserPrior,
    base,
    prior_from_mapping,
)
from stellarcr.infer.priors.base import Density, Quantile


def shifted_density(prior_class, by):
    """Give `density` with another constant, which may depend on the prior."""
    original = prior_class.density

    def density(self):
        right = original(self)
        return right._replace(log_constant=right.log_constant + by(self))

    return density


def with_argument(prior_class, method, position, change):
    """Give `density` or `quantile` with one of its kernel's arguments changed."""
    original = getattr(prior_class, method)

    def wrong(self):
        right = original(self)
        arguments = list(right.arguments)
        arguments[position] = change(arguments[position])
        return right._replace(arguments=tuple(arguments))

    return wrong


def clipped(prior_class, tail):
    """Give quantiles that end where a probability of `tail` is left."""
    original = prior_class.quantile

    def quantile(self):
        right = original(self)
        return Quantile(lambda u, *a: right.kernel(np.clip(u, tail, 1.0 - tail), *a), right.arguments)

    return quantile


def shrunk_draws(self, rng, size):
    return self.ppf(0.5 + 0.99 * (rng.random(size) - 0.5))


def scaled_draws(self, rng, size):
    return self.median + 1.1 * (np.asarray(self.ppf(rng.random(size))) - self.median)


def cancelling(self, x):
    return 1.0 - self._cdf(x)


def base_ten(self):
    """Give a log-normal whose sigma is taken in decades, in all of its functions."""
    object.__setattr__(self, "sigma", self.sigma * math.log(10.0))


def without_high(self):
    return {"kind": self.kind, "mean": self.mean, "standard_deviation": self.standard_deviation, "low": self.low}


def always_inside(self, x):
    kernel, arguments, log_constant = self.density()
    return (0.0 if kernel is None else kernel(np.asarray(x, dtype=float), *arguments)) + log_constant


DENSITY = "density_agrees_with_scipy"
MASS = "density_integrates_to_the_probability_of_every_cell"
JACOBIAN = "density_is_that_of_the_transform"
WRONG_DENSITY = {DENSITY, MASS, JACOBIAN}
RISES = "distribution_function_rises_from_zero_to_one"
QUANTILES = "quantiles_agree_with_scipy"
INVERSE = "quantiles_invert_the_distribution_function"

# What is planted: class, name of the method, the wrong one; the example it is tried on; rules that must be broken.
PLANTED = {
    "normal without its width": (
        Normal,
        "density",
        shifted_density(Normal, lambda p: math.log(p.standard_deviation)),
        "normal",
        WRONG_DENSITY,
    ),
    "normal without 2 pi": (
        Normal,
        "density",
        shifted_density(Normal, lambda p: 0.5 * math.log(2 * math.pi)),
        "normal",
        WRONG_DENSITY,
    ),
    "normal, variance for width": (
        Normal,
        "density",
        with_argument(Normal, "density", 1, lambda s: s * s),
        "normal",
        WRONG_DENSITY,
    ),
    "uniform without its width": (
        Uniform,
        "density",
        shifted_density(Uniform, lambda p: math.log(p.high - p.low)),
        "uniform",
        WRONG_DENSITY,
    ),
    "log-uniform without 1 / x": (
        LogUniform,
        "density",
        lambda self: Density(None, (), -math.log(self.high - self.low)),
        "log_uniform",
        WRONG_DENSITY,
    ),
    "log-uniform, decades for e-folds": (
        LogUniform,
        "density",
        shifted_density(LogUniform, lambda p: math.log(math.log(10.0))),
        "log_uniform",
        WRONG_DENSITY,
    ),
    "log-uniform, uniform draws": (
        LogUniform,
        "quantile",
        lambda self: Quantile(lambda u, a, b: a + u * (b - a), (self.low, self.high)),
        "log_uniform",
        {JACOBIAN, INVERSE, "draws_follow_the_distribution"},
    ),
    "truncated normal not normalised again": (
        TruncatedNormal,
        "density",
        shifted_density(TruncatedNormal, lambda p: p._log_mass),
        "truncated_normal, both",
        WRONG_DENSITY,
    ),
    "truncated normal, upper tail by difference": (
        TruncatedNormal,
        "_sf",
        cancelling,
        "truncated_normal",
        {"tails_keep_their_digits"},
    ),
    "log-normal without 1 / x": (
        LogNormal,
        "density",
        lambda self: Density(
            lambda x, m, s: -0.5 * ((np.log(x) - m) / s) ** 2,
            (math.log(self.median), self.sigma),
            -math.log(self.sigma) - 0.5 * math.log(2 * math.pi),
        ),
        "log_normal",
        WRONG_DENSITY,
    ),
    "log-normal, density in decades": (
        LogNormal,
        "density",
        with_argument(LogNormal, "density", 1, lambda s: s * math.log(10.0)),
        "log_normal",
        WRONG_DENSITY,
    ),
    "log-normal, all in decades": (
        LogNormal,
        "__post_init__",
        base_ten,
        "log_normal",
        {DENSITY, MASS, "draws_follow_the_distribution"},
    ),
    "log-normal, mean for median": (
        LogNormal,
        "quantile",
        with_argument(LogNormal, "quantile", 0, lambda m: m * math.exp(0.125)),
        "log_normal",
        {JACOBIAN, INVERSE, QUANTILES, "draws_follow_the_distribution"},
    ),
    "half-normal without the factor two": (
        HalfNormal,
        "density",
        shifted_density(HalfNormal, lambda p: -math.log(2.0)),
        "half_normal",
        WRONG_DENSITY,
    ),
    "half-normal, erf without root two": (
        HalfNormal,
        "_cdf",
        lambda self, x: special.erf(x / self.scale),
        "half_normal",
        {INVERSE, "distribution_function_agrees_with_scipy"},
    ),
    "distribution function falls": (Prior, "cdf", lambda self, x: self.sf(x), "log_uniform", {RISES}),
    "normal, flat beyond 20 sigma": (
        Normal,
        "density",
        lambda self: Density(
            lambda x, m, s: -0.5 * np.minimum(((x - m) / s) ** 2, 400.0),
            (self.mean, self.standard_deviation),
            -math.log(self.standard_deviation) - 0.5 * math.log(2 * math.pi),
        ),
        "normal",
        {"density_agrees_with_scipy_in_far_tails"},
    ),
    "quantiles from above": (
        Normal,
        "quantile",
        lambda self: Quantile(lambda u, m, s: m - s * special.ndtri(1.0 - u), (self.mean, self.standard_deviation)),
        "normal",
        {"quantiles_reach_the_ends_of_the_cube", "tails_keep_their_digits"},
    ),
    "a kernel for one parameter at a time": (
        Normal,
        "quantile",
        lambda self: Quantile(
            lambda u, m, s: np.mean(m) + s * special.ndtri(u) + 1e-9 * np.ndim(m), (self.mean, self.standard_deviation)
        ),
        "normal",
        {"kernels_stack"},
    ),
    "tail of the quantiles cut at 5 sigma": (
        Normal,
        "quantile",
        clipped(Normal, 3e-7),
        "normal",
        {"tails_keep_their_digits"},
    ),
    "tail of the quantiles cut at 8 sigma": (
        Normal,
        "quantile",
        clipped(Normal, 1e-15),
        "normal",
        {"tails_keep_their_digits"},
    ),
    "upper quantiles by difference": (
        Normal,
        "_isf",
        lambda self, q: self.ppf(1.0 - q),
        "normal",
        {"tails_keep_their_digits"},
    ),
    "draws of another width": (Prior, "sample", scaled_draws, "normal", {"draws_follow_the_distribution"}),
    "draws without the outer half percent": (
        Prior,
        "sample",
        shrunk_draws,
        "normal",
        {"draws_follow_the_distribution"},
    ),
    "draws of a generator of its own": (
        Prior,
        "sample",
        lambda self, rng, size: self.ppf(np.random.default_rng().random(size)),
        "normal",
        {"draws_follow_the_distribution"},
    ),
    "the density has no edges": (
        Prior,
        "logpdf",
        always_inside,
        "uniform",
        {"nothing_is_possible_outside_the_support"},
    ),
    "NaN is possible": (
        Prior,
        "logpdf",
        lambda self, x: np.where(np.isnan(x), 0.0, always_inside(self, x)),
        "normal",
        {"nan_is_never_possible"},
    ),
    "the support is half open": (
        Uniform,
        "support",
        property(lambda self: (self.low, math.inf)),
        "uniform",
        {"nothing_is_possible_outside_the_support"},
    ),
    "the width is the range": (
        Uniform,
        "width",
        property(lambda self: self.high - self.low),
        "uniform",
        {"median_mean_and_width_agree_with_scipy"},
    ),
    "the round trip drops an edge": (
        Prior,
        "to_mapping",
        without_high,
        "truncated_normal, both",
        {"round_trips_lose_nothing"},
    ),
    "scipy's density of the standard form": (
        ScipyPrior,
        "_log_density",
        lambda self, x: self._frozen.dist.logpdf(x, 2, 3.5),
        "scipy",
        WRONG_DENSITY,
    ),
    "a user's density shifted": (
        UserPrior,
        "_log_density",
        lambda self, x: np.asarray(self._inner.logpdf(x)) + 1e-3,
        "a user's",
        WRONG_DENSITY,
    ),
    "one point at a time": (
        Prior,
        "cdf",
        lambda self, x: float(np.ravel(self._cdf(np.asarray(x, dtype=float)))[0]),
        "normal",
        {"shapes_are_kept"},
    ),
}


CASES = [(planted, rule) for planted, (*_, rules) in PLANTED.items() for rule in sorted(rules)]


@pytest.mark.parametrize(("planted", "rule"), CASES)
def test_planted_error_is_caught(planted, rule, monkeypatch):
    """That the right prior passes is what `test_priors.test_contract` checks, by the same functions."""
    owner, name, wrong, example, _ = PLANTED[planted]
    make, oracle = EXAMPLES[example]
    if owner is UserPrior:  # it would be refused when it is loaded, which is not what is tried here
        monkeypatch.setattr("stellarcr.infer.priors.mapping.check_prior", lambda prior: None)
    monkeypatch.setattr(owner, name, wrong)
    with pytest.raises(AssertionError), np.errstate(all="ignore"):
        CHECKS[rule](make(), oracle)


def test_every_rule_catches_something():
    assert {rule for _, rule in CASES} == set(CHECKS)


def test_new_kind_without_an_example_is_noticed(monkeypatch):
    from test_priors import test_every_registered_kind_has_an_example as complete

    complete()
    monkeypatch.setitem(base.PRIOR_KINDS, "planted", Normal)
    with pytest.raises(AssertionError):
        complete()
    assert isinstance(prior_from_mapping({"kind": "planted", "mean": 0, "standard_deviation": 1}), Normal)
