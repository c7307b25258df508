"""The initial mass function: how many stars are born with which mass.

A piecewise power law, dN/dM0 = c_i M0^slope_i between its edges, continuous, normalised so that the stars together
weigh one solar mass: what is asked for per cluster scales with the cluster's mass. Masses are initial masses [Msun].
All integrals of powers are in closed form; `InitialMassFunction.quadrature` serves those over a star's evolution.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import ParameterError

KROUPA_EDGES = (0.08, 0.5)
"""Lowest mass and break of the default function [Msun]; after Kroupa."""

KROUPA_SLOPES = (-1.3, -2.3)
"""Slopes d ln N/d ln M0 below and above the break; after Kroupa."""

CLUSTER_UPPER_MASS = 150.0
"""Default M_up of star clusters [Msun] (Qiu, Lin & Yang, arXiv:2605.31362)."""

WIND_UPPER_MASS = 105.0
"""Default M_up of individual winds [Msun] (Qiu, Lin & Yang, arXiv:2605.31362)."""


@dataclass(frozen=True)
class InitialMassFunction:
    """A continuous piecewise power law in initial mass.

    Attributes
    ----------
    edges : tuple of float
        Increasing masses [Msun]: the lowest, the breaks, and the highest, M_up.
    slopes : tuple of float
        d ln N/d ln M0 between the edges; Salpeter's would be -2.35. One fewer than the edges.

    Raises
    ------
    ParameterError
        If the edges do not increase from above zero, or the numbers of edges and slopes do not match.
    """

    edges: tuple[float, ...]
    slopes: tuple[float, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "edges", tuple(float(edge) for edge in self.edges))
        object.__setattr__(self, "slopes", tuple(float(slope) for slope in self.slopes))
        if len(self.edges) < 2 or len(self.slopes) != len(self.edges) - 1:
            raise ParameterError(
                f"{len(self.edges)} edges and {len(self.slopes)} slopes of an initial mass function",
                remedy="give one slope for each interval between two edges",
            )
        if not np.all(np.isfinite(self.edges + self.slopes)):
            raise ParameterError(
                f"edges {self.edges} and slopes {self.slopes} of an initial mass function", remedy="give finite numbers"
            )
        if self.edges[0] <= 0.0 or any(high <= low for low, high in itertools.pairwise(self.edges)):
            raise ParameterError(
                f"edges {self.edges} of an initial mass function do not increase from above zero",
                remedy="give masses in Msun, lowest first",
            )

    @property
    def lower(self) -> float:
        """Lowest mass of a star [Msun]."""
        return self.edges[0]

    @property
    def upper(self) -> float:
        """Highest mass of a star, M_up [Msun]."""
        return self.edges[-1]

    @property
    def coefficients(self) -> tuple[float, ...]:
        """Coefficients c_i for stars of one solar mass together [Msun^(-2 - slope_i)]."""
        shape = [1.0]
        for edge, below, above in zip(self.edges[1:-1], self.slopes, self.slopes[1:], strict=False):
            shape.append(shape[-1] * edge ** (below - above))
        total = sum(
            c * float(power_integral(low, high, slope + 1.0))
            for c, (low, high), slope in zip(shape, itertools.pairwise(self.edges), self.slopes, strict=True)
        )
        return tuple(c / total for c in shape)

    def density(self, mass: ArrayLike, cluster_mass: float = 1.0) -> NDArray[np.float64]:
        """Stars per unit initial mass, xi(M0) = dN/dM0 [1/Msun]; zero outside the edges.

        Parameters
        ----------
        mass : float or array
            Initial mass [Msun], any shape.
        cluster_mass : float
            Mass of all stars together [Msun].
        """
        mass = np.asarray(mass, dtype=np.float64)
        inside = (mass >= self.lower) & (mass <= self.upper)
        bounded = np.clip(mass, self.lower, self.upper)
        segment = np.searchsorted(self.edges[1:-1], bounded, side="right")
        values = np.asarray(self.coefficients)[segment] * bounded ** np.asarray(self.slopes)[segment]
        return np.where(inside, _checked_cluster_mass(cluster_mass) * values, 0.0)

    def number(self, low: ArrayLike = 0.0, high: ArrayLike = np.inf, cluster_mass: float = 1.0) -> NDArray[np.float64]:
        """Number of stars with initial masses from `low` to `high`.

        Parameters
        ----------
        low, high : float or array
            Limits [Msun], of shapes that broadcast; what lies beyond the edges holds no stars.
        cluster_mass : float
            Mass of all stars together [Msun].
        """
        return self._moment(0.0, low, high, cluster_mass)

    def mass(self, low: ArrayLike = 0.0, high: ArrayLike = np.inf, cluster_mass: float = 1.0) -> NDArray[np.float64]:
        """Mass of the stars with initial masses from `low` to `high` [Msun]; arguments as of `number`."""
        return self._moment(1.0, low, high, cluster_mass)

    def mean_mass(self, low: float = 0.0, high: float = np.inf) -> float:
        """Mean initial mass of the stars from `low` to `high` [Msun].

        Raises
        ------
        ParameterError
            If there are no stars between the limits.
        """
        self._populated(low, high)
        return float(self.mass(low, high) / self.number(low, high))

    def quadrature(
        self,
        low: float = 0.0,
        high: float = np.inf,
        step: float = 0.1,
        cluster_mass: float = 1.0,
        breaks: Iterable[float] = (),
        points: int = 4,
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Masses and numbers of stars that stand for the stars from `low` to `high`.

        The integral of xi(M0) f(M0) dM0 is ``sum(weights * f(masses))``: Gauss-Legendre rules in ln M0, on
        panels that end at the edges of the function and at `breaks`.

        Parameters
        ----------
        low, high : float
            Limits [Msun]; those beyond the edges are moved to them.
        step : float
            Largest width of a panel in ln M0.
        cluster_mass : float
            Mass of all stars of the cluster together [Msun], not only of those between the limits.
        breaks : iterable of float
            Masses [Msun] where f has a kink or a jump, such as those of the tracks that it was interpolated between.
        points : int
            Stars per panel: four for smooth integrands, fewer for those with many kinks.

        Returns
        -------
        masses : array, shape (n,)
            Increasing [Msun].
        weights : array, shape (n,)
            Numbers of stars.

        Raises
        ------
        ParameterError
            If there are no stars between the limits, or `step` or `points` is not above zero.
        """
        if points < 1:
            raise ParameterError(f"points = {points!r} of a panel", remedy="give a whole number from 1 on")
        if not (np.isfinite(step) and step > 0.0):
            raise ParameterError(f"step {step!r} in ln M0 is not above zero", remedy="use one near 0.1")
        low, high = self._populated(low, high)
        inner = {float(mass) for mass in (*self.edges, *breaks) if low < mass < high}
        corners = np.log([low, *sorted(inner), high])
        panels = [
            np.linspace(start, end, int(np.ceil((end - start) / step)) + 1)
            for start, end in itertools.pairwise(corners)
        ]
        starts = np.concatenate([panel[:-1] for panel in panels])
        widths = np.concatenate([np.diff(panel) for panel in panels])
        places, weights = np.polynomial.legendre.leggauss(points)
        masses = np.exp(starts[:, None] + 0.5 * widths[:, None] * (places + 1.0)).ravel()
        measure = (0.5 * widths[:, None] * weights).ravel() * masses
        return masses, measure * self.density(masses, cluster_mass)

    def truncated(self, low: float, high: float) -> InitialMassFunction:
        """The same shape between other limits [Msun], normalised again; outer slopes go on beyond the old edges."""
        inner = [edge for edge in self.edges[1:-1] if low < edge < high]
        first = int(np.searchsorted(self.edges[1:-1], low, side="right"))
        return InitialMassFunction((low, *inner, high), self.slopes[first : first + len(inner) + 1])

    def _moment(self, power: float, low: ArrayLike, high: ArrayLike, cluster_mass: float) -> NDArray[np.float64]:
        low, high = np.broadcast_arrays(np.asarray(low, dtype=np.float64), np.asarray(high, dtype=np.float64))
        if np.any(np.isnan(low) | np.isnan(high) | (low > high)):
            raise ParameterError(
                f"limits {low} to {high} Msun of a mass interval are not in order", remedy="give the lower limit first"
            )
        total = np.zeros(low.shape)
        for c, (start, end), slope in zip(self.coefficients, itertools.pairwise(self.edges), self.slopes, strict=True):
            bottom, top = np.clip(low, start, end), np.clip(high, start, end)
            total = total + c * power_integral(bottom, top, slope + power)
        return _checked_cluster_mass(cluster_mass) * total

    def _populated(self, low: float, high: float) -> tuple[float, float]:
        """Limits moved to the edges; refused if nothing lies between."""
        bottom, top = max(low, self.lower), min(high, self.upper)
        if not bottom < top:
            raise ParameterError(
                f"there are no stars from {low} to {high} Msun in this initial mass function",
                remedy=f"choose limits within {self.lower:g} to {self.upper:g} Msun, the lower one first",
            )
        return bottom, top


