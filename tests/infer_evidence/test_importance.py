"""Evidence by importance sampling: known answers, honest errors, and verdicts that see what is wrong."""

import numpy as np
import pytest
from evidence_toys import Curved
from infer_toys import Box, FarTail, Gaussian, TwoPeaks, WithNaN
from scipy.stats import multivariate_t, norm

from stellarcr.errors import ConfigError, ModelError, RunError
from stellarcr.infer.constraints import OrderConstraint
from stellarcr.infer.importance.bridge import bridge_evidence
from stellarcr.infer.importance.evidence import importance_evidence
from stellarcr.infer.importance.mixture import StudentMixture, fit_mixture
from stellarcr.infer.importance.unbounded import Unbounded
from stellarcr.infer.parameter import Parameter
from stellarcr.infer.parameters import ParameterSpace
from stellarcr.infer.priors import Uniform


def samples_of(toy, rng, n):
    """Independent posterior samples of a Gaussian toy."""
    return rng.multivariate_normal(toy.mean, toy.covariance, n)


# --- coordinates


def reaching_all_kinds(rng, n):
    """Samples in a box [-1, 1]: far from the edges, near the lower, the upper, and both."""
    lower = -1.0 + 0.01 * np.abs(rng.standard_normal(n))
    upper = 1.0 - 1e-3 * np.abs(rng.standard_normal(n))
    return np.column_stack([0.01 * rng.standard_normal(n), lower, upper, rng.uniform(-1.0, 1.0, n)])


def test_coordinates_come_back():
    theta = reaching_all_kinds(np.random.default_rng(0), 500)
    unbounded = Unbounded.around(Box(4), theta)
    assert sorted(unbounded.kind) == [0, 1, 2, 3]
    back, _ = unbounded.to_theta(unbounded.to_unbounded(theta))
    np.testing.assert_allclose(back, theta, rtol=0, atol=1e-15)
    np.testing.assert_allclose(1.0 - back[:, 2], 1.0 - theta[:, 2], rtol=1e-6, atol=1e-15)


def test_coordinates_are_as_normal_as_their_table_says():
    """Half-normal samples at one edge, and constant ones between two, are standard normal afterwards."""
    theta = reaching_all_kinds(np.random.default_rng(1), 20_000)
    z = Unbounded.around(Box(4), theta).to_unbounded(theta)
    for k in (1, 2, 3):
        levels = np.sort(norm.cdf(z[:, k]))
        assert np.max(np.abs(levels - np.linspace(0, 1, len(levels)))) < 1.63 / np.sqrt(len(levels))


def test_volume_is_that_of_a_numerical_derivative():
    theta = reaching_all_kinds(np.random.default_rng(2), 50)
    unbounded = Unbounded.around(Box(4), theta)
    z, step = np.random.default_rng(3).normal(0.0, 2.0, (50, 4)), 1e-4
    _, log_volume = unbounded.to_theta(z)
    # parameters do not mix: the determinant is the product of the derivatives
    slopes = (unbounded.to_theta(z + step)[0] - unbounded.to_theta(z - step)[0]) / (2.0 * step)
    np.testing.assert_allclose(log_volume, np.sum(np.log(np.abs(slopes)), axis=1), rtol=1e-5, atol=1e-5)


def test_priors_without_edges_keep_their_parameters():
    """A normal prior: samples far in its tail are near neither edge."""
    toy, theta = FarTail(2), np.random.default_rng(5).normal(-7.2, 0.447, (200, 2))
    unbounded = Unbounded.around(toy, theta)
    np.testing.assert_array_equal(unbounded.kind, 0)
    np.testing.assert_array_equal(unbounded.to_theta(theta)[0], theta)


def test_samples_on_an_edge_stay_finite():
    theta = reaching_all_kinds(np.random.default_rng(4), 100)
    theta[0, 1], theta[1, 2], theta[2, 3], theta[3, 3] = -1.0, 1.0, -1.0, 1.0
    assert np.all(np.isfinite(Unbounded.around(Box(4), theta).to_unbounded(theta)))


