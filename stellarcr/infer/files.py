"""Files that are never half written, and JSON without NaN."""

from __future__ import annotations

import errno
import json
import math
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from stellarcr.errors import RunError

_REMEDIES = {
    errno.ENOSPC: "free some space on this disk, then go on with --resume",
    errno.EDQUOT: "your disk quota is used up: free some space, then go on with --resume",
    errno.EFBIG: "the file is larger than the system allows (see ulimit -f): raise the limit, then go on with --resume",
    errno.EROFS: "this file system is read-only: choose another output folder",
    errno.EACCES: "you may not write here: choose another output folder, or change its permissions",
    errno.EPERM: "you may not write here: choose another output folder, or change its permissions",
    errno.ENOTDIR: "a file is in the way of a folder: choose another output folder, or move the file",
    errno.ENOENT: "the folder was moved or removed while it was written: move it back, then go on with --resume",
    errno.EIO: "the disk or the network drive failed: check it, then go on with --resume",
    errno.EEXIST: "a file is in the way of a folder: choose another output folder, or move the file",
}


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Turn an OSError into a RunError that names the file and what to do."""
    try:
        yield
    except OSError as error:
        remedy = _REMEDIES.get(error.errno or 0, "check the disk, then go on with --resume")
        raise RunError(
            f"cannot write: {error.strerror or error}",
            where=str(path),
            remedy=f"{remedy} (earlier checkpoints are untouched)",
        ) from error


def write_atomically(path: Path, writer: Callable[[BinaryIO], None], *, durable: bool = True) -> None:
    """Write a file so that at any moment either the old or the new content is there, whole.

    The content goes to a temporary file in the same folder, which replaces the old one when it is on the disk.

    Parameters
    ----------
    path : Path
        The file.
    writer : callable
        Writes to the open file.
    durable : bool
        Wait until the content is on the disk, so that it survives a power cut.

    Raises
    ------
    RunError
        If the disk is full or the folder cannot be written; the old file stays.
    """
    temporary = path.with_name(f".{path.name}.tmp")
    with disk_errors(path):
        try:
            with open(temporary, "wb") as file:
                writer(file)
                file.flush()
                if durable:
                    os.fsync(file.fileno())
            os.replace(temporary, path)
        except BaseException:
            with suppress(OSError):
                temporary.unlink()
            raise
        if durable:
            sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Wait until a folder's list of names is on the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_text(path: Path, text: str) -> None:
    """Write a text file atomically."""
    write_atomically(path, lambda file: _write_all(file, text.encode("utf-8")))


def write_product(path: Path, content: str | bytes) -> None:
    """Write a file that a user named, such as an export, atomically; its folder is made.

    Raises
    ------
    RunError
        If it is a folder, or cannot be written.
    """
    if path.is_dir():
        raise RunError(f"{path} is a folder", remedy="give the name of a file")
    data = content.encode("utf-8") if isinstance(content, str) else content
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, lambda file: _write_all(file, data))
    except OSError as error:
        reason = error.strerror
    except RunError as error:
        reason = error.problem.removeprefix("cannot write: ")
    else:
        return
    raise RunError(f"cannot write {path}: {reason}", remedy="choose another place, or mend this one") from None


def _write_all(file: BinaryIO, content: bytes) -> None:
    file.write(content)


def write_json(path: Path, content: Mapping[str, Any], *, durable: bool = True) -> None:
    """Write JSON atomically; arrays become lists, NaN and infinities null."""
    text = json.dumps(json_ready(content), indent=2, allow_nan=False, ensure_ascii=False) + "\n"
    write_atomically(path, lambda file: _write_all(file, text.encode("utf-8")), durable=durable)


def json_ready(value: Any) -> Any:
    """Turn arrays, numpy numbers, tuples and non-finite numbers into what JSON knows."""
    if isinstance(value, Mapping):
        return {str(key): json_ready(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return json_ready(value.tolist())
    if isinstance(value, (list, tuple, set, frozenset)):
        return [json_ready(item) for item in value]
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, (int, np.integer)):
        return int(value)
    if isinstance(value, (float, np.floating)):
        return float(value) if math.isfinite(value) else None
    if value is None or isinstance(value, str):
        return value
    return str(value)


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object.

    Raises
    ------
    RunError
        If the file is missing or damaged.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise RunError(
            f"{path.name} is missing", where=str(path.parent), remedy="is this the folder of a run?"
        ) from None
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise RunError(
            f"{path.name} cannot be read: {error}",
            where=str(path.parent),
            remedy="restore the folder from a copy, or start anew with --overwrite",
        ) from error
    if not isinstance(content, dict):
        raise RunError(
            f"{path.name} is not a JSON object",
            where=str(path.parent),
            remedy="restore the folder from a copy, or start anew with --overwrite",
        )
    return content
