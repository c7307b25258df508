"""Priors that users write: a class of their own, checked when it is loaded."""
# ruff: noqa: D102  (the methods are those of `Prior`, and documented there)

from __future__ import annotations

import math
import numbers
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np

from stellarcr.errors import ConfigError, ParameterError
from stellarcr.extensions import Extension, call_with_options, describe_failure

from .base import Density, Prior, Quantile

NEEDED = ("support", "logpdf", "cdf", "ppf")
TOLERANCE = 1e-6
"""Largest error of a probability: far below what a sampler could notice, far above that of quadrature."""

_U = np.concatenate([[1e-6, 1e-4, 1e-2], np.linspace(0.05, 0.95, 19), [0.99, 1 - 1e-4, 1 - 1e-6]])


@dataclass(frozen=True)
class UserPrior(Prior):
    """A prior from a user's class.

    The class is called with the numbers of the configuration as keyword arguments. Its objects have

    - ``support``: lower and upper edge, infinite where there is none; a pair of numbers, or a method that gives it;
    - ``logpdf(x)``: natural logarithm of the normalised density, for ``x`` inside the support;
    - ``cdf(x)``: probability below ``x``, for ``x`` strictly inside the support;
    - ``ppf(u)``: quantile for ``u`` strictly between 0 and 1.

    The three functions take arrays of any shape and give that shape. They may have ``sf(x)`` and ``isf(q)``, the
    probability above ``x`` and its inverse, where ``1 - cdf`` loses accuracy; ``width``, the standard deviation; and
    ``describe()``, a short text. A subclass of `Prior` does; a function that gives a frozen distribution of
    `scipy.stats` does as well.

    Parameters
    ----------
    source : Extension
        The class.
    arguments : mapping of str to float
        Its keyword arguments.

    Raises
    ------
    ParameterError, ConfigError
        If the class does not take these arguments, lacks a member, or is no normalised density.
    """

    source: Extension
    arguments: tuple[tuple[str, float], ...] | Mapping[str, float] = ()

    def __post_init__(self) -> None:
        arguments = dict(self.arguments)
        for name, value in arguments.items():
            if isinstance(value, bool) or not isinstance(value, numbers.Real) or not math.isfinite(value):
                raise ParameterError(
                    f"{self.source.attribute} prior: {name} = {value!r} is not a finite number",
                    remedy=f"write {name} as a plain number",
                )
        object.__setattr__(self, "arguments", tuple(sorted((k, float(v)) for k, v in arguments.items())))
        object.__setattr__(self, "kind", self.source.reference)
        self._inner  # noqa: B018  (whatever is wrong shows where the prior is made)

    def __reduce__(self) -> tuple[type[UserPrior], tuple[Any, ...]]:
        """Rebuild from names and numbers: the user's class is not importable everywhere."""
        return UserPrior, (self.source, self.arguments)

    @cached_property
    def _inner(self) -> Any:
        try:
            inner = call_with_options(self.source, (), dict(self.arguments))
        except ConfigError as error:
            raise ParameterError(error.problem, where=error.where, remedy=error.remedy) from error
        missing = [name for name in NEEDED if not hasattr(inner, name)]
        if missing:
            raise ParameterError(
                f"{self.source.attribute} has no {', '.join(missing)}",
                remedy=f"a prior has {', '.join(NEEDED)}: see stellarcr.infer.priors.UserPrior",
            )
        return inner

    @cached_property
    def support(self) -> tuple[float, float]:
        given = self._inner.support
        try:
            given = given() if callable(given) else given
            low, high = (float(edge) for edge in given)
        except (TypeError, ValueError):
            raise ParameterError(
                f"{self.source.attribute}: support = {given!r} is not a pair of numbers",
                remedy="give (low, high) as an attribute or property; -math.inf and math.inf where there is no edge",
            ) from None
        return low, high

    @cached_property
    def width(self) -> float:
        width = getattr(self._inner, "width", math.nan)
        return float(width) if isinstance(width, numbers.Real) else math.nan

    def describe(self) -> str:
        given = ", ".join(f"{name}={value:g}" for name, value in dict(self.arguments).items())
        describe = getattr(self._inner, "describe", None)
        return str(describe()) if callable(describe) else f"{self.source.attribute}({given})"

    def density(self) -> Density:
        return Density(self._log_density, (), 0.0)

    def quantile(self) -> Quantile:
        return Quantile(self._quantile, ())

    def to_mapping(self) -> dict[str, Any]:
        return {"kind": self.source.reference, **dict(self.arguments)}

    def identity(self) -> list[Any]:
        """What decides the prior, wherever the file of the class lies."""
        return [*self.source.identity, dict(self.arguments)]

    def _log_density(self, x: np.ndarray) -> np.ndarray:
        with np.errstate(divide="ignore", invalid="ignore"):
            values = np.asarray(self._inner.logpdf(x))
        # Where a density diverges at an edge, that edge counts as outside: no sampler can be caught there.
        return np.where(values == math.inf, -math.inf, values)

    @cached_property
    def _possible(self) -> tuple[float, float]:
        """Smallest and largest value with a density: rounding may put quantiles on an edge where it is zero."""
        low, high = self.support
        at_low, at_high = (np.isfinite(self._log_density(np.asarray(edge))) for edge in (low, high))
        return low if at_low else np.nextafter(low, high), high if at_high else np.nextafter(high, low)

    def _quantile(self, u: np.ndarray) -> np.ndarray:
        return np.clip(self._inner.ppf(u), *self._possible)

    def _cdf(self, x: np.ndarray) -> np.ndarray:
        return np.asarray(self._inner.cdf(x))

    def _sf(self, x: np.ndarray) -> np.ndarray:
        return np.asarray(self._inner.sf(x)) if hasattr(self._inner, "sf") else 1.0 - self._cdf(x)

    def _isf(self, q: np.ndarray) -> np.ndarray:
        if not hasattr(self._inner, "isf"):
            return self._quantile(1.0 - q)
        return np.clip(self._inner.isf(q), *self._possible)


