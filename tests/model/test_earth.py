"""Spectra at the Sun: slopes, absolute fluxes with units, sums, <ln A>, names."""

from dataclasses import replace

import numpy as np
import pytest
from astropy import constants as const
from astropy import units as u
from scipy.integrate import quad

from stellarcr.data import load_composition, load_type_ia
from stellarcr.data.galaxy_presets import load_galaxy
from stellarcr.errors import ModelError, ParameterError
from stellarcr.model import ForwardModel
from stellarcr.populations import POPULATION_KINDS, build_population
from stellarcr.species import nuclide

EMPTY = replace(load_galaxy(), hydrogen_column=1e8)
"""Hardly any gas: 2 h Gamma / D below 1e-11."""


def population(kind):
    return build_population(kind, load_type_ia() if kind == "ia" else load_composition(kind))


def slope(model, element, at, parameters, step=1e-3):
    low, high = (model.flux(parameters, element, at * np.exp(s), "R")["total"] for s in (-step, step))
    return np.log(high / low) / (2 * step)


@pytest.mark.parametrize("element", ["H", "Fe"])
@pytest.mark.parametrize(("gamma", "delta", "delta_h"), [(-2.1, 0.45, 0.25), (-2.4, 0.6, 0.1)])
def test_slope_is_injection_less_diffusion(element, gamma, delta, delta_h):
    model = ForwardModel(replace(EMPTY, delta=delta, delta_h=delta_h), (population("msc"),))
    parameters = {"msc.gamma": gamma, "msc.R_max": 1e12}
    at = np.array([20.0, 200.0, 1e3, 1e5])
    # beta cancels between flux and D, so this holds where iron is not yet relativistic, too
    expected = gamma - np.where(at < 300.0, delta, delta_h)
    np.testing.assert_allclose(slope(model, element, at, parameters), expected, atol=1e-8)


def test_with_gas_the_slope_of_iron_tends_to_it_from_above():
    # with fragments the slope also tells of cross sections that vary with energy
    alone = load_galaxy("plain-diffusion", {"production": "none"})
    model = ForwardModel(alone, (population("msc"),))
    at = np.array([400.0, 1e4, 1e6, 1e12])
    found = slope(model, "Fe", at, {"msc.gamma": -2.1, "msc.R_max": 1e20})
    assert np.all(np.diff(found) < 0)
    assert np.all(found > -2.35)
    assert found[-1] == pytest.approx(-2.35, abs=1e-3)


def test_absolute_flux_of_protons_with_units():
    """From the power to the flux at 1 TV in the slab, without any of the package's formulae."""
    model = ForwardModel(replace(load_galaxy(), geometry="slab", hydrogen_column=1e8), (population("msc"),))
    parameters = {"msc.power": 2e47, "msc.gamma": -2.1, "msc.R_max": 5e6}
    table = load_composition("msc").elements
    masses = {"H": 1, "He": 4, "C": 12, "O": 16, "Ne": 20, "Mg": 24, "Si": 28, "S": 32, "Fe": 56}
    energy = 0.0 * u.GeV
    for element, fraction in table.items():
        particle = nuclide(element, masses[element])

        def integrand(x, z=particle.charge, m=particle.mass):
            r = np.exp(x)
            return r**-1.1 * np.exp(-r / 5e6) * (np.hypot(z * r, m) - m)

        energy += fraction * quad(integrand, 0.0, np.log(3e8), epsrel=1e-10, limit=400)[0] * u.GeV
    per_rigidity = (2e47 * u.erg / u.yr / energy).to(1 / u.s) * table["H"] / u.GV
    per_rigidity *= 1e3**-2.1 * np.exp(-1e3 / 5e6)
    profile_integral, _ = quad(lambda r: 2 * np.pi * r * (r / 8.5) ** 1.25 * np.exp(-3.56 * (r - 8.5) / 8.5), 0, 20)
    surface = per_rigidity / (profile_integral * u.kpc**2)
    beta = 1e3 / np.hypot(1e3, nuclide("H", 1).mass)
    coefficient = 3.7e28 * u.cm**2 / u.s * beta * 75**0.45 * (1000 / 300) ** 0.25
    density = surface / (2 * coefficient / (4 * u.kpc))
    flux = (beta * const.c * density / (4 * np.pi * u.sr)).to(1 / (u.m**2 * u.s * u.sr * u.GV))
    found = model.spectra("H", [1.0] * u.TV, "R", parameters)["H"]["total"]
    # the grid's integral of the power is good to 2e-6
    assert (found / flux).to_value("")[0] == pytest.approx(1.0, rel=3e-6)


