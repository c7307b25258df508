"""Integrals of increasing functions on [0, 1], and their inverses, as piecewise polynomials.

Used by the order constraints: an integral G(r) = int_0^r h(t) dt of a bounded, increasing h >= 0 is convex
and increasing, so that it has an inverse. Both are tabulated on cells that are halved until polynomials
through Chebyshev points reproduce them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

DEGREE = 7
ACCURACY = 1e-13  # of G, relative to G at the upper end of the cell
NEGLIGIBLE = 1e-26  # cells that end below this fraction of G(1) need no accuracy
VANISHING = 1e-100  # values of h that count as zero
SMALLEST_CELL = 64 * np.finfo(float).eps  # relative to its upper end
ROUNDING = 1e-9  # errors of h below this may come from rounding in the priors' functions
MOST_HALVINGS = 45

# Chebyshev points of the second kind on [-1, 1], both ends included, and points between them for the check.
_ANGLES = np.linspace(np.pi, 0.0, DEGREE + 1)
_NODES = np.cos(_ANGLES)
_CHECKS = np.cos(0.5 * (_ANGLES[1:] + _ANGLES[:-1]))
_TO_COEFFICIENTS = np.linalg.inv(np.vander(_NODES, increasing=True))
_AT_CHECKS = np.vander(_CHECKS, DEGREE + 1, increasing=True)


@dataclass(frozen=True)
class PiecewisePolynomial:
    """Polynomials of t in [-1, 1], one on each of adjoining cells; constant beyond the ends.

    Attributes
    ----------
    edges : array, shape (J + 1,)
    coefficients : array, shape (degree + 1, J)
        From the highest power to the constant.
    lowest, highest : float
        Bounds that rounding may not cross.
    """

    edges: np.ndarray
    coefficients: np.ndarray
    lowest: float
    highest: float

    _inner: np.ndarray = field(init=False, repr=False)
    _middle: np.ndarray = field(init=False, repr=False)
    _scale: np.ndarray = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_inner", self.edges[1:-1].copy())
        object.__setattr__(self, "_middle", 0.5 * (self.edges[:-1] + self.edges[1:]))
        object.__setattr__(self, "_scale", 2.0 / np.diff(self.edges))

    def __call__(self, x: Any) -> np.ndarray:
        """Evaluate at ``x``, of any shape; NaN where ``x`` is NaN."""
        cell = self._inner.searchsorted(x, side="right")
        t = np.minimum(np.maximum((x - self._middle[cell]) * self._scale[cell], -1.0), 1.0)
        result, *terms = self.coefficients[:, cell]
        for term in terms:
            result = result * t + term
        return np.minimum(np.maximum(result, self.lowest), self.highest)


@dataclass(frozen=True)
class MonotoneIntegral:
    """G(r) = int_0^r h(t) dt for an increasing h >= 0, and its inverse.

    Attributes
    ----------
    value, inverse : PiecewisePolynomial
        r to G and G to r.
    total : float
        G(1).
    """

    value: PiecewisePolynomial
    inverse: PiecewisePolynomial
    total: float


def integrate_increasing(h: Callable[[np.ndarray], np.ndarray], first_edges: np.ndarray) -> MonotoneIntegral:
    """Tabulate G(r) = int_0^r h(t) dt on [0, 1], and its inverse.

    Parameters
    ----------
    h : callable
        Increasing and non-negative on [0, 1], vectorised, positive at 1.
    first_edges : array
        Where to divide [0, 1] at first: edges of supports, and points that resolve the steep regions.
    """
    edges = _thin(np.concatenate([first_edges, [0.0, 1.0]]))
    # Where h vanishes, so does G; the tables start at the last edge that is still there.
    edges = edges[np.flatnonzero(h(edges) <= VANISHING).max(initial=0) :]
    cells = _Cells.measure(h, edges[:-1], edges[1:], np.full(len(edges) - 1, np.inf))
    for _ in range(MOST_HALVINGS):
        rough = cells.rough()
        if not np.any(rough):
            break
        cells = cells.halve(h, rough)
    ends = np.concatenate([[0.0], np.cumsum(cells.mass)])
    value = cells.integral
    value[0] += ends[:-1]
    climbs = np.diff(ends) > 0.0  # where not, the cell holds nothing that the inverse could give
    r_edges, g_edges = np.append(cells.low, cells.high[-1]), np.append(0.0, ends[1:][climbs])
    total = float(ends[-1])
    return MonotoneIntegral(
        value=PiecewisePolynomial(r_edges, value[::-1].copy(), 0.0, total),
        inverse=PiecewisePolynomial(g_edges, cells.inverse[::-1, climbs], float(r_edges[0]), 1.0),
        total=total,
    )


@dataclass(frozen=True)
class _Cells:
    """Adjoining cells, in order, each with polynomials of t in [-1, 1]; powers along the first axis."""

    low: np.ndarray
    high: np.ndarray
    integral: np.ndarray  # G minus G(low)
    inverse: np.ndarray  # of G minus G(low), which is mapped onto [-1, 1]
    mass: np.ndarray  # G(high) - G(low)
    error: np.ndarray  # of G, divided by the width of the cell
    error_before: np.ndarray  # of the cell that this one is a half of

    @classmethod
    def measure(
        cls,
        h: Callable[[np.ndarray], np.ndarray],
        low: np.ndarray,
        high: np.ndarray,
        error_before: np.ndarray,
    ) -> _Cells:
        """Fit polynomials on the given cells, and measure how far they miss between their nodes."""
        half, middle = 0.5 * (high - low)[:, None], 0.5 * (high + low)[:, None]
        at_nodes = h(np.clip(middle + half * _NODES, low[:, None], high[:, None]))
        density = at_nodes @ _TO_COEFFICIENTS.T
        missed = np.max(np.abs(density @ _AT_CHECKS.T - h(middle + half * _CHECKS)), axis=1)

        powers = np.arange(1, DEGREE + 2)
        integral = np.concatenate([np.zeros_like(half), half * density / powers], axis=1)
        integral[:, 0] = -integral[:, 1:] @ (-1.0) ** powers
        nodes = integral @ np.vander(_NODES, DEGREE + 2, increasing=True).T
        checks = integral @ np.vander(_CHECKS, DEGREE + 2, increasing=True).T
        mass = np.maximum(nodes[:, -1], 0.0)
        scale = np.where(mass > 0.0, mass, 1.0)[:, None]
        nodes, checks = 2.0 * nodes / scale - 1.0, 2.0 * checks / scale - 1.0

        # Where G is too flat to be inverted in one piece, a straight line stands in and its error counts.
        flat = np.min(np.diff(nodes, axis=1), axis=1) < 1e-6
        nodes = np.where(flat[:, None], _NODES, nodes)
        matrix = nodes[:, :, None] ** np.arange(DEGREE + 1)
        t = np.linalg.solve(matrix, np.broadcast_to(_NODES, nodes.shape)[..., None])[..., 0]
        back = np.einsum("jcp,jp->jc", checks[:, :, None] ** np.arange(DEGREE + 1), t)
        missed_inverse = 0.5 * np.max(np.abs(back - _CHECKS), axis=1) * at_nodes[:, -1]
        inverse = half * t
        inverse[:, 0] += middle[:, 0]
        return cls(low, high, integral.T.copy(), inverse.T.copy(), mass, missed + missed_inverse, error_before)

    def rough(self) -> np.ndarray:
        """Say which cells should be halved."""
        width, end = self.high - self.low, np.cumsum(self.mass)
        return (
            (self.error * width > ACCURACY * end)
            & (end > NEGLIGIBLE * end[-1])
            & (width > 2.0 * SMALLEST_CELL * self.high)
            # Halving reduces an error of the polynomials, but not one of rounding in h.
            & ((self.error < 0.75 * self.error_before) | (self.error > ROUNDING))
        )

    def halve(self, h: Callable[[np.ndarray], np.ndarray], which: np.ndarray) -> _Cells:
        """Return the cells with some of them halved."""
        low, high, error = self.low[which], self.high[which], self.error[which]
        middle = 0.5 * (low + high)
        new = _Cells.measure(
            h, np.concatenate([low, middle]), np.concatenate([middle, high]), np.concatenate([error, error])
        )
        order = np.argsort(np.concatenate([self.low[~which], new.low]))
        parts = {
            name: np.concatenate([getattr(self, name)[..., ~which], getattr(new, name)], axis=-1)[..., order]
            for name in self.__dataclass_fields__
        }
        return _Cells(**parts)


def _thin(edges: np.ndarray) -> np.ndarray:
    """Sort edges in [0, 1] and leave out those that crowd; 0 and 1 stay."""
    kept = [0.0]
    for edge in np.unique(edges):
        if edge - kept[-1] > 2.0 * SMALLEST_CELL * edge:
            kept.append(float(edge))
    kept[-1] = 1.0
    return np.array(kept)
