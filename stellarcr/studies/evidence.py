"""The evidence of stored runs by importance sampling, and the insertion ranks of nested ones.

What is found is kept as ``evidence.json`` in the run's folder, with the hash of the samples it belongs to.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import RunError
from ..infer.comparison.insertion import InsertionTest, insertion_test
from ..infer.files import json_ready, write_json
from ..infer.importance.evidence import DRAWS, ImportanceEvidence, importance_evidence
from ..infer.importance.moments import Agreement, agreement, sample_moments
from ..infer.posterior_protocol import Posterior
from ..infer.runs import Run, read_run
from ..infer.runs.reading import EVIDENCE, samples_hash
from .pictures import posterior_of
from .text_tables import Cell, TextTable, number, print_tables, text, with_error


@dataclass(frozen=True)
class RunEvidence:
    """What is known of the evidence of one run.

    Attributes
    ----------
    run : str
        Its name.
    sampler : str
        Its sampler.
    log_evidence, log_evidence_error : float or None
        ln Z that the sampler gave; None for a chain.
    importance : ImportanceEvidence
        ln Z by importance sampling.
    insertion : InsertionTest or None
        Test of the insertion ranks; None where contours of birth are not known.
    insertion_verdict : str
        Its verdict, or why there is none.
    names : tuple of str
        Sampled parameters.
    agreement : Agreement
        How means and widths of the run's samples differ from those of the weighted draws, by parameter.
    """

    run: str
    sampler: str
    log_evidence: float | None
    log_evidence_error: float | None
    importance: ImportanceEvidence
    insertion: InsertionTest | None
    insertion_verdict: str
    names: tuple[str, ...]
    agreement: Agreement

    @property
    def agreement_verdict(self) -> str:
        """One line: the largest shift of a mean and the largest change of a width."""
        found = self.agreement
        i, j = int(np.argmax(np.abs(found.shift))), int(np.argmax(np.abs(np.log(found.ratio))))
        return (
            f"largest shift of a mean {found.shift[i]:+.3f} +- {found.shift_error[i]:.3f} sigma ({self.names[i]}), "
            f"largest change of a width x {found.ratio[j]:.3f} +- {found.ratio_error[j]:.3f} ({self.names[j]})"
        )

    @property
    def deviation(self) -> float | None:
        """Sampler's ln Z minus that of importance sampling, in errors of both combined."""
        if self.log_evidence is None or self.log_evidence_error is None:
            return None
        error = float(np.hypot(self.log_evidence_error, self.importance.error))
        return (self.log_evidence - self.importance.log_evidence) / error

    def to_dict(self) -> dict[str, Any]:
        """Everything as JSON can hold it."""
        importance = asdict(self.importance)
        importance["log_evidence_error"] = importance.pop("error")
        moments, found = importance.pop("moments"), asdict(self.agreement)
        marginals = {
            name: {key: values[k] for key, values in {**moments, **found}.items()} for k, name in enumerate(self.names)
        }
        result: dict[str, Any] = json_ready(
            {
                "run": self.run,
                "sampler": self.sampler,
                "log_evidence": self.log_evidence,
                "log_evidence_error": self.log_evidence_error,
                "deviation": self.deviation,
                "importance": importance,
                "insertion": None if self.insertion is None else asdict(self.insertion),
                "insertion_verdict": self.insertion_verdict,
                "marginals": marginals,
            }
        )
        return result


