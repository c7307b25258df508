"""The lockstep walk must be dynesty's walk: same distribution, same bookkeeping, walkers independent."""

import numpy as np
import pytest
from dynesty.internal_samplers import RWalkSampler, SamplerArgument, UnitCubeSampler
from infer_toys import Box, FarTail
from scipy.stats import ks_2samp, kstest

from stellarcr.infer.samplers import MemoryStore, get_sampler, settings_from
from stellarcr.infer.samplers.batched_walk import BatchedWalk, LockstepPool, draw_together, kept_axes, walk_together
from stellarcr.infer.samplers.evaluate import Evaluator
from stellarcr.infer.samplers.nested_parts import draw_live_points, equal_weight_indices

RADIUS = 0.3


def minus_distance(theta):
    return -np.linalg.norm(theta - 0.5, axis=1)


def arguments(n, walks, n_dim=3, scale=0.25, seed=0, threshold=-RADIUS):
    seeds = np.random.SeedSequence(seed).spawn(n)
    axes = np.linalg.cholesky(0.6 * np.eye(n_dim) + 0.4)
    return [
        SamplerArgument(
            u=np.full(n_dim, 0.5),
            loglstar=threshold,
            axes=axes,
            scale=scale,
            prior_transform=lambda u: u,
            loglikelihood=lambda t: float(minus_distance(t[np.newaxis])[0]),
            rseed=s,
            kwargs={"walks": walks, "nonbounded": None, "periodic": None, "reflective": None},
        )
        for s in seeds
    ]


def walk(args):
    return walk_together(args, minus_distance, lambda u: u)


def test_long_walks_end_uniform_in_the_contour():
    ends = np.array([r.u for r in walk(arguments(3000, walks=60))])
    radius = np.linalg.norm(ends - 0.5, axis=1) / RADIUS
    assert kstest(radius**3, "uniform").pvalue > 1e-3
    direction = (ends[:, 0] - 0.5) / RADIUS / radius
    assert kstest(direction, "uniform", args=(-1, 2)).pvalue > 1e-3


@pytest.mark.parametrize("walks", [3, 12])
def test_short_walks_are_distributed_as_those_of_dynesty(walks):
    # Short walks remember their start, so that step and acceptance must agree, not only the end.
    ours = walk(arguments(1500, walks, seed=1))
    theirs = [RWalkSampler.sample(a) for a in arguments(1500, walks, seed=2)]
    for quantity in (
        lambda r: r.u[0],
        lambda r: r.u[1] - r.u[2],
        lambda r: r.logl,
    ):
        assert ks_2samp([quantity(r) for r in ours], [quantity(r) for r in theirs]).pvalue > 1e-3
    accepted = [np.mean([r.tuning_info["accept"] for r in results]) for results in (ours, theirs)]
    assert accepted[0] == pytest.approx(accepted[1], rel=0.05)


def test_return_values_are_consistent():
    for r in walk(arguments(50, walks=20)):
        assert r.logl > -RADIUS
        assert r.logl == minus_distance(r.v[np.newaxis])[0]
        np.testing.assert_array_equal(r.u, r.v)
        assert r.ncalls == 20
        assert r.tuning_info["accept"] + r.tuning_info["reject"] == 20
        assert r.tuning_info["scale"] == 0.25


def test_walker_that_never_moves_returns_its_start():
    # Steps of scale 50 always leave the cube.
    for r in walk(arguments(5, walks=4, scale=50.0)):
        np.testing.assert_array_equal(r.u, np.full(3, 0.5))
        assert r.logl == 0.0
        assert r.tuning_info["accept"] == 0


def test_walk_depends_on_its_own_seed_only():
    together = walk(arguments(6, walks=15))
    alone = [walk([a])[0] for a in arguments(6, walks=15)]
    for one, two in zip(together, alone, strict=True):
        np.testing.assert_array_equal(one.u, two.u)


def test_draws_exceed_the_threshold_and_are_uniform():
    results = draw_together(arguments(3000, walks=1), minus_distance, lambda u: u)
    radius = np.array([np.linalg.norm(r.u - 0.5) for r in results]) / RADIUS
    assert np.all(radius < 1)
    assert kstest(radius**3, "uniform").pvalue > 1e-3
    # The ball fills 4/3 pi 0.3^3 of the cube: so many tries per point.
    tries = np.mean([r.ncalls for r in results])
    assert tries == pytest.approx(1 / (4 / 3 * np.pi * RADIUS**3), rel=0.06)


