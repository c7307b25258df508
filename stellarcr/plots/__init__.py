"""Figures fit for a paper: corner plots, traces, spectra. The only place where matplotlib is imported.

Names are loaded when first used, so that ``import stellarcr.plots`` does not load matplotlib.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_EXPORTS: dict[str, str] = {
    "Band": "spectrum_panel",
    "ChainTrace": "trace_data",
    "DataSeries": "spectrum_panel",
    "NestedTrace": "trace_data",
    "SpectrumPanel": "spectrum_panel",
    "corner_plot": "corner",
    "experiment_looks": "style",
    "overlay_spectra_plot": "spectra_overlay",
    "overlay_plot": "data_overlay",
    "paper_style": "style",
    "place_on_axis": "spectrum_panel",
    "population_looks": "style",
    "population_powers": "powers_data",
    "powers_plot": "powers",
    "pulls_plot": "pulls",
    "save": "style",
    "spectra_plot": "spectra",
    "trace_of": "trace_data",
    "trace_plot": "trace",
}

__all__ = sorted(_EXPORTS)


def __getattr__(name: str) -> Any:
    """Load an exported name on first use (PEP 562)."""
    if name in _EXPORTS:
        return getattr(import_module(f"stellarcr.plots.{_EXPORTS[name]}"), name)
    raise AttributeError(f"module 'stellarcr.plots' has no attribute {name!r}")


def __dir__() -> list[str]:
    return list(__all__)
