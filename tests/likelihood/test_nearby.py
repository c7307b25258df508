"""Nearby sources as they run in a fit, against `ForwardModel.flux` with the same numbers."""

import numpy as np
import pytest

pytestmark = pytest.mark.usefixtures("one_thread")

FREE = {
    "log10_energy": {"prior": "uniform", "low": 49.0, "high": 52.0},
    "log10_age": {"prior": "uniform", "low": 4.7, "high": 6.5},
    "distance": {"prior": "uniform", "low": 0.1, "high": 0.5},
}
"""Near and old enough to be seen: d^2 / (4 D t) is at most 6 at 300 GV for the smallest D0."""

MORE = {
    "log10_duration": {"prior": "uniform", "low": 2.0, "high": 6.5},
    "gas_density": {"prior": "uniform", "low": 0.01, "high": 1.0},
}
OPTIONS = {
    "halo": ({"boundary": "halo"}, FREE),
    "continuous": ({"release": "continuous"}, FREE | {"log10_duration": MORE["log10_duration"]}),
    "all": ({"boundary": "halo", "release": "continuous", "gas_density": 0.1}, FREE | MORE),
    "gas alone": ({"gas_density": 0.1}, {"gas_density": MORE["gas_density"]}),
    "fixed": (
        {"boundary": "halo", "release": "continuous", "gas_density": 0.1},
        {"log10_energy": FREE["log10_energy"]},
    ),
}


@pytest.mark.parametrize("propagation", ["fixed", "free"])
@pytest.mark.parametrize("name", OPTIONS)
def test_fit_and_exact_model_agree(name, propagation, reference_content, build, exact_predictions):
    options, parameters = OPTIONS[name]
    content = reference_content()
    content.pop("constraints")
    content["populations"] = {"ia": {"options": options}}
    # power laws without a cutoff in reach: what is compared is the way, not the interpolation of a cutoff
    content["parameters"] = {"ia": {**parameters, "R_max": 1e7}}
    content["galaxy"]["smoothness"] = 0.3  # a sharp break has an error of its own, see test_prediction
    if propagation == "free":
        content["parameters"]["galaxy"] = {"log10_D0": {"prior": "uniform", "low": 28.0, "high": 29.0}}
    content["likelihoods"] = {"dampe": {"species": ["Fe"], "range": {"rigidity_min": 300.0}}}
    posterior = build(content)
    folded = [column.folded for column in posterior.sources.columns]
    assert folded == [name == "fixed" and propagation == "fixed"] * len(folded)
    theta = posterior.sample_prior(np.random.default_rng(3), 6)
    exact, fast = exact_predictions(posterior, theta), posterior.predictions(theta)
    assert list(exact) == list(fast)
    for table, values in exact.items():
        assert np.all(values > 0)
        # six-point interpolation of the spectrum on the grid; the target of all predictions
        np.testing.assert_allclose(fast[table], values, rtol=1e-4)


def test_young_sources_have_no_flux_in_a_fit(reference_content, build):
    content = reference_content()
    content["populations"]["ia"] = {"options": {"boundary": "halo"}}
    content["parameters"]["ia"] = {"age": {"prior": "uniform", "low": 1e2, "high": 3e3}}
    content["likelihoods"] = {"dampe": {"species": ["Fe"]}}
    posterior = build(content)
    theta = posterior.sample_prior(np.random.default_rng(1), 4)
    with_source = posterior.predictions(theta)
    content["populations"].pop("ia")
    content["parameters"].pop("ia")
    without = build(content)
    keep = [posterior.names.index(name) for name in without.names]
    for table, values in without.predictions(theta[:, keep]).items():
        np.testing.assert_allclose(with_source[table], values, rtol=1e-12)
