"""Figures 8 and 9: spectra at Earth by population, and where they harden."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import log10
from typing import Any

from .earth_fit import ELEMENTS, PRESET, SOURCES, EarthFit, chi2_lines, earth_fit
from .earth_slopes import Floats, Hardening, hardening, largest_rise, rigidities, slope_at
from .items import Row, Settings
from .printing import Survey

FIGURE_8 = ("H", "He", "C", "O")
FIGURE_9 = ("He", "C", "O", "Mg", "Si", "S")

PAPER_HARDENING: Mapping[str, float] = {"H": 2e5, "He": 5e5, "C": 5e5, "O": 5e5}
"""Rigidities of hardening [GV] that the paper prints, as "near"."""

SEARCHED = (1e4, 3e6)
"""Where a hardening is looked for [GV]: above the break of diffusion, below the cutoff of clusters."""

HARDENING_FACTOR = 2.0
"""`project choice`: the paper says "near", and, of both together, "0.1-0.5 PV"; so a factor of two is near."""

WIDE = (1e2, 1e4)
"""Rigidities [GV] whose slopes tell whether an element hardens "above 100 GV". `project choice` of the upper one: below
the cutoffs of all populations."""

MULTI_TV = (1e3, 1e4)
"""Rigidities [GV] whose slopes tell whether an element hardens "in the multi-TV range" (`project choice`)."""

WIDE_SHARE = 0.5
"""`project choice`: an element hardens above 100 GV if its slope rises by at least this share of what the break of the
diffusion coefficient gives to sources without a cutoff."""

STRAIGHT_WITHIN = 0.02
"""`project choice`: in the multi-TV range a slope that changes by less is straight: other plausible values of the
diffusion coefficient move the changes by about 0.01."""

YES, NO, STRAIGHT = "yes", "no", "straight"

_NAMES = {"snr": "SNR", "o_wind": "O-type winds", "wr_wind": "WR winds", "msc": "MSC"}
_SPAN = (20.0, 2e7)
_RANGES = {"fig8": (1e2, 1e7), "fig9": (2e1, 1e7)}
_FORMS = {"fragments": True, "destruction": False}


def spectrum(fit: EarthFit, element: str, without: Sequence[str] = ()) -> tuple[Floats, Floats]:
    """Rigidity [GV] and interstellar flux of an element, all populations but some."""
    rigidity = rigidities(*_SPAN)
    flux = fit.flux(element, rigidity)
    return rigidity, flux["total"] - sum(flux[name] for name in without)


def found_hardening(fit: EarthFit, element: str, without: Sequence[str] = ()) -> Hardening | None:
    """Hardening of an element towards the clusters' spectrum."""
    return hardening(*spectrum(fit, element, without), *SEARCHED)


def is_near(found: Hardening | None, paper: float) -> str:
    """Verdict on a rigidity of hardening."""
    near = found is not None and abs(log10(found.rigidity / paper)) <= log10(HARDENING_FACTOR)
    return YES if near else NO


