"""Corner plots: groups, styles, priors, and ranges."""

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.contour import QuadContourSet
from matplotlib.patches import StepPatch

from stellarcr.errors import ParameterError, RunError
from stellarcr.infer.priors import prior_from_mapping
from stellarcr.plots import corner_plot, save
from stellarcr.plots.columns import make_column
from stellarcr.plots.prior_curves import prior_curve, same_curves
from stellarcr.plots.style import ONE_COLUMN

UNIFORM = {"kind": "uniform", "low": 47.0, "high": 50.0}


def texts(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


def with_prior(run, mapping, constrain=None):
    """The run with one parameter's prior as formula and draws; a constraint keeps some of the draws."""
    rng = np.random.default_rng(5)
    draws = np.tile(prior_from_mapping(mapping).sample(rng, 8000)[:, None], (1, len(run.names)))
    draws = draws if constrain is None else draws[constrain(draws[:, 0])]
    return replace(run, prior=draws, priors={run.names[0]: mapping})


@pytest.mark.parametrize(("n", "n_runs"), [(1, 2), (3, 3), (7, 1)])
def test_one_column_is_as_wide_as_a_column_and_nothing_overlaps(make, look, n, n_runs):
    figure = corner_plot([make(n, f"run {i}", seed=i, n_samples=500) for i in range(n_runs)], style="one-column")
    assert figure.get_figwidth() <= ONE_COLUMN + 1e-3
    assert look.faults(figure) == []


def test_too_many_parameters_for_a_column(make):
    run = make(21, n_samples=300)
    with pytest.raises(ParameterError, match=r"21 parameters.*one column[^$]*--group[^$]*--parameters"):
        corner_plot(run, style="one-column")


def test_groups(make):
    run = make(3)
    run = replace(run, groups=dict(zip(run.names, ("populations", "populations", "nearby"), strict=True)))
    old = replace(make(3, "old", seed=1), groups={})
    assert len(corner_plot(run, groups="populations").axes) == 3
    assert len(corner_plot(run, groups=["type_ia"]).axes) == 1
    # A group and a name add up; a run without groups takes those of the other.
    assert len(corner_plot([old, run], "snr.gamma2", "nearby").axes) == 3
    with pytest.raises(ParameterError, match=r"'nuisance'[^$]*'nuisances'"):
        corner_plot(run, groups="nuisance")
    with pytest.raises(ParameterError, match=r"'propagation'[^$]*groups of these runs: populations, nearby"):
        corner_plot(run, groups="propagation")
    with pytest.raises(RunError, match=r"'old'[^$]*--parameters"):
        corner_plot(old, groups="nearby")


def test_labels_of_runs(make):
    runs = [make(2), make(2, seed=1)]
    assert texts(corner_plot(runs, labels=["A", "B"], priors=False))[:2] == ["A", "B"]
    assert texts(corner_plot(runs, priors=False))[:2] == ["reference (1)", "reference (2)"]
    with pytest.raises(ParameterError, match="1 labels for 2 runs"):
        corner_plot(runs, labels=["A"])
    with pytest.raises(ParameterError, match="one label: A, A"):
        corner_plot(runs, labels=["A", "A"])


def test_runs_without_a_common_parameter_are_refused(make):
    other = replace(make(1, "other"), names=("x.y",))
    with pytest.raises(ParameterError, match="'reference' has no parameter in common"):
        corner_plot([make(1), other])


def test_a_run_that_has_none_of_the_parameters_is_named(make):
    figure = corner_plot([make(2, "small"), make(4, "large")], "snr.abundance.He", priors=False)
    assert texts(figure)[0] == "small (has none of these)"


def test_runs_share_ranges_and_bins(make):
    axes = corner_plot([make(1, n_samples=4000), make(1, seed=1, shift=2.0, n_samples=900)]).axes[0]
    first, second = (patch.get_data().edges for patch in axes.patches)
    np.testing.assert_array_equal(first, second)


def test_a_narrow_run_beside_a_wide_one(make):
    """The narrow one keeps clear of the frame, and the contours of the wide one hang together."""
    wide, narrow = make(2, "wide"), make(2, "narrow", seed=2)
    centre = wide.samples.mean(axis=0) + 5.0 * wide.samples.std(axis=0)
    narrow = replace(narrow, samples=centre + 0.02 * (narrow.samples - narrow.samples.mean(axis=0)))
    narrow = replace(narrow, summary={})
    axes = corner_plot([wide, narrow]).axes[1]
    for k, (low, high) in enumerate((axes.get_xlim(), axes.get_ylim())):
        assert narrow.samples[:, k].max() < high - 0.04 * (high - low)
    outlines = [part for part in axes.collections if isinstance(part, QuadContourSet) and not part.filled]
    pieces = [[len(path.to_polygons()) for path in outline.get_paths()] for outline in outlines]
    assert pieces == [[1, 1], [1, 1]]


def test_runs_differ_in_their_lines_too(make):
    """Colours alone do not survive a black and white printer."""
    figure = corner_plot([make(1, f"run {k}", shift=k) for k in range(3)])
    steps = [patch for patch in figure.axes[0].patches if isinstance(patch, StepPatch)]
    assert len({str(patch.get_linestyle()) for patch in steps}) == 3


def test_single_points_are_marked_without_contours(make):
    run = make(2, n_samples=1)
    figure = corner_plot(run)
    assert texts(figure)[0] == "reference (maximum only)"
    assert not figure.axes[1].collections
    low, high = corner_plot([make(2, n_samples=2000, seed=1), run]).axes[0].get_xlim()
    # The point does not stretch the range that the samples of the other run need.
    assert high - low < 0.1


def test_prior_is_the_formula_on_the_axis_of_the_posterior(make):
    run = with_prior(make(1), UNIFORM)
    figure = corner_plot(run)
    assert "Prior" in texts(figure)
    curve = next(line for line in figure.axes[0].lines if len(line.get_xdata()) > 50)
    np.testing.assert_allclose(curve.get_ydata(), 1.0 / 3.0)
    assert texts(corner_plot(run, priors=False)) == ["reference", "MAP"]


@pytest.mark.parametrize("scale", ["linear", "logarithm", "power"])
def test_prior_is_normalised_on_every_axis(scale):
    mapping, samples = {
        "linear": ({"kind": "normal", "mean": 0.6, "standard_deviation": 0.1}, np.linspace(-0.2, 1.4, 500)),
        "logarithm": ({"kind": "log_uniform", "low": 1.0, "high": 1e6}, np.geomspace(0.5, 2e6, 500)),
        "power": ({"kind": "uniform", "low": 1e6, "high": 3e6}, np.linspace(5e5, 4e6, 500)),
    }[scale]
    column = make_column("p", "P", "GV", [samples])

    class Run:
        names, prior, priors = ("p",), None, {"p": mapping}

    x, density = prior_curve(Run(), column)
    assert np.trapezoid(density, x) == pytest.approx(1.0, abs=0.01)
    draws = prior_from_mapping(mapping).sample(np.random.default_rng(0), 20_000)[:, None]
    Run.priors, Run.prior = {}, draws
    x_draws, smooth = prior_curve(Run(), column)
    assert np.trapezoid(smooth, x_draws) == pytest.approx(1.0, abs=0.02)
    assert np.median(np.abs(np.interp(x, x_draws, smooth) - density)) < 0.06 * density.max()


def test_a_constraint_shapes_the_prior(make):
    run = with_prior(make(1), UNIFORM, lambda values: values < 48.4)
    x, density = prior_curve(run, make_column(run.names[0], "P", "", [run.samples]))
    # The draws end at 48.4: the formula, 1/3 everywhere, would be wrong.
    assert density[x < 48.38] == pytest.approx(1.0 / 1.4, rel=0.15)
    assert density[x > 48.41] == pytest.approx(0.0, abs=0.01)


def test_curves_of_one_prior_are_told_from_others():
    x = np.linspace(0.0, 1.0, 50)
    assert same_curves([(x, np.ones(50)), (x, 1.02 * np.ones(50))])
    assert not same_curves([(x, np.ones(50)), (x, 2.0 * x)])


def test_a_long_thin_tail_does_not_squeeze_the_density():
    """A density with a cut at its upper end and a tail of half a per cent down to the edge of the prior."""
    rng = np.random.default_rng(2)
    bulk = rng.normal(47.0, 0.1, 19_900)
    tail = rng.uniform(43.0, 46.0, 100)
    column = make_column("o_wind.log10_power", "P", "", [np.concatenate([bulk, tail])])
    assert 46.0 < column.low < 46.7
    # Room beyond the upper end, which no edge cuts.
    assert column.high > np.quantile(bulk, 0.999)
    assert column.bins > 30


def test_an_edge_of_the_prior_is_the_end_of_the_axis():
    rng = np.random.default_rng(2)
    values = rng.normal(0.0, 1.0, 30_000)
    column = make_column("x", "x", "", [values[values > -1.5]])
    assert column.low == pytest.approx(-1.5, abs=0.01)
    assert make_column("x", "x", "", [values]).low < -3.0


def test_figures_are_deterministic(make, tmp_path):
    for name in ("a", "b"):
        save(corner_plot([make(2), make(2, seed=1)]), tmp_path / name, dpi=60)
    for suffix in (".pdf", ".png"):
        assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()


def test_unknown_style_is_refused(make):
    with pytest.raises(ParameterError, match=r"'one-colum'[^$]*'one-column'"):
        corner_plot(make(1), style="one-colum")
