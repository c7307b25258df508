"""Figures of predictions, from `SpectrumPrediction` and `ExperimentPrediction`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..errors import ConfigError
from ..observe.axes import AXES
from ..plots.spectrum_panel import Band, SpectrumPanel, place_on_axis
from ..species import ELEMENTS, GROUPS, is_ratio
from .panels import CURVE_POINTS, FigureContent, data_series, series_labels
from .predict import LEVELS, PosteriorDraws, PredictedCurve, SpectrumPrediction, predict
from .predict_data import ExperimentPrediction, TablePrediction


def draw_spectra(
    predictions: Sequence[SpectrumPrediction], target: Path, scale: float = 2.7, style: str = "two-column"
) -> list[Path]:
    """Draw the bands of one or several runs; ratios and <ln A> go into files of their own beside fluxes.

    Parameters
    ----------
    predictions : sequence of SpectrumPrediction
        One per run, of the same species and points.
    target : Path
        File without suffix.
    scale : float
        Power of the axis that multiplies fluxes.
    style : {"one-column", "two-column"}
        Width.

    Returns
    -------
    list of Path
        PDF and PNG files.
    """
    from ..plots.predictive import RunBands, log_mass_plot, predictive_plot
    from ..plots.style import save

    first = predictions[0]
    levels = sorted(first.curves[0].intervals)
    everywhere = set.intersection(*({c.species for c in p.curves} for p in predictions))
    ordered = [c.species for c in first.curves if c.population == "total" and c.species in everywhere]
    ratios = [s for s in ordered if is_ratio(s)]
    fluxes = sorted((s for s in ordered if not is_ratio(s) and s != "lnA"), key=_place)
    with_mass = "lnA" in everywhere
    written: list[Path] = []
    for species, suffix in ((fluxes, ""), (ratios, "-ratios" if fluxes else "")):
        if not species:
            continue
        panels = [SpectrumPanel(s, first.x, _components(first, s), axis=first.axis) for s in species]
        runs = [RunBands(p.run, [_bands(p.curve(s)) for s in species]) for p in predictions]
        figure = predictive_plot(panels, runs, levels=levels, scale=scale, style=style)
        name = _without_suffix(target)
        written.extend(save(figure, name.with_name(name.name + suffix)))
    if with_mass:
        runs = [RunBands(p.run, [_bands(p.curve("lnA"))]) for p in predictions]
        name = _without_suffix(target)
        name = name.with_name(f"{name.name}-lnA") if written else name
        written.extend(save(log_mass_plot(first.x, runs, levels=levels, style=style), name))
    return written


def draw_data(
    draws: Sequence[PosteriorDraws],
    predictions: Sequence[Sequence[ExperimentPrediction]],
    target: Path,
    *,
    axis: str | None = None,
    populations: bool = False,
    levels: Sequence[float] = LEVELS,
    scale: float = 2.7,
    style: str = "two-column",
) -> list[Path]:
    """Draw measurements over predictive bands, pulls below.

    Curves are at Earth, for the median potential of the first experiment of each panel, with energy scale and
    normalisation 1. Pulls, drawn for one run, are those of the mean prediction with each experiment's own nuisance
    parameters.

    Parameters
    ----------
    draws : sequence of PosteriorDraws
        One per run.
    predictions : sequence of sequence of ExperimentPrediction
        For every run, what `predict_data` gave.
    target : Path
        File without suffix. If the measurements need several axes, each has its file, such as ``target-ETOT``, and so
        have ratios beside fluxes, ``target-ratios``.
    axis : {"R", "EK", "EKN", "ETOT"}, optional
        Axis of elements; by default rigidity. Sums such as p+He and ratios cannot be converted and stay on their own.
    populations : bool
        Whether to draw the share of each population; for one run only.
    levels : sequence of float
        Probabilities inside the bands.
    scale : float
        Power of the axis that multiplies fluxes.
    style : {"one-column", "two-column"}
        Width.

    Returns
    -------
    list of Path
        PDF and PNG files.
    """
    from ..plots.predictive import RunBands, predictive_plot
    from ..plots.style import save

    labels = series_labels(table.spectrum for experiment in predictions[0] for table in experiment.tables)
    placed: dict[FigureContent, dict[str, list[tuple[ExperimentPrediction, TablePrediction]]]] = {}
    for experiment in predictions[0]:
        for table in experiment.tables:
            name = table.spectrum.species
            if table.spectrum.quantity == "lnA":
                continue  # no spectrum; its numbers are in the table that is printed
            content = FigureContent((axis or "R") if name in ELEMENTS else table.spectrum.axis, is_ratio(name))
            placed.setdefault(content, {}).setdefault(name, []).append((experiment, table))
    if not placed:
        raise ConfigError(
            "<ln A> has no spectrum to draw", remedy="name a likelihood of fluxes as well, or leave --plot out"
        )
    written: list[Path] = []
    several = sum(not content.ratios for content in placed) > 1
    for content, by_species in placed.items():
        where = content.axis
        order = sorted(by_species, key=_place)
        series = {
            s: [
                place_on_axis(data_series(t.spectrum, t.pull, labels[t.spectrum.name]), s, t.spectrum.axis, where)
                for _, t in by_species[s]
            ]
            for s in order
        }
        ends = np.concatenate([part.x for parts in series.values() for part in parts])
        x = np.geomspace(ends.min() / 1.4, 1.6 * ends.max(), CURVE_POINTS)
        panels: list[SpectrumPanel] = []
        bands: list[list[list[Band]]] = [[] for _ in draws]
        for species in order:
            phi = by_species[species][0][0].phi
            shares = populations and not content.ratios
            curves = [predict(d, [species], where, x, phi=phi, populations=shares, levels=levels) for d in draws]
            for k, curve in enumerate(curves):
                bands[k].append(_bands(curve.curve(species)))
            panels.append(SpectrumPanel(species, x, _components(curves[0], species), None, series[species], where))
        runs = [RunBands(d.run.name, part) for d, part in zip(draws, bands, strict=True)]
        file = _without_suffix(target)
        suffix = f"-{where}" if several and not content.ratios else content.suffix(placed)
        figure = predictive_plot(panels, runs, levels=sorted(levels), scale=scale, style=style)
        written.extend(save(figure, file.with_name(file.name + suffix)))
    return written


def curve_points(low: float, high: float, points: int, axis: str) -> np.ndarray:
    """Points with equal steps in the logarithm, for ``--range``.

    Raises
    ------
    ConfigError
        For ends that are not in order or not positive, or fewer than two points.
    """
    if not (0.0 < low < high < np.inf):
        raise ConfigError(
            f"--range {low:g}:{high:g}: two positive ends in rising order are needed",
            remedy=f"give {AXES.get(axis, 'GV')}, as in --range 10:1e7",
        )
    if points < 2:
        raise ConfigError(f"--points {points}: a range needs two points at least", remedy="give 50, or more for a plot")
    return np.geomspace(low, high, points)


def _place(species: str) -> int:
    """Elements by charge, then nuclides and sums; ratios keep the order in which they come."""
    return [*ELEMENTS, species, *GROUPS].index(species)


def _components(prediction: SpectrumPrediction, species: str) -> dict[str, Band]:
    """Bands of the populations that inject a species, for one level: the smallest."""
    return {
        c.population: replace(_bands(c)[0], label=c.label)
        for c in prediction.curves
        if c.species == species and c.population != "total" and np.any(c.median > 0)
    }


def _bands(curve: PredictedCurve) -> list[Band]:
    return [Band(curve.median, *curve.intervals[level]) for level in sorted(curve.intervals)]


def _without_suffix(target: Path) -> Path:
    return target.with_suffix("") if target.suffix in (".pdf", ".png") else target
