"""Suspiciousness and parameter shifts against a linear Gaussian model, in which both are known."""

import numpy as np
import pytest
from linear_model import LinearModel
from scipy.stats import chi2, kstest, norm

from stellarcr.errors import RunError
from stellarcr.infer.comparison.tension import Fit, deviation, parameter_shift, suspiciousness

N = 20_000


def two_experiments(shift, widths=(50.0, 50.0, 0.5, 0.5), seed=2):
    """Two experiments that measure two parameters, each with an offset of its own (parameters 2 and 3)."""
    rng = np.random.default_rng(seed)
    parts = []
    for k, sigma in enumerate((0.3, 0.4)):
        design = np.zeros((12, 4))
        design[:, :2] = rng.normal(size=(12, 2))
        design[:, 2 + k] = 1.0
        truth = np.array([0.3 + k * shift, -0.2, 0.1, -0.1])
        parts.append((design, sigma, design @ truth + sigma * rng.normal(size=12)))
    return LinearModel(widths, parts)


def fits(model, seed=0, n=N):
    rng = np.random.default_rng(seed)
    result = []
    for part in (model, model.only(0), model.only(1)):
        result.append(Fit(part.total(part.samples(n, rng)), n, part.log_evidence, 0.1))
    return result


def exact_shift(model):
    """Q and its degrees of freedom: difference of the maxima of the likelihoods, offsets integrated out."""
    estimates = []
    for k, (design, sigma, y) in enumerate(model.parts):
        noise = sigma**2 * np.eye(12) + model.widths[2 + k] ** 2 * np.ones((12, 12))
        weight = np.linalg.inv(noise)
        shared = design[:, :2]
        covariance = np.linalg.inv(shared.T @ weight @ shared)
        estimates.append((covariance @ shared.T @ weight @ y, covariance))
    (one, c1), (two, c2) = estimates
    return float((one - two) @ np.linalg.solve(c1 + c2, one - two))


@pytest.mark.parametrize("shift", [0.0, 0.6])
def test_suspiciousness_is_the_exact_one(shift):
    model = two_experiments(shift)
    joint, *parts = fits(model)
    found = suspiciousness(joint, parts)
    singles = [model.only(0), model.only(1)]
    exact = model.mean_log_likelihood - sum(m.mean_log_likelihood for m in singles)
    assert found.log_suspiciousness.value == pytest.approx(exact, abs=4 * found.log_suspiciousness.error)
    # offsets belong to one experiment each: two parameters are shared
    assert found.dimensions.value == pytest.approx(2.0, abs=4 * found.dimensions.error)
    assert found.dimensions.error < 0.2
    ratio = model.log_evidence - sum(m.log_evidence for m in singles)
    assert found.log_bayes_ratio.value == pytest.approx(ratio)
    assert found.log_bayes_ratio.error == pytest.approx(0.1 * np.sqrt(3))
    information = found.log_information_ratio
    assert information.value == pytest.approx(ratio - exact, abs=4 * information.error)
    # wide priors: d - 2 ln S is the chi2 of the shift
    p = chi2.sf(exact_shift(model), 2)
    assert found.p_value.value == pytest.approx(p, abs=4 * found.p_value.error + 1e-4)
    assert found.sigma.value == pytest.approx(norm.isf(p / 2), abs=4 * found.sigma.error + 0.02)


def test_suspiciousness_forgets_the_prior_and_the_bayes_ratio_does_not():
    narrow, wide = (
        suspiciousness(f[0], f[1:]) for f in (fits(two_experiments(0.6, (w, w, 0.5, 0.5))) for w in (20, 200))
    )
    difference = wide.log_suspiciousness.value - narrow.log_suspiciousness.value
    assert abs(difference) < 4 * np.hypot(wide.log_suspiciousness.error, narrow.log_suspiciousness.error)
    assert wide.log_bayes_ratio.value - narrow.log_bayes_ratio.value == pytest.approx(2 * np.log(10), abs=0.05)


def test_errors_of_suspiciousness_are_honest():
    model = two_experiments(0.6)
    found = [suspiciousness(f[0], f[1:]) for f in (fits(model, seed, 5000) for seed in range(30))]
    for name in ("log_suspiciousness", "dimensions", "p_value", "sigma"):
        values = [getattr(f, name).value for f in found]
        quoted = np.mean([getattr(f, name).error for f in found])
        assert 0.6 < np.std(values) / quoted < 1.5, name


