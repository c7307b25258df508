"""Finding tables by experiment, species, hadronic model, axis and folder."""

import time

import pytest

from stellarcr.data import list_spectra, load_spectrum, registry
from stellarcr.data.schema import EXPERIMENT_ALIASES, request
from stellarcr.errors import DataError

COUNTS = {
    "AMS-02": (40, 7),
    "ATIC-2": (4, 0),
    "BESS-TeV": (2, 0),
    "CALET": (13, 0),
    "CREAM": (3, 0),
    "CREAM-I+III": (2, 0),
    "CREAM-II": (7, 0),
    "DAMPE": (9, 2),
    "GRAPES-3": (1, 0),
    "H.E.S.S.": (1, 0),
    "HAWC": (2, 0),
    "ISS-CREAM": (1, 0),
    "IceCube-IceTop": (3, 0),
    "IceTop": (2, 0),
    "KASCADE": (11, 0),
    "KASCADE-Grande": (4, 0),
    "LHAASO": (15, 8),
    "NUCLEON": (10, 0),
    "PAMELA": (5, 0),
    "TALE": (2, 0),
    "TRACER": (8, 0),
    "TUNKA-133": (3, 0),
    "Tibet-III": (3, 0),
    "Voyager 1": (17, 3),
}
"""Recommended and superseded tables of every experiment, counted in the source directory."""

QUANTITIES = {"flux": 126 + 20, "ratio": 37, "lnA": 5}


def test_listing():
    entries = list_spectra()
    tables = [(e.experiment, e.status) for e in entries]
    assert {
        name: (tables.count((name, "recommended")), tables.count((name, "superseded"))) for name, _ in tables
    } == COUNTS
    assert len(entries) == 188
    assert sum(e.points for e in entries) == 5138
    assert {q: sum(e.quantity == q for e in entries) for q in QUANTITIES} == QUANTITIES
    assert sum(e.status == "superseded" for e in entries) == 20
    assert len({e.name for e in entries}) == len(entries)
    helium = next(e for e in entries if e.name == "AMS-02_He")
    assert (helium.points, helium.x_min, helium.x_max) == (68, 1.92, 3000.0)
    assert (helium.axis, helium.status, helium.data_period) == ("R", "recommended", "2011/05-2018/05")
    assert "Phys. Rep. 894" in helium.reference


def test_a_fresh_listing_is_quick():
    registry._read_entry.cache_clear()
    started = time.process_time()
    list_spectra()
    # 0.2 s where this was written; a second is what a user would notice.
    assert time.process_time() - started < 1.0


def test_listing_without_edges_gives_the_outer_points():
    entry = next(e for e in list_spectra() if e.name == "NUCLEON_H")
    assert (entry.points, entry.x_min, entry.x_max) == (10, 3160.0, 200000.0)


def test_every_recommended_entry_loads_as_listed():
    for entry in list_spectra():
        if entry.status == "recommended":
            species = "lnA" if entry.quantity == "lnA" else entry.species
            spectrum = load_spectrum(entry.experiment, species, entry.hadronic_model, axis=entry.axis)
            assert (spectrum.name, len(spectrum)) == (entry.name, entry.points)
            assert str(spectrum.reference) == entry.reference


def test_a_superseded_version_is_loaded_on_request():
    assert load_spectrum("AMS-02", "C").name == "AMS-02_C"
    assert load_spectrum("AMS-02", "C", status="superseded").name == "AMS-02_C_7yr"
    with pytest.raises(DataError, match="status= one of 'recommended', 'superseded'"):
        load_spectrum("AMS-02", "C", status=None)


def test_two_superseded_versions_are_told_apart():
    with pytest.raises(DataError) as caught:
        load_spectrum("LHAASO", "H", "EPOS-LHC", status="superseded")
    for words in ("LHAASO_H_EPOS-LHC_2505.14447", "arXiv:2505.14447", "arXiv:2511.05013v1"):
        assert words in caught.value.problem


def test_ratios_on_two_axes():
    with pytest.raises(DataError, match="axis= one of 'EKN', 'R'"):
        load_spectrum("AMS-02", "B/C")
    assert load_spectrum("AMS-02", "B/C", axis="R").quantity == "ratio"
    assert load_spectrum("CALET", "p/He", axis="EKN").name == "CALET_H_over_He_EKN"


