"""Figures of ranks: every quantity has its panel, with what was tested in it."""

import numpy as np
import pytest

from stellarcr.infer.calibration import ecdf_band, uniformity_of
from stellarcr.plots.ranks import distance_plot, rank_plot


@pytest.fixture
def ranks():
    rng = np.random.default_rng(1)
    return {name: rng.integers(0, 100, 80) for name in ("snr.gamma2", "msc.gamma", "ams02.phi", "log_likelihood")}


@pytest.fixture
def tests(ranks):
    return {name: uniformity_of(values, 99) for name, values in ranks.items()}


def texts(axes):
    return [text.get_text() for text in axes.texts]


def test_histograms_show_the_counts_that_were_tested(ranks, tests):
    figure = rank_plot(ranks, tests, 99, {"snr.gamma2": r"\gamma_2"})
    assert len(figure.axes) == 4
    assert figure.axes[0].get_title() == r"$\gamma_2$"
    for axes, test in zip(figure.axes, tests.values(), strict=True):
        (stairs,) = [patch for patch in axes.patches if hasattr(patch, "get_data")]
        values, edges, _ = stairs.get_data()
        assert tuple(values) == test.counts
        assert edges[[0, -1]] == pytest.approx([0.0, 1.0])
        assert f"{test.chi2_p:.2g}" in texts(axes)[0]
        assert axes.get_ylim()[1] > max(test.counts)


def test_curves_show_the_distance_that_was_tested(ranks, tests):
    figure = distance_plot(ranks, tests, 99, {})
    for axes, test in zip(figure.axes, tests.values(), strict=True):
        curve = np.asarray(axes.lines[-1].get_ydata())
        assert np.max(np.abs(curve)) == pytest.approx(test.distance, abs=1e-12)
        assert f"{test.distance_p:.2g}" in texts(axes)[0]
        band = axes.patches[0].get_extents().transformed(axes.transData.inverted())
        assert (band.y0, band.y1) == pytest.approx((-ecdf_band(80, 99), ecdf_band(80, 99)))


@pytest.mark.parametrize("draw", [rank_plot, distance_plot])
def test_no_text_meets_another(ranks, tests, draw):
    figure = draw(ranks, tests, 99, {})
    figure.draw_without_rendering()
    for axes in figure.axes:
        boxes = [text.get_window_extent() for text in (axes.title, *axes.texts)]
        ticks = [t.label1.get_window_extent() for t in axes.yaxis.get_major_ticks() if t.label1.get_text()]
        for k, box in enumerate(boxes):
            assert not any(box.overlaps(other) for other in (*boxes[k + 1 :], *ticks))
