"""Merging of seeds."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import Runs


def merge(
    runs: Runs,
    name: Annotated[str, typer.Option(help="Name of the merged run.")],
    output: Annotated[Path, typer.Option(help="Folder of runs in which it is written.")] = Path("chains"),
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a run of that name.")] = False,
) -> None:
    """Merge runs of one model with different seeds into one run, which is read, drawn and compared like any other.

    MCMC: chains side by side, with R-hat over all of them. Nested sampling: samples pooled by effective sample size;
    ln Z is the mean, its error the larger of what the quoted errors and the scatter of the seeds say. Refused, with the
    key that differs: other problems or samplers, and the same seed twice.
    """
    from ..studies.merge import merge as merge_runs

    run, warnings = merge_runs(runs, name, output=output, overwrite=overwrite)
    for warning in warnings:
        typer.echo(f"warning: {warning}", err=True)
    typer.echo(str(run))
    typer.echo(f"results: {run.path}")


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command()(merge)
