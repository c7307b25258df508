"""Figure 6: effective cutoffs of H and He against the share of wind power in magnetic field."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from ...shock.cutoff import EffectiveCutoff
from ...shock.sources import CLUSTER_AGE_LIMIT
from ...stars.imf import CLUSTER_UPPER_MASS
from .injection import cluster_steps, injected, star_steps
from .injection_knee import HADRONIC_MODEL, HADRONIC_MODELS, break_band, measured_break
from .items import Row, Settings
from .printing import Survey, text_of

Floats = NDArray[np.float64]

ETA_RANGE = (1e-3, 1.0)
"""Shares of wind power in magnetic field that are drawn."""

UPPER_MASSES = (CLUSTER_UPPER_MASS, 100.0)
"""M_up [Msun], solid and dashed in the figure."""

ELEMENTS = ("H", "He")

BOTH = "H and He"

PAPER_BREAK = 3.5e6
"""Common break of H and He [GV], as the paper quotes it from LHAASO."""

PAPER_ETA_CLUSTER = 0.1
"""The eta_B that the paper holds for reasonable, about."""

PAPER_ETA_O = 1.0
"""eta_B that O-type stars need on their own, printed as about 1."""

_NODES = 4


@dataclass(frozen=True, eq=False)
class CutoffCurve:
    """Effective cutoffs of one source against eta_B.

    Attributes
    ----------
    eta_B : ndarray, shape (n,)
        Nodes.
    first, last : ndarray, shape (2, n)
        Lowest and highest effective cutoff of H and He [GV].
    """

    eta_B: Floats
    first: Floats
    last: Floats

    def at(self, eta_B: Floats, highest: bool = False) -> Floats:
        """Cutoffs of H and He [GV], shape (2, n): sqrt(eta_B) times what is interpolated between the nodes."""
        values = (self.last if highest else self.first) / np.sqrt(self.eta_B)
        place = np.log(self.eta_B)
        return np.array([np.exp(np.interp(np.log(eta_B), place, np.log(row))) for row in values]) * np.sqrt(eta_B)

    def needed(self, rigidity: float, highest: bool = False) -> tuple[float, float]:
        """The eta_B at which the cutoffs of H and of He are at a rigidity [GV]; NaN for what is not injected."""
        found = []
        for row in self.last if highest else self.first:
            # beyond the nodes cutoffs go on as sqrt(eta_B)
            shift = np.log(rigidity / row)
            place = np.log(self.eta_B) + 2.0 * shift
            inside = np.interp(0.0, -shift, place)
            found.append(float(np.exp(inside)))
        return found[0], found[1]


def curves(settings: Settings) -> dict[tuple[str, float], CutoffCurve]:
    """Curves by source and M_up [Msun], Bohm diffusion; computed once."""
    return cast(dict[tuple[str, float], CutoffCurve], settings.once("cutoff curves", lambda: _curves(settings)))


def upper_masses(settings: Settings) -> tuple[float, ...]:
    """M_up [Msun]: those of the paper, or the next tabulated masses below, at which quadratures end."""
    masses = settings.tracks.masses
    return tuple(dict.fromkeys(float(masses[masses <= mass][-1]) for mass in UPPER_MASSES))


def _curves(settings: Settings) -> dict[tuple[str, float], CutoffCurve]:
    nodes = np.geomspace(*ETA_RANGE, _NODES)
    found: dict[tuple[str, float], list[EffectiveCutoff]] = {}
    uppers = upper_masses(settings)
    stars = star_steps(settings, max(uppers))
    clusters = {
        (name, upper): cluster_steps(settings, upper, last)
        for upper in uppers
        for name, last in (("MSC", CLUSTER_AGE_LIMIT), ("MSC, whole life", float("inf")))
    }
    for eta_B in nodes.tolist():
        whole = injected(stars.steps, eta_B).only(*ELEMENTS)
        for upper in uppers:
            below, stripped = stars.below(upper), stars.steps.stripped
            parts = {"O-type": below & ~stripped, "WR": below & stripped, "O + WR": below}
            for name, rows in parts.items():
                found.setdefault((name, upper), []).append(whole.select(rows).gathered().effective_cutoff)
        for key, steps in clusters.items():
            found.setdefault(key, []).append(injected(steps, eta_B).only(*ELEMENTS).effective_cutoff)
    return {
        key: CutoffCurve(nodes, np.array([c.first for c in row]).T, np.array([c.last for c in row]).T)
        for key, row in found.items()
    }


def fig6(settings: Settings) -> Survey:
    """Effective cutoffs of H and He against eta_B, and the eta_B for which they agree with LHAASO's break."""
    found, band, uppers = curves(settings), break_band(), upper_masses(settings)
    cutoffs = found["MSC", uppers[0]].at(np.array([0.05]))[:, 0].tolist()
    shown = [
        *_measured_rows(HADRONIC_MODEL),
        Row("LHAASO: lower end of the band", "GV", band[0]),
        Row("LHAASO: upper end of the band", "GV", band[1]),
        *(
            Row(f"MSC, M_up = {uppers[0]:g} Msun: cutoff of {element} at eta_B = 0.05", "GV", value)
            for element, value in zip(ELEMENTS, cutoffs, strict=True)
        ),
    ]
    hidden = [row for model in HADRONIC_MODELS[1:] for row in _measured_rows(model)]
    lines = [("source", "M_up", *(f"{e} at\n3.5 PV" for e in ELEMENTS), *(f"{e}\nin band" for e in (*ELEMENTS, BOTH)))]
    for (name, upper), curve in found.items():
        which = f"{name}, M_up = {upper:g} Msun"
        needed, ranges = curve.needed(PAPER_BREAK), agreement(curve, band)
        paper = {"O-type": PAPER_ETA_O, "MSC": PAPER_ETA_CLUSTER}.get(name)
        (hidden if paper is None else shown).extend(
            Row(f"{which}: eta_B for a cutoff of {element} at 3.5 PV", "", value, paper)
            for element, value in zip(ELEMENTS, needed, strict=True)
        )
        for what, ends in ranges.items():
            hidden += [
                Row(f"{which}: {end} eta_B with {what} in the band", "", value)
                for end, value in zip(("lowest", "highest"), ends, strict=True)
            ]
        spans = (_span(*ends) for ends in ranges.values())
        lines.append((name, f"{upper:g}", *map(text_of, needed), *spans))

    def draw() -> Any:
        from ...plots.cutoffs import cutoff_figure

        eta_B = np.geomspace(*ETA_RANGE, 61)
        lines = {key: curve.at(eta_B) for key, curve in found.items()}
        return cutoff_figure(eta_B, lines, uppers, band)

    return Survey(
        "effective cutoffs of H and He against eta_B",
        (*shown, *hidden),
        _notes(found, uppers),
        draw,
        printed=len(shown),
        summary_title="eta_B for a cutoff of 3.5 PV, and ranges of eta_B with cutoffs in LHAASO's band; M_up in Msun",
        summary=tuple(lines),
    )


