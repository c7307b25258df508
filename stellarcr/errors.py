"""Typed errors: each names the culprit, its place and the next step."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class StellarcrError(Exception):
    """Base of every error that stellarcr raises on purpose.

    Parameters
    ----------
    problem : str
        What is wrong, with the key or parameter and its value.
    where : str, optional
        The file, table or object that it came from.
    remedy : str, optional
        What to do next.
    """

    def __init__(self, problem: str, *, where: str = "", remedy: str = "") -> None:
        self.problem = problem
        self.where = where
        self.remedy = remedy
        lines = [problem]
        if where:
            lines.append(f"  where: {where}")
        if remedy:
            lines.append(f"  next:  {remedy}")
        super().__init__("\n".join(lines))

    def __reduce__(self) -> tuple[object, ...]:
        """Rebuild from the parts, so that workers can send errors back."""
        return _rebuild, (type(self), self.problem, self.where, self.remedy)


def _rebuild(kind: type[StellarcrError], problem: str, where: str, remedy: str) -> StellarcrError:
    return kind(problem, where=where, remedy=remedy)


class ConfigError(StellarcrError):
    """A run configuration or likelihood file is wrong."""


class DataError(StellarcrError):
    """A table is missing, damaged or inconsistent."""


class ParameterError(StellarcrError):
    """A parameter, prior or constraint is wrong."""


class ModelError(StellarcrError):
    """The forward model cannot be evaluated, or gave NaN."""


class RunError(StellarcrError):
    """A run folder cannot be used: locked, damaged, or of another problem."""


class MissingDependencyError(StellarcrError):
    """An optional package is not installed."""


def nearest(name: str, valid: Iterable[str]) -> str:
    """Say which valid names are nearest to a wrong one.

    Parameters
    ----------
    name : str
        The name that was not recognised.
    valid : iterable of str
        The names that would have been.

    Returns
    -------
    str
        A sentence for the ``remedy`` of an error.
    """
    names = sorted(set(valid))
    close = difflib.get_close_matches(str(name), names, n=3, cutoff=0.5)
    if close:
        return f"did you mean {' or '.join(repr(c) for c in close)}? Valid names: {', '.join(names)}"
    return f"valid names: {', '.join(names) or 'none'}"
