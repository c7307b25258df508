"""One writer per run folder, by a lock that the operating system releases when its holder dies."""

from __future__ import annotations

import fcntl
import os
import platform
from pathlib import Path

from stellarcr.errors import RunError
from stellarcr.infer.files import disk_errors

LOCK_NAME = ".lock"


class RunLock:
    """Exclusive lock on a run folder.

    The lock is on the open file, not on its existence: a file left behind by a killed run blocks nobody.

    Parameters
    ----------
    folder : Path
        An existing folder.

    Raises
    ------
    RunError
        If another process holds the lock, or the folder cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        path = folder / LOCK_NAME
        with disk_errors(path):
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(self._descriptor, 200, 0).decode("utf-8", "replace").strip()
            os.close(self._descriptor)
            raise RunError(
                f"another process is writing this run ({holder or 'unknown'})",
                where=str(folder),
                remedy="wait for it, stop it, or give this run another name",
            ) from None
        except OSError as error:
            os.close(self._descriptor)
            raise RunError(
                f"this file system does not lock files: {error}",
                where=str(folder),
                remedy="choose an output folder on a local disk",
            ) from error
        with disk_errors(path):
            os.ftruncate(self._descriptor, 0)
            os.pwrite(self._descriptor, f"process {os.getpid()} on {platform.node()}\n".encode(), 0)

    def release(self) -> None:
        """Release the lock; the file stays, since removing it could let two writers in."""
        os.close(self._descriptor)
