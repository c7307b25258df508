"""Every fault that a table can have: one test each, all of them naming file, place, value and remedy."""

import numpy as np
import pytest
from astropy.table import Column

from stellarcr.data import load_table, validate
from stellarcr.data.validation import faults
from stellarcr.errors import DataError


def put(name, row, value):
    """Spoil one cell."""

    def spoil(table):
        table[name][row] = value

    return spoil


def meta(**changes):
    """Spoil header keys; None removes one."""

    def spoil(table):
        for key, value in changes.items():
            if value is None:
                del table.meta[key]
            else:
                table.meta[key] = value

    return spoil


def remove(name):
    return lambda table: table.remove_column(name)


def unit(name, text):
    def spoil(table):
        table[name] = Column(np.array(table[name]), unit=text)

    return spoil


def both(*spoilers):
    def spoil(table):
        for one in spoilers:
            one(table)

    return spoil


def add_column(name):
    def spoil(table):
        table[name] = table["stat_low"]

    return spoil


FAULTS = {
    # header
    "no schema": (meta(schema=None), ["'schema'"]),
    "other schema": (meta(schema="stellarcr-spectrum/9"), ["'stellarcr-spectrum/9'", "'stellarcr-spectrum/1'"]),
    "no name": (meta(name=""), ["'name' is empty"]),
    "no experiment": (meta(experiment=""), ["'experiment' is empty"]),
    "unknown species": (meta(species="Hee"), ["species", "'Hee'", "did you mean"]),
    "unknown part of a sum": (meta(species="C+Q"), ["species", "'Q'"]),
    "unknown quantity": (meta(quantity="fluxx"), ["quantity 'fluxx'", "did you mean 'flux'"]),
    "unknown axis": (meta(axis="EKIN"), ["axis 'EKIN'", "EKN"]),
    "unknown status": (meta(status="obsolete"), ["status 'obsolete'", "superseded"]),
    "flux of a ratio's species": (meta(species="B/C"), ["'B/C'", "'flux'", "'ratio'"]),
    "ratio of one species": (meta(quantity="ratio"), ["'He'", "'ratio'", "B/C"]),
    "ratio of three species": (meta(species="B/C/O", quantity="ratio"), ["'B/C/O'", "one denominator"]),
    "ratio of an unknown species": (meta(species="B/Cc", quantity="ratio"), ["'Cc'"]),
    "unit of a flux on a ratio": (meta(species="B/C", quantity="ratio"), ["'value'", "ratio", "plain number"]),
    "overlap that is no truth value": (meta(bins_overlap="yes"), ["'bins_overlap'", "'yes'", "true"]),
    "group that is no truth value": (meta(mass_group="yes"), ["'mass_group'", "'yes'", "true"]),
    "no reference": (meta(reference=None), ["no reference", "'text'"]),
    "empty reference": (meta(reference={"text": " "}), ["no reference"]),
    "reference is no mapping": (meta(reference="A. Author"), ["no reference", "mapping"]),
    "arXiv number read as a number": (
        meta(reference={"text": "A. Author (2020)", "arxiv": 2001.0001}),
        ["'arxiv'", "2001.0001", "quotes"],
    ),
    "systematics are no mapping": (meta(systematics=["analysis"]), ["'systematics'", "mapping"]),
    # columns
    "missing column": (remove("stat_high"), ["'stat_high' is missing"]),
    "missing half of a systematic error": (
        remove("systematic_hadronic_high"),
        ["'systematic_hadronic_high' is missing", "both"],
    ),
    "systematic error without a description": (
        meta(systematics={"analysis": "of the analysis"}),
        ["'hadronic' is not described"],
    ),
    "described but absent systematic error": (
        meta(systematics={"analysis": "a", "hadronic": "h", "scale": "s"}),
        ["'systematic_scale_low' is missing"],
    ),
    "unknown column": (add_column("stat_hgih"), ["unknown column 'stat_hgih'", "did you mean 'stat_high'"]),
    # units
    "unit that astropy cannot parse": (unit("x", "Gflop"), ["'Gflop'", "'x'", "'GV'"]),
    "unit of another axis": (unit("x", "GeV"), ["'GeV'", "'x'", "axis R"]),
    "flux without a unit": (unit("value", None), ["none", "'value'", "m2 s sr GV"]),
    "error in another unit than a flux": (unit("stat_low", "GV"), ["'GV'", "'stat_low'"]),
    # rows
    "no rows": (lambda table: table.remove_rows([0, 1, 2]), ["no rows"]),
    "upper limits that are no booleans": (
        lambda table: table.replace_column("upper_limit", Column([0.0, 0.0, 1.0])),
        ["'upper_limit'", "bool"],
    ),
    "text instead of numbers": (
        lambda table: table.replace_column("x", Column(["a", "b", "c"], unit="GV")),
        ["'x'", "float64"],
    ),
    "NaN in the flux": (put("value", 1, np.nan), ["row 2", "'value'", "nan"]),
    "NaN in the points": (put("x", 2, np.nan), ["row 3", "'x'", "nan"]),
    "NaN in an error": (put("systematic_hadronic_low", 0, np.nan), ["row 1", "'systematic_hadronic_low'", "nan"]),
    "infinite flux": (put("value", 0, np.inf), ["row 1", "'value'", "inf"]),
    "negative flux": (put("value", 1, -0.5), ["row 2", "'value'", "-0.5", "not positive"]),
    "zero flux": (put("value", 1, 0.0), ["row 2", "'value'", "not positive"]),
    "negative error": (put("stat_low", 2, -0.1), ["row 3", "'stat_low'", "-0.1", "negative"]),
    "no error at all": (
        both(*(put(name, 1, 0.0) for name in ("stat_low", "systematic_analysis_low", "systematic_hadronic_low"))),
        ["row 2", "no error (low)"],
    ),
    "point outside its bin": (put("x", 1, 41.0), ["row 2", "'x'", "41", "outside its bin"]),
    "point that is not positive": (both(put("x_low", 0, 0.0), put("x", 0, 0.0)), ["row 1", "'x'", "not positive"]),
    "negative edge": (put("x_low", 0, -10.0), ["row 1", "'x_low'", "-10", "negative"]),
    "infinite edge": (put("x_high", 2, np.inf), ["row 3", "'x_high'", "infinite"]),
    "one edge only": (put("x_high", 1, np.nan), ["row 2", "both edges"]),
    "edges in the wrong order": (
        both(put("x_low", 2, 80.0), put("x_high", 2, 40.0)),
        ["row 3", "'x_high'", "not above x_low"],
    ),
    "overlapping bins": (put("x_low", 2, 30.0), ["row 3", "'x_low'", "30", "not monotonic"]),
    "rows that are not sorted": (lambda table: table.reverse(), ["row 2", "'x'", "28", "must increase"]),
    "duplicate points": (lambda table: table.add_row(table[2]), ["row 4", "'x'", "57", "duplicate"]),
}


