"""The steady state of the whole nuclear network against independent solutions, and against what must hold of it.

The oracles take arrays; here they are made of the network's tables with kinematics and interpolation of their own.
"""

from dataclasses import replace

import numpy as np
import pytest
from oracles import balance, bessel_network, finite_difference

from stellarcr.data.galaxy_presets import load_galaxy
from stellarcr.galaxy.network import NetworkTables, restricted, steady_state
from stellarcr.galaxy.profiles import PROFILES

pytestmark = pytest.mark.usefixtures("one_thread")

CM_PER_KPC, YEAR, LIGHT = 3.0856775814913674e21, 3.15576e7, 2.99792458e10
PROFILE = PROFILES["trotta2011"]
SOURCE = {
    "H1": 1.06e6, "He4": 7.2e4, "C12": 2819, "N14": 183, "O16": 3822, "Ne20": 313, "Ne22": 100, "Na23": 23,
    "Mg24": 658, "Mg25": 83, "Mg26": 105, "Al27": 76, "Si28": 726, "Si29": 35, "Si30": 25, "S32": 89, "Ca40": 51,
    "Fe56": 698,
}  # fmt: skip
"""What full codes inject at equal energy per nucleon."""

ENERGIES = (0.3, 1.0, 3.0, 10.0, 100.0, 1e4, 1e6)
TARGET = 1e-4


def snr(r):
    return (r / 8.5) ** 1.25 * np.exp(-3.56 * (r - 8.5) / 8.5)


@pytest.fixture(scope="module")
def galaxy():
    return load_galaxy()


class Physics:
    """Arrays of the oracles at one energy per nucleon [GeV]; factors on gas column and on D0."""

    def __init__(self, galaxy, energy, gas=1.0, speed=1.0):
        network = galaxy.network
        number, charge, mass = (
            np.array([getattr(n, key) for n in network.nuclides]) for key in ("mass_number", "charge", "mass")
        )
        momentum = np.sqrt(number * energy * (number * energy + 2 * mass))
        total = number * energy + mass
        beta, self.rigidity = momentum / total, momentum / charge

        def at(row):
            return np.interp(np.log(energy), np.log(network.energy), row)

        # one mb and the column of the whole disc: a speed, in kpc/s
        per_millibarn = LIGHT * beta * 1e-27 * galaxy.hydrogen_column * gas / CM_PER_KPC
        self.production = np.zeros((len(number), len(number)))
        for parent, fragment, row in zip(network.parent, network.fragment, network.production, strict=True):
            self.production[fragment, parent] += per_millibarn[parent] * at(row)
        self.destruction = per_millibarn * np.array([at(row) for row in network.destruction])
        lifetime = network.half_life * YEAR / np.log(2)
        self.decay = np.where(np.isfinite(lifetime), mass / total / lifetime, 0.0)
        self.daughter = network.daughter
        slow, fast = np.minimum(self.rigidity, galaxy.R_h), np.maximum(self.rigidity, galaxy.R_h)
        self.diffusion = galaxy.D0 * speed / CM_PER_KPC**2 * beta**galaxy.eta
        self.diffusion *= (slow / 4) ** galaxy.delta * (fast / galaxy.R_h) ** galaxy.delta_h
        self.names = [n.name for n in network.nuclides]
        self.source = np.array([SOURCE.get(name, 0.0) for name in self.names])
        self.slope = number / (charge * beta)  # dR/dT

    @property
    def arrays(self):
        return self.production, self.destruction, self.decay, self.daughter, self.diffusion


def solved(galaxy, energy, physics, propagation=None, tolerance=1e-5):
    """Density per GeV per nucleon [1/kpc^3] from the package, for the oracles' source; ``(n_nuclides, n)``."""
    tables = NetworkTables.build(galaxy.network, [energy])
    n = max([1, *(np.size(v) for v in (propagation or {}).values())])
    injected = np.repeat((physics.source / physics.slope)[:, None, None], n, axis=2)
    density = galaxy.arrivals(tables, {PROFILE: injected}, propagation, tolerance)[:, 0, :]
    return density * physics.slope[:, None] * (CM_PER_KPC / 100) ** 3


