"""The contract of every prior, with scipy.stats and numerical integration as oracles."""

import math
import pickle
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from stellarcr.errors import ParameterError
from stellarcr.infer.priors import (
    PRIOR_KINDS,
    HalfNormal,
    LogNormal,
    LogUniform,
    Normal,
    Prior,
    ScipyPrior,
    TruncatedNormal,
    Uniform,
    UserPrior,
    prior_from_mapping,
    register_prior,
)


def truncated(mean, standard_deviation, low, high):
    a, b = (low - mean) / standard_deviation, (high - mean) / standard_deviation
    return stats.truncnorm(a, b, loc=mean, scale=standard_deviation)


RAMP = f"{Path(__file__).parents[2]}/docs/examples/own_prior/my_priors.py:Ramp"

# A prior is covered by adding an example and its oracle here.
EXAMPLES = {
    "uniform": (Uniform(47, 50), stats.uniform(47, 3)),
    "uniform around zero": (Uniform(-2.8, 2.1), stats.uniform(-2.8, 4.9)),
    "log_uniform": (LogUniform(1e4, 3e5), stats.loguniform(1e4, 3e5)),
    "log_uniform over seven decades": (LogUniform(1e43, 1e50), stats.loguniform(1e43, 1e50)),
    "normal": (Normal(0.65, 0.1), stats.norm(0.65, 0.1)),
    "log_normal": (LogNormal(1.0, 0.5), stats.lognorm(0.5, scale=1.0)),
    "log_normal, wide": (LogNormal(3e-3, 2.0), stats.lognorm(2.0, scale=3e-3)),
    "truncated_normal": (TruncatedNormal(0.5, 0.15, 0.0), truncated(0.5, 0.15, 0.0, math.inf)),
    "truncated_normal, above": (TruncatedNormal(1.0, 0.5, high=1.2), truncated(1.0, 0.5, -math.inf, 1.2)),
    "truncated_normal, both": (TruncatedNormal(1.0, 3.0, -1.0, 2.0), truncated(1.0, 3.0, -1.0, 2.0)),
    "truncated_normal, upper tail": (TruncatedNormal(0.0, 1.0, 10.0, 11.0), truncated(0.0, 1.0, 10.0, 11.0)),
    "truncated_normal, lower tail": (TruncatedNormal(0.0, 1.0, -math.inf, -9.0), truncated(0, 1, -math.inf, -9)),
    "half_normal": (HalfNormal(0.3), stats.halfnorm(scale=0.3)),
    "scipy": (ScipyPrior("beta", {"a": 2, "b": 3.5, "loc": -1, "scale": 4}), stats.beta(2, 3.5, -1, 4)),
    "scipy, heavy tails": (ScipyPrior("t", {"df": 3}), stats.t(3)),
    # a triangle whose peak is its upper edge
    "a user's": (prior_from_mapping({"kind": RAMP, "low": -2.8, "high": -2.1}), stats.triang(1.0, -2.8, 0.7)),
}

each_prior = pytest.mark.parametrize(("prior", "oracle"), EXAMPLES.values(), ids=EXAMPLES)

# Probabilities from far in either tail to the centre. The oracles lose digits in the tails, where the
# distribution function and its complement differ from 0 and 1 by little: there agreement is to 1e-12 of the
# whole, and `test_tails` asks for more.
CENTRE = np.linspace(0.01, 0.99, 99)
U = np.concatenate([np.logspace(-12, -3, 19), CENTRE, 1.0 - np.logspace(-3, -12, 19)])


def test_every_registered_kind_has_an_example():
    shipped = {prior.kind for prior, _ in EXAMPLES.values() if not isinstance(prior, UserPrior)}
    assert shipped == set(PRIOR_KINDS)


@each_prior
def test_density_agrees_with_scipy(prior, oracle):
    x = oracle.ppf(U)
    np.testing.assert_allclose(prior.logpdf(x), oracle.logpdf(x), rtol=1e-12, atol=1e-12)


@each_prior
def test_distribution_function_agrees_with_scipy(prior, oracle):
    x = oracle.ppf(U)
    np.testing.assert_allclose(prior.cdf(x), oracle.cdf(x), rtol=0.0, atol=1e-12)
    np.testing.assert_allclose(prior.sf(x), oracle.sf(x), rtol=0.0, atol=1e-12)