def kroupa(upper: float = CLUSTER_UPPER_MASS) -> InitialMassFunction:
    """Kroupa's function: M0^-1.3 from 0.08 Msun, M0^-2.3 from 0.5 Msun to `upper`.

    Parameters
    ----------
    upper : float
        M_up [Msun]; the paper takes 150 for clusters and 105 for individual winds.

    Raises
    ------
    ParameterError
        If `upper` is not above 0.5 Msun.
    """
    if not (np.isfinite(upper) and upper > KROUPA_EDGES[-1]):
        raise ParameterError(
            f"M_up = {upper!r} Msun of Kroupa's function is not above its break at {KROUPA_EDGES[-1]} Msun",
            remedy=f"the usual values are {CLUSTER_UPPER_MASS:g} (clusters) and {WIND_UPPER_MASS:g} (individual winds)",
        )
    return InitialMassFunction((*KROUPA_EDGES, upper), KROUPA_SLOPES)


def check_upper_mass(upper: float, grid: str, lightest: float, heaviest: float) -> None:
    """Refuse an M_up for which a grid has no stars: nothing is ever extrapolated.

    Parameters
    ----------
    upper : float
        M_up [Msun].
    grid : str
        Name of the grid of tracks, for the message.
    lightest, heaviest : float
        Lowest and highest initial masses of the grid [Msun].

    Raises
    ------
    ParameterError
        If M_up is not above the lightest or is above the heaviest.
    """
    if not lightest < upper <= heaviest:
        raise ParameterError(
            f"M_up = {upper!r} Msun is outside the initial masses of the grid {grid!r}",
            remedy=f"choose M_up above {lightest:g} and up to {heaviest:g} Msun, or another grid",
        )


def power_integral(low: ArrayLike, high: ArrayLike, power: float) -> NDArray[np.float64]:
    """Integral of M^power from `low` to `high` (both above zero), stable through power = -1, where it is ln(high/low).

    Parameters
    ----------
    low, high : float or array
        Limits.
    power : float
        Exponent.
    """
    low, high = np.asarray(low, dtype=np.float64), np.asarray(high, dtype=np.float64)
    width = np.log(high / low)
    exponent = (power + 1.0) * width
    # expm1(x)/x tends to 1, and its quotient loses digits only where x is subnormal
    safe = np.where(exponent == 0.0, 1.0, exponent)
    growth = np.where(exponent == 0.0, 1.0, np.expm1(safe) / safe)
    return low ** (power + 1.0) * width * growth


def _checked_cluster_mass(cluster_mass: float) -> float:
    if not (np.isfinite(cluster_mass) and cluster_mass > 0.0):
        raise ParameterError(f"cluster mass {cluster_mass!r} Msun is not above zero", remedy="the default is 3e4 Msun")
    return float(cluster_mass)
