"""Equation 14."""

from math import log

import pytest

from stellarcr.studies.reproduce.clusters import eq14, power
from stellarcr.studies.reproduce.items import Settings


def test_power_is_the_printed_formula():
    for lowest in (1e2, 1e3):
        expected = 2.0 * 1e53 / log(1e5 / lowest) * (1e-4 - 1e-5)
        assert power(1e53, 0.0, lowest) == pytest.approx(expected, rel=1e-12)


def test_energy_in_proportion_to_mass_divides_the_stars_by_the_logarithm_of_mass():
    whole = 2.0 * 1e53 / 3e4
    assert power(1e53, 1.0) == pytest.approx(whole * log(10.0) / log(1e3))
    assert power(1e53, 1.0) + power(1e53, 1.0, small=True) == pytest.approx(whole)


def test_numbers_of_the_design():
    # 2.6e48 and 3.9e48 erg/yr from the formula, 2.2e48 and 4.4e48 in proportion to mass
    assert power(1e53, 0.0) == pytest.approx(2.6e48, abs=0.05e48)
    assert power(1e53, 0.0, 1e3) == pytest.approx(3.9e48, abs=0.05e48)
    assert power(1e53, 1.0) == pytest.approx(2.2e48, abs=0.05e48)
    assert power(1e53, 1.0, small=True) == pytest.approx(4.4e48, abs=0.05e48)


def test_rows_stand_beside_the_printed_power():
    rows = {row.quantity: row for row in eq14(Settings()).rows}
    energy = next(row for name, row in rows.items() if name.startswith("wind energy") and "whole life" in name)
    assert 7e52 <= energy.ours <= 8e52  # the design's range
    assert energy.paper == 1e53
    share = next(row for name, row in rows.items() if "part of the supernovae" in name)
    assert share.paper == 0.4
    assert share.ours < share.paper
