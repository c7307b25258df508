"""When stars and the cluster are in which wind phase, beside what the paper says of it."""

from __future__ import annotations

import numpy as np

from ...stars.history import WindHistory
from ...stars.winds import WindPhase
from .evolution_measures import quotient
from .evolution_winds import evolved_cluster, evolved_star, tabulated_stars
from .items import Row, Settings

_MYR = 1e6
_WOLF_RAYET = (WindPhase.WN, WindPhase.WC)
_PUBLISHED_START = 2.6
_HIGHEST_RED_SUPERGIANT = 60.0
_LONG_LIFE = 4e6


def wolf_rayet_ages(settings: Settings) -> list[Row]:
    """From which age the cluster is in its Wolf-Rayet phase, in three readings."""
    cluster = evolved_cluster(settings)
    heaviest, star = tabulated_stars(settings)[-1]
    starts = {
        "age from which WN and WC winds carry most of the cluster's mechanical luminosity": _first(
            cluster.history, np.isin(cluster.phase, _WOLF_RAYET)
        ),
        f"age at which the most massive star ({heaviest:g} Msun) enters the WN or WC wind phase": _first(
            star, np.isin(star.phase, _WOLF_RAYET)
        ),
        f"age at which the most massive star ({heaviest:g} Msun) has X_H < 0.1": _first(star, star.stripped),
    }
    return [Row(words, "Myr", age, _PUBLISHED_START) for words, age in starts.items()]


def phase_rows(settings: Settings) -> list[Row]:
    """How stars end, and how long they are in which phase."""
    stars = tabulated_stars(settings)
    ends = [mass for mass, history in stars if history.phase[-1] == WindPhase.RSG]
    passes = [mass for mass, history in stars if np.any(history.phase == WindPhase.RSG)]
    stripped = [(mass, history) for mass, history in stars if np.any(np.isin(history.phase, _WOLF_RAYET))]
    longer = [mass for mass, history in stripped if history.edges[-1] >= _LONG_LIFE]
    rows = [
        Row(
            "highest tabulated initial mass of a star that ends as RSG",
            "Msun",
            max(ends, default=None),
            _HIGHEST_RED_SUPERGIANT,
        ),
        Row(
            "highest tabulated initial mass of a star with an RSG phase",
            "Msun",
            max(passes, default=None),
            _HIGHEST_RED_SUPERGIANT,
        ),
    ]
    published = {80.0: "WN long, WC brief", 120.0: "WN and WC comparable"}
    for mass, words in published.items():
        star = evolved_star(settings, mass)
        times = [star.time_in(phase) for phase in _WOLF_RAYET]
        for phase, time in zip(_WOLF_RAYET, times, strict=True):
            rows.append(Row(f"time in the {phase.name} phase, {star.name}", "Myr", time / _MYR, words))
        rows.append(Row(f"time in the WN phase over time in the WC phase, {star.name}", "", quotient(*times), words))
    lives = [history.edges[-1] / _MYR for _, history in stripped]
    rows += [
        Row(
            "lowest tabulated initial mass of a star with a WN or WC phase",
            "Msun",
            min((mass for mass, _ in stripped), default=None),
            "above 60",
        ),
        Row("longest life of a tabulated star with a WN or WC phase", "Myr", max(lives, default=None), "less than 4"),
        Row(
            "highest tabulated initial mass of such a star that lives 4 Myr or longer",
            "Msun",
            max(longer, default=None),
            "none",
        ),
    ]
    return rows


def _first(history: WindHistory, chosen: np.ndarray) -> float | None:
    """Age at which something holds for the first time [Myr]."""
    found = np.flatnonzero(chosen)
    return float(history.edges[found[0]]) / _MYR if found.size else None
