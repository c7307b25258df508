"""What `stellarcr compare` prints and writes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console

from ..errors import ConfigError
from ..infer.files import write_product
from .compare import compare
from .compare_files import to_csv, to_latex
from .compare_result import Comparison
from .compare_tables import tables
from .text_tables import print_tables, terminal

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
    per_table = max(1, (terminal().width - _WIDTH_OF_NAMES) // _WIDTH_OF_MODEL)
    print_tables(tables(comparison, per_table), comparison.warnings)
