"""A run, described by one TOML file or the same in Python.

A configuration names the Galaxy, the source populations, which parameters are free with which priors, the experiments,
the sampler and the output. `RunConfig` validates its form; `build_posterior` turns it into something to sample.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tomli_w
from pydantic import Field, model_validator

from .data import load_composition, load_type_ia
from .data.galaxy_presets import load_galaxy
from .errors import ConfigError, DataError, ParameterError, StellarcrError, nearest
from .infer.constraints import OrderConstraint
from .infer.parameters import Parameter, ParameterSpace
from .infer.posterior import Posterior
from .infer.priors import prior_from_mapping
from .likelihood.experiment import ExperimentData, load_experiment
from .likelihood.schema import LikelihoodFile, Strict, merge, parse, read_toml
from .model import LOG10, ForwardModel, plain_name
from .observe.grid import RigidityGrid
from .populations import POPULATION_KINDS, Composition, Population, build_population

_PARAMETER_KEYS = ("value", "prior", "linked", "label", "unit", "source")


class PopulationConfig(Strict):
    """One source population."""

    kind: str | None = Field(None, description="snr, o_wind, wr_wind, msc or ia; default: the section's name")
    composition: str | None = Field(None, description="shipped composition; default: that of the kind")
    isotopes: str = "dominant"
    yields: str = Field("N100", description="Type Ia only: explosion model of Seitenzahl et al. 2013")


class ConstraintConfig(Strict):
    """An ordering of parameters that is part of the prior."""

    order: tuple[str, ...] = Field(min_length=2)


class OutputConfig(Strict):
    """Where the run folder goes."""

    folder: str = "chains"


class GridConfig(Strict):
    """Rigidity grid of the fit."""

    lowest: float = 1.0
    highest: float = 4e8
    per_decade: int = 20


class RunConfig(Strict):
    """Everything that defines a run.

    Build it from a file with `load_config`, or in Python with keyword arguments of the same names.
    """

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    description: str = ""
    seed: int = Field(1, ge=0)
    galaxy: dict[str, Any] = Field(default={"preset": "plain-diffusion"})
    grid: GridConfig = GridConfig()
    populations: dict[str, PopulationConfig] = Field(min_length=1)
    parameters: dict[str, Any] = Field(default={})
    constraints: tuple[ConstraintConfig, ...] = ()
    likelihoods: dict[str, dict[str, Any]] = Field(min_length=1)
    sampler: dict[str, Any] = Field(default={"name": "emcee"})
    output: OutputConfig = OutputConfig()
    path: str = Field("", exclude=True, description="file that it was read from")

    @model_validator(mode="after")
    def _keys_differ(self) -> RunConfig:
        both = (set(self.populations) | {"galaxy"}) & set(self.likelihoods)
        if both:
            raise ValueError(f"{sorted(both)} name both a population and a likelihood; parameters would be ambiguous")
        return self

    @property
    def where(self) -> str:
        """Name of the configuration in messages."""
        return self.path or f"configuration {self.name!r}"

    @property
    def base(self) -> Path:
        """Folder to which relative paths refer."""
        return Path(self.path).parent if self.path else Path()


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


# ---------------------------------------------------------------------- building


def build_model(config: RunConfig) -> ForwardModel:
    """Build the forward model: galaxy preset, populations, grid.

    Raises
    ------
    ConfigError
        For unknown presets, kinds, compositions.
    """
    galaxy = dict(config.galaxy)
    preset = str(galaxy.pop("preset", "plain-diffusion"))
    if preset.endswith(".toml"):
        preset = str(config.base / preset)
    populations = [_population(name, section, config) for name, section in config.populations.items()]
    grid = RigidityGrid(**config.grid.model_dump())
    return ForwardModel(load_galaxy(preset, galaxy, f"{config.where} [galaxy]"), tuple(populations), grid)


def _population(name: str, section: PopulationConfig, config: RunConfig) -> Population:
    kind = section.kind or name
    where = f"{config.where} [populations.{name}]"
    if kind not in POPULATION_KINDS:
        raise ConfigError(f"unknown population kind {kind!r}", where=where, remedy=nearest(kind, POPULATION_KINDS))
    try:
        composition: Composition = (
            load_type_ia(section.yields) if kind == "ia" else load_composition(section.composition or kind)
        )
        population = build_population(kind, composition, section.isotopes)  # type: ignore[arg-type]
    except (DataError, ParameterError) as error:
        raise ConfigError(error.problem, where=error.where or where, remedy=error.remedy) from None
    return population if population.name == name else population.with_name(name)


def load_data(config: RunConfig) -> list[ExperimentData]:
    """Read the tables and error models of all experiments.

    A likelihood's section may hold ``file`` (a shipped name or a path) and any key of the likelihood file.
    """
    data = []
    for key, section in config.likelihoods.items():
        changes = {k: v for k, v in section.items() if k != "file"}
        where = f"{config.where} [likelihoods.{key}]"
        try:
            data.append(load_experiment(key, str(section.get("file", key)), changes, where, config.base))
        except StellarcrError as error:
            if where in error.where:
                raise
            origin = f"{error.where}, asked for by {where}" if error.where else where
            raise type(error)(error.problem, where=origin, remedy=error.remedy) from error
    return data


def flatten_parameters(tree: Mapping[str, Any], where: str, prefix: str = "") -> dict[str, dict[str, Any]]:
    """Turn nested parameter tables into ``{full name: settings}``.

    A number fixes a parameter; a table with ``prior``, ``value`` or ``linked`` describes one; any other table is
    a level of names. ``prior`` is a kind with its arguments beside it, or a table with ``kind``.

    Raises
    ------
    ConfigError
        For entries that are neither.
    """
    flat: dict[str, dict[str, Any]] = {}
    for key, entry in tree.items():
        name = f"{prefix}{key}"
        if isinstance(entry, Mapping):
            if {"prior", "value", "linked"} & set(entry):
                flat[name] = _parameter_settings(name, entry, where)
            else:
                flat.update(flatten_parameters(entry, where, f"{name}."))
        elif isinstance(entry, int | float) and not isinstance(entry, bool):
            flat[name] = {"value": float(entry)}
        else:
            raise ConfigError(
                f"parameter {name!r} = {entry!r} is neither a number nor a table",
                where=where,
                remedy='fix it with a number, or free it: { prior = "uniform", low = ..., high = ... }',
            )
    return flat


def _parameter_settings(name: str, entry: Mapping[str, Any], where: str) -> dict[str, Any]:
    settings = {k: v for k, v in entry.items() if k in _PARAMETER_KEYS}
    arguments = {k: v for k, v in entry.items() if k not in _PARAMETER_KEYS}
    prior = settings.get("prior")
    if isinstance(prior, str):
        settings["prior"] = {"kind": prior, **arguments}
    elif arguments:
        raise ConfigError(
            f"parameter {name!r} has unknown keys {sorted(arguments)}",
            where=where,
            remedy=nearest(next(iter(arguments)), _PARAMETER_KEYS),
        )
    texts = dict.fromkeys(("linked", "label", "unit", "source"), (str,))
    for key, kinds in {"value": (int, float), **texts}.items():
        if key in settings and (not isinstance(settings[key], kinds) or isinstance(settings[key], bool)):
            raise ConfigError(
                f"parameter {name!r}: {key} = {settings[key]!r} has the wrong type",
                where=where,
                remedy=f"{key} must be a {'number' if key == 'value' else 'string'}",
            )
    return settings


def build_space(config: RunConfig, model: ForwardModel, data: list[ExperimentData]) -> ParameterSpace:
    """Join the configuration's parameters with the experiments' nuisance parameters.

    A nuisance parameter named in ``[parameters]`` replaces the likelihood file's.

    Raises
    ------
    ConfigError, ParameterError
        For unknown names and wrong priors.
    """
    given = flatten_parameters(config.parameters, f"{config.where} [parameters]")
    nuisances: dict[str, tuple[dict[str, Any], str]] = {}
    for experiment in data:
        file = experiment.file
        for key in type(file.nuisances).model_fields:
            nuisance = getattr(file.nuisances, key)
            settings = {k: v for k, v in nuisance.model_dump().items() if k in _PARAMETER_KEYS and v not in (None, "")}
            nuisances[f"{experiment.key}.{key}"] = (settings, f"likelihood {experiment.key!r}")
    model_names = [name for name in given if name not in nuisances]
    for name in model_names:
        if name.partition(".")[0] in config.likelihoods:
            raise ConfigError(
                f"unknown nuisance parameter {name!r}",
                where=f"{config.where} [parameters]",
                remedy=nearest(name, nuisances),
            )
    model.check_names(model_names, f"{config.where} [parameters]")
    parameters = [_parameter(name, given[name], model, f"{config.where} [parameters]") for name in model_names]
    for name, (settings, where) in nuisances.items():
        overridden = name in given
        chosen = {**{"unit": settings.get("unit", "")}, **given[name]} if overridden else settings
        parameters.append(_parameter(name, chosen, model, f"{config.where} [parameters]" if overridden else where))
    constraints = [OrderConstraint(section.order) for section in config.constraints]
    try:
        return ParameterSpace(tuple(parameters), tuple(constraints))
    except ParameterError as error:
        raise ParameterError(error.problem, where=error.where or config.where, remedy=error.remedy) from None


def _parameter(name: str, settings: Mapping[str, Any], model: ForwardModel, where: str) -> Parameter:
    info = model.parameters.get(plain_name(name))
    label, unit = settings.get("label", ""), settings.get("unit", "")
    if info is not None:
        label = label or info.label
        unit = unit or info.unit
        if name.partition(".")[2].startswith(LOG10) and not settings.get("label"):
            label = rf"\log_{{10}}({label}/{_latex_unit(unit)})" if unit else rf"\log_{{10}} {label}"
            unit = ""
    elif not label:
        label = _nuisance_label(name)
    prior = settings.get("prior")
    try:
        parameter = Parameter(
            name,
            label,
            unit,
            None if prior is None else prior_from_mapping(prior, where=f"{where}: {name}"),
            settings.get("value"),
            settings.get("linked"),
            settings.get("source", info.source if info and prior is None else ""),
        )
        if info is not None and parameter.prior is not None:
            model.check_value(name, parameter.prior.support[0], limit=True)
        elif info is not None and parameter.value is not None:
            model.check_value(name, parameter.value)
    except ParameterError as error:
        raise ParameterError(error.problem, where=error.where or where, remedy=error.remedy) from None
    return parameter


def _latex_unit(unit: str) -> str:
    return r"{\rm " + unit.replace("erg/yr", r"erg\,yr^{-1}").replace("cm2/s", r"cm^2\,s^{-1}") + "}"


def _nuisance_label(name: str) -> str:
    experiment, _, key = name.partition(".")
    symbol = {"phi": r"\phi", "energy_scale": "s", "normalisation": "n"}.get(key, key)
    return rf"{symbol}_{{\rm {experiment.replace('_', '-').upper()}}}"


def build_posterior(config: RunConfig) -> Posterior:
    """Build everything that a sampler needs from a configuration.

    Raises
    ------
    StellarcrError
        For anything wrong in configuration, likelihood files or tables.
    """
    model = build_model(config)
    data = load_data(config)
    space = build_space(config, model, data)
    return Posterior.build(model, data, space, fingerprint(config, model, data, space))


# ---------------------------------------------------------------------- records


def fingerprint(config: RunConfig, model: ForwardModel, data: list[ExperimentData], space: ParameterSpace) -> str:
    """SHA-256 of all that decides the posterior: physics, parameters, likelihoods and the tables' hashes.

    Name, description, sampler, seed and output folder do not enter.
    """
    given = {plain_name(p.name) for p in space.parameters}
    content = {
        "galaxy": {k: v for k, v in vars(model.galaxy).items() if k not in ("sources", "response", "reduced_response")},
        "grid": config.grid.model_dump(),
        "populations": {
            p.name: [
                p.place,
                f"{p.shape.__module__}.{getattr(p.shape, '__qualname__', type(p.shape).__name__)}",
                dict(p.composition.elements),
                {e: [(str(n), f) for n, f in p.isotopes_of(e)] for e in p.elements},
            ]
            for p in model.populations
        },
        "defaults": {name: info.default for name, info in model.parameters.items() if name not in given},
        "parameters": {
            p.name: p.linked or (p.value if p.prior is None else p.prior.to_mapping()) for p in space.parameters
        },
        "constraints": sorted(c.names for c in space.constraints),
        "likelihoods": {d.key: _decisive(d.file.model_dump(mode="json")) for d in data},
        "tables": {name: value for d in data for name, value in d.hashes.items()},
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()


def _decisive(content: Any) -> Any:
    """Leave out what only explains: descriptions, sources, suggestions."""
    if not isinstance(content, dict):
        return content
    texts, others = ("description", "source"), ("suggested", "reference_fit")
    return {
        key: _decisive(value)
        for key, value in content.items()
        if key not in others and not (key in texts and isinstance(value, str))
    }


def resolved_toml(config: RunConfig, model: ForwardModel, data: list[ExperimentData]) -> str:
    """The configuration with every default written out, as TOML that `load_config` reads.

    Parameters
    ----------
    config, model, data
        As given to and made by the builders.
    """
    content = config.model_dump(mode="json", exclude_none=True)
    galaxy = {k: v for k, v in vars(model.galaxy).items() if isinstance(v, int | float | str) and k != "name"}
    preset = str(config.galaxy.get("preset", "plain-diffusion"))
    content["galaxy"] = {"preset": _from_anywhere(preset, config), **galaxy}
    for d in data:
        section = config.likelihoods[d.key]
        file = d.file.model_dump(mode="json", exclude_none=True)
        file["range"]["rigidity_max"] = d.file.range.rigidity_max
        content["likelihoods"][d.key] = merge({"file": _from_anywhere(str(section.get("file", d.key)), config)}, file)
    return tomli_w.dumps(content)


def _from_anywhere(name: str, config: RunConfig) -> str:
    """Make the path of a user's file absolute; names of shipped files stay."""
    return str((config.base / name).resolve()) if name.endswith(".toml") else name


__all__ = [
    "LikelihoodFile",
    "RunConfig",
    "build_model",
    "build_posterior",
    "build_space",
    "config_from_mapping",
    "fingerprint",
    "flatten_parameters",
    "load_config",
    "load_data",
    "resolved_toml",
]
