"""One contract for all populations, and what tells the five apart."""

import pickle
from pathlib import Path

import array_api_strict
import numpy as np
import pytest

from stellarcr.data import load_composition, load_type_ia, read_composition
from stellarcr.data.stellar_tables import load_stellar_population
from stellarcr.errors import ConfigError, ParameterError
from stellarcr.populations import POPULATION_KINDS, Composition, build_population, population_builder
from stellarcr.populations.contract import check_population
from stellarcr.populations.stellar_options import stellar_options
from stellarcr.populations.strict_array import StrictArray
from stellarcr.species import ELEMENTS, natural_isotopes

pytestmark = pytest.mark.usefixtures("one_thread")

R = np.geomspace(1.0, 1e7, 50)
EXAMPLES = Path(__file__).parents[2] / "docs" / "examples" / "own_population"
EXAMPLE = f"{EXAMPLES / 'my_sources.py'}:pulsar_winds"
NARROW = {"eta_B_range": (0.01, 0.1), "gamma_range": (-2.3, -1.9)}
STELLAR = {
    # quick to tabulate; the defaults lie on the edge of the box
    "stellar o_wind": ("o_wind", {"age_limit": 5e5, "M_up": 60.0} | NARROW),
    "stellar wr_wind": ("wr_wind", {"grid": "genec-z014-v00", "M_up": 50.0} | NARROW),
    "stellar msc": ("msc", {"age_limit": 1e6, "amplitude": "efficiency"} | NARROW),
}
IMPLEMENTATIONS = (*POPULATION_KINDS, EXAMPLE, *STELLAR)
NAMES = [*POPULATION_KINDS, "docs/examples", *STELLAR]


def build(kind, isotopes="dominant"):
    if kind in STELLAR:
        return load_stellar_population(stellar_options(*STELLAR[kind]), isotopes)
    if kind == EXAMPLE:
        composition = read_composition(EXAMPLES / "pulsar_composition.ecsv")
    else:
        composition = load_type_ia() if kind == "ia" else load_composition(kind)
    return population_builder(kind)(composition, isotopes, {})


@pytest.fixture(params=IMPLEMENTATIONS, ids=NAMES)
def population(request):
    return build(request.param)


def test_keeps_the_contract(population):
    """What a user's population is held to when it is loaded."""
    assert check_population(population) == ""


@pytest.mark.parametrize("library", [StrictArray, array_api_strict.asarray])
def test_its_shape_runs_with_another_array_library(population, library):
    batch = {name: value * np.array([1.0, 1.01]) for name, value in defaults(population).items()}
    rigidity = R if library is StrictArray else library(R)
    found = population.shape(rigidity, {name: library(values) for name, values in batch.items()})
    assert type(found) is type(library(R))
    plain = found.values if library is StrictArray else np.asarray(found)
    np.testing.assert_allclose(plain, population.shape(R, batch), rtol=1e-13)


def defaults(population):
    return {info.name: info.default for info in population.parameters}


def test_declares_its_parameters(population):
    names = [info.name for info in population.parameters]
    assert names[0] == population.amplitude_name
    assert len(set(names)) == len(names)
    assert all(info.label and info.source and np.isfinite(info.default) for info in population.parameters)
    assert set(population.elements) <= set(ELEMENTS)


def test_its_shape_is_positive_and_batched(population):
    values = defaults(population)
    alone = population.shape(R, values)
    assert alone.shape == ((len(population.elements), *R.shape) if population.shape_per_element else R.shape)
    assert np.all(alone > 0)
    batch = {name: np.full(3, value) for name, value in values.items()}
    # a table is a product of matrices, whose sums depend on how many rows there are
    tolerance = 1e-12 if population.injected else 0.0
    np.testing.assert_allclose(population.shape(R, batch), np.stack([alone] * 3), rtol=tolerance)


def test_its_amplitude_is_no_part_of_the_shape(population):
    values = defaults(population)
    more = {**values, population.amplitude_name: 3 * values[population.amplitude_name]}
    np.testing.assert_array_equal(population.shape(R, more), population.shape(R, values))


