"""Predictions as text, JSON and CSV."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from ..errors import ConfigError
from ..infer.predictive import LEAST_DRAWS
from ..infer.runs import Run
from ..species import is_ratio
from .predict import SpectrumPrediction
from .predict_data import DataCheck, ExperimentPrediction
from .quantities import validity_note

CONSERVATIVE = (
    "fitted: p-values of data that the run was fitted to are conservative, because the data are used twice; "
    "only a small one means something"
)


def spectrum_notes(runs: Sequence[Run], predictions: Sequence[SpectrumPrediction]) -> list[str]:
    """What a reader of bands must know."""
    notes = _unconverged(runs)
    for run in runs:
        if len(run.samples) < LEAST_DRAWS:
            notes.append(f"{run.name}: {len(run.samples)} posterior samples give no meaningful bands")
    for p in predictions:
        if p.skipped:
            notes.append(f"{p.run}: no population injects {', '.join(p.skipped)}: left out")
    first = predictions[0]
    for species in dict.fromkeys(c.species for c in first.curves):
        notes.append(validity_note(species, first.axis, float(first.x.min()), first.x_unit))
    return [note for note in dict.fromkeys(notes) if note]


def data_notes(runs: Sequence[Run], predictions: Sequence[Sequence[ExperimentPrediction]]) -> list[str]:
    """What a reader of chi-squares and p-values must know."""
    notes = _unconverged(runs)
    for experiments in predictions:
        for e in experiments:
            if e.skipped:
                notes.append(
                    f"{e.run}: no population injects {', '.join(e.skipped)}, which the likelihood {e.likelihood!r} "
                    "holds: left out"
                )
    listed = [check for experiments in predictions for e in experiments for check in e.checks]
    if any(check.fitted != "no" for check in listed):
        notes.append(CONSERVATIVE)
    limits = {check.name: check.limits for check in listed if check.limits and not check.name.endswith(", all")}
    for name, count in limits.items():
        notes.append(f"{name}: {count} upper limit{'s' if count > 1 else ''} left out")
    return list(dict.fromkeys(notes))


def print_spectra(predictions: Sequence[SpectrumPrediction], notes: Iterable[str]) -> None:
    """Print one table per species and population; every run has its columns.

    Parameters
    ----------
    predictions : sequence of SpectrumPrediction
        One per run, of the same points. Populations that not all runs have stay empty where they are missing.
    notes : iterable of str
        Lines to print below.
    """
    console = _console()
    first = predictions[0]
    for species, population in dict.fromkeys((c.species, c.population) for p in predictions for c in p.curves):
        unit = f" [{first.flux_unit}]" if _has_unit(species) else ""
        draws = ", ".join(f"{p.run}: {p.draws} draws" for p in predictions)
        title = f"{species}, {population}{unit}; phi = {first.phi:g} GV; {draws}"
        table = Table(title=title, title_justify="left")
        table.add_column(f"{first.axis} [{first.x_unit}]", justify="right")
        columns: list[np.ndarray | None] = []
        for p in predictions:
            prefix = f"{p.run} " if len(predictions) > 1 else ""
            found = [c for c in p.curves if (c.species, c.population) == (species, population)]
            table.add_column(f"{prefix}median", justify="right")
            columns.append(found[0].median if found else None)
            for level in sorted(p.curves[0].intervals):
                for k, end in enumerate(("low", "high")):
                    table.add_column(f"{prefix}{100 * level:.3g}% {end}", justify="right")
                    columns.append(found[0].intervals[level][k] if found else None)
        for row, x in enumerate(first.x):
            table.add_row(f"{x:.6g}", *("" if c is None else f"{c[row]:.4e}" for c in columns))
        console.print(table)
    _print_notes(console, notes)


def print_checks(predictions: Sequence[Sequence[ExperimentPrediction]], notes: Iterable[str]) -> None:
    """Print how data sets agree with the runs' predictions.

    Parameters
    ----------
    predictions : sequence of sequence of ExperimentPrediction
        For every run, what `predict_data` gave.
    notes : iterable of str
        Lines to print below.
    """
    console = _console()
    for experiments in predictions:
        draws = experiments[0].draws
        table = Table(title=f"{experiments[0].run}: {draws} posterior draws", title_justify="left")
        for column, justify in (
            ("data set", "left"), ("fitted", "left"), ("points", "right"), ("chi2", "right"),
            ("predictive chi2", "right"), ("p-value", "right"), ("p realised", "right"), ("mean pull", "right"),
            ("largest pull", "left"),
        ):  # fmt: skip
            table.add_column(column, justify=justify)  # type: ignore[arg-type]
        names = Counter(check.name for experiment in experiments for check in experiment.checks)
        for experiment in experiments:
            axes = {t.spectrum.species: t.spectrum for t in experiment.tables}
            for check in experiment.checks:
                r, where = check.result, axes[check.largest_pull_species]
                unit = f"{where.x.unit}/n" if where.axis == "EKN" else str(where.x.unit)
                at = f"{check.largest_pull:+.1f} at {check.largest_pull_x:.4g} {unit}"
                table.add_row(
                    check.name if names[check.name] == 1 else f"{check.name} ({check.likelihood})",
                    check.fitted,
                    str(r.points),
                    f"{r.chi2:.1f}",
                    f"{r.predictive_chi2:.1f} +- {r.predictive_chi2_error:.1f}",
                    _probability(r.p_value, r.p_value_error),
                    _probability(r.p_realised, r.p_realised_error),
                    f"{check.mean_pull:+.2f}",
                    f"{at} ({where.axis}, {check.largest_pull_species})",
                )
        console.print(table)
    console.print(
        "chi2: at the mean prediction, with the data's errors. predictive chi2: with the predictions' covariance; "
        "follows chi2 of as many degrees of freedom as points if data are new and the model is right.\n"
        "p-value (p_value in JSON and CSV): predictive, the chance that replicated data have a larger predictive chi2, "
        "+- Monte Carlo error; the one to quote for data that were not fitted.\n"
        "p realised (p_realised in JSON and CSV): of the realised discrepancy, the chance of a larger chi2 at a "
        "posterior draw with the data's errors alone, mean over draws; the usual one for fitted data, too small for "
        "new data where predictions are uncertain.\n"
        "pull: (data - mean prediction) / error of the data. Asymmetric errors enter predictive chi2 and p-value "
        "with the mean of both sides.",
        markup=False, highlight=False,
    )  # fmt: skip
    lines: dict[str, list[str]] = {}
    for experiment in (experiment for experiments in predictions for experiment in experiments):
        given = "; ".join(f"{name} {source}" for name, source in experiment.nuisances.items())
        lines.setdefault(f"{experiment.likelihood}: {given}", []).append(experiment.run)
    for line, having in lines.items():
        shared = len(set(having)) == len(predictions)
        console.print(line if shared else f"{', '.join(having)}: {line}", markup=False, highlight=False)
    _print_notes(console, notes)


def spectra_json(predictions: Sequence[SpectrumPrediction], notes: Sequence[str]) -> dict[str, Any]:
    """Bands of all runs, as JSON."""
    return {
        "runs": [
            {
                "run": p.run,
                "axis": p.axis,
                "x_unit": p.x_unit,
                "flux_unit": p.flux_unit,
                "phi": p.phi,
                "draws": p.draws,
                "x": p.x.tolist(),
                "curves": [
                    {
                        "species": c.species,
                        "population": c.population,
                        "median": c.median.tolist(),
                        "intervals": [
                            {"level": level, "low": low.tolist(), "high": high.tolist()}
                            for level, (low, high) in c.intervals.items()
                        ],
                    }
                    for c in p.curves
                ],
            }
            for p in predictions
        ],
        "notes": list(notes),
    }


def checks_json(predictions: Sequence[Sequence[ExperimentPrediction]], notes: Sequence[str]) -> dict[str, Any]:
    """Data checks of all runs, point by point as well, as JSON."""
    return {
        "runs": [
            {
                "run": experiments[0].run,
                "draws": experiments[0].draws,
                "experiments": [
                    {
                        "likelihood": e.likelihood,
                        "nuisances": e.nuisances,
                        "not_injected": list(e.skipped),
                        "checks": [_check_record(check) for check in e.checks],
                        "tables": [
                            {
                                "name": t.spectrum.name,
                                "species": t.spectrum.species,
                                "axis": t.spectrum.axis,
                                "x": t.spectrum.x.value.tolist(),
                                "value": t.spectrum.value.value.tolist(),
                                "mean": t.mean.tolist(),
                                "median": t.median.tolist(),
                                "low_68": t.interval[0].tolist(),
                                "high_68": t.interval[1].tolist(),
                                "pull": [float(v) if np.isfinite(v) else None for v in t.pull],
                                "fitted": t.fitted.tolist(),
                            }
                            for t in e.tables
                        ],
                    }
                    for e in experiments
                ],
            }
            for experiments in predictions
        ],
        "notes": list(notes),
    }


def write_spectra_csv(predictions: Sequence[SpectrumPrediction], path: Path) -> None:
    """Write bands as CSV, one row per run, curve and point."""
    levels = sorted({level for p in predictions for level in p.curves[0].intervals})
    header = ["run", "species", "population", "axis", "x", "x_unit", "median"]
    header += [f"{end}_{100 * level:g}" for level in levels for end in ("low", "high")] + ["unit"]
    rows: list[list[Any]] = []
    for p in predictions:
        for c in p.curves:
            for k, x in enumerate(p.x):
                ends = [float(side[k]) for level in levels for side in c.intervals[level]]
                unit = p.flux_unit if _has_unit(c.species) else ""
                rows.append(
                    [p.run, c.species, c.population, p.axis, float(x), p.x_unit, float(c.median[k]), *ends, unit]
                )
    _write(path, header, rows)


def write_checks_csv(predictions: Sequence[Sequence[ExperimentPrediction]], path: Path) -> None:
    """Write data checks as CSV, one row per run and data set."""
    records = [
        {"run": check.run, "likelihood": check.likelihood, **_check_record(check)}
        for experiments in predictions
        for e in experiments
        for check in e.checks
    ]
    _write(path, list(records[0]), [list(record.values()) for record in records])


def _check_record(check: DataCheck) -> dict[str, Any]:
    r = check.result
    return {
        "data": check.name,
        "fitted": check.fitted,
        "points": r.points,
        "limits": check.limits,
        "chi2": r.chi2,
        "predictive_chi2": r.predictive_chi2,
        "predictive_chi2_error": r.predictive_chi2_error,
        "p_value": r.p_value,
        "p_value_error": r.p_value_error,
        "p_realised": r.p_realised,
        "p_realised_error": r.p_realised_error,
        "mean_pull": check.mean_pull,
        "largest_pull": check.largest_pull,
        "largest_pull_x": check.largest_pull_x,
        "largest_pull_species": check.largest_pull_species,
    }


def _write(path: Path, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    try:
        with path.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(header)
            writer.writerows(rows)
    except OSError as error:
        raise ConfigError(f"--csv {path} cannot be written: {error}", remedy="choose another file") from error


def _has_unit(species: str) -> bool:
    """Whether it is a flux: ratios and <ln A> are plain numbers."""
    return species != "lnA" and not is_ratio(species)


def _probability(value: float, error: float) -> str:
    if value <= 2.0 * error:
        return f"< {_short(value + error)}"
    return f"{_short(value)} +- {_short(error)}"


def _short(value: float) -> str:
    return f"{value:.3f}" if value >= 0.0995 else f"{value:.1g}" if value < 1e-3 else f"{value:.4f}"


def _unconverged(runs: Sequence[Run]) -> list[str]:
    return [f"{run.name}: {run.summary['verdict']}" for run in runs if not run.converged]


def _print_notes(console: Console, notes: Iterable[str]) -> None:
    for note in notes:
        console.print(f"note: {note}", markup=False, highlight=False)


def _console() -> Console:
    return Console(width=None if Console().is_terminal else 180)
