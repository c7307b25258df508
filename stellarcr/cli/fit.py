"""Commands that work on a configuration: check, run, spectrum, bench."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from .options import AsJson, Config, Quiet


def check(
    config: Config,
    plot: Annotated[
        Path | None, typer.Option(help="Where the prior-predictive plot goes, without suffix.", show_default=False)
    ] = None,
    draws: Annotated[int, typer.Option(help="Prior draws for the predictions.", min=10)] = 500,
    quiet: Quiet = False,
) -> None:
    """Validate a configuration and say what it would do; samples nothing.

    Prints every parameter with prior and unit, the points of every data set, the time of a call and the expected time
    of the run, and compares the data with what the prior predicts. Draws that comparison, by default to
    <output folder>/<name>.check/prior_predictive.{pdf,png}.
    """
    from ..studies.report import check_report

    check_report(config, plot, draws, quiet)


def run(
    config: Config,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in the folder.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the run in the folder.")] = False,
    quiet: Quiet = False,
    output: Annotated[Path | None, typer.Option(help="Folder for runs instead of the file's.")] = None,
    name: Annotated[str | None, typer.Option(help="Name of the run instead of the file's.")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed instead of the file's.", min=0)] = None,
    max_time: Annotated[
        str | None,
        typer.Option(
            help="Stop after this much sampling, all sessions of the run together, instead of the file's limit: "
            "seconds, or a time such as 10m or 2h. The search for the maximum before it does not count.",
            metavar="TIME",
            show_default=False,
        ),
    ] = None,
    max_calls: Annotated[
        int | None,
        typer.Option(
            help="Stop after about so many likelihood calls, all sessions together, instead of the file's limit.", min=1
        ),
    ] = None,
    extend: Annotated[
        bool,
        typer.Option(
            "--extend",
            help="Go on with the finished run in the folder: twice the steps (emcee), or twice the effective samples "
            '(dynesty with mode = "dynamic"). Only --max-time and --max-calls limit it, not the file.',
        ),
    ] = False,
    extend_by: Annotated[
        int | None,
        typer.Option(help="The same, by so many steps or effective samples.", min=1, metavar="N", show_default=False),
    ] = None,
    each: Annotated[
        str | None,
        typer.Option(
            help="Fit once for each of several values of a key of the configuration, into runs NAME.VALUE, as in "
            "likelihoods.lhaaso.hadronic_model=EPOS-LHC,QGSJET-II-04.",
            metavar="KEY=VALUE,VALUE",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Sample the posterior of a configuration into a run folder.

    Ctrl-C writes a checkpoint and stops; --resume goes on from there. A run that stopped at a limit goes on with
    --resume and a larger limit. A finished one goes on with --extend: its results stay until the new ones are written,
    and a chain of emcee is then the one that a longer run would have made.
    """
    from ..config import config_from_mapping
    from ..likelihood.schema import read_toml
    from ..studies.fit import run as fit
    from ..studies.variants import variants

    content: dict[str, Any] = {"name": config.stem, **read_toml(config)}
    if output is not None:
        content["output"] = {"folder": str(output)}
    content.update({k: v for k, v in (("name", name), ("seed", seed)) if v is not None})
    chosen = [content] if each is None else variants(content, each, str(config))
    # all are read before the first is fitted: a mistake in the last one must not wait for it
    for one in [config_from_mapping(one, str(config)) for one in chosen]:
        result = fit(
            one,
            resume=resume,
            overwrite=overwrite,
            extend=extend if extend_by is None else extend_by,
            max_time=max_time,
            max_calls=max_calls,
            quiet=quiet,
        )
        typer.echo(str(result))
        typer.echo(f"results: {result.path}")
        if not result.converged and "stopped at" in result.summary["verdict"]:
            typer.echo(
                "to go on: the same command with --resume and a larger limit (--max-time, --max-calls, or the file)"
            )


def spectrum(
    context: typer.Context,
    config: Annotated[
        Path | None,
        typer.Argument(
            help="Run configuration, a TOML file. With --preset it may be left out: then the reference populations "
            "with their default values.",
            metavar="CONFIG",
            show_default=False,
        ),
    ] = None,
    set_values: Annotated[
        list[str] | None, typer.Option("--set", help="Parameter to change, name=value. Repeat as needed.")
    ] = None,
    species: Annotated[
        str, typer.Option(help="Elements, groups, nuclides, ratios: H,p+He,all,He3,C/O; or lnA.")
    ] = "H,He",
    axis: Annotated[str, typer.Option(help="R [GV], EK [GeV], EKN [GeV/n] or ETOT [GeV].")] = "R",
    at: Annotated[
        str, typer.Option(help="Points on the axis, separated by commas.")
    ] = "10,100,1000,10000,100000,1000000",
    phi: Annotated[float, typer.Option(help="Modulation potential [GV]; 0 is interstellar.")] = 0.0,
    preset: Annotated[
        str | None,
        typer.Option(
            help="Propagation instead of all that the configuration says of it ([galaxy], [parameters.galaxy]): a name "
            "of 'stellarcr presets', or a TOML file.",
            metavar="NAME",
            show_default=False,
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Print spectra of the model at the configuration's reference values, by element and population."""
    if config is None and preset is None:
        raise typer.BadParameter("give a run configuration, or --preset NAME", ctx=context, param_hint="CONFIG")
    from ..studies.presets import config_with_preset
    from ..studies.report import print_spectrum

    print_spectrum(config_with_preset(config, preset), set_values or [], species, axis, at, phi, as_json)


class Propagation(StrEnum):
    """Whether parameters of the Galaxy vary."""

    fixed = "fixed"
    free = "free"


def bench(
    config: Config,
    batch: Annotated[int, typer.Option(help="Points per batch.", min=1)] = 64,
    propagation: Annotated[
        Propagation | None,
        typer.Option(help="Free D0, delta, R_h, delta_h, or fix all propagation; by default as configured."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Time the log-posterior on one core."""
    from ..config import build_collapsed, build_posterior, load_config
    from ..studies.bench import benchmark, with_propagation

    chosen = load_config(config)
    if propagation is not None:
        chosen = with_propagation(chosen, propagation is Propagation.free)
    posterior = build_posterior(chosen)
    result = benchmark(posterior, batch, target=build_collapsed(chosen, posterior))
    if as_json:
        typer.echo(json.dumps(result))
        return
    typer.echo(f"one point:        {result['single_us']:9.1f} us")
    typer.echo(f"per point of {batch:<4} {result['batch_us_per_point']:9.1f} us")
    if "collapsed_us_per_point" in result:
        typer.echo(f"  amplitudes collapsed  {result['collapsed_us_per_point']:9.1f} us")
    for stage, time in result["stages_us"].items():
        typer.echo(f"  {stage:<22}{time:9.1f} us per batch")
    typer.echo(f"peak memory:      {result['memory_mb']:9.1f} MB")
    typer.echo(f"numpy.exp:        {result['numpy_exp_ns']:9.2f} ns (tells machines and loads apart)")
    solved = f", {result['nuclides']} nuclides at {result['energies']} energies" if "energies" in result else ""
    typer.echo(f"propagation:      {result['propagation']}; network: {result['network']}{solved}")


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    for command in (check, run, spectrum, bench):
        app.command()(command)
