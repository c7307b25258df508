"""Whether the parts of a joint fit agree: suspiciousness, and shifts of the parameters that they share.

Formulas and reasons stand in `stellarcr.infer.comparison.tension`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import RunError
from ..infer.comparison.tension import Fit, Number, ParameterShift, Suspiciousness, parameter_shift, suspiciousness
from ..infer.comparison.volumes import volume_weights
from ..infer.files import json_ready, write_product
from ..infer.runs import Run
from .compare_data import check_parts
from .compare_groups import read_finished
from .leave_out import effective_samples
from .text_tables import Cell, TextTable, number, print_tables, text, with_error


@dataclass(frozen=True)
class PairShift:
    """Shift of parameters between two parts.

    Attributes
    ----------
    first, second : str
        Names of the runs.
    parameters, units : tuple of str
        What they share.
    shift : ParameterShift
        The comparison.
    """

    first: str
    second: str
    parameters: tuple[str, ...]
    units: tuple[str, ...]
    shift: ParameterShift


@dataclass(frozen=True)
class Tension:
    """Agreement of the parts of a joint fit.

    Attributes
    ----------
    joint : str
        Name of the run of all data.
    parts : tuple of str
        Names of the runs of its parts.
    suspiciousness : Suspiciousness
        Of all parts together.
    pairs : tuple of PairShift
        Every two parts that share parameters.
    warnings : tuple of str
        What a reader must know before quoting numbers.
    """

    joint: str
    parts: tuple[str, ...]
    suspiciousness: Suspiciousness
    pairs: tuple[PairShift, ...]
    warnings: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Everything as JSON can hold it."""
        ready: dict[str, Any] = json_ready(asdict(self))
        return ready


def tension(joint: str | Path, parts: Sequence[str | Path], seed: int = 0) -> Tension:
    """Compare a run of all data with runs of its parts; needs neither model nor data.

    Parameters
    ----------
    joint : str or Path
        Run folder of the fit to all data.
    parts : sequence of str or Path
        Run folders of fits to parts of them, with the same model and priors.
    seed : int
        Of pairs of samples that are counted.

    Raises
    ------
    RunError
        If a run cannot be read, the data of the parts are not those of the joint run, two parts share no parameter, or
        a run has too few samples or no draws of its prior.
    """
    if len(parts) < 2:
        raise RunError(
            "tension needs a joint run and at least two parts",
            remedy="stellarcr tension JOINT PART PART, or --experiment KEY",
        )
    whole, runs = read_finished(joint), [read_finished(part) for part in parts]
    check_parts(whole, runs)
    fits = [
        Fit(
            np.sum(list(run.log_likelihood.values()), axis=0),
            effective_samples(run),
            run.log_evidence if run.converged else None,
            run.log_evidence_error if run.converged else None,
            volume_weights(run.nested, run.samples, seed + k),
        )
        for k, run in enumerate((whole, *runs))
    ]
    pairs = tuple(_pair(one, two, seed) for one, two in combinations(runs, 2))
    warnings = [f"{run.name}: {run.summary['verdict']}" for run in (whole, *runs) if not run.converged]
    warnings += _other_models(whole, runs)
    return Tension(
        joint=whole.name,
        parts=tuple(run.name for run in runs),
        suspiciousness=suspiciousness(fits[0], fits[1:]),
        pairs=pairs,
        warnings=tuple(dict.fromkeys(warnings)),
    )


def _pair(first: Run, second: Run, seed: int) -> PairShift:
    shared = tuple(name for name in first.names if name in second.names)
    if not shared:
        raise RunError(
            f"{first.name!r} and {second.name!r} share no parameter", remedy="give fits of one model to different data"
        )
    if first.prior is None:
        raise RunError(
            f"run {first.name!r} is older than the draws of the prior that runs now keep",
            where=str(first.path),
            remedy="run it again",
        )
    columns = [[run.names.index(name) for name in shared] for run in (first, second)]
    shift = parameter_shift(
        first.samples[:, columns[0]],
        second.samples[:, columns[1]],
        first.prior[:, columns[0]],
        (effective_samples(first), effective_samples(second)),
        seed,
    )
    return PairShift(first.name, second.name, shared, tuple(first.units[k] for k in columns[0]), shift)


def _other_models(joint: Run, parts: Sequence[Run]) -> list[str]:
    """Priors that differ from the joint run's, and parameters that are no nuisances and not in all runs."""
    found = []
    for part in parts:
        for name, prior in part.priors.items():
            if name in joint.priors and joint.priors[name] != prior:
                found.append(f"the prior of {name} is another one in {part.name} than in {joint.name}")
        missing = [n for n in joint.names if n not in part.names and joint.groups.get(n) != "nuisances"]
        missing += [n for n in part.names if n not in joint.names]
        if missing:
            found.append(f"{part.name} and {joint.name} do not have the same free parameters: {', '.join(missing)}")
    return found


# ---------------------------------------------------------------------- output


