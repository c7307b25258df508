r"""Order constraints: parameters whose values increase along a list of names, inside a normalised prior.

For priors p_1 .. p_m the joint density is prod_k p_k(x_k) 1[x_1 < ... < x_m] / Z. It is drawn through exact
conditionals. With

    S_k(x) = int_x^inf p_k(t) S_{k+1}(t) dt,    S_{m+1} = 1,    Z = S_1(-inf),

the value x_k given x_{k-1} has the complementary distribution function S_k(x) / S_k(x_{k-1}). In the
coordinate r = sf_k(x), the probability above x under p_k alone, the integral becomes

    S_k = G_k(r) = int_0^r G_{k+1}(sf_{k+1}(isf_k(r'))) dr',    G_m(r) = r,

whose integrand is bounded and increasing whatever the priors are. G_k and its inverse are tabulated once
as piecewise polynomials (see `stellarcr.infer.monotone`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from stellarcr.backend import Array, namespace
from stellarcr.errors import ParameterError

from .monotone import MonotoneIntegral, integrate_increasing
from .priors import Prior

SMALLEST_PROBABILITY = 1e-6
"""Orders less probable than this under the unordered priors are refused.

A project choice: such an order contradicts the priors, and 1e-16 / 1e-6 keeps the conditional probabilities
accurate to 1e-10.
"""

# Where the tables are first divided: probabilities of a prior above and below, by factors of two.
_TAIL = 0.5 ** np.arange(1, 101)
_HEAD = 0.5 ** np.arange(1, 44)


@dataclass(frozen=True)
class OrderConstraint:
    """Values that increase strictly along a list of parameters.

    Parameters
    ----------
    names : sequence of str
        Two or more free parameters, from the smallest value to the largest.
    """

    names: tuple[str, ...]

    def __post_init__(self) -> None:
        if isinstance(self.names, str) or not all(isinstance(name, str) for name in self.names):
            raise ParameterError(
                f"an order constraint is a list of parameter names, not {self.names!r}",
                remedy="list two or more names, from the smallest value to the largest",
            )
        object.__setattr__(self, "names", tuple(self.names))
        if len(self.names) < 2:
            raise ParameterError(
                f"the order {self.describe()!r} needs at least two parameters",
                remedy="list two or more names, from the smallest value to the largest",
            )
        for name in self.names:
            if self.names.count(name) > 1:
                raise ParameterError(
                    f"the order {self.describe()!r} names {name!r} twice", remedy="name each parameter once"
                )

    def describe(self) -> str:
        """Return the order as text, such as ``a < b < c``."""
        return " < ".join(self.names)

    def bind(self, priors: Sequence[Prior]) -> OrderedPrior:
        """Return the joint prior of the named parameters.

        Parameters
        ----------
        priors : sequence of Prior
            One for each name, in the same order.

        Raises
        ------
        ParameterError
            If the priors make the order impossible, or as good as.
        """
        return OrderedPrior(tuple(priors), self.describe())


@dataclass(frozen=True)
class OrderedPrior:
    """The normalised joint prior of increasing values.

    Parameters
    ----------
    priors : tuple of Prior
        From the smallest value to the largest; two or more.
    description : str, optional
        The order as text; named in errors.

    Raises
    ------
    ParameterError
        If the order has less than `SMALLEST_PROBABILITY` under the unordered priors.
    """

    priors: tuple[Prior, ...]
    description: str = ""

    def __post_init__(self) -> None:
        if len(self.priors) < 2:
            raise ParameterError("an ordered prior needs at least two priors", remedy="give two or more")
        lows = np.maximum.accumulate([prior.support[0] for prior in self.priors])
        shown = "; ".join(prior.describe() for prior in self.priors)
        if np.any(lows >= self._highest):
            raise ParameterError(
                f"the order {self.description!r} is impossible: the supports of its priors exclude it ({shown})",
                remedy="reverse the order, or widen the priors",
            )
        if self.normalisation < SMALLEST_PROBABILITY:
            raise ParameterError(
                f"the order {self.description!r} has a probability below {SMALLEST_PROBABILITY:g} "
                f"under its priors ({shown})",
                remedy="reverse the order, or widen the priors",
            )

    @cached_property
    def _highest(self) -> np.ndarray:
        """Largest value of each parameter that leaves room for those above it."""
        return np.minimum.accumulate([prior.support[1] for prior in self.priors[::-1]])[::-1]

    @cached_property
    def _integrals(self) -> tuple[MonotoneIntegral, ...]:
        """G_1 .. G_{m-1}, each a function of its own probability coordinate."""
        integrals: list[MonotoneIntegral] = []
        for k in range(len(self.priors) - 2, -1, -1):
            this, following = self.priors[k], self.priors[k + 1]
            inner = integrals[0] if integrals else None

            def integrand(
                r: np.ndarray, this: Prior = this, following: Prior = following, inner: object = inner
            ) -> np.ndarray:
                probability = following.sf(this.isf(r))
                return inner.value(probability) if isinstance(inner, MonotoneIntegral) else probability

            integrals.insert(0, integrate_increasing(integrand, self._first_edges(k)))
        return tuple(integrals)

    def _first_edges(self, k: int) -> np.ndarray:
        """Divide the coordinate of prior ``k`` at the quantiles and edges of it and of those above it."""
        x = [np.concatenate([prior.isf(_TAIL), prior.ppf(_HEAD), prior.support]) for prior in self.priors[k:]]
        return self.priors[k].sf(np.concatenate(x))

    @property
    def normalisation(self) -> float:
        """Z, the probability of the order under the unordered priors."""
        return self._integrals[0].total

    @cached_property
    def log_normalisation(self) -> float:
        """Natural logarithm of `normalisation`."""
        return math.log(self.normalisation)

    def logpdf(self, x: Array) -> Array:
        """Natural logarithm of the normalised joint density.

        Parameters
        ----------
        x : array, shape (..., m)
            Values, from the smallest parameter to the largest.

        Returns
        -------
        array, shape (...)
            ``-inf`` outside the supports and where the values do not increase strictly.
        """
        xp = namespace(x)
        values = np.asarray(x, dtype=float) if xp is np else x
        total = sum(prior.logpdf(values[..., k]) for k, prior in enumerate(self.priors))
        increasing = xp.all(values[..., 1:] > values[..., :-1], axis=-1)
        return xp.where(increasing, total - self.log_normalisation, -math.inf)

    def transform(self, u: np.ndarray) -> np.ndarray:
        """Map the unit cube onto the ordered values, by conditionals from the smallest to the largest.

        Parameters
        ----------
        u : array, shape (..., m)
            Points of the unit cube.

        Returns
        -------
        array, shape (..., m)
        """
        remaining = 1.0 - np.asarray(u, dtype=float)
        values = np.empty_like(remaining)
        r = self._integrals[0].inverse(remaining[..., 0] * self.normalisation)
        x = values[..., 0] = np.minimum(self.priors[0].isf(r), self._highest[0])
        for k, prior in enumerate(self.priors[1:], start=1):
            r = prior.sf(x)
            if k < len(self._integrals):
                integral = self._integrals[k]
                r = integral.inverse(remaining[..., k] * integral.value(r))
            else:
                r = remaining[..., k] * r
            # Rounding may put neighbours on the same float; the order is strict.
            x = np.minimum(np.maximum(prior.isf(r), np.nextafter(x, math.inf)), self._highest[k])
            values[..., k] = x
        return values

    def sample(self, rng: np.random.Generator, n: int) -> np.ndarray:
        """Draw ``n`` ordered vectors, shape (n, m)."""
        return self.transform(rng.random((n, len(self.priors))))

    def widths(self) -> np.ndarray:
        """Standard deviations of the ordered values, to about a percent; shape (m,)."""
        # A lattice rule: multiples of irrational numbers fill the unit cube evenly.
        roots = np.sqrt([2.0, 3.0, 5.0, 7.0, 11.0, 13.0, 17.0, 19.0, 23.0, 29.0, 31.0, 37.0])
        generators = np.resize(roots, len(self.priors)) * (1.0 + np.arange(len(self.priors)) // len(roots))
        u = (np.arange(1, 4097)[:, None] * generators) % 1.0
        return np.std(self.transform(u), axis=0)
