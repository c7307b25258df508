"""Loading one spectrum: what it holds, that it cannot change, how it prints."""

import dataclasses
import pickle

import numpy as np
import pytest
from astropy import units as u
from astropy.table import Table

import stellarcr
from stellarcr.data import load_spectrum, load_table
from stellarcr.data.content import content_path
from stellarcr.errors import DataError
from stellarcr.species import dominant_isotope

REFERENCE_FIT = {
    ("AMS-02", None): ("H", "He", "C", "O", "Ne", "Mg", "Si", "S", "Fe"),
    ("DAMPE", None): ("H", "He", "C", "O", "Fe"),
    ("NUCLEON", None): ("H", "He", "C", "O", "Ne", "Mg", "Si", "Fe"),
    ("LHAASO", "EPOS-LHC"): ("H", "He"),
}


def rigidity(spectrum):
    """Rigidity [GV] of the representative points, for the dominant isotope."""
    nuclide = dominant_isotope(spectrum.species)
    x = spectrum.x.value
    momentum = {
        "R": lambda: x * nuclide.charge,
        "EK": lambda: np.sqrt(x * (x + 2.0 * nuclide.mass)),
        "ETOT": lambda: np.sqrt(x**2 - nuclide.mass**2),
    }[spectrum.axis]()
    return momentum / nuclide.charge


def test_reference_fit_has_487_points_above_20_gv():
    count = sum(
        np.count_nonzero(rigidity(load_spectrum(experiment, element, model)) > 20.0)
        for (experiment, model), elements in REFERENCE_FIT.items()
        for element in elements
    )
    assert count == 487


def test_ams_helium():
    spectrum = load_spectrum("AMS-02", "He")
    assert (spectrum.experiment, spectrum.species, spectrum.quantity, spectrum.axis) == ("AMS-02", "He", "flux", "R")
    assert spectrum.hadronic_model is None
    assert len(spectrum) == 68
    assert spectrum.has_edges
    assert spectrum.x.unit == u.GV
    assert spectrum.value.unit == u.Unit("1 / (m2 s sr GV)")
    assert spectrum.x_low[0] == 1.92 * u.GV
    assert spectrum.x_high[-1] == 3000 * u.GV
    assert list(spectrum.systematics) == ["total"]
    assert spectrum.reference.text == "AMS Collab., Phys. Rep. 894, 1 (2021)"
    assert spectrum.metadata["data_period"] == "2011/05-2018/05"


def test_top_level_export():
    assert stellarcr.load_spectrum is load_spectrum


def test_ams_protons_at_10_gv():
    spectrum = load_spectrum("AMS-02", "H")
    flux = np.interp(10.0, spectrum.x.value, spectrum.value.value)
    assert flux == pytest.approx(24.6, rel=0.02)


@pytest.mark.parametrize(
    ("experiment", "species", "axis", "unit"),
    [
        ("DAMPE", "H", "EK", "GeV"),
        ("DAMPE", "B", "EKN", "GeV"),
        ("NUCLEON", "H", "ETOT", "GeV"),
        ("DAMPE", "p+He", "ETOT", "GeV"),
    ],
)
def test_axes_and_units(experiment, species, axis, unit):
    spectrum = load_spectrum(experiment, species)
    assert spectrum.axis == axis
    assert spectrum.x.unit == u.Unit(unit)
    assert spectrum.value.unit == u.Unit(f"1 / (m2 s sr {unit})")


def test_lhaaso_mean_logarithmic_mass():
    spectrum = load_spectrum("LHAASO", "lnA", "EPOS-LHC")
    assert (spectrum.species, spectrum.quantity) == ("all", "lnA")
    assert spectrum.value.unit == u.dimensionless_unscaled
    assert spectrum.value[0] == 1.7562


@pytest.mark.parametrize("model", ["EPOS-LHC", "QGSJET-II-04", "SIBYLL-2.3d"])
def test_lhaaso_helium_is_light_minus_protons(model):
    h, he, light = (load_spectrum("LHAASO", species, model) for species in ("H", "He", "p+He"))
    assert np.array_equal(h.x_low, light.x_low)
    # Three or four printed digits of the sum: half a unit of the last one.
    assert np.all(np.abs(light.value - h.value - he.value) <= 5e-4 * light.value)
    # The statistical error of He is the quadrature sum of the other two, printed with one to three digits.
    expected = np.hypot(h.stat_low, light.stat_low)
    assert np.all(np.abs(he.stat_low / expected - 1.0) < 0.15)


def test_dampe_components_add_up_in_quadrature():
    spectrum = load_spectrum("DAMPE", "H")
    assert list(spectrum.systematics) == ["analysis", "hadronic"]
    # First row of the published table: stat 0.0005, analysis 0.012, hadronic 0.007.
    low, high = spectrum.total_error()
    assert low[0].value == pytest.approx((0.0005**2 + 0.012**2 + 0.007**2) ** 0.5, rel=1e-12)
    assert high[0] == low[0]


def test_total_error_is_asymmetric(table, write):
    low, high = load_table(write(table)).total_error()
    assert low[0].value == pytest.approx(1.3)  # 0.3, 0.4, 1.2
    assert high[0].value == pytest.approx(np.sqrt(0.56))  # 0.6, 0.4, 0.2
    assert low.unit == u.Unit("1 / (m2 s sr GV)")


def test_nucleon_has_no_edges():
    spectrum = load_spectrum("NUCLEON", "H")
    assert not spectrum.has_edges
    assert np.all(np.isnan(spectrum.x_low))