def check_prior(prior: UserPrior) -> None:
    """Refuse a prior that is no normalised density, or whose functions contradict each other.

    The density is integrated between quantiles and compared with their probabilities; quantiles must invert the
    distribution function, rise, and stay in the support; draws must be possible.

    Parameters
    ----------
    prior : UserPrior
        The prior.

    Raises
    ------
    ParameterError
        Naming what is wrong and by how much.
    """
    name, (low, high) = prior.source.attribute, prior.support
    if not low < high:
        raise ParameterError(f"{name}: support = ({low:g}, {high:g}) is empty", remedy="give the lower edge first")
    x = _tried(name, "ppf", prior._inner.ppf, _U)
    if not (np.all(np.isfinite(x)) and np.all(np.diff(x) > 0)):
        raise ParameterError(
            f"{name}: ppf does not rise: it is {x[0]:g} at u = {_U[0]:g} and {x[-1]:g} at u = 1 - {1 - _U[-1]:.2g}",
            remedy="give the inverse of cdf",
        )
    if x[0] < low or x[-1] > high:
        raise ParameterError(
            f"{name}: quantiles from {x[0]:g} to {x[-1]:g} leave the support ({low:g}, {high:g})",
            remedy="correct support or ppf",
        )
    back, above = _tried(name, "cdf", prior._cdf, x), _tried(name, "sf", prior._sf, x)
    for label, values, expected in (("cdf(ppf(u))", back, _U), ("sf(ppf(u))", above, 1.0 - _U)):
        _close(name, label, "u", _U, values, expected, "make ppf the inverse of cdf, and sf its complement")
    again = _tried(name, "isf", prior._isf, above)
    _close(name, "isf(sf(x))", "x", x, prior._cdf(again), back, "make isf the inverse of sf")
    log_density = _tried(name, "logpdf", prior._log_density, x)
    if np.any(np.isnan(log_density)):
        raise ParameterError(f"{name}: logpdf is NaN at {x[np.isnan(log_density)][0]:g}", remedy="correct logpdf")
    _close(
        name, "the integral of exp(logpdf) up to x", "x", x[1:], _U[0] + _integrals(prior, x), _U[1:],
        "normalise logpdf, and make cdf its integral",
    )  # fmt: skip
    draws = prior.sample(np.random.default_rng(0), 200)
    if not np.all(np.isfinite(prior.logpdf(draws))):
        raise ParameterError(f"{name}: some of its own draws are impossible", remedy="correct logpdf, ppf or support")


def _tried(name: str, label: str, function: Callable[[np.ndarray], np.ndarray], values: np.ndarray) -> np.ndarray:
    """Call with numbers and arrays; check the shape."""
    try:
        with np.errstate(all="ignore"):
            found = [np.asarray(function(v), dtype=float) for v in (values, values[:6].reshape(3, 1, 2), values[0])]
    except Exception as error:
        raise ParameterError(
            f"{name}.{label} fails: {describe_failure(error)}", remedy=f"{label} takes numbers and arrays of any shape"
        ) from error
    for result, given in zip(found, (values.shape, (3, 1, 2), ()), strict=True):
        if result.shape != given:
            raise ParameterError(
                f"{name}.{label} of an array of shape {given} has shape {result.shape}",
                remedy="give the shape of the argument",
            )
    return found[0]


def _integrals(prior: UserPrior, x: np.ndarray) -> np.ndarray:
    from scipy.integrate import quad

    def density(value: float) -> float:
        return float(np.exp(prior._log_density(np.asarray(value))))

    with warnings.catch_warnings():
        # An integral that does not converge is not the probability either, and that is said.
        warnings.simplefilter("ignore")
        parts = [quad(density, a, b, limit=200, epsabs=1e-10)[0] for a, b in pairwise(x)]
    return np.cumsum(parts)


def _close(
    name: str, label: str, symbol: str, at: np.ndarray, values: np.ndarray, expected: np.ndarray, remedy: str
) -> None:
    wrong = ~(np.abs(values - expected) <= TOLERANCE)
    if np.any(wrong):
        k = int(np.argmax(wrong))
        raise ParameterError(
            f"{name}: {label} is {values[k]:.6g} at {symbol} = {at[k]:.6g}, and should be {expected[k]:.6g}",
            remedy=remedy,
        )
