"""Winds and bubbles of the stars and of the cluster whose evolution the paper draws, each computed once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from ...constants import PARSEC
from ...shock.bubble import Bubble
from ...shock.sources import bubble_of, shock_radius
from ...stars.cluster import CLUSTER_MASS, TIME_STEP, collective_wind
from ...stars.history import WindHistory, star_wind
from ...stars.imf import CLUSTER_UPPER_MASS, kroupa
from ...stars.tracks import FloatArray
from ...stars.winds import WindPhase
from .injection import highest_mass
from .items import Settings

Phases = NDArray[np.int8]

STARS = (40.0, 80.0, 120.0)
"""Initial masses of the stars that the paper draws [Msun]."""

CLUSTER_END = 1e7
"""Age to which the cluster is followed here [yr] (`project choice`: twice the age limit of its injection)."""

CLUSTER_STEP = 2.5e4
"""Width of the intervals of age of the cluster [yr], from 0.1 Myr on; shorter before (`project choice`: it keeps
deaths and eruptions of single stars of the quadrature from roughening the curves)."""

_BACKGROUND_STEP = 1e5
_PARSEC_CM = 100.0 * PARSEC


@dataclass(frozen=True, eq=False)
class EvolvedWind:
    """A wind with its bubble; arrays have one entry per interval of `history`.

    Attributes
    ----------
    title : str
        For a panel.
    name : str
        For words in a table, such as ``star of 40 Msun``.
    history : WindHistory
        The wind.
    bubble : Bubble
        Its bubble, on the ends of the intervals.
    shock_radius, shell_radius : ndarray, shape (n,)
        R_s and R_b in the middle of each interval [pc]; NaN before the bubble's start.
    pressure : ndarray, shape (n,)
        Pressure of the shocked wind, p = F / (4 pi R_s^2) [erg/cm^3].
    phase : ndarray of int, shape (n,)
        `WindPhase` of each interval; of a cluster by `loudest_phase`.
    background : tuple of ndarray
        Ends of intervals of age [yr], shape (m + 1,), and the phase that is drawn in each, shape (m,).
    """

    title: str
    name: str
    history: WindHistory
    bubble: Bubble
    shock_radius: FloatArray
    shell_radius: FloatArray
    pressure: FloatArray
    phase: Phases
    background: tuple[FloatArray, Phases]

    def end_of_first_phase(self) -> float:
        """Age at which the wind leaves the phase that it is born with [yr]."""
        other = np.flatnonzero(self.phase != self.phase[0])
        return float(self.history.edges[other[0] if other.size else -1])

    def time_in(self, phase: WindPhase) -> float:
        """Years spent in a phase."""
        return float(np.sum(self.history.duration[self.phase == phase]))


def evolved_star(settings: Settings, mass: float) -> EvolvedWind:
    """The wind and bubble of one star, made once."""

    def make() -> EvolvedWind:
        history = _star(settings, mass)
        phase = history.phase
        return _evolved(rf"${mass:g}\,M_\odot$", history, phase, (history.edges, phase))

    return cast(EvolvedWind, settings.once(f"evolution: star of {mass:g} Msun", make))


def evolved_cluster(settings: Settings) -> EvolvedWind:
    """The collective wind and bubble of the paper's cluster, made once."""

    def make() -> EvolvedWind:
        upper = highest_mass(settings, CLUSTER_UPPER_MASS)
        history = collective_wind(
            settings.tracks,
            kroupa(upper),
            settings.wind_recipe,
            edges=_cluster_edges(),
            iron=settings.iron,
        )
        exponent = int(np.floor(np.log10(CLUSTER_MASS)))
        size = rf"{CLUSTER_MASS / 10**exponent:g}\times10^{exponent}"
        title = rf"Cluster of ${size}\,M_\odot$ with stars up to ${upper:g}\,M_\odot$"
        phase = loudest_phase(history.phase_luminosity)
        return _evolved(title, history, phase, _even_background(history))

    return cast(EvolvedWind, settings.once("evolution: cluster", make))


def evolved_winds(settings: Settings) -> tuple[EvolvedWind, ...]:
    """What the four panels show: three stars and the cluster."""
    return (*(evolved_star(settings, mass) for mass in STARS), evolved_cluster(settings))


def tabulated_stars(settings: Settings) -> tuple[tuple[float, WindHistory], ...]:
    """Initial mass [Msun] and wind of every star of the grid up to M_up of the cluster, made once."""

    def make() -> tuple[tuple[float, WindHistory], ...]:
        masses = [float(mass) for mass in settings.tracks.masses if mass <= highest_mass(settings, CLUSTER_UPPER_MASS)]
        return tuple((mass, _star(settings, mass)) for mass in masses)

    return cast(tuple[tuple[float, WindHistory], ...], settings.once("evolution: tabulated stars", make))


def loudest_phase(phase_luminosity: FloatArray) -> Phases:
    """Phase of a collective wind: Wolf-Rayet where WN and WC winds carry more than half of L, else O or RSG.

    Of each pair the phase with more L is taken; -1 where no wind blows. Three kinds of stars may share L evenly, and
    asking first for Wolf-Rayet or not keeps the answer from jumping.

    Parameters
    ----------
    phase_luminosity : ndarray, shape (n, 4)
        L by phase, in any unit.
    """
    o, wn, wc, rsg = (phase_luminosity[:, phase] for phase in WindPhase)
    wolf_rayet = np.where(wc > wn, WindPhase.WC, WindPhase.WN)
    others = np.where(rsg > o, WindPhase.RSG, WindPhase.O)
    phase = np.where(wn + wc > o + rsg, wolf_rayet, others)
    return np.where(phase_luminosity.sum(axis=1) > 0.0, phase, -1).astype(np.int8)


def _star(settings: Settings, mass: float) -> WindHistory:
    return star_wind(settings.tracks, mass, settings.wind_recipe, iron=settings.iron)


def _cluster_edges() -> FloatArray:
    first = np.arange(0.0, 1e5 - 1.0, TIME_STEP)
    return np.concatenate([first, np.arange(1e5, CLUSTER_END + 1.0, CLUSTER_STEP)])


def _evolved(title: str, history: WindHistory, phase: Phases, background: tuple[FloatArray, Phases]) -> EvolvedWind:
    bubble = bubble_of(history)
    radius = shock_radius(history, bubble)
    return EvolvedWind(
        title=title,
        name=history.label,
        history=history,
        bubble=bubble,
        shock_radius=radius,
        shell_radius=np.sqrt(bubble.shell_radius[:-1] * bubble.shell_radius[1:]),
        pressure=history.momentum_flux / (4.0 * np.pi * (radius * _PARSEC_CM) ** 2),
        phase=phase,
        background=background,
    )


def _even_background(history: WindHistory) -> tuple[FloatArray, Phases]:
    """Phases on intervals of 0.1 Myr: deaths of single stars of the quadrature would stripe a finer one."""
    edges = np.append(np.arange(0.0, history.edges[-1] * (1.0 - 1e-9), _BACKGROUND_STEP), history.edges[-1])
    steps = history.phase_luminosity * history.duration[:, None]
    released = np.concatenate([np.zeros((1, steps.shape[1])), np.cumsum(steps, axis=0)])
    at_edges = np.stack([np.interp(edges, history.edges, column) for column in released.T], axis=1)
    return edges, loudest_phase(np.diff(at_edges, axis=0))
