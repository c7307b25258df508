"""What legends call tables of which an experiment has several."""

from types import SimpleNamespace

from stellarcr.studies.panels import series_labels


def table(name, experiment, species, model=None):
    return SimpleNamespace(name=name, experiment=experiment, species=species, hadronic_model=model)


def test_one_table_of_a_species_has_the_name_of_its_experiment():
    tables = [table("a", "CALET", "H"), table("b", "CALET", "He"), table("c", "LHAASO", "H", "EPOS-LHC")]
    assert series_labels([*tables, tables[0]]) == {"a": "CALET", "b": "CALET", "c": "LHAASO"}


def test_hadronic_models_tell_tables_apart():
    tables = [table("a", "KASCADE", "H", "QGSJET-II-04"), table("b", "KASCADE", "H", "SIBYLL-2.1")]
    tables += [table("c", "KASCADE", "C", "SIBYLL-2.1"), table("d", "DAMPE", "H")]
    assert list(series_labels(tables).values()) == [
        "KASCADE (QGSJET-II-04)", "KASCADE (SIBYLL-2.1)", "KASCADE (SIBYLL-2.1)", "DAMPE",
    ]  # fmt: skip


def test_names_tell_tables_of_one_model_apart():
    assert series_labels([table("a", "DAMPE", "H"), table("b", "DAMPE", "H")]) == {"a": "DAMPE (a)", "b": "DAMPE (b)"}
