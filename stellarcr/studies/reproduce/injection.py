"""What individual winds and clusters inject, for several items: steps, coefficients by element, cutoffs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import cast

import numpy as np
from numpy.typing import NDArray

from ...errors import ParameterError
from ...shock.cutoff import EffectiveCutoff, effective_cutoff
from ...shock.injection import equal_rigidity_abundances
from ...shock.sources import CLUSTER_AGE_LIMIT, WindSteps, steps_of_stars, steps_of_wind
from ...stars.cluster import age_edges, collective_wind, stars_of
from ...stars.history import WindHistory
from ...stars.imf import CLUSTER_UPPER_MASS, WIND_UPPER_MASS, kroupa
from .items import Settings

Floats = NDArray[np.float64]

ETA_B = 0.01
"""Share of wind power in magnetic field where the paper does not vary it."""

SURVEY_STEP = 0.2
"""Step in ln M0 for what is repeated with other grids, recipes or M_up: abundances and cutoffs change by up to 1.3%."""

_NODES_PER_E_FOLD = 100


def highest_mass(settings: Settings, wanted: float) -> float:
    """M_up [Msun]: what is wanted, or the heaviest star of a grid that does not reach so far."""
    return min(wanted, float(settings.tracks.masses[-1]))


def upper_mass_note(settings: Settings) -> str:
    """Which M_up was used, in one sentence."""
    stars, cluster = (highest_mass(settings, mass) for mass in (WIND_UPPER_MASS, CLUSTER_UPPER_MASS))
    note = f"M_up = {stars:g} Msun for individual winds, {cluster:g} Msun for clusters"
    short = cluster < CLUSTER_UPPER_MASS
    return f"{note}, the heaviest star of this grid, where the paper has {CLUSTER_UPPER_MASS:g}" if short else note


@dataclass(frozen=True, eq=False)
class Injected:
    """What steps inject in total at one eta_B, as sums of exponentials.

    Attributes
    ----------
    elements : tuple of str
        Rows of `coefficients`.
    coefficients : ndarray, shape (n_elements, n)
        See `stellarcr.shock.injection.integrated_amplitude` [1/GV].
    cutoff : ndarray, shape (n,)
        R_max of the terms [GV].
    """

    elements: tuple[str, ...]
    coefficients: Floats
    cutoff: Floats

    def select(self, terms: NDArray[np.bool_]) -> Injected:
        """The terms where `terms` is true."""
        return Injected(self.elements, self.coefficients[:, terms], self.cutoff[terms])

    def only(self, *elements: str) -> Injected:
        """Some elements, in the order given."""
        return Injected(elements, self.coefficients[[self.elements.index(e) for e in elements]], self.cutoff)

    def gathered(self) -> Injected:
        """The same spectra from fewer terms, on nodes that are even in ln R_max.

        Each term is shared by the two nodes next to it so that its mean ln R_max is kept: spectra and effective cutoffs
        change by about the square of the spacing, 1e-4.
        """
        used = np.any(self.coefficients > 0.0, axis=0)
        coefficients, position = self.coefficients[:, used], np.log(self.cutoff[used]) * _NODES_PER_E_FOLD
        if not position.size:
            return Injected(self.elements, coefficients, self.cutoff[used])
        start = int(np.floor(position.min()))
        place = np.floor(position).astype(int) - start
        upper = position - start - place
        size = int(place.max()) + 2
        sums = [
            np.bincount(place, row * (1.0 - upper), size) + np.bincount(place + 1, row * upper, size)
            for row in coefficients
        ]
        return Injected(self.elements, np.array(sums), np.exp((start + np.arange(size)) / _NODES_PER_E_FOLD))

    @property
    def effective_cutoff(self) -> EffectiveCutoff:
        """Effective cutoffs of the elements [GV]."""
        return effective_cutoff(self.coefficients, self.cutoff)

    @property
    def abundances(self) -> dict[str, float]:
        """Number fractions at equal rigidity, far below the cutoffs."""
        return dict(zip(self.elements, equal_rigidity_abundances(self.coefficients).tolist(), strict=True))


def injected(
    steps: WindSteps, eta_B: float = ETA_B, turbulence: str = "bohm", coherence_length: float | None = None
) -> Injected:
    """What steps inject with gamma = -2 and eta_acc = 0.1, by element; the coherence length is in pc."""
    cutoff = steps.maximum_rigidity(eta_B, turbulence, coherence_length)
    coefficients = np.asarray(steps.nuclides.sum_isotopes(steps.coefficients(cutoff), axis=-2))
    return Injected(steps.nuclides.elements, coefficients, cutoff)


@dataclass(frozen=True, eq=False)
class StarSteps:
    """Steps of the individual winds of all stars, with the star of every step.

    Attributes
    ----------
    steps : WindSteps
        Of all stars.
    mass : ndarray, shape (n,)
        Initial mass of the star of every step [Msun].
    """

    steps: WindSteps
    mass: Floats

    def below(self, upper: float) -> NDArray[np.bool_]:
        """Steps of the stars below a mass [Msun]."""
        return self.mass < upper


def star_steps(settings: Settings, upper: float) -> StarSteps:
    """Individual winds of the stars of a cluster of 3e4 Msun up to a mass [Msun]; computed once."""
    return cast(StarSteps, settings.once(f"star steps to {upper:g}", lambda: _star_steps(settings, upper)))


def _star_steps(settings: Settings, upper: float) -> StarSteps:
    top = highest_mass(settings, CLUSTER_UPPER_MASS)
    if upper > top:
        raise ParameterError(
            f"M_up = {upper:g} Msun is above the heaviest star taken, {top:g} Msun",
            where=f"grid {settings.grid}",
            remedy=f"give an M_up of at most {top:g} Msun",
        )
    if upper < top and upper in settings.tracks.masses:
        # the quadrature stops at every tabulated mass, so that a lower M_up changes its norm only
        whole = star_steps(settings, top)
        rows = whole.below(upper)
        part = whole.steps.select(rows)
        norm = float(kroupa(upper).density(settings.tracks.masses[0]) / kroupa(top).density(settings.tracks.masses[0]))
        part = WindSteps(**{**vars(part), "weight": part.weight * norm})
        return StarSteps(part, whole.mass[rows])
    stars = list(stars_of(settings.tracks, kroupa(upper), settings.wind_recipe, iron=settings.iron))
    counts = [int(np.count_nonzero(history.luminosity > 0.0)) for _, _, history in stars]
    return StarSteps(steps_of_stars(stars), np.repeat([mass for mass, _, _ in stars], counts))


def star_populations(settings: Settings, upper: float | None = None) -> dict[str, WindSteps]:
    """Individual winds by source population: ``O-type``, ``WR`` and both, ``O + WR``; `upper` is M_up [Msun]."""
    steps = star_steps(settings, highest_mass(settings, upper or WIND_UPPER_MASS)).steps
    return {"O-type": steps.select(~steps.stripped), "WR": steps.select(steps.stripped), "O + WR": steps}


def cluster_wind(settings: Settings, upper: float) -> WindHistory:
    """The collective wind of a cluster of 3e4 Msun to its end; computed once. M_up [Msun]."""

    def make() -> WindHistory:
        return collective_wind(settings.tracks, kroupa(upper), settings.wind_recipe, iron=settings.iron)

    return cast(WindHistory, settings.once(f"cluster to {upper:g}", make))


def cluster_steps(settings: Settings, upper: float | None = None, last_age: float = CLUSTER_AGE_LIMIT) -> WindSteps:
    """Steps of the collective wind up to an age [yr]; by default the first 5 Myr, with M_up = 150 Msun."""
    steps = steps_of_wind(cluster_wind(settings, upper or highest_mass(settings, CLUSTER_UPPER_MASS)))
    return steps.select(steps.age < last_age)


def survey(settings: Settings, grid: str, recipe: str) -> tuple[WindSteps, WindSteps]:
    """Individual winds, and clusters in their first 5 Myr, with another grid or recipe, from fewer stars."""
    return cast(
        tuple[WindSteps, WindSteps],
        settings.once(f"survey {grid} {recipe}", lambda: _survey(replace(settings, grid=grid, recipe=recipe))),
    )


def _survey(settings: Settings) -> tuple[WindSteps, WindSteps]:
    stars, cluster = (kroupa(highest_mass(settings, mass)) for mass in (WIND_UPPER_MASS, CLUSTER_UPPER_MASS))
    tracks, recipe, iron = settings.tracks, settings.wind_recipe, settings.iron
    edges = age_edges(CLUSTER_AGE_LIMIT)
    wind = collective_wind(tracks, cluster, recipe, edges=edges, iron=iron, mass_step=SURVEY_STEP)
    steps = steps_of_stars(stars_of(tracks, stars, recipe, iron=iron, mass_step=SURVEY_STEP))
    return steps, steps_of_wind(wind)
