"""Figures and tables of the paper."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import AsJson

DEFAULT_FOLDER = Path("reproduce")


def reproduce(
    items: Annotated[
        list[str],
        typer.Argument(
            help="fig2 fig3 fig4 fig5 fig6 fig7 fig8 fig9 fig10 table1 table3 eq14, or all.",
            metavar="ITEM...",
            show_default=False,
        ),
    ],
    as_json: AsJson = False,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="Folder for the figures, PDF and PNG. Default: 'reproduce'; with --json none."
        ),
    ] = None,
    grid: Annotated[
        str | None, typer.Option(help="Grid of tracks, see 'stellarcr tracks list', or a file *.h5.", metavar="NAME")
    ] = None,
    recipe: Annotated[
        str | None, typer.Option(help="Recipe for Wolf-Rayet winds; or your own, FILE.py:NAME.", metavar="NAME")
    ] = None,
    iron: Annotated[
        str, typer.Option(help="What MIST's Fe56 stands for: 'tabulated' (all that is heavier too) or 'solar'.")
    ] = "tabulated",
) -> None:
    """Reproduce figures and tables of Qiu, Lin & Yang (arXiv:2605.31362): our numbers beside theirs, and the figures.

    --json prints {"<item>": [{"quantity", "unit", "ours", "paper", "ratio"}, ...], ...} with null where the paper
    prints no number; it draws only if --output is given.
    """
    from ..errors import ParameterError, nearest
    from ..stars.wind_composition import IRON
    from ..studies.reproduce.items import DEFAULT_GRID, DEFAULT_RECIPE, Settings
    from ..studies.reproduce.printing import reproduce as run

    if iron not in IRON:
        raise ParameterError(f"--iron {iron!r} is not a choice", remedy=nearest(iron, IRON))
    settings = Settings(grid or DEFAULT_GRID, recipe or DEFAULT_RECIPE, iron)
    folder = output if output is not None or as_json else DEFAULT_FOLDER
    run(items, settings, folder, as_json)


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command()(reproduce)
