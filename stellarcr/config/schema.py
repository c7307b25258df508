"""The form of a run configuration, and reading one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, model_validator

from ..data.galaxy_presets import own_tables
from ..errors import ConfigError, nearest
from ..extensions import absolute_reference, absolute_references, is_reference
from ..likelihood.schema import Strict, parse, read_toml


class PopulationConfig(Strict):
    """One source population."""

    kind: str | None = Field(
        None,
        description="snr, o_wind, wr_wind, msc, ia or nearby, a kind that an installed package declares, or a builder "
        "of your own, 'file.py:Name' or 'module:Name'; default: the section's name",
    )
    spectrum: Literal["effective", "stellar"] = Field(
        "effective",
        description="of o_wind, wr_wind and msc: a power law with a cutoff, or what stellar evolution gives",
    )
    composition: str | None = Field(
        None,
        description="snr, o_wind, wr_wind or msc, type_ia, or an ECSV table of your own, 'file.ecsv'; default: that of "
        "the kind",
    )
    isotopes: str = Field("dominant", description="dominant, given (by the composition) or natural (terrestrial)")
    profile: str | None = Field(
        None,
        description="radial distribution of the sources, a name or an ECSV table of your own, 'file.ecsv'; default: "
        "the Galaxy's",
    )
    yields: str = Field("N100", description="Type Ia only: explosion model of Seitenzahl et al. 2013")
    options: dict[str, Any] = Field(
        default={},
        description="of a stellar spectrum (see the how-to on stellar populations), of a nearby source (see the how-to "
        "on nearby sources), or keyword arguments of a builder of your own",
    )


class NearbyConfig(Strict):
    """Nearby sources from a table, one population each."""

    table: str = Field(description="a shipped table, such as qiu2026, or an ECSV table of your own, 'file.ecsv'")
    names: tuple[str, ...] | None = Field(None, min_length=1, description="which sources; default: all of the table")
    isotopes: str = Field("dominant", description="dominant, given (by the composition) or natural (terrestrial)")
    yields: str = Field("N100", description="of sources of type ia: explosion model of Seitenzahl et al. 2013")
    boundary: Literal["free", "halo"] = Field(
        "free", description="diffusion in infinite space, or in a halo that particles leave at its half-height"
    )
    gas_density: float = Field(
        0.0, ge=0, allow_inf_nan=False, description="gas along the way [1/cm3], which destroys nuclei; 0 is none"
    )


class ConstraintConfig(Strict):
    """An ordering of parameters that is part of the prior."""

    order: tuple[str, ...] = Field(min_length=2, description="free parameters, from the smallest value to the largest")


class OutputConfig(Strict):
    """Where the run folder goes."""

    folder: str = Field(default="chains", description="folder of run folders, relative to the working folder")


class GridConfig(Strict):
    """Rigidity grid of the fit."""

    lowest: float = Field(default=1.0, description="first rigidity [GV]; powers are defined above 1 GV")
    highest: float = Field(default=4e8, description="last rigidity [GV], well above all cutoffs")
    per_decade: int = Field(default=20, description="points per decade of rigidity")


class RunConfig(Strict):
    """Everything that defines a run.

    Build it from a file with `load_config`, or in Python with keyword arguments of the same names.
    """

    name: str = Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", description="name of the run and its folder; default: the file's name"
    )
    description: str = Field("", description="one line for people")
    seed: int = Field(1, ge=0, description="seed of all random numbers")
    galaxy: dict[str, Any] = Field(
        default={"preset": "plain-diffusion"}, description="preset of the Galaxy, and keys that replace its own"
    )
    grid: GridConfig = Field(GridConfig(), description="rigidity grid of the fit")
    populations: dict[str, PopulationConfig] = Field(min_length=1, description="what injects, by name")
    nearby: NearbyConfig | None = Field(None, description="nearby sources from a table, one population each")
    parameters: dict[str, Any] = Field(default={}, description="values, priors and links of parameters, by name")
    constraints: tuple[ConstraintConfig, ...] = Field((), description="orders of parameters, part of the prior")
    likelihoods: dict[str, dict[str, Any]] = Field(min_length=1, description="experiments that are fitted, by name")
    amplitudes: Literal["sampled", "collapsed"] = Field(
        "sampled",
        description="collapsed integrates power and free abundances of one population out of the posterior, in closed "
        "form, and draws them again afterwards: the same result from fewer dimensions",
    )
    sampler: dict[str, Any] = Field(default={"name": "emcee"}, description="the sampler and its options")
    output: OutputConfig = Field(OutputConfig(), description="where the run goes")
    code: dict[str, str] = Field(
        default={},
        description="SHA-256 of your own Python files; a run folder's config.toml keeps them, and they are checked "
        "when it is read",
    )
    path: str = Field("", exclude=True, description="file that it was read from")

    @model_validator(mode="before")
    @classmethod
    def _absolute(cls, content: Any) -> Any:
        """Make references to the user's own files mean the same from anywhere."""
        if not isinstance(content, Mapping):
            return content
        path = content.get("path")
        base = Path(path).parent if isinstance(path, str) and path else Path()
        sections = {key: content[key] for key in ("populations", "parameters", "likelihoods") if key in content}
        if isinstance(content.get("galaxy"), Mapping):
            content = {**content, "galaxy": own_tables(content["galaxy"], base)}
        sampler = content.get("sampler")
        if isinstance(sampler, Mapping) and is_reference(sampler.get("name")):
            content = {**content, "sampler": {**sampler, "name": absolute_reference(sampler["name"], base)}}
        if isinstance(sections.get("populations"), Mapping):
            sections["populations"] = {
                name: section.model_dump() if isinstance(section, PopulationConfig) else section
                for name, section in sections["populations"].items()
            }
        return {**content, **_own_files(absolute_references(sections, base), base), **_own_nearby(content, base)}

    @model_validator(mode="after")
    def _keys_differ(self) -> RunConfig:
        both = (set(self.populations) | {"galaxy"}) & set(self.likelihoods)
        if both:
            names = ", ".join(repr(name) for name in sorted(both))
            raise ValueError(
                f"a population and a likelihood have the same name, {names}: parameters would be ambiguous"
            )
        return self

    @property
    def where(self) -> str:
        """Name of the configuration in messages."""
        return self.path or f"configuration {self.name!r}"

    @property
    def base(self) -> Path:
        """Folder to which relative paths refer."""
        return Path(self.path).parent if self.path else Path()


