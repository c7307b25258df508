"""Grids of tracks as compact HDF5 files.

All tracks lie one behind the other in one data set per column; ``rows`` says how many belong to each. Ages and masses
are kept with 64 bits, since their differences matter; everything else with 32 (7 digits, more than the sources print,
or than a stellar model means). Every data set says its unit.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np

from ..errors import DataError
from ..stars.tracks import CENTRAL_NUCLIDES, Exclusion, Track, TrackGrid

SCHEMA = "stellarcr-tracks/1"
"""Written into every file; read back before anything else."""


class _Column(NamedTuple):
    type: str
    unit: str
    description: str


_COLUMNS = {
    "age": _Column("f8", "yr", "age"),
    "mass": _Column("f8", "Msun", "mass"),
    "mass_loss_rate": _Column("f4", "Msun/yr", "mass-loss rate as tabulated, positive for loss"),
    "log_luminosity": _Column("f4", "log10(Lsun)", "luminosity"),
    "log_temperature": _Column("f4", "log10(K)", "effective temperature of the hydrostatic star"),
    "log_temperature_wind": _Column("f4", "log10(K)", "effective temperature corrected for the wind"),
    "radius": _Column("f4", "Rsun", "hydrostatic radius"),
    "surface": _Column("f4", "", "mass fractions at the surface, one row per nuclide of the attribute 'nuclides'"),
    "center": _Column("f4", "", f"mass fractions in the centre: {', '.join(CENTRAL_NUCLIDES)}"),
    "point": _Column("i4", "", "row in the source table, from 1: equivalent evolutionary point"),
}
_TEXTS = ("name", "family", "version", "reference")
_JSON = ("nuclides", "derived", "lumped", "excluded", "dropped_lines")
_NUMBERS = ("metallicity", "rotation")


def write_grid(grid: TrackGrid, path: str | Path) -> Path:
    """Write a grid; the same grid gives the same bytes.

    Parameters
    ----------
    grid : TrackGrid
        The grid.
    path : str or pathlib.Path
        The file; an existing one is replaced.
    """
    file = Path(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(file, "w") as tree:
        tree.attrs["schema"] = SCHEMA
        for key in (*_TEXTS, *_NUMBERS):
            tree.attrs[key] = getattr(grid, key)
        for key in _JSON:
            value = getattr(grid, key)
            tree.attrs[key] = json.dumps(dict(value) if key in ("derived", "lumped") else value)
        tree["initial_mass"] = grid.masses
        tree["initial_mass"].attrs["unit"] = "Msun"
        tree["rows"] = np.array([len(track) for track in grid.tracks], dtype="i4")
        tree["filled"] = np.array([track.filled for track in grid.tracks])
        tree["source"] = np.array([track.source.encode() for track in grid.tracks])
        tree["sha256"] = np.array([track.sha256.encode() for track in grid.tracks])
        tree["primary_points"] = np.array([track.primary_points for track in grid.tracks], dtype="i4")
        for name, column in _COLUMNS.items():
            parts = [getattr(track, name) for track in grid.tracks]
            if parts[0] is None:
                continue
            values = np.concatenate(parts).T.astype(column.type)
            chunks = (1, values.shape[1]) if values.ndim == 2 else values.shape
            made = tree.create_dataset(
                name, data=values, chunks=chunks, compression="gzip", compression_opts=9, shuffle=True
            )
            made.attrs["unit"], made.attrs["description"] = column.unit, column.description
    return file


def read_grid(path: str | Path) -> TrackGrid:
    """Read a grid that `write_grid` wrote.

    Raises
    ------
    DataError
        If the file cannot be read, is none of these, or is damaged.
    """
    file = Path(path)
    if not file.is_file():
        raise DataError("no such file of tracks", where=str(file), remedy="check the path")
    try:
        with h5py.File(file, "r") as tree:
            schema = str(tree.attrs.get("schema", "none"))
            if schema == SCHEMA:
                return _grid(dict(tree.attrs), {name: tree[name][()] for name in tree})
    except Exception as error:  # h5py meets a damaged file with errors of many types
        raise DataError(
            f"the grid of tracks is damaged: {type(error).__name__}: {error}",
            where=str(file),
            remedy="restore the file, or make it again with 'stellarcr tracks build'",
        ) from error
    raise DataError(
        f"the file's schema is {schema!r}, not {SCHEMA!r}",
        where=str(file),
        remedy="give a grid that 'stellarcr tracks build' made",
    )


def _grid(attributes: dict[str, Any], columns: dict[str, Any]) -> TrackGrid:
    parsed = {key: json.loads(attributes[key]) for key in _JSON}
    nuclides = tuple(parsed["nuclides"])
    ends = np.cumsum(columns["rows"])
    total = int(ends[-1])
    wide = {name: columns[name].T if name in columns else None for name in _COLUMNS}
    wrong = [name for name, values in wide.items() if values is not None and len(values) != total]
    if wrong or len(columns["surface"]) != len(nuclides):
        raise ValueError(f"the lengths of its columns differ: {', '.join(wrong) or 'surface'}")
    tracks = []
    for i, (end, count) in enumerate(zip(ends, columns["rows"], strict=True)):
        part = slice(end - count, end)
        values: dict[str, Any] = {
            name: None if column is None else column[part].astype("i8" if name == "point" else "f8")
            for name, column in wide.items()
        }
        tracks.append(
            Track(
                initial_mass=float(columns["initial_mass"][i]),
                nuclides=nuclides,
                primary_points=tuple(int(point) for point in columns["primary_points"][i]),
                filled=bool(columns["filled"][i]),
                source=columns["source"][i].decode(),
                sha256=columns["sha256"][i].decode(),
                **values,
            )
        )
    stated: dict[str, Any] = {key: str(attributes[key]) for key in _TEXTS}
    stated |= {key: float(attributes[key]) for key in _NUMBERS}
    return TrackGrid(
        **stated,
        tracks=tuple(tracks),
        derived=parsed["derived"],
        lumped=parsed["lumped"],
        excluded=tuple(Exclusion(*entry) for entry in parsed["excluded"]),
        dropped_lines=tuple(parsed["dropped_lines"]),
    )
