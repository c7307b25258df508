"""Spectra: data structure, conversion between axes, and the figure."""

from dataclasses import replace

import numpy as np
import pytest

from stellarcr.errors import DataError, ParameterError
from stellarcr.plots import Band, DataSeries, SpectrumPanel, place_on_axis, save, spectra_plot
from stellarcr.plots.spectra import PULL_LIMIT, flux_label
from stellarcr.species import dominant_isotope

SPECIES = {"H": 1e4, "He": 2.5e3, "C": 80.0, "O": 85.0, "Ne": 14.0, "Mg": 17.0, "Si": 15.0, "S": 3.0, "Fe": 13.0}
EXPERIMENTS = {"AMS-02": (20, 2e3, 40), "DAMPE": (50, 1e5, 15), "NUCLEON": (1e3, 1e5, 8), "LHAASO": (1e5, 1e7, 12)}


def make_panel(species, seed=0):
    """A panel with four populations, bands, and points that scatter around the total."""
    rng = np.random.default_rng(seed)
    x = np.geomspace(10.0, 2e7, 120)

    def curves(x):
        level = SPECIES[species] * x**-2.7
        return {
            "snr": level * (x / 20) ** -0.12 * np.exp(-x / 1e5),
            "o_wind": 0.05 * level * (x / 1e3) ** 0.4 * np.exp(-x / 6e4),
            "wr_wind": 0.05 * level * (x / 1e3) ** 0.5 * np.exp(-x / 2e5),
            "msc": 0.1 * level * (x / 1e3) ** 0.3 * np.exp(-x / 5e6),
        }

    def band(name, values):
        return Band.from_samples(values * np.exp(0.1 * rng.normal(size=(200, 1))))

    components = curves(x)
    data = []
    for name, (low, high, n) in EXPERIMENTS.items():
        edges = np.geomspace(low, high, n + 1)
        at = np.sqrt(edges[1:] * edges[:-1])
        total = sum(curves(at).values())
        pull = rng.normal(size=n)
        error = 0.05 * total
        limits = np.zeros(n, bool)
        limits[-1] = name == "NUCLEON"
        data.append(
            DataSeries(
                name,
                at,
                total + pull * error,
                error,
                error,
                0.5 * error,
                0.5 * error,
                edges[:-1],
                edges[1:],
                pull,
                limits,
            )
        )
    return SpectrumPanel(
        species, x, {k: band(k, v) for k, v in components.items()}, band("total", sum(components.values())), data
    )


@pytest.mark.parametrize("n", [1, 2, 4, 9])
def test_no_text_overlaps(look, n):
    figure = spectra_plot([make_panel(species, seed) for seed, species in enumerate(SPECIES)][:n])
    assert len(figure.axes) == 2 * n
    assert look.faults(figure) == []


def test_written_as_pdf_and_png(look, tmp_path):
    pdf, png = save(spectra_plot([make_panel("H"), make_panel("Fe")]), tmp_path / "deep" / "spectra.v1")
    assert (pdf.name, png.name) == ("spectra.v1.pdf", "spectra.v1.png")
    assert pdf.read_bytes().startswith(b"%PDF")
    assert b"/Type3" not in pdf.read_bytes()
    assert 0.03 < look.ink(png) < 0.5


def test_unknown_format_is_refused(tmp_path):
    with pytest.raises(ParameterError, match="'docx'"):
        save(spectra_plot(make_panel("H")), tmp_path / "x", formats=("docx",))
    assert list(tmp_path.iterdir()) == []


def test_labels_say_axis_scale_and_unit():
    main, lower = spectra_plot(make_panel("H")).axes
    assert main.get_ylabel() == r"$R^{2.7}\,J$ [GV$^{1.7}$ m$^{-2}$ s$^{-1}$ sr$^{-1}$]"
    assert lower.get_xlabel() == "Rigidity $R$ [GV]"
    assert lower.get_ylabel() == r"Pull [$\sigma$]"
    assert flux_label("ETOT", 2.6).endswith(r"[GeV$^{1.6}$ m$^{-2}$ s$^{-1}$ sr$^{-1}$]")
    assert flux_label("R", 0.0) == "$J$ [GV$^{-1}$ m$^{-2}$ s$^{-1}$ sr$^{-1}$]"
    assert flux_label("R", 1.0) == r"$R^{1}\,J$ [m$^{-2}$ s$^{-1}$ sr$^{-1}$]"
    assert flux_label("EKN", 2.0).endswith("[(GeV/n) m$^{-2}$ s$^{-1}$ sr$^{-1}$]")


def test_legend_names_what_is_drawn():
    figure = spectra_plot([make_panel("H")])
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [
        "SNR", "O-type winds", "WR winds", "Massive star clusters", "Total", "68% of the posterior", *EXPERIMENTS,
    ]  # fmt: skip


def test_fluxes_are_scaled():
    panel = make_panel("He")
    main = spectra_plot(panel, scale=2.5).axes[0]
    total = next(line for line in main.lines if line.get_color() == "#000000")
    np.testing.assert_allclose(total.get_ydata(), panel.total.median * panel.x**2.5)
    points = next(c for c in main.containers if c.lines[0] is not None and c.lines[0].get_marker() == "o")
    np.testing.assert_allclose(points.lines[0].get_ydata(), panel.data[0].value * panel.data[0].x ** 2.5)