def test_pool_recognises_walkers_and_passes_the_rest():
    problem = Box(3)
    with Evaluator(problem) as evaluator:
        pool = LockstepPool(problem, evaluator, size=4)
        assert pool.map(lambda x: 2 * x, [1, 2]) == [2, 4]
        low = [a._replace(loglstar=-1.0) for a in arguments(4, walks=5, scale=0.01)]
        assert len(pool.map(BatchedWalk.sample, low)) == 4
        assert pool.n_calls == 20
        assert len(pool.map(UnitCubeSampler.sample, low)) == 4
        assert pool.n_calls == 24


def test_possible_fraction_of_the_prior():
    class Half(Box):
        def log_likelihood(self, theta):
            return np.where(theta[:, 0] > 0.5, 0.0, -np.inf)

    problem = Half(2)
    fractions = []
    for seed in range(40):
        live = draw_live_points(problem, problem.log_likelihood, np.random.default_rng(seed), 100)
        assert live.unit.shape == (100, 2)
        assert np.all(np.isfinite(live.log_likelihood))
        fractions.append(live.log_fraction)
    error = np.std(fractions) / np.sqrt(40)
    assert abs(np.mean(fractions) - np.log(0.25)) < 4 * error
    assert live.log_fraction_error == pytest.approx(np.std(fractions), rel=0.5)


def test_equal_weights_take_each_sample_as_often_as_its_weight():
    weight = np.array([0.5, 0.25, 0.125, 0.125])
    picked = equal_weight_indices(np.log(weight), 80, np.random.default_rng(0))
    np.testing.assert_array_equal(np.bincount(picked), [40, 20, 10, 10])
    assert not np.all(np.diff(picked) >= 0)


EXACT_FAR_TAIL = 0.5 * np.log(0.2) - 0.5 * 9.0**2 / 1.25
"""ln Z of one dimension of FarTail: a Gaussian of variance 0.25 at -9, seen through a standard normal prior."""


def far_tail(n_dim, n_far, **options):
    sampler = get_sampler("dynesty")
    settings = settings_from(sampler.settings_type, {"seed": 1, "nlive": 100, "dlogz": 0.2, **options})
    return sampler.run(FarTail(n_dim, n_far), settings, MemoryStore())


def test_a_posterior_in_the_far_tail_of_one_prior():
    """One parameter 7 sigma out in its prior is thinner in the unit cube than dynesty's ellipsoids can follow."""
    result = far_tail(5, 1, walks=75)
    assert result.log_evidence == pytest.approx(EXACT_FAR_TAIL, abs=3 * result.log_evidence_error)
    np.testing.assert_allclose(result.samples[0].mean(axis=0), [-7.2, 0, 0, 0, 0], atol=0.3)
    np.testing.assert_allclose(result.samples[0].std(axis=0), [np.sqrt(0.2), 1, 1, 1, 1], rtol=0.25)
    assert result.verdict.endswith(
        "prior and data contradict each other in p0, so ln Z rests on the far tail of the prior"
    )


def test_point_by_point_such_a_result_is_not_trusted():
    result = far_tail(2, 1, walks=20, nlive=40, batch=0)
    assert not result.converged
    assert result.verdict.startswith("not reliable: prior and data contradict each other in p0;")


def test_axes_are_replaced_only_where_a_direction_is_lost():
    rng = np.random.default_rng(3)
    true = np.array([[1.0, 0.0], [0.6e-9, 0.8e-9]])
    starts = 0.5 + 1e-3 * rng.standard_normal((4000, 2)) @ true.T
    healthy = np.tile(2e-3 * true, (4000, 1, 1))
    assert kept_axes(healthy, starts) is healthy
    lost = np.tile(np.diag([2e-3, 1e-7]), (4000, 1, 1))
    root = kept_axes(lost, starts)[0]
    np.testing.assert_allclose(root @ root.T / 4e-6, true @ true.T, rtol=0.1)
