"""What a run says of the power of its populations, read from the run folder alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import RunError
from .columns import FloatArray
from .labels import population_label

_AMPLITUDES = {"power": "erg/yr", "energy": "erg"}


@dataclass(frozen=True, eq=False)
class PopulationPower:
    """Injected power, or energy of a burst, of one population.

    Attributes
    ----------
    name : str
        Name of the population.
    label : str
        Name in a figure.
    unit : str
        ``erg/yr``, or ``erg`` for a burst.
    values : numpy.ndarray, shape (n,)
        Posterior samples [unit].
    budget : float or None
        Mechanical power or energy [unit]; None where none is known.
    budget_source : str
        Where the budget comes from.
    """

    name: str
    label: str
    unit: str
    values: FloatArray
    budget: float | None = None
    budget_source: str = ""


def population_powers(run: Any) -> list[PopulationPower]:
    """Take the powers of all populations from a run.

    A run of a version that kept no record of its populations tells them by the names of its parameters, and the
    budgets by its efficiencies. A power that is neither free nor compared with a budget is not in the run's samples
    and left out.

    Parameters
    ----------
    run : stellarcr.infer.runs.Run
        A finished run.

    Raises
    ------
    RunError
        If the run has no power of any population.
    """
    records: Mapping[str, Mapping[str, Any]] = run.manifest.get("populations") or _records_from_names(run)
    found = []
    for name, record in records.items():
        component, _, amplitude = str(record["amplitude"]).partition(".")
        values = _sampled(run, component, amplitude)
        budget = record.get("budget")
        efficiency = run.derived.get(f"efficiency.{name}")
        if values is None and budget is not None and efficiency is not None:
            values = np.asarray(efficiency) * float(budget)
        if values is None:
            continue
        if budget is None and efficiency is not None:
            budget = float(np.median(values[run.derived_index] / np.asarray(efficiency)))
        label = _label(name, record)
        unit = str(record.get("unit") or _AMPLITUDES.get(amplitude, ""))
        source = str(record.get("budget_source") or "")
        found.append(PopulationPower(name, label, unit, values, None if budget is None else float(budget), source))
    if not found:
        raise RunError(
            f"run {run.name!r} has no sampled power or energy of a population",
            remedy="free one, as in power = { prior = ... } under [parameters.<population>], and run again",
        )
    return found


def _label(name: str, record: Mapping[str, Any]) -> str:
    return population_label(name, str(record.get("label") or ""))


def _records_from_names(run: Any) -> dict[str, dict[str, str]]:
    """Populations of a run without records: those with a free power or energy."""
    records = {}
    for name in run.names:
        component, _, local = name.partition(".")
        amplitude = local.removeprefix("log10_")
        if amplitude in _AMPLITUDES:
            records[component] = {"amplitude": f"{component}.{amplitude}", "unit": _AMPLITUDES[amplitude]}
    return records


def _sampled(run: Any, component: str, amplitude: str) -> FloatArray | None:
    """Samples of an amplitude that is free itself or as its logarithm."""
    for name, logarithm in ((f"{component}.{amplitude}", False), (f"{component}.log10_{amplitude}", True)):
        if name in run.names:
            values = np.asarray(run.samples, dtype=float)[:, list(run.names).index(name)]
            return 10.0**values if logarithm else values
    return None
