"""What defines a population whose spectrum comes from stellar evolution."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np

from ..errors import ParameterError, nearest
from ..shock.acceleration import INDEX_RANGE, TURBULENCE
from ..shock.bubble import Medium
from ..shock.sources import CLUSTER_AGE_LIMIT
from ..stars.cluster import CLUSTER_MASS, TIME_STEP
from ..stars.imf import CLUSTER_UPPER_MASS, WIND_UPPER_MASS
from ..stars.recipes import DEFAULT_RECIPE
from ..stars.wind_composition import IRON

STELLAR_KINDS = ("o_wind", "wr_wind", "msc")
"""Kinds of populations that can have a spectrum from stellar evolution."""

DEFAULT_GRID = "mist-v1.0-vvcrit0.4"
"""The grid of tracks of Qiu, Lin & Yang, arXiv:2605.31362."""

PHYSICS_VERSION = 1
"""Raised with every change of the physics from tracks to spectra: runs made before it are another problem."""

AMPLITUDES = ("power", "efficiency")

_APART = ("amplitude", "star_formation_rate")
"""Options that scale the spectrum, and are no part of its table."""


@dataclass(frozen=True)
class StellarOptions:
    """Options of a population whose spectrum comes from stellar evolution.

    Attributes
    ----------
    kind : {"o_wind", "wr_wind", "msc"}
        Individual winds of stars with X_H >= 0.1 at the surface, of stars with less, or collective winds of clusters.
    grid : str
        Grid of tracks: a name of `stellarcr tracks list`, or a file.
    recipe : str
        Wind recipe for Wolf-Rayet stars.
    M_up : float
        Largest initial mass of a star [Msun]; default 105 for individual winds, 150 for clusters (arXiv:2605.31362).
    age_limit : float
        Age up to which a wind injects [yr]; default 5e6 for clusters, no limit for individual winds.
    cluster_mass : float
        Mass of a cluster [Msun]: R_max goes with its square root for Bohm diffusion. Default 3e4.
    turbulence : {"bohm", "kraichnan", "kolmogorov"}
        Turbulence upstream of the shock.
    L_c : float
        Coherence length [pc], for all but Bohm. Degenerate with eta_B, hence not a parameter: R_max is proportional to
        sqrt(eta_B) / L_c (Kraichnan) or sqrt(eta_B) / L_c^2 (Kolmogorov).
    iron : {"tabulated", "solar"}
        What MIST's Fe56 stands for.
    hydrogen_density, temperature : float
        Of the gas around [cm^-3], [K]; they matter for all but Bohm.
    eta_B_range, gamma_range : tuple of float
        Box in which eta_B and gamma may lie.
    amplitude : {"power", "efficiency"}
        Which parameter sets the amplitude: ``power`` [erg/yr], or ``eta_acc``, its part of the mechanical power.
    star_formation_rate : float
        Of the Galaxy [Msun/yr], for its mechanical power. Default 2.

    Raises
    ------
    ParameterError
        For a value that is not possible; names the option.
    """

    kind: str
    grid: str = DEFAULT_GRID
    recipe: str = DEFAULT_RECIPE
    M_up: float | None = None
    age_limit: float | None = None
    cluster_mass: float = CLUSTER_MASS
    turbulence: str = "bohm"
    L_c: float | None = None
    iron: str = "tabulated"
    hydrogen_density: float = Medium.hydrogen_density
    temperature: float = Medium.temperature
    eta_B_range: tuple[float, float] = (1e-3, 1.0)
    gamma_range: tuple[float, float] = (-2.6, -1.5)
    amplitude: str = "power"
    star_formation_rate: float = 2.0

    def __post_init__(self) -> None:
        cluster = self.kind == "msc"
        for key, choices in {
            "kind": STELLAR_KINDS,
            "turbulence": tuple(TURBULENCE),
            "iron": IRON,
            "amplitude": AMPLITUDES,
        }.items():
            if getattr(self, key) not in choices:
                raise ParameterError(
                    f"{key} = {getattr(self, key)!r} is not a choice", remedy=nearest(str(getattr(self, key)), choices)
                )
        if self.M_up is None:
            object.__setattr__(self, "M_up", CLUSTER_UPPER_MASS if cluster else WIND_UPPER_MASS)
        if self.age_limit is None and cluster:
            object.__setattr__(self, "age_limit", CLUSTER_AGE_LIMIT)
        for key in ("M_up", "age_limit", "cluster_mass", "L_c", "star_formation_rate"):
            value = getattr(self, key)
            if value is not None and not (_is_number(value) and value > 0.0 and np.isfinite(value)):
                raise ParameterError(f"{key} = {value!r} is not a positive number", remedy=_UNITS[key])
            if value is not None:
                object.__setattr__(self, key, float(value))
        for key in ("hydrogen_density", "temperature"):
            if not _is_number(getattr(self, key)):
                raise ParameterError(f"{key} = {getattr(self, key)!r} is not a number", remedy=_UNITS[key])
            object.__setattr__(self, key, float(getattr(self, key)))
        if cluster and self.age_limit is not None and self.age_limit < TIME_STEP:
            raise ParameterError(
                f"age_limit = {self.age_limit:g} yr is shorter than a step of a cluster's history, {TIME_STEP:g} yr",
                remedy=_UNITS["age_limit"],
            )
        if self.turbulence != "bohm" and self.L_c is None:
            raise ParameterError(
                f"turbulence = {self.turbulence!r} needs a coherence length", remedy="give L_c in pc, such as L_c = 1.0"
            )
        for key, low, high in (("eta_B_range", 0.0, 1.0), ("gamma_range", *INDEX_RANGE)):
            object.__setattr__(self, key, _range(key, getattr(self, key), low, high))
        _ = self.medium

    @property
    def medium(self) -> Medium:
        """The gas around the wind."""
        return Medium(hydrogen_density=self.hydrogen_density, temperature=self.temperature)

    def to_mapping(self) -> dict[str, Any]:
        """All options that have a value, as a configuration gives them."""
        content = {key: value for key, value in asdict(self).items() if key != "kind" and value is not None}
        return content | {"eta_B_range": list(self.eta_B_range), "gamma_range": list(self.gamma_range)}

    def decisive(self) -> dict[str, Any]:
        """The options that decide the table, in a form that can be written as JSON; grid and recipe by name."""
        table = asdict(self)
        for key in _APART:
            del table[key]
        if self.turbulence == "bohm":
            for key in ("L_c", "hydrogen_density", "temperature"):
                del table[key]
        if self.kind != "msc":
            del table["cluster_mass"]
        return table | {"physics": PHYSICS_VERSION}


_UNITS = {
    "M_up": "give a mass in Msun, such as 150",
    "age_limit": "give an age in yr, such as 5e6, or leave it out",
    "cluster_mass": "give a mass in Msun, such as 3e4",
    "L_c": "give a length in pc, such as 1.0",
    "star_formation_rate": "give Msun/yr, such as 2.0",
    "hydrogen_density": "give a density in cm^-3, such as 1.0",
    "temperature": "give a temperature in K, such as 8000",
}


def stellar_options(kind: str, options: Mapping[str, Any]) -> StellarOptions:
    """Options from a configuration.

    Raises
    ------
    ParameterError
        For an unknown option, with the nearest, or a value that is not possible.
    """
    known = [f.name for f in fields(StellarOptions) if f.name != "kind"]
    for key in options:
        if key not in known:
            raise ParameterError(f"unknown option {key!r} of a stellar spectrum", remedy=nearest(key, known))
    for key in ("grid", "recipe", "turbulence", "iron", "amplitude"):
        if key in options and not isinstance(options[key], str):
            raise ParameterError(f"{key} = {options[key]!r} is not a text", remedy="write it in quotes")
    return StellarOptions(kind, **options)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _range(key: str, given: Any, lowest: float, highest: float) -> tuple[float, float]:
    """A range whose ends are numbers in order, within what is possible."""
    ends = tuple(given) if isinstance(given, list | tuple) else ()
    good = len(ends) == 2 and all(_is_number(end) for end in ends) and lowest <= ends[0] < ends[1] <= highest
    if not good or (key == "eta_B_range" and ends[0] == 0.0):
        raise ParameterError(
            f"{key} = {given!r} is not a range within {lowest:g} to {highest:g}",
            remedy="give the lower and the upper end, such as [0.001, 1.0]"
            if key == "eta_B_range"
            else "give the lower and the upper end, such as [-2.6, -1.5]",
        )
    return float(ends[0]), float(ends[1])