def fig8(settings: Settings) -> Survey:
    """Spectra of H, He, C and O by population, and the rigidities at which they harden."""
    fit, simple = earth_fit(settings), earth_fit(settings, fragments=False)
    found = {element: found_hardening(fit, element) for element in FIGURE_8}
    rows = [row for element in FIGURE_8 for row in _hardening_rows(element, found[element])]
    rows += [
        Row("H without O-type winds: hardens at", "GV", _at(found_hardening(fit, "H", ("o_wind",)))),
        *fit_rows(fit),
        Row("fragments lost: chi2", "", simple.total_chi2),
        *(
            Row(f"fragments lost: power of {_NAMES[name]}", "erg/yr", simple.values[f"{name}.power"])
            for name in SOURCES
        ),
        *(Row(f"fragments lost: {e} hardens at", "GV", _at(found_hardening(simple, e))) for e in FIGURE_8),
    ]
    shown = len(rows)
    fits = every_fit(settings)
    for name, other in fits.items():
        rows += [Row(f"chi2 of {group} ({name})", "", value) for group, (value, _) in other.chi2.items()]

    def draw() -> Any:
        from ...plots.earth import population_figure

        marks = {element: place.rigidity for element, place in found.items() if place is not None}
        return population_figure(panels(fit, FIGURE_8), _RANGES["fig8"], marks, columns=2)

    return Survey(
        "rigidity spectra of H, He, C and O at Earth",
        tuple(rows),
        (
            "hardens at: where the local slope d ln J / d ln R rises fastest between 10 TV and 3 PV (drawn); the rise "
            "begins where the slope is lowest; R^2.7 J is lowest where the slope passes -2.7",
            f"near: within a factor of {HARDENING_FACTOR:g} of the paper's rigidity (project choice)",
            *common_notes(settings),
        ),
        draw,
        printed=shown,
        summary_title="chi2 by data set; fragments of spallation followed or lost; with the Type Ia remnant or without",
        summary=tuple(chi2_lines(fits)),
    )


def fig9(settings: Settings) -> Survey:
    """Spectra of He, C, O and Mg, Si, S over a wide range, and which of them harden above 100 GV."""
    fit, simple = earth_fit(settings), earth_fit(settings, fragments=False)
    least = wide_rise(fit)
    rows = [Row("least rise of the slope from 100 GV to 10 TV of an element that hardens", "", least)]
    lines: list[tuple[str, ...]] = [
        ("element", "model", "100 GV", "1 TV", "10 TV", "rise from\n100 GV", "rise from\n1 TV")
    ]
    for element in FIGURE_9:
        top = element in FIGURE_8
        rows += _slope_rows(fit, element, least, YES if top else NO)
        for name, fitted in (("fragments", fit), ("lost", simple)):
            curve = spectrum(fitted, element)
            slopes = [slope_at(*curve, at) for at in (WIDE[0], *MULTI_TV)]
            rises = slopes[2] - slopes[0], slopes[2] - slopes[1]
            lines.append((element, name, *(f"{slope:.3f}" for slope in slopes), *(f"{rise:+.3f}" for rise in rises)))

    def draw() -> Any:
        from ...plots.earth import population_figure

        return population_figure(panels(fit, FIGURE_9), _RANGES["fig9"], columns=3)

    return Survey(
        "rigidity spectra of He, C, O and Mg, Si, S at Earth",
        tuple(rows),
        (
            "hardens above 100 GV: the slope at 10 TV lies above that at 100 GV by at least half of what the break of "
            "the diffusion coefficient gives to sources without a cutoff (project choice)",
            "hardens in the multi-TV range: the slope at 10 TV lies above that at 1 TV; within "
            f"{STRAIGHT_WITHIN:g} of it the spectrum is straight (project choice)",
            "above 0.1 PV every element hardens once more, where clusters, which have no cutoff below 5 PV, are all "
            "that is left: the largest rise from 1 TV to 1 PV is that one",
            *common_notes(settings),
        ),
        draw,
        printed=len(rows),
        summary_title="local slopes with fragments of spallation followed and lost",
        summary=tuple(lines),
    )


def change_of_slope(rise: float) -> str:
    """Verdict on a change of the slope over the multi-TV range."""
    if abs(rise) < STRAIGHT_WITHIN:
        return STRAIGHT
    return YES if rise > 0 else NO


def wide_rise(fit: EarthFit) -> float:
    """Least rise of the slope from 100 GV to 10 TV of an element that hardens."""
    galaxy = fit.posterior.model.galaxy
    return WIDE_SHARE * (galaxy.delta - galaxy.delta_h)


def every_fit(settings: Settings) -> dict[str, EarthFit]:
    """Fits with fragments followed and lost, without and with the Type Ia remnant."""
    return {
        f"{form}{', Ia' if type_ia else ''}": earth_fit(settings, fragments, type_ia)
        for form, fragments in _FORMS.items()
        for type_ia in (False, True)
    }


