"""Run folders: a run explains itself, can be resumed, and is read without the model.

``execute`` does the whole job; ``read_run`` reads its result.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stellarcr.infer.runs.folder import RunFolder
    from stellarcr.infer.runs.job import execute
    from stellarcr.infer.runs.reading import Run, read_run
    from stellarcr.infer.samplers.base import RunInterrupted

# Loaded when first used: reading a run needs no sampler.
_EXPORTS = {
    "Run": "stellarcr.infer.runs.reading",
    "RunFolder": "stellarcr.infer.runs.folder",
    "RunInterrupted": "stellarcr.infer.samplers.base",
    "execute": "stellarcr.infer.runs.job",
    "read_run": "stellarcr.infer.runs.reading",
}

__all__ = ["Run", "RunFolder", "RunInterrupted", "execute", "read_run"]


def __getattr__(name: str) -> Any:
    """Load an exported name on first use (PEP 562)."""
    if name in _EXPORTS:
        return getattr(import_module(_EXPORTS[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
