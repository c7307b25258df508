"""Inelastic cross sections against tabulated values of the formulae that they claim to be."""

import numpy as np
import pytest

from stellarcr.galaxy.inelastic import PION_THRESHOLD, inelastic_cross_section, letaw_inelastic, proton_inelastic
from stellarcr.species import dominant_isotope, nuclide

ENERGIES = np.array([0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0])

# Letaw 1983 formula on hydrogen, tabulated independently [mb] at ENERGIES [GeV/n]; printed to 0.1 mb.
LETAW = {
    ("He", 4): (91.8, 83.0, 91.9, 96.1, 96.5, 96.5, 96.5),
    ("C", 12): (240.0, 217.0, 240.3, 251.3, 252.4, 252.4, 252.4),
    ("O", 16): (293.7, 265.5, 294.0, 307.5, 308.8, 308.8, 308.8),
    ("Ne", 20): (345.4, 312.3, 345.9, 361.7, 363.2, 363.3, 363.3),
    ("Si", 28): (443.1, 400.7, 443.7, 464.1, 466.0, 466.0, 466.0),
    ("Fe", 56): (725.9, 656.3, 726.9, 760.2, 763.4, 763.4, 763.4),
}


@pytest.mark.parametrize(("symbol", "mass_number"), LETAW)
def test_letaw(symbol, mass_number):
    found = inelastic_cross_section(nuclide(symbol, mass_number), ENERGIES)
    np.testing.assert_allclose(found, LETAW[symbol, mass_number], atol=0.051)


@pytest.mark.parametrize(
    ("mass_number", "tabulated"),
    # Letaw 1983 with its term for beryllium, tabulated independently at ENERGIES; printed to 0.1 mb
    [
        (7, (200.7, 159.4, 167.9, 175.5, 176.2, 176.2, 176.2)),
        (9, (236.8, 188.1, 198.2, 207.1, 207.9, 208.0, 208.0)),
        (10, (254.0, 201.8, 212.6, 222.1, 223.1, 223.1, 223.1)),
    ],
)
def test_beryllium(mass_number, tabulated):
    np.testing.assert_allclose(inelastic_cross_section(nuclide("Be", mass_number), ENERGIES), tabulated, atol=0.051)


def test_carbon_lies_between_the_published_sets():
    # C12 on hydrogen at 2 GeV/n: 238 mb (Wellisch 1997) to 262 mb (Barashenkov 1994)
    assert 238.0 < inelastic_cross_section(nuclide("C", 12), np.array([2.0]))[0] < 262.0


def test_heavier_nuclei_break_more_easily():
    at_ten = [inelastic_cross_section(dominant_isotope(e), np.array([10.0]))[0] for e in ("H", "He", "C", "O", "Fe")]
    assert np.all(np.diff(at_ten) > 0)


def test_protons_below_the_threshold_of_pion_production_are_elastic():
    below = proton_inelastic(np.array([1e-3, 0.1, PION_THRESHOLD]))
    np.testing.assert_array_equal(below, 0.0)
    # (1 - x^-1.9)^3 rises from zero with the third power of the distance
    near = proton_inelastic(PION_THRESHOLD * np.array([1 + 1e-3, 1 + 2e-3]))
    assert near[1] / near[0] == pytest.approx(8.0, rel=0.02)


def test_threshold_is_that_of_one_pion():
    # p + p -> p + p + pi0 at rest in the centre of mass: T = 2 m_pi + m_pi^2 / (2 m_p)
    pion, proton = 0.1349768, nuclide("H", 1).mass
    assert pytest.approx(2 * pion + pion**2 / (2 * proton), abs=1e-4) == PION_THRESHOLD


def test_protons_at_high_energy_follow_the_logarithmic_rise():
    energy = np.geomspace(1e3, 1e8, 12)
    ln_x = np.log(energy / PION_THRESHOLD)
    # the threshold factor differs from one by 3 x^-1.9, at most 6e-7 * 10
    np.testing.assert_allclose(proton_inelastic(energy), 30.7 - 0.96 * ln_x + 0.18 * ln_x**2, rtol=1e-6)
    assert np.all(np.diff(proton_inelastic(energy)) > 0)


def test_a_mass_number_alone_decides_but_for_helium_and_slow_beryllium():
    assert letaw_inelastic(ENERGIES, 5, 7) == pytest.approx(letaw_inelastic(ENERGIES, 3, 7), rel=1e-14)
    assert letaw_inelastic(np.array([5.0]), 4, 7) == pytest.approx(letaw_inelastic(np.array([5.0]), 3, 7), rel=1e-14)
    assert letaw_inelastic(ENERGIES, 2, 4) == pytest.approx(0.8 * letaw_inelastic(ENERGIES, 3, 4), rel=1e-14)
