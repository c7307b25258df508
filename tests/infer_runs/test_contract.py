"""One contract for all samplers: a new one is covered by adding a line to CASES."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest
from infer_toys import Box, Breaks, Gaussian, HalfImpossible, Impossible, WithNaN
from scipy.stats import kstest

from stellarcr.errors import ConfigError, ModelError, ParameterError
from stellarcr.infer.samplers import (
    MemoryStore,
    RunInterrupted,
    get_sampler,
    sampler_names,
    settings_from,
)
from stellarcr.infer.samplers.emcee import MOST_CHUNKS
from stellarcr.infer.samplers.evaluate import check_prior_draws

# Small settings: what is tested here is correctness within the samplers' own errors, not their power.
CASES = {
    "emcee": ("emcee", {"walkers": 24, "target_tau": 60.0, "learn": False}),
    "dynesty": ("dynesty", {"nlive": 150, "walks": 30, "batch": 32}),
    "dynesty dynamic": ("dynesty", {"mode": "dynamic", "nlive": 100, "walks": 30, "n_effective": 900}),
    "ultranest": ("ultranest", {"nlive": 100, "slices": 6, "batch": 32}),
    "dynesty point by point": ("dynesty", {"nlive": 60, "walks": 20, "batch": 0, "dlogz": 0.1}),
}
OWN = f"{Path(__file__).parents[2]}/docs/examples/own_sampler/my_sampler.py:Differences"
CASES["a user's own"] = (OWN, {"walkers": 40, "max_steps": 1600})
LONGER = {"dynesty": {"walks": 60}, "ultranest": {"slices": 12}}
"""Steps in six dimensions."""
LEARNING = {"emcee learning": ("emcee", {"walkers": 8, "target_tau": 40.0})}
"""Fitting its proposals takes seconds, so that this case joins the tests in which it differs."""

BATCHED = [case for case in CASES if "point" not in case]


def run(case, problem, store=None, **options):
    name, defaults = {**CASES, **LEARNING}[case]
    sampler = get_sampler(name)
    settings = settings_from(sampler.settings_type, {"seed": 11, **defaults, **options})
    return sampler.run(problem, settings, store or MemoryStore())


@cache
def gaussian(case, n_dim=2):
    """One uninterrupted run, shared by the tests that look at it from several sides."""
    return run(case, Gaussian(n_dim), **(LONGER.get(case, {}) if n_dim == 6 else {}))


@pytest.mark.parametrize("case", CASES)
def test_flat_likelihood_gives_back_the_prior(case):
    problem = Box(2, -3.0, 5.0)
    result = run(case, problem)
    samples = result.samples.reshape(-1, 2)
    # Thin to independent samples, so that the distribution of the KS statistic is known.
    keep = max(1, int(len(samples) / min(result.diagnostics["ess"], len(samples)) * 2))
    for i in range(2):
        assert kstest(samples[::keep, i], "uniform", args=(-3.0, 8.0)).pvalue > 1e-3
    if result.log_evidence is not None:
        # dynesty leaves out the volume inside the last live point, about 1 / nlive.
        assert abs(result.log_evidence) < 3 / result.diagnostics["nlive"]


@pytest.mark.parametrize(
    ("case", "n_dim"), [*[(c, 2) for c in [*CASES, *LEARNING]], ("emcee", 6), ("dynesty", 6), ("ultranest", 6)]
)
def test_gaussian_mean_covariance_and_evidence(case, n_dim):
    problem = Gaussian(n_dim)
    result = gaussian(case, n_dim)
    assert result.converged, result.verdict
    samples = result.samples.reshape(-1, n_dim)
    white = np.linalg.solve(np.linalg.cholesky(problem.covariance), (samples - problem.mean).T)
    n = min(result.diagnostics["ess"], len(samples))
    assert n > 100
    assert np.all(np.abs(white.mean(axis=1)) < 4 / np.sqrt(n))
    covariance = np.cov(white)
    np.testing.assert_allclose(np.diag(covariance), 1.0, atol=4.5 * np.sqrt(2 / n))
    assert np.max(np.abs(covariance - np.diag(np.diag(covariance)))) < 4.5 / np.sqrt(n)
    if result.log_evidence is not None:
        assert abs(result.log_evidence - problem.log_evidence) < 3 * result.log_evidence_error
        assert 0.02 < result.log_evidence_error < 0.6


@pytest.mark.parametrize("case", CASES)
def test_result_is_complete_and_consistent(case):
    problem = Gaussian(2)
    result = gaussian(case)
    assert result.sampler == CASES[case][0].rpartition(":")[2]
    chains, draws, n_dim = result.samples.shape
    assert (chains, n_dim) == (4 if case == "emcee" else 1, 2)
    assert result.log_posterior.shape == (chains, draws)
    again = problem.log_posterior(result.samples.reshape(-1, 2)).reshape(chains, draws)
    np.testing.assert_allclose(result.log_posterior, again, rtol=1e-9)
    assert result.n_calls > draws / 2
    assert result.seconds > 0
    assert result.verdict.startswith("converged")
    if result.nested is not None:
        weights = np.exp(result.nested.log_weight)
        assert weights.sum() == pytest.approx(1.0, rel=1e-6)
        assert np.all(np.diff(result.nested.log_likelihood) >= 0)
        assert np.all(np.diff(result.nested.log_prior_volume) < 0)
        np.testing.assert_allclose(weights @ result.nested.theta, problem.mean, atol=0.02)
        births = result.nested.log_likelihood_birth
        if births is not None:
            assert np.sum(births == -np.inf) == result.diagnostics["nlive"]
            assert np.all(births < result.nested.log_likelihood)


@pytest.mark.parametrize("case", CASES)
def test_same_seed_same_samples(case):
    one, two, other = (run(case, Gaussian(2), seed=s, max_calls=4000).samples for s in (3, 3, 4))
    np.testing.assert_array_equal(one, two)
    assert one.shape != other.shape or not np.array_equal(one, other)


@pytest.mark.parametrize("case", BATCHED)
def test_impossible_part_of_the_prior(case):
    problem = HalfImpossible(2)
    result = run(case, problem)
    samples = result.samples.reshape(-1, 2)
    assert np.all(samples[:, 0] >= problem.mean[0])
    sigma = np.sqrt(problem.covariance[0, 0])
    # Half a Gaussian: its mean is sqrt(2 / pi) sigma from the cut.
    offset = (samples[:, 0].mean() - problem.mean[0]) / sigma
    assert offset == pytest.approx(np.sqrt(2 / np.pi), abs=4 * 0.6 / np.sqrt(min(result.diagnostics["ess"], 1e4)))
    if result.log_evidence is not None:
        # Drawing from the possible half adds its own error to the volume of the prior.
        error = np.hypot(result.log_evidence_error, 0.1)
        assert abs(result.log_evidence - problem.log_evidence - np.log(0.5)) < 3 * error


@pytest.mark.parametrize("case", [*CASES])
def test_nan_names_the_parameters(case, capsys):
    with pytest.raises(ModelError, match=r"is nan at p0 = -0\.(19|20)\d* GV, p1 = 0\.\d+"):
        run(case, WithNaN(2))
    assert "Traceback" not in capsys.readouterr().out


@pytest.mark.parametrize("case", CASES)
def test_error_of_the_model_is_reported(case, capsys):
    with pytest.raises(ModelError, match="the model failed with ValueError: the table ends at 3 TV"):
        run(case, Breaks(2))
    assert "Traceback" not in capsys.readouterr().out


def test_all_prior_draws_impossible():
    with pytest.raises(ParameterError, match="all points drawn from the prior are impossible") as caught:
        check_prior_draws(Impossible(2), seed=1)
    assert "the likelihood is zero for all 512 draws" in str(caught.value)
    assert "p0 =" in caught.value.where


@pytest.mark.parametrize("case", [*CASES, *LEARNING])
def test_interrupt_then_resume_is_the_uninterrupted_run(case):
    problem = Gaussian(2)
    whole = gaussian(case)

    class Impatient(MemoryStore):
        """Asks to stop after some looks at the flag, and checkpoints at every chance."""

        looks = 0

        @property
        def interrupted(self):
            self.looks += 1
            return self.looks > self.patience

        @interrupted.setter
        def interrupted(self, value):
            pass

        def checkpoint_due(self, every):
            return self.looks % 37 == 0

    # The search for the maximum looks some hundred times; then come steps, iterations, or a few dozen batches.
    store = Impatient()
    stops = 0
    for patience in (20, 300, 600, 900, 1700):
        store.looks, store.patience = 0, patience
        try:
            result = run(case, problem, store)
        except RunInterrupted:
            stops += 1
        else:
            break
    else:
        store.patience = np.inf
        result = run(case, problem, store)
    assert stops >= 1
    np.testing.assert_array_equal(result.samples, whole.samples)
    np.testing.assert_array_equal(result.log_posterior, whole.log_posterior)
    assert result.log_evidence == whole.log_evidence
    if "emcee" in case:
        assert result.n_calls == whole.n_calls


@pytest.mark.parametrize("case", CASES)
def test_limit_gives_an_honest_result_that_can_go_on(case):
    problem = Gaussian(2)
    store = MemoryStore()
    part = run(case, problem, store, max_calls=5000)
    assert not part.converged
    assert "not converged" in part.verdict
    assert "max_calls = 5000" in part.verdict
    assert len(part.samples.reshape(-1, 2)) > 0
    rest = run(case, problem, store)
    assert rest.converged
    np.testing.assert_array_equal(rest.samples, gaussian(case).samples)


def test_time_limit():
    result = run("emcee", Gaussian(2), max_time=0.3, target_tau=1e6)
    assert not result.converged
    assert 0.3 <= result.seconds < 3.0
    assert "max_time = 0.3 s" in result.verdict


@pytest.mark.parametrize(("case", "options"), [("emcee", {"max_steps": 40}), ("dynesty", {"max_calls": 9000})])
def test_processes_do_not_change_the_result(case, options):
    one, two = (run(case, Gaussian(3), processes=p, **options) for p in (1, 2))
    np.testing.assert_array_equal(one.samples, two.samples)
    assert one.n_calls == two.n_calls


def test_queue_over_processes_point_by_point():
    options = {"nlive": 30, "walks": 10, "queue_size": 4, "dlogz": 2.0}
    one, two = (run("dynesty point by point", Gaussian(2), processes=p, **options) for p in (1, 2))
    np.testing.assert_array_equal(one.samples, two.samples)


def test_error_in_a_worker_comes_back():
    with pytest.raises(ModelError, match="the table ends at 3 TV"):
        run("emcee", Breaks(2), processes=2)


def test_unknown_sampler_and_option_name_the_nearest():
    with pytest.raises(ConfigError, match="did you mean 'dynesty'"):
        get_sampler("dinesty")
    with pytest.raises(ConfigError, match="did you mean 'walkers'"):
        settings_from(get_sampler("emcee").settings_type, {"walker": 64}, where="config.toml")
    assert sampler_names() == ("map", "emcee", "dynesty", "ultranest")


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("emcee", {"walkers": 33}),
        ("emcee", {"walkers": 8}),
        ("emcee", {"ensembles": 1}),
        ("emcee", {"target_rhat": 1.0}),
        ("emcee", {"max_time": float("nan")}),
        ("emcee", {"seed": "one"}),
        ("emcee", {"seed": True}),
        ("dynesty", {"mode": "statik"}),
        ("dynesty", {"nlive": 9}),
        ("dynesty", {"dlogz": 0}),
        ("dynesty", {"batch": 0, "processes": 2}),
    ],
)
def test_bad_settings_name_key_and_value(name, options):
    sampler = get_sampler(name)
    key = next(iter(options)) if "batch" not in options else "processes"
    with pytest.raises(ConfigError, match=f"{key} = ") as caught:
        sampler.run(Gaussian(5), settings_from(sampler.settings_type, options), MemoryStore())
    assert caught.value.remedy


def test_many_checkpoints_are_merged():
    class Eager(MemoryStore):
        """Checkpoints after every step."""

        def checkpoint_due(self, every):
            most.append(len(self.slots["emcee"].files) if "emcee" in self.slots else 0)
            return True

    most = []
    store = Eager()
    part = run("emcee", Gaussian(2), store, max_steps=200)
    assert MOST_CHUNKS <= max(most) <= MOST_CHUNKS + 3
    np.testing.assert_array_equal(part.samples, run("emcee", Gaussian(2), max_steps=200).samples)
    on = run("emcee", Gaussian(2), store, max_steps=300)
    np.testing.assert_array_equal(on.samples, run("emcee", Gaussian(2), max_steps=300).samples)


def test_chain_in_little_memory_is_thinned_not_wrong():
    # 512 stored steps is the least: the stride doubles several times.
    result = run("emcee", Gaussian(2), memory_mb=0.001, target_tau=150.0)
    assert result.converged
    assert result.diagnostics["thin"] >= 4
    assert result.trace.theta.shape[1] <= 400
    assert len(set(np.diff(result.trace.steps))) == 1
    white = (result.samples.reshape(-1, 2) - Gaussian(2).mean) / np.sqrt(np.diag(Gaussian(2).covariance))
    np.testing.assert_allclose(white.std(axis=0), 1.0, atol=0.06)
