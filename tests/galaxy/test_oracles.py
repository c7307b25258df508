"""The oracles are judged by what is known in closed form, and by each other."""

from functools import cache

import numpy as np
import pytest
from oracles import balance, bessel_network, finite_difference
from scipy.special import j0, j1, jn_zeros

pytestmark = pytest.mark.usefixtures("one_thread")

RADIUS, SUN, HALF_HEIGHT = 20.0, 8.5, 4.0
STABLE = -np.ones(1, dtype=int)
CM_PER_KPC, YEAR = 3.0857e21, 3.156e7


def snr(r):
    return (r / 8.5) ** 1.25 * np.exp(-3.56 * (r - 8.5) / 8.5)


def uniform(r):
    return np.ones_like(r)


@cache
def toy(energy):
    """O16, C12, B11, Be10 (decays into B10), B10, Be9 at an energy per nucleon [GeV]; cross sections of their size.

    D = 3.7e28 cm^2/s beta (R / 4 GV)^0.45 and 8.9e20 hydrogen atoms per cm^2 with 10% helium of 2.5 times the area.
    """
    charge, mass_number = np.array([8, 6, 5, 4, 5, 4]), np.array([16, 12, 11, 10, 10, 9])
    gamma = 1 + energy / 0.9315
    beta = np.sqrt(1 - gamma**-2)
    rigidity = mass_number / charge * 0.9315 * gamma * beta
    diffusion = 3.7e28 / CM_PER_KPC**2 * beta * (rigidity / 4) ** 0.45
    per_millibarn = 8.9e20 * 1.25 * 3e10 * beta * 1e-27 / CM_PER_KPC
    production = np.zeros((6, 6))
    for child, parent, area in [
        (1, 0, 60), (2, 0, 27), (3, 0, 2.2), (4, 0, 11), (5, 0, 4), (2, 1, 56.5), (3, 1, 4), (4, 1, 18.7), (5, 1, 7),
        (3, 2, 12), (4, 2, 38), (5, 2, 10), (5, 3, 8), (5, 4, 13),
    ]:  # fmt: skip
        production[child, parent] = area * per_millibarn
    destruction = np.array([308, 252, 236, 220, 222, 200]) * per_millibarn
    decay = np.array([0, 0, 0, np.log(2) / (gamma * 1.387e6 * YEAR), 0, 0])
    source = np.array([1.0, 0.8, 0, 0, 0, 0])
    return production, destruction, decay, np.array([-1, -1, -1, 4, -1, -1]), diffusion, source


def chain():
    """A nucleus that decays into one that decays into a stable one, with three diffusion coefficients."""
    production = np.zeros((3, 3))
    production[1, 0] = 0.02
    decay, daughter = np.array([0.03, 0.01, 0.0]), np.array([1, 2, -1])
    return production, np.array([0.05, 0.04, 0.03]), decay, daughter, np.array([0.1, 0.3, 0.05]), np.array([1.0, 0, 0])


def one(destruction, diffusion, profile, decay=0.0, **geometry):
    """Density at the Sun of one nuclide."""
    return bessel_network(
        np.zeros((1, 1)), np.array([destruction]), np.array([decay]), STABLE, np.array([diffusion]), [1.0], profile,
        **geometry,
    ).sun[0]  # fmt: skip


@pytest.mark.parametrize("decay", [0.0, 0.3])
def test_one_order_is_a_slab_with_leaking_sides(decay):
    zero = jn_zeros(0, 1)[0]
    k, diffusion, destruction = zero / RADIUS, 0.7, 0.2
    kappa = np.sqrt(k**2 + decay / diffusion)
    surface = j0(k * SUN) / (2 * np.pi * RADIUS**2 * j1(zero) / zero)
    expected = surface / (2 * diffusion * kappa / np.tanh(kappa * HALF_HEIGHT) + destruction)
    assert one(destruction, diffusion, lambda r: j0(k * r), decay) == pytest.approx(expected, rel=1e-11)


def test_a_thin_uniform_disc_without_spallation_is_a_slab():
    # far from the rim, which is felt as exp(-pi (R - r0) / (2 L)); the series of a disc with an edge converges as 1/n
    density = one(0.0, 0.7, uniform, half_height=0.5)
    assert density == pytest.approx(0.5 / (2 * 0.7) / (np.pi * RADIUS**2), rel=2e-4)


def test_without_diffusion_the_network_is_local():
    production, destruction, _, _, _, source = toy(4.0)
    stable = np.zeros(6), -np.ones(6, dtype=int)
    density = bessel_network(production, destruction, *stable, 1e-4 * destruction, source, snr).sun
    nodes, weights = np.polynomial.legendre.leggauss(400)
    r = RADIUS * (nodes + 1) / 2
    local = snr(SUN) / np.sum(RADIUS / 2 * weights * 2 * np.pi * r * snr(r))
    expected = np.linalg.solve(np.diag(destruction) - production, local * source)
    # next order: D k / destruction, k up to about 2 pi / 1 kpc; twice where the parent is a secondary itself
    np.testing.assert_allclose(density, expected, rtol=2e-3)


