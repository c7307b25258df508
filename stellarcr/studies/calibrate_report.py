"""What `stellarcr calibrate` prints."""

from __future__ import annotations

import json
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from .calibrate_result import Calibration

NOTE = (
    "ranks of the truths among {draws} posterior draws, for {n} mocks. p: chance of ranks at least as uneven, by the "
    "chi2 of {bins} bins and by the largest distance D of the cumulative distribution; Holm: the smaller one corrected "
    "for the number of all tests. mean rank as a fraction, 0.5 expected: above, posteriors lie too low. spread of the "
    "ranks over that of uniform ones, 1 expected: above, posteriors are too narrow, below, too wide. Errors are one "
    "standard deviation of uniform ranks."
)


def print_calibration(result: Calibration, folder: Path, as_json: bool) -> None:
    """Print the tests of a calibration, or JSON.

    Parameters
    ----------
    result : Calibration
        The calibration.
    folder : Path
        Where it lies.
    as_json : bool
        Print JSON, and nothing else.
    """
    if as_json:
        print(json.dumps({"folder": str(folder), **result.to_dict()}, ensure_ascii=False))
        return
    terminal = Console()
    console = Console(width=max(terminal.width, 100) if terminal.is_terminal else 120, highlight=False)
    if result.tests:
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        table.add_column("quantity")
        for title in ("p (chi2)", "p (D)", "p (Holm)", "mean rank", "spread"):
            table.add_column(title, justify="right")
        for name, test in result.tests.items():
            table.add_row(
                name,
                f"{test.chi2_p:.3g}",
                f"{test.distance_p:.3g}",
                f"{min(result.corrected[name]):.3g}",
                f"{test.mean:.3f} +- {test.mean_error:.3f}",
                f"{test.spread:.3f} +- {test.spread_error:.3f}",
            )
        console.print(table)
        bins = len(next(iter(result.tests.values())).counts)
        console.print(NOTE.format(draws=result.draws, n=len(result.ranked), bins=bins), style="dim")
        console.print()
    for record in (*result.failed, *result.unconverged):
        console.print(f"mock {record.index}: {record.verdict}", markup=False, soft_wrap=True)
    console.print(result.verdict, markup=False, soft_wrap=True)
    console.print(f"results: {folder}", markup=False, soft_wrap=True)
