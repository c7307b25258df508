"""From winds to what injects: the steps of a star, of all stars of a mass function, or of a cluster.

A step is an interval of age of one wind, with its termination shock. Everything that is injected is a sum over steps
(`stellarcr.shock.injection`). Two source populations are made of individual winds, O-type and WR, by what the surface
of the star is made of; star clusters are a third.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..constants import PARSEC, YEAR
from ..errors import ModelError, ParameterError, nearest
from ..stars.history import WindHistory
from .acceleration import TURBULENCE, maximum_rigidity
from .bubble import Bubble, Medium, shocked_wind_pressure, solve_bubble
from .injection import EnergyBudget, energy_budget, injection_amplitude, integrated_amplitude
from .nuclides import WindNuclides

_PARSEC_CM = 100.0 * PARSEC

Floats = NDArray[np.float64]

CLUSTER_AGE_LIMIT = 5e6
"""Age up to which clusters inject in the abundances of Qiu, Lin & Yang, arXiv:2605.31362 [yr]."""


_BUBBLE_TOLERANCE = 1e-7
"""Relative error of a step of a bubble: keeps radii and energies to 3e-7, far better than the wind is known.

The shell of a light star swings about pressure equilibrium: its bubble takes 8000 steps at 1e-9, 4000 at 1e-7.
"""


@dataclass(frozen=True, eq=False)
class WindSteps:
    """Steps of injection, in any order; every array has one entry per step.

    Attributes
    ----------
    weight : ndarray, shape (n,)
        Duration times number of stars [yr].
    age : ndarray, shape (n,)
        Middle of the interval [yr since the zero-age main sequence].
    luminosity : ndarray, shape (n,)
        Mechanical luminosity L of one wind [erg/s].
    velocity : ndarray, shape (n,)
        V [km/s].
    shock_radius : ndarray, shape (n,)
        R_s [pc]; NaN where it was not asked for.
    fractions : ndarray, shape (n, n_nuclides)
        Number fractions of the nuclides in the wind.
    stripped : ndarray of bool, shape (n,)
        Whether the step belongs to the source population WR.
    nuclides : WindNuclides
        Columns of `fractions`.
    """

    weight: Floats
    age: Floats
    luminosity: Floats
    velocity: Floats
    shock_radius: Floats
    fractions: Floats
    stripped: NDArray[np.bool_]
    nuclides: WindNuclides

    def __len__(self) -> int:
        return self.weight.size

    def select(self, rows: NDArray[np.bool_]) -> WindSteps:
        """The steps where `rows` is true."""
        arrays = {f.name: getattr(self, f.name)[rows] for f in fields(self) if f.name != "nuclides"}
        return replace(self, **arrays)

    @property
    def energy(self) -> float:
        """Mechanical energy of all steps [erg]."""
        return float(np.sum(self.weight * self.luminosity)) * YEAR

    def maximum_rigidity(
        self, eta_B: ArrayLike, turbulence: str = "bohm", coherence_length: float | None = None
    ) -> Floats:
        """R_max of the steps [GV]; parameters as of `stellarcr.shock.acceleration.maximum_rigidity`."""
        if turbulence not in TURBULENCE:
            raise ParameterError(f"unknown turbulence {turbulence!r}", remedy=nearest(turbulence, TURBULENCE))
        unknown = np.isnan(self.shock_radius)
        if turbulence != "bohm" and np.any(unknown):
            raise ParameterError(
                f"turbulence {turbulence!r} needs the shock's radius, "
                f"which {int(unknown.sum())} of {len(self)} steps lack",
                remedy="make them with steps_of_wind(history, bubble=bubble_of(history)) or "
                "steps_of_stars(stars, bubbles=True); 'bohm' needs none",
            )
        radius = np.where(unknown, 0.0, self.shock_radius)
        return np.asarray(
            maximum_rigidity(self.luminosity, self.velocity, radius, np.asarray(eta_B), turbulence, coherence_length)
        )

    def coefficients(self, cutoff: Floats, gamma: float = -2.0, eta_acc: float = 0.1) -> Floats:
        """Coefficients of the sum of exponentials that the steps inject in total.

        Parameters
        ----------
        cutoff : ndarray, shape (n,)
            R_max of the steps [GV].
        gamma, eta_acc : float
            Injection index, and share of the power in cosmic rays.

        Returns
        -------
        ndarray, shape (n_nuclides, n)
            [1/GV]; see `stellarcr.shock.injection.integrated_amplitude`.
        """
        amplitude = injection_amplitude(
            self.luminosity, cutoff, self.fractions, self.nuclides.charge, self.nuclides.mass, gamma, eta_acc
        )
        return np.asarray(integrated_amplitude(amplitude, self.weight))

    def energy_budget(self, cutoff: Floats, eta_acc: float = 0.1) -> EnergyBudget:
        """Energy for cosmic rays, and its part that is lost where R_max is below 1 GV [erg]."""
        return energy_budget(self.luminosity, cutoff, self.weight, eta_acc=eta_acc)


def bubble_of(history: WindHistory, medium: Medium | None = None, start: float = 1e4) -> Bubble:
    """The bubble of a wind; its nodes are the ends of the history's intervals.

    Parameters
    ----------
    history : WindHistory
        Of a star or a cluster. The wind of each interval is constant.
    medium : Medium, optional
        The gas around.
    start : float
        Age of the first state [yr].
    """
    ends = np.append(history.momentum_flux, 0.0), np.append(history.luminosity, 0.0)
    return solve_bubble(
        history.edges, *ends, medium=medium, interpolation="constant", start=start, tolerance=_BUBBLE_TOLERANCE
    )


def shock_radius(history: WindHistory, bubble: Bubble) -> Floats:
    """R_s in the middle of each interval [pc], NaN before the bubble's start and where no wind blows.

    R_b and E_b are continuous and are averaged over the interval's ends; pressure and R_s follow the wind at once.

    Raises
    ------
    ModelError
        If the bubble is not that of the history.
    """
    if not np.array_equal(bubble.age, history.edges):
        raise ModelError(
            f"the bubble, on {np.size(bubble.age)} ages, is not that of the wind on {len(history)} intervals",
            where=history.label,
            remedy="make it from the same history with bubble_of(history)",
        )
    radius = np.sqrt(bubble.shell_radius[:-1] * bubble.shell_radius[1:])
    energy = 0.5 * (bubble.energy[:-1] + bubble.energy[1:])
    known = np.isfinite(radius) & (history.momentum_flux > 0.0)
    flux = history.momentum_flux
    pressure = shocked_wind_pressure(np.where(known, radius, 1.0), np.where(known, energy, 0.0), flux)
    safe = np.where(known, pressure, 1.0)
    return np.where(known, np.sqrt(flux / (4.0 * np.pi * safe)) / _PARSEC_CM, np.nan)


def steps_of_wind(history: WindHistory, number: float = 1.0, bubble: Bubble | None = None) -> WindSteps:
    """The steps of one wind.

    Parameters
    ----------
    history : WindHistory
        Of a star or a cluster.
    number : float
        How many such winds there are.
    bubble : Bubble, optional
        From `bubble_of`; without it the steps know no shock radius, which Bohm diffusion does not need. Before the
        bubble's start the radius is the first one that it gives.
    """
    nuclides = WindNuclides.named(history.nuclides)
    blowing = history.luminosity > 0.0
    radius = np.full(len(history), np.nan)
    if bubble is not None:
        radius = shock_radius(history, bubble)
        known = np.flatnonzero(np.isfinite(radius))
        if known.size:
            radius[: known[0]] = radius[known[0]]
    steps = WindSteps(
        weight=number * history.duration,
        age=history.age,
        luminosity=history.luminosity,
        velocity=history.velocity,
        shock_radius=radius,
        fractions=np.asarray(nuclides.number_fractions(history.mass_fractions)),
        stripped=history.stripped,
        nuclides=nuclides,
    )
    return steps.select(blowing)


def steps_of_stars(
    stars: Iterable[tuple[float, float, WindHistory]], bubbles: bool = False, medium: Medium | None = None
) -> WindSteps:
    """The steps of individual winds of many stars, each in a bubble of its own.

    Parameters
    ----------
    stars : iterable of (float, float, WindHistory)
        From `stellarcr.stars.cluster.stars_of`.
    bubbles : bool
        Whether to follow the bubbles, which turbulences other than Bohm's need.
    medium : Medium, optional
        The gas around each star.
    """
    parts = [
        steps_of_wind(history, number, bubble_of(history, medium) if bubbles else None) for _, number, history in stars
    ]
    if not parts:
        raise ParameterError("there are no stars", remedy="raise M_up, or choose a grid that reaches lower masses")
    arrays = {
        f.name: np.concatenate([getattr(part, f.name) for part in parts])
        for f in fields(WindSteps)
        if f.name != "nuclides"
    }
    return WindSteps(**arrays, nuclides=parts[0].nuclides)
