"""The Galaxy: how injected particles become a density at the Sun."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from ..backend import Array, namespace
from ..constants import KILOPARSEC, MILLIBARN, SPEED_OF_LIGHT, YEAR
from ..errors import ConfigError
from ..populations.base import ParameterInfo, Population
from ..species import Nuclide
from .cylinder import PoleSum, cylinder_response, reduce_poles, slab_response
from .diffusion import diffusion_coefficient
from .inelastic import HELIUM_TO_HYDROGEN_AREA, inelastic_cross_section
from .nearby import nearby_transfer
from .profiles import SUN_RADIUS, source_profile

CM2_PER_KPC2 = (KILOPARSEC * 100.0) ** 2
CM_PER_KPC = KILOPARSEC * 100.0

PROPAGATION_LABELS: Mapping[str, tuple[str, str]] = {
    "D0": ("cm2/s", r"D_0"),
    "delta": ("", r"\delta"),
    "R_h": ("GV", r"R_{\rm h}"),
    "delta_h": ("", r"\delta_{\rm h}"),
    "eta": ("", r"\eta"),
}


@dataclass(frozen=True)
class Galaxy:
    """Geometry, gas and diffusion of the Galaxy.

    Attributes
    ----------
    name : str
        Name of the preset.
    D0 : float
        Diffusion coefficient at 4 GV [cm^2/s].
    delta : float
        Slope of D below the break.
    delta_h : float
        Slope of D above the break.
    R_h : float
        Rigidity of the break [GV].
    eta : float
        Power of beta in D.
    smoothness : float
        Width of the break in ln R; 0 is sharp.
    half_height : float
        Half-height of the halo [kpc].
    radius : float
        Radius of the halo [kpc].
    sun : float
        The Sun's galactocentric radius [kpc].
    hydrogen_column : float
        Hydrogen atoms through the whole disc [1/cm^2]: 2 h n.
    helium_fraction : float
        Helium to hydrogen by number in the gas.
    profile : str
        Name of the radial source profile.
    geometry : {"cylinder", "slab"}
        Two-dimensional solution, or one slab with the local source density.
    sources : mapping
        Where each number comes from.
    """

    name: str
    D0: float
    delta: float
    R_h: float
    delta_h: float
    eta: float
    half_height: float
    hydrogen_column: float
    smoothness: float = 0.0
    radius: float = 20.0
    sun: float = SUN_RADIUS
    helium_fraction: float = 0.1
    profile: str = "trotta2011"
    geometry: Literal["cylinder", "slab"] = "cylinder"
    sources: Mapping[str, str] | None = None

    def __post_init__(self) -> None:
        where = f"galaxy preset {self.name!r}"
        for key in ("name", "profile", "geometry"):
            if not isinstance(getattr(self, key), str):
                raise ConfigError(
                    f"galaxy.{key} = {getattr(self, key)!r} must be text", where=where, remedy=f"put {key} in quotes"
                )
        if self.sources is not None and not isinstance(self.sources, Mapping):
            raise ConfigError(
                f"galaxy.sources = {self.sources!r} must be a table",
                where=where,
                remedy='say of each number where it comes from: [sources] D0 = "..."',
            )
        for key in ("D0", "R_h", "half_height", "hydrogen_column", "radius", "sun"):
            value = getattr(self, key)
            if not (np.isfinite(value) and value > 0):
                raise ConfigError(
                    f"galaxy.{key} = {value!r} must be a positive number",
                    where=where,
                    remedy=f"give {key} a positive value",
                )
        for key in ("delta", "delta_h", "eta"):
            if not np.isfinite(getattr(self, key)):
                raise ConfigError(
                    f"galaxy.{key} = {getattr(self, key)!r} must be finite", where=where, remedy=f"give {key} a number"
                )
        for key, usual in (("smoothness", "0 for a sharp break"), ("helium_fraction", "0.1 for the usual gas")):
            value = getattr(self, key)
            if not (np.isfinite(value) and value >= 0):
                raise ConfigError(
                    f"galaxy.{key} = {value!r} must be a number that is not negative",
                    where=where,
                    remedy=f"use {usual}",
                )
        if self.geometry not in ("cylinder", "slab"):
            raise ConfigError(
                f"galaxy.geometry = {self.geometry!r} is unknown",
                where=where,
                remedy="use 'cylinder' or 'slab'",
            )
        if self.sun >= self.radius:
            raise ConfigError(
                f"galaxy.sun = {self.sun} kpc lies outside galaxy.radius = {self.radius} kpc",
                where=where,
                remedy="give the Sun a radius inside the cylinder",
            )
        source_profile(self.profile)

    @property
    def parameters(self) -> tuple[ParameterInfo, ...]:
        """Propagation parameters that may be free."""
        sources = self.sources or {}
        return tuple(
            ParameterInfo(key, float(getattr(self, key)), unit, label, sources.get(key, f"preset {self.name}"))
            for key, (unit, label) in PROPAGATION_LABELS.items()
        )

    @cached_property
    def response(self) -> PoleSum:
        """The geometry's scalar function g(s), all Bessel orders."""
        profile = source_profile(self.profile)
        build = cylinder_response if self.geometry == "cylinder" else slab_response
        return build(profile, self.half_height, self.radius, self.sun)

    @cached_property
    def reduced_response(self) -> PoleSum:
        """The same with few poles, for use inside a fit with free propagation."""
        return self.response if self.geometry == "slab" else reduce_poles(self.response)

    def diffusion(self, rigidity: Array, beta: Array, parameters: Mapping[str, Array]) -> Array:
        """Diffusion coefficient [kpc^2/s]; parameters given override the preset.

        Parameters
        ----------
        rigidity, beta : array
            Rigidity [GV] and velocity over c.
        parameters : mapping
            Any of D0 [cm^2/s], delta, R_h [GV], delta_h, eta, broadcastable with the rigidity.
        """
        value = {key: parameters.get(key, getattr(self, key)) for key in PROPAGATION_LABELS}
        return diffusion_coefficient(
            rigidity,
            beta,
            value["D0"] / CM2_PER_KPC2,
            value["delta"],
            value["R_h"],
            value["delta_h"],
            value["eta"],
            self.smoothness,
        )

    def grammage_rate(self, nuclide: Nuclide, rigidity: Array) -> Array:
        """2 h Gamma [kpc/s]: velocity times inelastic cross section times gas column of the whole disc.

        Parameters
        ----------
        nuclide : Nuclide
            The nucleus that is destroyed.
        rigidity : array
            Rigidity [GV].
        """
        xp = namespace(rigidity)
        momentum = nuclide.charge * rigidity
        energy = xp.sqrt(momentum**2 + nuclide.mass**2)
        per_nucleon = (energy - nuclide.mass) / nuclide.mass_number
        area = inelastic_cross_section(nuclide, per_nucleon) * MILLIBARN
        area = area * (1.0 + self.helium_fraction * HELIUM_TO_HYDROGEN_AREA)
        velocity = SPEED_OF_LIGHT * 100.0 * momentum / energy
        return velocity * area * self.hydrogen_column / CM_PER_KPC

    def transfer(
        self,
        population: Population,
        nuclide: Nuclide,
        rigidity: Array,
        propagation: Mapping[str, Array] | None = None,
        source: Mapping[str, Array] | None = None,
        reduced: bool = False,
    ) -> Array:
        """Density at the Sun per unit injection.

        Parameters
        ----------
        population : Population
            Decides between the disc and a nearby burst.
        nuclide : Nuclide
            The nucleus.
        rigidity : array
            Rigidity [GV], shape ``(n_rigidity,)``.
        propagation : mapping, optional
            Propagation parameters of shape ``(..., 1)`` that replace the preset's.
        source : mapping, optional
            Parameters of a nearby source, `stellarcr.populations.release.SOURCE_PARAMETERS`, numbers or shape
            ``(..., 1)``.
        reduced : bool
            Use the few-pole form.

        Returns
        -------
        array
            Disc: density [1/m^3] per particle per second in the Galaxy. Burst: density [1/m^3] per particle.
        """
        xp = namespace(rigidity)
        momentum = nuclide.charge * rigidity
        beta = momentum / xp.sqrt(momentum**2 + nuclide.mass**2)
        diffusion = self.diffusion(rigidity, beta, propagation or {})
        if population.place == "nearby":
            release = population.release
            gas = release is not None and release.gas
            # from the column of the whole disc to one hydrogen atom per cm3, from 1/s to 1/yr
            per_atom = CM_PER_KPC / self.hydrogen_column * YEAR
            rate = self.grammage_rate(nuclide, rigidity) * per_atom if gas else None
            density = nearby_transfer(
                release, diffusion * YEAR, source or {}, self.half_height, rate, where=population.name
            )
        else:
            g = self.reduced_response if reduced else self.response
            density = g(self.grammage_rate(nuclide, rigidity) / diffusion) / diffusion
        return density / KILOPARSEC**3
