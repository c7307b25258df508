"""Checks of the tables that were made, beyond what every table must satisfy."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from dataset_building.catalogue import HADRONIC_MODELS
from dataset_building.source_table import SourceTable
from dataset_building.sources import BuildError, Source
from stellarcr.data.spectrum import Spectrum


def check_against_source(entry: SourceTable, source: Source, made: Spectrum) -> None:
    """Compare a written and re-read table with its source and the source's index.

    Raises
    ------
    BuildError
        If counts, range or numbers differ, or if systematic components do not add up to the total.
    """
    name = entry.name
    _require(len(made) == int(source.index["n"]), f"{name}: {len(made)} points, the index says {source.index['n']}")
    pairs = ((made.value, "flux"), (made.x, "x_mean"), (made.stat_low, "stat_lo"), (made.stat_high, "stat_hi"))
    _require(
        all([*ours.value] == source.numbers(column) for ours, column in pairs)
        and [*made.upper_limit] == [row["is_upper_limit"] == "1" for row in source.rows],
        f"{name}: numbers changed on the way",
    )
    edges = np.concatenate([made.x_low.value, made.x.value, made.x_high.value])
    for ours, theirs in ((np.nanmin(edges), "xmin"), (np.nanmax(edges), "xmax")):
        # The index prints six digits.
        _require(
            math.isclose(ours, float(source.index[theirs]), rel_tol=1e-5),
            f"{name}: range ends at {ours:g}, the index says {theirs} = {source.index[theirs]}",
        )
    for column, side in (("sys_lo", 0), ("sys_hi", 1)):
        if not entry.systematics:
            _require(
                all(map(math.isnan, source.numbers(column))), f"{name}: the source has {column}, the catalogue not"
            )
            continue
        total = np.sqrt(sum(pair[side].value ** 2 for pair in made.systematics.values()))
        # The source prints the quadrature sum with seven digits.
        _require(
            np.allclose(total, source.numbers(column), rtol=1e-6, atol=0.0),
            f"{name}: systematic components do not add up to the source's total in quadrature",
        )


def check_lhaaso_helium(spectra: Mapping[str, Spectrum]) -> None:
    """Check that LHAASO's helium is p+He minus H, within the rounding of the three printed numbers.

    Raises
    ------
    BuildError
        Naming model and bin.
    """
    for model in HADRONIC_MODELS:
        h, he, light = (spectra[f"LHAASO_{label}_{model}"].value.value for label in ("H", "He", "pHe"))
        # p+He is printed with four digits, or three just below a power of ten: half a unit of the last one is at
        # most 5e-4 of it.
        for i in np.flatnonzero(np.abs(light - h - he) > 5e-4 * light):
            raise BuildError(f"LHAASO {model}: He is not p+He minus H in bin {i + 1}")


def check_levels(spectra: Mapping[str, Spectrum]) -> None:
    """Check known levels: AMS-02 H at 10 GV, H at 1 TeV and 1 PeV.

    Raises
    ------
    BuildError
        Naming the level.
    """
    ams = _at(spectra["AMS-02_H"], 10.0)
    _require(abs(ams / 24.6 - 1.0) < 0.01, f"AMS-02 H at 10 GV is {ams:.3g}, not 24.6 per (m2 s sr GV)")
    dampe = _at(spectra["DAMPE_H"], 1e3) * 1e3**2.7
    _require(abs(dampe / 1.03e4 - 1.0) < 0.05, f"DAMPE H x E^2.7 at 1 TeV is {dampe:.4g}, not 1.03e4")
    for model in HADRONIC_MODELS:
        level = _at(spectra[f"LHAASO_H_{model}"], 1e6) * 1e6**2.7
        _require(1.31e4 < level < 1.45e4, f"LHAASO {model} H x E^2.7 at 1 PeV is {level:.4g}, not 1.33-1.43e4")


def _at(spectrum: Spectrum, x: float) -> float:
    """Interpolate between points, both axes in logarithms."""
    return float(np.exp(np.interp(np.log(x), np.log(spectrum.x.value), np.log(spectrum.value.value))))


def _require(true: bool, otherwise: str) -> None:
    if not true:
        raise BuildError(otherwise)
