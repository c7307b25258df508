"""Reads radial source profiles: tables of a user's own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from astropy import units as u

from ..errors import ConfigError, DataError
from ..galaxy.profiles import RadialProfile, TabulatedProfile, source_profile
from .tables import read_ecsv


def load_profile(name: str, where: str = "") -> RadialProfile:
    """Look up a named source profile, or read a table.

    Parameters
    ----------
    name : str
        A name of `stellarcr.galaxy.profiles.PROFILES`, or the path of an ECSV table with the columns ``radius`` (in a
        unit of length) and ``density`` (surface density, relative).
    where : str
        What asked for it, for messages.

    Raises
    ------
    ConfigError
        If the name is unknown.
    DataError
        If the table is damaged.
    """
    if not name.endswith(".ecsv"):
        try:
            return source_profile(name)
        except ConfigError as error:
            remedy = f"{error.remedy}; or give a table, 'file.ecsv'"
            raise ConfigError(error.problem, where=where, remedy=remedy) from None
    table, _ = read_ecsv(Path(name))
    for column in ("radius", "density"):
        if column not in table.colnames:
            raise DataError(
                f"source profile has no column {column!r}", where=name, remedy="give the columns radius and density"
            )
    try:
        radius = np.asarray(u.Quantity(table["radius"]).to_value(u.kpc), dtype=float)
    except u.UnitConversionError:
        raise DataError(
            f"column 'radius' has the unit {table['radius'].unit}, not one of length",
            where=name,
            remedy="give its unit in the header, such as kpc",
        ) from None
    density = np.asarray(table["density"], dtype=float)
    for row, (r, value) in enumerate(zip(radius, density, strict=True), start=1):
        if not (np.isfinite(r) and np.isfinite(value) and r >= 0 and value >= 0):
            raise DataError(
                f"row {row}: radius {r} kpc, density {value}",
                where=name,
                remedy="give finite numbers that are not negative",
            )
    if len(radius) < 2 or np.any(np.diff(radius) <= 0) or not np.any(density > 0):
        raise DataError(
            "the radii of a source profile must increase, and some density be positive",
            where=name,
            remedy="sort the rows by radius, and give at least two",
        )
    return TabulatedProfile(Path(name).name, radius, density, str(table.meta.get("source", name)))