def evidence_of(
    run: str | Path, *, draws: int = DRAWS, seed: int = 0, processes: int = 1, posterior: Posterior | None = None
) -> RunEvidence:
    """Compute the evidence of a stored run from its samples, test its insertion ranks, and keep both beside it.

    Parameters
    ----------
    run : str or Path
        Run folder.
    draws : int
        Draws for the estimate.
    seed : int
        Of the draws.
    processes : int
        Workers that share the evaluations.
    posterior : Posterior, optional
        The problem; rebuilt from the run's own configuration by default.

    Returns
    -------
    RunEvidence
        Also written to ``evidence.json``; `Run.evidence` reads it.

    Raises
    ------
    RunError
        If the folder is not a finished run, was made with another model or data, has too few samples, or cannot be
        written.
    ConfigError
        If fewer than 500 draws are asked for.
    """
    folder = Path(run)
    stored = read_run(folder)
    folder = stored.path
    digest = samples_hash(folder)
    if not os.access(folder, os.W_OK):
        raise RunError(
            "the result cannot be kept: you may not write here", where=str(folder), remedy="copy the run first"
        )
    problem = posterior_of(stored) if posterior is None else posterior
    columns = [stored.names.index(name) for name in problem.names]
    theta, worth = stored.samples[:, columns], stored.summary.get("ess")
    importance = importance_evidence(
        problem, theta, np.random.default_rng(seed), draws=draws, effective_samples=worth, processes=processes
    )
    insertion, verdict = _insertion(stored)
    result = RunEvidence(
        run=stored.name,
        sampler=str(stored.manifest["sampler"]),
        log_evidence=stored.log_evidence,
        log_evidence_error=stored.log_evidence_error,
        importance=importance,
        insertion=insertion,
        insertion_verdict=verdict,
        names=tuple(problem.names),
        agreement=agreement(sample_moments(theta, min(worth or len(theta), len(theta))), importance.moments),
    )
    write_json(folder / EVIDENCE, {"posterior_sha256": digest, "seed": seed, **result.to_dict()})
    return result


def _insertion(run: Run) -> tuple[InsertionTest | None, str]:
    if run.nested is None:
        return None, "a chain has no insertion ranks"
    birth = run.nested.log_likelihood_birth
    if birth is None or np.isnan(birth).any():
        return None, "not tested: this run does not say above which contours its points were drawn"
    test = insertion_test(run.nested.log_likelihood, birth)
    return test, test.verdict


def evidence_report(
    paths: Sequence[Path], *, draws: int = DRAWS, seed: int = 0, processes: int = 1, as_json: bool = False
) -> list[RunEvidence]:
    """Compute the evidence of runs, one after the other; print a table and verdicts, or JSON.

    Parameters
    ----------
    paths : sequence of Path
        Run folders.
    draws, seed, processes
        As for :func:`evidence_of`.
    as_json : bool
        Print JSON, and nothing else.
    """
    found = [evidence_of(path, draws=draws, seed=seed, processes=processes) for path in paths]
    if as_json:
        print(json.dumps([result.to_dict() for result in found], ensure_ascii=False))
        return found
    print_tables([_table(found)])
    for result in found:
        print(f"{result.run}: importance sampling is {result.importance.verdict}")
        print(f"{result.run}: samples against weighted draws: {result.agreement_verdict}")
        print(f"{result.run}: insertion ranks: {result.insertion_verdict}")
    return found


def _table(found: Sequence[RunEvidence]) -> TextTable:
    columns = (
        " run",
        " sampler",
        "ln Z, sampler",
        "ln Z, importance",
        "difference [errors]",
        "effective draws",
        "Pareto k",
        " reliable",
        "insertion p",
    )
    rows = []
    for result in found:
        weights = result.importance
        rows.append(
            (
                text(result.run),
                text(result.sampler),
                with_error(result.log_evidence, result.log_evidence_error),
                with_error(weights.log_evidence, weights.error),
                number(result.deviation, "+.1f"),
                number(weights.effective_samples, ".0f"),
                number(weights.pareto_k, ".2f"),
                text("yes" if weights.reliable else "no"),
                number(None if result.insertion is None else result.insertion.p_value, ".2g"),
            )
        )
    return TextTable(
        title="Evidence",
        note="ln Z with statistical errors; difference: sampler minus importance sampling, in errors of both combined; "
        "effective draws and Pareto k of the importance weights (above 0.7: not reliable); insertion p: p-value of "
        "uniform insertion ranks of a nested run (below 0.01: suspect).",
        columns=tuple(Cell(name, name) for name in columns),
        rows=tuple(rows),
    )
