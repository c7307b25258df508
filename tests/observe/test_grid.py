"""The rigidity grid: its integrals and its interpolation, with errors from theory."""

import numpy as np
import pytest
from scipy.special import gamma as gamma_function
from scipy.special import gammaincc

from stellarcr.errors import ConfigError
from stellarcr.observe.grid import STENCIL, RigidityGrid

GRID = RigidityGrid()
STEP = GRID.log_rigidity[1] - GRID.log_rigidity[0]


def test_spacing():
    assert GRID.rigidity[0] == pytest.approx(1.0, rel=1e-14)
    assert GRID.rigidity[-1] == pytest.approx(4e8, rel=1e-12)
    np.testing.assert_allclose(np.diff(GRID.log_rigidity), STEP, rtol=1e-9)
    assert GRID.size >= 20 * np.log10(4e8) + 1


@pytest.mark.parametrize("power", [0, 1, 2, 3])
def test_integrates_cubics_in_the_logarithm_exactly(power):
    u = GRID.log_rigidity
    found = np.sum(GRID.integration_weights * u**power / GRID.rigidity)
    assert found == pytest.approx(u[-1] ** (power + 1) / (power + 1), rel=1e-12)


@pytest.mark.parametrize("cutoff", [1e4, 1e6, 1e7])
@pytest.mark.parametrize("index", [-2.4, -1.9])
def test_integrates_energy_spectra(cutoff, index):
    # integral of R^(index + 1) exp(-R/cutoff) from 1 GV: an incomplete gamma function after one recurrence
    def upper(s, x):
        return gamma_function(s) * gammaincc(s, x) if s > 0 else (upper(s + 1, x) - x**s * np.exp(-x)) / s

    r = GRID.rigidity
    found = np.sum(GRID.integration_weights * r ** (index + 1) * np.exp(-r / cutoff))
    expected = cutoff ** (index + 2) * upper(index + 2, 1 / cutoff)
    # Gregory's next term at the lower end: 3/160 h^5 times the fourth derivative, here at most 0.4^4; and the cutoff is
    # analytic, where the trapezoid rule errs by exp(-pi^2 / h)
    assert found == pytest.approx(expected, rel=3 / 160 * STEP**5 * 0.4**4 + 1e-12)


def test_interpolates_polynomials_of_fifth_order_exactly():
    at = np.exp(np.random.default_rng(1).uniform(0, GRID.log_rigidity[-1], 200))
    first, weights = GRID.interpolation(at, -2.3)
    assert weights.shape == (200, STENCIL)
    nodes = first[:, None] + np.arange(STENCIL)

    def spectrum(r):
        u = np.log(r)
        return r**-2.3 * (1 + 0.3 * u - 0.02 * u**5)

    found = np.sum(weights * spectrum(GRID.rigidity)[nodes], axis=-1)
    # rounding of 0.02 u^5, about 5e4, against R^-2.3
    np.testing.assert_allclose(found / at**-2.3, spectrum(at) / at**-2.3, rtol=1e-10, atol=1e-9)


@pytest.mark.parametrize("ratio", [0.1, 1.0, 3.0])
def test_interpolates_cutoffs_to_the_remainder_of_lagrange(ratio):
    cutoff = 1e6
    at = ratio * cutoff * np.exp(np.linspace(-STEP, STEP, 41))
    first, weights = GRID.interpolation(at, -2.3)
    spectrum = GRID.rigidity**-2.3 * np.exp(-GRID.rigidity / cutoff)
    found = np.sum(weights * spectrum[first[:, None] + np.arange(STENCIL)], axis=-1)
    # sixth derivative of exp(-x e^u) is a Touchard polynomial in x; the product of distances is at most (15/8)^2 h^6
    x = ratio * np.exp(4 * STEP)
    derivative = x + 31 * x**2 + 90 * x**3 + 65 * x**4 + 15 * x**5 + x**6
    steepness = np.exp(ratio * (np.exp(STEP) - np.exp(-4 * STEP)))
    bound = derivative * (15 / 8) ** 2 * STEP**6 / 720 * steepness
    error = np.abs(found / (at**-2.3 * np.exp(-at / cutoff)) - 1)
    assert np.max(error) < bound
    assert np.max(error) > 1e-4 * bound  # the bound is not an empty one


def test_at_the_grid_points_nothing_is_interpolated():
    spectrum = GRID.rigidity**-2.45 * np.exp(-GRID.rigidity / 1e5)
    first, weights = GRID.interpolation(GRID.rigidity[10:100], -2.3)
    found = np.sum(weights * spectrum[first[:, None] + np.arange(STENCIL)], axis=-1)
    np.testing.assert_allclose(found, spectrum[10:100], rtol=1e-11)


@pytest.mark.parametrize("outside", [0.9, 5e8])
def test_rigidities_outside_are_refused(outside):
    with pytest.raises(ConfigError, match="leave the grid") as caught:
        GRID.interpolation(np.array([100.0, outside]), -2.3)
    assert f"{outside:.4g}" in caught.value.problem


@pytest.mark.parametrize(
    "settings", [{"lowest": 0.0}, {"lowest": 1e9}, {"per_decade": 4}, {"highest": float("nan")}, {"lowest": -1.0}]
)
def test_impossible_grids_are_refused(settings):
    with pytest.raises(ConfigError, match="rigidity grid"):
        RigidityGrid(**settings)
