"""Files that a comparison writes: LaTeX, and one long CSV table."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from .compare_result import Comparison, ModelResult
from .compare_tables import tables, verdict
from .text_tables import latex_of

CSV_COLUMNS = ("table", "model", "item", "quantity", "value", "unit")


def to_latex(comparison: Comparison) -> str:
    """Tables as LaTeX: one plain ``tabular`` each, without any package, to be put into a ``table``."""
    said = ["Written by stellarcr compare: plain tabular environments; no package is needed.", *comparison.warnings]
    parts = ["\n".join("% " + " ".join(line.split()) for line in said)]
    parts += [latex_of(table) for table in tables(comparison)]
    return "\n\n".join(parts) + "\n"


def to_csv(comparison: Comparison) -> str:
    """One long table: a line per number, with full precision; an empty value is unknown.

    Columns are ``table`` (evidence, seed, check, bayes_factor, chi2, left_out, leave_out_sum, leave_out_difference,
    parameter), ``model``, ``item`` (run, data set, parameter or reference), ``quantity``, ``value`` and ``unit``.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    for model in comparison.models:
        for table, item, quantity, value, unit in _lines(model, comparison.reference):
            shown = "" if value is None else value if isinstance(value, str) else repr(value)
            writer.writerow((table, model.name, item, quantity, shown, unit))
    return buffer.getvalue()


def _lines(model: ModelResult, reference: str | None) -> Iterator[tuple[str, str, str, float | str | None, str]]:
    e, b, d = model.evidence, model.bayes_factor, model.information
    for key in ("log_evidence", "statistical_error", "scatter", "scatter_error", "total_error", "p_value"):
        yield "evidence", "", key, getattr(e, key, None), ""
    yield "evidence", "", "seeds", len(model.seeds), ""
    yield "evidence", "", "rank", model.rank, ""
    yield "evidence", "", "parameters", len(model.parameters), ""
    yield "evidence", "", "information", getattr(d, "nats", None), "nat"
    yield "evidence", "", "information_error", getattr(d, "error", None), "nat"
    for k, run in enumerate(model.runs):
        yield "seed", run, "seed", model.seeds[k], ""
        yield "seed", run, "log_evidence", model.log_evidences[k], ""
        yield "seed", run, "log_evidence_error", model.log_evidence_errors[k], ""
    for check in model.evidence_checks:
        for key in ("importance", "importance_error", "effective_samples", "pareto_k", "insertion_p_value"):
            yield "check", check.run, key, getattr(check, key), ""
    if reference is not None and model.name != reference:
        for key in ("log_bayes_factor", "statistical_error", "scatter_error", "total_error"):
            yield "bayes_factor", reference, key, getattr(b, key, None), ""
        yield "bayes_factor", reference, "verdict", verdict(b, model, reference), ""
    for name, fit in model.data.items():
        yield "chi2", name, "chi2", fit.chi2, ""
        yield "chi2", name, "points", fit.points, ""
    yield from _predictions(model, reference)
    for p in model.parameters:
        yield "parameter", p.name, "prior", p.prior_description or None, ""
        for stage, width in (("prior", p.prior), ("posterior", p.posterior)):
            for key in ("std", "low_95", "high_95"):
                yield "parameter", p.name, f"{stage}_{key}", getattr(width, key, None), p.unit
        for key, value in (("information", "nats"), ("information_error", "error")):
            yield "parameter", p.name, key, getattr(p.information, value, None), "nat"
        if p.information is not None and p.information.lower_limit:
            yield "parameter", p.name, "information_is", "lower limit", ""


def _predictions(model: ModelResult, reference: str | None) -> Iterator[tuple[str, str, str, float | str | None, str]]:
    for name, part in model.left_out.items():
        for key in ("log_density", "error", "method", "pareto_k", "effective_samples"):
            yield "left_out", name, key, getattr(part, key), ""
        yield "left_out", name, "reliable", "yes" if part.reliable else "no", ""
    totals = (
        ("leave_out_sum", "", model.leave_out_total),
        ("leave_out_difference", reference or "", model.leave_out_difference),
    )
    for table, item, found in totals:
        if found is not None:
            for key in ("value", "numerical_error", "scatter_error", "error"):
                yield table, item, key, getattr(found, key), ""
            yield table, item, "data_sets", ", ".join(found.data_sets), ""
            yield table, item, "not_reliable", ", ".join(found.not_reliable), ""
