"""Mass fractions of a wind: those of the surface, completed where a grid does not tabulate what does not change.

Elements from magnesium on take no part in what burns before a massive star's end, so that a wind carries them as the
star was born with them.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from ..errors import ParameterError, nearest
from .tracks import FloatArray, Track

HEAVY_AT_BIRTH: Mapping[str, float] = MappingProxyType(
    {
        "Na23": 3.1225e-5,
        "Mg24": 5.8958e-4,
        "Si28": 6.5272e-4,
        "S32": 3.1306e-4,
        "Ca40": 6.8511e-5,
        "Fe56": 1.5846e-3,
    }
)
"""Surface mass fractions of a MIST star on the zero-age main sequence (v1.0, [Fe/H] = 0, 120 Msun, equivalent
evolutionary point 202, Z = 0.0142), for grids that do not tabulate them; scaled with the grid's metallicity."""

HEAVY_METALLICITY = 0.0142
"""Metal mass fraction to which `HEAVY_AT_BIRTH` belongs."""

SOLAR_IRON_SHARE = 0.871
"""Iron's part of what MIST's Fe56 carries at birth, by mass.

From the solar photosphere of Asplund et al. (2009, ARA&A 47, 481, table 1), log eps(Fe) = 7.50 and log eps(Si) = 7.51,
the 92.2% of silicon nuclei that are Si28, and MIST's Si28 at birth: X_Fe = 6.527e-4/27.98/0.922 10^-0.01 55.85 =
1.381e-3 of 1.585e-3.
"""

IRON = ("tabulated", "solar")
"""Choices of `wind_composition`: all that Fe56 carries, or iron alone."""


def wind_nuclides(track: Track) -> tuple[str, ...]:
    """Nuclides of the wind: those of the track, and those of `HEAVY_AT_BIRTH` that it lacks."""
    return track.nuclides + tuple(name for name in HEAVY_AT_BIRTH if name not in track.nuclides)


def wind_composition(track: Track, metallicity: float, iron: str = "tabulated") -> FloatArray:
    """Mass fractions of a star's wind along its track.

    Parameters
    ----------
    track : Track
        Tabulated or interpolated.
    metallicity : float
        Initial metal mass fraction of the grid, to which elements that it does not tabulate are scaled.
    iron : {"tabulated", "solar"}
        What Fe56 stands for: with MIST all metals that are not tabulated, 13% of which are not iron
        ("tabulated", as in Qiu, Lin & Yang, arXiv:2605.31362), or iron alone ("solar").

    Returns
    -------
    ndarray, shape (rows, nuclides)
        In the order of `wind_nuclides`. Their sum is 1 but for what is not tabulated (at most 0.6%).

    Raises
    ------
    ParameterError
        If `iron` is not a choice.
    """
    check_iron(iron)
    scale = metallicity / HEAVY_METALLICITY
    added = [scale * fraction for name, fraction in HEAVY_AT_BIRTH.items() if name not in track.nuclides]
    fractions = np.concatenate([track.surface, np.broadcast_to(added, (len(track), len(added)))], axis=1)
    if iron == "solar":
        share = [SOLAR_IRON_SHARE if name == "Fe56" else 1.0 for name in wind_nuclides(track)]
        fractions = fractions * np.array(share)
    return np.maximum(fractions, 0.0)


def check_iron(iron: str) -> None:
    """Refuse what is not a choice of `IRON`.

    Raises
    ------
    ParameterError
        With the nearest choice.
    """
    if iron not in IRON:
        raise ParameterError(f"iron = {iron!r} is not a choice", remedy=nearest(str(iron), IRON))
