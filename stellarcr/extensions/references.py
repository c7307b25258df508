"""How a configuration names a user's object: ``file.py:Name`` or ``module:Name``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

HOW = "write 'file.py:Name' with a path, or 'module:Name' of a module beside the configuration or on the Python path"


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
