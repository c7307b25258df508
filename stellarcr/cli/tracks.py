"""Grids of evolution tracks: build, list, show."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..errors import DataError
from .options import AsJson


def build(
    folder: Annotated[
        Path, typer.Argument(help="Folder with *.track.eep (MIST) or *.dat (GENEC/SYCLIST).", metavar="DIR")
    ],
    name: Annotated[str, typer.Option(help="Name of the grid.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder to write NAME.h5 into.")] = Path("."),
    pattern: Annotated[str, typer.Option(help="Which files, in quotes, such as '*V40.dat'.")] = "*",
    minimum_mass: Annotated[float, typer.Option(help="Smallest initial mass [Msun].")] = 8.0,
    exclude: Annotated[
        list[str] | None, typer.Option(help="MASS=REASON: leave a mass [Msun] out. May be repeated.")
    ] = None,
    use_filled: Annotated[
        list[float] | None,
        typer.Option(help="Mass [Msun] whose *_INTERP file, filled by its authors, is accepted. May be repeated."),
    ] = None,
    drop_line: Annotated[list[str] | None, typer.Option(help="FILE:LINE: leave a line out. May be repeated.")] = None,
    reference: Annotated[str, typer.Option(help="Who computed the tracks.")] = "",
    as_json: AsJson = False,
) -> None:
    """Make a compact grid from a folder of public track files.

    Files that stop early or that were filled by interpolation are left out, and the grid says why. A damaged file stops
    the build with file, line and column. --json prints what 'tracks show' prints.
    """
    from ..data.tracks import build_grid
    from ..studies.track_listing import print_grid

    grid = build_grid(
        folder,
        name,
        output=output,
        pattern=pattern,
        minimum_mass=minimum_mass,
        exclude=dict(map(_mass_and_reason, exclude or ())),
        use_filled=use_filled or (),
        drop_lines=drop_line or (),
        reference=reference,
    )
    print_grid(grid, as_json)
    if not as_json:
        typer.echo(f"written: {output / name}.h5")


def list_grids(
    folder: Annotated[
        Path | None, typer.Option(help="Folder of your own grids, instead of the shipped ones.", show_default=False)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List the grids of evolution tracks.

    --json prints objects with the keys name, family, version, metallicity, rotation, tracks, mass_min and mass_max
    [Msun], nuclides, derived, equivalent_points and reference.
    """
    from ..data.tracks import list_tracks
    from ..studies.track_listing import print_grids

    print_grids(list_tracks(folder), as_json)


def show(
    name: Annotated[
        str, typer.Argument(help="Name of a grid, from 'stellarcr tracks list', or a file *.h5.", metavar="NAME")
    ],
    as_json: AsJson = False,
) -> None:
    """Print one grid: where it is from, its nuclides, one line per track, and what was left out."""
    from ..data.tracks import load_tracks
    from ..studies.track_listing import print_grid

    print_grid(load_tracks(name), as_json)


def _mass_and_reason(entry: str) -> tuple[float, str]:
    mass, _, reason = entry.partition("=")
    try:
        value = float(mass)
    except ValueError:
        value = 0.0
    if value <= 0.0 or not reason.strip():
        raise DataError(f"--exclude {entry!r} is not MASS=REASON", remedy="write --exclude '40=the file stops early'")
    return value, reason.strip()


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    group = typer.Typer(help="Grids of stellar evolution tracks: build, list, show.", no_args_is_help=True)
    group.command()(build)
    group.command("list")(list_grids)
    group.command()(show)
    app.add_typer(group, name="tracks", rich_help_panel=None)
