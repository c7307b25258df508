"""Spectra from stellar evolution, as they are evaluated inside a fit.

What the steps of winds inject in total is R^gamma sum_k A_k exp(-R/(s r_k)), with s = sqrt(eta_B), r_k the R_max of a
step at eta_B = 1, and amplitudes A_k(gamma, s) that share the energy between the steps. With the exponential of the
largest cutoff taken out, its logarithm is a smooth function of ln R, ln s and gamma. It is tabulated on nodes of ln s
and gamma (`stellarcr.populations.stellar_tabulation`), reduced to a few spectra in (element, ln R), and interpolated
with cubic polynomials:

    ln Q_Z(R) = gamma ln R - R/(s r_top) + m_Z(R) + sum_j c_j(ln s, gamma) b_jZ(R),

one matrix product and one exponential in a fit. The energy that the spectra release is tabulated beside them, so that a
fit needs no integral.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from ..backend import Array, namespace
from .spectra import LOWEST_EXPONENT

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class StellarTable:
    """A tabulated family of spectra.

    Attributes
    ----------
    elements : tuple of str
        Symbols, in order of charge.
    abundances : ndarray, shape (n_elements,)
        Number fractions at equal rigidity far below the cutoffs, at eta_B = 0.01 and gamma = -2; the spectra are
        relative to them.
    isotopes : mapping of str to mapping of int to float
        Number fractions of the isotopes of each element, at the same place.
    eta_B_range, gamma_range : tuple of float
        The box.
    coefficients : ndarray, shape (n_scale, n_gamma, rank)
        c_j on nodes that are even in ln sqrt(eta_B) and in gamma.
    mean : ndarray, shape (n_elements, n_rigidity)
        m_Z.
    basis : ndarray, shape (rank, n_elements, n_rigidity)
        b_jZ.
    energy : ndarray, shape (1 + rank,)
        What the coefficients 1 and c_j add up to in the logarithm of the energy, see `log_energy`.
    log_rigidity : ndarray, shape (n_rigidity,)
        ln(R/GV), even.
    log_top, log_mean : float
        ln(r_top/GV), and the mean of ln(r_k/GV) weighted by energy.
    mechanical_energy : float
        Energy of the winds per solar mass of stars that are born [erg/Msun].
    lost : float
        Part of it in steps with R_max below 1 GV at the lowest eta_B, which inject nothing.
    error : float
        Largest relative error found at random points.
    """

    elements: tuple[str, ...]
    abundances: Floats
    isotopes: Mapping[str, Mapping[int, float]]
    eta_B_range: tuple[float, float]
    gamma_range: tuple[float, float]
    coefficients: Floats
    mean: Floats
    basis: Floats
    energy: Floats
    log_rigidity: Floats
    log_top: float
    log_mean: float
    mechanical_energy: float
    lost: float
    error: float

    def spectrum(self, rigidity: Array, eta_B: Array, gamma: Array) -> Array:
        """Spectra of all elements, relative to `abundances`, up to a factor that is common to all.

        Parameters
        ----------
        rigidity : array
            [GV], shape ``(n_rigidity,)``.
        eta_B, gamma : array or float
            Shape ``(...)``. Outside the box the result is NaN.

        Returns
        -------
        array
            Shape ``(..., n_elements, n_rigidity)``.
        """
        every = tuple(range(len(self.elements)))
        known, shape = self._coefficients(eta_B, gamma)
        return self._spectra(rigidity, known, shape, every)

    def injected(
        self, rigidity: Array, eta_B: Array, gamma: Array, log_energy: Array, chosen: tuple[int, ...]
    ) -> Array:
        """Spectra of some elements, which together with the others release a given energy above 1 GV.

        Parameters
        ----------
        rigidity : array
            [GV], shape ``(n_rigidity,)``.
        eta_B, gamma : array or float
            Shape ``(...)``. Outside the box the result is NaN.
        log_energy : array or float
            Logarithm of the kinetic energy [GeV] of all elements, or of their power.
        chosen : tuple of int
            Which of `elements`.

        Returns
        -------
        array
            [1/GV] times the unit of the energy over GeV, shape ``(..., len(chosen), n_rigidity)``.
        """
        known, shape = self._coefficients(eta_B, gamma)
        xp = namespace(known)
        factor = xp.reshape(xp.broadcast_to(xp.asarray(log_energy, dtype=xp.float64), shape), (-1,))
        known = xp.concat([(factor - self._log_energy(known))[:, None], known], axis=-1)
        return self._spectra(rigidity, known, shape, chosen, absolute=True)

    def log_energy(self, eta_B: Array, gamma: Array) -> Array:
        """Logarithm of the energy that `spectrum` times `abundances` releases above 1 GV [GeV], shape ``(...)``."""
        known, shape = self._coefficients(eta_B, gamma)
        return namespace(known).reshape(self._log_energy(known), shape)

    def _coefficients(self, eta_B: Array, gamma: Array) -> tuple[Array, tuple[int, ...]]:
        """Coefficients 1 (NaN outside the box), gamma, -1/s and c_j, shape ``(n, 3 + rank)``; and the points' shape."""
        xp = namespace(eta_B, gamma)
        eta_B, gamma = xp.asarray(eta_B, dtype=xp.float64), xp.asarray(gamma, dtype=xp.float64)
        if eta_B.shape != gamma.shape:
            eta_B, gamma = xp.broadcast_arrays(eta_B, gamma)
        n_scale, n_gamma, rank = self.coefficients.shape
        points = xp.stack([xp.reshape(0.5 * xp.log(eta_B), (-1,)), xp.reshape(gamma, (-1,))])
        first, weights, inside = _stencil(points, self._axes)
        place = (first[0, :] * float(n_gamma) + first[1, :])[:, None] + xp.asarray(_neighbours(n_gamma))
        flat = xp.asarray(self.coefficients.reshape(n_scale * n_gamma, rank))
        near = xp.take(flat, xp.reshape(xp.astype(place, xp.int64), (-1,)), axis=0)
        weight = xp.reshape(weights[0, :, :, None] * weights[1, :, None, :], (-1, 1, 16))
        varying = xp.matmul(weight, xp.reshape(near, (-1, 16, rank)))[:, 0, :]
        fixed = xp.stack(
            [xp.where(inside, xp.ones_like(points[0, :]), xp.nan), points[1, :], -xp.exp(-points[0, :])], axis=-1
        )
        return xp.concat([fixed, varying], axis=-1), eta_B.shape

    @property
    def _axes(self) -> Floats:
        """Lowest and highest node and number of nodes, of ln sqrt(eta_B) and of gamma."""
        low, high = self.eta_B_range
        counts = self.coefficients.shape
        return np.array([[0.5 * np.log(low), 0.5 * np.log(high), counts[0]], [*self.gamma_range, counts[1]]])

    def _log_energy(self, known: Array) -> Array:
        """Logarithm of the energy: of R^(gamma + 1) from 1 GV to s r_mean, and what is smooth beside."""
        xp = namespace(known)
        smooth = xp.concat([known[:, :1], known[:, 3:]], axis=-1) @ xp.asarray(self.energy)
        return smooth + log_power_integral(known[:, 1], self.log_mean - xp.log(-known[:, 2]))

    def _spectra(
        self, rigidity: Array, known: Array, shape: tuple[int, ...], chosen: tuple[int, ...], absolute: bool = False
    ) -> Array:
        xp = namespace(known)
        points = np.ascontiguousarray(rigidity, dtype=np.float64)
        exponent = known @ xp.asarray(_basis_at(self, points.tobytes(), chosen, absolute))
        values = xp.exp(xp.maximum(exponent, LOWEST_EXPONENT))
        return xp.reshape(values, (*shape, len(chosen), points.size))


