"""Compositions of the populations and of Type Ia ejecta."""

import dataclasses
import math
import pickle

import pytest
from astropy.table import Table

from stellarcr.data import load_composition, load_type_ia
from stellarcr.data.content import content_path
from stellarcr.errors import DataError, ParameterError
from stellarcr.populations.composition import Composition

PRINTED = ("H", "He", "C", "O", "Mg", "Si", "S", "Fe")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("snr", {"H": 0.8, "He": 0.178, "C": 6.69e-3, "O": 8.48e-3, "Mg": 1.97e-3, "Si": 1.69e-3, "Fe": 1.74e-3}),
        ("o_wind", {"H": 0.873, "He": 0.126, "C": 1.91e-4, "S": 1.37e-5, "Fe": 3.95e-5, "Ne": 8.7e-5}),
        ("wr_wind", {"H": 0.0473, "He": 0.866, "C": 4.89e-2, "O": 3.48e-2, "Mg": 1.14e-4, "Ne": 3.9e-4}),
        ("msc", {"H": 0.799, "He": 0.194, "C": 4.8e-3, "Si": 3.89e-5, "Fe": 4.74e-5, "Ne": 1.0e-4}),
    ],
)
def test_printed_fractions_are_kept(name, expected):
    composition = load_composition(name)
    assert {symbol: composition.elements[symbol] for symbol in expected} == expected
    for symbol in PRINTED:
        assert composition.source[symbol] == "arXiv:2605.31362 Table 3"
    # The printed columns add up to 0.997-1.000: elements are missing from print, nothing was renormalised.
    assert 0.9965 <= math.fsum(composition.elements[symbol] for symbol in PRINTED) <= 1.0005


def test_every_element_has_a_source():
    for name in ("snr", "o_wind", "wr_wind", "msc"):
        composition = load_composition(name)
        assert composition.source.keys() == composition.elements.keys()
        assert all(composition.source.values())


def test_placeholders_and_derived_numbers_say_so():
    assert "placeholder" in load_composition("msc").source["Ne"]
    snr = load_composition("snr")
    assert {s for s in snr.elements if "derived" in snr.source[s]} == {"N", "Ne", "Na", "Al", "Ca"}


def test_supernova_remnants_at_equal_rigidity():
    snr = load_composition("snr")
    # 183 at equal energy per nucleon with H = 1.06e6; A/Z = 2 and index 2.36 give a factor 2^1.36.
    assert snr.elements["N"] == pytest.approx(0.8 * 183 / 1.06e6 * 2**1.36, rel=1e-5)
    neon20, neon22 = 313 * 2**1.36, 100 * 2.2**1.36
    assert snr.elements["Ne"] == pytest.approx(0.8 * (neon20 + neon22) / 1.06e6, rel=1e-5)
    assert snr.isotopes["Ne"][22] == pytest.approx(neon22 / (neon20 + neon22), rel=1e-5)
    assert snr.isotopes["H"] == {1: 1.0}


def test_conversion_to_equal_rigidity():
    table = Table.read(content_path("datasets", "compositions", "galactic_source_composition.ecsv"))
    rows = {(row["element"], row["mass_number"]): row for row in table}
    assert rows["He", 4]["factor"] == pytest.approx(2.57, abs=0.005)
    assert rows["Fe", 56]["factor"] == pytest.approx(2.84, abs=0.005)
    # 7.2e4 and 1.06e6 at equal energy per nucleon; quoted as 0.175 from factors of three digits.
    assert rows["He", 4]["equal_rigidity"] == pytest.approx(7.2e4 / 1.06e6 * 2**1.36, rel=1e-5)
    assert rows["He", 4]["equal_rigidity"] == pytest.approx(0.175, abs=0.001)
    assert rows["H", 1]["equal_rigidity"] == 1.0


