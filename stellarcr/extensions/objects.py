"""Objects that users' code gives: found, told apart by the hashes of their code, and called."""

from __future__ import annotations

import importlib.metadata
import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import ConfigError, StellarcrError, nearest
from .importing import Files, describe_failure, imported
from .references import HOW, absolute_reference


@dataclass(frozen=True)
class Extension:
    """A named object in a user's file or module.

    Attributes
    ----------
    reference : str
        ``/absolute/file.py:Name`` or ``module:Name``.
    files : tuple of (str, str)
        Source files and their SHA-256. The first holds the object; the others are those beside it that it imports.
    """

    reference: str
    files: Files

    @property
    def attribute(self) -> str:
        """Name of the object in its module."""
        return self.reference.rpartition(":")[2]

    @property
    def path(self) -> str:
        """The file that holds the object."""
        return self.files[0][0]

    @property
    def identity(self) -> list[str]:
        """What decides the object, wherever its file lies: its name and the hashes of the code."""
        return [self.attribute, *sorted(digest for _, digest in self.files)]

    def load(self) -> Any:
        """Import the object.

        Raises
        ------
        ConfigError
            If the code is no longer that of `files`.
        """
        module, files = imported(self.reference.rpartition(":")[0])
        if sorted(digest for _, digest in files) != self.identity[1:]:
            raise ConfigError(
                f"the code of {self.reference!r} changed while it was in use",
                where=self.path,
                remedy="restore it and go on with --resume, or start a new run",
            )
        return getattr(module, self.attribute)


def find_extension(reference: str, where: str = "", folder: Path | None = None) -> Extension:
    """Import a user's code and note its hashes.

    Parameters
    ----------
    reference : str
        ``file.py:Name`` or ``module:Name``.
    where : str
        The key of the configuration that asked for it.
    folder : Path, optional
        Folder to which a relative path refers, and where a module is looked for first; default: the working folder.

    Raises
    ------
    ConfigError
        If there is no such file, module or name, or importing it fails; names the file and the line.
    """
    reference = absolute_reference(reference, folder or Path())
    place, _, attribute = reference.rpartition(":")
    try:
        if not place or not attribute.isidentifier():
            raise ConfigError(f"{reference!r} names no object", remedy=HOW)
        module, files = imported(place)
        if not hasattr(module, attribute):
            public = [name for name in vars(module) if not name.startswith("_")]
            raise ConfigError(f"there is no {attribute!r} in it", where=files[0][0], remedy=nearest(attribute, public))
    except ConfigError as error:
        raise asked_for(error, where) from None
    return Extension(reference, files)


def asked_for(error: StellarcrError, where: str) -> StellarcrError:
    """Add to an error who asked for the thing that is wrong."""
    origin = f"{error.where}, asked for by {where}" if error.where and where else error.where or where
    return type(error)(error.problem, where=origin, remedy=error.remedy)


def call_with_options(source: Extension, arguments: tuple[Any, ...], options: Mapping[str, Any]) -> Any:
    """Call a user's object with options that it declares.

    Parameters
    ----------
    source : Extension
        The object.
    arguments : tuple
        What it always gets, by position.
    options : mapping
        Keyword arguments from the configuration.

    Raises
    ------
    ConfigError
        If the object cannot be called so, an option is unknown or missing, or the call fails; names the line.
    """
    name, target = source.attribute, source.load()
    if not callable(target):
        raise ConfigError(f"{name} = {target!r} is not a function or class", remedy="name a function or class")
    declared = list(inspect.signature(target).parameters.values())
    positional = [p for p in declared if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    if len(positional) < len(arguments) and not any(p.kind == p.VAR_POSITIONAL for p in declared):
        raise ConfigError(
            f"{name}{inspect.signature(target)} does not take {len(arguments)} arguments by position",
            remedy="declare it as f(composition, isotopes, ...)",
        )
    taken = [p.name for p in positional[: len(arguments)]]
    known = {p.name: p for p in declared if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY) and p.name not in taken}
    if not any(p.kind == p.VAR_KEYWORD for p in declared):
        for key in options:
            if key not in known:
                remedy = nearest(key, known) if known else f"remove {key!r}: there are none"
                raise ConfigError(f"{name} takes no argument {key!r}", remedy=remedy)
    missing = [key for key, p in known.items() if p.default is p.empty and key not in options]
    if missing:
        raise ConfigError(f"{name}: {', '.join(missing)} not given", remedy=f"it takes {', '.join(known)}")
    try:
        return target(*arguments, **options)
    except StellarcrError:
        raise
    except Exception as error:
        raise ConfigError(f"{name} failed: {describe_failure(error)}", remedy="correct it, or its arguments") from error


def entry_points(group: str) -> dict[str, str]:
    """Names and references of the objects that installed packages declare for an entry-point group.

    Raises
    ------
    ConfigError
        If two packages declare one name.
    """
    found: dict[str, str] = {}
    for point in importlib.metadata.entry_points(group=group):
        if found.setdefault(point.name, point.value) != point.value:
            raise ConfigError(
                f"two installed packages declare {point.name!r} in {group!r}: {found[point.name]} and {point.value}",
                remedy="uninstall one of them, or name the object itself: 'module:Name'",
            )
    return found
