"""What can be told about runs from their small files alone: quick, and never stopped by a damaged folder."""

from __future__ import annotations

import os
import struct
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from stellarcr.errors import RunError
from stellarcr.infer.files import json_ready, read_json
from stellarcr.infer.runs.lock import LOCK_NAME, is_locked
from stellarcr.infer.runs.manifest import FORMAT, check_manifest, check_summary

MARKS = ("manifest.json", "config.toml", "posterior.nc", "summary.json", "state")
"""Any of these in a folder, with a lock file, says that a run was begun in it."""


@dataclass(frozen=True)
class RunRecord:
    """One line of a list of runs; None where a number is not known.

    Attributes
    ----------
    name, path : str
        Of the folder.
    status : str
        "running" (a process holds its lock), "finished", "interrupted" (also: killed), "failed", "half-written" (it
        died before its first checkpoint), "damaged", "other version", or "not a run".
    problem : str
        What is wrong, or why it is not finished; empty for a sound run.
    has_results : bool
        Whether samples are there: those of an earlier session for a run that goes on.
    sampler : str or None
        Its name.
    parameters, samples : int or None
        Free parameters, and equal-weight samples.
    converged : bool or None
        Whether the sampler's stopping rule was met.
    log_evidence, log_evidence_error : float or None
        ln Z and its statistical error.
    chi2 : float or None
        Sum over all data sets at the maximum of the posterior ...
    points : int or None
        ... and their points.
    seed : int or None
        Seed.
    started, ended : str or None
        First start and last end, ISO 8601 in UTC.
    seconds : float or None
        Seconds of sampling, all sessions.
    calls : int or None
        Likelihood evaluations, all sessions.
    version : str or None
        Version of stellarcr that began the run.
    """

    name: str
    path: str
    status: str
    problem: str = ""
    has_results: bool = False
    sampler: str | None = None
    parameters: int | None = None
    samples: int | None = None
    converged: bool | None = None
    log_evidence: float | None = None
    log_evidence_error: float | None = None
    chi2: float | None = None
    points: int | None = None
    seed: int | None = None
    started: str | None = None
    ended: str | None = None
    seconds: float | None = None
    calls: int | None = None
    version: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """All entries, as JSON can hold them."""
        ready: dict[str, Any] = json_ready(asdict(self))
        return ready


def list_runs(folder: str | Path) -> list[RunRecord]:
    """List the runs in a folder, oldest first; other folders come last, with the reason.

    Parameters
    ----------
    folder : str or Path
        A folder of runs such as ``chains``, or one run.

    Raises
    ------
    RunError
        If there is no such folder.
    """
    root = Path(folder)
    if not root.is_dir():
        raise RunError(f"there is no folder {root}", remedy="give a folder of runs, such as chains")
    if (root / "manifest.json").exists():
        return [inspect_run(root)]
    try:
        found = sorted(path for path in root.iterdir() if path.is_dir() and not path.name.startswith("."))
    except OSError as error:
        raise RunError(f"the folder cannot be read: {error.strerror}", where=str(root)) from error
    found = [path for path in found if not _of_check(path)]
    return sorted(map(inspect_run, found), key=lambda run: (run.status == "not a run", run.started or "~", run.name))


def _of_check(folder: Path) -> bool:
    """Whether `stellarcr check` made it, for the figure of a configuration."""
    return folder.name.endswith(".check") and not any((folder / mark).exists() for mark in MARKS)


def inspect_run(folder: Path) -> RunRecord:
    """Tell the state of one folder; whatever is wrong with it is part of the answer."""
    name, path = name_of(folder), str(folder)
    try:
        if not (folder / "manifest.json").exists():
            return _without_manifest(folder)
        manifest = read_json(folder / "manifest.json")
        version = _text(manifest.get("version"))
        if manifest.get("format") != FORMAT:
            problem = f"format {manifest.get('format')!r}, this version reads {FORMAT}"
            return RunRecord(name, path, "other version", problem, version=version)
        check_manifest(manifest, folder)
        return _with_manifest(folder, manifest)
    except (RunError, OSError) as error:
        return RunRecord(name, path, "damaged", error.problem if isinstance(error, RunError) else str(error))


def name_of(folder: Path) -> str:
    """Name of a run: that of its folder, also where the path is ``.``."""
    return Path(os.path.abspath(folder)).name


