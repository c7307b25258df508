"""Constants and nuclides against the packages that publish them."""

import periodictable
import pytest
from astropy import constants as astropy_constants
from astropy import units as u
from scipy import constants as scipy_constants

from stellarcr import constants
from stellarcr.errors import ParameterError
from stellarcr.species import (
    ELEMENTS,
    GROUPS,
    NUCLIDES,
    canonical_species,
    dominant_isotope,
    isotopes,
    members,
    natural_isotopes,
    nuclide,
)

# What is exact by definition agrees to rounding; measured masses agree to the digits printed (12 of them).
EXACT, PRINTED = 1e-15, 1e-11


def mass_in_gev(name):
    return scipy_constants.value(name) / 1e3


@pytest.mark.parametrize(
    ("ours", "theirs", "tolerance"),
    [
        (constants.SPEED_OF_LIGHT, scipy_constants.c, EXACT),
        (constants.SPEED_OF_LIGHT, astropy_constants.c.si.value, EXACT),
        (constants.SPEED_OF_LIGHT_KM_S, astropy_constants.c.to_value(u.km / u.s), EXACT),
        (constants.KILOPARSEC, 1e3 * scipy_constants.parsec, EXACT),
        (constants.KILOPARSEC, astropy_constants.kpc.si.value, EXACT),
        (constants.PARSEC, scipy_constants.parsec, EXACT),
        (constants.PROTON_MASS, scipy_constants.m_p, PRINTED),
        (constants.BOLTZMANN_CONSTANT, scipy_constants.k, EXACT),
        (constants.PARSEC, astropy_constants.pc.si.value, EXACT),
        (constants.YEAR, scipy_constants.Julian_year, EXACT),
        (constants.YEAR, (1 * u.yr).to_value(u.s), EXACT),
        (constants.GEV_PER_ERG, scipy_constants.erg / (1e9 * scipy_constants.eV), EXACT),
        (constants.GEV_PER_ERG, (1 * u.erg).to_value(u.GeV), EXACT),
        (constants.ATOMIC_MASS_GEV, mass_in_gev("atomic mass constant energy equivalent in MeV"), PRINTED),
        (constants.ELECTRON_MASS_GEV, mass_in_gev("electron mass energy equivalent in MeV"), PRINTED),
        (constants.VACUUM_PERMEABILITY, scipy_constants.mu_0, PRINTED),
        (constants.MILLIBARN, (1 * u.mbarn).to_value(u.cm**2), EXACT),
    ],
)
def test_constants(ours, theirs, tolerance):
    assert ours == pytest.approx(theirs, rel=tolerance)


@pytest.mark.parametrize(
    ("symbol", "mass_number", "name"),
    [
        ("H", 1, "proton mass energy equivalent in MeV"),
        ("H", 2, "deuteron mass energy equivalent in MeV"),
        ("He", 3, "helion mass energy equivalent in MeV"),
        ("He", 4, "alpha particle mass energy equivalent in MeV"),
    ],
)
def test_masses_of_bare_nuclei(symbol, mass_number, name):
    # The electrons' binding energy is left out: 13.6 eV for hydrogen, 79 eV for helium.
    binding = 13.6e-9 if symbol == "H" else 79e-9
    assert nuclide(symbol, mass_number).mass == pytest.approx(mass_in_gev(name), abs=2 * binding)


def test_every_nuclide_against_periodictable():
    for item in NUCLIDES.values():
        isotope = periodictable.elements[item.charge][item.mass_number]
        electrons = item.charge * mass_in_gev("electron mass energy equivalent in MeV")
        mass = isotope.mass * mass_in_gev("atomic mass constant energy equivalent in MeV") - electrons
        assert periodictable.elements[item.charge].symbol == item.symbol
        # the packages follow different CODATA and AME issues, which agree to 1e-8
        assert item.mass == pytest.approx(mass, rel=1e-8)
        assert item.natural_abundance == pytest.approx(isotope.abundance / 100.0, rel=1e-6)
        assert item.name == f"{item.symbol}{item.mass_number}"


def test_no_stable_nuclide_is_missing():
    stable = {
        (element.symbol, mass_number)
        for element in periodictable.elements
        if 1 <= element.number <= 28
        for mass_number in element.isotopes
        if element[mass_number].abundance > 0
    }
    assert stable <= set(NUCLIDES)
    assert list(ELEMENTS.values()) == list(range(1, 29))


@pytest.mark.parametrize("symbol", ELEMENTS)
def test_natural_isotopes_are_fractions(symbol):
    fractions = natural_isotopes(symbol)
    assert sum(fractions.values()) == pytest.approx(1.0, abs=1e-12)
    assert dominant_isotope(symbol).mass_number == max(fractions, key=fractions.get)
    assert {n.charge for n in isotopes(symbol)} == {ELEMENTS[symbol]}


@pytest.mark.parametrize(
    ("given", "wanted"), [("p", "H"), ("light", "p+He"), ("pHe", "p+He"), ("all-particle", "all"), ("Fe", "Fe")]
)
def test_spellings(given, wanted):
    assert canonical_species(given) == wanted


def test_groups():
    assert members("p+He") == ("H", "He")
    assert members("all") == tuple(ELEMENTS)
    assert members("light") == GROUPS["p+He"]
    assert members("Fe") == ("Fe",)


@pytest.mark.parametrize("call", [canonical_species, members, isotopes, dominant_isotope, natural_isotopes])
def test_an_unknown_species_names_its_neighbours(call):
    with pytest.raises(ParameterError, match="'Hee'") as caught:
        call("Hee")
    assert "'He'" in caught.value.remedy


def test_an_unknown_nuclide_names_its_neighbours():
    with pytest.raises(ParameterError, match="'He5'") as caught:
        nuclide("He", 5)
    assert "He4" in caught.value.remedy
