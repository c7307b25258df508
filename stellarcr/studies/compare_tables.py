"""The tables of a comparison: built once, then printed, or written as LaTeX."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ..infer.comparison import SEPARATION, BayesFactor, Information
from ..infer.importance.pareto import RELIABLE_K
from .compare_leave_out_tables import leave_out_tables
from .compare_result import Comparison, ModelResult, ParameterKnowledge, Width
from .text_tables import Cell, TextTable, decimals, escape, number, text, with_error

SHARED_BIAS = (
    "A bias that all seeds share, such as that of walks that are too short, shows neither in the quoted errors nor in "
    "the scatter."
)
FEW_SEEDS = (
    f"{SEPARATION:g} total errors of few seeds are less sure than {SEPARATION:g} Gaussian ones: if the quoted errors "
    "are too small, equal models are separated by chance in up to 3% of all cases with 2 seeds each, 1.7% with 3, "
    "1.2% with 4; where a model has one seed, only its quoted error guards against that."
)
ONE_SEED = ", quoted error of one seed"


def tables(comparison: Comparison, models_per_table: int = 100) -> list[TextTable]:
    """Build the tables.

    Evidences with their cross-checks, Bayes factors, chi2 and prediction by data set, priors, what was learned.

    Parameters
    ----------
    comparison : Comparison
        What to show.
    models_per_table : int
        Columns of models of the chi2 table, which is repeated for further models.
    """
    models = comparison.models
    result = [_evidences(models)]
    if comparison.reference is not None and len(models) > 1:
        result.append(_bayes_factors(models, comparison.reference))
    blocks = [models[i : i + models_per_table] for i in range(0, len(models), models_per_table)]
    reference = comparison.reference or models[0].name
    return [
        *result,
        *_checks(models),
        *(_chi2(block) for block in blocks),
        *leave_out_tables(models, reference, max(1, models_per_table * 2 // 3)),
        *_priors(models),
        _parameters(models),
    ]


def _evidences(models: Sequence[ModelResult]) -> TextTable:
    rows = []
    for model in models:
        e = model.evidence
        n = decimals(e.total_error if e else None)
        form = f".{n}f"
        rows.append(
            (
                number(model.rank, "d"),
                text(model.name),
                number(e.seeds if e else len(model.seeds), "d"),
                *(
                    number(value, form)
                    for value in (
                        (e.log_evidence, e.statistical_error, e.scatter, e.scatter_error, e.total_error)
                        if e
                        else (None,) * 5
                    )
                ),
                _information(model.information),
            )
        )
    headers = ("rank", " model", "seeds", "ln Z", "stat. error", "scatter", "seed error", "total error")
    latex = ("rank", "model", "seeds", r"$\ln Z$", r"$\sigma_{\rm stat}$", "$s$", r"$\sigma_{\rm seed}$")
    note = (
        "stat. error: of the mean ln Z, from the errors that the runs quote; scatter: standard deviation over seeds; "
        "seed error: of the mean, from the scatter with Student's factor for few seeds; total error: the larger of the "
        f"two. Models closer than {SEPARATION:g} total errors share a rank. info: <ln L> - ln Z, what the data taught. "
        f"{FEW_SEEDS} {SHARED_BIAS}"
    )
    columns = [Cell(h, t) for h, t in zip(headers, (*latex, r"$\sigma$"), strict=True)]
    return TextTable("Evidence", note, (*columns, Cell("info [nat]", "information [nat]")), tuple(rows))


def verdict(factor: BayesFactor | None, model: ModelResult, reference: str) -> str:
    """Say what a Bayes factor allows to say."""
    if model.name == reference:
        return "reference"
    if factor is None:
        return "no evidence"
    if not factor.separated:
        return "not separated"
    word = "higher" if factor.log_bayes_factor > 0 else "lower"
    size = f"{factor.significance:.1f} errors" if math.isfinite(factor.significance) else "no error"
    return f"{word} ({size}{ONE_SEED if factor.scatter_error is None else ''})"


def _bayes_factors(models: Sequence[ModelResult], reference: str) -> TextTable:
    rows = []
    for model in models:
        b = model.bayes_factor
        form = f".{decimals(b.total_error if b else None)}f"
        numbers = (
            (b.log_bayes_factor, b.statistical_error, b.scatter_error, b.total_error)
            if b
            else (0.0 if model.name == reference else None, None, None, None)
        )
        rows.append((text(model.name), *(number(v, form) for v in numbers), text(verdict(b, model, reference))))
    note = (
        "ln B: ln Z of the model minus that of the reference; errors of both in quadrature, kind by kind. "
        f"not separated: less than {SEPARATION:g} total errors apart, so the runs do not say which is better. "
        "Bayes factors depend on the prior widths below."
    )
    columns = (
        Cell(" model", "model"),
        Cell("ln B", r"$\ln B$"),
        Cell("stat. error", r"$\sigma_{\rm stat}$"),
        Cell("seed error", r"$\sigma_{\rm seed}$"),
        Cell("total error", r"$\sigma$"),
        Cell(" verdict", "verdict"),
    )
    return TextTable(f"Bayes factors against {reference}", note, columns, tuple(rows))


def _checks(models: Sequence[ModelResult]) -> list[TextTable]:
    """Cross-checks of evidences; no table if no run has any."""
    rows = [
        (
            text(model.name),
            text(check.run),
            with_error(check.log_evidence, check.log_evidence_error),
            with_error(check.importance, check.importance_error),
            number(check.deviation, "+.1f"),
            number(check.effective_samples, ".0f"),
            number(check.pareto_k, ".2f"),
            number(check.insertion_p_value, ".2g"),
        )
        for model in models
        for check in model.evidence_checks
    ]
    if not rows:
        return []
    columns = (
        Cell(" model", "model"),
        Cell(" run", "run"),
        Cell("ln Z", r"$\ln Z$"),
        Cell("ln Z, importance", r"$\ln Z$, importance"),
        Cell("difference [errors]", r"difference [$\sigma$]"),
        Cell("eff. samples", "eff. samples"),
        Cell("k", "$k$"),
        Cell("insertion p", "insertion $p$"),
    )
    note = (
        "ln Z: of the sampler, with its quoted error; importance: by importance sampling, with its effective samples "
        f"and the Pareto shape k of its weights (reliable up to {RELIABLE_K}); difference: sampler minus importance "
        "sampling, in combined errors; insertion p: of the uniformity of insertion ranks, small where walks were too "
        "short. Made by 'stellarcr evidence'."
    )
    return [TextTable("Cross-checks of evidence", note, columns, tuple(rows))]


def _priors(models: Sequence[ModelResult]) -> list[TextTable]:
    """Every prior in words, with the models that have it; no table for runs that kept none."""
    rows = []
    for name in dict.fromkeys(p.name for model in models for p in model.parameters):
        by_prior: dict[str, list[str]] = {}
        for model in models:
            for known in model.parameters:
                if known.name == name and known.prior_description:
                    by_prior.setdefault(known.prior_description, []).append(model.name)
        for prior, having in by_prior.items():
            which = "all" if len(having) == len(models) else ", ".join(having)
            rows.append((text(name), text(prior), text(which), text("differs" if len(by_prior) > 1 else "")))
    if not rows:
        return []
    differing = sum(row[3].plain != "" for row in rows)
    columns = (text(" parameter"), text(" prior"), text(" models"), text(" "))
    note = (
        "Priors of the free parameters, in the parameter's unit. "
        + ("Those marked differ between models that share the parameter." if differing else "")
        + ("" if differing or len(models) == 1 else "Models that share a parameter share its prior.")
    )
    return [TextTable("Priors", note.strip(), columns, tuple(rows))]


def _chi2(models: Sequence[ModelResult]) -> TextTable:
    names = dict.fromkeys(name for model in models for name in model.data)
    points = {name: fit.points for model in models for name, fit in model.data.items()}
    rows = [
        (
            text(name),
            number(points[name], "d"),
            *(number(model.data[name].chi2 if name in model.data else None, ".1f") for model in models),
        )
        for name in names
    ]
    rows.append((text("all"), number(models[0].points, "d"), *(number(model.chi2, ".1f") for model in models)))
    rows.append((text("free parameters"), text(""), *(number(len(model.parameters), "d") for model in models)))
    columns = (text(" data set"), text("points"), *(text(model.name) for model in models))
    note = "chi2 at the maximum of the posterior; priors do not enter. Points are those of the fit."
    return TextTable("chi2 by data set", note, columns, tuple(rows))


def _parameters(models: Sequence[ModelResult]) -> TextTable:
    rows = []
    for name in dict.fromkeys(p.name for model in models for p in model.parameters):
        for model in models:
            known = {p.name: p for p in model.parameters}.get(name)
            if known is not None:
                rows.append(_parameter_row(known, model.name))
    note = (
        "sd: standard deviation; 95%: central interval; in the parameter's unit, constraints included. info: "
        "divergence of the marginal posterior from the marginal prior; > marks a lower limit. Where a posterior is "
        "narrow, ln Z falls by about 1 nat if the prior is made e times wider."
    )
    columns = (
        Cell(" parameter", "parameter"),
        Cell(" model", "model"),
        Cell("prior sd", r"prior $\sigma$"),
        Cell("prior 95%", r"prior 95\%"),
        Cell("posterior sd", r"posterior $\sigma$"),
        Cell("posterior 95%", r"posterior 95\%"),
        Cell("info [nat]", "information [nat]"),
    )
    return TextTable("Parameters: what was known before, and after", note, columns, tuple(rows))


def _parameter_row(known: ParameterKnowledge, model: str) -> tuple[Cell, ...]:
    unit = f" [{known.unit}]" if known.unit else ""
    name = Cell(known.name + unit, f"${known.label}$" + escape(unit))
    widths = (known.prior, known.posterior)
    cells = [cell for width in widths for cell in (_std(width), _interval(width))]
    return (name, text(model), *cells, _information(known.information))


def _std(width: Width | None) -> Cell:
    return number(None if width is None else width.std, "" if width is None else f".{decimals(width.std)}f")


def _interval(width: Width | None) -> Cell:
    if width is None:
        return number(None, "")
    low, high = (number(v, f".{decimals(width.std)}f") for v in (width.low_95, width.high_95))
    return Cell(f"{low.plain} .. {high.plain}", f"{low.latex} \\ldots\\ {high.latex}")


def _information(information: Information | None) -> Cell:
    if information is None:
        return number(None, "")
    # information is a guide to what the data constrain: a hundredth of a nat is enough
    cell = number(information.nats, ".2f")
    return Cell(f"> {cell.plain}", f"$>$ {cell.latex}") if information.lower_limit else cell
