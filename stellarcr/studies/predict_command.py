"""The command ``stellarcr predict``: predictions of one or several runs, printed, written and drawn."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ConfigError
from ..observe.axes import check_axis
from .predict import LEVELS, check_levels, draws_of, predict
from .predict_data import predict_data
from .predict_figures import draw_data, draw_spectra
from .predict_fitted import predict_fitted
from .predict_report import (
    checks_json,
    data_notes,
    print_checks,
    print_spectra,
    spectra_json,
    spectrum_notes,
    write_checks_csv,
    write_spectra_csv,
)
from .spectrum import parse_assignments


@dataclass(frozen=True)
class PredictionOutput:
    """Where predictions go.

    Attributes
    ----------
    as_json : bool
        Print JSON and nothing else.
    csv : Path, optional
        File for the numbers.
    plot : Path, optional
        Figure, without suffix.
    style : {"one-column", "two-column"}
        Width of the figure.
    scale : float
        Power of the axis that multiplies fluxes in the figure.
    """

    as_json: bool = False
    csv: Path | None = None
    plot: Path | None = None
    style: str = "two-column"
    scale: float = 2.7

    def check(self, runs: Sequence[Path], populations: bool) -> None:
        """Refuse what cannot be drawn or written, before anything is computed.

        Raises
        ------
        ConfigError
            For runs named twice, populations of several runs in a figure, folders that do not exist.
        """
        if len({run.resolve() for run in runs}) < len(runs):
            raise ConfigError("a run is named twice", remedy="name each run once")
        if populations and self.plot is not None and len(runs) > 1:
            raise ConfigError("populations of several runs do not fit into one plot", remedy="draw one run at a time")
        for option, path in (("--csv", self.csv), ("--plot", self.plot)):
            if path is not None and not path.parent.is_dir():
                raise ConfigError(f"{option} {path}: there is no folder {path.parent}", remedy="make it first")

    def finish(self, content: dict[str, Any], files: Sequence[Path]) -> None:
        """Print JSON if it was asked for, else the names of written files."""
        if self.as_json:
            print(json.dumps(content))
            return
        for path in [*([] if self.csv is None else [self.csv]), *files]:
            print(path)


def report_spectra(
    runs: Sequence[Path],
    output: PredictionOutput,
    *,
    species: Sequence[str] | None = None,
    axis: str | None = None,
    x: np.ndarray,
    phi: float | None = None,
    draws: int = 500,
    seed: int = 0,
    populations: bool = False,
    levels: Sequence[float] = LEVELS,
) -> None:
    """Predict spectra of runs; parameters are those of `stellarcr.studies.predict.predict`.

    Raises
    ------
    StellarcrError
        For anything wrong in runs or arguments.
    """
    output.check(runs, populations)
    predictions, stored = [], []
    for run in runs:
        drawn = draws_of(run, draws, seed)
        stored.append(drawn.run)
        options = {"phi": phi or 0.0, "populations": populations, "levels": levels}
        predictions.append(predict(drawn, ("H", "He") if species is None else species, axis or "R", x, **options))  # type: ignore[arg-type]
    notes = spectrum_notes(stored, predictions)
    if output.csv is not None:
        write_spectra_csv(predictions, output.csv)
    files = draw_spectra(predictions, output.plot, output.scale, output.style) if output.plot is not None else []
    if not (output.as_json or output.plot):
        print_spectra(predictions, notes)
    output.finish(spectra_json(predictions, notes), files)


def report_data(
    runs: Sequence[Path],
    output: PredictionOutput,
    likelihoods: Sequence[str] | None,
    *,
    species: Sequence[str] | None = None,
    axis: str | None = None,
    assignments: Sequence[str] = (),
    draws: int = 500,
    seed: int = 0,
    populations: bool = False,
    levels: Sequence[float] = LEVELS,
) -> None:
    """Compare measurements with predictions of runs.

    Parameters
    ----------
    runs : sequence of Path
        Run folders.
    output : PredictionOutput
        Where results go.
    likelihoods : sequence of str, optional
        Names or TOML files; None for the data that each run was fitted to.
    species, draws, seed
        As for `stellarcr.studies.predict_data.predict_data`.
    axis : str, optional
        Axis of elements in the figure.
    assignments : sequence of str
        Nuisance parameters, ``name=value``.
    populations : bool
        Whether the figure shows them.
    levels : sequence of float
        Bands of the figure.

    Raises
    ------
    StellarcrError
        For anything wrong in runs or arguments.
    """
    output.check(runs, populations)
    chosen = check_levels(levels)
    if axis is not None:
        check_axis(axis)
    nuisances = parse_assignments(assignments)
    stored = [draws_of(run, draws, seed) for run in runs]
    predictions = [
        predict_fitted(d, seed=seed)
        if likelihoods is None
        else predict_data(d, likelihoods, species=species, nuisances=nuisances, seed=seed)
        for d in stored
    ]
    notes = data_notes([d.run for d in stored], predictions)
    if output.csv is not None:
        write_checks_csv(predictions, output.csv)
    files: list[Path] = []
    if output.plot is not None:
        files = draw_data(
            stored,
            predictions,
            output.plot,
            axis=axis,
            populations=populations,
            levels=chosen,
            scale=output.scale,
            style=output.style,
        )
    if not output.as_json:
        print_checks(predictions, notes)
    output.finish(checks_json(predictions, notes), files)