def _without_manifest(folder: Path) -> RunRecord:
    name, path = name_of(folder), str(folder)
    marks = [mark for mark in MARKS if (folder / mark).exists()]
    # A run takes its lock before it writes; a folder with files of these names alone is somebody else's.
    if not marks or not ((folder / LOCK_NAME).exists() or (folder / "posterior.nc").exists()):
        return RunRecord(name, path, "not a run", "it holds no manifest.json")
    if (folder / "posterior.nc").exists():
        return RunRecord(name, path, "damaged", "manifest.json is missing")
    status = "running" if is_locked(folder) else "half-written"
    return RunRecord(name, path, status, "it holds no manifest.json yet: the run died before it began")


def _with_manifest(folder: Path, manifest: dict[str, Any]) -> RunRecord:
    status, problem = _text(manifest.get("status")) or "damaged", ""
    has_results = (folder / "posterior.nc").exists()
    sessions = manifest.get("sessions")
    last = sessions[-1] if isinstance(sessions, list) and sessions and isinstance(sessions[-1], dict) else {}
    if status == "running" and not is_locked(folder):
        status, problem = "interrupted", "its process was killed; --resume goes on"
    elif status == "interrupted":
        problem = "--resume goes on"
    elif status == "failed":
        problem = _text(last.get("message")) or "see log.txt"
    numbers: dict[str, Any] = {}
    fault = ""
    if has_results or status == "finished":
        fault = archive_fault(folder / "posterior.nc")
        try:
            summary = read_json(folder / "summary.json")
            numbers = _from_summary(summary)
            check_summary(summary, folder)
        except RunError as error:
            fault = fault or error.problem
    else:
        numbers = _from_progress(folder)
    if fault:
        status, problem = "damaged", fault
    elif problem and has_results:
        problem += "; the results of the session before are there"
    names = manifest.get("names")
    return RunRecord(
        name_of(folder),
        str(folder),
        status,
        problem,
        has_results and not fault,
        sampler=_sampler_name(manifest.get("sampler")),
        parameters=len(names) if isinstance(names, list) else None,
        seed=manifest["seed"] if isinstance(manifest.get("seed"), int) else None,
        started=_date(manifest.get("started")),
        ended=_date(manifest.get("ended")),
        version=_text(manifest.get("version")),
        **numbers,
    )


def _from_summary(summary: dict[str, Any]) -> dict[str, Any]:
    maximum = summary.get("map")
    if "converged" not in summary or not isinstance(maximum, dict) or not isinstance(summary.get("parameters"), dict):
        raise RunError("summary.json is not the summary of a run")
    numbers = {
        "converged": bool(summary["converged"]),
        "samples": _number(summary.get("samples")),
        "chi2": _number(maximum.get("chi2_total")),
        "points": _number(maximum.get("points_total")),
    }
    same = ("log_evidence", "log_evidence_error", "seconds", "calls")
    return numbers | {key: _number(summary.get(key)) for key in same}


def _from_progress(folder: Path) -> dict[str, Any]:
    """Numbers of a run under way; the file is a convenience, so a bad one only tells nothing."""
    try:
        progress = read_json(folder / "progress.json")
    except RunError:
        return {}
    return {key: _number(progress.get(key)) for key in ("seconds", "calls")}


def archive_fault(path: Path) -> str:
    """Say what is wrong with an HDF5 file as far as its first bytes tell, or give an empty string.

    The superblock holds a signature, and the address of the end of the file (HDF5 File Format Specification, section
    II.A "Disk Format: Level 0A - Format Signature and Superblock"), by which a file that was cut off is known.
    """
    try:
        size = path.stat().st_size
        with open(path, "rb") as file:
            head = file.read(64)
    except OSError as error:
        return f"{path.name} {'is missing' if isinstance(error, FileNotFoundError) else f'cannot be read: {error}'}"
    if head[:8] != b"\x89HDF\r\n\x1a\n" or len(head) < 64:
        return f"{path.name} is not an HDF5 file" if size else f"{path.name} is empty"
    # Behind the signature comes the version. Addresses have 8 bytes, as h5py writes them; the end is the third of them.
    offset = {0: 40, 1: 44}.get(head[8], 28)
    (end,) = struct.unpack_from("<Q", head, offset)
    return f"{path.name} is cut off: {size} of {end} bytes" if size < end else ""


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _sampler_name(value: Any) -> str | None:
    """Name of a sampler; of a user's own, without its file."""
    return (_text(value) or "").rpartition(":")[2] or None


def _number(value: Any) -> Any:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _date(value: Any) -> str | None:
    try:
        datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return str(value)
