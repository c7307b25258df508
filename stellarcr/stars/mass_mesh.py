"""Which stars stand for an initial mass function: panels in initial mass, narrow where winds differ much.

Between two tabulated masses a star is interpolated at equal stages, so that what it releases is smooth in ln M0 but
where a stage changes its class: the phase of its wind, or its source population. A panel is therefore as wide as the
step in ln M0 allows, and narrower by how much of a star's mass is lost in stages that change class within it. In MIST
a fifth of the panels up to 150 Msun lie between 80 and 85 Msun: stars of 80 turn WR after, those of 85 during hydrogen
burning. Panels end at tabulated masses.
"""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

from .history import ZERO_AGE_POINT
from .track_interpolation import mean_surface
from .tracks import FloatArray, Track, TrackGrid
from .winds import SourcePopulation, source_population, wind_phase

CLASS_WEIGHT = 2.5
"""Width in ln M0 that counts as much as a change of class of all that a star loses.

`project choice`: shares the error of spectra about evenly between panels.
"""

STRIPPED_FACTOR = 2.0
"""How much narrower panels are where a star turns WR (X_H < 0.1).

`project choice`: other stars have the lowest R_max and evolve alike; changes of class are resolved for these alone.
"""

_WEIGHTS = np.linspace(0.0, 1.0, 65)


def mass_panels(grid: TrackGrid, step: float) -> FloatArray:
    """Ends of the panels [Msun], increasing, tabulated masses included.

    Parameters
    ----------
    grid : TrackGrid
        Tracks.
    step : float
        Largest width in ln M0, above zero.
    """
    ends = [np.zeros(0)]
    for lower, upper in itertools.pairwise(grid.tracks):
        width = np.log(upper.initial_mass / lower.initial_mass)
        measure = _WEIGHTS * width
        if grid.has_equivalent_points and any(_stripped(track) for track in (lower, upper)):
            measure = STRIPPED_FACTOR * measure + CLASS_WEIGHT * _lost_in_changes(
                lower, upper, ZERO_AGE_POINT.get(grid.family, 0)
            )
        count = int(np.ceil(measure[-1] / step * (1.0 - 1e-12)))
        weights = np.interp(np.arange(count) * (measure[-1] / count), measure, _WEIGHTS)
        ends.append(lower.initial_mass * np.exp(weights * width))
    return np.append(np.concatenate(ends), grid.tracks[-1].initial_mass)


def _lost_in_changes(lower: Track, upper: Track, first: int) -> FloatArray:
    """Share of the lost mass in stages that change class up to each of `_WEIGHTS` of the way between two tracks."""
    point, low, high = np.intersect1d(lower.point, upper.point, assume_unique=True, return_indices=True)
    low, high = low[point >= first], high[point >= first]
    changing = _classes(lower, lower.log_temperature[low], lower.surface[low]) != _classes(
        upper, upper.log_temperature[high], upper.surface[high]
    )
    share = 0.5 * (_lost(lower.mass[low]) + _lost(upper.mass[high]))[changing]
    low, high = low[changing], high[changing]
    classes = np.stack(
        [
            _classes(
                lower,
                (1.0 - weight) * lower.log_temperature[low] + weight * upper.log_temperature[high],
                mean_surface(lower.surface[low], upper.surface[high], weight),
            )
            for weight in _WEIGHTS
        ]
    )
    return np.concatenate([[0.0], np.cumsum((classes[1:] != classes[:-1]) @ share)])


def _stripped(track: Track) -> bool:
    return bool(np.any(source_population(track.surface_hydrogen) == SourcePopulation.WR))


def _lost(mass: FloatArray) -> FloatArray:
    """Share of the lost mass that belongs to each row: half of what is lost to both of its neighbours."""
    lost = -np.diff(mass, prepend=mass[0], append=mass[-1])
    return np.asarray(0.5 * (lost[1:] + lost[:-1]) / max(mass[0] - mass[-1], np.finfo(float).tiny))


def _classes(track: Track, log_temperature: FloatArray, surface: FloatArray) -> NDArray[np.int64]:
    def fraction(name: str) -> FloatArray:
        return surface[:, track.nuclides.index(name)] if name in track.nuclides else np.zeros(len(surface))

    hydrogen = fraction("H1") + fraction("H2")
    phase = wind_phase(10.0**log_temperature, hydrogen, fraction("C12"), fraction("N14")).astype(np.int64)
    return 2 * phase + source_population(hydrogen)
