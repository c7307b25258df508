"""Read a finished run: neither the model nor the data are needed, and no sampler."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from stellarcr.errors import RunError, nearest
from stellarcr.infer.files import read_json
from stellarcr.infer.posterior_protocol import FloatArray
from stellarcr.infer.runs.lock import is_locked
from stellarcr.infer.runs.manifest import check_summary, read_manifest
from stellarcr.infer.samplers.base import Trace, WeightedSamples

DATA_SET = "data_set"
"""Attribute with the name of a data set whose variable cannot have it."""

EVIDENCE = "evidence.json"
"""File with what ``stellarcr evidence`` found."""


@dataclass(frozen=True)
class Run:
    """A finished run.

    Attributes
    ----------
    path : Path
        Its folder.
    names, labels, units : tuple of str
        Of the free parameters; labels are LaTeX without dollar signs.
    samples : array, shape (n, n_dim)
        Equal-weight posterior samples, chain after chain.
    log_posterior : array, shape (n,)
        Log posterior of each.
    n_chains : int
        Number of chains (ensembles).
    log_likelihood : dict of arrays (n,)
        Log likelihood of each data set.
    derived : dict of arrays (m,)
        Derived quantities.
    derived_index : array, shape (m,)
        Rows of `samples` at which they were computed.
    maximum : array, shape (n_dim,)
        The maximum of the posterior.
    summary, manifest : dict
        Content of ``summary.json`` and ``manifest.json``.
    nested : WeightedSamples, optional
        Raw weighted samples of a nested run.
    trace : Trace, optional
        Some walkers of an MCMC run, burn-in included.
    prior : array, shape (m, n_dim), optional
        Draws from the prior, constraints included; None for runs of versions that did not keep them.
    groups : dict of str
        Group of each parameter: "populations", "nearby", "propagation" or "nuisances"; empty if unknown.
    priors : dict of dict
        Prior of each parameter as a mapping, such as ``{"kind": "uniform", "low": 0, "high": 1}``; empty if unknown.
    log_prior : array, shape (n,), optional
        Log prior density of each sample.
    """

    path: Path
    names: tuple[str, ...]
    labels: tuple[str, ...]
    units: tuple[str, ...]
    samples: FloatArray
    log_posterior: FloatArray
    n_chains: int
    log_likelihood: dict[str, FloatArray]
    derived: dict[str, FloatArray]
    derived_index: np.ndarray
    maximum: FloatArray
    summary: dict[str, Any]
    manifest: dict[str, Any]
    nested: WeightedSamples | None = None
    trace: Trace | None = None
    prior: FloatArray | None = None
    groups: dict[str, str] = field(default_factory=dict)
    priors: dict[str, dict[str, Any]] = field(default_factory=dict)
    log_prior: FloatArray | None = None

    @property
    def weights(self) -> FloatArray:
        """Weights of `samples`, shape (n,): all equal, with sum one. `nested` holds raw weighted samples."""
        return np.full(len(self.samples), 1.0 / len(self.samples))

    @property
    def name(self) -> str:
        """Name of the run: that of its folder."""
        return Path(os.path.abspath(self.path)).name

    @property
    def converged(self) -> bool:
        """Whether the sampler's stopping rule was met."""
        return bool(self.summary["converged"])

    @property
    def log_evidence(self) -> float | None:
        """Log evidence, ln Z, of a nested run."""
        return self.summary["log_evidence"]

    @property
    def log_evidence_error(self) -> float | None:
        """Statistical error of ln Z."""
        return self.summary["log_evidence_error"]

    @property
    def evidence(self) -> dict[str, Any] | None:
        """What ``stellarcr evidence`` found for this run: ``importance`` and ``insertion``; None if it was not asked.

        Read from ``evidence.json`` at every call. A file that belongs to other samples, by their hash, does not count.
        """
        file = self.path / EVIDENCE
        if not file.exists():
            return None
        content = read_json(file)
        return content if content.get("posterior_sha256") == samples_hash(self.path) else None

    def column(self, name: str) -> FloatArray:
        """Samples of one parameter, shape (n,)."""
        if name not in self.names:
            raise RunError(f"run {self.name!r} has no parameter {name!r}", remedy=nearest(name, self.names))
        return self.samples[:, self.names.index(name)]

    def __str__(self) -> str:
        lines = [f"{self.name}: {self.summary['verdict']}"]
        for name, unit in zip(self.names, self.units, strict=True):
            row = self.summary["parameters"][name]
            low, high = row["interval_68"]
            lines.append(
                # a search for the maximum has no errors
                f"  {name:<24} {row['median']:.5g}"
                + (f"  +{high - row['median']:.2g} -{row['median'] - low:.2g}" if high > low else "")
                + f"  {unit}"
            )
        if self.log_evidence is not None:
            lines.append(f"  {'ln Z':<24} {self.log_evidence:.3f} +- {self.log_evidence_error:.3f}")
        return "\n".join(line.rstrip() for line in lines)


