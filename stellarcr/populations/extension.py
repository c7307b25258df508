"""Populations that users write: loaded, checked, and sent to worker processes as a recipe."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from ..backend import Array
from ..errors import ConfigError, ParameterError, nearest
from ..extensions import (
    HOW,
    Extension,
    asked_for,
    call_with_options,
    describe_failure,
    entry_points,
    find_extension,
    is_reference,
)
from .base import InjectionShape, IsotopeChoice, Population
from .composition import Composition
from .contract import check_population
from .nearby import NEARBY_KINDS, with_release
from .reference import POPULATION_KINDS, build_population

ENTRY_POINTS = "stellarcr.populations"
"""Entry-point group in which installed packages declare kinds of populations."""


@dataclass(frozen=True)
class ExtensionShape:
    """The shape of a user's population, with what rebuilds it in another process.

    Attributes
    ----------
    source : Extension
        The builder.
    composition, isotopes, options
        What it was called with.
    function : callable
        The shape that it gave.
    numpy_only : str
        Why the shape works with NumPy's arrays only, such as the line that calls a function of NumPy; empty if it is
        written against the Array API.
    """

    source: Extension
    composition: Composition
    isotopes: IsotopeChoice
    options: tuple[tuple[str, Any], ...]
    function: InjectionShape = field(compare=False, repr=False)
    numpy_only: str = field(default="", compare=False, repr=False)

    def __call__(self, rigidity: Array, parameters: Mapping[str, Array]) -> Array:
        """Evaluate the shape; see `Population`.

        Raises
        ------
        ParameterError
            If the user's function fails; names its line.
        """
        try:
            return self.function(rigidity, parameters)
        except Exception as error:
            raise ParameterError(
                f"the shape fails: {describe_failure(error)}",
                where=self.source.path,
                remedy="correct it, or exclude such parameters from the prior",
            ) from error

    def __reduce__(self) -> tuple[Callable[..., ExtensionShape], tuple[Any, ...]]:
        """Rebuild by calling the builder again: a user's module is not importable everywhere."""
        return _rebuilt_shape, (self.source, self.composition, self.isotopes, self.options)

    @property
    def identity(self) -> list[Any]:
        """What decides the shape: the builder's name, the hashes of its code, the options."""
        return [*self.source.identity, dict(self.options)]


def population_builder(
    kind: str, where: str = ""
) -> Callable[[Composition, IsotopeChoice, Mapping[str, Any]], Population]:
    """Find what builds a kind of population.

    A user's builder is a function or class that is called as ``builder(composition, isotopes, **options)``, with a
    `Composition` and ``"dominant"``, ``"given"`` or ``"natural"``, and gives a `Population`. It declares the options
    that it takes as keyword arguments. What it gives is checked by `stellarcr.populations.contract.check_population`.

    Parameters
    ----------
    kind : str
        A key of ``POPULATION_KINDS`` or ``NEARBY_KINDS``, a name in the entry-point group ``stellarcr.populations``, or
        ``file.py:Name`` or ``module:Name``.
    where : str
        Configuration and section, for messages.

    Returns
    -------
    callable
        ``(composition, isotopes, options) -> Population``.

    Raises
    ------
    ConfigError
        If there is no such kind, file, module or name, or importing it fails.
    """
    shipped = {*POPULATION_KINDS, *NEARBY_KINDS}
    if kind in shipped:
        return lambda composition, isotopes, options: _shipped(kind, composition, isotopes, options)
    if not is_reference(kind):
        declared = entry_points(ENTRY_POINTS)
        if kind not in declared:
            remedy = f"{nearest(kind, {*shipped, *declared})}; or name your own: {HOW}"
            raise ConfigError(f"unknown population kind {kind!r}", where=where, remedy=remedy)
        kind = declared[kind]
    source = find_extension(kind, where)

    def build(composition: Composition, isotopes: IsotopeChoice, options: Mapping[str, Any]) -> Population:
        try:
            population = _built(source, composition, isotopes, options)
            numpy_only = check_population(population)
        except (ConfigError, ParameterError) as error:
            raise asked_for(type(error)(error.problem, where=source.path, remedy=error.remedy), where) from error
        given = tuple(sorted(options.items()))
        return replace(
            population, shape=ExtensionShape(source, composition, isotopes, given, population.shape, numpy_only)
        )

    return build


def _shipped(kind: str, composition: Composition, isotopes: IsotopeChoice, options: Mapping[str, Any]) -> Population:
    population = build_population(kind, composition, isotopes)
    if population.place == "nearby":
        return with_release(population, options)
    if options:
        raise ConfigError(f"the kind {kind!r} has no options, but {sorted(options)} are given", remedy="remove them")
    return population


def _built(
    source: Extension, composition: Composition, isotopes: IsotopeChoice, options: Mapping[str, Any]
) -> Population:
    """Call a user's builder, and make a plain `Population` of what it gives."""
    result = call_with_options(source, (composition, isotopes), options)
    name = source.attribute
    if not isinstance(result, Population):
        raise ConfigError(
            f"{name} gave {_described(result)}, not a Population",
            remedy="return stellarcr.populations.Population(name=..., label=..., composition=composition, "
            "parameters=..., shape=...)",
        )
    kind = type(result)
    changed = [key for key in vars(Population) if key in vars(kind) and not key.startswith("__")]
    if kind is not Population and changed:
        raise ConfigError(
            f"{name} replaces {', '.join(changed)} of Population, which the rest of the package would not see",
            remedy="pass the shape to Population as an argument, and leave its methods alone",
        )
    return Population(**{f.name: getattr(result, f.name) for f in fields(Population)})


def _described(value: Any) -> str:
    return (
        "None"
        if value is None
        else f"a {value.__name__} class"
        if inspect.isclass(value)
        else f"a {type(value).__name__}"
    )


def _rebuilt_shape(
    source: Extension, composition: Composition, isotopes: IsotopeChoice, options: tuple[tuple[str, Any], ...]
) -> ExtensionShape:
    shape = _built(source, composition, isotopes, dict(options)).shape
    return ExtensionShape(source, composition, isotopes, options, shape)
