"""Run folders: a run explains itself, can be resumed, and is read without the model.

``execute`` does the whole job; ``read_run`` reads its result.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..._lazy import lazy_exports

if TYPE_CHECKING:
    from .folder import RunFolder as RunFolder
    from .job import RunInterrupted as RunInterrupted
    from .job import execute as execute
    from .reading import Run as Run
    from .reading import read_run as read_run

# Loaded when first used: reading a run needs no sampler.
_EXPORTS = {
    "Run": "reading",
    "RunFolder": "folder",
    "RunInterrupted": "job",
    "execute": "job",
    "read_run": "reading",
}

__all__ = sorted(_EXPORTS)
__getattr__, __dir__ = lazy_exports(__name__, _EXPORTS)
