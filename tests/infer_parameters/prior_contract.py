"""What every prior must do, as functions that can be called on any prior, right or wrong.

Each takes a prior and its oracle, a frozen distribution of scipy.stats, and raises AssertionError. `EXAMPLES` holds the
priors that are checked: a new kind is covered by adding an example and its oracle there.
"""

from __future__ import annotations

import math
import pickle
import warnings
from pathlib import Path

import numpy as np
from scipy import stats

from stellarcr.infer.priors import (
    HalfNormal,
    LogNormal,
    LogUniform,
    Normal,
    ScipyPrior,
    TruncatedNormal,
    Uniform,
    prior_from_mapping,
)

CHECKS = {}
"""The contract: what is checked, in words, to the function that checks it."""


def check(function):
    CHECKS[function.__name__] = function
    return function


def truncated(mean, standard_deviation, low, high):
    a, b = (low - mean) / standard_deviation, (high - mean) / standard_deviation
    return stats.truncnorm(a, b, loc=mean, scale=standard_deviation)


RAMP = f"{Path(__file__).parents[2]}/docs/examples/own_prior/my_priors.py:Ramp"

# Functions, so that every test makes a prior anew: priors keep what they have computed.
EXAMPLES = {
    "uniform": (lambda: Uniform(47, 50), stats.uniform(47, 3)),
    "uniform around zero": (lambda: Uniform(-2.8, 2.1), stats.uniform(-2.8, 4.9)),
    "log_uniform": (lambda: LogUniform(1e4, 3e5), stats.loguniform(1e4, 3e5)),
    "log_uniform over seven decades": (lambda: LogUniform(1e43, 1e50), stats.loguniform(1e43, 1e50)),
    "normal": (lambda: Normal(0.65, 0.1), stats.norm(0.65, 0.1)),
    "log_normal": (lambda: LogNormal(1.0, 0.5), stats.lognorm(0.5, scale=1.0)),
    "log_normal, wide": (lambda: LogNormal(3e-3, 2.0), stats.lognorm(2.0, scale=3e-3)),
    "truncated_normal": (lambda: TruncatedNormal(0.5, 0.15, 0.0), truncated(0.5, 0.15, 0.0, math.inf)),
    "truncated_normal, above": (lambda: TruncatedNormal(1.0, 0.5, high=1.2), truncated(1.0, 0.5, -math.inf, 1.2)),
    "truncated_normal, both": (lambda: TruncatedNormal(1.0, 3.0, -1.0, 2.0), truncated(1.0, 3.0, -1.0, 2.0)),
    "truncated_normal, upper tail": (lambda: TruncatedNormal(0.0, 1.0, 10.0, 11.0), truncated(0.0, 1.0, 10.0, 11.0)),
    "truncated_normal, lower tail": (lambda: TruncatedNormal(0.0, 1.0, high=-9.0), truncated(0, 1, -math.inf, -9)),
    "half_normal": (lambda: HalfNormal(0.3), stats.halfnorm(scale=0.3)),
    "scipy": (lambda: ScipyPrior("beta", {"a": 2, "b": 3.5, "loc": -1, "scale": 4}), stats.beta(2, 3.5, -1, 4)),
    "scipy, heavy tails": (lambda: ScipyPrior("t", {"df": 3}), stats.t(3)),
    "scipy, skewed": (lambda: ScipyPrior("gamma", {"a": 25.0, "scale": 0.04}), stats.gamma(25.0, scale=0.04)),
    # a triangle whose peak is its upper edge
    "a user's": (lambda: prior_from_mapping({"kind": RAMP, "low": -2.8, "high": -2.1}), stats.triang(1.0, -2.8, 0.7)),
}

# Probabilities from far in either tail to the centre. The oracles lose digits in the tails, where the
# distribution function and its complement differ from 0 and 1 by little: there agreement is to 1e-12 of the
# whole, and `tails_keep_their_digits` asks for more.
CENTRE = np.linspace(0.01, 0.99, 99)
U = np.concatenate([np.logspace(-12, -3, 19), CENTRE, 1.0 - np.logspace(-3, -12, 19)])
TINY = np.array([1e-300, 1e-200, 1e-100, 1e-50, 1e-20, 1e-15, 1e-5])
ALMOST_ONE = 1.0 - 2.0**-53


