"""Finds the folders of numbers and likelihood files, in a wheel and in a checkout."""

from __future__ import annotations

from pathlib import Path

from ..errors import DataError, nearest

CONTENT_FOLDERS = ("datasets", "likelihoods")

_PACKAGE = Path(__file__).resolve().parent.parent


def content_path(name: str, *parts: str) -> Path:
    """Return the path of a content folder, or of a file or folder in it.

    A wheel ships the content inside the package; in a checkout (editable installation) it lies at the root,
    where an edited file takes effect at once. The package is looked at first.

    Parameters
    ----------
    name : {"datasets", "likelihoods"}
        The content folder.
    *parts : str
        Path below it.

    Returns
    -------
    pathlib.Path
        An existing path.

    Raises
    ------
    DataError
        If the name is not a content folder, or the path does not exist.
    """
    if name not in CONTENT_FOLDERS:
        raise DataError(f"unknown content folder {name!r}", remedy=nearest(name, CONTENT_FOLDERS))
    candidates = [_PACKAGE / "_content" / name, _PACKAGE.parent / name]
    folder = next((candidate for candidate in candidates if candidate.is_dir()), None)
    if folder is None:
        raise DataError(
            f"the content folder {name!r} was not found",
            where=" and ".join(str(candidate) for candidate in candidates),
            remedy="reinstall stellarcr: its wheel and its checkout both carry this folder",
        )
    path = folder.joinpath(*parts)
    if not path.exists():
        raise DataError(
            f"no {'/'.join(parts)!r} in the content folder {name!r}",
            where=str(folder),
            remedy=nearest(path.name, [p.name for p in path.parent.iterdir()])
            if path.parent.is_dir()
            else f"look into {folder}",
        )
    return path
