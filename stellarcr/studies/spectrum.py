"""Spectra of a configuration's model, in the form that the command line prints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ..errors import ConfigError, ParameterError
from ..infer.parameters import ParameterSpace
from ..model import ForwardModel, plain_name
from ..observe.axes import AXES, check_axis
from ..species import is_ratio
from .quantities import absent_parts, canonical_quantity, check_defined, evaluate, nearest_quantity


def reference_parameters(
    space: ParameterSpace, model: ForwardModel, changes: Mapping[str, float] | None = None
) -> dict[str, Any]:
    """Values of all model parameters at the configuration's reference point, with changes applied.

    Parameters
    ----------
    space : ParameterSpace
        The configuration's parameters.
    model : ForwardModel
        The physics.
    changes : mapping, optional
        New values by full name, plain or with ``log10_``; linked parameters follow.

    Raises
    ------
    ParameterError
        For a name that the model does not have.
    """
    changes = dict(changes or {})
    known = model.parameters
    for name in changes:
        if name in space.names and plain_name(name) not in known:
            raise ParameterError(f"--set {name}: a nuisance parameter is no part of the model", remedy="use --phi")
    model.check_names(changes, "--set")
    for name, value in changes.items():
        model.check_value(name, value)
    parameters = []
    for parameter in space.parameters:
        same = [c for c in changes if parameter.kind == "fixed" and plain_name(c) == plain_name(parameter.name)]
        new = _converted(changes.pop(same[0]), same[0], parameter.name) if same else parameter.value
        parameters.append(replace(parameter, value=new))
    space = ParameterSpace(tuple(parameters), space.constraints)
    theta = space.reference()[None, :]
    for k, name in enumerate(space.names):
        for given in [c for c in changes if plain_name(c) == plain_name(name)]:
            value = changes.pop(given)
            theta[0, k] = _converted(value, given, name)
    values = {name: float(np.ravel(v)[0]) for name, v in space.resolve(theta).items() if plain_name(name) in known}
    for name, value in changes.items():
        for old in [v for v in values if plain_name(v) == plain_name(name)]:
            del values[old]
        values[name] = value
    return values


def _converted(value: float, given: str, wanted: str) -> float:
    """Express a value given as x or log10 x in the form that the parameter has."""
    if given == wanted:
        return value
    if given == plain_name(given):
        if value <= 0:
            raise ParameterError(f"--set {given} = {value:g} must be positive", remedy="the fit uses its logarithm")
        return float(np.log10(value))
    return float(10.0**value)


def parse_assignments(texts: Sequence[str]) -> dict[str, float]:
    """Read ``name=value`` from each text.

    Raises
    ------
    ConfigError
        If one is not of that form, or a name comes twice.
    """
    values: dict[str, float] = {}
    for text in texts:
        name, sign, value = text.partition("=")
        name = name.strip()
        if name in values:
            raise ConfigError(f"--set gives {name!r} twice", remedy="keep one of them")
        try:
            values[name] = float(value)
        except ValueError:
            raise ConfigError(
                f"--set {text!r} is not name=value with a number" if sign else f"--set {text!r} has no '='",
                remedy="write --set snr.gamma2=-2.4",
            ) from None
    return values


def spectrum_table(
    model: ForwardModel,
    parameters: Mapping[str, Any],
    species: Sequence[str],
    axis: str,
    x: np.ndarray,
    phi: float = 0.0,
) -> dict[str, Any]:
    """Evaluate spectra for printing.

    Parameters
    ----------
    model : ForwardModel
        The physics.
    parameters : mapping
        Values by full name.
    species : sequence of str
        Elements, ``"p+He"``, ``"all"``, nuclides such as ``"Be10"``, ratios of two of these such as ``"B/C"``, or
        ``"lnA"`` (on the axis ETOT).
    axis : str
        Axis code.
    x : numpy.ndarray
        Points [GV or GeV].
    phi : float
        Modulation potential [GV].

    Returns
    -------
    dict
        ``axis``, ``x_unit``, ``flux_unit``, ``x`` and ``flux``: species to ``total`` and each population. Ratios and
        <ln A> have no unit; a population's ratio is its part of the numerator over the whole denominator.

    Raises
    ------
    ConfigError
        For no species, points that are not positive, <ln A> on another axis or below the rest energy, or a ratio
        where its denominator vanishes.
    ParameterError
        For an unknown species, or one that the model does not have.
    """
    check_axis(axis)
    if len(species) == 0:
        raise ConfigError("--species is empty", remedy="name elements, groups or ratios, as in H,He,p+He,all,C/O")
    if len(x) == 0 or not np.all(np.isfinite(x) & (x > 0)):
        raise ConfigError(
            f"--at {x.tolist()}: points must be positive numbers", remedy=f"give {AXES[axis]}, as in 10,100"
        )
    if not (np.isfinite(phi) and phi >= 0):
        raise ConfigError(f"--phi {phi}: a modulation potential is not negative", remedy="give GV, as in 0.6")
    flux: dict[str, dict[str, list[float]]] = {}
    for name in species:
        if name == "lnA":
            if axis != "ETOT":
                raise ConfigError("<ln A> is defined at equal total energy", remedy="use --axis ETOT")
            with np.errstate(invalid="ignore"):
                mean = np.asarray(model.log_mass(parameters, x, phi))
            if not np.all(np.isfinite(mean)):
                raise ConfigError(
                    f"--at {x[~np.isfinite(mean)][0]:g}: <ln A> needs a flux, and there is none",
                    remedy="give total energies above the rest energy of a proton, 0.94 GeV",
                )
            flux["lnA"] = {"total": [float(v) for v in mean]}
            continue
        quantity = canonical_quantity(name)
        for part in absent_parts(quantity, model):
            raise ParameterError(
                f"no population injects {part!r}, and nothing makes it on the way",
                remedy=nearest_quantity(part, model),
            )
        fluxes = evaluate(model, parameters, quantity, x, axis, phi)
        if is_ratio(quantity):
            check_defined(quantity, fluxes, x)
        flux[quantity] = {key: [float(v) for v in np.asarray(value)] for key, value in fluxes.items()}
    unit = AXES[axis]
    per = f"{unit} per nucleon" if axis == "EKN" else unit
    return {
        "axis": axis,
        "x_unit": per,
        "flux_unit": f"1 / (m2 s sr {'GeV/n' if axis == 'EKN' else unit})",
        "x": [float(v) for v in x],
        "flux": flux,
    }
