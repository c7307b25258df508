"""Corner plots: what they show, and that nothing lies on top of anything else."""

import numpy as np
import pytest

from stellarcr.errors import ParameterError
from stellarcr.plots import corner_plot, save
from stellarcr.plots.columns import make_column
from stellarcr.plots.labels import axis_label, inner_ticks, unit_latex, value_with_errors
from stellarcr.plots.selection import select_names
from stellarcr.plots.style import TWO_COLUMNS


@pytest.mark.parametrize(("n", "n_runs"), [(1, 1), (2, 3), (3, 2), (6, 1)])
def test_no_text_overlaps(make, look, n, n_runs):
    runs = [make(n, f"run {i}", seed=i, shift=0.4 * i) for i in range(n_runs)]
    figure = corner_plot(runs, truths={runs[0].names[0]: 48.4})
    assert len(figure.axes) == n * (n + 1) // 2
    assert look.faults(figure) == []


def test_twenty_one_parameters(make, look):
    figure = corner_plot(make(21, n_samples=100), smooth=0.0)
    assert len(figure.axes) == 231
    assert figure.get_figwidth() == pytest.approx(TWO_COLUMNS, abs=1e-3)
    # Above ten parameters there are no titles unless one asks for them.
    assert all(not axes.texts for axes in figure.axes)
    assert look.faults(figure) == []
    assert 0.02 < look.ink(figure) < 0.5


def test_written_as_pdf_and_png(make, look, tmp_path):
    pdf, png = save(corner_plot([make(3), make(3, seed=1)]), tmp_path / "corner")
    assert pdf.read_bytes().startswith(b"%PDF")
    assert 0.05 < look.ink(png) < 0.6


def test_labels_have_units(make):
    figure = corner_plot(make(3))
    bottom = [axes.get_xlabel() for axes in figure.axes if axes.get_xlabel()]
    assert bottom == [
        r"$\log_{10}(P_{\rm SNR}/{\rm erg\,yr^{-1}})$",
        r"$\gamma_2^{\rm SNR}$",
        r"$R_{\rm max}^{\rm SNR}$ [$10^{4}$ GV]",
    ]
    narrow = corner_plot(make(3), style="one-column")
    # Where there is no room the unit has a line of its own: no label is broken inside its brackets.
    assert next(axes.get_xlabel() for axes in narrow.axes if axes.get_xlabel()) == (
        "$\\log_{10}P_{\\rm SNR}$\n[${\\rm erg\\,yr^{-1}}$]"
    )


def test_titles_hold_median_and_interval(make):
    run = make(1, n_samples=20_000)
    low, median, high = np.quantile(run.samples[:, 0], [0.16, 0.5, 0.84])
    texts = [text.get_text() for text in corner_plot(run).axes[0].texts]
    assert len(texts) == 1
    assert value_with_errors(median, median - low, high - median) in texts[0]


def test_titles_on_request(make):
    assert all(not axes.texts for axes in corner_plot(make(2), titles=False).axes)


def test_contours_hold_their_fraction_of_the_samples():
    """For a correlated Gaussian the region is an ellipse whose area is known."""
    rng = np.random.default_rng(3)
    covariance = np.array([[1.0, 0.6], [0.6, 2.0]])

    class Run:
        name, names, labels, units = "gauss", ("a", "b"), ("a", "b"), ("", "")
        samples = rng.multivariate_normal([0, 0], covariance, 200_000)
        summary: dict = {}  # noqa: RUF012

    axes = corner_plot(Run(), smooth=0.0).axes[1]
    lines = [c for c in axes.collections if c.get_facecolor().size == 0]
    assert len(lines) == 1
    areas = []
    for path in lines[0].get_paths():
        largest = max(path.to_polygons(), key=len)
        x, y = largest.T
        areas.append(0.5 * abs(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1))))
    expected = [-2 * np.log(1 - p) * np.pi * np.sqrt(np.linalg.det(covariance)) for p in (0.95, 0.68)]
    np.testing.assert_allclose(areas, expected, rtol=0.06)


def test_marginal_is_normalised(make):
    figure = corner_plot(make(1, n_samples=5000), smooth=0.0)
    stairs = figure.axes[0].patches[0]
    values, edges, _ = stairs.get_data()
    # A thousandth of the samples on either side may lie outside the axis.
    assert np.sum(values * np.diff(edges)) == pytest.approx(1.0, abs=0.003)


def test_maximum_and_truth_are_marked(make):
    run = make(2)
    figure = corner_plot(run, truths={"snr.gamma2": -2.45})
    pair = figure.axes[1]
    stars = [line for line in pair.lines if line.get_marker() == "*"]
    assert [(line.get_xdata()[0], line.get_ydata()[0]) for line in stars] == [(48.4, -2.44)]
    assert any(np.allclose(line.get_ydata(), -2.45) for line in pair.lines)
    unmarked = corner_plot(run, show_maximum=False)
    assert not [line for line in unmarked.axes[1].lines if line.get_marker() == "*"]


