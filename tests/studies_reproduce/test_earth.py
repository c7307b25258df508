"""Figures 8 to 10: whether rows, verdicts and pictures agree with each other."""

import json

import numpy as np
import pytest
from matplotlib.colors import to_hex

from stellarcr.data.galaxy_presets import galaxy_presets
from stellarcr.plots.earth import TYPE_IA_LINES
from stellarcr.plots.style import POPULATIONS
from stellarcr.studies.reproduce import earth, earth_fit, earth_type_ia
from stellarcr.studies.reproduce.earth import fig8, fig9, is_near
from stellarcr.studies.reproduce.earth_slopes import Hardening
from stellarcr.studies.reproduce.earth_type_ia import fig10
from stellarcr.studies.reproduce.items import Settings
from stellarcr.studies.reproduce.printing import row_object


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    """Yield settings whose Galaxy is a slab without fragments, which is quick."""
    text = galaxy_presets()["plain-diffusion"].read_text()
    changes = {
        'geometry = "cylinder"': 'geometry = "slab"',
        'production = "evoli2019"': 'production = "none"',
        "delta = 0.45": "delta = 0.5",  # with these the data want all four populations
        "delta_h = 0.25": "delta_h = 0.2",
    }
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    path = tmp_path_factory.mktemp("preset") / "quick.toml"
    path.write_text(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(earth_fit, "PRESET", str(path))
        found = Settings()
        for type_ia in (False, True):
            # without a network both forms are one
            fit = earth_fit.earth_fit(found, True, type_ia)
            found.shared[f"earth fit, fragments False, Type Ia {type_ia}"] = fit
        yield found


def numbers(result):
    found = {row.quantity: row.ours for row in result.rows}
    assert len(found) == len(result.rows), "two rows have one name"
    json.dumps([row_object(row) for row in result.rows], allow_nan=False)
    return found


def lines_of(axes):
    """Curves of a panel by colour."""
    return {to_hex(line.get_color()).upper(): line for line in axes.get_lines() if len(line.get_xdata()) > 100}


def test_fig8_numbers_and_picture(settings):
    result = fig8(settings)
    found = numbers(result)
    for element, paper in earth.PAPER_HARDENING.items():
        place = found[f"{element}: hardens at"]
        assert found[f"{element}: rise of the slope begins at"] < place < found[f"{element}: rise of the slope ends at"]
        assert found[f"{element}: slope before"] < found[f"{element}: slope after"]
        verdict = found[f"{element}: verdict, hardens near {paper / 1e6:g} PV"]
        assert verdict == ("yes" if paper / 2 <= place <= 2 * paper else "no")
    fit = earth_fit.earth_fit(settings)
    assert found["chi2"] == pytest.approx(sum(v for k, v in found.items() if k.endswith(" (fragments)")))
    assert found["power of SNR over its mechanical power"] == found["power of SNR above 1 GV"] / 1e49
    figure = result.draw()
    assert len(figure.axes) == 4
    for axes, element in zip(figure.axes, earth.FIGURE_8, strict=True):
        drawn = lines_of(axes)
        assert {POPULATIONS[name].color for name in (*earth_fit.SOURCES, "total")} - {"#000000"} <= set(drawn)
        for name in ("o_wind", "wr_wind"):
            assert drawn[POPULATIONS[name].color].get_linestyle() == "--"
        assert drawn["#000000"].get_linestyle() == "-"
        total = drawn["#000000"]
        phi = fit.values["ams02.phi"]
        flux = fit.posterior.model.flux(fit.parameters, element, total.get_xdata(), "R", phi)["total"]
        np.testing.assert_allclose(total.get_ydata(), np.ravel(flux) * total.get_xdata() ** 2.7, rtol=1e-6)
        marked = [text for text in axes.texts if text.get_text().endswith("PV")]
        assert [float(text.get_text().split()[0]) for text in marked] == pytest.approx(
            [found[f"{element}: hardens at"] / 1e6], rel=0.05
        )
    labels = {text.get_text() for text in figure.legends[0].get_texts()}
    assert {"AMS-02", "NUCLEON", "DAMPE", "LHAASO", "SNR", "O-type winds", "WR winds", "Total"} <= labels


def test_fig9_rises_are_differences_of_slopes(settings):
    result = fig9(settings)
    found = numbers(result)
    fit = earth_fit.earth_fit(settings)
    least = found["least rise of the slope from 100 GV to 10 TV of an element that hardens"]
    assert least == pytest.approx(0.15)
    for element in earth.FIGURE_9:
        rise = found[f"{element}: rise of the slope from 100 GV to 10 TV"]
        assert found[f"{element}: verdict, hardens above 100 GV"] == ("yes" if rise >= least else "no")
        multi = found[f"{element}: rise of the slope from 1 to 10 TV"]
        expected = "straight" if abs(multi) < 0.02 else "yes" if multi > 0 else "no"
        assert found[f"{element}: verdict, hardens in the multi-TV range"] == expected
        fluxes = fit.flux(element, np.array([98.0, 102.0, 9.8e3, 1.02e4]))["total"]
        slopes = np.log(fluxes[1::2] / fluxes[::2]) / np.log(102.0 / 98.0)
        assert rise == pytest.approx(slopes[1] - slopes[0], abs=0.01)
    figure = result.draw()
    assert [axes.texts[0].get_text() for axes in figure.axes] == list(earth.FIGURE_9)


def test_fig10_sum_is_that_of_its_parts(settings):
    result = fig10(settings)
    found = numbers(result)
    both = earth_type_ia.added(settings)
    without = earth_fit.earth_fit(settings)
    rigidity = np.array([1e3, 1e4])
    for element in (*earth_type_ia.HARDENED, *earth_type_ia.UNCHANGED):
        fluxes = both.flux(element, rigidity)
        np.testing.assert_allclose(fluxes["total"] - fluxes["ia"], without.flux(element, rigidity)["total"], rtol=1e-9)
        shares = [found[f"{element}: part of Type Ia at {at} TV"] for at in (1, 10)]
        np.testing.assert_allclose(shares, fluxes["ia"] / fluxes["total"], rtol=0.01)
        before, after = (found[f"{element}: rise of the slope near 1 TV {w} Type Ia"] for w in ("without", "with"))
        verdict = found[f"{element}: verdict, Type Ia hardens it near 1 TV"]
        assert verdict == ("yes" if after - before >= earth_type_ia.LEAST_CHANGE else "no")
    assert found["chi2 with Type Ia, same powers"] >= found["powers fitted with Type Ia: chi2"] - 1.0
    figure = result.draw()
    assert len(figure.axes) == 4
    for axes in figure.axes:
        drawn = lines_of(axes)
        parts, total = (drawn[TYPE_IA_LINES[name].color] for name in ("without", "ia")), drawn["#000000"]
        np.testing.assert_allclose(sum(line.get_ydata() for line in parts), total.get_ydata(), rtol=1e-9)


def test_the_energy_of_the_remnant_is_the_printed_one(settings):
    both = earth_type_ia.added(settings)
    assert both.posterior.model.injected_power("ia", both.parameters) == pytest.approx(5.5e50, rel=1e-3)
    assert both.posterior.model.local_values(both.parameters)["ia"] | {"energy": 0.0} == {
        "energy": 0.0, "gamma": -2.0, "R_max": 5e4, "age": 5e4, "distance": 1.0
    }  # fmt: skip


@pytest.mark.parametrize(
    ("rigidity", "verdict"),
    [(2e5, "yes"), (1.01e5, "yes"), (3.99e5, "yes"), (0.99e5, "no"), (4.1e5, "no"), (None, "no")],
)
def test_what_is_near(rigidity, verdict):
    found = None if rigidity is None else Hardening(rigidity, 1e5, 1e6, -3.0, -2.5, None)
    assert is_near(found, 2e5) == verdict
