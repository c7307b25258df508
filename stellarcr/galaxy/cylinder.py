"""Steady-state diffusion in a cylinder with a thin disc of gas and sources.

Per Bessel order i, with k_i = zeta_i / R_gal and halo half-height L,

    (2 k_i coth(k_i L) D + 2 h Gamma) N_i = 2 h q_i ,      N(r) = sum_i J0(k_i r) N_i .

Dividing by D leaves one scalar function of s = 2 h Gamma / D [1/kpc] for the whole geometry,

    N(r0) = g(s) / D ,      g(s) = sum_i a_i / (lambda_i + s) ,

with lambda_i = 2 k_i coth(k_i L) and a_i = 2 h q_i J0(k_i r0), here for a source rate of one particle per second in
the whole disc. The geometry is that of Qiu, Lin & Yang (arXiv:2605.31362).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import j0, j1, jn_zeros

from ..backend import Array, namespace
from .profiles import disc_integral


@dataclass(frozen=True)
class PoleSum:
    """The function g(s) = sum_i weights_i / (poles_i + s).

    Attributes
    ----------
    poles : numpy.ndarray
        lambda_i [1/kpc], positive.
    weights : numpy.ndarray
        a_i [1/kpc^2] per unit source rate; some are negative.
    """

    poles: np.ndarray
    weights: np.ndarray

    def __call__(self, s: Array) -> Array:
        """Evaluate g at s = 2 h Gamma / D [1/kpc]; returns [1/kpc] of the shape of ``s``."""
        xp = namespace(s)
        poles, weights = xp.asarray(self.poles), xp.asarray(self.weights)
        return xp.sum(weights / (poles + s[..., None]), axis=-1)


def cylinder_response(
    profile: Callable[[np.ndarray], np.ndarray],
    half_height: float,
    radius: float = 20.0,
    sun: float = 8.5,
    terms: int = 500,
) -> PoleSum:
    """Bessel series of the density at the Sun for a unit source rate in the whole disc.

    Parameters
    ----------
    profile : callable
        Relative surface density of sources against radius [kpc].
    half_height : float
        Halo half-height L [kpc].
    radius : float
        Radius of cylinder and disc [kpc].
    sun : float
        Galactocentric radius of the Sun [kpc].
    terms : int
        Bessel orders; 500 give 4e-6 for the default profile.

    Returns
    -------
    PoleSum
        One pole per Bessel order.
    """
    zeros = jn_zeros(0, terms)
    k = zeros / radius
    # panels of ten Gauss-Legendre nodes, each no wider than half an oscillation of the fastest Bessel function
    nodes, quadrature = np.polynomial.legendre.leggauss(10)
    edges = np.linspace(0.0, radius, terms + 1)
    half_width = 0.5 * (edges[1] - edges[0])
    r = (0.5 * (edges[1:] + edges[:-1])[:, None] + half_width * nodes).ravel()
    weighted = np.tile(half_width * quadrature, terms) * r * profile(r)
    moments = np.array([np.sum(weighted * j0(k_i * r)) for k_i in k])
    surface = 2.0 * moments / (radius**2 * j1(zeros) ** 2) / disc_integral(profile, radius)
    return PoleSum(2.0 * k / np.tanh(k * half_height), surface * j0(k * sun))


def slab_response(
    profile: Callable[[np.ndarray], np.ndarray], half_height: float, radius: float = 20.0, sun: float = 8.5
) -> PoleSum:
    """One-dimensional slab with the source density of the Sun's place: (2 D / L + 2 h Gamma) N = 2 h q(r0).

    Parameters are those of `cylinder_response`.
    """
    local = float(profile(np.asarray(sun))) / disc_integral(profile, radius)
    return PoleSum(np.array([2.0 / half_height]), np.array([local]))


def reduce_poles(full: PoleSum, count: int = 16, smallest: float = 1e-5, largest: float = 1e2) -> PoleSum:
    """Represent g(s) by few real poles, so that the whole cylinder costs a handful of divisions.

    The poles are spaced evenly in their logarithm over the range of the series' own; the weights follow from least
    squares of the relative error over ``s`` (zero included).

    Parameters
    ----------
    full : PoleSum
        The Bessel series.
    count : int
        Number of poles.
    smallest, largest : float
        Range of s [1/kpc] in which the reduction is made.

    Returns
    -------
    PoleSum
        The reduced function; `tests/galaxy` measures its error.
    """
    s = np.concatenate([[0.0], np.geomspace(smallest, largest, 400)])
    target = full(s)
    poles = np.geomspace(full.poles[0], max(full.poles[0] * 10.0, 4.0 * largest), count)
    matrix = 1.0 / (poles + s[:, None]) / target[:, None]
    weights, *_ = np.linalg.lstsq(matrix, np.ones_like(s), rcond=1e-14)
    return PoleSum(poles, weights)
