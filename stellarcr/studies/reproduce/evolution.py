"""Figures 2, 3 and 4 of Qiu, Lin & Yang, arXiv:2605.31362: winds, their bubbles and what they accelerate, by age."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from ...shock.acceleration import TURBULENCE
from ...stars.imf import CLUSTER_UPPER_MASS
from ...stars.tracks import FloatArray
from ...stars.winds import WindPhase
from .evolution_acceleration import ETA_ACC, GAMMA, SHOWN, Acceleration, accelerated
from .evolution_measures import logarithmic_slope, median_by_time, quotient, value_at
from .evolution_phases import phase_rows, wolf_rayet_ages
from .evolution_winds import STARS, EvolvedWind, evolved_star, evolved_winds
from .injection import ETA_B, highest_mass
from .items import Result, Row, Settings

FIT_START = 1e5
"""Age from which slopes are fitted [yr]."""

_MYR = 1e6
_PUBLISHED_SLOPES = {"R_s": 0.44, "R_b": 0.58}
_PUBLISHED_CHANGES = {
    "L": 100.0,
    "V": 3.0,
    "R_s": 3.0,
    "R_max (Bohm)": 10.0,
    "R_max (Kraichnan)": 100.0,
    "R_max (Kolmogorov)": 1000.0,
}
"""Factors from the O to the WC phase of a star of 120 Msun, all of them approximate."""

_MOST_MASSIVE = STARS[-1]


def fig2(settings: Settings) -> Result:
    """Mass injection rates and wind velocities through time, and what the paper says about phases."""
    winds = evolved_winds(settings)

    def draw() -> Any:
        from ...plots.evolution import injection_plot

        return injection_plot([_panel(w, _injection_curves(w)) for w in winds], _last_age(winds))

    notes = (
        "Phases are wind phases: O Teff > 1.1e4 K and X_H > 0.4; WN hotter than 1.1e4 K with less hydrogen; WC "
        "X_H < 0.01 and more C12 than N14; RSG all else. The source population WR (X_H < 0.1) is another thing.",
        "The cluster is in a Wolf-Rayet phase while WN and WC winds carry more than half of its mechanical luminosity "
        "(intervals of 25 kyr for the numbers, 0.1 Myr for the background). How the paper's 2.6 Myr was read off "
        "we do not know: two other readings, of the most massive star, stand beside it.",
        "Tabulated tracks decide which stars end as RSG or live less than 4 Myr: nothing is interpolated there.",
        *_upper_mass_note(settings),
    )
    rows = (*wolf_rayet_ages(settings), *phase_rows(settings))
    return Result("Mass injection and velocity of winds through time (Fig. 2)", rows, notes, draw)


def fig3(settings: Settings) -> Result:
    """Radii of termination shock and shell and the pressure between them through time, and their slopes."""
    winds = evolved_winds(settings)

    def draw() -> Any:
        from ...plots.evolution import radii_plot

        return radii_plot([_panel(w, _radii_curves(w)) for w in winds], _last_age(winds))

    rows: list[Row] = []
    for wind in winds:
        last = wind.end_of_first_phase()
        for symbol, values in (("R_s", wind.shock_radius), ("R_b", wind.shell_radius)):
            slope = logarithmic_slope(wind.history.age, values, FIT_START, last)
            words = f"slope of ln {symbol} against ln t in the O phase, {wind.name}"
            rows.append(Row(words, "", slope, _PUBLISHED_SLOPES[symbol]))
    rows += [_contraction(wind) for wind in winds[:-1]]
    pressure = winds[0].bubble.medium.pressure
    notes = (
        f"Slopes: least squares at 200 ages even in ln t, from {FIT_START / _MYR:g} Myr to the end of the first O "
        "phase ("
        + ", ".join(f"{wind.name} {wind.end_of_first_phase() / _MYR:.2f} Myr" for wind in winds)
        + f"); H II region of 1 cm^-3 and 8000 K, p_II = {pressure:.2e} erg/cm^3.",
        "A constant wind gives at most 0.40 for R_s with these equations (R_s^2 goes as F R_b^3/E_b, so as t^0.8 for "
        "R_s << R_b): a steeper R_s needs a wind whose momentum flux grows relative to its power, one that slows down.",
        "R_s and p follow the wind at once; behind a slow RSG wind the true shock would lag.",
        *_turned_note(winds),
        *_upper_mass_note(settings),
    )
    return Result("Radii and pressure of wind bubbles through time (Fig. 3)", tuple(rows), notes, draw)


def fig4(settings: Settings) -> Result:
    """Highest rigidities and injection rates of nuclei through time, and how they change between phases."""
    winds = evolved_winds(settings)
    accelerations = [accelerated(settings, wind) for wind in winds]

    def draw() -> Any:
        from ...plots.evolution import acceleration_plot

        pairs = zip(winds, accelerations, strict=True)
        return acceleration_plot([_panel(w, _acceleration_curves(w, a)) for w, a in pairs], _last_age(winds))

    rows = (
        *_jump_rows(settings, _MOST_MASSIVE, _PUBLISHED_CHANGES),
        *_jump_rows(settings, 80.0, {}),
        *_cluster_rows(accelerations[-1], winds[-1]),
    )
    notes = (
        f"Figure: Bohm diffusion, eta_B = {ETA_B:g}, gamma = {GAMMA:g}, eta_acc = {ETA_ACC:g}; N_Z counts nuclei above "
        "1 GV.",
        "From O to WC: the median by time, or the highest value, in the WC phase over the median by time in the O "
        "phase. How the paper's factors were read off we do not know.",
        f"The paper's numbers are for {_MOST_MASSIVE:g} Msun. The star of 80 Msun stands beside it without: on "
        "mist-v1.0-vvcrit0.4 with nugis-lamers its R_max changes about as the paper says, highest over median.",
        "The coherence length of Kraichnan and Kolmogorov turbulence cancels in ratios.",
        *_upper_mass_note(settings),
    )
    return Result("Highest rigidities and injection rates through time (Fig. 4)", rows, notes, draw)


def _contraction(wind: EvolvedWind) -> Row:
    """R_s at the end of the last WC interval over its largest value in the WC phase."""
    radius = wind.shock_radius[wind.phase == WindPhase.WC]
    radius = radius[np.isfinite(radius)]
    ours = float(radius[-1] / radius.max()) if radius.size else None
    words = f"R_s at the end of the WC phase over its largest value in that phase, {wind.name}"
    return Row(words, "", ours, "below 1: R_s contracts late in a WC phase")


def _jump_rows(settings: Settings, mass: float, published: Mapping[str, float]) -> list[Row]:
    """Changes of one star from its O to its WC phase."""
    wind = evolved_star(settings, mass)
    found, history = accelerated(settings, wind), wind.history
    measured = {"L": history.luminosity, "V": history.velocity, "R_s": wind.shock_radius}
    measured |= {f"R_max ({name.title()})": found.rigidity(name) for name in TURBULENCE}
    o_phase, wc_phase = wind.phase == WindPhase.O, wind.phase == WindPhase.WC
    rows = []
    for words in ("WC median", "WC highest"):
        for symbol, values in measured.items():
            seen = values[wc_phase & np.isfinite(values)]
            late = median_by_time(values, history.duration, wc_phase)
            if words == "WC highest":
                late = float(seen.max()) if seen.size else None
            ratio = quotient(late, median_by_time(values, history.duration, o_phase))
            rows.append(Row(f"{symbol}: {words} over O median, {wind.name}", "", ratio, published.get(symbol)))
    return rows


def _cluster_rows(cluster: Acceleration, wind: EvolvedWind) -> list[Row]:
    """R_max of the cluster early and late."""
    rigidity, edges = cluster.rigidity("bohm"), wind.history.edges
    early = value_at(1e6, edges, rigidity)
    rows = [Row("R_max of the cluster at 1 Myr (Bohm)", "PV", early * 1e-6)]
    for late in (5e6, 1e7):
        ratio = quotient(early, value_at(late, edges, rigidity))
        words = f"R_max of the cluster at 1 Myr over R_max at {late / _MYR:g} Myr (Bohm)"
        rows.append(Row(words, "", ratio, "more than 10 from early to late"))
    return rows


def _last_age(winds: tuple[EvolvedWind, ...]) -> float:
    """End of the horizontal axes [Myr]: somewhat after the last star's death, on a half."""
    lives = [wind.history.edges[-1] / _MYR for wind in winds[:-1]]
    return math.ceil(2.0 * max(lives) + 0.4) / 2.0


