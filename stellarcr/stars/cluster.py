"""The collective wind of a star cluster: sums over all its stars, on common intervals of age.

All stars are born together; nothing is stochastic. What each star has lost by an age is interpolated between the rows
of its track, so that sums over intervals hold the mass, momentum and energy of all winds exactly. A star of the
quadrature stands for others that are a little older or younger at each stage: it blows its wind several times, with
ages stretched as lifetimes are within its part of a panel. Else eruptions and deaths would come in lumps.
Source: Qiu, Lin & Yang, arXiv:2605.31362.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import csr_array

from ..errors import ParameterError
from .history import WindHistory, birth_age, star_wind
from .imf import InitialMassFunction, check_upper_mass
from .mass_mesh import mass_panels
from .recipes import DEFAULT_RECIPE, WindRecipe, wind_recipe
from .tracks import FloatArray, TrackGrid
from .wind_composition import check_iron

CLUSTER_MASS = 3e4
"""Default mass of a cluster [Msun] (Qiu, Lin & Yang, arXiv:2605.31362)."""

LAST_AGE = 4e7
"""Default end of a cluster's history [yr]."""

MASS_STEP = 0.07
"""Default step of the quadrature over stars in ln M0; see `stellarcr.stars.mass_mesh`. Each panel holds two stars.

Measured on H, He, C and O with `nugis-lamers`, eta_B = 0.01, Bohm, and half the step. MIST: spectra of clusters to
5 Myr, of WR and of O-type winds change by less than 0.3% where they are above 1e-4 of the power law, cutoffs by less
than 0.1%; those of clusters with Kraichnan turbulence by less than 0.1% above 1e-3. Steps from 0.06 to 0.075 do as
well; of the longer ones, 0.08 and 0.09 miss 0.5% in the hydrogen of WR winds (1.4 to 1.6%). GENEC's massive tracks are
six times as far apart: v40's spectra change by up to 0.4% above 1e-2 and 1.3% above 1e-4, v00's by 0.4% above 1e-4.
"""

TIME_STEP = 4e3
"""Default width of the first intervals of age [yr].

Half of it changes the spectra of clusters to 5 Myr by 0.09% above 1e-2 of the power law and 0.26% above 1e-4 (Bohm); by
0.13% and 0.6% (Kraichnan, 0.3% above 1e-3), 0.2% and 1.2% (Kolmogorov).
"""

_EVEN_UNTIL = 6e6

_LATE_FACTOR = 2.5
"""How much wider intervals are after the last Wolf-Rayet stars, over age."""

_STARS_PER_PANEL = 2

_AGES_PER_STAR = 3

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
    """Ends of intervals of age [yr]: even to 6 Myr, then 2.5 times as wide, and in proportion to age.

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
    if not (np.isfinite(last) and last > 0.0):
        raise ParameterError(f"last = {last!r} yr is not an age above zero", remedy="the default is 4e7 yr")
    if not 0.0 < step <= last:
        raise ParameterError(
            f"step = {step!r} yr is not above zero and at most the last age, {last:g} yr",
            remedy=f"the default is {TIME_STEP:g} yr",
        )
    even = min(last, _EVEN_UNTIL)
    edges = np.linspace(0.0, even, int(np.ceil(even / step * (1.0 - 1e-12))) + 1)
    if last <= even:
        return edges
    count = int(np.ceil(np.log(last / even) * even / step / _LATE_FACTOR))
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
        Largest step of the quadrature, in ln M0 and in the logarithm of the mass at the end; steps also end at each
        tabulated mass.
    iron, divisions
        As of `star_wind`.

    Returns
    -------
    iterator of (float, float, WindHistory)
        Initial mass [Msun], number of stars, and the wind of one; winds are made one by one.

    Raises
    ------
    ParameterError
        If M_up is outside the grid or an option is not a choice.
    """
    chosen = wind_recipe(recipe) if isinstance(recipe, str) else recipe
    check_iron(iron)
    nodes, numbers = _quadrature(grid, imf, stellar_mass, lowest_mass, mass_step)

    def stars() -> Iterator[tuple[float, float, WindHistory]]:
        for mass, number in zip(nodes.tolist(), numbers.tolist(), strict=True):
            yield mass, number, star_wind(grid, mass, chosen, iron=iron, divisions=divisions)

    return stars()


