"""Table 3: elemental abundances at equal rigidity, for every grid and recipe."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import cast

import numpy as np

from ...data.compositions import load_composition
from ...data.tracks import list_tracks
from ...shock.sources import CLUSTER_AGE_LIMIT, WindSteps
from ...stars.imf import CLUSTER_UPPER_MASS
from ...stars.recipes import WIND_RECIPES
from ...stars.terminal import OBSERVED_WR_RANGE
from .injection import (
    ETA_B,
    SURVEY_STEP,
    cluster_steps,
    cluster_wind,
    highest_mass,
    star_populations,
    survey,
    upper_mass_note,
)
from .items import Row, Settings
from .printing import Survey

PRINTED = ("H", "He", "C", "O", "Mg", "Si", "S", "Fe")
"""Elements that the paper prints."""

COLUMNS = {"O-type": "o_wind", "WR": "wr_wind", "MSC": "msc"}
"""Source populations, and what their compositions are called in the data."""

SUMMARISED = ("H", "He", "C", "O")


def table3(settings: Settings) -> Survey:
    """Abundances of O-type, WR and MSC at equal rigidity, with the chosen grid and recipe, then with all others."""
    rows = [*_rows(_abundances(settings)), *_doubts(settings)]
    printed = len(rows)
    lines = [("grid", "recipe", *(f"{column}\n{symbol}" for column in COLUMNS for symbol in SUMMARISED))]
    for grid, recipe in _surveyed(settings):
        if (grid, recipe) == (settings.grid, settings.recipe):
            found = _abundances(settings)
        else:
            found = _by_column(*survey(settings, grid, recipe))
            rows += _rows(found, f" ({grid}, {recipe})")
        values = (_short(found[column][symbol]) for column in COLUMNS for symbol in SUMMARISED)
        lines.append((grid, recipe, *values))
    paper = (_short(load_composition(name).elements[symbol]) for name in COLUMNS.values() for symbol in SUMMARISED)
    lines.append(("paper", "", *paper))
    notes = (
        "number fractions of all tabulated elements at equal rigidity, far below the cutoffs: nuclei, not nucleons; "
        "Bohm diffusion, gamma = -2, eta_B = 0.01",
        "O-type: individual winds while the surface has X_H >= 0.1 (B, RSG and LBV included); WR: X_H < 0.1; MSC: "
        f"collective winds of clusters in their first {CLUSTER_AGE_LIMIT / 1e6:g} Myr",
        upper_mass_note(settings),
        f"other grids and recipes are sums over fewer stars (steps of {SURVEY_STEP:g} in ln M0), with errors of up to "
        "1.3%; GENEC's heaviest star is of 120 Msun, to which M_up of its clusters is lowered",
        "the paper does not say which recipe for Wolf-Rayet winds made its table; its column for supernova remnants is "
        "an input of the model, not a result",
        "surfaces between tracks are linear means: where one neighbour shows carbon and the other hydrogen (MIST: 45 "
        "to 55 and 80 to 85 Msun) both stand side by side, which makes about a quarter of the carbon of O-type",
        "Ne is the sum of its isotopes; MIST's Ne22 is derived, GENEC tabulates it; GENEC's elements from Na on are "
        "those of a MIST star at birth",
    )
    return Survey(
        "abundances at equal rigidity",
        tuple(rows),
        notes,
        printed=printed,
        summary_title="the same for every grid and recipe (all elements: --json)",
        summary=tuple(lines),
    )


def _abundances(settings: Settings) -> dict[str, dict[str, float]]:
    """Abundances of every column, by element and for the isotopes of neon."""
    return cast(dict[str, dict[str, float]], settings.once("abundances", lambda: _computed(settings)))


def _computed(settings: Settings) -> dict[str, dict[str, float]]:
    return _by_column(star_populations(settings)["O + WR"], cluster_steps(settings))


def _doubts(settings: Settings) -> Iterator[Row]:
    """Parts of the energy of a cluster's winds, within the age limit, for which the wind recipe is in doubt."""
    wind = cluster_wind(settings, highest_mass(settings, CLUSTER_UPPER_MASS))
    duration = np.where(wind.age < CLUSTER_AGE_LIMIT, wind.duration, 0.0)
    shares = (duration @ wind.doubtful_luminosity) / (duration @ wind.luminosity)
    slowest, fastest = OBSERVED_WR_RANGE
    for what, share in zip(
        (
            f"from WN and WC winds outside the observed {slowest:g} to {fastest:g} km/s",
            "from winds for which the recipe was not made",
            "from stars whose Eddington factor was clipped",
        ),
        shares.tolist(),
        strict=True,
    ):
        yield Row(f"MSC: part of the wind energy {what}", "", share)


def _surveyed(settings: Settings) -> Iterator[tuple[str, str]]:
    """Grids and recipes that come with the package, and those that were chosen."""
    grids = dict.fromkeys((*list_tracks(), settings.grid))
    recipes = dict.fromkeys((*WIND_RECIPES, settings.recipe))
    return product(grids, recipes)


def _by_column(stars: WindSteps, cluster: WindSteps) -> dict[str, dict[str, float]]:
    stripped = stars.stripped
    parts = {"O-type": stars.select(~stripped), "WR": stars.select(stripped), "MSC": cluster}
    return {column: _fractions(part) for column, part in parts.items()}


def _short(value: float) -> str:
    return f"{value:.2g}"


def _fractions(steps: WindSteps) -> dict[str, float]:
    numbers = steps.coefficients(steps.maximum_rigidity(ETA_B)).sum(axis=-1)
    elements = np.asarray(steps.nuclides.sum_isotopes(numbers))
    neon = [(name, value) for name, value in zip(steps.nuclides.names, numbers, strict=True) if name.startswith("Ne")]
    return {
        name: float(value / numbers.sum())
        for name, value in (*zip(steps.nuclides.elements, elements, strict=True), *neon)
    }


def _rows(found: dict[str, dict[str, float]], which: str = "") -> Iterator[Row]:
    for column, name in COLUMNS.items():
        paper = load_composition(name).elements
        for symbol in (*PRINTED, "N", "Ne", "Ne20", "Ne22"):
            if symbol in found[column]:
                yield Row(
                    f"{column}: {symbol}{which}",
                    "",
                    found[column][symbol],
                    paper[symbol] if symbol in PRINTED else None,
                )