def _panel(wind: EvolvedWind, curves: Mapping[str, FloatArray]) -> Any:
    from ...plots.evolution import EvolutionPanel

    edges, phases = wind.background
    return EvolutionPanel(wind.title, wind.history.age / _MYR, curves, edges / _MYR, phases)


def _injection_curves(wind: EvolvedWind) -> dict[str, FloatArray]:
    history = wind.history
    curves = {
        symbol: np.sum(history.nuclide_loss[:, [_symbol(name) == symbol for name in history.nuclides]], axis=1)
        for symbol in ("H", "He", "C")
    }
    blowing = history.luminosity > 0.0
    return {**curves, "velocity": np.where(blowing, history.velocity, np.nan)}


def _symbol(nuclide: str) -> str:
    return nuclide.rstrip("0123456789")


def _radii_curves(wind: EvolvedWind) -> dict[str, FloatArray]:
    return {"shock": wind.shock_radius, "shell": wind.shell_radius, "pressure": wind.pressure}


def _acceleration_curves(wind: EvolvedWind, found: Acceleration) -> dict[str, FloatArray]:
    rates = {symbol: found.number_rate[:, column] for column, symbol in enumerate(SHOWN)}
    return {"R_max": found.rigidity("bohm"), **rates}


def _turned_note(winds: tuple[EvolvedWind, ...]) -> tuple[str, ...]:
    turned = [wind.name for wind in winds if np.any(wind.bubble.swept_mass_frozen)]
    return (f"The shell turns around, R_b and R_s are estimates from there: {', '.join(turned)}.",) if turned else ()


def _upper_mass_note(settings: Settings) -> tuple[str, ...]:
    upper = highest_mass(settings, CLUSTER_UPPER_MASS)
    if upper == CLUSTER_UPPER_MASS:
        return ()
    return (
        f"M_up of the cluster is {upper:g} Msun, the heaviest star of the grid; the paper's is "
        f"{CLUSTER_UPPER_MASS:g} Msun.",
    )
