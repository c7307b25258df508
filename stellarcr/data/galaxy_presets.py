"""Reads galaxy presets: TOML files, from the package or from a user's folder."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from ..errors import ConfigError, DataError, nearest
from ..extensions import asked_for
from ..galaxy import Galaxy
from .content import content_path
from .nuclear_tables import load_network
from .profile_tables import load_profile


def galaxy_presets() -> dict[str, Path]:
    """Names and files of the presets that the package ships."""
    return {path.stem: path for path in sorted(content_path("datasets", "galaxy").glob("*.toml"))}


def load_galaxy(preset: str = "plain-diffusion", changes: Mapping[str, Any] | None = None, where: str = "") -> Galaxy:
    """Build the Galaxy from a preset.

    Parameters
    ----------
    preset : str
        A shipped name, or the path of a TOML file with the same keys.
    changes : mapping, optional
        Values that replace the preset's.
    where : str
        File or key that asked for it, for messages.

    Raises
    ------
    ConfigError
        For an unknown preset, key or value.
    DataError
        For an unknown set of cross sections, and a table that is missing or wrong.
    """
    known = galaxy_presets()
    path = known.get(preset) or Path(preset)
    if path.suffix == ".toml" and not path.is_file():
        raise ConfigError(
            f"no such file: {path}", where=where, remedy=f"give a path that exists, or a name: {', '.join(known)}"
        )
    if path.suffix != ".toml":
        raise ConfigError(
            f"unknown galaxy preset {preset!r}",
            where=where,
            remedy=f"{nearest(preset, known)}; or give the path of a TOML file",
        )
    try:
        content = tomllib.loads(path.read_text())
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"not valid TOML: {error}", where=str(path), remedy="correct that line") from error
    valid = {f.name: f.type for f in fields(Galaxy) if f.name != "network"}
    for origin, mapping in ((str(path), content), (where, changes or {})):
        for key, value in mapping.items():
            if key not in valid:
                raise ConfigError(f"unknown galaxy key {key!r}", where=origin, remedy=nearest(key, valid))
            number = valid[key] == "float"
            if number and (isinstance(value, bool) or not isinstance(value, int | float)):
                raise ConfigError(f"galaxy.{key} = {value!r} must be a number", where=origin, remedy="give a number")
    merged = {"name": path.stem, **own_tables(content, path.parent), **(changes or {})}
    if changes and "production" not in changes and set(changes) >= _SPELLED_OUT:
        # a run folder from before there were cross sections spells out all else, and followed no fragments
        merged["production"] = "none"
    missing = [f.name for f in fields(Galaxy) if f.name not in merged and f.name in _REQUIRED]
    if missing:
        raise ConfigError(
            f"galaxy preset lacks {', '.join(missing)}",
            where=str(path),
            remedy="add the missing keys; see plain-diffusion",
        )
    try:
        # numbers are judged before tables are read
        Galaxy(**{key: value for key, value in merged.items() if key not in ("production", "inelastic", "profile")})
        return Galaxy(**{**merged, **_tables(merged, where or str(path))})
    except ConfigError as error:
        if error.where == where and where:
            raise
        origin = f"{path} with the changes of {where}" if changes else str(path)
        raise ConfigError(error.problem, where=origin, remedy=error.remedy) from None
    except DataError as error:
        raise asked_for(error, where or str(path)) from None


def own_tables(content: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Make the paths of the user's own tables absolute.

    Parameters
    ----------
    content : mapping
        Keys of a preset.
    folder : Path
        To which relative paths refer.
    """
    return {
        key: str((folder / Path(value).expanduser()).resolve())
        if key in ("production", "profile") and isinstance(value, str) and value.endswith(".ecsv")
        else value
        for key, value in content.items()
    }


def _tables(content: Mapping[str, Any], where: str) -> dict[str, Any]:
    """What a preset names and a Galaxy holds: nuclear tables, and a source profile of the user's own."""
    found: dict[str, Any] = {}
    production, inelastic = content.get("production", "none"), content.get("inelastic", "letaw1983")
    if isinstance(production, str) and isinstance(inelastic, str) and production != "none":
        found["network"] = load_network(production, inelastic, float(content.get("helium_fraction", 0.1)))
    if isinstance(content.get("profile"), str):
        found["profile"] = load_profile(content["profile"], where)
    return found


_REQUIRED = ("D0", "delta", "R_h", "delta_h", "eta", "half_height", "hydrogen_column")

_SPELLED_OUT = {f.name for f in fields(Galaxy)} - {"name", "production", "inelastic", "network", "sources"}
"""Keys that the configuration in every run folder holds, older ones too."""
