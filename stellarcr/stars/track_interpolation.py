"""Tracks of stars between the tabulated masses.

Two tracks are combined at equal stages of evolution (equivalent evolutionary points, Dotter 2016), never at equal ages:
stars of different mass do the same things at different times. The abscissa is the logarithm of the initial mass. Ages,
masses, rates and radii are interpolated in the logarithm, which keeps ages increasing, masses not increasing and the
law of Stefan and Boltzmann; mass fractions are interpolated linearly, which keeps their sum.

A limitation: a star that is stripped loses its layers one after the other, hydrogen, then helium, then carbon and
oxygen. Where one neighbour shows hydrogen while the other shows carbon (MIST: 45-55 and 80-85 Msun), the linear mean
has both at once, which no star has: 41% of the carbon of the source population O-type comes from there, but 18% of its
hydrogen. With tabulated tracks of 45 to 130 Msun left out one by one, means of logarithms (which go through helium)
bring that carbon back, but not the energies of the winds: these are off by 10.1% instead of 9.0%. The linear mean,
which is also the usual one, was kept.
"""

from __future__ import annotations

import numpy as np

from ..errors import ParameterError
from .tracks import FloatArray, Track, TrackGrid


def interpolate_track(grid: TrackGrid, initial_mass: float) -> Track:
    """Return the track of a star of any mass within the grid.

    Only points that both neighbours have are kept. A jump between two neighbours (MIST: a star of 80 Msun ends with
    32, one of 85 with 13) is bridged smoothly: only a finer grid could say where it lies.

    Parameters
    ----------
    grid : TrackGrid
        A grid with equivalent evolutionary points.
    initial_mass : float
        Mass at birth [Msun].

    Returns
    -------
    Track
        The tabulated track itself at a tabulated mass. Else `Track.source` names both neighbours, `Track.sha256` is
        empty, and `Track.filled` is true if one of them is filled.

    Raises
    ------
    ParameterError
        If the mass is outside the grid, or the rows of its tracks are not equivalent.
    """
    masses = grid.masses
    if not masses[0] <= initial_mass <= masses[-1]:
        raise ParameterError(
            f"initial mass {initial_mass:g} Msun is outside the grid",
            where=f"grid {grid.name}",
            remedy=f"give a mass from {masses[0]:g} to {masses[-1]:g} Msun, or choose a grid that reaches it",
        )
    above = int(np.searchsorted(masses, initial_mass))
    if masses[above] == initial_mass:
        return grid.tracks[above]
    if not grid.has_equivalent_points:
        raise ParameterError(
            f"no star of {initial_mass:g} Msun: the rows of these tracks are not equivalent between stars",
            where=f"grid {grid.name}",
            remedy=f"give a tabulated mass [Msun]: {', '.join(f'{mass:g}' for mass in masses)}",
        )
    lower, upper = grid.tracks[above - 1], grid.tracks[above]
    weight = float(np.log(initial_mass / lower.initial_mass) / np.log(upper.initial_mass / lower.initial_mass))
    return _between(lower, upper, weight, float(initial_mass))


def _between(lower: Track, upper: Track, weight: float, initial_mass: float) -> Track:
    point, first, second = np.intersect1d(lower.point, upper.point, assume_unique=True, return_indices=True)

    def linear(a: FloatArray, b: FloatArray) -> FloatArray:
        return (1.0 - weight) * a[first] + weight * b[second]

    def geometric(a: FloatArray, b: FloatArray) -> FloatArray:
        # not exp of logs: a rate may be zero
        return a[first] ** (1.0 - weight) * b[second] ** weight

    wind = None
    if lower.log_temperature_wind is not None and upper.log_temperature_wind is not None:
        wind = linear(lower.log_temperature_wind, upper.log_temperature_wind)
    return Track(
        initial_mass=initial_mass,
        age=geometric(lower.age, upper.age),
        mass=geometric(lower.mass, upper.mass),
        mass_loss_rate=geometric(lower.mass_loss_rate, upper.mass_loss_rate),
        log_luminosity=linear(lower.log_luminosity, upper.log_luminosity),
        log_temperature=linear(lower.log_temperature, upper.log_temperature),
        log_temperature_wind=wind,
        radius=geometric(lower.radius, upper.radius),
        surface=mean_surface(lower.surface[first], upper.surface[second], weight),
        center=linear(lower.center, upper.center),
        point=point,
        nuclides=lower.nuclides,
        primary_points=tuple(n for n in lower.primary_points if n in upper.primary_points),
        filled=lower.filled or upper.filled,
        source=f"interpolated between {lower.source} and {upper.source}",
        sha256="",
    )


def mean_surface(lower: FloatArray, upper: FloatArray, weight: float) -> FloatArray:
    """Mass fractions between two surfaces: linear means, which keep the sum.

    Parameters
    ----------
    lower, upper : ndarray, shape (rows, nuclides)
        Mass fractions.
    weight : float
        0 for the lower one, 1 for the upper.
    """
    mean = (1.0 - weight) * lower + weight * upper
    return np.maximum(mean, 0.0)  # printed digits leave some a little below zero