def relative(found, expected):
    """Relative differences; a nuclide that nothing makes has none."""
    present = expected > 0
    # the network makes everything but what is heavier than iron
    assert np.count_nonzero(present) > 70
    assert np.all(found[~present] == 0)
    return found[present] / expected[present] - 1


@pytest.mark.parametrize("energy", ENERGIES)
def test_slabs_and_all_bessel_orders(galaxy, energy):
    physics = Physics(galaxy, energy)
    exact = bessel_network(*physics.arrays, physics.source, snr).sun
    assert {"Be10", "Al26", "Cl36", "Mn54"} <= {n for n, d in zip(physics.names, exact, strict=True) if d > 0}
    error = relative(solved(galaxy, energy, physics)[:, 0], exact)
    assert np.max(np.abs(error)) < TARGET / 2


@pytest.mark.parametrize("height", [1.0, 4.0, 12.0])
def test_free_heights_and_all_bessel_orders(galaxy, height):
    for energy in (0.3, 2.0, 30.0, 1e5):
        physics = Physics(galaxy, energy)
        exact = bessel_network(*physics.arrays, physics.source, snr, half_height=height).sun
        free = {"half_height": np.array([height, 2.0])}
        error = relative(solved(galaxy, energy, physics, free)[:, 0], exact)
        assert np.max(np.abs(error)) < TARGET


@pytest.mark.parametrize("height", ["fixed", "free"])
@pytest.mark.parametrize("what", ["gas", "speed"])
def test_derivatives_and_all_bessel_orders(galaxy, what, height):
    """Of ln N with respect to ln N_H and ln D0, by five-point differences of both."""
    steps, weights = np.array([-2, -1, 1, 2]) * 0.05, np.array([1, -8, 8, -1]) / (12 * 0.05)
    name, value = {"gas": ("hydrogen_column", galaxy.hydrogen_column), "speed": ("D0", galaxy.D0)}[what]
    for energy in (0.3, 30.0):
        factors = np.exp(steps)
        physics = [Physics(galaxy, energy, **{what: f}) for f in factors]
        exact = np.stack([bessel_network(*p.arrays, p.source, snr).sun for p in physics])
        present = exact[0] > 0
        propagation = {name: value * factors}
        if height == "free":
            propagation["half_height"] = np.full(4, 4.0)
        found = solved(galaxy, energy, physics[0], propagation).T
        with np.errstate(divide="ignore"):
            expected, reached = (np.einsum("i,ij->j", weights, np.log(x[:, present])) for x in (exact, found[:, :]))
        assert np.max(np.abs(expected)) > 0.1
        # relative; of the density where the derivative is near zero
        assert np.max(np.abs(reached - expected) / np.maximum(np.abs(expected), 1.0)) < TARGET


@pytest.mark.parametrize("energy", [12.0, 300.0])
def test_slabs_and_finite_differences(galaxy, energy):
    """All that boron comes from, on grids of two sizes extrapolated to none: an error of second order."""
    names = {"O16", "N14", "N15", "C12", "C13", "B11", "Be10", "B10", "Mg24", "Si28", "Fe56", "Mn54", "Fe54", "He4"}
    part = replace(galaxy, network=restricted(galaxy.network, names))
    physics = Physics(part, energy)
    coarse, fine = (
        finite_difference(*physics.arrays, physics.source, snr, n_r=n_r, n_z=n_z) for n_r, n_z in ((40, 16), (80, 32))
    )
    found = solved(part, energy, physics)[:, 0]
    np.testing.assert_allclose(fine, found, rtol=5e-3)
    np.testing.assert_allclose((4 * fine - coarse) / 3, found, rtol=5e-4)


@pytest.mark.parametrize("energy", [0.3, 3.0, 1e4])
def test_what_every_nuclide_gains_it_loses(galaxy, energy):
    physics = Physics(galaxy, energy)
    book = balance(bessel_network(*physics.arrays, physics.source, snr, terms=200), *physics.arrays)
    with np.errstate(invalid="ignore"):  # nothing makes nuclides heavier than iron
        closure = book.total
    present = np.sum(book.source + book.production + book.decay_gain, axis=0) > 0
    assert np.max(np.abs(closure[present])) < 1e-6
    assert np.sum(book.decay_gain) > 0


