"""What every population promises, checked once when a user's is loaded; the tests hold the shipped ones to the same."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..backend import Array
from ..errors import ParameterError
from ..extensions import describe_failure, failing_line
from .base import ParameterInfo, Population
from .strict_array import StrictArray

RIGIDITIES = np.geomspace(1.0, 4e8, 24)
"""Rigidities [GV] of the check: the range of the fit's grid."""

_FACTORS = np.array([1.0, 1.001, 0.999])
"""Three parameter vectors near the defaults: their spectra differ, and no sensible limit is crossed."""

_UNITS = {"power": "erg/yr", "energy": "erg", "eta_acc": ""}
SHAPE = "return a spectrum of shape (..., n_rigidity), see stellarcr.populations.Population"
BATCH = (
    "a fit gives arrays of many parameter vectors: give each parameter a last axis with "
    "stellarcr.populations.column(parameters[name]), use where instead of if, array functions instead of loops and of "
    "math, and leave the given arrays as they are"
)


def check_population(population: Population) -> str:
    """Refuse a population that a fit could not use.

    Its parameters are complete, and its shape is a pure function of rigidity and parameters, of the right array shape
    for one parameter vector or many, finite, not negative, and independent of the amplitude and of the number of
    parameter vectors.

    Parameters
    ----------
    population : Population
        The population, tried at its default parameters and beside them.

    Returns
    -------
    str
        Why the shape works with NumPy's arrays only, such as the line that calls a function of NumPy; empty if it is
        written against the Array API.

    Raises
    ------
    ParameterError
        Naming what is wrong, with the parameters, and the remedy.
    """
    _check_declarations(population)
    defaults = {info.name: float(info.default) for info in population.parameters}
    inner = (len(population.elements), len(RIGIDITIES)) if population.shape_per_element else (len(RIGIDITIES),)
    batch = {info.name: _beside(info) for info in population.parameters}
    alone = [
        _spectrum(population, {name: float(values[k]) for name, values in batch.items()}, inner, "numbers")
        for k in range(len(_FACTORS))
    ]
    if not np.any(alone[0] > 0):
        raise ParameterError("the shape is zero everywhere at the default parameters", remedy="correct the defaults")
    together = _spectrum(population, batch, (3, *inner), "arrays of shape (3,)")
    _compare(
        together,
        np.stack(alone),
        "three parameter vectors at once, and one after the other, give other spectra",
        f"let the shape depend on rigidity and parameters alone; {BATCH}",
    )
    for name in defaults:
        mixed = _spectrum(
            population, {**defaults, name: batch[name]}, None, f"{name} of shape (3,), the others numbers"
        )
        if name == population.amplitude_name:
            expected = np.broadcast_to(alone[0], mixed.shape)
            _compare(
                mixed,
                expected,
                f"the shape depends on {name!r}, the amplitude, which the model applies itself",
                f"leave {name!r} out of the shape",
            )
        elif mixed.shape not in (inner, (3, *inner)):
            raise ParameterError(
                f"with {name} of shape (3,) and the others numbers the shape gives an array of shape {mixed.shape}, "
                f"not {(3, *inner)}",
                remedy=SHAPE,
            )
    return _why_numpy_only(population, {name: StrictArray(value) for name, value in batch.items()}, together)


def _beside(info: ParameterInfo) -> np.ndarray:
    """A parameter's default and values beside it, within its limits."""
    values = float(info.default) * _FACTORS
    return values if info.limits is None else np.clip(values, *info.limits)


def _check_declarations(population: Population) -> None:
    for key in ("name", "label"):
        text = getattr(population, key)
        if not isinstance(text, str) or not text:
            raise ParameterError(f"{key} = {text!r}", remedy=f"write the {key} as text that is not empty")
    budget = population.budget
    number = isinstance(budget, int | float) and not isinstance(budget, bool)
    if budget is not None and not (number and 0 < budget < math.inf):
        raise ParameterError(f"budget = {budget!r}", remedy="give a positive number, or leave it out")
    infos = population.parameters
    for info in infos:
        if not isinstance(info, ParameterInfo):
            raise ParameterError(
                f"parameters holds a {type(info).__name__}, {info!r}",
                remedy="list stellarcr.populations.ParameterInfo(name, default, unit, label, source)",
            )
        if not isinstance(info.default, int | float) or isinstance(info.default, bool):
            raise ParameterError(f"parameter {info.name!r}: default = {info.default!r}", remedy="give a number")
        if not math.isfinite(info.default):
            raise ParameterError(f"parameter {info.name!r}: default = {info.default}", remedy="give a finite number")
        if info.limits is not None and not info.limits[0] <= info.default <= info.limits[1]:
            raise ParameterError(
                f"parameter {info.name!r}: default = {info.default:g} is outside limits = {info.limits}",
                remedy="give limits (lowest, highest) around the default, or none",
            )
        texts = [(key, getattr(info, key)) for key in ("name", "unit", "label", "source")]
        for key, text in texts:
            if not isinstance(text, str) or (key in ("name", "label", "source") and not text):
                raise ParameterError(
                    f"parameter {info.name!r}: {key} = {text!r}", remedy=f"write the {key} as text that is not empty"
                )
        if not all(part.isidentifier() for part in info.name.split(".")):
            raise ParameterError(
                f"a parameter cannot be named {info.name!r}", remedy="use letters, digits, underscores"
            )
    names = [info.name for info in infos]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ParameterError(f"two parameters are named {twice[0]!r}", remedy="give each its own name")
    _check_needed(population, {info.name: info for info in infos})


