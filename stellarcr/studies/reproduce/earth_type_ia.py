"""Figure 10: what a nearby Type Ia remnant adds to Fe, Si, S, O and Mg."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .earth import NO, YES, common_notes, fit_rows, panels
from .earth_fit import EarthFit, earth_fit
from .earth_slopes import Floats, largest_rise, rigidities, slope_at
from .items import Row, Settings
from .printing import Survey

DRAWN = ("Fe", "Si", "O", "Mg")
HARDENED = ("Fe", "Si", "S")
UNCHANGED = ("O", "Mg")

NEAR_1_TV = (4e2, 1e4)
"""Range [GV] of "near 1 TV": from above the break of diffusion on (`project choice`)."""

LEAST_CHANGE = 0.1
"""`project choice`: what changes the slope by less is no hardening: AMS-02's and DAMPE's points fix slopes of nuclei
around 1 TV to about that."""

_RANGE = (2e1, 2e5)


@dataclass(frozen=True, eq=False)
class Addition:
    """Spectra of an element without and with the remnant.

    Attributes
    ----------
    rigidity : ndarray, shape (n,)
        Rigidity [GV].
    without, alone : ndarray, shape (n,)
        Interstellar fluxes of all else and of the remnant.
    """

    rigidity: Floats
    without: Floats
    alone: Floats

    @property
    def rises(self) -> tuple[float, float]:
        """Largest rise of the slope near 1 TV, without and with the remnant."""
        return (
            largest_rise(self.rigidity, self.without, *NEAR_1_TV)[0],
            largest_rise(self.rigidity, self.without + self.alone, *NEAR_1_TV)[0],
        )

    @property
    def verdict(self) -> str:
        """Whether the remnant hardens the element near 1 TV."""
        before, after = self.rises
        return YES if after - before >= LEAST_CHANGE else NO

    def share(self, rigidity: float) -> float:
        """Part of the remnant in the sum, at a rigidity [GV]."""
        return float(np.interp(np.log(rigidity), np.log(self.rigidity), self.alone / (self.without + self.alone)))


def added(settings: Settings) -> EarthFit:
    """The model with the remnant, at the powers that were fitted without it."""
    return earth_fit(settings).moved(earth_fit(settings, type_ia=True).posterior)


def addition(fit: EarthFit, element: str) -> Addition:
    """Spectra of an element without and with the remnant."""
    rigidity = rigidities(20.0, 1e6)
    flux = fit.flux(element, rigidity)
    return Addition(rigidity, flux["total"] - flux["ia"], flux["ia"])


def fig10(settings: Settings) -> Survey:
    """Spectra of Fe, Si, O and Mg without and with the nearby Type Ia remnant."""
    without, refitted, both = earth_fit(settings), earth_fit(settings, type_ia=True), added(settings)
    rows = [row for element in (*HARDENED, *UNCHANGED) for row in _rows(element, addition(both, element))]
    rows += [
        Row("chi2 without Type Ia", "", without.total_chi2),
        Row("chi2 with Type Ia, same powers", "", both.total_chi2),
        *(replace_name(row, "powers fitted with Type Ia: ") for row in fit_rows(refitted)),
    ]
    lines: list[tuple[str, ...]] = [("data", "points", "without", "with", "with, refitted")]
    fits = without, both, refitted
    columns = [fit.chi2 for fit in fits]
    for group, (_, points) in columns[0].items():
        if group.rpartition(" ")[2] in (*HARDENED, *UNCHANGED):
            lines.append((group, str(points), *(f"{chi2[group][0]:.1f}" for chi2 in columns)))
    points = sum(number for _, number in columns[0].values())
    lines.append(("all, other elements too", str(points), *(f"{fit.total_chi2:.1f}" for fit in fits)))

    def draw() -> Any:
        from ...plots.earth import type_ia_figure

        return type_ia_figure(drawn_panels(both), _RANGE, columns=2)

    return Survey(
        "spectra of Fe, Si, O and Mg without and with a nearby Type Ia remnant",
        tuple(rows),
        (
            "remnant as printed: 50 kyr, 1 kpc, index -2, 5.5e50 erg above 1 GV, N100; the cutoff, 50 TV, is not "
            "printed (project choice)",
            "near 1 TV: the largest rise of the slope from 0.4 TV, above the break of diffusion, to 10 TV; the remnant "
            f"hardens an element if it makes that larger by {LEAST_CHANGE:g} (project choice)",
            "dashed, and the sum: with the powers of fig8, fitted without the remnant",
            *common_notes(settings),
        ),
        draw,
        printed=len(rows),
        summary_title="chi2 by data set, without and with the remnant",
        summary=tuple(lines),
    )


def drawn_panels(fit: EarthFit) -> list[Any]:
    """What the figure shows, with the other populations as one curve."""
    found = []
    for panel in panels(fit, DRAWN):
        remnant, total = panel.components["ia"], panel.total
        rest = replace(total, median=total.median - remnant.median)
        found.append(replace(panel, components={"without": rest, "ia": remnant}))
    return found


def replace_name(row: Row, prefix: str) -> Row:
    """The same number with a longer name."""
    return row._replace(quantity=f"{prefix}{row.quantity}")


def _rows(element: str, found: Addition) -> Iterator[Row]:
    before, after = found.rises
    yield Row(f"{element}: rise of the slope near 1 TV without Type Ia", "", before)
    yield Row(f"{element}: rise of the slope near 1 TV with Type Ia", "", after)
    paper = YES if element in HARDENED else NO
    yield Row(f"{element}: verdict, Type Ia hardens it near 1 TV", "", found.verdict, paper)
    for name, flux in (("without", found.without), ("with", found.without + found.alone)):
        yield Row(f"{element}: slope at 1 TV {name} Type Ia", "", slope_at(found.rigidity, flux, 1e3))
    for at in (1e3, 1e4):
        yield Row(f"{element}: part of Type Ia at {at / 1e3:g} TV", "", found.share(at))
