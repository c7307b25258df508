"""Samplers behind one interface: ``get_sampler(name).run(posterior, settings, store)``.

A new sampler is one class with ``name``, ``settings_type`` and ``run``, and one line in the table below. A user's own
is named as ``file.py:Class`` or ``module:Class``.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

from stellarcr.errors import ConfigError, MissingDependencyError, nearest
from stellarcr.extensions import find_extension, is_reference
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

_EXTRAS = {"ultranest": "ultranest"}
"""Samplers whose package does not come with this one: the package, and the extra of the same name that installs it."""

__all__ = [
    "MemoryStore",
    "RunInterrupted",
    "Sampler",
    "SamplerResult",
    "SamplerSettings",
    "Store",
    "WeightedSamples",
    "get_sampler",
    "require_sampler",
    "sampler_code",
    "sampler_names",
    "settings_from",
]


def sampler_names() -> tuple[str, ...]:
    """Names of the samplers that come with the package."""
    return tuple(_SAMPLERS)


def get_sampler(name: str) -> Sampler:
    """Give a sampler by name; its packages are imported only now.

    Parameters
    ----------
    name : str
        One of :func:`sampler_names`, or ``file.py:Class`` or ``module:Class`` of a user's own.

    Raises
    ------
    ConfigError
        If there is no sampler of this name, or the user's class is no sampler.
    """
    if is_reference(name):
        from stellarcr.infer.samplers.own import own_sampler

        return own_sampler(name)
    if name not in _SAMPLERS:
        raise ConfigError(f"unknown sampler {name!r}", remedy=nearest(name, _SAMPLERS))
    module, attribute = _SAMPLERS[name]
    sampler: Sampler = getattr(import_module(module), attribute)()
    return sampler


def require_sampler(name: str) -> None:
    """Refuse a sampler whose package is not installed, before anything is spent or written.

    Raises
    ------
    MissingDependencyError
        If it is not installed; says how to get it.
    """
    package = _EXTRAS.get(name)
    if package is not None and find_spec(package) is None:
        raise MissingDependencyError(
            f"the sampler {name!r} is not installed", remedy=f'install it: pip install "stellarcr[{package}]"'
        )


def sampler_code(name: str) -> dict[str, str]:
    """Files of a user's sampler and their SHA-256; empty for a sampler that comes with the package."""
    return dict(find_extension(name).files) if is_reference(name) else {}
