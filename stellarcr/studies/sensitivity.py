"""How far a run's posterior and evidence depend on its priors; needs neither model nor data.

Formulas and reasons stand in `stellarcr.infer.comparison.sensitivity`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ConfigError, ParameterError, RunError, nearest
from ..infer.comparison.sensitivity import (
    SENSITIVE,
    PowerScaling,
    WidthChange,
    change_width,
    power_scaling,
    verdict,
)
from ..infer.comparison.volumes import volume_weights
from ..infer.files import json_ready, write_product
from ..infer.importance.pareto import LEAST_DRAWS, RELIABLE_K
from ..infer.priors import Prior, prior_from_mapping
from ..infer.runs import Run
from .compare_data import stored_configuration
from .compare_groups import read_finished
from .leave_out import effective_samples
from .text_tables import Cell, TextTable, number, print_tables, text

FACTORS = (0.5, 2.0)
"""Widths of priors that are tried, as factors (project choice: what a colleague might have chosen instead)."""


@dataclass(frozen=True)
class ParameterSensitivity:
    """How one parameter depends on priors and data.

    Attributes
    ----------
    name, unit : str
        Of the parameter.
    prior : str
        Its prior in words.
    own_prior : float or None
        Sensitivity of its marginal to a power of its own prior; None if flat or unknown.
    all_priors, likelihood : float
        The same for the priors of all parameters together, and for the likelihood of all data.
    strongest : str
        Data set that its marginal depends on most; empty if none reaches the threshold.
    strongest_value : float
        Its sensitivity to the power of that data set's likelihood.
    verdict : str
        What this means.
    widths : tuple of WidthChange or None
        What another width of its own prior would change, one for each factor; None where it cannot be told.
    """

    name: str
    unit: str
    prior: str
    own_prior: float | None
    all_priors: float
    likelihood: float
    strongest: str
    strongest_value: float
    verdict: str
    widths: tuple[WidthChange | None, ...]


@dataclass(frozen=True)
class Sensitivity:
    """How a run depends on its priors.

    Attributes
    ----------
    run : str
        Its name.
    factors : tuple of float
        Widths of priors that were tried.
    parameters : tuple of ParameterSensitivity
        The free parameters.
    warnings : tuple of str
        What a reader must know before quoting numbers.
    """

    run: str
    factors: tuple[float, ...]
    parameters: tuple[ParameterSensitivity, ...]
    warnings: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Everything as JSON can hold it."""
        content = asdict(self)
        for parameter, record in zip(self.parameters, content["parameters"], strict=True):
            for change, entry in zip(parameter.widths, record["widths"], strict=True):
                if change is not None:
                    entry["reliable"] = change.reliable
        ready: dict[str, Any] = json_ready(content)
        return ready


def sensitivity(
    run: str | Path, parameters: Sequence[str] | None = None, factors: Sequence[float] = FACTORS
) -> Sensitivity:
    """Tell how a stored run depends on its priors.

    Parameters
    ----------
    run : str or Path
        Run folder.
    parameters : sequence of str, optional
        Parameters to look at; all by default.
    factors : sequence of float
        Widths of priors to try.

    Raises
    ------
    RunError
        If the run cannot be read, kept no priors, or has too few samples.
    ParameterError
        For an unknown parameter.
    ConfigError
        For a factor that is not above zero.
    """
    stored = read_finished(run)
    names = _names(stored, parameters)
    if not factors or not all(np.isfinite(f) and f > 0 for f in factors):
        raise ConfigError(f"--factor {list(factors)}: widths of priors are above zero", remedy="write --factor 0.5,2")
    if not stored.priors or stored.log_prior is None:
        raise RunError("the run kept no priors: it is too old", where=str(stored.path), remedy="run it again")
    if len(stored.samples) < LEAST_DRAWS * 4:
        raise RunError(
            f"{len(stored.samples)} samples do not tell how a posterior depends on its priors",
            where=str(stored.path),
            remedy="sample it: a search for the maximum has no samples",
        )
    warnings = [] if stored.converged else [f"{stored.name}: {stored.summary['verdict']}"]
    priors = {name: _prior(stored, name, warnings) for name in stored.names}
    columns = [stored.names.index(name) for name in names]
    everything = power_scaling(stored.samples, stored.log_prior, columns)
    data = power_scaling(stored.samples, np.sum(list(stored.log_likelihood.values()), axis=0), columns)
    by_set = {name: power_scaling(stored.samples, v, columns) for name, v in stored.log_likelihood.items()}
    volumes = volume_weights(stored.nested, stored.samples)
    rows = tuple(
        _row(stored, name, k, priors, everything, data, by_set, tuple(factors), volumes) for k, name in enumerate(names)
    )
    cut = [row.name for row in rows if any(w is not None and w.cut for w in row.widths)]
    if cut:
        warnings.append(f"the prior cuts off the posterior of {', '.join(cut)}: what a wider one lets in is not known")
    return Sensitivity(stored.name, tuple(factors), rows, tuple(warnings))


def _names(run: Run, wanted: Sequence[str] | None) -> list[str]:
    for name in wanted or ():
        if name not in run.names:
            raise ParameterError(f"run {run.name!r} has no free parameter {name!r}", remedy=nearest(name, run.names))
    return list(run.names if wanted is None else dict.fromkeys(wanted))


def _prior(run: Run, name: str, warnings: list[str]) -> Prior | None:
    """The prior that a run stored; None where only another installation can build it."""
    try:
        return prior_from_mapping(run.priors[name])
    except (ParameterError, ConfigError) as error:
        warnings.append(f"the prior of {name} cannot be built here: {error.problem}")
        return None


