"""The tables that stellarcr comes with: none edited, none invalid, all made by the script."""

import hashlib
import re
from pathlib import Path

import numpy as np
import pytest
from astropy.table import Table

from stellarcr.data import list_spectra, load_table
from stellarcr.data.content import content_path

DATASETS = content_path("datasets")
SUMS = dict(reversed(line.split("  ")) for line in (DATASETS / "SHA256SUMS").read_text().splitlines())
FOLDERS = {"H.E.S.S.": "HESS", "Voyager 1": "Voyager-1"}


@pytest.mark.parametrize("name", SUMS)
def test_hash(name):
    assert hashlib.sha256((DATASETS / name).read_bytes()).hexdigest() == SUMS[name]


def test_every_table_is_in_the_sums():
    paths = [*DATASETS.rglob("*.ecsv"), *DATASETS.rglob("*.h5")]
    found = {path.relative_to(DATASETS).as_posix() for path in paths}
    assert found == set(SUMS)


@pytest.mark.parametrize("entry", list_spectra(), ids=lambda entry: entry.name)
def test_spectrum(entry):
    spectrum = load_table(entry.path)
    assert spectrum.sha256 == SUMS[entry.path.relative_to(DATASETS).as_posix()]
    assert entry.path.stem == spectrum.name
    folder = FOLDERS.get(spectrum.experiment, spectrum.experiment)
    older = ["superseded"] if entry.status == "superseded" else []
    assert entry.path.relative_to(DATASETS / "spectra").parts == (folder, *older, f"{spectrum.name}.ecsv")
    assert spectrum.metadata["status"] == entry.status
    assert spectrum.metadata["provenance"]
    assert not re.search(r"(^|\s)[/~]|\.\./", spectrum.metadata["provenance"])
    assert spectrum.metadata["notes"]
    assert spectrum.metadata["confidence"]
    low, high = spectrum.total_error()
    assert np.all((low > 0.0) & (high > 0.0) | spectrum.upper_limit)


@pytest.mark.parametrize("experiment", ["AMS-02", "DAMPE", "LHAASO", "NUCLEON"])
def test_the_reference_fit_has_symmetric_errors_and_edges(experiment):
    for entry in list_spectra():
        if (entry.experiment, entry.quantity, entry.status) == (experiment, "flux", "recommended"):
            spectrum = load_table(entry.path)
            low, high = spectrum.total_error()
            assert np.array_equal(low, high)
            assert np.all(low < 1.2 * spectrum.value)
            assert spectrum.has_edges == (experiment != "NUCLEON")
            assert (spectrum.hadronic_model is not None) == (experiment == "LHAASO")


@pytest.mark.parametrize("entry", [e for e in list_spectra() if e.status == "superseded"], ids=lambda e: e.name)
def test_a_superseded_table_names_what_replaces_it(entry):
    named = re.match(r"Superseded by ([^\s,:;]+)", load_table(entry.path).metadata["notes"][0])
    replacement = next(e for e in list_spectra() if e.name == named[1].rstrip("."))
    assert replacement.status == "recommended"
    assert (replacement.experiment, replacement.species, replacement.quantity, replacement.hadronic_model) == (
        entry.experiment,
        entry.species,
        entry.quantity,
        entry.hadronic_model,
    )


def test_tables_without_systematic_errors_say_so():
    for entry in list_spectra():
        spectrum = load_table(entry.path)
        said = any("no systematic error" in note for note in spectrum.metadata["notes"])
        assert said == (not spectrum.systematics), entry.name


def test_no_column_is_called_like_a_machine():
    for path in DATASETS.rglob("*.ecsv"):
        assert str(Path.home()) not in path.read_text()


def test_columns_carry_units_and_descriptions():
    table = Table.read(DATASETS / "spectra" / "LHAASO" / "LHAASO_pHe_EPOS-LHC.ecsv")
    assert all(table[name].description for name in table.colnames)
    assert all(table[name].unit is not None for name in table.colnames if name not in ("upper_limit", "flag"))
