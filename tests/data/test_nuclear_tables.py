"""The nuclear network as it is shipped: against published numbers, for consistency, and tables that are refused."""

import numpy as np
import pytest

from stellarcr.data.content import content_path
from stellarcr.data.nuclear_files import read_nuclear_table
from stellarcr.data.nuclear_tables import inelastic_sets, load_network, nuclear_sets
from stellarcr.errors import DataError
from stellarcr.species import ELEMENTS, natural_isotopes

SETS = ("evoli2019", "webber2003")


@pytest.fixture(scope="module", params=SETS)
def network(request):
    return load_network(request.param)


@pytest.fixture(scope="module")
def on_hydrogen():
    """Both sets for a gas without helium."""
    return {name: load_network(name, helium_fraction=0.0) for name in SETS}


def position(network, name):
    return [n.name for n in network.nuclides].index(name)


def channel(network, parent, fragment, energy):
    """Production cross section of one channel [mb]."""
    found = (network.parent == position(network, parent)) & (network.fragment == position(network, fragment))
    assert found.sum() == 1
    at = network.interpolated(np.atleast_1d(energy))
    return at.production[found][0, 0]


def inelastic(network, name, energy):
    return network.interpolated(np.atleast_1d(energy)).destruction[position(network, name), 0]


# --- against published numbers -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("fragment", "published"), [("B11", 56.5), ("B10", 18.7), ("Be7", 9.49), ("Be10", 3.59)])
def test_carbon_at_two_gev(on_hydrogen, fragment, published):
    # Evoli et al. 2019, cumulative, C12 at 2 GeV/n [mb]
    assert channel(on_hydrogen["evoli2019"], "C12", fragment, 2.0) == pytest.approx(published, rel=2e-3)


@pytest.mark.parametrize(
    ("parent", "fragment", "energy", "published"),
    [
        # copied from the full table of 160 energies, at energies that the shipped one does not have [GeV/n, mb]
        ("C12", "B11", 0.1811, 71.52),
        ("N14", "Be7", 0.1811, 8.36),
        ("C12", "B11", 2.837, 55.11),
        ("Si28", "Al26", 3.05, 25.42),
        ("O16", "Be10", 5.852, 3.745),
        ("Fe56", "Mn53", 9.036, 33.04),
        ("Fe56", "Sc45", 15.0, 19.93),
        ("Ne20", "F19", 106.0, 49.95),
    ],
)
def test_interpolation_against_the_full_table(on_hydrogen, parent, fragment, energy, published):
    assert channel(on_hydrogen["evoli2019"], parent, fragment, energy) == pytest.approx(published, rel=5e-3)


@pytest.mark.parametrize(
    ("parent", "fragment", "energy", "hydrogen", "helium"),
    # Coste et al. 2012 as USINE tabulates it, at 10 GeV/n [mb]; C13 and Fe54 as CRAMS tabulates it, on hydrogen only
    [
        ("He4", "He3", 10.0, 50.0802, 150.241),
        ("He4", "H2", 10.0, 27.59359, 96.33887),
        ("He3", "H2", 10.0, 30.30253, 90.9076),
        ("C13", "H2", 10.0, 144.179, None),
        ("C13", "He3", 10.0, 110.2108, None),
        ("C13", "H2", 1.20526, 94.4399, None),
        ("C14", "H2", 0.4361538, 62.5245, None),
        ("Fe54", "H2", 10.0, 796.2373, None),
        ("Fe54", "He3", 0.6742622, 76.3810, None),
    ],
)
def test_deuterons_and_helium_3(on_hydrogen, parent, fragment, energy, hydrogen, helium):
    for name, network in on_hydrogen.items():
        assert channel(network, parent, fragment, energy) == pytest.approx(hydrogen, rel=1e-2)
        if helium is not None:
            mixed = channel(load_network(name, helium_fraction=0.2), parent, fragment, energy)
            assert mixed == pytest.approx(hydrogen + 0.2 * helium, rel=1e-4)


@pytest.mark.parametrize("parent", ["C12", "N14", "O16"])
@pytest.mark.parametrize("element", [("Be7", "Be9", "Be10"), ("B10", "B11")])
def test_sets_agree_where_they_are_measured(on_hydrogen, parent, element):
    sums = [sum(channel(on_hydrogen[name], parent, f, 2.0) for f in element) for name in SETS]
    assert sums[1] == pytest.approx(sums[0], rel=0.2)


def test_sets_disagree_on_boron_from_iron(on_hydrogen):
    sums = [sum(channel(on_hydrogen[name], "Fe56", f, 2.0) for f in ("B10", "B11")) for name in SETS]
    assert max(sums) > 2.0 * min(sums)