def _own_files(sections: dict[str, Any], base: Path) -> dict[str, Any]:
    """Make the paths of the user's compositions and folders of tables absolute.

    A folder that does not lie beside the configuration is left as it is: relative to the likelihood file.
    """
    for part, key in (("populations", "composition"), ("populations", "profile"), ("likelihoods", "folder")):
        tables = sections.get(part)
        for table in tables.values() if isinstance(tables, dict) else ():
            name = table.get(key) if isinstance(table, dict) else None
            if isinstance(name, str) and (name.endswith(".ecsv") or (key == "folder" and (base / name).is_dir())):
                table[key] = str((base / Path(name).expanduser()).resolve())
    populations = sections.get("populations")
    for table in populations.values() if isinstance(populations, dict) else ():
        if isinstance(table, dict) and table.get("spectrum") == "stellar" and isinstance(table.get("options"), Mapping):
            table["options"] = _own_stellar_files(table["options"], base)
    return sections


def _own_nearby(content: Mapping[str, Any], base: Path) -> dict[str, Any]:
    """Make the path of the user's table of nearby sources absolute."""
    section = content.get("nearby")
    section = section.model_dump() if isinstance(section, NearbyConfig) else section
    if not isinstance(section, Mapping):
        return {}
    table = section.get("table")
    if not isinstance(table, str) or not table.endswith(".ecsv"):
        return {}
    return {"nearby": {**section, "table": str((base / Path(table).expanduser()).resolve())}}


def _own_stellar_files(options: Mapping[str, Any], base: Path) -> dict[str, Any]:
    """Make the paths of a user's grid of tracks and wind recipe absolute."""
    changed = dict(options)
    grid, recipe = options.get("grid"), options.get("recipe")
    if isinstance(grid, str) and grid.endswith(".h5"):
        changed["grid"] = str((base / Path(grid).expanduser()).resolve())
    if isinstance(recipe, str) and is_reference(recipe):
        changed["recipe"] = absolute_reference(recipe, base)
    return changed


def load_config(path: str | Path) -> RunConfig:
    """Read a run configuration.

    Parameters
    ----------
    path : str or Path
        TOML file.

    Raises
    ------
    ConfigError
        If the file is missing or wrong; names key, value and remedy.
    """
    path = Path(path)
    return config_from_mapping({"name": path.stem, **read_toml(path)}, str(path))


def config_from_mapping(content: Mapping[str, Any], where: str = "") -> RunConfig:
    """Validate a mapping with the keys of `RunConfig`.

    Raises
    ------
    ConfigError
        Names key, value and remedy of every mistake.
    """
    if "path" in content:
        remedy = nearest("path", set(RunConfig.model_fields) - {"path"})
        raise ConfigError("unknown key 'path'", where=where or "run configuration", remedy=remedy)
    return parse(RunConfig, {**content, "path": where}, where or "run configuration")
