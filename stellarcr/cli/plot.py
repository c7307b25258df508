"""The commands that draw runs."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from .options import Runs, split


class Style(StrEnum):
    """Width of a figure."""

    one_column = "one-column"
    two_column = "two-column"


class AxisCode(StrEnum):
    """Axis of a spectrum."""

    R = "R"
    EK = "EK"
    EKN = "EKN"
    ETOT = "ETOT"


Output = Annotated[
    Path | None,
    typer.Option("--output", "-o", help="File without suffix; default: a name of its own in <first run>/plots."),
]
StyleOption = Annotated[Style, typer.Option(help="Width: one column of a journal (3.4 in) or a page (7.1 in).")]
Labels = Annotated[str | None, typer.Option(help="Names of the runs in the legend, separated by commas.")]
Parameters = Annotated[
    str | None, typer.Option(help="Names, patterns (*.gamma) or prefixes (snr), separated by commas.")
]

plot_app = typer.Typer(help="Draw runs, as PDF and PNG.", no_args_is_help=True, rich_markup_mode=None)


@plot_app.command()
def corner(
    runs: Runs,
    parameters: Parameters = None,
    group: Annotated[
        list[str] | None,
        typer.Option(help="populations, nearby (or type_ia), propagation or nuisances; repeat it for several."),
    ] = None,
    style: StyleOption = Style.two_column,
    priors: Annotated[bool, typer.Option(help="Draw the prior densities over the posteriors.")] = True,
    labels: Labels = None,
    output: Output = None,
) -> None:
    """Posterior of every parameter and every pair of parameters, runs on top of each other."""
    from ..studies.pictures import draw_corner

    _print(
        draw_corner(
            runs, output, parameters=split(parameters), groups=group or None, style=style.value, priors=priors,
            labels=split(labels),
        )
    )  # fmt: skip


@plot_app.command()
def spectra(
    runs: Runs,
    species: Annotated[
        str | None, typer.Option(help="Elements, sums on their own axis (p+He with ETOT), ratios; separated by commas.")
    ] = None,
    axis: Annotated[AxisCode, typer.Option(help="Rigidity, kinetic energy (per nucleon), total energy.")] = AxisCode.R,
    scale: Annotated[float, typer.Option(help="Fluxes are multiplied by the axis to this power.")] = 2.7,
    style: Annotated[Style | None, typer.Option(help="Width; default: what the number of species needs.")] = None,
    draws: Annotated[int, typer.Option(help="Posterior draws behind the bands.", min=2)] = 300,
    populations: Annotated[
        bool | None,
        typer.Option("--populations/--no-populations", help="Draw each population; default: for one run only."),
    ] = None,
    pulls: Annotated[bool, typer.Option("--pulls/--no-pulls", help="Draw pulls below the spectra of one run.")] = True,
    labels: Labels = None,
    output: Output = None,
) -> None:
    """Spectra at Earth with the fitted data; several runs in their own colours."""
    from ..studies.pictures import draw_spectra

    _print(
        draw_spectra(
            runs, output, species=split(species), axis=axis.value, scale=scale, style=style and style.value,
            draws=draws, populations=populations, pulls=pulls, labels=split(labels),
        )
    )  # fmt: skip


@plot_app.command()
def powers(runs: Runs, style: StyleOption = Style.one_column, labels: Labels = None, output: Output = None) -> None:
    """Injected power of every population against its mechanical budget."""
    from ..studies.pictures import draw_powers

    _print(draw_powers(runs, output, style=style.value, labels=split(labels)))


@plot_app.command()
def pulls(runs: Runs, style: StyleOption = Style.two_column, labels: Labels = None, output: Output = None) -> None:
    """Pulls and chi2 by data set of one run; chi2 of several runs side by side."""
    from ..studies.pictures import draw_pulls

    _print(draw_pulls(runs, output, style=style.value, labels=split(labels)))


@plot_app.command()
def trace(
    runs: Runs, parameters: Parameters = None, style: StyleOption = Style.two_column, output: Output = None
) -> None:
    """How a sampler went: chains against step, or samples against prior volume; one figure per run."""
    from ..studies.pictures import draw_trace

    _print(draw_trace(runs, output, parameters=split(parameters), style=style.value))


def _print(paths: list[Path]) -> None:
    for path in paths:
        typer.echo(str(path))


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.add_typer(plot_app, name="plot")
