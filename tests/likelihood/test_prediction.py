"""The model as it runs in a fit against the exact one, at random points of the prior.

Four things separate them, each with an error that is known: bins of eight nodes across the break of D; spectra that
are interpolated on the grid, which is felt deep in a cutoff; the response interpolated in the energy scale; and, if
the propagation is free, the break itself interpolated on the grid.
"""

import numpy as np
import pytest

from stellarcr.errors import ModelError, ParameterError
from stellarcr.likelihood.experiment import representative_rigidity
from stellarcr.observe.response import ChebyshevAxis

pytestmark = pytest.mark.usefixtures("one_thread")

TARGET = 1e-4
"""Of a flux, everywhere but where a bound below says more; the smallest errors of the data are 1%."""


def cutoff_bound(ratio, step):
    """Relative error of six-point Lagrange interpolation of exp(-x e^u), x = R / R_max, at a step in u.

    The sixth derivative is a Touchard polynomial in x; the distances to the nodes multiply to at most (15/8)^2 h^6.
    """
    x = ratio * np.exp(4 * step)
    derivative = x + 31 * x**2 + 90 * x**3 + 65 * x**4 + 15 * x**5 + x**6
    steepness = np.exp(np.minimum(ratio * (np.exp(step) - np.exp(-4 * step)), 300.0))
    return np.minimum(derivative * (15 / 8) ** 2 * step**6 / 720 * steepness, 1.0)


def scale_error(axis, scale, ratio):
    """Relative error of interpolating s^1.3 exp(-x/s), x = E / (Z R_max), at the Chebyshev nodes of an axis."""
    nodes = axis.nodes

    def flux(s):
        return s**1.3 * np.exp(-ratio[:, None] / s)

    interpolated = flux(nodes) @ axis.coefficients(scale)
    return np.minimum(np.abs(interpolated / flux(np.array([scale]))[:, 0] - 1), 1.0)


def kink_bound(step):
    """Largest error of six-point Lagrange interpolation of max(u, 0), for any place of the kink, in units of u."""
    nodes = np.arange(6.0)
    at = np.linspace(2.0, 3.0, 101)
    lagrange = np.stack(
        [np.prod([(at - m) / (j - m) for m in nodes if m != j], axis=0) for j in nodes], axis=1
    )  # fmt: skip
    kinks = np.linspace(0.0, 5.0, 501)
    errors = lagrange @ np.maximum(nodes[:, None] - kinks, 0.0) - np.maximum(at[:, None] - kinks, 0.0)
    return step * np.max(np.abs(errors))


def allowed(posterior, theta, likelihood, table):
    """Error that the bounds allow, ``(n, n_points)``."""
    model, key = posterior.model, likelihood.data.key
    step = np.diff(model.grid.log_rigidity)[0]
    edges = np.where(np.isfinite(table.x_high.value), table.x_high.value, table.x.value)
    # the highest rigidity that a point may see: that of its upper edge, for the species' lightest element
    at = representative_rigidity(table) * edges / table.x.value
    values = posterior.space.resolve(theta)
    result = np.zeros((len(theta), len(at)))
    for k in range(len(theta)):
        numbers = {name: float(v[k]) if np.ndim(v) else float(v) for name, v in values.items()}
        parameters = posterior.model_parameters(numbers)
        local = model.local_values(parameters)
        scale = numbers[f"{key}.energy_scale"]
        fluxes = model.flux(parameters, table.species, table.x.value / scale, table.axis, numbers[f"{key}.phi"])
        for population in model.populations:
            ratio = at / scale / local[population.name]["R_max"]
            bound = cutoff_bound(ratio, step)
            axis = likelihood.response.axes[1]
            if len(axis.nodes) > 1:
                bound = bound + 2 * scale_error(axis, scale, ratio * scale)
            result[k] += fluxes[population.name] * bound
        relative = np.full(len(at), TARGET)
        free = {name for name in parameters if name.startswith("galaxy.")}
        knee = local["galaxy"].get("R_h", model.galaxy.R_h)
        bend = abs(
            local["galaxy"].get("delta", model.galaxy.delta) - local["galaxy"].get("delta_h", model.galaxy.delta_h)
        )
        if free and model.galaxy.smoothness == 0:
            # a stencil reaches three steps to either side; bins are wide, too
            reach = np.exp(3 * step) * edges / table.x.value * 1.05
            near = (at < knee * reach * 1.05) & (at > knee / reach / 1.05)
            relative = np.where(near, relative + bend * kink_bound(step), relative)
        if len(likelihood.response.axes[1].nodes) > 1:
            # a kink is interpolated by n polynomial nodes to about 1/(2n) of its size, which is |u| < half the range
            axis = likelihood.response.axes[1]
            near = np.abs(np.log(at / knee)) < np.log(axis.high / axis.low)
            size = bend * 0.5 * np.log(axis.high / axis.low)
            relative = np.where(near, relative + size / (2 * len(axis.nodes)), relative)
        result[k] += relative * fluxes["total"]
    return result * np.array(
        [float(np.ravel(values[f"{key}.normalisation"])[k % np.size(values[f"{key}.normalisation"])])
         for k in range(len(theta))]
    )[:, None]  # fmt: skip


