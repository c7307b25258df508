"""Powers against budgets, pulls and chi2, and spectra of several runs."""

import warnings
from dataclasses import dataclass, replace

import numpy as np
import pytest
from scipy.stats import chi2

from stellarcr.config import build_posterior, config_from_mapping
from stellarcr.errors import ParameterError, RunError
from stellarcr.plots import (
    Band,
    DataSeries,
    SpectrumPanel,
    experiment_looks,
    overlay_spectra_plot,
    population_powers,
    powers_plot,
    pulls_plot,
)
from stellarcr.plots.pulls import CAUTION
from stellarcr.plots.style import STYLES
from stellarcr.studies.panels import pull_panels

RECORDS = {
    "snr": {"amplitude": "snr.power", "unit": "erg/yr", "budget": 1e49, "budget_source": "text"},
    "wr_wind": {"amplitude": "wr_wind.power", "unit": "erg/yr", "budget": None, "budget_source": ""},
    "msc": {"amplitude": "msc.power", "unit": "erg/yr", "budget": 4e48, "budget_source": "text"},
    "ia": {"amplitude": "ia.energy", "unit": "erg", "budget": None, "budget_source": ""},
}
CHI2 = {"AMS-02 H": (29.4, 42), "AMS-02 He": (92.1, 43), "DAMPE H": (7.7, 18)}


def drawn(figure):
    return [text.get_text() for axes in figure.axes for text in axes.texts]


@pytest.fixture
def run(make):
    made = make(19)
    terms = {name: {"chi2": value, "points": points} for name, (value, points) in CHI2.items()}
    return replace(made, manifest={"populations": RECORDS}, summary={**made.summary, "map": {"chi2": terms}})


def series(experiment, pull):
    x = np.geomspace(50.0, 1e4, len(pull))
    return DataSeries(experiment, x, x**-2.7, 0.1 * x**-2.7, 0.1 * x**-2.7, pull=np.asarray(pull, dtype=float))


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("n_runs", [1, 3])
def test_powers_do_not_overlap(run, look, style, n_runs):
    runs = [replace(run, name=f"run {i}", samples=run.samples + 0.02 * i) for i in range(n_runs)]
    figure = powers_plot(runs, style=style)
    assert [axes.get_xlabel() for axes in figure.axes] == [
        "Injected power [erg yr$^{-1}$]",
        "Injected energy [erg]",
    ]
    assert figure.get_figwidth() == STYLES[style]
    assert look.faults(figure) == []


def test_powers_stand_against_their_budgets(run):
    powers = {power.name: power for power in population_powers(run)}
    assert powers["snr"].budget == 1e49
    np.testing.assert_allclose(np.log10(powers["snr"].values), run.samples[:, run.names.index("snr.log10_power")])
    # The energy of the burst is sampled as it is.
    np.testing.assert_array_equal(powers["ia"].values, run.samples[:, run.names.index("ia.energy")])
    figure = powers_plot(run)
    budgets = [line.get_xdata()[0] for line in figure.axes[0].lines if line.get_color() == "black"]
    assert budgets == [1e49, 4e48]
    texts = drawn(figure)
    assert texts.count("no budget") == 2
    median = np.median(powers["msc"].values / 4e48)
    assert any(text.startswith(f"${median:.2f}") or text.startswith(f"${median:.3f}") for text in texts)


def test_powers_of_a_run_without_records(run):
    """Names of parameters tell the populations, efficiencies the budgets."""
    index = np.arange(0, len(run.samples), 7)
    power = 10.0 ** run.samples[:, run.names.index("snr.log10_power")]
    old = replace(run, manifest={}, derived={"efficiency.snr": power[index] / 1e49}, derived_index=index)
    powers = {power.name: power for power in population_powers(old)}
    assert powers["snr"].budget == pytest.approx(1e49)
    assert powers["wr_wind"].budget is None
    assert powers["ia"].unit == "erg"


