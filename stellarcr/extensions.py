"""A user's own Python objects, named in a configuration as ``file.py:Name`` or ``module:Name``.

A file is imported with its folder first on the Python path, as Python runs a script; afterwards the path and the list
of loaded modules are put back. Modules beside the file that it imports come along, and the SHA-256 of all of them are
kept, so that a run can tell whether the code is still the one that it began with. An `Extension` is only names and
hashes: it travels to worker processes, which import the code again.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.metadata
import inspect
import sys
import sysconfig
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from .errors import ConfigError, StellarcrError, nearest

HOW = "write 'file.py:Name' with a path, or 'module:Name' of a module beside the configuration or on the Python path"

Files = tuple[tuple[str, str], ...]


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
        module, files = _imported(self.reference.rpartition(":")[0])
        if sorted(digest for _, digest in files) != self.identity[1:]:
            raise ConfigError(
                f"the code of {self.reference!r} changed while it was in use",
                where=self.path,
                remedy="restore it and go on with --resume, or start a new run",
            )
        return getattr(module, self.attribute)


def is_reference(text: Any) -> bool:
    """Whether a value of a configuration names a user's object: ``file.py:Name`` or ``module:Name``."""
    return isinstance(text, str) and ":" in text


def absolute_reference(text: str, folder: Path) -> str:
    """Make a reference that means the same from anywhere.

    Parameters
    ----------
    text : str
        ``file.py:Name`` with a path relative to the folder, or ``module:Name``.
    folder : Path
        Folder of the file that holds the text.

    Returns
    -------
    str
        With an absolute path if a file was named, or if the module lies in the folder; else unchanged.
    """
    place, _, attribute = text.rpartition(":")
    if place.endswith(".py"):
        return f"{(folder / Path(place).expanduser()).resolve()}:{attribute}"
    beside = folder.joinpath(*place.split("."))
    for path in (beside.parent / f"{beside.name}.py", beside / "__init__.py"):
        if place and path.is_file():
            return f"{path.resolve()}:{attribute}"
    return text


def absolute_references(content: Any, folder: Path) -> Any:
    """Copy nested tables with every ``kind`` and ``prior`` that names a user's object made absolute.

    Parameters
    ----------
    content : mapping, list or value
        Part of a configuration. Tables named ``options`` are the user's own, and stay as they are.
    folder : Path
        Folder of the file that holds it.
    """
    if isinstance(content, Mapping):
        return {
            key: absolute_reference(value, folder)
            if key in ("kind", "prior") and is_reference(value)
            else value
            if key == "options"
            else absolute_references(value, folder)
            for key, value in content.items()
        }
    return [absolute_references(value, folder) for value in content] if isinstance(content, list) else content


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
        module, files = _imported(place)
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


def describe_failure(error: BaseException) -> str:
    """Say what a user's code raised, and on which of its lines."""
    if isinstance(error, SyntaxError):
        return f"syntax error in line {error.lineno} of {error.filename}: {error.msg}"
    frames = [f for f in traceback.extract_tb(error.__traceback__) if not f.filename.startswith(_OURS)]
    theirs = [f for f in frames if not f.filename.startswith(_LIBRARIES) and "-packages" not in f.filename] or frames
    line = f" (line {theirs[-1].lineno} of {theirs[-1].filename})" if theirs else ""
    return f"{type(error).__name__}: {str(error).strip() or 'no message'}{line}"


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


# ---------------------------------------------------------------------- importing

