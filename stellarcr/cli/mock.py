"""Commands for mock data: draw them, and see whether fits recover their truth."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import AsJson, Config, Runs


def mock(
    config: Config,
    set_values: Annotated[
        list[str] | None,
        typer.Option("--set", help="Truth of a free parameter, as in snr.gamma2=-2.4. Repeat as needed."),
    ] = None,
    run: Annotated[
        Path | None,
        typer.Option("--from", help="Run folder whose maximum is the truth.", metavar="RUN", show_default=False),
    ] = None,
    prior: Annotated[bool, typer.Option("--prior", help="Draw the truth from the prior.")] = False,
    seed: Annotated[int | None, typer.Option(help="Seed instead of the file's.", min=0)] = None,
    count: Annotated[int, typer.Option(help="Mock data sets; several go to numbered folders.", min=1)] = 1,
    first: Annotated[int, typer.Option(help="Number of the first one.", min=0)] = 0,
    output: Annotated[Path, typer.Option(help="Folder to make; it must be new or empty.")] = Path("mock"),
    as_json: AsJson = False,
) -> None:
    """Draw mock data from a configuration's model, with the points and errors of its data.

    The truth is the configuration's values, or --from, --prior and --set. Writes tables, likelihood files,
    truth.json and a config.toml, so that 'stellarcr run mock/config.toml' fits the mock like any data. Names of
    experiments and tables end in -mock.

    Errors are the published ones and do not scale with the mock's fluxes: where they are large a flux may be negative,
    and is kept, since leaving it out would bias a fit.
    """
    from ..studies.mock import make_mocks
    from ..studies.mock_report import print_mocks

    print_mocks(
        make_mocks(
            config, output, assignments=set_values or [], run=run, prior=prior, seed=seed, count=count, first=first
        ),
        as_json,
    )


def recover(
    runs: Runs,
    folder: Annotated[
        Path, typer.Option("--mock", help="Folder that 'stellarcr mock' wrote.", metavar="FOLDER")
    ] = Path("mock"),
    as_json: AsJson = False,
) -> None:
    """Compare fits of mock data with the truth: every parameter, and how many sigma it is off.

    Of several mocks the one is found whose tables a run fitted. Several runs also give mean and scatter of the offsets.
    """
    from ..studies.mock_recover import print_recovery
    from ..studies.mock_recover import recover as study

    print_recovery(study(runs, folder), as_json)


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command()(mock)
    app.command()(recover)
