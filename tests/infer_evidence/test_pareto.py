"""Smoothed importance weights: the shape of a tail is found, and what cannot be judged is refused."""

import numpy as np
import pytest

from stellarcr.errors import ModelError
from stellarcr.infer.importance.pareto import RELIABLE_K, pareto_smoothed


@pytest.mark.parametrize("shape", [0.3, 0.5, 0.9, 1.2])
def test_the_shape_of_a_pareto_tail_is_found(shape):
    """Weights u^-k of uniform u have a tail of shape k; the fit's mean over seeds is within its weak prior of it."""
    rng = np.random.default_rng(1)
    found = [pareto_smoothed(-shape * np.log(rng.random(20_000))).pareto_k for _ in range(5)]
    assert np.mean(found) == pytest.approx(shape, abs=0.06)
    assert all((k <= RELIABLE_K) == (shape <= RELIABLE_K) for k in found)


def test_bounded_weights_have_no_heavy_tail():
    """Weights (1 - u)^(1/2) end at one like a power 2 of the distance: k = -1/2; the prior lifts it a little."""
    u = np.random.default_rng(2).random(20_000)
    weights = pareto_smoothed(np.log(1.0 - np.sqrt(u)))
    assert weights.pareto_k == pytest.approx(-0.5, abs=0.1)
    assert weights.reliable


def test_weights_of_a_gaussian_target_reproduce_its_moments():
    """A target of half the variance of the proposal: E[x^2] = 1/2, and the effective size is known in closed form."""
    x = np.random.default_rng(3).normal(size=100_000)
    log_ratios = -0.5 * x**2
    weights = pareto_smoothed(log_ratios + 1000.0)
    assert np.sum(np.exp(weights.log_weights)) == pytest.approx(1.0)
    assert np.sum(np.exp(weights.log_weights) * x**2) == pytest.approx(0.5, abs=0.01)
    # (E w)^2 / E w^2 with w = exp(-x^2 / 2): (1 / sqrt 2)^2 / (1 / sqrt 3)
    assert weights.effective_samples == pytest.approx(100_000 * np.sqrt(3.0) / 2.0, rel=0.01)


def test_smoothing_tames_the_largest_weight():
    """Its size against the median is what chance decides; a smoothed one varies less from seed to seed."""
    rng = np.random.default_rng(4)
    raw, smooth = [], []
    for _ in range(50):
        log_ratios = -0.6 * np.log(rng.random(1000))
        smoothed = pareto_smoothed(log_ratios).log_weights
        raw.append(np.ptp(np.sort(log_ratios)[[500, -1]]))
        smooth.append(np.ptp(np.sort(smoothed)[[500, -1]]))
        # the bulk keeps its order and its ratios
        bulk = np.argsort(log_ratios)[:800]
        np.testing.assert_allclose(np.diff(smoothed[bulk]), np.diff(log_ratios[bulk]), atol=1e-12)
    assert np.std(smooth) < 0.8 * np.std(raw)


def test_equal_ratios_are_equal_weights():
    weights = pareto_smoothed(np.full(50, -123.0))
    np.testing.assert_allclose(weights.log_weights, -np.log(50.0))
    assert weights.pareto_k == -np.inf
    assert weights.effective_samples == pytest.approx(50.0)


def test_impossible_draws_have_no_weight():
    """They count neither as draws nor as tail: the others are as if alone."""
    ratios = np.random.default_rng(5).normal(size=400)
    alone = pareto_smoothed(ratios)
    mixed = pareto_smoothed(np.insert(ratios, np.arange(0, 400, 2), -np.inf))
    assert np.isneginf(mixed.log_weights).sum() == 200
    np.testing.assert_array_equal(mixed.log_weights[np.isfinite(mixed.log_weights)], alone.log_weights)
    assert mixed.pareto_k == alone.pareto_k


def test_draws_of_a_chain_are_worth_less():
    ratios = np.random.default_rng(6).normal(size=4000)
    independent, chain = pareto_smoothed(ratios), pareto_smoothed(ratios, relative_efficiency=0.25)
    assert chain.effective_samples == pytest.approx(0.25 * independent.effective_samples, rel=0.02)


def test_what_cannot_be_judged_is_refused():
    with pytest.raises(ModelError, match="3 of 30 draws"):
        pareto_smoothed(np.where(np.arange(30) < 3, 0.0, -np.inf))
    with pytest.raises(ModelError, match="NaN") as error:
        pareto_smoothed(np.array([*np.zeros(40), np.nan]))
    assert error.value.where == "draw 40 of 41"
