"""Figure 7: H/He at equal rigidity against the highest mass of a star."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from ...shock.injection import integrated_spectrum
from ...shock.sources import CLUSTER_AGE_LIMIT, WindSteps, steps_of_wind
from ...stars.cluster import collective_wind
from ...stars.imf import CLUSTER_UPPER_MASS, kroupa
from .injection import SURVEY_STEP, Injected, cluster_wind, highest_mass, injected, star_steps
from .injection_knee import HADRONIC_MODEL, HADRONIC_MODELS, KNEE, measured_ratio
from .items import Row, Settings
from .printing import Survey, text_of

Floats = NDArray[np.float64]

LOWEST_UPPER_MASS = 40.0
"""Lowest M_up that is drawn [Msun]."""

KNEE_ETA_B = 0.05
"""eta_B with which the cutoffs of clusters are at the knee."""

_CLUSTERS = 8
"""How many M_up are followed for clusters; each is a sum over all stars."""


@dataclass(frozen=True, eq=False)
class RatioCurve:
    """H/He of one source, far below the cutoffs.

    Attributes
    ----------
    upper : ndarray, shape (n,)
        M_up [Msun].
    ratio : ndarray, shape (n,)
        H/He; NaN where there is no He.
    """

    upper: Floats
    ratio: Floats

    def at(self, upper: float) -> float:
        """Ratio at an M_up of the curve [Msun]."""
        return float(self.ratio[int(np.argmin(np.abs(self.upper - upper)))])


def ratio_curves(settings: Settings) -> dict[str, RatioCurve]:
    """Curves of ``O-type``, ``WR``, ``O + WR``, ``MSC, whole life`` and ``MSC``; computed once."""
    return cast(
        dict[str, RatioCurve], settings.once("ratio curves", lambda: _star_curves(settings) | _clusters(settings))
    )


def _upper_masses(settings: Settings) -> Floats:
    masses = settings.tracks.masses
    top = highest_mass(settings, CLUSTER_UPPER_MASS)
    return np.asarray(masses[(masses >= min(LOWEST_UPPER_MASS, top)) & (masses <= top)], dtype=np.float64)


def _star_curves(settings: Settings) -> dict[str, RatioCurve]:
    # stars up to each tabulated mass: the quadrature ends there, and its norm cancels
    uppers = _upper_masses(settings)
    stars = star_steps(settings, float(uppers[-1]))
    found = injected(stars.steps).only("H", "He").coefficients
    stripped = stars.steps.stripped
    return {
        name: RatioCurve(uppers, _ratios([found[:, rows & stars.below(upper)].sum(axis=1) for upper in uppers]))
        for name, rows in (("O-type", ~stripped), ("WR", stripped), ("O + WR", np.ones_like(stripped)))
    }


def _clusters(settings: Settings) -> dict[str, RatioCurve]:
    uppers = _upper_masses(settings)
    uppers = uppers[np.unique(np.linspace(0, uppers.size - 1, _CLUSTERS).round().astype(int))]
    numbers: dict[str, list[Floats]] = {"MSC, whole life": [], "MSC": []}
    for upper in uppers.tolist():
        steps = _cluster_steps(settings, upper)
        for name, part in (("MSC, whole life", steps), ("MSC", steps.select(steps.age < CLUSTER_AGE_LIMIT))):
            numbers[name].append(injected(part).only("H", "He").coefficients.sum(axis=1))
    return {name: RatioCurve(uppers, _ratios(rows)) for name, rows in numbers.items()}


def _cluster_steps(settings: Settings, upper: float) -> WindSteps:
    if upper == highest_mass(settings, CLUSTER_UPPER_MASS):
        return steps_of_wind(cluster_wind(settings, upper))
    return steps_of_wind(
        collective_wind(settings.tracks, kroupa(upper), settings.wind_recipe, iron=settings.iron, mass_step=SURVEY_STEP)
    )


def _ratios(numbers: list[Floats]) -> Floats:
    hydrogen, helium = np.array(numbers).T
    return np.where(helium > 0.0, hydrogen / np.where(helium > 0.0, helium, 1.0), np.nan)


def ratio_at(found: Injected, rigidity: float) -> float:
    """H/He of an injected spectrum at a rigidity [GV]."""
    pair = found.only("H", "He")
    spectrum = np.asarray(integrated_spectrum(np.array([rigidity]), pair.coefficients, pair.cutoff))[:, 0]
    return float(spectrum[0] / spectrum[1])


def knee_ratio(settings: Settings) -> float:
    """H/He of clusters at 3 PV with the eta_B that puts their cutoffs there."""
    steps = _cluster_steps(settings, highest_mass(settings, CLUSTER_UPPER_MASS))
    return ratio_at(injected(steps.select(steps.age < CLUSTER_AGE_LIMIT), KNEE_ETA_B), KNEE)


def fig7(settings: Settings) -> Survey:
    """H/He at equal rigidity against M_up, with LHAASO's at the knee."""
    curves = ratio_curves(settings)
    band = measured_ratio()
    rows = [Row(f"LHAASO ({model}): H/He at 3 PV", "", measured_ratio(KNEE, model).best) for model in HADRONIC_MODELS]
    rows += [
        Row(f"LHAASO ({HADRONIC_MODEL}): H/He at 3 PV, {end} 68% end", "", value)
        for end, value in (("lower", band.low), ("upper", band.high))
    ]
    top = highest_mass(settings, CLUSTER_UPPER_MASS)
    rows.append(Row(f"MSC, M_up = {top:g} Msun: H/He at 3 PV, eta_B = {KNEE_ETA_B:g}", "", knee_ratio(settings)))
    rows += [Row(f"{name}, M_up = {top:g} Msun: H/He", "", curve.at(top)) for name, curve in curves.items()]
    for name in ("MSC, whole life", "MSC"):
        inside = curves[name].upper[(curves[name].ratio >= band.low) & (curves[name].ratio <= band.high)]
        for end, pick in (("lowest", np.min), ("highest", np.max)):
            value = float(pick(inside)) if inside.size else None
            rows.append(Row(f"{name}: {end} M_up followed with H/He in the band", "Msun", value))
    shown = len(rows)
    rows += [
        Row(f"{name}, M_up = {upper:g} Msun: H/He", "", ratio)
        for name, curve in curves.items()
        for upper, ratio in zip(curve.upper.tolist(), curve.ratio.tolist(), strict=True)
        if upper != top
    ]
    lines = [("M_up [Msun]", *(name.replace(", ", ",\n") for name in curves))]
    for upper in curves["MSC"].upper.tolist():
        lines.append((f"{upper:g}", *(text_of(curve.at(upper)) for curve in curves.values())))

    def draw() -> Any:
        from ...plots.ratios import ratio_figure

        return ratio_figure({name: (curve.upper, curve.ratio) for name, curve in curves.items()}, band[1:])

    return Survey(
        "H/He at equal rigidity against the highest mass of a star",
        tuple(rows),
        _NOTES,
        draw,
        printed=shown,
        summary_title="H/He far below the cutoffs",
        summary=tuple(lines),
    )


_NOTES = (
    "nuclei at equal rigidity, as injected, far below the cutoffs: a power law's ratio does not depend on eta_B but by "
    "the 1 GV limit; Bohm diffusion, gamma = -2",
    f"near the cutoffs H/He changes with rigidity: the row at 3 PV has eta_B = {KNEE_ETA_B:g}, with which "
    "clusters have their cutoffs at LHAASO's break",
    f"LHAASO: J_H(E)/[2 J_He(2E)] from the tables, interpolated in logarithms; band: {HADRONIC_MODEL}, statistical and "
    "systematic errors of both energies in quadrature; at equal energy the ratio is another one",
    "on the way to Earth diffusion is the same for H and He at equal rigidity, so that propagation changes H/He by "
    "spallation only, which is little at the knee; other sources add to both",
    f"individual winds at every tabulated M_up; clusters at {_CLUSTERS} of them, in steps of {SURVEY_STEP:g} in ln M0",
)
