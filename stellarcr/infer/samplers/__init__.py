"""Samplers behind one interface: ``get_sampler(name).run(posterior, settings, store)``.

A new sampler is one class with ``name``, ``settings_type`` and ``run``, and one line in the table below.
"""

from __future__ import annotations

from importlib import import_module

from stellarcr.errors import ConfigError, nearest
from stellarcr.infer.samplers.base import (
    MemoryStore,
    RunInterrupted,
    Sampler,
    SamplerResult,
    Store,
    WeightedSamples,
)
from stellarcr.infer.samplers.settings import SamplerSettings, settings_from

_SAMPLERS = {
    "map": ("stellarcr.infer.samplers.map", "MapSampler"),
    "emcee": ("stellarcr.infer.samplers.emcee", "EmceeSampler"),
    "dynesty": ("stellarcr.infer.samplers.dynesty", "DynestySampler"),
    "ultranest": ("stellarcr.infer.samplers.ultranest", "UltraNestSampler"),
}

__all__ = [
    "MemoryStore",
    "RunInterrupted",
    "Sampler",
    "SamplerResult",
    "SamplerSettings",
    "Store",
    "WeightedSamples",
    "get_sampler",
    "sampler_names",
    "settings_from",
]


def sampler_names() -> tuple[str, ...]:
    """Names of the samplers."""
    return tuple(_SAMPLERS)


def get_sampler(name: str) -> Sampler:
    """Give a sampler by name; its packages are imported only now.

    Raises
    ------
    ConfigError
        If there is no sampler of this name.
    """
    if name not in _SAMPLERS:
        raise ConfigError(f"unknown sampler {name!r}", remedy=nearest(name, _SAMPLERS))
    module, attribute = _SAMPLERS[name]
    sampler: Sampler = getattr(import_module(module), attribute)()
    return sampler
