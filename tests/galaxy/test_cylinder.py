"""The Bessel series against a finite-difference solution, images, and the slab."""

from functools import cache

import numpy as np
import pytest
from scipy.sparse import csc_matrix, diags, eye, kron
from scipy.sparse.linalg import spsolve
from scipy.special import k0

from stellarcr.galaxy.cylinder import cylinder_series, slab_series
from stellarcr.galaxy.profiles import PROFILES, disc_integral, source_profile
from stellarcr.galaxy.reduction import reduce_to_slabs

pytestmark = pytest.mark.usefixtures("one_thread")

RADIUS, SUN = 20.0, 8.5


@cache
def series(name, half_height, terms=500):
    """Bessel series of a named profile, made once."""
    return cylinder_series(source_profile(name), terms=terms).at(half_height)


def finite_differences(profile, half_height, s, n_r, n_z):
    """Density at the Sun for D = 1 and one particle per second in the disc.

    Solves (1/r) d/dr (r dN/dr) + d2N/dz2 = 0 in 0 < r < 20, 0 < z < L with N = 0 on the outside. The disc is the
    boundary z = 0: what flows out on both sides is what is released less what is destroyed, -2 dN/dz = q - s N.
    Cells in r centred at (i + 1/2) dr, nodes in z from 0 to L: finite volumes of second order.
    """
    dr, dz = RADIUS / n_r, half_height / n_z
    r = (np.arange(n_r) + 0.5) * dr
    faces = np.arange(n_r + 1) * dr
    outer, inner = faces[1:] / (r * dr**2), faces[:-1] / (r * dr**2)
    diagonal = -(outer + inner)
    diagonal[-1] -= outer[-1]  # N = 0 on the face: the ghost cell is minus the last one
    radial = diags([inner[1:], diagonal, outer[:-1]], [-1, 0, 1])
    # half a cell at z = 0: flux through z = dz/2, less the flux s N / 2 - q / 2 at the disc
    vertical = diags([np.ones(n_z - 1), -2.0 * np.ones(n_z), np.ones(n_z - 1)], [-1, 0, 1]).tolil() / dz**2
    vertical[0, 0] = -2.0 / dz**2 - s / dz
    vertical[0, 1] = 2.0 / dz**2
    matrix = kron(radial, eye(n_z)) + kron(eye(n_r), vertical)
    source = np.zeros((n_r, n_z))
    source[:, 0] = -profile(r) / np.sum(2 * np.pi * r * dr * profile(r)) / dz
    solution = spsolve(csc_matrix(matrix), source.ravel()).reshape(n_r, n_z)[:, 0]
    return cubic(r, solution, SUN)


def cubic(x, y, at):
    """Interpolate with four points: the error is of fourth order, below that of the differences."""
    first = int(np.searchsorted(x, at)) - 2
    return np.polyval(np.polyfit(x[first : first + 4] - at, y[first : first + 4], 3), 0.0)


@pytest.mark.parametrize(
    ("name", "half_height", "s"),
    [
        ("trotta2011", 4.0, 0.0),
        ("trotta2011", 1.0, 2.0),
        ("green2015", 10.0, 0.3),
        ("pulsars", 1.0, 0.01),
        ("uniform", 10.0, 0.1),
    ],
)
def test_against_finite_differences(name, half_height, s):
    profile = source_profile(name)
    density = series(name, half_height)(np.array([s]))[0]
    coarse, middle, fine = (finite_differences(profile, half_height, s, 60 * m, 15 * m) for m in (1, 2, 4))
    # second order: halving the cells divides the error by four
    assert np.log2((coarse - middle) / (middle - fine)) == pytest.approx(2.0, abs=0.25)
    extrapolated = (4 * fine - middle) / 3
    # extrapolation leaves the fourth order: the correction times the square of the cells, (1/240)^2 of the radius,
    # times derivatives; 500 terms of the series are good to 2e-6 for the disc with an edge, to 1e-7 for the others
    assert density == pytest.approx(extrapolated, rel=5e-6 if name == "uniform" else 5e-7)


def test_against_images_of_point_sources():
    """Without gas, far from the rim: the disc is made of point sources 1/(4 pi D d) and their images at z = 2 n L."""
    half_height = 1.0
    profile = source_profile("trotta2011")
    nodes, weights = np.polynomial.legendre.leggauss(40)
    largest = 11.0  # exp(-pi 11 / 2) = 3e-8 of the density comes from farther away
    distance = 0.5 * largest * (nodes + 1)
    angle = np.arange(200) * 2 * np.pi / 200
    # the alternating sum over images, as the series of modes that it equals: odd m up to where K0 is gone
    modes = np.arange(1, 20001, 2)
    kernel = np.array([np.sum(k0(modes * np.pi * d / (2 * half_height))) for d in distance]) / (2 * np.pi * half_height)
    r = np.sqrt(SUN**2 + distance[:, None] ** 2 + 2 * SUN * distance[:, None] * np.cos(angle))
    ring = 2 * np.pi * np.mean(np.where(r < RADIUS, profile(r), 0.0), axis=1)
    density = np.sum(0.5 * largest * weights * distance * kernel * ring) / disc_integral(profile, RADIUS)
    assert series("trotta2011", half_height)(np.array([0.0]))[0] == pytest.approx(density, rel=5e-7)


def test_a_wide_uniform_disc_is_a_slab():
    # the rim is felt as exp(-pi (R - r0) / (2 L)), here exp(-36); the series of a disc with an edge converges as 1/n
    s = np.array([0.0, 0.03, 1.0])
    slab = slab_series(source_profile("uniform")).at(0.5)(s)
    np.testing.assert_allclose(slab, 1 / (2 / 0.5 + s) / (np.pi * RADIUS**2), rtol=1e-12)
    np.testing.assert_allclose(series("uniform", 0.5)(s), slab, rtol=2e-4)


def test_strong_destruction_leaves_what_is_released_here():
    # s large: N = q(r0) / s, nothing has time to come from elsewhere
    profile = source_profile("trotta2011")
    s = np.array([1e4])
    local = profile(SUN) / disc_integral(profile, RADIUS)
    # next order: the poles in between; those that still carry weight are below 2 pi / 1 kpc
    assert series("trotta2011", 4.0)(s)[0] * s[0] == pytest.approx(local, rel=1e-3)


@pytest.mark.parametrize(("name", "tolerance"), [("trotta2011", 5e-7), ("uniform", 1e-5)])
def test_terms_suffice(name, tolerance):
    # twice the terms; a disc that ends abruptly (uniform) converges slowest, and slower with destruction
    s = np.array([0.0, 0.01, 0.1, 1.0])
    np.testing.assert_allclose(series(name, 4.0)(s), series(name, 4.0, terms=1000)(s), rtol=tolerance)


@pytest.mark.parametrize("name", PROFILES)
@pytest.mark.parametrize("half_height", [1.0, 10.0])
def test_few_slabs_do_for_all(name, half_height):
    full = series(name, half_height)
    few = reduce_to_slabs([cylinder_series(source_profile(name))], (half_height, half_height), tolerance=1e-6)
    # between the points of the fit, and below its smallest
    s = np.concatenate([[0.0], np.geomspace(1e-7, 1e2, 1999)])
    assert len(few.wavenumbers) < 7
    np.testing.assert_allclose(few.response(s, half_height), full(s), rtol=1e-6)
    # secondaries depend on it
    np.testing.assert_allclose(
        few.derivative(s, half_height) / few.response(s, half_height), full.derivative(s) / full(s), rtol=3e-5
    )
