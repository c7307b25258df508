"""What emcee's learned mixture must find: parts of the posterior that walkers around the maximum never see."""

import numpy as np
import pytest
from infer_toys import Gaussian, MayBeOff

from stellarcr.errors import RunError
from stellarcr.infer.samplers import MemoryStore, emcee, get_sampler, settings_from
from stellarcr.infer.samplers.mixture import fit_mixture, thin_share


def run(problem, store, **options):
    sampler = get_sampler("emcee")
    return sampler.run(problem, settings_from(sampler.settings_type, {"walkers": 16, "seed": 1, **options}), store)


def test_a_power_that_may_be_zero_gets_its_share():
    """A chain that never goes there converges as well, by every diagnostic."""
    toy = MayBeOff(6)
    result = run(toy, MemoryStore())
    assert result.converged, result.verdict
    power = result.samples[..., 0].ravel()
    for value in (-0.7, -2.0):
        share = toy.share_below(value)
        error = np.sqrt(share / result.diagnostics["ess"])
        assert np.mean(power < value) == pytest.approx(share, abs=4.0 * error), value


def test_points_of_hot_walkers_are_covered():
    """A narrow peak with 2% of the posterior that only hot walkers have seen."""
    rng = np.random.default_rng(0)
    bulk, hot = rng.normal(size=(4000, 5)), np.array([12.0, 0, 0, 0, 0]) + 0.5 * rng.normal(size=(4000, 5))

    def log_posterior(x):
        far = -0.5 * np.sum(((x - [12.0, 0, 0, 0, 0]) / 0.3) ** 2, axis=1) - 5 * np.log(0.3)
        return np.logaddexp(np.log(0.98) - 0.5 * np.sum(x**2, axis=1), np.log(0.02) + far)

    there = np.array([12.0, 0, 0, 0, 0]) + 0.3 * rng.normal(size=(500, 5))

    def excess(mixture):
        return (
            log_posterior(there)
            - mixture.log_density(there)
            - np.median(log_posterior(bulk) - mixture.log_density(bulk))
        )

    alone = fit_mixture(bulk, log_posterior(bulk), 0)
    both = fit_mixture(bulk, log_posterior(bulk), 0, (hot, log_posterior(hot)))
    assert np.median(excess(alone)) > 10.0
    assert np.max(excess(both)) < 3.0


def test_thin_share_is_that_of_positions_the_mixture_misses():
    rng = np.random.default_rng(3)
    points = rng.normal(size=(4000, 3))
    mixture = fit_mixture(points, -0.5 * np.sum(points**2, axis=1), 0)
    more = rng.normal(size=(2000, 3))
    assert thin_share(mixture, more, -0.5 * np.sum(more**2, axis=1)) < 0.002
    log_posterior = -0.5 * np.sum(more**2, axis=1)  # a second peak of the same kind
    more[:100, 0] += 12.0
    assert thin_share(mixture, more, log_posterior) == pytest.approx(0.05, abs=0.002)


def test_learning_goes_on_while_the_mixture_misses_something(monkeypatch):
    """Also over an interruption; two parameters, so that fits come at 800, 1000 and 1500 steps."""
    monkeypatch.setattr(emcee, "LARGEST_THIN_SHARE", -1.0)
    whole, store = run(Gaussian(2), MemoryStore()), MemoryStore()
    assert whole.diagnostics["steps"] >= 3000
    run(Gaussian(2), store, max_steps=850)
    assert store.slots["emcee"].fields["fits"][-2:] == [800, 1000]
    resumed = run(Gaussian(2), store)
    assert store.slots["emcee"].fields["fits"][-2:] == [1000, 1500]
    np.testing.assert_array_equal(resumed.samples, whole.samples)


def test_samples_of_a_heated_posterior_are_called_that():
    """Two parameters: 12 steps at each power when there are 6 per parameter."""
    for steps, power in ((12, 0.03), (13, 0.06), (72, 0.75)):
        result = run(Gaussian(2), MemoryStore(), heated_steps=6, max_steps=steps)
        assert not result.converged
        assert (
            f"NOT SAMPLES OF THE POSTERIOR: at step {steps} the likelihood still counts to the power {power} only"
            in (result.verdict)
        )
    assert "NOT SAMPLES" not in run(Gaussian(2), MemoryStore(), heated_steps=6, max_steps=73).verdict


def test_a_walker_that_rests_is_no_peak():
    rng = np.random.default_rng(1)
    points = rng.normal(size=(3000, 3))
    repeated = np.concatenate([points, np.repeat(points[:3], 2000, axis=0)])
    mixtures = [fit_mixture(x, -0.5 * np.sum(x**2, axis=1), 0) for x in (points, repeated)]
    ratio = mixtures[1].log_density(points[:3]) - mixtures[0].log_density(points[:3])
    assert np.all(np.abs(ratio) < 0.5)


def test_a_checkpoint_of_another_recipe_is_refused_while_it_learns():
    store = MemoryStore()
    run(Gaussian(2), store, max_steps=100)
    store.slots["emcee"].fields["recipe"] = None
    with pytest.raises(RunError, match="at step 100, is of a chain that learns by another recipe"):
        run(Gaussian(2), store, max_steps=200)