@pytest.mark.parametrize("isotopes", ["dominant", "given", "natural"])
@pytest.mark.parametrize("kind", IMPLEMENTATIONS, ids=NAMES)
def test_isotopes_of_an_element_add_up_to_one(kind, isotopes):
    population = build(kind, isotopes)
    for element in population.elements:
        parts = population.isotopes_of(element)
        assert sum(fraction for _, fraction in parts) == pytest.approx(1.0, abs=1e-6)
        assert all(nuclide.symbol == element and fraction > 0 for nuclide, fraction in parts)
        if isotopes == "dominant":
            assert len(parts) == 1
        if isotopes == "natural":
            assert {nuclide.mass_number: fraction for nuclide, fraction in parts} == natural_isotopes(element)


def test_given_isotopes_are_the_compositions_own():
    ia = build("ia", "given")
    iron = {nuclide.mass_number: fraction for nuclide, fraction in ia.isotopes_of("Fe")}
    assert iron == {a: f for a, f in ia.composition.isotopes["Fe"].items() if f > 0}
    assert max(iron, key=iron.get) == 56
    assert len(build("ia").isotopes_of("Fe")) == 1


def test_survives_a_trip_to_another_process(population):
    again = pickle.loads(pickle.dumps(population))
    assert again.parameters == population.parameters
    np.testing.assert_array_equal(again.shape(R, defaults(population)), population.shape(R, defaults(population)))


def test_another_name_changes_nothing_else(population):
    other = population.with_name("twin")
    assert other.name == "twin"
    assert (other.parameters, other.elements, other.place) == (
        population.parameters, population.elements, population.place)  # fmt: skip


def test_values_of_the_paper():
    # arXiv:2605.31362: indices, break, cutoffs [GV]; Type Ia: 50 kyr, 1 kpc, 5.5e50 erg
    snr, o_wind, wr_wind, msc, ia = (defaults(build(kind)) for kind in ("snr", "o_wind", "wr_wind", "msc", "ia"))
    assert (snr["gamma1"], snr["gamma2"], snr["R_br"], snr["R_max"]) == (-2.2, -2.45, 10.0, 5e4)
    assert (o_wind["gamma"], o_wind["R_max"]) == (-1.95, 6e4)
    assert (wr_wind["gamma"], wr_wind["R_max"]) == (-1.95, 1.5e5)
    assert (msc["gamma"], msc["R_max"]) == (-2.1, 5e6)
    assert (ia["energy"], ia["gamma"], ia["age"], ia["distance"]) == (5.5e50, -2.0, 5e4, 1.0)


def test_only_remnants_have_free_abundances_and_hydrogen_is_the_measure():
    assert [kind for kind in POPULATION_KINDS if build(kind).free_abundances] == ["snr"]
    names = [info.name for info in build("snr").parameters]
    assert "abundance.He" in names
    assert "abundance.H" not in names


def test_only_the_type_ia_remnant_is_nearby_and_has_no_hydrogen_or_helium():
    assert [kind for kind in POPULATION_KINDS if build(kind).place == "nearby"] == ["ia"]
    assert not {"H", "He"} & set(build("ia").elements)


def test_ejecta_are_numbers_of_nuclei():
    # Seitenzahl et al. 2013, N100: iron is 0.36 of the ejecta by number and 0.53 by mass (arXiv:2605.31362)
    ejecta = load_type_ia("N100")
    assert sum(ejecta.elements.values()) == pytest.approx(1.0, abs=1e-12)
    assert ejecta.elements["Fe"] == pytest.approx(0.36, abs=0.005)
    mass = {
        element: fraction * sum(a * part for a, part in ejecta.isotopes[element].items())
        for element, fraction in ejecta.elements.items()
    }
    assert mass["Fe"] / sum(mass.values()) == pytest.approx(0.53, abs=0.005)


def test_an_unknown_kind_is_refused():
    with pytest.raises(ConfigError, match="'sn'") as caught:
        build_population("sn", load_composition("snr"))
    assert "'snr'" in caught.value.remedy


def test_an_unknown_choice_of_isotopes_is_refused():
    with pytest.raises(ParameterError, match="'solar'") as caught:
        build("snr", "solar")
    assert "'natural'" in caught.value.remedy


def test_a_composition_with_an_unknown_element_is_refused():
    with pytest.raises(ParameterError, match="'Uu'"):
        Composition("mine", {"H": 0.9, "Uu": 0.1})