@each_prior
def test_quantiles_agree_with_scipy(prior, oracle):
    scale = prior.ppf(0.9) - prior.ppf(0.1)
    np.testing.assert_allclose(prior.ppf(CENTRE), oracle.ppf(CENTRE), rtol=1e-12, atol=1e-12 * scale)
    np.testing.assert_allclose(prior.isf(CENTRE), oracle.isf(CENTRE), rtol=1e-12, atol=1e-12 * scale)
    np.testing.assert_allclose(oracle.cdf(prior.ppf(U)), U, rtol=0.0, atol=1e-12)


@each_prior
def test_tails(prior, oracle):
    # The density, integrated between far quantiles, gives back their probabilities to many digits.
    nodes, weights = np.polynomial.legendre.leggauss(40)
    q = 10.0 ** -np.linspace(11.0, 15.0, 41)
    for edges, unbounded in (
        (prior.isf(q), prior.support[1] == math.inf),
        (prior.ppf(q)[::-1], prior.support[0] in (-math.inf, 0.0) and prior.density_edges[0] != 0.0),
    ):
        if unbounded:
            half = 0.5 * np.diff(edges)[:, None]
            x = 0.5 * (edges[1:] + edges[:-1])[:, None] + half * nodes
            mass = np.sum(half * weights * np.exp(prior.logpdf(x)), axis=1)
            assert np.sum(mass) == pytest.approx(1e-11 - 1e-15, rel=1e-10)
    small = np.array([1e-100, 1e-50, 1e-20, 1e-5])
    if prior.support[1] == math.inf:
        np.testing.assert_allclose(prior.sf(prior.isf(small)), small, rtol=1e-11)
    if prior.support[0] == -math.inf:
        np.testing.assert_allclose(prior.cdf(prior.ppf(small)), small, rtol=1e-11)


