"""Puts the nuclear network together from tables of cross sections."""

from __future__ import annotations

from pathlib import Path

import numpy as np

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
from ..species import Nuclide
from .content import content_path
from .nuclear_files import NUCLIDES_BY_NAME, NuclearTable, read_nuclear_table

LIGHT = "coste2012"
"""Table whose H2 and He3 every production set takes."""

REFERENCE = "evoli2019"
"""Production set that knows all channels."""

INELASTIC_FORMULA = "letaw1983"

_BASE_ENERGIES = np.concatenate([np.geomspace(0.1, 10.0, 41), np.geomspace(10.0, 1e8, 22)[1:]])
"""Where formulae are evaluated beside the tables' energies [GeV/n]; p + p rises up to the highest."""

_Channel = tuple[str, str]
_Row = tuple[NuclearTable, int]


def nuclear_sets() -> dict[str, Path]:
    """Names and files of the production sets that the package ships."""
    return {name: _path(name) for name in ("evoli2019", "webber2003")}


def inelastic_sets() -> dict[str, Path | None]:
    """Names and files of the sets of total inelastic cross sections; a formula has no file."""
    return {INELASTIC_FORMULA: None} | {name: _path(name) for name in ("barashenkov1994", "tripathi1999")}


def load_network(
    production: str = REFERENCE, inelastic: str = INELASTIC_FORMULA, helium_fraction: float = 0.1
) -> NuclearNetwork:
    """Put the network together from published sets.

    H2 and He3 are those of Coste et al. 2012 with every set. H1 is what the other fragments leave over
    (`stellarcr.galaxy.nuclear.released_protons`).

    Parameters
    ----------
    production : str
        Name of a production set, or path of a table with the same columns.
    inelastic : str
        Name of a set of total inelastic cross sections.
    helium_fraction : float
        Helium atoms per hydrogen atom of the gas.

    Returns
    -------
    NuclearNetwork
        At the energies of all tables; `NuclearNetwork.interpolated` gives it at others.

    Raises
    ------
    DataError
        For an unknown set, or a table with a hole; file, channel and energy are named.
    """
    if not 0.0 <= helium_fraction <= 1.0:
        raise DataError(
            f"helium_fraction = {helium_fraction!r} is no number of helium atoms per hydrogen atom",
            remedy="give a number from 0 to 1; that of the interstellar gas is 0.1",
        )
    tables = _production_tables(production)
    channels = _channels(tables)
    nuclides = network_order({name for channel in channels for name in channel} | {"H1", "H2"})
    position = {n.name: k for k, n in enumerate(nuclides)}
    ordered = sorted(channels, key=lambda channel: (position[channel[0]], position[channel[1]]))
    parent = np.array([position[p] for p, _ in ordered])
    fragment = np.array([position[f] for _, f in ordered])
    energy = np.unique(np.concatenate([_BASE_ENERGIES, *(t.energy for t in tables)]))
    made = _on_gas([channels[c] for c in ordered], ordered, energy, helium_fraction)
    on_hydrogen, said, used = _inelastic(inelastic, nuclides, energy)
    destruction = helium_destruction(helium_fraction) * on_hydrogen
    protons = released_protons(nuclides, destruction, parent, fragment, made)
    breaking = np.arange(len(nuclides) - 1)
    half_life, daughter = decays(nuclides)
    name = production if production in nuclear_sets() else Path(production).stem
    return NuclearNetwork(
        name=name,
        nuclides=nuclides,
        energy=energy,
        destruction=destruction,
        parent=np.concatenate([parent, breaking]),
        fragment=np.concatenate([fragment, np.full(breaking.size, len(nuclides) - 1)]),
        production=np.concatenate([made, protons[:-1]]),
        half_life=half_life,
        daughter=daughter,
        sources={
            "inelastic": said,
            "decays": ", ".join(f"{parent_name} -> {to}" for parent_name, (to, _) in DECAYS.items()),
            "helium": f"He/H = {helium_fraction:g} by number",
            "tables": ", ".join(f"{t.path.name} {t.sha256}" for t in [*tables, *used]),
            **{f"{p} -> {f}": channels[p, f]["H"][0].source for p, f in ordered},
            **{f"{n.name} -> H1": "nucleons that are left over (project choice)" for n in nuclides[:-1]},
        },
    )


def _path(name: str) -> Path:
    return content_path("datasets", "nuclear", f"{name}.ecsv")