def _quadrature(
    grid: TrackGrid, imf: InitialMassFunction, stellar_mass: float, lowest_mass: float, mass_step: float
) -> tuple[FloatArray, FloatArray]:
    """Initial masses [Msun] and numbers of the stars that stand for all from `lowest_mass` on."""
    masses = grid.masses
    check_upper_mass(imf.upper, grid.name, float(masses[0]), float(masses[-1]))
    if not lowest_mass < imf.upper:
        raise ParameterError(
            f"lowest_mass = {lowest_mass!r} Msun is not below M_up = {imf.upper:g} Msun",
            where=f"grid {grid.name}",
            remedy=f"give a mass from {masses[0]:g} to {imf.upper:g} Msun",
        )
    lightest = max(float(masses[0]), lowest_mass)
    breaks = mass_panels(grid, mass_step) if 0.0 < mass_step < np.inf else masses  # the quadrature refuses other steps
    return imf.quadrature(lightest, step=mass_step, cluster_mass=stellar_mass, breaks=breaks, points=_STARS_PER_PANEL)


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
    ages = age_edges() if edges is None else _checked_edges(edges)
    chosen = wind_recipe(recipe) if isinstance(recipe, str) else recipe
    check_iron(iron)
    nodes, numbers = _quadrature(grid, imf, cluster_mass, 0.0, mass_step)
    total: FloatArray | None = None
    for mass, number, stretches in zip(nodes.tolist(), numbers.tolist(), _stretches(grid, nodes), strict=True):
        history = star_wind(grid, mass, chosen, iron=iron)
        # what is released between ages is taken star by star: differences of sums over all would lose digits
        released = number * np.diff(_released(history, ages, stretches), axis=0)
        if total is None:
            total, first = np.zeros((ages.size - 1, released.shape[1])), history
        total[: len(released)] += released
    if total is None:
        raise ParameterError("no star blows a wind", where=f"grid {grid.name}", remedy="raise M_up")
    return WindHistory(
        edges=ages,
        nuclides=first.nuclides,
        label=f"cluster of {cluster_mass:g} Msun",
        grid=grid.name,
        recipe=first.recipe,
        **_columns(total / np.diff(ages)[:, None], first),
    )


def _checked_edges(edges: ArrayLike) -> FloatArray:
    ages = np.array(edges, dtype=np.float64)
    if ages.ndim != 1 or ages.size < 2:
        problem = f"edges has the shape {ages.shape}"
    elif not np.all(np.isfinite(ages)):
        problem = f"edges[{int(np.argmin(np.isfinite(ages)))}] is not finite"
    elif ages[0] != 0.0:
        problem = f"edges[0] = {ages[0]:g} yr is not 0"
    elif np.any(np.diff(ages) <= 0.0):
        row = int(np.argmax(np.diff(ages) <= 0.0)) + 1
        problem = f"edges[{row}] = {ages[row]:g} yr is not above edges[{row - 1}] = {ages[row - 1]:g} yr"
    else:
        return ages
    raise ParameterError(
        problem,
        where="ages of a cluster",
        remedy="give two or more ages [yr] that increase from 0, as age_edges(last, step) does",
    )


def _columns(matrix: FloatArray, like: WindHistory) -> dict[str, FloatArray]:
    """The columns of a matrix, named and shaped as those of a history."""
    shapes = [getattr(like, name).shape[1:] for name in _COLUMNS]
    parts = np.split(matrix, np.cumsum([shape[0] if shape else 1 for shape in shapes])[:-1], axis=1)
    return {name: part if shape else part[:, 0] for name, shape, part in zip(_COLUMNS, shapes, parts, strict=True)}


def _stretches(grid: TrackGrid, nodes: FloatArray) -> FloatArray:
    """Factors of age by which stars blow their winds, shape (nodes, _AGES_PER_STAR).

    They belong to masses that are evenly spaced in each panel, half of them to each of its two stars; ages go with the
    mass as lifetimes do between the tabulated neighbours.
    """
    logs = np.log(nodes).reshape(-1, _STARS_PER_PANEL)
    half_width = 0.5 * np.sqrt(3.0) * np.diff(logs)  # Gauss-Legendre: two nodes at 1/sqrt(3) of it
    count = _STARS_PER_PANEL * _AGES_PER_STAR
    places = logs.mean(axis=1, keepdims=True) + half_width * ((2.0 * np.arange(count) + 1.0) / count - 1.0)
    distance = places.reshape(-1, _AGES_PER_STAR) - logs.reshape(-1, 1)
    lifetimes = np.log([track.age[-1] - birth_age(track, grid) for track in grid.tracks])
    slopes = np.diff(lifetimes) / np.diff(np.log(grid.masses))
    return np.asarray(np.exp(slopes[np.searchsorted(grid.masses, nodes) - 1, None] * distance))


def _released(history: WindHistory, ages: FloatArray, stretches: FloatArray) -> FloatArray:
    """What a star has released by each age until its end: mass, momentum, energies; rates times years.

    Mean over the factors by which its ages are stretched.
    """
    rates = np.concatenate([np.reshape(getattr(history, name), (len(history), -1)) for name in _COLUMNS], axis=1)
    steps = rates * history.duration[:, None]
    sums = np.concatenate([np.zeros((1, steps.shape[1])), np.cumsum(steps, axis=0)])
    end = history.edges[-1]
    count = min(int(np.searchsorted(ages, end * np.max(stretches))) + 1, ages.size)
    lived = np.minimum(ages[:count, None] / stretches, end).ravel()
    row = np.clip(np.searchsorted(history.edges, lived, side="right") - 1, 0, len(history) - 1)
    share = (lived - history.edges[row]) / history.duration[row]
    # before the interval of each age, and in it; apart, so that what has ended stays the same to the last digit
    begins = np.arange(count + 1) * stretches.size
    before = csr_array((np.ones(row.size), row, begins), shape=(count, len(sums)))
    inside = csr_array((share, row, begins), shape=(count, len(steps)))
    return np.asarray(before @ sums + inside @ steps) / stretches.size
