"""What LHAASO measured at the knee."""

import numpy as np
import pytest

from stellarcr.data.registry import load_spectrum
from stellarcr.studies.reproduce.injection_knee import (
    break_band,
    broken_power_law,
    knee_spectrum,
    measured_break,
    measured_ratio,
)


@pytest.mark.parametrize("at", [1.5e6, 3.5e6])
def test_a_broken_power_law_is_found(at):
    rigidity = np.geomspace(3e5, 1e7, 20)
    flux = 1e-12 * np.where(rigidity < at, (rigidity / at) ** -2.6, (rigidity / at) ** -3.5)
    found = broken_power_law(rigidity, flux, np.full(20, 0.05))
    assert found.best == pytest.approx(at, rel=2e-3)
    assert found.low < at < found.high


def test_smaller_errors_make_a_narrower_interval():
    rigidity = np.geomspace(5e5, 1e7, 20)
    flux = np.where(rigidity < 3e6, (rigidity / 3e6) ** -2.6, (rigidity / 3e6) ** -3.5)
    wide, narrow = (broken_power_law(rigidity, flux, np.full(20, error)) for error in (0.08, 0.02))
    assert narrow.high - narrow.low < 0.5 * (wide.high - wide.low)


def test_helium_is_per_unit_rigidity():
    table, spectrum = load_spectrum("LHAASO", "He", hadronic_model="EPOS-LHC"), knee_spectrum("He")
    np.testing.assert_allclose(spectrum.rigidity * 2.0, table.x.value)
    energy = np.trapezoid(table.value.value, table.x.value)
    assert np.trapezoid(spectrum.flux, spectrum.rigidity) == pytest.approx(energy)


def test_common_break_is_near_the_published_one():
    low, high = break_band()
    assert low < 3.5e6 < high
    assert measured_break("H").best == pytest.approx(measured_break("He").best, rel=0.2)


def test_ratio_is_at_equal_rigidity():
    # the design's J_H(E)/[2 J_He(2E)] = 4.1 at 2.8 PV
    found = measured_ratio(2.8e6)
    assert found.best == pytest.approx(4.1, abs=0.1)
    assert found.low < 4.1 < found.high