@pytest.mark.parametrize("wavenumber", [0.05, 0.3, 4.0])
def test_equation_of_one_slab(galaxy, wavenumber):
    """What the solver returns, put back into the equation of every nuclide."""
    energy, height = 1.5, 4.0
    physics = Physics(galaxy, energy)
    tables = NetworkTables.build(galaxy.network, [energy])
    injected = (physics.source / physics.slope)[:, None, None]
    diffusion = physics.diffusion[:, None, None]
    density = steady_state(
        tables, np.array([wavenumber]), [(np.ones(1), injected)], diffusion, height, galaxy.hydrogen_column
    )[:, 0, 0] * physics.slope  # fmt: skip
    kappa = np.sqrt(wavenumber**2 + physics.decay / physics.diffusion)
    stable, decaying = (2 * physics.diffusion * k / np.tanh(k * height) for k in (wavenumber, kappa))
    gain = physics.source + physics.production @ density
    for parent, daughter in enumerate(physics.daughter):
        if daughter >= 0:
            gain[daughter] += (decaying[parent] - stable[parent]) * density[parent]
    loss = (decaying + physics.destruction) * density
    present = gain > 0
    assert np.count_nonzero(present) > 70
    # constants of nature and years enter twice
    np.testing.assert_allclose(loss[present], gain[present], rtol=1e-10)


def test_bands_of_energies_do_not_change_the_answer(galaxy):
    """Energies whose cross sections hardly differ are solved together."""
    energy = np.array([0.4, 2.0, 30.0, 500.0, 1e5])
    together = NetworkTables.build(galaxy.network, energy)
    rng = np.random.default_rng(1)
    injected = rng.uniform(1.0, 2.0, (len(together.nuclides), len(energy), 2))
    both = galaxy.arrivals(together, {PROFILE: injected})
    for k, one in enumerate(energy):
        alone = galaxy.arrivals(NetworkTables.build(galaxy.network, [one]), {PROFILE: injected[:, k : k + 1]})
        np.testing.assert_allclose(both[:, k : k + 1], alone, rtol=2e-4)


def test_memory_order_of_the_sources_does_not_matter(galaxy):
    tables = NetworkTables.build(galaxy.network, [1.0, 50.0])
    injected = np.random.default_rng(2).uniform(1.0, 2.0, (len(tables.nuclides), 2, 1))
    expected = galaxy.arrivals(tables, {PROFILE: injected})
    np.testing.assert_allclose(galaxy.arrivals(tables, {PROFILE: np.asfortranarray(injected)}), expected, rtol=1e-13)


def test_two_profiles_add_up(galaxy):
    tables = NetworkTables.build(galaxy.network, [1.0, 50.0])
    rng = np.random.default_rng(3)
    first, second = (rng.uniform(1.0, 2.0, (len(tables.nuclides), 2, 3)) for _ in range(2))
    other = PROFILES["pulsars"]
    both = galaxy.arrivals(tables, {PROFILE: first, other: second})
    apart = galaxy.arrivals(tables, {PROFILE: first}) + galaxy.arrivals(tables, {other: second})
    # the slabs are chosen for both profiles together, to 1e-5
    np.testing.assert_allclose(both, apart, rtol=3e-5)
    change = galaxy.arrivals(tables, {other: first}) / galaxy.arrivals(tables, {PROFILE: first}) - 1
    assert np.max(np.abs(change)) > 0.03


def test_fragments_are_all_but_what_was_injected(galaxy):
    tables = NetworkTables.build(galaxy.network, [2.0])
    injected = np.zeros((len(tables.nuclides), 1, 1))
    carbon, boron = tables.network.positions["C12"], tables.network.positions["B11"]
    injected[[carbon, boron]] = 1.0
    whole, made = (galaxy.arrivals(tables, {PROFILE: injected}, made=m)[:, 0, 0] for m in (False, True))
    injected[carbon] = 0.0
    alone = galaxy.arrivals(tables, {PROFILE: injected})[:, 0, 0]
    assert made[carbon] == pytest.approx(0.0, abs=1e-14 * whole[carbon])
    assert made[boron] == pytest.approx(whole[boron] - alone[boron], rel=1e-10)
    some = galaxy.arrivals(tables, {PROFILE: injected}, rows=[boron])
    assert some.shape == (1, 1, 1)
    assert some[0, 0, 0] == pytest.approx(alone[boron], rel=1e-12)


