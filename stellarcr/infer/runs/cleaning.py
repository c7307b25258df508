"""Remove what runs leave behind: checkpoints of finished runs, runs without results, or runs by name."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from stellarcr.errors import RunError, nearest
from stellarcr.infer.files import disk_errors, read_json
from stellarcr.infer.runs.folder import OWN_FILES
from stellarcr.infer.runs.inspection import RunRecord, list_runs
from stellarcr.infer.runs.lock import LOCK_NAME, RunLock, is_locked

WITHOUT_RESULTS = ("failed", "half-written")
"""Status of runs that ``failed`` takes, if they hold no results."""


@dataclass(frozen=True)
class Removal:
    """What would be removed of one run.

    Attributes
    ----------
    run : RunRecord
        The run.
    what : str
        "checkpoints", "the whole run", "left-over temporary files", or "nothing" with the reason in `kept`.
    files : tuple of Path
        Files to remove, the manifest last: those that stellarcr wrote, and pictures in ``plots/``.
    size : int
        Their bytes.
    kept : str
        Why nothing is removed; empty otherwise.
    """

    run: RunRecord
    what: str
    files: tuple[Path, ...]
    size: int
    kept: str = ""


def plan_cleaning(
    folder: str | Path, *, checkpoints: bool = False, failed: bool = False, names: Sequence[str] = ()
) -> list[Removal]:
    """Say what would be removed; nothing is.

    Parameters
    ----------
    folder : str or Path
        A folder of runs.
    checkpoints : bool
        ``state/`` of finished runs: results stay, but neither --resume nor --extend can go on.
    failed : bool
        Runs that failed or died before they began, and hold no results; an interrupted run, which can go on, goes only
        by name. Also left-over temporary files.
    names : sequence of str
        Runs to remove whole, finished or not.

    Raises
    ------
    RunError
        If there is no such folder, or no run of a name.
    """
    runs = {run.name: run for run in list_runs(folder) if run.status != "not a run"}
    for name in names:
        if name not in runs:
            raise RunError(f"there is no run {name!r}", where=str(folder), remedy=nearest(name, runs))
    removals = []
    for run in runs.values():
        path = Path(run.path)
        if not (checkpoints or failed or run.name in names):
            continue
        if reason := _reason_to_keep(run):
            removals.append(Removal(run, "nothing", (), 0, reason))
        elif run.name in names or (failed and run.status in WITHOUT_RESULTS and not run.has_results):
            removals.append(_removal(run, "the whole run", _all_files(path)))
        elif checkpoints and run.status == "finished":
            removals.append(_removal(run, "checkpoints", _state_files(path)))
        elif failed:
            removals.append(_removal(run, "left-over temporary files", _temporary_files(path)))
    return [removal for removal in removals if removal.files or removal.kept]


def _reason_to_keep(run: RunRecord) -> str:
    """Say why nothing of a run may be removed, or give an empty string."""
    path = Path(run.path)
    return _link_in(path) or ("a process is writing it" if run.status == "running" or is_locked(path) else "")


def _link_in(path: Path) -> str:
    """Say what of a run folder lies in another place, where files may be of other runs; or give an empty string."""
    links = [part for part in (path, path / "state", path / "plots") if part.is_symlink()]
    if not links:
        return ""
    return f"{'it' if links[0] == path else f'its folder {links[0].name}'} is a link to another place"


def clean(removals: Sequence[Removal]) -> list[Removal]:
    """Remove what was planned, each run under its lock.

    Returns
    -------
    list of Removal
        What was removed; where a process has begun to write a run since the plan, nothing with the reason.

    Raises
    ------
    RunError
        If a file cannot be removed.
    """
    return [removal if removal.kept else _remove(removal) for removal in removals]


def _remove(removal: Removal) -> Removal:
    path = Path(removal.run.path)
    if reason := _link_in(path):
        return Removal(removal.run, "nothing", (), 0, reason)
    lock_was_there = (path / LOCK_NAME).exists()
    try:
        lock = RunLock(path)
    except RunError as error:
        return Removal(removal.run, "nothing", (), 0, error.problem)
    try:
        for file in removal.files:
            with disk_errors(file):
                file.unlink(missing_ok=True)
        if removal.what == "the whole run" or not lock_was_there:
            with disk_errors(path):
                (path / LOCK_NAME).unlink(missing_ok=True)
    finally:
        lock.release()
    if removal.what == "the whole run":
        # A folder that holds someone's own files is not empty, and stays.
        for folder in (path / "state", path / "plots", path):
            with suppress(OSError):
                folder.rmdir()
    return removal


def _removal(run: RunRecord, what: str, files: list[Path]) -> Removal:
    return Removal(run, what, tuple(files), sum(file.stat().st_size for file in files))


def _state_files(path: Path) -> list[Path]:
    """Checkpoints, journals first; see :mod:`stellarcr.infer.runs.slots` for their names."""
    state = path / "state"
    journals = [journal for journal in sorted(state.glob("*.json")) if _is_journal(journal)]
    data = [f for journal in journals for f in sorted(state.glob(f"{journal.stem}-[0-9][0-9][0-9][0-9][0-9][0-9]-*"))]
    return [f for f in (*journals, *data, *sorted(state.glob(".*.tmp"))) if f.is_file()]


def _is_journal(path: Path) -> bool:
    try:
        content = read_json(path)
    except RunError:  # damaged, and so of no use to --resume; but whose it is cannot be told
        return False
    return {"format", "generation", "state", "files"} <= content.keys()


def _temporary_files(path: Path) -> list[Path]:
    """What a killed process left of a file that it was writing."""
    own = (path / f".{name}.tmp" for name in OWN_FILES)
    return [f for f in (*own, *sorted((path / "state").glob(".*.tmp"))) if f.is_file()]


def _all_files(path: Path) -> list[Path]:
    """Everything that stellarcr wrote, and the pictures in ``plots/``.

    The manifest is last, so that a removal cut short can be seen and repeated.
    """
    plots = [f for f in sorted((path / "plots").glob("*")) if f.suffix in (".pdf", ".png")]
    temporary = [f for f in _temporary_files(path) if f.parent == path]
    own = [path / name for name in OWN_FILES if (path / name).is_file()]
    return [*_state_files(path), *plots, *temporary, *own]
