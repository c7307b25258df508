"""What every prior is: a normalised density with its distribution function, quantiles and draws.

A prior class says only what is particular to its family: the support, the log-density kernel inside the
support, the quantile kernel, and the distribution function with its complement. The base class adds what
is common: shapes, edges, NaN, and values outside the support.

The two kernels take their arguments separately (``kernel(x, *arguments)``), so that a
`~stellarcr.infer.parameters.ParameterSpace` can stack the arguments of all parameters of one family and
evaluate them together.
"""

from __future__ import annotations

import math
import numbers
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import fields
from functools import cached_property
from typing import Any, ClassVar, NamedTuple, TypeVar

import numpy as np

from stellarcr.backend import Array, namespace
from stellarcr.errors import ParameterError


class Density(NamedTuple):
    """The log-density inside the support: ``kernel(x, *arguments) + log_constant``.

    Attributes
    ----------
    kernel : callable or None
        Written against the Array API; None where the density is constant.
    arguments : tuple of float
        What the kernel needs besides ``x``; broadcast against it.
    log_constant : float
        Natural logarithm of the normalisation.
    """

    kernel: Callable[..., Array] | None
    arguments: tuple[float, ...]
    log_constant: float


class Quantile(NamedTuple):
    """The quantile function inside (0, 1): ``kernel(u, *arguments)``; NumPy only."""

    kernel: Callable[..., Any]
    arguments: tuple[float, ...]


