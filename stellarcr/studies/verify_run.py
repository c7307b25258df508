"""Compute the numbers that a run stored again, with today's code and data."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from .._version import __version__
from ..config import build_posterior, load_config
from ..errors import RunError, StellarcrError
from ..infer.posterior import Posterior
from ..infer.runs import Run, read_run
from ..infer.runs.checks import TOLERANCE
from ..infer.runs.folder import package_versions

POINTS = 256


@dataclass(frozen=True)
class Comparison:
    """One stored quantity, computed again.

    Attributes
    ----------
    quantity : str
        "log_prior", "log_likelihood", or the name of a data set.
    largest : float
        Largest |now - then| / max(1, |then|).
    point : int
        Row of the run's samples where it is.
    then, now : float
        Values there.
    """

    quantity: str
    largest: float
    point: int
    then: float
    now: float


@dataclass(frozen=True)
class Verification:
    """What became of a run's numbers.

    Attributes
    ----------
    run : str
        Its folder.
    points : int
        Samples computed again.
    comparisons : tuple of Comparison
        Log prior, total log likelihood, and every data set.
    worst_parameters : dict
        Parameters at the worst point of all.
    changed_data : dict
        Table to (hash then, hash now), for tables whose content changed; None where there is no such table.
    changed_packages : dict
        Package to (version then, version now).
    version : tuple
        Of stellarcr, (then, now).
    same_fingerprint : bool
        Whether configuration, data and physics hash to the same problem.
    """

    run: str
    points: int
    comparisons: tuple[Comparison, ...]
    worst_parameters: dict[str, float]
    changed_data: dict[str, tuple[str | None, str | None]]
    changed_packages: dict[str, tuple[str | None, str | None]]
    version: tuple[str, str]
    same_fingerprint: bool
    tolerance: float = field(default=TOLERANCE)

    @property
    def worst(self) -> Comparison:
        """The quantity that differs most."""
        return max(self.comparisons, key=lambda c: c.largest)

    @property
    def equal(self) -> bool:
        """Whether every quantity is equal within the tolerance."""
        return self.worst.largest <= self.tolerance

    def as_dict(self) -> dict[str, Any]:
        """Everything, for JSON."""
        worst = self.worst
        return {
            "run": self.run,
            "equal": self.equal,
            "tolerance": self.tolerance,
            "points": self.points,
            "largest_relative_difference": worst.largest,
            "worst": {**vars(worst), "parameters": self.worst_parameters},
            "differences": {c.quantity: c.largest for c in self.comparisons},
            "changed_data": {k: {"then": a, "now": b} for k, (a, b) in self.changed_data.items()},
            "changed_packages": {k: {"then": a, "now": b} for k, (a, b) in self.changed_packages.items()},
            "version": {"then": self.version[0], "now": self.version[1]},
            "same_fingerprint": self.same_fingerprint,
        }

    def __str__(self) -> str:
        worst = self.worst
        lines = [
            f"{'equal' if self.equal else 'NOT equal'}: {self.points} stored samples of {self.run}, computed again "
            f"with stellarcr {self.version[1]} (the run: {self.version[0]})",
            f"largest relative difference {worst.largest:.2g} (allowed {self.tolerance:g}), in {worst.quantity} of "
            f"sample {worst.point}: then {worst.then!r}, now {worst.now!r}",
        ]
        if not self.equal:
            width = max(len(c.quantity) for c in self.comparisons)
            lines.append("largest |now - then| / max(1, |then|) of each quantity:")
            lines += [f"  {c.quantity:<{width}}  {c.largest:.2g}" for c in self.comparisons]
            lines.append("the worst sample:")
            lines += [f"  {name} = {value!r}" for name, value in self.worst_parameters.items()]
            if self.same_fingerprint:
                lines.append("configuration and data are the same: the code that predicts or compares changed")
        lines += [
            f"data table {name} {'changed' if now else 'is no longer used'}: sha256 {_short(then)} -> {_short(now)}"
            for name, (then, now) in self.changed_data.items()
        ]
        if self.changed_packages:
            changes = (f"{name} {then} -> {now}" for name, (then, now) in self.changed_packages.items())
            lines.append(f"packages: {', '.join(changes)}")
        return "\n".join(lines)


def verify_run(path: str | Path, points: int = POINTS) -> Verification:
    """Compute log prior and log likelihoods of stored samples again, with today's code and data.

    Parameters
    ----------
    path : str or Path
        Run folder.
    points : int
        Samples, evenly spaced over the run; all if it has fewer.

    Returns
    -------
    Verification
        Differences, and what else changed.

    Raises
    ------
    RunError
        If the run cannot be read, or its configuration makes no posterior with the same parameters today.
    """
    run = read_run(path)
    posterior = _todays_posterior(run)
    index = np.unique(np.linspace(0, len(run.samples) - 1, min(points, len(run.samples))).astype(int))
    theta = run.samples[index]
    then = {name: values[index] for name, values in run.log_likelihood.items()}
    now = {name: np.broadcast_to(v, len(theta)) for name, v in posterior.log_likelihood_terms(theta).items()}
    if then.keys() != now.keys():
        raise RunError(
            f"the run's data sets were {', '.join(then)}; today its configuration gives {', '.join(now)}",
            where=str(run.path),
            remedy=f"use stellarcr {run.manifest.get('version', 'of the run')}, or run it again",
        )
    pairs = {"log_likelihood": (_total(then), posterior.log_likelihood(theta))}
    prior = run.log_posterior[index] - pairs["log_likelihood"][0] if run.log_prior is None else run.log_prior[index]
    pairs["log_prior"] = (prior, posterior.log_prior(theta))
    pairs |= {name: (then[name], now[name]) for name in then}
    comparisons = tuple(_compare(name, index, *pair) for name, pair in pairs.items())
    worst = max(comparisons, key=lambda c: c.largest)
    hashes = {table: value for k in posterior.likelihoods for table, value in k.data.hashes.items()}
    return Verification(
        run=str(run.path),
        points=len(index),
        comparisons=comparisons,
        worst_parameters=dict(zip(run.names, run.samples[worst.point].tolist(), strict=True)),
        changed_data=_changes(run.manifest.get("data_hashes") or {}, hashes),
        changed_packages=_changes(run.manifest.get("packages") or {}, package_versions()),
        version=(str(run.manifest.get("version", "unknown")), __version__),
        same_fingerprint=run.manifest.get("fingerprint") == posterior.fingerprint,
    )


def _todays_posterior(run: Run) -> Posterior:
    remedy = f"use stellarcr {run.manifest.get('version', 'of the run')}, or mend what the message names"
    try:
        posterior = build_posterior(load_config(run.path / "config.toml"))
    except StellarcrError as error:
        raise RunError(
            f"today's code cannot build the posterior of this run: {error.problem}",
            where=f"{run.path}: {error.where}" if error.where else str(run.path),
            remedy=f"{remedy} ({error.remedy})" if error.remedy else remedy,
        ) from error
    if posterior.names != run.names:
        lost, gained = set(run.names) - set(posterior.names), set(posterior.names) - set(run.names)
        what = "; ".join(
            f"{word} {', '.join(sorted(names))}" for word, names in (("lost:", lost), ("new:", gained)) if names
        )
        raise RunError(
            f"today the run's configuration has other free parameters ({what or 'in another order'})",
            where=str(run.path),
            remedy=remedy,
        )
    return posterior


def _compare(name: str, index: np.ndarray, then: np.ndarray, now: np.ndarray) -> Comparison:
    with np.errstate(invalid="ignore"):
        difference = np.abs(now - then) / np.maximum(1.0, np.abs(then))
    # Equal infinities are equal; NaN, and an infinity against a number, are as far apart as can be.
    difference = np.where(now == then, 0.0, np.where(np.isfinite(difference), difference, np.inf))
    k = int(np.argmax(difference))
    return Comparison(name, float(difference[k]), int(index[k]), float(then[k]), float(now[k]))


def _total(terms: dict[str, np.ndarray]) -> np.ndarray:
    return np.sum(list(terms.values()), axis=0)


def _changes(then: dict[str, str], now: dict[str, str]) -> dict[str, tuple[str | None, str | None]]:
    return {k: (then.get(k), now.get(k)) for k in sorted(then.keys() | now.keys()) if then.get(k) != now.get(k)}


def _short(digest: str | None) -> str:
    return digest[:12] if digest else "none"
