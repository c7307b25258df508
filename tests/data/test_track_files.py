"""The readers of track files: what they understand, and what they refuse with which words."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from stellarcr.data.track_files import read_genec_track, read_mist_track
from stellarcr.errors import DataError

_spec = importlib.util.spec_from_file_location("track_samples", Path(__file__).with_name("track_samples.py"))
samples = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(samples)


def test_mist(tmp_path):
    track = read_mist_track(samples.write_mist(tmp_path / "06000M.track.eep"))
    assert track.initial_mass == 60.0
    assert track.source == "06000M.track.eep"
    assert not track.filled
    np.testing.assert_array_equal(track.age, [1.0e4, 4.0e6, 4.1e6, 4.2e6])
    np.testing.assert_array_equal(track.mass_loss_rate, [1e-6, 1e-5, 5e-5, 4e-5])  # negative in the file
    np.testing.assert_allclose(track.radius, 10.0**1.1)
    np.testing.assert_array_equal(track.point, [1, 2, 3, 4])
    assert track.primary_points == (1, 2, 3, 4)
    np.testing.assert_array_equal(track.surface_fraction("C12"), [0.0, 0.0, 0.0, 0.366])
    assert track.log_temperature_wind is None


def test_mist_neon_22_is_what_the_other_nuclides_lack(tmp_path):
    # 0.70 + 0.28 + 0.018 at first; 0.60 + 0.366 + 0.018 at the end
    track = read_mist_track(samples.write_mist(tmp_path / "06000M.track.eep"))
    np.testing.assert_allclose(track.surface_fraction("Ne22"), [0.0, 0.0, 0.0, 0.998 - 0.984], atol=1e-15)
    np.testing.assert_allclose(track.surface.sum(axis=-1), 0.998)


def test_mist_filled_by_its_authors(tmp_path):
    assert read_mist_track(samples.write_mist(tmp_path / "06000M.track.eep_INTERP")).filled


def test_genec(tmp_path):
    path = samples.write_genec(tmp_path)
    track = read_genec_track(path)
    assert track.initial_mass == 60.0
    assert len(track) == 399  # rows 100 and 101 have one age
    assert np.all(np.diff(track.age) > 0.0)
    assert 101 not in track.point
    assert {100, 102} < set(track.point)
    np.testing.assert_allclose(track.mass_loss_rate, 1e-7)
    np.testing.assert_array_equal(track.log_temperature, 4.6)  # the second of the two columns
    np.testing.assert_array_equal(track.log_temperature_wind, 4.65)
    np.testing.assert_array_equal(track.surface_fraction("Ne22"), 1.5e-4)
    np.testing.assert_array_equal(track.surface_fraction("Fe56"), 0.0)


def test_genec_radius_follows_from_the_hydrostatic_temperature(tmp_path):
    # Stefan and Boltzmann with the nominal Sun, in SI
    luminosity, temperature = 10.0**5.7 * 3.828e26, 10.0**4.6
    expected = np.sqrt(luminosity / (4.0 * np.pi * 5.670374419e-8 * temperature**4)) / 6.957e8
    np.testing.assert_allclose(read_genec_track(samples.write_genec(tmp_path)).radius, expected, rtol=2e-6)


def test_fortran_exponent_without_e_in_a_used_column(tmp_path):
    rows = samples.genec_rows()
    rows[3][15] = "2.83-289"
    track = read_genec_track(samples.write_genec(tmp_path, rows=rows))
    assert track.surface_fraction("Al26")[3] == 2.83e-289


def test_records_cannot_be_written_to(tmp_path):
    track = read_genec_track(samples.write_genec(tmp_path))
    with pytest.raises(ValueError, match="read-only"):
        track.age[0] = 1.0


def test_a_line_can_be_left_out(tmp_path):
    rows = samples.genec_rows()
    rows[199][1] = "1.5E+06"
    path = samples.write_genec(tmp_path, rows=rows)
    with pytest.raises(DataError, match=r"--drop-line M060p00Z14V40\.dat:203"):
        read_genec_track(path)
    assert len(read_genec_track(path, drop_lines=[203])) == 398


def _mist(tmp_path, change=None, **options):
    rows = samples.mist_rows()
    if change:
        row, column, value = change
        rows[row][column] = value
    return lambda: read_mist_track(samples.write_mist(tmp_path / "06000M.track.eep", rows=rows, **options))


def _genec(tmp_path, change=None, **options):
    rows = samples.genec_rows()
    if change:
        row, column, value = change
        rows[row][samples.GENEC_COLUMNS.index(column)] = value
    return lambda: read_genec_track(samples.write_genec(tmp_path, rows=options.pop("rows", rows), **options))


def _without(columns, name):
    return tuple(column for column in columns if column != name)


def _edited(tmp_path, edit):
    path = samples.write_mist(tmp_path / "06000M.track.eep")
    path.write_text(edit(path.read_text()))
    return lambda: read_mist_track(path)


def _bytes(tmp_path):
    path = tmp_path / "06000M.track.eep"
    path.write_bytes(b"# MIST\n\xff\xfe")
    return lambda: read_mist_track(path)


def _short(text):
    return "\n".join(text.splitlines()[:-1]) + "\n"


BAD = {
    "MIST column missing": (lambda p: _mist(p, columns=_without(samples.MIST_COLUMNS, "star_mdot")),
                            ["missing column 'star_mdot'", "line 12", "06000M.track.eep"]),
    "MIST misspelt column": (lambda p: _edited(p, lambda t: t.replace("log_Teff", "log_Tef")),
                             ["missing column 'log_Teff'", "did you mean 'log_Tef'"]),
    "MIST cut in a row": (lambda p: _edited(p, lambda t: t[:-200]), ["columns instead of 29", "line 16", "truncated"]),
    "MIST cut between rows": (lambda p: _edited(p, _short), ["3 rows instead of 4", "truncated", "line 15"]),
    "MIST too many rows": (lambda p: _mist(p, N_pts=3), ["4 rows instead of 3", "damaged"]),
    "MIST other number of columns": (lambda p: _mist(p, N_col=77), ["29 column names, N_col is 77", "line 12"]),
    "MIST age back": (lambda p: _mist(p, (2, "star_age", 3.9e6)),
                      ["the age goes back, from 4000000 to 3900000 yr", "line 15, column 'star_age'"]),
    "MIST negative age": (lambda p: _mist(p, (0, "star_age", -1.0)), ["not positive", "line 13, column 'star_age'"]),
    "MIST not a number": (lambda p: _mist(p, (1, "log_L", "5.7x")),
                          ["'5.7x' is not a finite number", "line 14, column 'log_L'"]),
    "MIST NaN": (lambda p: _mist(p, (1, "log_L", "NaN")), ["nan is not a finite number", "line 14, column 'log_L'"]),
    "MIST gain": (lambda p: _mist(p, (1, "star_mdot", 1e-5)), ["1e-05 is outside", "line 14, column 'star_mdot'"]),
    "MIST fraction": (lambda p: _mist(p, (3, "surface_c12", 1.2)), ["1.2 is outside 0 to 1", "'surface_c12'"]),
    "MIST sum": (lambda p: _mist(p, (1, "surface_o16", 0.5)), ["add up to 1.498", "line 14"]),
    "MIST mass grows": (lambda p: _mist(p, (2, "star_mass", 50.0)), ["grows to 50 Msun", "line 15"]),
    "MIST mass too large": (lambda p: _mist(p, (0, "star_mass", 61.0)), ["61 is outside 0 to 60", "line 13"]),
    "MIST other header": (lambda p: _edited(p, lambda t: "x" + t), ["not the header of a MIST track", "line 1"]),
    "MIST no mass": (lambda p: _edited(p, lambda t: t.replace("initial_mass", "mass")),
                     ["the header gives no 'initial_mass'", "line 8"]),
    "MIST points": (lambda p: _mist(p, N_EEP=8), ["8 primary points", "line 9"]),
    "MIST binary": (_bytes, ["not a text file", "line 2"]),
    "MIST empty": (lambda p: _edited(p, lambda t: ""), ["not the header of a MIST track"]),
    "MIST only a header": (lambda p: _edited(p, lambda t: "\n".join(t.splitlines()[:12])), ["0 rows instead of 4"]),
    "GENEC column missing": (lambda p: _genec(p, columns=["lg(mdot)" if c == "lg(Md)" else c
                                                          for c in samples.GENEC_COLUMNS]),
                             ["missing column 'lg(Md)'", "line 1", "M060p00Z14V40.dat"]),
    "GENEC one temperature": (lambda p: _genec(p, columns=[c if i != 17 else "x"
                                                           for i, c in enumerate(samples.GENEC_COLUMNS)]),
                              ["missing column 'lg(Teff), second'"]),
    "GENEC truncated": (lambda p: _genec(p, rows=samples.genec_rows()[:300]), ["300 rows instead of 400", "truncated"]),
    "GENEC age back": (lambda p: _genec(p, (200, "time", "1.0E+06")),
                       ["the age goes back, from 1990000 to 1000000 yr", "line 204, column 'time'"]),
    "GENEC not a number": (lambda p: _genec(p, (5, "lg(L)", "*****")), ["'*****'", "line 9, column 'lg(L)'"]),
    "GENEC half an exponent": (lambda p: _genec(p, (5, "lg(L)", "2.8-")), ["'2.8-'", "line 9, column 'lg(L)'"]),
    "GENEC header": (lambda p: _genec(p, first="row"), ["not the header of a GENEC/SYCLIST track", "line 1"]),
    "GENEC name": (lambda p: lambda: read_genec_track(samples.write_genec(p).rename(p / "M60.dat")),
                   ["'M60.dat' does not say the initial mass", "M060p00Z14V40.dat"]),
    "no file": (lambda p: lambda: read_mist_track(p / "none.track.eep"), ["cannot read", "none.track.eep"]),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_bad_input(case, tmp_path):
    make, words = BAD[case]
    read = make(tmp_path)
    with pytest.raises(DataError) as error:
        read()
    for word in words:
        assert word in str(error.value)
    assert error.value.remedy
