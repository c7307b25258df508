"""Predictions of runs for any species, axis and data set."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import ConfigError
from .options import AsJson, Runs, ends, split

if TYPE_CHECKING:
    import numpy as np


def predict(
    runs: Runs,
    species: Annotated[
        str | None,
        typer.Option(
            help="Elements, groups, nuclides, ratios: H,p+He,all,He3,C/O; or lnA. Default: H,He; with --data all of it."
        ),
    ] = None,
    axis: Annotated[
        str | None, typer.Option(help="R [GV], EK [GeV], EKN [GeV/n] or ETOT [GeV]. Default: R.", show_default=False)
    ] = None,
    at: Annotated[str | None, typer.Option(help="Points on the axis, separated by commas.")] = None,
    span: Annotated[
        str | None,
        typer.Option("--range", help="Ends of the axis. Default: 10:1e7 on R and EKN, 1e3:1e8 on EK and ETOT."),
    ] = None,
    points: Annotated[
        int | None, typer.Option(help="Points of the range. Default: 7, and 160 for a plot.", show_default=False)
    ] = None,
    phi: Annotated[float | None, typer.Option(help="Modulation potential [GV]. Default: 0, interstellar.")] = None,
    data: Annotated[
        list[str] | None,
        typer.Option(help="Likelihoods to predict, by name or TOML file, separated by commas. Repeat as needed."),
    ] = None,
    check: Annotated[
        bool,
        typer.Option("--check", help="Test the run against the data that it was fitted to: chi2 and p-values."),
    ] = False,
    set_values: Annotated[
        list[str] | None,
        typer.Option("--set", help="Nuisance parameter of --data, as in dampe.phi=0.5. Repeat as needed."),
    ] = None,
    draws: Annotated[int, typer.Option(help="Posterior draws.")] = 500,
    seed: Annotated[int, typer.Option(help="Seed of draws and replicated data.", min=0)] = 0,
    populations: Annotated[bool, typer.Option("--populations", help="Give the share of each population.")] = False,
    level: Annotated[str, typer.Option(help="Probabilities inside the bands.")] = "0.68,0.95",
    as_json: AsJson = False,
    csv: Annotated[Path | None, typer.Option(help="Write the numbers to this CSV file.")] = None,
    plot: Annotated[
        Path | None, typer.Option(help="Draw, as PDF and PNG, to this file (without suffix).", show_default=False)
    ] = None,
    style: Annotated[str, typer.Option(help="Width of the plot: one-column or two-column.")] = "two-column",
    scale: Annotated[float, typer.Option(help="The plot shows fluxes times the axis to this power.")] = 2.7,
) -> None:
    """Predict spectra, <ln A> and measurements from the posterior of runs.

    Without --data: medians and bands at points of an axis. With --data: how measurements, fitted or not, agree with
    the predictions (chi2, predictive chi2, p-values). With --check: the same for the data of the fit, with its ranges
    and errors; these are used twice, so that only a small p-value means something. All with --json, --csv and --plot.
    """
    from ..studies.predict_command import PredictionOutput, report_data, report_spectra

    output = PredictionOutput(as_json, csv, plot, style, scale)
    levels = _numbers("--level", level, "0.68,0.95")
    names = split(species)
    if check and (data is not None or set_values or names):
        raise ConfigError(
            "--check takes the data of the fit as they are",
            remedy="leave out --data, --species and --set; or use --data alone",
        )
    if data is None and not check:
        if set_values:
            raise ConfigError("--set changes nuisance parameters of --data", remedy="use --phi for a spectrum")
        report_spectra(
            runs, output, species=names, axis=axis, x=_points(at, span, points, axis or "R", plot is not None), phi=phi,
            draws=draws, seed=seed, populations=populations, levels=levels,
        )  # fmt: skip
        return
    for option, value in (("--at", at), ("--range", span), ("--points", points), ("--phi", phi)):
        if value is not None:
            raise ConfigError(
                f"{option} does not go with {'--check' if check else '--data'}, whose tables say where they measure",
                remedy="leave it out" if check else "leave it out; a potential is set with --set <likelihood>.phi=0.5",
            )
    report_data(
        runs, output, None if data is None else [part for text in data for part in split(text) or []],
        species=names, axis=axis,
        assignments=set_values or [], draws=draws, seed=seed, populations=populations, levels=levels,
    )  # fmt: skip


def _points(at: str | None, span: str | None, points: int | None, axis: str, drawn: bool) -> np.ndarray:
    import numpy as np

    from ..studies.predict_figures import curve_points

    if at is not None:
        if span is not None or points is not None:
            raise ConfigError("--at and --range or --points exclude each other", remedy="keep one of them")
        return np.array(_numbers("--at", at, "10,100,1000"))
    # a nucleus of 1 TeV is inside the model's range, iron included
    low, high = ends(span or ("1e3:1e8" if axis in ("EK", "ETOT") else "10:1e7"), "10:1e7")
    return curve_points(low, high, points if points is not None else 160 if drawn else 7, axis)


def _numbers(option: str, text: str, example: str) -> list[float]:
    try:
        return [float(part) for part in split(text) or []]
    except ValueError:
        raise ConfigError(f"{option} {text!r} is not a list of numbers", remedy=f"write {option} {example}") from None


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command()(predict)
