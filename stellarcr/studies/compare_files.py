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

    Columns are ``table`` (evidence, seed, bayes_factor, chi2, parameter), ``model``, ``item`` (run, data set or
    parameter), ``quantity``, ``value`` and ``unit``.
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
    if reference is not None and model.name != reference:
        for key in ("log_bayes_factor", "statistical_error", "scatter_error", "total_error"):
            yield "bayes_factor", reference, key, getattr(b, key, None), ""
        yield "bayes_factor", reference, "verdict", verdict(b, model, reference), ""
    for name, fit in model.data.items():
        yield "chi2", name, "chi2", fit.chi2, ""
        yield "chi2", name, "points", fit.points, ""
    for p in model.parameters:
        yield "parameter", p.name, "prior", p.prior_description or None, ""
        for stage, width in (("prior", p.prior), ("posterior", p.posterior)):
            for key in ("std", "low_95", "high_95"):
                yield "parameter", p.name, f"{stage}_{key}", getattr(width, key, None), p.unit
        for key, value in (("information", "nats"), ("information_error", "error")):
            yield "parameter", p.name, key, getattr(p.information, value, None), "nat"
        if p.information is not None and p.information.lower_limit:
            yield "parameter", p.name, "information_is", "lower limit", ""
