"""The reference of the run configuration, from the classes that validate it."""

from __future__ import annotations

import math
import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from stellarcr.config import RunConfig
from stellarcr.data.galaxy_presets import galaxy_presets, load_galaxy
from stellarcr.data.nuclear_files import read_nuclear_table
from stellarcr.data.nuclear_tables import inelastic_sets, nuclear_sets
from stellarcr.galaxy import PROFILES, Galaxy, SourceProfile
from stellarcr.galaxy.nuclear import NuclearNetwork
from stellarcr.infer.expressions import FUNCTIONS
from stellarcr.infer.parameter import Parameter
from stellarcr.infer.priors import PRIOR_KINDS
from stellarcr.infer.samplers import SamplerSettings, get_sampler, sampler_names
from stellarcr.likelihood.schema import LikelihoodFile, likelihood_files
from stellarcr.populations.stellar_options import StellarOptions

from .markdown import code, described, from_docstring, number, summary, table


@dataclass(frozen=True)
class Key:
    """One key of a configuration.

    Attributes
    ----------
    section : str
        Where it stands, such as ``likelihoods.NAME.range``; empty for the top level.
    name, kind, default, description : str
        As shown.
    """

    section: str
    name: str
    kind: str
    default: str
    description: str

    def __post_init__(self) -> None:
        if not self.description.strip():
            where = f"[{self.section}]" if self.section else "the top level"
            raise LookupError(f"the configuration key {self.name!r} of {where} has no description")


_STELLAR = 'populations.NAME.options (spectrum = "stellar")'

# Keys that are read before their section meets a class.
_BY_HAND = (
    Key("galaxy", "preset", "text", '"plain-diffusion"', "a shipped preset, or the path of a TOML file with its keys"),
    Key("likelihoods.NAME", "file", "text", "NAME", "likelihood file: a shipped name, or the path of a TOML file"),
    Key("sampler", "name", "text", '"emcee"', f"the sampler: {', '.join(sampler_names())}"),
    Key(
        "sampler", "map", "table", "{}", "options of the search for the maximum that comes first; keys in `sampler.map`"
    ),
)


def keys() -> tuple[Key, ...]:
    """List every key that a run configuration may have, in the order of the page.

    Raises
    ------
    LookupError
        If one has no description.
    """
    found = list(_model_keys(RunConfig, ""))
    found += [key for key in _dataclass_keys(StellarOptions, _STELLAR) if key.name != "kind"]
    found += [k for k in _BY_HAND if k.section == "galaxy"]
    # the network is what `production` and `inelastic` name: no key of its own
    found += [k for k in _dataclass_keys(Galaxy, "galaxy", vars(load_galaxy())) if k.name != "network"]
    entry = _dataclass_keys(Parameter, "parameters.POPULATION.NAME")
    found += [key for key in entry if key.name != "name"]
    found += [k for k in _BY_HAND if k.section == "likelihoods.NAME"]
    found += _model_keys(LikelihoodFile, "likelihoods.NAME")
    found += [k for k in _BY_HAND if k.section == "sampler"]
    found += [_without_seed(k) for k in _dataclass_keys(SamplerSettings, "sampler")]
    common = {f.name for f in fields(SamplerSettings)}
    for name in sampler_names():
        section = "sampler.map" if name == "map" else f'sampler (name = "{name}")'
        settings = get_sampler(name).settings_type
        found += [key for key in _dataclass_keys(settings, section) if key.name not in common]
    return tuple(found)


def _without_seed(key: Key) -> Key:
    if key.name != "seed":
        return key
    return Key(key.section, key.name, key.kind, "the run's `seed`", key.description)


def _model_keys(model: type[BaseModel], section: str) -> Iterator[Key]:
    inner: dict[type[BaseModel], str] = {}
    for name, field in model.model_fields.items():
        if field.exclude:
            continue
        path = f"{section}.{name}" if section else name
        mapping = "dict" in str(field.annotation)
        for found in _models_in(field.annotation):
            # keys whose sections are alike share a table
            inner[found] = f"{section}.NAME" if found in inner else f"{path}.NAME" if mapping else path
        kind = _kind(field.annotation)
        yield Key(section, name, kind, _default(field), from_docstring(field.description or ""))
    for found, path in inner.items():
        yield from _model_keys(found, path)


