"""Dipole anisotropy of a configuration's model."""

from __future__ import annotations

from typing import Annotated

import typer

from .options import AsJson, Config


def anisotropy(
    config: Config,
    set_values: Annotated[
        list[str] | None, typer.Option("--set", help="Parameter to change, name=value. Repeat as needed.")
    ] = None,
    species: Annotated[str, typer.Option(help="One element or group: H, Fe, p+He, all.")] = "all",
    axis: Annotated[str, typer.Option(help="R [TV], EK [TeV], EKN [TeV/n] or ETOT [TeV].")] = "R",
    at: Annotated[str, typer.Option(help="Points on the axis [TV or TeV], separated by commas.")] = "1,10,100,1000",
    longitude: Annotated[
        list[str] | None,
        typer.Option(help="Galactic longitude [deg] of a nearby source, population=degrees. Repeat as needed."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Print the dipole anisotropy of the model at the configuration's reference values, by population.

    Amplitudes 3 D/v |grad N| / N: of each population alone in the sky, and as parts of the dipole of the sum.
    """
    from ..studies.anisotropy import print_dipoles

    print_dipoles(config, set_values or [], species, axis, at, longitude or [], as_json)


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command()(anisotropy)
