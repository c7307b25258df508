"""A user's file as it was typed: decimal commas, units, and faults in the words of the file."""

import numpy as np
import pytest
from astropy.table import MaskedColumn, Table

from stellarcr.data import TableDescription, import_table
from stellarcr.errors import DataError

GOOD = "x_low,x_high,x,value,stat\n10,20,14,3.0,0.3\n20,40,28,0.5,0.05\n40,80,57,0.08,0.01\n"
SAID = {
    "experiment": "MINE",
    "species": "He",
    "axis": "R",
    "unit_x": "GV",
    "unit_value": "GV^-1 m^-2 s^-1 sr^-1",
    "reference": "A. Author (2020)",
}


@pytest.fixture
def run(tmp_path):
    """Import a text as a CSV file, with everything said that is needed unless changed."""

    def run_import(text=GOOD, *, separator="comma", decimal_comma=False, **changes):
        file = tmp_path / "mine.csv"
        file.write_text(text)
        description = TableDescription(**{**SAID, **changes})
        return import_table(
            file, tmp_path / "out", description, separator=separator, decimal_comma=decimal_comma, overwrite=True
        )

    return run_import


def refused(run, *args, **changes):
    """Message of a refused import."""
    with pytest.raises(DataError) as caught:
        run(*args, **changes)
    return str(caught.value)


def test_decimal_comma_only_when_asked(run):
    european = GOOD.replace(",", ";").replace(".", ",")
    spectrum = run(european, separator="semicolon", decimal_comma=True).spectrum
    assert np.array_equal(spectrum.value.value, [3.0, 0.5, 0.08])
    assert np.array_equal(spectrum.stat_high.value, [0.3, 0.05, 0.01])
    # with a decimal comma, a point may separate thousands: never guessed
    message = refused(run, european.replace("\n10;", "\n1.010;"), separator="semicolon", decimal_comma=True)
    assert "line 2, column 'x_low': '1.010' is no number" in message


def test_faults_are_told_in_the_words_of_the_file(run):
    text = "# typed by hand\n\nE,phi,err\n2,1,0.1\n1,3,-0.2\n"
    message = refused(run, text, columns={"x": "E", "value": "phi", "stat": "err"}, unit_x="TV")
    assert "2 faults" in message
    assert "line 5, column 'err': '-0.2' is negative" in message
    assert "line 5, column 'E': '1' is below the row before" in message


@pytest.mark.parametrize("unit", ["(m2 s sr GV)^-1", "(GV m^2 s sr)**(-1)", "1/m2/s/sr/GV", "1/(m2 s sr GV)"])
def test_units_written_as_one_inverse(run, unit):
    assert np.allclose(run(unit_value=unit).spectrum.value.value, [3.0, 0.5, 0.08], rtol=1e-12)


def test_a_row_of_an_ecsv_file_is_called_a_row(tmp_path):
    table = Table({"x": [1.0, 2.0], "value": [5.0, 2.0], "stat": MaskedColumn([1.0, 1.0], mask=[False, True])})
    table.write(tmp_path / "mine.ecsv")
    with pytest.raises(DataError, match="row 2, column 'stat': '' where a number is needed"):
        import_table(tmp_path / "mine.ecsv", tmp_path / "out", TableDescription(**SAID))
