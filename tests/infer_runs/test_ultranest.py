"""What is special about UltraNest: NumPy's global random state, its log, its record of batches, where it gives up."""

import logging

import numpy as np
import pytest
import ultranest as package
from infer_toys import FarTail, Gaussian

from stellarcr.errors import ConfigError, MissingDependencyError, RunError
from stellarcr.infer import samplers
from stellarcr.infer.runs.job import execute
from stellarcr.infer.samplers import MemoryStore, RunInterrupted, get_sampler, settings_from, ultranest

SMALL = {"nlive": 40, "slices": 3, "batch": 10, "dlogz": 0.1, "seed": 8}


def run(problem, store, **options):
    sampler = get_sampler("ultranest")
    return sampler.run(problem, settings_from(sampler.settings_type, {**SMALL, **options}), store)


class Eager(MemoryStore):
    """Checkpoints after every batch, and asks to stop after some."""

    left = 10**9

    @property
    def interrupted(self):
        self.left -= 1
        return self.left < 0

    @interrupted.setter
    def interrupted(self, value):
        pass

    def checkpoint_due(self, every):
        return True


def test_random_state_and_log_are_left_as_they_were(capsys):
    logger = logging.getLogger("ultranest")
    before = (list(logger.handlers), logger.level, logger.propagate)
    np.random.seed(5)  # noqa: NPY002  (the global state is what is tested)
    expected = np.random.random(3)  # noqa: NPY002
    np.random.seed(5)  # noqa: NPY002
    first = run(Gaussian(2), MemoryStore())
    np.testing.assert_array_equal(np.random.random(3), expected)  # noqa: NPY002
    # What the caller drew before decides nothing.
    np.testing.assert_array_equal(run(Gaussian(2), MemoryStore()).samples, first.samples)
    assert (logger.handlers, logger.level, logger.propagate) == before
    assert capsys.readouterr() == ("", "")


def test_checkpoints_of_many_batches_are_merged(monkeypatch):
    monkeypatch.setattr(ultranest, "MOST_CHUNKS", 3)
    store, whole = Eager(), run(Gaussian(2), MemoryStore())
    store.left = 17
    with pytest.raises(RunInterrupted, match="likelihood calls; the checkpoint is written"):
        run(Gaussian(2), store)
    assert len(store.slots["ultranest"].files) <= 3 + 1
    assert len(store.slots["ultranest"].fields["stored_points"]["values"]) == 8
    store.left = 10**9
    resumed = run(Gaussian(2), store)
    np.testing.assert_array_equal(resumed.samples, whole.samples)
    assert (resumed.log_evidence, resumed.n_calls) == (whole.log_evidence, whole.n_calls)


def test_checkpoint_of_another_version_is_refused():
    store = MemoryStore()
    run(Gaussian(2), store, max_calls=600)
    store.slots["ultranest"].fields["ultranest"] = "3.0.0"
    with pytest.raises(RunError, match=r"written by UltraNest 3\.0\.0") as caught:
        run(Gaussian(2), store)
    assert "ultranest==3.0.0" in caught.value.remedy


def test_not_installed_says_how_to_get_it(monkeypatch, tmp_path):
    monkeypatch.setattr(samplers, "find_spec", lambda name: None)
    with pytest.raises(MissingDependencyError, match="'ultranest' is not installed") as caught:
        run(Gaussian(2), MemoryStore())
    assert 'pip install "stellarcr[ultranest]"' in caught.value.remedy
    with pytest.raises(MissingDependencyError):
        execute(Gaussian(2), "ultranest", SMALL, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_far_tail_of_a_prior_is_followed_and_named():
    # One coordinate of the unit cube is 1e-11 wide there, and slices end beyond the cube by rounding.
    result = run(FarTail(2, n_far=1), MemoryStore(), slices=4)
    truth = np.log(0.5) - 0.5 * np.log(1.25) - 81 / 2.5  # a normal prior times a normal shape at -9 with width 0.5
    assert abs(result.log_evidence - truth) < 3.5 * result.log_evidence_error
    assert abs(result.samples[0, :, 0].mean() + 7.2) < 0.45
    assert result.verdict.endswith("contradict each other in p0, so ln Z rests on the far tail of the prior")


def test_live_points_that_collapse_are_not_called_converged(monkeypatch):
    class Collapsing(package.ReactiveNestedSampler):
        """Finds its live points linearly dependent, once."""

        def _update_region(self, *arguments, **options):
            updated = super()._update_region(*arguments, **options)
            self.live_points_healthy = False
            return updated

    monkeypatch.setattr(package, "ReactiveNestedSampler", Collapsing)
    result = run(Gaussian(2), MemoryStore())
    assert not result.converged
    assert result.verdict.startswith("not reliable: the live points lost a direction")


def test_evidence_of_seeds_scatters_as_quoted():
    problem = Gaussian(2)
    results = [run(problem, MemoryStore(), seed=seed) for seed in range(20, 28)]
    pulls = np.array([(r.log_evidence - problem.log_evidence) / r.log_evidence_error for r in results])
    # Mean and spread of eight unit normals, three and a half of their own errors wide.
    assert abs(pulls.mean()) < 3.5 / np.sqrt(8)
    assert 1 - 3.5 / np.sqrt(16) < pulls.std() < 1 + 3.5 / np.sqrt(16)


@pytest.mark.parametrize("options", [{"nlive": 7}, {"slices": 0}, {"dlogz": 0.0}, {"batch": 0}])
def test_bad_options_name_key_and_value(options):
    with pytest.raises(ConfigError, match=f"{next(iter(options))} = "):
        run(Gaussian(2), MemoryStore(), **options)