def _dataclass_keys(kind: type, section: str, values: Mapping[str, Any] | None = None) -> list[Key]:
    assert is_dataclass(kind)
    texts: dict[str, tuple[str, str]] = {}
    for base in reversed(kind.__mro__):
        texts.update(described(base, "Parameters", "Attributes"))
    result = []
    for field in fields(kind):
        written, text = texts.get(field.name, ("", ""))
        default = field.default if values is None else values.get(field.name)
        result.append(Key(section, field.name, _written_kind(written), _shown(default), from_docstring(text)))
    return result


def _written_kind(written: str) -> str:
    """Type of a docstring in the words of TOML."""
    words = {
        "tuple of float": "list of two numbers",
        "str": "text",
        "float": "number",
        "int": "integer",
        "bool": "true or false",
        "mapping": "table",
    }
    # a profile is named in TOML, or given as a file
    plain = written.removesuffix(", optional").removesuffix(" or RadialProfile")
    if plain.startswith("{"):
        return "one of " + plain.strip("{}")
    return {**words, "Prior": "kind, or table"}.get(plain.removesuffix(" or None"), plain)


def _kind(annotation: Any) -> str:
    origin, inner = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (typing.Union, types.UnionType):
        return " or ".join(dict.fromkeys(_kind(a) for a in inner if a is not type(None)))
    if origin is Literal:
        return "one of " + ", ".join(_shown(value) for value in inner) if len(inner) > 1 else _shown(inner[0])
    if origin is dict or (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
        return "table"
    if origin is tuple:
        return "list of tables" if _models_in(annotation) else "list of " + {"text": "texts"}.get(_kind(inner[0]), "")
    return {str: "text", float: "number", int: "integer", bool: "true or false", Any: "anything"}[annotation]


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [found for inner in typing.get_args(annotation) for found in _models_in(inner)]


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    return "see below" if isinstance(value, BaseModel) else _shown(value)


def _shown(value: Any) -> str:
    if value is MISSING:
        return "required"
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return number(value) if math.isfinite(value) else "inf"
    if isinstance(value, str):
        return f'"{value}"' if value else '""'
    if isinstance(value, SourceProfile):
        return _shown(value.name)
    if isinstance(value, NuclearNetwork) or (isinstance(value, Mapping) and len(value) > 3):
        return "see below"
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{k} = {_shown(v)}" for k, v in value.items()) + " }" if value else "{}"
    return "[" + ", ".join(_shown(v) for v in value) + "]"


# ---------------------------------------------------------------------- the page

_INTRODUCTION = """# Configuration

A run is one TOML file. The same content as a Python mapping is understood by `stellarcr.run` and
`stellarcr.config.config_from_mapping`. An unknown key is an error, and the message names the nearest valid one.
This page is made from the classes that check the file.

In the names of sections, `NAME` stands for a name of your choice: of a population, of a likelihood, of an error.
"""

_TEXTS = {
    "": "## The top level\n",
    "galaxy": "## `[galaxy]`\n\nDefaults are those of the preset `plain-diffusion`. What `[parameters.galaxy]` may "
    "name instead, fixed or free, is listed in [parameters](parameters.md#galaxy). See [propagation]"
    "(../physics/propagation.md), and [how to fit it](../how-to/fit_propagation.md).\n",
    "populations.NAME": "## `[populations.NAME]`\n\nOne section for each population; an empty one is enough. Which "
    "kinds exist, and their parameters: [parameters of the populations](parameters.md).\n",
    _STELLAR: f"### `[{_STELLAR}]`\n\nWhat the spectra of winds and clusters are computed from; see "
    "[how to use them](../how-to/stellar_populations.md).\n",
    "nearby": "## `[nearby]`\n\nSources near the Sun from a table; see [how to use them]"
    "(../how-to/nearby_sources.md).\n",
    "parameters.POPULATION.NAME": "## `[parameters]`\n\nA number fixes a parameter. A table with `prior` frees it, a "
    "table with `linked` ties it to others. Every parameter `x` may also be given as `log10_x`; what is not given "
    "keeps its [default](parameters.md). Nuisance parameters are named `LIKELIHOOD.phi`, `LIKELIHOOD.energy_scale`, "
    "`LIKELIHOOD.normalisation`; naming one here replaces the likelihood file's.\n\nWhere `prior` is a kind, its "
    "arguments stand beside it.\n",
    "likelihoods.NAME": "## `[likelihoods.NAME]`\n\nEvery key of a likelihood file can stand here and then replaces "
    "the file's. A likelihood file has the same keys. Shipped: {files}.\n",
    "sampler": "## `[sampler]`\n\nOptions of all samplers; those of each follow.\n",
}