def test_webber_is_cumulative(on_hydrogen):
    # C12 -> B11 is 28 mb directly and 56 mb with C11, which decays into B11 (Evoli et al. 2019)
    assert channel(on_hydrogen["webber2003"], "C12", "B11", 2.0) == 56.3


def test_protons_from_helium_and_carbon(on_hydrogen):
    network = on_hydrogen["evoli2019"]
    # Coste et al. 2012: 50 mb of protons from He4; the nucleons left over are an estimate
    assert channel(network, "He4", "H1", 2.0) == pytest.approx(50.0, rel=0.3)
    # Webber et al. 2003: 360 mb of protons from C12, and as many neutrons
    assert channel(network, "C12", "H1", 2.0) == pytest.approx(2 * 360.0, rel=0.3)


def test_inelastic_sets_of_carbon():
    found = {
        name: inelastic(load_network(inelastic=name, helium_fraction=0.0), "C12", 2.0) for name in inelastic_sets()
    }
    assert found == pytest.approx({"letaw1983": 252.4, "barashenkov1994": 261.5, "tripathi1999": 249.1}, rel=1e-3)


@pytest.mark.parametrize(
    ("name", "nuclide", "values"),
    [
        # at 0.1, 0.5, 2 and 10 GeV/n [mb]
        ("tripathi1999", "He4", (93.4, 93.5, 113.1, 110.1)),
        ("tripathi1999", "O16", (335.3, 267.3, 304.6, 298.1)),
        ("tripathi1999", "Fe56", (730.6, 653.5, 715.8, 706.9)),
        ("barashenkov1994", "He4", (81.6, 94.1, 113.7, 109.0)),
        ("barashenkov1994", "Si28", (431.7, 431.3, 489.1, 458.6)),
    ],
)
def test_tabulated_nuclides_have_their_tabulated_cross_sections(name, nuclide, values):
    network = load_network(inelastic=name, helium_fraction=0.0)
    found = [inelastic(network, nuclide, energy) for energy in (0.1, 0.5, 2.0, 10.0)]
    np.testing.assert_allclose(found, values, rtol=2e-3)


def test_other_nuclides_are_scaled_from_their_neighbours():
    formula, table = (load_network(inelastic=name, helium_fraction=0.0) for name in ("letaw1983", "tripathi1999"))
    ratio = {n: inelastic(table, n, 2.0) / inelastic(formula, n, 2.0) for n in ("Cr52", "Mn55", "Fe56", "Ni58", "Ni64")}
    share = (55 ** (2 / 3) - 52 ** (2 / 3)) / (56 ** (2 / 3) - 52 ** (2 / 3))
    assert ratio["Mn55"] == pytest.approx(ratio["Cr52"] + share * (ratio["Fe56"] - ratio["Cr52"]), rel=1e-9)
    assert ratio["Ni64"] == pytest.approx(ratio["Ni58"], rel=1e-9)
    assert "Mn55" in table.sources["inelastic"]
    assert "Fe56" not in table.sources["inelastic"]


# --- consistency ---------------------------------------------------------------------------------------------------


def test_fragments_come_after_parents_and_daughters_after_nuclides_that_decay(network):
    assert np.all(network.fragment > network.parent)
    decaying = np.flatnonzero(np.isfinite(network.half_life))
    assert np.all(network.daughter[decaying] > decaying)
    assert [network.nuclides[k].name for k in decaying] == ["Fe60", "Ni56", "Mn54", "Cl36", "Al26", "C14", "Be10"]
    assert np.array_equal(network.daughter >= 0, np.isfinite(network.half_life))
    mass_number = np.array([n.mass_number for n in network.nuclides])
    assert np.array_equal(mass_number[network.daughter[decaying]], mass_number[decaying])


def test_every_stable_nuclide_is_in_the_network(network):
    names = {n.name for n in network.nuclides}
    assert {f"{e}{a}" for e in ELEMENTS for a in natural_isotopes(e)} <= names
    assert len(names) == len(network.nuclides) == 87


def test_arrays_are_complete(network):
    channels = len(network.parent)
    assert network.production.shape == (channels, network.energy.size)
    assert network.destruction.shape == (87, network.energy.size)
    assert np.all((network.production >= 0.0) & (network.production < np.inf))
    assert np.all(network.destruction[:-1] > 0.0)
    assert len(set(zip(network.parent.tolist(), network.fragment.tolist(), strict=True))) == channels


