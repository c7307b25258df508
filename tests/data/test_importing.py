"""A user's own table: what is taken, what is asked for, what is refused."""

import numpy as np
import pytest
from astropy.table import Table

from stellarcr.data import TableDescription, import_table, load_table, verify
from stellarcr.data.description import answer, missing, with_header
from stellarcr.data.user_table import read_user_table
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

    def run_import(text=GOOD, *, separator="comma", decimal_comma=False, overwrite=False, **changes):
        file = tmp_path / "mine.csv"
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        description = TableDescription(**{**SAID, **changes})
        how = {"separator": separator, "decimal_comma": decimal_comma, "overwrite": overwrite}
        return import_table(file, tmp_path / "out", description, **how)

    return run_import


def refused(run, *args, **changes):
    """Message of a refused import; nothing may have been written."""
    with pytest.raises(DataError) as caught:
        run(*args, **changes)
    assert caught.value.remedy
    return str(caught.value)


def test_columns_of_the_schema_need_no_mapping(run):
    spectrum = run().spectrum
    assert spectrum.name == "MINE_He"
    assert np.array_equal(spectrum.x.value, [14.0, 28.0, 57.0])
    assert np.array_equal(spectrum.x_high.value, [20.0, 40.0, 80.0])
    assert np.array_equal(spectrum.stat_low.value, [0.3, 0.05, 0.01])
    assert np.array_equal(spectrum.stat_high.value, spectrum.stat_low.value)
    assert not spectrum.upper_limit.any()


def test_the_result_is_a_valid_table_that_says_where_it_comes_from(run):
    imported = run(arxiv="2401.00010", notes="from the figure")
    assert verify(folder=imported.path.parent)
    spectrum = load_table(imported.path)
    assert spectrum.reference.arxiv == "2401.00010"
    assert "mine.csv" in spectrum.metadata["provenance"]
    assert "from the figure" in spectrum.metadata["notes"]


def test_units_are_converted_together(run):
    text = "x,value,stat\n1,6.5e-10,2e-11\n2,1e-10,5e-12\n"
    spectrum = run(text, species="H", axis="EK", unit_x="TeV", unit_value="GeV^-1 cm^-2 s^-1 sr^-1").spectrum
    assert np.allclose(spectrum.x.value, [1000.0, 2000.0], rtol=1e-11)
    assert np.allclose(spectrum.value.value, [6.5e-6, 1e-6], rtol=1e-11)
    assert np.allclose(spectrum.stat_high.value, [2e-7, 5e-8], rtol=1e-11)
    per_tev = run(
        text, species="H", axis="EK", unit_x="TeV", unit_value="TeV^-1 cm^-2 s^-1 sr^-1", overwrite=True
    ).spectrum
    assert np.allclose(per_tev.value.value, [6.5e-9, 1e-9], rtol=1e-11)


@pytest.mark.parametrize(
    ("unit_value", "factor"),
    [
        ("GeV^1.7 m^-2 s^-1 sr^-1", 1.0 / 1000.0**2.7),  # 1 TeV is 1000 GeV
        ("TeV^1.7 m^-2 s^-1 sr^-1", 1e-3),  # per TeV to per GeV, x is 1 TeV
        ("GeV**1.7 / (m2 s sr)", 1.0 / 1000.0**2.7),
        ("GeV^(1.7) cm^-2 s^-1 sr^-1", 1e4 / 1000.0**2.7),
    ],
)
def test_flux_times_a_power_of_x(run, unit_value, factor):
    text = "x,value,stat\n1,9000,90\n10,8000,80\n"
    spectrum = run(
        text, species="H", axis="ETOT", unit_x="TeV", unit_value=unit_value, value_multiplied_by_x_to=2.7
    ).spectrum
    assert spectrum.value.value[0] == pytest.approx(9000.0 * factor, rel=1e-10)
    assert spectrum.value.value[1] == pytest.approx(8000.0 * factor / 10.0**2.7, rel=1e-10)
    assert np.allclose(spectrum.stat_low / spectrum.value, 0.01, rtol=1e-10)
    assert any("x^2.7" in note for note in spectrum.metadata["notes"])


def test_errors_in_percent_only_when_asked(run):
    text = "x,value,stat,systematic_total\n10,4,10,0.5\n20,2,5,0.25\n"
    asked = run(
        text, relative_errors={"stat": "percent", "systematic_total": "fraction"}, systematics={"total": "all"}
    ).spectrum
    assert np.allclose(asked.stat_low.value, [0.4, 0.1])
    assert np.allclose(asked.systematics["total"][1].value, [2.0, 0.5])
    plain = run(text, systematics={"total": "all"}, overwrite=True).spectrum
    assert np.allclose(plain.stat_low.value, [10.0, 5.0])


