"""The Galaxy: how injected particles become a density at the Sun."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Literal

import numpy as np

from ..backend import Array, namespace
from ..constants import KILOPARSEC, MILLIBARN, SPEED_OF_LIGHT, YEAR
from ..populations.base import ParameterInfo, Population
from ..species import Nuclide
from .checks import check_galaxy
from .cylinder import BesselSeries, PoleSum, cylinder_series, slab_series
from .diffusion import diffusion_coefficient
from .inelastic import HELIUM_TO_HYDROGEN_AREA, inelastic_cross_section
from .nearby import nearby_transfer
from .network import NetworkTables, steady_state
from .nuclear import NuclearNetwork
from .profiles import SUN_RADIUS, RadialProfile, source_profile
from .reduction import Slabs, escape_coefficient, reduce_to_slabs

CM2_PER_KPC2 = (KILOPARSEC * 100.0) ** 2
CM_PER_KPC = KILOPARSEC * 100.0

PROPAGATION_LABELS: Mapping[str, tuple[str, str]] = {
    "D0": ("cm2/s", r"D_0"),
    "delta": ("", r"\delta"),
    "R_h": ("GV", r"R_{\rm h}"),
    "delta_h": ("", r"\delta_{\rm h}"),
    "eta": ("", r"\eta"),
    "half_height": ("kpc", "L"),
    "hydrogen_column": ("1/cm2", r"N_{\rm H}"),
}

FREE_HEIGHTS = (0.5, 20.0)
"""Half-heights [kpc] between which the halo may be a free parameter."""


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
    profile : str or RadialProfile
        Radial source profile of populations that have none of their own.
    geometry : {"cylinder", "slab"}
        Two-dimensional solution, or one slab with the local source density.
    production : str
        Set of production cross sections, ``"none"`` for destruction alone; with a set, ``network`` holds its tables.
    inelastic : str
        Set of total inelastic cross sections of the network.
    network : NuclearNetwork, optional
        Nuclides and cross sections that go with ``production``.
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
    profile: str | RadialProfile = "trotta2011"
    geometry: Literal["cylinder", "slab"] = "cylinder"
    production: str = "none"
    inelastic: str = "letaw1983"
    network: NuclearNetwork | None = None
    sources: Mapping[str, str] | None = None

    def __post_init__(self) -> None:
        check_galaxy(self)

    @property
    def parameters(self) -> tuple[ParameterInfo, ...]:
        """Propagation parameters that may be free."""
        sources = self.sources or {}
        limits = {"half_height": FREE_HEIGHTS}
        geometry = tuple(
            ParameterInfo(
                key, float(getattr(self, key)), unit, label, sources.get(key, f"preset {self.name}"), limits.get(key)
            )
            for key, (unit, label) in PROPAGATION_LABELS.items()
        )
        if self.network is None:
            return geometry
        factor = "factor on the tables; 1 by definition"
        made = dict.fromkeys(self.network.nuclides[k].symbol for k in self.network.fragment)
        return (
            *geometry,
            ParameterInfo("destruction", 1.0, "", r"f_{\rm inel}", factor, (0.0, np.inf)),
            *(
                ParameterInfo(f"production.{e}", 1.0, "", rf"f_{{\to {{\rm {e}}}}}", factor, (0.0, np.inf))
                for e in reversed(made)
            ),
        )

    def series(self, profile: str | RadialProfile | None = None) -> BesselSeries:
        """All Bessel orders of a source profile, the Galaxy's own by default, for any half-height."""
        return _series(source_profile(profile or self.profile), self.geometry, self.radius, self.sun)

    @property
    def response(self) -> PoleSum:
        """The scalar function g(s) of geometry and default profile, all Bessel orders."""
        return self.series().at(self.half_height)

    def slabs(
        self,
        profiles: Sequence[str | RadialProfile] = (),
        half_height: Array | None = None,
        tolerance: float = 1e-6,
    ) -> Slabs:
        """Geometry and source profiles as a few slabs.

        Parameters
        ----------
        profiles : sequence
            Source profiles; the Galaxy's own by default.
        half_height : array or float, optional
            The halo's half-height [kpc], the preset's by default. For an array the slabs serve all of `FREE_HEIGHTS`,
            with an error of at most 1e-4 whatever the tolerance.
        tolerance : float
            Largest relative error.
        """
        chosen = tuple(source_profile(p) for p in profiles or (self.profile,))
        if getattr(half_height, "ndim", 0):
            return _slabs(chosen, self.geometry, self.radius, self.sun, FREE_HEIGHTS, max(tolerance, 1e-4))
        height = float(self.half_height if half_height is None else half_height)
        return _slabs(chosen, self.geometry, self.radius, self.sun, (height, height), tolerance)

    def profile_of(self, population: Population) -> RadialProfile:
        """Source profile of a population: its own, or the Galaxy's."""
        return source_profile(population.profile or self.profile)  # type: ignore[arg-type]

    def diffusion(self, rigidity: Array, beta: Array, parameters: Mapping[str, Array]) -> Array:
        """Diffusion coefficient [kpc^2/s]; parameters given override the preset.

        Parameters
        ----------
        rigidity, beta : array
            Rigidity [GV] and velocity over c.
        parameters : mapping
            Any of D0 [cm^2/s], delta, R_h [GV], delta_h, eta, broadcastable with the rigidity.
        """
        names = ("D0", "delta", "R_h", "delta_h", "eta")
        value = {key: parameters.get(key, getattr(self, key)) for key in names}
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
        position = self._position(nuclide)
        if self.network is not None and position >= 0:
            area = self.network.destruction_of(position, per_nucleon) * MILLIBARN
        else:
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
        if population.place != "nearby":
            return self.disc_transfer(self.profile_of(population), nuclide, rigidity, propagation, reduced)
        _, diffusion = self._motion(nuclide, rigidity, propagation or {})
        release = population.release
        gas = release is not None and release.gas
        # from the column of the whole disc to one hydrogen atom per cm3, from 1/s to 1/yr
        per_atom = CM_PER_KPC / self.hydrogen_column * YEAR * (propagation or {}).get("destruction", 1.0)
        rate = self.grammage_rate(nuclide, rigidity) * per_atom if gas else None
        density = nearby_transfer(
            release,
            diffusion * YEAR,
            source or {},
            (propagation or {}).get("half_height", self.half_height),
            rate,
            where=population.name,
        )
        return density / KILOPARSEC**3

    def _motion(self, nuclide: Nuclide, rigidity: Array, given: Mapping[str, Array]) -> tuple[Array, Array]:
        """Velocity over c, and D [kpc^2/s]."""
        xp = namespace(rigidity)
        momentum = nuclide.charge * rigidity
        beta = momentum / xp.sqrt(momentum**2 + nuclide.mass**2)
        return beta, self.diffusion(rigidity, beta, given)

    def disc_transfer(
        self,
        profile: RadialProfile,
        nuclide: Nuclide,
        rigidity: Array,
        propagation: Mapping[str, Array] | None = None,
        reduced: bool = False,
    ) -> Array:
        """Density at the Sun per injection in the disc, without what turns into the nuclide.

        Parameters
        ----------
        profile : RadialProfile
            Where the sources are.
        nuclide, rigidity, propagation, reduced
            As for `transfer`.

        Returns
        -------
        array
            Density [1/m^3] per particle per second in the Galaxy.
        """
        given = propagation or {}
        _, diffusion = self._motion(nuclide, rigidity, given)
        xp = namespace(diffusion)
        gas = given.get("hydrogen_column", self.hydrogen_column) / self.hydrogen_column * given.get("destruction", 1.0)
        rate = self.grammage_rate(nuclide, rigidity) * gas / diffusion
        height = given.get("half_height", self.half_height)
        decay = self._decay_rate(nuclide, rigidity)
        if decay is not None:
            slabs = self.slabs((profile,), height)
            kappa = xp.sqrt(xp.asarray(slabs.wavenumbers) ** 2 + (decay / diffusion)[..., None])
            tall = height[..., None] if getattr(height, "ndim", 0) else height
            g = xp.sum(xp.asarray(slabs.weights[0]) / (escape_coefficient(kappa, tall) + rate[..., None]), axis=-1)
        elif reduced or getattr(height, "ndim", 0) > 0:
            g = self.slabs((profile,), height).response(rate, height)
        else:
            g = self.series(profile).at(height)(rate)
        return g / diffusion / KILOPARSEC**3

    def _position(self, nuclide: Nuclide) -> int:
        """Where a nuclide stands in the network, -1 without one or if it is no member."""
        return -1 if self.network is None else self.network.positions.get(nuclide.name, -1)

    def _decay_rate(self, nuclide: Nuclide, rigidity: Array) -> Array | None:
        """1 / (gamma tau) [1/s] of a nuclide that decays in flight; None of others."""
        position = self._position(nuclide)
        if self.network is None or position < 0 or not np.isfinite(self.network.half_life[position]):
            return None
        xp = namespace(rigidity)
        # gamma from the momentum: 1 - beta^2 is lost in rounding at high energies
        gamma = xp.sqrt(1.0 + (nuclide.charge * rigidity / nuclide.mass) ** 2)
        return float(np.log(2.0) / (self.network.half_life[position] * YEAR)) / gamma

    def arrivals(
        self,
        tables: NetworkTables,
        sources: Mapping[RadialProfile, Array],
        propagation: Mapping[str, Array] | None = None,
        tolerance: float = 1e-5,
        rows: Sequence[int] | None = None,
        made: bool = False,
    ) -> Array:
        """Densities of nuclides at the Sun, fragments included.

        Parameters
        ----------
        tables : NetworkTables
            The network at the energies that are wanted.
        sources : mapping
            Source profile to injected spectra of the whole disc at the nuclides' rigidities [1/(GV s)],
            ``(n_nuclides, n_energy, n)``.
        propagation : mapping, optional
            Propagation parameters that replace the preset's, numbers or ``(n,)``.
        tolerance : float
            Relative error of the reduction to slabs.
        rows, made
            As for `steady_state`: which nuclides, and whether without those injected as such.

        Returns
        -------
        array
            Density [1/(m^3 GV)], ``(n_rows, n_energy, n)``.
        """
        given = propagation or {}
        height = given.get("half_height", self.half_height)
        slabs = self.slabs(tuple(sources), height, tolerance)
        xp = namespace(*sources.values(), *given.values())
        rigidity, beta = xp.asarray(tables.rigidity)[:, :, None], xp.asarray(tables.beta)[:, :, None]
        density = steady_state(
            tables,
            slabs.wavenumbers,
            list(zip(slabs.weights, sources.values(), strict=True)),
            self.diffusion(rigidity, beta, given),
            height,
            given.get("hydrogen_column", self.hydrogen_column),
            given.get("destruction", 1.0),
            {key.partition(".")[2]: value for key, value in given.items() if key.startswith("production.")},
            rows,
            made,
        )
        return density / KILOPARSEC**3


@cache
def _series(profile: RadialProfile, geometry: str, radius: float, sun: float) -> BesselSeries:
    build = cylinder_series if geometry == "cylinder" else slab_series
    return build(profile, radius, sun)


@lru_cache(maxsize=256)
def _slabs(
    profiles: tuple[RadialProfile, ...],
    geometry: str,
    radius: float,
    sun: float,
    heights: tuple[float, float],
    tolerance: float,
) -> Slabs:
    return reduce_to_slabs([_series(p, geometry, radius, sun) for p in profiles], heights, tolerance)