def test_absolute_flux_of_a_burst_with_units():
    model = ForwardModel(load_galaxy(), (population("ia"),))
    flux = model.spectra("Fe", [2.0] * u.TV, "R", {"ia.energy": 1e50})["Fe"]["ia"][0]
    number = model.injection("ia", {"ia.energy": 1e50}, np.array([2e3]))["Fe"][0] / u.GV
    beta = 26 * 2e3 / np.hypot(26 * 2e3, nuclide("Fe", 56).mass)
    spread = 4 * 3.7e28 * u.cm**2 / u.s * beta * 75**0.45 * (2000 / 300) ** 0.25 * 5e4 * u.yr
    density = number * np.exp(-((u.kpc**2 / spread).to_value(""))) / (np.pi * spread) ** 1.5
    expected = (beta * const.c * density / (4 * np.pi * u.sr)).to(flux.unit)
    assert (flux / expected).to_value("") == pytest.approx(1.0, rel=1e-10)


@pytest.fixture(scope="module")
def model():
    return ForwardModel(load_galaxy(), tuple(population(kind) for kind in POPULATION_KINDS))


def test_total_is_the_sum_of_the_populations(model):
    fluxes = model.flux({}, "Fe", np.geomspace(20.0, 1e6, 9))
    assert list(fluxes) == ["total", *POPULATION_KINDS]
    np.testing.assert_allclose(fluxes["total"], sum(fluxes[kind] for kind in POPULATION_KINDS), rtol=1e-14)
    assert all(np.all(flux >= 0) for flux in fluxes.values())


def test_groups_are_sums_of_elements(model):
    x = np.geomspace(1e3, 1e7, 5)
    light = model.flux({}, "p+He", x, "ETOT")
    parts = [model.flux({}, element, x, "ETOT") for element in ("H", "He")]
    np.testing.assert_allclose(light["msc"], parts[0]["msc"] + parts[1]["msc"], rtol=1e-14)
    everything = model.flux({}, "all", x, "ETOT")["total"]
    np.testing.assert_allclose(
        everything, sum(model.flux({}, e, x, "ETOT")["total"] for e in model.elements), rtol=1e-13
    )


def test_axes_agree_on_the_number_of_particles():
    """Integral flux of helium between two rigidities, on three axes, with modulation; of one isotope, without He3."""
    alone = load_galaxy("plain-diffusion", {"production": "none"})
    model = ForwardModel(alone, tuple(population(kind) for kind in POPULATION_KINDS))
    helium = nuclide("He", 4)
    low, high = np.array([30.0, 200.0])
    nodes, weights = np.polynomial.legendre.leggauss(40)

    def integral(axis, edges):
        middle, half = np.log(edges).mean(), np.diff(np.log(edges))[0] / 2
        x = np.exp(middle + half * nodes)
        return np.sum(half * weights * x * model.flux({}, "He", x, axis, 0.6)["total"])

    def energy(r):
        return np.hypot(2 * r, helium.mass)

    by_rigidity = integral("R", [low, high])
    assert integral("ETOT", [energy(low), energy(high)]) == pytest.approx(by_rigidity, rel=1e-9)
    per_nucleon = [(energy(r) - helium.mass) / 4 for r in (low, high)]
    assert integral("EKN", per_nucleon) == pytest.approx(by_rigidity, rel=1e-9)


