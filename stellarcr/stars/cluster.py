"""The collective wind of a star cluster: sums over all its stars, on common intervals of age.

All stars are born together; nothing is stochastic. What each star has lost by an age is interpolated between the rows
of its track, so that sums over intervals hold the mass, momentum and energy of all winds exactly.
Source: Qiu, Lin & Yang, arXiv:2605.31362.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike

from ..errors import ParameterError
from .history import WindHistory, star_wind
from .imf import InitialMassFunction, check_upper_mass
from .recipes import DEFAULT_RECIPE, WindRecipe, wind_recipe
from .tracks import FloatArray, TrackGrid

CLUSTER_MASS = 3e4
"""Default mass of a cluster [Msun] (Qiu, Lin & Yang, arXiv:2605.31362)."""

LAST_AGE = 4e7
"""Default end of a cluster's history [yr]."""

MASS_STEP = 0.05
"""Default step in ln M0 of the quadrature over stars; each step holds four stars."""

TIME_STEP = 1e4
"""Default width of the first intervals of age [yr]."""

_EVEN_UNTIL = 6e6

_COLUMNS = (
    "mass_loss",
    "momentum_flux",
    "luminosity",
    "nuclide_loss",
    "phase_luminosity",
    "stripped_luminosity",
    "doubtful_luminosity",
)


def age_edges(last: float = LAST_AGE, step: float = TIME_STEP) -> FloatArray:
    """Ends of intervals of age [yr]: even to 6 Myr, then growing in proportion to age.

    Parameters
    ----------
    last : float
        The last end [yr].
    step : float
        Width of the first intervals [yr].

    Raises
    ------
    ParameterError
        If `last` or `step` is not above zero, or `step` is above `last`.
    """
    if not (np.isfinite(last) and 0.0 < step <= last):
        raise ParameterError(
            f"intervals of {step!r} yr up to an age of {last!r} yr",
            remedy="give an age above zero and a shorter step; the defaults are 4e7 and 1e4 yr",
        )
    even = min(last, _EVEN_UNTIL)
    edges = np.linspace(0.0, even, int(np.ceil(even / step * (1.0 - 1e-12))) + 1)
    if last <= even:
        return edges
    count = int(np.ceil(np.log(last / even) * even / step))
    return np.concatenate([edges, np.geomspace(even, last, count + 1)[1:]])


def stars_of(
    grid: TrackGrid,
    imf: InitialMassFunction,
    recipe: str | WindRecipe = DEFAULT_RECIPE,
    *,
    stellar_mass: float = CLUSTER_MASS,
    lowest_mass: float = 0.0,
    mass_step: float = MASS_STEP,
    iron: str = "tabulated",
    divisions: int = 1,
) -> Iterator[tuple[float, float, WindHistory]]:
    """The winds of the stars that stand for an initial mass function.

    Parameters
    ----------
    grid : TrackGrid
        Tracks; stars below its lightest blow no wind.
    imf : InitialMassFunction
        How many stars of which mass; its highest mass is M_up.
    recipe : str or WindRecipe
        For Wolf-Rayet winds.
    stellar_mass : float
        Mass of all stars together at birth [Msun].
    lowest_mass : float
        Leave lighter stars out [Msun]; by default all from the grid's lightest on are taken.
    mass_step : float
        Step in ln M0 of the quadrature, which also stops at each tabulated mass.
    iron, divisions
        As of `star_wind`.

    Yields
    ------
    tuple of (float, float, WindHistory)
        Initial mass [Msun], number of stars, and the wind of one.

    Raises
    ------
    ParameterError
        If M_up is outside the grid or an option is not a choice.
    """
    masses = grid.masses
    check_upper_mass(imf.upper, grid.name, float(masses[0]), float(masses[-1]))
    chosen = wind_recipe(recipe) if isinstance(recipe, str) else recipe
    nodes, numbers = imf.quadrature(
        max(float(masses[0]), lowest_mass), step=mass_step, cluster_mass=stellar_mass, breaks=masses
    )
    for mass, number in zip(nodes.tolist(), numbers.tolist(), strict=True):
        yield mass, number, star_wind(grid, mass, chosen, iron=iron, divisions=divisions)


def collective_wind(
    grid: TrackGrid,
    imf: InitialMassFunction,
    recipe: str | WindRecipe = DEFAULT_RECIPE,
    *,
    cluster_mass: float = CLUSTER_MASS,
    edges: ArrayLike | None = None,
    mass_step: float = MASS_STEP,
    iron: str = "tabulated",
) -> WindHistory:
    """The wind of a cluster as a whole.

    F = sum of mdot v, L = sum of mdot v^2/2 and V = F / sum of mdot over the stars that are alive; the composition is
    weighted with mdot.

    Parameters
    ----------
    grid, imf, recipe, mass_step, iron
        As of `stars_of`.
    cluster_mass : float
        Mass of all stars at birth [Msun].
    edges : array_like, optional
        Ends of the intervals of age [yr], from 0; default `age_edges()`.

    Returns
    -------
    WindHistory
        On these intervals.

    Raises
    ------
    ParameterError
        If M_up is outside the grid, the ages do not increase from 0, or an option is not a choice.
    """
    ages = age_edges() if edges is None else np.array(edges, dtype=np.float64)
    if ages.ndim != 1 or ages.size < 2 or ages[0] != 0.0 or not np.all(np.diff(ages) > 0.0):
        raise ParameterError("the ages of a cluster do not increase from 0", remedy="use age_edges(last, step)")
    released = np.zeros(0)
    history = None
    for _, number, history in stars_of(grid, imf, recipe, stellar_mass=cluster_mass, mass_step=mass_step, iron=iron):
        share = number * _released(history, ages)
        released = released + share if released.size else share
    if history is None:
        raise ParameterError("no star blows a wind", where=f"grid {grid.name}", remedy="raise M_up")
    rates = np.diff(released, axis=0) / np.diff(ages)[:, None]
    shapes = [getattr(history, name).shape[1:] for name in _COLUMNS]
    ends = np.cumsum([shape[0] if shape else 1 for shape in shapes])
    parts = np.split(rates, ends[:-1], axis=1)
    columns = {name: part if shape else part[:, 0] for name, shape, part in zip(_COLUMNS, shapes, parts, strict=True)}
    return WindHistory(
        edges=ages,
        nuclides=history.nuclides,
        label=f"cluster of {cluster_mass:g} Msun",
        grid=grid.name,
        recipe=history.recipe,
        **columns,
    )


def _released(history: WindHistory, ages: FloatArray) -> FloatArray:
    """What a star has released by each age: mass, momentum, energies; rates times years, shape (ages, columns)."""
    rates = np.concatenate([np.reshape(getattr(history, name), (len(history), -1)) for name in _COLUMNS], axis=1)
    steps = rates * history.duration[:, None]
    sums = np.concatenate([np.zeros((1, steps.shape[1])), np.cumsum(steps, axis=0)])
    inside = np.clip(ages, 0.0, history.edges[-1])
    row = np.clip(np.searchsorted(history.edges, inside, side="right") - 1, 0, len(history) - 1)
    return sums[row] + rates[row] * (inside - history.edges[row])[:, None]
