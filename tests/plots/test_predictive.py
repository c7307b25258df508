"""Figures of predictions: bands of several probabilities, one run or several, and <ln A>."""

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.collections import PolyCollection

from stellarcr.errors import ParameterError
from stellarcr.plots import Band, DataSeries, SpectrumPanel, save
from stellarcr.plots.predictive import RunBands, log_mass_plot, predictive_plot

LEVELS = (0.68, 0.95)
X = np.geomspace(10.0, 2e7, 60)


def bands(level, x=X):
    curve = level * x**-2.7
    return [Band(curve, curve / (1 + w), curve * (1 + w)) for w in (0.1, 0.25)]


def panel(species, with_data=True):
    at = np.geomspace(20.0, 1e7, 9)
    value = 1e4 * at**-2.7
    error = 0.1 * value
    data = [DataSeries("CALET", at, value, error, error, pull=np.linspace(-2, 2, 9))] if with_data else []
    return SpectrumPanel(species, X, {"snr": Band(8e3 * X**-2.7)}, None, data)


def shades(axes):
    return [c for c in axes.collections if isinstance(c, PolyCollection)]


@pytest.mark.parametrize("style", ["one-column", "two-column"])
@pytest.mark.parametrize("count", [1, 2])
def test_no_text_overlaps(look, style, count):
    panels = [panel("H"), panel("He")]
    runs = [RunBands(f"run_{k}", [bands(1e4 * (1 + k))] * 2) for k in range(count)]
    figure = predictive_plot(panels, runs, levels=LEVELS, style=style)
    assert look.faults(figure) == []
    assert figure.get_figwidth() == (3.4 if style == "one-column" else 7.1)
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert "68% and 95% of the posterior" in labels
    assert "CALET" in labels
    assert ("SNR" in labels) == (count == 1)
    assert ("run_0" in labels) == (count == 2)


def test_every_level_has_its_band_and_one_run_its_pulls():
    figure = predictive_plot([panel("H")], [RunBands("a", [bands(1e4)])], levels=LEVELS)
    main, lower = figure.axes
    heights = sorted(np.ptp(np.log(c.get_paths()[0].vertices[:, 1] / 1e4)) for c in shades(main))
    np.testing.assert_allclose(heights, [2 * np.log(1.1), 2 * np.log(1.25)], rtol=1e-6)
    assert lower.get_ylabel().startswith("Pull")


def test_bands_of_populations_are_not_called_what_they_are_not():
    """The total has all levels, a population the smallest one only."""
    banded = replace(panel("H"), components={"snr": bands(8e3)[0]})
    figure = predictive_plot([banded], [RunBands("a", [bands(1e4)])], levels=LEVELS)
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert "68% and 95% of the posterior (populations: 68%)" in labels


def test_without_data_all_runs_are_inside_the_axes():
    runs = [RunBands("a", [bands(1e4)]), RunBands("b", [bands(3e5)])]
    figure = predictive_plot([panel("H", with_data=False)], runs, levels=LEVELS)
    (main,) = figure.axes
    low, high = main.get_ylim()
    assert low < 1e4
    assert high > 3e5
    assert any(label.get_text() for label in main.get_yticklabels())


def test_mean_log_mass(look, tmp_path):
    runs = [RunBands(name, [[Band(np.full(60, v), np.full(60, v - w), np.full(60, v + w)) for w in (0.1, 0.2)]])
            for name, v in (("a", 1.0), ("b", 2.0))]  # fmt: skip
    figure = log_mass_plot(X, runs, levels=LEVELS, style="one-column")
    assert look.faults(figure) == []
    assert len(shades(figure.axes[0])) == 4
    first = [path.read_bytes() for path in save(figure, tmp_path / "first")]
    again = save(log_mass_plot(X, runs, levels=LEVELS, style="one-column"), tmp_path / "again")
    assert [path.read_bytes() for path in again] == first
    assert look.ink(again[1]) > 0.01


def test_what_cannot_be_drawn():
    with pytest.raises(ParameterError, match="'three-column'"):
        predictive_plot([panel("H")], [RunBands("a", [bands(1e4)])], levels=LEVELS, style="three-column")
    with pytest.raises(ParameterError, match="no prediction"):
        predictive_plot([panel("H")], [], levels=LEVELS)
    with pytest.raises(ParameterError, match="1 panels, not 2"):
        predictive_plot([panel("H"), panel("He")], [RunBands("a", [bands(1e4)])], levels=LEVELS)