def test_asymmetric_errors_and_limits(run):
    text = "E,J,up,down,sys_up,sys_down,lim,remark\n10,4,0.4,0.3,0.2,0.1,no,\n20,2,,,,,yes,95%\n30,1,0.1,0.1,0,0,no,\n"
    columns = {
        "x": "E", "value": "J", "stat_high": "up", "stat_low": "down", "systematic_scale_high": "sys_up",
        "systematic_scale_low": "sys_down", "upper_limit": "lim", "flag": "remark",
    }  # fmt: skip
    spectrum = run(text, columns=columns, systematics={"scale": "energy scale"}).spectrum
    assert spectrum.stat_low.value[0] == 0.3
    assert spectrum.stat_high.value[0] == 0.4
    assert spectrum.systematics["scale"][0].value[0] == 0.1
    assert list(spectrum.upper_limit) == [False, True, False]
    assert spectrum.flags[1] == "95%"
    assert not spectrum.has_edges


@pytest.mark.parametrize(("centre", "first"), [("geometric", np.sqrt(200.0)), ("arithmetic", 15.0)])
def test_points_from_edges_only_when_asked(run, centre, first):
    text = "x_low,x_high,value,stat\n10,20,3,0.3\n20,40,0.5,0.1\n"
    assert "--x-from-edges geometric or arithmetic" in refused(run, text)
    assert run(text, x_from_edges=centre).spectrum.x.value[0] == pytest.approx(first)


def test_ratio_and_mean_ln_a_have_no_unit(run):
    text = "x,value,stat\n10,0.3,0.01\n20,0.25,0.01\n"
    assert run(text, species="B/C", unit_value="").spectrum.quantity == "ratio"
    logarithm = run(text, species="lnA", axis="ETOT", unit_x="PeV", unit_value="").spectrum
    assert (logarithm.species, logarithm.quantity, logarithm.name) == ("all", "lnA", "MINE_lnA")


def test_ecsv_gives_its_own_units_and_header(tmp_path):
    table = Table({"x": [1.0, 2.0], "value": [3.0, 2.0], "stat": [0.1, 0.1]})
    table["x"].unit, table["value"].unit, table["stat"].unit = "TV", "1/(m2 s sr TV)", "1/(m2 s sr TV)"
    table.meta = {
        "experiment": "MINE",
        "species": "C",
        "axis": "R",
        "reference": {"text": "A. Author", "doi": "10.1/2"},
    }
    table.write(tmp_path / "mine.ecsv", format="ascii.ecsv")
    spectrum = import_table(tmp_path / "mine.ecsv", tmp_path / "out", TableDescription()).spectrum
    assert np.allclose(spectrum.x.value, [1000.0, 2000.0])
    assert np.allclose(spectrum.value.value, [3e-3, 2e-3])
    assert spectrum.reference.doi == "10.1/2"
    for changes, words in (({"species": "N"}, "header says 'C'"), ({"unit_x": "GV"}, "the unit 'TV'")):
        with pytest.raises(DataError, match=words):
            import_table(tmp_path / "mine.ecsv", tmp_path / "other", TableDescription(**changes))


def test_a_shipped_table_survives_the_import(tmp_path):
    from stellarcr.data import list_spectra

    entry = next(entry for entry in list_spectra() if entry.name == "DAMPE_He")
    before, after = load_table(entry.path), import_table(entry.path, tmp_path, TableDescription()).spectrum
    for name in ("x", "x_low", "value", "stat_low", "stat_high"):
        assert np.allclose(getattr(after, name).value, getattr(before, name).value, rtol=1e-11)
    assert list(after.systematics) == list(before.systematics)


@pytest.mark.parametrize("separator", ["semicolon", "tab", "space", "bar", ";"])
def test_other_separators(run, separator):
    mark = {"semicolon": ";", "tab": "\t", "space": "  ", "bar": "|", ";": ";"}[separator]
    assert len(run("# a remark\n\n" + GOOD.replace(",", mark), separator=separator).spectrum) == 3


def test_everything_that_is_missing_is_listed_with_its_option(tmp_path):
    (tmp_path / "mine.csv").write_text("E,flux,stat_hihg\n1,2,3\n")
    with pytest.raises(DataError) as caught:
        import_table(tmp_path / "mine.csv", tmp_path / "out", TableDescription())
    message = str(caught.value)
    for words in (
        "unknown columns: 'E', 'flux', 'stat_hihg'", "did you mean 'stat_high'", "experiment, species, axis, reference",
        "--columns", "--ignore", "--experiment", "--species", "--axis", "--reference", "--unit-x", "--unit-value",
    ):  # fmt: skip
        assert words in message
    assert not (tmp_path / "out").exists()


