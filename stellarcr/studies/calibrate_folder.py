"""The folder of a calibration: one file per mock, so that a kill at any moment loses at most the mocks that run."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._version import __version__
from ..errors import RunError
from ..infer.calibration import MockFit, MockRecord
from ..infer.files import disk_errors, json_ready, read_json, write_json, write_text
from ..infer.runs.lock import RunLock

if TYPE_CHECKING:
    from .calibrate_result import Calibration

FORMAT = 1
MANIFEST = "calibration.json"
_OURS = (MANIFEST, "config.toml", "ranks.csv", "summary.json")
_FOLDERS = ("mocks", "plots")


@dataclass(frozen=True)
class CalibrationFolder:
    """A folder opened for writing; `close` releases its lock.

    Attributes
    ----------
    path : Path
        The folder.
    """

    path: Path
    _lock: RunLock

    @classmethod
    def open(
        cls, path: Path, fit: MockFit, config_text: str, *, resume: bool = False, overwrite: bool = False
    ) -> CalibrationFolder:
        """Make a new folder, or go on with the one that is there.

        Raises
        ------
        RunError
            If a calibration is there and neither resume nor overwrite is given, it is another one, other files are
            there, another process writes it, or it cannot be written.
        """
        if resume and not (path / MANIFEST).exists():
            raise RunError("there is no calibration to go on with", where=str(path), remedy="start it without --resume")
        with disk_errors(path):
            path.mkdir(parents=True, exist_ok=True)
        folder = cls(path, RunLock(path))
        try:
            folder._prepare(identity(fit), config_text, resume, overwrite)
        except BaseException:
            folder.close()
            raise
        return folder

    def _prepare(self, content: dict[str, Any], config_text: str, resume: bool, overwrite: bool) -> None:
        manifest = self.path / MANIFEST
        if manifest.exists() and resume:
            _check_same(read_json(manifest), content, self.path)
            return
        if manifest.exists() and not overwrite:
            raise RunError(
                "there is a calibration here already",
                where=str(self.path),
                remedy="use --resume to go on with it, or --overwrite to replace it",
            )
        ours = (*_OURS, *_FOLDERS)
        foreign = sorted(p.name for p in self.path.iterdir() if not p.name.startswith(".") and p.name not in ours)
        if foreign:
            raise RunError(
                f"the folder holds files that are not of a calibration: {', '.join(foreign[:5])}",
                where=str(self.path),
                remedy="choose another output folder or name",
            )
        # also what a kill left of an overwritten one
        self._remove()
        with disk_errors(self.path):
            (self.path / "mocks").mkdir(exist_ok=True)
        write_text(self.path / "config.toml", config_text)
        write_json(manifest, content)

    def _remove(self) -> None:
        with disk_errors(self.path):
            for name in _FOLDERS:
                if (self.path / name).exists():
                    shutil.rmtree(self.path / name)
            for name in reversed(_OURS):
                (self.path / name).unlink(missing_ok=True)

    def records(self) -> dict[int, MockRecord]:
        """Mocks that are done, by number."""
        found = (MockRecord(**read_json(file)) for file in sorted((self.path / "mocks").glob("*.json")))
        return {record.index: record for record in found}

    def write(self, record: MockRecord) -> None:
        """Keep one mock; the file is there whole or not at all."""
        write_json(self.path / "mocks" / f"{record.index:06d}.json", record.to_dict())

    def write_products(self, result: Calibration, plots: bool = True) -> None:
        """Write ranks, summary and plots."""
        write_text(self.path / "ranks.csv", result.csv())
        write_json(self.path / "summary.json", result.to_dict())
        if plots and result.tests:
            from ..plots.ranks import distance_plot, rank_plot
            from ..plots.style import save

            ranks = {name: result.ranks_of(name) for name in result.tests}
            with disk_errors(self.path / "plots"):
                for name, draw in (("ranks", rank_plot), ("distances", distance_plot)):
                    save(draw(ranks, result.tests, result.draws, result.labels), self.path / "plots" / name)

    def close(self) -> None:
        """Release the lock."""
        self._lock.release()


def identity(fit: MockFit) -> dict[str, Any]:
    """What decides the ranks: the same seed and index give the same mock only if all of it is the same."""
    return json.loads(
        json.dumps(
            json_ready(
                {
                    "format": FORMAT,
                    "version": __version__,
                    "fingerprint": fit.posterior.fingerprint,
                    "parameters": list(fit.posterior.names),
                    "seed": fit.seed,
                    "draws": fit.draws,
                    "sampler": fit.sampler,
                    "settings": {k: v for k, v in fit.settings.as_dict().items() if k not in _NO_MATTER},
                    "map_settings": {k: v for k, v in fit.map_settings.as_dict().items() if k not in _NO_MATTER},
                }
            )
        )
    )


_NO_MATTER = ("seed", "processes", "checkpoint_every")
"""Every mock has a seed of its own; the others do not change results."""


def _check_same(then: dict[str, Any], now: dict[str, Any], path: Path) -> None:
    """Refuse to mix mocks of two calibrations; another version alone is no other problem."""
    for key in (k for k in now if k != "version"):
        if then.get(key) == now[key]:
            continue
        before, after = then.get(key), now[key]
        if isinstance(before, dict) and isinstance(after, dict):
            name = next(k for k in before | after if before.get(k) != after.get(k))
            key, before, after = f"{key}.{name}", before.get(name), after.get(name)
        what = (
            "model, priors or data are not those of the calibration in this folder"
            if key == "fingerprint"
            else f"{key} = {after!r}, in this folder it was {before!r}"
        )
        raise RunError(what, where=str(path), remedy="give what it began with, or start anew with --overwrite")
