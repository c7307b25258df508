"""The cylinder as a weighted sum of a few slabs.

The density at the Sun is a sum over Bessel orders of the solution of a slab with radial wavenumber k_i (see
`stellarcr.galaxy.cylinder`): hundreds of terms with weights of either sign. What is summed is smooth in k, whatever the
nuclear network is, so that a quadrature with two to four wavenumbers of its own does as well. Its wavenumbers and
weights do not depend on the halo's half-height, on diffusion or on gas, which may all be free.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..backend import Array, namespace
from ..errors import ModelError
from .cylinder import BesselSeries

LARGEST_COUNT = 6
"""Slabs that are tried at most."""

_BOUNDS = (-8.0, 6.0)
"""Logarithms of the wavenumbers [1/kpc] stay within."""

_HEIGHTS = 7
_ROUNDS = 6
_RATES = np.concatenate([[0.0], np.geomspace(1e-4, 1e2, 121)])
"""Values of s = 2 h Gamma / D [1/kpc] at which reduction and series are compared; nickel at 1 GV reaches 15 at
D0 = 1e28 cm2/s and the usual gas."""

_STARTS = (1.0, 3.0, 12.0)
"""Largest wavenumbers [1/kpc] of the starting points."""


def escape_coefficient(wavenumber: Array, half_height: Array) -> Array:
    """Escape from a slab with a radial wavenumber: 2 k coth(k L) [1/kpc]; 2/L for k = 0.

    Parameters
    ----------
    wavenumber : array
        k [1/kpc], not negative.
    half_height : array or float
        L [kpc]; broadcast with the wavenumber.
    """
    xp = namespace(wavenumber, half_height)
    argument = wavenumber * half_height
    small = argument < 1e-4
    safe = xp.where(small, 1.0, argument)
    # x coth(x) = x + 2 x / (exp(2 x) - 1), which neither overflows nor cancels
    scaled = xp.where(small, 1.0 + argument**2 / 3.0, safe + 2.0 * safe * xp.exp(-2.0 * safe) / -xp.expm1(-2.0 * safe))
    return 2.0 * scaled / half_height


@dataclass(frozen=True, eq=False)
class Slabs:
    """Wavenumbers and weights that replace the Bessel series.

    Attributes
    ----------
    wavenumbers : numpy.ndarray
        k_p [1/kpc], ``(n_slabs,)``.
    weights : numpy.ndarray
        ``(n_profiles, n_slabs)`` [1/kpc^2] for a source rate of one per second in the whole disc.
    error : float
        Largest relative error of the response and of its derivative over the heights it was made for.
    """

    wavenumbers: np.ndarray
    weights: np.ndarray
    error: float

    def response(self, rate: Array, half_height: Array, profile: int = 0) -> Array:
        """Density at the Sun times D: g(s) = sum_p w_p / (2 k_p coth(k_p L) + s).

        Parameters
        ----------
        rate : array
            s = 2 h Gamma / D [1/kpc].
        half_height : array or float
            L [kpc], broadcast with ``rate``.
        profile : int
            Which of the source profiles.
        """
        return sum(self._terms(rate, half_height, profile, 1))

    def derivative(self, rate: Array, half_height: Array, profile: int = 0) -> Array:
        """Derivative dg/ds; arguments are those of `response`."""
        return -sum(self._terms(rate, half_height, profile, 2))

    def _terms(self, rate: Array, half_height: Array, profile: int, power: int) -> list[Array]:
        xp = namespace(rate, half_height)
        pairs = zip(self.wavenumbers, self.weights[profile], strict=True)
        return [float(w) / (escape_coefficient(xp.asarray(float(k)), half_height) + rate) ** power for k, w in pairs]


def reduce_to_slabs(
    series: Sequence[BesselSeries], heights: tuple[float, float], tolerance: float = 5e-5, count: int | None = None
) -> Slabs:
    """Find the fewest slabs that represent one or several Bessel series with common wavenumbers.

    The weights follow from linear least squares of the relative errors of g and dg/ds, the wavenumbers from nonlinear
    least squares; points with large errors are given more weight until the largest error is near its minimum.

    Parameters
    ----------
    series : sequence of BesselSeries
        One for each source profile, of equal radius.
    heights : tuple of float
        Smallest and largest half-height [kpc] that is needed.
    tolerance : float
        Largest relative error of g(s) and of dg/ds.
    count : int, optional
        Number of slabs; by default as many as the tolerance needs.

    Raises
    ------
    ModelError
        If `LARGEST_COUNT` slabs do not reach the tolerance.
    """
    levels = np.unique(np.geomspace(heights[0], heights[1], _HEIGHTS if heights[1] > heights[0] else 1))
    best: Slabs | None = None
    for number in range(1, LARGEST_COUNT + 1) if count is None else (count,):
        found = _fit(series, levels, number)
        if best is None or found.error < best.error:
            best = found
        if count is None and best.error <= tolerance:
            return best
    assert best is not None
    if count is None:
        raise ModelError(
            f"{LARGEST_COUNT} slabs represent the cylinder to {best.error:.1e} only, not to {tolerance:.0e}",
            remedy="use a smoother source profile, or a smaller range of half-heights",
        )
    return best


def _fit(series: Sequence[BesselSeries], heights: np.ndarray, count: int) -> Slabs:
    from scipy.optimize import least_squares

    responses = [[one.at(h) for h in heights] for one in series]
    targets = [np.stack([[g(_RATES), g.derivative(_RATES)] for g in one]).ravel() for one in responses]

    def columns(logarithms: np.ndarray) -> np.ndarray:
        wavenumbers = np.exp(np.clip(logarithms, *_BOUNDS))
        poles = np.stack([escape_coefficient(wavenumbers, h) for h in heights])
        inverse = 1.0 / (poles[:, None, :] + _RATES[:, None])
        return np.stack([inverse, -(inverse**2)], axis=1).reshape(-1, count)

    def solve(logarithms: np.ndarray, emphasis: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        basis = columns(logarithms)
        weights = [
            np.linalg.lstsq(basis * (e / t)[:, None], e, rcond=1e-13)[0] for t, e in zip(targets, emphasis, strict=True)
        ]
        errors = np.stack([basis @ w / t - 1.0 for w, t in zip(weights, targets, strict=True)])
        return np.stack(weights), errors

    best = Slabs(np.ones(count), np.zeros((len(series), count)), np.inf)
    for largest in _STARTS:
        logarithms = np.log(np.geomspace(0.12, largest, count))
        emphasis = np.ones((len(series), len(targets[0])))
        for _ in range(_ROUNDS):

            def weighted(values: np.ndarray, emphasis: np.ndarray = emphasis) -> np.ndarray:
                return (solve(values, emphasis)[1] * emphasis).ravel()

            logarithms = least_squares(weighted, logarithms, method="lm", max_nfev=60 * count).x
            weights, errors = solve(logarithms, emphasis)
            size = np.abs(errors)
            if size.max() < best.error:
                order = np.argsort(logarithms)
                best = Slabs(np.exp(np.clip(logarithms[order], *_BOUNDS)), weights[:, order], float(size.max()))
            emphasis = emphasis * np.sqrt(size / size.max() + 0.02)
            emphasis /= emphasis.max()
    return best
