"""Amplitudes integrated out of real posteriors."""

import numpy as np
import pytest
from scipy.special import logsumexp

from stellarcr.config import build_posterior, config_from_mapping
from stellarcr.errors import ConfigError
from stellarcr.infer.collapsed import CollapsedPosterior
from stellarcr.infer.collapsed.posterior import CANDIDATES


def posterior_of(content):
    return build_posterior(config_from_mapping(content))


@pytest.fixture(scope="module")
def collapsed(reference):
    return CollapsedPosterior.build(reference)


@pytest.fixture(scope="module")
def points(collapsed):
    """Points of the prior that are not absurd, and the reference."""
    theta = collapsed.sample_prior(np.random.default_rng(4), 400)
    order = np.argsort(collapsed.log_likelihood(theta))
    return np.concatenate([collapsed.reference()[None], theta[order[-3:]]])


def with_groups(content):
    """Sums of elements meet in one table: two amplitudes need two colours."""
    content["likelihoods"] = {"lhaaso_phe": {}, "ams02": {"species": ["H", "He", "C"]}}
    abundance = content["parameters"]["snr"]["abundance"]
    content["parameters"]["snr"]["abundance"] = {key: abundance[key] for key in ("He", "C")}
    return content


def with_scale(content):
    content["likelihoods"]["dampe"] = {
        "nuisances": {"energy_scale": {"prior": {"kind": "normal", "mean": 1.0, "standard_deviation": 0.03}}}
    }
    return content


@pytest.mark.parametrize(("change", "colours"), [(dict, 1), (with_groups, 2), (with_scale, 1)])
def test_predictions_are_linear_in_the_amplitudes(reference_content, change, colours, one_thread):
    full = posterior_of(change(reference_content()))
    collapsed = CollapsedPosterior.build(full)
    theta = full.sample_prior(np.random.default_rng(7), 3)
    remaining = theta[:, [full.names.index(name) for name in collapsed.names]]
    own = theta[:, [full.names.index(name) for name in collapsed.prior.space.names]]
    predicted = collapsed.design.predictions(collapsed.space.resolve(remaining), 3)
    amplitudes = collapsed.prior.amplitudes(own, predicted.shares)
    design = collapsed.design
    assert len(predicted.units) == colours
    total = predicted.rest + sum(
        amplitudes[:, k, None] * predicted.units[design.colours[k]] * design.incidence[k] for k in range(design.size)
    )
    exact = np.concatenate(list(full.predictions(theta).values()), axis=1)
    assert total == pytest.approx(exact, rel=1e-11)


def test_peak_is_where_the_likelihood_is_largest(reference, collapsed, points):
    work = collapsed._work(points)
    at_peak = reference.log_likelihood(collapsed._join(points, work.peak.amplitudes, work.shares))
    assert at_peak == pytest.approx(collapsed.design.log_constant - 0.5 * work.peak.chi2, abs=1e-6)
    rng = np.random.default_rng(2)
    for _ in range(5):
        away = work.peak.amplitudes * (1 + 0.01 * rng.standard_normal(work.peak.amplitudes.shape))
        expected = collapsed.design.log_constant - 0.5 * work.peak.chi2_at(away)
        assert reference.log_likelihood(collapsed._join(points, away, work.shares)) == pytest.approx(expected, abs=1e-5)


def test_integral_against_sampling_in_the_parameters(reference, collapsed, points):
    """Importance sampling over power and multipliers themselves: no Jacobian, no expansion."""
    rng = np.random.default_rng(5)
    own = [reference.names.index(name) for name in collapsed.prior.space.names]
    values = collapsed.log_likelihood(points)
    for theta, value in zip(points, values, strict=True):
        drawn = collapsed.restore(np.repeat(theta[None], 500, axis=0), rng).theta
        root = np.linalg.cholesky(1.4 * np.cov(drawn[:, own].T))
        noise = rng.standard_normal((2000, len(own)))
        full = np.repeat(drawn[:1], len(noise), axis=0)
        full[:, own] = drawn[:, own].mean(axis=0) + noise @ root.T
        density = -0.5 * np.sum(noise**2, axis=1) - 0.5 * len(own) * np.log(2 * np.pi) - np.log(np.diag(root)).sum()
        log_weight = reference.log_likelihood(full) + collapsed.prior.space.log_prior(full[:, own]) - density
        weight = np.exp(log_weight - log_weight.max())
        error = np.std(weight) / np.mean(weight) / np.sqrt(len(weight))
        assert abs(logsumexp(log_weight) - np.log(len(weight)) - value) < 4 * error
        assert error < 0.05


