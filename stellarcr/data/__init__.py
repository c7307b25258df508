"""Readers of the numbers: measured spectra, compositions of the populations, evolution tracks.

Names are loaded when first used, so that ``import stellarcr.data`` reads no file and loads no astropy.
"""

from __future__ import annotations

from .._lazy import lazy_exports

_EXPORTS: dict[str, str] = {
    "Reference": "headers",
    "Spectrum": "spectrum",
    "SpectrumEntry": "registry",
    "TableDescription": "description",
    "build_grid": "tracks",
    "content_path": "content",
    "find_spectra": "selecting",
    "import_table": "importing",
    "list_spectra": "registry",
    "list_tracks": "tracks",
    "load_composition": "compositions",
    "load_spectrum": "registry",
    "load_table": "tables",
    "load_tracks": "tracks",
    "load_type_ia": "compositions",
    "read_composition": "compositions",
    "select_spectra": "selecting",
    "validate": "validation",
    "verify": "verification",
}

__all__ = sorted(_EXPORTS)
__getattr__, __dir__ = lazy_exports(__name__, _EXPORTS)
