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
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from ..backend import Array, namespace
from .spectra import LOWEST_EXPONENT

Floats = NDArray[np.float64]
Pairs = tuple[NDArray[np.int64], Floats]

_SLACK = 1e-9
"""How far rounding may carry a point beyond the ends of the box."""


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
        Largest relative error found at random points (see `stellarcr.populations.stellar_tabulation.largest_error`).
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
        shape, scale, gamma, one, varying = self._located(eta_B, gamma)
        xp = namespace(varying)
        points = np.ascontiguousarray(rigidity, dtype=np.float64)
        known = xp.concat([xp.stack([one, gamma, -xp.exp(-scale)], axis=-1), varying], axis=-1)
        exponent = known @ xp.asarray(_basis(self, points.tobytes()))
        values = xp.exp(xp.maximum(exponent, LOWEST_EXPONENT))
        return xp.reshape(values, (*shape, len(self.elements), points.size))

    def injected(self, pairs: Pairs, eta_B: Array, gamma: Array, log_energy: Array) -> Array:
        """Spectra of elements that together release a given energy above 1 GV, at pairs of element and rigidity.

        Parameters
        ----------
        pairs : tuple of (ndarray of int, ndarray)
            Positions in `elements`, and rigidities [GV], both of shape ``(n_pairs,)``.
        eta_B, gamma : array or float
            Shape ``(...)``. Outside the box the result is NaN.
        log_energy : array or float
            Logarithm of the kinetic energy [GeV] of all elements, or of their power.

        Returns
        -------
        array
            [1/GV] times the unit of the energy over GeV, shape ``(..., n_pairs)``; 0 far beyond the cutoffs.
        """
        shape, scale, gamma, one, varying = self._located(eta_B, gamma)
        xp = namespace(varying)
        energy = xp.asarray(log_energy, dtype=xp.float64)
        energy = xp.reshape(energy if energy.shape == shape else xp.broadcast_to(energy, shape), (-1,))
        factor = energy - log_power_integral(gamma, self.log_mean + scale)
        known = xp.concat([xp.stack([factor, one, gamma, -xp.exp(-scale)], axis=-1), varying], axis=-1)
        elements = np.ascontiguousarray(pairs[0], dtype=np.int64)
        points = np.ascontiguousarray(pairs[1], dtype=np.float64)
        basis = xp.asarray(_basis_of_pairs(self, elements.tobytes(), points.tobytes()))
        return xp.reshape(xp.exp(known @ basis), (*shape, points.size))

    def log_energy(self, eta_B: Array, gamma: Array) -> Array:
        """Logarithm of the energy that `spectrum` times `abundances` releases above 1 GV [GeV], shape ``(...)``.

        That of R^(gamma + 1) from 1 GV to s r_mean, and what is smooth beside it.
        """
        shape, scale, gamma, one, varying = self._located(eta_B, gamma)
        xp = namespace(varying)
        smooth = one * float(self.energy[0]) + varying @ xp.asarray(self.energy[1:])
        return xp.reshape(smooth + log_power_integral(gamma, self.log_mean + scale), shape)

    def _located(self, eta_B: Array, gamma: Array) -> tuple[tuple[int, ...], Array, Array, Array, Array]:
        """Shape of the points; ln s, gamma, 1 (NaN outside the box), each ``(n,)``; and c_j, ``(n, rank)``."""
        xp = namespace(eta_B, gamma)
        eta_B, gamma = xp.asarray(eta_B, dtype=xp.float64), xp.asarray(gamma, dtype=xp.float64)
        if eta_B.shape != gamma.shape:
            eta_B, gamma = xp.broadcast_arrays(eta_B, gamma)
        shape = eta_B.shape
        eta_B, gamma = xp.reshape(eta_B, (-1,)), xp.reshape(gamma, (-1,))
        (low, high), (first_gamma, last_gamma) = self.eta_B_range, self.gamma_range
        inside = (eta_B >= low * (1.0 - _SLACK)) & (eta_B <= high * (1.0 + _SLACK))
        inside = inside & (gamma >= first_gamma - _SLACK) & (gamma <= last_gamma + _SLACK)
        # what is outside is evaluated at a corner, and made NaN by the coefficient 1
        eta_B, gamma = xp.where(inside, eta_B, low), xp.where(inside, gamma, first_gamma)
        n_scale, n_gamma, rank = self.coefficients.shape
        points = xp.stack([0.5 * xp.log(eta_B), gamma])
        first, weights = _stencil(points, self._axes)
        place = (first[0, :] * float(n_gamma) + first[1, :])[:, None] + xp.asarray(_neighbours(n_gamma))
        flat = xp.asarray(self.coefficients.reshape(n_scale * n_gamma, rank))
        near = xp.take(flat, xp.reshape(xp.astype(place, xp.int64), (-1,)), axis=0)
        weight = xp.reshape(weights[0, :, :, None] * weights[1, :, None, :], (-1, 1, 16))
        varying = xp.matmul(weight, xp.reshape(near, (-1, 16, rank)))[:, 0, :]
        one = xp.where(inside, xp.ones_like(gamma), xp.nan)
        return shape, points[0, :], gamma, one, varying

    @cached_property
    def _axes(self) -> Floats:
        """Lowest and highest node and number of nodes, of ln sqrt(eta_B) and of gamma."""
        low, high = self.eta_B_range
        counts = self.coefficients.shape
        return np.array([[0.5 * np.log(low), 0.5 * np.log(high), counts[0]], [*self.gamma_range, counts[1]]])


