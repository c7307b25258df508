"""The folder of one run: its files, its lock, and the rules for creating and resuming it."""

from __future__ import annotations

import platform
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import TracebackType
from typing import Any

from stellarcr._version import __version__
from stellarcr.errors import RunError
from stellarcr.infer.files import disk_errors, json_ready, write_json, write_text
from stellarcr.infer.posterior_protocol import Posterior
from stellarcr.infer.progress import Progress
from stellarcr.infer.runs.lock import LOCK_NAME, RunLock
from stellarcr.infer.runs.manifest import FORMAT, read_manifest
from stellarcr.infer.runs.signals import StopRequest
from stellarcr.infer.runs.slots import CheckpointSlots
from stellarcr.infer.samplers import sampler_code
from stellarcr.infer.samplers.base import SavedState, Writer
from stellarcr.infer.samplers.settings import SamplerSettings

OWN_FILES = (
    "config.toml",
    "posterior.nc",
    "summary.json",
    "evidence.json",
    "leave_out.json",
    "citations.bib",
    "log.txt",
    "progress.json",
    "manifest.json",
)
"""Files of a run besides ``state/`` and ``plots/``; the manifest is removed last when a run is overwritten."""

PACKAGES = ("numpy", "scipy", "astropy", "emcee", "dynesty", "ultranest", "xarray", "h5py", "h5netcdf", "threadpoolctl")


class RunFolder:
    """A run folder opened for writing: a :class:`~stellarcr.infer.samplers.base.Store` on disk.

    Use :meth:`create` or :meth:`resume`, and the object as a context manager; leaving it releases the lock.

    Attributes
    ----------
    path : Path
        The folder.
    manifest : dict
        Content of ``manifest.json``.
    slots : CheckpointSlots
        The checkpoints.
    """

    def __init__(self, path: Path, lock: RunLock, manifest: dict[str, Any], quiet: bool) -> None:
        self.path, self.manifest = path, manifest
        self._lock = lock
        self.slots = CheckpointSlots(path / "state")
        self.progress = Progress(quiet=quiet, path=path / "progress.json")
        self.stop = StopRequest()
        self._last_commit = time.monotonic()

    @classmethod
    def create(
        cls,
        path: Path,
        posterior: Posterior,
        sampler: str,
        settings: SamplerSettings,
        *,
        config_text: str = "",
        extras: Mapping[str, Any] | None = None,
        citations: str = "",
        overwrite: bool = False,
        quiet: bool = False,
    ) -> RunFolder:
        """Make a new run folder.

        Parameters
        ----------
        path : Path
            The folder; its parents are made.
        posterior : Posterior
            The problem.
        sampler : str
            Name of the sampler.
        settings : SamplerSettings
            Its settings.
        config_text : str
            The resolved configuration, kept as ``config.toml``.
        extras : mapping, optional
            More entries for the manifest, for example ``data_hashes``.
        citations : str
            BibTeX, kept as ``citations.bib``.
        overwrite : bool
            Replace a run that is there. Only files of a run are removed.
        quiet : bool
            Print no progress.

        Raises
        ------
        RunError
            If a run or other files are there, another process writes it, or the place cannot be written.
        """
        with disk_errors(path):
            path.mkdir(parents=True, exist_ok=True)
        lock = RunLock(path)
        try:
            if (path / "manifest.json").exists():
                if not overwrite:
                    raise RunError(
                        "there is a run here already",
                        where=str(path),
                        remedy="use --resume to go on with it, --overwrite to replace it, or another name",
                    )
                _remove_run(path)
            elif foreign := sorted(p.name for p in path.iterdir() if not _ours(p)):
                raise RunError(
                    f"the folder holds files that are not of a run: {', '.join(foreign[:5])}",
                    where=str(path),
                    remedy="choose an empty or new folder",
                )
            folder = cls(path, lock, {}, quiet)
            folder.slots.clear()
            with disk_errors(path):
                (path / "plots").mkdir(exist_ok=True)
            write_text(path / "config.toml", config_text)
            write_text(path / "citations.bib", citations)
            write_text(path / "log.txt", "")
            folder.manifest = _manifest(path.name, posterior, sampler, settings, extras or {})
            folder.begin_session()
            return folder
        except BaseException:
            lock.release()
            raise

    @classmethod
    def resume(cls, path: Path, *, quiet: bool = False) -> RunFolder:
        """Open the folder of an existing run; :func:`~stellarcr.infer.runs.checks.check_same_problem` comes next.

        Raises
        ------
        RunError
            If there is no run, or another process writes it.
        """
        if not (path / "manifest.json").exists():
            raise RunError(
                "there is no run to resume here", where=str(path), remedy="leave out --resume or --extend to start one"
            )
        lock = RunLock(path)
        try:
            return cls(path, lock, read_manifest(path), quiet)
        except BaseException:
            lock.release()
            raise

    def __enter__(self) -> RunFolder:
        self.stop.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop.__exit__(kind, error, trace)
        self.progress.close()
        self._lock.release()

    # --- the Store that samplers see

    def load(self, slot: str) -> SavedState | None:
        """Give a slot's checkpoint, or None."""
        return self.slots.load(slot)

    def commit(
        self, slot: str, state: Mapping[str, Any], *, add: Mapping[str, Writer], keep: tuple[str, ...] = ()
    ) -> None:
        """Replace a slot's checkpoint."""
        self._lock.check()
        self.slots.commit(slot, state, add=add, keep=keep)
        self._last_commit = time.monotonic()

    def checkpoint_due(self, every: float) -> bool:
        """Whether `every` seconds have passed since the last commit."""
        return time.monotonic() - self._last_commit >= every

    @property
    def interrupted(self) -> bool:
        """Whether SIGINT or SIGTERM asked the run to stop."""
        return self.stop.received

    def report(self, **numbers: Any) -> None:
        """Show progress, and keep it in ``progress.json``."""
        self.progress.update(**numbers)

    def note(self, line: str) -> None:
        """Append a line to ``log.txt`` and print it."""
        self._lock.check()
        path = self.path / "log.txt"
        with disk_errors(path), open(path, "a", encoding="utf-8") as file:
            file.write(f"{_now()}  {line}\n")
        self.progress.say(line)

    # --- the manifest

    def begin_session(self) -> None:
        """Record that this process works on the run."""
        self.manifest["sessions"].append(
            {"started": _now(), "ended": None, "host": platform.node(), "status": "running"}
        )
        self.manifest["status"] = "running"
        self._write_manifest()

    def end_session(self, status: str, message: str) -> None:
        """Record how the session ended: finished, interrupted or failed."""
        self.manifest["sessions"][-1].update(ended=_now(), status=status, message=message)
        self.manifest.update(status=status, ended=_now())
        self._write_manifest()

    def change_limits(self, settings: SamplerSettings, config_text: str) -> None:
        """Take over the limits of a resumed run, and the configuration that sets them."""
        self.manifest["settings"] = json_ready(settings.as_dict())
        if config_text:
            write_text(self.path / "config.toml", config_text)

    def begin_extension(self, record: dict[str, Any]) -> None:
        """Record that this process extends a finished run, or takes up an extension that was cut short."""
        known = self.manifest.setdefault("extensions", [])
        taken_up = bool(known) and known[-1] is record
        if not taken_up:
            known.append(record)
        self.begin_session()
        what = "effective samples" if record["quantity"] == "n_effective" else record["quantity"]
        self.note(
            f"{'resumed: extending' if taken_up else 'extending'} from {record['from']:,} to {record['to']:,} {what}"
        )

    def _write_manifest(self) -> None:
        self._lock.check()
        write_json(self.path / "manifest.json", self.manifest)


