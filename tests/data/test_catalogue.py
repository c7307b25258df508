"""The catalogue of the dataset building lists every source table, and every one is there."""

from collections import Counter

import pytest

from stellarcr.data import list_spectra


@pytest.fixture(scope="module")
def catalogue(building):
    return building("dataset_building.catalogue").catalogue()


def test_every_source_is_listed_once(catalogue):
    folders = Counter(entry.file.rpartition("/")[0] for entry in catalogue)
    # counted in the source directory: 126 recommended fluxes, 37 ratios, 5 <ln A>, 20 superseded fluxes
    assert folders == {"": 126, "ratios": 37, "lnA": 5, "alt": 20}
    assert len({entry.file for entry in catalogue}) == len({entry.name for entry in catalogue}) == 188


def test_every_listed_source_is_a_table(catalogue):
    listed = {
        entry.name: (entry.experiment, entry.species, entry.quantity, entry.hadronic_model or None, entry.status)
        for entry in catalogue
    }
    found = {e.name: (e.experiment, e.species, e.quantity, e.hadronic_model, e.status) for e in list_spectra()}
    assert found == listed


def test_tables_per_quantity_and_experiment(catalogue):
    wanted = Counter((entry.experiment, entry.quantity, entry.status) for entry in catalogue)
    assert Counter((e.experiment, e.quantity, e.status) for e in list_spectra()) == wanted


def test_names_of_files_suit_every_system(catalogue):
    for entry in catalogue:
        for part in (*entry.folder.split("/"), entry.name):
            assert part == part.strip(" .")
            assert not set(part) & set('<>:"/\\|?* ')
