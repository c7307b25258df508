"""What lies beside a run and tells more of its evidence and data sets: cross-checks, and fits without a data set.

``evidence.json`` in a run folder holds what ``stellarcr evidence`` found: the evidence by importance sampling and the
test of insertion ranks. ``leave_out.json`` holds what ``stellarcr leave-out`` found; it is read as long as it belongs
to the run's problem.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import RunError
from ..infer.comparison import SEPARATION, LeftOut, from_samples
from ..infer.comparison.volumes import volume_weights
from ..infer.files import read_json, write_json
from ..infer.importance.pareto import LEAST_DRAWS
from ..infer.runs import Run
from ..infer.runs.reading import EVIDENCE
from .compare_result import EvidenceCheck

LEFT_OUT = "leave_out.json"


def evidence_check(run: Run) -> EvidenceCheck | None:
    """Give what ``stellarcr evidence`` found for a run; None if it was not asked, or about other samples.

    Raises
    ------
    RunError
        If its file is damaged.
    """
    content = run.evidence
    if content is None:
        return None
    importance, insertion = content.get("importance") or {}, content.get("insertion") or {}
    if not isinstance(importance, Mapping) or not isinstance(insertion, Mapping):
        raise _damaged(run.path / EVIDENCE)
    numbers = [importance.get(k) for k in ("log_evidence", "log_evidence_error", "effective_samples", "pareto_k")]
    numbers.append(insertion.get("p_value"))
    if not all(isinstance(x, int | float | None) for x in numbers):
        raise _damaged(run.path / EVIDENCE)
    return EvidenceCheck(
        run.name,
        run.log_evidence,
        run.log_evidence_error,
        str(importance.get("verdict", "")),
        importance.get("reliable") is not False,
        str(insertion.get("verdict", "")),
        insertion.get("passed") is not False,
        *numbers,
    )


def check_warnings(check: EvidenceCheck) -> list[str]:
    """What a reader must know of a cross-check that does not agree."""
    found = []
    if check.importance is not None and not check.reliable:
        found.append(f"{check.run}: ln Z by importance sampling is not reliable: {check.verdict}")
    elif check.deviation is not None and abs(check.deviation) > SEPARATION:
        found.append(
            f"{check.run}: the sampler's ln Z is {check.log_evidence:.2f}, that of importance sampling "
            f"{check.importance:.2f}, {abs(check.deviation):.1f} combined errors apart: one of them is biased"
        )
    if not check.insertion_passed:
        found.append(f"{check.run}: insertion ranks: {check.insertion_verdict}")
    return found


# ---------------------------------------------------------------------- data sets left out


def left_out(runs: Sequence[Run], effective_samples: float) -> dict[str, LeftOut]:
    """Density of every data set, given all others, from the samples of one model's runs.

    Where these are not reliable, what fits without the data set found is taken, if there are any.

    Parameters
    ----------
    runs : sequence of Run
        Of one model.
    effective_samples : float
        Independent samples of all of them.

    Returns
    -------
    dict
        By data set; empty where the runs have too few samples to tell.
    """
    known = {name: part for run in runs for name, part in read_left_out(run).items()}
    if sum(len(run.samples) for run in runs) < LEAST_DRAWS:
        return known
    weights = [volume_weights(run.nested, run.samples, seed) for seed, run in enumerate(runs)]
    volumes = np.hstack([w for w in weights if w is not None]) if all(w is not None for w in weights) else None
    result = {}
    for name in runs[0].log_likelihood:
        values = np.concatenate([run.log_likelihood[name] for run in runs])
        part = from_samples(values, effective_samples, volumes)
        result[name] = part if part.reliable else known.get(name, part)
    return result


def read_left_out(run: Run) -> dict[str, LeftOut]:
    """Densities of data sets that fits without them gave, reliable ones only.

    Raises
    ------
    RunError
        If the file is damaged.
    """
    path = run.path / LEFT_OUT
    if not path.exists():
        return {}
    content = read_json(path)
    if content.get("fingerprint") != run.manifest.get("fingerprint"):
        return {}  # of a run that was here before
    try:
        parts = {str(name): LeftOut(**part) for name, part in content["data_sets"].items()}
    except (AttributeError, KeyError, TypeError):
        raise _damaged(path) from None
    return {name: part for name, part in parts.items() if part.reliable}


def write_left_out(run: Run, parts: Mapping[str, LeftOut]) -> None:
    """Keep densities beside a run; those of other data sets stay.

    Raises
    ------
    RunError
        If the folder cannot be written.
    """
    merged = read_left_out(run) | {name: part for name, part in parts.items() if part.reliable}
    content: dict[str, Any] = {name: vars(part) for name, part in merged.items()}
    write_json(run.path / LEFT_OUT, {"fingerprint": run.manifest.get("fingerprint"), "data_sets": content})


def _damaged(path: Path) -> RunError:
    return RunError(f"{path.name} is damaged", where=str(path), remedy="remove it, and make it again")
