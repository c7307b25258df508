"""Bins, response matrices and their interpolation in nuisance parameters."""

import numpy as np
import pytest

from stellarcr.observe import Points, RigidityGrid, detector_kernel, mean_log_mass, response_matrix, tabulate_response
from stellarcr.observe.response import ChebyshevAxis
from stellarcr.species import nuclide

GRID = RigidityGrid()
PROTON, HELIUM, DEUTERON = nuclide("H", 1), nuclide("He", 4), nuclide("H", 2)
EDGES = np.array([20.0, 23.0, 60.0, 600.0])
NONE = np.full(3, np.nan)


def points(axis="R", edges=EDGES):
    return Points(axis, np.sqrt(edges[1:] * edges[:-1]), edges[:-1], edges[1:])


@pytest.mark.parametrize("slope", [-3.5, -2.7, -1.0, 0.0, 2.0])
def test_bin_averages_of_power_laws(slope):
    x, average = points().quadrature()
    found = np.sum(average * x**slope, axis=1)
    integral = np.log(EDGES[1:] / EDGES[:-1]) if slope == -1.0 else np.diff(EDGES ** (slope + 1)) / (slope + 1)
    # eight nodes: a^17 2^17 (8!)^4 / (17 (16!)^3) with a = half the bin times the slope + 1, below 3.5: 1e-10
    np.testing.assert_allclose(found, integral / np.diff(EDGES), rtol=1e-9)
    np.testing.assert_allclose(found[:2], (integral / np.diff(EDGES))[:2], rtol=1e-13)


def test_a_point_without_edges_is_the_flux_there():
    where = np.array([20.0, 57.0, 1e3])
    x, average = Points("R", where, NONE, NONE).quadrature()
    np.testing.assert_allclose(np.sum(average * x**-2.7, axis=1), where**-2.7, rtol=1e-13)
    np.testing.assert_allclose(np.sum(average, axis=1), 1.0, rtol=1e-14)


def test_points_with_and_without_edges_mix():
    where, low, high = np.array([21.0, 57.0]), np.array([20.0, np.nan]), np.array([23.0, np.nan])
    x, average = Points("R", where, low, high).quadrature()
    found = np.sum(average * x**-2.0, axis=1)
    np.testing.assert_allclose(found, [(1 / 20 - 1 / 23) / 3, 57.0**-2], rtol=1e-13)


@pytest.mark.parametrize("axis", ["R", "EK", "EKN", "ETOT"])
@pytest.mark.parametrize(("phi", "scale"), [(0.0, 1.0), (0.6, 1.0), (0.4, 1.1)])
def test_matrix_gives_bin_averages_at_the_detector(axis, phi, scale):
    def density(r):
        return r**-2.7 * np.exp(-r / 1e5)

    matrix = response_matrix(points(axis), ((HELIUM, 1.0),), GRID, None, phi, scale)
    assert matrix.shape == (GRID.size, 3)
    x = np.exp(np.linspace(np.log(EDGES[:-1]), np.log(EDGES[1:]), 4001))
    seen, weight = detector_kernel(axis, x / scale, HELIUM, phi)
    # Simpson's rule in ln x, 4000 intervals
    simpson = np.array([1, *[4, 2] * 1999, 4, 1])[:, None] * np.log(x[1] / x[0]) / 3
    expected = np.sum(simpson * x * weight * density(seen) / scale, axis=0) / np.diff(EDGES)
    np.testing.assert_allclose(density(GRID.rigidity) @ matrix, expected, rtol=1e-7)


def test_isotopes_add_with_their_fractions_and_transfers():
    def transfer(particle, seen):
        return seen**-0.4 / particle.mass_number

    both = response_matrix(points("EKN"), ((PROTON, 0.8), (DEUTERON, 0.2)), GRID, transfer)
    light = response_matrix(points("EKN"), ((PROTON, 1.0),), GRID, transfer)
    heavy = response_matrix(points("EKN"), ((DEUTERON, 1.0),), GRID, transfer)
    np.testing.assert_allclose(both, 0.8 * light + 0.2 * heavy, rtol=1e-13, atol=1e-30)


def test_chebyshev_interpolates_polynomials_exactly_and_extrapolates_them():
    axis = ChebyshevAxis.build("phi", 0.2, 1.1, 6)
    at = np.array([0.1, 0.2, 0.55, 1.1, 1.3])
    polynomial = np.polynomial.Polynomial([1.0, -2.0, 0.5, 3.0, -1.0, 0.2])
    np.testing.assert_allclose(axis.coefficients(at) @ polynomial(axis.nodes), polynomial(at), rtol=1e-11)
    np.testing.assert_allclose(axis.coefficients(0.55), axis.coefficients(at)[2], rtol=1e-14)
    np.testing.assert_allclose(axis.coefficients(axis.nodes), np.eye(6), atol=1e-12)


def test_a_fixed_nuisance_needs_one_node():
    axis = ChebyshevAxis.build("phi", 0.5, 0.5, 6)
    np.testing.assert_array_equal(axis.nodes, [0.5])
    np.testing.assert_array_equal(axis.coefficients(0.5), [1.0])


def test_tabulated_response_reaches_its_tolerance():
    def build(phi, scale):
        return response_matrix(points(), ((PROTON, 1.0),), GRID, None, phi, scale)

    matrices, (phi_axis, scale_axis) = tabulate_response(build, (0.0, 1.3), (0.8, 1.2), GRID)
    assert len(matrices) == len(phi_axis.nodes) * len(scale_axis.nodes)
    spectrum = GRID.rigidity**-2.6
    for phi, scale in [(0.0, 0.8), (0.31, 1.13), (0.97, 0.93), (1.3, 1.2)]:
        weights = np.outer(phi_axis.coefficients(phi), scale_axis.coefficients(scale)).ravel()
        found = np.einsum("k,g,kgp->p", weights, spectrum, matrices)
        # the tolerance of the search is 1e-5 for each of the two at the typical slope -2.3
        np.testing.assert_allclose(found, spectrum @ build(phi, scale), rtol=1e-4)


def test_mean_log_mass():
    ones = np.ones(2)
    assert mean_log_mass([(HELIUM, ones)]) == pytest.approx(np.log(4.0) * ones, rel=1e-14)
    mixed = mean_log_mass([(PROTON, 3.0 * ones), (nuclide("Fe", 56), ones)])
    np.testing.assert_allclose(mixed, np.log(56.0) / 4, rtol=1e-14)