def samples_hash(folder: Path) -> str:
    """SHA-256 (hex) of a run's ``posterior.nc``."""
    with open(folder / "posterior.nc", "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_run(path: str | Path) -> Run:
    """Read a run folder.

    Parameters
    ----------
    path : str or Path
        The folder, or its ``posterior.nc``.

    Raises
    ------
    RunError
        If the folder is not that of a run, the run has no results yet, another version wrote it, or a file is damaged.
    """
    folder = Path(path)
    if folder.name == "posterior.nc":
        folder = folder.parent
    if not folder.is_dir():
        raise RunError(f"there is no folder {folder}", remedy="give the folder of a run, such as chains/<name>")
    manifest = read_manifest(folder)
    archive = folder / "posterior.nc"
    if not archive.exists():
        raise _no_results(folder, str(manifest.get("status", "unknown")))
    try:
        # h5py itself: xarray takes ten times as long to open a file of a hundred variables.
        with h5py.File(archive, "r") as tree:
            # Runs of version 0.1 keep their summary only beside the archive.
            text = tree["summary"].asstr()[()] if "summary" in tree else None
            summary = read_json(folder / "summary.json") if text is None else json.loads(text)
            check_summary(summary, folder)
            return _from_tree(folder, tree, summary, manifest)
    except RunError:
        raise
    except Exception as error:  # h5py meets a damaged file with errors of many types
        what = "posterior.nc" if isinstance(error, OSError) else "posterior.nc or summary.json"
        raise _damaged(folder, what, error) from error


def _no_results(folder: Path, status: str) -> RunError:
    """Say why there is nothing to read yet, and how to finish."""
    if is_locked(folder):
        remedy = "a process is working on it: wait for it (progress.json tells how far it is)"
    elif status == "finished":
        return RunError(
            "posterior.nc is missing from this finished run",
            where=str(folder),
            remedy="restore the file from a copy; or write it again from the checkpoints with --resume",
        )
    elif status == "failed":
        remedy = "log.txt tells why it failed; mend that, then finish it with --resume"
    else:
        remedy = "finish it: the same 'stellarcr run' command with --resume goes on from the last checkpoint"
    return RunError(f"this run has no results yet (status: {status})", where=str(folder), remedy=remedy)


def _damaged(folder: Path, what: str, error: Exception) -> RunError:
    return RunError(
        f"{what} cannot be read: {type(error).__name__}: {error}",
        where=str(folder),
        remedy="restore the file from a copy, or run again with --overwrite",
    )


def _from_tree(folder: Path, tree: Any, summary: dict[str, Any], manifest: dict[str, Any]) -> Run:
    group = tree["posterior"]
    names = tuple(str(name) for name in np.atleast_1d(group.attrs["parameter_names"]))
    attributes = {name: group[name].attrs for name in names}
    lp = tree["sample_stats"]["lp"][()]
    return Run(
        path=folder,
        names=names,
        labels=tuple(str(a["label"]) for a in attributes.values()),
        units=tuple(str(a["units"]) for a in attributes.values()),
        samples=_stack(group, names).reshape(-1, len(names)),
        log_posterior=lp.ravel(),
        n_chains=len(lp),
        log_likelihood={name: values.ravel() for name, values in _columns(tree["log_likelihood"]).items()},
        derived=_columns(tree["derived"]),
        derived_index=tree["derived"]["sample"][()],
        maximum=np.array([summary["parameters"][name]["map"] for name in names], dtype=np.float64),
        summary=summary,
        manifest=manifest,
        nested=_nested(tree, names),
        trace=_trace(tree, names),
        prior=_stack(tree["prior"], names).reshape(-1, len(names)) if "prior" in tree else None,
        groups={name: str(a["group"]) for name, a in attributes.items() if "group" in a},
        priors={name: json.loads(a["prior"]) for name, a in attributes.items() if "prior" in a},
        log_prior=tree["log_prior"]["log_prior"][()].ravel() if "log_prior" in tree else None,
    )


def _columns(group: Any) -> dict[str, FloatArray]:
    """Variables of a group by the names of what they hold, without its coordinates."""
    return {str(item.attrs.get(DATA_SET, name)): item[()] for name, item in group.items() if not item.is_scale}


def _stack(group: Any, names: tuple[str, ...]) -> FloatArray:
    return np.stack([group[name][()] for name in names], axis=-1)


def _nested(tree: Any, names: tuple[str, ...]) -> WeightedSamples | None:
    if "nested" not in tree:
        return None
    group = tree["nested"]
    return WeightedSamples(
        theta=_stack(group, names),
        log_weight=group["log_weight"][()],
        log_likelihood=group["log_likelihood"][()],
        log_prior_volume=group["log_prior_volume"][()],
        log_prior=group["log_prior"][()] if "log_prior" in group else None,
        log_likelihood_birth=group["log_likelihood_birth"][()] if "log_likelihood_birth" in group else None,
    )


def _trace(tree: Any, names: tuple[str, ...]) -> Trace | None:
    if "trace" not in tree:
        return None
    group = tree["trace"]
    return Trace(steps=group["step"][()], theta=_stack(group, names), log_posterior=group["lp"][()])
