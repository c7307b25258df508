"""Labels that users write: in legends, and where they cannot be typeset."""

import numpy as np
import pytest

from stellarcr.plots import Band, SpectrumPanel, corner_plot, spectra_plot
from stellarcr.plots.labels import population_label, readable_label
from stellarcr.plots.powers_data import population_powers
from stellarcr.plots.spectra_overlay import overlay_spectra_plot

BROKEN = r"P_{\rm"
X = np.geomspace(10.0, 1e4, 30)


def panel(label):
    flux = 1e4 * X**-2.7
    shares = {"snr": Band(0.7 * flux, label=r"{\rm ignored}"), "my_winds": Band(0.3 * flux, label=label)}
    return SpectrumPanel("H", X, shares, Band(flux))


@pytest.mark.parametrize(
    ("label", "shown"), [(r"{\rm PSR}", r"${\rm PSR}$"), ("", "my winds"), (BROKEN, "my winds"), ("$P$", "my winds")]
)
def test_a_legend_has_the_label_of_a_users_population(label, shown, look):
    for figure in (spectra_plot(panel(label)), overlay_spectra_plot({"one": [panel(label)]}, populations=True)):
        (legend,) = figure.legends
        texts = [text.get_text() for text in legend.get_texts()]
        assert shown in texts
        assert "SNR" in texts
        assert not look.faults(figure)


def test_shipped_populations_keep_their_names():
    assert population_label("o_wind", r"{\rm O}") == "O-type winds"


def test_powers_have_the_label_of_the_record(make):
    run = make(3)
    run.manifest["populations"] = {
        "snr": {"label": r"{\rm my\ stars}", "amplitude": "snr.power", "unit": "erg/yr", "budget": None}
    }
    assert [power.label for power in population_powers(run)] == ["SNR"]
    run.manifest["populations"]["mine"] = {**run.manifest["populations"].pop("snr")}
    assert [power.label for power in population_powers(run)] == [r"${\rm my\ stars}$"]


def test_a_broken_label_does_not_break_a_corner_plot(make, look):
    run = make(2)
    figure = corner_plot(type(run)(run.name, run.names, (BROKEN, run.labels[1]), run.units, run.samples, run.summary))
    assert not look.faults(figure)
    assert readable_label(BROKEN, run.names[0]) == r"\mathrm{snr{.}log10\_power}"