def test_runs_may_have_different_parameters(make):
    small, large = make(2, "small"), make(4, "large", seed=1)
    figure = corner_plot([small, large])
    assert len(figure.axes) == 10
    texts = [text.get_text() for text in figure.legends[0].get_texts()]
    assert texts == ["small", "large", "MAP", "No prior kept: small", "No prior kept: large"]
    # The last panel of the diagonal belongs to the large run alone.
    assert len(figure.axes[-1].patches) == 1
    assert len(figure.axes[0].patches) == 2


def test_selection_by_name_pattern_and_group(make):
    names = make(21).names
    assert select_names(names, ["msc", "snr.gamma2"]) == ("msc.log10_power", "msc.gamma", "msc.R_max", "snr.gamma2")
    assert select_names(names, "*.phi") == ("ams02.phi", "dampe.phi")
    assert select_names(names, None) == names
    assert len(corner_plot(make(21, n_samples=300), "msc").axes) == 6


def test_wrong_parameter_names_the_nearest(make):
    with pytest.raises(ParameterError, match=r"snr\.gama2.*\n.*snr\.gamma2"):
        corner_plot(make(3), ["snr.gama2"])


def test_wrong_truth_is_refused(make):
    with pytest.raises(ParameterError, match=r"msc\.gama"):
        corner_plot(make(3), truths={"msc.gama": 1.0})


def test_no_run_and_no_samples_are_refused(make):
    with pytest.raises(ParameterError, match="no run"):
        corner_plot([])
    with pytest.raises(ParameterError, match=r"shape \(0, 3\)"):
        corner_plot(make(3, n_samples=0))


def test_constant_parameter_is_drawn():
    class Run:
        name, names, labels, units = "flat", ("a", "b"), ("a", "b"), ("", "")
        samples = np.stack([np.full(500, 2.0), np.random.default_rng(0).normal(size=500)], axis=1)
        summary: dict = {}  # noqa: RUF012

    low, high = corner_plot(Run()).axes[0].get_xlim()
    assert low < 2.0 < high


def test_decades_are_shown_as_logarithm():
    values = 10 ** np.random.default_rng(0).uniform(44, 48, 4000)
    column = make_column("p", "P", "erg/yr", [values])
    assert column.axis_label() == r"$\log_{10} P$ [erg yr$^{-1}$]"
    # A uniform density ends at the ends of the prior, and so does the axis.
    assert column.low == pytest.approx(44, abs=0.01)
    assert column.high == pytest.approx(48, abs=0.01)


@pytest.mark.parametrize(
    ("unit", "latex"),
    [
        ("", ""),
        ("GV", "GV"),
        ("erg/yr", "erg yr$^{-1}$"),
        ("cm2/s", "cm$^{2}$ s$^{-1}$"),
        ("1 / (m2 s sr GV)", "m$^{-2}$ s$^{-1}$ sr$^{-1}$ GV$^{-1}$"),
        ("GV^1.7", "GV$^{1.7}$"),
        ("GV**-1", "GV$^{-1}$"),
        ("$M_\\odot$", "$M_\\odot$"),
    ],
)
def test_units_in_latex(unit, latex):
    assert unit_latex(unit) == latex


@pytest.mark.parametrize(
    ("numbers", "text"),
    [
        ((48.9134, 0.0118, 0.0231), "$48.913^{+0.023}_{-0.012}$"),
        ((1.0, 0.0996, 0.2), "$1.00^{+0.20}_{-0.10}$"),
        ((5230.0, 41.0, 39.0), "$5230^{+39}_{-41}$"),
        ((2.0, 0.0, 0.0), "$2$"),
    ],
)
def test_values_with_errors(numbers, text):
    assert value_with_errors(*numbers) == text


@pytest.mark.parametrize(("low", "high"), [(-2.47, -2.40), (0.0, 1.0), (46.93, 46.95), (3.2e-3, 3.3e-3)])
def test_ticks_keep_clear_of_the_ends(low, high):
    ticks, labels = inner_ticks(low, high, 3)
    assert 2 <= len(ticks) <= 3
    assert all(low + 0.08 * (high - low) < tick < high - 0.08 * (high - low) for tick in ticks)
    assert [float(label.replace("\N{MINUS SIGN}", "-")) for label in labels] == pytest.approx(ticks)
    assert len(set(labels)) == len(labels)


def test_label_of_a_power_of_ten():
    assert axis_label("R", "GV", power_of_ten=4) == "$R$ [$10^{4}$ GV]"
