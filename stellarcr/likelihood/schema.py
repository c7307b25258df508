"""The form of a likelihood file, and how mistakes in it are reported."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    ValidationError,
    model_serializer,
    model_validator,
)

from ..data.content import content_path
from ..errors import ConfigError, nearest
from ..extensions import absolute_references


class Strict(BaseModel):
    """Base of every configuration section: unknown keys are errors, sections are immutable."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Correlation(Strict):
    """How an error is correlated between the points of a table."""

    correlation: Literal["uncorrelated", "full", "length"] = Field(
        default="uncorrelated",
        description="independent points, one common shift, or exp(-|difference of ln R| / length)",
    )
    length: float | None = Field(default=None, gt=0, description="correlation length in ln R")
    source: str = Field(default="", description="where the choice comes from")

    @model_validator(mode="after")
    def _length_goes_with_its_kind(self) -> Self:
        if (self.correlation == "length") != (self.length is not None):
            raise ValueError("correlation = 'length' and a length belong together")
        return self


class Part(Correlation):
    """A part of a systematic error that is known only as a total."""

    fraction: float = Field(gt=0, le=1, description="its fraction of the component's variance")


class Systematic(Correlation):
    """How one named systematic error is correlated between the points of a table."""

    parts: tuple[Part, ...] | None = Field(
        default=None,
        min_length=1,
        description="splits the error into parts with a fraction of its variance and a correlation each, in place of "
        "one correlation",
    )
    relative: float | None = Field(
        default=None,
        gt=0,
        lt=1,
        description="assumed error as a fraction of the flux, for tables that publish no systematic error",
    )
    every_table: bool = Field(
        default=False, description="adds an assumed error to tables that publish systematic errors as well"
    )

    @model_validator(mode="after")
    def _parts_are_whole(self) -> Systematic:
        if self.parts is not None:
            total = sum(part.fraction for part in self.parts)
            if abs(total - 1.0) > 1e-6:
                raise ValueError(f"the fractions of the parts add up to {total:g} instead of 1")
            if self.correlation != "uncorrelated":
                raise ValueError("give parts, or one correlation")
        if self.every_table and self.relative is None:
            raise ValueError("every_table is for an assumed error, one with relative")
        return self

    @model_serializer(mode="wrap")
    def _without_unused(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        # fits without assumed errors and parts keep their fingerprint
        return _used(handler(self), parts=None, relative=None, every_table=False)


class Difference(Strict):
    """One species that was published as a difference of two measurements."""

    total: str = Field(description="species of the sum that was measured, such as p+He")
    minuend: str = Field(description="species that is the difference, such as He")
    subtrahend: str = Field(description="species that was subtracted, such as H")
    source: str = Field(default="", description="where it was published as a difference")


class Errors(Strict):
    """Error model of an experiment."""

    statistical: Literal["uncorrelated"] = Field(
        default="uncorrelated", description="statistical errors are independent between points"
    )
    systematic: dict[str, Systematic] = Field(
        default={}, description="one section for each systematic error that the tables name"
    )
    difference: Difference | Literal[False] = Field(
        default=False, description="covariance of a species published as a difference; false leaves it out"
    )
    statistical_floor: float = Field(
        default=0.0,
        ge=0,
        lt=0.1,
        description="least statistical error as a fraction of the value, for tables that print some as 0",
    )

    @model_serializer(mode="wrap")
    def _without_unused(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return _used(handler(self), statistical_floor=0.0)


class Range(Strict):
    """Points that enter the fit, by the rigidity [GV] of the dominant isotope at the published point."""

    rigidity_min: float = Field(default=20.0, ge=0, description="points above this rigidity [GV] are fitted")
    rigidity_max: float = Field(default=float("inf"), gt=0, description="points below this rigidity [GV] are fitted")


class Nuisance(Strict):
    """A nuisance parameter: fixed by ``value``, free by ``prior``."""

    value: float | None = Field(default=None, description="fixes it; with a prior: where plots and searches start")
    prior: dict[str, Any] | None = Field(default=None, description="frees it: a table with kind and arguments")
    suggested: dict[str, Any] | None = Field(
        default=None, description="prior for those who want to free it; explains, and decides nothing"
    )
    unit: str = Field(default="", description="unit of the value, as text")
    source: str = Field(default="", description="where value and prior come from")
    published_systematics_contain_it: bool = Field(
        default=False, description="whether freeing it would count a published error twice; it is then refused"
    )
    allow_double_counting: bool = Field(
        default=False, description="frees it although the published systematic errors contain it, with a warning"
    )

    @model_validator(mode="after")
    def _is_set(self) -> Nuisance:
        if self.value is None and self.prior is None:
            raise ValueError("give a value or a prior")
        return self

    @model_serializer(mode="wrap")
    def _without_unused(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return _used(handler(self), allow_double_counting=False)


class Nuisances(Strict):
    """Nuisance parameters that every experiment has."""

    phi: Nuisance = Field(
        default=Nuisance(value=0.0, unit="GV"), description="modulation potential [GV] of the force field"
    )
    energy_scale: Nuisance = Field(
        default=Nuisance(value=1.0), description="s, measured over true energy: J_measured(E) = J(E/s)/s"
    )
    normalisation: Nuisance = Field(
        default=Nuisance(value=1.0), description="factor on all predicted fluxes, or on the ratios"
    )
    scatter: Nuisance = Field(
        default=Nuisance(value=0.0),
        description="intrinsic scatter, as a fraction of the prediction: adds (scatter x prediction)^2 to the variance "
        "of every point; 0 is none",
    )

    @model_serializer(mode="wrap")
    def _without_unused(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        scattered = self.scatter.prior is not None or self.scatter.value != 0.0
        return {k: v for k, v in handler(self).items() if k != "scatter" or scattered}


class LikelihoodFile(Strict):
    """One experiment: its tables, range, errors and nuisance parameters."""

    # a serializer of one's own would else turn an infinite limit into null, and with it every fingerprint
    model_config = ConfigDict(ser_json_inf_nan="constants")

    experiment: str = Field(description="name of the experiment in the tables")
    description: str = Field(default="", description="what is fitted, in words")
    reference_fit: bool = Field(default=False, description="whether the reference fit uses it; explains only")
    species: tuple[str, ...] = Field(
        min_length=1,
        description="elements or sums whose tables are fitted; or, in a file of its own, ratios such as B/C; or lnA",
    )
    hadronic_model: str | tuple[str, ...] | None = Field(
        default=None,
        description="which of several tables: the interaction model that an air-shower measurement assumes; of a list "
        "the likelihood is the weighted mean over its models",
    )
    hadronic_weights: tuple[float, ...] | None = Field(
        default=None, description="prior weights of a list of hadronic models, in its order; equal if not given"
    )
    axis: Literal["R", "EK", "EKN", "ETOT"] | None = Field(
        default=None, description="which of several tables: the axis, where a measurement is published on more than one"
    )
    folder: str | None = Field(
        default=None, description="folder of the tables, relative to the file; default: the package's"
    )
    range: Range = Field(default=Range(), description="which points are fitted")
    errors: Errors = Field(default=Errors(), description="how errors are correlated")
    nuisances: Nuisances = Field(default=Nuisances(), description="parameters of the experiment itself")

    @model_validator(mode="after")
    def _weights_belong_to_models(self) -> LikelihoodFile:
        models, weights = self.hadronic_model, self.hadronic_weights
        if isinstance(models, tuple) and (len(models) < 2 or len(set(models)) < len(models)):
            raise ValueError(f"hadronic_model = {list(models)} is no list of two or more different models")
        if weights is not None:
            if not isinstance(models, tuple) or len(weights) != len(models):
                raise ValueError(
                    f"hadronic_weights = {list(weights)} needs a list of hadronic models, and one weight for each, not "
                    f"hadronic_model = {list(models) if isinstance(models, tuple) else models!r}"
                )
            if not all(0.0 < w < float("inf") for w in weights):
                raise ValueError(f"hadronic_weights = {list(weights)} are not all positive and finite")
        return self

    @model_serializer(mode="wrap")
    def _without_unused(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        # fits of tables that need no axis keep their fingerprint
        return _used(handler(self), axis=None, hadronic_weights=None)

    @property
    def hadronic_models(self) -> tuple[str | None, ...]:
        """The interaction models of the tables; one that is None where tables name none."""
        return self.hadronic_model if isinstance(self.hadronic_model, tuple) else (self.hadronic_model,)


def _used(content: dict[str, Any], **unused: Any) -> dict[str, Any]:
    """Leave out what a file does not use, so that the fingerprints of older fits stay."""
    return {k: v for k, v in content.items() if k not in unused or v != unused[k]}


Section = TypeVar("Section", bound=BaseModel)


def parse(kind: type[Section], content: Mapping[str, Any], where: str) -> Section:
    """Validate a mapping, turning every mistake into one readable error.

    Parameters
    ----------
    kind : type
        A pydantic model.
    content : mapping
        What the TOML file holds.
    where : str
        File, for the message.

    Raises
    ------
    ConfigError
        Names key, value and remedy of every mistake.
    """
    try:
        return kind.model_validate(content)
    except ValidationError as error:
        problems, remedies = [], []
        for item in error.errors():
            key = ".".join(str(part) for part in item["loc"])
            if item["type"] == "extra_forbidden":
                problems.append(f"unknown key {key!r}")
                valid = _fields_at(kind, item["loc"][:-1])
                remedies.append(nearest(str(item["loc"][-1]), valid) if valid else f"remove {key!r}")
            elif item["type"] == "missing":
                problems.append(f"missing key {key!r}")
                remedies.append(f"add {key!r}")
            else:
                message = item["msg"].removeprefix("Value error, ").replace("valid tuple", "list")
                # What concerns several keys has no place of its own, and its input is the whole file.
                problems.append(f"{key} = {item['input']!r}: {message[0].lower()}{message[1:]}" if key else message)
                remedies.append(f"correct {key!r}" if key else "change one of them")
        raise ConfigError("; ".join(problems), where=where, remedy="; ".join(remedies)) from None


def _fields_at(kind: type[BaseModel], path: tuple[int | str, ...]) -> list[str]:
    current = kind
    for part in path:
        if part not in current.model_fields:
            continue  # the key of a mapping, a place in a list, or a member of a union
        inner = _models_in(current.model_fields[str(part)].annotation)
        if not inner:
            return []
        current = inner[0]
    return list(current.model_fields)


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [found for inner in getattr(annotation, "__args__", ()) for found in _models_in(inner)]


def read_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file.

    Raises
    ------
    ConfigError
        If it does not exist or is not TOML; names the line.
    """
    try:
        return tomllib.loads(path.read_text())
    except FileNotFoundError:
        near = sorted(p.name for p in path.parent.glob("*.toml")) if path.parent.is_dir() else []
        raise ConfigError(f"no such file: {path}", remedy=nearest(path.name, near)) from None
    except IsADirectoryError:
        raise ConfigError(f"{path} is a folder, not a file", remedy="name the TOML file in it") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is no text: {error}", remedy="save it as a TOML file in UTF-8") from error
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error}", remedy="check the path and its permissions") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"not valid TOML: {error}", where=str(path), remedy="correct that line") from error


def likelihood_files() -> dict[str, Path]:
    """Names and files of the likelihoods that the package ships."""
    return {path.stem: path for path in sorted(content_path("likelihoods").glob("*.toml"))}


def load_likelihood_file(
    name: str, changes: Mapping[str, Any] | None = None, where: str = "", base: Path | None = None
) -> tuple[LikelihoodFile, Path]:
    """Read and validate a likelihood file.

    Parameters
    ----------
    name : str
        A shipped name such as ``"ams02"``, or the path of a TOML file.
    changes : mapping, optional
        Keys of a run configuration that replace the file's, merged section by section.
    where : str
        The configuration that asked for it.
    base : Path, optional
        Folder to which a relative path refers.

    Raises
    ------
    ConfigError
        For unknown names, keys, values.
    """
    known = likelihood_files()
    path = known.get(name) or (base or Path()) / name
    if path.suffix != ".toml" or not path.is_file():
        raise ConfigError(
            f"unknown likelihood {name!r}",
            where=where,
            remedy=f"{nearest(name, known)}; or give the path of a TOML file",
        )
    content = merge(absolute_references(read_toml(path), path.parent), changes or {})
    origin = str(path) if not changes else f"{path} with the changes of {where}"
    return parse(LikelihoodFile, content, origin), path


def merge(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Merge nested mappings; a nuisance or systematic that is given anew replaces the old one as a whole.

    What the published systematic errors contain is a fact about the tables, and stays unless it is contradicted.
    """
    merged = dict(base)
    for key, value in changes.items():
        old = merged.get(key)
        leaf = isinstance(value, Mapping) and {"prior", "value", "correlation", "parts"} & set(value)
        if isinstance(value, Mapping) and isinstance(old, Mapping):
            facts = {k: v for k, v in old.items() if k == "published_systematics_contain_it"}
            merged[key] = {**facts, **value} if leaf else merge(old, value)
        else:
            merged[key] = value
    return merged
