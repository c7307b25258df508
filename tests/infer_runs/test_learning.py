"""What emcee's learned mixture must find: parts of the posterior that walkers around the maximum never see."""

import numpy as np
import pytest
from infer_toys import Gaussian, MayBeOff

from stellarcr.errors import RunError
from stellarcr.infer.samplers import MemoryStore, get_sampler, settings_from
from stellarcr.infer.samplers.independence import fit_mixture


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
