"""The kernels with a library that has the Array API standard and nothing else: no help from NumPy."""

import array_api_strict as strict
import numpy as np
import pytest

from stellarcr.backend import Stencil, forward_substitution, log_ndtr, namespace, sum_of_rows
from stellarcr.data.galaxy_presets import load_galaxy
from stellarcr.galaxy.cylinder import PoleSum
from stellarcr.galaxy.diffusion import diffusion_coefficient
from stellarcr.galaxy.inelastic import letaw_inelastic, proton_inelastic
from stellarcr.galaxy.nearby import burst_density
from stellarcr.galaxy.network import NetworkTables, restricted
from stellarcr.galaxy.profiles import PROFILES
from stellarcr.galaxy.reduction import Slabs, escape_coefficient
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
BERYLLIUM = nuclide("Be", 10)
RESIDUALS = np.array([[0.3, -1.0, 0.2, 2.0], [1.5, 0.1, -0.4, 0.0]])
SIGMA = np.array([0.5, 1.0, 0.7, 2.0])
COVARIANCE = np.diag(SIGMA**2) + 0.1
CHEBYSHEV = ChebyshevAxis.build("phi", 0.2, 1.1, 5)
INDEPENDENT = IndependentErrors(SIGMA, SIGMA)
LIMITS = UpperLimits(SIGMA[:2])
COMBINED = CombinedErrors(((np.array([1, 3]), IndependentErrors(SIGMA[:2], 2 * SIGMA[:2])), (np.array([0, 2]), LIMITS)))

SLABS = Slabs(np.array([0.1, 0.7]), np.array([[1.0, -0.3]]), 0.0)
GALAXY = load_galaxy()
CHAIN = NetworkTables.build(
    restricted(GALAXY.network, {"C12", "B11", "Be10", "B10", "He4", "H1"}), np.array([0.5, 3.0, 1e3, 1e5])
)
INJECTED = np.array([1.0, 0.1, 0.2, 0.1, 10.0, 100.0])[:, None, None] * np.ones((6, 4, 3))
LOWER = np.tril(np.arange(25.0).reshape(5, 5) % 7, -1)
RIGHT, DIAGONAL = 1.0 + np.arange(5 * 2 * 3 * 2).reshape(5, 2, 3, 2) % 4, 2.0 + np.arange(60).reshape(5, 2, 3, 2) % 3
SPARSE = Stencil(np.array([[0, 2], [3, 0]]), np.array([[1.0, 0.5], [2.0, 0.0]]), 4)


def arrivals(injected, batch, profiles=("trotta2011",), **options):
    """Densities with every propagation parameter free."""
    free = {"D0": 3e28, "delta": 0.4, "R_h": 300.0, "delta_h": 0.2, "eta": 0.8, "half_height": 5.0}
    free |= {"hydrogen_column": 9e20, "destruction": 1.1, "production.B": 0.9, "production.H": 1.2}
    parameters = {name: value * batch for name, value in free.items()}
    return GALAXY.arrivals(CHAIN, {PROFILES[name]: injected for name in profiles}, parameters, 1e-4, **options)


def substitution(lower, right, diagonal, coupling, factor):
    """All that one may be asked for."""
    rows = [diagonal[k, ...] for k in range(diagonal.shape[0])]
    return forward_substitution(lower, right, rows, [(3, 1, coupling), (4, 3, coupling)], {2: factor})


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
    "escape_coefficient": (escape_coefficient, (np.array([0.0, 1e-6, 0.3, 80.0])[:, None], 4.0 * BATCH)),
    "Slabs": (SLABS.response, (np.array([0.0, 0.3, 9.0]), 4.0 * BATCH)),
    "Slabs, derivative": (SLABS.derivative, (np.array([0.0, 0.3, 9.0]), 4.0 * BATCH)),
    "Stencil": (lambda x: SPARSE @ x, (np.arange(12.0).reshape(4, 3),)),
    "sum_of_rows": (lambda x: sum_of_rows(np.array([2, 0, 2, 1]), 3) @ x, (np.arange(12.0).reshape(4, 3),)),
    "forward_substitution": (substitution, (LOWER, RIGHT, DIAGONAL, DIAGONAL[0] / 7, BATCH[:2] / 3)),
    "forward_substitution, groups": (
        substitution,
        (np.stack([LOWER, 0.5 * LOWER]), RIGHT, DIAGONAL, DIAGONAL[0] / 7, BATCH[:2] / 3),
    ),
    "arrivals": (arrivals, (INJECTED, BATCH)),
    "arrivals of two profiles": (
        lambda q, b: arrivals(q, b, ("trotta2011", "pulsars"), rows=[3, 5], made=True),
        (INJECTED, BATCH),
    ),
    "disc_transfer": (
        lambda r, b: GALAXY.disc_transfer(PROFILES["trotta2011"], IRON, r, {"D0": 3e28 * b, "half_height": 4.0 * b}),
        (R, BATCH[:, None]),
    ),
    "disc_transfer of a nuclide that decays": (
        lambda r, b: GALAXY.disc_transfer(PROFILES["trotta2011"], BERYLLIUM, r, {"D0": 3e28 * b}),
        (R, BATCH[:, None]),
    ),
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
