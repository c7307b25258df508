"""Reads tables of nuclear cross sections and puts the network together."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from ..errors import DataError, nearest
from ..galaxy.inelastic import inelastic_cross_section
from ..galaxy.nuclear import (
    DECAYS,
    NuclearNetwork,
    decays,
    helium_destruction,
    helium_ratio,
    interpolate_rows,
    network_order,
    released_protons,
)
from ..species import NUCLIDES, Nuclide
from .content import content_path

LIGHT = "coste2012"
"""Table whose H2 and He3 every production set takes."""

REFERENCE = "evoli2019"
"""Production set that has all channels: others take from it what they lack, if they say so."""

INELASTIC_FORMULA = "letaw1983"

_BASE_ENERGIES = np.concatenate([np.geomspace(0.1, 10.0, 41), np.geomspace(10.0, 1e8, 22)[1:]])
"""Where formulae are evaluated beside the tables' energies [GeV/n]; p + p rises up to the highest."""

_NAMES = {n.name: n for n in NUCLIDES.values()}


@dataclass(frozen=True, eq=False)
class NuclearTable:
    """One table of cross sections.

    Attributes
    ----------
    path : Path
        Its file.
    keys : tuple of tuple of str
        (parent, fragment, target) of each row, or (nuclide,).
    energy : array, shape (n_energy,)
        Kinetic energy per nucleon [GeV].
    values : array, shape (n_rows, n_energy)
        Cross sections [mb].
    metadata : dict
        Of the header.
    """

    path: Path
    keys: tuple[tuple[str, ...], ...]
    energy: np.ndarray
    values: np.ndarray
    metadata: dict[str, Any]

    @property
    def source(self) -> str:
        """Publication, as the header names it."""
        return str((self.metadata.get("reference") or {}).get("text") or self.path.name)


def nuclear_sets() -> dict[str, Path]:
    """Names and files of the production sets that the package ships."""
    return {name: content_path("datasets", "nuclear", f"{name}.ecsv") for name in ("evoli2019", "webber2003")}


def inelastic_sets() -> dict[str, Path | None]:
    """Names and files of the sets of total inelastic cross sections; a formula has no file."""
    names = ("barashenkov1994", "tripathi1999")
    return {INELASTIC_FORMULA: None} | {n: content_path("datasets", "nuclear", f"{n}.ecsv") for n in names}


def load_network(
    production: str = "evoli2019", inelastic: str = INELASTIC_FORMULA, helium_fraction: float = 0.1
) -> NuclearNetwork:
    """Put the network together from published sets.

    Parameters
    ----------
    production : str
        Name of a production set, or path of a table with the same columns.
    inelastic : str
        Name of a set of total inelastic cross sections.
    helium_fraction : float
        Helium atoms per hydrogen atom of the gas.

    Raises
    ------
    DataError
        For an unknown set, or a table with a hole; file, channel and energy are named.
    """
    if not 0.0 <= helium_fraction < 1.0:
        raise DataError(
            f"helium_fraction = {helium_fraction!r} is no number of helium atoms per hydrogen atom",
            remedy="give a number from 0 to 1; 0.1 is that of the interstellar gas",
        )
    tables = _production_tables(production)
    channels: dict[tuple[str, str], dict[str, tuple[NuclearTable, int]]] = {}
    for table in tables:
        mine: dict[tuple[str, str], dict[str, tuple[NuclearTable, int]]] = {}
        for row, (parent, fragment, target) in enumerate(table.keys):
            mine.setdefault((parent, fragment), {})[target] = (table, row)
        channels = mine | channels
    nuclides = network_order({name for channel in channels for name in channel} | {"H1", "H2"})
    energy = np.unique(np.concatenate([_BASE_ENERGIES, *(t.energy for t in tables)]))
    position = {n.name: k for k, n in enumerate(nuclides)}
    ordered = sorted(channels, key=lambda channel: (position[channel[0]], position[channel[1]]))
    on_grid = {id(t): interpolate_rows(t.energy, t.values, energy) for t in tables}
    made = np.array([_with_helium(channels[c], c, on_grid, energy, helium_fraction) for c in ordered])
    parent = np.array([position[p] for p, _ in ordered])
    fragment = np.array([position[f] for _, f in ordered])
    on_hydrogen, said = _inelastic(inelastic, nuclides, energy)
    destruction = helium_destruction(helium_fraction) * on_hydrogen
    protons = released_protons(nuclides, destruction, parent, fragment, made)
    sources = {"inelastic": said, "decays": ", ".join(DECAYS), "helium": f"He/H = {helium_fraction:g}"}
    sources |= {f"{p} -> {f}": channels[p, f]["H"][0].source for p, f in ordered}
    breaking = np.arange(len(nuclides) - 1)
    sources |= {f"{nuclides[k].name} -> H1": "nucleons that are left over (project choice)" for k in breaking}
    half_life, daughter = decays(nuclides)
    return NuclearNetwork(
        name=production if production in nuclear_sets() else Path(production).stem,
        nuclides=nuclides,
        energy=energy,
        destruction=destruction,
        parent=np.concatenate([parent, breaking]),
        fragment=np.concatenate([fragment, np.full(breaking.size, len(nuclides) - 1)]),
        production=np.concatenate([made, protons[:-1]]),
        half_life=half_life,
        daughter=daughter,
        sources=sources,
    )