def log_power_integral(gamma: Array, log_end: Array) -> Array:
    """Logarithm of the integral of R^(gamma + 1) dR from 1 GV to exp(log_end) [GV^(gamma + 2)]."""
    xp = namespace(gamma, log_end)
    # a power of exactly -1 would divide by zero; 1e-9 beside it the integral is the same to 1e-8
    exponent = (gamma + (2.0 + 1e-9)) * log_end
    return xp.log(log_end * xp.expm1(exponent) / exponent)


@lru_cache(maxsize=48)
def _basis_at(table: StellarTable, rigidity: bytes, chosen: tuple[int, ...], absolute: bool) -> Floats:
    """What the coefficients multiply, at given rigidities, for some elements: ``(coefficients, elements * n)``.

    The coefficients are 1, gamma, -1/s and c_j; for absolute spectra a common logarithm stands before them, and the
    abundances are included.
    """
    points = np.frombuffer(rigidity, dtype=np.float64)
    log_rigidity = np.log(points)
    nodes = table.log_rigidity
    spectra = np.concatenate([table.mean[None], table.basis])[:, list(chosen)]
    if points.size != nodes.size or not np.allclose(log_rigidity, nodes, rtol=0.0, atol=1e-12):
        # beyond the nodes (injection begins at 1 GV) the cutoff is all that changes
        spectra = CubicSpline(nodes, spectra, axis=-1)(np.clip(log_rigidity, nodes[0], nodes[-1]))
    if absolute:
        spectra[0] += np.log(table.abundances[list(chosen)])[:, None]
    common = np.stack([log_rigidity, points * np.exp(-table.log_top)])[:, None, :]
    common = np.broadcast_to(common, (2, *spectra.shape[1:]))
    first = np.ones((1 if absolute else 0, *spectra.shape[1:]))
    rows = np.concatenate([first, spectra[:1], common, spectra[1:]])
    return rows.reshape(len(rows), -1)


@lru_cache
def _neighbours(row: int) -> Floats:
    """Positions of four by four neighbouring nodes, relative to the first, in a flat table of rows."""
    return (np.arange(4.0)[:, None] * row + np.arange(4.0)).ravel()


def _stencil(points: Array, axes: Floats) -> tuple[Array, Array, Array]:
    """Where cubic polynomials through four neighbouring nodes are evaluated.

    Parameters
    ----------
    points : array
        Shape ``(2, n)``.
    axes : ndarray, shape (2, 3)
        Lowest and highest node, and their number, of both coordinates.

    Returns
    -------
    tuple of arrays
        First nodes, ``(2, n)``; weights of four nodes, ``(2, n, 4)``; whether a point is inside, ``(n,)``.
    """
    xp = namespace(points)
    low, high, count = (xp.asarray(column)[:, None] for column in axes.T)
    slack = 1e-9 * (high - low)
    within = (points >= low - slack) & (points <= high + slack)
    position = xp.where(within, (points - low) * ((count - 1.0) / (high - low)), 0.0)
    first = xp.maximum(xp.minimum(xp.floor(position) - 1.0, count - 4.0), 0.0 * count)
    a = position - first
    b, c, d = a - 1.0, a - 2.0, a - 3.0
    ab, cd = a * b, c * d
    weights = xp.stack([b * cd * (-1 / 6), a * cd * 0.5, ab * d * -0.5, ab * c * (1 / 6)], axis=-1)
    return first, weights, within[0, :] & within[1, :]
