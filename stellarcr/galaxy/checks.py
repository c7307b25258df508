"""What a Galaxy must be made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from ..errors import ConfigError
from .profiles import SourceProfile, TabulatedProfile, source_profile

if TYPE_CHECKING:
    from .galaxy import Galaxy

DISC_HALF_THICKNESS = 0.1
"""Half-thickness of the disc of gas and sources [kpc]: the solution takes it as infinitely thin."""


def check_galaxy(galaxy: Galaxy) -> None:
    """Refuse a Galaxy that cannot be.

    Parameters
    ----------
    galaxy : Galaxy
        As it was made.

    Raises
    ------
    ConfigError
        Names key, value and remedy.
    """
    where = f"galaxy preset {galaxy.name!r}"
    if not isinstance(galaxy.profile, str | SourceProfile | TabulatedProfile):
        raise ConfigError(
            f"galaxy.profile = {galaxy.profile!r} must be text", where=where, remedy="put profile in quotes"
        )
    for key in ("name", "geometry", "production", "inelastic"):
        if not isinstance(getattr(galaxy, key), str):
            raise ConfigError(
                f"galaxy.{key} = {getattr(galaxy, key)!r} must be text", where=where, remedy=f"put {key} in quotes"
            )
    if galaxy.sources is not None and not isinstance(galaxy.sources, Mapping):
        raise ConfigError(
            f"galaxy.sources = {galaxy.sources!r} must be a table",
            where=where,
            remedy='say of each number where it comes from: [sources] D0 = "..."',
        )
    for key in ("D0", "R_h", "half_height", "hydrogen_column", "radius", "sun"):
        value = getattr(galaxy, key)
        if not (np.isfinite(value) and value > 0):
            raise ConfigError(
                f"galaxy.{key} = {value!r} must be a positive number",
                where=where,
                remedy=f"give {key} a positive value",
            )
    for key in ("delta", "delta_h", "eta"):
        if not np.isfinite(getattr(galaxy, key)):
            raise ConfigError(
                f"galaxy.{key} = {getattr(galaxy, key)!r} must be finite", where=where, remedy=f"give {key} a number"
            )
    for key, usual in (("smoothness", "0 for a sharp break"), ("helium_fraction", "0.1 for the usual gas")):
        value = getattr(galaxy, key)
        if not (np.isfinite(value) and value >= 0):
            raise ConfigError(
                f"galaxy.{key} = {value!r} must be a number that is not negative",
                where=where,
                remedy=f"use {usual}",
            )
    if galaxy.geometry not in ("cylinder", "slab"):
        raise ConfigError(
            f"galaxy.geometry = {galaxy.geometry!r} is unknown",
            where=where,
            remedy="use 'cylinder' or 'slab'",
        )
    if galaxy.sun >= galaxy.radius:
        raise ConfigError(
            f"galaxy.sun = {galaxy.sun} kpc lies outside galaxy.radius = {galaxy.radius} kpc",
            where=where,
            remedy="give the Sun a radius inside the cylinder",
        )
    if galaxy.half_height <= DISC_HALF_THICKNESS:
        raise ConfigError(
            f"galaxy.half_height = {galaxy.half_height} kpc: the halo is not thicker than the disc "
            f"({DISC_HALF_THICKNESS} kpc)",
            where=where,
            remedy="give a half-height in kpc; 4 to 7 is usual",
        )
    if (galaxy.production == "none") != (galaxy.network is None):
        raise ConfigError(
            f"galaxy.production = {galaxy.production!r} does not go with "
            + ("a network" if galaxy.network is not None else "no network"),
            where=where,
            remedy="build it with load_galaxy, which reads the tables of a set",
        )
    source_profile(galaxy.profile)
