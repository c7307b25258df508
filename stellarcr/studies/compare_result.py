"""What a comparison of models gives."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from ..errors import RunError, nearest
from ..infer.comparison import BayesFactor, Evidence, Information, LeaveOutTotal, LeftOut
from ..infer.files import json_ready


@dataclass(frozen=True)
class Width:
    """Width of a distribution: standard deviation and central 95 % interval, in the unit of the parameter."""

    std: float
    low_95: float
    high_95: float


@dataclass(frozen=True)
class ParameterKnowledge:
    """What was known of a parameter before and after.

    Attributes
    ----------
    name, label, unit, group : str
        Of the parameter; the label is LaTeX without dollar signs, the group empty if unknown.
    prior_description : str
        Its prior in words; empty if unknown.
    prior, posterior : Width or None
        Widths of the marginals, constraints included; None if unknown.
    information : Information or None
        Divergence of the marginal posterior from the marginal prior; None if the run kept no prior.
    """

    name: str
    label: str
    unit: str
    group: str
    prior_description: str
    prior: Width | None
    posterior: Width | None
    information: Information | None


@dataclass(frozen=True)
class DataSetFit:
    """chi2 of one data set at the maximum of the posterior, and its number of points."""

    chi2: float
    points: int


@dataclass(frozen=True)
class EvidenceCheck:
    """Cross-checks of one run's evidence; unknown numbers are None.

    Attributes
    ----------
    run : str
        Name of the run.
    log_evidence, log_evidence_error : float or None
        ln Z of the sampler.
    verdict : str
        Of importance sampling, in words.
    reliable : bool
        Whether importance sampling is.
    insertion_verdict : str
        Of the test of insertion ranks, in words.
    insertion_passed : bool
        Whether the ranks are as they should be; also if they are not known.
    importance, importance_error : float or None
        ln Z by importance sampling.
    effective_samples, pareto_k : float or None
        Of importance sampling.
    insertion_p_value : float or None
        p-value of the uniformity of insertion ranks.
    """

    run: str
    log_evidence: float | None
    log_evidence_error: float | None
    verdict: str
    reliable: bool
    insertion_verdict: str
    insertion_passed: bool
    importance: float | None
    importance_error: float | None
    effective_samples: float | None
    pareto_k: float | None
    insertion_p_value: float | None

    @property
    def deviation(self) -> float | None:
        """Sampler minus importance sampling, in combined errors of ln Z."""
        numbers = (self.log_evidence, self.log_evidence_error, self.importance, self.importance_error)
        one, one_error, two, two_error = numbers
        if one is None or one_error is None or two is None or two_error is None:
            return None
        error = math.hypot(one_error, two_error)
        return (one - two) / error if error > 0 else None


@dataclass(frozen=True)
class ModelResult:
    """One model, from all of its seeds.

    Attributes
    ----------
    name : str
        Name of the model.
    runs : tuple of str
        Run folders.
    seeds : tuple of int
        Their seeds.
    sampler : str
        Sampler of the runs.
    log_evidences, log_evidence_errors : tuple of float or None
        ln Z of each run with its quoted error; None for those that are not used.
    evidence : Evidence or None
        Their combination; None if no converged run has one.
    rank : int or None
        1 for the best; shared by models that the errors do not separate.
    bayes_factor : BayesFactor or None
        Against the reference; None for the reference itself and without evidence.
    data : dict of DataSetFit
        By data set, at the best maximum of all seeds.
    chi2, points : float, int
        Their sums.
    information : Information or None
        Of the whole posterior; None without evidence.
    parameters : tuple of ParameterKnowledge
        The free parameters.
    left_out : dict of LeftOut
        Density of every data set, given all others; empty where the runs have too few samples.
    leave_out_total : LeaveOutTotal or None
        Sum over the data sets whose density is reliable; None without any.
    leave_out_difference : LeaveOutTotal or None
        The same minus that of the reference, over the data sets that are reliable in both; None for the reference.
    evidence_checks : tuple of EvidenceCheck
        One for each run that has an ``evidence.json``.
    """

    name: str
    runs: tuple[str, ...]
    seeds: tuple[int, ...]
    sampler: str
    log_evidences: tuple[float | None, ...]
    log_evidence_errors: tuple[float | None, ...]
    evidence: Evidence | None
    rank: int | None
    bayes_factor: BayesFactor | None
    data: dict[str, DataSetFit]
    chi2: float
    points: int
    information: Information | None
    parameters: tuple[ParameterKnowledge, ...]
    left_out: dict[str, LeftOut]
    leave_out_total: LeaveOutTotal | None
    leave_out_difference: LeaveOutTotal | None
    evidence_checks: tuple[EvidenceCheck, ...]


@dataclass(frozen=True)
class Comparison:
    """Models that were fitted to the same data.

    Attributes
    ----------
    reference : str or None
        Model of the Bayes factors; None if no model has an evidence.
    models : tuple of ModelResult
        By falling ln Z; models without one come last.
    warnings : tuple of str
        What a reader must know before quoting numbers.
    """

    reference: str | None
    models: tuple[ModelResult, ...]
    warnings: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Everything as JSON can hold it; unknown numbers are None."""
        content = asdict(self)
        for model, record in zip(self.models, content["models"], strict=True):
            for name, part in model.left_out.items():
                record["left_out"][name]["reliable"] = part.reliable
        ready: dict[str, Any] = json_ready(content)
        return ready

    def __getitem__(self, name: str) -> ModelResult:
        """Give a model by its name."""
        for model in self.models:
            if model.name == name:
                return model
        raise RunError(f"there is no model {name!r}", remedy=nearest(name, [m.name for m in self.models]))
