import numpy as np
import pytest
from infer_toys import Box, Corner, FarTail, Gaussian, HalfImpossible, Impossible, Rosenbrock, TwoPeaks

from stellarcr.errors import ConfigError, ParameterError
from stellarcr.infer.samplers import MemoryStore, RunInterrupted
from stellarcr.infer.samplers.map import MapSettings, find_maximum, improve_maximum, invert_transform
from stellarcr.infer.samplers.optimise import gradient, hessian

QUICK = MapSettings(starts=4, seed=5)


def test_gaussian_maximum_and_covariance():
    problem = Gaussian(6)
    found = find_maximum(problem, QUICK)
    sigma = np.sqrt(np.diag(problem.covariance))
    np.testing.assert_allclose((found.theta - problem.mean) / sigma, 0.0, atol=1e-3)
    np.testing.assert_allclose(found.covariance, problem.covariance, rtol=1e-4)
    assert found.fraction_reached == 1.0
    assert found.unconstrained == 0
    assert not found.at_edge
    assert found.log_posterior == pytest.approx(problem.log_posterior(problem.mean[None])[0], abs=1e-6)
    assert found.log_likelihood == pytest.approx(problem.log_likelihood(problem.mean[None])[0], abs=1e-6)


def test_narrow_gaussian_in_many_dimensions():
    problem = Gaussian(16, width=1e-4, correlation=0.95)
    found = find_maximum(problem, MapSettings(starts=2))
    assert found.fraction_reached == 1.0
    np.testing.assert_allclose(found.covariance, problem.covariance, rtol=1e-3)


def test_higher_of_two_peaks():
    found = find_maximum(TwoPeaks(3), QUICK)
    np.testing.assert_allclose(found.theta, -0.5, atol=1e-3)
    assert len(found.start_values) == 4


def test_curved_valley():
    found = find_maximum(Rosenbrock(8, -3, 3), QUICK)
    np.testing.assert_allclose(found.theta, 1.0, atol=1e-2)
    assert found.log_likelihood > -1e-4


def test_maximum_in_a_corner_says_so():
    problem = Corner(4)
    found = find_maximum(problem, QUICK)
    np.testing.assert_allclose(found.theta[:-1], 1.0, atol=1e-6)
    assert found.at_edge == {"p0": "upper", "p1": "upper", "p2": "upper"}
    assert found.unconstrained == 1
    # The last parameter has no effect: its width is the prior's, 2 / sqrt(12).
    assert np.sqrt(found.covariance[3, 3]) == pytest.approx(2 / np.sqrt(12), rel=1e-6)
    assert "p0 (upper)" in found.summary()
    assert "1 direction" in found.summary()


def test_a_maximum_in_the_far_tail_of_a_prior_says_so():
    """The search stops at 1e-8 of the prior; a sample further out, at the true maximum, replaces what it found."""
    problem = FarTail(2)
    found = find_maximum(problem, QUICK)
    assert found.at_edge == {"p0": "lower tail", "p1": "lower tail"}
    assert "prior and data contradict each other: p0 (lower tail), p1 (lower tail)" in found.summary()
    sample = np.array([-7.2, -7.2])
    better = improve_maximum(problem, found, sample)
    np.testing.assert_array_equal(better.theta, sample)
    assert better.log_posterior == problem.log_posterior(sample[None])[0] > found.log_posterior
    assert better.log_likelihood == problem.log_likelihood(sample[None])[0]


def test_flat_posterior_has_the_width_of_the_prior():
    found = find_maximum(Box(3), QUICK)
    np.testing.assert_allclose(found.covariance, np.eye(3) / 3, atol=1e-9)
    assert found.unconstrained == 3


def test_impossible_region_is_survived():
    problem = HalfImpossible(3)
    found = find_maximum(problem, QUICK)
    sigma = np.sqrt(np.diag(problem.covariance))
    assert np.all(np.abs(found.theta - problem.mean) < 0.2 * sigma)


def test_nothing_possible_is_refused():
    with pytest.raises(ParameterError, match="no start finds a possible point"):
        find_maximum(Impossible(2), MapSettings(starts=2, generations=5))


def test_same_seed_same_answer_another_seed_another():
    one, two = (find_maximum(TwoPeaks(2), QUICK) for _ in range(2))
    np.testing.assert_array_equal(one.start_values, two.start_values)
    other = find_maximum(TwoPeaks(2), MapSettings(starts=4, seed=6))
    assert other.n_calls != one.n_calls


def test_second_search_takes_the_stored_result():
    store = MemoryStore()
    first = find_maximum(Gaussian(2), QUICK, store)
    again = find_maximum(Gaussian(2), QUICK, store)
    for name, value in vars(first).items():
        np.testing.assert_array_equal(value, getattr(again, name))


def test_interrupt_leaves_nothing():
    store = MemoryStore(interrupted=True)
    with pytest.raises(RunInterrupted):
        find_maximum(Gaussian(2), QUICK, store)
    assert store.load("map") is None


def test_limit_of_calls():
    found = find_maximum(Gaussian(2), MapSettings(starts=50, max_calls=3000))
    assert len(found.start_values) < 50


class Referenced(TwoPeaks):
    """Knows a point near the lower, narrow peak."""

    def reference(self):
        return np.full(self.n_dim, 0.5)


def test_reference_point_is_a_start_that_does_not_count():
    found = find_maximum(Referenced(2), MapSettings(starts=1, generations=0, population=8))
    assert len(found.start_values) == 1
    assert found.log_posterior >= Referenced(2).log_posterior(np.full((1, 2), 0.5))[0] - 1e-9


def test_better_sample_improves_the_maximum():
    problem = TwoPeaks(2)
    low = find_maximum(Referenced(2), MapSettings(starts=1, generations=0, population=8, seed=3))
    better = improve_maximum(problem, low, np.full(2, -0.48))
    np.testing.assert_allclose(better.theta, -0.5, atol=1e-3)


class Ordered(Box):
    """A triangle prior: p0 < p1, mapped without Jacobian trouble."""

    def prior_transform(self, unit):
        top = self.low + (self.high - self.low) * np.sqrt(unit[:, 1])
        return np.stack([self.low + (top - self.low) * unit[:, 0], top], axis=1)


def test_prior_transform_is_inverted():
    problem = Ordered(2)
    unit = invert_transform(problem, np.array([-0.3, 0.4]))
    np.testing.assert_allclose(problem.prior_transform(unit[None])[0], [-0.3, 0.4], rtol=1e-6)
    assert invert_transform(problem, np.array([0.5, 0.4])) is None


def test_derivatives_against_a_polynomial():
    def cubic(x):
        return x[:, 0] ** 3 + 2 * x[:, 0] * x[:, 1] - x[:, 1] ** 2

    point, steps = np.array([0.4, 0.7]), np.array([1e-3, 1e-3])
    value, slope = gradient(cubic, point, steps)
    assert value == pytest.approx(0.064 + 0.56 - 0.49)
    np.testing.assert_allclose(slope, [3 * 0.16 + 1.4, 0.8 - 1.4], rtol=1e-5)
    _, _, matrix = hessian(cubic, point, steps)
    np.testing.assert_allclose(matrix, [[2.4, 2.0], [2.0, -2.0]], rtol=1e-6)


@pytest.mark.parametrize("options", [{"starts": 0}, {"population": 3}, {"seed": -1}, {"max_time": 0.0}])
def test_bad_settings_are_refused(options):
    with pytest.raises(ConfigError, match=next(iter(options))):
        MapSettings(**options)
