"""The wind of a star, or of many together, through time: means over intervals of age.

Between two rows of a track the mass lost is the difference of the masses, so that a history holds exactly the mass
that the star loses; speed and composition are linear in age between rows, and the speed jumps where the phase changes
(`stellarcr.stars.phase_changes`). Mass, momentum and energy do not depend on how finely an interval is cut. Ages count
from the zero-age main sequence.

Units: ages [yr], mass-loss rates [Msun/yr], momentum flux [g cm/s^2], mechanical luminosity [erg/s], velocity [km/s].
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..constants import SOLAR_MASS, YEAR
from ..errors import ModelError, ParameterError
from .phase_changes import between_rows, split_at_phase_changes
from .recipes import DEFAULT_RECIPE, WindRecipe, wind_recipe
from .terminal import terminal_velocity
from .track_interpolation import interpolate_track
from .tracks import FloatArray, Track, TrackGrid, freeze_arrays
from .wind_composition import wind_composition, wind_nuclides
from .winds import (
    WR_POPULATION_HYDROGEN,
    SourcePopulation,
    WindPhase,
    check_rows,
    source_population,
    surface_of,
)

ZERO_AGE_POINT = {"MIST": 202}
"""Equivalent evolutionary point of the zero-age main sequence, in grids whose tracks begin before it (Dotter 2016)."""

MOMENTUM_UNIT = SOLAR_MASS * 1e3 / YEAR * 1e5
"""Momentum flux of 1 Msun/yr at 1 km/s [g cm/s^2]."""

POWER_UNIT = 0.5 * MOMENTUM_UNIT * 1e5
"""Kinetic power of 1 Msun/yr at 1 km/s [erg/s]."""

_PHASES = len(WindPhase)

_LARGEST_CHANGE = 0.03
"""Largest change of ln R_max by the wind's speed within a part of an interval.