def _notes(found: dict[tuple[str, float], CutoffCurve], uppers: tuple[float, ...]) -> tuple[str, ...]:
    several = max(float(np.nanmax(curve.last / curve.first, initial=1.0)) for curve in found.values())
    late = 100.0 * max(
        float(np.nanmax(np.abs(found["MSC", upper].first / found["MSC, whole life", upper].first - 1.0)))
        for upper in uppers
    )
    more = f"some spectra have more than one, up to {several:.2g} times higher"
    return (
        "effective cutoff: the rigidity where dlnQ/dlnR = gamma - 1; Bohm diffusion, so that R_max grows exactly as "
        "sqrt(eta_B); gamma = -2",
        f"band: two power laws that meet, fitted to LHAASO's H and He ({HADRONIC_MODEL}) from 0.5 PV on with total "
        "errors, bins independent; from the lowest to the highest end of both 68% intervals. A cutoff exp(-R/R_c) fits "
        "less well and lies higher; eta_B goes with the square of the rigidity",
        "a dash: no eta_B brings both into the band; values above 1 need more than the wind has; the paper holds about "
        "0.1 for reasonable",
        f"MSC: first 5 Myr of a cluster; its whole life changes cutoffs by at most {late:.1g}%",
        "the lowest solution is drawn: " + ("there is one only" if several < 1.0 + 1e-6 else more),
    )


def agreement(curve: CutoffCurve, band: tuple[float, float]) -> dict[str, tuple[float | None, float | None]]:
    """Ranges of eta_B with the cutoff of H, of He, and both in a band [GV]; None where there is no such range."""
    low, high = curve.needed(band[0]), curve.needed(band[1])
    ranges: dict[str, tuple[float | None, float | None]] = {
        element: (low[place], high[place]) for place, element in enumerate(ELEMENTS)
    }
    both = max(low), min(high)
    return ranges | {BOTH: both if both[0] <= both[1] else (None, None)}


def _span(low: float | None, high: float | None) -> str:
    return "-" if low is None or high is None or not np.isfinite(low + high) else f"{low:.2g} to {high:.2g}"


def _measured_rows(model: str) -> Iterator[Row]:
    for element in ELEMENTS:
        found = measured_break(element, model)
        paper = PAPER_BREAK if model == HADRONIC_MODEL else None
        yield Row(f"LHAASO ({model}): break of {element}", "GV", found.best, paper)
        yield Row(f"LHAASO ({model}): break of {element}, lower 68% end", "GV", found.low)
        yield Row(f"LHAASO ({model}): break of {element}, upper 68% end", "GV", found.high)