@pytest.mark.parametrize("decay", [1e8, 1e10])
def test_what_decays_at_once_is_its_daughter(decay):
    # the parent never leaves the plane: the daughter is released there instead of it
    nothing, loss, diffusion = np.zeros((2, 2)), np.array([0.3, 0.2]), np.array([0.7, 0.4])
    solution = bessel_network(
        nothing, loss, np.array([decay, 0.0]), np.array([1, -1]), diffusion, np.array([1.0, 0.0]), snr
    )
    reach = np.sqrt(diffusion[0] / decay)
    assert solution.sun[1] == pytest.approx(one(0.2, 0.4, snr), rel=2 * reach)
    assert solution.sun[0] < reach / diffusion[0]


def test_secondary_to_primary_in_the_slab():
    production, loss, diffusion = np.array([[0, 0], [0.1, 0]]), np.array([0.3, 0.2]), np.array([0.7, 0.4])
    zeros = np.zeros(2), -np.ones(2, dtype=int)
    density = bessel_network(production, loss, *zeros, diffusion, np.array([1.0, 0]), uniform, half_height=0.5).sun
    assert density[1] / density[0] == pytest.approx(0.1 / (2 * 0.4 / 0.5 + 0.2), rel=2e-4)


def test_gain_of_a_daughter_that_decays_itself():
    # the profile is a difference of two sinh: the gain is (2 / tau) [C(kappa_p) - C(kappa_d)] / (kappa_p^2 - kappa_d^2)
    production, loss, decay, daughter, diffusion, source = chain()
    solution = bessel_network(production, loss, decay, daughter, diffusion, source, snr)
    coth = solution.kappa / np.tanh(solution.kappa * HALF_HEIGHT)
    gain = 2 * decay[0] * (coth[:, 0] - coth[:, 1]) / (solution.kappa[:, 0] ** 2 - solution.kappa[:, 1] ** 2)
    expected = (gain + production[1, 0]) * solution.plane[:, 0] / (2 * diffusion[1] * coth[:, 1] + loss[1])
    np.testing.assert_allclose(solution.plane[:, 1], expected, rtol=1e-9)


@pytest.mark.parametrize("energy", [0.3, 4.0, 100.0])
def test_gain_of_a_stable_daughter(energy):
    # 2 D_parent [C(kappa_parent) - C(k)] N_parent, whatever the daughter's own diffusion coefficient
    production, loss, _, _, diffusion, _ = toy(energy)
    solution = bessel_network(*toy(energy), snr)
    coth = solution.kappa / np.tanh(solution.kappa * HALF_HEIGHT)
    gain = 2 * diffusion[3] * (coth[:, 3] - coth[:, 0]) * solution.plane[:, 3]
    expected = (gain + solution.plane @ production[4]) / (2 * diffusion[4] * coth[:, 0] + loss[4])
    np.testing.assert_allclose(solution.plane[:, 4], expected, rtol=1e-9)


@pytest.mark.parametrize("network", [0.3, 4.0, 100.0, "chain"])
def test_gains_are_losses(network):
    *physics, source = chain() if network == "chain" else toy(network)
    solution = bessel_network(*physics, source, snr)
    book = balance(solution, *physics)
    # the profile of a chain is a sum of three that nearly cancel at high orders: rounding times (k^2 / excess)^2
    assert np.max(np.abs(book.by_order)) < (1e-6 if network == "chain" else 1e-12)
    assert np.max(np.abs(book.total)) < 1e-12
    # the orders that are left out hold what is released at the very rim: 1.07 q(R) / q_mean / (orders pi^2 / 4)
    np.testing.assert_allclose(np.sum(book.source, axis=0), source, rtol=1e-4)


def test_no_daughter_is_lost():
    # without gas, what is released leaves through top and sides in the end, as itself or as what it decays into
    _, loss, decay, daughter, diffusion, source = chain()
    physics = np.zeros((3, 3)), np.zeros_like(loss), decay, daughter, diffusion
    book = balance(bessel_network(*physics, source, snr), *physics)
    escaped = np.sum(book.top + book.side)
    assert escaped == pytest.approx(np.sum(book.source), rel=1e-12)
    assert np.sum(book.decay_gain[:, 2]) > 0.1 * escaped


@pytest.mark.parametrize("network", [0.3, 4.0, 100.0, "chain"])
def test_against_finite_differences(network):
    arrays = chain() if network == "chain" else toy(network)
    coarse = finite_difference(*arrays, snr, n_r=80, n_z=24)
    fine = finite_difference(*arrays, snr, n_r=160, n_z=48)
    series = bessel_network(*arrays, snr).sun
    # second order: halving the cells divides the error by four; what is left after extrapolation is of fourth order
    np.testing.assert_allclose((coarse - series) / (fine - series), 4.0, rtol=0.03)
    np.testing.assert_allclose(fine, series, rtol=1e-3)
    np.testing.assert_allclose((4 * fine - coarse) / 3, series, rtol=3e-6)
