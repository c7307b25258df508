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
    """The function g(s) = sum_i weights_i / (poles_i + s), at one half-height of the halo.

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

    def derivative(self, s: Array) -> Array:
        """Derivative dg/ds, of the shape of ``s``."""
        xp = namespace(s)
        poles, weights = xp.asarray(self.poles), xp.asarray(self.weights)
        return -xp.sum(weights / (poles + s[..., None]) ** 2, axis=-1)


@dataclass(frozen=True, eq=False)
class BesselSeries:
    """All Bessel orders of the density at the Sun, for any half-height of the halo.

    Attributes
    ----------
    wavenumbers : numpy.ndarray
        k_i [1/kpc], not negative.
    weights : numpy.ndarray
        a_i [1/kpc^2] for a source rate of one particle per second in the whole disc; either sign.
    """

    wavenumbers: np.ndarray
    weights: np.ndarray

    def at(self, half_height: float) -> PoleSum:
        """The response g(s) for a half-height L [kpc]: poles 2 k coth(k L), 2/L for k = 0."""
        k = self.wavenumbers
        poles = np.where(k > 0, 2.0 * k / np.tanh(np.where(k > 0, k, 1.0) * half_height), 2.0 / half_height)
        return PoleSum(poles, self.weights)


def cylinder_series(
    profile: Callable[[np.ndarray], np.ndarray], radius: float = 20.0, sun: float = 8.5, terms: int = 500
) -> BesselSeries:
    """Bessel series for a radial source profile.

    Parameters
    ----------
    profile : callable
        Relative surface density of sources against radius [kpc].
    radius : float
        Radius of cylinder and disc [kpc].
    sun : float
        Galactocentric radius of the Sun [kpc].
    terms : int
        Bessel orders; 500 give 4e-6 for the default profile.
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
    return BesselSeries(k, surface * j0(k * sun))


def slab_series(profile: Callable[[np.ndarray], np.ndarray], radius: float = 20.0, sun: float = 8.5) -> BesselSeries:
    """One-dimensional slab with the source density of the Sun's place: (2 D / L + 2 h Gamma) N = 2 h q(r0).

    Parameters are those of `cylinder_series`.
    """
    local = float(profile(np.asarray(sun))) / disc_integral(profile, radius)
    return BesselSeries(np.array([0.0]), np.array([local]))
