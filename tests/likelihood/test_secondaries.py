"""Fits with a nuclear network: tables against the exact model, at random points of the prior.

What separates them: few slabs (1e-4 together with a free height), fragments interpolated in energy (for a typical point
the table is built to `AIMED_ERROR` of an element's flux), spectra interpolated on the grid, and, if the propagation is
free, a sharp break of D that is interpolated, too.
"""

import array_api_strict as strict
import numpy as np
import pytest

from stellarcr.errors import ModelError
from stellarcr.likelihood.fragment_energies import AIMED_ERROR, energies
from stellarcr.likelihood.prediction import connect

pytestmark = pytest.mark.usefixtures("one_thread")

TARGET = 1e-3
"""Of a flux or ratio; the smallest errors of the data are 1%."""

SHARP = 1.5 * AIMED_ERROR
"""With a sharp break the energies only just reach what they aim at, and at a typical point; random ones lie around."""


def uniform(low, high):
    return {"prior": "uniform", "low": low, "high": high}


DIFFUSION = {
    "log10_D0": uniform(28.3, 28.9),
    "delta": uniform(0.35, 0.6),
    "log10_R_h": uniform(2.2, 2.8),
    "delta_h": uniform(0.1, 0.4),
    "eta": uniform(-0.5, 1.0),
}
MEDIUM = {
    "half_height": uniform(1.0, 12.0),
    "hydrogen_column": uniform(6e20, 1.2e21),
    "destruction": uniform(0.8, 1.2),
    "production": {"B": uniform(0.7, 1.3), "H": uniform(0.5, 1.5)},
}


def content(galaxy=None, propagation=None, populations=None, likelihoods=None, smoothness=0.3):
    """A configuration: remnants with a power law that is free, and what a test changes."""
    parameters = {"snr": {"gamma1": {"linked": "snr.gamma2"}, "gamma2": uniform(-2.5, -2.2), "log10_R_max": 7.0}}
    if propagation:
        parameters["galaxy"] = propagation
    # one modulation potential: it is interpolated as without a network, see test_prediction
    likelihoods = likelihoods or {"ams02": {"species": ["He", "C"]}}
    for key in likelihoods:
        parameters[key] = {"phi": 0.6}
    return {
        "name": "network",
        "galaxy": {"smoothness": smoothness, **(galaxy or {})},
        "populations": {"snr": {"isotopes": "natural"}, **(populations or {})},
        "parameters": parameters,
        "likelihoods": likelihoods,
        "sampler": {"name": "emcee"},
    }


def exact(posterior, theta, nodes=24):
    """Map table name to ``(n, n_points)`` from `ForwardModel.flux`, bins averaged with Gauss-Legendre nodes in ln x."""
    abscissae, weights = np.polynomial.legendre.leggauss(nodes)
    values = {k: np.asarray(v) for k, v in posterior.space.resolve(theta).items()}
    parameters = posterior.model_parameters(posterior.space.resolve(theta))
    result = {}
    for likelihood in posterior.likelihoods:
        phi = float(values[f"{likelihood.data.key}.phi"])
        for table in likelihood.data.tables:
            x, low, high = table.x.value, table.x_low.value, table.x_high.value
            points, average = x[:, None], np.ones((len(x), 1))
            if np.all(np.isfinite(low)):
                half = 0.5 * np.log(high / low)[:, None]
                points = np.sqrt(low * high)[:, None] * np.exp(half * abscissae)
                average = half * weights * points / (high - low)[:, None]
            means = []
            for species in table.species.split("/"):
                flux = posterior.model.flux(parameters, species, points.ravel(), table.axis, phi)["total"]
                flux = np.broadcast_to(flux, (len(theta), points.size)).reshape(len(theta), *points.shape)
                means.append(np.sum(flux * average, axis=-1))
            result[table.name] = means[0] / means[1] if len(means) == 2 else means[0]
    return result


def kink(step):
    """Largest error of six-point interpolation of max(u, 0) at a step in u: weights 150, -25, 3 over 256."""
    return step * (150 / 2 - 25 * 3 / 2 + 3 * 5 / 2) / 256


def at_the_break(posterior, theta, table):
    """Error that the interpolation of a sharp break of D allows near it, ``(n, n_points)``."""
    model = posterior.model
    local = model.local_values(posterior.model_parameters(posterior.space.resolve(theta)))["galaxy"]
    value = {
        k: np.broadcast_to(local.get(k, getattr(model.galaxy, k)), len(theta)) for k in ("R_h", "delta", "delta_h")
    }
    step = np.diff(model.grid.log_rigidity)[0]
    # a stencil reaches three steps to either side; parents have another rigidity at equal energy, bins a width
    near = np.abs(np.log(table.x.value / value["R_h"][:, None])) < 3 * step + 0.3
    return np.where(near, kink(step) * np.abs(value["delta"] - value["delta_h"])[:, None], 0.0)


