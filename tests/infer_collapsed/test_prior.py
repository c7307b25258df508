"""The density of amplitudes against the priors of power and multipliers."""

import numpy as np
import pytest

from stellarcr.infer.collapsed.prior import AmplitudePrior
from stellarcr.infer.parameters import Parameter, ParameterSpace
from stellarcr.infer.priors import LogNormal, LogUniform, Normal, TruncatedNormal, Uniform

MULTIPLIERS = (
    Parameter("snr.abundance.He", prior=LogNormal(1.0, 0.5)),
    Parameter("snr.abundance.C", prior=TruncatedNormal(1.0, 0.4, 0.0)),
)
POWERS = {
    "log10": (Parameter("snr.log10_power", prior=Uniform(47.0, 50.0)), True, 10.0**48.3),
    "log10, not flat": (Parameter("snr.log10_power", prior=Normal(48.0, 0.4)), True, 10.0**48.3),
    "plain": (Parameter("snr.power", prior=LogUniform(1e47, 1e50)), False, 10.0**48.3),
}


def prior_of(kind):
    power, logarithmic, reference = POWERS[kind]
    return AmplitudePrior(ParameterSpace((power, *MULTIPLIERS)), logarithmic, reference)


def some_points(n=4):
    rng = np.random.default_rng(6)
    return rng.uniform(0.4, 2.0, (n, 3)), rng.dirichlet([3.0, 2.0, 1.0], n)


def derivative(function, x, step):
    """Central differences along each axis, shape (n, ..., d)."""
    columns = []
    for k in range(x.shape[-1]):
        h = np.zeros(x.shape[-1])
        h[k] = step
        columns.append((function(x + h) - function(x - h)) / (2 * step))
    return np.stack(columns, axis=-1)


@pytest.mark.parametrize("kind", POWERS)
def test_parameters_and_amplitudes_are_inverse(kind):
    prior, (amplitudes, shares) = prior_of(kind), some_points()
    assert prior.amplitudes(prior.parameters(amplitudes, shares), shares) == pytest.approx(amplitudes, rel=1e-12)


@pytest.mark.parametrize("kind", POWERS)
def test_density_is_that_of_the_parameters_times_the_jacobian(kind):
    prior, (amplitudes, shares) = prior_of(kind), some_points()
    jacobian = derivative(lambda a: prior.parameters(a, shares), amplitudes, 1e-6)
    expected = prior.space.log_prior(prior.parameters(amplitudes, shares)) + np.linalg.slogdet(jacobian)[1]
    assert prior.log_density(amplitudes, shares) == pytest.approx(expected, abs=1e-7)


@pytest.mark.parametrize("kind", POWERS)
def test_expansion_has_the_derivatives_of_the_density(kind):
    prior, (amplitudes, shares) = prior_of(kind), some_points()
    expansion = prior.expand(amplitudes, shares)
    assert expansion.value == pytest.approx(prior.log_density(amplitudes, shares), abs=1e-12)
    gradient = derivative(lambda a: prior.log_density(a, shares), amplitudes, 1e-5)
    assert expansion.gradient == pytest.approx(gradient, abs=1e-6)
    curvature = derivative(lambda a: prior.expand(a, shares).gradient, amplitudes, 1e-4)
    assert expansion.curvature == pytest.approx(curvature, abs=1e-4)


def test_no_density_where_an_amplitude_is_not_positive():
    prior, (amplitudes, shares) = prior_of("log10"), some_points()
    amplitudes[0, 1] = -0.1
    assert prior.log_density(amplitudes, shares)[0] == -np.inf
    assert np.isfinite(prior.log_density(amplitudes, shares)[1:]).all()


def test_amplitudes_outside_the_prior_are_moved_to_its_edge():
    prior, (amplitudes, shares) = prior_of("log10"), some_points()
    outside = amplitudes.copy()
    outside[0] *= 1e4
    outside[1, 2] = -3.0
    inside, moved = prior.inside(outside, shares)
    assert moved.tolist() == [True, True, False, False]
    assert inside[2:] == pytest.approx(amplitudes[2:], abs=0)
    assert np.isfinite(prior.log_density(inside, shares)).all()
    assert prior.parameters(inside, shares)[0, 0] == pytest.approx(50.0, abs=1e-9)
