"""The wind of a star, or of many together, through time: means over intervals of age.

Between two rows of a track the mass lost is the difference of the masses, so that a history holds exactly the mass
that the star loses; speed and composition are means of both rows. Ages count from the zero-age main sequence.

Units: ages [yr], mass-loss rates [Msun/yr], momentum flux [g cm/s^2], mechanical luminosity [erg/s], velocity [km/s].
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from ..constants import SOLAR_MASS, YEAR
from ..errors import ParameterError
from .recipes import DEFAULT_RECIPE, WindRecipe, wind_recipe
from .terminal import terminal_velocity
from .track_interpolation import interpolate_track
from .tracks import FloatArray, Track, TrackGrid
from .wind_composition import wind_composition, wind_nuclides
from .winds import SourcePopulation, WindPhase, source_population, surface_of

ZERO_AGE_POINT = {"MIST": 202}
"""Equivalent evolutionary point of the zero-age main sequence, in grids whose tracks begin before it (Dotter 2016)."""

MOMENTUM_UNIT = SOLAR_MASS * 1e3 / YEAR * 1e5
"""Momentum flux of 1 Msun/yr at 1 km/s [g cm/s^2]."""

POWER_UNIT = 0.5 * MOMENTUM_UNIT * 1e5
"""Kinetic power of 1 Msun/yr at 1 km/s [erg/s]."""


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
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, np.ndarray):
                value.setflags(write=False)

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
        Parts into which each interval is cut, with speeds and compositions linear in age between rows.

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
    """The wind of a star along a given track; parameters as of `star_wind`."""
    if divisions < 1:
        raise ParameterError(f"divisions = {divisions} of an interval of age", remedy="give 1 or more")
    speeds = terminal_velocity(surface_of(track, grid.family), recipe)
    hydrogen = track.surface_fraction("H1") + track.surface_fraction("H2")
    composition = wind_composition(track, grid.metallicity, iron)
    start = int(np.searchsorted(track.point, ZERO_AGE_POINT.get(grid.family, 0)))
    age, mass, rate = track.age[start:], track.mass[start:], track.mass_loss_rate[start:]
    rows = slice(start, None)
    # what is cut by rows: phases and doubts hold in the half of an interval that is next to their row
    flags = np.stack(
        [
            *(speeds.phase[rows] == phase for phase in WindPhase),
            source_population(hydrogen[rows]) == SourcePopulation.WR,
            speeds.outside_range[rows],
            speeds.outside_domain[rows],
            speeds.clipped[rows],
        ],
        axis=1,
    ).astype(np.float64)
    loss = -np.diff(mass) / np.diff(age)
    edges, fraction = _divided(age, divisions)
    interval = np.repeat(np.arange(loss.size), divisions)
    first, last = fraction[:-1], fraction[1:]
    last = np.where(last == 0.0, 1.0, last)

    def ends(values: FloatArray) -> tuple[FloatArray, FloatArray]:
        step = np.diff(values, axis=0)[interval]
        begin, shape = values[:-1][interval], (-1,) + (1,) * (values.ndim - 1)
        return begin + first.reshape(shape) * step, begin + last.reshape(shape) * step

    speed = ends(speeds.velocity[rows])
    surface = ends(composition[rows])
    loss = loss[interval]
    momentum = MOMENTUM_UNIT * loss * 0.5 * (speed[0] + speed[1])
    halves = [0.5 * POWER_UNIT * loss * v**2 for v in speed]
    nearest_row = [
        np.where((part < 0.5) | ((part == 0.5) & side), interval, interval + 1)
        for part, side in ((first, False), (last, True))
    ]
    shares = sum(half[:, None] * flags[row] for half, row in zip(halves, nearest_row, strict=True))
    history = {
        "edges": edges - (age[0] if grid.family in ZERO_AGE_POINT else 0.0),
        "mass_loss": loss,
        "momentum_flux": momentum,
        "luminosity": halves[0] + halves[1],
        "nuclide_loss": loss[:, None] * 0.5 * (surface[0] + surface[1]),
        "shares": np.asarray(shares),
    }
    if history["edges"][0] > 0.0:
        history = _from_birth(history, rate[0], speeds.velocity[start], composition[start], flags[0])
    shares = history.pop("shares")
    return WindHistory(
        **history,
        phase_luminosity=shares[:, :4],
        stripped_luminosity=shares[:, 4],
        doubtful_luminosity=shares[:, 5:],
        nuclides=wind_nuclides(track),
        label=f"star of {track.initial_mass:g} Msun",
        grid=grid.name,
        recipe=recipe.name,
    )


def _divided(age: FloatArray, divisions: int) -> tuple[FloatArray, FloatArray]:
    """Ages that cut each interval into equal parts, and how far in its interval each age lies, from 0 to 1."""
    fraction = np.arange(divisions) / divisions
    edges = (age[:-1, None] + fraction * np.diff(age)[:, None]).ravel()
    return np.append(edges, age[-1]), np.append(np.tile(fraction, age.size - 1), 0.0)


def _from_birth(
    history: dict[str, FloatArray], rate: float, speed: float, composition: FloatArray, flags: FloatArray
) -> dict[str, FloatArray]:
    """Let a track that begins some time after birth begin there, with the wind of its first row."""
    before = {
        "edges": 0.0,
        "mass_loss": rate,
        "momentum_flux": MOMENTUM_UNIT * rate * speed,
        "luminosity": POWER_UNIT * rate * speed**2,
        "nuclide_loss": rate * composition,
        "shares": POWER_UNIT * rate * speed**2 * flags,
    }
    return {name: np.concatenate([np.asarray(value)[None], history[name]]) for name, value in before.items()}
