"""stellarcr data: what the commands print, write and refuse."""

import importlib.util
import json
import time
from pathlib import Path

import pytest

from stellarcr.data import list_spectra, load_table

DATA_TESTS = Path(__file__).parents[1] / "data"
KEYS = {"name", "experiment", "quantity", "axis", "points", "x_min", "x_max", "reference"}


def _load(name):
    spec = importlib.util.spec_from_file_location(f"data_{name}", DATA_TESTS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


FAULTS, make_table = _load("test_validation").FAULTS, _load("conftest").make_table


@pytest.fixture
def own(tmp_path):
    """Folder of one good table of a user's own."""
    folder = tmp_path / "own"
    folder.mkdir()
    make_table().write(folder / "mine.ecsv", format="ascii.ecsv")
    return folder


# list


def listed(result):
    assert result.code == 0, result.err
    return json.loads(result.out)


def test_list_json(stellarcr):
    tables = listed(stellarcr("data", "list", "--json"))
    assert all(set(table) == KEYS for table in tables)
    assert len(tables) == len({table["name"] for table in tables}) == len(list_spectra())
    by_name = {table["name"]: table for table in tables}
    assert by_name["AMS-02_H"]["quantity"] == "H"
    assert (by_name["AMS-02_H"]["axis"], by_name["AMS-02_H"]["points"]) == ("R", 72)
    assert {"all", "p+He", "B/C", "lnA"} <= {table["quantity"] for table in tables}
    assert all(0 < table["x_min"] < table["x_max"] and table["points"] > 0 and table["reference"] for table in tables)


@pytest.mark.parametrize(
    ("options", "key", "values"),
    [
        (["--species", "p"], "quantity", {"H"}),
        (["--species", "light"], "quantity", {"p+He"}),
        (["--species", "all-particle"], "quantity", {"all"}),
        (["--species", "lnA"], "quantity", {"lnA"}),
        (["--species", "B/C"], "quantity", {"B/C"}),
        (["--quantity", "lnA"], "quantity", {"lnA"}),
        (["--quantity", "H"], "quantity", {"H"}),
        (["--experiment", "AMS"], "experiment", {"AMS-02"}),
        (["--experiment", "dampe"], "experiment", {"DAMPE"}),
        (["--axis", "EK"], "axis", {"EK"}),
        (["--experiment", "AMS-02", "--species", "He", "--axis", "R"], "name", {"AMS-02_He"}),
    ],
)
def test_list_filters(stellarcr, options, key, values):
    assert {table[key] for table in listed(stellarcr("data", "list", *options, "--json"))} == values


def test_list_by_status(stellarcr):
    counts = {s: len(listed(stellarcr("data", "list", "--status", s, "--json"))) for s in ("recommended", "superseded")}
    assert min(counts.values()) > 0
    assert sum(counts.values()) == len(listed(stellarcr("data", "list", "--json")))


def test_list_kinds(stellarcr):
    tables = [listed(stellarcr("data", "list", "--quantity", q, "--json")) for q in ("flux", "ratio", "lnA")]
    assert sum(map(len, tables)) == len(list_spectra())
    assert all("/" in table["quantity"] for table in tables[1])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--experiment", "AMS-03"], "did you mean 'AMS-02'"),
        (["--species", "Hee"], "'He'"),
        (["--axis", "ENK"], "'EKN'"),
        (["--quantity", "fluxx"], "'fluxx'"),
        (["--status", "recomended"], "'recommended'"),
        (["--experiment", "AMS-02", "--species", "all"], "no table with species 'all'"),
        (["--folder", "nowhere"], "no such folder"),
    ],
)
def test_list_refuses(stellarcr, options, words):
    result = stellarcr("data", "list", *options)
    assert result.code == 2
    assert words in result.err
    assert "Traceback" not in result.err


def test_list_is_readable(stellarcr):
    out = stellarcr("data", "list", "--experiment", "LHAASO", "--species", "H").out
    row = next(line for line in out.splitlines() if line.split()[:1] == ["LHAASO_H_QGSJET-II-04"])
    assert "1.585e+05 to 1.259e+07 GeV" in row
    assert "PRL 136, 121001 (2026)" in row
    assert "superseded" not in row
    assert "total energy per nucleus" in out


def test_list_of_an_own_folder_is_fast_and_complete(stellarcr, own):
    assert [table["name"] for table in listed(stellarcr("data", "list", "--folder", own, "--json"))] == ["TEST_He"]
    start = time.process_time()
    list_spectra.__globals__["_read_entry"].cache_clear()
    listed(stellarcr("data", "list", "--json"))
    assert time.process_time() - start < 1.0


# show


def test_show(stellarcr):
    out = stellarcr("data", "show", "DAMPE_He").out
    spectrum = load_table(next(e.path for e in list_spectra() if e.name == "DAMPE_He"))
    for words in (str(spectrum.reference), "kinetic energy per nucleus", "1 / (m2 s sr GeV)", "provenance", "note"):
        assert words in out
    for name, text in spectrum.metadata["systematics"].items():
        assert f"systematics, {name}: {text}" in out
    assert all(f"{x:.6g}" in out for x in spectrum.x.value)


def test_show_json(stellarcr):
    content = json.loads(stellarcr("data", "show", "NUCLEON_He", "--json").out)
    spectrum = load_table(content["file"])
    assert content["sha256"] == spectrum.sha256
    assert [row["value"] for row in content["rows"]] == list(spectrum.value.value)
    assert content["rows"][0]["x_low"] is None  # no edges are published
    assert content["units"]["value"] == "1 / (m2 s sr GeV)"
    assert content["header"]["reference"]["text"] == spectrum.reference.text