def test_a_fixed_power_is_known_by_its_efficiency(run):
    fixed = replace(run, names=tuple(n.replace("snr.log10_power", "snr.other") for n in run.names))
    fixed = replace(fixed, derived={"efficiency.snr": np.full(20, 0.1)}, derived_index=np.arange(20))
    powers = {power.name: power for power in population_powers(fixed)}
    np.testing.assert_allclose(powers["snr"].values, 1e48)


@pytest.mark.parametrize(
    "entry", ["power = 2e47", "log10_power = 47.30102999566398", "power = { value = 2e47, unit = 'erg/yr' }"]
)
def test_a_fixed_power_without_budget_is_in_the_configuration(run, entry, look, tmp_path):
    @dataclass(frozen=True)
    class Stored(type(run)):
        path: object = None

    names = tuple(name.replace("wr_wind.log10_power", "wr_wind.other") for name in run.names)
    stored = Stored(**{**run.__dict__, "names": names, "path": tmp_path})
    (tmp_path / "config.toml").write_text(f"[parameters.wr_wind]\n{entry}\n")
    powers = {power.name: power for power in population_powers(stored)}
    np.testing.assert_allclose(powers["wr_wind"].values, 2e47)
    figure = powers_plot([stored, run])
    assert "no budget, fixed" in drawn(figure)
    assert not figure.texts
    assert look.faults(figure) == []
    # What is linked to other parameters is not known, and the figure says so.
    (tmp_path / "config.toml").write_text('[parameters.wr_wind]\npower = { linked = "snr.power" }\n')
    figure = powers_plot([stored, run], labels=["first", "second"])
    (note,) = figure.texts
    assert "WR winds (first)" in note.get_text()
    assert look.faults(figure) == []


def test_no_power_at_all_is_refused(make):
    nothing = replace(make(1), names=("snr.gamma2",), manifest={})
    with pytest.raises(RunError, match="no sampled or fixed power"):
        powers_plot(nothing)


@pytest.mark.parametrize("style", STYLES)
def test_pulls_of_one_run(run, look, style):
    panels = [
        SpectrumPanel("H", np.empty(0), data=[series("AMS-02", [0.5, -1.0, 2.0]), series("DAMPE", [1.0, 9.0])]),
        SpectrumPanel("He", np.empty(0), data=[series("AMS-02", [0.0, -0.5])]),
    ]
    figure = pulls_plot(run, panels, style=style)
    assert len(figure.axes) == 4
    assert look.faults(figure) == []
    distribution = figure.axes[2]
    values, edges, _ = distribution.patches[0].get_data()
    assert np.sum(values * np.diff(edges)) == pytest.approx(1.0)
    assert "7 pulls" in distribution.texts[0].get_text()


@pytest.mark.parametrize("n_runs", [1, 3])
def test_bars_are_chi2_per_point_with_p_values(run, look, n_runs):
    runs = [replace(run, name=f"run {i}") for i in range(n_runs)]
    figure = pulls_plot(runs, style="one-column")
    (bars,) = figure.axes
    lengths = [patch.get_width() for patch in bars.patches]
    expected = [value / points for value, points in CHI2.values() for _ in runs]
    total = sum(value for value, _ in CHI2.values()) / sum(points for _, points in CHI2.values())
    np.testing.assert_allclose(lengths, expected + [total] * n_runs)
    assert f"{chi2.sf(29.4, 42):.2f}" in drawn(figure)
    assert CAUTION in drawn(figure)
    assert look.faults(figure) == []


def test_a_hopeless_data_set_has_a_logarithmic_axis(run):
    run.summary["map"]["chi2"]["DAMPE H"] = {"chi2": 4000.0, "points": 18}
    (bars,) = pulls_plot(run).axes
    assert bars.get_xscale() == "log"
    assert "$<10^{-99}$" in drawn(bars.figure)
    # A logarithmic axis has no zero that a bar could start at.
    ends = [(patch.get_x(), patch.get_x() + patch.get_width()) for patch in bars.patches]
    stored = run.summary["map"]["chi2"].values()
    np.testing.assert_allclose(ends[:3], [(1.0, term["chi2"] / term["points"]) for term in stored])
    low, high = bars.get_xlim()
    assert all(low < end < high for pair in ends for end in pair)


