"""Evolution of single stars: one track per initial mass, and grids of tracks.

Units: masses [Msun], ages [yr], mass-loss rates [Msun/yr, positive], radii [Rsun], luminosities [Lsun], temperatures
[K], logarithms to base 10, compositions as mass fractions. Nothing here reads a file: `stellarcr.data.load_tracks`
does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError, ParameterError

FloatArray = NDArray[np.float64]

SOLAR_TEMPERATURE = 5772.0
"""Effective temperature [K] of a star of one nominal solar luminosity and radius (IAU 2015 Resolution B3, as in
``astropy.constants``)."""

CENTRAL_NUCLIDES = ("H1", "He4", "C12")
"""Nuclides whose central mass fractions a track keeps: they tell which fuel burns."""


@dataclass(frozen=True, eq=False)
class Track:
    """The evolution of one star; arrays have one entry per row and cannot be written to.

    Attributes
    ----------
    initial_mass : float
        Mass at birth [Msun].
    age : ndarray
        Age [yr], strictly increasing.
    mass : ndarray
        Mass [Msun].
    mass_loss_rate : ndarray
        Mass-loss rate as tabulated [Msun/yr], positive for loss. Its integral can differ from the mass that the star
        loses (`mass_balance`): winds are made from the differences of `mass` instead (`stellarcr.stars.history`), and
        `stellarcr.stars.mass_loss.consistent_mass_loss` gives rates at the rows that agree with these.
    log_luminosity : ndarray
        log10(L/Lsun).
    log_temperature : ndarray
        log10(Teff/K) of the hydrostatic star.
    log_temperature_wind : ndarray or None
        log10(Teff/K) corrected for an optically thick wind, where the grid tabulates it (GENEC).
    radius : ndarray
        Hydrostatic radius [Rsun].
    surface : ndarray, shape (rows, nuclides)
        Mass fractions at the surface.
    center : ndarray, shape (rows, 3)
        Mass fractions of `CENTRAL_NUCLIDES` in the centre.
    point : ndarray of int
        Row number in the source table, from 1: the number of the equivalent evolutionary point, comparable between
        tracks if the grid has such points (MIST and GENEC/SYCLIST have).
    nuclides : tuple of str
        Names of the columns of `surface`, such as ``"He4"``.
    primary_points : tuple of int
        Numbers of the primary equivalent evolutionary points of the source table; empty if the grid has none.
    filled : bool
        True if the authors of the grid filled the table by interpolation between its neighbours.
    source : str
        Name of the source file.
    sha256 : str
        Hash of the source file.
    """

    initial_mass: float
    age: FloatArray
    mass: FloatArray
    mass_loss_rate: FloatArray
    log_luminosity: FloatArray
    log_temperature: FloatArray
    log_temperature_wind: FloatArray | None
    radius: FloatArray
    surface: FloatArray
    center: FloatArray
    point: NDArray[np.int64]
    nuclides: tuple[str, ...]
    primary_points: tuple[int, ...]
    filled: bool
    source: str
    sha256: str

    def __post_init__(self) -> None:
        freeze_arrays(self)

    def __len__(self) -> int:
        return self.age.size

    @property
    def surface_hydrogen(self) -> FloatArray:
        """X_H, the surface mass fraction of hydrogen and its isotopes."""
        return self.surface_fraction("H1") + self.surface_fraction("H2")

    def surface_fraction(self, nuclide: str) -> FloatArray:
        """Return the surface mass fraction of one nuclide; zero where the grid does not tabulate it."""
        if nuclide not in self.nuclides:
            return np.zeros_like(self.age)
        return self.surface[:, self.nuclides.index(nuclide)]


def freeze_arrays(record: Any) -> None:
    """Make the arrays of a dataclass read-only."""
    for field in fields(record):
        value = getattr(record, field.name)
        if isinstance(value, np.ndarray):
            value.setflags(write=False)


class Exclusion(NamedTuple):
    """A source file that is not in the grid.

    Attributes
    ----------
    initial_mass : float
        Mass at birth [Msun].
    source : str
        Name of the source file.
    reason : str
        Why it was left out.
    """

    initial_mass: float
    source: str
    reason: str


@dataclass(frozen=True, eq=False)
class TrackGrid:
    """Tracks of one chemical composition and rotation, by initial mass.

    Attributes
    ----------
    name : str
        Name of the grid.
    family : {"MIST", "GENEC"}
        Which format the source files have.
    version : str
        Version of the grid, as its source states it.
    reference : str
        Who computed the tracks.
    metallicity : float
        Initial mass fraction of all elements heavier than helium, as the source states it.
    rotation : float
        Initial rotation, as a fraction of the critical rotation (how that is defined differs between families).
    tracks : tuple of Track
        In order of increasing initial mass.
    derived : mapping of str to str
        Nuclides of `nuclides` that the source does not tabulate, and how they were derived.
    lumped : mapping of str to str
        Nuclides that stand for more than themselves, and for what.
    excluded : tuple of Exclusion
        Files that were left out, with the reason.
    dropped_lines : tuple of str
        Lines of source files that were left out on request, as ``file:line``.
    """

    name: str
    family: str
    version: str
    reference: str
    metallicity: float
    rotation: float
    tracks: tuple[Track, ...]
    derived: Mapping[str, str]
    lumped: Mapping[str, str]
    excluded: tuple[Exclusion, ...]
    dropped_lines: tuple[str, ...] = ()

    @property
    def masses(self) -> FloatArray:
        """Initial masses [Msun], increasing."""
        return np.array([track.initial_mass for track in self.tracks])

    @property
    def nuclides(self) -> tuple[str, ...]:
        """Nuclides whose surface mass fractions the tracks hold."""
        return self.tracks[0].nuclides

    @property
    def has_equivalent_points(self) -> bool:
        """Whether rows with the same `Track.point` are the same stage of evolution in all tracks."""
        return all(track.primary_points for track in self.tracks)

    def track(self, initial_mass: float) -> Track:
        """Return a tabulated track.

        Parameters
        ----------
        initial_mass : float
            Mass at birth [Msun], one of `masses`.

        Raises
        ------
        ParameterError
            If the grid has no track of this mass.
        """
        for track in self.tracks:
            if track.initial_mass == initial_mass:
                return track
        listed = ", ".join(f"{mass:g}" for mass in self.masses)
        raise ParameterError(
            f"no track of {initial_mass:g} Msun",
            where=f"grid {self.name}",
            remedy=f"tabulated masses [Msun]: {listed}; interpolate_track gives those between",
        )


class MassBalance(NamedTuple):
    """Two accounts of the mass that a star loses [Msun].

    Attributes
    ----------
    lost : float
        First mass minus last mass.
    integrated : float
        Integral of the tabulated mass-loss rate over age (trapezoidal rule between rows).
    ratio : float
        integrated / lost; 1 if nothing is lost by either.
    """

    lost: float
    integrated: float
    ratio: float


def mass_balance(track: Track) -> MassBalance:
    """Compare the integral of the tabulated mass-loss rate with the mass lost."""
    lost = float(track.mass[0] - track.mass[-1])
    integrated = float(np.trapezoid(track.mass_loss_rate, track.age))
    if lost == 0.0:
        return MassBalance(lost, integrated, 1.0 if integrated == 0.0 else np.inf)
    return MassBalance(lost, integrated, integrated / lost)


def age_of_hydrogen_exhaustion(track: Track, below: float = 1e-4) -> float:
    """Return the age [yr] at which the central hydrogen mass fraction first falls below a value.

    Raises
    ------
    DataError
        If the track ends before.
    """
    return _first_age(track, track.center[:, CENTRAL_NUCLIDES.index("H1")], below, "central hydrogen")


def age_of_bare_surface(track: Track, below: float = 0.1) -> float:
    """Return the age [yr] at which the surface hydrogen mass fraction first falls below a value.

    By default that of the source population of Wolf-Rayet stars.

    Raises
    ------
    DataError
        If the surface keeps more hydrogen until the end.
    """
    return _first_age(track, track.surface_hydrogen, below, "surface hydrogen")


def _first_age(track: Track, fraction: FloatArray, below: float, what: str) -> float:
    rows = np.flatnonzero(fraction < below)
    if rows.size == 0:
        raise DataError(
            f"the {what} mass fraction stays above {below:g}: it ends at {fraction[-1]:.3g}",
            where=f"track of {track.initial_mass:g} Msun, {track.source}",
            remedy="compare track.surface and track.center with the value first",
        )
    return float(track.age[rows[0]])
