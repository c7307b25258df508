"""From a configuration to a finished run."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ..config import RunConfig, build_collapsed, build_posterior, config_from_mapping, load_config, resolved_toml
from ..errors import ConfigError, MissingDependencyError
from ..extensions import asked_for
from ..infer.posterior import Posterior
from ..infer.progress import seconds_from
from ..infer.runs import Run, execute
from ..infer.samplers import get_sampler, require_sampler, settings_from
from ..infer.samplers.map import MapSettings
from ..model import ForwardModel
from .check import model_warnings
from .citations import bibliography


def as_config(config: RunConfig | Mapping[str, Any] | str | Path) -> RunConfig:
    """Accept a configuration, a mapping with its keys, or the path of a TOML file.

    Raises
    ------
    ConfigError
        If it is wrong; names key, value and remedy.
    """
    if isinstance(config, RunConfig):
        return config
    return config_from_mapping(config) if isinstance(config, Mapping) else load_config(config)


def run_folder(config: RunConfig) -> Path:
    """Folder that a configuration's run is written to."""
    return Path(config.output.folder) / config.name


def sampler_settings(config: RunConfig) -> MapSettings:
    """Check the sampler's section before anything else is done; give the settings of the search for the maximum.

    Raises
    ------
    ConfigError
        For an unknown sampler, and for unknown or wrong options.
    MissingDependencyError
        If the sampler's package is not installed.
    """
    where = f"{config.where} [sampler]"
    options = {"seed": config.seed, **config.sampler}
    name, search = options.pop("name", "emcee"), options.pop("map", {})
    if not isinstance(search, Mapping):
        raise ConfigError(f"sampler.map = {search!r} is not a table", where=where, remedy="write map = { starts = 8 }")
    try:
        sampler = get_sampler(str(name))
        require_sampler(str(name))
    except (ConfigError, MissingDependencyError) as error:
        raise asked_for(error, where) from None
    workers = settings_from(sampler.settings_type, options, where=where).workers
    shared = {"seed": config.seed, **asdict(workers)}
    return settings_from(MapSettings, {**shared, **search}, where=f"{config.where} [sampler.map]")


def run(
    config: RunConfig | Mapping[str, Any] | str | Path,
    *,
    resume: bool = False,
    overwrite: bool = False,
    extend: bool | int = False,
    max_time: float | str | None = None,
    max_calls: int | None = None,
    quiet: bool = False,
    posterior: Posterior | None = None,
) -> Run:
    """Fit: build the posterior, sample it, write the run folder.

    Parameters
    ----------
    config : RunConfig, mapping, str or Path
        The run; a mapping has the keys of the TOML file.
    resume : bool
        Go on with the run in the folder; a finished run is returned as it is.
    overwrite : bool
        Replace the run in the folder.
    extend : bool or int
        Go on with the finished run in the folder: True doubles the steps of emcee or the effective samples of dynamic
        dynesty, a number adds so many. Limits of the configuration do not hold for an extension.
    max_time : float or str, optional
        Stop after this much sampling, all sessions of the run together: seconds, or a time such as "10m".
    max_calls : int, optional
        Stop after about so many likelihood evaluations, all sessions of the run together.
    quiet : bool
        Print no progress.
    posterior : Posterior, optional
        Built from this configuration before; built here otherwise.

    Returns
    -------
    Run
        Samples, summary and manifest, read back from the folder.

    Raises
    ------
    ConfigError, DataError, ParameterError
        For anything wrong in configuration, tables or priors.
    RunError
        If the folder cannot be used.
    RunInterrupted
        After SIGINT or SIGTERM; the run can be resumed.

    Examples
    --------
    >>> run = stellarcr.run("scripts/configs/quickstart.toml")  # doctest: +SKIP
    """
    limits: dict[str, Any] = {
        key: value
        for key, value in (("max_time", None if max_time is None else seconds_from(max_time)), ("max_calls", max_calls))
        if value is not None
    }
    config = as_config(config)
    if limits:
        config = config.model_copy(update={"sampler": {**config.sampler, **limits}})
    map_settings = sampler_settings(config)
    posterior = posterior or build_posterior(config)
    for message in model_warnings(posterior):
        print(message, file=sys.stderr)
    data = [likelihood.data for likelihood in posterior.likelihoods]
    options = {"seed": config.seed, **config.sampler}
    name = str(options.pop("name", "emcee"))
    options.pop("map", None)
    hashes = {table: value for d in data for table, value in d.hashes.items()}
    return execute(
        build_collapsed(config, posterior) or posterior,
        name,
        options,
        run_folder(config),
        config_text=resolved_toml(config, posterior.model, data),
        resume=resume,
        overwrite=overwrite,
        extend=extend,
        limits=limits,
        quiet=quiet,
        extras={
            "data_hashes": hashes,
            "description": config.description,
            "populations": population_records(posterior.model),
        },
        citations=bibliography(data, posterior.model.galaxy, name),
        map_settings=map_settings,
    )


def population_records(model: ForwardModel) -> dict[str, dict[str, Any]]:
    """What a run's manifest keeps of every population: enough to draw it without the model.

    Returns
    -------
    dict
        Name to ``label`` (LaTeX), ``place``, ``amplitude`` (full name of the power or energy) with its ``unit``, and
        ``budget`` in that unit with its ``budget_source``; None and empty where no budget is known.
    """
    return {
        member.name: {
            "label": member.label,
            "place": member.place,
            "amplitude": f"{member.name}.{member.amplitude_name}",
            "unit": model.parameters[f"{member.name}.{member.amplitude_name}"].unit,
            "budget": member.budget,
            "budget_source": member.budget_source,
        }
        for member in model.populations
    }