def page() -> str:
    """Make the page."""
    parts = [_INTRODUCTION]
    sections: dict[str, list[Key]] = {}
    for key in keys():
        sections.setdefault(key.section, []).append(key)
    # sections follow the order in which their parents are listed at the top level
    first = {key.name: place for place, key in enumerate(sections[""], start=1)}
    order = sorted(sections, key=lambda s: first.get(s.split(".")[0].split(" ")[0], 0))
    for section in order:
        files = ", ".join(f"`{name}`" for name in likelihood_files())
        parts.append(_TEXTS.get(section, f"### `[{section}]`\n").replace("{files}", files))
        rows = [
            (
                code(k.name),
                k.kind,
                k.default if k.default[:3] in ("", "req", "see", "the", "NAM") else code(k.default),
                k.description,
            )
            for k in sections[section]
        ]
        parts.append(table(("key", "type", "default", "meaning"), rows))
        if section == "galaxy":
            parts.append(_galaxy())
        if section == "parameters.POPULATION.NAME":
            parts.append(_priors())
    return "\n".join(parts)


def _galaxy() -> str:
    parts = ["### Presets\n"]
    for preset in galaxy_presets():
        galaxy = load_galaxy(preset)
        rows = [
            (code(k), code(_shown(v)), from_docstring((galaxy.sources or {}).get(k, "")))
            for k, v in vars(galaxy).items()
            if isinstance(v, int | float | str | SourceProfile) and k != "name"
        ]
        parts += [f"`{preset}`:\n", table(("key", "value", "source"), rows)]
    profiles = [(code(p.name), number(p.a), number(p.b), p.source) for p in PROFILES.values()]
    parts += [
        "### Radial profiles of the sources\n",
        r"`profile` of `[galaxy]` and of each population: \((r/8.5)^a \exp[-b\,(r-8.5)/8.5]\), \(r\) in kpc; or "
        "[a table](../how-to/fit_propagation.md#where-the-sources-are).\n",
        table(("name", "a", "b", "source"), profiles),
    ]
    chosen = [("`production`", '`"none"`', "destruction alone: nothing turns into anything")]
    for key, sets in (("production", nuclear_sets()), ("inelastic", inelastic_sets())):
        chosen += [(code(key), code(_shown(name)), _origin(path, key)) for name, path in sets.items()]
    text = "What they hold, and tables of your own: [nuclear network](../physics/nuclear.md).\n"
    return "\n".join([*parts, "### Nuclear cross sections\n", text, table(("key", "set", "from"), chosen)])


def _origin(path: Path | None, content: str) -> str:
    """Publication of a set of cross sections; a formula has no file."""
    if path is None:
        return "formula of Letaw et al. 1983"
    return from_docstring(read_nuclear_table(path, content).source)


def _priors() -> str:
    rows = []
    for kind, prior in PRIOR_KINDS.items():
        texts = described(prior, "Parameters")
        arguments = "; ".join(f"`{name}`: {from_docstring(texts[name][1])}" for name in texts)
        rows.append((code(kind), summary(prior), arguments))
    functions = ", ".join(code(name) for name in FUNCTIONS)
    return (
        "### Priors\n\nAll are normalised. Use `value` to say where plots and searches start.\n\n"
        + table(("kind", "what it is", "arguments"), rows)
        + "\nThe arguments of a `scipy` prior stand beside `distribution`.\n"
        + "\n### Links\n\n"
        + f"`linked` holds an arithmetic expression of other parameters: numbers, names, `+ - * / **`, parentheses, "
        f"and the functions {functions} (`log` is the natural logarithm).\n"
    )
