"""Compare models: evidences of repeated seeds, Bayes factors, chi2 by data set, what the data taught.

The statistics, and the reasons for them, stand in `stellarcr.infer.comparison`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from .._version import __version__
from ..errors import ParameterError, RunError, nearest
from ..infer.comparison import (
    MINIMUM_SAMPLES,
    Evidence,
    bayes_factor,
    combine_seeds,
    difference,
    marginal_information,
    ranks,
    total,
    total_information,
)
from ..infer.importance.pareto import RELIABLE_K
from ..infer.priors import Prior, prior_from_mapping
from ..infer.runs import Run
from .compare_checks import check_warnings, evidence_check, left_out
from .compare_data import check_same_data, stored_configuration
from .compare_groups import Group, group_runs, identity
from .compare_result import Comparison, DataSetFit, ModelResult, ParameterKnowledge, Width

CONSISTENT = 0.01
"""p-value of the seeds' scatter below which a warning is given (project choice)."""


def compare(
    paths: Sequence[str | Path] = (),
    *,
    groups: Mapping[str, Sequence[str | Path]] | None = None,
    reference: str | None = None,
) -> Comparison:
    """Compare models by their runs; needs neither model nor data.

    Parameters
    ----------
    paths : sequence of str or Path
        Run folders, in any order. Repeated seeds of one model are found by themselves.
    groups : mapping, optional
        Run folders of repeated seeds by the name of their model.
    reference : str, optional
        Model of the Bayes factors; the one of highest evidence by default.

    Returns
    -------
    Comparison
        Models by falling evidence, with ranks that the errors allow, and how well each predicts data left out.

    Raises
    ------
    RunError
        If a run is not finished or damaged, the runs were fitted to different data (with what differs), or the
        reference is unknown or has no evidence.

    Examples
    --------
    >>> stellarcr.compare(["chains/reference_seed1", "chains/snr_only_seed1"])  # doctest: +SKIP
    """
    found, warnings = group_runs(paths, groups)
    if not found:
        raise RunError("no run to compare", remedy="give run folders, such as chains/reference chains/snr_only")
    check_same_data([run for group in found for run in group.runs])
    evidences = {group.name: _evidence(group, warnings) for group in found}
    known = {name: e for name, e in evidences.items() if e is not None}
    chosen = _reference(reference, evidences)
    ranking = dict(zip(known, ranks(list(known.values())), strict=True))
    warnings += _differences(found) + _versions(found)
    models = [
        _model(g, evidences[g.name], known.get(chosen or ""), chosen, ranking.get(g.name), warnings) for g in found
    ]
    models.sort(key=lambda m: -m.evidence.log_evidence if m.evidence else np.inf)
    models = _with_predictions(models, chosen or models[0].name, warnings)
    if not known:
        warnings.append('no run has an evidence: sample with nested sampling ([sampler] name = "dynesty")')
    return Comparison(chosen, tuple(models), tuple(dict.fromkeys(warnings)))


def _reference(wanted: str | None, evidences: Mapping[str, Evidence | None]) -> str | None:
    known = {name: e.log_evidence for name, e in evidences.items() if e is not None}
    if wanted is None:
        return max(known, key=known.__getitem__) if known else None
    if wanted not in evidences:
        raise RunError(f"the reference {wanted!r} is not one of the models", remedy=nearest(wanted, evidences))
    if wanted not in known:
        raise RunError(
            f"the reference {wanted!r} has no evidence",
            remedy='sample it with nested sampling ([sampler] name = "dynesty"), or choose another',
        )
    return wanted


def _usable(run: Run) -> bool:
    return run.log_evidence is not None and run.log_evidence_error is not None and run.converged


