"""From a configuration to a model, data and a posterior."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

from ..data.compositions import COMPOSITIONS, load_composition, load_type_ia, read_composition
from ..data.galaxy_presets import load_galaxy
from ..data.profile_tables import load_profile
from ..data.stellar_tables import check_stellar_options, load_stellar_population
from ..errors import ConfigError, DataError, ModelError, ParameterError, StellarcrError
from ..extensions import asked_for
from ..infer.collapsed import CollapsedPosterior
from ..infer.posterior import Posterior
from ..likelihood.experiment import ExperimentData, load_experiment
from ..model import ForwardModel
from ..observe.grid import RigidityGrid
from ..populations import POPULATION_KINDS, Composition, Population, population_builder
from ..populations.stellar_options import STELLAR_KINDS, StellarOptions, stellar_options
from .nearby import nearby_populations
from .parameters import build_space
from .records import fingerprint
from .schema import PopulationConfig, RunConfig

Result = TypeVar("Result")


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
    # all sections are read before the first table is made: a mistake in the last one must not wait for it
    makers = [_population(name, section, config) for name, section in config.populations.items()]
    nearby = nearby_populations(config)
    populations = [*(make() for make in makers), *nearby]
    grid = RigidityGrid(**config.grid.model_dump())
    surroundings = load_galaxy(preset, galaxy, f"{config.where} [galaxy]")
    try:
        return ForwardModel(surroundings, tuple(populations), grid)
    except ModelError as error:
        raise ModelError(error.problem, where=error.where or config.where, remedy=error.remedy) from error


def _population(name: str, section: PopulationConfig, config: RunConfig) -> Callable[[], Population]:
    """Read a section; what is given makes the population, which takes long where a table is made."""
    where = f"{config.where} [populations.{name}]"
    kind = section.kind or name

    def read() -> Callable[[], Population]:
        isotopes: Any = section.isotopes
        if section.spectrum == "stellar":
            options = _stellar_options(kind, section, where)
            return lambda: load_stellar_population(options, isotopes, where)
        population = population_builder(kind, where)(_composition(kind, section), isotopes, section.options)
        return lambda: population

    make = _asked_for_by(where, read)
    if section.profile is None:
        return lambda: _asked_for_by(where, make).with_name(name)
    profile = load_profile(section.profile, where)
    return lambda: replace(_asked_for_by(where, make).with_name(name), profile=profile)


def _asked_for_by(where: str, function: Callable[[], Result]) -> Result:
    """Call a function; what it refuses is said with the section that asked for it."""
    try:
        return function()
    except (ConfigError, DataError, ParameterError) as error:
        origin = error.where if where in error.where else asked_for(error, where).where
        raise ConfigError(error.problem, where=origin, remedy=error.remedy) from error


def _stellar_options(kind: str, section: PopulationConfig, where: str) -> StellarOptions:
    if kind not in STELLAR_KINDS:
        raise ConfigError(
            f"the kind {kind!r} has no spectrum from stellar evolution",
            remedy=f"spectrum = 'stellar' is for {', '.join(STELLAR_KINDS)}; name one with kind, or remove the key",
        )
    if section.composition is not None:
        raise ConfigError(
            f"composition = {section.composition!r}, but a stellar spectrum comes with the winds' own",
            remedy="remove composition, or use spectrum = 'effective'",
        )
    options = stellar_options(kind, section.options)
    check_stellar_options(options, where)
    return options


def _composition(kind: str, section: PopulationConfig) -> Composition:
    name = section.composition or kind
    if name.endswith(".ecsv"):
        return read_composition(name)
    if name == "type_ia" or (kind == "ia" and section.composition is None):
        return load_type_ia(section.yields)
    if section.composition is None and kind not in POPULATION_KINDS:
        raise ConfigError(
            f"composition is not given, and the kind {kind!r} has no default",
            remedy=f"composition = {', '.join(repr(c) for c in COMPOSITIONS)}, 'type_ia', or a table, 'file.ecsv'",
        )
    return load_composition(name)


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
    try:
        return Posterior.build(model, data, space, fingerprint(config, model, data, space))
    except ConfigError as error:  # what several likelihoods do together has no place but the configuration
        raise ConfigError(error.problem, where=error.where or config.where, remedy=error.remedy) from error


def build_collapsed(config: RunConfig, posterior: Posterior) -> CollapsedPosterior | None:
    """Give the posterior with amplitudes integrated out, which samplers see instead.

    Parameters
    ----------
    config : RunConfig
        Says whether to, with ``amplitudes``.
    posterior : Posterior
        From `build_posterior`.

    Returns
    -------
    CollapsedPosterior or None
        None if all amplitudes are sampled.

    Raises
    ------
    ConfigError
        If the amplitudes cannot be integrated out; says why.
    """
    if config.amplitudes == "sampled":
        return None
    try:
        return CollapsedPosterior.build(posterior)
    except ConfigError as error:
        raise ConfigError(error.problem, where=error.where or config.where, remedy=error.remedy) from None
