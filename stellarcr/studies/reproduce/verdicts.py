"""Table 1: which winds can make the knee, with the rules that turn numbers into yes or no."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import hypot, sqrt
from types import MappingProxyType

from ...shock.injection import species_ratio
from ...shock.sources import WindSteps
from ...stars.recipes import WIND_RECIPES
from .injection import ETA_B, cluster_steps, injected, star_populations, survey, upper_mass_note
from .injection_cutoffs import PAPER_BREAK
from .injection_knee import HADRONIC_MODEL, Interval, measured_break, measured_ratio
from .items import Row, Settings
from .printing import Survey, text_of

YES, NO, NOT_ASKED = "yes", "no", "-"

QUESTIONS = ("common break of H and He", "reasonable eta_B", "H/He")

PAPER: Mapping[str, tuple[str, str, str]] = MappingProxyType(
    {
        "MSC": (YES, YES, YES),
        "O + WR": (NO, NOT_ASKED, NOT_ASKED),
        "O-type": (YES, NO, YES),
        "WR": (YES, YES, NO),
    }
)
"""Printed verdicts by source, in the order of `QUESTIONS`."""

LARGEST_ETA_B = 0.3
"""`project choice`: the paper holds about 0.1 for reasonable, and cosmic rays take 0.1 of the power too. Three times
that raises cutoffs by 1.7, about what recipes for Wolf-Rayet winds differ by."""

RATIO_FACTOR = 2.0
"""`project choice`: H/He may differ from LHAASO's by this factor: hadronic models differ by 1.25, H/He changes by tens
of percent near the cutoffs and by 1.3 with M_up, and other sources add to both."""

_STANDARD_DEVIATIONS = 2.0


@dataclass(frozen=True)
class Evidence:
    """Numbers behind the verdicts on one source.

    Attributes
    ----------
    hydrogen, helium : float
        Effective cutoffs at eta_B = 0.01 [GV].
    ratio : float
        H/He at equal rigidity, far below the cutoffs.

    All are NaN for a source that does not exist in a grid.
    """

    hydrogen: float
    helium: float
    ratio: float

    @property
    def needed(self) -> tuple[float, float, float]:
        """The eta_B that puts the cutoff of H, of He, and the geometric mean of both at LHAASO's break."""
        cutoffs = self.hydrogen, self.helium, sqrt(self.hydrogen * self.helium)
        hydrogen, helium, both = (ETA_B * (PAPER_BREAK / cutoff) ** 2 for cutoff in cutoffs)
        return hydrogen, helium, both

    def verdicts(self, breaks: Interval, measured: float) -> tuple[str, str, str]:
        """Answers to `QUESTIONS`, from LHAASO's ratio of breaks He/H and its H/He; the last two only after a yes."""
        if not breaks.low <= self.helium / self.hydrogen <= breaks.high:
            return NO, NOT_ASKED, NOT_ASKED
        near = 1.0 / RATIO_FACTOR <= self.ratio / measured <= RATIO_FACTOR
        return YES, YES if self.needed[2] <= LARGEST_ETA_B else NO, YES if near else NO


def ratio_of_breaks() -> Interval:
    """LHAASO's break of He over that of H, with the ends at two standard deviations."""
    hydrogen, helium = (measured_break(element) for element in ("H", "He"))
    relative = hypot(*(0.5 * (found.high - found.low) / found.best for found in (hydrogen, helium)))
    best, width = helium.best / hydrogen.best, _STANDARD_DEVIATIONS * relative
    return Interval(best, best * (1.0 - width), best * (1.0 + width))


def evidence(steps: WindSteps) -> Evidence:
    """Numbers of one source."""
    found = injected(steps).only("H", "He").gathered()
    hydrogen, helium = found.effective_cutoff.first.tolist()
    return Evidence(hydrogen, helium, float(species_ratio(found.coefficients.sum(axis=1), found.elements, axis=-1)))


