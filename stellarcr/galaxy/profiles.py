"""Radial distributions of sources in the Galactic disc."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from ..errors import ConfigError, nearest

SUN_RADIUS = 8.5
"""Galactocentric radius of the Sun [kpc] (arXiv:2605.31362)."""


@dataclass(frozen=True)
class SourceProfile:
    """Surface density of sources (r/8.5)^a exp(-b (r - 8.5)/8.5), r in kpc, up to a factor.

    Attributes
    ----------
    name : str
        Name in configurations.
    a, b : float
        Exponents; both zero for a uniform disc.
    source : str
        Where the numbers come from.
    """

    name: str
    a: float
    b: float
    source: str

    def __call__(self, radius: np.ndarray) -> np.ndarray:
        """Relative surface density at a galactocentric radius [kpc]; 1 at 8.5 kpc."""
        ratio = np.asarray(radius, dtype=float) / 8.5
        return ratio**self.a * np.exp(-self.b * (ratio - 1.0))


@dataclass(frozen=True, eq=False)
class TabulatedProfile:
    """Surface density of sources from a table, linear between its points and zero beyond the last.

    Attributes
    ----------
    name : str
        Name of the file.
    radius : numpy.ndarray
        Galactocentric radius [kpc], increasing.
    density : numpy.ndarray
        Relative surface density, not negative.
    source : str
        Where the numbers come from.
    """

    name: str
    radius: np.ndarray
    density: np.ndarray
    source: str

    def __call__(self, radius: np.ndarray) -> np.ndarray:
        """Relative surface density at a galactocentric radius [kpc]."""
        return np.interp(np.asarray(radius, dtype=float), self.radius, self.density, right=0.0)

    def __str__(self) -> str:
        content = np.concatenate([self.radius, self.density]).tobytes()
        return f"table {hashlib.sha256(content).hexdigest()}"


RadialProfile = SourceProfile | TabulatedProfile
"""A radial distribution of sources, named or from a table."""

PROFILES: Mapping[str, SourceProfile] = {
    p.name: p
    for p in (
        SourceProfile("trotta2011", 1.25, 3.56, "Trotta et al. 2011; used by arXiv:2605.31362"),
        SourceProfile("green2015", 1.09, 3.87, "Green 2015, supernova remnants"),
        SourceProfile("pulsars", 1.9, 5.0, "pulsars; project choice: the usual values, no paper was opened"),
        SourceProfile("uniform", 0.0, 0.0, "uniform disc, a limit for tests"),
    )
}
"""Named profiles."""


def source_profile(name: str | RadialProfile) -> RadialProfile:
    """Look up a named profile; what is a profile already comes back.

    Raises
    ------
    ConfigError
        If the name is unknown.
    """
    if isinstance(name, SourceProfile | TabulatedProfile):
        return name
    if name not in PROFILES:
        raise ConfigError(f"unknown source profile {name!r}", remedy=nearest(str(name), PROFILES))
    return PROFILES[name]


def disc_integral(profile: Callable[[np.ndarray], np.ndarray], radius: float, order: int = 400) -> float:
    """Integral of the profile over the disc, 2 pi r dr up to ``radius`` [kpc^2].

    Parameters
    ----------
    profile : callable
        Relative surface density against radius [kpc].
    radius : float
        Radius of the disc [kpc].
    order : int
        Gauss-Legendre nodes.
    """
    nodes, weights = np.polynomial.legendre.leggauss(order)
    r = 0.5 * radius * (nodes + 1.0)
    return float(np.sum(0.5 * radius * weights * 2.0 * np.pi * r * profile(r)))
