"""What is said of data below the model's range, and that the table of losses is what the benchmark gives."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from stellarcr.config import build_posterior, config_from_mapping
from stellarcr.galaxy.validity import FLUX_LIMIT, LEFT_OUT, RATIO_LIMIT, left_out, validity_warnings
from stellarcr.observe.axes import rigidity
from stellarcr.species import dominant_isotope
from stellarcr.studies.check import lowest_rigidities, model_warnings

pytestmark = pytest.mark.usefixtures("one_thread")
BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "losses.py"


@pytest.fixture(scope="module")
def computed():
    """Changes by losses, with a coarser grid than the benchmark's own."""
    spec = importlib.util.spec_from_file_location("losses_benchmark", BENCHMARK)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.RIGIDITIES, module.changes(points_per_decade=60, top=2e3)


@pytest.mark.parametrize("effect", [e for e in LEFT_OUT if e.process == "losses"], ids=lambda e: e.quantity)
def test_losses_are_those_of_the_benchmark(effect, computed):
    at, changes = computed
    assert tuple(at) == effect.rigidity
    # three digits are printed; the coarse grid is good to some 1e-4
    np.testing.assert_allclose(effect.change, changes[effect.quantity], atol=1e-3, rtol=0.01)


@pytest.mark.parametrize("effect", LEFT_OUT, ids=lambda e: f"{e.process} {e.quantity}")
def test_interpolation(effect):
    for rigidity_, change in zip(effect.rigidity, effect.change, strict=True):
        assert effect.at(rigidity_) == pytest.approx(change, rel=1e-12)
    between = [effect.at(r) for r in np.geomspace(effect.rigidity[0], effect.rigidity[-1], 50)]
    assert np.all(np.diff(np.abs(between)) < 0)
    middle = np.sqrt(effect.rigidity[0] * effect.rigidity[1])
    assert abs(effect.at(middle)) == pytest.approx(np.sqrt(effect.change[0] * effect.change[1]), rel=1e-12)
    assert effect.at(0.01) == pytest.approx(effect.change[0])


@pytest.mark.parametrize(
    ("species", "quantity"),
    [("H", "H"), ("p+He", "H"), ("He", "He"), ("Li", "He"), ("N", "C"), ("Si", "O"), ("Ni", "Fe"), ("Be/B", "B/C")],
)
def test_nearest_numbers(species, quantity):
    assert left_out("losses", species).quantity == quantity
    assert left_out("reacceleration", species).quantity == ("B/C" if "/" in species else "H")


def test_silent_where_the_model_holds():
    assert validity_warnings({}) == []
    assert validity_warnings({"a": {"H": FLUX_LIMIT, "Fe": 1e3, "B/C": FLUX_LIMIT}}) == []


def test_the_lowest_of_each_kind_is_named():
    fluxes, ratios = validity_warnings(
        {"ams02": {"H": 12.0, "O": 11.0, "B/C": 9.0, "Be/B": 15.0}, "dampe": {"H": 30.0}}
    )
    assert fluxes.startswith("warning: likelihood 'ams02' sees O down to 11 GV")
    assert "+33% of H" in fluxes  # 39% at 10 GV falls as R^-1.87
    assert "-2.5% of O" in fluxes
    assert ratios.startswith("warning: likelihood 'ams02' sees B/C down to 9 GV")
    assert "more than +18% of B/C" in ratios  # nothing is published below 10 GV


def test_ratios_between_the_limits_are_a_note():
    (message,) = validity_warnings({"x": {"B/C": RATIO_LIMIT}})
    assert message.startswith("note: ")
    assert "+18% of B/C" in message
    assert "more than" not in message


def problem(**likelihoods):
    return build_posterior(
        config_from_mapping(
            {
                "name": "low",
                "galaxy": {"preset": "plain-diffusion", "geometry": "slab"},
                "populations": {"snr": {}},
                "parameters": {"snr": {"log10_power": {"prior": "uniform", "low": 47.0, "high": 50.0, "value": 48.0}}},
                "likelihoods": likelihoods,
            }
        )
    )


def test_rigidity_outside_the_heliosphere():
    posterior = problem(
        ams02={"species": ["H", "He"], "range": {"rigidity_min": 5.0}, "nuisances": {"phi": {"value": 0.65}}}
    )
    lowest = lowest_rigidities(posterior)["ams02"]
    assert list(lowest) == ["H", "He"]
    for table in posterior.likelihoods[0].data.tables:
        nucleus = dominant_isotope(table.species)
        edge = table.x_low.value[0]
        assert 4.0 < edge < 6.0
        energy = np.sqrt((nucleus.charge * edge) ** 2 + nucleus.mass**2) + nucleus.charge * 0.65
        assert lowest[table.species] == pytest.approx(np.sqrt(energy**2 - nucleus.mass**2) / nucleus.charge, rel=1e-12)
        # at high energies modulation takes phi from the rigidity
        assert lowest[table.species] == pytest.approx(edge + 0.65, rel=0.02)
    (message,) = model_warnings(posterior)
    assert f"{min(lowest.values()):.3g} GV" in message


def test_an_energy_scale_counts():
    lowest = [
        lowest_rigidities(problem(lhaaso={"nuisances": {"energy_scale": {"value": scale}, "phi": {"value": 0.0}}}))
        for scale in (1.0, 1.25)
    ]
    for species, value in lowest[0]["lhaaso"].items():
        assert lowest[1]["lhaaso"][species] == pytest.approx(value / 1.25, rel=1e-9)
    # a group begins with its heaviest nucleus: rigidity at equal total energy is 1/Z
    assert rigidity("ETOT", 1e6, dominant_isotope("He")) == pytest.approx(5e5, rel=1e-5)
