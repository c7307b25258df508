"""The reference of the command line, from the commands themselves."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import typer
from typer.models import ArgumentInfo, OptionInfo

from stellarcr.cli import app

from .markdown import table

_INTRODUCTION = """# Commands

This page is made from the commands; `stellarcr COMMAND --help` prints the same. A mistake ends with a message that says
what to do next and exit code 2, an interrupted run with 130.
"""


@dataclass(frozen=True)
class Option:
    """One argument or option of a command.

    Attributes
    ----------
    names : tuple of str
        ``--json``, or the name that stands for an argument.
    argument : bool
        Whether it is given by its place.
    kind, default, help : str
        As shown.
    """

    names: tuple[str, ...]
    argument: bool
    kind: str
    default: str
    help: str


@dataclass(frozen=True)
class Command:
    """One command.

    Attributes
    ----------
    name : str
        Full name, such as ``stellarcr plot``.
    help : str
        Its description.
    options : tuple of Option
        Arguments first, as in the function.
    """

    name: str
    help: str
    options: tuple[Option, ...]


def commands(group: typer.Typer = app, prefix: str = "stellarcr") -> Iterator[Command]:
    """Give every command, groups of commands included."""
    for info in group.registered_commands:
        assert info.callback is not None
        name = info.name or info.callback.__name__.lower().replace("_", "-")
        yield Command(f"{prefix} {name}", info.help or inspect.getdoc(info.callback) or "", _options(info.callback))
    for inner in group.registered_groups:
        assert inner.typer_instance is not None
        name = inner.name or inner.typer_instance.info.name
        callback = inner.typer_instance.registered_callback
        if callback is not None and callback.callback is not None and callback.invoke_without_command is True:
            function = callback.callback
            yield Command(f"{prefix} {name}", inspect.getdoc(function) or "", _options(function))
        yield from commands(inner.typer_instance, f"{prefix} {name}")


def _options(function: Callable[..., Any]) -> tuple[Option, ...]:
    hints = typing.get_type_hints(function, include_extras=True)
    found = []
    for name, parameter in inspect.signature(function).parameters.items():
        hint = hints[name]
        infos = [x for x in getattr(hint, "__metadata__", ()) if isinstance(x, ArgumentInfo | OptionInfo)]
        if not infos or infos[0].hidden:
            continue
        info = infos[0]
        argument = isinstance(info, ArgumentInfo)
        kind = typing.get_args(hint)[0]
        flag = f"--{name.replace('_', '-')}"
        # inside Annotated the first name arrives where a default would stand
        given = (info.default, *(info.param_decls or ()))
        decls = tuple(d for d in given if isinstance(d, str) and d.startswith("-"))
        names = (info.metavar or name.upper(),) if argument else decls or (flag,)
        if kind is bool and not argument and not decls:
            names = (f"{flag} / --no-{flag[2:]}",)
        metavar = info.metavar or "" if not argument else ""
        shown = "" if kind is bool and not argument else metavar or _kind(kind)
        found.append(Option(names, argument, shown, _default(parameter.default), info.help or ""))
    return tuple(found)


def _kind(kind: Any) -> str:
    inner = [a for a in typing.get_args(kind) if a is not type(None)]
    if inner:
        several = typing.get_origin(kind) in (list, tuple)
        return _kind(inner[0]) + (" (repeatable)" if several else "")
    if isinstance(kind, type) and issubclass(kind, Enum):
        return ", ".join(f"`{member.value}`" for member in kind)
    return {str: "text", int: "integer", float: "number", Path: "path", bool: "true or false"}[kind]


def _default(value: Any) -> str:
    if value is inspect.Parameter.empty:
        return "required"
    if value is None or value is False:
        return ""
    if isinstance(value, list | tuple):
        return ", ".join(f"`{item}`" for item in value)
    return f"`{getattr(value, 'value', value)}`"


def page() -> str:
    """Make the page."""
    parts = [_INTRODUCTION]
    for command in commands():
        usage = [command.name, *(o.names[0] for o in command.options if o.argument), "[OPTIONS]"]
        parts.append(f"## {command.name}\n\n{_prose(command.help)}\n\n```text\n{' '.join(usage)}\n```\n")
        rows = [(_written(option), option.default, _prose(option.help)) for option in command.options]
        if rows:
            parts.append(table(("argument or option", "default", "meaning"), rows))
    return "\n".join(parts)


def _written(option: Option) -> str:
    names = ", ".join(f"`{name}`" for name in option.names)
    return f"{names} {option.kind}".strip()


def _prose(text: str) -> str:
    """Paragraphs of a help text; what looks like markup is only text."""
    text = inspect.cleandoc(text.split("\f")[0].replace("\b\n", ""))
    return text.replace("<", "&lt;").replace("*", r"\*").replace("_", r"\_")
