"""The moves must leave a known density invariant; emcee 3.1.6's own snooker move does not."""

import emcee
import numpy as np
import pytest

from stellarcr.infer.samplers.mixture import Mixture
from stellarcr.infer.samplers.mixture_moves import Independence, Local
from stellarcr.infer.samplers.moves import DifferentialEvolution, Heat, Snooker, _distinct

N_DIM, ENSEMBLES, WALKERS = 5, 16, 32


def mean_square(moves, scale, n_steps):
    """Mean of (x / scale)^2 of a Gaussian per ensemble, started from the Gaussian itself."""
    rng = np.random.default_rng(1)
    sampler = emcee.EnsembleSampler(
        ENSEMBLES * WALKERS, N_DIM, lambda x: -0.5 * np.sum((x / scale) ** 2, axis=1), moves=moves, vectorize=True
    )
    start = emcee.State(
        scale * rng.standard_normal((ENSEMBLES * WALKERS, N_DIM)),
        random_state=np.random.RandomState(np.random.MT19937(5)).get_state(),
    )
    total = np.zeros(ENSEMBLES)
    for state in sampler.sample(start, iterations=n_steps, store=False, skip_initial_state_check=True):
        total += np.mean((state.coords.reshape(ENSEMBLES, -1) / scale) ** 2, axis=1)
    return total / n_steps


@pytest.mark.parametrize("scale", [0.02, 50.0])
@pytest.mark.parametrize("move", [Snooker, DifferentialEvolution])
def test_move_keeps_the_variance(move, scale):
    # A little of the other move makes the snooker ergodic; emcee's own snooker gives 0.7 here.
    other = DifferentialEvolution if move is Snooker else Snooker
    squares = mean_square([(move(ENSEMBLES), 0.95), (other(ENSEMBLES), 0.05)], scale, 500)
    error = np.std(squares, ddof=1) / np.sqrt(ENSEMBLES)
    assert error < 0.01
    assert abs(np.mean(squares) - 1.0) < 4 * error


def crooked_mixture(scale):
    """Three Gaussians that have little to do with the target, one of them narrow, one correlated."""
    rng = np.random.default_rng(7)
    correlated = np.linalg.cholesky(0.5 * np.eye(N_DIM) + 0.5)
    factors = np.stack([0.3 * np.eye(N_DIM), 1.5 * np.eye(N_DIM), correlated])
    return Mixture(np.array([0.5, 0.3, 0.2]), scale * rng.normal(size=(3, N_DIM)), scale * factors)


@pytest.mark.parametrize("move", [Independence, Local])
def test_learned_move_keeps_the_variance(move):
    """Whatever the mixture: without the factor of the parts' shares the local move gives 0.90 here."""
    learned = move(ENSEMBLES, crooked_mixture(50.0))
    squares = mean_square([(learned, 0.95), (DifferentialEvolution(ENSEMBLES), 0.05)], 50.0, 1000)
    error = np.std(squares, ddof=1) / np.sqrt(ENSEMBLES)
    assert error < 0.01
    assert abs(np.mean(squares) - 1.0) < 4 * error


def test_local_move_draws_the_part_by_its_share():
    mixture = Mixture(np.array([0.2, 0.8]), np.array([[0.0], [1.0]]), np.array([[[1.0]], [[2.0]]]))
    point = np.array([[0.3]])
    density = [0.2 * np.exp(-0.045), 0.8 * np.exp(-0.5 * 0.35**2) / 2.0]
    np.testing.assert_allclose(np.exp(mixture.log_shares(point))[:, 0], density / np.sum(density))
    walkers = np.repeat(point, 40_000, axis=0)[np.newaxis]
    moved = Local(1, mixture).proposal(walkers, walkers, np.random.RandomState(0))[0][0, :, 0]
    # steps of the first part are 2.38 s wide, those of the second twice that, with ln s even between ln 0.2 and 0
    mean_square_step = 2.38**2 * (1.0 - 0.2**2) / (2.0 * np.log(5.0))
    expected = mean_square_step * np.dot(density / np.sum(density), [1.0, 4.0])
    assert np.mean((moved - 0.3) ** 2) == pytest.approx(expected, rel=0.04)


def test_heat_raises_the_likelihood_alone_to_a_power():
    """Prior of width 3, posterior of width 1: with the power for which 1/9 + power (1 - 1/9) = 1/4, the width is 2."""
    move = DifferentialEvolution(ENSEMBLES)
    move.heat = Heat((1 / 4 - 1 / 9) / (1 - 1 / 9), lambda x: -0.5 * np.sum((x / 3.0) ** 2, axis=1))
    squares = mean_square([(move, 1.0)], 1.0, 1500) / 4.0
    error = np.std(squares, ddof=1) / np.sqrt(ENSEMBLES)
    assert error < 0.01
    assert abs(np.mean(squares) - 1.0) < 4 * error + 0.02  # it starts from width 1
    heated = move.heat(np.zeros((2, N_DIM)), np.array([1.0, -np.inf]))
    np.testing.assert_array_equal(np.isfinite(heated), [True, False])


def test_ensembles_do_not_mix():
    # Two ensembles far apart on separate lines: proposals of one must never use walkers of the other.
    rng = np.random.default_rng(3)
    coords = np.zeros((2 * 16, 2))
    coords[:16, 0] = rng.standard_normal(16)
    coords[16:] = [7.0, 0.0]
    coords[16:, 1] = rng.standard_normal(16)
    for move in (Snooker(2), DifferentialEvolution(2)):
        sampler = emcee.EnsembleSampler(32, 2, lambda x: np.zeros(len(x)), moves=move, vectorize=True)
        state = sampler.run_mcmc(coords, 20, skip_initial_state_check=True)
        np.testing.assert_allclose(state.coords[:16, 1], 0.0)
        np.testing.assert_allclose(state.coords[16:, 0], 7.0)
        assert not np.allclose(state.coords[:16, 0], coords[:16, 0])


@pytest.mark.parametrize("k", [2, 3])
def test_partners_are_distinct_and_uniform(k):
    random = np.random.RandomState(0)
    picks = np.array(_distinct(random, 5, (1, 30_000), k))[:, 0]
    assert all(len(set(column)) == k for column in picks.T[:2000])
    for row in picks:
        np.testing.assert_allclose(np.bincount(row, minlength=5) / 30_000, 0.2, atol=0.012)


def test_coinciding_walkers_are_not_moved_by_snooker():
    active = np.zeros((1, 4, 3))
    points, factors = Snooker(1).proposal(active, np.zeros((1, 4, 3)), np.random.RandomState(0))
    np.testing.assert_array_equal(points, active)
    assert np.all(factors == -np.inf)
