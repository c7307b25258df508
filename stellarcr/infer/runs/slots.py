"""Checkpoints on disk, each replaced as a whole.

A slot's checkpoint is a journal, ``state/<slot>.json``, that names data files with their SHA-256. A commit writes
new data files under names that the journal does not hold, waits until they are on the disk, then replaces the
journal in one step, and only then removes files that no journal names. A process killed at any moment leaves the
old journal with all its files, or the new one with all of its files; what else lies there is ignored, and cleared
by the next commit.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from stellarcr.errors import RunError
from stellarcr.infer.files import disk_errors, read_json, write_atomically, write_json
from stellarcr.infer.samplers.base import SavedState, Writer

FORMAT = 1


class CheckpointSlots:
    """Checkpoints of a run, one per slot. The slot of a user's sampler, ``file.py:Class``, is ``Class``.

    Parameters
    ----------
    folder : Path
        The ``state`` folder; it is made if it is not there.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with disk_errors(folder):
            folder.mkdir(exist_ok=True)

    def fields(self, slot: str) -> dict[str, Any] | None:
        """Give the JSON fields of a slot's checkpoint without reading its files, or None."""
        journal = self._journal(slot)
        return None if journal is None else journal["state"]

    def load(self, slot: str) -> SavedState | None:
        """Give a slot's checkpoint, or None if there is none.

        Raises
        ------
        RunError
            If a file of the checkpoint is missing or was changed.
        """
        journal = self._journal(slot)
        if journal is None:
            return None
        files = {label: self._read(entry) for label, entry in journal["files"].items()}
        return SavedState(journal["state"], files)

    def commit(
        self, slot: str, state: Mapping[str, Any], *, add: Mapping[str, Writer], keep: tuple[str, ...] = ()
    ) -> None:
        """Replace a slot's checkpoint; see the module's text for the order of things.

        Raises
        ------
        RunError
            If the disk is full or cannot be written; the old checkpoint stays.
        """
        slot = _file_name(slot)
        old = self._journal(slot)
        generation = 1 if old is None else old["generation"] + 1
        files = {} if old is None else {label: old["files"][label] for label in keep}
        for label, writer in add.items():
            path = self.folder / f"{slot}-{generation:06d}-{label}"
            write_atomically(path, writer)
            files[label] = {
                "name": path.name,
                "bytes": path.stat().st_size,
                "sha256": sha256_of(path),
            }
        write_json(
            self.folder / f"{slot}.json",
            {"format": FORMAT, "generation": generation, "state": dict(state), "files": files},
        )
        named = {entry["name"] for entry in files.values()}
        for path in [*self.folder.glob(f"{slot}-*"), *self.folder.glob(f".{slot}*.tmp")]:
            if path.name not in named:
                with suppress(OSError):
                    path.unlink()

    def clear(self) -> None:
        """Remove all checkpoints: journals first, so that none names a missing file."""
        for pattern in ("*.json", "*"):
            for path in self.folder.glob(pattern):
                with disk_errors(path):
                    path.unlink(missing_ok=True)

    def _journal(self, slot: str) -> dict[str, Any] | None:
        path = self.folder / f"{_file_name(slot)}.json"
        if not path.exists():
            return None
        journal = read_json(path)
        if journal.get("format") != FORMAT:
            raise RunError(
                f"checkpoint format {journal.get('format')!r} is not known (this version writes {FORMAT})",
                where=str(path),
                remedy="resume with the version of stellarcr that wrote it (see manifest.json)",
            )
        return journal

    def _read(self, entry: Mapping[str, Any]) -> bytes:
        path = self.folder / entry["name"]
        try:
            content = path.read_bytes()
        except OSError as error:
            content, problem = b"", f"cannot be read: {error.strerror}"
        else:
            problem = "" if hashlib.sha256(content).hexdigest() == entry["sha256"] else "was changed"
        if problem:
            raise RunError(
                f"checkpoint file {path.name} {problem}",
                where=str(self.folder),
                remedy="restore the state folder from a copy, or start anew with --overwrite",
            )
        return content


def _file_name(slot: str) -> str:
    return slot.rpartition(":")[2]


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's content, in hex."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
