"""Run folders: a run explains itself, can be resumed, and is read without the model.

``execute`` does the whole job; ``read_run`` reads its result.
"""

from __future__ import annotations

from stellarcr.infer.runs.execute import execute
from stellarcr.infer.runs.folder import RunFolder
from stellarcr.infer.runs.reading import Run, read_run
from stellarcr.infer.samplers.base import RunInterrupted

__all__ = ["Run", "RunFolder", "RunInterrupted", "execute", "read_run"]
