"""Names of what spectra show: elements, groups such as p+He, nuclides such as Be10, and ratios of two of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..errors import ConfigError, ParameterError, nearest
from ..galaxy.validity import lowest_valid
from ..model import ForwardModel
from ..observe.axes import rigidity
from ..species import ELEMENTS, GROUPS, Nuclide, canonical_species, dominant_isotope, is_ratio, members, nuclide

_NUCLIDE = re.compile(r"([A-Z][a-z]?)([0-9]{1,2})")


def canonical_quantity(name: str) -> str:
    """Bring a name to its one spelling: ``p/He`` becomes ``H/He``.

    Parameters
    ----------
    name : str
        Element, group, nuclide (symbol and mass number), or a ratio of two of these.

    Raises
    ------
    ParameterError
        For an unknown name, with the nearest ones.
    """
    given = [part.strip() for part in name.split("/")]
    if len(given) > 2:
        raise ParameterError(f"{name!r} is no ratio of two", remedy="write one numerator and one denominator: B/C")
    return "/".join(_canonical(part, name) for part in given)


def _canonical(part: str, name: str) -> str:
    found = _NUCLIDE.fullmatch(part)
    if found:
        return nuclide(found[1], int(found[2])).name
    try:
        return canonical_species(part)
    except ParameterError:
        whole = f" in {name!r}" if part != name.strip() else ""
        raise ParameterError(
            f"unknown species {part!r}{whole}", remedy=nearest(part, [*ELEMENTS, *GROUPS, "lnA"])
        ) from None


def _nuclide(part: str) -> Nuclide | None:
    found = _NUCLIDE.fullmatch(part)
    return nuclide(found[1], int(found[2])) if found else None


def absent_parts(name: str, model: ForwardModel) -> list[str]:
    """Parts of a quantity of which the model has no flux at all.

    Parameters
    ----------
    name : str
        From `canonical_quantity`.
    model : ForwardModel
        The physics.
    """
    return [part for part in name.split("/") if not _has(part, model)]


def _has(part: str, model: ForwardModel) -> bool:
    wanted = _nuclide(part)
    if wanted is None:
        return bool(set(members(part)) & set(model.elements))
    return wanted in nuclides_of(wanted.symbol, model)


def nuclides_of(element: str, model: ForwardModel) -> list[Nuclide]:
    """Nuclides of an element that the model has, by mass number."""
    if element not in model.elements:
        return []
    fluxes = model.flux_by_nuclide({}, element, np.array([100.0]))
    return sorted({n for of_one in fluxes.values() for n in of_one}, key=lambda n: n.mass_number)


def nearest_quantity(part: str, model: ForwardModel) -> str:
    """What to do about a part that the model does not have, for an error's remedy."""
    wanted = _nuclide(part)
    if wanted is None:
        followed = model.galaxy.network is not None or part not in ELEMENTS
        return nearest(part, model.elements) + ("" if followed else "; galaxy.production follows fragments")
    known = ", ".join(n.name for n in nuclides_of(wanted.symbol, model))
    if known:
        return (
            f"of {wanted.symbol} the model has {known}; isotopes = 'given' or 'natural' lets a population inject more"
        )
    return f"choose among the model's elements: {', '.join(model.elements)}"


def evaluate(
    model: ForwardModel, parameters: Mapping[str, Any], name: str, x: np.ndarray, axis: str, phi: float
) -> dict[str, np.ndarray]:
    """Flux of a species, or a ratio, in total and by population.

    Parameters
    ----------
    model : ForwardModel
        The physics.
    parameters : mapping
        Values by full name, numbers or ``(n,)``.
    name : str
        From `canonical_quantity`.
    x : numpy.ndarray
        Points on the axis.
    axis : str
        Axis code; a ratio is taken at equal x on it.
    phi : float
        Modulation potential [GV].

    Returns
    -------
    dict
        ``total`` and populations: fluxes ``(..., n_x)``. Of a ratio each population's part of the numerator over the
        whole denominator, so that they add up to the total; NaN where that vanishes.
    """
    numerator, _, denominator = name.partition("/")
    fluxes = _fluxes(model, parameters, numerator, x, axis, phi)
    if not is_ratio(name):
        return fluxes
    below = np.asarray(_fluxes(model, parameters, denominator, x, axis, phi)["total"])
    below = np.where(below > 0, below, np.nan)
    return {key: np.asarray(flux) / below for key, flux in fluxes.items()}


def check_defined(name: str, values: Mapping[str, np.ndarray], x: np.ndarray) -> None:
    """Refuse a ratio at points where its denominator vanishes.

    Raises
    ------
    ConfigError
        Names the first of these points.
    """
    bad = ~np.isfinite(np.atleast_2d(values["total"])).all(axis=0)
    if np.any(bad):
        raise ConfigError(
            f"there is no {name.partition('/')[2]} at {x[bad][0]:g}, so {name} is not defined",
            remedy="leave the point out: it lies beyond the cutoffs of all sources",
        )


def _fluxes(
    model: ForwardModel, parameters: Mapping[str, Any], part: str, x: np.ndarray, axis: str, phi: float
) -> dict[str, np.ndarray]:
    wanted = _nuclide(part)
    if wanted is None:
        return model.flux(parameters, part, x, axis, phi)
    zero = np.zeros_like(np.asarray(x, dtype=float))
    by_nuclide = model.flux_by_nuclide(parameters, wanted.symbol, x, axis, phi)
    fluxes = {place: np.asarray(found.get(wanted, zero)) for place, found in by_nuclide.items()}
    return {"total": sum(fluxes.values(), zero), **fluxes}


def lowest_rigidity(name: str, axis: str, x: float) -> tuple[Nuclide, float]:
    """The nuclide of a quantity that has the lowest rigidity at a point of an axis, and that rigidity [GV].

    Parameters
    ----------
    name : str
        From `canonical_quantity`, or ``lnA``. Elements stand for their dominant isotopes; of all particles and <ln A>
        hydrogen and iron are the ends that matter.
    axis : str
        Axis code.
    x : float
        Point on it [GV or GeV].
    """
    found: list[Nuclide] = []
    for part in name.split("/"):
        single = _nuclide(part)
        elements = ("H", "Fe") if part in ("all", "lnA") else members(part) if single is None else ()
        found += [dominant_isotope(e) for e in elements] if single is None else [single]
    rigidities = [float(rigidity(axis, x, n)) for n in found]
    k = int(np.argmin(rigidities))
    return found[k], rigidities[k]


def validity_note(name: str, axis: str, x: float, unit: str) -> str:
    """Say that a quantity lies below the model's range; empty if it does not.

    Parameters
    ----------
    name, axis, x
        As for `lowest_rigidity`.
    unit : str
        Of the axis.
    """
    nucleus, lowest = lowest_rigidity(name, axis, x)
    if lowest >= lowest_valid(name):
        return ""
    what = "ratios" if is_ratio(name) else "fluxes"
    shown = nucleus.name if nucleus.name in name else nucleus.symbol
    of = "" if axis == "R" else f" ({name} at {x:.4g} {unit}: {shown} of {lowest:.2g} GV)"
    return (
        f"{what} below {lowest_valid(name):g} GV: energy losses and reacceleration matter, which this model leaves "
        f"out{of}"
    )