def reached(oracle, inverse, function):
    """Those of `TINY` at which scipy's own inverse works: the tails of some of its distributions end earlier."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return TINY[np.isclose(function(inverse(TINY)), TINY, rtol=1e-9, atol=0.0)]


def integrate(function, edges, n=40):
    """Integrate over each cell by Gauss and Legendre."""
    nodes, weights = np.polynomial.legendre.leggauss(n)
    half = 0.5 * np.diff(edges)[:, None]
    x = 0.5 * (edges[1:] + edges[:-1])[:, None] + half * nodes
    return np.sum(half * weights * function(x), axis=1)


@check
def density_agrees_with_scipy(prior, oracle):
    x = oracle.ppf(U)
    np.testing.assert_allclose(prior.logpdf(x), oracle.logpdf(x), rtol=1e-12, atol=1e-12)


@check
def density_agrees_with_scipy_in_far_tails(prior, oracle):
    for x in (oracle.ppf(reached(oracle, oracle.ppf, oracle.cdf)), oracle.isf(reached(oracle, oracle.isf, oracle.sf))):
        x = x[(x > oracle.support()[0]) & (x < oracle.support()[1])]
        np.testing.assert_allclose(prior.logpdf(x), oracle.logpdf(x), rtol=1e-12, atol=1e-12)


@check
def distribution_function_agrees_with_scipy(prior, oracle):
    x = oracle.ppf(U)
    np.testing.assert_allclose(prior.cdf(x), oracle.cdf(x), rtol=0.0, atol=1e-12)
    np.testing.assert_allclose(prior.sf(x), oracle.sf(x), rtol=0.0, atol=1e-12)


@check
def distribution_function_rises_from_zero_to_one(prior, oracle):
    low, high = oracle.support()
    far = oracle.ppf(reached(oracle, oracle.ppf, oracle.cdf)), oracle.isf(reached(oracle, oracle.isf, oracle.sf))
    x = np.concatenate([[low], np.unique(np.concatenate([oracle.ppf(U), *far])), [high]])
    assert np.all(np.diff(prior.cdf(x)) >= 0.0)
    assert np.all(np.diff(prior.sf(x)) <= 0.0)
    assert (prior.cdf(low), prior.cdf(high), prior.sf(low), prior.sf(high)) == (0.0, 1.0, 1.0, 0.0)


@check
def quantiles_agree_with_scipy(prior, oracle):
    scale = oracle.ppf(0.9) - oracle.ppf(0.1)
    np.testing.assert_allclose(prior.ppf(CENTRE), oracle.ppf(CENTRE), rtol=1e-12, atol=1e-12 * scale)
    np.testing.assert_allclose(prior.isf(CENTRE), oracle.isf(CENTRE), rtol=1e-12, atol=1e-12 * scale)
    np.testing.assert_allclose(oracle.cdf(prior.ppf(U)), U, rtol=0.0, atol=1e-12)


@check
def quantiles_invert_the_distribution_function(prior, oracle):
    u = np.linspace(0.001, 0.999, 401)
    x = prior.ppf(u)
    assert np.all(np.diff(x) > 0.0)
    np.testing.assert_allclose(prior.cdf(x), u, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(prior.ppf(prior.cdf(x)), x, rtol=1e-12, atol=1e-12 * (x[-1] - x[0]))
    np.testing.assert_allclose(prior.isf(prior.sf(x)), x, rtol=1e-12, atol=1e-12 * (x[-1] - x[0]))
    np.testing.assert_allclose(prior.cdf(x) + prior.sf(x), 1.0, rtol=1e-13)


@check
def quantiles_reach_the_ends_of_the_cube(prior, oracle):
    low, high = oracle.support()
    smallest = np.min(reached(oracle, oracle.ppf, oracle.cdf), initial=1e-16)
    x = prior.ppf(np.array([smallest, 1e-16, 1e-5, 0.5, 1.0 - 1e-5, ALMOST_ONE]))
    assert np.all((x >= low) & (x <= high))
    assert np.all(np.diff(x) >= 0.0)
    assert np.all(np.isfinite(x))
    assert np.all(np.isfinite(prior.logpdf(x)))
    if high == math.inf:
        np.testing.assert_allclose(prior.sf(prior.ppf(ALMOST_ONE)), 2.0**-53, rtol=1e-9)


@check
def tails_keep_their_digits(prior, oracle):
    # The density, integrated between far quantiles, gives back their probabilities to many digits.
    q = 10.0 ** -np.linspace(11.0, 15.0, 41)
    for edges, unbounded in (
        (prior.isf(q), prior.support[1] == math.inf),
        (prior.ppf(q)[::-1], prior.support[0] in (-math.inf, 0.0) and prior.density_edges[0] != 0.0),
    ):
        if unbounded:
            mass = integrate(lambda x: np.exp(prior.logpdf(x)), edges)
            np.testing.assert_allclose(np.abs(np.sum(mass)), 1e-11 - 1e-15, rtol=1e-10)
    if prior.support[1] == math.inf:
        q = reached(oracle, oracle.isf, oracle.sf) if isinstance(prior, ScipyPrior) else TINY
        np.testing.assert_allclose(prior.sf(prior.isf(q)), q, rtol=1e-10)
    if prior.support[0] == -math.inf:
        q = reached(oracle, oracle.ppf, oracle.cdf) if isinstance(prior, ScipyPrior) else TINY
        np.testing.assert_allclose(prior.cdf(prior.ppf(q)), q, rtol=1e-10)


@check
def density_integrates_to_the_probability_of_every_cell(prior, oracle):
    # Between quantiles of the oracle: nothing of the prior but its density enters.
    u = np.concatenate([[1e-9, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3], np.linspace(0.005, 0.995, 100)])
    u = np.concatenate([u, 1.0 - u[6::-1]])
    mass = integrate(lambda x: np.exp(prior.logpdf(x)), oracle.ppf(u))
    np.testing.assert_allclose(mass, np.diff(u), rtol=1e-6, atol=1e-14)
    np.testing.assert_allclose(np.sum(mass) + 2e-9, 1.0, rtol=0.0, atol=1e-10)


@check
def density_is_that_of_the_transform(prior, oracle):
    # d x / d u, by differences of fourth order, is one over the density: a sampler in the unit cube and one in the
    # parameters see the same prior. Both functions are the prior's own; the oracle does not enter.
    for quantile in (prior.ppf, prior.isf):
        u = np.concatenate([np.logspace(-6, -2, 9), CENTRE[:50]])
        h = 1e-3 * u
        slope = (8.0 * (quantile(u + h) - quantile(u - h)) - (quantile(u + 2 * h) - quantile(u - 2 * h))) / (12.0 * h)
        # of a difference of quantiles near -2.8, ten digits are lost at u = 1e-6
        precise = np.abs(slope) * h > 1e-9 * np.abs(quantile(u))
        assert np.sum(precise) > 20
        np.testing.assert_allclose(np.exp(prior.logpdf(quantile(u)) + np.log(np.abs(slope)))[precise], 1.0, rtol=1e-6)


@check
def draws_follow_the_distribution(prior, oracle):
    draws = prior.sample(np.random.default_rng(20240611), (200, 100))
    assert draws.shape == (200, 100)
    assert stats.kstest(draws.ravel(), oracle.cdf).pvalue > 1e-3
    assert np.all(np.isfinite(prior.logpdf(draws)))
    # of 20000 draws, one in a thousand lies further out on either side, but for one chance in 5e8
    assert np.min(oracle.cdf(draws)) < 1e-3
    assert np.min(oracle.sf(draws)) < 1e-3
    # the same seed gives the same draws, and nothing but the generator decides them
    np.testing.assert_array_equal(prior.sample(np.random.default_rng(20240611), (200, 100)), draws)


@check
def nothing_is_possible_outside_the_support(prior, oracle):
    low, high = prior.support
    np.testing.assert_allclose((low, high), oracle.support(), rtol=1e-14)
    np.testing.assert_array_equal(prior.ppf([0.0, 1.0]), [low, high])
    np.testing.assert_array_equal(prior.isf([0.0, 1.0]), [high, low])
    outside = np.array([np.nextafter(low, -math.inf), np.nextafter(high, math.inf), low - 1.0, -math.inf, math.inf])
    outside = outside[~((outside >= low) & (outside <= high) & np.isfinite(outside))]
    np.testing.assert_array_equal(prior.logpdf(outside), np.full(len(outside), -math.inf))
    np.testing.assert_array_equal(prior.cdf(outside), (outside >= high).astype(float))
    np.testing.assert_array_equal(prior.sf(outside), (outside <= low).astype(float))
    # Rounding never puts a quantile outside.
    x = prior.ppf(np.random.default_rng(1).random(10_000) ** 8)
    assert np.all((x >= low) & (x <= high))
    assert np.all(np.isfinite(prior.logpdf(x)))


@check
def nan_is_never_possible(prior, oracle):
    assert prior.logpdf(math.nan) == -math.inf
    values = prior.logpdf(np.array([math.nan, prior.median]))
    assert values[0] == -math.inf
    assert np.isfinite(values[1])
    assert math.isnan(prior.cdf(math.nan))
    assert math.isnan(prior.sf(math.nan))
    assert np.all(np.isnan(prior.ppf([-0.1, 1.1, math.nan])))
    assert np.all(np.isnan(prior.isf([-0.1, 1.1, math.nan])))


@check
def median_mean_and_width_agree_with_scipy(prior, oracle):
    np.testing.assert_allclose(prior.median, oracle.median(), rtol=1e-12)
    np.testing.assert_allclose(prior.width, oracle.std(), rtol=1e-6)
    # The mean is the integral of the quantiles over the unit interval; the cells shrink towards the tails.
    cells = np.concatenate([[0.0], 0.5 ** np.arange(60, 0, -1)])
    mean = np.sum(integrate(prior.ppf, cells, 8)) + np.sum(integrate(prior.isf, cells, 8))
    assert abs(mean - oracle.mean()) < 1e-6 * oracle.std()


@check
def shapes_are_kept(prior, oracle):
    for function in (prior.ppf, prior.isf, prior.cdf, prior.sf, prior.logpdf):
        assert np.ndim(function(0.25)) == 0
        assert np.shape(function(np.full((3, 1, 2), 0.25))) == (3, 1, 2)
        assert np.shape(function([])) == (0,)
        x = np.linspace(0.2, 0.8, 7) if function in (prior.ppf, prior.isf) else oracle.ppf(np.linspace(0.2, 0.8, 7))
        assert function(x).shape == (7,)
        np.testing.assert_allclose(function(x), [float(function(value)) for value in x], rtol=1e-14)


@check
def round_trips_lose_nothing(prior, oracle):
    mapping = prior.to_mapping()
    assert mapping["kind"] == prior.kind
    again = prior_from_mapping(mapping)
    assert again == prior
    np.testing.assert_array_equal(again.ppf(U), prior.ppf(U))
    copy = pickle.loads(pickle.dumps(prior))
    assert copy == prior
    assert hash(copy) == hash(prior)
    np.testing.assert_array_equal(copy.ppf(U), prior.ppf(U))
    np.testing.assert_array_equal(copy.logpdf(oracle.ppf(U)), prior.logpdf(oracle.ppf(U)))


@check
def kernels_stack(prior, oracle):
    # A parameter space evaluates all members of a family at once: arguments of shape (k,) and x of (n, k).
    x = prior.ppf(np.linspace(0.1, 0.9, 12)).reshape(6, 2)
    kernel, arguments, log_constant = prior.density()
    if kernel is not None:
        stacked = kernel(x, *(np.array([argument] * 2) for argument in arguments))
        np.testing.assert_allclose(stacked + log_constant, prior.logpdf(x), rtol=1e-14)
    kernel, arguments = prior.quantile()
    u = np.linspace(0.1, 0.9, 12).reshape(6, 2)
    np.testing.assert_allclose(kernel(u, *(np.array([a] * 2) for a in arguments)), prior.ppf(u), rtol=1e-14)
