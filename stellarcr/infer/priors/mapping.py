"""Priors from configurations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any

from stellarcr.errors import ParameterError, nearest
from stellarcr.extensions import HOW, asked_for, find_extension, is_reference

from .base import PRIOR_KINDS, Prior
from .scipy_prior import ScipyPrior
from .user_prior import UserPrior, check_prior


def prior_from_mapping(mapping: Mapping[str, Any], *, where: str = "") -> Prior:
    """Build a prior from a table of a configuration.

    Parameters
    ----------
    mapping : mapping
        ``kind`` and the fields of that kind: ``{"kind": "uniform", "low": 47, "high": 50}``. The kind
        ``scipy`` takes ``distribution`` and the arguments of that distribution. The kind ``file.py:Name`` or
        ``module:Name`` is a class of the user's own, see `UserPrior`.
    where : str
        File and key that the table came from; named in errors.

    Raises
    ------
    ParameterError
        For an unknown or missing kind or key, a value of the wrong type, or values that make no prior.
    ConfigError
        If a user's class cannot be imported.
    """
    if not isinstance(mapping, Mapping):
        raise ParameterError(
            f"a prior is a table, not the {type(mapping).__name__} {mapping!r}",
            where=where,
            remedy='write it as { kind = "uniform", low = 0.0, high = 1.0 }',
        )
    settings = dict(mapping)
    if "kind" not in settings:
        raise ParameterError(
            f"the prior {settings!r} has no kind", where=where, remedy=f"kinds: {', '.join(PRIOR_KINDS)}"
        )
    kind = settings.pop("kind")
    if is_reference(kind):
        return _build_users(kind, settings, where)
    if not isinstance(kind, str) or kind not in PRIOR_KINDS:
        remedy = f"{nearest(str(kind), PRIOR_KINDS)}; or name your own class: {HOW}"
        raise ParameterError(f"unknown kind of prior {kind!r}", where=where, remedy=remedy)
    try:
        return _build(PRIOR_KINDS[kind], settings)
    except ParameterError as error:
        raise ParameterError(error.problem, where=where, remedy=error.remedy) from None


def _build_users(reference: str, settings: dict[str, Any], where: str) -> Prior:
    source = find_extension(reference, where)
    try:
        prior = UserPrior(source, settings)
        check_prior(prior)
    except ParameterError as error:
        raise asked_for(ParameterError(error.problem, where=source.path, remedy=error.remedy), where) from error
    return prior


def _build(prior_class: type[Prior], settings: dict[str, Any]) -> Prior:
    if prior_class is ScipyPrior:
        if "distribution" not in settings:
            raise ParameterError(
                "scipy prior: distribution not given",
                remedy='name a distribution of scipy.stats: distribution = "beta"',
            )
        return ScipyPrior(settings.pop("distribution"), settings)
    known = {field.name: field for field in fields(prior_class)}  # type: ignore[arg-type]
    for key in settings:
        if key not in known:
            raise ParameterError(f"{prior_class.kind} prior: unknown key {key!r}", remedy=nearest(key, known))
    missing = [name for name, field in known.items() if field.default is MISSING and name not in settings]
    if missing:
        raise ParameterError(
            f"{prior_class.kind} prior: {', '.join(missing)} not given",
            remedy=f"a {prior_class.kind} prior takes {', '.join(known)}",
        )
    return prior_class(**settings)
