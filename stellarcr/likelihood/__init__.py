"""What the data say: error models, one experiment, the prediction of its points.

Names are loaded when first used (PEP 562).
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_EXPORTS = {
    "CorrelatedErrors": "errors",
    "ExperimentData": "experiment",
    "ExperimentLikelihood": "experiment",
    "IndependentErrors": "errors",
    "LikelihoodFile": "schema",
    "UpperLimits": "errors",
    "load_experiment": "experiment",
}

__all__ = sorted(_EXPORTS)


def __getattr__(name: str) -> Any:
    """Load an exported name on first use."""
    if name in _EXPORTS:
        return getattr(import_module(f"stellarcr.likelihood.{_EXPORTS[name]}"), name)
    raise AttributeError(f"module 'stellarcr.likelihood' has no attribute {name!r}")


def __dir__() -> list[str]:
    return list(__all__)