def test_without_evidences_there_is_suspiciousness_but_no_bayes_ratio():
    joint, *parts = (Fit(f.log_likelihood, f.effective_samples) for f in fits(two_experiments(0.6)))
    found = suspiciousness(joint, parts)
    assert found.log_bayes_ratio is None
    assert found.log_information_ratio is None
    assert found.p_value.value < 0.05
    with pytest.raises(RunError, match="two parts"):
        suspiciousness(joint, parts[:1])


def test_nothing_in_common_has_no_p_value():
    design = np.eye(2)
    model = LinearModel([10.0, 10.0], [(np.array([design[0]]), 1.0, [0.3]), (np.array([design[1]]), 1.0, [2.0])])
    found = suspiciousness(*(lambda f: (f[0], f[1:]))(fits(model)))
    assert found.p_value is None
    assert abs(found.dimensions.value) < 4 * found.dimensions.error


# ---------------------------------------------------------------------- shifts


def shared(model, n, seed=0):
    rng = np.random.default_rng(seed)
    prior = rng.normal(size=(5000, 2)) * model.widths[:2]
    return model.only(0).samples(n, rng)[:, :2], model.only(1).samples(n, rng)[:, :2], prior


@pytest.mark.parametrize("widths", [(50.0, 50.0, 0.5, 0.5), (0.8, 0.8, 0.5, 0.5)])
@pytest.mark.parametrize("shift", [0.0, 0.6])
def test_the_shift_is_that_of_the_likelihoods_whatever_the_prior(widths, shift):
    model = two_experiments(shift, widths)
    found = parameter_shift(*shared(model, N), (N, N))
    exact = exact_shift(model)
    assert found.directions == 2
    # the prior's covariance comes from 5000 draws
    assert found.chi2.value == pytest.approx(exact, abs=5 * found.chi2.error + 0.03 * exact)
    assert found.p_value.value == pytest.approx(chi2.sf(exact, 2), rel=0.15, abs=5 * found.p_value.error)


def test_counting_agrees_for_gaussians_of_wide_prior():
    model = two_experiments(0.6)
    found = parameter_shift(*shared(model, N), (N, N))
    assert found.p_counted.value == pytest.approx(chi2.sf(exact_shift(model), 2), abs=4 * found.p_counted.error)
    for k, marginal in enumerate(found.marginals):
        (m1, c1), (m2, c2) = model.only(0).posterior, model.only(1).posterior
        difference, error = m1[k] - m2[k], np.sqrt(c1[k, k] + c2[k, k])
        assert marginal.difference == pytest.approx(difference, abs=0.05 * error)
        assert marginal.error == pytest.approx(error, rel=0.03)
        assert marginal.p_value == pytest.approx(2 * norm.sf(abs(difference) / error), abs=5 * marginal.p_value_error)


def test_directions_that_one_experiment_does_not_see_are_no_tension():
    # the second experiment sees the first parameter only, the first one both; the prior of the other is far off
    model = LinearModel([1.0, 1.0, 1.0, 1.0], [(np.eye(4)[:2], 0.05, [0.5, 4.0]), (np.eye(4)[:1], 0.05, [0.55])])
    found = parameter_shift(*shared(model, N), (N, N))
    assert found.directions == 1
    assert found.chi2.value == pytest.approx(0.5, abs=5 * found.chi2.error + 0.05)


def test_p_values_of_consistent_experiments_are_uniform():
    rng = np.random.default_rng(5)
    widths, p_values = np.array([1.0, 1.0, 0.5, 0.5]), []
    for seed in range(40):
        model = two_experiments(0.0, widths, seed=1)
        truth = rng.normal(size=4) * widths
        model.parts = [(a, 0.6, a @ truth + 0.6 * rng.normal(size=12)) for a, _, _ in model.parts]
        p_values.append(parameter_shift(*shared(model, 1500, seed), (1500, 1500)).p_value.value)
    assert kstest(p_values, "uniform").pvalue > 0.01


def test_too_few_samples_are_refused():
    first, second, prior = shared(two_experiments(0.0), 200)
    with pytest.raises(RunError, match="12 effective samples"):
        parameter_shift(first, second, prior, (200, 12))


@pytest.mark.parametrize("x", [0.3, 4.0, 600.0, 1300.0, 1400.0, 1e5])
def test_deviations_far_beyond_the_smallest_number_are_finite(x):
    """In one dimension chi2 is the square of a deviation; in two and four its probability is elementary."""
    assert deviation(x, 1.0) == pytest.approx(np.sqrt(x), rel=1e-6)
    for dimensions, log_p in ((2.0, -0.5 * x), (4.0, -0.5 * x + np.log1p(0.5 * x))):
        assert norm.logsf(deviation(x, dimensions)) + np.log(2.0) == pytest.approx(log_p, rel=1e-6)