@pytest.mark.parametrize(
    ("experiment", "alias"),
    [("HESS", "H.E.S.S."), ("Voyager1", "Voyager 1"), ("Tibet", "Tibet-III"), ("CREAM-III", "CREAM-I+III")],
)
def test_other_spellings_of_experiments(experiment, alias):
    assert EXPERIMENT_ALIASES[experiment] == alias
    assert alias in COUNTS


def test_loading_many_tables_is_quick():
    load_spectrum("AMS-02", "H")
    entries = [e for e in list_spectra() if e.quantity == "flux" and e.hadronic_model in (None, "EPOS-LHC")][:24]
    started = time.process_time()
    for e in entries:
        load_spectrum(e.experiment, e.species, e.hadronic_model)
    # About 0.4 s where this was written; a second is what a user would notice.
    assert time.process_time() - started < 2.0


@pytest.mark.parametrize(
    ("alias", "name"),
    [("p", "H"), ("pHe", "p+He"), ("light", "p+He"), ("H+He", "p+He")],
)
def test_species_aliases(alias, name):
    assert load_spectrum("DAMPE", alias).name == load_spectrum("DAMPE", name).name


def test_all_particle_alias():
    assert load_spectrum("NUCLEON", "all-particle").species == "all"


@pytest.mark.parametrize("alias", ["AMS", "AMS02"])
def test_experiment_aliases(alias):
    assert load_spectrum(alias, "He").experiment == "AMS-02"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("AMS-03", "He"), ["'AMS-03'", "did you mean 'AMS-02'", "LHAASO"]),
        (("AMS-02", "Hee"), ["'Hee'", "AMS-02", "did you mean", "'He'"]),
        (("DAMPE", "S"), ["'S'", "DAMPE", "B, B/C, B/O, C, Fe, H, He, O, p+He"]),
        (("DAMPE", "lnA"), ["'lnA'", "DAMPE"]),
        (("LHAASO", "He", "EPOS"), ["'EPOS'", "did you mean 'EPOS-LHC'"]),
        (("AMS-02", "He", "EPOS-LHC"), ["hadronic model 'EPOS-LHC'", "leave 'hadronic_model' out"]),
        (("AMS-02", "He", None, "Ekin"), ["axis 'Ekin'", "EKN"]),
        (("AMS-02", "He", None, "ETOT"), ["axis 'ETOT'", "valid names: R"]),
    ],
)
def test_unknown_names_are_answered_with_the_nearest(arguments, words):
    with pytest.raises(DataError) as caught:
        load_spectrum(*arguments)
    for word in words:
        assert word in str(caught.value)


def test_ambiguous_hadronic_model_lists_all():
    with pytest.raises(DataError) as caught:
        load_spectrum("LHAASO", "He")
    assert "hadronic_model" in str(caught.value)
    for model in ("EPOS-LHC", "QGSJET-II-04", "SIBYLL-2.3d"):
        assert model in caught.value.remedy


def test_a_folder_of_ones_own(table, write, tmp_path):
    write(table, "deep/mine.ecsv")
    spectrum = load_spectrum("TEST", "He", folder=tmp_path)
    assert spectrum.name == "TEST_He"
    with pytest.raises(DataError, match="AMS-02"):
        load_spectrum("AMS-02", "He", folder=tmp_path)


def test_an_edited_table_is_seen(table, write, tmp_path):
    write(table)
    assert list_spectra(tmp_path)[0].points == 3
    write(table[:2])
    assert list_spectra(tmp_path)[0].points == 2


def test_listing_converts_units(table, write, tmp_path):
    for name in ("x", "x_low", "x_high"):
        table[name] = table[name].quantity.to("TV")
    write(table)
    assert list_spectra(tmp_path)[0].x_max == pytest.approx(80.0)


def test_ambiguous_axis_is_asked_for(table, write, tmp_path):
    write(table)
    table.meta["axis"], table.meta["name"] = "ETOT", "TEST_He_ETOT"
    for name in table.colnames:
        if table[name].unit is not None:
            unit = "GeV" if name.startswith("x") else "1 / (m2 s sr GeV)"
            table[name].unit = unit
    write(table, "other.ecsv")
    with pytest.raises(DataError, match="axis= one of 'ETOT', 'R'"):
        load_spectrum("TEST", "He", folder=tmp_path)
    assert load_spectrum("TEST", "He", axis="R", folder=tmp_path).name == "TEST_He"


