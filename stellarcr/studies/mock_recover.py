"""`stellarcr recover`: truths of mock data beside what fits found."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import norm

from ..errors import ConfigError, RunError
from ..infer.files import read_json
from ..infer.runs import Run, read_run
from .mock import TRUTH


@dataclass(frozen=True)
class Recovered:
    """One parameter of one run.

    Attributes
    ----------
    name, unit : str
        Of the parameter.
    truth : float
        What the data were drawn with.
    median, minus, plus : float
        Posterior median, and its distance to the 15.9% and 84.1% quantiles.
    fraction_below : float
        Fraction of posterior samples below the truth.
    offset : float
        The truth's place in the posterior in sigma: the normal quantile of `fraction_below`, positive where the truth
        lies above the median. Limited by the number of samples.
    """

    name: str
    unit: str
    truth: float
    median: float
    minus: float
    plus: float
    fraction_below: float
    offset: float


@dataclass(frozen=True)
class Recovery:
    """One run on mock data.

    Attributes
    ----------
    run, mock : str
        Folders.
    converged : bool
        Whether the run's sampler says so.
    parameters : tuple of Recovered
        Every free parameter.
    """

    run: str
    mock: str
    converged: bool
    parameters: tuple[Recovered, ...]


def recover(runs: Sequence[str | Path], mock: str | Path) -> list[Recovery]:
    """Compare runs on mock data with the truths that the data were drawn with.

    Parameters
    ----------
    runs : sequence of path
        Run folders.
    mock : path
        Folder that `make_mocks` wrote; of several mocks, the one is found whose tables the run fitted.

    Raises
    ------
    ConfigError, RunError
        If the folder holds no mock, or a run fitted none of its data.
    """
    folder = Path(mock)
    files = sorted(folder.glob(TRUTH)) or sorted(folder.glob(f"*/{TRUTH}"))
    if not files:
        raise ConfigError(f"{folder} holds no mock data", remedy="give the folder that 'stellarcr mock' wrote")
    truths = {str(file.parent): read_json(file) for file in files}
    return [_recover(read_run(run), truths) for run in runs]


def _recover(run: Run, truths: dict[str, dict[str, Any]]) -> Recovery:
    fitted = run.manifest.get("data_hashes") or {}
    found = [(path, record) for path, record in truths.items() if record["data_hashes"] == fitted]
    if not found:
        raise RunError(
            "this run was not fitted to the tables of this mock",
            where=str(run.path),
            remedy="give the folder of the mock whose config.toml was run; changed tables are another mock",
        )
    path, record = found[0]
    unknown = [name for name in run.names if name not in record["all_parameters"]]
    if unknown:
        raise RunError(
            f"the mock was drawn without {', '.join(unknown)}",
            where=str(run.path),
            remedy="fit the mock's own config.toml",
        )
    parameters = tuple(
        _recovered(name, unit, run.column(name), record["all_parameters"][name])
        for name, unit in zip(run.names, run.units, strict=True)
    )
    return Recovery(str(run.path), path, run.converged, parameters)


def _recovered(name: str, unit: str, samples: np.ndarray, truth: float) -> Recovered:
    low, median, high = np.quantile(samples, norm.cdf([-1.0, 0.0, 1.0]))
    n, below = len(samples), float(np.sum(samples < truth))
    # half a sample from either end: a truth beyond all samples has a finite offset
    offset = norm.ppf(np.clip(below, 0.5, n - 0.5) / n)
    return Recovered(
        name, unit, truth, float(median), float(median - low), float(high - median), below / n, float(offset)
    )


def print_recovery(results: Sequence[Recovery], as_json: bool) -> None:
    """Print a table for each run, and for several runs the mean offsets.

    Parameters
    ----------
    results : sequence of Recovery
        From `recover`.
    as_json : bool
        Print JSON, and nothing else.
    """
    if as_json:
        print(json.dumps([asdict(result) for result in results], ensure_ascii=False))
        return
    for result in results:
        width = max(len(p.name) for p in result.parameters)
        print(f"{result.run}, truth of {result.mock}" + ("" if result.converged else "; NOT converged"))
        print(f"  {'parameter':<{width}}  {'truth':>10}  {'median':>10}  {'-':>8}  {'+':>8}  {'offset':>6}  unit")
        for p in result.parameters:
            print(
                f"  {p.name:<{width}}  {p.truth:>10.5g}  {p.median:>10.5g}  {p.minus:>8.2g}  {p.plus:>8.2g}  "
                f"{p.offset:>+6.2f}  {p.unit}".rstrip()
            )
        print()
    print("median with the 68% interval; offset: truth from the median in sigma of the posterior (0 +- 1 expected)")
    if len(results) > 1:
        print(f"\noffsets of {len(results)} runs: mean (0 expected) and root mean square (1 expected)")
        offsets: dict[str, list[float]] = {}
        for result in results:
            for p in result.parameters:
                offsets.setdefault(p.name, []).append(p.offset)
        width = max(map(len, offsets))
        for name, values in offsets.items():
            x, n = np.array(values), len(values)
            print(
                f"  {name:<{width}}  {x.mean():>+6.2f} +- {1 / np.sqrt(n):.2f}  "
                f"{np.sqrt(np.mean(x**2)):>6.2f} +- {1 / np.sqrt(2 * n):.2f}"
            )
