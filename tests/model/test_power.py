"""What P means: the energy of all nuclei above 1 GV, integrated back from the injected spectra."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import quad

from stellarcr.data import load_composition, load_type_ia
from stellarcr.data.galaxy_presets import load_galaxy
from stellarcr.errors import ModelError
from stellarcr.model import ForwardModel
from stellarcr.observe import RigidityGrid
from stellarcr.populations import POPULATION_KINDS, build_population
from stellarcr.species import nuclide

GEV_PER_ERG = 1e-7 / 1.602176634e-10
YEAR = 365.25 * 86400
STEP = np.diff(RigidityGrid().log_rigidity)[0]


def make_model(isotopes="dominant"):
    populations = [
        build_population(kind, load_type_ia() if kind == "ia" else load_composition(kind), isotopes)
        for kind in POPULATION_KINDS
    ]
    return ForwardModel(load_galaxy(), tuple(populations))


@pytest.fixture(scope="module", params=["dominant", "given", "natural"])
def model(request):
    return make_model(request.param)


def adaptive_power(model, name, parameters, breaks):
    """Energy [erg] above 1 GV per year (or all of it), by adaptive quadrature between the breaks of the spectrum."""
    population = model.population(name)
    values = model.local_values(parameters)[name]
    edges = [0.0, *np.log(breaks), np.log(model.grid.highest)]
    two = np.array([2.0])
    released = model.injection(name, parameters, two)
    total = 0.0
    for element in population.elements:
        for particle, fraction in population.isotopes_of(element):

            def integrand(u, z=particle.charge, mass=particle.mass):
                rigidity = np.array([np.exp(u)])
                # p^2 / (E + m): the kinetic energy without cancellation
                kinetic = (z * rigidity) ** 2 / (np.hypot(z * rigidity, mass) + mass)
                return (rigidity * kinetic * population.shape(rigidity, values))[0]

            pieces = [quad(integrand, low, high, epsrel=1e-10, limit=200)[0] for low, high in pairwise(edges)]
            total += sum(pieces) * fraction * (released[element] / population.shape(two, values))[0]
    return total / GEV_PER_ERG * (YEAR if population.place == "disc" else 1.0)


def kink_error(model, parameters):
    """Largest relative error of the trapezoid rule at the break of the remnants' spectrum.

    A kink between two nodes, with slopes that differ by s, changes the integral by s h^2 (t (1 - t) / 2 - 1/12), with t
    its place between them: at most s h^2 / 12.
    """
    values = model.local_values(parameters)["snr"]
    kink = 10.0
    proton = nuclide("H", 1)

    def energy(r):
        return r * (np.hypot(r, proton.mass) - proton.mass) * model.population("snr").shape(np.atleast_1d(r), values)

    total = quad(lambda u: energy(np.exp(u))[0], 0, np.log(kink))[0]
    total += quad(lambda u: energy(np.exp(u))[0], np.log(kink), np.log(1e8), limit=200)[0]
    return abs(values["gamma1"] - values["gamma2"]) * STEP**2 / 12 * energy(kink)[0] / total


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("snr", {"snr.power": 3e48}),
        ("snr", {"snr.log10_power": 47.3, "snr.gamma2": -2.7, "snr.R_max": 2e4, "snr.abundance.He": 2.0}),
        ("o_wind", {"o_wind.power": 1e45, "o_wind.gamma": -1.7}),
        ("wr_wind", {"wr_wind.power": 2e46, "wr_wind.gamma": -2.3}),
        ("msc", {"msc.power": 5e47, "msc.R_max": 2e7}),
        ("ia", {"ia.energy": 2e50}),
    ],
)
def test_power_integrates_back(model, name, given):
    kinks = [10.0] if name == "snr" else []
    amounts = [v if "log10" not in k else 10**v for k, v in given.items() if "power" in k or "energy" in k]
    # the ends of the grid: Gregory's rule leaves 3/160 h^5 f'''' there, below 2e-6 where Ek turns from R^2 to R
    tolerance = 2e-6 + (kink_error(model, given) if name == "snr" else 0.0)
    assert tolerance < 2e-4
    assert model.injected_power(name, given) == pytest.approx(amounts[0], rel=tolerance)
    if all(population.isotopes == "dominant" for population in model.populations):
        assert adaptive_power(model, name, given, kinks) == pytest.approx(amounts[0], rel=tolerance)
        # the method's own quadrature has panels of 0.05 in ln R, so a kink costs it (0.05/h)^2 / 20 of the above
        assert adaptive_power(model, name, given, kinks) == pytest.approx(model.injected_power(name, given), rel=2e-6)


def test_abundance_multipliers_share_the_power(model):
    plain, more = {"snr.power": 1e48}, {"snr.power": 1e48, "snr.abundance.He": 3.0, "snr.abundance.Fe": 0.0}
    rigidity = np.array([50.0])
    before, after = (model.injection("snr", p, rigidity) for p in (plain, more))
    assert model.injected_power("snr", more) == pytest.approx(1e48, rel=1e-4)
    # He/H grows by three, everything else keeps its ratio to H, and H pays for the helium
    ratios = {element: (after[element] / before[element])[0] for element in before}
    assert ratios["He"] / ratios["H"] == pytest.approx(3.0, rel=1e-12)
    assert ratios["Fe"] == 0.0
    assert ratios["C"] / ratios["H"] == pytest.approx(1.0, rel=1e-12)
    assert ratios["H"] < 1.0


def test_multipliers_as_numbers_and_arrays_agree(model):
    numbers = {"snr.abundance.He": 1.4, "snr.abundance.O": 0.6, "snr.gamma2": -2.5}
    arrays = {name: np.array([1.0, value]) for name, value in numbers.items()}
    mixed = {**numbers, "snr.abundance.O": np.array([2.0, 0.6])}
    rigidity = np.array([3.0, 1e3])
    alone = model.injection("snr", numbers, rigidity)
    for batch in (model.injection("snr", arrays, rigidity), model.injection("snr", mixed, rigidity)):
        for element, spectrum in alone.items():
            np.testing.assert_allclose(batch[element][1], spectrum, rtol=1e-12)


def test_power_and_log10_of_it_are_the_same_parameter(model):
    rigidity = np.array([100.0])
    plain = model.injection("msc", {"msc.power": 2e47, "msc.R_max": 3e6}, rigidity)
    logarithmic = model.injection(
        "msc", {"msc.log10_power": np.log10(2e47), "msc.log10_R_max": np.log10(3e6)}, rigidity
    )
    assert logarithmic["H"] == pytest.approx(plain["H"], rel=1e-11)


def test_number_fractions_hold_at_equal_rigidity(model):
    spectra = model.injection("wr_wind", {}, np.array([30.0, 1e4]))
    table = load_composition("wr_wind").elements
    for element in ("He", "C", "Fe"):
        np.testing.assert_allclose(spectra[element] / spectra["H"], table[element] / table["H"], rtol=1e-12)


def test_power_starts_at_one_gigavolt_whatever_the_grid():
    # the definition of P: a grid that starts elsewhere would silently change it
    model = make_model()
    with pytest.raises(ModelError, match="1 GV"):
        replace(model, grid=RigidityGrid(lowest=5.0))
    finer = replace(model, grid=RigidityGrid(per_decade=40))
    assert finer.amplitude(finer.population("msc"), finer.local_values({})["msc"]) == pytest.approx(
        model.amplitude(model.population("msc"), model.local_values({})["msc"]), rel=2e-6
    )


def test_efficiency_is_power_over_budget(reference):
    theta = reference.reference()[None, :]
    derived = reference.derived(theta)
    values = reference.space.resolve(theta)
    assert derived["efficiency.snr"][0] == pytest.approx(10 ** values["snr.log10_power"][0] / 1e49, rel=1e-12)
    assert derived["efficiency.msc"][0] == pytest.approx(10 ** values["msc.log10_power"][0] / 4e48, rel=1e-12)
    fractions = [v for name, v in derived.items() if name.startswith("flux_fraction.He.") and name.endswith(".10TV")]
    assert sum(fractions)[0] == pytest.approx(1.0, rel=1e-12)
