"""Order constraints: normalisation, density and draws, against exact formulae and brute force."""

import itertools
import math
import pickle

import numpy as np
import pytest
from scipy import stats

from stellarcr.errors import ParameterError
from stellarcr.infer.constraints import OrderConstraint, OrderedPrior
from stellarcr.infer.priors import HalfNormal, LogNormal, LogUniform, Normal, ScipyPrior, TruncatedNormal, Uniform

UNIT = Uniform(0, 1)


def bind(*priors):
    return OrderConstraint([f"x{k}" for k in range(len(priors))]).bind(priors)


def gauss_legendre(function, edges, n=60):
    """Integrate over each cell between edges, and sum."""
    nodes, weights = np.polynomial.legendre.leggauss(n)
    half = 0.5 * np.diff(edges)[:, None]
    x = 0.5 * (edges[1:] + edges[:-1])[:, None] + half * nodes
    return float(np.sum(half * weights * function(x.ravel()).reshape(x.shape)))


def cells(*priors):
    """Cells that resolve all of the priors: quantiles into the tails, and edges."""
    q = np.concatenate([10.0 ** -np.arange(2.0, 17.0), np.linspace(0.02, 0.5, 25)])
    edges = np.concatenate([x for prior in priors for x in (prior.ppf(q), prior.isf(q), prior.support)])
    return np.unique(edges[np.isfinite(edges)])


# Triangle: two uniform priors on the unit interval.


def test_triangle_has_density_two():
    triangle = bind(UNIT, UNIT)
    assert triangle.normalisation == pytest.approx(0.5, rel=1e-13)
    inside = np.array([[0.1, 0.2], [0.0, 1.0], [0.4, 0.41], [1e-9, 2e-9]])
    np.testing.assert_allclose(triangle.logpdf(inside), math.log(2.0), rtol=1e-13)
    outside = np.array([[0.2, 0.1], [0.3, 0.3], [-0.1, 0.5], [0.5, 1.1], [math.nan, 0.5], [0.5, math.nan]])
    np.testing.assert_array_equal(triangle.logpdf(outside), np.full(6, -math.inf))


def test_triangle_transform_is_the_exact_conditional():
    # P(x1 > x) = (1 - x)^2, and x2 is uniform above x1.
    u = np.random.default_rng(1).random((5000, 2))
    u[:4] = [[0.0, 0.5], [0.5, 0.0], [1e-12, 1e-12], [1.0 - 1e-12, 1.0 - 1e-12]]
    x = bind(UNIT, UNIT).transform(u)
    first = -np.expm1(0.5 * np.log1p(-u[:, 0]))
    second = 1.0 - (1.0 - u[:, 1]) * (1.0 - first)
    np.testing.assert_allclose(x[:, 0], first, rtol=0, atol=1e-13)
    np.testing.assert_allclose(x[:, 1], second, rtol=0, atol=1e-13)


def test_triangle_marginals_of_draws():
    x = bind(UNIT, UNIT).sample(np.random.default_rng(2), 20_000)
    assert stats.kstest(x[:, 0], stats.beta(1, 2).cdf).pvalue > 1e-3
    assert stats.kstest(x[:, 1], stats.beta(2, 1).cdf).pvalue > 1e-3
    assert np.all(x[:, 0] < x[:, 1])


@pytest.mark.parametrize("prior", [UNIT, Normal(3, 2), LogUniform(1e43, 1e50), TruncatedNormal(0, 1, 8)])
def test_equal_priors_give_order_statistics(prior):
    # Z = 1 / m!, and in probabilities the k-th of m follows beta(k, m + 1 - k).
    for m in (2, 3, 5):
        ordered = bind(*[prior] * m)
        assert ordered.normalisation == pytest.approx(1.0 / math.factorial(m), rel=1e-12)
        x = ordered.sample(np.random.default_rng(3), 5000)
        assert np.all(np.diff(x, axis=1) > 0)
        assert np.all(np.isfinite(ordered.logpdf(x)))
        for k in range(m):
            assert stats.kstest(prior.cdf(x[:, k]), stats.beta(k + 1, m - k).cdf).pvalue > 1e-3


def test_uniform_chain_of_four_against_the_exact_conditionals():
    # P(x_k > x | x_{k-1} = y) = ((1 - x) / (1 - y))^(m - k + 1).
    u = np.random.default_rng(4).random((2000, 4))
    x = bind(*[UNIT] * 4).transform(u)
    above = np.ones(len(u))
    for k in range(4):
        above = above * (1.0 - u[:, k]) ** (1.0 / (4 - k))
        np.testing.assert_allclose(1.0 - x[:, k], above, rtol=1e-11, atol=1e-14)