def table1(settings: Settings) -> Survey:
    """Verdicts on four kinds of sources, the numbers behind them, and the same with other recipes."""
    breaks, measured = ratio_of_breaks(), measured_ratio()
    sources = star_populations(settings) | {"MSC": cluster_steps(settings)}
    chosen = {name: evidence(sources[name]) for name in PAPER}
    rows = [
        Row(f"LHAASO ({HADRONIC_MODEL}): break of He over break of H", "", breaks.best),
        Row("lowest cutoff of He over cutoff of H for a common break", "", breaks.low),
        Row("highest cutoff of He over cutoff of H for a common break", "", breaks.high),
        Row("highest reasonable eta_B", "", LARGEST_ETA_B),
        Row(f"LHAASO ({HADRONIC_MODEL}): H/He at 3 PV", "", measured.best),
    ]
    lines: list[tuple[str, ...]] = [
        ("recipe", "source", "He/H cutoff", "eta_B", "H/He", "break", "eta_B?", "H/He?", "paper")
    ]
    for name, found in chosen.items():
        rows += _rows(name, found, found.verdicts(breaks, measured.best))
    shown = len(rows)
    for recipe in dict.fromkeys((settings.recipe, *WIND_RECIPES)):
        own = recipe == settings.recipe
        every = chosen if own else _with(settings, recipe)
        for name, found in every.items():
            verdicts = found.verdicts(breaks, measured.best)
            if not own:
                rows += _rows(name, found, verdicts, f" ({recipe})")
            numbers = map(text_of, (found.helium / found.hydrogen, found.needed[2], found.ratio))
            lines.append((recipe, name, *numbers, *verdicts, " ".join(PAPER[name])))
    return Survey(
        "which winds can make the knee",
        tuple(rows),
        _notes(settings),
        printed=shown,
        summary_title="verdicts by recipe for Wolf-Rayet winds; eta_B for the geometric mean of both cutoffs at 3.5 PV",
        summary=tuple(lines),
    )


def _with(settings: Settings, recipe: str) -> dict[str, Evidence]:
    """Evidence with another recipe."""
    stars, cluster = survey(settings, settings.grid, recipe)
    o_type, stripped = (stars.select(rows) for rows in (~stars.stripped, stars.stripped))
    sources = {"MSC": cluster, "O + WR": stars, "O-type": o_type, "WR": stripped}
    return {name: evidence(sources[name]) for name in PAPER}


def _rows(name: str, found: Evidence, verdicts: tuple[str, str, str], which: str = "") -> list[Row]:
    hydrogen, helium, both = found.needed
    return [
        Row(f"{name}: cutoff of H at eta_B = {ETA_B:g}{which}", "GV", found.hydrogen),
        Row(f"{name}: cutoff of He at eta_B = {ETA_B:g}{which}", "GV", found.helium),
        Row(f"{name}: cutoff of He over cutoff of H{which}", "", found.helium / found.hydrogen),
        Row(f"{name}: eta_B for H at 3.5 PV{which}", "", hydrogen),
        Row(f"{name}: eta_B for He at 3.5 PV{which}", "", helium),
        Row(f"{name}: eta_B for the geometric mean of both at 3.5 PV{which}", "", both),
        Row(f"{name}: H/He at equal rigidity{which}", "", found.ratio),
        *(
            Row(f"{name}: verdict, {question}{which}", "", ours, paper)
            for question, ours, paper in zip(QUESTIONS, verdicts, PAPER[name], strict=True)
        ),
    ]


def _notes(settings: Settings) -> tuple[str, ...]:
    return (
        "common break: the cutoff of He over that of H is within two standard deviations of the ratio of "
        "LHAASO's breaks; without a common break the other questions are not asked",
        f"reasonable eta_B: at most {LARGEST_ETA_B:g} for the geometric mean of both cutoffs at 3.5 PV (project "
        "choice; the paper holds about 0.1 for reasonable)",
        f"H/He: within a factor {RATIO_FACTOR:g} of LHAASO's at 3 PV, at equal rigidity (project choice: hadronic "
        "models, M_up and other sources each shift it by tens of percent); the paper does not state its rules",
        "individual winds over the whole life of the stars, MSC in the first 5 Myr; " + upper_mass_note(settings),
    )
