"""Reads tables of nuclear cross sections, and refuses those with a hole."""

from __future__ import annotations

import hashlib
import warnings
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from ..errors import DataError, nearest
from ..species import NUCLIDES, Nuclide

NUCLIDES_BY_NAME: dict[str, Nuclide] = {n.name: n for n in NUCLIDES.values()}

FORMAT = "datasets/nuclear/evoli2019.ecsv shows the format"

COLUMNS = {"production": ("parent", "fragment", "target"), "inelastic": ("nuclide",)}
"""Columns before those of the energies, by content."""

_LOWEST, _HIGHEST, _STEP = 1.0, 5.0, 4.0


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
    sha256 : str
        Of the file.
    """

    path: Path
    keys: tuple[tuple[str, ...], ...]
    energy: np.ndarray
    values: np.ndarray
    metadata: dict[str, Any]
    sha256: str

    @property
    def source(self) -> str:
        """Publication, as the header names it."""
        return str((self.metadata.get("reference") or {}).get("text") or self.path.name)


def read_nuclear_table(path: Path, content: str) -> NuclearTable:
    """Read one table of cross sections.

    Parameters
    ----------
    path : Path
        An ECSV file whose cells are separated by blanks: the columns of `COLUMNS`, then one per energy, such as
        ``E0.5`` for 0.5 GeV per nucleon.
    content : {"production", "inelastic"}
        What it must hold.

    Raises
    ------
    DataError
        For a missing cell or energy, a number that is negative or none, an unknown nuclide, a fragment that is not
        lighter than its parent, a channel twice; names file, channel and energy.
    """
    raw = path.read_bytes()
    lines = raw.decode("utf-8").splitlines()
    start = next((k for k, line in enumerate(lines) if not line.startswith("#")), len(lines))
    columns = lines[start].split() if start < len(lines) else []
    names = COLUMNS[content]
    if tuple(columns[: len(names)]) != names:
        raise DataError(
            f"a table of {content} cross sections begins with the columns {' '.join(names)}, "
            f"found {' '.join(columns[: len(names)]) or 'none'}",
            where=str(path),
            remedy=FORMAT,
        )
    energy = _energies(columns[len(names) :], path)
    body = [line.split(maxsplit=len(names)) for line in lines[start + 1 :] if line.strip()]
    keys = tuple(tuple(cells[: len(names)]) for cells in body)
    values = _values(body, keys, energy, path)
    _check_keys(keys, content, path)
    return NuclearTable(path, keys, energy, values, _metadata(lines[:start]), hashlib.sha256(raw).hexdigest())


def describe_key(key: tuple[str, ...]) -> str:
    """Name a row: ``C12 -> B11 on He``, or a nuclide."""
    if len(key) < 2:
        return "".join(key)
    return f"{key[0]} -> {key[1]}" + (f" on {key[2]}" if key[2:] not in ((), ("H",)) else "")


def _energies(columns: list[str], path: Path) -> np.ndarray:
    """Energies that the column names say [GeV/n]."""
    found = []
    for name in columns:
        try:
            found.append(float(name.removeprefix("E")))
        except ValueError:
            found.append(float("nan"))
        if not name.startswith("E") or not 0.0 < found[-1] < np.inf:
            raise DataError(
                f"column {name!r} is no energy", where=str(path), remedy="name it E0.5 for 0.5 GeV per nucleon"
            )
    for low, high in pairwise(found):
        if high <= low:
            raise DataError(
                f"the energy {high:g} GeV/n follows {low:g}", where=str(path), remedy="order the columns by energy"
            )
        if high > _STEP * low and low < _HIGHEST:
            raise DataError(
                f"there are no energies between {low:g} and {high:g} GeV/n",
                where=str(path),
                remedy=f"below {_HIGHEST:g} GeV/n energies lie within a factor {_STEP:g} of each other: add a column",
            )
    if not found or found[0] > _LOWEST or found[-1] < _HIGHEST:
        covered = f"{found[0]:g} to {found[-1]:g} GeV/n" if found else "nothing"
        raise DataError(
            f"the energies cover {covered}",
            where=str(path),
            remedy=f"cover {_LOWEST:g} to {_HIGHEST:g} GeV/n at least; outside, cross sections are constant",
        )
    return np.array(found)


def _values(body: list[list[str]], keys: tuple[tuple[str, ...], ...], energy: np.ndarray, path: Path) -> np.ndarray:
    """Numbers of all rows; the reader of single rows is asked only if something is wrong with them."""
    if not body:
        raise DataError("the table has no rows", where=str(path), remedy=FORMAT)
    flat = np.empty(0)
    # text that is no number: an error or, before numpy 2.3, a warning
    with warnings.catch_warnings(), suppress(ValueError):
        warnings.simplefilter("ignore", DeprecationWarning)
        flat = np.fromstring(" ".join(cells[-1] for cells in body), sep=" ")
    complete = all(len(c) == len(keys[0]) + 1 for c in body) and len({c[-1].count(" ") for c in body}) == 1
    if complete and flat.size == len(body) * energy.size and np.all((flat >= 0.0) & (flat < np.inf)):
        return flat.reshape(len(body), energy.size)
    return np.array([_row(cells, len(keys[0]), energy, path) for cells in body])


def _row(cells: list[str], leading: int, energy: np.ndarray, path: Path) -> list[float]:
    """Numbers of one row.

    Raises
    ------
    DataError
        With the channel and the energy of the cell that is wrong.
    """
    said = describe_key(tuple(cells[:leading]))
    given = cells[leading].split() if len(cells) > leading else []
    for column, text in zip(energy, given, strict=False):
        try:
            right = 0.0 <= float(text) < float("inf")
        except ValueError:
            right = False
        if not right:
            raise DataError(
                f"{said} at {column:g} GeV/n is {text}, no cross section",
                where=str(path),
                remedy="give a number in mb, zero or positive",
            )
    if len(given) != energy.size:
        place = f"the one at {energy[len(given)]:g} GeV/n is missing" if len(given) < energy.size else "there are more"
        raise DataError(
            f"{said} has {len(given)} cross sections for {energy.size} energies: {place}",
            where=str(path),
            remedy="give one number per energy",
        )
    return [float(text) for text in given]


def _check_keys(keys: tuple[tuple[str, ...], ...], content: str, path: Path) -> None:
    """Refuse unknown nuclides and targets, fragments that are not lighter, and rows that come twice."""
    for key in keys:
        for name in key[:2]:
            if name not in NUCLIDES_BY_NAME:
                raise DataError(
                    f"unknown nuclide {name!r} in {describe_key(key)}",
                    where=str(path),
                    remedy=nearest(name, NUCLIDES_BY_NAME),
                )
        if content == "production":
            parent, fragment = (NUCLIDES_BY_NAME[name] for name in key[:2])
            if fragment.mass_number >= parent.mass_number:
                raise DataError(
                    f"{describe_key(key)}: the fragment is not lighter than its parent",
                    where=str(path),
                    remedy="fragmentation makes lighter nuclei; decays are no rows of this table",
                )
            if fragment.mass_number == 1:
                raise DataError(
                    f"{describe_key(key)}: free protons are what the other fragments leave over",
                    where=str(path),
                    remedy="remove the row",
                )
            if key[2] not in ("H", "He"):
                raise DataError(
                    f"{describe_key(key[:2])}: unknown target {key[2]!r}", where=str(path), remedy="'H' or 'He'"
                )
    twice = [key for key, count in Counter(keys).items() if count > 1]
    if twice:
        raise DataError(f"{describe_key(twice[0])} comes twice", where=str(path), remedy="keep one of the rows")
    present = set(keys)
    for key in keys:
        if content == "production" and key[2] == "He" and (*key[:2], "H") not in present:
            raise DataError(
                f"{describe_key(key)} has no row on H", where=str(path), remedy="give the row with target H as well"
            )


def _metadata(lines: list[str]) -> dict[str, Any]:
    """Metadata of an ECSV header."""
    text = [line.removeprefix("#").removeprefix(" ") for line in lines]
    start = next((k for k, line in enumerate(text) if line.startswith("meta:")), len(text))
    kept = "\n".join(text[start:]).replace("!!omap", "")
    items = (yaml.load(kept, Loader=_LOADER) or {}).get("meta") or {}
    return dict(items) if isinstance(items, dict) else {k: v for item in items for k, v in item.items()}


_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