def test_mean_log_mass_of_one_and_two_components():
    energy = np.array([1e5, 1e6])
    helium = ForwardModel(EMPTY, (replace(population("msc"), composition=pure({"He": 1.0})),))
    np.testing.assert_allclose(helium.log_mass({}, energy), np.log(4.0), rtol=1e-14)
    both = ForwardModel(EMPTY, (replace(population("msc"), composition=pure({"H": 0.7, "Fe": 0.3})),))
    parameters = {"msc.R_max": 1e12, "msc.gamma": -2.1}
    # at equal E the rigidity is E/Z, and dR/dE = 1/Z: iron counts 0.3 26^(2.1 + 0.25 - 1)
    weight = 0.3 * 26**1.35 / 0.7
    expected = np.log(56.0) * weight / (1 + weight)
    # E = Z R up to (m/E)^2, here (52/1e5)^2 = 3e-7
    np.testing.assert_allclose(both.log_mass(parameters, energy), expected, rtol=1e-6)


def pure(elements):
    return replace(load_composition("msc"), elements=elements, isotopes={}, source={})


def test_many_points_equal_one_point_after_the_other(model):
    rng = np.random.default_rng(3)
    batch = {
        "snr.log10_power": rng.uniform(47, 50, 4),
        "snr.abundance.Fe": rng.uniform(0.5, 2, 4),
        "o_wind.gamma": rng.uniform(-2.3, -1.7, 4),
        "msc.R_max": rng.uniform(1e6, 1e7, 4),
        "ia.age": rng.uniform(1e4, 1e6, 4),
        "galaxy.D0": rng.uniform(1e28, 1e29, 4),
        "galaxy.delta": rng.uniform(0.2, 0.8, 4),
    }
    x = np.geomspace(20.0, 1e5, 6)
    together = model.flux(batch, "Fe", x)
    for k in range(4):
        alone = model.flux({name: float(v[k]) for name, v in batch.items()}, "Fe", x)
        for name, flux in alone.items():
            np.testing.assert_allclose(together[name][k], flux, rtol=1e-12)


def test_quantities_in_other_units(model):
    in_tv = model.spectra(["H", "He"], [0.02, 1.0] * u.TV, phi=600 * u.MV)
    in_gv = model.spectra(["H", "He"], [20.0, 1e3] * u.GV, phi=0.6)
    for element in ("H", "He"):
        np.testing.assert_allclose(in_tv[element]["total"].value, in_gv[element]["total"].value, rtol=1e-13)
        assert in_gv[element]["total"].unit == 1 / (u.m**2 * u.s * u.sr * u.GV)
    assert model.spectra("H", [1.0] * u.TeV, "EKN")["H"]["total"].unit == 1 / (u.m**2 * u.s * u.sr * u.GeV)


@pytest.mark.parametrize(
    ("names", "culprit", "neighbour"),
    [
        (["snr.gama2"], "snr.gama2", "snr.gamma2"),
        (["snr.log10_Rmax"], "snr.log10_Rmax", "snr.log10_R_max"),
        (["msc.gamma2"], "msc.gamma2", "msc.gamma"),
        (["galaxy.d0"], "galaxy.d0", "galaxy.D0"),
        (["snr.R_max", "snr.log10_R_max"], "snr.R_max", "keep one"),
    ],
)
def test_wrong_names_are_refused(model, names, culprit, neighbour):
    with pytest.raises(ParameterError) as caught:
        model.check_names(names, "run.toml")
    assert repr(culprit) in caught.value.problem
    assert neighbour in caught.value.remedy
    assert caught.value.where == "run.toml"


def test_a_model_needs_populations_with_names_of_their_own():
    with pytest.raises(ModelError, match="no source population"):
        ForwardModel(load_galaxy(), ())
    with pytest.raises(ModelError, match="share a name"):
        ForwardModel(load_galaxy(), (population("snr"), population("snr")))


@pytest.mark.parametrize("name", ["total", "galaxy", "disc", "a.b", "a-b", ""])
def test_names_that_mean_something_else_are_refused(name):
    # "total" is the sum in every output, "galaxy" the prefix of the propagation, "disc" a place, dots divide names
    with pytest.raises(ModelError, match=repr(name)):
        ForwardModel(load_galaxy(), (population("snr").with_name(name),))


def test_an_unknown_population_is_refused(model):
    with pytest.raises(ParameterError, match="'snrs'") as caught:
        model.injection("snrs", {}, np.array([1.0]))
    assert "'snr'" in caught.value.remedy
