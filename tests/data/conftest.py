"""A small valid table to spoil, and the build script as a module."""

import importlib
import sys
from pathlib import Path

import numpy as np
import pytest
from astropy.table import Column, Table

ROOT = Path(__file__).parents[2]

FLUX = "1 / (m2 s sr GV)"


def make_table() -> Table:
    """A valid table with three bins and two systematic components."""
    table = Table(
        meta={
            "schema": "stellarcr-spectrum/1",
            "name": "TEST_He",
            "experiment": "TEST",
            "species": "He",
            "quantity": "flux",
            "axis": "R",
            "reference": {"text": "A. Author (2020)", "doi": "", "arxiv": "2001.00010", "table": "Table 1"},
            "systematics": {"analysis": "of the analysis", "hadronic": "of the interaction models"},
        }
    )
    table["x_low"] = Column([10.0, 20.0, 40.0], unit="GV")
    table["x_high"] = Column([20.0, 40.0, 80.0], unit="GV")
    table["x"] = Column([14.0, 28.0, 57.0], unit="GV")
    table["value"] = Column([3.0, 0.5, 0.08], unit=FLUX)
    for name, size in (
        ("stat_low", 0.3),
        ("stat_high", 0.6),
        ("systematic_analysis_low", 0.4),
        ("systematic_analysis_high", 0.4),
        ("systematic_hadronic_low", 1.2),
        ("systematic_hadronic_high", 0.2),
    ):
        table[name] = Column(size * np.array([1.0, 0.1, 0.01]), unit=FLUX)
    table["upper_limit"] = [False, False, False]
    table["flag"] = ["", "look twice", ""]
    return table


@pytest.fixture
def table():
    return make_table()


@pytest.fixture
def write(tmp_path):
    """Write a table and return its path."""

    def write_table(table: Table, name: str = "table.ecsv") -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        table.write(path, format="ascii.ecsv", overwrite=True)
        return path

    return write_table


@pytest.fixture(scope="session")
def building():
    """Import a module of the dataset building, as the script itself does."""
    sys.path.insert(0, str(ROOT / "scripts"))
    yield importlib.import_module
    sys.path.remove(str(ROOT / "scripts"))
