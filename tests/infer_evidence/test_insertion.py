"""The insertion-rank test: silent for correct nested sampling, loud for what is broken."""

import numpy as np
import pytest
from infer_toys import Gaussian
from scipy.stats import kstest

from stellarcr.errors import RunError
from stellarcr.infer.comparison.insertion import insertion_ranks, insertion_test
from stellarcr.infer.runs import execute, read_run
from stellarcr.infer.samplers import MemoryStore, batched_walk
from stellarcr.infer.samplers.dynesty import DynestySampler
from stellarcr.infer.samplers.dynesty_settings import DynestySettings


def uniform(rng, contour):
    """Draw a volume from all that the contour encloses."""
    return contour * rng.random()


def exact_run(rng, live=100, steps=2000, draw=uniform):
    """Nested sampling of an abstract problem, ln L = -volume, with volumes drawn below that of the contour."""
    volumes, births = list(rng.random(live)), [-np.inf] * live
    dead, dead_births = [], []
    for _ in range(steps):
        worst = int(np.argmax(volumes))
        contour = volumes[worst]
        dead.append(contour)
        dead_births.append(births[worst])
        volumes[worst], births[worst] = draw(rng, contour), -contour
    return -np.array(dead + volumes), np.array(dead_births + births)


def test_ranks_by_hand():
    """Live -3, -2, -1; -3 dies, -1.5 is born second of three; -2 dies, -0.5 is born last of three."""
    values = np.array([-3.0, -2.0, -1.0, -1.5, -0.5])
    births = np.array([-np.inf, -np.inf, -np.inf, -3.0, -2.0])
    ranks, live, repeated = insertion_ranks(values, births)
    np.testing.assert_array_equal(np.floor(ranks * 3), [1, 2])
    np.testing.assert_array_equal(live, [3, 3])
    assert not repeated.any()


def test_p_values_of_correct_runs_are_uniform():
    rng = np.random.default_rng(0)
    tests = [insertion_test(*exact_run(rng, live=50, steps=600)) for _ in range(100)]
    for name in ("p_all", "p_blocks", "p_value"):
        assert kstest([getattr(t, name) for t in tests], "uniform").pvalue > 1e-3, name
    assert sum(not t.passed for t in tests) <= 5


def test_merged_runs_are_tested_as_one():
    rng = np.random.default_rng(1)
    parts = [exact_run(rng) for _ in range(3)]
    result = insertion_test(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))
    assert result.passed
    assert result.live_points == pytest.approx(300, abs=2)
    assert result.insertions == 6000


FAULTS = {
    "the inner half only": lambda rng, contour: contour * rng.uniform(0.0, 0.5),
    "all but the innermost fifth": lambda rng, contour: contour * rng.uniform(0.2, 1.0),
    "one in twenty at the contour": lambda rng, contour: contour * rng.uniform(0.99 * (rng.random() < 0.05), 1.0),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_draws_from_a_part_of_what_the_contour_encloses_are_found(fault):
    result = insertion_test(*exact_run(np.random.default_rng(2), steps=4000, draw=FAULTS[fault]))
    assert not result.passed
    assert "not uniform" in result.verdict


def test_a_fault_of_one_stage_is_found_by_the_blocks():
    """Right, then a hundred steps wrong, then right again."""
    rng = np.random.default_rng(3)
    values, births = exact_run(rng, steps=20_000)
    ranks = np.argsort(np.argsort(births))
    stage = (ranks > 8000) & (ranks < 8120)
    # points of the stage are born just above their contours
    values = np.where(stage, births * (1.0 - 1e-3 * rng.random(len(values))), values)
    result = insertion_test(values, births)
    assert result.p_blocks < 1e-6
    assert result.p_all > result.p_blocks


def test_too_few_insertions_are_refused():
    with pytest.raises(RunError, match="50 insertions"):
        insertion_test(*exact_run(np.random.default_rng(4), steps=50))


def run_dynesty(**options):
    settings = DynestySettings(nlive=100, dlogz=0.5, seed=5, **options)
    nested = DynestySampler().run(Gaussian(3), settings, MemoryStore()).nested
    assert np.all(nested.log_likelihood_birth <= nested.log_likelihood)
    assert np.sum(np.isneginf(nested.log_likelihood_birth)) == 100
    return insertion_test(nested.log_likelihood, nested.log_likelihood_birth)


def test_dynesty_passes_with_its_default_walks():
    result = run_dynesty()
    assert result.passed, result.verdict
    assert result.repeated == 0.0
    assert result.live_points == 100


def test_walks_of_two_steps_are_found():
    result = run_dynesty(walks=2)
    assert not result.passed
    assert "repeat a live one" in result.verdict


def test_walks_that_only_climb_are_found(monkeypatch):
    """Each step must beat the walker's own likelihood, not the contour's."""

    def climb(arguments, log_likelihood, prior_transform):
        # with its own start as threshold, a walk of the half of its live points that lie higher is all that is left
        raised = float(np.median(log_likelihood(prior_transform(np.array([a.u for a in arguments])))))
        return original([a._replace(loglstar=raised) for a in arguments], log_likelihood, prior_transform)

    original = batched_walk.walk_together
    monkeypatch.setattr(batched_walk, "walk_together", climb)
    result = run_dynesty()
    assert not result.passed
    assert "not uniform" in result.verdict


def test_births_are_in_the_archive(tmp_path):
    execute(Gaussian(2), "dynesty", {"nlive": 50, "dlogz": 0.5}, tmp_path / "run", quiet=True)
    nested = read_run(tmp_path / "run").nested
    test = insertion_test(nested.log_likelihood, nested.log_likelihood_birth)
    assert test.live_points == 50
    assert test.insertions == len(nested.theta) - 50


def test_dynamic_runs_have_no_births():
    settings = DynestySettings(mode="dynamic", nlive=50, dlogz=0.5, n_effective=100)
    assert DynestySampler().run(Gaussian(2), settings, MemoryStore()).nested.log_likelihood_birth is None
