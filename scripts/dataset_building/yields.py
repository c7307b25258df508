"""Makes the table of Type Ia yields."""

from __future__ import annotations

import math
import re
from pathlib import Path

from astropy.table import Column, Table

from dataset_building.sources import BuildError, read_yields
from stellarcr.species import ELEMENTS

SCHEMA = "stellarcr-yields/1"

SOURCE_FILE = "seitenzahl2013_sn_ia.csv"

# The nucleosynthesis goes beyond nickel, the vocabulary of stellarcr does not.
_CHARGES = {**ELEMENTS, "Cu": 29, "Zn": 30, "Ga": 31}

_ISOTOPE = re.compile(r"^([a-z]{1,2})(\d{1,2})$")


def make_type_ia(folder: Path) -> Table:
    """Make the table of isotopic yields of the Type Ia models.

    Parameters
    ----------
    folder : pathlib.Path
        The ``yields/`` folder of the source directory.

    Raises
    ------
    BuildError
        For a damaged line, or models with different isotopes or with an unlikely total mass.
    """
    lines = []
    for row in read_yields(folder / SOURCE_FILE):
        match = _ISOTOPE.match(row["isotope"])
        symbol = match[1].capitalize() if match else ""
        if match is None or symbol not in _CHARGES:
            raise BuildError(f"{SOURCE_FILE}: unknown isotope {row['isotope']!r}")
        lines.append((row["model"], symbol, _CHARGES[symbol], int(match[2]), float(row["mass_msun"])))
    lines.sort(key=lambda line: (line[0], line[2], line[3]))
    _check(lines)
    table = Table(
        meta={
            "schema": SCHEMA,
            "name": "seitenzahl2013",
            "reference": {
                "text": "Seitenzahl et al., MNRAS 429, 1156 (2013)",
                "doi": "",
                "arxiv": "",
                "table": "",
            },
            "notes": [
                "Ejected mass per isotope after decay to stable isotopes.",
                "Delayed detonations of near-Chandrasekhar white dwarfs; N is the number of ignition kernels.",
                "Numbers unchanged; rows sorted by model, charge and mass number.",
            ],
            "provenance": "data set of VICE 1.3.1",
        }
    )
    columns = list(zip(*lines, strict=True))
    table["model"] = Column(columns[0], description="explosion model")
    table["element"] = Column(columns[1], description="element")
    table["charge"] = Column(columns[2], description="charge Z")
    table["mass_number"] = Column(columns[3], description="mass number A")
    table["mass"] = Column(columns[4], unit="Msun", description="ejected mass")
    return table


def _check(lines: list[tuple[str, str, int, int, float]]) -> None:
    models = {line[0] for line in lines}
    isotopes = {model: [line[2:4] for line in lines if line[0] == model] for model in models}
    if len({tuple(found) for found in isotopes.values()}) != 1:
        raise BuildError(f"{SOURCE_FILE}: models list different isotopes")
    for model in models:
        if len(set(isotopes[model])) != len(isotopes[model]):
            raise BuildError(f"{SOURCE_FILE}: model {model} lists an isotope twice")
        mass = math.fsum(line[4] for line in lines if line[0] == model)
        # The models explode a white dwarf near the Chandrasekhar mass.
        if not 1.35 < mass < 1.45:
            raise BuildError(f"{SOURCE_FILE}: model {model} ejects {mass:.3f} Msun, not about 1.4")
    if any(line[4] < 0.0 for line in lines):
        raise BuildError(f"{SOURCE_FILE}: negative mass")