def test_a_p_value_is_rounded_to_one_digit(run):
    points = 10
    for p, text in ((9.6e-21, r"$1\times10^{-20}$"), (9.4e-21, r"$9\times10^{-21}$"), (0.0094, r"$9\times10^{-3}$")):
        run.summary["map"]["chi2"]["DAMPE H"] = {"chi2": chi2.isf(p, points), "points": points}
        assert text in drawn(pulls_plot(run))


def test_pulls_of_several_runs_and_missing_chi2_are_refused(run):
    panel = SpectrumPanel("H", np.empty(0), data=[series("AMS-02", [0.5])])
    with pytest.raises(ParameterError, match="one run at a time"):
        pulls_plot([run, replace(run, name="b")], [panel])
    with pytest.raises(RunError, match="keeps no chi2"):
        pulls_plot(replace(run, summary={}))


def spectrum(species, level, axis="R"):
    x = np.geomspace(10.0, 1e6, 40)
    total = Band(level * x**-2.7, 0.9 * level * x**-2.7, 1.1 * level * x**-2.7)
    return SpectrumPanel(species, x, {"snr": total}, total, [series("AMS-02", [0.1, 0.2])], axis)


@pytest.mark.parametrize("style", STYLES)
def test_spectra_of_several_runs(look, style):
    panels = {"first": [spectrum("He", 1.0), spectrum("H", 1.0)], "second": [spectrum("H", 1.2)]}
    figure = overlay_spectra_plot(panels, style=style)
    # Elements by charge; no pulls; the data once; a band and a line for each run that has the element.
    hydrogen, helium = figure.axes
    assert [axes.texts[0].get_text() for axes in figure.axes] == ["H", "He"]
    assert [len(axes.containers) for axes in figure.axes] == [1, 1]
    curves = [line for line in hydrogen.lines if len(line.get_xdata()) == 40]
    assert len({line.get_color() for line in curves}) == len({str(line.get_linestyle()) for line in curves}) == 2
    assert len([line for line in helium.lines if len(line.get_xdata()) == 40]) == 1
    legend = [text.get_text() for text in figure.legends[0].get_texts()]
    assert legend == ["first", "second", "68% of the posterior", "AMS-02"]
    assert look.faults(figure) == []
    with_members = overlay_spectra_plot(panels, style=style, populations=True)
    assert len([line for line in with_members.axes[0].lines if len(line.get_xdata()) == 40]) == 4


def test_spectra_on_other_points_or_axes_are_refused():
    with pytest.raises(ParameterError, match="not on the points"):
        overlay_spectra_plot({"a": [spectrum("H", 1.0)], "b": [spectrum("H", 1.0, "EK")]})
    with pytest.raises(ParameterError, match="no panel"):
        overlay_spectra_plot({"a": [], "b": []})


def test_data_that_differ_between_runs_are_all_drawn():
    """One experiment measured twice, or cut differently: neither run's points are lost."""
    first, second = spectrum("H", 1.0), spectrum("H", 1.2)
    (axes,) = overlay_spectra_plot({"a": [first], "b": [second]}).axes
    assert len(axes.containers) == 1
    other = replace(second, data=[replace(second.data[0], value=2.0 * second.data[0].value)])
    (axes,) = overlay_spectra_plot({"a": [first], "b": [other]}).axes
    assert len(axes.containers) == 2


def test_experiments_without_a_look_of_their_own_never_share_one():
    looks = experiment_looks(f"experiment {k}" for k in range(24))
    assert len(set(looks.values())) == 24


def test_upper_limits_have_no_pull(small_content):
    """They are no measured values: their errors only say so, and the upper one is zero."""
    content = small_content()
    content["populations"]["msc"] = {}
    content["likelihoods"] = {"kascade2005": {}}
    posterior = build_posterior(config_from_mapping(content))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        panels = pull_panels(posterior, posterior.reference())
    limits = [series.upper_limit for panel in panels for series in panel.data]
    pulls = [series.pull for panel in panels for series in panel.data]
    assert sum(map(np.sum, limits)) > 0
    for limit, pull in zip(limits, pulls, strict=True):
        np.testing.assert_array_equal(np.isnan(pull), limit)