Nine e-folds beyond a cutoff, where a spectrum is 1e-4 of its power law, this leaves an error of (9 x 0.03)^2/24 = 0.3%
for the steps that change most.
"""

_SLOWEST = 1e-3
"""Speed [km/s] below which it no longer matters how a wind changes."""


@dataclass(frozen=True, eq=False)
class WindHistory:
    """The wind of one star or of many through time; every array but `edges` has one entry per interval.

    Attributes
    ----------
    edges : ndarray, shape (n + 1,)
        Ends of the intervals [yr since the zero-age main sequence], from 0.
    mass_loss : ndarray, shape (n,)
        Sum of mdot [Msun/yr].
    momentum_flux : ndarray, shape (n,)
        F, sum of mdot v [g cm/s^2].
    luminosity : ndarray, shape (n,)
        L, sum of mdot v^2/2 [erg/s].
    nuclide_loss : ndarray, shape (n, n_nuclides)
        Mass-loss rate of each nuclide [Msun/yr].
    phase_luminosity : ndarray, shape (n, 4)
        Part of L from winds of each `WindPhase` [erg/s].
    stripped_luminosity : ndarray, shape (n,)
        Part of L from stars of the source population WR (X_H < 0.1) [erg/s].
    doubtful_luminosity : ndarray, shape (n, 3)
        Parts of L [erg/s] from Wolf-Rayet winds slower or faster than any observed one, from winds for which the recipe
        was not made, and from stars whose Eddington factor was clipped.
    nuclides : tuple of str
        Columns of `nuclide_loss`.
    label : str
        What it is, such as ``star of 60 Msun``.
    grid : str
        Name of the grid of tracks.
    recipe : str
        Name of the wind recipe.
    """

    edges: FloatArray
    mass_loss: FloatArray
    momentum_flux: FloatArray
    luminosity: FloatArray
    nuclide_loss: FloatArray
    phase_luminosity: FloatArray
    stripped_luminosity: FloatArray
    doubtful_luminosity: FloatArray
    nuclides: tuple[str, ...]
    label: str
    grid: str
    recipe: str

    def __post_init__(self) -> None:
        freeze_arrays(self)

    def __len__(self) -> int:
        return self.mass_loss.size

    @property
    def age(self) -> FloatArray:
        """Middles of the intervals [yr]."""
        return 0.5 * (self.edges[:-1] + self.edges[1:])

    @property
    def duration(self) -> FloatArray:
        """Widths of the intervals [yr]."""
        return np.diff(self.edges)

    @property
    def velocity(self) -> FloatArray:
        """V = F / sum of mdot [km/s]; 0 where no wind blows."""
        blowing = self.mass_loss > 0.0
        return self.momentum_flux / MOMENTUM_UNIT / np.where(blowing, self.mass_loss, 1.0) * blowing

    @property
    def mass_fractions(self) -> FloatArray:
        """Mass fractions of the wind, shape (n, n_nuclides); zero where no wind blows."""
        blowing = self.mass_loss > 0.0
        return self.nuclide_loss / np.where(blowing, self.mass_loss, 1.0)[:, None]

    @property
    def phase(self) -> NDArray[np.int8]:
        """The `WindPhase` with most of the mechanical luminosity; -1 where no wind blows."""
        loudest = np.argmax(self.phase_luminosity, axis=1)
        return np.where(self.luminosity > 0.0, loudest, -1).astype(np.int8)

    @property
    def stripped(self) -> NDArray[np.bool_]:
        """Where most of the mechanical luminosity is from stars of the source population WR."""
        return self.stripped_luminosity > 0.5 * self.luminosity

    @property
    def energy(self) -> float:
        """Mechanical energy of the whole history [erg]."""
        return float(np.sum(self.luminosity * self.duration)) * YEAR

    @property
    def mass_lost(self) -> float:
        """Mass lost in the whole history [Msun]."""
        return float(np.sum(self.mass_loss * self.duration))


def star_wind(
    grid: TrackGrid,
    initial_mass: float,
    recipe: str | WindRecipe = DEFAULT_RECIPE,
    *,
    iron: str = "tabulated",
    divisions: int = 1,
) -> WindHistory:
    """The wind of one star, on the intervals between the rows of its track.

    Parameters
    ----------
    grid : TrackGrid
        Where its track is tabulated or interpolated.
    initial_mass : float
        Mass at birth [Msun].
    recipe : str or WindRecipe
        For the terminal velocities of Wolf-Rayet winds; see `stellarcr.stars.recipes.wind_recipe`.
    iron : {"tabulated", "solar"}
        See `stellarcr.stars.wind_composition.wind_composition`.
    divisions : int
        Factor by which intervals are cut more finely. At 1 they are cut where the wind's phase or the star's source
        population changes, and so that R_max changes by at most 3% in a part.

    Returns
    -------
    WindHistory
        From the zero-age main sequence to the star's end.

    Raises
    ------
    ParameterError
        If the mass is outside the grid, or an option is not a choice.
    """
    chosen = wind_recipe(recipe) if isinstance(recipe, str) else recipe
    return track_wind(interpolate_track(grid, initial_mass), grid, chosen, iron=iron, divisions=divisions)


def track_wind(
    track: Track, grid: TrackGrid, recipe: WindRecipe, *, iron: str = "tabulated", divisions: int = 1
) -> WindHistory:
    """The wind of a star along a given track; parameters as of `star_wind`.

    Raises
    ------
    ModelError
        If the track does not go on after the zero-age main sequence, or its mass grows.
    ParameterError
        If an option is not a choice.
    """
    if not (isinstance(divisions, int | np.integer) and divisions >= 1):
        raise ParameterError(f"divisions = {divisions!r} of an interval of age", remedy="give a whole number from 1 on")
    start = zero_age_row(track, grid)
    check_rows(
        "mass",
        track.mass[start + 1 :],
        np.diff(track.mass[start:]) <= 0.0,
        "at or below that of the row before",
        first=start + 1,
    )
    birth = birth_age(track, grid)
    loss_between = -np.diff(track.mass) / np.diff(track.age)
    track, origin = split_at_phase_changes(track)
    start = int(np.searchsorted(origin, start))
    rows = _wind_rows(track, grid, recipe, iron, start)
    place = _cuts(rows, divisions)
    edges = _ages_at(place, rows.age) - birth
    columns = _means(rows, place, loss_between[origin[start:-1].astype(np.int64)])
    if edges[0] > 0.0:  # a track that begins some time after birth: until there, the wind of its first row
        edges = np.concatenate([[0.0], edges])
        before = _first_wind(rows, track.mass_loss_rate[start])
        columns = {name: np.concatenate([before[name][None], values]) for name, values in columns.items()}
    return WindHistory(
        edges=edges,
        **columns,
        nuclides=wind_nuclides(track),
        label=f"star of {track.initial_mass:g} Msun",
        grid=grid.name,
        recipe=recipe.name,
    )


def zero_age_row(track: Track, grid: TrackGrid) -> int:
    """The row of a track from which its wind counts: the zero-age main sequence, or the first.

    Raises
    ------
    ModelError
        If fewer than two rows are left.
    """
    point = ZERO_AGE_POINT.get(grid.family, 0)
    row = int(np.searchsorted(track.point, point))
    if row > len(track) - 2:
        raise ModelError(
            f"the track of {track.initial_mass:g} Msun has {len(track) - row} rows from the zero-age main sequence on "
            f"(equivalent evolutionary point {point})",
            where=f"grid {grid.name}, {track.source}",
            remedy="give a track with two rows or more from there on",
        )
    return row


def birth_age(track: Track, grid: TrackGrid) -> float:
    """The age of a track from which ages of winds count [yr]: that of the zero-age main sequence, or 0.

    Raises
    ------
    ModelError
        As of `zero_age_row`.
    """
    return float(track.age[zero_age_row(track, grid)]) if grid.family in ZERO_AGE_POINT else 0.0


class _Rows(NamedTuple):
    """The wind at the rows of a track from birth on."""

    age: FloatArray
    speed: FloatArray
    hydrogen: FloatArray
    composition: FloatArray
    flags: FloatArray
    """What belongs to rows, 0 or 1, and changes in the middle between two: the phases, then the doubts."""
    jumps: NDArray[np.bool_]
    """Where the phase changes between a row and the next."""


def _wind_rows(track: Track, grid: TrackGrid, recipe: WindRecipe, iron: str, start: int) -> _Rows:
    speeds = terminal_velocity(surface_of(track, grid.family), recipe)
    doubts = speeds.outside_range, speeds.outside_domain, speeds.clipped
    flags = np.stack([*(speeds.phase == phase for phase in WindPhase), *doubts], axis=1)
    return _Rows(
        age=track.age[start:],
        speed=speeds.velocity[start:],
        hydrogen=track.surface_hydrogen[start:],
        composition=wind_composition(track, grid.metallicity, iron)[start:],
        flags=flags[start:].astype(np.float64),
        jumps=np.diff(speeds.phase[start:]) != 0,
    )


def _means(rows: _Rows, place: FloatArray, loss: FloatArray) -> dict[str, FloatArray]:
    """Columns of a history between the cuts at `place`, from the mass-loss rate between rows [Msun/yr]."""
    interval = place[:-1].astype(np.int64)
    begin, end = place[:-1] - interval, place[1:] - interval
    middle = 0.5 * (begin + end)
    row = np.where(middle < 0.5, interval, interval + 1)
    first, last = (
        np.where(rows.jumps[interval], rows.speed[row], between_rows(rows.speed, interval, share))
        for share in (begin, end)
    )
    rate = loss[interval]
    power = POWER_UNIT * rate * (first**2 + first * last + last**2) / 3.0
    stripped = source_population(between_rows(rows.hydrogen, interval, middle)) == SourcePopulation.WR
    return {
        "mass_loss": rate,
        "momentum_flux": MOMENTUM_UNIT * rate * 0.5 * (first + last),
        "luminosity": power,
        "nuclide_loss": rate[:, None] * between_rows(rows.composition, interval, middle),
        "phase_luminosity": power[:, None] * rows.flags[row, :_PHASES],
        "stripped_luminosity": power * stripped,
        "doubtful_luminosity": power[:, None] * rows.flags[row, _PHASES:],
    }


def _first_wind(rows: _Rows, rate: float) -> dict[str, FloatArray]:
    """Columns of a history for the wind of the first row, at a mass-loss rate [Msun/yr]."""
    power = POWER_UNIT * rate * rows.speed[0] ** 2
    columns = {
        "mass_loss": rate,
        "momentum_flux": MOMENTUM_UNIT * rate * rows.speed[0],
        "luminosity": power,
        "nuclide_loss": rate * rows.composition[0],
        "phase_luminosity": power * rows.flags[0, :_PHASES],
        "stripped_luminosity": power * (source_population(rows.hydrogen[0]) == SourcePopulation.WR),
        "doubtful_luminosity": power * rows.flags[0, _PHASES:],
    }
    return {name: np.asarray(value) for name, value in columns.items()}


def _cuts(rows: _Rows, divisions: int) -> FloatArray:
    """Where a history is cut, as row and fraction of the way to the next: 3.25 is a quarter of the way from 3 to 4.

    At all rows; where what belongs to rows changes; where the surface crosses the limit between the
    source populations; and often enough that R_max changes little in a part.
    """
    last = rows.speed.size - 1
    changes = np.flatnonzero(np.any(rows.flags[1:] != rows.flags[:-1], axis=1))
    swing = np.where(rows.jumps, 0.0, 1.5 * np.abs(np.diff(np.log(np.maximum(rows.speed, _SLOWEST)))))
    parts = divisions * np.maximum(np.ceil(swing / _LARGEST_CHANGE), 1.0).astype(np.int64)
    interval = np.repeat(np.arange(last), parts)
    number = np.arange(interval.size) - np.repeat(np.cumsum(parts) - parts, parts)
    fractions = [number / parts[interval], np.full(changes.size, 0.5)]
    excess = rows.hydrogen - WR_POPULATION_HYDROGEN
    crossing = np.flatnonzero(excess[:-1] * excess[1:] < 0.0)
    fractions.append(excess[crossing] / (excess[crossing] - excess[crossing + 1]))
    intervals = np.concatenate([interval, changes, crossing])
    # coarse enough that all parts last longer than the rounding of ages
    return np.unique(np.append(intervals + np.round(np.concatenate(fractions), 3), last))


def _ages_at(place: FloatArray, age: FloatArray) -> FloatArray:
    row = np.minimum(place.astype(np.int64), age.size - 2)
    return between_rows(age, row, place - row)
