"""The contract of every prior, with scipy.stats and numerical integration as oracles."""

import math

import numpy as np
import pytest
from prior_contract import CHECKS, EXAMPLES, TINY, U

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


@pytest.mark.parametrize("rule", CHECKS)
@pytest.mark.parametrize("example", EXAMPLES)
def test_contract(example, rule):
    make, oracle = EXAMPLES[example]
    CHECKS[rule](make(), oracle)


def test_every_registered_kind_has_an_example():
    priors = [make() for make, _ in EXAMPLES.values()]
    assert {prior.kind for prior in priors if not isinstance(prior, UserPrior)} == set(PRIOR_KINDS)
    assert any(isinstance(prior, UserPrior) for prior in priors)


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


def test_truncated_normal_beyond_what_a_float_can_tell():
    assert TruncatedNormal(0.65, 0.1, low=0.0).sf(1e300) == 0.0
    assert TruncatedNormal(0.0, 1.0, high=-5.0).cdf(-1e300) == 0.0


def test_probabilities_next_to_an_edge_at_zero_keep_their_digits():
    # Where the values can be told apart, so can the probabilities: an order of parameters rests on it.
    for prior in (Uniform(0.0, 2.0), Uniform(0.0, 1e-3), HalfNormal(0.3)):
        np.testing.assert_allclose(prior.cdf(prior.ppf(TINY)), TINY, rtol=1e-13)
    for prior in (Uniform(-2.0, 0.0), Uniform(-1e-3, 0.0)):
        np.testing.assert_allclose(prior.sf(prior.isf(TINY)), TINY, rtol=1e-13)
    # next to its upper edge a log-uniform prior loses what the logarithm of a ratio near one does
    prior = LogUniform(1e4, 3e5)
    x = 3e5 * (1.0 - np.array([1e-12, 1e-9, 1e-6]))
    np.testing.assert_allclose(prior.sf(x), -np.log1p((x - 3e5) / 3e5) / math.log(30.0), rtol=3e-4)


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
    assert all(isinstance(make(), Prior) for make, _ in EXAMPLES.values())
