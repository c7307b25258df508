"""Figures fit for a paper: corner plots, traces, spectra. The only place where matplotlib is imported.

Names are loaded when first used, so that ``import stellarcr.plots`` does not load matplotlib.
"""

from __future__ import annotations

from .._lazy import lazy_exports

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
__getattr__, __dir__ = lazy_exports(__name__, _EXPORTS)
