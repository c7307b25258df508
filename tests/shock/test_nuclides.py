"""Nuclides of a wind: fractions by number, sums over isotopes, names."""

import numpy as np
import pytest

from stellarcr.errors import ModelError, ParameterError
from stellarcr.shock.nuclides import WindNuclides

WIND = WindNuclides.named(("H1", "He4", "C12", "Ne20", "Ne22", "Fe56"))
MASS_FRACTIONS = np.array([0.70, 0.28, 0.01, 0.005, 0.003, 0.002])


def test_number_fractions():
    numbers = WIND.number_fractions(MASS_FRACTIONS)
    expected = MASS_FRACTIONS / np.array([1, 4, 12, 20, 22, 56])
    np.testing.assert_allclose(numbers, expected / expected.sum(), rtol=1e-14)
    batch = WIND.number_fractions(np.stack([MASS_FRACTIONS, 7 * MASS_FRACTIONS, 0 * MASS_FRACTIONS]))
    np.testing.assert_allclose(batch, [numbers, numbers, 0 * numbers], rtol=1e-14)


def test_isotopes_are_summed():
    assert WIND.elements == ("H", "He", "C", "Ne", "Fe")
    assert WIND.names == ("H1", "He4", "C12", "Ne20", "Ne22", "Fe56")
    values = np.arange(12.0).reshape(6, 2)
    expected = np.stack([values[0], values[1], values[2], values[3] + values[4], values[5]])
    np.testing.assert_array_equal(WIND.sum_isotopes(values, axis=-2), expected)
    np.testing.assert_array_equal(WIND.sum_isotopes(values.T), expected.T)


def test_charges_and_masses_follow_the_names():
    np.testing.assert_array_equal(WIND.charge, [1, 2, 6, 10, 10, 26])
    np.testing.assert_array_equal(WIND.mass_number, [1, 4, 12, 20, 22, 56])
    # nuclear masses per nucleon, within the binding energies
    np.testing.assert_allclose(WIND.mass / WIND.mass_number, 0.9315, rtol=0.008)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: WindNuclides.named(("H1", "helium")), ParameterError, "'helium' is no nuclide"),
        (lambda: WindNuclides.named(("H1", "He5")), ParameterError, "unknown nuclide 'He5'"),
        (lambda: WindNuclides.named(("H1", "H1")), ParameterError, "named twice: H1"),
        (lambda: WindNuclides(()), ParameterError, "has no nuclides"),
        (lambda: WIND.number_fractions(MASS_FRACTIONS[:4]), ModelError, r"shape \(4,\) has no axis -1 of 6"),
        (lambda: WIND.number_fractions(-MASS_FRACTIONS), ModelError, r"mass fraction\[0\] = -0.7"),
        (lambda: WIND.sum_isotopes(np.ones((6, 2))), ModelError, r"shape \(6, 2\) has no axis -1 of 6"),
    ],
)
def test_bad_input(call, error, message):
    with pytest.raises(error, match=message) as caught:
        call()
    assert caught.value.remedy
