"""Tables of text: built once, then printed to a terminal or written as LaTeX."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

LEAST_WIDTH = 80
"""Columns below which tables would lose digits; a narrower terminal wraps their lines instead."""

_ESCAPES = {c: rf"\{c}" for c in "&%$#_{}"} | {"~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
_LATEX = {"\\": r"\textbackslash{}", **_ESCAPES}
_UNKNOWN = "-"
_MOST_DECIMALS = 6


@dataclass(frozen=True)
class Cell:
    """One entry, as a terminal shows it and as LaTeX does."""

    plain: str
    latex: str


@dataclass(frozen=True)
class TextTable:
    """A table of text.

    Attributes
    ----------
    title, note : str
        What it shows, and what its columns mean.
    columns : tuple of Cell
        Headers; those that begin with a space are set to the left, others to the right.
    rows : tuple of tuples of Cell
        The entries.
    """

    title: str
    note: str
    columns: tuple[Cell, ...]
    rows: tuple[tuple[Cell, ...], ...]


def text(value: object) -> Cell:
    """Text, escaped for LaTeX."""
    return Cell(str(value), escape(str(value)))


def escape(value: str) -> str:
    r"""Escape what LaTeX would read as a command: ``snr_only`` becomes ``snr\_only``."""
    return "".join(_LATEX.get(character, character) for character in value)


def number(value: float | None, form: str) -> Cell:
    """Format a number; in math mode for LaTeX, so that the minus is one."""
    if value is None or math.isnan(value):
        return Cell(_UNKNOWN, "--")
    shown = format(value, form)
    if form.endswith("f") and float(shown) == 0.0:
        shown = shown.lstrip("-")
    return Cell(shown, f"${shown.replace('inf', chr(92) + 'infty')}$")


def decimals(error: float | None) -> int:
    """Decimals that show two digits of an error: 0.0996 is 0.10, so 2.

    Examples
    --------
    >>> [decimals(error) for error in (0.0996, 0.372, 12.3)]
    [2, 2, 0]
    """
    if error is None or not math.isfinite(error) or error <= 0:
        return 2
    exponent = int(f"{error:.1e}".partition("e")[2])
    return min(max(1 - exponent, 0), 9)


def with_error(value: float | None, error: float | None, plus: bool = False) -> Cell:
    """Format a number with its error, two digits of it; a sign always if `plus`."""
    if value is None or error is None or not math.isfinite(value):
        return number(value, ".2f")
    digits = min(decimals(error), _MOST_DECIMALS)
    shown, spread = number(value, f"{'+' if plus else ''}.{digits}f"), number(error, f".{digits}f")
    return Cell(f"{shown.plain} +- {spread.plain}", rf"{shown.latex[:-1]} \pm {spread.latex[1:]}")


def terminal() -> Console:
    """Where tables go: at least 80 columns wide, 160 if it is no terminal."""
    found = Console()
    return Console(width=max(found.width, LEAST_WIDTH) if found.is_terminal else 160)


def print_tables(tables: Iterable[TextTable], warnings: Iterable[str] = ()) -> None:
    """Print tables to the terminal, and warnings to its error stream."""
    console = terminal()
    for table in tables:
        console.print(_rich(table))
        console.print(Text(table.note, style="dim"), highlight=False)
        console.print()
    errors = Console(stderr=True, soft_wrap=True, highlight=False)
    for warning in warnings:
        errors.print(f"warning: {warning}", markup=False)


def latex_of(table: TextTable) -> str:
    """One plain ``tabular``, without any package."""
    sides = "".join("l" if column.plain.startswith(" ") else "r" for column in table.columns)
    lines = [f"% {table.title}. {table.note}", rf"\begin{{tabular}}{{{sides}}}", r"\hline"]
    lines += [" & ".join(column.latex.strip() for column in table.columns) + r" \\", r"\hline"]
    lines += [" & ".join(cell.latex for cell in row) + r" \\" for row in table.rows]
    return "\n".join([*lines, r"\hline", r"\end{tabular}"])


def _rich(table: TextTable) -> Table:
    drawn = Table(title=table.title, title_justify="left", box=box.SIMPLE_HEAD, collapse_padding=True, pad_edge=False)
    for k, column in enumerate(table.columns):
        left = column.plain.startswith(" ")
        # A narrow terminal may break lines between words, never within a number.
        entries = () if left else (row[k].plain for row in table.rows)
        longest = max((len(word) for entry in (column.plain, *entries) for word in entry.split()), default=1)
        drawn.add_column(
            Text(column.plain.strip()), justify="left" if left else "right", overflow="fold", min_width=longest
        )
    before = ""
    for row in table.rows:
        # A parameter's name stands once, above those of the other models.
        same = row[0].plain == before and table.columns[0].plain == " parameter"
        before = row[0].plain
        drawn.add_row(Text("" if same else before), *(Text(cell.plain) for cell in row[1:]))
    return drawn
