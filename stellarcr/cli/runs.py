"""Commands that work on run folders: runs list, show, diff and clean; export; verify."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from .options import AsJson, OneRun

Folder = Annotated[Path, typer.Argument(help="Folder of runs.", metavar="FOLDER")]


class ExportFormat(StrEnum):
    """Formats of `stellarcr export`."""

    csv = "csv"
    getdist = "getdist"
    netcdf = "netcdf"
    latex = "latex"


def list_(folder: Folder = Path("chains"), as_json: AsJson = False) -> None:
    """List the runs in a folder, oldest first; folders that are no run or damaged come with the reason.

    Columns: free parameters; equal-weight samples; converged; ln Z with its statistical error; chi2 of all data sets at
    the maximum and their points; sampling time. A running one shows its time so far.
    """
    from ..infer.runs.inspection import list_runs

    runs = list_runs(folder)
    if as_json:
        typer.echo(json.dumps([run.as_dict() for run in runs]))
        return
    if not runs:
        typer.echo(f"no runs in {folder}")
        return
    from ..studies.run_listing import COLUMNS, list_row, text_table

    for line in text_table(COLUMNS, [list_row(run) for run in runs]):
        typer.echo(line)
    for run in runs:
        if run.problem:
            typer.echo(f"{run.name}: {run.status}: {run.problem}")


def show(run: OneRun, as_json: AsJson = False) -> None:
    """Show one run: verdict, parameters, chi2 by data set, sessions, tables then and now, packages."""
    from ..studies.run_listing import describe_run, describe_text

    found = describe_run(run)
    typer.echo(json.dumps(found) if as_json else describe_text(found))


def diff(
    first: Annotated[Path, typer.Argument(help="Run folder.", metavar="RUN")],
    second: Annotated[Path, typer.Argument(help="Another run folder.", metavar="RUN")],
    as_json: AsJson = False,
) -> None:
    """Compare two runs: configuration key by key, hashes of data, versions, and shifts of common parameters."""
    from ..studies.run_listing import compare_settings, compare_text

    found = compare_settings(first, second)
    typer.echo(json.dumps(found) if as_json else compare_text(found))


def clean(
    folder: Folder = Path("chains"),
    checkpoints: Annotated[
        bool, typer.Option("--checkpoints", help="Checkpoints of finished runs; they cannot go on afterwards.")
    ] = False,
    failed: Annotated[
        bool,
        typer.Option(
            "--failed",
            help="Runs without results that failed or died before they began; and left-over temporary files.",
        ),
    ] = False,
    everything: Annotated[bool, typer.Option("--all", help="Both of these.")] = False,
    run: Annotated[
        list[str] | None,
        typer.Option("--run", help="A run to remove whole, even if finished. Repeat as needed.", metavar="NAME"),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be removed (the default).")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Remove it.")] = False,
) -> None:
    """Say what could be removed, with sizes; with --yes, remove it.

    Results of finished runs go only with --run NAME, pictures in plots/ with them. Files that stellarcr did not write
    stay, and so do links, runs with a linked state/ or plots/, and every run that a process is writing.
    """
    from ..errors import ConfigError
    from ..infer.runs.cleaning import clean as remove
    from ..infer.runs.cleaning import plan_cleaning

    if yes and dry_run:
        raise ConfigError("--yes and --dry-run exclude each other", remedy="choose one")
    chosen = checkpoints or failed or everything or bool(run)
    if yes and not chosen:
        raise ConfigError(
            "--yes does not say what to remove", remedy="add --checkpoints, --failed, --all or --run NAME"
        )
    both = everything or not chosen
    plan = plan_cleaning(folder, checkpoints=checkpoints or both, failed=failed or both, names=run or ())
    done = remove(plan) if yes else plan
    for removal in done:
        if removal.kept:
            typer.echo(f"kept: {removal.run.path}: {removal.kept}")
        else:
            word = "removed" if yes else "would remove"
            size = f"{len(removal.files)} files, {removal.size / 1e6:.2f} MB"
            typer.echo(f"{word}: {removal.run.path}: {removal.what} ({removal.run.status}; {size})")
    total = sum(removal.size for removal in done)
    typer.echo(f"{'removed' if yes else 'would free'} {total / 1e6:.2f} MB" + ("" if yes else "; add --yes to remove"))


def export(
    run: OneRun,
    form: Annotated[ExportFormat, typer.Option("--format", help="What to write.")],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="File, or root of GetDist's files; default: ./<run><suffix>."),
    ] = None,
    weighted: Annotated[
        bool, typer.Option("--weighted", help="Raw weighted samples of nested sampling (csv and getdist).")
    ] = False,
) -> None:
    """Write a run in another format.

    csv: weight, log_posterior and parameters, with units in a commented header. getdist: ROOT.txt, ROOT.paramnames and
    ROOT.ranges, read by getdist.loadMCSamples("ROOT"). netcdf: one file with samples, manifest and configuration, read
    by xarray and ArviZ. latex: a table of medians with central 68% intervals.
    """
    from ..studies.export import export_run

    for path in export_run(run, form.value, output, weighted):
        typer.echo(str(path))


def verify(
    run: OneRun,
    points: Annotated[int, typer.Option(help="Stored samples to compute again.", min=1)] = 256,
    as_json: AsJson = False,
) -> None:
    """Compute stored log priors and log likelihoods again, with today's code and data.

    Ends with exit code 0 if all agree to 1e-9, relative to the larger of 1 and the stored value; else with 2.
    """
    from ..infer.files import json_ready
    from ..studies.verify_run import verify_run

    found = verify_run(run, points)
    typer.echo(json.dumps(json_ready(found.as_dict())) if as_json else str(found))
    if not found.equal:
        raise typer.Exit(2)


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    runs = typer.Typer(no_args_is_help=True, help="Stored runs: list, show, diff, clean.", rich_markup_mode=None)
    runs.command("list")(list_)
    for command in (show, diff, clean):
        runs.command()(command)
    app.add_typer(runs, name="runs")
    app.command()(export)
    app.command()(verify)
