"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..errors import ConfigError

Config = Annotated[Path, typer.Argument(help="Run configuration, a TOML file.", metavar="CONFIG")]
Runs = Annotated[list[Path], typer.Argument(help="Run folders, such as chains/reference.", metavar="RUN...")]
OneRun = Annotated[Path, typer.Argument(help="Run folder, such as chains/reference.", metavar="RUN")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, and nothing else.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print results only, no progress.")]


def split(text: str | None) -> list[str] | None:
    """Parts of a list separated by commas; None stays None."""
    return None if text is None else [part.strip() for part in text.split(",") if part.strip()]


def ends(text: str, example: str) -> tuple[float, float]:
    """Read the ends of an axis, ``low:high``.

    Raises
    ------
    ConfigError
        If it is not two positive numbers in order.
    """
    try:
        low, high = (float(part) for part in text.split(":"))
    except ValueError:
        raise ConfigError(f"--range {text!r} is not low:high", remedy=f"write --range {example}") from None
    if not 0 < low < high:
        raise ConfigError(f"--range {text}: the ends are not positive and rising", remedy=f"write --range {example}")
    return low, high