def test_number_of_channels(on_hydrogen):
    # 3553 published ones less 54 of Cr48 as parent and 20 that Ti48 has as well; 84 He3 replaced by 84 of Coste,
    # who adds He3 -> H2 and H2 from 84 nuclei; H1 from 86
    assert len(on_hydrogen["evoli2019"].parent) == 3553 - 54 - 20 + 85 + 86


def test_every_channel_has_a_source(network):
    names = [n.name for n in network.nuclides]
    said = {network.sources[f"{names[p]} -> {names[f]}"] for p, f in zip(network.parent, network.fragment, strict=True)}
    assert {text.split(" et al.")[0] for text in said} <= {
        "Evoli",
        "Webber",
        "Coste",
        "nucleons that are left over (project choice)",
    }
    assert network.sources["C12 -> H2"].startswith("Coste")
    assert network.sources["C12 -> Li6"].startswith("Evoli")
    assert network.sources["C12 -> B11"].startswith(network.name[:5].capitalize())


def test_helium_raises_production_and_destruction(on_hydrogen):
    bare, mixed = on_hydrogen["evoli2019"], load_network(helium_fraction=0.1)
    # 1 + 0.1 x 1.24256 (Ferrando, C -> B at 1 GeV/n, by hand) and 1 + 0.1 x 4^(2/3)
    assert channel(mixed, "C12", "B11", 1.0) / channel(bare, "C12", "B11", 1.0) == pytest.approx(1.124256, abs=1e-5)
    np.testing.assert_allclose(mixed.destruction[:-1], 1.25198421 * bare.destruction[:-1], rtol=1e-8)


@pytest.mark.parametrize("name", ["letaw1983", "tripathi1999", "barashenkov1994"])
@pytest.mark.parametrize("production", SETS)
def test_fragments_have_no_more_nucleons_than_their_parents(production, name):
    network = load_network(production, name)
    mass_number = np.array([float(n.mass_number) for n in network.nuclides])
    made = np.zeros_like(network.destruction)
    np.add.at(made, network.parent, mass_number[network.fragment][:, None] * network.production)
    available = mass_number[:, None] * network.destruction
    fast = network.energy >= 2.0
    assert np.all(made[:-1, fast] <= available[:-1, fast] * (1.0 + 1e-12))
    # below, independent fits of the published sets exceed it for a few parents
    assert np.all(made[:-1] <= 1.2 * available[:-1])


def test_outside_its_energies_the_network_is_constant(network):
    ends = network.interpolated(network.energy[[0, -1]])
    outside = network.interpolated(np.array([1e-6, 1e12]))
    np.testing.assert_array_equal(outside.production, ends.production)
    np.testing.assert_array_equal(outside.destruction, ends.destruction)


# --- tables of a user ----------------------------------------------------------------------------------------------

HEADER = "# %ECSV 1.0\n# ---\n# meta:\n#   reference: {text: 'A. Author 2020'}\n#   complete_from: evoli2019\n"


def write(tmp_path, rows, columns="parent fragment target E0.5 E2 E6", header=HEADER):
    path = tmp_path / "mine.ecsv"
    path.write_text(header + columns + "\n" + "\n".join(rows) + "\n")
    return str(path)


def test_own_rows_decide(tmp_path):
    path = write(tmp_path, ["C12 B11 H 40 50 60", "He4 H2 H 1 2 3", "He4 H2 He 10 20 30"])
    network = load_network(path, helium_fraction=0.1)
    assert channel(network, "C12", "B11", 2.0) == pytest.approx(50.0 * (1 + 0.1 * 1.29), rel=1e-2)
    assert channel(network, "He4", "H2", 2.0) == pytest.approx(2.0 + 0.1 * 20.0)
    assert channel(network, "O16", "B11", 2.0) == pytest.approx(channel(load_network(), "O16", "B11", 2.0), rel=1e-12)
    assert network.name == "mine"
    assert network.sources["C12 -> B11"] == "A. Author 2020"
    assert network.sources["O16 -> B11"].startswith("Evoli")


def test_a_table_with_all_channels_needs_no_other(tmp_path):
    path = tmp_path / "all.ecsv"
    path.write_text(nuclear_sets()["evoli2019"].read_text())
    network = load_network(str(path))
    np.testing.assert_array_equal(network.parent, load_network().parent)
    # its own He3 is used now: without tritium
    assert channel(network, "He4", "He3", 2.0) < 0.6 * channel(load_network(), "He4", "He3", 2.0)


