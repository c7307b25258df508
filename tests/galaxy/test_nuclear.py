"""The pure parts of the nuclear network against numbers worked out by hand."""

import math
import re

import numpy as np
import pytest

from stellarcr.galaxy.nuclear import (
    DECAYS,
    HELIUM_RATIO_LIMIT,
    NuclearNetwork,
    decays,
    helium_destruction,
    helium_ratio,
    interpolate_rows,
    network_order,
    released_protons,
)

ENERGY = np.array([0.1, 1.0, 10.0])
TABLE = np.array([[1.0, 3.0, 2.0], [0.0, 0.0, 8.0]])


def test_rows_are_linear_in_the_logarithm_of_energy():
    found = interpolate_rows(ENERGY, TABLE, np.array([10**-0.5, 10**0.25, 1.0]))
    np.testing.assert_allclose(found, [[2.0, 2.75, 3.0], [0.0, 2.0, 0.0]], rtol=1e-14)


def test_rows_are_constant_outside():
    found = interpolate_rows(ENERGY, TABLE, np.array([1e-9, 0.1, 10.0, 1e9]))
    np.testing.assert_array_equal(found, [[1.0, 1.0, 2.0, 2.0], [0.0, 0.0, 8.0, 8.0]])


def test_helium_ratio_of_carbon_to_boron():
    # by hand at 1 GeV/n: mu = 0.0292019, d = 4.0485577, f_Z = -2.90627699 + 1.19911266 ln 6 = -0.757757,
    # |6 - 5 + 0.757757 * 4.0485577| = 4.067822, to the power 1.43: 7.4368; exp(0.0292019 * 7.4368)
    assert helium_ratio(np.array([1.0]), 6, 5)[0] == pytest.approx(1.24256, abs=2e-5)


@pytest.mark.parametrize(("parent", "fragment"), [(6, 4), (8, 5), (14, 13), (26, 25), (28, 27)])
def test_helium_ratio_is_the_formula_where_it_is_not_limited(parent, fragment):
    for t in (0.4, 0.8, 1.51, 30.0):
        x = min(t, 1.51)
        mu = 0.1601136 - 0.21994302 * x + 0.08903134 * x * x
        d = 0.40183405 + 5.60541311 * x - 1.95868946 * x * x
        f_z = -2.90627699 + 1.19911266 * math.log(26 if parent > 26 else parent)
        wanted = math.exp(mu * abs(parent - fragment - f_z * d) ** 1.43)
        assert wanted < HELIUM_RATIO_LIMIT
        assert helium_ratio(np.array([t]), parent, fragment)[0] == pytest.approx(wanted, rel=1e-12)


def test_helium_ratio_is_limited_where_the_formula_explodes():
    # Fe -> B: 1e3 at 0.3 GeV/n, 5.6 from 1.51 GeV/n on
    assert helium_ratio(np.array([0.1, 0.3]), 26, 5) == pytest.approx(HELIUM_RATIO_LIMIT)
    assert helium_ratio(np.array([1.51, 100.0]), 26, 5) == pytest.approx([5.60, 5.60], abs=0.01)


def test_helium_in_the_gas_destroys_by_its_area():
    assert helium_destruction(0.0) == 1.0
    # 4^(2/3) = 2.5198421
    assert helium_destruction(0.1) == pytest.approx(1.25198421, rel=1e-9)


def test_order_puts_decaying_nuclides_before_their_daughters():
    names = [n.name for n in network_order({"H1", "B10", "Be10", "Fe54", "Mn54", "Cr54", "Al26", "Mg26", "He4"})]
    assert names == ["Mn54", "Fe54", "Cr54", "Al26", "Mg26", "Be10", "B10", "He4", "H1"]


def test_decays_of_a_part_of_the_network():
    nuclides = network_order({"B10", "Be10", "Be9", "C14"})
    half_life, daughter = decays(nuclides)
    # C14 has no daughter here: it stays
    assert [n.name for n in nuclides] == ["C14", "Be10", "B10", "Be9"]
    np.testing.assert_array_equal(half_life, [np.inf, 1.387e6, np.inf, np.inf])
    np.testing.assert_array_equal(daughter, [-1, 2, -1, -1])


def test_decays_conserve_the_mass_number():
    for name, (daughter, half_life) in DECAYS.items():
        assert re.sub(r"\D", "", name) == re.sub(r"\D", "", daughter)
        assert 1e3 < half_life < 1e7


def test_electron_captures_do_not_happen_in_flight():
    assert not {"Be7", "Ar37", "Ca41", "Ti44", "V49", "Cr51", "Mn53", "Fe55", "Co57", "Ni59"} & set(DECAYS)


def test_protons_are_the_nucleons_that_are_left_over():
    nuclides = network_order({"He4", "He3", "H2", "H1"})
    destruction = np.array([[100.0], [80.0], [60.0], [30.0]])
    parent, fragment = np.array([0, 0, 1]), np.array([1, 2, 2])
    production = np.array([[50.0], [30.0], [95.0]])
    found = released_protons(nuclides, destruction, parent, fragment, production)[:, 0]
    # He4: 4 (100 - 30) - 3 50 - 2 30; He3: 3 (80 - 30) - 2 95 < 0; H2: 2 (60 - 30); protons make none
    np.testing.assert_allclose(found, [70.0, 0.0, 60.0, 0.0], atol=1e-12)


def test_a_network_at_other_energies_is_the_same_network():
    nuclides = network_order({"He3", "H1"})
    network = NuclearNetwork(
        name="toy",
        nuclides=nuclides,
        energy=ENERGY,
        destruction=TABLE,
        parent=np.array([0]),
        fragment=np.array([1]),
        production=TABLE[:1],
        half_life=np.array([np.inf, np.inf]),
        daughter=np.array([-1, -1]),
        sources={"inelastic": "toy"},
    )
    other = network.interpolated([10**0.5, 1e3])
    np.testing.assert_allclose(other.destruction, [[2.5, 2.0], [4.0, 8.0]], rtol=1e-14)
    np.testing.assert_allclose(other.production, [[2.5, 2.0]], rtol=1e-14)
    np.testing.assert_array_equal(other.energy, [10**0.5, 1e3])
    assert (other.name, other.nuclides, other.sources) == (network.name, network.nuclides, network.sources)
    np.testing.assert_array_equal(other.parent, network.parent)