def test_type_ia_numbers():
    ejecta = load_type_ia()
    assert math.fsum(ejecta.elements.values()) == pytest.approx(1.0, abs=1e-12)
    assert ejecta.elements["Fe"] == pytest.approx(0.36, abs=0.005)
    masses = {
        symbol: number * math.fsum(a * part for a, part in ejecta.isotopes[symbol].items())
        for symbol, number in ejecta.elements.items()
    }
    assert masses["Fe"] / math.fsum(masses.values()) == pytest.approx(0.53, abs=0.005)
    assert "H" not in ejecta.elements
    assert "He" not in ejecta.elements
    symbols = list(ejecta.elements)
    assert (symbols[0], symbols[-1]) == ("C", "Ni")
    # Si28 0.284, Si29 0.00103, Si30 0.00236 Msun in N100.
    numbers = [0.284 / 28, 0.00103 / 29, 0.00236 / 30]
    assert ejecta.isotopes["Si"][28] == pytest.approx(numbers[0] / sum(numbers), rel=1e-12)
    assert "MNRAS 429, 1156" in ejecta.source["Fe"]


def test_all_models_of_the_family():
    table = Table.read(content_path("datasets", "yields", "seitenzahl2013.ecsv"))
    models = sorted(set(table["model"]))
    assert len(models) == 17
    assert str(table["mass"].unit) == "solMass"
    for model in models:
        ejecta = load_type_ia(model)
        assert math.fsum(ejecta.elements.values()) == pytest.approx(1.0, abs=1e-12)
        assert not {"H", "He"} & set(ejecta.elements)
    # More ignition kernels, a more expanded star at detonation, less burning to the iron group.
    iron = [load_type_ia(model).elements["Fe"] for model in ("N1", "N10", "N100", "N1600")]
    assert iron == sorted(iron, reverse=True)
    total = sum(table["mass"][table["model"] == "N100"])
    assert total == pytest.approx(1.40, abs=0.01)  # a Chandrasekhar-mass white dwarf


def test_unknown_names():
    with pytest.raises(DataError, match="did you mean 'o_wind'"):
        load_composition("o-wind")
    with pytest.raises(DataError, match="N100"):
        load_type_ia("N101")


def test_composition_from_plain_dicts():
    given = {"H": 0.9, "He": 0.1}
    composition = Composition("mine", given, {"He": {3: 0.2, 4: 0.8}}, {"H": "project choice"})
    given["H"] = 5.0
    assert composition.elements == {"H": 0.9, "He": 0.1}
    assert pickle.loads(pickle.dumps(composition)) == composition
    assert hash(composition) == hash(pickle.loads(pickle.dumps(composition)))
    with pytest.raises(dataclasses.FrozenInstanceError):
        composition.name = "other"
    for mapping in (composition.elements, composition.isotopes, composition.isotopes["He"], composition.source):
        with pytest.raises(TypeError):
            mapping["H"] = 1.0


@pytest.mark.parametrize(
    ("elements", "isotopes", "source", "words"),
    [
        ({}, {}, {}, "no elements"),
        ({"Xx": 1.0}, {}, {}, "'Xx'"),
        ({"H": -1.0}, {}, {}, "H is -1.0"),
        ({"H": math.nan}, {}, {}, "H is nan"),
        ({"H": 1.0}, {"He": {4: 1.0}}, {}, "'He', which has no number fraction"),
        ({"H": 1.0}, {}, {"He": "a paper"}, "'He', which has no number fraction"),
        ({"He": 1.0}, {"He": {9: 1.0}}, {}, "He9"),
        ({"He": 1.0}, {"He": {3: -0.5, 4: 1.5}}, {}, "He3 within He is -0.5"),
        ({"He": 1.0}, {"He": {3: 0.1, 4: 0.8}}, {}, "add up to 0.9"),
    ],
)
def test_composition_refuses(elements, isotopes, source, words):
    with pytest.raises(ParameterError, match=words):
        Composition("bad", elements, isotopes, source)


def test_printing():
    text = str(load_composition("snr"))
    assert "20:0.733 22:0.267" in text
    assert text.count("arXiv:2605.31362 Table 3") == len(PRINTED)