def test_two_versions_that_differ_in_nothing(table, write, tmp_path):
    write(table)
    table.meta["name"] = "TEST_He_again"
    write(table, "again.ecsv")
    with pytest.raises(DataError, match=r"TEST_He \(table.ecsv\); TEST_He_again \(again.ecsv\)"):
        load_spectrum("TEST", "He", folder=tmp_path)


def test_ambiguous_versions_are_told_apart_by_period_and_reference(table, write, tmp_path):
    table.meta["data_period"] = "2011/05-2016/05"
    write(table)
    table.meta["name"], table.meta["data_period"] = "TEST_He_longer", "2011/05-2021/05"
    table.meta["reference"] = {"text": "A. Author (2023)"}
    write(table, "longer.ecsv")
    with pytest.raises(DataError) as caught:
        load_spectrum("TEST", "He", folder=tmp_path)
    assert "TEST_He (data of 2011/05-2016/05, A. Author (2020)" in caught.value.problem
    assert "TEST_He_longer (data of 2011/05-2021/05, A. Author (2023))" in caught.value.problem


def test_superseded_tables_are_loaded_only_if_asked_for(table, write, tmp_path):
    write(table)
    table.meta["name"], table.meta["status"] = "TEST_He_older", "superseded"
    write(table[:2], "older.ecsv")
    assert [(e.name, e.status) for e in list_spectra(tmp_path)] == [
        ("TEST_He", "recommended"),
        ("TEST_He_older", "superseded"),
    ]
    assert load_spectrum("TEST", "He", folder=tmp_path).name == "TEST_He"
    older = load_spectrum("TEST", "He", folder=tmp_path, status="superseded")
    assert older.name == "TEST_He_older"
    assert "superseded" in str(older)
    with pytest.raises(DataError, match="status= one of 'recommended', 'superseded'"):
        load_spectrum("TEST", "He", folder=tmp_path, status=None)
    with pytest.raises(DataError, match="unknown status 'superceded'"):
        load_spectrum("TEST", "He", folder=tmp_path, status="superceded")


def test_only_a_superseded_table(table, write, tmp_path):
    table.meta["status"] = "superseded"
    write(table)
    with pytest.raises(DataError, match="no table with status 'recommended'"):
        load_spectrum("TEST", "He", folder=tmp_path)
    assert load_spectrum("TEST", "He", folder=tmp_path, status=None).name == "TEST_He"


def test_a_ratio_is_no_flux(table, write, tmp_path):
    write(table)
    table.meta |= {"name": "TEST_p_over_He", "species": "p/He", "quantity": "ratio"}
    for name in table.colnames:
        if not name.startswith("x"):
            table[name].unit = None
    write(table, "ratio.ecsv")
    ratio = load_spectrum("TEST", "H/He", folder=tmp_path)
    assert (ratio.species, ratio.quantity, ratio.value.unit.to_string()) == ("H/He", "ratio", "")
    assert "TEST H/He: ratio against rigidity [GV]" in str(ratio)
    assert load_spectrum("TEST", "He", folder=tmp_path).quantity == "flux"
    with pytest.raises(DataError, match="'B/C'"):
        load_spectrum("TEST", "B/C", folder=tmp_path)


@pytest.mark.parametrize(
    ("asked", "wanted"),
    [
        ("B/C", ("B/C", "ratio")),
        ("p/He", ("H/He", "ratio")),
        ("light/O", ("p+He/O", "ratio")),
        ("Ti", ("Ti", "flux")),
        ("<lnA>", ("all", "lnA")),
    ],
)
def test_what_a_user_asks_for(asked, wanted):
    assert request(asked) == wanted


@pytest.mark.parametrize("asked", ["B/C/O", "B/", "/C", "B/Cc"])
def test_what_is_no_ratio(asked):
    with pytest.raises(DataError):
        request(asked)


def test_two_tables_of_one_name(table, write, tmp_path):
    write(table)
    write(table, "again.ecsv")
    with pytest.raises(DataError, match="two tables are named 'TEST_He'"):
        list_spectra(tmp_path)


def test_missing_folder(tmp_path):
    with pytest.raises(DataError, match="no such folder"):
        list_spectra(tmp_path / "nowhere")


def test_a_damaged_table_in_a_folder_is_named(table, write, tmp_path):
    del table.meta["reference"]
    path = write(table)
    with pytest.raises(DataError, match="no reference") as caught:
        list_spectra(tmp_path)
    assert str(path) in str(caught.value)
