"""stellarcr data import: from a table typed by hand to a fit, and what is refused."""

import io
import sys
from pathlib import Path

import numpy as np
import pytest

from stellarcr.data import content_path, load_table

GOOD = "E_lo,E_hi,E,flux,err,sys\n1,2,1.4,6.5e-6,2e-7,5e-7\n2,4,2.8,1.0e-6,5e-8,9e-8\n4,8,5.6,1.6e-7,1e-8,1.5e-8\n"
SAID = [
    "--experiment", "MINE", "--species", "p", "--axis", "EK", "--unit-x", "TeV",
    "--unit-value", "GeV^-1 m^-2 s^-1 sr^-1", "--reference", "A. Author (2024)",
    "--columns", "x_low=E_lo,x_high=E_hi,x=E", "--columns", "value=flux,stat=err,systematic_total=sys",
    "--systematic", "total=all of Table 2",
]  # fmt: skip


@pytest.fixture
def terminal(monkeypatch):
    """Answer questions as a user at a terminal would."""

    class Terminal(io.StringIO):
        def isatty(self):
            return True

    return lambda *lines: monkeypatch.setattr(sys, "stdin", Terminal("".join(f"{line}\n" for line in lines)))


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
    assert "no bin edges" not in result.out


def test_import_wonders_about_errors_larger_than_their_value(stellarcr):
    Path("mine.csv").write_text("x,value,stat\n30,2e-5,5\n40,1e-5,7\n")
    words = [
        "data", "import", "mine.csv", "-o", "t", "--experiment", "MINE", "--species", "H", "--axis", "R",
        "--unit-x", "GV", "--unit-value", "GV^-1 m^-2 s^-1 sr^-1", "--reference", "A. Author",
    ]  # fmt: skip
    assert "2 of 2 points have errors larger than their value" in stellarcr(*words).out
    percent = stellarcr(*words, "--overwrite", "--relative-errors", "stat=percent")
    assert "larger than" not in percent.out
    assert np.allclose(load_table("t/MINE_H.ecsv").stat_low.value, [1e-6, 7e-7])


def test_import_of_a_european_table(stellarcr):
    Path("mine.csv").write_text("x;value;stat\n30,5;2,5e-5;1e-6\n")
    words = [
        "data", "import", "mine.csv", "-o", "t", "--experiment", "MINE", "--species", "Si", "--axis", "etot",
        "--unit-x", "TeV", "--unit-value", "(GeV m2 s sr)^-1", "--reference", "A. Author", "--separator", "semicolon",
    ]  # fmt: skip
    assert "--decimal-comma" in stellarcr(*words).err
    assert stellarcr(*words, "--decimal-comma", "--mass-group").code == 0
    spectrum = load_table("t/MINE_Si.ecsv")
    assert (spectrum.x.value[0], spectrum.value.value[0]) == (30500.0, 2.5e-5)
    assert spectrum.metadata["mass_group"] is True


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
