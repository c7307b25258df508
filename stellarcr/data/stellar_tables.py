"""Tables of stellar populations: made once, kept in a cache on disk, found again by all that made them."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from platformdirs import user_cache_path

from ..errors import DataError, StellarcrError
from ..extensions import is_reference
from ..populations.base import IsotopeChoice, Population
from ..populations.stellar import stellar_population
from ..populations.stellar_options import StellarOptions
from ..populations.stellar_steps import stellar_steps
from ..populations.stellar_table import StellarTable
from ..populations.stellar_tabulation import build_table
from ..stars.imf import check_upper_mass
from ..stars.recipes import WindRecipe, wind_recipe
from .tracks import list_tracks, load_tracks

CACHE_VARIABLE = "STELLARCR_CACHE"
"""Environment variable with the folder of the cache; else the user's cache folder of the operating system."""

_ARRAYS = ("abundances", "coefficients", "mean", "basis", "energy", "log_rigidity")
_NUMBERS = ("log_top", "log_mean", "mechanical_energy", "lost", "error")
_CODE = ("stars/*.py", "shock/*.py", "populations/stellar_[ost]*.py")
"""Code that makes tables."""

_log = logging.getLogger("stellarcr")


def cache_folder() -> Path:
    """Folder of tables: that of the environment variable `CACHE_VARIABLE`, or ``stellarcr`` in the user's cache."""
    given = os.environ.get(CACHE_VARIABLE)
    return Path(given).expanduser() if given else user_cache_path("stellarcr", appauthor=False)


def load_stellar_population(
    options: StellarOptions, isotopes: IsotopeChoice = "given", where: str = "", folder: Path | None = None
) -> Population:
    """Build a population whose spectrum comes from stellar evolution.

    The table is read from the cache, or made (up to a minute) and put there.

    Parameters
    ----------
    options : StellarOptions
        What is wanted.
    isotopes : {"given", "dominant", "natural"}
        Isotopes of each element: those of the winds, one, or terrestrial ones.
    where : str
        Configuration and section, for messages.
    folder : Path, optional
        Folder of the cache; default `cache_folder()`.

    Raises
    ------
    StellarcrError
        For an unknown grid or recipe, an M_up outside the grid, and all that the table's making refuses.
    """
    recipe = wind_recipe(options.recipe, where)
    identity = table_identity(options, recipe)
    try:
        table = load_stellar_table(options, recipe, identity, folder)
    except StellarcrError as error:
        if where and where not in error.where:
            place = f"{error.where}, asked for by {where}" if error.where else where
            raise type(error)(error.problem, where=place, remedy=error.remedy) from error
        raise
    if options.amplitude == "efficiency":
        identity = identity | {"star_formation_rate": options.star_formation_rate}
    return stellar_population(options, table, isotopes, identity=tuple(sorted(identity.items())))


def check_stellar_options(options: StellarOptions, where: str = "") -> None:
    """Refuse what can be refused before a table is made: unknown grids and recipes, an M_up outside the grid.

    Parameters
    ----------
    options : StellarOptions
        What is wanted.
    where : str
        Configuration and section, for messages.
    """
    wind_recipe(options.recipe, where)
    grid_file(options.grid)
    grid = load_tracks(options.grid)
    check_upper_mass(float(options.M_up or 0.0), grid.name, float(grid.masses[0]), float(grid.masses[-1]))


def table_identity(options: StellarOptions, recipe: WindRecipe) -> dict[str, Any]:
    """What decides a table: options, the version of the physics, hashes of the grid's file and of a user's recipe.

    The same on every machine: paths do not enter.
    """
    name = options.recipe.rpartition(":")[2] if is_reference(options.recipe) else options.recipe
    return options.decisive() | {"grid": _file_hash(grid_file(options.grid)), "recipe": [name, *recipe.identity]}


def grid_file(name: str) -> Path:
    """File of a grid by name or path.

    Raises
    ------
    DataError
        If there is none.
    """
    known = list_tracks()
    path = known.get(name, Path(name))
    if not path.is_file():
        load_tracks(name)  # says what is wrong, and what there is
        raise DataError("no such file of tracks", where=str(path), remedy="check the path")
    return path


def load_stellar_table(
    options: StellarOptions, recipe: WindRecipe, identity: Mapping[str, Any], folder: Path | None = None
) -> StellarTable:
    """Read a table from the cache, or make it and keep it.

    Parameters
    ----------
    options : StellarOptions
        What is wanted.
    recipe : WindRecipe
        The recipe that they name.
    identity : mapping
        From `table_identity`.
    folder : Path, optional
        Folder of the cache.

    Returns
    -------
    StellarTable
        A damaged file of the cache is made again; a cache that cannot be written is said, and does not stop the work.
    """
    key = hashlib.sha256(json.dumps([dict(identity), _code_hash()], sort_keys=True).encode()).hexdigest()
    path = (folder or cache_folder()) / f"{options.kind}-{key[:32]}.npz"
    try:
        return _read(path)
    except (FileNotFoundError, NotADirectoryError):
        _log.debug("the table %s is not made yet", path)
    except (OSError, ValueError, TypeError, KeyError, BadZipFile, EOFError) as error:
        _log.warning("the table %s cannot be read (%s) and is made again", path, error)
    _log.info(
        "tabulating the spectra of %r from %s with %s: up to a minute, once; kept in %s",
        options.kind, options.grid, options.recipe, path.parent,
    )  # fmt: skip
    table = build_table(stellar_steps(options, load_tracks(options.grid), recipe), options)
    try:
        _write(table, identity, path)
    except OSError as error:
        _log.warning("the table cannot be kept: %s; set %s to a folder that can be written", error, CACHE_VARIABLE)
    return table


def _write(table: StellarTable, identity: Mapping[str, Any], path: Path) -> None:
    """Write a table so that others see all of it or nothing."""
    content: dict[str, Any] = {name: getattr(table, name) for name in (*_ARRAYS, *_NUMBERS)}
    content["description"] = json.dumps(
        {
            "elements": table.elements,
            "isotopes": {element: dict(inside) for element, inside in table.isotopes.items()},
            "eta_B_range": table.eta_B_range,
            "gamma_range": table.gamma_range,
            "identity": dict(identity),
        }
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            np.savez(file, **content)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _read(path: Path) -> StellarTable:
    with np.load(path, allow_pickle=False) as content:
        described = json.loads(str(content["description"]))
        fields: dict[str, Any] = {name: content[name] for name in _ARRAYS}
        fields |= {name: float(content[name]) for name in _NUMBERS}
    isotopes = {
        element: {int(number): part for number, part in inside.items()}
        for element, inside in described["isotopes"].items()
    }
    return StellarTable(
        elements=tuple(described["elements"]),
        isotopes=isotopes,
        eta_B_range=tuple(described["eta_B_range"]),
        gamma_range=tuple(described["gamma_range"]),
        **fields,
    )


def _file_hash(path: Path) -> str:
    return _hash_of(path, path.stat().st_mtime_ns, path.stat().st_size)


@cache
def _hash_of(path: Path, modified: int, size: int) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@cache
def _code_hash() -> str:
    """Hash of the code that makes tables: a cache must not outlive a change of it."""
    root = Path(__file__).parents[1]
    digest = hashlib.sha256(np.__version__.encode())
    for file in sorted(file for pattern in _CODE for file in root.glob(pattern)):
        digest.update(file.read_bytes())
    return digest.hexdigest()