class Prior(ABC):
    """A normalised one-dimensional density.

    Subclasses are frozen dataclasses, registered under the name that configurations use (see
    `register_prior`). Public methods accept a number or an array of any shape and return that shape.
    """

    kind: ClassVar[str] = ""
    """The name of the family in a configuration."""

    @property
    @abstractmethod
    def support(self) -> tuple[float, float]:
        """Lower and upper edge of the support; infinite where it has none."""

    @property
    @abstractmethod
    def width(self) -> float:
        """Standard deviation of the distribution; infinite or NaN where it has none."""

    @abstractmethod
    def describe(self) -> str:
        """Return a short description for people, such as ``log-uniform 1e47 .. 1e50``."""

    @abstractmethod
    def density(self) -> Density:
        """Return the log-density inside the support."""

    @abstractmethod
    def quantile(self) -> Quantile:
        """Return the quantile function inside (0, 1)."""

    @abstractmethod
    def _cdf(self, x: np.ndarray) -> np.ndarray:
        """Return the distribution function strictly inside the support."""

    @abstractmethod
    def _sf(self, x: np.ndarray) -> np.ndarray:
        """Return one minus the distribution function, without cancellation, strictly inside the support."""

    @abstractmethod
    def _isf(self, q: np.ndarray) -> np.ndarray:
        """Return the inverse of `_sf` for ``q`` strictly inside (0, 1)."""

    @cached_property
    def median(self) -> float:
        """The value that half of the probability lies below."""
        return float(self.ppf(0.5))

    def logpdf(self, x: Array) -> Array:
        """Natural logarithm of the normalised density.

        Parameters
        ----------
        x : float or array
            Where to evaluate, in the unit of the parameter.

        Returns
        -------
        array
            ``-inf`` outside the support and where ``x`` is NaN.
        """
        xp = namespace(x)
        values = np.asarray(x, dtype=float) if xp is np else x
        low, high = self.density_edges
        kernel, arguments, log_constant = self.density()
        inside = (values >= low) & (values <= high)
        if kernel is None:
            return xp.where(inside, xp.asarray(log_constant), -math.inf)
        # The inner `where` keeps the kernel, and its derivative, away from values that it is not made for.
        safe = xp.where(inside, values, self.median)
        return xp.where(inside, kernel(safe, *arguments) + log_constant, -math.inf)

    @property
    def density_edges(self) -> tuple[float, float]:
        """Smallest and largest value at which the density kernel may be evaluated.

        The support, unless the density vanishes or diverges at an edge.
        """
        return self.support

    def cdf(self, x: Any) -> Any:
        """Probability below ``x``; NaN where ``x`` is NaN."""
        return self._distribution(x, self._cdf, below=0.0, above=1.0)

    def sf(self, x: Any) -> Any:
        """Probability above ``x``, accurate where it is small; NaN where ``x`` is NaN."""
        return self._distribution(x, self._sf, below=1.0, above=0.0)

    def ppf(self, u: Any) -> Any:
        """Quantile function: the value below which the probability is ``u``.

        Parameters
        ----------
        u : float or array
            Probabilities; 0 and 1 give the edges of the support, values outside [0, 1] give NaN.
        """
        kernel, arguments = self.quantile()
        return quantiles_with_edges(u, lambda inner: kernel(inner, *arguments), *self.support)

    def isf(self, q: Any) -> Any:
        """Inverse of `sf`: the value above which the probability is ``q``, accurate where ``q`` is small."""
        low, high = self.support
        return quantiles_with_edges(q, self._isf, high, low)

    def sample(self, rng: np.random.Generator, size: int | tuple[int, ...]) -> np.ndarray:
        """Draw from the prior.

        Parameters
        ----------
        rng : numpy.random.Generator
            Source of randomness.
        size : int or tuple of int
            Shape of the result.
        """
        return np.asarray(self.ppf(rng.random(size)))

    def to_mapping(self) -> dict[str, Any]:
        """Return what `prior_from_mapping` turns back into this prior; TOML can hold it."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}  # type: ignore[arg-type]
        return {"kind": self.kind} | {key: value for key, value in values.items() if abs(value) != math.inf}

    def _distribution(self, x: Any, function: Callable[[np.ndarray], np.ndarray], below: float, above: float) -> Any:
        values = np.asarray(x, dtype=float)
        low, high = self.support
        inside = (values > low) & (values < high)
        if inside.all():
            return function(values)
        edges = np.where(values >= high, above, np.where(values <= low, below, math.nan))
        return np.where(inside, function(np.where(inside, values, self.median)), edges)[()]

    def _set_numbers(self) -> None:
        """Check that every field is a number, and store it as a float."""
        for field in fields(self):  # type: ignore[arg-type]
            value = getattr(self, field.name)
            if isinstance(value, bool) or not isinstance(value, numbers.Real):
                raise ParameterError(
                    f"{self.kind} prior: {field.name} = {value!r} is a {type(value).__name__}, not a number",
                    remedy=f"write {field.name} as a plain number, without quotes or unit",
                )
            may_be_infinite = field.default in (-math.inf, math.inf)
            if math.isnan(value) or (math.isinf(value) and not may_be_infinite):
                raise ParameterError(
                    f"{self.kind} prior: {field.name} = {value!r} is not finite",
                    remedy=f"give a finite {field.name}",
                )
            object.__setattr__(self, field.name, float(value))


def quantiles_with_edges(u: Any, function: Callable[[np.ndarray], np.ndarray], at_zero: Any, at_one: Any) -> Any:
    """Evaluate a quantile function inside (0, 1), exact at the edges and within the support.

    Parameters
    ----------
    u : float or array
        Probabilities.
    function : callable
        Quantiles for probabilities strictly inside (0, 1).
    at_zero, at_one : float or array
        Edges of the support that belong to ``u = 0`` and ``u = 1``, in either order.

    Returns
    -------
    float or array
        NaN where ``u`` is outside [0, 1].
    """
    values = np.asarray(u, dtype=float)
    inside = (values > 0.0) & (values < 1.0)
    low, high = np.minimum(at_zero, at_one), np.maximum(at_zero, at_one)
    if inside.all():
        return np.minimum(np.maximum(function(values), low), high)
    x = np.minimum(np.maximum(function(np.where(inside, values, 0.5)), low), high)
    edges = np.where(values == 0.0, at_zero, np.where(values == 1.0, at_one, math.nan))
    return np.where(inside, x, edges)[()]


def require_positive(prior: Prior, name: str) -> None:
    """Refuse a field that is not above zero."""
    value = getattr(prior, name)
    if value <= 0.0:
        raise ParameterError(
            f"{prior.kind} prior: {name} = {value:g} is not positive", remedy=f"give a {name} above zero"
        )


def require_order(prior: Prior, low: float, high: float) -> None:
    """Refuse edges that are not in order, or too far apart for a float."""
    if low >= high:
        raise ParameterError(
            f"{prior.kind} prior: low = {low:g} is not below high = {high:g}",
            remedy="exchange the two, or fix the parameter with a value",
        )
    if not math.isfinite(high - low) and math.isfinite(low) and math.isfinite(high):
        raise ParameterError(
            f"{prior.kind} prior: {low:g} .. {high:g} spans more than a float can hold",
            remedy="narrow the range",
        )


def plain(value: float) -> str:
    """Write a number briefly: ``1e47``."""
    return f"{value:g}".replace("e+", "e")


PRIOR_KINDS: dict[str, type[Prior]] = {}
"""Prior classes by the name that configurations use."""

PriorClass = TypeVar("PriorClass", bound=type[Prior])


def register_prior(kind: str) -> Callable[[PriorClass], PriorClass]:
    """Make a prior class known under a name: ``@register_prior("uniform")``.

    Parameters
    ----------
    kind : str
        What a configuration writes as ``kind``.

    Raises
    ------
    ParameterError
        If the name is taken.
    """

    def register(prior_class: PriorClass) -> PriorClass:
        if kind in PRIOR_KINDS:
            raise ParameterError(
                f"a prior named {kind!r} exists already: {PRIOR_KINDS[kind].__qualname__}",
                remedy="register the new prior under another name",
            )
        prior_class.kind = kind
        PRIOR_KINDS[kind] = prior_class
        return prior_class

    return register
