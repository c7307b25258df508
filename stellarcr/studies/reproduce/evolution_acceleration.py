"""What a wind through time accelerates: highest rigidities and injection rates of nuclei."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import numpy as np

from ...shock.acceleration import TURBULENCE, maximum_rigidity
from ...shock.injection import injection_amplitude, number_rate
from ...shock.nuclides import WindNuclides
from ...stars.tracks import FloatArray
from .evolution_winds import EvolvedWind
from .injection import ETA_B
from .items import Settings

GAMMA = -2.0
ETA_ACC = 0.1
"""Injection index and share of the power in cosmic rays of the paper's Fig. 4."""

SHOWN = ("H", "He", "C", "O")
"""Elements whose injection rates are drawn."""

_COHERENCE_LENGTH = 1.0


@dataclass(frozen=True, eq=False)
class Acceleration:
    """Acceleration at the shock of an evolving wind; arrays have one entry per interval of its history.

    Attributes
    ----------
    rigidities : mapping of str to ndarray
        R_max [GV] by turbulence, shape (n,); NaN where the shock has no radius. Kraichnan's and Kolmogorov's are for
        a coherence length of 1 pc, and serve ratios only.
    number_rate : ndarray, shape (n, 4)
        N_Z of the elements `SHOWN` [1/s], Bohm; NaN where nothing is injected.
    """

    rigidities: Mapping[str, FloatArray]
    number_rate: FloatArray

    def rigidity(self, turbulence: str) -> FloatArray:
        """R_max [GV] with a turbulence."""
        return self.rigidities[turbulence]


def accelerated(settings: Settings, wind: EvolvedWind) -> Acceleration:
    """What an evolving wind accelerates, made once."""
    return cast(Acceleration, settings.once(f"evolution: acceleration, {wind.name}", lambda: _accelerated(wind)))


def _accelerated(wind: EvolvedWind) -> Acceleration:
    history = wind.history
    blowing = history.luminosity > 0.0
    known = np.isfinite(wind.shock_radius)
    radius = np.where(known, wind.shock_radius, 0.0)
    rigidities = {}
    for name in TURBULENCE:
        highest = maximum_rigidity(history.luminosity, history.velocity, radius, ETA_B, name, _COHERENCE_LENGTH)
        rigidities[name] = np.where(blowing & (known | (name == "bohm")), highest, np.nan)
    nuclides = WindNuclides.named(history.nuclides)
    cutoff = np.where(blowing, rigidities["bohm"], 0.0)
    fractions = nuclides.number_fractions(history.mass_fractions)
    amplitude = injection_amplitude(
        history.luminosity, cutoff, fractions, nuclides.charge, nuclides.mass, GAMMA, ETA_ACC
    )
    rates = np.asarray(nuclides.sum_isotopes(number_rate(amplitude, cutoff, GAMMA)))
    columns = [nuclides.elements.index(symbol) for symbol in SHOWN]
    return Acceleration(rigidities, np.where(rates > 0.0, rates, np.nan)[:, columns])
