"""Readers of the numbers: measured spectra and the compositions of the populations.

Names are loaded when first used, so that ``import stellarcr.data`` reads no file and loads no astropy.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_EXPORTS: dict[str, str] = {
    "Reference": "headers",
    "Spectrum": "spectrum",
    "SpectrumEntry": "registry",
    "TableDescription": "description",
    "content_path": "content",
    "find_spectra": "selecting",
    "import_table": "importing",
    "list_spectra": "registry",
    "load_composition": "compositions",
    "load_spectrum": "registry",
    "load_table": "tables",
    "load_type_ia": "compositions",
    "read_composition": "compositions",
    "select_spectra": "selecting",
    "validate": "validation",
    "verify": "verification",
}

__all__ = sorted(_EXPORTS)


def __getattr__(name: str) -> Any:
    """Load an exported name on first use (PEP 562)."""
    if name in _EXPORTS:
        return getattr(import_module(f"stellarcr.data.{_EXPORTS[name]}"), name)
    raise AttributeError(f"module 'stellarcr.data' has no attribute {name!r}")


def __dir__() -> list[str]:
    return list(__all__)
