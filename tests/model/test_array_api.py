"""The kernels with a library that has the Array API standard and nothing else: no help from NumPy."""

import array_api_strict as strict
import numpy as np
import pytest

from stellarcr.backend import log_ndtr, namespace
from stellarcr.galaxy.cylinder import PoleSum
from stellarcr.galaxy.diffusion import diffusion_coefficient
from stellarcr.galaxy.inelastic import letaw_inelastic, proton_inelastic
from stellarcr.galaxy.nearby import burst_density
from stellarcr.likelihood.errors import CombinedErrors, CorrelatedErrors, IndependentErrors, UpperLimits
from stellarcr.likelihood.ratio import quotient
from stellarcr.observe import detector_kernel, force_field, from_rigidity, rigidity
from stellarcr.observe.response import ChebyshevAxis
from stellarcr.populations.spectra import broken_power_law, power_law
from stellarcr.species import nuclide

R = np.geomspace(1.0, 1e7, 12)
BATCH = np.array([0.9, 1.0, 1.2])
"""Factors that make three parameter vectors of one."""
IRON = nuclide("Fe", 56)
RESIDUALS = np.array([[0.3, -1.0, 0.2, 2.0], [1.5, 0.1, -0.4, 0.0]])
SIGMA = np.array([0.5, 1.0, 0.7, 2.0])
COVARIANCE = np.diag(SIGMA**2) + 0.1
CHEBYSHEV = ChebyshevAxis.build("phi", 0.2, 1.1, 5)
INDEPENDENT = IndependentErrors(SIGMA, SIGMA)
LIMITS = UpperLimits(SIGMA[:2])
COMBINED = CombinedErrors(((np.array([1, 3]), IndependentErrors(SIGMA[:2], 2 * SIGMA[:2])), (np.array([0, 2]), LIMITS)))

KERNELS = {
    "power_law": (lambda r, b: power_law(r, -2.1 * b, 1e5 * b), (R, BATCH)),
    "power_law, fixed cutoff": (lambda r, b: power_law(r, -2.1 * b, 1e5), (R, BATCH)),
    "broken_power_law": (lambda r, b: broken_power_law(r, -2.2 * b, -2.4 * b, 10.0 * b, 1e5 * b), (R, BATCH)),
    "broken_power_law, one free": (lambda r, b: broken_power_law(r, -2.2, -2.4 * b, 10.0, 1e5), (R, BATCH)),
    "diffusion_coefficient": (
        lambda r, b: diffusion_coefficient(r, 0.9, 3.7e28 * b, 0.4 * b, 300.0 * b, 0.2 * b, b),
        (R, BATCH[:, None]),
    ),
    "diffusion_coefficient, smooth": (
        lambda r, b: diffusion_coefficient(r, r / (r + 1.0), 3.7e28, 0.4, 300.0, 0.2, b, smoothness=0.1),
        (R, BATCH[:, None]),
    ),
    "burst_density": (lambda d, b: burst_density(d, 1.0, 5e4 * b), (1e-8 * R[:4], BATCH[:, None])),
    "PoleSum": (PoleSum(np.array([0.5, 1.0, 9.0]), np.array([1.0, -0.2, 3.0])), (np.outer(BATCH, R),)),
    "proton_inelastic": (proton_inelastic, (R,)),
    "letaw_inelastic": (lambda t: letaw_inelastic(t, 26, 56), (R,)),
    **{
        f"detector_kernel {axis}": (lambda x, p, axis=axis: detector_kernel(axis, x, IRON, p)[1], (R, BATCH[:, None]))
        for axis in ("R", "EK", "EKN", "ETOT")
    },
    **{
        f"rigidity {axis}": (lambda x, axis=axis: from_rigidity(axis, rigidity(axis, x, IRON), IRON), (R + 60.0,))
        for axis in ("R", "EK", "EKN", "ETOT")
    },
    "force_field": (lambda x, p: force_field(lambda e: e**-2.7, x, IRON, p), (R, BATCH[:, None])),
    "Chebyshev": (lambda v: CHEBYSHEV.coefficients(v, namespace(v)), (BATCH,)),
    "log_ndtr": (log_ndtr, (np.array([-40.0, -1.0, 0.0, 3.0]),)),
    "independent errors": (INDEPENDENT.log_likelihood, (RESIDUALS,)),
    "asymmetric errors": (IndependentErrors(SIGMA, 2 * SIGMA).log_likelihood, (RESIDUALS,)),
    "correlated errors": (CorrelatedErrors(COVARIANCE).log_likelihood, (RESIDUALS,)),
    "correlated errors, chi2": (CorrelatedErrors(COVARIANCE).chi2, (RESIDUALS,)),
    "upper limits": (LIMITS.log_likelihood, (RESIDUALS[:, :2],)),
    "ratios": (quotient, (np.abs(RESIDUALS),)),
    "combined errors": (COMBINED.log_likelihood, (RESIDUALS,)),
    "combined errors, chi2": (COMBINED.chi2, (RESIDUALS,)),
}


@pytest.mark.parametrize("name", KERNELS)
def test_kernel_needs_nothing_but_the_standard(name):
    kernel, arguments = KERNELS[name]
    expected = kernel(*arguments)
    found = kernel(*(strict.asarray(a) for a in arguments))
    assert namespace(found).__name__ == "array_api_strict"
    assert found.shape == expected.shape
    # same operations, other order of sums at most
    np.testing.assert_allclose(np.asarray(found), expected, rtol=1e-12)


def test_numpy_is_the_default_namespace():
    assert namespace(1.0, np.ones(2), np.float64(3.0)) is np
    assert namespace() is np
    assert namespace(1.0, strict.ones(2)).__name__ == "array_api_strict"
