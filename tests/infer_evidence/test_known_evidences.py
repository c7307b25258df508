"""Samplers and importance sampling on problems of known evidence: the fast part of benchmarks/evidences.py."""

import sys
from pathlib import Path

import numpy as np
import pytest

from stellarcr.infer.comparison.insertion import insertion_test
from stellarcr.infer.importance.evidence import importance_evidence
from stellarcr.infer.samplers import MemoryStore, get_sampler, settings_from

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
from evidences import PROBLEMS, CorrelatedGaussian

LIVE = {"gaussian2": 450, "triangle": 200, "linear": 270}
"""Live points for a quoted error of at most 0.1."""


def sample(problem, **options):
    adapter = get_sampler("dynesty")
    return adapter.run(problem, settings_from(adapter.settings_type, options), MemoryStore())


@pytest.mark.parametrize("name", LIVE)
def test_known_evidences(name):
    problem = PROBLEMS[name]()
    nested = sample(problem, nlive=LIVE[name], walks=50, seed=1)
    assert nested.log_evidence_error <= 0.1
    assert abs(nested.log_evidence - problem.log_evidence) < 3 * nested.log_evidence_error
    theta = nested.samples.reshape(-1, problem.n_dim)
    found = importance_evidence(problem, theta, np.random.default_rng(1), draws=10_000)
    assert found.reliable, found.verdict
    assert abs(found.log_evidence - problem.log_evidence) < 0.02
    # one correct run in a thousand is below this
    assert insertion_test(nested.nested.log_likelihood, nested.nested.log_likelihood_birth).p_value > 1e-3


@pytest.mark.parametrize("n_dim", [10, 20])
def test_more_parameters_by_importance_sampling_of_a_short_run(n_dim):
    """Few live points: dynesty's error is large, that of importance sampling is not."""
    problem = CorrelatedGaussian(n_dim)
    nested = sample(problem, nlive=60, walks=8 * n_dim, dlogz=0.5, seed=2)
    assert abs(nested.log_evidence - problem.log_evidence) < 3 * nested.log_evidence_error
    theta = nested.samples.reshape(-1, n_dim)
    found = importance_evidence(problem, theta, np.random.default_rng(2), draws=20_000)
    assert found.reliable, found.verdict
    assert abs(found.log_evidence - problem.log_evidence) < 0.02
