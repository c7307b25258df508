"""Import a user's files and modules, note the hashes of their code, and leave no trace.

A file is imported with its folder first on the Python path, as Python runs a script; afterwards the path and the list
of loaded modules are put back. Modules beside the file that it imports come along.
"""

from __future__ import annotations

import hashlib
import importlib
import sys
import sysconfig
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import ModuleType

from ..errors import ConfigError, nearest
from .references import HOW

Files = tuple[tuple[str, str], ...]

_OURS = (str(Path(__file__).parent.parent), "<")
_LIBRARIES = tuple({sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib")})
_KEPT = sys.stdlib_module_names | {"stellarcr"}
"""Modules that a file of the same name never replaces."""

_FILES: dict[str, tuple[ModuleType, Files]] = {}
"""Files imported so far: like `sys.modules`, but a file whose code changed is imported again."""


def imported(place: str) -> tuple[ModuleType, Files]:
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
        elsewhere = "put it there, or write its path where it is asked for"
        raise ConfigError("no such file", where=str(path), remedy=nearest(path.name, near) if near else elsewhere)
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
        elif "no known parent package" in str(error):
            remedy = "leave out the dot of the import, or make the folder a package with an empty __init__.py"
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


def describe_failure(error: BaseException) -> str:
    """Say what a user's code raised, and on which of its lines."""
    if isinstance(error, SyntaxError):
        return f"syntax error in line {error.lineno} of {error.filename}: {error.msg}"
    line = failing_line(error)
    return f"{type(error).__name__}: {str(error).strip() or 'no message'}{f' ({line})' if line else ''}"


def failing_line(error: BaseException) -> str:
    """Name the line of a user's code on which an error arose, as ``line 10 of file.py``; empty if there is none."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if not f.filename.startswith(_OURS)]
    theirs = [f for f in frames if not f.filename.startswith(_LIBRARIES) and "-packages" not in f.filename] or frames
    return f"line {theirs[-1].lineno} of {theirs[-1].filename}" if theirs else ""
