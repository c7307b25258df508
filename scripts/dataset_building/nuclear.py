"""Makes the tables of nuclear cross sections."""

from __future__ import annotations

import csv
import lzma
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
from astropy.table import Column, Table

from dataset_building.nuclear_light import COSTE_ENERGIES, coste_rows
from dataset_building.sources import BuildError
from stellarcr.species import NUCLIDES

SCHEMA = "stellarcr-nuclear/1"

EVOLI_FILE = "evoli2019_cumulative.csv.xz"
WEBBER_FILE = "webber2003_production.txt"
INELASTIC_FILE = "inelastic_total.csv"

# Of the source's 160 energies the fewest above 0.1 GeV/n that keep what `_check_interpolation` asks for: each step is
# the longest that does, from the left. The tables are smooth above 3 GeV/n and not below.
EVOLI_ENERGIES = (
    0.1015, 0.1091, 0.1173, 0.1261, 0.1355, 0.1457, 0.1567, 0.1684, 0.1947, 0.2093, 0.225, 0.2419, 0.2601, 0.2796,
    0.3006, 0.3232, 0.3474, 0.3735, 0.4016, 0.4317, 0.4642, 0.499, 0.5365, 0.5768, 0.6201, 0.6667, 0.7167, 0.7705,
    0.8284, 0.8906, 0.9575, 1.029, 1.107, 1.19, 1.279, 1.375, 1.478, 1.589, 1.709, 1.837, 1.975, 2.123, 2.283, 2.454,
    2.639, 3.279, 3.79, 4.074, 5.063, 7.272, 12.98, 47.78, 1000.0,
)  # fmt: skip

TOLERANCE = 5e-3
"""Largest relative error of interpolation ..."""

SMALLEST = 0.1
"""... of a cross section above this [mb]."""

# Cr48 decays by electron capture; whether its bare nucleus does by beta+ is not measured. The vocabulary lacks it.
_FOLDED = {(24, 48): (22, 48)}

_BY_CHARGE = {(n.charge, n.mass_number): n.name for n in NUCLIDES.values()}

_Channel = tuple[tuple[int, int], tuple[int, int]]


def make_nuclear(folder: Path) -> list[Table]:
    """Make all tables of cross sections.

    Parameters
    ----------
    folder : pathlib.Path
        The ``nuclear/`` folder of the source directory.

    Raises
    ------
    BuildError
        For a missing or damaged source, or one that the chosen energies do not represent.
    """
    evoli = make_evoli(folder / EVOLI_FILE)
    light = make_coste(sorted({*evoli["parent"], *evoli["fragment"]}))
    return [evoli, make_webber(folder / WEBBER_FILE), light, *make_inelastic(folder / INELASTIC_FILE)]


def make_evoli(path: Path) -> Table:
    """Cumulative production cross sections of Evoli et al. 2019, at the energies that matter."""
    with _open(path) as stream:
        rows = list(csv.reader(stream))
    energies = np.array(rows[0][4:], dtype=float)
    channels: dict[_Channel, np.ndarray] = {}
    for row in rows[1:]:
        fragment, parent = (int(row[0]), int(row[1])), (int(row[2]), int(row[3]))
        channels[parent, fragment] = np.array(row[4:], dtype=float)
    kept = np.searchsorted(energies, EVOLI_ENERGIES)
    if kept[-1] >= energies.size or not np.array_equal(energies[kept], EVOLI_ENERGIES):
        raise BuildError(
            f"{path.name}: the energies {EVOLI_ENERGIES[0]} to {EVOLI_ENERGIES[-1]} GeV/n are not all there"
        )
    _check_interpolation(path.name, energies, kept, channels)
    chosen = _fold({channel: values[kept] for channel, values in channels.items()})
    return _table(
        "evoli2019", "production", EVOLI_ENERGIES, [(*channel, "H", values) for channel, values in chosen.items()],
        reference={"text": "Evoli et al. 2019, PRD 99, 103023", "doi": "", "arxiv": "", "table": ""},
        provenance="computed with XS4GCR (MIT licence), cumulative",
        notes=[
            "Cumulative: what short-lived fragments decay into is counted with it.",
            f"{len(EVOLI_ENERGIES)} of the source's 160 energies: linear interpolation in ln E reproduces the others "
            f"above 0.1 GeV/n within {TOLERANCE:g} wherever a cross section exceeds {SMALLEST:g} mb.",
            "Cr48 is counted as Ti48.",
            "He3 is not used: coste2012 decides. He4 -> He3 is 26 mb here at high energy and 50 mb there, where the "
            "tritium that decays into it is counted.",
        ],
    )  # fmt: skip


def make_webber(path: Path) -> Table:
    """Production cross sections of Webber et al. 2003."""
    with _open(path) as stream:
        lines = [line.split() for line in stream if line.strip()]
    energies = np.array(lines[0][1:], dtype=float) / 1e3
    above = energies >= 0.1
    channels: dict[_Channel, np.ndarray] = {}
    for code, *values in lines[1:]:
        parent, fragment = (int(code[2:4]), int(code[:2])), (int(code[6:8]), int(code[4:6]))
        # Hydrogen and neutrons are no network channels; equal A are electron captures of Webber's own propagation.
        if fragment[1] > 1 and fragment[1] < parent[1]:
            channels[parent, fragment] = np.array(values, dtype=float)[above]
    return _table(
        "webber2003", "production", tuple(energies[above]),
        [(*channel, "H", values) for channel, values in _fold(channels).items()],
        reference={"text": "Webber et al. 2003", "doi": "", "arxiv": "", "table": ""},
        provenance="as distributed with XS4GCR",
        complete_from="evoli2019",
        notes=[
            "Cumulative: C12 -> B11 at 2 GeV/n is 56.3 mb, as the cumulative 56.5 mb of evoli2019 (30 mb direct), and "
            "no short-lived nuclide is a fragment.",
            "Has no H2, He3, Li, C14, Ca46, Ca48, Fe60, Ni61 as fragments and no Li, Be7, C14, Ca46, Ca48, Fe60, Ni61, "
            "Ni64 as parents.",
            "Left out: fragments H1 and n, and six pairs of equal mass number, which are electron captures.",
            "Cr48 is counted as Ti48.",
        ],
    )  # fmt: skip


