"""Terminal velocities of winds of any phase, and how much of the wind energy they leave in doubt."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..constants import SPEED_OF_LIGHT_KM_S
from ..errors import ModelError
from ..extensions import describe_failure
from .recipes import DEFAULT_RECIPE, Mask, WindRecipe, o_star_velocity, rsg_velocity, wind_recipe
from .winds import Floats, StellarSurface, WindPhase

OBSERVED_WR_RANGE = (740.0, 5500.0)
"""Slowest and fastest observed Wolf-Rayet winds [km/s], as given by the design of this package."""


@dataclass(frozen=True)
class TerminalVelocities:
    """Terminal velocities, with what should be known of them; all arrays have the shape of the surface.

    Attributes
    ----------
    velocity : array
        [km/s].
    phase : array of int8
        Codes of `WindPhase`.
    wolf_rayet : array of bool
        Phases WN and WC.
    outside_range : array of bool
        Wolf-Rayet winds slower or faster than any observed one, `OBSERVED_WR_RANGE`.
    outside_domain : array of bool
        Rows for which the recipe was used but not made.
    clipped : array of bool
        Rows whose Gamma_e was clipped.
    recipe : str
        Name of the recipe.
    """

    velocity: Floats
    phase: NDArray[np.int8]
    wolf_rayet: Mask
    outside_range: Mask
    outside_domain: Mask
    clipped: Mask
    recipe: str

    def energy_shares(self, mass_loss_rate: ArrayLike, weights: ArrayLike = 1.0) -> EnergyShares:
        """Shares of the wind energy for which the recipe is in doubt.

        Parameters
        ----------
        mass_loss_rate : float or array
            [Msun/yr].
        weights : float or array
            Time that each row stands for, times the number of stars.

        Raises
        ------
        ModelError
            If the winds carry no energy.
        """
        mass = np.asarray(mass_loss_rate, dtype=np.float64) * np.asarray(weights, dtype=np.float64)
        energy = np.broadcast_to(mass * self.velocity**2, self.velocity.shape)
        total = float(np.sum(energy))
        if not (np.isfinite(total) and np.all(energy >= 0.0) and total > 0.0):
            raise ModelError(
                f"the winds of recipe {self.recipe!r} carry the energy {total!r} (Msun km^2/s^2), or parts below zero",
                remedy="give mass-loss rates that are above zero for loss, and weights that are not negative",
            )

        def share(rows: Mask) -> float:
            return float(np.sum(energy[rows])) / total

        return EnergyShares(
            share(self.wolf_rayet),
            share(self.outside_range),
            share(self.outside_domain),
            share(self.clipped),
            int(np.sum(self.clipped)),
            self.recipe,
        )


@dataclass(frozen=True)
class EnergyShares:
    """Shares of the whole wind energy, from 0 to 1.

    Attributes
    ----------
    wolf_rayet : float
        Share of the phases WN and WC.
    outside_range : float
        Share of Wolf-Rayet winds whose speed no observed one has.
    outside_domain : float
        Share of rows for which the recipe was not made.
    clipped : float
        Share of rows whose Gamma_e was clipped.
    clipped_count : int
        Number of these rows.
    recipe : str
        Name of the recipe.
    """

    wolf_rayet: float
    outside_range: float
    outside_domain: float
    clipped: float
    clipped_count: int
    recipe: str


def terminal_velocity(surface: StellarSurface, recipe: str | WindRecipe = DEFAULT_RECIPE) -> TerminalVelocities:
    """Terminal velocities of winds of any phase.

    Parameters
    ----------
    surface : StellarSurface
        Surfaces of stars, of any shape.
    recipe : str or WindRecipe
        For the phases WN and WC; see `wind_recipe`.

    Raises
    ------
    ConfigError
        If there is no such recipe.
    ModelError
        If a velocity is not above zero and below that of light, or a recipe fails; names recipe, phase and row.
    """
    chosen = wind_recipe(recipe) if isinstance(recipe, str) else recipe
    phase = surface.phase
    velocity = np.full(phase.shape, np.nan)
    branches = (
        WindRecipe("O-star branch", o_star_velocity, phases=(WindPhase.O,)),
        WindRecipe("RSG branch", rsg_velocity, phases=(WindPhase.RSG,)),
        chosen,
    )
    outside_domain = np.zeros(phase.shape, dtype=bool)
    for branch in branches:
        rows = _in_phases(phase, branch.phases)
        if np.any(rows):
            velocity[rows], inside = _applied(branch, surface.select(rows))
            outside_domain[rows] = ~inside
    wolf_rayet = _in_phases(phase, (WindPhase.WN, WindPhase.WC))
    slowest, fastest = OBSERVED_WR_RANGE
    return TerminalVelocities(
        velocity,
        phase,
        wolf_rayet,
        wolf_rayet & ((velocity < slowest) | (velocity > fastest)),
        outside_domain,
        surface.clipped,
        chosen.name,
    )


def _in_phases(phase: NDArray[np.int8], wanted: tuple[WindPhase, ...]) -> Mask:
    return np.asarray(np.logical_or.reduce([phase == int(one) for one in wanted]))


def _applied(branch: WindRecipe, surface: StellarSurface) -> tuple[Floats, Mask]:
    """Velocities of one branch, refused unless they are usable, and where the branch was made for such stars."""
    inside = np.ones(surface.mass.shape, dtype=bool)
    try:
        with np.errstate(all="ignore"):  # what goes wrong shows in the result, and is named below
            result = np.asarray(branch.function(surface), dtype=np.float64)
            if branch.domain is not None:
                inside = np.asarray(branch.domain(surface), dtype=bool)
    except Exception as error:
        raise ModelError(
            f"the wind recipe {branch.name!r} fails: {describe_failure(error)}", remedy="correct the recipe"
        ) from error
    for what, values in (("velocities", result), ("a domain", inside)):
        if values.shape != surface.mass.shape:
            raise ModelError(
                f"the wind recipe {branch.name!r} gave {what} of shape {values.shape} for {surface.mass.shape} stars",
                remedy="give one value for each row",
            )
    bad = np.flatnonzero(~((result > 0.0) & (result < SPEED_OF_LIGHT_KM_S)))  # a speed in cm/s or m/s shows here
    if bad.size:
        i = bad[0]
        raise ModelError(
            f"the wind recipe {branch.name!r} gave v_inf = {result[i]} km/s for a star with "
            f"M = {surface.mass[i]:g} Msun, L = {surface.luminosity[i]:g} Lsun, "
            f"Teff = {surface.effective_temperature[i]:g} K, "
            f"X = {surface.hydrogen[i]:g}, Y = {surface.helium[i]:g}, Z = {surface.metals[i]:g}",
            remedy="give km/s, above zero and below the speed of light; correct the track, or choose another recipe",
        )
    return result, inside
