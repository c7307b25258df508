"""Checks of nuisance parameters against what the tables hold already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import ConfigError, ParameterError
from ..infer.parameters import ParameterSpace
from ..likelihood.experiment import ExperimentData


def check_nuisances(space: ParameterSpace, data: Sequence[ExperimentData], where: str) -> None:
    """Refuse a free energy scale that published errors contain, and a scatter that can be negative.

    A systematic error that contains the energy scale already allows for a shift of it; a free scale would allow for it
    a second time, and all that follows from the experiment would come out too uncertain.

    Parameters
    ----------
    space : ParameterSpace
        All parameters.
    data : sequence of ExperimentData
        The experiments.
    where : str
        The configuration, for messages.

    Raises
    ------
    ConfigError
        Names the experiment, the tables' own words, and the key that overrules this.
    ParameterError
        For a scatter below zero.
    """
    for d, problem in _counted_twice(space, data):
        if not d.file.nuisances.energy_scale.allow_double_counting:
            raise ConfigError(
                problem,
                where=f"{where} [likelihoods.{d.key}]",
                remedy=f"fix it, {d.key}.energy_scale = 1.0; or, if the systematic errors that you fit leave the scale "
                "out, say so: nuisances.energy_scale = { prior = ..., allow_double_counting = true }",
            )
    for parameter in space.parameters:
        low = parameter.prior.support[0] if parameter.prior is not None else parameter.value
        if parameter.name in {f"{d.key}.scatter" for d in data} and low is not None and low < 0.0:
            raise ParameterError(
                f"{parameter.name} can be {low:.3g}; it is a standard deviation, as a fraction of the prediction",
                where=where,
                remedy="give it zero or more, such as prior = { kind = 'half_normal', scale = 0.05 }",
            )


def double_counting_warnings(space: ParameterSpace, data: Sequence[ExperimentData]) -> list[str]:
    """One line for every energy scale that is counted twice because the configuration asks for it.

    Parameters
    ----------
    space : ParameterSpace
        All parameters.
    data : sequence of ExperimentData
        The experiments.
    """
    return [f"warning: {problem}, as allow_double_counting asks for" for _, problem in _counted_twice(space, data)]


def _counted_twice(space: ParameterSpace, data: Sequence[ExperimentData]) -> list[tuple[ExperimentData, str]]:
    """Experiments whose free energy scale the published systematic errors contain, and what is wrong with it."""
    varying = {p.name for p in space.parameters if p.kind != "fixed"}
    found = []
    for d in data:
        name = f"{d.key}.energy_scale"
        if name in varying and d.file.nuisances.energy_scale.published_systematics_contain_it:
            said = dict.fromkeys(text for t in d.tables for text in _about_scales(t.metadata))
            quoted = f" (tables: {'; '.join(repr(text) for text in said)})" if said else ""
            problem = (
                f"{name} is free, but the published systematic errors of {d.file.experiment} contain the energy or "
                f"rigidity scale{quoted}: it is counted twice"
            )
            found.append((d, problem))
    return found


def _about_scales(metadata: Mapping[str, Any]) -> list[str]:
    """What a table says of its systematic errors, where it speaks of a scale."""
    return [str(text) for text in metadata.get("systematics", {}).values() if "scale" in str(text)]