# Different priors, supports and shapes: each against quadrature and rejection.

CHAINS = {
    "two ranges": (LogUniform(1e4, 3e5), LogUniform(2e4, 1e6)),
    "normals of unequal width": (Normal(0, 10), Normal(0.5, 0.1)),
    "normals of unequal width, reversed": (Normal(0, 0.1), Normal(0.5, 10)),
    "narrow within wide": (Uniform(0, 1e6), Normal(5e5, 1)),
    "upper edge lower": (Uniform(0, 1), Uniform(-0.5, 0.5)),
    "unlikely": (Normal(3, 1), Normal(0, 1)),
    "three mixed": (HalfNormal(1.0), LogNormal(1.0, 0.5), Normal(2.0, 1.0)),
    "three mixed, bounded": (TruncatedNormal(0.65, 0.1, 0), Uniform(0.2, 2), LogUniform(0.5, 10)),
    "three with kinks": (ScipyPrior("laplace"), ScipyPrior("triang", {"c": 0.3}), ScipyPrior("cauchy")),
    "diverging edges": (ScipyPrior("beta", {"a": 0.5, "b": 0.5}), ScipyPrior("beta", {"a": 0.7, "b": 0.5})),
}

each_chain = pytest.mark.parametrize("priors", CHAINS.values(), ids=CHAINS)
smooth_chains = pytest.mark.parametrize(
    "priors", [p for name, p in CHAINS.items() if name != "diverging edges"], ids=[n for n in CHAINS if n[:4] != "dive"]
)


def survival(priors, edges):
    """S_k by nested quadrature: int_x^inf p_k(t) S_{k+1}(t) dt, without the code under test."""
    first, *rest = priors
    if not rest:
        return first.sf
    inner = survival(rest, edges)

    def outer(x):
        x = np.atleast_1d(x)
        return np.array(
            [
                gauss_legendre(lambda t: np.exp(first.logpdf(t)) * inner(t), np.unique([y, *edges[edges > y]]), 20)
                if y < edges[-1]
                else 0.0
                for y in x
            ]
        )

    return outer


@smooth_chains
def test_normalisation_and_conditionals_against_quadrature(priors):
    ordered = bind(*priors)
    edges = cells(*priors)
    if len(priors) == 3:
        fixed = [x for prior in priors for x in (*prior.support, prior.median, prior.ppf(0.3)) if math.isfinite(x)]
        edges = np.unique([*edges[:1], *edges[5:-5:7], *edges[-1:], *fixed])
    total = survival(priors, edges)([edges[0]])[0]
    assert ordered.normalisation == pytest.approx(total, rel=1e-9)
    # The value drawn for u has the conditional probability 1 - u above it.
    u = np.array([[0.03, 0.9, 0.4], [0.97, 0.2, 0.999], [1e-6, 1.0 - 1e-6, 0.1]])[:, : len(priors)]
    x = ordered.transform(u)
    for k in range(len(priors)):
        above = survival(priors[k:], edges)
        before = above(x[:, k - 1]) if k else total
        np.testing.assert_allclose(above(x[:, k]) / before, 1.0 - u[:, k], rtol=1e-8)


def test_density_of_three_integrates_to_one():
    # Nested Gauss-Legendre over the ordered region a < b < c, with cells that end at every edge of a support.
    ordered = bind(TruncatedNormal(0.65, 0.3, 0), Uniform(0.2, 2), LogUniform(0.5, 10))
    nodes, weights = np.polynomial.legendre.leggauss(24)

    def over(low, high):
        half = 0.5 * (high - low)[..., None]
        return low[..., None] + half * (1.0 + nodes), half * weights

    total = 0.0
    breaks = (0.0, 0.2, 0.5, 2.0)
    for a_cell in itertools.pairwise(breaks):
        a, weight_a = over(*np.array(a_cell)[:, None])
        for low_b, high_b in itertools.pairwise(breaks[1:]):
            b, weight_b = over(np.clip(a, low_b, high_b), np.full_like(a, high_b))
            for low_c, high_c in ((0.5, 2.0), (2.0, 10.0)):
                c, weight_c = over(np.clip(b, low_c, high_c), np.full_like(b, high_c))
                points = np.stack(np.broadcast_arrays(a[..., None, None], b[..., None], c), axis=-1)
                density = np.exp(ordered.logpdf(points))
                total += np.sum(density * weight_a[..., None, None] * weight_b[..., None] * weight_c)
    assert total == pytest.approx(1.0, rel=1e-9)


