"""The tables that stellarcr comes with: none edited, none invalid, all made by the script."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
from astropy.table import Table

from stellarcr.data import list_spectra, load_table
from stellarcr.data.content import content_path

DATASETS = content_path("datasets")
SUMS = dict(reversed(line.split("  ")) for line in (DATASETS / "SHA256SUMS").read_text().splitlines())


@pytest.mark.parametrize("name", SUMS)
def test_hash(name):
    assert hashlib.sha256((DATASETS / name).read_bytes()).hexdigest() == SUMS[name]


def test_every_table_is_in_the_sums():
    found = {path.relative_to(DATASETS).as_posix() for path in DATASETS.rglob("*.ecsv")}
    assert found == set(SUMS)


@pytest.mark.parametrize("entry", list_spectra(), ids=lambda entry: entry.name)
def test_spectrum(entry):
    spectrum = load_table(entry.path)
    assert spectrum.sha256 == SUMS[entry.path.relative_to(DATASETS).as_posix()]
    assert entry.path.stem == spectrum.name
    assert entry.path.parent.name == spectrum.experiment
    assert spectrum.metadata["status"] == "recommended"
    assert spectrum.metadata["provenance"]
    assert spectrum.metadata["notes"]
    assert spectrum.has_edges == (spectrum.experiment != "NUCLEON")
    low, high = spectrum.total_error()
    assert np.all(low > 0.0)
    assert np.array_equal(low, high)  # none of the four experiments publishes asymmetric errors here
    assert np.all(low < 1.2 * spectrum.value)
    assert (spectrum.hadronic_model is not None) == (spectrum.experiment == "LHAASO")


def test_no_column_is_called_like_a_machine():
    for path in DATASETS.rglob("*.ecsv"):
        assert str(Path.home()) not in path.read_text()


def test_columns_carry_units_and_descriptions():
    table = Table.read(DATASETS / "spectra" / "LHAASO" / "LHAASO_pHe_EPOS-LHC.ecsv")
    assert all(table[name].description for name in table.colnames)
    assert all(table[name].unit is not None for name in table.colnames if name not in ("upper_limit", "flag"))
