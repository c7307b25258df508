"""The command that draws runs."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from .options import split


class PlotKind(StrEnum):
    """What can be drawn."""

    corner = "corner"
    spectra = "spectra"
    trace = "trace"


def plot(
    kind: Annotated[PlotKind, typer.Argument(help="What to draw.")],
    runs: Annotated[list[Path], typer.Argument(help="Run folders; several are overlaid in a corner plot.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File without suffix; default: <run>/plots/<kind>.")
    ] = None,
    parameters: Annotated[
        str | None, typer.Option(help="Names, groups (snr) or patterns (*.gamma), separated by commas.")
    ] = None,
    species: Annotated[str | None, typer.Option(help="Elements of a spectra plot, separated by commas.")] = None,
    draws: Annotated[int, typer.Option(help="Posterior draws behind the bands.", min=2)] = 300,
) -> None:
    """Draw runs, as PDF and PNG."""
    from ..studies.pictures import draw

    for path in draw(kind.value, runs, output, split(parameters), split(species), draws):
        typer.echo(str(path))


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command()(plot)