@each_prior
def test_quantiles_invert_the_distribution_function(prior, oracle):
    u = np.linspace(0.001, 0.999, 401)
    x = prior.ppf(u)
    assert np.all(np.diff(x) > 0.0)
    np.testing.assert_allclose(prior.cdf(x), u, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(prior.ppf(prior.cdf(x)), x, rtol=1e-12, atol=1e-12 * (x[-1] - x[0]))
    np.testing.assert_allclose(prior.isf(prior.sf(x)), x, rtol=1e-12, atol=1e-12 * (x[-1] - x[0]))
    np.testing.assert_allclose(prior.cdf(x) + prior.sf(x), 1.0, rtol=1e-13)


@each_prior
def test_density_integrates_to_the_probability_of_every_cell(prior, oracle):
    # Gauss-Legendre between quantiles of the oracle: nothing of the prior but its density enters.
    u = np.concatenate([[1e-9, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3], np.linspace(0.005, 0.995, 100)])
    u = np.concatenate([u, 1.0 - u[6::-1]])
    edges = oracle.ppf(u)
    nodes, weights = np.polynomial.legendre.leggauss(40)
    half = 0.5 * np.diff(edges)[:, None]
    x = 0.5 * (edges[1:] + edges[:-1])[:, None] + half * nodes
    mass = np.sum(half * weights * np.exp(prior.logpdf(x)), axis=1)
    np.testing.assert_allclose(mass, np.diff(u), rtol=1e-6, atol=1e-14)
    assert np.sum(mass) + 2e-9 == pytest.approx(1.0, abs=1e-10)


@each_prior
def test_draws_follow_the_distribution(prior, oracle):
    draws = prior.sample(np.random.default_rng(20240611), (200, 100))
    assert draws.shape == (200, 100)
    assert stats.kstest(draws.ravel(), oracle.cdf).pvalue > 1e-3


@each_prior
def test_edges_of_the_support(prior, oracle):
    low, high = prior.support
    assert (low, high) == pytest.approx(oracle.support(), rel=1e-14)
    np.testing.assert_array_equal(prior.ppf([0.0, 1.0]), [low, high])
    np.testing.assert_array_equal(prior.isf([0.0, 1.0]), [high, low])
    np.testing.assert_array_equal(prior.cdf([low, high]), [0.0, 1.0])
    np.testing.assert_array_equal(prior.sf([low, high]), [1.0, 0.0])
    outside = np.array([np.nextafter(low, -math.inf), np.nextafter(high, math.inf), -math.inf, math.inf])
    outside = outside[~((outside > low) & (outside < high))]
    np.testing.assert_array_equal(prior.logpdf(outside), np.full(len(outside), -math.inf))
    np.testing.assert_array_equal(prior.cdf(outside), (outside >= high).astype(float))
    # Rounding never puts a quantile outside.
    x = prior.ppf(np.random.default_rng(1).random(10_000) ** 8)
    assert np.all((x >= low) & (x <= high))
    assert np.all(np.isfinite(prior.logpdf(x)))


@each_prior
def test_nan_and_impossible_probabilities(prior, oracle):
    assert prior.logpdf(math.nan) == -math.inf
    values = prior.logpdf(np.array([math.nan, prior.median]))
    assert values[0] == -math.inf
    assert np.isfinite(values[1])
    assert math.isnan(prior.cdf(math.nan))
    assert math.isnan(prior.sf(math.nan))
    assert np.all(np.isnan(prior.ppf([-0.1, 1.1, math.nan])))
    assert np.all(np.isnan(prior.isf([-0.1, 1.1, math.nan])))


@each_prior
def test_median_and_width(prior, oracle):
    assert prior.median == pytest.approx(oracle.median(), rel=1e-12)
    assert prior.width == pytest.approx(oracle.std(), rel=1e-6)


@each_prior
def test_shapes_are_kept(prior, oracle):
    for function in (prior.ppf, prior.isf, prior.cdf, prior.sf, prior.logpdf):
        assert np.ndim(function(0.25)) == 0
        assert np.shape(function(np.full((3, 1, 2), 0.25))) == (3, 1, 2)
        assert np.shape(function([])) == (0,)


@each_prior
def test_round_trips(prior, oracle):
    mapping = prior.to_mapping()
    assert mapping["kind"] == prior.kind
    assert prior_from_mapping(mapping) == prior
    copy = pickle.loads(pickle.dumps(prior))
    assert copy == prior
    assert hash(copy) == hash(prior)
    np.testing.assert_array_equal(copy.ppf(U), prior.ppf(U))


@each_prior
def test_kernels_stack(prior, oracle):
    # A parameter space evaluates all members of a family at once: arguments of shape (k,) and x of (n, k).
    x = prior.ppf(np.linspace(0.1, 0.9, 12)).reshape(6, 2)
    kernel, arguments, log_constant = prior.density()
    if kernel is not None:
        stacked = kernel(x, *(np.array([argument] * 2) for argument in arguments))
        np.testing.assert_allclose(stacked + log_constant, prior.logpdf(x), rtol=1e-14)
    kernel, arguments = prior.quantile()
    u = np.linspace(0.1, 0.9, 12).reshape(6, 2)
    np.testing.assert_allclose(kernel(u, *(np.array([a] * 2) for a in arguments)), prior.ppf(u), rtol=1e-14)


def test_truncated_normal_where_scipy_functions_underflow():
    # Beyond 40 standard deviations the tail is 1e-350; the density follows from its shape alone.
    prior = TruncatedNormal(0.0, 1.0, 40.0)
    edges = 40.0 + np.linspace(0.0, 1.5, 61)
    nodes, weights = np.polynomial.legendre.leggauss(20)
    half = 0.5 * np.diff(edges)[:, None]
    x = 0.5 * (edges[1:] + edges[:-1])[:, None] + half * nodes
    shape = half * weights * np.exp(-0.5 * (x - 40.0) * (x + 40.0))
    np.testing.assert_allclose(prior.cdf(edges[1:]), np.cumsum(shape.sum(axis=1)) / shape.sum(), rtol=1e-10)
    np.testing.assert_allclose(prior.sf(prior.isf([1e-200, 1e-20])), [1e-200, 1e-20], rtol=1e-10)
    mirrored = TruncatedNormal(0.0, 1.0, high=-40.0)
    np.testing.assert_allclose(mirrored.ppf(U), -prior.isf(U), rtol=1e-15)


def test_descriptions():
    shown = [prior.describe() for prior in (Uniform(47, 50), LogUniform(1e47, 1e50), Normal(0.65, 0.1))]
    assert shown == ["uniform 47 .. 50", "log-uniform 1e47 .. 1e50", "normal 0.65 +- 0.1"]
    assert "sigma 0.5 in ln" in LogNormal(1, 0.5).describe()
    assert "within 0 .. inf" in TruncatedNormal(0.5, 0.15, 0).describe()
    assert "0.3" in HalfNormal(0.3).describe()
    assert ScipyPrior("beta", {"b": 3, "a": 2}).describe() == "beta(a=2, b=3)"


def test_diverging_edge_catches_no_sampler():
    prior = ScipyPrior("beta", {"a": 0.5, "b": 0.5})
    assert prior.logpdf(0.0) == -math.inf
    assert prior.logpdf(1e-300) == pytest.approx(-math.log(math.pi) + 150 * math.log(10))


BAD = {
    "kind unknown": ({"kind": "unifrm", "low": 0, "high": 1}, ["'unifrm'", "'uniform'"]),
    "kind missing": ({"low": 0, "high": 1}, ["kind", "log_uniform"]),
    "kind of wrong type": ({"kind": 3}, ["3"]),
    "not a table": (3.0, ["float", "3.0"]),
    "key unknown": ({"kind": "uniform", "low": 0, "hihg": 1}, ["'hihg'", "'high'"]),
    "key missing": ({"kind": "normal", "mean": 0}, ["standard_deviation"]),
    "text": ({"kind": "uniform", "low": "0", "high": 1}, ["low", "'0'", "str"]),
    "bool": ({"kind": "uniform", "low": True, "high": 2}, ["low", "bool"]),
    "list": ({"kind": "normal", "mean": [1], "standard_deviation": 1}, ["mean", "list"]),
    "nan": ({"kind": "normal", "mean": math.nan, "standard_deviation": 1}, ["mean", "nan"]),
    "infinite": ({"kind": "uniform", "low": 0, "high": math.inf}, ["high", "inf"]),
    "equal edges": ({"kind": "uniform", "low": 1, "high": 1}, ["low", "1"]),
    "edges exchanged": ({"kind": "log_uniform", "low": 10, "high": 1}, ["low", "10"]),
    "edges too far apart": ({"kind": "uniform", "low": -1e308, "high": 1e308}, ["1e+308"]),
    "ratio too large": ({"kind": "log_uniform", "low": 1e-200, "high": 1e200}, ["1e-200"]),
    "log-uniform from zero": ({"kind": "log_uniform", "low": 0, "high": 1}, ["low", "positive"]),
    "log-uniform of a logarithm": ({"kind": "log_uniform", "low": -3, "high": 1}, ["-3", "logarithm"]),
    "sigma zero": ({"kind": "log_normal", "median": 1, "sigma": 0}, ["sigma"]),
    "median negative": ({"kind": "log_normal", "median": -1, "sigma": 1}, ["median", "-1"]),
    "deviation negative": ({"kind": "normal", "mean": 0, "standard_deviation": -2}, ["standard_deviation", "-2"]),
    "scale zero": ({"kind": "half_normal", "scale": 0}, ["scale"]),
    "no truncation": ({"kind": "truncated_normal", "mean": 0, "standard_deviation": 1}, ["low", "high"]),
    "truncation exchanged": (
        {"kind": "truncated_normal", "mean": 0, "standard_deviation": 1, "low": 2, "high": 1},
        ["low", "2"],
    ),
    "nothing left": ({"kind": "truncated_normal", "mean": 0, "standard_deviation": 1, "low": 1e200}, ["1e+200"]),
    "scipy without name": ({"kind": "scipy", "a": 1}, ["distribution"]),
    "scipy name unknown": ({"kind": "scipy", "distribution": "bta"}, ["'bta'", "'beta'"]),
    "scipy name of wrong type": ({"kind": "scipy", "distribution": 3}, ["3", "int"]),
    "scipy discrete": ({"kind": "scipy", "distribution": "poisson", "mu": 3}, ["'poisson'"]),
    "scipy argument unknown": ({"kind": "scipy", "distribution": "beta", "a": 1, "c": 2}, ["'c'"]),
    "scipy argument missing": ({"kind": "scipy", "distribution": "beta", "a": 1}, ["b"]),
    "scipy argument text": ({"kind": "scipy", "distribution": "norm", "loc": "0"}, ["loc", "'0'"]),
    "scipy argument impossible": ({"kind": "scipy", "distribution": "beta", "a": -1, "b": 2}, ["a = -1"]),
    "scipy scale negative": ({"kind": "scipy", "distribution": "norm", "scale": -1}, ["scale"]),
}


@pytest.mark.parametrize(("mapping", "words"), BAD.values(), ids=BAD)
def test_bad_priors_are_refused(mapping, words):
    with pytest.raises(ParameterError) as caught:
        prior_from_mapping(mapping, where="run.toml: parameters.snr.gamma2.prior")
    message = str(caught.value)
    assert "run.toml: parameters.snr.gamma2.prior" in message
    assert caught.value.remedy
    for word in words:
        assert word in message


def test_a_kind_is_registered_once():
    with pytest.raises(ParameterError, match="'uniform'"):
        register_prior("uniform")(Normal)
    assert PRIOR_KINDS["uniform"] is Uniform
    assert Normal.kind == "normal"


def test_every_prior_is_a_prior():
    assert all(isinstance(prior, Prior) for prior, _ in EXAMPLES.values())