@pytest.mark.parametrize(("element", "parent"), [("B", "Be"), ("Be", None), ("N", "C"), ("H", None)])
def test_a_production_factor_scales_fragments_of_one_element(element, parent, galaxy):
    """To first order linear; what is not are chains through another isotope of the same element.

    What another element's nuclide decays into is no fragment: that element is not made here.
    """
    tables = NetworkTables.build(galaxy.network, [3.0])
    physics = Physics(galaxy, 3.0)
    source = np.where([n.symbol == element for n in galaxy.network.nuclides], 0.0, physics.source)
    injected = (source / physics.slope)[:, None, None] * np.ones(4)
    factor = np.array([0.0, 1.0, 1.001, 2.0])
    factors = {f"production.{element}": factor, **({f"production.{parent}": 0.0} if parent else {})}
    density = galaxy.arrivals(tables, {PROFILE: injected}, factors)[:, 0]
    mine = np.array([n.symbol == element for n in tables.nuclides])
    heaviest = int(np.flatnonzero(mine)[0])
    np.testing.assert_allclose(density[heaviest, [0, 2, 3]], density[heaviest, 1] * factor[[0, 2, 3]], rtol=1e-12)
    # what comes before the element's first isotope does not feel it
    np.testing.assert_allclose(density[:heaviest], density[:heaviest, 1:2] * np.ones(4), rtol=1e-14)
    total = density[mine].sum(axis=0)
    assert total[0] == 0.0
    assert total[3] >= 2.0 * (1.0 - 1e-12) * total[1]
    # some of the fragments come through two interactions
    assert total[3] < 3.0 * total[1]


def test_without_destruction_nothing_is_lost(galaxy):
    tables = NetworkTables.build(galaxy.network, [3.0])
    physics = Physics(galaxy, 3.0)
    injected = (physics.source / physics.slope)[:, None, None]
    density = galaxy.arrivals(tables, {PROFILE: injected}, {"destruction": 0.0})[:, 0, 0]
    iron = tables.network.positions["Fe56"]
    free = galaxy.series(PROFILE).at(galaxy.half_height)(np.zeros(1))[0] / physics.diffusion[iron]
    found = density[iron] * physics.slope[iron] * (CM_PER_KPC / 100) ** 3
    assert found == pytest.approx(physics.source[iron] * free, rel=2e-5)


def test_highest_energies(galaxy):
    """Where 1 - beta^2 is below the precision of numbers, nuclei live longer than they stay."""
    energy = np.geomspace(1e5, 4e8, 30)
    tables = NetworkTables.build(galaxy.network, energy)
    assert np.all(tables.decay_rates > 0)
    np.testing.assert_allclose(tables.decay_rates[:, -1] / tables.decay_rates[:, 0], 1e5 / 4e8, rtol=1e-4)
    injected = np.ones((len(tables.nuclides), 30, 1))
    assert np.all(np.isfinite(galaxy.arrivals(tables, {PROFILE: injected})))


def test_a_part_of_the_network_is_closed(galaxy):
    part = restricted(galaxy.network, {"C12", "B11", "Be10", "B10", "O16"})
    assert [n.name for n in part.nuclides] == ["O16", "C12", "B11", "Be10", "B10"]
    # Be10 decays into B10; what it loses is in place
    assert part.daughter.tolist() == [-1, -1, -1, 4, -1]
    whole = galaxy.network
    k = next(
        k
        for k, (p, f) in enumerate(zip(part.parent, part.fragment, strict=True))
        if (part.nuclides[p].name, part.nuclides[f].name) == ("C12", "B11")
    )
    same = (whole.parent == whole.positions["C12"]) & (whole.fragment == whole.positions["B11"])
    np.testing.assert_array_equal(part.production[k], whole.production[same][0])
    lonely = restricted(galaxy.network, {"Be10", "C12"})
    assert lonely.daughter.tolist() == [-1, -1]
    assert np.isfinite(lonely.half_life[1])