def _check_needed(population: Population, infos: Mapping[str, ParameterInfo]) -> None:
    if population.place not in ("disc", "nearby"):
        raise ParameterError(f"place = {population.place!r} is not a choice", remedy="use 'disc' or 'nearby'")
    needed = {population.amplitude_name: _UNITS[population.amplitude_name]}
    if "eta_acc" in infos and ("power" in infos or population.budget is None):
        raise ParameterError(
            "an efficiency eta_acc stands beside a power" if "power" in infos else "eta_acc is a part of no budget",
            remedy="declare eta_acc with a budget [erg/yr] of mechanical power, or power [erg/yr], never both",
        )
    if population.place == "nearby":
        needed |= {"age": "yr", "distance": "kpc"}
    for name, unit in needed.items():
        if name not in infos:
            raise ParameterError(
                f"a population with place = {population.place!r} needs a parameter {name!r}",
                remedy=f"add ParameterInfo({name!r}, default, {unit!r}, label, source)",
            )
        if infos[name].unit != unit or infos[name].default <= 0:
            raise ParameterError(
                f"parameter {name!r} is {infos[name].default:g} {infos[name].unit or '(no unit)'}",
                remedy=f"give a positive default in {unit}",
            )
    multipliers = [name for name in infos if name.startswith("abundance.")]
    if bool(multipliers) != population.free_abundances:
        raise ParameterError(
            f"free_abundances = {population.free_abundances}, but the parameters hold "
            f"{multipliers[0] if multipliers else 'no abundance.<element>'}",
            remedy="use free_abundances=True together with *abundance_parameters(tuple(composition.elements))",
        )
    unknown = [name for name in multipliers if name.removeprefix("abundance.") not in population.elements]
    if unknown:
        raise ParameterError(f"{unknown[0]!r}: the composition has no such element", remedy="remove the parameter")


def _spectrum(
    population: Population, parameters: Mapping[str, Any], shape: tuple[int, ...] | None, what: str
) -> np.ndarray:
    """Evaluate with read-only arrays; check type, shape and numbers."""
    rigidity = _frozen(RIGIDITIES)
    given = {name: _frozen(v) if isinstance(v, np.ndarray) else v for name, v in parameters.items()}
    result = _called(population.shape, rigidity, given, what)
    if not isinstance(result, np.ndarray) or result.dtype != np.float64:
        found = f"an array of {result.dtype}" if isinstance(result, np.ndarray) else f"a {type(result).__name__}"
        raise ParameterError(
            f"with parameters as {what} the shape gives {found}, not an array of float64", remedy=SHAPE
        )
    if shape is not None and result.shape != shape:
        raise ParameterError(
            f"with parameters as {what} and {len(RIGIDITIES)} rigidities the shape gives an array of shape "
            f"{result.shape}, not {shape}",
            remedy=SHAPE,
        )
    bad = ~(np.isfinite(result) & (result >= 0))
    if np.any(bad):
        place = np.argwhere(bad)[0]
        shown = ", ".join(f"{name} = {np.ravel(v)[0]:g}" for name, v in parameters.items())
        raise ParameterError(
            f"the shape is {result[tuple(place)]:g} at {RIGIDITIES[place[-1]]:.4g} GV and {shown}",
            remedy="a spectrum is finite and not negative at all rigidities from 1 GV on; take its logarithm, and cut "
            "it at stellarcr.populations.spectra.LOWEST_EXPONENT before the exponential",
        )
    return result


def _why_numpy_only(population: Population, parameters: Mapping[str, StrictArray], expected: np.ndarray) -> str:
    """Try the shape with arrays that only the Array API's functions take."""
    try:
        with np.errstate(all="ignore"):
            result = population.shape(_frozen(RIGIDITIES), parameters)
    except Exception as error:
        return failing_line(error) or describe_failure(error)
    if not isinstance(result, StrictArray):
        return f"it turns arrays of another library into a {type(result).__name__}"
    return "" if _agree(result.values, expected) else "arrays of another library give other spectra"


def _called(shape: Callable[..., Array], rigidity: Array, parameters: Mapping[str, Array], what: str) -> Array:
    try:
        with np.errstate(all="ignore"):
            return shape(rigidity, parameters)
    except Exception as error:
        missing = isinstance(error, KeyError)
        raise ParameterError(
            f"with parameters as {what} the shape fails: {describe_failure(error)}",
            remedy=f"declare a parameter {error} in parameters" if missing else BATCH,
        ) from error


def _compare(found: np.ndarray, expected: np.ndarray, problem: str, remedy: str) -> None:
    if not _agree(found, expected):
        raise ParameterError(problem, remedy=remedy)


def _agree(found: np.ndarray, expected: np.ndarray) -> bool:
    # Rounding of one exponential of a large exponent; a real dependence is larger by far.
    return found.shape == expected.shape and np.allclose(found, expected, rtol=1e-9, atol=0.0)


def _frozen(values: np.ndarray) -> np.ndarray:
    copy = np.array(values)
    copy.setflags(write=False)
    return copy
