"""Populations of the section ``[nearby]``: one for each source of a table."""

from __future__ import annotations

from functools import cache
from typing import Any

from ..data.compositions import load_composition, load_type_ia
from ..data.nearby_sources import SOURCE_TYPES, NearbySource, nearby_table_path, read_nearby_sources
from ..errors import ConfigError, DataError, ParameterError
from ..extensions import asked_for
from ..populations import Composition, Population
from ..populations.nearby import listed_source
from .schema import NearbyConfig, RunConfig


def nearby_populations(config: RunConfig) -> list[Population]:
    """Make the populations of the table that a configuration names; none if it names none.

    Raises
    ------
    ConfigError
        For a table that is missing or wrong, and for a source whose name something else has; names table and section.
    """
    section = config.nearby
    if section is None:
        return []
    where = f"{config.where} [nearby]"
    try:
        path = nearby_table_path(section.table, config.base)
        sources = read_nearby_sources(path, section.names)
        _check_names(sources, config, str(path))
        return [_population(source, section) for source in sources]
    except (ConfigError, DataError, ParameterError) as error:
        raise ConfigError(error.problem, where=asked_for(error, where).where, remedy=error.remedy) from error


def _check_names(sources: tuple[NearbySource, ...], config: RunConfig, where: str) -> None:
    taken = {name: f"[populations.{name}]" for name in config.populations}
    taken |= {name: f"[likelihoods.{name}]" for name in config.likelihoods}
    for source in sources:
        if source.name in taken:
            raise ConfigError(
                f"the source {source.name!r} has the name of {taken[source.name]}",
                where=where,
                remedy="rename one of them, or choose other sources with names = [...]",
            )


def _population(source: NearbySource, section: NearbyConfig) -> Population:
    isotopes: Any = section.isotopes
    metadata = {"type": source.type, "reference": source.reference}
    if source.longitude is not None:
        metadata["longitude"] = repr(source.longitude)
    return listed_source(
        source.name,
        _composition(source.type, section.yields),
        distance=source.distance,
        age=source.age,
        energy=source.energy,
        source=source.reference,
        gamma=source.gamma,
        maximum_rigidity=source.maximum_rigidity,
        duration=source.duration,
        isotopes=isotopes,
        boundary=section.boundary,
        gas_density=section.gas_density,
        metadata=metadata,
    )


@cache
def _composition(kind: str, yields: str) -> Composition:
    name = SOURCE_TYPES[kind]
    return load_type_ia(yields) if name == "type_ia" else load_composition(name)
