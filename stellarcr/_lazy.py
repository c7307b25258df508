"""Names of a package that are loaded when first used (PEP 562)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from typing import Any


def lazy_exports(
    package: str, exports: Mapping[str, str], others: Iterable[str] = ()
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Make a package's ``__getattr__`` and ``__dir__``.

    Parameters
    ----------
    package : str
        The package: its ``__name__``.
    exports : mapping
        Public name to the module that holds it, relative to the package (``"spectrum"``); ``"module:name"`` where it
        has another name there.
    others : iterable of str
        Subpackages to load on first use, and further names for ``dir``.
    """
    subpackages = tuple(others)

    def load(name: str) -> Any:
        if name in exports:
            module, _, attribute = exports[name].partition(":")
            return getattr(import_module(f"{package}.{module}"), attribute or name)
        if name in subpackages:
            return import_module(f"{package}.{name}")
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    def names() -> list[str]:
        return sorted([*exports, *subpackages])

    return load, names