def check(posterior, exact_predictions, n=3, seed=1):
    """Compare all tables at n draws from the prior; return the median relative error."""
    theta = posterior.sample_prior(np.random.default_rng(seed), n)
    exact = exact_predictions(posterior, theta)
    fast = posterior.predictions(theta)
    medians = []
    for likelihood in posterior.likelihoods:
        for table in likelihood.data.tables:
            error = np.abs(fast[table.name] - exact[table.name])
            excess = error / allowed(posterior, theta, likelihood, table)
            assert np.max(excess) < 1.0, (table.name, np.max(excess), np.max(error / exact[table.name]))
            medians.append(np.median(error / exact[table.name]))
    return np.median(medians)


def free(mean, width):
    return {"prior": "normal", "mean": mean, "standard_deviation": width}


def uniform(low, high):
    return {"prior": "uniform", "low": low, "high": high}


def test_all_tables_of_the_reference_fit(reference, exact_predictions):
    assert check(reference, exact_predictions, n=4) < 1e-6


def test_at_the_reference_point_errors_of_the_data_are_a_hundred_times_larger(reference, exact_predictions):
    theta = reference.reference()[None, :]
    exact, fast = exact_predictions(reference, theta), reference.predictions(theta)
    for likelihood in reference.likelihoods:
        for table in likelihood.data.tables:
            sigma = table.total_error()[0].value
            assert np.max(np.abs(fast[table.name] - exact[table.name]) / sigma) < 0.01


def test_energy_scales_and_normalisations(reference_content, build, exact_predictions):
    content = reference_content()
    content["likelihoods"] = {
        "ams02": {"species": ["H", "Fe"]},
        "dampe": {"species": ["H", "C"]},
        "nucleon": {"species": ["He", "Fe"]},
        "lhaaso": {"hadronic_model": "EPOS-LHC"},
    }
    for key, width in (("ams02", 0.02), ("dampe", 0.03), ("nucleon", 0.1), ("lhaaso", 0.05)):
        content["parameters"][key] = {"energy_scale": free(1.0, width), "normalisation": free(1.0, 0.1)}
    del content["parameters"]["ams02"]["energy_scale"]  # its errors hold the scale already
    posterior = build(content)
    assert {"dampe.energy_scale", "dampe.normalisation", "dampe.phi"} <= set(posterior.names)
    assert check(posterior, exact_predictions) < 2e-5


@pytest.mark.parametrize("place", ["fixed", "free"])
def test_a_nearby_source(place, reference_content, build, exact_predictions):
    content = reference_content()
    content["populations"]["ia"] = {}
    content["parameters"]["ia"] = {"log10_energy": uniform(48.0, 52.0), "log10_R_max": uniform(4.0, 6.0)}
    if place == "free":
        content["parameters"]["ia"] |= {"log10_age": uniform(4.0, 6.0), "distance": uniform(0.1, 2.0)}
    content["likelihoods"] = {"ams02": {"species": ["O", "Fe"]}, "dampe": {"species": ["H", "Fe"]}}
    posterior = build(content)
    assert [column.folded for column in posterior.sources.columns if column.place == "ia"] == [place == "fixed"] * 2
    assert check(posterior, exact_predictions) < 1e-6


@pytest.mark.parametrize("smoothness", [0.0, 0.1])
def test_free_propagation(smoothness, reference_content, build, exact_predictions):
    content = reference_content()
    content["galaxy"]["smoothness"] = smoothness
    content["parameters"]["galaxy"] = {
        "log10_D0": uniform(28.0, 29.0),
        "delta": uniform(0.2, 0.8),
        "log10_R_h": uniform(2.0, 3.0),
        "delta_h": uniform(0.0, 0.5),
        "eta": uniform(-1.0, 1.0),
    }
    content["likelihoods"] = {
        "ams02": {"species": ["H", "Fe"]},
        "dampe": {"species": ["He"]},
        "nucleon": {"species": ["Si"]},
    }
    posterior = build(content)
    assert not any(column.folded for column in posterior.sources.columns)
    assert check(posterior, exact_predictions, n=4) < 1e-6


