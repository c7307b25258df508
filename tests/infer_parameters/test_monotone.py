"""Tabulated integrals of increasing functions, against their antiderivatives."""

import numpy as np
import pytest

from stellarcr.infer.monotone import integrate_increasing

POWERS = 0.5 ** np.arange(1, 60)

FUNCTIONS = {
    "constant": (lambda r: np.ones_like(r), lambda r: r),
    "linear": (lambda r: r, lambda r: r**2 / 2),
    "root": (np.sqrt, lambda r: r**1.5 / 1.5),
    "high power": (lambda r: r**9, lambda r: r**10 / 10),
    "exponential": (lambda r: np.exp(5 * (r - 1)), lambda r: (np.exp(5 * (r - 1)) - np.exp(-5)) / 5),
    "kink": (lambda r: np.maximum(r, 0.37), lambda r: 0.37 * r + np.maximum(r - 0.37, 0) ** 2 / 2),
    "zero, then rising": (lambda r: np.maximum(r - 0.3, 0), lambda r: np.maximum(r - 0.3, 0) ** 2 / 2),
    "steep at one": (lambda r: 1 - np.sqrt(1 - r), lambda r: r - (1 - (1 - r) ** 1.5) / 1.5),
}


@pytest.mark.parametrize(("h", "exact"), FUNCTIONS.values(), ids=FUNCTIONS)
def test_value_and_inverse(h, exact):
    integral = integrate_increasing(h, np.concatenate([POWERS, 1 - POWERS]))
    r = np.random.default_rng(1).random(20_000)
    assert integral.total == pytest.approx(float(exact(np.array(1.0))), rel=1e-12)
    np.testing.assert_allclose(integral.value(r), exact(r), rtol=1e-10, atol=1e-12 * integral.total)
    g = integral.total * np.concatenate([r, [0.0, 1.0]])
    np.testing.assert_allclose(exact(integral.inverse(g)), g, rtol=1e-10, atol=1e-12 * integral.total)
    rising = integral.inverse(np.sort(g))
    assert np.all(np.diff(rising) >= 0)
    assert np.all((rising >= 0) & (rising <= 1))


def test_small_values_keep_their_digits():
    integral = integrate_increasing(lambda r: r, POWERS)
    g = np.logspace(-24, -2, 200)
    np.testing.assert_allclose(integral.inverse(g), np.sqrt(2 * g), rtol=1e-11)
    np.testing.assert_allclose(integral.value(np.sqrt(2 * g)), g, rtol=1e-11)


def test_rounding_in_the_integrand_ends_the_refinement():
    def noisy(r):
        return r + 1e-11 * np.sin(1e9 * r)

    integral = integrate_increasing(noisy, np.concatenate([POWERS, 1 - POWERS]))
    assert len(integral.value.edges) < 2000
    assert integral.total == pytest.approx(0.5, rel=1e-10)


def test_values_beyond_the_table_stay_at_its_ends():
    integral = integrate_increasing(lambda r: r, POWERS)
    np.testing.assert_allclose(integral.inverse([-1.0, 2.0]), [0.0, 1.0], atol=1e-12)
    assert np.isnan(integral.value(np.nan))
