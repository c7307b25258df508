"""What every error model must do; a new one is covered by its name in `error_models.CASES`."""

import pickle

import array_api_strict as strict
import numpy as np
import pytest
from error_models import CASES
from scipy.stats import multivariate_normal, t

from stellarcr.backend import namespace
from stellarcr.errors import DataError
from stellarcr.infer.predictive import replicate

RESIDUALS = np.random.default_rng(4).normal(0, 1, (6, 4))
VARIANCES = np.random.default_rng(5).uniform(0.01, 2.0, (6, 4))
MEASURED = {name: case for name, case in CASES.items() if case.residuals is not None}
SAMPLES = 40_000

every = pytest.mark.parametrize("case", CASES.values(), ids=CASES)
measured = pytest.mark.parametrize("case", MEASURED.values(), ids=MEASURED)
scattered = pytest.mark.parametrize("variance", [None, VARIANCES[0]], ids=["plain", "scatter"])


@every
def test_density_is_that_of_the_dense_matrix(case):
    expected = [case.log_density(r, np.zeros(4)) for r in RESIDUALS]
    np.testing.assert_allclose(case.model.log_likelihood(RESIDUALS), expected, rtol=1e-11)
    expected = [case.log_density(r, v) for r, v in zip(RESIDUALS, VARIANCES, strict=True)]
    np.testing.assert_allclose(case.model.log_likelihood(RESIDUALS, VARIANCES), expected, rtol=1e-11)


@every
def test_chi2_is_that_of_the_dense_matrix(case):
    expected = [case.chi2(r, np.zeros(4)) for r in RESIDUALS]
    np.testing.assert_allclose(case.model.chi2(RESIDUALS), expected, rtol=1e-11, atol=1e-12)
    expected = [case.chi2(r, v) for r, v in zip(RESIDUALS, VARIANCES, strict=True)]
    np.testing.assert_allclose(case.model.chi2(RESIDUALS, VARIANCES), expected, rtol=1e-11, atol=1e-12)


@every
def test_batches_of_any_shape(case):
    assert case.model.size == 4
    for method in (case.model.log_likelihood, case.model.chi2):
        alone = [(method(r), method(r, v)) for r, v in zip(RESIDUALS, VARIANCES, strict=True)]
        plain, scatter = np.array(alone).T
        np.testing.assert_allclose(method(RESIDUALS), plain, rtol=1e-12, atol=1e-13)
        np.testing.assert_allclose(method(RESIDUALS, VARIANCES), scatter, rtol=1e-12, atol=1e-13)
        deep, wide = RESIDUALS.reshape(2, 3, 4), VARIANCES.reshape(2, 3, 4)
        assert method(deep).shape == method(deep, wide).shape == (2, 3)
        np.testing.assert_allclose(method(deep, wide).ravel(), scatter, rtol=1e-12, atol=1e-13)
        one_for_all = [method(r, VARIANCES[0]) for r in RESIDUALS]
        np.testing.assert_allclose(method(RESIDUALS, VARIANCES[0]), one_for_all, rtol=1e-12, atol=1e-13)


@every
def test_no_scatter_is_a_scatter_of_zero(case):
    zero = np.zeros((6, 4))
    np.testing.assert_allclose(
        case.model.log_likelihood(RESIDUALS, zero), case.model.log_likelihood(RESIDUALS), rtol=1e-12
    )
    np.testing.assert_allclose(case.model.chi2(RESIDUALS, zero), case.model.chi2(RESIDUALS), rtol=1e-11, atol=1e-12)


@every
def test_a_better_fit_is_more_likely(case):
    # a limit is satisfied best by a model far below it
    assert case.model.log_likelihood(np.full(4, -8.0)) < case.model.log_likelihood(np.full(4, -1.0))
    # and a scatter makes a bad fit less bad
    assert case.model.log_likelihood(np.full(4, -8.0)) < case.model.log_likelihood(np.full(4, -8.0), np.full(4, 4.0))
    assert np.all(case.model.chi2(RESIDUALS) >= 0)


