"""The initial mass function: closed forms against quadrature, normalisation, special slopes, refusals."""

import itertools
import math

import numpy as np
import pytest
from scipy.integrate import quad

from stellarcr.errors import ParameterError
from stellarcr.stars.imf import InitialMassFunction, check_upper_mass, kroupa, power_integral

# one with the slopes at which the closed forms turn into logarithms, and one with many segments
LOGARITHMIC = InitialMassFunction((0.1, 1.0, 100.0), (-1.0, -2.0))
WILD = InitialMassFunction((0.01, 0.08, 0.5, 1.0, 20.0, 200.0), (-0.3, -1.3, -2.3, 0.4, -2.7))
ALL = [kroupa(), LOGARITHMIC, WILD]


def integral(imf, power, low, high):
    """Integral of M^power xi by adaptive quadrature, piece by piece."""
    corners = [low, *[edge for edge in imf.edges if low < edge < high], high]
    return sum(
        quad(lambda m: m**power * float(imf.density(m)), a, b, epsrel=1e-11)[0] for a, b in itertools.pairwise(corners)
    )


def test_the_default_cluster():
    imf = kroupa(150.0)
    # without normalisation: 0.5 (M/0.5)^-1.3 and so on, integrated by hand
    below = 0.5**1.3 * (0.5**0.7 - 0.08**0.7) / 0.7
    above = 0.5**2.3 * (0.5**-0.3 - 150.0**-0.3) / 0.3
    massive = 0.5**2.3 * (8.0**-1.3 - 150.0**-1.3) / 1.3
    assert imf.number(8.0, cluster_mass=3e4) == pytest.approx(3e4 * massive / (below + above), rel=1e-12)
    # the design's value: 326 stars
    assert imf.number(8.0, cluster_mass=3e4) == pytest.approx(326.0, abs=0.5)


@pytest.mark.parametrize("imf", ALL)
def test_normalisation(imf):
    assert integral(imf, 1.0, imf.lower, imf.upper) == pytest.approx(1.0, rel=1e-9)
    assert imf.mass() == pytest.approx(1.0, rel=1e-14)
    assert imf.mass(cluster_mass=3e4) == pytest.approx(3e4, rel=1e-14)


@pytest.mark.parametrize("imf", ALL)
@pytest.mark.parametrize(("low", "high"), [(0.3, 0.4), (0.2, 90.0), (8.0, 40.0), (0.5, 1.0)])
def test_closed_forms(imf, low, high):
    assert imf.number(low, high) == pytest.approx(integral(imf, 0.0, low, high), rel=1e-9)
    assert imf.mass(low, high) == pytest.approx(integral(imf, 1.0, low, high), rel=1e-9)
    mean = integral(imf, 1.0, low, high) / integral(imf, 0.0, low, high)
    assert imf.mean_mass(low, high) == pytest.approx(mean, rel=1e-9)


def test_logarithmic_slopes():
    # xi = c/M below 1 Msun and c/M^2 above; mass c (0.9 + ln 100)
    c = 1.0 / (0.9 + math.log(100.0))
    assert LOGARITHMIC.number(0.1, 1.0) == pytest.approx(c * math.log(10.0), rel=1e-14)
    assert LOGARITHMIC.mass(1.0, 100.0) == pytest.approx(c * math.log(100.0), rel=1e-14)
    assert LOGARITHMIC.coefficients == pytest.approx((c, c))


@pytest.mark.parametrize("offset", [1e-3, 1e-8, 1e-13, 1e-200, 0.0, -1e-13, -1e-8])
def test_power_integral_is_smooth_through_minus_one(offset):
    # to second order: ln r + offset/2 (ln^2 high - ln^2 low)
    low, high = math.log(2.0), math.log(30.0)
    wanted = high - low + offset * (high**2 - low**2) / 2 + offset**2 * (high**3 - low**3) / 6
    assert power_integral(2.0, 30.0, -1.0 + offset) == pytest.approx(wanted, rel=1e-11 + abs(offset) ** 3 * 10)


@pytest.mark.parametrize("imf", ALL)
def test_density_is_continuous_and_ends_at_the_edges(imf):
    for edge in imf.edges[1:-1]:
        assert imf.density(edge * (1 - 1e-12)) == pytest.approx(imf.density(edge * (1 + 1e-12)), rel=1e-10)
    np.testing.assert_array_equal(imf.density([imf.lower * 0.999, imf.upper * 1.001]), 0.0)
    assert np.all(imf.density([imf.lower, imf.upper]) > 0.0)
    middle = math.sqrt(imf.edges[-2] * imf.edges[-1])
    ratio = imf.density(1.01 * middle) / imf.density(middle)
    assert ratio == pytest.approx(1.01 ** imf.slopes[-1])


