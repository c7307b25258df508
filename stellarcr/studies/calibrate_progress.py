"""One line that says how far a calibration is."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from types import TracebackType

from rich.console import Console
from rich.status import Status

from ..infer.calibration import MockRecord
from ..infer.progress import duration


class CalibrationProgress:
    """Shows how many mocks are done, on standard error; a context manager.

    Parameters
    ----------
    done : sequence of MockRecord
        Mocks of earlier sessions.
    mocks : int
        Mocks in all.
    quiet : bool
        Print nothing.
    plain_every : float
        Seconds between lines where standard error is no terminal.
    """

    def __init__(self, done: Sequence[MockRecord], mocks: int, quiet: bool, plain_every: float = 30.0) -> None:
        self._mocks, self._quiet, self._plain_every = mocks, quiet, plain_every
        self._done, self._new, self._unconverged = len(done), 0, sum(not record.converged for record in done)
        self._begin = self._last_line = time.monotonic()
        console = Console(file=sys.stderr, highlight=False, soft_wrap=True)
        self._console, self._status = console, Status("", console=console)

    def __enter__(self) -> CalibrationProgress:
        if not self._quiet and self._console.is_terminal:
            self._status.update(self._line())
            self._status.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._status.stop()

    def add(self, record: MockRecord) -> None:
        """Count one more mock."""
        self._done, self._new = self._done + 1, self._new + 1
        self._unconverged += not record.converged
        if self._quiet:
            return
        self._status.update(self._line())
        now = time.monotonic()
        if not self._console.is_terminal and (now - self._last_line > self._plain_every or self._done == self._mocks):
            self._console.print(self._line(), markup=False)
            self._last_line = now

    def _line(self) -> str:
        parts = [f"calibrate: {self._done} of {self._mocks} mocks"]
        if self._unconverged:
            parts.append(f"{self._unconverged} not converged")
        if self._new:
            each = (time.monotonic() - self._begin) / self._new
            parts += [f"{each:.1f} s each", f"ETA {duration(each * (self._mocks - self._done))}"]
        return ", ".join(parts)
