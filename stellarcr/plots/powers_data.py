"""What a run says of the power of its populations, read from the run folder alone."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import RunError
from .columns import FloatArray
from .labels import population_label

_AMPLITUDES = {"power": "erg/yr", "energy": "erg"}
_EFFICIENCY = "eta_acc"


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
        Posterior samples [unit]; one value where the power is fixed.
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
    budgets by its efficiencies. A power that is not sampled is taken from its efficiency, or where it is fixed from
    the run's configuration; one that is linked to other parameters and has no budget is left out
    (`populations_without_power`).

    Parameters
    ----------
    run : stellarcr.infer.runs.Run
        A finished run.

    Raises
    ------
    RunError
        If the run has no power of any population.
    """
    found = []
    for name, record in _records(run).items():
        component, _, amplitude = str(record["amplitude"]).partition(".")
        budget = record.get("budget")
        # an efficiency is a part of the budget
        scale = float(budget) if amplitude == _EFFICIENCY and budget is not None else 1.0
        sampled = _sampled(run, component, amplitude)
        values = None if sampled is None else scale * sampled
        efficiency = run.derived.get(f"efficiency.{name}")
        if values is None and budget is not None and efficiency is not None:
            values = np.asarray(efficiency) * float(budget)
        if values is None:
            fixed = _fixed(run, component, amplitude)
            if fixed is None:
                continue
            values = scale * fixed
        if budget is None and efficiency is not None:
            at_draws = values[run.derived_index] if values.size > 1 else values
            budget = float(np.median(at_draws / np.asarray(efficiency)))
        unit = str(record.get("unit") or _AMPLITUDES.get("power" if amplitude == _EFFICIENCY else amplitude, ""))
        source = str(record.get("budget_source") or "")
        given = None if budget is None else float(budget)
        found.append(PopulationPower(name, _label(name, record), unit, values, given, source))
    if not found:
        raise RunError(
            f"run {run.name!r} has no sampled or fixed power or energy of a population",
            remedy="free one, as in power = { prior = ... } under [parameters.<population>], and run again",
        )
    return found


def populations_without_power(run: Any) -> list[str]:
    """Labels of the populations whose power `population_powers` cannot tell."""
    known = {power.name for power in population_powers(run)}
    return [_label(name, record) for name, record in _records(run).items() if name not in known]


def _label(name: str, record: Mapping[str, Any]) -> str:
    return population_label(name, str(record.get("label") or ""))


def _records(run: Any) -> Mapping[str, Mapping[str, Any]]:
    return run.manifest.get("populations") or _records_from_names(run)


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


def _fixed(run: Any, component: str, amplitude: str) -> FloatArray | None:
    """Value of an amplitude that the run's configuration fixes, itself or as its logarithm."""
    folder = getattr(run, "path", None)
    file = None if folder is None else Path(folder) / "config.toml"
    if file is None or not file.is_file():
        return None
    entries = tomllib.loads(file.read_text()).get("parameters", {}).get(component, {})
    for name, logarithm in ((amplitude, False), (f"log10_{amplitude}", True)):
        entry = entries.get(name)
        if isinstance(entry, Mapping) and not {"prior", "linked"} & set(entry):
            entry = entry.get("value")
        if isinstance(entry, int | float):
            return np.array([10.0 ** float(entry) if logarithm else float(entry)])
    return None