def _evidence(group: Group, warnings: list[str]) -> Evidence | None:
    for run in group.runs:
        if not run.converged:
            what = "its ln Z is not used" if run.log_evidence is not None else "its widths are provisional"
            warnings.append(f"{run.name}: {what} ({run.summary['verdict']})")
    runs = [run for run in group.runs if _usable(run)]
    if not runs:
        return None
    if len(runs) == 1 and "merged" in runs[0].manifest:
        evidence = Evidence(**runs[0].summary["diagnostics"]["evidence"])  # of its seeds, with their scatter
    else:
        evidence = combine_seeds(
            [float(r.log_evidence or 0.0) for r in runs], [float(r.log_evidence_error or 0.0) for r in runs]
        )
    if evidence.seeds == 1:
        warnings.append(
            f"{group.name}: one seed, so its scatter is unknown and the error is the sampler's own; "
            "more seeds: scripts/run_seeds.sh"
        )
    if evidence.p_value is not None and evidence.p_value < CONSISTENT:
        warnings.append(
            f"{group.name}: the {evidence.seeds} seeds scatter by {evidence.scatter:.2g}, more than their quoted "
            f"errors explain (p = {evidence.p_value:.1g}): sample with more live points or longer walks"
        )
    return evidence


def _differences(groups: Sequence[Group]) -> list[str]:
    """Priors that common parameters do not share, and settings that nested runs do not."""
    warnings = []
    seen: dict[str, tuple[str, str]] = {}
    for group in groups:
        for name, mapping in group.runs[0].priors.items():
            text = _describe(mapping) + _order_of(group.runs[0], name)
            model, before = seen.setdefault(name, (group.name, text))
            if before != text:
                warnings.append(
                    f"the prior of {name} differs: {before} in {model}, {text} in {group.name}; "
                    "their Bayes factor depends on it"
                )
    nested = [g for g in groups if any(_usable(r) for r in g.runs)]
    for group in nested[1:]:
        one, two = _settings(nested[0].runs[0]), _settings(group.runs[0])
        keys = [k for k in dict.fromkeys([*one, *two]) if one.get(k) != two.get(k)]
        if "sampler" in keys:  # options of another sampler say nothing
            keys = ["sampler"]
        if keys:
            shown = ", ".join(f"{k} = {one.get(k)!r} and {two.get(k)!r}" for k in keys)
            warnings.append(f"{nested[0].name} and {group.name} were sampled with different settings: {shown}")
        if nested[0].runs[0].manifest["fingerprint"] == group.runs[0].manifest["fingerprint"]:
            warnings.append(
                f"{nested[0].name} and {group.name} are one model: their Bayes factor is zero but for errors"
            )
    return warnings


def _settings(run: Run) -> dict[str, Any]:
    """Settings that decide the result; the length of walks per parameter, since more parameters need longer walks."""
    settings = identity(run)
    if isinstance(settings.get("walks"), int):
        settings["walks per parameter"] = round(settings.pop("walks") / len(run.names), 3)
    return settings


def _versions(groups: Sequence[Group]) -> list[str]:
    by_version: dict[str, list[str]] = {}
    for run in (run for group in groups for run in group.runs):
        by_version.setdefault(str(run.manifest.get("version", "unknown")), []).append(run.name)
    if set(by_version) == {__version__}:
        return []
    listed = "; ".join(f"{version}: {', '.join(names)}" for version, names in by_version.items())
    return [f"runs of other versions of stellarcr than this one ({__version__}): {listed}; models may have changed"]


def _order_of(run: Run, name: str) -> str:
    orders = [c["order"] for c in (stored_configuration(run) or {}).get("constraints", []) if name in c["order"]]
    return "".join(f", {' < '.join(order)}" for order in orders)


def _prior(mapping: Mapping[str, Any]) -> Prior | None:
    """The prior that a run stored; None where only another installation can build it."""
    try:
        return prior_from_mapping(mapping)
    except ParameterError:
        return None


def _describe(mapping: Mapping[str, Any]) -> str:
    prior = _prior(mapping)
    return json.dumps(mapping, sort_keys=True) if prior is None else prior.describe()


