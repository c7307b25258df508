"""What `stellarcr compare` prints and writes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..errors import ConfigError
from ..infer.files import write_product
from .compare import compare
from .compare_result import Comparison
from .compare_tables import TextTable, tables, to_csv, to_latex

LEAST_WIDTH = 80
_WIDTH_OF_NAMES, _WIDTH_OF_MODEL = 32, 16


def compare_report(
    paths: Sequence[Path],
    groups: Sequence[str] = (),
    reference: str | None = None,
    csv: Path | None = None,
    latex: Path | None = None,
    as_json: bool = False,
) -> Comparison:
    """Compare runs; print tables, or JSON; write CSV and LaTeX.

    Parameters
    ----------
    paths : sequence of Path
        Run folders.
    groups : sequence of str
        ``NAME=RUN,RUN``.
    reference : str, optional
        Model of the Bayes factors.
    csv, latex : Path, optional
        Files to write.
    as_json : bool
        Print JSON, and nothing else.

    Raises
    ------
    StellarcrError
        For wrong options, runs that cannot be compared, files that cannot be written.
    """
    comparison = compare(paths, groups=parse_groups(groups), reference=reference)
    if csv is not None:
        write_product(csv, to_csv(comparison))
    if latex is not None:
        write_product(latex, to_latex(comparison))
    if as_json:
        print(json.dumps(comparison.to_dict(), ensure_ascii=False))
        return comparison
    print_comparison(comparison)
    for path in (csv, latex):
        if path is not None:
            Console(soft_wrap=True, highlight=False).print(f"written: {path}", markup=False)
    return comparison


def parse_groups(texts: Sequence[str]) -> Mapping[str, list[str]]:
    """Read ``NAME=RUN,RUN``.

    Raises
    ------
    ConfigError
        If one has another form, or a name comes twice.
    """
    groups: dict[str, list[str]] = {}
    for text in texts:
        name, equals, runs = text.partition("=")
        members = [part.strip() for part in runs.split(",") if part.strip()]
        if not name.strip() or not equals or not members:
            raise ConfigError(f"--group {text!r} names no model with its runs", remedy="write --group NAME=RUN,RUN")
        if name.strip() in groups:
            raise ConfigError(f"--group {name.strip()!r} is given twice", remedy="name all of its runs in one --group")
        groups[name.strip()] = members
    return groups


def print_comparison(comparison: Comparison) -> None:
    """Print tables to the terminal, and warnings to its error stream."""
    terminal = Console()
    # Tables narrower than this would lose digits; a narrower terminal wraps their lines instead.
    console = Console(width=max(terminal.width, LEAST_WIDTH) if terminal.is_terminal else 160)
    per_table = max(1, (console.width - _WIDTH_OF_NAMES) // _WIDTH_OF_MODEL)
    for table in tables(comparison, per_table):
        console.print(_rich(table))
        console.print(Text(table.note, style="dim"), highlight=False)
        console.print()
    warnings = Console(stderr=True, soft_wrap=True, highlight=False)
    for warning in comparison.warnings:
        warnings.print(f"warning: {warning}", markup=False)


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
