"""stellarcr data: what the commands print, write and refuse."""

import importlib.util
import io
import json
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from stellarcr.data import content_path, list_spectra, load_table

DATA_TESTS = Path(__file__).parents[1] / "data"
KEYS = {"name", "experiment", "quantity", "axis", "points", "x_min", "x_max", "reference"}
GOOD = "E_lo,E_hi,E,flux,err,sys\n1,2,1.4,6.5e-6,2e-7,5e-7\n2,4,2.8,1.0e-6,5e-8,9e-8\n4,8,5.6,1.6e-7,1e-8,1.5e-8\n"
SAID = [
    "--experiment", "MINE", "--species", "p", "--axis", "EK", "--unit-x", "TeV",
    "--unit-value", "GeV^-1 m^-2 s^-1 sr^-1", "--reference", "A. Author (2024)",
    "--columns", "x_low=E_lo,x_high=E_hi,x=E", "--columns", "value=flux,stat=err,systematic_total=sys",
    "--systematic", "total=all of Table 2",
]  # fmt: skip


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


@pytest.fixture
def terminal(monkeypatch):
    """Answer questions as a user at a terminal would."""

    class Terminal(io.StringIO):
        def isatty(self):
            return True

    return lambda *lines: monkeypatch.setattr(sys, "stdin", Terminal("".join(f"{line}\n" for line in lines)))


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
        (["AMS-02_*_7yr"], "others do: AMS-02_B_7yr"),
    ],
)
def test_plot_refuses(stellarcr, arguments, words):
    result = stellarcr("data", "plot", *arguments)
    assert result.code == 2
    assert words in result.err
    assert not list(Path().glob("*.p*"))


# import

RUN = """
name = "own"
[galaxy]
geometry = "slab"
[populations.snr]
[parameters.snr]
log10_power = { prior = "uniform", low = 47.0, high = 50.0, value = 48.0 }
"""


def test_from_a_table_typed_by_hand_to_a_fit(stellarcr):
    from stellarcr.config import build_posterior, load_config

    Path("mine.csv").write_text(GOOD)
    result = stellarcr("data", "import", "mine.csv", "-o", "tables", *SAID)
    assert result.code == 0, result.err
    assert "wrote tables/MINE_H.ecsv" in result.out
    likelihood, _, run = result.out.partition("save this as ")[2].partition("\nand add to the run configuration\n")
    place, _, stanza = likelihood.partition("\n")
    Path(place).write_text(stanza)
    Path("own.toml").write_text(RUN + run)
    posterior = build_posterior(load_config("own.toml"))
    table = posterior.likelihoods[0].data.tables[0]
    assert (table.name, len(table)) == ("MINE_H", 3)
    assert np.isfinite(posterior.log_posterior(np.array([[48.0]]))[0])
    checked = stellarcr("check", "own.toml", "--draws", "20")
    assert checked.code == 0, checked.err
    assert "MINE_H" in checked.out
    command = next(line for line in result.out.splitlines() if line.startswith("  stellarcr data plot"))
    assert stellarcr(*command.split()[1:]).code == 0
    assert stellarcr("data", "verify", "--folder", "tables").code == 0


def test_import_of_what_no_fit_can_use(stellarcr):
    Path("mine.csv").write_text("x,value,stat\n1,0.3,0.01\n2,0.25,0.01\n")
    result = stellarcr(
        "data", "import", "mine.csv", "-o", "t", "--experiment", "MINE", "--species", "B/C", "--axis", "R",
        "--unit-x", "GV", "--reference", "A. Author",
    )  # fmt: skip
    assert result.code == 0, result.err
    assert Path("t/MINE_B_over_C.ecsv").is_file()
    assert "a fit cannot use it" in result.out


def test_import_lists_what_is_missing_where_nobody_can_answer(stellarcr, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    Path("mine.csv").write_text(GOOD)
    result = stellarcr("data", "import", "mine.csv", "-o", "tables")
    assert result.code == 2
    for option in ("--columns", "--experiment", "--species", "--axis", "--reference", "--unit-x", "--unit-value"):
        assert option in result.err
    assert not Path("tables").exists()


def test_import_asks_at_a_terminal_and_again_after_a_wrong_answer(stellarcr, terminal):
    Path("mine.csv").write_text("E,value,stat\n1,2e-5,1e-6\n2,3e-6,2e-7\n")
    terminal("energy", "x", "MINE", "H", "EKIN", "EK", "A. Author (2024)", "GigaVolt", "TeV", "GeV^-1 m^-2 s^-1 sr^-1")
    result = stellarcr("data", "import", "mine.csv", "-o", "tables")
    assert result.code == 0, result.err
    for words in ("no column 'energy'", "unknown axis 'EKIN'", "'GigaVolt'"):
        assert words in result.err
    spectrum = load_table("tables/MINE_H.ecsv")
    assert (spectrum.axis, spectrum.x.value[0]) == ("EK", 1000.0)


def test_import_gives_up_after_three_wrong_answers(stellarcr, terminal):
    Path("mine.csv").write_text("x,value,stat\n1,2e-5,1e-6\n")
    terminal("MINE", "H", "EKIN", "ENERGY", "KIN")
    assert stellarcr("data", "import", "mine.csv", "-o", "tables").code == 2


@pytest.mark.parametrize(
    ("text", "options", "words"),
    [
        ("", [], "is empty"),
        (GOOD.replace(",", ";"), [], "--separator semicolon"),
        (GOOD.encode("utf-16"), [], "not UTF-8"),
        (GOOD.replace("flux,err", "flux,flux"), [], "'flux' twice"),
        (GOOD.replace("1.0e-6", "nan"), [], "line 3, column 'flux': 'nan'"),
        (GOOD.replace(",5e-8", ",-5e-8"), [], "is negative"),
        (GOOD.replace("2.8", "0.8"), [], "must increase"),
        (GOOD.replace("\n4,8", "\n3,8"), [], "not monotonic"),
        (GOOD, ["--unit-x", "GigaVolt"], "'GigaVolt'"),
        (GOOD, ["--reference", ""], "--reference"),
        (GOOD, ["--columns", "extra"], "'extra' is no pair"),
        (GOOD, ["--columns", "x=E_lo"], "gives 'x' twice"),
        (GOOD, ["--ignore", "E_lo"], "'E_lo' is both"),
        (GOOD, ["--systematic", "other=x"], "'other'"),
    ],
)
def test_import_refuses(stellarcr, text, options, words):
    Path("mine.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
    result = stellarcr("data", "import", "mine.csv", "-o", "tables", *SAID, *options)
    assert result.code == 2
    assert words in result.err
    assert "Traceback" not in result.err
    assert not Path("tables").exists()


def test_import_refuses_to_overwrite(stellarcr):
    Path("mine.csv").write_text(GOOD)
    assert stellarcr("data", "import", "mine.csv", "-o", "tables", *SAID).code == 0
    again = stellarcr("data", "import", "mine.csv", "-o", "tables", *SAID)
    assert again.code == 2
    assert "--overwrite" in again.err
    assert stellarcr("data", "import", "mine.csv", "-o", "tables", *SAID, "--overwrite").code == 0


def test_import_into_the_shipped_folder(stellarcr):
    Path("mine.csv").write_text(GOOD)
    result = stellarcr("data", "import", "mine.csv", "-o", content_path("datasets", "spectra"), *SAID)
    assert result.code == 2
    assert "folder of your own" in result.err