BAD_FILES = {
    "empty": ("", ["is empty"]),
    "comments only": ("# nothing\n", ["comments only"]),
    "column names only": ("x,value,stat\n", ["no rows"]),
    "wrong separator": (GOOD.replace(",", ";"), ["line 1", "--separator semicolon"]),
    "no column names": ("10,3,0.3\n20,2,0.2\n", ["line 1 should name the columns"]),
    "column without a name": ("x,value,\n1,2,3\n", ["column 3 has no name"]),
    "duplicated column": ("x,value,value\n1,2,3\n", ["names the column 'value' twice"]),
    "ragged row": (GOOD + "80,160,99\n", ["line 5 has 3 cells", "5 columns"]),
    "decimal comma": (GOOD.replace(",", ";").replace("3.0", "3,0"), ["line 1", "semicolon"]),
    "not UTF-8": ("x,value,stat\n1,2,0.1\n# é\n".encode("latin-1"), ["line 3 is not UTF-8", "0xe9", "UTF-8"]),
    "text in a cell": (GOOD.replace("0.5,", "half,"), ["line 3, column 'value': 'half' is no number"]),
    "underscore in a number": (GOOD.replace("\n40,", "\n4_0,"), ["line 4, column 'x_low': '4_0' is no number"]),
    "thousands": (GOOD.replace("\n40,", '\n"1,040",'), ["line 4, column 'x_low': '1,040' is no number"]),
    "percent sign": (GOOD.replace("0.05", "5%"), ["line 3, column 'stat': '5%'", "--relative-errors"]),
    "limit as a sign": (GOOD.replace("0.5,", "<0.5,"), ["line 3, column 'value': '<0.5'", "'upper_limit'"]),
    "NaN": (GOOD.replace("0.5,", "nan,"), ["line 3, column 'value': 'nan'"]),
    "missing value": (GOOD.replace("0.5,", ","), ["line 3, column 'value': ''"]),
    "negative error": (GOOD.replace("0.05", "-0.05"), ["line 3, column 'stat': '-0.05' is negative"]),
    "x not increasing": ("x,value,stat\n2,1,0.1\n1,2,0.1\n", ["line 3, column 'x'", "must increase"]),
    "overlapping edges": (GOOD.replace("\n40,", "\n30,"), ["line 4, column 'x_low': '30'", "not monotonic"]),
    "unknown column": (GOOD.replace("stat", "sttat"), ["unknown columns: 'sttat'", "'stat'"]),
    "no statistical errors": ("x,value\n1,2\n", ["no_statistical_errors", "--no-statistical-errors"]),
    "one side of the errors": ("x,value,stat_low\n1,2,1\n", ['"stat_high=NAME"']),
    "one side of a systematic error": (
        "x,value,stat,systematic_a_low\n1,2,1,1\n",
        ['"systematic_a_high=NAME"', '--systematic "a=WHAT IT CONTAINS"'],
    ),
    "an error twice": ("x,value,stat,stat_low\n1,2,1,1\n", ["'stat' and 'stat_low'", "twice"]),
    "limit that is neither": ("x,value,stat,upper_limit\n1,2,1,perhaps\n", ["'perhaps'", "neither true nor false"]),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD_FILES)
def test_bad_file(run, tmp_path, name):
    text, words = BAD_FILES[name]
    message = refused(run, text)
    assert "mine.csv" in message
    for word in words:
        assert word in message
    assert not list(tmp_path.rglob("*.ecsv"))


def test_decimal_comma_with_the_right_separator(run):
    message = refused(run, GOOD.replace(",", ";").replace("3.0", "3,0"), separator="semicolon")
    assert "'3,0' is no number" in message
    assert "--decimal-comma" in message


