"""What a detector does to a spectrum, as a matrix from grid to data points.

At fixed modulation and energy scale everything between a source spectrum and a measured bin is linear: transfer through
the Galaxy, Jacobian, force field, bin average. So it is one matrix, made once. Modulation potential and energy scale
vary in a fit; the matrix is tabulated at Chebyshev nodes in both, and interpolated by polynomials.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ..backend import Array
from ..errors import ModelError
from ..species import Nuclide
from .axes import detector_kernel
from .grid import STENCIL, RigidityGrid

TYPICAL_INDEX = -2.3
"""Slope taken out of source spectra before interpolation."""

BIN_NODES = 8
MAXIMUM_NODES = 12
LARGEST_ERROR = 0.01
"""Relative error of an interpolated response that is refused: the smallest errors of the data (project choice)."""

Transfer = Callable[[Nuclide, np.ndarray], np.ndarray]
Isotopes = tuple[tuple[Nuclide, float], ...]


@dataclass(frozen=True)
class Points:
    """Where and how a spectrum is measured.

    Attributes
    ----------
    axis : str
        Axis code.
    x : numpy.ndarray
        Representative points [GV or GeV].
    low, high : numpy.ndarray
        Bin edges; NaN where they are not known.
    log_mass : bool
        Whether every nucleus counts ln A times, as in the numerator of <ln A>.
    """

    axis: str
    x: np.ndarray
    low: np.ndarray
    high: np.ndarray
    log_mass: bool = False

    def quadrature(self) -> tuple[np.ndarray, np.ndarray]:
        """Nodes and weights of the bin averages, each ``(n_points, n_nodes)``.

        Gauss-Legendre in ln x, so that power laws are integrated to rounding; a point without edges is its own node.
        """
        nodes, weights = np.polynomial.legendre.leggauss(BIN_NODES)
        edged = np.isfinite(self.low) & np.isfinite(self.high)
        low, high = np.where(edged, self.low, self.x), np.where(edged, self.high, self.x)
        half = 0.5 * np.log(high / low)
        x = np.sqrt(low * high)[:, None] * np.exp(half[:, None] * nodes)
        width = np.where(edged, high - low, 1.0)
        averaged = half[:, None] * weights * x / width[:, None]
        return x, np.where(edged[:, None], averaged, weights / 2.0)


def response_matrix(
    points: Points,
    isotopes: Isotopes,
    grid: RigidityGrid,
    transfer: Transfer | None,
    phi: float = 0.0,
    scale: float = 1.0,
) -> np.ndarray:
    """Matrix from a spectrum on the grid to measured fluxes.

    Parameters
    ----------
    points : Points
        The measurement.
    isotopes : tuple of (Nuclide, float)
        Nuclides and their number fractions at equal rigidity.
    grid : RigidityGrid
        Grid of the spectrum.
    transfer : callable or None
        Density at the Sun per unit injection, ``transfer(nuclide, rigidity)``; then the spectrum on the grid is the
        injected one. With None it is the density at the Sun [1/(m^3 GV)] itself.
    phi : float
        Modulation potential [GV].
    scale : float
        Energy scale s, E_measured = s E_true: J_measured(E) = J_true(E/s)/s.

    Returns
    -------
    numpy.ndarray
        Shape ``(grid.size, n_points)``; flux in 1/(m^2 s sr) per unit of the axis.
    """
    x, average = points.quadrature()
    n_points = len(points.x)
    matrix = np.zeros((grid.size, n_points))
    rows = np.broadcast_to(np.arange(n_points)[:, None, None], (*x.shape, STENCIL))
    for nuclide, fraction in isotopes:
        seen, weight = detector_kernel(points.axis, x / scale, nuclide, phi)
        first, stencil = grid.interpolation(seen, TYPICAL_INDEX)
        value = fraction * average * weight / scale
        if points.log_mass:
            value = value * np.log(nuclide.mass_number)
        if transfer is not None:
            value = value * transfer(nuclide, seen)
        np.add.at(matrix, (first[..., None] + np.arange(STENCIL), rows), value[..., None] * stencil)
    return matrix


@dataclass(frozen=True)
class ChebyshevAxis:
    """Polynomial interpolation in one nuisance parameter.

    Attributes
    ----------
    name : str
        Name of the parameter.
    low, high : float
        Range in which the nodes lie.
    nodes : numpy.ndarray
        Where the response is tabulated.
    """

    name: str
    low: float
    high: float
    nodes: np.ndarray

    @classmethod
    def build(cls, name: str, low: float, high: float, count: int) -> ChebyshevAxis:
        """Place ``count`` Chebyshev nodes in [low, high]; one node in the middle if the range is a point."""
        if high <= low:
            return cls(name, low, high, np.array([low]))
        angle = (np.arange(count) + 0.5) * np.pi / count
        return cls(name, low, high, 0.5 * (low + high) + 0.5 * (high - low) * np.cos(angle))

    @cached_property
    def _lagrange(self) -> np.ndarray:
        """Matrix from powers of the scaled value to the Lagrange polynomials of the nodes."""
        scaled = self._scale(self.nodes)
        return np.linalg.inv(np.vander(scaled, increasing=True))

    def _scale(self, value: Array) -> Array:
        return (value - 0.5 * (self.low + self.high)) * (2.0 / (self.high - self.low))

    def coefficients(self, value: Array, xp: Any = np) -> Array:
        """Weights of the nodes at a value: a number or ``(...)`` to ``(..., n_nodes)``."""
        if len(self.nodes) == 1:
            return xp.ones((1,))
        scaled = self._scale(xp.asarray(value))[..., None]
        return (scaled ** xp.arange(len(self.nodes), dtype=scaled.dtype)) @ xp.asarray(self._lagrange)


def tabulate_response(
    build: Callable[[float, float], np.ndarray],
    phi_range: tuple[float, float],
    scale_range: tuple[float, float],
    grid: RigidityGrid,
    tolerance: float = 1e-5,
) -> tuple[np.ndarray, tuple[ChebyshevAxis, ChebyshevAxis]]:
    """Tabulate a response over modulation potential and energy scale with as few nodes as the tolerance allows.

    Parameters
    ----------
    build : callable
        ``build(phi, scale)`` gives the matrix ``(grid.size, n_points)``.
    phi_range, scale_range : tuple of float
        Ranges to cover; equal ends where the parameter is fixed.
    grid : RigidityGrid
        Grid of the spectrum.
    tolerance : float
        Largest relative error for a spectrum of the typical slope. Breaks of the transfer function limit what is
        reached when the energy scale varies; then the largest number of nodes is used.

    Returns
    -------
    matrices : numpy.ndarray
        Shape ``(n_phi * n_scale, grid.size, n_points)``.
    axes : tuple of ChebyshevAxis
        For ``phi`` and ``scale``.

    Raises
    ------
    ModelError
        If the range is too wide to interpolate, or the response is not finite.
    """
    middle = (0.5 * sum(phi_range), 0.5 * sum(scale_range))
    spectrum = grid.rigidity**TYPICAL_INDEX

    def axis(which: int, bounds: tuple[float, float], name: str) -> ChebyshevAxis:
        trials = np.linspace(*bounds, 5)

        def at(value: float) -> np.ndarray:
            return spectrum @ build(*(value if k == which else middle[k] for k in (0, 1)))

        if bounds[1] <= bounds[0]:
            return ChebyshevAxis.build(name, *bounds, 1)
        exact = np.stack([at(v) for v in trials])
        for count in range(2, MAXIMUM_NODES + 1):
            candidate = ChebyshevAxis.build(name, *bounds, count)
            table = np.stack([at(v) for v in candidate.nodes])
            approximate = candidate.coefficients(trials) @ table
            error = np.abs(approximate - exact)
            if np.all(error <= tolerance * np.abs(exact)):
                break
        if not np.all(error <= LARGEST_ERROR * np.abs(exact)):
            raise ModelError(
                f"the response cannot be interpolated in {name} from {bounds[0]:.3g} to {bounds[1]:.3g}",
                remedy=f"give {name} a narrower prior; a scale must stay above zero",
            )
        return candidate

    axes = (axis(0, phi_range, "phi"), axis(1, scale_range, "energy_scale"))
    pairs = itertools.product(axes[0].nodes, axes[1].nodes)
    matrices = np.stack([build(float(phi), float(scale)) for phi, scale in pairs])
    if not np.all(np.isfinite(matrices)):
        raise ModelError("the detector response is not finite", remedy="check rigidity range and modulation prior")
    return matrices, axes