def test_errors_printed_as_zero_are_kept_and_flagged():
    spectrum = load_spectrum("AMS-02", "H")
    zero = spectrum.stat_low.value == 0.0
    assert np.count_nonzero(zero) == 13
    assert [flag == "statistical error printed as 0" for flag in spectrum.flags] == zero.tolist()
    assert np.all(spectrum.total_error()[0] > 0.0)


def test_odd_errors_of_dampe_are_flagged():
    flagged = {s: [x for x in load_spectrum("DAMPE", s).flags if x] for s in ("H", "He", "C", "O", "Fe", "p+He", "B")}
    assert {species: len(flags) for species, flags in flagged.items()} == {
        "H": 0, "He": 1, "C": 1, "O": 1, "Fe": 0, "p+He": 1, "B": 0,
    }  # fmt: skip
    assert load_spectrum("DAMPE", "O").stat_low[-1].value == 2.48e-13


def test_units_of_a_user_table_are_converted(table, write):
    expected = load_table(write(table))
    for name in ("x_low", "x_high"):
        table[name] = (table[name].quantity).to(u.TV)
    table["stat_low"] = table["stat_low"].quantity.to("1 / (cm2 s sr GV)")
    converted = load_table(write(table))
    assert converted.x_low.unit == u.GV
    np.testing.assert_allclose(converted.x_low.value, expected.x_low.value, rtol=1e-14)
    np.testing.assert_allclose(converted.stat_low.value, expected.stat_low.value, rtol=1e-14)


def test_astropy_reads_the_same_numbers():
    spectrum = load_spectrum("DAMPE", "Fe")
    table = Table.read(content_path("datasets", "spectra", "DAMPE", "DAMPE_Fe.ecsv"))
    assert np.array_equal(table["value"].quantity, spectrum.value)
    assert np.array_equal(table["systematic_hadronic_low"].quantity, spectrum.systematics["hadronic"][0])


def test_select():
    spectrum = load_spectrum("DAMPE", "O")
    chosen = spectrum.select(spectrum.x > 1 * u.TeV)
    assert 0 < len(chosen) < len(spectrum)
    assert np.all(chosen.x > 1 * u.TeV)
    assert chosen.systematics["hadronic"][0].shape == (len(chosen),)
    assert len(chosen.flags) == len(chosen)
    assert chosen.flags[-1] == spectrum.flags[-1] != ""
    assert chosen.sha256 == spectrum.sha256
    assert not chosen.value.flags.writeable


@pytest.mark.parametrize("mask", [np.ones(3, bool), np.arange(25), [True]])
def test_select_refuses_what_is_no_mask(mask):
    with pytest.raises(DataError, match=r"boolean array of shape \(25,\)"):
        load_spectrum("DAMPE", "O").select(mask)


def test_nothing_can_be_written():
    spectrum = load_spectrum("DAMPE", "H")
    with pytest.raises(dataclasses.FrozenInstanceError):
        spectrum.name = "mine"
    arrays = [spectrum.x, spectrum.value, spectrum.stat_high, *spectrum.systematics["analysis"], spectrum.upper_limit]
    for array in arrays:
        with pytest.raises(ValueError, match="read-only"):
            array[0] = array[1]
    for mapping in (spectrum.systematics, spectrum.metadata, spectrum.metadata["reference"]):
        with pytest.raises(TypeError):
            mapping["new"] = 1


def test_pickle_keeps_everything():
    spectrum = load_spectrum("AMS-02", "H")
    copy = pickle.loads(pickle.dumps(spectrum))
    assert str(copy) == str(spectrum)
    assert np.array_equal(copy.value, spectrum.value)
    assert copy.metadata == spectrum.metadata
    assert copy.reference == spectrum.reference
    assert not copy.value.flags.writeable


def test_printing_is_short_and_complete():
    text = str(load_spectrum("DAMPE", "O"))
    lines = text.splitlines()
    assert len(lines) < 20
    assert max(map(len, lines)) <= 110
    assert lines[0] == "DAMPE O: flux against kinetic energy per nucleus [GeV], 25 points"
    assert "Nature 653, 52 (2026), Table S4, arXiv:2511.05409, doi:10.1038/s41586-026-10472-0" in text
    assert "1 / (m2 s sr GeV)" in text
    assert "sys analysis" in text
    assert "..." in text
    assert "one transcription has 0.248e-13" in text
    # The first row as published: bin 120-160 GeV, flux 3.47e-3, stat 5e-6, both systematic errors 1.4e-4.
    first = next(line for line in lines if line.split()[0] == "120")
    assert first.split() == ["120", "160", "138.23", "0.00347", "5e-06", "0.00014", "0.00014"]


def test_printing_shows_asymmetric_errors_and_limits(table, write):
    table["upper_limit"] = [False, False, True]
    text = str(load_table(write(table)))
    assert "-0.3+0.6" in text
    assert "<0.08" in text
    assert "1 upper limit" in text
    assert "! at x = 28: look twice" in text


def test_printing_of_energy_per_nucleon_and_of_plain_numbers():
    assert "per nucleon" in str(load_spectrum("DAMPE", "B")).splitlines()[2]
    assert "plain numbers" in str(load_spectrum("LHAASO", "lnA", "EPOS-LHC"))
    assert "x_low" not in str(load_spectrum("NUCLEON", "Fe"))


def test_repr_is_one_line():
    assert repr(load_spectrum("LHAASO", "He", "EPOS-LHC")) == (
        "<Spectrum LHAASO He (EPOS-LHC): flux on ETOT, 19 points>"
    )
