"""The command line: check, run, spectrum, plot, bench."""

from __future__ import annotations

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from ._version import __version__
from .errors import StellarcrError

HELP = """Infer where Galactic cosmic rays come from.

A run is described by one TOML file: which populations of sources, which parameters are free with which priors, which
experiments, which sampler. Typical use:

  stellarcr check FILE      what is fitted, with which priors, how long it will take

  stellarcr run FILE        sample; writes chains/<name>/

  stellarcr plot corner chains/<name>
"""

app = typer.Typer(
    help=HELP, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None
)
Config = Annotated[Path, typer.Argument(help="Run configuration, a TOML file.", metavar="CONFIG")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, and nothing else.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print results only, no progress.")]


def _version(show: bool) -> None:
    if show:
        typer.echo(f"stellarcr {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


@app.command()
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
    from .studies.report import check_report

    check_report(config, plot, draws, quiet)


@app.command()
def run(
    config: Config,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in the folder.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the run in the folder.")] = False,
    quiet: Quiet = False,
    output: Annotated[Path | None, typer.Option(help="Folder for runs instead of the file's.")] = None,
    name: Annotated[str | None, typer.Option(help="Name of the run instead of the file's.")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed instead of the file's.", min=0)] = None,
) -> None:
    """Sample the posterior of a configuration into a run folder.

    Ctrl-C writes a checkpoint and stops; --resume goes on from there.
    """
    from .config import config_from_mapping
    from .likelihood.schema import read_toml
    from .studies.fit import run as fit

    content: dict[str, Any] = {"name": config.stem, **read_toml(config)}
    if output is not None:
        content["output"] = {"folder": str(output)}
    content.update({k: v for k, v in (("name", name), ("seed", seed)) if v is not None})
    result = fit(config_from_mapping(content, str(config)), resume=resume, overwrite=overwrite, quiet=quiet)
    typer.echo(str(result))
    typer.echo(f"results: {result.path}")


@app.command()
def spectrum(
    config: Config,
    set_values: Annotated[
        list[str] | None, typer.Option("--set", help="Parameter to change, name=value. Repeat as needed.")
    ] = None,
    species: Annotated[str, typer.Option(help="Elements or groups: H,He,p+He,all; or lnA.")] = "H,He",
    axis: Annotated[str, typer.Option(help="R [GV], EK [GeV], EKN [GeV/n] or ETOT [GeV].")] = "R",
    at: Annotated[
        str, typer.Option(help="Points on the axis, separated by commas.")
    ] = "10,100,1000,10000,100000,1000000",
    phi: Annotated[float, typer.Option(help="Modulation potential [GV]; 0 is interstellar.")] = 0.0,
    as_json: AsJson = False,
) -> None:
    """Print spectra of the model at the configuration's reference values, by element and population."""
    from .studies.report import print_spectrum

    print_spectrum(config, set_values or [], species, axis, at, phi, as_json)


class PlotKind(StrEnum):
    """What can be drawn."""

    corner = "corner"
    spectra = "spectra"
    trace = "trace"


@app.command()
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
    from .studies.pictures import draw

    for path in draw(kind.value, runs, output, _split(parameters), _split(species), draws):
        typer.echo(str(path))


@app.command()
def bench(
    config: Config,
    batch: Annotated[int, typer.Option(help="Points per batch.", min=1)] = 64,
    as_json: AsJson = False,
) -> None:
    """Time the log-posterior on one core."""
    from .config import build_posterior, load_config
    from .studies.bench import benchmark

    result = benchmark(build_posterior(load_config(config)), batch)
    if as_json:
        typer.echo(json.dumps(result))
        return
    typer.echo(f"one point:        {result['single_us']:9.1f} us")
    typer.echo(f"per point of {batch:<4} {result['batch_us_per_point']:9.1f} us")
    for stage, time in result["stages_us"].items():
        typer.echo(f"  {stage:<22}{time:9.1f} us per batch")
    typer.echo(f"peak memory:      {result['memory_mb']:9.1f} MB")


def _split(text: str | None) -> list[str] | None:
    return None if text is None else [part.strip() for part in text.split(",") if part.strip()]


def main() -> None:
    """Entry point: a mistake of the user ends in a message and exit code 2, an interrupted run in 130."""
    try:
        app()
    except StellarcrError as error:
        from .infer.samplers.base import RunInterrupted

        typer.echo(f"stellarcr: {error}", err=True)
        sys.exit(130 if isinstance(error, RunInterrupted) else 2)
    except KeyboardInterrupt:
        typer.echo("stellarcr: interrupted", err=True)
        sys.exit(130)
    except BrokenPipeError:
        sys.exit(1)
    except OSError as error:
        typer.echo(f"stellarcr: {error}\n  next:  check the path, its permissions and the space on the disk", err=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
