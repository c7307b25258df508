"""Progress of a run: one line for a person, one file for a program."""

from __future__ import annotations

import math
import re
import sys
import time
from pathlib import Path
from typing import Any, TextIO

from rich.console import Console
from rich.status import Status

from stellarcr.errors import ConfigError
from stellarcr.infer.files import write_json


class Progress:
    """Shows the latest numbers of a sampler.

    Parameters
    ----------
    quiet : bool
        Print nothing; the file is still written.
    path : Path, optional
        A JSON file that always holds the latest numbers.
    stream : text stream, optional
        Where to print; standard error by default, so that standard output stays clean.
    plain_every : float
        Seconds between lines when the stream is not a terminal.
    """

    def __init__(
        self,
        *,
        quiet: bool = False,
        path: Path | None = None,
        stream: TextIO | None = None,
        plain_every: float = 10.0,
    ) -> None:
        self._quiet, self._path, self._plain_every = quiet, path, plain_every
        self._console = Console(file=stream or sys.stderr, highlight=False, soft_wrap=True)
        self._status: Status | None = None
        self._last_file = self._last_line = -math.inf
        self._previous: tuple[str, float, float] | None = None

    def update(self, **numbers: Any) -> None:
        """Take over new numbers; see :func:`progress_line` for those that are shown."""
        numbers = numbers | {"calls_per_second": self._rate(numbers)}
        now = time.monotonic()
        if self._path is not None and now - self._last_file >= 1.0:
            write_json(self._path, {"time": time.time(), **numbers}, durable=False)
            self._last_file = now
        if self._quiet:
            return
        line = progress_line(numbers)
        if self._console.is_terminal:
            if self._status is None:
                self._status = self._console.status(line)
                self._status.start()
            self._status.update(line)
        elif now - self._last_line >= self._plain_every:
            self._console.print(line, markup=False)
            self._last_line = now

    def say(self, line: str) -> None:
        """Print a line that stays."""
        if not self._quiet:
            self._console.print(line, markup=False)

    def close(self, **numbers: Any) -> None:
        """End the line, and write the last numbers to the file."""
        if self._status is not None:
            self._status.stop()
            self._status = None
        if self._path is not None and numbers:
            write_json(self._path, {"time": time.time(), **numbers}, durable=False)

    def _rate(self, numbers: dict[str, Any]) -> float:
        """Calls per second since the last update of the same sampler."""
        sampler, calls, seconds = (numbers.get(k, 0) for k in ("sampler", "calls", "seconds"))
        before, self._previous = self._previous, (sampler, calls, seconds)
        if before is not None and before[0] == sampler and seconds > before[2]:
            return (calls - before[1]) / (seconds - before[2])
        return calls / seconds if seconds else math.nan


def progress_line(numbers: dict[str, Any]) -> str:
    """Write the numbers of a sampler in one line.

    Examples
    --------
    >>> progress_line({"sampler": "emcee", "calls": 12000, "calls_per_second": 9800.0, "steps": 400, "tau": 31.2})
    'emcee: 12,000 calls, 9.8k/s, 400 steps, tau 31'
    """
    get = numbers.get
    parts = [f"{get('calls', 0):,} calls", f"{_short(get('calls_per_second', math.nan))}/s"]
    if "starts" in numbers:
        parts.append(f"start {numbers['start']} of {numbers['starts']}")
        parts.append(f"best log posterior {numbers['best']:.2f}")
    if "steps" in numbers:
        parts.append(f"{numbers['steps']:,} steps")
    if "tau" in numbers:
        parts.append(f"tau {numbers['tau']:.0f}")
    if "rhat" in numbers:
        parts.append(f"R-hat {numbers['rhat']:.3f}")
    if "log_evidence" in numbers:
        error = get("log_evidence_error", math.nan)
        parts.append(f"ln Z {numbers['log_evidence']:.2f} +- {error:.2f}")
    if "remaining_log_evidence" in numbers and math.isfinite(numbers["remaining_log_evidence"]):
        parts.append(f"left {numbers['remaining_log_evidence']:.3g}")
    if get("batch"):
        parts.append(f"batch {numbers['batch']}")
    if "ess" in numbers:
        parts.append(f"ESS {numbers['ess']:.0f}")
    if "remaining_seconds" in numbers:
        parts.append(f"ETA {duration(numbers['remaining_seconds'])}")
    return f"{get('sampler', 'run')}: " + ", ".join(parts)


def duration(seconds: float) -> str:
    """Write a time as ``45 s``, ``3 min 20 s`` or ``2 h 05 min``; ``?`` if it is unknown."""
    if not math.isfinite(seconds):
        return "?"
    total = round(seconds)
    if total < 60:
        return f"{total} s"
    if total < 3600:
        return f"{total // 60} min {total % 60:02d} s"
    return f"{total // 3600} h {total % 3600 // 60:02d} min"


def seconds_from(text: str | float) -> float:
    """Read a time: seconds, or hours, minutes and seconds with their letters.

    Parameters
    ----------
    text : str or float
        ``90``, ``"90s"``, ``"10m"``, ``"2h"``, ``"1h30m"`` or ``"1d"``.

    Returns
    -------
    float
        Seconds, above zero.

    Raises
    ------
    ConfigError
        If it is not a time.

    Examples
    --------
    >>> seconds_from("1h30m")
    5400.0
    """
    units = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0}
    written = str(text).strip().lower().replace(" ", "")
    if re.fullmatch(r"(\d+(\.\d*)?[dhms])+", written):
        total = sum(float(number) * units[unit] for number, unit in re.findall(r"([\d.]+)([dhms])", written))
    else:
        try:
            total = float(written)
        except ValueError:
            total = math.nan
    if not (math.isfinite(total) and total > 0.0):
        raise ConfigError(
            f"{text!r} is not a time above zero", remedy="give seconds, or a time such as 90s, 10m, 2h or 1h30m"
        )
    return total


def _short(number: float) -> str:
    if not math.isfinite(number):
        return "?"
    for limit, unit in ((1e6, "M"), (1e3, "k")):
        if number >= limit:
            return f"{number / limit:.1f}{unit}"
    return f"{number:.0f}"
