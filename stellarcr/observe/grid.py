"""The rigidity grid on which source spectra are tabulated inside a fit."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..errors import ConfigError

# end weights of the trapezoid rule that make it exact for cubics (Gregory's formula, third differences)
_GREGORY = np.array([251.0, 897.0, 633.0, 739.0]) / 720.0
STENCIL = 6
"""Points of the interpolating polynomial: fifth order."""


@dataclass(frozen=True)
class RigidityGrid:
    """Rigidities spaced evenly in their logarithm.

    Attributes
    ----------
    lowest, highest : float
        First and last rigidity [GV]. Powers are defined above 1 GV, so the grid starts there.
    per_decade : int
        Points per decade. `tests/likelihood` compares the interpolation with exact spectra.
    """

    lowest: float = 1.0
    highest: float = 4e8
    per_decade: int = 20

    def __post_init__(self) -> None:
        if not 0 < self.lowest < self.highest or self.per_decade < 8:
            raise ConfigError(
                f"rigidity grid from {self.lowest} to {self.highest} GV with {self.per_decade} points per decade",
                remedy="the lowest rigidity must be positive and below the highest, with at least 8 points per decade",
            )

    @cached_property
    def log_rigidity(self) -> np.ndarray:
        """Natural logarithm of the grid's rigidities [GV]."""
        decades = np.log10(self.highest / self.lowest)
        return np.linspace(np.log(self.lowest), np.log(self.highest), int(np.ceil(decades * self.per_decade)) + 1)

    @cached_property
    def rigidity(self) -> np.ndarray:
        """Rigidities [GV]."""
        return np.exp(self.log_rigidity)

    @property
    def size(self) -> int:
        """Number of points."""
        return len(self.log_rigidity)

    @cached_property
    def integration_weights(self) -> np.ndarray:
        """Weights w [GV] with sum(w f) = integral of f dR over the grid."""
        step = self.log_rigidity[1] - self.log_rigidity[0]
        weights = np.full(self.size, step)
        weights[:4] = step * _GREGORY
        weights[-4:] = step * _GREGORY[::-1]
        return weights * self.rigidity

    def interpolation(self, rigidity: np.ndarray, index: float) -> tuple[np.ndarray, np.ndarray]:
        """Stencils that interpolate a spectrum that falls roughly like R^index.

        Lagrange polynomials of fifth order in ln R, applied to the spectrum divided by R^index.

        Parameters
        ----------
        rigidity : numpy.ndarray
            Where the spectrum is wanted [GV], any shape; outside the grid is refused.
        index : float
            Typical slope.

        Returns
        -------
        first : numpy.ndarray of int
            First grid point of each stencil, of the shape of ``rigidity``.
        weights : numpy.ndarray
            Weights, with a last axis of length ``STENCIL``.

        Raises
        ------
        ConfigError
            If a rigidity lies outside the grid.
        """
        x = np.log(rigidity)
        start, step = self.log_rigidity[0], self.log_rigidity[1] - self.log_rigidity[0]
        if np.any(x < start - 1e-12) or np.any(x > self.log_rigidity[-1] + 1e-12):
            raise ConfigError(
                f"rigidities from {rigidity.min():.4g} to {rigidity.max():.4g} GV leave the grid "
                f"({self.lowest:.4g} to {self.highest:.4g} GV)",
                remedy="restrict the data's rigidity range, or widen the grid",
            )
        position = (x - start) / step
        first = np.clip(np.floor(position).astype(int) - (STENCIL // 2 - 1), 0, self.size - STENCIL)
        local = position - first
        nodes = np.arange(STENCIL)
        weights = np.ones((*x.shape, STENCIL))
        for j in nodes:
            for m in nodes[nodes != j]:
                weights[..., j] *= (local - m) / (j - m)
        ratio = rigidity[..., None] / self.rigidity[first[..., None] + nodes]
        return first, weights * ratio**index