def largest_error(posterior, n=3, seed=1):
    """Largest relative error by table, at n draws from the prior; what a sharp break allows is taken off."""
    theta = posterior.sample_prior(np.random.default_rng(seed), n)
    expected, found = exact(posterior, theta), posterior.predictions(theta)
    assert set(found) == set(expected)
    for name, values in expected.items():
        assert found[name].shape == values.shape
        assert np.all(values > 0)
    tables = {table.name: table for likelihood in posterior.likelihoods for table in likelihood.data.tables}
    sharp = posterior.model.galaxy.smoothness == 0.0 and any(name.startswith("galaxy.") for name in posterior.names)
    return {
        name: float(
            np.max(np.abs(found[name] / values - 1) - (at_the_break(posterior, theta, tables[name]) if sharp else 0.0))
        )
        for name, values in expected.items()
    }


def assert_close(errors, bound):
    assert {k: v for k, v in errors.items() if not v < bound} == {}


RATIOS = {"ams02_ratios": {}, "dampe_ratios": {}, "pamela_ratios": {}}


@pytest.mark.parametrize("propagation", [None, DIFFUSION, MEDIUM], ids=["fixed", "diffusion", "medium"])
def test_ratios_on_two_axes(propagation, build):
    posterior = build(content(propagation=propagation, likelihoods=dict(RATIOS)))
    elements = {c.element: len(c.members) for c in posterior.sources.columns if c.place == "arrived"}
    # DAMPE measures per nucleon: the isotopes of B and C are told apart there
    assert {t.axis for k in posterior.likelihoods for t in k.data.tables} == {"R", "EKN"}
    assert elements["B"] == 1
    assert_close(largest_error(posterior), TARGET)


@pytest.mark.parametrize("propagation", [None, DIFFUSION], ids=["fixed", "free"])
def test_a_sharp_break(propagation, build):
    likelihoods = {"ams02": {"species": ["H", "C"]}, "ams02_ratios": {}}
    posterior = build(content(propagation=propagation, likelihoods=likelihoods, smoothness=0.0))
    assert AIMED_ERROR < TARGET
    assert_close(largest_error(posterior, n=2), SHARP)


@pytest.mark.parametrize("propagation", [None, {**MEDIUM, "log10_D0": DIFFUSION["log10_D0"]}], ids=["fixed", "free"])
def test_populations_with_two_profiles_and_a_nearby_source(propagation, build):
    populations = {"wr_wind": {"profile": "pulsars"}, "msc": {}, "ia": {}}
    run = content(
        propagation=propagation,
        populations=populations,
        likelihoods={"ams02": {"species": ["He", "O"]}, "dampe_ratios": {}},
    )
    run["parameters"]["wr_wind"] = {"log10_power": uniform(47.0, 48.5), "log10_R_max": 6.5}
    run["parameters"]["msc"] = {"gamma": uniform(-2.3, -2.0), "log10_R_max": 6.5}
    run["parameters"]["ia"] = {"log10_energy": uniform(48.0, 50.5), "log10_R_max": 6.0}
    posterior = build(run)
    assert len({c.profile for c in posterior.sources.sources if c.place == "disc"}) == 2
    assert any(c.place == "ia" for c in posterior.sources.columns)
    assert_close(largest_error(posterior), TARGET)


def test_many_points_and_one_point_agree(build):
    posterior = build(content(propagation=DIFFUSION | MEDIUM, likelihoods={"dampe_ratios": {}}))
    theta = posterior.sample_prior(np.random.default_rng(3), 5)
    together = posterior.predictions(theta)
    for k, row in enumerate(theta):
        for name, values in posterior.predictions(row[None, :]).items():
            np.testing.assert_allclose(values[0], together[name][k], rtol=1e-12)


def test_fixed_and_free_tables_agree(build):
    """A matrix made once, and the network solved for every point."""
    fixed = build(content(likelihoods={"dampe_ratios": {}, "ams02": {"species": ["He"]}}))
    free = build(
        content(
            propagation={"delta": uniform(0.4, 0.5)}, likelihoods={"dampe_ratios": {}, "ams02": {"species": ["He"]}}
        )
    )
    theta = fixed.sample_prior(np.random.default_rng(4), 3)
    order = [free.names.index(name) for name in fixed.names]
    wider = np.full((3, len(free.names)), 0.45)
    wider[:, order] = theta
    found = free.predictions(wider)
    for name, values in fixed.predictions(theta).items():
        np.testing.assert_allclose(found[name], values, rtol=TARGET)


