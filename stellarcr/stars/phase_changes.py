"""Where the phase of a wind changes between two rows of a track.

The speed of a wind jumps with its phase, and rows are far apart where a star is stripped (20 000 yr): were the speeds
of rows kept until the phase changes, one row more or less in a phase would change what the strongest winds release.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from .tracks import FloatArray, Track
from .winds import wind_phase

_FRACTIONS = np.linspace(0.0, 1.0, 501)
"""Where between two rows a change is looked for."""


def split_at_phase_changes(track: Track) -> tuple[Track, FloatArray]:
    """A track with two more rows at each change of its wind's phase, just before and just after it.

    Between rows the surface is linear: masses, ages and mass fractions, and the logarithms of luminosity, temperature
    and radius. A phase that lasts less than an interval is found only in intervals whose rows differ in phase.

    Parameters
    ----------
    track : Track
        Tabulated or interpolated.

    Returns
    -------
    track : Track
        With the rows that were added; their `Track.point` is that of the row before.
    place : ndarray
        Where its rows lie in the given track: 3.25 is a quarter of the way from row 3 to row 4.
    """
    columns = (
        track.log_temperature,
        track.surface_hydrogen,
        track.surface_fraction("C12"),
        track.surface_fraction("N14"),
    )
    phase = wind_phase(10.0 ** columns[0], *columns[1:])
    rows = np.arange(float(len(track)))
    jumping = np.flatnonzero(phase[1:] != phase[:-1])
    if jumping.size == 0:
        return track, rows
    low, high = (np.stack([column[jumping + k] for column in columns]) for k in (0, 1))
    temperature, *fractions = low[:, None] + _FRACTIONS[:, None] * (high - low)[:, None]
    between = wind_phase(10.0**temperature, *fractions)
    between[0], between[-1] = phase[jumping], phase[jumping + 1]  # whatever rounding makes of the ends
    step, interval = np.nonzero(between[1:] != between[:-1])
    place = np.unique(np.concatenate([jumping[interval] + _FRACTIONS[step + k] for k in (0, 1)]))
    place = place[place != np.floor(place)]
    return _with_rows(track, place), np.sort(np.concatenate([rows, place]))


def between_rows(values: FloatArray, row: NDArray[np.int64], share: FloatArray) -> FloatArray:
    """Values at a share, 0 to 1, of the way from rows to the next: linear means; the first axis is that of rows."""
    weight = share.reshape((-1,) + (1,) * (values.ndim - 1))
    return np.asarray(values[row] + weight * (values[row + 1] - values[row]))


def _with_rows(track: Track, place: FloatArray) -> Track:
    row = place.astype(np.int64)
    share = place - row

    def linear(values: FloatArray) -> FloatArray:
        return np.insert(values, row + 1, between_rows(values, row, share), axis=0)

    wind = track.log_temperature_wind
    return replace(
        track,
        age=linear(track.age),
        mass=linear(track.mass),
        mass_loss_rate=linear(track.mass_loss_rate),
        log_luminosity=linear(track.log_luminosity),
        log_temperature=linear(track.log_temperature),
        log_temperature_wind=None if wind is None else linear(wind),
        radius=np.exp(linear(np.log(track.radius))),
        surface=linear(track.surface),
        center=linear(track.center),
        point=np.insert(track.point, row + 1, track.point[row]),
    )