@pytest.mark.parametrize("isotopes", ["given", "natural"])
@pytest.mark.parametrize("propagation", ["fixed", "free"])
def test_isotopes(isotopes, propagation, reference_content, build, exact_predictions):
    content = reference_content()
    content["populations"]["ia"] = {}
    for section in content["populations"].values():
        section["isotopes"] = isotopes
    if propagation == "free":
        content["parameters"]["galaxy"] = {"delta": uniform(0.2, 0.8)}
    content["likelihoods"] = {"ams02": {"species": ["He", "Ne", "Fe"]}, "nucleon": {"species": ["Mg"]}}
    posterior = build(content)
    assert check(posterior, exact_predictions, n=2) < 1e-6


def test_sums_of_elements(reference_content, build, exact_predictions):
    content = reference_content()
    content["likelihoods"] = {
        "lhaaso": {"species": ["all", "p+He", "H"], "errors": {"difference": False}},
        "dampe": {"species": ["p+He"]},
    }
    assert check(build(content), exact_predictions, n=2) < 1e-6


def test_one_point_many_points_and_permuted_points_agree(reference):
    theta = reference.sample_prior(np.random.default_rng(2), 70)
    order = np.random.default_rng(3).permutation(70)
    together = reference.log_posterior(theta)
    np.testing.assert_allclose(reference.log_posterior(theta[order]), together[order], rtol=1e-13)
    np.testing.assert_allclose([reference.log_posterior(t[None, :])[0] for t in theta], together, rtol=1e-13)
    np.testing.assert_allclose(reference.log_posterior(np.repeat(theta[:1], 3, axis=0)), together[0], rtol=1e-13)


def test_a_repeated_call_is_bitwise_equal(reference):
    theta = reference.sample_prior(np.random.default_rng(2), 5)
    np.testing.assert_array_equal(reference.log_posterior(theta), reference.log_posterior(theta.copy()))


def test_the_bound_on_a_kink_is_the_known_one():
    # worst with the kink midway: weights 150, -25, 3 over 256 at distances 1/2, 3/2, 5/2
    assert kink_bound(1.0) == pytest.approx((150 / 2 - 25 * 3 / 2 + 3 * 5 / 2) / 256, rel=1e-12)


def test_nodes_cover_the_prior_of_a_nuisance(reference):
    axes = {k.data.key: k.response.axes for k in reference.likelihoods}
    phi = axes["ams02"][0]
    assert isinstance(phi, ChebyshevAxis)
    # six sigma of 0.65 +- 0.1; fixed ones need one node
    assert phi.low == pytest.approx(0.05, abs=0.01)
    assert phi.high == pytest.approx(1.25, abs=0.01)
    assert [len(axis.nodes) for axis in axes["nucleon"]] == [1, 1]


def test_ranges_that_cannot_be_interpolated_are_refused(small_content, build):
    # the response ends where a potential takes all energy away
    content = small_content()
    content["parameters"]["ams02"] = {"phi": free(0.6, 3.0)}
    with pytest.raises(ModelError, match="interpolated in phi") as caught:
        build(content)
    assert "ams02" in caught.value.where
    assert "narrower" in caught.value.remedy


@pytest.mark.parametrize(
    ("nuisance", "setting", "problem"),
    [
        ("energy_scale", 0.0, "dampe.energy_scale = 0"),
        ("energy_scale", -1.0, "dampe.energy_scale = -1"),
        ("energy_scale", free(1.0, 0.2), "dampe.energy_scale = -0.2"),
        ("energy_scale", uniform(0.0, 2.0), "dampe.energy_scale = 2e-09"),
        ("phi", -0.5, "dampe.phi = -0.5"),
    ],
)
def test_impossible_nuisances_are_refused(nuisance, setting, problem, small_content, build):
    content = small_content()
    content["likelihoods"] = {"dampe": {"species": ["H", "He"]}}
    content["parameters"].pop("ams02", None)
    content["parameters"]["dampe"] = {nuisance: setting}
    with pytest.raises(ParameterError) as caught:
        build(content)
    assert problem in caught.value.problem
    assert caught.value.remedy
