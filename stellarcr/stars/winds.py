"""What a star's surface says of its wind: phase, Eddington factor, escape speeds.

Units: mass [Msun], luminosity [Lsun], effective temperature [K], radius [Rsun], mass-loss rate [Msun/yr],
speed [km/s], mass fractions. Arrays of shapes that broadcast. For terminal velocities see `stellarcr.stars.terminal`.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import IntEnum
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..constants import (
    ELECTRON_SCATTERING_OPACITY,
    GRAVITATIONAL_CONSTANT,
    SOLAR_LUMINOSITY,
    SOLAR_MASS,
    SOLAR_RADIUS,
    SPEED_OF_LIGHT,
    YEAR,
)
from ..errors import ModelError, ParameterError, nearest
from .tracks import Track

Floats = NDArray[np.float64]

HOT_WIND_TEMPERATURE = 1.1e4
"""Effective temperature above which a wind is of phase O or WN [K] (Qiu, Lin & Yang, arXiv:2605.31362)."""

O_HYDROGEN = 0.4
"""Surface hydrogen mass fraction above which a hot wind is of phase O (Qiu, Lin & Yang, arXiv:2605.31362)."""

WC_HYDROGEN = 0.01
"""Surface hydrogen mass fraction below which a star counts as free of hydrogen.

`project choice`: the fraction falls through this value within few track rows, so its exact place matters little.
"""

WR_POPULATION_HYDROGEN = 0.1
"""Surface hydrogen mass fraction below which what a star injects belongs to the WR population (arXiv:2605.31362)."""

SOLAR_METALS = {"MIST": 0.0142, "GENEC": 0.014}
"""Metal mass fraction of the Sun by family of tracks, to which the metals of a surface are compared."""

LARGEST_EDDINGTON_FACTOR = 0.99
"""Value to which Gamma_e is clipped.

