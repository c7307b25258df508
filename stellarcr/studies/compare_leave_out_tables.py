"""The tables of data sets left out: how well each model predicts each data set from all others."""

from __future__ import annotations

from collections.abc import Sequence

from ..infer.comparison import LeaveOutTotal, LeftOut, total
from ..infer.importance.pareto import RELIABLE_K
from .compare_result import ModelResult
from .text_tables import Cell, TextTable, number, text, with_error

_MARKS = {"samples": "", "refit": " r", "evidence": " e"}

NOTE = (
    "ln p of each data set, given all others, +- numerical error: from the samples of the fit to all data; r: from a "
    "fit without it; e: from the evidences of both. k: Pareto shape of the ratios, given where it is above "
    f"{RELIABLE_K}: the number before it is not reliable, and is in no sum. The sum is over the data sets that are "
    "reliable in all models."
)
NOTE_DIFFERENCE = (
    " Differences: over the data sets that are reliable in both models; the error holds numerical errors and, as the "
    "scatter over data sets, what another choice of data would change."
)


def leave_out_tables(models: Sequence[ModelResult], reference: str, per_table: int) -> list[TextTable]:
    """Density of every data set by model, with sums and differences; none if no model has any.

    Parameters
    ----------
    models : sequence of ModelResult
        What to show.
    reference : str
        Model that the others are compared with.
    per_table : int
        Columns of models; further models have further tables.
    """
    shown = [model for model in models if model.left_out]
    if not shown:
        return []
    compared = any(model.leave_out_difference for model in shown)
    names = list(dict.fromkeys(name for model in shown for name in model.left_out))
    # sums over other data sets are no comparison: only those that every model knows are added up
    common = [name for name in names if all(name in m.left_out and m.left_out[name].reliable for m in shown)]
    result = []
    for start in range(0, len(shown), per_table):
        block = shown[start : start + per_table]
        rows = [(text(name), *(density(model.left_out.get(name)) for model in block)) for name in names]
        rows.append((text(f"sum of {len(common)}"), *(_sum(_over(model, common), len(common)) for model in block)))
        if compared:
            differences = (_difference(model, reference, len(names)) for model in block)
            rows.append((text(f"difference to {reference}"), *differences))
        columns = (text(" data set left out"), *(text(model.name) for model in block))
        note = NOTE + (NOTE_DIFFERENCE if compared else "")
        result.append(TextTable("Prediction of data left out: ln p(data set | others)", note, columns, tuple(rows)))
    return result


def density(part: LeftOut | None) -> Cell:
    """Write the density of a data set; one that is not reliable with its k."""
    if part is None:
        return number(None, "")
    if not part.reliable and part.pareto_k is not None:
        value, k = number(part.log_density, ".1f"), number(part.pareto_k, ".2f")
        return Cell(f"({value.plain}, k {k.plain})", f"({value.latex}, $k$ {k.latex})")
    cell, mark = with_error(part.log_density, part.error), _MARKS[part.method]
    return Cell(cell.plain + mark, cell.latex + mark)


def _over(model: ModelResult, names: Sequence[str]) -> LeaveOutTotal:
    return total({name: model.left_out[name] for name in names})


def _sum(found: LeaveOutTotal | None, data_sets: int) -> Cell:
    if found is None or not found.data_sets:
        return number(None, "")
    cell = with_error(found.value, found.error)
    count = "" if len(found.data_sets) == data_sets else f" ({len(found.data_sets)} of {data_sets})"
    return Cell(cell.plain + count, cell.latex + count)


def _difference(model: ModelResult, reference: str, data_sets: int) -> Cell:
    if model.name == reference:
        return text("reference")
    return _sum(model.leave_out_difference, data_sets)