@pytest.mark.parametrize("name", FAULTS)
def test_fault(name, table, write):
    spoil, words = FAULTS[name]
    spoil(table)
    path = write(table)
    with pytest.raises(DataError) as caught:
        load_table(path)
    assert caught.value.where == str(path)
    assert caught.value.remedy
    for word in words:
        assert word in str(caught.value)


def test_the_unspoiled_table_is_fine(table, write):
    validate(table)
    assert len(load_table(write(table))) == 3


def test_all_faults_of_a_stage_are_told(table):
    table["value"][0] = -1.0
    table["stat_low"][2] = -1.0
    told = [fault.problem for fault in faults(table, where="here")]
    assert len(told) == 2
    assert "row 1, column 'value'" in told[0]
    assert "row 3, column 'stat_low'" in told[1]


def test_bins_without_edges_are_fine(table, write):
    table["x_low"] = Column([np.nan] * 3, unit="GV")
    table["x_high"] = Column([np.nan] * 3, unit="GV")
    assert not load_table(write(table)).has_edges


def test_gaps_between_bins_are_fine(table):
    table["x_low"][2] = 50.0
    validate(table)


def test_edges_may_overlap_by_rounding_only(table):
    table["x_low"][2] = 40.0 * (1.0 - 5e-6)
    validate(table)
    table["x_low"][2] = 40.0 * (1.0 - 2e-5)
    with pytest.raises(DataError, match="not monotonic"):
        validate(table)


def test_upper_limits_need_no_errors(table):
    table["upper_limit"][1] = True
    for name in table.colnames:
        if name.startswith(("stat", "systematic")):
            table[name][1] = np.nan
    validate(table)


def test_mean_logarithmic_mass_may_be_negative_within_errors(table):
    table.meta["quantity"] = "lnA"
    for name in table.colnames:
        if name.startswith(("value", "stat", "systematic")):
            table[name].unit = None
    table["value"][0] = -0.01
    validate(table)


def plain_numbers(table):
    for name in table.colnames:
        if name.startswith(("value", "stat", "systematic")):
            table[name].unit = None


def test_a_ratio_is_a_positive_plain_number(table):
    table.meta |= {"species": "B/C", "quantity": "ratio"}
    plain_numbers(table)
    validate(table)
    table["value"][1] = -0.1
    with pytest.raises(DataError, match=r"row 2, column 'value': .* is no ratio"):
        validate(table)


def test_bins_of_several_detectors_may_overlap_but_stay_sorted(table):
    table.meta["bins_overlap"] = True
    table["x_low"][2] = 25.0
    validate(table)
    table["x"][2] = 27.0
    with pytest.raises(DataError, match="row 3, column 'x': 27 is below the row before"):
        validate(table)


def test_table_without_systematic_errors(table, write):
    table.meta["systematics"] = {}
    table.remove_columns([name for name in table.colnames if name.startswith("systematic")])
    spectrum = load_table(write(table))
    assert dict(spectrum.systematics) == {}
    assert np.array_equal(spectrum.total_error()[0], spectrum.stat_low)


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("\n20.0 40.0 28.0 ", "\n20.0 40.0 28,0 ", ["row 2", "'x'", "'28,0' is no number"]),
        ("\n20.0 40.0 28.0 ", "\n20.0 40.0 ", ["row 2 has 11 cells", "12 columns"]),
        ("# %ECSV", "# ECSV", ["astropy cannot read", "ECSV"]),
        ("# meta: !!omap", "# meta: !!omap: {", ["astropy cannot read", "yaml"]),
    ],
)
def test_damaged_text(table, write, before, after, words):
    path = write(table)
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))
    with pytest.raises(DataError) as caught:
        load_table(path)
    assert caught.value.where == str(path)
    for word in words:
        assert word in str(caught.value)


def test_empty_cell_is_a_missing_number(table, write):
    path = write(table)
    path.write_text(path.read_text().replace("\n20.0 40.0 28.0 ", '\n20.0 40.0 "" '))
    with pytest.raises(DataError, match="row 2, column 'x': nan"):
        load_table(path)


def test_missing_file(tmp_path):
    with pytest.raises(DataError, match="No such file") as caught:
        load_table(tmp_path / "nothing.ecsv")
    assert "nothing.ecsv" in caught.value.where
