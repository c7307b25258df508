"""Configurations of a run with less data: without a data set or an experiment, or with some experiments only."""

from __future__ import annotations

import copy
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..config import RunConfig
from ..errors import ConfigError, nearest
from ..infer.posterior import Posterior
from ..infer.runs import Run
from ..likelihood.experiment import ExperimentData


@dataclass(frozen=True)
class HeldOut:
    """What a fit leaves out.

    Attributes
    ----------
    name : str
        Data set, such as ``DAMPE Fe``, or key of a likelihood, such as ``dampe``.
    key : str
        Key of the likelihood.
    species : tuple of str
        Its species that are left out.
    data_sets : tuple of str
        Independent sets of points that are left out.
    whole : bool
        Whether nothing of the likelihood is left.
    """

    name: str
    key: str
    species: tuple[str, ...]
    data_sets: tuple[str, ...]
    whole: bool

    @property
    def suffix(self) -> str:
        """End of the name of the run that leaves it out: names of folders hold few characters."""
        return re.sub(r"[^A-Za-z0-9_-]+", "_", self.name).strip("_")


def find_held_out(posterior: Posterior, data: Sequence[str], experiments: Sequence[str]) -> list[HeldOut]:
    """Find data sets and experiments of a fit by name.

    Raises
    ------
    ConfigError
        If none is named, or one is unknown.
    """
    if not data and not experiments:
        raise ConfigError(
            "nothing is named that could be left out", remedy='add --data "DAMPE Fe", or --experiment dampe'
        )
    sets = {group.name: (k.data, (group.name,)) for k in posterior.likelihoods for group in k.data.groups}
    whole = {k.data.key: (k.data, tuple(g.name for g in k.data.groups)) for k in posterior.likelihoods}
    found = []
    for names, known, option in ((data, sets, "--data"), (experiments, whole, "--experiment")):
        for name in dict.fromkeys(names):
            if name not in known:
                raise ConfigError(f"{option} {name!r} is not in this run", remedy=nearest(name, known))
            experiment, groups = known[name]
            species = _species_of(experiment, groups)
            rest = {t.species for t in experiment.tables} - set(species)
            found.append(HeldOut(name, experiment.key, species, groups, not rest))
    return found


def _species_of(data: ExperimentData, groups: Sequence[str]) -> tuple[str, ...]:
    points = np.concatenate([group.points for group in data.groups if group.name in groups])
    slices = data.slices
    touched = [t.species for t in data.tables if np.isin(np.arange(len(data.values))[slices[t.name]], points).any()]
    return tuple(dict.fromkeys(touched))


def config_without(
    config: RunConfig, posterior: Posterior, held_out: HeldOut, run: Run, sampler: str | None = None
) -> RunConfig:
    """Take a data set or an experiment out of a configuration.

    Parameters
    ----------
    config : RunConfig
        That of the run.
    posterior : Posterior
        Built from it.
    held_out : HeldOut
        What to take out.
    run : Run
        The run, which names the new one and its folder.
    sampler : str, optional
        Sampler with its default settings.

    Raises
    ------
    ConfigError
        If nothing would be left to fit.
    """
    kept = copy.deepcopy(config.likelihoods)
    if held_out.whole:
        del kept[held_out.key]
    else:
        data = next(k.data for k in posterior.likelihoods if k.data.key == held_out.key)
        kept[held_out.key] = _section_without(kept[held_out.key], data, held_out)
    if not kept:
        raise ConfigError(
            f"without {held_out.name!r} there is nothing to fit", remedy="leave out one of several data sets"
        )
    return _reduced(config, kept, f"without.{held_out.suffix}", run, sampler)


def config_with_only(config: RunConfig, keys: Sequence[str], run: Run, sampler: str | None = None) -> RunConfig:
    """Keep some experiments of a configuration.

    Parameters
    ----------
    config, run, sampler
        As for `config_without`.
    keys : sequence of str
        Keys of the likelihoods to keep, as the configuration has them.
    """
    kept = {key: copy.deepcopy(section) for key, section in config.likelihoods.items() if key in keys}
    return _reduced(config, kept, f"only.{'_'.join(kept)}", run, sampler)


def _reduced(
    config: RunConfig, likelihoods: dict[str, dict[str, Any]], what: str, run: Run, sampler: str | None
) -> RunConfig:
    gone = set(config.likelihoods) - set(likelihoods)
    changes: dict[str, Any] = {
        "name": f"{run.name}.{what}",
        "description": f"{run.name}, {what.replace('.', ' ')}",
        "likelihoods": likelihoods,
        "parameters": {key: value for key, value in config.parameters.items() if key not in gone},
        "output": config.output.model_copy(update={"folder": str(run.path.resolve().parent)}),
    }
    if sampler is not None and sampler != config.sampler.get("name", "emcee"):
        changes["sampler"] = {"name": sampler}
    return config.model_copy(update=changes)


def _section_without(section: dict[str, Any], data: ExperimentData, held_out: HeldOut) -> dict[str, Any]:
    """A likelihood's section without some of its species, and without the errors that only these had."""
    left = [t for t in data.tables if t.species not in held_out.species]
    kept = dict.fromkeys(t.species for t in left)
    errors = dict(section.get("errors", {}))
    components = {name for t in left for name in t.systematics}
    if "systematic" in errors:
        errors["systematic"] = {name: c for name, c in errors["systematic"].items() if name in components}
    difference = data.file.errors.difference
    if difference is not False and not {difference.minuend, difference.subtrahend} <= set(kept):
        errors["difference"] = False
    return {**section, "species": list(kept), "errors": errors}
