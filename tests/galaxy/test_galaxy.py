"""The Galaxy as a whole: units, transfer functions, presets, refusals."""

from dataclasses import replace

import numpy as np
import pytest
from astropy import constants as const
from astropy import units as u

from stellarcr.data import load_composition, load_type_ia
from stellarcr.data.galaxy_presets import load_galaxy
from stellarcr.errors import ConfigError
from stellarcr.populations import build_population
from stellarcr.species import dominant_isotope

R = np.array([2.0, 30.0, 200.0, 1e3, 1e6])
SNR = build_population("snr", load_composition("snr"))
IA = build_population("ia", load_type_ia())
IRON, PROTON = dominant_isotope("Fe"), dominant_isotope("H")
# mb, above 5 GeV/n: Letaw 1983 for Fe56, tabulated; destruction on helium scales with A^(2/3) (10% He by number)
IRON_CROSS_SECTION = 763.4 * u.mbarn * (1 + 0.1 * 4 ** (2 / 3))


@pytest.fixture(scope="module")
def galaxy():
    return load_galaxy()


@pytest.fixture(scope="module")
def alone():
    """Return the preset with destruction alone, by Letaw's formula."""
    return load_galaxy("plain-diffusion", {"production": "none"})


def diffusion(rigidity, mass, charge):
    """D of the preset with units, from its definition."""
    momentum = charge * rigidity
    beta = momentum / np.sqrt(momentum**2 + mass**2)
    low = (np.minimum(rigidity, 300.0) / 4.0) ** 0.45
    return 3.7e28 * u.cm**2 / u.s * beta * low * (np.maximum(rigidity, 300.0) / 300.0) ** 0.25, beta


def destruction(beta):
    """2 h Gamma of iron above 5 GeV per nucleon: column of the disc times velocity times cross section."""
    return (8.9e20 / u.cm**2 * beta * const.c * IRON_CROSS_SECTION).to(u.km / u.s)


def test_diffusion_coefficient_of_the_preset(galaxy):
    expected, beta = diffusion(R, PROTON.mass, 1)
    found = galaxy.diffusion(R, beta, {}) * u.kpc**2 / u.s
    np.testing.assert_allclose(found.to_value(u.cm**2 / u.s), expected.value, rtol=1e-12)


def test_given_parameters_replace_the_presets(galaxy):
    changes = {"D0": 5e28, "delta": 0.6, "R_h": 500.0, "delta_h": 0.1, "eta": -0.4}
    other = replace(galaxy, **changes)
    beta = np.ones_like(R)
    np.testing.assert_allclose(galaxy.diffusion(R, beta, changes), other.diffusion(R, beta, {}), rtol=1e-14)
    arrays = {name: np.array([[value], [getattr(galaxy, name)]]) for name, value in changes.items()}
    both = galaxy.diffusion(R, beta, arrays)
    np.testing.assert_allclose(both[0], other.diffusion(R, beta, {}), rtol=1e-14)
    np.testing.assert_allclose(both[1], galaxy.diffusion(R, beta, {}), rtol=1e-14)


def test_destruction_rate_of_iron(alone):
    rigidity = np.array([30.0, 1e3, 1e6])
    _, beta = diffusion(rigidity, IRON.mass, 26)
    found = alone.grammage_rate(IRON, rigidity) * u.kpc / u.s
    # the cross section is printed to 0.05 mb
    np.testing.assert_allclose(found.to_value(u.km / u.s), destruction(beta).value, rtol=1e-4)


def test_density_in_the_slab_with_units(alone):
    slab = replace(alone, geometry="slab")
    rigidity = np.array([30.0, 1e3, 1e6])
    coefficient, beta = diffusion(rigidity, IRON.mass, 26)
    r = np.linspace(0.0, 20.0, 200001)
    profile = (r / 8.5) ** 1.25 * np.exp(-3.56 * (r - 8.5) / 8.5)
    local = 1 / (np.trapezoid(2 * np.pi * r * profile, r) * u.kpc**2)
    density = local / u.s / (2 * coefficient / (4 * u.kpc) + destruction(beta))
    found = slab.transfer(SNR, IRON, rigidity)
    np.testing.assert_allclose(found, density.to_value(u.m**-3), rtol=1e-4)