@each_chain
def test_draws_agree_with_rejection(priors):
    ordered = bind(*priors)
    rng = np.random.default_rng(5)
    free = np.stack([prior.sample(rng, 200_000) for prior in priors], axis=1)
    kept = free[np.all(np.diff(free, axis=1) > 0, axis=1)][:10_000]
    fraction = np.mean(np.all(np.diff(free, axis=1) > 0, axis=1))
    z = ordered.normalisation
    assert abs(fraction - z) < 4.0 * math.sqrt(z * (1.0 - z) / len(free))
    drawn = ordered.sample(rng, 10_000)
    assert np.all(np.diff(drawn, axis=1) > 0)
    for k in range(len(priors)):
        assert stats.ks_2samp(drawn[:, k], kept[:, k]).pvalue > 1e-3
    for j, k in itertools.combinations(range(len(priors)), 2):
        assert stats.ks_2samp(drawn[:, k] - drawn[:, j], kept[:, k] - kept[:, j]).pvalue > 1e-3


@smooth_chains
def test_density_is_the_jacobian_of_the_transform(priors):
    # d theta / d u is triangular, because each value depends on its own u and on those before.
    ordered = bind(*priors)
    u = np.random.default_rng(6).uniform(0.05, 0.95, (200, len(priors)))
    log_jacobian = np.zeros(len(u))
    for k in range(len(priors)):
        step = np.zeros(len(priors))
        step[k] = 1e-5
        change = (ordered.transform(u + step) - ordered.transform(u - step))[:, k]
        log_jacobian += np.log(change / 2e-5)
    missed = np.abs(ordered.logpdf(ordered.transform(u)) + log_jacobian)
    # A difference quotient across a kink of a density is off by more; there are few.
    assert np.quantile(missed, 0.95) < 1e-5


@each_chain
def test_transform_is_monotonic_and_inside_the_supports(priors):
    ordered = bind(*priors)
    u = np.concatenate([[0.0, 1e-300, 1e-16], np.linspace(1e-4, 1.0 - 1e-4, 2001), [1.0 - 2.0**-53, 1.0]])
    for fixed in (0.0, 0.3, 1.0 - 1e-12):
        for k in range(len(priors)):
            points = np.full((len(u), len(priors)), fixed)
            points[:, k] = u
            x = ordered.transform(points)
            assert not np.any(np.isnan(x))
            assert np.all(x[1:, k] >= x[:-1, k])
            for values, prior in zip(x.T, priors, strict=True):
                assert np.all((values >= prior.support[0]) & (values <= prior.support[1]))


def test_shapes_and_pickling():
    ordered = bind(*CHAINS["three mixed"])
    u = np.random.default_rng(7).random((4, 5, 3))
    x = ordered.transform(u)
    assert x.shape == (4, 5, 3)
    assert ordered.logpdf(x).shape == (4, 5)
    np.testing.assert_array_equal(ordered.transform(u[2, 3]), x[2, 3])
    copy = pickle.loads(pickle.dumps(ordered))
    np.testing.assert_array_equal(copy.transform(u), x)
    np.testing.assert_array_equal(copy.logpdf(x), ordered.logpdf(x))


def test_widths():
    # The smaller and the larger of two uniform values both have the variance 1/18.
    np.testing.assert_allclose(bind(UNIT, UNIT).widths(), 18.0**-0.5, rtol=0.01)
    assert np.all(bind(*CHAINS["three mixed"]).widths() > 0.1)


# Bad input.


@pytest.mark.parametrize(
    ("names", "words"),
    [(["a"], ["'a'", "two"]), ([], ["two"]), ("abc", ["'abc'", "list"]), (["a", "b", "a"], ["'a'", "twice"])],
)
def test_bad_names_are_refused(names, words):
    with pytest.raises(ParameterError) as caught:
        OrderConstraint(names)
    assert all(word in str(caught.value) for word in words)


@pytest.mark.parametrize(
    "priors",
    [
        (Uniform(2, 3), Uniform(0, 1)),
        (Uniform(1, 3), Uniform(0, 1)),
        (Uniform(0, 9), Uniform(5, 6), Uniform(0, 1)),
        (HalfNormal(1), Normal(0, 1), Uniform(-2, -1)),
    ],
)
def test_impossible_orders_are_refused(priors):
    with pytest.raises(ParameterError, match="impossible"):
        bind(*priors)


@pytest.mark.parametrize("mean", [8.0, 30.0, 1000.0])
def test_orders_that_contradict_the_priors_are_refused(mean):
    with pytest.raises(ParameterError, match="below 1e-06") as caught:
        bind(Normal(mean, 1), Normal(0, 1))
    assert f"normal {mean:g} +- 1" in str(caught.value)
    assert "x0 < x1" in str(caught.value)


def test_ordered_prior_needs_two():
    with pytest.raises(ParameterError, match="two"):
        OrderedPrior((UNIT,))
