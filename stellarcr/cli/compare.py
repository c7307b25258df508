"""Comparison of models by evidence."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import AsJson


def compare(
    runs: Annotated[
        list[Path] | None, typer.Argument(help="Run folders, such as chains/reference.", metavar="RUN...")
    ] = None,
    group: Annotated[
        list[str] | None, typer.Option(help="Name a model and its seeds, NAME=RUN,RUN. Repeat as needed.")
    ] = None,
    reference: Annotated[
        str | None, typer.Option(help="Model of the Bayes factors; default: the one of highest evidence.")
    ] = None,
    csv: Annotated[Path | None, typer.Option(help="File for one long table: a line per number.")] = None,
    latex: Annotated[Path | None, typer.Option(help="File for LaTeX tables: plain tabular, no package.")] = None,
    as_json: AsJson = False,
) -> None:
    """Compare models: evidences, Bayes factors, chi2 by data set, prior widths and information per parameter.

    Runs of one problem with the same sampler settings are repeated seeds of one model. Models whose evidences the
    errors cannot separate are not ranked. Runs that were fitted to different data are refused, with what differs.
    """
    from ..studies.compare_report import compare_report

    compare_report(runs or [], group or [], reference, csv, latex, as_json)


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command()(compare)