def _production_tables(production: str) -> list[NuclearTable]:
    """Tables of a set, the one that decides first: a user's own before that of H2 and He3.

    A table that says ``complete_from: evoli2019`` in its header takes from there what it lacks; any other must have all
    channels of that set.
    """
    known = nuclear_sets()
    path = known.get(production) or Path(production)
    if production not in known and path.suffix == ".ecsv" and not path.is_file():
        raise DataError(
            f"production = {production!r}: no such file",
            remedy=f"give the path of an ECSV table that exists, or the name of a set: {', '.join(known)}",
        )
    if production not in known and path.suffix != ".ecsv":
        raise DataError(
            f"unknown set of production cross sections {production!r}",
            remedy=f"{nearest(production, known)}; or give the path of an ECSV table",
        )
    light = read_nuclear_table(_path(LIGHT), "production")
    table = read_nuclear_table(path, "production")
    first = [light, table] if production in known else [table, light]
    if production == REFERENCE:
        return first
    reference = read_nuclear_table(known[REFERENCE], "production")
    origin = table.metadata.get("complete_from")
    if origin == REFERENCE:
        return [*first, reference]
    if origin is not None:
        raise DataError(
            f"complete_from is {origin!r}, no set with all channels", where=str(path), remedy=f"{REFERENCE!r} is one"
        )
    mine = _channels(first)
    missing = [f"{p} -> {f}" for p, f in _channels([light, reference]) if (p, f) not in mine]
    if missing:
        raise DataError(
            f"{len(missing)} channels are missing: {', '.join(missing[:5])}{', ...' if len(missing) > 5 else ''}",
            where=str(path),
            remedy=f"add their rows, or 'complete_from: {REFERENCE}' to the metadata in the header",
        )
    return first


def _channels(tables: list[NuclearTable]) -> dict[_Channel, dict[str, _Row]]:
    """Rows of every channel by target, from the first table that has the channel."""
    found: dict[_Channel, dict[str, _Row]] = {}
    for table in tables:
        mine: dict[_Channel, dict[str, _Row]] = {}
        for row, (parent, fragment, target) in enumerate(table.keys):
            mine.setdefault((parent, fragment), {})[target] = table, row
        found = mine | found
    return found


def _on_gas(
    rows: list[dict[str, _Row]], channels: list[_Channel], energy: np.ndarray, helium_fraction: float
) -> np.ndarray:
    """Production cross sections per hydrogen atom [mb], helium included."""
    used = {id(table): table for row in rows for table, _ in row.values()}
    on_grid = {key: interpolate_rows(table.energy, table.values, energy) for key, table in used.items()}
    ratios: dict[tuple[int, int], np.ndarray] = {}
    made = np.empty((len(rows), energy.size))
    for k, (row, names) in enumerate(zip(rows, channels, strict=True)):
        table, index = row["H"]
        hydrogen = on_grid[id(table)][index]
        if "He" in row:
            table, index = row["He"]
            made[k] = hydrogen + helium_fraction * on_grid[id(table)][index]
            continue
        charges = NUCLIDES_BY_NAME[names[0]].charge, NUCLIDES_BY_NAME[names[1]].charge
        if charges not in ratios:
            ratios[charges] = 1.0 + helium_fraction * helium_ratio(energy, *charges)
        made[k] = hydrogen * ratios[charges]
    return made


def _inelastic(
    name: str, nuclides: tuple[Nuclide, ...], energy: np.ndarray
) -> tuple[np.ndarray, str, tuple[NuclearTable, ...]]:
    """Total inelastic cross sections on hydrogen [mb], what is said of them, and the table if they come from one.

    Nuclides that a table lacks have the formula's cross section times the ratio of table to formula, interpolated
    linearly in A^(2/3) between the mass numbers of the table.
    """
    known = inelastic_sets()
    if name not in known:
        raise DataError(f"unknown set of inelastic cross sections {name!r}", remedy=nearest(name, known))
    formula = np.array([inelastic_cross_section(n, energy) for n in nuclides])
    path = known[name]
    if path is None:
        return formula, "Letaw et al. 1983; protons Kafexhiu et al. 2014", ()
    table = read_nuclear_table(path, "inelastic")
    # Relative to the formula, whose dip and rise below 1 GeV/n a table of seven energies does not follow.
    at_table = {n.name: inelastic_cross_section(n, table.energy) for n in nuclides}
    relative = np.array([v / at_table[key[0]] for key, v in zip(table.keys, table.values, strict=True)])
    ratio = dict(zip((key[0] for key in table.keys), interpolate_rows(table.energy, relative, energy), strict=True))
    masses = sorted({NUCLIDES_BY_NAME[n].mass_number for n in ratio})
    mean = np.array(
        [np.mean([r for n, r in ratio.items() if NUCLIDES_BY_NAME[n].mass_number == a], axis=0) for a in masses]
    )
    area = np.array(masses) ** (2.0 / 3.0)
    for k, n in enumerate(nuclides):
        if n.name in ratio:
            formula[k] *= ratio[n.name]
        elif n.mass_number > 1:
            place = np.interp(n.mass_number ** (2.0 / 3.0), area, np.arange(area.size))
            below = min(int(place), area.size - 2)
            formula[k] *= mean[below] + (place - below) * (mean[below + 1] - mean[below])
    others = ", ".join(n.name for n in nuclides if n.mass_number > 1 and n.name not in ratio)
    said = f"{table.source}; scaled from their neighbours: {others}; protons Kafexhiu et al. 2014"
    return formula, said, (table,)