def _ours(path: Path) -> bool:
    """Whether a file may be left by a run that was killed before it wrote its manifest."""
    return path.name in (*OWN_FILES, LOCK_NAME, "state", "plots") or path.name.endswith(".tmp")


def _remove_run(path: Path) -> None:
    """Remove the files of a run, and nothing else."""
    CheckpointSlots(path / "state").clear()
    plots = path / "plots"
    pictures = [p for p in plots.glob("*") if p.suffix in (".pdf", ".png")] if not plots.is_symlink() else []
    for file in [*pictures, *(path / name for name in OWN_FILES)]:
        with disk_errors(file):
            file.unlink(missing_ok=True)


def _manifest(
    name: str, posterior: Posterior, sampler: str, settings: SamplerSettings, extras: Mapping[str, Any]
) -> dict[str, Any]:
    manifest = {
        "format": FORMAT,
        "name": name,
        "status": "running",
        "sampler": sampler,
        "settings": settings.as_dict(),
        "seed": settings.seed,
        "fingerprint": posterior.fingerprint,
        "names": list(posterior.names),
        "labels": list(posterior.labels),
        "units": list(posterior.units),
        "started": _now(),
        "ended": None,
        "version": __version__,
        "git_commit": git_commit(),
        "python": sys.version.split()[0],
        "platform": platform.platform(),
        "host": platform.node(),
        "packages": package_versions(),
        "sessions": [],
    }
    if code := sampler_code(sampler):
        manifest["sampler_code"] = code
    return json_ready(manifest | dict(extras))


def package_versions() -> dict[str, str]:
    """Versions of the packages that decide numbers."""
    versions = {}
    for package in PACKAGES:
        with suppress(PackageNotFoundError):
            versions[package] = version(package)
    return versions


def git_commit() -> str | None:
    """Commit of the source checkout that this code runs from, with ``+changes`` if it was edited; else None."""
    source = Path(__file__).resolve().parents[3]
    if not (source / ".git").exists():
        return None
    try:
        commit, changed = (
            subprocess.run(
                ["git", *command], cwd=source, capture_output=True, text=True, timeout=10, check=True
            ).stdout.strip()
            for command in (("rev-parse", "HEAD"), ("status", "--porcelain", "--", "stellarcr"))
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return commit + ("+changes" if changed else "")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
