"""What the data say: error models, one experiment, the prediction of its points.

Names are loaded when first used (PEP 562).
"""

from __future__ import annotations

from .._lazy import lazy_exports

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
__getattr__, __dir__ = lazy_exports(__name__, _EXPORTS)