def test_all_data_are_inside_the_axes():
    panel = make_panel("O")
    main = spectra_plot(panel).axes[0]
    (x_low, x_high), (y_low, y_high) = main.get_xlim(), main.get_ylim()
    for series in panel.data:
        scaled = series.value * series.x**2.7
        assert np.all((series.x > x_low) & (series.x < x_high))
        assert np.all((scaled > y_low) & (scaled < y_high))


def test_large_pulls_are_arrows_at_the_edge_and_limits_have_none():
    panel = make_panel("H")
    wild = replace(panel.data[2], pull=np.array([0.5, 9.0, -7.0, 1.0, 0.0, 0.2, -0.4, 30.0]))
    lower = spectra_plot(replace(panel, data=(wild,))).axes[1]
    shown = {line.get_marker(): line for line in lower.lines if line.get_label() != f"beyond {PULL_LIMIT:g}"}
    # The last point is an upper limit: the likelihood treats it apart, it has no pull.
    assert len(shown["^"].get_xdata()) == 5
    arrows = {line.get_marker(): line.get_xdata() for line in lower.lines if line.get_label().startswith("beyond")}
    np.testing.assert_allclose(arrows["^"], wild.x[1])
    np.testing.assert_allclose(arrows["v"], wild.x[2])


def test_curves_alone_and_pulls_left_out():
    panel = replace(make_panel("H"), data=())
    assert len(spectra_plot(panel).axes) == 1
    assert len(spectra_plot(make_panel("H"), pulls=False).axes) == 1


def test_a_user_s_population_and_experiment_have_a_look(look):
    panel = make_panel("H")
    other = replace(panel, components={**panel.components, "my_pulsars": panel.components["msc"]})
    other = replace(other, data=(*panel.data, replace(panel.data[0], experiment="CALET")))
    figure = spectra_plot(other)
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert {"my pulsars", "CALET"} <= set(labels)
    colors = [line.get_color() for line in figure.axes[0].lines if line.get_linestyle() != "None"]
    assert len(colors) == len(set(colors)) == 6
    assert look.faults(figure) == []


@pytest.mark.parametrize(("from_axis", "species"), [("EK", "He"), ("EKN", "Fe"), ("ETOT", "H")])
def test_conversion_conserves_particles(from_axis, species):
    """The number of particles between two energies is the same on every axis: integrals over bins agree."""
    isotope = dominant_isotope(species)
    x = np.geomspace(2.0 * isotope.mass, 1e4, 4001)
    flux = x**-2.7
    moved = place_on_axis(DataSeries("T", x, flux, flux, flux, x_low=x, x_high=2 * x), species, from_axis, "R")
    before, after = np.trapezoid(flux * x, np.log(x)), np.trapezoid(moved.value * moved.x, np.log(moved.x))
    assert after == pytest.approx(before, rel=1e-5)
    back = place_on_axis(moved, species, "R", from_axis)
    np.testing.assert_allclose(back.x, x, rtol=1e-10)
    np.testing.assert_allclose(back.value, flux, rtol=1e-9)
    np.testing.assert_allclose(back.x_high, 2 * x, rtol=1e-10)


def test_conversion_at_high_energy_is_a_factor_of_the_charge():
    """R = E / Z where the mass does not matter, so J_R = Z J_E."""
    x = np.array([1e6, 1e7])
    moved = place_on_axis(DataSeries("T", x, x**-2.7, x**-2.7, x**-2.7), "O", "EK", "R")
    np.testing.assert_allclose(moved.x, x / 8, rtol=1e-4)
    np.testing.assert_allclose(moved.value, 8 * x**-2.7, rtol=1e-4)


def test_unknown_edges_stay_unknown():
    x = np.array([100.0, 200.0])
    series = DataSeries("T", x, x, x, x, x_low=np.array([np.nan, 190.0]), x_high=np.array([np.nan, 210.0]))
    moved = place_on_axis(series, "He", "EK", "R")
    assert np.isnan(moved.x_low[0])
    assert moved.x_low[1] < moved.x[1] < moved.x_high[1]


def test_sums_cannot_be_moved():
    x = np.array([1e5])
    series = DataSeries("LHAASO", x, x, x, x)
    assert place_on_axis(series, "p+He", "ETOT", "ETOT") is series
    with pytest.raises(ParameterError, match=r"p\+He"):
        place_on_axis(series, "p+He", "ETOT", "R")


def test_wrong_shapes_and_axes_are_refused():
    x = np.ones(3)
    with pytest.raises(DataError, match="pull has shape"):
        DataSeries("T", x, x, x, x, pull=np.ones(2))
    with pytest.raises(DataError, match="curve 'snr'"):
        SpectrumPanel("H", x, {"snr": Band(np.ones(2))})
    with pytest.raises(ParameterError, match="unknown axis 'RIG'"):
        SpectrumPanel("H", x, axis="RIG")
    with pytest.raises(ParameterError, match="cannot share"):
        spectra_plot([SpectrumPanel("H", x), SpectrumPanel("He", x, axis="EK")])
    with pytest.raises(ParameterError, match="no panel"):
        spectra_plot([])