`project choice`: the escape speed stays above a tenth of sqrt(2 G M / R); electron scattering alone brings no star
of the grids that we know near it, so that a clipped row is a sign of a wrong one.
"""

_ESCAPE_SPEED = np.sqrt(2.0 * GRAVITATIONAL_CONSTANT * SOLAR_MASS / SOLAR_RADIUS) / 1e3
_MECHANICAL_LUMINOSITY = 0.5 * SOLAR_MASS / YEAR * 1e6 * 1e7


class WindPhase(IntEnum):
    """Phases of the wind, by which its terminal velocity is found."""

    O = 0  # noqa: E741 - the name of the spectral class
    WN = 1
    WC = 2
    RSG = 3


class SourcePopulation(IntEnum):
    """Populations of cosmic-ray sources between which the injection of one star is split."""

    O_TYPE = 0
    WR = 1


@dataclass(frozen=True)
class StellarSurface:
    """The surfaces of stars: what the phase and the speed of a wind depend on.

    All arrays are broadcast to one shape.

    Attributes
    ----------
    mass : array
        Mass at that age [Msun].
    luminosity : array
        Bolometric [Lsun].
    effective_temperature : array
        [K].
    radius : array
        Radius of the hydrostatic star [Rsun].
    hydrogen, helium, metals, carbon12, nitrogen14 : array
        Surface mass fractions; `metals` is the sum of all that is neither hydrogen nor helium.
    solar_metals : float
        Metal mass fraction of the Sun for the grid: 0.0142 (MIST), 0.014 (GENEC).

    Raises
    ------
    ModelError
        If a value is not finite or outside its range; names the field, the value and its place.
    """

    mass: Floats
    luminosity: Floats
    effective_temperature: Floats
    radius: Floats
    hydrogen: Floats
    helium: Floats
    metals: Floats
    carbon12: Floats
    nitrogen14: Floats
    solar_metals: float

    def __post_init__(self) -> None:
        names = [field.name for field in fields(self) if field.name != "solar_metals"]
        given = [np.asarray(getattr(self, name), dtype=np.float64) for name in names]
        try:
            arrays = np.broadcast_arrays(*given)
        except ValueError:
            shapes = ", ".join(f"{name} {values.shape}" for name, values in zip(names, given, strict=True))
            raise ModelError(f"shapes of a stellar surface do not broadcast: {shapes}") from None
        for name, values in zip(names, arrays, strict=True):
            if name in ("mass", "luminosity", "effective_temperature", "radius"):
                check_rows(name, values, np.isfinite(values) & (values > 0.0), "finite and above zero")
            else:
                # interpolation and printed digits leave fractions a little outside
                check_rows(name, values, (values > -1e-6) & (values < 1.0 + 1e-6), "a mass fraction from 0 to 1")
            object.__setattr__(self, name, values)
        if not 0.0 < self.solar_metals < 1.0:
            raise ModelError(
                f"solar_metals = {self.solar_metals!r} is not a mass fraction",
                remedy="0.0142 for MIST, 0.014 for GENEC",
            )

    @cached_property
    def eddington_factor(self) -> Floats:
        """Gamma_e, clipped to `LARGEST_EDDINGTON_FACTOR`."""
        return np.minimum(eddington_factor(self.mass, self.luminosity, self.hydrogen), LARGEST_EDDINGTON_FACTOR)

    @cached_property
    def clipped(self) -> NDArray[np.bool_]:
        """Where Gamma_e was clipped."""
        return eddington_factor(self.mass, self.luminosity, self.hydrogen) > LARGEST_EDDINGTON_FACTOR

    @cached_property
    def phase(self) -> NDArray[np.int8]:
        """Codes of `WindPhase`."""
        return wind_phase(self.effective_temperature, self.hydrogen, self.carbon12, self.nitrogen14)

    @cached_property
    def escape_velocity(self) -> Floats:
        """Escape speed from the radius of the star, lowered by radiation [km/s]."""
        return escape_velocity(self.mass, self.radius, self.eddington_factor)

    @cached_property
    def core_escape_velocity(self) -> Floats:
        """Escape speed from the radius of the hydrostatic core of a WR star, lowered by radiation [km/s]."""
        return escape_velocity(self.mass, core_radius(self.luminosity), self.eddington_factor)

    def select(self, rows: NDArray[np.bool_]) -> StellarSurface:
        """The surfaces where `rows` is true, as one-dimensional arrays."""
        names = [field.name for field in fields(self) if field.name != "solar_metals"]
        return StellarSurface(**{name: getattr(self, name)[rows] for name in names}, solar_metals=self.solar_metals)


def surface_of(track: Track, family: str) -> StellarSurface:
    """The surface of a star along its track.

    Metals are all but hydrogen and helium, tabulated or not. The temperature is that of the hydrostatic star.

    Parameters
    ----------
    track : Track
        Tabulated or interpolated.
    family : str
        A key of `SOLAR_METALS`, as in `TrackGrid.family`.

    Raises
    ------
    ParameterError
        If the family is unknown.
    ModelError
        If a value of the track is outside its range.
    """
    if family not in SOLAR_METALS:
        raise ParameterError(f"unknown family of tracks {family!r}", remedy=nearest(family, SOLAR_METALS))
    hydrogen = track.surface_hydrogen
    helium = track.surface_fraction("He4") + track.surface_fraction("He3")
    return StellarSurface(
        mass=track.mass,
        luminosity=10.0**track.log_luminosity,
        effective_temperature=10.0**track.log_temperature,
        radius=track.radius,
        hydrogen=hydrogen,
        helium=helium,
        metals=1.0 - hydrogen - helium,
        carbon12=track.surface_fraction("C12"),
        nitrogen14=track.surface_fraction("N14"),
        solar_metals=SOLAR_METALS[family],
    )


def wind_phase(
    effective_temperature: ArrayLike, hydrogen: ArrayLike, carbon12: ArrayLike, nitrogen14: ArrayLike
) -> NDArray[np.int8]:
    """Phase of a wind.

    WC: X_H < 0.01 and X_C12 > X_N14, at any temperature. Else O above 1.1e4 K with X_H > 0.4, WN above 1.1e4 K with
    less, and RSG for all that is cooler, blue supergiants and luminous blue variables included.

    Parameters
    ----------
    effective_temperature : float or array
        [K].
    hydrogen, carbon12, nitrogen14 : float or array
        Surface mass fractions.

    Returns
    -------
    array of int8
        Codes of `WindPhase`.
    """
    hydrogen = np.asarray(hydrogen)
    hot = np.asarray(effective_temperature) > HOT_WIND_TEMPERATURE
    carbon_rich = (hydrogen < WC_HYDROGEN) & (np.asarray(carbon12) > np.asarray(nitrogen14))
    hot_phase = np.where(hydrogen > O_HYDROGEN, WindPhase.O, WindPhase.WN)
    return np.where(carbon_rich, WindPhase.WC, np.where(hot, hot_phase, WindPhase.RSG)).astype(np.int8)


def source_population(hydrogen: ArrayLike) -> NDArray[np.int8]:
    """Population to which what a star injects belongs: WR where X_H < 0.1, O-type (with B, RSG and LBV) elsewhere.

    Parameters
    ----------
    hydrogen : float or array
        Surface mass fraction.

    Returns
    -------
    array of int8
        Codes of `SourcePopulation`. Not the same as the phase of the wind: a hydrogen-rich WN star is O-type here.
    """
    stripped = np.asarray(hydrogen) < WR_POPULATION_HYDROGEN
    return np.where(stripped, SourcePopulation.WR, SourcePopulation.O_TYPE).astype(np.int8)


def eddington_factor(mass: ArrayLike, luminosity: ArrayLike, hydrogen: ArrayLike) -> Floats:
    """Radiative over gravitational acceleration by electron scattering, Gamma_e = kappa_e L/(4 pi c G M), not clipped.

    Parameters
    ----------
    mass, luminosity : float or array
        [Msun], [Lsun].
    hydrogen : float or array
        Surface mass fraction; kappa_e = 0.2 (1 + X_H) cm^2/g.
    """
    opacity = ELECTRON_SCATTERING_OPACITY * (1.0 + np.asarray(hydrogen, dtype=np.float64))
    unit = SOLAR_LUMINOSITY / (4.0 * np.pi * SPEED_OF_LIGHT * GRAVITATIONAL_CONSTANT * SOLAR_MASS)
    return np.asarray(unit * opacity * np.asarray(luminosity) / np.asarray(mass))


def escape_velocity(mass: ArrayLike, radius: ArrayLike, eddington: ArrayLike = 0.0) -> Floats:
    """Escape speed sqrt(2 G M (1 - Gamma_e)/R) [km/s].

    Parameters
    ----------
    mass, radius : float or array
        [Msun], [Rsun].
    eddington : float or array
        Gamma_e, below 1.

    Raises
    ------
    ModelError
        If a Gamma_e is 1 or more: such a star is not bound by its gravity.
    """
    eddington = np.asarray(eddington, dtype=np.float64)
    check_rows("eddington", eddington, eddington < 1.0, f"below 1: clip it to {LARGEST_EDDINGTON_FACTOR}")
    return np.asarray(_ESCAPE_SPEED * np.sqrt(np.asarray(mass) * (1.0 - eddington) / np.asarray(radius)))


def core_radius(luminosity: ArrayLike) -> Floats:
    """Radius of the hydrostatic core of a WR star [Rsun]: log R = -1.845 + 0.338 log L.

    After Schaerer & Maeder (1992), as recalled by the design of this package: the coefficients are unverified.

    Parameters
    ----------
    luminosity : float or array
        [Lsun].
    """
    return np.asarray(10.0 ** (-1.845 + 0.338 * np.log10(luminosity)))


def mechanical_luminosity(mass_loss_rate: ArrayLike, velocity: ArrayLike) -> Floats:
    """Kinetic power of a wind, mdot v^2/2 [erg/s].

    Parameters
    ----------
    mass_loss_rate, velocity : float or array
        [Msun/yr], above zero for loss; [km/s].
    """
    return np.asarray(_MECHANICAL_LUMINOSITY * np.asarray(mass_loss_rate) * np.asarray(velocity) ** 2)


def check_rows(name: str, values: Floats, good: NDArray[np.bool_], wanted: str, first: int = 0) -> None:
    """Refuse a column of a track in which a value is not good; names the first.

    Parameters
    ----------
    name : str
        Name of the column.
    values, good : array
        Values, and which of them are good.
    wanted : str
        What a good one is.
    first : int
        Number of the first row.

    Raises
    ------
    ModelError
        If one is not good.
    """
    if np.all(good):
        return
    place = tuple(int(i) for i in np.argwhere(~np.atleast_1d(good))[0])
    row = ", ".join(str(i + first) for i in place)
    raise ModelError(
        f"{name} = {np.atleast_1d(values)[place]!s} at row {row} is not {wanted}",
        remedy="correct the track, or leave the row out",
    )
