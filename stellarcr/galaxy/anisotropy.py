"""Anisotropy: the dipole that the gradient of the density of diffusing particles makes.

Fick's law gives a flux D |grad N|, and with it an intensity 1 + delta cos(angle) with

    delta = 3 D / v |grad N| / N ,

strongest in the direction in which the density rises. Of a burst alone in the sky it is 3 d / (2 v t), whatever the
diffusion coefficient: the exponent of the heat kernel falls by d / (2 D t) per distance, with and without a boundary
above and below the plane.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.special import j0, j1

from ..backend import Array, namespace
from ..constants import KILOPARSEC, YEAR
from ..populations.base import Population
from ..species import Nuclide
from .galaxy import Galaxy
from .nearby import LIGHT_SPEED, nearby_gradient, nearby_transfer


def dipole(diffusion: Array, beta: Array, relative_gradient: Array) -> Array:
    """Dipole amplitude 3 D / v |grad N| / N.

    Parameters
    ----------
    diffusion : array
        D [kpc^2/yr].
    beta : array
        v / c.
    relative_gradient : array
        Gradient over density [1/kpc]; its sign is kept.

    Returns
    -------
    array
        Amplitude. Diffusion holds where it is well below 1.
    """
    return 3.0 * diffusion / (beta * LIGHT_SPEED) * relative_gradient


def burst_dipole(distance: Array, age: Array, beta: Array = 1.0) -> Array:
    """Dipole amplitude of a burst alone in the sky, 3 d / (2 v t).

    Parameters
    ----------
    distance : array or float
        d [kpc].
    age : array or float
        t [yr].
    beta : array or float
        v / c.
    """
    return 1.5 * distance / (beta * LIGHT_SPEED * age)


def nearby_dipole(
    galaxy: Galaxy,
    population: Population,
    nuclide: Nuclide,
    rigidity: Array,
    source: Mapping[str, Array],
    propagation: Mapping[str, Array] | None = None,
) -> Array:
    """Dipole amplitude of a nearby population alone in the sky, towards the source.

    Parameters
    ----------
    galaxy : Galaxy
        Diffusion, boundary and gas.
    population : Population
        A nearby one.
    nuclide : Nuclide
        The nucleus.
    rigidity : array
        Rigidity [GV], ``(n_rigidity,)``.
    source : mapping
        ``age`` [yr], ``distance`` [kpc], and what else the population's release needs; numbers or ``(..., 1)``.
    propagation : mapping, optional
        Propagation parameters that replace the preset's, numbers or ``(..., 1)``.

    Returns
    -------
    array
        Amplitude, zero where the source is not seen.

    Raises
    ------
    ParameterError
        If not even light has arrived.
    """
    xp = namespace(rigidity)
    given = propagation or {}
    momentum = nuclide.charge * rigidity
    beta = momentum / xp.sqrt(momentum**2 + nuclide.mass**2)
    diffusion = galaxy.diffusion(rigidity, beta, given) * YEAR
    height = given.get("half_height", galaxy.half_height)
    # from the column of the whole disc to one hydrogen atom per cm3, from 1/s to 1/yr
    per_atom = KILOPARSEC * 100.0 / galaxy.hydrogen_column * YEAR * given.get("destruction", 1.0)
    rate = galaxy.grammage_rate(nuclide, rigidity) * per_atom
    density = nearby_transfer(population.release, diffusion, source, height, rate, where=population.name)
    gradient = nearby_gradient(population.release, diffusion, source, height, rate)
    seen = density > 0
    relative = gradient / xp.where(seen, density, xp.ones_like(density))
    return dipole(diffusion, beta, xp.where(seen, relative, xp.zeros_like(density)))


def ensemble_slope(
    s: np.ndarray, wavenumbers: np.ndarray, weights: np.ndarray, half_height: float, sun: float
) -> np.ndarray:
    """How fast the density of sources all over the disc changes with galactocentric radius: (dN/dr) / N at the Sun.

    Each Bessel order of `stellarcr.galaxy.cylinder` goes with J0(k r), whose derivative is -k J1(k r). The gradient's
    series converges more slowly than the density's by one power of k.

    Parameters
    ----------
    s : ndarray
        2 h Gamma / D [1/kpc].
    wavenumbers : ndarray
        k_i [1/kpc], ``(n_orders,)``, positive.
    weights : ndarray
        Surface density of sources per order, 2 h q_i, in any unit: the series' weights without their J0(k_i r0).
    half_height : float
        Half-height of the halo [kpc].
    sun : float
        Galactocentric radius of the Sun [kpc].

    Returns
    -------
    ndarray
        Relative gradient [1/kpc] of the shape of ``s``; negative where the density falls outwards.
    """
    k = np.asarray(wavenumbers)
    orders = weights / (2.0 * k / np.tanh(k * half_height) + np.asarray(s)[..., None])
    return -np.sum(orders * k * j1(k * sun), axis=-1) / np.sum(orders * j0(k * sun), axis=-1)


def vector_sum(amplitudes: np.ndarray, longitudes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Add dipoles in the Galactic plane.

    Parameters
    ----------
    amplitudes : ndarray
        ``(n, ...)``, each over the same total flux.
    longitudes : ndarray
        Galactic longitudes [deg], ``(n,)``.

    Returns
    -------
    amplitude : ndarray
    phase : ndarray
        Galactic longitude of the maximum [deg], 0 to 360.
    """
    towards = np.exp(1j * np.deg2rad(np.asarray(longitudes)))
    total = np.tensordot(towards, np.asarray(amplitudes), axes=1)
    return np.abs(total), np.rad2deg(np.angle(total)) % 360.0
