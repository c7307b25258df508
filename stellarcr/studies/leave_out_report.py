"""What `stellarcr leave-out` prints and writes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..infer.comparison import LeftOut
from ..infer.files import json_ready, write_product
from ..infer.importance.pareto import RELIABLE_K
from .compare_leave_out_tables import density
from .leave_out import LeaveOutResult
from .predict_report import checks_json, data_notes, print_checks
from .text_tables import Cell, TextTable, number, print_tables, text

NOTE = (
    "ln p of the data, given all others, +- numerical error. samples: from the fit to all data; refit: from the fit "
    "without them, with nuisance parameters of theirs from the prior; evidences: ln Z with them minus ln Z without. "
    f"(..., k): Pareto shape above {RELIABLE_K}, not reliable. The first reliable one of refit, if it "
    "converged, evidences and samples is the one to quote."
)


def report(results: Sequence[LeaveOutResult], run: Path, as_json: bool = False, csv: Path | None = None) -> None:
    """Print what was left out and how it is predicted.

    Parameters
    ----------
    results : sequence of LeaveOutResult
        From `stellarcr.studies.leave_out.leave_out`.
    run : Path
        The run.
    as_json : bool
        Print JSON, and nothing else.
    csv : Path, optional
        File for the numbers, a line for each way to each density and for each check.

    Raises
    ------
    RunError
        If the file cannot be written.
    """
    if csv is not None:
        write_product(csv, _csv(results))
    if as_json:
        print(json.dumps(json_ready({"run": str(run), "left_out": [_record(r) for r in results]})))
        return
    print_tables([_densities(results)], _warnings(results))
    predictions = [[r.prediction] for r in results]
    print_checks(predictions, data_notes([r.refit for r in results], predictions))
    for path in [r.refit.path for r in results] + ([] if csv is None else [csv]):
        print(path)


def _densities(results: Sequence[LeaveOutResult]) -> TextTable:
    rows = tuple(
        (
            text(r.held_out.name),
            text(r.refit.name),
            number(r.points, "d"),
            *(_plain(part) for part in (r.samples, r.refitted, r.evidences)),
        )
        for r in results
    )
    headers = (" left out", " fit without it", "points", "samples", "refit", "evidences")
    columns = tuple(Cell(header, header.strip()) for header in headers)
    return TextTable("ln p(left out | others)", NOTE, columns, rows)


def _plain(part: LeftOut | None) -> Cell:
    """The density without the mark of its method, which the column tells."""
    cell = density(part)
    return Cell(cell.plain.removesuffix(" r").removesuffix(" e"), cell.latex)


def _warnings(results: Sequence[LeaveOutResult]) -> list[str]:
    found = []
    for r in results:
        if not r.best.reliable:
            found.append(
                f"{r.held_out.name}: no way to its density is reliable: the fit without it predicts it too broadly for "
                'its samples; nested sampling gives the evidences of both ([sampler] name = "dynesty")'
            )
    return found


def _record(result: LeaveOutResult) -> dict[str, Any]:
    ways = {"samples": result.samples, "refit": result.refitted, "evidences": result.evidences}
    (checked,) = checks_json([[result.prediction]], [])["runs"]
    return {
        "name": result.held_out.name,
        "data_sets": result.held_out.data_sets,
        "points": result.points,
        "refit": str(result.refit.path),
        "converged": result.refit.converged,
        "log_density": {
            way: None if part is None else {**vars(part), "reliable": part.reliable} for way, part in ways.items()
        },
        "best": result.best.method,
        "prediction": checked["experiments"][0],
    }


def _csv(results: Sequence[LeaveOutResult]) -> str:
    lines = ["left_out,quantity,item,value,error,pareto_k"]
    for r in results:
        name = _quoted(r.held_out.name)
        for part in (r.samples, r.refitted, r.evidences):
            if part is not None:
                k = "" if part.pareto_k is None else repr(part.pareto_k)
                lines.append(f"{name},log_density,{part.method},{part.log_density!r},{part.error!r},{k}")
        for check in r.prediction.checks:
            c, item = check.result, _quoted(check.name)
            lines.append(f"{name},points,{item},{c.points},,")
            lines.append(f"{name},chi2,{item},{c.chi2!r},,")
            lines.append(f"{name},predictive_chi2,{item},{c.predictive_chi2!r},{c.predictive_chi2_error!r},")
            lines.append(f"{name},p_value,{item},{c.p_value!r},{c.p_value_error!r},")
    return "\n".join(lines) + "\n"


def _quoted(name: str) -> str:
    return f'"{name}"' if "," in name else name