BAD_WORDS = {
    "unit that astropy cannot parse": ({"unit_x": "GigaVolt"}, ["--unit-x", "'GigaVolt'", "GeV^-1 cm^-2 s^-1 sr^-1"]),
    "unit per nucleon": ({"unit_x": "GeV/n"}, ["'GeV/n'", "EKN says 'per nucleon'"]),
    "unit of another axis": ({"unit_x": "GeV"}, ["'GeV'", "rigidity", "'GV'"]),
    "flux in the wrong unit": ({"unit_value": "GV"}, ["unit of value", "'GV'", "m2 s sr GV"]),
    "flux per energy on rigidity": ({"unit_value": "GeV^-1 m^-2 s^-1 sr^-1"}, ["axis R", "m2 s sr GV"]),
    "scaled flux without saying so": (
        {"unit_value": "GV^1.7 m^-2 s^-1 sr^-1"}, ["--value-multiplied-by-x-to"]
    ),
    "scaled flux with the bare unit": ({"value_multiplied_by_x_to": 2.7}, ["multiplied by x^2.7", "GV^1.7"]),
    "scaled ratio": (
        {"species": "B/C", "unit_value": "", "value_multiplied_by_x_to": 2.7}, ["is for fluxes"]
    ),
    "no reference": ({"reference": " "}, ["not given: reference", "--reference"]),
    "unknown axis": ({"axis": "EKIN"}, ["'EKIN'", "'EK'"]),
    "unknown species": ({"species": "Hee"}, ["--species", "'Hee'", "'He'"]),
    "species and quantity that disagree": ({"quantity": "lnA"}, ["--quantity 'lnA'", "'He'"]),
    "unknown quantity": ({"quantity": "fluxx"}, ["'fluxx'", "'flux'"]),
    "mapping to no column of the schema": ({"columns": {"vaule": "value"}}, ["'vaule'", "'value'"]),
    "mapping from no column of the file": ({"columns": {"flag": "remrak"}}, ["'remrak'"]),
    "one column for two": ({"columns": {"stat_low": "stat", "stat_high": "stat"}}, ["'stat'", "same on both sides"]),
    "ignored column that is not there": ({"ignore": ("nothing",)}, ["--ignore nothing"]),
    "column both taken and ignored": ({"columns": {"x": "x"}, "ignore": ("x",)}, ["'x' is both"]),
    "description of an error that is not there": ({"systematics": {"totl": "all"}}, ["'totl'", "no column holds"]),
    "two columns for one": ({"columns": {"x": "x_low"}}, ["'x_low'", "'x'", "--ignore"]),
    "relative error of no column": ({"relative_errors": {"sat": "percent"}}, ["'stat'"]),
    "relative error of an unknown kind": ({"relative_errors": {"stat": "percents"}}, ["'percent'"]),
    "zero errors where there are some": ({"no_statistical_errors": True}, ["--no-statistical-errors"]),
    "points from edges where there are points": ({"x_from_edges": "geometric"}, ["--x-from-edges"]),
    "name with a slash": ({"name": "../mine"}, ["'../mine'", "letters"]),
    "unknown separator": ({"separator": "commma"}, ["'commma'", "'comma'"]),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD_WORDS)
def test_bad_description(run, tmp_path, name):
    changes, words = BAD_WORDS[name]
    message = refused(run, GOOD, **changes)
    for word in words:
        assert word in message
    assert not list(tmp_path.rglob("*.ecsv"))


def test_all_faults_of_the_result_are_told(run):
    message = refused(run, GOOD.replace("0.3\n", "-0.3\n").replace("0.01", "-0.01"))
    assert "line 2, column 'stat': '-0.3" in message
    assert "line 4, column 'stat': '-0.01'" in message


def test_nothing_is_overwritten_unless_asked(run):
    first = run()
    before = first.path.read_bytes()
    assert "--overwrite" in refused(run, GOOD.replace("3.0", "4.0"))
    assert first.path.read_bytes() == before
    assert run(GOOD.replace("3.0", "4.0"), overwrite=True).spectrum.value.value[0] == 4.0


def test_a_name_belongs_to_one_file(run):
    path = run().path
    path.rename(path.with_name("other.ecsv"))
    assert "another table is named 'MINE_He'" in refused(run)


def test_the_shipped_folder_is_not_for_own_tables(tmp_path):
    from stellarcr.data import content_path

    (tmp_path / "mine.csv").write_text(GOOD)
    folder = content_path("datasets", "spectra")
    with pytest.raises(DataError, match="SHA256SUMS"):
        import_table(tmp_path / "mine.csv", folder, TableDescription(**SAID))


def test_questions_until_nothing_is_missing(tmp_path):
    file = tmp_path / "mine.csv"
    file.write_text("E,flux,err,comment\n1,2,0.1,a\n2,1,0.1,b\n")
    answers = {
        "columns.E": "x", "columns.flux": "value", "columns.err": "stat", "columns.comment": "ignore",
        "experiment": "MINE", "species": "p", "axis": "EK", "reference": "A. Author", "unit_x": "TeV",
        "unit_value": "TeV^-1 m^-2 s^-1 sr^-1",
    }  # fmt: skip
    source, description, asked = read_user_table(file), TableDescription(), []
    while needed := missing(source, with_header(description, source)):
        asked.append(needed[0].key)
        assert needed[0].question.endswith("?")
        description = answer(description, needed[0].key, answers[needed[0].key])
    assert sorted(asked) == sorted(answers)
    assert import_table(file, tmp_path, description).spectrum.species == "H"


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("axis", "Ekin"), ("species", "Hee"), ("unit_x", "Gflop"), ("columns.E", "energy"),
        ("x_from_edges", "middle"), ("no_statistical_errors", "no"),
    ],
)  # fmt: skip
def test_wrong_answers_are_refused(key, text):
    with pytest.raises(DataError) as caught:
        answer(TableDescription(), key, text)
    assert caught.value.remedy