def test_factors_act(build):
    """B/C follows the factor on boron's production, and more gas makes more boron."""
    free = {"production": {"B": uniform(0.5, 2.0)}, "hydrogen_column": uniform(5e20, 2e21)}
    posterior = build(content(propagation=free, likelihoods={"dampe_ratios": {}}))
    base = {"galaxy.production.B": 1.0, "galaxy.hydrogen_column": 8.9e20}
    first = posterior.sample_prior(np.random.default_rng(5), 1)[0]

    def ratio(**changes):
        row = [({**base, **changes}).get(n, v) for n, v in zip(posterior.names, first, strict=True)]
        return next(iter(posterior.predictions(np.array([row])).values()))[0]

    one, double = ratio(), ratio(**{"galaxy.production.B": 2.0})
    # B10 from B11 is made twice as often, too; what Be10 decays into is not
    assert np.all(double / one > 1.9)
    assert np.all(double / one < 2.2)
    more = ratio(**{"galaxy.hydrogen_column": 1.78e21}) / one
    assert np.all(more > 1.3)
    assert np.all(more < 2.0)
    assert np.all(np.diff(more) > 0)


def test_without_a_network_columns_are_what_is_injected(build):
    posterior = build(content(galaxy={"production": "none"}, likelihoods={"ams02": {"species": ["He", "C"]}}))
    assert posterior.sources.arrivals is None
    assert posterior.sources.columns is posterior.sources.sources
    assert_close(largest_error(posterior), 1e-6)


def test_a_table_that_is_not_connected_says_so(build):
    posterior = build(content())
    table = type(posterior.sources).build(posterior.model, ["C"], [], {})
    with pytest.raises(ModelError, match="not connected") as caught:
        table.evaluate({}, 1)
    assert "connect" in caught.value.remedy


def test_connect_keeps_what_is_seen(build):
    posterior = build(content())
    before = [k.response for k in posterior.likelihoods]
    table, responses = connect(
        type(posterior.sources).build(posterior.model, ["He", "C"], [], {"snr.gamma1": -2.4}, set()), before
    )
    assert len(responses) == len(before)
    assert table.arrivals is not None
    assert table.evaluate({"snr.gamma1": -2.4}, 1).shape[0] == 1


RADIOACTIVE = """# %ECSV 1.0
# ---
# datatype:
# - {name: element, datatype: string}
# - {name: mass_number, datatype: int64}
# - {name: number_fraction, datatype: float64, description: numbers at equal rigidity}
# meta: !!omap
# - {schema: stellarcr-composition/1}
# - {name: radioactive}
# - reference: {text: made up}
# schema: astropy-2.0
element mass_number number_fraction
H 1 0.9
He 4 0.09
He 3 0.01
Be 10 0.003
C 12 0.002
C 14 0.002
N 14 0.001
"""


@pytest.mark.parametrize("propagation", [None, {"half_height": uniform(1.0, 12.0)}], ids=["fixed", "free"])
def test_sources_of_nuclides_that_decay(propagation, build, tmp_path):
    path = tmp_path / "radioactive.ecsv"
    path.write_text(RADIOACTIVE)
    populations = {"snr": {"isotopes": "given", "composition": str(path)}}
    run = content(propagation=propagation, populations=populations, likelihoods={"ams02_ratios": {"species": ["Be/C"]}})
    posterior = build(run)
    apart = {p.nuclide.name for p in (*posterior.sources.arrivals.apart, *posterior.sources.arrivals.folded)}
    assert propagation is None or apart == {"Be10", "C14"}
    assert_close(largest_error(posterior), TARGET)


@pytest.mark.parametrize("propagation", [None, DIFFUSION | MEDIUM], ids=["fixed", "free"])
def test_arrivals_need_nothing_but_the_array_standard(propagation, build):
    """What runs in a fit, with a library that takes no arrays of NumPy's."""
    posterior = build(content(propagation=propagation, likelihoods={"dampe_ratios": {}, "ams02": {"species": ["He"]}}))
    table = posterior.sources
    values = posterior.space.resolve(posterior.sample_prior(np.random.default_rng(6), 3))
    components = table.model.local_values(values)
    spectra = table.injected(components, 3, np)
    flat = spectra.transpose(1, 2, 0).reshape(-1, 3)
    expected = table.arrivals.evaluate(flat, components["galaxy"], [])
    given = {k: strict.asarray(v) if np.ndim(v) else float(v) for k, v in components["galaxy"].items()}
    found = table.arrivals.evaluate(strict.asarray(flat), given, [], strict)
    assert found.shape == expected.shape
    np.testing.assert_allclose(np.asarray(found), expected, rtol=1e-11)


def test_energies_are_dense_where_cross_sections_vary():
    found = energies(1.0, 3e5, 4)
    assert (found[0], found[-1]) == (1.0, pytest.approx(3e5))
    steps = np.diff(np.log10(found))
    assert np.all(steps > 0)
    assert np.all(steps[found[1:] <= 3e3] <= 0.25 * (1 + 1e-9))
    assert np.all(steps <= 0.5 * (1 + 1e-9))
    assert energies(1e4, 1e5, 4)[0] == pytest.approx(1e4)
    assert energies(1.0, 10.0, 4)[-1] == pytest.approx(10.0)