def _model(
    group: Group,
    evidence: Evidence | None,
    against: Evidence | None,
    reference: str | None,
    rank: int | None,
    warnings: list[str],
) -> ModelResult:
    best = max(group.runs, key=lambda run: run.summary["map"]["log_posterior"])
    fits = {name: DataSetFit(fit["chi2"], fit["points"]) for name, fit in best.summary["map"]["chi2"].items()}
    usable = [run for run in group.runs if _usable(run)]
    information = None
    if evidence is not None:
        values = np.concatenate([np.sum(list(run.log_likelihood.values()), axis=0) for run in usable])
        information = total_information(values, evidence.log_evidence, evidence.total_error, _effective_samples(usable))
    compared = evidence is not None and against is not None and group.name != reference
    checks = tuple(check for run in group.runs if (check := evidence_check(run)) is not None)
    warnings += [text for check in checks for text in check_warnings(check)]
    densities = left_out(group.runs, _effective_samples(group.runs))
    return ModelResult(
        name=group.name,
        runs=tuple(str(run.path) for run in group.runs),
        seeds=tuple(int(run.manifest["seed"]) for run in group.runs),
        sampler=str(best.manifest["sampler"]),
        log_evidences=tuple(run.log_evidence if _usable(run) else None for run in group.runs),
        log_evidence_errors=tuple(run.log_evidence_error if _usable(run) else None for run in group.runs),
        evidence=evidence,
        rank=rank,
        bayes_factor=bayes_factor(evidence, against) if compared and evidence and against else None,
        data=fits,
        chi2=float(sum(fit.chi2 for fit in fits.values())),
        points=sum(fit.points for fit in fits.values()),
        information=information,
        parameters=_parameters(group, warnings),
        left_out=densities,
        leave_out_total=total(densities) if densities else None,
        leave_out_difference=None,
        evidence_checks=checks,
    )


def _with_predictions(models: Sequence[ModelResult], reference: str, warnings: list[str]) -> list[ModelResult]:
    """Add the differences of predictions of data left out, to the reference or else the first model."""
    against = next(model for model in models if model.name == reference)
    unreliable = {model.name: model.leave_out_total.not_reliable for model in models if model.leave_out_total}
    for name, data_sets in unreliable.items():
        if data_sets:
            warnings.append(
                f"{name}: {len(data_sets)} data sets cannot be left out by reweighting (Pareto k > {RELIABLE_K}) and "
                f"are in no sum: {', '.join(data_sets)}; fit without them: stellarcr leave-out RUN --data NAME"
            )
    return [
        replace(model, leave_out_difference=difference(model.left_out, against.left_out))
        if model.name != reference and model.left_out and against.left_out
        else model
        for model in models
    ]


def _effective_samples(runs: Sequence[Run]) -> float:
    return float(sum(run.summary.get("ess") or len(run.samples) for run in runs))


def _parameters(group: Group, warnings: list[str]) -> tuple[ParameterKnowledge, ...]:
    first = group.runs[0]
    samples = np.concatenate([run.samples for run in group.runs])
    effective = _effective_samples(group.runs)
    if first.prior is None:
        warnings.append(
            f"{group.name}: its runs are older than the draws of the prior that runs now keep, so prior widths and "
            "information per parameter are unknown: run it again"
        )
    elif effective < MINIMUM_SAMPLES:
        warnings.append(
            f"{group.name}: {effective:.0f} effective samples are too few for the information per parameter"
        )
    result = []
    for i, name in enumerate(first.names):
        mapping = first.priors.get(name)
        draws = None if first.prior is None else first.prior[:, i]
        information = None
        if draws is not None and effective >= MINIMUM_SAMPLES:
            # The marginal prior is the parameter's own unless an order ties it to others; then the draws tell.
            free = None if mapping is None or _order_of(first, name) else _prior(mapping)
            information = marginal_information(samples[:, i], draws if free is None else free, effective)
        result.append(
            ParameterKnowledge(
                name=name,
                label=first.labels[i],
                unit=first.units[i],
                group=first.groups.get(name, ""),
                prior_description="" if mapping is None else _describe(mapping) + _order_of(first, name),
                prior=None if draws is None else _width(draws),
                posterior=_width(samples[:, i]) if len(samples) > 1 else None,
                information=information,
            )
        )
    return tuple(result)


def _width(values: np.ndarray) -> Width:
    low, high = np.percentile(values, [2.5, 97.5])
    return Width(float(np.std(values, ddof=1)), float(low), float(high))
