import numpy as np
import pytest

from stellarcr.infer.diagnostics import (
    assess_chain,
    autocorrelation,
    autocorrelation_time,
    kish_sample_size,
    split_rhat,
)


def ar1(phi, n_steps, n_series, seed):
    """Stationary AR(1) series of unit variance; tau = (1 + phi) / (1 - phi)."""
    rng = np.random.default_rng(seed)
    x = np.empty((n_steps, n_series))
    x[0] = rng.standard_normal(n_series)
    for t in range(1, n_steps):
        x[t] = phi * x[t - 1] + np.sqrt(1 - phi**2) * rng.standard_normal(n_series)
    return x


@pytest.mark.parametrize("phi", [0.0, 0.5, 0.9, 0.97])
def test_autocorrelation_time_of_ar1(phi):
    tau = (1 + phi) / (1 - phi)
    found = autocorrelation_time(ar1(phi, 6000, 16, seed=3))
    assert found == pytest.approx(tau, rel=0.12)


def test_autocorrelation_function_of_ar1():
    rho = autocorrelation(ar1(0.8, 8000, 16, seed=4))
    np.testing.assert_allclose(rho[:8], 0.8 ** np.arange(8), atol=0.03)


def test_antithetic_chain_counts_as_independent():
    assert autocorrelation_time(ar1(-0.5, 6000, 16, seed=5)) == 1.0


def test_constant_series_has_no_time():
    assert autocorrelation_time(np.ones((100, 3))) == np.inf


def test_stuck_walkers_show_as_correlation():
    # Each walker is white noise around its own level: a mean per walker would call this independent.
    x = np.random.default_rng(1).standard_normal((400, 8)) + 3.0 * np.arange(8)
    assert autocorrelation_time(x) > 50


def test_rhat_of_agreeing_ensembles():
    x = np.random.default_rng(2).standard_normal((500, 4, 16))
    assert split_rhat(x) == pytest.approx(1.0, abs=2e-3)
    assert split_rhat(x, rank_normalised=True) == pytest.approx(1.0, abs=2e-3)


def test_rhat_of_one_shifted_ensemble():
    x = np.random.default_rng(2).standard_normal((500, 4, 16))
    x[:, 0] += 1.0
    # Means 1, 0, 0, 0, each twice: variance 3/14 between halves; within 1.
    assert split_rhat(x) == pytest.approx(np.sqrt(1 + 3 / 14), rel=0.01)


def test_rhat_of_a_drifting_chain():
    x = np.random.default_rng(2).standard_normal((500, 4, 16)) + np.linspace(0, 2, 500)[:, None, None]
    # Halves at 0.5 and 1.5, four each: variance 2/7; within a half the drift adds 1/12.
    assert split_rhat(x) == pytest.approx(np.sqrt(1 + (2 / 7) / (13 / 12)), rel=0.01)


def test_rhat_of_constant_chains():
    assert split_rhat(np.ones((50, 4))) == 1.0
    assert split_rhat(np.ones((50, 4)) * np.arange(4)) == np.inf


def test_rank_normalised_rhat_sees_heavy_tails():
    x = np.random.default_rng(8).standard_cauchy((2000, 4))
    x[:, 0] += 2.0
    assert split_rhat(x, rank_normalised=True) > 1.05


def test_kish_sample_size():
    assert kish_sample_size(np.full(50, -3.0)) == pytest.approx(50)
    assert kish_sample_size(np.array([0.0, -np.inf, -np.inf])) == pytest.approx(1)


def chain_of(phi, n_steps, climb, n_dim=2):
    """Four ensembles of eight AR(1) walkers whose log posterior climbs for `climb` steps."""
    x = ar1(phi, n_steps, 4 * 8 * n_dim, seed=6).reshape(n_steps, 4, 8, n_dim)
    log_posterior = -0.5 * np.sum(x**2, axis=-1)
    log_posterior[:climb] -= np.linspace(200, 10, climb)[:, None, None]
    x[:climb] += np.linspace(9, 3, climb)[:, None, None, None]
    return x, log_posterior


def test_burn_in_covers_a_late_climb():
    x, log_posterior = chain_of(0.5, 2000, climb=400)
    found = assess_chain(x, log_posterior, stride=1, n_steps=2000)
    assert 390 <= found.burn_in <= 500
    assert found.length_in_tau == pytest.approx((2000 - found.burn_in) / found.tau.max())
    np.testing.assert_allclose(found.tau, 3.0, rtol=0.2)
    assert found.converged(50, 1.01)


def test_stride_gives_times_in_steps():
    x, log_posterior = chain_of(0.95, 8000, climb=0)
    every = assess_chain(x, log_posterior, stride=1, n_steps=8000)
    thinned = assess_chain(x[3::4], log_posterior[3::4], stride=4, n_steps=8000)
    np.testing.assert_allclose(thinned.tau, every.tau, rtol=0.1)


def test_short_chain_is_not_converged():
    x, log_posterior = chain_of(0.9, 60, climb=0)
    found = assess_chain(x, log_posterior, stride=1, n_steps=60)
    assert not found.converged(50, 1.01)
    assert "not converged" in found.verdict(50, 1.01)
    assert assess_chain(x[:4], log_posterior[:4], 1, 4).length_in_tau == 0.0


def test_steps_of_a_learning_sampler_never_count():
    x, log_posterior = chain_of(0.5, 2000, climb=0)
    assert assess_chain(x, log_posterior, 1, 2000, least_burn_in=700).burn_in >= 700
    short = assess_chain(x[:703], log_posterior[:703], 1, 703, least_burn_in=700)
    assert (short.burn_in, short.length_in_tau) == (700, 0.0)
    assert assess_chain(x[:50], log_posterior[:50], 1, 50, least_burn_in=700).burn_in == 49