def tension_report(
    joint: Path, parts: Sequence[Path], as_json: bool = False, csv: Path | None = None, seed: int = 0
) -> Tension:
    """Compare runs; print tables, or JSON; write CSV.

    Raises
    ------
    RunError
        For runs that cannot be compared, and a file that cannot be written.
    """
    found = tension(joint, parts, seed)
    if csv is not None:
        write_product(csv, _csv(found))
    if as_json:
        print(json.dumps(found.to_dict()))
        return found
    print_tables([_suspiciousness(found), _pairs(found), *(_marginals(pair) for pair in found.pairs)], found.warnings)
    if csv is not None:
        print(csv)
    return found


def _cell(value: Number | None, form: str | None = None) -> Cell:
    if value is None:
        return number(None, "")
    return with_error(value.value, value.error) if form is None else number(value.value, form)


def _probability(value: Number | None) -> Cell:
    if value is None:
        return number(None, "")
    shown = f"{value.value:.2g} +- {value.error:.1g}"
    return Cell(shown, f"${value.value:.2g} \\pm {value.error:.1g}$")


def _suspiciousness(found: Tension) -> TextTable:
    s = found.suspiciousness
    row = (
        text(found.joint),
        *(_cell(v) for v in (s.log_bayes_ratio, s.log_information_ratio, s.log_suspiciousness, s.dimensions)),
        _probability(s.p_value),
        _cell(s.sigma),
    )
    headers = (" joint fit", "ln R", "ln I", "ln S", "d", "p-value", "sigma")
    note = (
        f"Parts: {', '.join(found.parts)}. ln R: ln Z of the joint fit minus those of the parts, which grows with the "
        "width of priors; ln I: information that the parts share; ln S = ln R - ln I: suspiciousness, which hardly "
        "depends on it; d: dimensions that the parts constrain in common. p-value: chance of more tension between "
        "parts that agree, for Gaussian posteriors; sigma: the same as a two-sided deviation. +-: numerical errors. "
        "'-': not known, without evidences of all fits, or without a common dimension."
    )
    return TextTable("Suspiciousness", note, tuple(Cell(h, h.strip()) for h in headers), (row,))


def _pairs(found: Tension) -> TextTable:
    rows = tuple(
        (
            text(f"{pair.first} - {pair.second}"),
            number(len(pair.parameters), "d"),
            number(pair.shift.directions, "d"),
            _cell(pair.shift.chi2),
            _probability(pair.shift.p_value),
            _cell(pair.shift.sigma),
            _probability(pair.shift.p_counted),
        )
        for pair in found.pairs
    )
    headers = (" parts", "shared", "directions", "Q", "p-value", "sigma", "p counted")
    note = (
        "shared: parameters in both; directions: combinations of them that both constrain better than the prior. Q: "
        "distance of what the two likelihoods say there, a chi2 of so many degrees of freedom if they agree; p-value "
        "and sigma of it, for Gaussian posteriors. p counted: share of differences of samples that are farther from "
        "their mean than zero is; no Gaussian is assumed, but the prior counts in both. +-: numerical errors."
    )
    return TextTable("Shift of shared parameters", note, tuple(Cell(h, h.strip()) for h in headers), rows)


def _marginals(pair: PairShift) -> TextTable:
    rows = tuple(
        (
            text(name + (f" [{unit}]" if unit else "")),
            with_error(m.difference, m.error, plus=True),
            number(m.difference / m.error if m.error > 0 else 0.0, "+.1f"),
            _probability(Number(m.p_value, m.p_value_error)),
        )
        for name, unit, m in zip(pair.parameters, pair.units, pair.shift.marginals, strict=True)
    )
    headers = (" parameter", "difference", "in sigma", "p counted")
    note = (
        "Mean of the first minus that of the second, +- standard deviation of the difference, in the parameter's unit; "
        "p counted: twice the share of differences beyond zero, +- numerical error."
    )
    title = f"{pair.first} minus {pair.second}, parameter by parameter"
    return TextTable(title, note, tuple(Cell(h, h.strip()) for h in headers), rows)


def _csv(found: Tension) -> str:
    lines = ["test,parts,quantity,value,error"]

    def add(test: str, parts: str, quantity: str, value: Number | None) -> None:
        if value is not None:
            lines.append(f"{test},{parts},{quantity},{value.value!r},{value.error!r}")

    s, everyone = found.suspiciousness, "+".join(found.parts)
    for key in ("log_bayes_ratio", "log_information_ratio", "log_suspiciousness", "dimensions", "p_value", "sigma"):
        add("suspiciousness", everyone, key, getattr(s, key))
    for pair in found.pairs:
        parts = f"{pair.first}-{pair.second}"
        add("shift", parts, "directions", Number(float(pair.shift.directions), 0.0))
        for key in ("chi2", "p_value", "sigma", "p_counted"):
            add("shift", parts, key, getattr(pair.shift, key))
        for name, m in zip(pair.parameters, pair.shift.marginals, strict=True):
            add("marginal", parts, name, Number(m.difference, m.error))
            add("marginal", parts, f"{name} p_counted", Number(m.p_value, m.p_value_error))
    return "\n".join(lines) + "\n"