def test_a_missing_channel_is_named(tmp_path):
    lines = nuclear_sets()["evoli2019"].read_text().splitlines()
    path = tmp_path / "hole.ecsv"
    path.write_text("\n".join(line for line in lines if not line.startswith("C12 B11 ")) + "\n")
    with pytest.raises(DataError, match="1 channels are missing: C12 -> B11") as caught:
        load_network(str(path))
    assert caught.value.where == str(path)
    assert "complete_from: evoli2019" in caught.value.remedy


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (["C12 B11 H 40 nan 60"], "C12 -> B11 at 2 GeV/n is nan"),
        (["C12 B11 H 40 50 -1"], "C12 -> B11 at 6 GeV/n is -1"),
        (["C12 B11 H 40 inf 60"], "C12 -> B11 at 2 GeV/n is inf"),
        (["C12 B11 H 40 fifty 60"], "C12 -> B11 at 2 GeV/n is fifty"),
        (['C12 B11 H 40 "" 60'], "C12 -> B11 at 2 GeV/n is"),
        (["C12 B10 H 1 2 3", "C12 B11 H 40 50"], "C12 -> B11 has 2 cross sections for 3 energies: the one at 6 GeV/n"),
        (["C12 B10 H 1 2 3 4", "C12 B11 H 40 50"], "C12 -> B10 has 4 cross sections for 3 energies: there are more"),
        (["C12 B11 H"], "C12 -> B11 has 0 cross sections for 3 energies: the one at 0.5 GeV/n"),
        (["B11 C12 H 40 50 60"], "B11 -> C12: the fragment is not lighter than its parent"),
        (["Be10 B10 H 40 50 60"], "Be10 -> B10: the fragment is not lighter"),
        (["C12 H1 H 40 50 60"], "C12 -> H1: free protons"),
        (["C12 B13 H 40 50 60"], "unknown nuclide 'B13' in C12 -> B13"),
        (["C12 B11 Li 40 50 60"], "C12 -> B11: unknown target 'Li'"),
        (["C12 B11 H 40 50 60", "C12 B11 H 41 51 61"], "C12 -> B11 comes twice"),
        (["C12 B11 He 40 50 60"], "C12 -> B11 on He has no row on H"),
        ([], "no rows"),
    ],
)
def test_holes_are_named(tmp_path, rows, words):
    path = write(tmp_path, rows)
    with pytest.raises(DataError) as caught:
        load_network(path)
    assert words in caught.value.problem
    assert caught.value.where == path
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ("parent fragment target E2 E6 E4", "the energy 4 GeV/n follows 6"),
        ("parent fragment target E0.5 E2 E2", "the energy 2 GeV/n follows 2"),
        ("parent fragment target E0.5 E3 E6", "no energies between 0.5 and 3 GeV/n"),
        ("parent fragment target E0.5 E1 E2", "the energies cover 0.5 to 2 GeV/n"),
        ("parent fragment target", "the energies cover nothing"),
        ("parent fragment target E0.5 Etwo E6", "column 'Etwo' is no energy"),
        ("parent fragment target 0.5 E2 E6", "column '0.5' is no energy"),
        ("parent fragment target E-1 E2 E6", "column 'E-1' is no energy"),
        ("parent fragment E0.5 E2 E6", "begins with the columns parent fragment target, found parent fragment E0.5"),
    ],
)
def test_missing_energies_are_named(tmp_path, columns, words):
    path = write(tmp_path, ["C12 B11 H 40 50 60"], columns)
    with pytest.raises(DataError) as caught:
        load_network(path)
    assert words in caught.value.problem
    assert caught.value.where == path


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"production": "evoli2018"}, "'evoli2019'"),
        ({"production": "missing.ecsv"}, "path of an ECSV table"),
        ({"inelastic": "letaw"}, "'letaw1983'"),
        ({"inelastic": "webber2003"}, "letaw1983"),
        ({"helium_fraction": -0.1}, "0.1"),
        ({"helium_fraction": float("nan")}, "0.1"),
    ],
)
def test_unknown_sets_and_impossible_gas(arguments, words):
    with pytest.raises(DataError) as caught:
        load_network(**arguments)
    assert repr(next(iter(arguments.values()))) in caught.value.problem
    assert words in caught.value.remedy


def test_completing_from_something_else_is_refused(tmp_path):
    path = write(tmp_path, ["C12 B11 H 40 50 60"], header=HEADER.replace("evoli2019", "webber2003"))
    with pytest.raises(DataError, match="complete_from is 'webber2003'"):
        load_network(path)


def test_a_table_of_another_kind_is_refused():
    with pytest.raises(DataError, match="inelastic cross sections begins with the columns nuclide"):
        read_nuclear_table(content_path("datasets", "nuclear", "evoli2019.ecsv"), "inelastic")
