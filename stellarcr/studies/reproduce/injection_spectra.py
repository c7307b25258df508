"""Figure 5: what a cluster's stars inject in total, each in its own bubble or together, for three turbulences."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from ...shock.acceleration import TURBULENCE
from ...shock.injection import integrated_spectrum
from ...shock.sources import WindSteps, bubble_of, steps_of_stars, steps_of_wind
from ...stars.cluster import stars_of
from ...stars.imf import CLUSTER_UPPER_MASS, WIND_UPPER_MASS, kroupa
from .injection import ETA_B, SURVEY_STEP, Injected, cluster_wind, highest_mass, injected, upper_mass_note
from .items import Row, Settings
from .printing import Survey, text_of

Floats = NDArray[np.float64]

SHOWN = ("H", "He", "C", "O")

COHERENCE_LENGTH = 1.0
"""L_c [pc]. `project choice`, as the paper prints none: the size of a cluster's core, which gyroradii at R_max in the
collective wind come up to; a much smaller one would put most of them outside of the turbulence."""


PAPER_START = 2.6
"""Age at which the cluster's Wolf-Rayet phase begins [Myr], as printed."""

_RIGIDITY = np.geomspace(1e2, 9e7, 361)
_MYR = 1e6


@dataclass(frozen=True, eq=False)
class Panel:
    """One panel: what winds inject with one turbulence.

    Attributes
    ----------
    winds : str
        ``individual winds`` or ``collective wind``.
    turbulence : str
        Key of `stellarcr.shock.acceleration.TURBULENCE`.
    parts : mapping of str to Injected
        H, He, C and O of the phases ``O`` and ``WR`` and of both, ``total``.
    lost : mapping of str to float
        Share of each part's energy for cosmic rays that is lost because R_max is below 1 GV.
    largest_gyroradius : float
        Of a particle with R_max at the shock, over L_c: the highest of all steps with at least a thousandth of the
        power of the strongest.
    """

    winds: str
    turbulence: str
    parts: dict[str, Injected]
    lost: dict[str, float]
    largest_gyroradius: float

    def spectra(self, part: str) -> Floats:
        """R^2 Q(R) [GV] of the elements on the rigidities that are drawn, shape (4, n)."""
        found = self.parts[part]
        return np.asarray(integrated_spectrum(_RIGIDITY, found.coefficients, found.cutoff)) * _RIGIDITY**2


def panels(settings: Settings) -> tuple[Panel, ...]:
    """All panels, individual winds first; computed once."""
    return cast(tuple[Panel, ...], settings.once("injected spectra", lambda: tuple(_panels(settings))))


def start_of_stripped_winds(settings: Settings) -> float:
    """Age from which stars with X_H < 0.1 blow in the cluster [yr]; infinite if there are none."""
    wind = cluster_wind(settings, highest_mass(settings, CLUSTER_UPPER_MASS))
    blowing = np.flatnonzero(wind.stripped_luminosity > 0.0)
    return float(wind.edges[blowing[0]]) if blowing.size else np.inf


def _panels(settings: Settings) -> Iterator[Panel]:
    stars = _star_steps(settings)
    wind = cluster_wind(settings, highest_mass(settings, CLUSTER_UPPER_MASS))
    cluster = steps_of_wind(wind, bubble=bubble_of(wind))
    late = cluster.age >= start_of_stripped_winds(settings)
    for winds, steps, stripped in (
        ("individual winds", stars, stars.stripped),
        ("collective wind", cluster, late),
    ):
        for turbulence in TURBULENCE:
            yield _panel(winds, turbulence, steps, stripped)


def _panel(winds: str, turbulence: str, steps: WindSteps, stripped: NDArray[np.bool_]) -> Panel:
    whole = injected(steps, ETA_B, turbulence, COHERENCE_LENGTH).only(*SHOWN)
    phases = {"O": ~stripped, "WR": stripped, "total": np.ones_like(stripped)}
    budgets = {name: steps.select(rows).energy_budget(whole.cutoff[rows]) for name, rows in phases.items()}
    # r_L/L_c at R_max is Kraichnan's R_max over Bohm's to the power 1/(1 + delta)
    bohm = steps.maximum_rigidity(ETA_B)
    gain = steps.maximum_rigidity(ETA_B, "kraichnan", COHERENCE_LENGTH) / bohm
    strong = steps.luminosity > 1e-3 * steps.luminosity.max()
    return Panel(
        winds,
        turbulence,
        {name: whole.select(rows).gathered() for name, rows in phases.items()},
        {
            name: float(found.lost / found.available) if found.available > 0.0 else 0.0
            for name, found in budgets.items()
        },
        float(gain[strong].max() ** (1.0 / (1.0 + TURBULENCE[turbulence]))),
    )


