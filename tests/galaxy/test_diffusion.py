"""The diffusion coefficient: reference value, slopes, continuity, smooth and sharp break."""

import numpy as np
import pytest

from stellarcr.galaxy.diffusion import diffusion_coefficient

D0, DELTA, R_H, DELTA_H, ETA = 3.7e28, 0.45, 300.0, 0.25, 1.0


def coefficient(rigidity, beta=1.0, smoothness=0.0, **changes):
    values = {"D0": D0, "delta": DELTA, "R_h": R_H, "delta_h": DELTA_H, "eta": ETA, **changes}
    return diffusion_coefficient(np.asarray(rigidity, dtype=float), beta, **values, smoothness=smoothness)


def slope(rigidity, smoothness=0.0, step=1e-3):
    low, high = (coefficient(rigidity * np.exp(sign * step), smoothness=smoothness) for sign in (-1, 1))
    return np.log(high / low) / (2 * step)


def test_value_at_the_reference_rigidity():
    assert coefficient([4.0])[0] == pytest.approx(D0, rel=1e-14)


@pytest.mark.parametrize("eta", [-0.5, 0.0, 1.0])
def test_power_of_beta(eta):
    beta = np.array([0.1, 0.7, 1.0])
    np.testing.assert_allclose(coefficient([30.0] * 3, beta, eta=eta), coefficient([30.0] * 3) * beta**eta, rtol=1e-14)


def test_slopes_below_and_above_a_sharp_break():
    found = slope(np.array([1.0, 4.0, 290.0, 310.0, 1e6]))
    np.testing.assert_allclose(found, [DELTA, DELTA, DELTA, DELTA_H, DELTA_H], atol=1e-11)


def test_continuous_at_a_sharp_break():
    below, at, above = coefficient(R_H * np.array([1 - 1e-12, 1.0, 1 + 1e-12]))
    expected = D0 * (R_H / 4.0) ** DELTA
    np.testing.assert_allclose([below, at, above], expected, rtol=1e-11)


@pytest.mark.parametrize("smoothness", [0.05, 0.3, 1.0])
def test_smooth_break_is_the_published_form(smoothness):
    rigidity = np.geomspace(1.0, 1e5, 60)
    bracket = 1.0 + (rigidity / R_H) ** (1.0 / smoothness)
    expected = D0 * (rigidity / 4.0) ** DELTA * bracket ** (smoothness * (DELTA_H - DELTA))
    np.testing.assert_allclose(coefficient(rigidity, smoothness=smoothness), expected, rtol=1e-12)
    assert slope(R_H, smoothness) == pytest.approx(0.5 * (DELTA + DELTA_H), abs=1e-9)


def test_smooth_break_tends_to_the_sharp_one():
    # they differ most at R_h, by the factor 2^(s (delta_h - delta))
    rigidity = np.geomspace(1.0, 1e6, 200)
    for smoothness in (0.3, 0.03, 0.003):
        ratio = coefficient(rigidity, smoothness=smoothness) / coefficient(rigidity)
        assert np.max(np.abs(np.log(ratio))) <= smoothness * (DELTA - DELTA_H) * np.log(2.0) * (1 + 1e-9)
    assert np.all(np.isfinite(coefficient(np.array([1e-3, 1e300]), smoothness=1e-3)))


def test_many_points_equal_one_point_after_the_other():
    rigidity = np.geomspace(1.0, 1e5, 9)
    rng = np.random.default_rng(1)
    columns = {
        "D0": rng.uniform(1e28, 1e29, 4),
        "delta": rng.uniform(0.2, 0.8, 4),
        "R_h": rng.uniform(100, 1000, 4),
        "delta_h": rng.uniform(0, 0.5, 4),
        "eta": rng.uniform(-1, 1, 4),
    }
    beta = rigidity / np.hypot(rigidity, 0.938)
    together = coefficient(rigidity, beta, **{name: v[:, None] for name, v in columns.items()})
    for k in range(4):
        alone = coefficient(rigidity, beta, **{name: float(v[k]) for name, v in columns.items()})
        np.testing.assert_array_equal(together[k], alone)