# --- the proposal


def test_density_is_that_of_the_draws_and_of_scipy():
    mixture = StudentMixture(
        weights=np.array([0.3, 0.7]),
        means=np.array([[0.0, 1.0], [3.0, -1.0]]),
        factors=np.array([[[1.0, 0.0], [0.5, 0.4]], [[0.2, 0.0], [-0.3, 0.8]]]),
        freedom=np.array([5.0, 12.0]),
    )
    parts = zip(mixture.weights, mixture.means, mixture.factors, mixture.freedom, strict=True)
    points = mixture.draw(np.random.default_rng(0), 40_000)
    expected = sum(w * multivariate_t(m, f @ f.T, df).pdf(points[:50]) for w, m, f, df in parts)
    np.testing.assert_allclose(np.exp(mixture.log_density(points[:50])), expected, rtol=1e-12)
    # one over the density, averaged over draws in a box, is the area of the box
    box = np.all((points > [-1.0, -2.0]) & (points < [4.0, 2.0]), axis=1)
    inverse = np.where(box, np.exp(-mixture.log_density(points)), 0.0)
    assert np.mean(inverse) == pytest.approx(20.0, abs=4 * np.std(inverse) / 200.0)


def test_held_out_samples_choose_the_number_of_gaussians():
    """One Gaussian is not split; two separated ones are found."""
    rng = np.random.default_rng(1)
    one = rng.normal(size=(300, 3))
    two = np.concatenate([one, one + np.array([20.0, 0.0, 0.0])])
    few = len(fit_mixture(one, -0.5 * np.sum(one**2, axis=1), rng).weights)
    log_two = np.logaddexp(-0.5 * np.sum(two**2, axis=1), -0.5 * np.sum((two - [20.0, 0.0, 0.0]) ** 2, axis=1))
    mixture = fit_mixture(two, log_two, rng)
    assert len(mixture.weights) > few
    # hardly a draw falls between the two
    assert np.mean(np.abs(mixture.draw(rng, 2000)[:, 0] - 10.0) < 5.0) < 0.06


# --- the evidence


def test_twelve_parameters_of_our_kind():
    toy, rng = Curved(), np.random.default_rng(0)
    result = importance_evidence(toy, toy.exact_samples(rng, 5000), rng)
    assert result.reliable, result.verdict
    assert result.error < 0.01
    assert abs(result.log_evidence - toy.log_evidence) < min(0.02, 4 * result.error)
    assert abs(result.bridge - toy.log_evidence) < 4 * result.bridge_error
    assert result.pareto_k < 0.7
    assert result.effective_samples == pytest.approx(1.0 / (result.error**2 + 1.0 / result.draws), rel=0.01)


@pytest.mark.parametrize("n_dim", [2, 10, 20])
def test_correlated_gaussians(n_dim):
    toy, rng = Gaussian(n_dim), np.random.default_rng(n_dim)
    result = importance_evidence(toy, samples_of(toy, rng, 3000), rng, draws=20_000)
    assert result.reliable, result.verdict
    assert abs(result.log_evidence - toy.log_evidence) < min(0.02, 4 * result.error)


def test_nothing_but_the_prior():
    """A flat likelihood: ln Z = 0, and all edges are reached."""
    toy, rng = Box(5), np.random.default_rng(5)
    result = importance_evidence(toy, rng.uniform(-1.0, 1.0, (2000, 5)), rng, draws=20_000)
    assert result.reliable, result.verdict
    assert abs(result.log_evidence) < 0.02


class Ordered(Gaussian):
    """Three ordered uniform parameters: the prior's density is 3!, and the posterior piles up where two are equal."""

    def __init__(self):
        super().__init__(3, low=0.0, high=1.0)
        self._space = ParameterSpace(
            tuple(Parameter(name, prior=Uniform(0.0, 1.0)) for name in self.names),
            constraints=(OrderConstraint(self.names),),
        )

    def log_prior(self, theta):
        return self._space.log_prior(theta)

    def prior_transform(self, unit):
        return self._space.prior_transform(unit)

    def log_likelihood(self, theta):
        return -0.5 * np.sum(((theta - 0.5) / 0.1) ** 2, axis=1)

    @property
    def log_evidence(self):
        # all orders have the same likelihood, so the order's share of the integral cancels its share of the prior
        return 3 * np.log(0.1 * np.sqrt(2.0 * np.pi) * (norm.cdf(5.0) - norm.cdf(-5.0)))


