"""Figures of ratios of fluxes."""

import numpy as np
import pytest

from stellarcr.errors import ParameterError
from stellarcr.plots.predictive import RunBands, predictive_plot
from stellarcr.plots.spectra import spectra_plot
from stellarcr.plots.spectra_overlay import overlay_spectra_plot
from stellarcr.plots.spectrum_panel import Band, DataSeries, SpectrumPanel, place_on_axis

X = np.geomspace(10.0, 5000.0, 50)


def panel(species, curve, values, spread=0.05, axis="R"):
    x = np.geomspace(20.0, 2000.0, len(values))
    values = np.asarray(values, dtype=float)
    error = np.full(len(values), spread) * values
    data = DataSeries("AMS-02", x, values, error, error, pull=np.zeros(len(values)))
    return SpectrumPanel(species, X, {}, Band(curve, 0.9 * curve, 1.1 * curve), [data], axis)


FLAT = panel("C/O", np.full(50, 0.9), [1.0, 0.95, 0.9, 0.92])
STEEP = panel("B/C", 0.8 * X**-0.33, 0.8 * np.geomspace(20.0, 2000.0, 4) ** -0.33)


def test_ratios_are_drawn_as_they_are():
    figure = spectra_plot(FLAT, scale=2.7)
    main = figure.axes[0]
    (line,) = [line for line in main.lines if len(line.get_xdata()) == 50]
    np.testing.assert_array_equal(line.get_ydata(), np.full(50, 0.9))
    assert main.get_ylabel() == "C/O at equal $R$"
    assert main.get_xscale() == "log"


def test_small_variations_are_drawn_on_a_linear_axis():
    figure = spectra_plot([FLAT, STEEP])
    flat, steep = figure.axes[0], figure.axes[2]
    assert (flat.get_yscale(), steep.get_yscale()) == ("linear", "log")
    assert flat.get_ylabel() == "Ratio at equal $R$"
    # data with their errors, and bands
    assert flat.get_ylim()[0] < 0.81
    assert flat.get_ylim()[1] > 1.05
    assert steep.get_ylim()[0] < 0.9 * 0.8 * 2000.0**-0.33


def test_the_axis_is_named():
    per_nucleon = panel("C/O", np.full(50, 0.9), [1.0, 0.9], axis="EKN")
    assert spectra_plot(per_nucleon).axes[0].get_ylabel() == r"C/O at equal $E_\mathrm{k}/n$"


def test_a_ratio_that_crosses_zero_has_a_linear_axis():
    low = panel("C/O", np.full(50, 0.9), [1.0, -0.1, 0.5], spread=0.0)
    main = spectra_plot(low).axes[0]
    assert main.get_yscale() == "linear"
    assert main.get_ylim()[0] < -0.1


def test_several_runs_and_bands():
    both = overlay_spectra_plot({"a": [FLAT, STEEP], "b": [FLAT, STEEP]}, scale=2.7)
    assert both.axes[0].get_ylim()[1] < 2.0
    wide = Band(FLAT.total.median, 0.5 * FLAT.total.median, 1.5 * FLAT.total.median)
    figure = predictive_plot([FLAT], [RunBands("a", [[FLAT.total, wide]])], levels=(0.68, 0.95), scale=2.7)
    filled = [c.get_paths()[0].vertices[:, 1] for c in figure.axes[0].collections if len(c.get_paths()) == 1]
    assert max(v.max() for v in filled) == pytest.approx(1.35)


def test_fluxes_and_ratios_do_not_share_a_figure():
    flux = SpectrumPanel("C", X, {}, Band(X**-2.7))
    with pytest.raises(ParameterError, match="cannot share a figure: C, C/O"):
        spectra_plot([flux, FLAT])


def test_a_ratio_stays_on_its_axis():
    with pytest.raises(ParameterError, match="'C/O' cannot be moved from axis R to EKN: it is a ratio") as caught:
        place_on_axis(FLAT.data[0], "C/O", "R", "EKN")
    assert "R" in caught.value.remedy
    assert place_on_axis(FLAT.data[0], "C/O", "R", "R") is FLAT.data[0]