def _row(
    run: Run,
    name: str,
    k: int,
    priors: Mapping[str, Prior | None],
    everything: PowerScaling,
    data: PowerScaling,
    by_set: Mapping[str, PowerScaling],
    factors: tuple[float, ...],
    volumes: np.ndarray | None,
) -> ParameterSensitivity:
    column = run.names.index(name)
    samples, prior = run.samples[:, column], priors[name]
    own = None if prior is None else power_scaling(run.samples, np.asarray(prior.logpdf(samples)), [column])
    constraints = (stored_configuration(run) or {}).get("constraints", [])
    order: list[str] = next((c["order"] for c in constraints if name in c["order"]), [])
    known = {n: p for n in (name, *order) if (p := priors.get(n)) is not None}
    told = prior is not None and all(n in known for n in order)
    effective = effective_samples(run)
    strongest = max(by_set, key=lambda n: by_set[n].distances[k])
    value = by_set[strongest].distances[k]
    order_text = f", {' < '.join(order)}" if order else ""
    return ParameterSensitivity(
        name=name,
        unit=run.units[column],
        prior=("unknown" if prior is None else prior.describe()) + order_text,
        own_prior=None if own is None or own.flat else own.distances[0],
        all_priors=everything.distances[k],
        likelihood=data.distances[k],
        strongest=strongest if value >= SENSITIVE else "",
        strongest_value=value,
        verdict=verdict(everything, data, k),
        widths=tuple(
            change_width(samples, name, known, f, effective, order, volumes) if told else None for f in factors
        ),
    )


# ---------------------------------------------------------------------- output


def sensitivity_report(
    run: Path,
    parameters: Sequence[str] | None = None,
    factors: Sequence[float] = FACTORS,
    as_json: bool = False,
    csv: Path | None = None,
) -> Sensitivity:
    """Print tables, or JSON; write CSV.

    Raises
    ------
    StellarcrError
        As `sensitivity`, and for a file that cannot be written.
    """
    found = sensitivity(run, parameters, factors)
    if csv is not None:
        write_product(csv, _csv(found))
    if as_json:
        print(json.dumps(found.to_dict()))
        return found
    print_tables([_powers(found), _widths(found)], found.warnings)
    if csv is not None:
        print(csv)
    return found


def _label(row: ParameterSensitivity) -> str:
    return row.name + (f" [{row.unit}]" if row.unit else "")


def _powers(found: Sensitivity) -> TextTable:
    rows = tuple(
        (
            text(_label(row)),
            text(row.prior),
            text("flat") if row.own_prior is None else number(row.own_prior, ".3f"),
            number(row.all_priors, ".3f"),
            number(row.likelihood, ".3f"),
            text(f"{row.strongest} ({row.strongest_value:.2f})" if row.strongest else "-"),
            text(row.verdict),
        )
        for row in found.parameters
    )
    headers = (" parameter", " prior", "own prior", "all priors", "data", " most by", " verdict")
    note = (
        f"Change of the marginal per factor 2 in the power of one part of the posterior (cumulative Jensen-Shannon "
        f"distance); above {SENSITIVE} it counts. own prior: flat ones have no power; all priors: of all parameters "
        "together; data: of the likelihood; most by: the data set with the largest effect."
    )
    columns = tuple(Cell(h, h.strip()) for h in headers)
    return TextTable(f"{found.run}: sensitivity to priors and data", note, columns, rows)


def _widths(found: Sensitivity) -> TextTable:
    rows = tuple(
        (text(_label(row)), *(cell for change in row.widths for cell in _change(change))) for row in found.parameters
    )
    headers = [" parameter"]
    for factor in found.factors:
        headers += [f"x {factor:g}: d ln Z", "mean [sd]", "sd"]
    note = (
        "The prior of one parameter made so many times as wide, by reweighting: change of ln Z +- numerical error, of "
        "the parameter's mean in its standard deviations, and its new standard deviation in units of the old. ?: a "
        f"lower bound, the prior cuts the posterior off; (k): Pareto shape above {RELIABLE_K}, not reliable; '-': not "
        "told."
    )
    columns = tuple(Cell(h, h.strip()) for h in headers)
    return TextTable(f"{found.run}: priors of another width", note, columns, rows)


def _change(change: WidthChange | None) -> tuple[Cell, Cell, Cell]:
    if change is None:
        return number(None, ""), number(None, ""), number(None, "")
    if not change.pareto_k <= RELIABLE_K:  # NaN, where repeated samples leave no tail to fit, is not reliable
        return text(f"(k {change.pareto_k:.2f})"), number(None, ""), number(None, "")
    mark = "?" if change.cut else ""
    error = f" +- {change.log_evidence_error:.2f}" if change.log_evidence_error >= 0.005 else ""
    shown = f"{change.log_evidence_change:+.2f}{error}{mark}"
    return text(shown), number(change.shift, "+.2f"), number(change.width_ratio, ".2f")


def _csv(found: Sensitivity) -> str:
    lines = ["parameter,quantity,value,error"]
    for row in found.parameters:
        for key in ("own_prior", "all_priors", "likelihood"):
            value = getattr(row, key)
            lines.append(f"{row.name},{key},{'' if value is None else repr(value)},")
        lines.append(f"{row.name},verdict,{row.verdict},")
        for change in row.widths:
            if change is not None:
                at = f"width x {change.factor:g}"
                lines.append(
                    f"{row.name},{at}: log_evidence_change,{change.log_evidence_change!r},{change.log_evidence_error!r}"
                )
                lines += [
                    f"{row.name},{at}: {key},{getattr(change, key)!r},"
                    for key in ("shift", "width_ratio", "pareto_k", "reliable")
                ]
    return "\n".join(lines) + "\n"
