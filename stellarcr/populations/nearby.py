"""Nearby sources: their kind of population, and what a configuration may say of their release."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from ..backend import Array
from ..errors import ConfigError, ParameterError, nearest
from .base import IsotopeChoice, ParameterInfo, Population
from .composition import Composition
from .release import Release
from .spectra import power_law

RELEASE_OPTIONS = ("boundary", "release", "duration", "gas_density")
"""Options that the kinds ``ia`` and ``nearby`` take."""

MAXIMUM_RIGIDITY = 5e4
"""Cutoff [GV] where none is given (project choice: the cutoff of supernova remnants in arXiv:2605.31362)."""

INDEX = -2.0
"""Injection index where none is given: that of the nearby source of arXiv:2605.31362."""

_GENERAL = "project choice: the paper's nearby Type Ia remnant (arXiv:2605.31362)"


def _shape(rigidity: Array, parameters: Mapping[str, Array]) -> Array:
    return power_law(rigidity, parameters["gamma"], parameters["R_max"])


def nearby_source(composition: Composition, isotopes: IsotopeChoice = "dominant") -> Population:
    """One nearby source with a power law and an exponential cutoff; its composition is the configuration's choice."""
    return _source(
        "nearby",
        composition,
        isotopes,
        (
            (1e50, "project choice: a tenth of 1e51 erg, the usual acceleration efficiency"),
            (INDEX, _GENERAL),
            (MAXIMUM_RIGIDITY, _GENERAL),
            (5e4, _GENERAL),
            (1.0, _GENERAL),
        ),
    )


def listed_source(
    name: str,
    composition: Composition,
    *,
    distance: float,
    age: float,
    energy: float,
    source: str,
    gamma: float | None = None,
    maximum_rigidity: float | None = None,
    duration: float | None = None,
    isotopes: IsotopeChoice = "dominant",
    boundary: str = "free",
    gas_density: float = 0.0,
    metadata: Mapping[str, str] | None = None,
) -> Population:
    """Make the population of one source of a table.

    Parameters
    ----------
    name : str
        Name of the source and its population.
    composition : Composition
        Number fractions at equal rigidity.
    distance : float
        Distance [kpc].
    age : float
        Age [yr].
    energy : float
        Energy of all particles that it releases above 1 GV [erg].
    source : str
        Where the numbers come from.
    gamma, maximum_rigidity : float, optional
        Injection index and exponential cutoff [GV]; those of the kind ``nearby`` if not given.
    duration : float, optional
        How long it releases particles at a constant rate [yr]; a burst if not given.
    isotopes : {"dominant", "given", "natural"}
        Isotopes of each element.
    boundary : {"free", "halo"}
        What bounds space, see `stellarcr.populations.release.Release`.
    gas_density : float
        Hydrogen atoms per cm^3 along the way; 0 is no gas.
    metadata : mapping, optional
        What is known beside, such as the type.

    Raises
    ------
    ConfigError
        For wrong options.
    """
    missing = "project choice: the table gives none; that of the paper's Type Ia remnant (arXiv:2605.31362)"
    population = _source(
        name,
        composition,
        isotopes,
        (
            (energy, source),
            (INDEX, missing) if gamma is None else (gamma, source),
            (MAXIMUM_RIGIDITY, missing) if maximum_rigidity is None else (maximum_rigidity, source),
            (age, source),
            (distance, source),
        ),
    )
    options: dict[str, Any] = {"boundary": boundary, "gas_density": gas_density}
    if duration is not None:
        options |= {"release": "continuous", "duration": duration}
    return replace(with_release(population, options, source), metadata=dict(metadata or {}))


def _source(
    name: str, composition: Composition, isotopes: IsotopeChoice, values: tuple[tuple[float, str], ...]
) -> Population:
    tag = name.replace("_", r"\ ")
    form = (
        ("energy", "erg", "E"),
        ("gamma", "", r"\gamma"),
        ("R_max", "GV", r"R_{\rm max}"),
        ("age", "yr", "t"),
        ("distance", "kpc", "d"),
    )
    parameters = tuple(
        ParameterInfo(
            key, value, unit, rf"{symbol}^{{\rm {tag}}}" if "_" in symbol else rf"{symbol}_{{\rm {tag}}}", text
        )
        for (key, unit, symbol), (value, text) in zip(form, values, strict=True)
    )
    return Population(name, rf"{{\rm {tag}}}", composition, parameters, _shape, place="nearby", isotopes=isotopes)


NEARBY_KINDS: Mapping[str, Callable[[Composition, IsotopeChoice], Population]] = {"nearby": nearby_source}
"""Builders of nearby populations beside the reference model's, by the ``kind`` of a configuration."""


def with_release(population: Population, options: Mapping[str, Any], source: str = "the configuration") -> Population:
    """Add to a nearby population how it releases particles; without options it stays as it is.

    Parameters
    ----------
    population : Population
        A nearby population.
    options : mapping
        ``boundary`` ("free" or "halo"), ``release`` ("burst" or "continuous"), ``duration`` [yr] of a continuous
        release (by default the population's age), ``gas_density`` [1/cm^3] along the way (by default there is no gas).
        ``duration`` and ``gas_density`` become parameters, which a fit may free.
    source : str
        Where duration and density come from.

    Returns
    -------
    Population
        With its `Population.release`.

    Raises
    ------
    ConfigError
        For an unknown option or a wrong value.
    """
    for key in options:
        if key not in RELEASE_OPTIONS:
            raise ConfigError(f"a nearby source has no option {key!r}", remedy=nearest(key, RELEASE_OPTIONS))
    if not options:
        return population
    kind = options.get("release", "burst")
    gas_density = _number("gas_density", options.get("gas_density", 0.0), "1/cm3", zero=True)
    try:
        release = Release(kind, options.get("boundary", "free"), gas_density > 0)
    except ParameterError as error:
        raise ConfigError(error.problem, remedy=error.remedy) from error
    tag = population.label
    added = []
    if kind == "continuous":
        age = next(info.default for info in population.parameters if info.name == "age")
        text = source if "duration" in options else "project choice: released since it was born"
        duration = _number("duration", options.get("duration", age), "yr")
        added.append(ParameterInfo("duration", duration, "yr", rf"\Delta t_{tag}", text))
    elif "duration" in options:
        raise ConfigError(
            f"duration = {options['duration']!r}, but a burst has none",
            remedy='add release = "continuous", or remove duration',
        )
    if release.gas:
        added.append(ParameterInfo("gas_density", gas_density, "1/cm3", rf"n_{tag}", source))
    return replace(population, release=release, parameters=(*population.parameters, *added))


def _number(key: str, value: Any, unit: str, zero: bool = False) -> float:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not math.isfinite(value) or value < 0 or (value == 0 and not zero):
        raise ConfigError(
            f"{key} = {value!r} is not a {'number that is not negative' if zero else 'positive number'}",
            remedy=f"give {key} in {unit}",
        )
    return float(value)