@pytest.mark.parametrize("imf", ALL)
def test_intervals_add_up_and_vectorise(imf):
    corners = np.array([0.0, 0.2, 0.5, 3.0, 8.0, 60.0, np.inf])
    parts = imf.number(corners[:-1], corners[1:], cluster_mass=1e4)
    assert parts.shape == (6,)
    assert parts.sum() == pytest.approx(imf.number(cluster_mass=1e4), rel=1e-13)
    one_by_one = [imf.number(low, high, 1e4) for low, high in itertools.pairwise(corners)]
    np.testing.assert_array_equal(parts, one_by_one)


@pytest.mark.parametrize("imf", ALL)
def test_quadrature(imf):
    masses, numbers = imf.quadrature(cluster_mass=3e4)
    assert np.all(np.diff(masses) > 0.0)
    assert np.all(numbers > 0.0)
    assert masses[0] > imf.lower
    assert masses[-1] < imf.upper
    assert numbers.sum() == pytest.approx(imf.number(cluster_mass=3e4), rel=1e-9)
    assert (numbers * masses).sum() == pytest.approx(3e4, rel=1e-9)
    part, numbers = imf.quadrature(8.0, 60.0)
    assert (numbers * part**2.5).sum() == pytest.approx(integral(imf, 2.5, 8.0, 60.0), rel=1e-9)


def test_quadrature_ends_panels_at_jumps():
    imf = kroupa()
    masses, numbers = imf.quadrature(8.0, 150.0, step=0.5, breaks=(85.0, 3.0, 700.0))
    assert numbers[masses > 85.0].sum() == pytest.approx(imf.number(85.0, 150.0), rel=1e-7)


def test_quadrature_converges():
    imf = kroupa()
    wanted = integral(imf, 4.0, 8.0, 150.0)
    errors = [
        abs((numbers * masses**4).sum() / wanted - 1.0)
        for masses, numbers in (imf.quadrature(8.0, 150.0, step=step) for step in (1.5, 0.75))
    ]
    # a rule of order eight; two panels, then four: halving the step gains more than a factor of a hundred
    assert errors[1] < errors[0] / 100


def test_truncated():
    short = WILD.truncated(0.3, 10.0)
    assert short.edges == (0.3, 0.5, 1.0, 10.0)
    assert short.slopes == (-1.3, -2.3, 0.4)
    assert short.mass() == pytest.approx(1.0)
    longer = kroupa(100.0).truncated(0.01, 300.0)
    assert longer.edges == (0.01, 0.5, 300.0)
    assert longer.slopes == (-1.3, -2.3)
    assert WILD.truncated(0.5, 0.9) == InitialMassFunction((0.5, 0.9), (-2.3,))
    assert kroupa(150.0).truncated(0.08, 105.0) == kroupa(105.0)


def test_upper_mass_of_a_grid():
    check_upper_mass(150.0, "mist", 9.0, 300.0)
    check_upper_mass(120.0, "genec", 8.0, 120.0)


@pytest.mark.parametrize("upper", [150.0, 8.0, 0.0, math.nan])
def test_an_upper_mass_beyond_the_grid_is_refused(upper):
    with pytest.raises(ParameterError, match=r"M_up = .* is outside the initial masses of the grid 'genec'") as caught:
        check_upper_mass(upper, "genec", 8.0, 120.0)
    assert "above 8 and up to 120 Msun" in caught.value.remedy


@pytest.mark.parametrize(
    ("edges", "slopes", "message"),
    [
        ((1.0,), (), "1 edges and 0 slopes"),
        ((1.0, 2.0), (-1.0, -2.0), "2 edges and 2 slopes"),
        ((1.0, 0.5, 2.0), (-1.0, -2.0), "do not increase from above zero"),
        ((0.0, 0.5), (-1.0,), "do not increase from above zero"),
        ((0.1, math.inf), (-1.0,), "initial mass function"),
        ((0.1, 1.0), (math.nan,), "initial mass function"),
    ],
)
def test_bad_functions_are_named(edges, slopes, message):
    with pytest.raises(ParameterError, match=message):
        InitialMassFunction(edges, slopes)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda imf: kroupa(0.4), r"M_up = 0\.4 Msun of Kroupa's function is not above its break"),
        (lambda imf: kroupa(math.nan), "M_up = nan"),
        (lambda imf: imf.number(3.0, 2.0), r"limits 3\.0 to 2\.0 Msun of a mass interval are not in order"),
        (lambda imf: imf.mass(1.0, math.nan), r"limits 1\.0 to nan Msun"),
        (lambda imf: imf.number(cluster_mass=0.0), r"cluster mass 0\.0 Msun is not above zero"),
        (lambda imf: imf.quadrature(cluster_mass=-3e4), r"cluster mass -30000\.0 Msun"),
        (lambda imf: imf.quadrature(step=0.0), r"step 0\.0 in ln M0 is not above zero"),
        (lambda imf: imf.quadrature(200.0, 300.0), r"there are no stars from 200\.0 to 300\.0 Msun"),
        (lambda imf: imf.mean_mass(5.0, 5.0), r"there are no stars from 5\.0 to 5\.0 Msun"),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ParameterError, match=message):
        call(kroupa())