def panels(fit: EarthFit, elements: Sequence[str]) -> list[Any]:
    """What a figure shows: populations and sum at AMS-02's modulation, and the fitted points."""
    from ..panels import spectrum_panels

    return spectrum_panels(fit.posterior, fit.best[None, :], fit.best, elements, span=_SPAN)


def fit_rows(fit: EarthFit) -> Iterator[Row]:
    """Fitted powers, their share of the mechanical power, potentials, chi2."""
    values, shares = fit.values, fit.shares()
    for name in SOURCES:
        yield Row(f"power of {_NAMES[name]} above 1 GV", "erg/yr", values[f"{name}.power"])
        if name in shares:
            yield Row(f"power of {_NAMES[name]} over its mechanical power", "", shares[name])
    for name, value in values.items():
        if name.endswith(".phi"):
            yield Row(f"modulation potential, {name.removesuffix('.phi')}", "GV", value)
    yield Row("chi2", "", fit.total_chi2)
    yield Row("points", "", float(sum(points for _, points in fit.chi2.values())))


def common_notes(settings: Settings) -> tuple[str, ...]:
    """What the figures have in common."""
    galaxy = earth_fit(settings).posterior.model.galaxy
    return (
        f"indices, breaks, cutoffs and abundances ({', '.join(ELEMENTS)}) as printed; the four powers, which are not, "
        "are fitted to AMS-02, DAMPE, NUCLEON and LHAASO (EPOS-LHC) above 20 GV with the modulation potentials: "
        "non-negative least squares with the errors of the likelihood files",
        f"propagation: {PRESET} (D0 = {galaxy.D0:g} cm2/s at 4 GV, delta = {galaxy.delta:g}, above {galaxy.R_h:g} GV "
        f"{galaxy.delta_h:g}), fragments of spallation followed; the paper takes Model B' of Ma et al. 2023, a "
        "reacceleration model whose numbers are not at hand",
        "spectra are effective ones: grid, recipe and iron do not matter here",
    )


def _at(found: Hardening | None) -> float | None:
    return None if found is None else found.rigidity


def _hardening_rows(element: str, found: Hardening | None) -> Iterator[Row]:
    paper = PAPER_HARDENING[element]
    yield Row(f"{element}: hardens at", "GV", _at(found), paper)
    yield Row(f"{element}: verdict, hardens near {paper / 1e6:g} PV", "", is_near(found, paper), YES)
    if found is None:
        return
    yield Row(f"{element}: rise of the slope begins at", "GV", found.softest)
    yield Row(f"{element}: R^2.7 J is lowest at", "GV", found.lowest)
    yield Row(f"{element}: rise of the slope ends at", "GV", found.hardest)
    yield Row(f"{element}: slope before", "", found.slope_before)
    yield Row(f"{element}: slope after", "", found.slope_after)


def _slope_rows(fit: EarthFit, element: str, least: float, paper: str) -> Iterator[Row]:
    curve = spectrum(fit, element)
    low, middle, high = (slope_at(*curve, at) for at in (WIDE[0], *MULTI_TV))
    yield Row(f"{element}: rise of the slope from 100 GV to 10 TV", "", high - low)
    yield Row(f"{element}: verdict, hardens above 100 GV", "", YES if high - low >= least else NO, paper)
    yield Row(f"{element}: rise of the slope from 1 to 10 TV", "", high - middle)
    yield Row(f"{element}: verdict, hardens in the multi-TV range", "", change_of_slope(high - middle), paper)
    rise, first, last = largest_rise(*curve, 1e3, 1e6)
    yield Row(f"{element}: largest rise of the slope from 1 TV to 1 PV", "", rise)
    yield Row(f"{element}: largest rise begins at", "GV", first)
    yield Row(f"{element}: largest rise ends at", "GV", last)
