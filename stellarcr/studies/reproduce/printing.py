"""What `stellarcr reproduce` prints and writes."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from math import isfinite
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from .items import Result, Row, Settings, written
from .registry import chosen_items, find_item

_TEXTS = ("unit", "recipe", "source", "turbulence", "phase")

_TABLE_WIDTH = 140
"""Columns that the widest table needs."""


@dataclass(frozen=True)
class Survey(Result):
    """A result with more rows than a reader wants to see: all are in the JSON, some are printed, with a summary.

    Attributes
    ----------
    printed : int
        How many rows are printed, from the first on.
    summary_title : str
        One line.
    summary : tuple of tuple of str
        Lines of the summary, the first of which holds the headings.
    """

    printed: int = 0
    summary_title: str = ""
    summary: tuple[tuple[str, ...], ...] = ()


def reproduce(names: Iterable[str], settings: Settings, output: Path | None, as_json: bool) -> None:
    """Compute items, print their numbers beside the paper's, and write their figures.

    Parameters
    ----------
    names : iterable of str
        Items, or ``all``.
    settings : Settings
        Grid, recipe, iron.
    output : pathlib.Path or None
        Folder for figures; None writes none.
    as_json : bool
        Print one object and nothing else: a list for each item, of objects with the keys ``quantity``, ``unit``,
        ``ours``, ``paper`` and ``ratio``; null where there is no number.

    Raises
    ------
    ParameterError, ConfigError, DataError
        If an item, a recipe or a grid is unknown.
    """
    chosen = chosen_items(names)
    console = _console()
    numbers = {}
    # a mistyped option is refused before anything is computed
    recipe, grid = settings.wind_recipe.name, settings.tracks.name
    if not as_json:
        console.print(f"grid {grid}, Wolf-Rayet winds by {recipe}, iron {settings.iron}; paper: arXiv:2605.31362\n")
    for name in chosen:
        result = find_item(name)(settings)
        numbers[name] = [row_object(row) for row in result.rows]
        files = [] if output is None else written(result, name, output)
        if not as_json:
            print_result(console, name, result, files)
    if as_json:
        print(json.dumps(numbers, indent=1, allow_nan=False))


def row_object(row: Row) -> dict[str, str | float | None]:
    """A row as in the JSON; what is not finite becomes None."""
    ours, paper, ratio = map(_or_none, (row.ours, row.paper, row.ratio))
    return {"quantity": row.quantity, "unit": row.unit, "ours": ours, "paper": paper, "ratio": ratio}


def print_result(console: Console, name: str, result: Result, files: Iterable[Path] = ()) -> None:
    """Print one item: its table, its notes, and the files that were written."""
    rows = result.rows[: result.printed] if isinstance(result, Survey) else result.rows
    table = _table(f"{name}: {result.title}", ("quantity", "unit", "ours", "paper", "ours/paper"))
    for row in rows:
        table.add_row(row.quantity, row.unit, *map(text_of, (row.ours, row.paper, row.ratio)))
    console.print(table)
    if isinstance(result, Survey) and result.summary:
        summary = _table(result.summary_title, result.summary[0])
        for line in result.summary[1:]:
            summary.add_row(*line)
        console.print(summary)
    for note in result.notes:
        console.print(f"- {note}")
    for file in files:
        console.print(f"written: {file}")
    console.print()


def text_of(value: float | str | None) -> str:
    """A number to three digits; a dash for none, and for what is not finite."""
    known = _or_none(value)
    if known is None:
        return "-"
    return known if isinstance(known, str) else f"{known:.3g}"


def _or_none(value: float | str | None) -> float | str | None:
    return None if isinstance(value, float) and not isfinite(value) else value


def _table(title: str, headings: Iterable[str]) -> Table:
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for place, heading in enumerate(headings):
        left = place == 0 or heading in _TEXTS
        table.add_column(heading, justify="left" if left else "right", no_wrap=place > 0)
    return table


def _console() -> Console:
    # rich would shorten columns to fit a narrow terminal; a wrapped line loses nothing
    width = Console().width
    return Console(width=max(width, _TABLE_WIDTH), highlight=False, soft_wrap=True, markup=False)
