"""Grids of evolution tracks: made from folders of public files, listed and loaded by name."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cache
from pathlib import Path

from ..errors import DataError, nearest
from ..stars.tracks import Exclusion, Track, TrackGrid, mass_balance
from .content import content_path
from .track_files import (
    MIST_DERIVED,
    MIST_LUMPED,
    genec_name,
    mist_header,
    read_genec_track,
    read_mist_track,
)
from .track_storage import read_grid, write_grid
from .track_text import read_text

_FILLED = "_INTERP"
_SUFFIXES = {"MIST": (".track.eep", f".track.eep{_FILLED}"), "GENEC": (".dat",)}


def list_tracks(folder: str | Path | None = None) -> dict[str, Path]:
    """Return names and files of grids.

    Parameters
    ----------
    folder : str or pathlib.Path, optional
        A folder of grids; by default those that stellarcr comes with.

    Raises
    ------
    DataError
        If there is no such folder.
    """
    root = content_path("datasets", "tracks") if folder is None else Path(folder)
    if not root.is_dir():
        raise DataError("no such folder of grids", where=str(root), remedy="check the path")
    return {path.stem: path for path in sorted(root.glob("*.h5"))}


def load_tracks(name: str | Path) -> TrackGrid:
    """Load a grid of tracks.

    Parameters
    ----------
    name : str or pathlib.Path
        Name of a grid that stellarcr comes with, or the path of a file that `build_grid` wrote.

    Raises
    ------
    DataError
        If there is none of this name, or its file is damaged.

    Examples
    --------
    >>> from stellarcr.data import load_tracks
    >>> round(float(load_tracks("genec-z014-v40").track(60.0).mass[-1]), 1)
    18.0
    """
    known = list_tracks()
    if str(name) in known:
        return _shipped(known[str(name)])
    if Path(name).suffix == ".h5":
        return read_grid(name)
    raise DataError(
        f"unknown grid of tracks {str(name)!r}", remedy=f"{nearest(str(name), known)}; or give the path of a file *.h5"
    )


@cache
def _shipped(path: Path) -> TrackGrid:
    return read_grid(path)


def build_grid(
    folder: str | Path,
    name: str,
    *,
    output: str | Path | None = None,
    pattern: str = "*",
    minimum_mass: float = 8.0,
    exclude: Mapping[float, str] | None = None,
    use_filled: Collection[float] = (),
    drop_lines: Collection[str] = (),
    reference: str = "",
) -> TrackGrid:
    """Make a grid from a folder of public track files, and write it if a folder for it is given.

    Left out, with the reason in `TrackGrid.excluded`: MIST files that stop before the last equivalent evolutionary
    point that others reach, and those that its authors filled by interpolation.

    Parameters
    ----------
    folder : str or pathlib.Path
        Folder with files ``*.track.eep`` (MIST) or ``*.dat`` (GENEC/SYCLIST) of one composition and rotation.
    name : str
        Name of the grid.
    output : str or pathlib.Path, optional
        Folder to write ``<name>.h5`` into.
    pattern : str
        Which files to take, such as ``"*V40.dat"``.
    minimum_mass : float
        Smallest initial mass [Msun]. Lighter stars blow no wind that matters here.
    exclude : mapping of float to str, optional
        Initial masses [Msun] to leave out, and why.
    use_filled : collection of float
        Initial masses [Msun] for which a file that its authors filled by interpolation is accepted; such tracks are
        marked (`Track.filled`).
    drop_lines : collection of str
        Lines to leave out, as ``"M008p00Z14V00.dat:373"``.
    reference : str
        Who computed the tracks.

    Raises
    ------
    DataError
        For a folder without tracks or with tracks that do not belong together, masses that it does not hold, and
        everything that the readers refuse.
    """
    root = Path(folder)
    if not name or Path(name).name != name:
        raise DataError(f"{name!r} cannot be the name of a grid", remedy="give a name without slashes")
    family, files = _files(root, pattern)
    dropped = _lines_by_file(drop_lines, files, root)
    tracks, excluded, origin = _tracks(family, files, minimum_mass, exclude or {}, use_filled, dropped, root)
    grid = TrackGrid(
        name=name,
        family=family,
        version=origin[0],
        reference=reference,
        metallicity=origin[1],
        rotation=origin[2],
        tracks=tracks,
        derived=MIST_DERIVED if family == "MIST" else {},
        lumped=MIST_LUMPED if family == "MIST" else {},
        excluded=excluded,
        dropped_lines=tuple(sorted(drop_lines)),
    )
    if output is not None:
        write_grid(grid, Path(output) / f"{name}.h5")
    return grid


def _files(root: Path, pattern: str) -> tuple[str, list[Path]]:
    """Family and files of a folder."""
    if not root.is_dir():
        raise DataError("no such folder of tracks", where=str(root), remedy="unpack the archive, and give its folder")
    found = {
        family: sorted(path for path in root.glob(pattern) if path.name.endswith(suffixes))
        for family, suffixes in _SUFFIXES.items()
    }
    families = [family for family, files in found.items() if files]
    if len(families) != 1:
        problem = "files of both formats" if families else f"no track (*.track.eep or *.dat) matches {pattern!r}"
        raise DataError(problem, where=str(root), remedy="give a folder, or a --pattern, with the files of one grid")
    return families[0], found[families[0]]


def _lines_by_file(drop_lines: Collection[str], files: Sequence[Path], root: Path) -> dict[str, list[int]]:
    names = [path.name for path in files]
    found: dict[str, list[int]] = {}
    for entry in drop_lines:
        file, _, line = entry.rpartition(":")
        if file not in names or not line.isdecimal():
            raise DataError(
                f"the line to leave out, {entry!r}, is not FILE:LINE with a file of the folder",
                where=str(root),
                remedy=nearest(file, names) if file else "write M008p00Z14V00.dat:373",
            )
        found.setdefault(file, []).append(int(line))
    return found


def _tracks(
    family: str,
    files: Sequence[Path],
    minimum_mass: float,
    exclude: Mapping[float, str],
    use_filled: Collection[float],
    dropped: Mapping[str, Collection[int]],
    root: Path,
) -> tuple[tuple[Track, ...], tuple[Exclusion, ...], tuple[str, float, float]]:
    read = read_mist_track if family == "MIST" else read_genec_track
    origins = {path: _origin(family, path) for path in files}
    first = files[0]
    for path, origin in origins.items():
        if origin != origins[first]:
            raise DataError(
                f"{path.name} is of another grid (version, Z, rotation: {origin}) than {first.name} ({origins[first]})",
                where=str(root),
                remedy="choose the files of one grid with --pattern, such as --pattern '*V40.dat'",
            )
    every = [read(path, dropped.get(path.name, ())) for path in files]
    every = [track for track in every if track.initial_mass >= minimum_mass]
    for masses, what in ((exclude, "leave out"), (use_filled, "take from a filled file")):
        unknown = sorted(set(masses) - {t.initial_mass for t in every if what == "leave out" or t.filled})
        if unknown:
            raise DataError(
                f"no such track of {unknown[0]:g} Msun to {what}", where=str(root), remedy="check the masses"
            )
    last = max((max(track.primary_points, default=0) for track in every), default=0)
    kept: dict[float, Track] = {}
    excluded = []
    for track in sorted(every, key=lambda track: (track.initial_mass, track.filled)):
        reason = _reason(track, last, exclude, use_filled)
        if reason:
            excluded.append(Exclusion(track.initial_mass, track.source, reason))
        elif track.initial_mass in kept:
            raise DataError(
                f"two tracks of {track.initial_mass:g} Msun: {kept[track.initial_mass].source} and {track.source}",
                where=str(root),
                remedy="leave one of the files out, or choose with --pattern",
            )
        else:
            kept[track.initial_mass] = track
    if len(kept) < 2:
        raise DataError(
            f"{len(kept)} usable tracks of at least {minimum_mass:g} Msun; a grid needs two",
            where=str(root),
            remedy="; ".join(f"{entry.source}: {entry.reason}" for entry in excluded) or "add files",
        )
    return tuple(kept.values()), tuple(excluded), origins[first]


def _reason(track: Track, last: int, exclude: Mapping[float, str], use_filled: Collection[float]) -> str:
    """Why a track is left out; empty if it is not."""
    if track.initial_mass in exclude:
        return exclude[track.initial_mass]
    reached = max(track.primary_points, default=0)
    if reached < last:
        return f"the file stops at equivalent evolutionary point {reached} of {last}"
    if track.filled and track.initial_mass not in use_filled:
        ratio = mass_balance(track).ratio
        return f"filled by interpolation by its authors: its mass-loss rate integrates to {ratio:.3f} of the mass lost"
    return ""


def _origin(family: str, path: Path) -> tuple[str, float, float]:
    """Version, metallicity and rotation that a file states."""
    if family == "MIST":
        text = read_text(path)
        header = mist_header(text)
        return text.line(1).rpartition("=")[2].strip(), header["Zinit"], header["v/vcrit"]
    stated = genec_name(path)
    return "SYCLIST", stated["metallicity"], stated["rotation"]
