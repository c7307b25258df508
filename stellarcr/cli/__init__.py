"""The command line; one module per group of commands."""

from __future__ import annotations

import logging
import sys
from typing import Annotated

import typer

from .._version import __version__
from ..errors import StellarcrError
from . import (
    anisotropy,
    calibrate,
    compare,
    data,
    evidence,
    fit,
    merge,
    mock,
    plot,
    predict,
    presets,
    reproduce,
    robustness,
    runs,
    tracks,
)

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


for _module in (
    fit,
    anisotropy,
    plot,
    predict,
    compare,
    evidence,
    robustness,
    merge,
    mock,
    calibrate,
    runs,
    data,
    presets,
    tracks,
    reproduce,
):
    _module.register(app)


def _show_log() -> None:
    """Write what the package has to say while it works to standard error: results alone go to standard output."""
    log = logging.getLogger("stellarcr")
    for handler in log.handlers[:]:
        log.removeHandler(handler)  # standard error may be another one than before
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("stellarcr: %(message)s"))
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    log.propagate = False


def main() -> None:
    """Entry point: a mistake of the user ends in a message and exit code 2, an interrupted run in 130."""
    _show_log()
    try:
        app()
    except StellarcrError as error:
        from ..infer.samplers.base import RunInterrupted

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
