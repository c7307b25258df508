"""Measurements over each other: what is drawn where, and what is refused."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb

from stellarcr.data import list_spectra, load_spectrum, load_table, select_spectra
from stellarcr.errors import DataError, ParameterError
from stellarcr.plots import overlay_plot, save
from stellarcr.plots.data_overlay import overlay_labels
from stellarcr.plots.overlay_axes import common_axis, on_axis
from stellarcr.species import dominant_isotope


@cache
def tables(species):
    return [load_table(e.path) for e in select_spectra(list_spectra(), species=species, status="recommended")]


def points_of(figure):
    """Positions of all markers that are drawn."""
    lines = [line for line in figure.axes[0].lines if line.get_linestyle() == "None"]
    return np.concatenate([np.column_stack(line.get_data()) for line in lines])


def test_points_are_scaled_by_the_axis():
    spectrum = load_spectrum("AMS-02", "He")
    for scale, power in ((None, 2.7), (0.0, 0.0), (3.0, 3.0)):
        drawn = points_of(overlay_plot([spectrum], scale=scale))
        assert np.allclose(drawn[:, 0], spectrum.x.value)
        assert np.allclose(drawn[:, 1], spectrum.value.value * spectrum.x.value**power)


def test_another_axis_is_exact_for_the_dominant_isotope():
    spectrum = load_spectrum("DAMPE", "He")
    moved = on_axis(spectrum, "DAMPE", "R")
    nuclide = dominant_isotope("He")
    kinetic = spectrum.x.value
    rigidity = np.sqrt(kinetic * (kinetic + 2.0 * nuclide.mass)) / nuclide.charge
    assert np.allclose(moved.x, rigidity)
    # dEk/dR = Z^2 R / E
    slope = nuclide.charge**2 * rigidity / (kinetic + nuclide.mass)
    assert np.allclose(moved.value, spectrum.value.value * slope)
    assert np.allclose(moved.stat_low / moved.value, spectrum.stat_low / spectrum.value)


def test_the_number_of_particles_stays():
    spectrum = load_spectrum("DAMPE", "He")
    per_bin = spectrum.value.value * (spectrum.x_high - spectrum.x_low).value
    for axis in ("R", "EKN", "ETOT"):
        moved = on_axis(spectrum, "DAMPE", axis)
        # the Jacobian belongs to the point, the bin is finite: second order in the relative width
        assert np.allclose(moved.value * (moved.x_high - moved.x_low), per_bin, rtol=0.01)


def test_the_axis_is_that_of_what_cannot_move():
    ams, dampe, light = load_spectrum("AMS-02", "H"), load_spectrum("DAMPE", "H"), load_spectrum("DAMPE", "p+He")
    assert common_axis([dampe]) == dampe.axis
    assert common_axis([ams, dampe]) == "R"
    assert common_axis([ams, light]) == light.axis != "R"


def test_sums_ratios_and_ln_a_stay_on_their_axis():
    for spectrum, words in (
        (load_spectrum("DAMPE", "p+He"), "the sum 'p\\+He'"),
        (load_spectrum("LHAASO", "lnA", "EPOS-LHC"), "a mean ln A"),
        (load_spectrum("DAMPE", "B/C"), "a ratio"),
    ):
        with pytest.raises(DataError, match=words) as caught:
            overlay_plot([spectrum], axis="R")
        assert spectrum.axis in caught.value.remedy


def test_what_does_not_go_together():
    he, ratio, ln_a = load_spectrum("AMS-02", "He"), load_spectrum("DAMPE", "B/C"), load_spectrum("TALE", "lnA")
    with pytest.raises(DataError, match="different quantities"):
        overlay_plot([he, ratio])
    with pytest.raises(DataError, match="different ones"):
        overlay_plot([load_spectrum("AMS-02", "B/C", axis="R"), ratio])
    with pytest.raises(ParameterError, match="only fluxes are scaled"):
        overlay_plot([ln_a], scale=2.7)
    with pytest.raises(ParameterError, match="EKN"):
        overlay_plot([he], axis="EKIN")
    with pytest.raises(ParameterError, match="two-column"):
        overlay_plot([he], style="two-colum")
    with pytest.raises(DataError, match="no table"):
        overlay_plot([])


@pytest.mark.parametrize("species", ["B/C", "lnA"])
def test_ratios_and_ln_a_are_not_scaled(species):
    found = [spectrum for spectrum in tables(species=species) if spectrum.axis in ("EKN", "ETOT")]
    drawn = points_of(overlay_plot(found))
    assert np.allclose(np.sort(drawn[:, 1]), np.sort(np.concatenate([spectrum.value.value for spectrum in found])))


def test_labels_tell_tables_apart():
    models = [load_spectrum("LHAASO", "H", model) for model in ("EPOS-LHC", "QGSJET-II-04")]
    assert overlay_labels(models) == ["LHAASO (EPOS-LHC)", "LHAASO (QGSJET-II-04)"]
    both = [load_spectrum("AMS-02", "H"), load_spectrum("AMS-02", "He")]
    assert overlay_labels(both) == ["AMS-02 H", "AMS-02 He"]
    versions = [load_table(entry.path) for entry in list_spectra() if entry.name in ("AMS-02_C", "AMS-02_C_7yr")]
    assert len(set(overlay_labels(versions))) == 2


def test_a_group_of_elements_is_called_so():
    kascade = [load_spectrum("KASCADE", species, "QGSJET-II-04") for species in ("C", "H")]
    labels = overlay_labels(kascade)
    assert labels == ["KASCADE C group (QGSJET-II-04)", "KASCADE H (QGSJET-II-04)"]
    assert overlay_labels(kascade[:1]) == labels[:1]


def test_a_short_range_has_more_than_one_label():
    figure = overlay_plot(tables("p+He"), style="one-column")
    FigureCanvasAgg(figure).draw()
    assert sum(bool(label.get_text()) for label in figure.axes[0].get_yticklabels()) > 2


def test_upper_limits_are_arrows_without_bars():
    spectrum = next(s for s in tables(species="H") if s.upper_limit.any())
    axes = overlay_plot([spectrum]).axes[0]
    assert len(axes.texts) == 1 + int(spectrum.upper_limit.sum())  # the title, and an arrow each
    bars = sum(len(bars.get_segments()) for bars in axes.collections)
    assert bars == 2 * int((~spectrum.upper_limit).sum())
    assert [text.get_text() for text in axes.figure.legends[0].get_texts()][-1] == "upper limit"


@pytest.mark.parametrize(("style", "species"), [("one-column", "all"), ("two-column", "H"), ("one-column", "lnA")])
def test_nothing_overlaps(style, species):
    figure = overlay_plot(tables(species=species), style=style)
    renderer = FigureCanvasAgg(figure).get_renderer()
    figure.draw_without_rendering()
    axes, legend = figure.axes[0], figure.legends[0].get_window_extent(renderer)
    inside = axes.get_window_extent(renderer)
    assert legend.y0 >= inside.y1
    assert legend.x1 <= inside.x1
    assert legend.y1 <= figure.bbox.y1 + 1.0
    title = axes.texts[0].get_window_extent(renderer)
    at = axes.transData.transform(points_of(figure))
    assert not np.any((at[:, 0] > title.x0) & (at[:, 0] < title.x1) & (at[:, 1] > title.y0) & (at[:, 1] < title.y1))
    assert np.all((at[:, 0] > inside.x0) & (at[:, 0] < inside.x1) & (at[:, 1] > inside.y0) & (at[:, 1] < inside.y1))


def test_every_table_has_its_own_look():
    spectra = tables(species="H")
    figure = overlay_plot(spectra)
    looks = {
        (line.get_marker(), line.get_color(), line.get_markerfacecolor())
        for line in figure.axes[0].lines
        if line.get_linestyle() == "None" and line.get_marker() not in ("_", "None")
    }
    assert len(looks) == len(spectra)


def test_a_table_of_ones_own_stands_out():
    own = replace(load_spectrum("CALET", "H"), experiment="MINE")
    reference = [load_spectrum(name, "H", model) for name, model in
                 (("AMS-02", None), ("DAMPE", None), ("NUCLEON", None), ("LHAASO", "EPOS-LHC"))]  # fmt: skip
    figure = overlay_plot([own, *reference])
    mine, *others = [to_rgb(handle.get_color()) for handle in figure.legends[0].legend_handles[:5]]
    assert min(np.linalg.norm(np.subtract(mine, other)) for other in others) > 0.25


def test_the_same_tables_give_the_same_files(tmp_path):
    written = []
    for name in ("first", "second"):
        figure = overlay_plot([load_spectrum("AMS-02", "He"), load_spectrum("DAMPE", "He")])
        written.append([path.read_bytes() for path in save(figure, tmp_path / name)])
    assert written[0] == written[1]


def test_part_of_the_axis():
    tables = [load_spectrum("AMS-02", "He"), load_spectrum("DAMPE", "He")]
    figure = overlay_plot(tables, axis="R", x_range=(100.0, 1000.0))
    low, high = figure.axes[0].get_xlim()
    assert 50.0 < low < 110.0
    assert 900.0 < high < 2000.0
    texts = {text.get_text() for text in figure.legends[0].get_texts()}
    assert {"AMS-02", "DAMPE"} <= texts
    only = overlay_plot(tables, axis="R", x_range=(5e3, 1e5))
    texts = {text.get_text() for text in only.legends[0].get_texts()}
    assert "DAMPE" in texts
    assert "AMS-02" not in texts
    with pytest.raises(DataError, match="no table has a point from 1e\\+07 to 1e\\+08 on the axis R"):
        overlay_plot(tables, axis="R", x_range=(1e7, 1e8))
