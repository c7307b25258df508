"""How robust a result is: data left out, tension between experiments, other priors and other data."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import AsJson, OneRun, Quiet

Csv = Annotated[Path | None, typer.Option(help="Write the numbers to this CSV file.", show_default=False)]


def leave_out(
    run: OneRun,
    data: Annotated[
        list[str] | None,
        typer.Option(help='Data set to leave out, as compare lists them: "DAMPE Fe". Repeat as needed.'),
    ] = None,
    experiment: Annotated[
        list[str] | None, typer.Option(help="Likelihood to leave out, by its key: dampe. Repeat as needed.")
    ] = None,
    sampler: Annotated[
        str | None,
        typer.Option(help="Sampler of the fits, with its default settings; default: as the run.", show_default=False),
    ] = None,
    max_time: Annotated[
        str | None,
        typer.Option(
            help="Stop each fit after this much sampling: seconds, or a time such as 10m.",
            metavar="TIME",
            show_default=False,
        ),
    ] = None,
    max_calls: Annotated[
        int | None, typer.Option(help="Stop each fit after about so many likelihood calls.", min=1)
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Fit again where there is a fit without it already.")
    ] = False,
    draws: Annotated[int, typer.Option(help="Posterior draws behind the predictions.", min=20)] = 500,
    seed: Annotated[int, typer.Option(help="Seed of draws and replicated data.", min=0)] = 0,
    as_json: AsJson = False,
    csv: Csv = None,
    quiet: Quiet = False,
) -> None:
    """Fit without a data set or an experiment, and see how well that predicts it.

    Every fit is a run beside the first, NAME.without.WHAT: one that was cut short goes on, a finished one is taken as
    it is. Given are ln p of the data, given all others (three ways), chi2 and p-values of the prediction. Densities
    of data sets are kept beside the run for 'stellarcr compare'.
    """
    from ..studies.leave_out import leave_out as leave
    from ..studies.leave_out_report import report

    results = leave(
        run, data or [], experiment or [], sampler=sampler, max_time=max_time, max_calls=max_calls,
        overwrite=overwrite, draws=draws, seed=seed, quiet=quiet or as_json,
    )  # fmt: skip
    report(results, run, as_json, csv)


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command()(leave_out)