def test_an_order_of_parameters():
    toy, rng = Ordered(), np.random.default_rng(6)
    result = importance_evidence(toy, np.sort(rng.normal(0.5, 0.1, (4000, 3)), axis=1), rng)
    assert result.reliable, result.verdict
    assert abs(result.log_evidence - toy.log_evidence) < min(0.02, 4 * result.error)


def test_errors_are_honest():
    """Pulls over 20 seeds have unit width: chi-squared within what chance leaves in 99.8 % of all cases."""
    toy = Gaussian(4)
    pulls = []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        result = importance_evidence(toy, samples_of(toy, rng, 400), rng, draws=1000)
        pulls.append((result.log_evidence - toy.log_evidence) / result.error)
    assert 5.9 < np.sum(np.square(pulls)) < 45.3


def test_same_seed_same_result():
    toy = Gaussian(3)
    theta = samples_of(toy, np.random.default_rng(0), 300)
    one, two = (importance_evidence(toy, theta, np.random.default_rng(1), draws=1000) for _ in range(2))
    assert one == two


# --- verdicts


def test_a_peak_that_the_proposal_never_heard_of_is_seen():
    """The first three quarters of a chain are in one peak, the last quarter is half in the other."""
    toy, rng = TwoPeaks(2), np.random.default_rng(7)
    theta = rng.normal(-0.5, 0.05, (2000, 2))
    theta[1750:] = rng.normal(0.5, 0.02, (250, 2))
    result = importance_evidence(toy, theta, rng, draws=5000)
    assert not result.reliable
    assert "bridge" in result.verdict


def test_samples_of_another_posterior_are_seen():
    """A third as wide as they should be: the proposals learn from their own draws, but the samples contradict them."""
    toy, rng = Gaussian(8), np.random.default_rng(2)
    theta = toy.mean + (samples_of(toy, rng, 2000) - toy.mean) / 3.0
    result = importance_evidence(toy, theta, rng, draws=8000)
    assert not result.reliable
    assert result.n_calls >= 8000 + 2 * 2000 + 2000  # more than one pilot
    assert abs(result.log_evidence - toy.log_evidence) < 4 * result.error < 0.3


def test_what_cannot_be_done_is_refused():
    toy, rng = Gaussian(3), np.random.default_rng(10)
    with pytest.raises(RunError, match="too few for 3 parameters"):
        importance_evidence(toy, samples_of(toy, rng, 20), rng)
    with pytest.raises(RunError, match="too few for 3 parameters"):
        importance_evidence(toy, np.tile(samples_of(toy, rng, 5), (100, 1)), rng)
    with pytest.raises(ConfigError, match="10 draws"):
        importance_evidence(toy, samples_of(toy, rng, 200), rng, draws=10)
    broken = WithNaN(1)
    with pytest.raises(ModelError, match="nan"):
        importance_evidence(broken, samples_of(broken, rng, 2000), rng)


def test_bridge_of_two_known_gaussians():
    """Target exp(-x^2 / 2), so Z = sqrt(2 pi); proposal N(0.5, 1.5)."""
    rng = np.random.default_rng(11)
    q = norm(0.5, 1.5)

    def log_ratio(x):
        return -0.5 * x**2 - q.logpdf(x)

    pulls = []
    for _ in range(40):
        bridge = bridge_evidence(log_ratio(q.rvs(500, random_state=rng)), log_ratio(rng.standard_normal(500)), 500)
        pulls.append((bridge.log_evidence - 0.5 * np.log(2.0 * np.pi)) / bridge.error)
    assert abs(np.mean(pulls)) < 0.6
    assert 0.7 < np.std(pulls) < 1.35