@every
def test_another_array_namespace(case):
    residuals, variances = strict.asarray(RESIDUALS), strict.asarray(VARIANCES)
    for method in ("log_likelihood", "chi2"):
        plain, scatter = getattr(case.model, method)(residuals), getattr(case.model, method)(residuals, variances)
        assert namespace(plain).__name__ == namespace(scatter).__name__ == "array_api_strict"
        np.testing.assert_allclose(np.asarray(plain), getattr(case.model, method)(RESIDUALS), rtol=1e-12, atol=1e-13)
        expected = getattr(case.model, method)(RESIDUALS, VARIANCES)
        np.testing.assert_allclose(np.asarray(scatter), expected, rtol=1e-11, atol=1e-12)


@every
def test_workers_receive_it(case):
    again = pickle.loads(pickle.dumps(case.model))
    np.testing.assert_array_equal(again.log_likelihood(RESIDUALS), case.model.log_likelihood(RESIDUALS))


def spread(case, variance):
    """Widths of a distribution that reaches further than the model's."""
    extra = 0.0 if variance is None else np.max(variance)
    return 1.7 * np.sqrt(case.width**2 + extra)


@measured
@scattered
def test_it_is_normalised_over_the_data(case, variance):
    # importance sampling with Student's t of five degrees of freedom, whose tails are heavier than any here
    rng = np.random.default_rng(7)
    width = spread(case, variance)
    numbers = width * rng.standard_t(5, (SAMPLES, len(width)))
    density = np.sum(t(5, scale=width).logpdf(numbers), axis=1)
    weights = np.exp(case.model.log_likelihood(case.residuals(numbers), variance) - density)
    error = weights.std() / np.sqrt(SAMPLES)
    assert error < 0.03
    assert abs(weights.mean() - 1.0) < 4 * error


@measured
@scattered
def test_draws_follow_the_density(case, variance):
    rng = np.random.default_rng(8)
    drawn = replicate(case.model, rng, SAMPLES, case.predicted, variance)
    assert drawn.shape == (SAMPLES, 4)
    # what is measured, from the first alternative's points where there are several
    origin, unit = case.residuals(np.zeros(len(case.width))), case.residuals(np.ones(len(case.width)))
    index = np.argsort(np.abs(unit - origin) < 1e-12, kind="stable")[: len(case.width)]
    if hasattr(case.model, "alternatives"):
        index = case.model.alternatives[0][0]
    numbers = (drawn[:, index] - origin[index]) / (unit - origin)[index]
    np.testing.assert_allclose(case.residuals(numbers), drawn, atol=1e-9)
    # the mean of q/p over draws from p is one for any density q inside p: here a narrow one, off the centre, whose
    # shape comes from draws of its own
    first, second = numbers[: SAMPLES // 2], drawn[SAMPLES // 2 :]
    for shift in (-0.3, 0.2):
        middle = np.median(first, axis=0) + shift * first.std(axis=0)
        narrow = multivariate_normal(middle, 0.15 * np.cov(first.T)).logpdf(numbers[SAMPLES // 2 :])
        ratio = np.exp(narrow - case.model.log_likelihood(second, variance))
        error = ratio.std() / np.sqrt(len(ratio))
        assert error < 0.1
        assert abs(ratio.mean() - 1.0) < 4 * error


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.residuals is None])
def test_limits_cannot_be_drawn(name):
    with pytest.raises(DataError, match="cannot be replicated") as caught:
        replicate(CASES[name].model, np.random.default_rng(0), 3)
    assert "range" in caught.value.remedy


@pytest.mark.parametrize("name", [name for name in CASES if name.startswith("mean")])
def test_a_mean_over_models_is_drawn_around_predictions(name):
    case = CASES[name]
    with pytest.raises(DataError, match="predictions"):
        replicate(case.model, np.random.default_rng(0), 3)
    # over data that follow the models, the probability of each is its weight on average
    drawn = replicate(case.model, np.random.default_rng(1), SAMPLES, case.predicted)
    shares = case.model.probabilities(drawn)
    np.testing.assert_allclose(shares.sum(axis=-1), 1.0, rtol=1e-12)
    error = shares[:, 0].std() / np.sqrt(SAMPLES)
    assert abs(shares[:, 0].mean() - 0.3) < 4 * error
    assert error < 0.01