@pytest.mark.parametrize(("name", "words"), [("AMS-02_Hee", "did you mean 'AMS-02_He'"), ("*_H", "is a pattern")])
def test_show_refuses(stellarcr, name, words):
    result = stellarcr("data", "show", name)
    assert result.code == 2
    assert words in result.err


# verify


def test_verify_says_one_line(stellarcr):
    result = stellarcr("data", "verify", "DAMPE_*")
    assert result.code == 0
    assert result.out.count("\n") == 1
    assert "tables, " in result.out
    assert "points: no fault" in result.out
    assert stellarcr("data", "verify", "DAMPE_*", "--quiet").out == ""


def test_verify_own_folder(stellarcr, own):
    out = stellarcr("data", "verify", "--folder", own).out
    assert out.startswith("1 tables, 3 points: no fault")
    assert "hashes were not checked" in out


@pytest.mark.parametrize("name", FAULTS)
def test_verify_every_fault(stellarcr, own, name):
    spoil, words = FAULTS[name]
    table = make_table()
    spoil(table)
    table.write(own / "mine.ecsv", format="ascii.ecsv", overwrite=True)
    result = stellarcr("data", "verify", "--folder", own, "--json")
    assert result.code == 2
    content = json.loads(result.out)
    told = "\n".join(f"{fault['problem']} {fault['remedy']}" for fault in content["faults"])
    for word in words:
        assert word in told
    for fault in content["faults"]:
        assert fault["file"] == str(own / "mine.ecsv")
        assert fault["remedy"]
        if fault["problem"].startswith("row "):
            assert fault["row"] in (1, 2, 3, 4)
            assert fault["column"] in table.colnames
            assert fault["value"] is not None


def test_verify_prints_place_and_remedy(stellarcr, own):
    path = own / "mine.ecsv"
    path.write_text(path.read_text().replace("\n20.0 40.0 28.0 ", "\n20.0 40.0 41.0 "))
    result = stellarcr("data", "verify", "--folder", own)
    assert result.code == 2
    assert str(path) in result.out
    assert "row 2, column 'x': 41 is outside its bin" in result.out
    assert "next: correct the point or its edges" in result.out
    assert stellarcr("data", "verify", "--folder", own, "--quiet").code == 2


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("\n20.0 40.0 28.0 ", "\n20.0 40.0 28,0 ", "'28,0' is no number"),
        ("\n20.0 40.0 28.0 ", "\n20.0 40.0 ", "row 2 has 11 cells"),
        ("# %ECSV", "# ECSV", "astropy cannot read"),
    ],
)
def test_verify_damaged_text(stellarcr, own, before, after, words):
    path = own / "mine.ecsv"
    path.write_text(path.read_text().replace(before, after))
    result = stellarcr("data", "verify", "--folder", own)
    assert result.code == 2
    assert words in result.out


def test_verify_unknown_name(stellarcr):
    result = stellarcr("data", "verify", "DAMPE_Hee")
    assert result.code == 2
    assert "did you mean 'DAMPE_He'" in result.err


# plot


def test_plot_says_what_it_draws(stellarcr, own):
    result = stellarcr("data", "plot", "DAMPE_H*", "TEST_He", "--species", "He", "--axis", "R", "--folder", own)
    assert result.code == 0, result.err
    assert "DAMPE_H*: DAMPE_He\n" in result.out
    assert "moved to R with the dominant isotope of the element: DAMPE_He (EK)" in result.out
    assert {Path(line).name for line in result.out.splitlines()[-2:]} == {"He_R.pdf", "He_R.png"}
    assert Path("He_R.pdf").read_bytes().startswith(b"%PDF")


def test_plot_leaves_out_what_a_pattern_finds_on_another_axis(stellarcr):
    result = stellarcr("data", "plot", "PAMELA_B_over_C*", "--axis", "ekn")
    assert result.code == 0, result.err
    assert "PAMELA_B_over_C*: PAMELA_B_over_C_EKN\n" in result.out
    assert "left out, since they cannot be moved to EKN: PAMELA_B_over_C_R (R)\n" in result.out
    assert stellarcr("data", "plot", "PAMELA_B_over_C_R", "--axis", "EKN").code == 2


def test_plot_takes_a_file_with_a_suffix(stellarcr):
    assert stellarcr("data", "plot", "AMS-02_B_over_C_R", "-o", "a/ratio.png", "--style", "one-column").code == 0
    assert sorted(path.name for path in Path("a").iterdir()) == ["ratio.pdf", "ratio.png"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["HAWC_all", "--axis", "R"], "the sum 'all'"),
        (["AMS-02_Hee"], "did you mean 'AMS-02_He'"),
        (["*_Xe"], "no table's name fits the pattern '*_Xe'"),
        (["AMS-02_H", "TALE_lnA"], "different quantities"),
        (["TALE_lnA", "--scale", "2.7"], "only fluxes are scaled"),
        (["AMS-02_H", "--axis", "EKIN"], "'EKIN'"),
        (["AMS-02_H", "--style", "two-colum"], "'two-column'"),
        (["*_B_over_C*"], "--axis EKN or R"),
        (["*_B_over_C*", "--axis", "EKNN"], "did you mean 'EKN'"),
        (["AMS-02_*_7yr"], "others do: AMS-02_B_7yr"),
    ],
)
def test_plot_refuses(stellarcr, arguments, words):
    result = stellarcr("data", "plot", *arguments)
    assert result.code == 2
    assert words in result.err
    assert not list(Path().glob("*.p*"))
