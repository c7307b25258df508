"""Terminal velocities of stellar winds: the branches that all models share, and named recipes for Wolf-Rayet winds.

The recipe for Wolf-Rayet stars is the largest uncertainty of the stellar model, so each product records which one made
it. A recipe is a function ``recipe(surface) -> velocity``: it gets a one-dimensional `StellarSurface` of the rows whose
phase it covers, and gives terminal velocities [km/s] of the same shape. To add one, name it where a recipe is asked
for, as ``file.py:name`` or ``module:name``, or declare it in the entry-point group ``stellarcr.wind_recipes``; the name
may be that of a plain function, which then covers WN and WC stars, or of a `WindRecipe`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import ConfigError, nearest
from ..extensions import HOW, entry_points, find_extension, is_reference
from .winds import WC_HYDROGEN, Floats, StellarSurface, WindPhase

Mask = NDArray[np.bool_]

ENTRY_POINTS = "stellarcr.wind_recipes"
"""Entry-point group in which installed packages declare recipes."""

DEFAULT_RECIPE = "nugis-lamers"

HOT_SIDE, COOL_SIDE, METALLICITY_EXPONENT = 2.6, 1.3, 0.13
"""v_inf/v_esc of O stars above and below the bistability jump, exponent of Zs/Zsun; after Vink et al. (2001)."""

RSG_RATIO = 0.7
"""v_inf/v_esc of phase RSG. `project choice`: gives the tens of km/s that the paper calls extremely low."""

WNL_VELOCITY, WNE_VELOCITY, WC_VELOCITIES = 1650.0, 1900.0, (1800.0, 3500.0)
"""Class values of `starburst99-classes` [km/s]: WN with hydrogen, WN without, slowest and fastest WC."""


@dataclass(frozen=True)
class WindRecipe:
    """A named recipe for terminal velocities.

    Attributes
    ----------
    name : str
        As in configurations and records.
    function : callable
        ``function(surface) -> velocity [km/s]``, both one-dimensional.
    description : str
        One line.
    domain : callable, optional
        ``domain(surface) -> bool array``: which of the same rows the recipe was made for; default: all.
    phases : tuple of WindPhase
        Phases that it covers; the others follow `o_star_velocity` and `rsg_velocity`. WN and WC must be among them.
    identity : tuple of str
        What else decides it, beside the name: hashes of a user's code.
    """

    name: str
    function: Callable[[StellarSurface], ArrayLike]
    description: str = ""
    domain: Callable[[StellarSurface], Mask] | None = None
    phases: tuple[WindPhase, ...] = (WindPhase.WN, WindPhase.WC)
    identity: tuple[str, ...] = ()


def jump_temperature(relative_metals: ArrayLike, eddington: ArrayLike) -> Floats:
    """Effective temperature of the bistability jump [K]; after Vink et al. (2001).

    T [kK] = 61.2 + 2.59 log<rho>, log<rho> = -14.94 + 0.85 log(Zs/Zsun) + 3.2 Gamma_e.

    Parameters
    ----------
    relative_metals : float or array
        Zs/Zsun, above zero.
    eddington : float or array
        Gamma_e.
    """
    density = -14.94 + 0.85 * np.log10(relative_metals) + 3.2 * np.asarray(eddington, dtype=np.float64)
    return np.asarray(1e3 * (61.2 + 2.59 * density))


def o_star_velocity(surface: StellarSurface) -> Floats:
    """Terminal velocity of phase O [km/s]: 2.6 or 1.3 v_esc (Zs/Zsun)^0.13, above or below the bistability jump."""
    relative = surface.metals / surface.solar_metals
    hot = surface.effective_temperature > jump_temperature(relative, surface.eddington_factor)
    return np.where(hot, HOT_SIDE, COOL_SIDE) * surface.escape_velocity * relative**METALLICITY_EXPONENT


def rsg_velocity(surface: StellarSurface) -> Floats:
    """Terminal velocity of phase RSG [km/s]: 0.7 v_esc."""
    return RSG_RATIO * surface.escape_velocity


def nitrogen_ratio(surface: StellarSurface) -> Floats:
    """v_inf/v_esc of WN stars, 10^(0.61 - 0.13 log L + 0.30 log Y); after Nugis & Lamers (2000)."""
    return 10.0 ** (0.61 - 0.13 * np.log10(surface.luminosity) + 0.30 * np.log10(surface.helium))


def carbon_ratio(surface: StellarSurface) -> Floats:
    """v_inf/v_esc of WC stars, 10^(-2.37 + 0.43 log L - 0.07 log Z); after Nugis & Lamers (2000)."""
    return 10.0 ** (-2.37 + 0.43 * np.log10(surface.luminosity) - 0.07 * np.log10(surface.metals))


def _ratio_by_class(surface: StellarSurface) -> Floats:
    return np.where(surface.phase == WindPhase.WC, carbon_ratio(surface), nitrogen_ratio(surface))


def _nugis_lamers(surface: StellarSurface) -> Floats:
    return surface.core_escape_velocity * _ratio_by_class(surface)


def _nugis_lamers_wn(surface: StellarSurface) -> Floats:
    return surface.core_escape_velocity * nitrogen_ratio(surface)


def _track_radius(surface: StellarSurface) -> Floats:
    return surface.escape_velocity * _ratio_by_class(surface)


def _class_values(surface: StellarSurface) -> Floats:
    # project choice: WC winds grow faster with the share of metals, as the star is peeled towards its carbon and
    # oxygen; linear, from the slowest value without metals to the fastest without helium
    slowest, fastest = WC_VELOCITIES
    carbon = slowest + (fastest - slowest) * np.clip(surface.metals, 0.0, 1.0)
    nitrogen = np.where(surface.hydrogen < WC_HYDROGEN, WNE_VELOCITY, WNL_VELOCITY)
    return np.where(surface.phase == WindPhase.WC, carbon, nitrogen)


def _hydrogen_free(surface: StellarSurface) -> Mask:
    return surface.hydrogen < WC_HYDROGEN


def _hydrogen_free_nitrogen(surface: StellarSurface) -> Mask:
    return _hydrogen_free(surface) & (surface.phase == WindPhase.WN)


WIND_RECIPES: Mapping[str, WindRecipe] = MappingProxyType(
    {
        recipe.name: recipe
        for recipe in (
            WindRecipe(
                DEFAULT_RECIPE,
                _nugis_lamers,
                "after Nugis & Lamers (2000), WN and WC relations, escape speed from the core radius",
                _hydrogen_free,
            ),
            WindRecipe(
                "nugis-lamers-wn",
                _nugis_lamers_wn,
                "as nugis-lamers, but the WN relation for WC stars as well",
                _hydrogen_free_nitrogen,
            ),
            WindRecipe(
                "track-radius",
                _track_radius,
                "as nugis-lamers, but the escape speed from the hydrostatic radius of the track",
                _hydrogen_free,
            ),
            WindRecipe(
                "starburst99-classes",
                _class_values,
                "fixed values by class: WNL 1650, WNE 1900, WC 1800 to 3500 km/s by surface metals",
            ),
        )
    }
)
"""Recipes that come with the package, by name."""


def wind_recipe(name: str, where: str = "") -> WindRecipe:
    """Find a recipe.

    Parameters
    ----------
    name : str
        A key of `WIND_RECIPES`, a name in the entry-point group ``stellarcr.wind_recipes``, or ``file.py:name`` or
        ``module:name`` of a function or `WindRecipe`.
    where : str
        Configuration and key, for messages.

    Raises
    ------
    ConfigError
        If there is no such recipe, file, module or name, or it is neither a function nor a `WindRecipe`.
    """
    if name in WIND_RECIPES:
        return WIND_RECIPES[name]
    reference = name
    if not is_reference(name):
        declared = entry_points(ENTRY_POINTS)
        if name not in declared:
            raise ConfigError(
                f"unknown wind recipe {name!r}",
                where=where,
                remedy=f"{nearest(name, {*WIND_RECIPES, *declared})}; or name your own: {HOW}",
            )
        reference = declared[name]
    source = find_extension(reference, where)
    found = source.load()
    if not isinstance(found, WindRecipe) and (isinstance(found, type) or not callable(found)):
        raise ConfigError(
            f"{source.attribute} = {found!r} is not a wind recipe",
            where=source.path,
            remedy="write a function recipe(surface) that gives terminal velocities in km/s, or a WindRecipe",
        )
    recipe = found if isinstance(found, WindRecipe) else WindRecipe(source.attribute, found)
    missing = {WindPhase.WN, WindPhase.WC} - set(recipe.phases)
    if missing:
        raise ConfigError(
            f"the wind recipe {recipe.name!r} does not cover {', '.join(sorted(phase.name for phase in missing))}",
            where=source.path,
            remedy="add the phases: no other branch gives their speed",
        )
    return replace(recipe, name=name, identity=tuple(source.identity))
