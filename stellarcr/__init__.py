"""stellarcr: infer where Galactic cosmic rays come from.

Stars blow winds, winds drive shocks, shocks inject cosmic rays, the Galaxy spreads them, experiments
measure them, and Bayes closes the loop. The subpackages follow that sentence.

Names are loaded when first used, so that ``import stellarcr`` costs nothing.
"""

from __future__ import annotations

from ._lazy import lazy_exports
from ._version import __version__

_EXPORTS: dict[str, str] = {
    "ForwardModel": "model",
    "RunConfig": "config",
    "StellarcrError": "errors",
    "build_model": "config",
    "build_posterior": "config",
    "compare": "studies.compare",
    "load_config": "config",
    "load_run": "infer.runs:read_run",
    "load_spectrum": "data",
    "predict": "studies.predict",
    "predict_data": "studies.predict_data",
    "run": "studies.fit",
}

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
    "shock",
    "species",
    "stars",
    "studies",
)

__all__ = ["__version__", *_EXPORTS]
__getattr__, __dir__ = lazy_exports(__name__, _EXPORTS, (*_SUBPACKAGES, "__version__"))