_OURS = (str(Path(__file__).parent), "<")
_LIBRARIES = tuple({sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib")})
_KEPT = sys.stdlib_module_names | {"stellarcr"}
"""Modules that a file of the same name never replaces."""

_FILES: dict[str, tuple[ModuleType, Files]] = {}
"""Files imported so far: like `sys.modules`, but a file whose code changed is imported again."""


def _imported(place: str) -> tuple[ModuleType, Files]:
    """Give a module by file or name, with its source files and their hashes."""
    if not place.endswith(".py"):
        return _imported_by_name(place)
    known = _FILES.get(place)
    if known is None or any(not Path(file).is_file() or _digest(file) != old for file, old in known[1]):
        known = _FILES[place] = _import_file(Path(place))
    return known


def _import_file(path: Path) -> tuple[ModuleType, Files]:
    if not path.is_file():
        near = sorted(p.name for p in path.parent.glob("*.py")) if path.parent.is_dir() else []
        raise ConfigError("no such file", where=str(path), remedy=nearest(path.name, near))
    folder, name = path.parent, path.stem
    while (folder / "__init__.py").is_file():  # a module of a package: its relative imports need the package
        folder, name = folder.parent, f"{folder.name}.{name}"
    name = name.removesuffix(".__init__")
    with _first_on_path(folder) as beside:
        module = _import_module(name, str(path))
        if module.__file__ is None or Path(module.__file__).resolve() != path:
            raise ConfigError(
                f"a file cannot be named {path.name}: a module {name!r} comes with Python or is installed",
                where=str(path),
                remedy="give the file another name",
            )
        files = [str(path), *sorted(set(beside()) - {str(path)})]
    return module, tuple((file, _digest(file)) for file in files)


@cache
def _imported_by_name(name: str) -> tuple[ModuleType, Files]:
    """Import from the Python path; of a package, all its modules count as its code."""
    top = name.partition(".")[0]
    try:
        module = _import_module(name, "")
        root = getattr(sys.modules[top], "__file__", None)
    except ConfigError as error:
        cause = error.__cause__
        if isinstance(cause, ModuleNotFoundError) and cause.name and f"{name}.".startswith(f"{cause.name}."):
            raise ConfigError(
                f"no module {name!r} beside the configuration or on the Python path",
                remedy="check the name, or write 'file.py:Name' with the path of the file",
            ) from None
        raise
    file = getattr(module, "__file__", None)
    if not file or not root:
        raise ConfigError(f"the module {name!r} has no source file", remedy=HOW)
    package = sorted(Path(root).parent.rglob("*.py")) if Path(root).name == "__init__.py" else []
    files = [file, *(str(p) for p in package if str(p) != file)]
    return module, tuple((file, _digest(file)) for file in files)


def _import_module(name: str, where: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except (Exception, SystemExit) as error:
        remedy = "correct that line"
        if isinstance(error, ModuleNotFoundError):
            remedy = f"install {error.name!r}, or put it beside the file"
        raise ConfigError(
            f"importing it failed: {describe_failure(error)}", where=where or f"module {name!r}", remedy=remedy
        ) from error


@contextmanager
def _first_on_path(folder: Path) -> Iterator[Callable[[], list[str]]]:
    """Import modules of a folder before all others, and leave no trace of that.

    Modules of the same names that came from elsewhere step aside. Gives a function that lists the files imported from
    the folder.
    """

    @cache
    def lies_here(top: str) -> bool:
        return (folder / f"{top}.py").is_file() or (folder / top / "__init__.py").is_file()

    def from_here() -> dict[str, ModuleType]:
        return {
            name: module
            for name, module in list(sys.modules.items())
            if (top := name.partition(".")[0]) not in _KEPT and not top.startswith("__") and lies_here(top)
            if "-packages" not in str(getattr(module, "__file__", ""))
        }

    path, bytecode, aside = list(sys.path), sys.dont_write_bytecode, from_here()
    for name in aside:
        del sys.modules[name]
    # Compiled files are told apart by the second only: a quick edit would be missed.
    sys.path.insert(0, str(folder))
    sys.dont_write_bytecode = True
    importlib.invalidate_caches()
    try:
        yield lambda: [str(Path(m.__file__).resolve()) for m in from_here().values() if m.__file__]
    finally:
        for name in from_here():
            del sys.modules[name]
        sys.modules.update(aside)
        sys.path[:], sys.dont_write_bytecode = path, bytecode


def _digest(file: str) -> str:
    try:
        return hashlib.sha256(Path(file).read_bytes()).hexdigest()
    except OSError as error:
        raise ConfigError(f"cannot read it: {error.strerror}", where=file, remedy="check its permissions") from error
