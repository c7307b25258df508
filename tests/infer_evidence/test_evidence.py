"""Evidences of repeated seeds: errors that cover the truth, ranks that claim no more than the errors allow."""

import numpy as np
import pytest

from stellarcr.errors import RunError
from stellarcr.infer.comparison import SEPARATION, Evidence, bayes_factor, combine_seeds, ranks


def known(log_evidence, error=1.0):
    """One seed with a quoted error."""
    return combine_seeds([log_evidence], [error])


def test_one_seed_has_its_own_error_and_no_scatter():
    assert combine_seeds([-3.0], [0.2]) == Evidence(-3.0, 0.2, None, None, 0.2, 1, None)


def test_seeds_are_averaged():
    evidence = combine_seeds([1.0, 2.0, 3.0, 6.0], [0.4, 0.4, 0.4, 0.4])
    assert evidence.log_evidence == pytest.approx(3.0)
    assert evidence.statistical_error == pytest.approx(0.2)
    assert evidence.scatter == pytest.approx(np.sqrt((4 + 1 + 0 + 9) / 3))
    assert evidence.seeds == 4


def test_total_error_is_the_larger_one():
    quiet = combine_seeds([1.0, 1.001, 0.999], [0.3, 0.3, 0.3])
    assert quiet.total_error == quiet.statistical_error > quiet.scatter_error
    loud = combine_seeds([1.0, 3.0, -1.0], [0.3, 0.3, 0.3])
    assert loud.total_error == loud.scatter_error > loud.statistical_error


@pytest.mark.parametrize("n", [2, 3, 5, 20])
def test_error_from_scatter_covers_the_truth_as_often_as_one_sigma_does(n):
    """For Gaussian seeds of unknown spread the interval must hold the truth in 68.3 % of all cases, at any n."""
    rng = np.random.default_rng(n)
    trials = 1000
    covered = 0
    for z in rng.normal(7.0, 2.5, (trials, n)):
        evidence = combine_seeds(z, np.full(n, 1e-3))
        covered += abs(evidence.log_evidence - 7.0) < evidence.scatter_error
    assert covered / trials == pytest.approx(0.6827, abs=4 * np.sqrt(0.6827 * 0.3173 / trials))


def test_p_value_is_uniform_if_the_quoted_errors_hold():
    rng = np.random.default_rng(3)
    sigma = np.array([0.2, 0.4, 0.3])
    p = [combine_seeds(rng.normal(0.0, sigma), sigma).p_value for _ in range(2000)]
    assert np.mean(np.array(p) < 0.1) == pytest.approx(0.1, abs=0.03)
    assert np.mean(np.array(p) < 0.5) == pytest.approx(0.5, abs=0.05)
    assert combine_seeds([0.0, 5.0, -5.0], sigma).p_value < 1e-6


@pytest.mark.parametrize(("z", "p"), [([1.0, 1.0], 1.0), ([1.0, 1.1], 0.0)])
def test_quoted_errors_of_zero(z, p):
    assert combine_seeds(z, [0.0, 0.0]).p_value == p


@pytest.mark.parametrize(
    ("z", "sigma"), [([], []), ([np.nan], [0.1]), ([-np.inf], [0.1]), ([1.0], [-0.1]), ([1.0], [np.nan]), ([1.0], [])]
)
def test_impossible_numbers_are_refused(z, sigma):
    with pytest.raises(RunError, match="cannot be combined"):
        combine_seeds(z, sigma)


def test_bayes_factor_has_both_errors_in_quadrature():
    one = Evidence(10.0, 0.3, 0.5, 0.6, 0.6, 3, 0.5)
    two = Evidence(14.0, 0.4, 0.2, 0.1, 0.4, 3, 0.5)
    factor = bayes_factor(one, two)
    assert factor.log_bayes_factor == -4.0
    assert factor.statistical_error == pytest.approx(0.5)
    assert factor.scatter_error == pytest.approx(np.hypot(0.6, 0.1))
    assert factor.total_error == pytest.approx(np.hypot(0.6, 0.4))
    assert factor.separated
    assert factor.significance == pytest.approx(4.0 / np.hypot(0.6, 0.4))
    assert bayes_factor(known(10.0), two).scatter_error is None


@pytest.mark.parametrize(("distance", "separated"), [(SEPARATION * 0.999, False), (SEPARATION * 1.001, True)])
def test_the_border_of_separation(distance, separated):
    factor = bayes_factor(known(distance * np.sqrt(2.0)), known(0.0))
    assert factor.separated is separated


def test_equal_evidences_without_errors_are_not_separated():
    factor = bayes_factor(known(1.0, 0.0), known(1.0, 0.0))
    assert not factor.separated
    assert factor.significance == 0.0
    assert bayes_factor(known(2.0, 0.0), known(1.0, 0.0)).separated


def test_separated_models_are_ranked_whatever_their_order():
    assert ranks([known(0.0), known(100.0), known(50.0)]) == (3, 1, 2)


def test_models_that_the_errors_do_not_separate_share_a_rank():
    assert ranks([known(0.0), known(50.0), known(52.0)]) == (3, 1, 1)


def test_a_chain_of_pairs_shares_a_rank():
    """The first and the last are separated, but no border between them is."""
    chain = [known(0.0), known(3.0), known(6.0)]
    assert bayes_factor(chain[2], chain[0]).separated
    assert ranks(chain) == (1, 1, 1)


def test_one_uncertain_model_ties_those_around_it():
    assert ranks([known(0.0, 0.1), known(5.0, 10.0), known(10.0, 0.1)]) == (1, 1, 1)


def test_scatter_alone_prevents_a_rank():
    """Quoted errors of 0.1 would separate these by 14 sigma; seeds that scatter by 2 do not."""
    sigma = [0.1, 0.1, 0.1]
    high, low = combine_seeds([-1.0, 1.0, 3.0], sigma), combine_seeds([-2.8, -0.8, 1.2], sigma)
    assert ranks([high, low]) == (1, 1)
    calm_high, calm_low = combine_seeds([1.0, 1.1, 0.9], sigma), combine_seeds([-0.8, -0.7, -0.9], sigma)
    assert ranks([calm_low, calm_high]) == (2, 1)


@pytest.mark.parametrize(("seeds", "largest"), [(2, 0.032), (3, 0.017), (4, 0.012), (5, 0.009)])
def test_equal_models_are_separated_by_chance_as_rarely_as_stated(seeds, largest):
    """The worst case of the module's description: quoted errors that are far too small."""
    rng = np.random.default_rng(seeds)
    trials = 3000
    draws = rng.normal(0.0, 1.0, (trials, 2, seeds))
    quoted = np.full(seeds, 1e-6)
    wrong = sum(bayes_factor(*(combine_seeds(z, quoted) for z in pair)).separated for pair in draws)
    assert wrong / trials == pytest.approx(largest, abs=4 * np.sqrt(largest / trials))