def _star_steps(settings: Settings) -> WindSteps:
    """Stars with bubbles of their own: few, as each bubble takes a while."""
    imf = kroupa(highest_mass(settings, WIND_UPPER_MASS))
    stars = stars_of(settings.tracks, imf, settings.wind_recipe, mass_step=SURVEY_STEP, iron=settings.iron)
    return steps_of_stars(stars, bubbles=True)


def fig5(settings: Settings) -> Survey:
    """Total injection of a cluster's stars by species, for Bohm, Kraichnan and Kolmogorov diffusion."""
    start = start_of_stripped_winds(settings) / _MYR
    rows = [
        Row("begin of the collective wind's WR phase", "Myr", start if np.isfinite(start) else None, PAPER_START),
        Row("coherence length L_c, our choice", "pc", COHERENCE_LENGTH),
    ]
    shown = len(rows)
    lines: list[tuple[str, ...]] = [("winds", "turbulence", "phase", "H [PV]", "He [PV]", "He/H", "lost")]
    found = panels(settings)
    for panel in found:
        for part, spectra in panel.parts.items():
            which = f"{panel.winds}, {panel.turbulence}, {part}"
            cutoffs = spectra.only("H", "He").effective_cutoff
            first, last = (
                [float(v) if np.isfinite(v) else None for v in ends] for ends in (cutoffs.first, cutoffs.last)
            )
            for element, low, high in zip(("H", "He"), first, last, strict=True):
                rows.append(Row(f"{which}: effective cutoff of {element}", "GV", low))
                if low is not None and high is not None and high > 1.001 * low:
                    rows.append(Row(f"{which}: highest effective cutoff of {element}", "GV", high))
            rows.append(Row(f"{which}: share of energy lost below 1 GV", "", panel.lost[part]))
            ratio = None if None in first else cutoffs.first[1] / cutoffs.first[0]
            petavolts = (None if value is None else value / 1e6 for value in first)
            lines.append((panel.winds, panel.turbulence, part, *map(text_of, (*petavolts, ratio, panel.lost[part]))))

    def draw() -> Any:
        from ...plots.injected import injected_figure

        return injected_figure(
            _RIGIDITY, [{part: panel.spectra(part) for part in panel.parts} for panel in found], SHOWN
        )

    return Survey(
        "total injection of the stars of a cluster of 3e4 Msun",
        tuple(rows),
        _notes(settings, found),
        draw,
        printed=shown,
        summary_title="effective cutoffs, and share of the energy for cosmic rays lost because R_max is below 1 GV",
        summary=tuple(lines),
    )


def _notes(settings: Settings, found: tuple[Panel, ...]) -> tuple[str, ...]:
    gyroradii = ", ".join(f"{panel.winds} {panel.turbulence} {panel.largest_gyroradius:.2g}" for panel in found)
    return (
        f"eta_B = {ETA_B:g}, gamma = -2, eta_acc = 0.1, as in Fig. 4; whole life of the stars; "
        + upper_mass_note(settings),
        f"L_c = {COHERENCE_LENGTH:g} pc is our choice, the paper prints none: R_max goes as L_c^-1 (Kraichnan) and "
        "L_c^-2 (Kolmogorov), and does not depend on it for Bohm",
        f"largest gyroradius at R_max over L_c: {gyroradii}; above 1 the diffusion coefficients of Kraichnan and "
        "Kolmogorov do not hold, and their R_max is too high",
        "individual winds: the phase WR is the source population, X_H < 0.1; collective wind: from the age on at "
        "which the first such star blows, all of the cluster's wind",
        "where a spectrum has several effective cutoffs, the lowest is listed (all: --json)",
    )
