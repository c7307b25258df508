"""The command that calibrates: mock data from the prior, fitted, and the truths' ranks tested."""

from __future__ import annotations

from typing import Annotated

import typer

from .options import AsJson, Config, Quiet


def calibrate(
    config: Config,
    mocks: Annotated[int, typer.Option(help="Mock data sets, those of earlier sessions included.", min=1)] = 200,
    seed: Annotated[int | None, typer.Option(help="Seed instead of the file's.", min=0)] = None,
    draws: Annotated[int, typer.Option(help="Posterior draws among which each truth is ranked.", min=1)] = 99,
    sampler: Annotated[
        str | None,
        typer.Option(help="Sampler with its default settings, instead of the file's [sampler].", show_default=False),
    ] = None,
    processes: Annotated[int, typer.Option(help="Mocks that are fitted side by side.", min=1)] = 1,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the calibration in the folder.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the calibration in the folder.")] = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Test a fit with mock data whose truth is known: simulation-based calibration.

    Draws truths from the prior (constraints and nuisance parameters included) and data at each with the published
    errors, fits them as the configuration says, and tests whether the truths' ranks in their posteriors are uniform.
    Writes ranks, tests and plots to <output folder>/<name>.calibration/. Every mock has a file and a seed of its own:
    a calibration that was stopped at any moment goes on with --resume, and more --mocks may be asked for.
    """
    from ..studies.calibrate import calibrate as study
    from ..studies.calibrate import calibration_folder
    from ..studies.calibrate_report import print_calibration

    result = study(
        config, mocks, seed=seed, draws=draws, sampler=sampler, processes=processes, resume=resume,
        overwrite=overwrite, quiet=quiet or as_json,
    )  # fmt: skip
    print_calibration(result, calibration_folder(config), as_json)


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command()(calibrate)