def make_coste(parents: Iterable[str]) -> Table:
    """Production of H2 and He3 from the nuclides with these names."""
    numbers = {name: key for key, name in _BY_CHARGE.items()}
    return _table(
        "coste2012", "production", COSTE_ENERGIES, coste_rows(numbers[name] for name in parents),
        reference={"text": "Coste et al. 2012, A&A 539, A88", "doi": "", "arxiv": "", "table": ""},
        provenance="tables of USINE 3.5 (sigProdCoste12.dat) and of CRAMS (webber03+coste12), both as distributed with "
        "XS4GCRv2 and CRAMS",
        notes=[
            "He3 includes the tritium that decays into it.",
            "From He4, He3: as tabulated, on hydrogen and on helium.",
            "From heavier nuclei: A^1.2 (H2) and 1 + (A/25)^1.5 (He3) times exp(a + b A^(1/2)) of each energy, which "
            "represent the rows of Li6, Li7, C13, C14 and Fe54 of the CRAMS table within 0.7% (1.5% near 4 GeV/n); "
            "on helium three times as much.",
        ],
    )  # fmt: skip


def make_inelastic(path: Path) -> list[Table]:
    """Total inelastic cross sections of two sets."""
    with _open(path) as stream:
        rows = list(csv.DictReader(stream))
    prefix, suffix = "sigma_mb_at_", "GeVn"
    columns = [name for name in rows[0] if name.startswith(prefix)]
    energies = tuple(float(name.removeprefix(prefix).removesuffix(suffix)) for name in columns)
    sets = {
        "tripathi1999": ("Tripathi99+Coste12", "Tripathi et al. 1999, light nuclei of Coste et al. 2012"),
        "barashenkov1994": ("Barashenkov94", "Barashenkov 1994"),
    }
    tables = []
    for name, (model, text) in sets.items():
        chosen = [((int(r["Z"]), int(r["A"])), None, "H", np.array([float(r[c]) for c in columns]))
                  for r in rows if r["model"] == model]  # fmt: skip
        if not chosen:
            raise BuildError(f"{path.name}: no rows of the model {model!r}")
        tables.append(
            _table(
                name, "inelastic", energies, chosen,
                reference={"text": text, "doi": "", "arxiv": "", "table": ""},
                provenance="tabulated in USINE, as distributed with XS4GCR",
                notes=["Nuclides between these are scaled from the two next in mass number, relative to letaw1983."],
            )
        )  # fmt: skip
    return tables


def _open(path: Path) -> IO[str]:
    if not path.is_file():
        raise BuildError(f"no source table {path.name} in {path.parent.name}/")
    return lzma.open(path, "rt") if path.suffix == ".xz" else path.open()


def _fold(channels: dict[_Channel, np.ndarray]) -> dict[_Channel, np.ndarray]:
    """Count fragments that the vocabulary lacks as what they decay into."""
    folded: dict[_Channel, np.ndarray] = {}
    for (parent, fragment), values in channels.items():
        if parent in _FOLDED:
            continue
        key = parent, _FOLDED.get(fragment, fragment)
        folded[key] = folded.get(key, 0.0) + values
    return folded


def _check_interpolation(
    file: str, energies: np.ndarray, kept: np.ndarray, channels: dict[_Channel, np.ndarray]
) -> None:
    """Refuse energies between which a channel is not represented."""
    log_energy = np.log(energies)
    inside = energies >= EVOLI_ENERGIES[0]
    for (parent, fragment), values in channels.items():
        found = np.interp(log_energy, log_energy[kept], values[kept])
        error = np.where(inside & (values > SMALLEST), np.abs(found - values) / np.maximum(values, SMALLEST), 0.0)
        if error.max() > TOLERANCE:
            raise BuildError(
                f"{file}: {parent} -> {fragment} is {error.max():.2%} off at {energies[error.argmax()]:g} GeV/n "
                "with the chosen energies"
            )


def _table(name: str, content: str, energies: Sequence[float], rows: Iterable[Any], **meta: Any) -> Table:
    """Lay out a table: one row per channel or nuclide, one column per energy."""
    table = Table(meta={"schema": SCHEMA, "name": name, "content": content} | meta)
    rows = sorted(rows, key=lambda row: (row[0][1], row[0][0], row[1] or (0, 0), row[2]))
    parents = [_BY_CHARGE[row[0]] for row in rows]
    table["nuclide" if content == "inelastic" else "parent"] = Column(parents, description="nuclide that is destroyed")
    if content == "production":
        table["fragment"] = Column([_BY_CHARGE[row[1]] for row in rows], description="nuclide that is made")
        table["target"] = Column([row[2] for row in rows], description="atom of the gas")
    values = np.array([row[3] for row in rows])
    if not np.all(np.isfinite(values) & (values >= 0.0)):
        raise BuildError(f"{name}: a cross section is negative or not a number")
    for k, energy in enumerate(energies):
        table[f"E{energy:g}"] = Column(values[:, k], unit="mbarn", description=f"at {energy:g} GeV per nucleon")
    return table
