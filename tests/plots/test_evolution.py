"""Figures of winds through time: axes with units, legends beside the panels, phases behind the curves."""

import itertools

import numpy as np
import pytest
from matplotlib.colors import to_hex, to_rgb

from stellarcr.errors import DataError
from stellarcr.plots.evolution import PHASE_COLORS, EvolutionPanel, acceleration_plot, injection_plot, radii_plot
from stellarcr.plots.style import TWO_COLUMNS
from stellarcr.stars.winds import WindPhase

FIGURES = {
    injection_plot: (("H", "He", "C", "velocity"), "yr$^{-1}$]", "[km s$^{-1}$]"),
    radii_plot: (("shock", "shell", "pressure"), "[pc]", "[erg cm$^{-3}$]"),
    acceleration_plot: (("R_max", "H", "He", "C", "O"), "[GV]", "[s$^{-1}$]"),
}
PHASES = np.array([WindPhase.O, WindPhase.O, WindPhase.RSG, WindPhase.WN, WindPhase.WC], dtype=np.int8)


def panel(names, index, scale=1.0):
    age = np.linspace(0.01, 3.0 + 0.5 * index, 60)
    curves = {name: scale * 10.0**row * (1.0 + age) for row, name in enumerate(names)}
    return EvolutionPanel(f"panel {index}", age, curves, np.linspace(0.0, age[-1], 6), PHASES)


@pytest.mark.parametrize(("plot", "scale"), list(zip(FIGURES, [1e-9, 1.0, 1e36], strict=True)))
def test_nothing_overlaps_and_every_axis_has_its_unit(plot, scale, look):
    names, left, right = FIGURES[plot]
    figure = plot([panel(names, index, scale) for index in range(4)], 5.0)
    assert look.faults(figure) == []
    boxes = [axes.get_window_extent() for axes in figure.axes]
    assert len(figure.legends) == 2
    for legend in figure.legends:
        assert not any(legend.get_window_extent().overlaps(box) for box in boxes)
        assert figure.bbox.x0 <= legend.get_window_extent().x0
        assert legend.get_window_extent().x1 <= figure.bbox.x1
    assert figure.get_figwidth() == TWO_COLUMNS
    labels = {axes.get_ylabel() for axes in figure.axes} - {""}
    assert {label.endswith(left) or label.endswith(right) for label in labels} == {True}
    assert len(labels) == 2
    assert {axes.get_xlabel() for axes in figure.axes} - {""} == {"Age [Myr]"}


@pytest.mark.parametrize("plot", FIGURES)
def test_lines_are_solid_on_the_left_and_dashed_on_the_right(plot):
    names, *_ = FIGURES[plot]
    figure = plot([panel(names, index) for index in range(4)], 5.0)
    for left, right in zip(figure.axes[::2], figure.axes[1::2], strict=True):
        assert left.lines
        assert {line.get_linestyle() for line in left.lines} == {"-"}
        assert right.lines
        assert {line.get_linestyle() for line in right.lines} == {"--"}
        assert left.get_ylim() == figure.axes[0].get_ylim()
        assert right.get_ylim() == figure.axes[1].get_ylim()


def test_background_shows_the_phases_and_stays_blank_after_death():
    figure = radii_plot([panel(FIGURES[radii_plot][0], index) for index in range(4)], 5.0)
    axes = figure.axes[0]
    spans = [
        (patch.get_x(), patch.get_x() + patch.get_width(), to_hex(patch.get_facecolor())) for patch in axes.patches
    ]
    expected = [(0.0, 1.2, WindPhase.O), (1.2, 1.8, WindPhase.RSG), (1.8, 2.4, WindPhase.WN), (2.4, 3.0, WindPhase.WC)]
    assert len(spans) == len(expected)
    for (low, high, color), (start, end, phase) in zip(spans, expected, strict=True):
        assert (low, high) == pytest.approx((start, end))
        assert color == PHASE_COLORS[phase].lower()


def test_phases_are_told_apart_by_any_eye():
    """Phases differ in lightness or in blue against yellow, which eyes see that do not tell red from green."""

    def channels(phase):
        red, green, blue = to_rgb(PHASE_COLORS[phase])
        return np.array([0.2126 * red + 0.7152 * green + 0.0722 * blue, 0.5 * (red + green) - blue])

    for first, second in itertools.combinations(PHASE_COLORS, 2):
        assert np.max(np.abs(channels(first) - channels(second))) > 0.05


def test_curves_that_vanish_leave_the_axis_readable(look):
    """Hydrogen that is gone is neither drawn at zero nor does it stretch the axis."""
    names = FIGURES[injection_plot][0]
    panels = [panel(names, index) for index in range(4)]
    panels[1].curves["H"][30:] = 0.0
    panels[2].curves["C"][:] = np.nan
    figure = injection_plot(panels, 5.0)
    low, high = figure.axes[0].get_ylim()
    assert 0.0 < low < high < 1e5 * low
    assert look.faults(figure) == []


def test_curves_of_another_length_are_refused():
    with pytest.raises(DataError, match="curve 'shock' has shape"):
        EvolutionPanel("40", np.arange(3.0), {"shock": np.arange(2.0)}, np.arange(2.0), PHASES[:1])


def test_three_panels_are_refused():
    with pytest.raises(DataError, match="3 panels"):
        radii_plot([panel(FIGURES[radii_plot][0], index) for index in range(3)], 5.0)
