"""stellarcr: infer where Galactic cosmic rays come from.

Stars blow winds, winds drive shocks, shocks inject cosmic rays, the Galaxy spreads them, experiments
measure them, and Bayes closes the loop. The subpackages follow that sentence.

Names are loaded when first used, so that ``import stellarcr`` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from ._version import __version__

_EXPORTS: dict[str, str] = {
    "ForwardModel": "stellarcr.model",
    "RunConfig": "stellarcr.config",
    "StellarcrError": "stellarcr.errors",
    "build_model": "stellarcr.config",
    "build_posterior": "stellarcr.config",
    "load_config": "stellarcr.config",
    "load_run": "stellarcr.infer.runs",
    "load_spectrum": "stellarcr.data",
    "run": "stellarcr.studies.fit",
}

_RENAMED = {"load_run": "read_run"}

_SUBPACKAGES = (
    "config",
    "data",
    "errors",
    "galaxy",
    "infer",
    "likelihood",
    "model",
    "observe",
    "plots",
    "populations",
    "species",
)

__all__ = ["__version__", *_EXPORTS]


def __getattr__(name: str) -> Any:
    """Load an exported name or a subpackage on first use (PEP 562)."""
    if name in _EXPORTS:
        return getattr(import_module(_EXPORTS[name]), _RENAMED.get(name, name))
    if name in _SUBPACKAGES:
        return import_module(f"stellarcr.{name}")
    raise AttributeError(f"module 'stellarcr' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, *_SUBPACKAGES])
