"""The steps of injection of a population from stellar evolution, and what is merged before its table is made."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..shock.acceleration import spectral_moments
from ..shock.nuclides import WindNuclides
from ..shock.sources import WindSteps, bubble_of, steps_of_stars, steps_of_wind
from ..stars.cluster import LAST_AGE, age_edges, collective_wind, stars_of
from ..stars.imf import kroupa
from ..stars.recipes import WindRecipe
from ..stars.tracks import TrackGrid
from .stellar_options import StellarOptions

Floats = NDArray[np.float64]

RIGIDITY_STEP = 0.004
"""Distance of the values of ln R_max to which steps are moved."""

ENERGY_WIDTH = 0.01
"""Width of the classes of compositions that are merged, in the logarithms of two mean energies per nucleus."""

CLASS_INDICES = (-2.6, -1.6)
"""Injection indices of these energies: the ends of what winds are thought to have."""


def stellar_steps(options: StellarOptions, grid: TrackGrid, recipe: WindRecipe) -> WindSteps:
    """All steps of injection of the stars or of the cluster.

    Parameters
    ----------
    options : StellarOptions
        What is wanted. Steps are those of `StellarOptions.cluster_mass` of stars.
    grid : TrackGrid
        The grid that they name.
    recipe : WindRecipe
        The recipe that they name.

    Raises
    ------
    ParameterError
        If M_up is outside the grid.
    """
    imf = kroupa(float(options.M_up or 0.0))
    follow = options.turbulence != "bohm"
    if options.kind == "msc":
        edges = age_edges(min(options.age_limit or LAST_AGE, LAST_AGE))
        wind = collective_wind(grid, imf, recipe, cluster_mass=options.cluster_mass, edges=edges, iron=options.iron)
        return steps_of_wind(wind, bubble=bubble_of(wind, options.medium) if follow else None)
    stars = stars_of(grid, imf, recipe, stellar_mass=options.cluster_mass, iron=options.iron)
    steps = steps_of_stars(stars, bubbles=follow, medium=options.medium)
    wanted = steps.stripped if options.kind == "wr_wind" else ~steps.stripped
    return steps.select(wanted & (steps.age <= (options.age_limit or np.inf)))


@dataclass(frozen=True, eq=False)
class MergedSteps:
    """Steps whose R_max and composition are nearly the same, as one.

    Attributes
    ----------
    log_cutoff : ndarray, shape (n,)
        ln(R_max/GV) at eta_B = 1, on evenly spaced values, in ascending order.
    energy : ndarray, shape (n,)
        Mechanical energy, relative to the sum of all.
    fractions : ndarray, shape (n, n_nuclides)
        Number fractions, mean weighted by the number of nuclei.
    nuclides : WindNuclides
        Columns of `fractions`.
    """

    log_cutoff: Floats
    energy: Floats
    fractions: Floats
    nuclides: WindNuclides

    @property
    def reference(self) -> float:
        """Mean of `log_cutoff` weighted by energy."""
        return float(np.sum(self.energy * self.log_cutoff))


def merge_steps(steps: WindSteps, cutoff: Floats) -> MergedSteps:
    """Merge steps in narrow bins of R_max and of the mean energy per nucleus.

    Each step is shared between the two nearest of evenly spaced values of ln R_max so that its mean stays, and those
    with nearly the same energies per nucleus are added up. Energy and numbers of nuclei at gamma = -2 are kept exactly;
    what is lost is of second order.

    Parameters
    ----------
    steps : WindSteps
        All steps.
    cutoff : ndarray, shape (n,)
        Their R_max at eta_B = 1 [GV].
    """
    nuclides = steps.nuclides
    energy = steps.weight * steps.luminosity
    per_nucleus, *classes = (
        steps.fractions @ (moment[0] / moment[0, 0])
        for moment in (
            spectral_moments(np.array([1e5]), gamma, nuclides.charge, nuclides.mass)[1]
            for gamma in (-2.0, *CLASS_INDICES)
        )
    )
    position = np.log(cutoff) / RIGIDITY_STEP
    below = np.floor(position)
    share = position - below
    node = np.concatenate([below, below + 1.0])
    energy = np.concatenate([energy * (1.0 - share), energy * share])
    per_nucleus = np.tile(per_nucleus, 2)
    alike = np.stack([node, *(np.tile(np.floor(np.log(energy) / ENERGY_WIDTH), 2) for energy in classes)], axis=1)
    kept, member = np.unique(alike[energy > 0.0], axis=0, return_inverse=True)
    member = member.ravel()
    number = (energy / per_nucleus)[energy > 0.0]
    columns = np.tile(steps.fractions, (2, 1))[energy > 0.0].T
    nuclei = np.bincount(member, number)
    return MergedSteps(
        log_cutoff=kept[:, 0] * RIGIDITY_STEP,
        energy=np.bincount(member, energy[energy > 0.0]) / np.sum(energy),
        fractions=np.stack([np.bincount(member, number * column) for column in columns], axis=1) / nuclei[:, None],
        nuclides=nuclides,
    )
