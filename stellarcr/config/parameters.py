"""From the parameter tables of a configuration to the space that is sampled."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import ConfigError, ParameterError, nearest
from ..infer.constraints import OrderConstraint
from ..infer.parameters import Parameter, ParameterSpace
from ..infer.priors import prior_from_mapping
from ..likelihood.experiment import ExperimentData
from ..model import LOG10, ForwardModel, plain_name
from .checks import check_code, check_grid
from .nuisances import check_nuisances
from .schema import RunConfig

_PARAMETER_KEYS = ("value", "prior", "linked", "label", "unit", "source")


def flatten_parameters(tree: Mapping[str, Any], where: str, prefix: str = "") -> dict[str, dict[str, Any]]:
    """Turn nested parameter tables into ``{full name: settings}``.

    A number fixes a parameter; a table with ``prior``, ``value`` or ``linked`` describes one; any other table is
    a level of names. ``prior`` is a kind with its arguments beside it, or a table with ``kind``.

    Raises
    ------
    ConfigError
        For entries that are neither.
    """
    flat: dict[str, dict[str, Any]] = {}
    for key, entry in tree.items():
        name = f"{prefix}{key}"
        if isinstance(entry, Mapping):
            if {"prior", "value", "linked"} & set(entry):
                flat[name] = _parameter_settings(name, entry, where)
            else:
                flat.update(flatten_parameters(entry, where, f"{name}."))
        elif isinstance(entry, int | float) and not isinstance(entry, bool):
            flat[name] = {"value": float(entry)}
        else:
            raise ConfigError(
                f"parameter {name!r} = {entry!r} is neither a number nor a table",
                where=where,
                remedy='fix it with a number, or free it: { prior = "uniform", low = ..., high = ... }',
            )
    return flat


def _parameter_settings(name: str, entry: Mapping[str, Any], where: str) -> dict[str, Any]:
    settings = {k: v for k, v in entry.items() if k in _PARAMETER_KEYS}
    arguments = {k: v for k, v in entry.items() if k not in _PARAMETER_KEYS}
    prior = settings.get("prior")
    if isinstance(prior, str):
        settings["prior"] = {"kind": prior, **arguments}
    elif arguments:
        raise ConfigError(
            f"parameter {name!r} has unknown keys {sorted(arguments)}",
            where=where,
            remedy=nearest(next(iter(arguments)), _PARAMETER_KEYS),
        )
    texts = dict.fromkeys(("linked", "label", "unit", "source"), (str,))
    for key, kinds in {"value": (int, float), **texts}.items():
        if key in settings and (not isinstance(settings[key], kinds) or isinstance(settings[key], bool)):
            raise ConfigError(
                f"parameter {name!r}: {key} = {settings[key]!r} has the wrong type",
                where=where,
                remedy=f"{key} must be a {'number' if key == 'value' else 'string'}",
            )
    return settings


def build_space(config: RunConfig, model: ForwardModel, data: list[ExperimentData]) -> ParameterSpace:
    """Join the configuration's parameters with the experiments' nuisance parameters.

    A nuisance parameter named in ``[parameters]`` replaces the likelihood file's.

    Raises
    ------
    ConfigError, ParameterError
        For unknown names, wrong priors, a grid that cuts spectra off, and code that changed since the run began.
    """
    given = flatten_parameters(config.parameters, f"{config.where} [parameters]")
    nuisances: dict[str, tuple[dict[str, Any], str]] = {}
    for experiment in data:
        file = experiment.file
        for key in type(file.nuisances).model_fields:
            nuisance = getattr(file.nuisances, key)
            settings = {k: v for k, v in nuisance.model_dump().items() if k in _PARAMETER_KEYS and v not in (None, "")}
            nuisances[f"{experiment.key}.{key}"] = (settings, f"likelihood {experiment.key!r}")
    for name in [n for n in nuisances if n.endswith(".scatter") and n not in given]:
        if nuisances[name][0] == {"value": 0.0}:
            del nuisances[name]  # fits without scatter have no such parameter, and keep their fingerprint
    model_names = [name for name in given if name not in nuisances]
    for name in model_names:
        if name.partition(".")[0] in config.likelihoods:
            raise ConfigError(
                f"unknown nuisance parameter {name!r}",
                where=f"{config.where} [parameters]",
                remedy=nearest(name, [f"{d.key}.{key}" for d in data for key in type(d.file.nuisances).model_fields]),
            )
    model.check_names(model_names, f"{config.where} [parameters]")
    parameters = [_parameter(name, given[name], model, f"{config.where} [parameters]") for name in model_names]
    for name, (settings, where) in nuisances.items():
        overridden = name in given
        chosen = {**{"unit": settings.get("unit", "")}, **given[name]} if overridden else settings
        parameters.append(_parameter(name, chosen, model, f"{config.where} [parameters]" if overridden else where))
    constraints = [OrderConstraint(section.order) for section in config.constraints]
    try:
        space = ParameterSpace(tuple(parameters), tuple(constraints))
    except ParameterError as error:
        raise ParameterError(error.problem, where=error.where or config.where, remedy=error.remedy) from None
    check_nuisances(space, data, config.where)
    check_code(config, model, data)
    check_grid(model, space, config.where)
    return space


def _parameter(name: str, settings: Mapping[str, Any], model: ForwardModel, where: str) -> Parameter:
    info = model.parameters.get(plain_name(name))
    label, unit = settings.get("label", ""), settings.get("unit", "")
    if info is not None:
        label = label or info.label
        unit = unit or info.unit
        if name.partition(".")[2].startswith(LOG10) and not settings.get("label"):
            label = rf"\log_{{10}}({label}/{_latex_unit(unit)})" if unit else rf"\log_{{10}} {label}"
            unit = ""
    elif not label:
        label = _nuisance_label(name)
    prior = settings.get("prior")
    try:
        parameter = Parameter(
            name,
            label,
            unit,
            None if prior is None else prior_from_mapping(prior, where=f"{where}: {name}"),
            settings.get("value"),
            settings.get("linked"),
            settings.get("source", info.source if info and prior is None else ""),
        )
        if info is not None and parameter.prior is not None:
            model.check_value(name, parameter.prior.support[0], limit=True)
            model.check_limits(name, *parameter.prior.support)
        elif info is not None and parameter.value is not None:
            model.check_value(name, parameter.value)
    except ParameterError as error:
        raise ParameterError(error.problem, where=error.where or where, remedy=error.remedy) from None
    return parameter


def _latex_unit(unit: str) -> str:
    return r"{\rm " + unit.replace("erg/yr", r"erg\,yr^{-1}").replace("cm2/s", r"cm^2\,s^{-1}") + "}"


def _nuisance_label(name: str) -> str:
    experiment, _, key = name.partition(".")
    symbol = {"phi": r"\phi", "energy_scale": "s", "normalisation": "n", "scatter": r"\sigma"}.get(key, key)
    return rf"{symbol}_{{\rm {experiment.replace('_', '-').upper()}}}"