def _with_helium(rows, channel, on_grid, energy, helium_fraction) -> np.ndarray:
    """Cross section of a channel per hydrogen atom, helium included."""
    table, row = rows["H"]
    hydrogen = on_grid[id(table)][row]
    if "He" in rows:
        other, row = rows["He"]
        return hydrogen + helium_fraction * on_grid[id(other)][row]
    parent, fragment = (_NAMES[name] for name in channel)
    return hydrogen * (1.0 + helium_fraction * helium_ratio(energy, parent.charge, fragment.charge))


def _inelastic(name: str, nuclides: tuple[Nuclide, ...], energy: np.ndarray) -> tuple[np.ndarray, str]:
    """Total inelastic cross sections on hydrogen [mb], and what is said of them."""
    known = inelastic_sets()
    if name not in known:
        raise DataError(f"unknown set of inelastic cross sections {name!r}", remedy=nearest(name, known))
    formula = np.array([inelastic_cross_section(n, energy) for n in nuclides])
    path = known[name]
    if path is None:
        return formula, "Letaw et al. 1983; protons Kafexhiu et al. 2014"
    table = read_nuclear_table(path, "inelastic")
    rows = {
        key[0]: row for key, row in zip(table.keys, interpolate_rows(table.energy, table.values, energy), strict=True)
    }
    ratio = {n: rows[n.name] / f for n, f in zip(nuclides, formula, strict=True) if n.name in rows}
    by_mass = {a: np.mean([r for n, r in ratio.items() if n.mass_number == a], axis=0)
               for a in sorted({n.mass_number for n in ratio})}  # fmt: skip
    area = np.array([a ** (2.0 / 3.0) for a in by_mass])
    stacked = np.array(list(by_mass.values()))
    result = formula.copy()
    for k, n in enumerate(nuclides):
        if n.mass_number > 1:
            between = [np.interp(n.mass_number ** (2.0 / 3.0), area, column) for column in stacked.T]
            result[k] = rows[n.name] if n.name in rows else formula[k] * np.array(between)
    others = ", ".join(n.name for n in nuclides if n.mass_number > 1 and n.name not in rows)
    return result, f"{table.source}; scaled from their neighbours: {others}; protons Kafexhiu et al. 2014"


def _production_tables(production: str) -> list[NuclearTable]:
    """Tables of a set, the one that decides first."""
    known = nuclear_sets()
    path = known.get(production) or Path(production)
    if production not in known and (path.suffix != ".ecsv" or not path.is_file()):
        raise DataError(
            f"unknown set of production cross sections {production!r}",
            remedy=f"{nearest(production, known)}; or give the path of an ECSV table",
        )
    light = read_nuclear_table(content_path("datasets", "nuclear", f"{LIGHT}.ecsv"), "production")
    table = read_nuclear_table(path, "production")
    if production == REFERENCE:
        return [light, table]
    return [light, table, read_nuclear_table(known[REFERENCE], "production")]


def read_nuclear_table(path: Path, content: str) -> NuclearTable:
    """Read one table of cross sections, and refuse holes.

    Parameters
    ----------
    path : Path
        An ECSV file.
    content : {"production", "inelastic"}
        What it must hold.

    Raises
    ------
    DataError
        Names file, channel and energy.
    """
    lines = path.read_text(encoding="utf-8").splitlines()
    start = next((k for k, line in enumerate(lines) if not line.startswith("#")), len(lines))
    header = _header(lines[:start], path)
    names = ("nuclide",) if content == "inelastic" else ("parent", "fragment", "target")
    columns = lines[start].split() if start < len(lines) else []
    if tuple(columns[: len(names)]) != names:
        raise DataError(
            f"a table of {content} cross sections begins with the columns {', '.join(names)}",
            where=str(path), remedy=f"found {', '.join(columns[:4]) or 'no columns'}",
        )  # fmt: skip
    energy = np.array([float(name.removeprefix("E")) for name in columns[len(names) :]])
    body = [line.split(maxsplit=len(names)) for line in lines[start + 1 :] if line.strip()]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        values = np.fromstring(" ".join(cells[-1] for cells in body), sep=" ")
    return NuclearTable(
        path, tuple(tuple(cells[:-1]) for cells in body), energy, values.reshape(len(body), energy.size), header
    )


def _header(lines: list[str], path: Path) -> dict[str, Any]:
    """Metadata of an ECSV header."""
    text = [line.removeprefix("#").removeprefix(" ") for line in lines]
    start = next((k for k, line in enumerate(text) if line.startswith("meta:")), len(text))
    kept = "\n".join(text[start:]).replace("!!omap", "")
    items = (yaml.safe_load(kept) or {}).get("meta") or {}
    return dict(items) if isinstance(items, dict) else {k: v for item in items for k, v in item.items()}
