"""Source compositions: the populations of the reference model, and Type Ia ejecta."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from astropy.table import Table

from ..errors import DataError, ParameterError, nearest
from ..populations.composition import Composition
from ..species import ELEMENTS
from .content import content_path
from .tables import read_ecsv, read_reference

COMPOSITIONS = ("snr", "o_wind", "wr_wind", "msc")
"""Names that `load_composition` knows."""

_COMPOSITION_SCHEMA = "stellarcr-composition/1"
_YIELDS_SCHEMA = "stellarcr-yields/1"
_OWN_REMEDY = f"write '# - {{schema: {_COMPOSITION_SCHEMA}}}' under '# meta: !!omap' in its header"


def load_composition(name: str) -> Composition:
    """Load the composition of one population of the reference model.

    The eight elements that the reference paper prints (Table 3) are kept as printed. Supernova remnants get N, Ne,
    Na, Al and Ca, and the isotopes of all elements, from the composition that propagation codes use, converted to
    equal rigidity and scaled to Table 3's hydrogen; winds and clusters get a placeholder for Ne. Both are said in
    the composition's `source`.

    Parameters
    ----------
    name : {"snr", "o_wind", "wr_wind", "msc"}
        The population.

    Returns
    -------
    Composition
        Number fractions at equal rigidity, with a source for every element.

    Raises
    ------
    DataError
        If the name is unknown or a table is damaged.
    """
    if name not in COMPOSITIONS:
        raise DataError(f"unknown composition {name!r}", remedy=nearest(name, COMPOSITIONS))
    printed, source = _population(name, "qiu2026_table3")
    if name != "snr":
        neon, neon_source = _population(name, "placeholder_neon")
        return Composition(name, _by_charge({**printed, **neon}), {}, {**source, **neon_source})
    relative, isotopes = _galactic_sources()
    added = {symbol: printed["H"] * n for symbol, n in relative.items() if symbol not in printed}
    note = "derived: galactic_source_composition at equal rigidity, scaled to H of Table 3"
    return Composition(name, _by_charge({**printed, **added}), isotopes, {**source, **dict.fromkeys(added, note)})


def load_type_ia(model: str = "N100") -> Composition:
    """Load the ejecta of a Type Ia supernova model as numbers of nuclei (mass over mass number).

    Parameters
    ----------
    model : str
        A model of Seitenzahl et al. (2013), such as ``"N100"``.

    Returns
    -------
    Composition
        Number fractions of the elements up to Ni, which add up to one, with their isotopes. There is no H and He.

    Raises
    ------
    DataError
        If the model is unknown or the table is damaged.
    """
    table = _read("yields", "seitenzahl2013", _YIELDS_SCHEMA, ("model", "element", "mass_number", "mass"))
    models = np.asarray(table["model"])
    if model not in models:
        raise DataError(f"unknown Type Ia model {model!r}", remedy=nearest(model, set(models.tolist())))
    numbers: dict[str, dict[int, float]] = {}
    for row in table[models == model]:
        symbol, mass_number = str(row["element"]), int(row["mass_number"])
        if symbol in ELEMENTS:
            numbers.setdefault(symbol, {})[mass_number] = float(row["mass"]) / mass_number
    elements, isotopes = _fractions(numbers)
    total = math.fsum(elements.values())
    elements = {symbol: number / total for symbol, number in elements.items()}
    source = f"{read_reference(table.meta['reference'])}, model {model}"
    return Composition(f"type_ia_{model}", elements, isotopes, dict.fromkeys(elements, source))


def read_composition(path: str | Path) -> Composition:
    """Read a composition from a table of one's own.

    Parameters
    ----------
    path : str or Path
        ECSV file with ``schema: stellarcr-composition/1``, ``name`` and ``reference`` (with ``text``) in its header
        and the columns ``element`` and ``number_fraction``: numbers of nuclei at equal rigidity, relative to each
        other. With a column ``mass_number`` there is one row per isotope; those of an element are added up and kept.

    Returns
    -------
    Composition
        Number fractions as they are in the table.

    Raises
    ------
    DataError
        If the file is missing or damaged, lacks a key or column, or holds an element twice.
    """
    path = Path(path)
    if not path.is_file():
        near = sorted(p.name for p in path.parent.glob("*.ecsv")) if path.parent.is_dir() else []
        raise DataError("no such file", where=str(path), remedy=nearest(path.name, near))
    table = _checked(path, _COMPOSITION_SCHEMA, ("element", "number_fraction"), _OWN_REMEDY)
    reference = table.meta.get("reference")
    text = str(reference.get("text") or "") if isinstance(reference, Mapping) else ""
    if not text.strip() or not str(table.meta.get("name") or "").strip():
        lacking = "reference: {text: ...}" if not text.strip() else "name"
        raise DataError(f"the header has no {lacking}", where=str(path), remedy="say what the numbers are, and whose")
    isotopic = "mass_number" in table.colnames
    numbers: dict[str, dict[int, float]] = {}
    for row in table:
        symbol, mass_number = str(row["element"]), int(row["mass_number"]) if isotopic else 0
        if mass_number in numbers.setdefault(symbol, {}):
            remedy = "add the rows, or tell them apart in a column mass_number"
            raise DataError(f"{symbol} is listed twice", where=str(path), remedy=remedy)
        numbers[symbol][mass_number] = float(row["number_fraction"])
    elements = {symbol: math.fsum(inside.values()) for symbol, inside in numbers.items()}
    isotopes = {
        symbol: {a: number / elements[symbol] for a, number in inside.items()}
        for symbol, inside in numbers.items()
        if isotopic and elements[symbol] > 0
    }
    try:
        return Composition(str(table.meta["name"]), elements, isotopes, dict.fromkeys(elements, text))
    except ParameterError as error:
        raise DataError(error.problem, where=str(path), remedy=error.remedy) from error


def _population(name: str, file: str) -> tuple[dict[str, float], dict[str, str]]:
    table = _read("compositions", file, _COMPOSITION_SCHEMA, ("element", name))
    reference = read_reference(table.meta["reference"])
    source = f"arXiv:{reference.arxiv} {reference.table}" if reference.arxiv else reference.text
    elements = {str(row["element"]): float(row[name]) for row in table}
    return elements, dict.fromkeys(elements, source)


def _galactic_sources() -> tuple[dict[str, float], dict[str, dict[int, float]]]:
    columns = ("element", "mass_number", "equal_rigidity")
    table = _read("compositions", "galactic_source_composition", _COMPOSITION_SCHEMA, columns)
    numbers: dict[str, dict[int, float]] = {}
    for row in table:
        numbers.setdefault(str(row["element"]), {})[int(row["mass_number"])] = float(row["equal_rigidity"])
    return _fractions(numbers)


def _fractions(
    numbers: Mapping[str, Mapping[int, float]],
) -> tuple[dict[str, float], dict[str, dict[int, float]]]:
    """Numbers per isotope -> numbers per element, and fractions within each element."""
    elements = {symbol: math.fsum(inside.values()) for symbol, inside in numbers.items()}
    isotopes = {
        symbol: {mass_number: number / elements[symbol] for mass_number, number in inside.items()}
        for symbol, inside in numbers.items()
    }
    return elements, isotopes


def _by_charge(elements: Mapping[str, float]) -> dict[str, float]:
    return {symbol: elements[symbol] for symbol in ELEMENTS if symbol in elements}


def _read(folder: str, name: str, schema: str, columns: tuple[str, ...]) -> Table:
    path = content_path("datasets", folder, f"{name}.ecsv")
    return _checked(path, schema, columns, "restore the file that stellarcr came with")


def _checked(path: Path, schema: str, columns: tuple[str, ...], remedy: str) -> Table:
    """Read a table that must have a schema and columns."""
    table, _ = read_ecsv(path)
    if table.meta.get("schema") != schema:
        problem = f"schema is {table.meta.get('schema')!r}, expected {schema!r}"
        raise DataError(problem, where=str(path), remedy=remedy)
    missing = [column for column in columns if column not in table.colnames]
    if missing:
        raise DataError(
            f"column {missing[0]!r} is missing",
            where=str(path),
            remedy=f"the columns needed are {', '.join(columns)}",
        )
    return table
