"""One writer per run folder, by a lock that the operating system releases when its holder dies."""

from __future__ import annotations

import fcntl
import os
import platform
import time
from pathlib import Path

from stellarcr.errors import RunError
from stellarcr.infer.files import disk_errors

LOCK_NAME = ".lock"

_TRIES, _PAUSE = 4, 0.05
"""How often, and how many seconds apart, a taken lock is tried: one that only looks holds it for microseconds."""


def is_locked(folder: Path) -> bool:
    """Whether a process writes the run in a folder; False where there is no lock file or it cannot be read."""
    try:
        descriptor = os.open(folder / LOCK_NAME, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # a file system without locks: RunLock refuses to write there
        return False
    finally:
        os.close(descriptor)
    return False


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
        path = self._path = folder / LOCK_NAME
        with disk_errors(path):
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            _take(self._descriptor)
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
        try:
            with disk_errors(path):
                os.ftruncate(self._descriptor, 0)
                os.pwrite(self._descriptor, f"process {os.getpid()} on {platform.node()}\n".encode(), 0)
            self.check()  # another process may have replaced the folder since the file was opened
        except BaseException:
            os.close(self._descriptor)
            raise

    def check(self) -> None:
        """Refuse to write once the folder was moved, removed or replaced: another run may lie under its name.

        Raises
        ------
        RunError
            If the folder's lock is not the file that this process holds.
        """
        try:
            if os.path.samestat(os.fstat(self._descriptor), os.stat(self._path)):
                return
        except OSError:  # nothing there, or nothing that can be looked at
            problem = "the run folder was moved or removed while this process wrote it"
        else:
            problem = "the run folder was replaced by another one while this process wrote it"
        raise RunError(
            problem,
            where=str(self._path.parent),
            remedy="if it still exists, move it back and go on with --resume; nothing was written to another run",
        )

    def release(self) -> None:
        """Release the lock; the file stays, since removing it could let two writers in."""
        os.close(self._descriptor)


def _take(descriptor: int) -> None:
    for attempt in range(_TRIES):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if attempt == _TRIES - 1:
                raise
            time.sleep(_PAUSE)