def log_power_integral(gamma: Array, log_end: Array) -> Array:
    """Logarithm of the integral of R^(gamma + 1) dR from 1 GV to exp(log_end) [GV^(gamma + 2)]."""
    xp = namespace(gamma, log_end)
    # a power of exactly -1 would divide by zero; 1e-9 beside it the integral is the same to 1e-8
    exponent = (gamma + (2.0 + 1e-9)) * log_end
    return xp.log(log_end * xp.expm1(exponent) / exponent)


@lru_cache(maxsize=48)
def _basis(table: StellarTable, rigidity: bytes) -> Floats:
    """What 1, gamma, -1/s and c_j multiply, at given rigidities: shape ``(3 + rank, n_elements * n_rigidity)``."""
    points = np.frombuffer(rigidity, dtype=np.float64)
    spectra = _spectra_at(table, points)
    common = np.stack([np.log(points), points * np.exp(-table.log_top)])[:, None, :]
    common = np.broadcast_to(common, (2, *spectra.shape[1:]))
    rows = np.concatenate([spectra[:1], common, spectra[1:]])
    return rows.reshape(len(rows), -1)


@lru_cache(maxsize=16)
def _basis_of_pairs(table: StellarTable, elements: bytes, rigidity: bytes) -> Floats:
    """What a common logarithm, 1, gamma, -1/s and c_j multiply, for absolute spectra: shape ``(4 + rank, n_pairs)``."""
    chosen, points = np.frombuffer(elements, dtype=np.int64), np.frombuffer(rigidity, dtype=np.float64)
    distinct, place = np.unique(points, return_inverse=True)
    spectra = _spectra_at(table, distinct)[:, chosen, place.ravel()] - table.energy[:, None]
    spectra[0] += np.log(table.abundances)[chosen]
    common = np.stack([np.log(points), points * np.exp(-table.log_top)])
    return np.concatenate([np.ones((1, points.size)), spectra[:1], common, spectra[1:]])


def _spectra_at(table: StellarTable, rigidity: Floats) -> Floats:
    """m_Z and b_jZ at given rigidities [GV], shape ``(1 + rank, n_elements, n_rigidity)``."""
    spectra = np.concatenate([table.mean[None], table.basis])
    nodes, wanted = table.log_rigidity, np.log(rigidity)
    nearest = np.clip(np.rint((wanted - nodes[0]) / (nodes[1] - nodes[0])), 0, nodes.size - 1).astype(int)
    if np.allclose(wanted, nodes[nearest], rtol=0.0, atol=1e-12):
        return spectra[..., nearest]
    # beyond the nodes (injection begins at 1 GV) the cutoff is all that changes
    return np.asarray(CubicSpline(nodes, spectra, axis=-1)(np.clip(wanted, nodes[0], nodes[-1])))


@lru_cache
def _neighbours(row: int) -> Floats:
    """Positions of four by four neighbouring nodes, relative to the first, in a flat table of rows."""
    return (np.arange(4.0)[:, None] * row + np.arange(4.0)).ravel()


def _stencil(points: Array, axes: Floats) -> tuple[Array, Array]:
    """Where cubic polynomials through four neighbouring nodes are evaluated.

    Parameters
    ----------
    points : array
        Shape ``(2, n)``, within the nodes.
    axes : ndarray, shape (2, 3)
        Lowest and highest node, and their number, of both coordinates.

    Returns
    -------
    tuple of arrays
        First nodes, ``(2, n)``; weights of four nodes, ``(2, n, 4)``.
    """
    xp = namespace(points)
    low, high, count = (xp.asarray(column)[:, None] for column in axes.T)
    position = (points - low) * ((count - 1.0) / (high - low))
    first = xp.maximum(xp.minimum(xp.floor(position) - 1.0, count - 4.0), 0.0 * count)
    a = position - first
    b, c, d = a - 1.0, a - 2.0, a - 3.0
    ab, cd = a * b, c * d
    weights = xp.stack([b * cd * (-1 / 6), a * cd * 0.5, ab * d * -0.5, ab * c * (1 / 6)], axis=-1)
    return first, weights