def test_density_of_a_burst_with_units(galaxy):
    coefficient, _ = diffusion(R, IRON.mass, 26)
    spread = 4 * coefficient * 5e4 * u.yr
    density = np.exp(-((1 * u.kpc) ** 2 / spread).to_value("")) / (np.pi * spread) ** 1.5
    found = galaxy.transfer(IA, IRON, R, source={"age": 5e4, "distance": 1.0})
    np.testing.assert_allclose(found, density.to_value(u.m**-3), rtol=1e-10)


def test_the_response_is_that_of_the_geometry(galaxy):
    s = np.array([0.0, 0.1])
    assert galaxy.response(s)[0] > galaxy.response(s)[1] > 0
    thin, thick = (replace(galaxy, half_height=height).response(s) for height in (1.0, 10.0))
    assert np.all(thin < galaxy.response(s))
    assert np.all(thick > galaxy.response(s))


def test_few_poles_give_the_same_density(galaxy):
    rigidity = np.geomspace(1.0, 4e8, 50)
    for nuclide in (PROTON, IRON):
        full = galaxy.transfer(SNR, nuclide, rigidity)
        np.testing.assert_allclose(galaxy.transfer(SNR, nuclide, rigidity, reduced=True), full, rtol=1e-6)


def test_transfer_is_batched(galaxy):
    propagation = {"D0": np.array([[2e28], [6e28]]), "delta": np.array([[0.3], [0.6]])}
    together = galaxy.transfer(SNR, IRON, R, propagation, reduced=True)
    assert together.shape == (2, len(R))
    alone = galaxy.transfer(SNR, IRON, R, {"D0": 6e28, "delta": 0.6}, reduced=True)
    np.testing.assert_allclose(together[1], alone, rtol=1e-13)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("D0", 0.0),
        ("D0", float("nan")),
        ("half_height", -4.0),
        ("hydrogen_column", float("inf")),
        ("delta", float("nan")),
        ("delta_h", float("inf")),
        ("eta", float("nan")),
        ("smoothness", -0.1),
        ("smoothness", float("nan")),
        ("helium_fraction", -0.1),
        ("helium_fraction", float("nan")),
        ("geometry", "sphere"),
        ("geometry", 3),
        ("profile", "trotta"),
        ("profile", 3),
        ("name", 3),
        ("sources", "somewhere"),
        ("sun", 25.0),
    ],
)
def test_impossible_values_are_refused_by_name(key, value):
    with pytest.raises(ConfigError) as caught:
        load_galaxy("plain-diffusion", {key: value}, "run.toml [galaxy]")
    assert key in str(caught.value)
    assert str(value) in str(caught.value)
    assert caught.value.remedy


@pytest.mark.parametrize(("key", "value"), [("D0", "3.7e28 cm2/s"), ("delta", True), ("radius", [20.0])])
def test_wrong_types_are_refused_by_name(key, value):
    with pytest.raises(ConfigError, match=f"galaxy.{key}") as caught:
        load_galaxy("plain-diffusion", {key: value}, "run.toml [galaxy]")
    assert caught.value.where == "run.toml [galaxy]"


def test_an_unknown_key_names_its_neighbours():
    with pytest.raises(ConfigError, match="'delta_H'") as caught:
        load_galaxy("plain-diffusion", {"delta_H": 0.2})
    assert "'delta_h'" in caught.value.remedy


def test_a_users_own_preset(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(
        "D0 = 5e28\ndelta = 0.5\nR_h = 200.0\ndelta_h = 0.3\neta = 1\nhalf_height = 6\nhydrogen_column = 8.9e20\n"
    )
    galaxy = load_galaxy(str(path))
    assert (galaxy.name, galaxy.D0, galaxy.half_height, galaxy.radius) == ("mine", 5e28, 6, 20.0)
    path.write_text("D0 = 5e28\n")
    with pytest.raises(ConfigError, match="delta, R_h"):
        load_galaxy(str(path))


def test_every_number_of_the_preset_has_a_source(galaxy):
    assert all(info.source for info in galaxy.parameters)
    names = {info.name for info in galaxy.parameters if "production." not in info.name}
    diffusion, medium = {"D0", "delta", "R_h", "delta_h", "eta"}, {"half_height", "hydrogen_column", "destruction"}
    assert names == diffusion | medium
