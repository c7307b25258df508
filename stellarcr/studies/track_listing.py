"""What `stellarcr tracks` prints."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from ..data.tracks import load_tracks
from ..errors import DataError
from ..stars.tracks import Track, TrackGrid, age_of_bare_surface, age_of_hydrogen_exhaustion, mass_balance

_TABLE_WIDTH = 110
"""Columns that the widest table needs."""


def print_grids(grids: Mapping[str, Path], as_json: bool) -> None:
    """Print grids, one a line.

    Parameters
    ----------
    grids : mapping of str to pathlib.Path
        Name and file of every grid.
    as_json : bool
        Print a list of objects with the keys ``name``, ``family``, ``version``, ``metallicity``, ``rotation``,
        ``tracks`` (their number), ``mass_min`` and ``mass_max`` [Msun], ``nuclides``, ``derived``,
        ``equivalent_points`` and ``reference``.
    """
    listed = [_summary(load_tracks(path)) for path in grids.values()]
    if as_json:
        print(json.dumps(listed, indent=1, allow_nan=False))
        return
    table = Table(title=f"{len(listed)} grids", title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for heading in ("name", "format", "Z", "rotation", "tracks", "masses [Msun]"):
        table.add_column(heading, no_wrap=True, justify="left" if heading in ("name", "format") else "right")
    for entry in listed:
        masses = f"{entry['mass_min']:g} to {entry['mass_max']:g}"
        numbers = (f"{entry['metallicity']:g}", f"{entry['rotation']:g}", str(entry["tracks"]), masses)
        table.add_row(entry["name"], entry["family"], *numbers)
    console = _console()
    console.print(table)
    console.print("Z: initial mass fraction of metals; rotation: initial, as a fraction of the critical one")


def print_grid(grid: TrackGrid, as_json: bool) -> None:
    """Print what a grid holds: origin, nuclides, one line per track, and what was left out.

    Parameters
    ----------
    grid : TrackGrid
        The grid.
    as_json : bool
        Print one object: the keys of `print_grids`, with ``tracks`` a list of objects with the keys ``initial_mass``
        and ``final_mass`` [Msun], ``rows``, ``hydrogen_exhaustion``, ``bare_surface`` and ``end`` (ages in yr; null if
        it does not happen), ``rate_over_loss`` (integral of the tabulated mass-loss rate over the mass lost),
        ``filled``, ``source``, ``sha256``; and with ``lumped``, ``excluded`` and ``dropped_lines``.
    """
    rows = [_track(track) for track in grid.tracks]
    if as_json:
        more = {
            "tracks": rows,
            "derived": dict(grid.derived),
            "lumped": dict(grid.lumped),
            "excluded": [entry._asdict() for entry in grid.excluded],
            "dropped_lines": list(grid.dropped_lines),
        }
        print(json.dumps(_summary(grid) | more, indent=1, allow_nan=False))
        return
    console = _console()
    console.print(f"{grid.name}: {grid.family} {grid.version}, Z = {grid.metallicity:g}, rotation {grid.rotation:g}")
    console.print(f"computed by: {grid.reference or 'not stated'}")
    console.print(f"surface mass fractions: {', '.join(grid.nuclides)}")
    for label, entries in (("derived", grid.derived), ("carries others", grid.lumped)):
        for nuclide, meaning in entries.items():
            console.print(f"  {nuclide} ({label}): {meaning}")
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for heading in ("M0", "final M", "rows", "H burnt", "X_H < 0.1", "end", "rate/loss", "source"):
        table.add_column(heading, no_wrap=True, justify="left" if heading == "source" else "right")
    for row in rows:
        ages = [_megayears(row[key]) for key in ("hydrogen_exhaustion", "bare_surface", "end")]
        source = f"{row['source']}{' (filled)' if row['filled'] else ''}"
        masses = (f"{row['initial_mass']:g}", f"{row['final_mass']:.2f}", str(row["rows"]))
        table.add_row(*masses, *ages, f"{row['rate_over_loss']:.3f}", source)
    console.print(table)
    console.print(
        "M0, final M [Msun]; age when central hydrogen is burnt, when surface hydrogen falls below 0.1, and at the end "
        "[Myr]; rate/loss: integral of the tabulated mass-loss rate over the mass lost"
    )
    for entry in grid.excluded:
        console.print(f"left out: {entry.source} ({entry.initial_mass:g} Msun): {entry.reason}")
    for line in grid.dropped_lines:
        console.print(f"line left out: {line}")


def _summary(grid: TrackGrid) -> dict[str, Any]:
    return {
        "name": grid.name,
        "family": grid.family,
        "version": grid.version,
        "metallicity": grid.metallicity,
        "rotation": grid.rotation,
        "tracks": len(grid.tracks),
        "mass_min": float(grid.masses[0]),
        "mass_max": float(grid.masses[-1]),
        "nuclides": list(grid.nuclides),
        "derived": dict(grid.derived),
        "equivalent_points": grid.has_equivalent_points,
        "reference": grid.reference,
    }


def _track(track: Track) -> dict[str, Any]:
    return {
        "initial_mass": float(track.initial_mass),
        "final_mass": float(track.mass[-1]),
        "rows": len(track),
        "hydrogen_exhaustion": _or_none(age_of_hydrogen_exhaustion, track),
        "bare_surface": _or_none(age_of_bare_surface, track),
        "end": float(track.age[-1]),
        "rate_over_loss": mass_balance(track).ratio,
        "filled": track.filled,
        "source": track.source,
        "sha256": track.sha256,
    }


def _or_none(age_of: Any, track: Track) -> float | None:
    try:
        return age_of(track)
    except DataError:  # it does not happen in this star
        return None


def _megayears(age: float | None) -> str:
    return "-" if age is None else f"{age / 1e6:.3f}"


def _console() -> Console:
    # rich would shorten every column to fit a narrow terminal; a wrapped line loses nothing
    console = Console(highlight=False, soft_wrap=True, markup=False)
    return Console(width=max(console.width, _TABLE_WIDTH), highlight=False, soft_wrap=True, markup=False)
