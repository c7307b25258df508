"""Dipole anisotropy of a configuration's model, by population, in the form that the command line prints."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from ..backend import Array
from ..config import build_model, build_space, load_config, load_data
from ..constants import YEAR
from ..errors import ConfigError, ParameterError, nearest
from ..galaxy.anisotropy import dipole, nearby_dipole, vector_sum
from ..model import ForwardModel
from ..observe.axes import AXES, check_axis, detector_kernel
from ..populations.base import Population
from ..populations.release import SOURCE_PARAMETERS
from ..species import Nuclide, members
from .spectrum import parse_assignments, reference_parameters

STEP = 0.25
"""Distance [kpc] by which the Sun is moved to either side for the gradient of the Galaxy's density (project choice: the
density has a relative error of 4e-6 from its Bessel series, which is 2e-5 per kpc here, while the gradient is 0.1)."""


def dipole_table(
    model: ForwardModel,
    parameters: Mapping[str, Any],
    species: str,
    axis: str,
    x: np.ndarray,
    longitudes: Mapping[str, float] | None = None,
) -> dict[str, Any]:
    """Dipole amplitudes by population, and their vector sum.

    The gradient of the Galaxy's own density is along the radius; nearby sources lie in the plane.

    Parameters
    ----------
    model : ForwardModel
        The physics.
    parameters : mapping
        Numbers by full name.
    species : str
        An element, ``"p+He"`` or ``"all"``.
    axis : str
        Axis code.
    x : ndarray
        Points on the axis [GV or GeV].
    longitudes : mapping, optional
        Galactic longitude [deg] of nearby populations, which replaces that of a table.

    Returns
    -------
    dict
        ``axis``, ``unit`` and ``x``; ``alone``: of each population, as if it were alone in the sky; ``part``: its part
        of the dipole of the sum, in its own direction (negative: away from it); ``fraction``: its part of the flux;
        ``longitude``: of each population's direction [deg], or None; ``largest``: sum of the parts' sizes, reached if
        all point to one side; ``total`` and ``phase`` [deg]: the vector sum, or None where a direction is unknown.
        Populations without any flux of the species are left out.

    Raises
    ------
    ConfigError
        For points that are not positive, or a longitude of a population that is not nearby.
    ParameterError
        For an unknown axis or species, one that no population injects, or a source from which not even light has
        arrived.
    """
    check_axis(axis)
    if len(x) == 0 or not np.all(np.isfinite(x) & (x > 0)):
        raise ConfigError(f"points {x.tolist()} must be positive numbers", remedy="give some, as in 1,10,100")
    known = _longitudes(model, longitudes or {})
    elements = [element for element in members(species) if element in model.elements]
    if not elements:
        raise ParameterError(f"no population injects {species!r}", remedy=nearest(species, model.elements))
    sides = [replace(model, galaxy=replace(model.galaxy, sun=model.galaxy.sun + step)) for step in (-STEP, STEP)]
    flux = {member.name: np.zeros(len(x)) for member in model.populations}
    moment = {member.name: np.zeros(len(x)) for member in model.populations}
    for element in elements:
        here, inner, outer = (m.flux_by_nuclide(parameters, element, x, axis) for m in (model, *sides))
        for member in model.populations:
            for nuclide, value in here[member.name].items():
                flux[member.name] += value
                if member.place == "nearby":
                    rigidity, _ = detector_kernel(axis, x, nuclide, 0.0)
                    moment[member.name] += value * _nearby(model, member, nuclide, rigidity, parameters)
                else:
                    difference = inner[member.name][nuclide] - outer[member.name][nuclide]
                    scale = _scale(model, nuclide, axis, x, parameters)
                    moment[member.name] += scale * difference / (2.0 * STEP)
    shown = [name for name in flux if np.any(flux[name] > 0)]
    total_flux = np.sum([flux[name] for name in shown], axis=0)
    part = {name: _over(moment[name], total_flux) for name in shown}
    alone = {name: _over(moment[name], flux[name]) for name in shown}
    result: dict[str, Any] = {
        "species": species,
        "axis": axis,
        "unit": AXES[axis],
        "x": x.tolist(),
        "alone": {name: values.tolist() for name, values in alone.items()},
        "part": {name: values.tolist() for name, values in part.items()},
        "fraction": {name: _over(flux[name], total_flux).tolist() for name in shown},
        "longitude": {name: known.get(name) for name in shown},
        "largest": np.sum([np.abs(values) for values in part.values()], axis=0).tolist(),
        "total": None,
        "phase": None,
    }
    if all(name in known for name in shown):
        amplitude, phase = vector_sum(np.stack(list(part.values())), np.array([known[name] for name in shown]))
        result |= {"total": amplitude.tolist(), "phase": phase.tolist()}
    return result


def parse_longitudes(texts: Sequence[str]) -> dict[str, float]:
    """Read ``population=degrees`` from each text.

    Raises
    ------
    ConfigError
        If one is not of that form, or a population comes twice.
    """
    values: dict[str, float] = {}
    for text in texts:
        name, _, value = text.partition("=")
        name = name.strip()
        if name in values:
            raise ConfigError(f"--longitude gives {name!r} twice", remedy="keep one of them")
        try:
            values[name] = float(value)
        except ValueError:
            raise ConfigError(
                f"--longitude {text!r} is not population=degrees", remedy="write --longitude ia=270"
            ) from None
    return values


def _longitudes(model: ForwardModel, given: Mapping[str, float]) -> dict[str, float]:
    """Directions that are known: the Galactic centre for the disc, those given, and those of a table."""
    known = {}
    for member in model.populations:
        if member.place == "disc":
            known[member.name] = 0.0
        elif "longitude" in member.metadata:
            known[member.name] = float(member.metadata["longitude"])
    nearby = [member.name for member in model.populations if member.place == "nearby"]
    for name, value in given.items():
        if name not in nearby:
            remedy = nearest(name, nearby) if nearby else "leave it out: the model has no nearby population"
            raise ConfigError(f"--longitude {name}={value:g}: there is no nearby population {name!r}", remedy=remedy)
        if not np.isfinite(value):
            raise ConfigError(f"--longitude {name}={value} is not finite", remedy="give degrees, as in 90")
        known[name] = value
    return known


def _over(numerator: np.ndarray, flux: np.ndarray) -> np.ndarray:
    """Divide by a flux; zero where there is none."""
    return np.where(flux > 0, numerator / np.where(flux > 0, flux, 1.0), 0.0)


def _nearby(
    model: ForwardModel, member: Population, nuclide: Nuclide, rigidity: Array, parameters: Mapping[str, Any]
) -> Array:
    components = model.local_values(parameters)
    source = {key: value for key, value in components[member.name].items() if key in SOURCE_PARAMETERS}
    return nearby_dipole(model.galaxy, member, nuclide, rigidity, source, components["galaxy"])


def _scale(model: ForwardModel, nuclide: Nuclide, axis: str, x: np.ndarray, parameters: Mapping[str, Any]) -> Array:
    """3 D / v [kpc]: what a relative gradient is multiplied with."""
    rigidity, _ = detector_kernel(axis, x, nuclide, 0.0)
    momentum = nuclide.charge * rigidity
    beta = momentum / np.sqrt(momentum**2 + nuclide.mass**2)
    diffusion = model.galaxy.diffusion(rigidity, beta, model.local_values(parameters)["galaxy"]) * YEAR
    return dipole(diffusion, beta, 1.0)


def print_dipoles(
    path: Path, changes: Sequence[str], species: str, axis: str, at: str, directions: Sequence[str], as_json: bool
) -> None:
    """Print the dipoles of a configuration's model at its reference values.

    Parameters
    ----------
    path : Path
        Configuration.
    changes : sequence of str
        ``name=value``.
    species, axis
        As on the command line.
    at : str
        Points [TV or TeV], separated by commas.
    directions : sequence of str
        ``population=longitude`` [deg].
    as_json : bool
        Print JSON.

    Raises
    ------
    StellarcrError
        For anything wrong in configuration or arguments.
    """
    config = load_config(path)
    model = build_model(config)
    space = build_space(config, model, load_data(config))
    parameters = reference_parameters(space, model, parse_assignments(changes))
    try:
        x = 1e3 * np.array([float(part) for part in at.split(",") if part.strip()])
    except ValueError:
        raise ConfigError(f"--at {at!r} is not a list of numbers", remedy="write --at 1,10,100") from None
    longitudes = parse_longitudes(directions)
    result = dipole_table(model, parameters, species, axis, x, longitudes)
    if as_json:
        print(json.dumps(result))
        return
    unit = {"GV": "TV", "GeV": "TeV"}[result["unit"]]
    console = Console(width=None if Console().is_terminal else 160, highlight=False)
    for key, title in (
        ("alone", "dipole amplitude of each population alone in the sky"),
        ("part", "parts of the dipole of the sum, each in its own direction"),
    ):
        table = Table(title=f"{species}: {title}", title_justify="left")
        table.add_column(f"{axis} [{unit}]", justify="right")
        sums = [("largest", result["largest"])] if key == "part" else []
        if key == "part" and result["total"] is not None:
            sums += [("total", result["total"]), ("phase (deg)", result["phase"])]
        for name in (*result[key], *(name for name, _ in sums)):
            table.add_column(name, justify="right")
        for k, value in enumerate(x):
            cells = [f"{column[k]:.3e}" for column in result[key].values()]
            cells += [f"{column[k]:.1f}" if name.startswith("phase") else f"{column[k]:.3e}" for name, column in sums]
            table.add_row(f"{value / 1e3:.6g}", *cells)
        console.print(table)
    _explain(result)


def _explain(result: Mapping[str, Any]) -> None:
    known = {name: value for name, value in result["longitude"].items() if value is not None}
    print("directions: " + ", ".join(f"{name} l = {value:g} deg" for name, value in known.items()))
    unknown = [name for name in result["longitude"] if name not in known]
    if unknown:
        print(f"no total: the direction of {', '.join(unknown)} is not known; give --longitude {unknown[0]}=DEGREES")
    print("largest: if all point to one side; the Galaxy's own gradient is along its radius, in the plane")