def test_drawn_amplitudes_follow_their_conditional_distribution(reference, collapsed, points):
    """The full posterior over the density of the draws is the same number at every draw."""
    own = [reference.names.index(name) for name in collapsed.prior.space.names]
    restored = collapsed.restore(np.repeat(points[:1], 200, axis=0), np.random.default_rng(9))
    work = collapsed._work(points[:1])
    amplitudes = collapsed.prior.amplitudes(restored.theta[:, own], np.repeat(work.shares, 200, axis=0))
    joint = reference.log_likelihood(restored.theta) + collapsed.prior.log_density(
        amplitudes, np.repeat(work.shares, 200, axis=0)
    )
    away = amplitudes - work.marginal.mean
    gaussian = -0.5 * np.einsum("ni,ij,nj->n", away, work.marginal.precision[0], away)
    assert np.std(joint - gaussian) < 1e-3
    assert np.abs(restored.log_correction).max() < 1e-3
    assert restored.significance.min() > 50
    assert CANDIDATES > 1


def test_points_that_the_data_exclude_have_a_low_and_finite_value(collapsed):
    theta = collapsed.sample_prior(np.random.default_rng(3), 512)
    values = collapsed.log_likelihood(theta)
    work = collapsed._work(theta)
    bad = work.moved | (work.peak.significance < 5)
    assert np.isfinite(values).all()
    assert bad.any()
    assert values[bad].max() < values[~bad].max() - 100


def test_amplitudes_of_which_only_the_sum_is_seen(reference_content):
    """Far below the data no power law of any element is seen either: no matrix has an inverse there."""
    content = reference_content()
    content["likelihoods"] = {"lhaaso_all": {}}
    content["parameters"]["snr"]["log10_R_max"] = {"prior": "uniform", "low": 2.0, "high": 7.0}
    content["constraints"] = []
    content["parameters"] = {key: value for key, value in content["parameters"].items() if key != "ams02"}
    collapsed = CollapsedPosterior.build(posterior_of(content))
    theta = collapsed.sample_prior(np.random.default_rng(1), 64)
    assert np.isfinite(collapsed.log_likelihood(theta)).all()
    work = collapsed._work(theta)
    assert (work.moved | (work.peak.significance < 5)).all()


def test_values_do_not_depend_on_the_batch(collapsed, points):
    together = collapsed.log_likelihood(points)
    alone = np.concatenate([collapsed.log_likelihood(point[None]) for point in points])
    assert together == pytest.approx(alone, rel=1e-12)


def without_abundances(content):
    content["parameters"]["snr"].pop("abundance")


def two_populations(content):
    content["populations"]["old_snr"] = {"kind": "snr"}
    content["parameters"]["old_snr"] = {"abundance": {"He": {"prior": "log_normal", "median": 1.0, "sigma": 0.5}}}


def fixed_power(content):
    content["parameters"]["snr"]["log10_power"] = 48.3


def linked(content):
    content["parameters"]["msc"]["log10_power"] = {"linked": "snr.log10_power - 1"}


def ordered(content):
    for element in ("C", "O"):
        del content["parameters"]["snr"]["abundance"][element]["value"]
    content["constraints"].append({"order": ["snr.abundance.C", "snr.abundance.O"]})


def ratios(content):
    content["likelihoods"] = {"ams02_ratios": {"species": ["C/O"]}}


def fragments(content):
    content["galaxy"] = {"preset": "plain-diffusion"}
    content["likelihoods"] = {"ams02": {"species": ["H", "He"]}}


def log_mass(content):
    content["likelihoods"] = {"lhaaso_lna": {}}


def scatter(content):
    content["parameters"]["dampe"] = {"scatter": {"prior": "half_normal", "scale": 0.05}}


def hadronic_models(content):
    content["likelihoods"]["lhaaso"] = {"hadronic_model": ["EPOS-LHC", "QGSJET-II-04"]}


def unseen(content):
    content["likelihoods"] = {"lhaaso": {}}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (without_abundances, "no population has free abundances"),
        (two_populations, "several populations"),
        (fixed_power, "snr.power is not free"),
        (linked, "msc.log10_power is linked to snr.log10_power"),
        (ordered, "the order snr.abundance.C < snr.abundance.O"),
        (ratios, "ratios"),
        (fragments, "fragments"),
        (log_mass, "mean logarithmic masses"),
        (scatter, "dampe.scatter"),
        (hadronic_models, "MixtureErrors"),
        (unseen, "no data constrain snr.abundance.C"),
    ],
)
def test_what_cannot_be_integrated_is_refused_with_the_reason(reference_content, change, words):
    content = reference_content()
    change(content)
    with pytest.raises(ConfigError, match="collapsed") as caught:
        CollapsedPosterior.build(posterior_of(content))
    assert words in caught.value.problem
    assert 'amplitudes = "sampled"' in caught.value.remedy
