"""A nearby burst: the Green's function of diffusion in an infinite medium."""

from __future__ import annotations

import math

from ..backend import Array, namespace


def burst_density(diffusion: Array, distance: Array, age: Array) -> Array:
    """Density per released particle at a distance from a burst.

    (4 pi D t)^(-3/2) exp(-d^2 / (4 D t)), no losses. Source: arXiv:2605.31362; the heat kernel.

    Parameters
    ----------
    diffusion : array
        D [kpc^2/yr].
    distance : array or float
        d [kpc].
    age : array or float
        t [yr].

    Returns
    -------
    array
        Density [1/kpc^3].
    """
    xp = namespace(diffusion, distance, age)
    spread = 4.0 * diffusion * age
    return xp.exp(-(distance**2) / spread) / (math.pi * spread) ** 1.5
