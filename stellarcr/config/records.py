"""What identifies a problem, and the configuration that a run folder keeps."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import tomli_w

from ..extensions import find_extension, is_reference
from ..galaxy import Galaxy
from ..galaxy.profiles import TabulatedProfile
from ..infer.parameters import ParameterSpace
from ..infer.priors import Prior, UserPrior
from ..likelihood.experiment import ExperimentData
from ..likelihood.schema import merge
from ..model import ForwardModel, plain_name
from ..populations.base import Population
from ..populations.extension import ExtensionShape
from ..populations.release import Release
from ..populations.stellar import StellarShape
from ..populations.stellar_options import stellar_options
from .schema import RunConfig


def fingerprint(config: RunConfig, model: ForwardModel, data: list[ExperimentData], space: ParameterSpace) -> str:
    """SHA-256 of all that decides the posterior: physics, parameters, likelihoods, the tables' and user code's hashes.

    Name, description, sampler, seed, output folder, and where the user's files lie do not enter.
    """
    given = {plain_name(p.name) for p in space.parameters}
    # of a table that was made again elsewhere, the last digits may differ
    stellar = [p for p in model.populations if isinstance(p.shape, StellarShape)]
    amplitudes = [f"{p.name}.{p.amplitude_name}" for p in stellar]
    rounded = {name: float(f"{model.parameters[name].default:.6g}") for name in amplitudes}
    content = {
        "galaxy": _galaxy_identity(model.galaxy),
        "grid": config.grid.model_dump(),
        "populations": {
            p.name: [
                p.place,
                _shape_identity(p),
                *_nuclei(p),
                *_release(p),
                *([_profile_identity(p.profile)] if p.profile is not None else []),
            ]
            for p in model.populations
        },
        "defaults": {
            name: rounded.get(name, info.default)
            for name, info in model.parameters.items()
            if name not in given and name not in _SAID_BY_GALAXY
        },
        "parameters": {
            p.name: p.linked or (p.value if p.prior is None else _prior_identity(p.prior)) for p in space.parameters
        },
        "constraints": sorted(c.names for c in space.constraints),
        # The tables' hashes stand for their folder, and the parameters' priors for those of the nuisances.
        "likelihoods": {d.key: _decisive(d.file.model_dump(mode="json")) | {"folder": None} for d in data},
        "tables": {name: value for d in data for name, value in d.hashes.items()},
    }
    if config.amplitudes != "sampled":
        content["amplitudes"] = config.amplitudes
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()


_SAID_BY_GALAXY = ("galaxy.half_height", "galaxy.hydrogen_column")
"""Parameters whose defaults the identity of the Galaxy holds already."""


def _galaxy_identity(galaxy: Galaxy) -> dict[str, Any]:
    """What decides about propagation; nuclear tables by their hashes, and nothing of them without a network."""
    content = {f.name: getattr(galaxy, f.name) for f in fields(galaxy) if f.name not in ("sources", "network")}
    content["profile"] = _profile_identity(galaxy.profile)
    del content["production"], content["inelastic"]
    if galaxy.network is not None:
        content["network"] = galaxy.network.sources["tables"]
    return content


def _profile_identity(profile: Any) -> str:
    return str(profile) if isinstance(profile, TabulatedProfile) else getattr(profile, "name", profile)


def _shape_identity(population: Population) -> Any:
    shape = population.shape
    if isinstance(shape, ExtensionShape):
        return shape.identity
    if isinstance(shape, StellarShape):
        return shape.identity
    return f"{shape.__module__}.{getattr(shape, '__qualname__', type(shape).__name__)}"


def _nuclei(population: Population) -> tuple[Any, ...]:
    """Elements and isotopes; of a stellar population, what the identity of its spectra leaves open."""
    if isinstance(population.shape, StellarShape):
        return (population.isotopes,)
    isotopes = {e: [(str(n), _portable(f)) for n, f in population.isotopes_of(e)] for e in population.elements}
    return {e: _portable(f) for e, f in population.composition.elements.items()}, isotopes


def _portable(number: float) -> float:
    """A computed number without its last digits, in which machines differ: a run may move to another one."""
    return float(f"{number:.12g}")


def _release(population: Population) -> tuple[str, ...]:
    """How particles are released; nothing for a burst in infinite space, whose runs keep their fingerprint."""
    release = population.release
    return () if release in (None, Release()) else (release.kind, release.boundary)


def _prior_identity(prior: Prior) -> Any:
    return prior.identity() if isinstance(prior, UserPrior) else prior.to_mapping()


def _decisive(content: Any) -> Any:
    """Leave out what only explains: descriptions, sources, suggestions."""
    if not isinstance(content, dict):
        return content
    texts, others = ("description", "source"), ("suggested", "reference_fit")
    return {
        key: value.rpartition(":")[2] if key == "kind" and is_reference(value) else _decisive(value)
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
    profile = config.galaxy.get("profile") or model.galaxy.profile
    # a table that the preset names is found from there; its own path would be lost
    if not isinstance(profile, TabulatedProfile):
        galaxy.setdefault("profile", str(getattr(profile, "name", profile)))
    for name, section in content["populations"].items():
        if section["spectrum"] == "stellar":
            section["options"] = stellar_options(section.get("kind") or name, section["options"]).to_mapping()
        if not section["options"]:
            del section["options"]
    content["galaxy"] = {"preset": _from_anywhere(preset, config), **galaxy}
    for d in data:
        section = config.likelihoods[d.key]
        file = d.file.model_dump(mode="json", exclude_none=True)
        file["range"]["rigidity_max"] = d.file.range.rigidity_max
        path = _from_anywhere(str(section.get("file", d.key)), config)
        if d.file.folder is not None:
            file["folder"] = str((Path(path).parent / d.file.folder).resolve())
        content["likelihoods"][d.key] = merge({"file": path}, file)
    content["code"] = user_code(config, model, data)
    if not content["code"]:
        del content["code"]
    return tomli_w.dumps(content)


def user_code(config: RunConfig, model: ForwardModel, data: list[ExperimentData]) -> dict[str, str]:
    """Files of the user's own Python code and their SHA-256.

    Parameters
    ----------
    config, model, data
        As given to and made by the builders.
    """
    sources = [p.shape.source for p in model.populations if isinstance(p.shape, ExtensionShape)]
    tables = [config.parameters, *(d.file.nuisances.model_dump() for d in data)]
    sources += [find_extension(reference) for table in tables for reference in _references(table)]
    stellar = [section for section in config.populations.values() if section.spectrum == "stellar"]
    recipes = [str(section.options.get("recipe", "")) for section in stellar]
    sources += [find_extension(recipe) for recipe in recipes if is_reference(recipe)]
    return dict(sorted(pair for source in sources for pair in source.files))


def _references(table: Any) -> Iterator[str]:
    """Find the names of user's priors in nested tables of parameters."""
    for key, value in table.items() if isinstance(table, Mapping) else ():
        if key in ("prior", "kind") and is_reference(value):
            yield value
        elif key != "suggested":
            yield from _references(value)


def _from_anywhere(name: str, config: RunConfig) -> str:
    """Make the path of a user's file absolute; names of shipped files stay."""
    return str((config.base / name).resolve()) if name.endswith(".toml") else name
