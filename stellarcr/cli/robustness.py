"""How robust a result is: data left out, tension between experiments, other priors and other data."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import AsJson, Config, OneRun, Quiet, split

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


def tension(
    joint: Annotated[Path, typer.Argument(help="Run folder of the fit to all data.", metavar="JOINT")],
    parts: Annotated[
        list[Path] | None,
        typer.Argument(help="Run folders of fits to parts of these data, two or more.", metavar="[PART...]"),
    ] = None,
    experiment: Annotated[
        list[str] | None,
        typer.Option(
            help="Instead of PART: fit this likelihood of the joint run alone, and all others without it. Repeat to "
            "fit several, each alone."
        ),
    ] = None,
    sampler: Annotated[
        str | None,
        typer.Option(help="Sampler of these fits, with its default settings; default: as the run.", show_default=False),
    ] = None,
    max_time: Annotated[
        str | None,
        typer.Option(
            help="Stop each of these fits after this much sampling: seconds, or a time such as 10m.",
            metavar="TIME",
            show_default=False,
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the pairs of samples that are counted.", min=0)] = 0,
    as_json: AsJson = False,
    csv: Csv = None,
    quiet: Quiet = False,
) -> None:
    """Tell whether the parts of a joint fit agree: suspiciousness, and shifts of shared parameters.

    All runs have one model and the same priors; the parts hold every data set of the joint fit once. With
    --experiment they are made: runs beside the joint one, NAME.only.KEY and NAME.without.KEY, which are taken as they
    are if they are there. Given the parts, neither model nor data are needed. ln R needs nested sampling, the rest
    does not.
    """
    from ..errors import ConfigError
    from ..studies.tension import tension_report

    if parts and experiment:
        raise ConfigError("--experiment makes the parts that are given", remedy="give one of the two")
    if experiment:
        from ..studies.tension_parts import fit_parts

        parts = fit_parts(joint, experiment, sampler=sampler, max_time=max_time, quiet=quiet or as_json)
    tension_report(joint, parts or [], as_json, csv, seed)


def sensitivity(
    run: OneRun,
    parameter: Annotated[
        list[str] | None, typer.Option(help="Parameter to look at; default: all. Repeat as needed.")
    ] = None,
    factor: Annotated[str, typer.Option(help="Widths of priors to try, as factors.")] = "0.5,2",
    as_json: AsJson = False,
    csv: Csv = None,
) -> None:
    """Tell how far posterior and evidence depend on the priors, by reweighting; needs neither model nor data.

    For every parameter: whether prior or data decide (power scaling), and what a narrower or wider prior would do to
    ln Z, its mean and its width.
    """
    from ..errors import ConfigError
    from ..studies.sensitivity import sensitivity_report

    try:
        factors = [float(part) for part in split(factor) or []]
    except ValueError:
        raise ConfigError(f"--factor {factor!r} is not a list of numbers", remedy="write --factor 0.5,2") from None
    sensitivity_report(run, parameter or None, factors, as_json, csv)


def reweight(
    run: OneRun,
    config: Config,
    name: Annotated[
        str | None,
        typer.Option(help="Name of the new run; default: RUN.reweighted.CONFIG.", show_default=False),
    ] = None,
    unreliable: Annotated[
        bool, typer.Option("--unreliable", help="Write it even if the weights cannot be believed (Pareto k > 0.7).")
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a run of that name.")] = False,
    seed: Annotated[int, typer.Option(help="Seed of the equal-weight samples.", min=0)] = 1,
    as_json: AsJson = False,
) -> None:
    """Turn a run into that of another configuration, without sampling.

    The configuration has the same free parameters, with other priors, ranges, error models or data. The new run
    stands beside the first; it is refused if the samples do not cover the new posterior (Pareto k above 0.7).
    """
    from ..studies.reweight import reweight_report

    reweight_report(run, config, name, unreliable, overwrite, seed, as_json)


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    for command in (leave_out, tension, sensitivity, reweight):
        app.command()(command)
