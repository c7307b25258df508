r"""Merge runs of one problem with different seeds into one run.

MCMC: chains lie side by side; of each the last draws are kept, as many as the shortest has, so that all weigh alike.
R-hat is that over the chains of all runs. Merged runs are converged if each of them is and R-hat meets their target.

Nested sampling: equal-weight samples lie one after the other, and a run's share is their number: its effective sample
size, up to the setting `draws`. The weights of raw samples are multiplied by the share of their run; the prior volume
at a likelihood is the mean of ln X over the runs that reach it. ln Z is the mean, and its error the larger of what the
quoted errors and the scatter give (`stellarcr.infer.comparison.evidence`). Merged runs are converged if each of them is
and the quoted errors explain the scatter of ln Z.

Runs are independent estimates of one posterior :math:`p`: :math:`\hat p = \sum_i f_i \hat p_i` with
:math:`\sum_i f_i = 1` is unbiased for any shares. Their variances fall as one over the effective sample sizes
:math:`n_i`, so that :math:`f_i \propto n_i` has the smallest one, and Kish's effective size of the pooled weights is
:math:`\sum_i n_i`. Shares by evidence, :math:`f_i \propto Z_i`, would let the chance errors of ln Z decide. Counting
the live points of all runs together would be sharper for static runs, but needs their number at every sample, which
archives of dynamic and reactive runs do not hold.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from stellarcr._version import __version__
from stellarcr.errors import RunError
from stellarcr.infer.comparison.evidence import Evidence, combine_seeds
from stellarcr.infer.diagnostics import kish_sample_size, split_rhat
from stellarcr.infer.files import json_ready
from stellarcr.infer.runs.reading import Run
from stellarcr.infer.summary import interval

CONSISTENT = 0.01
"""p-value of the scatter of ln Z below which merged runs are not called converged (project choice)."""

SAMPLE_GROUPS = ("posterior", "sample_stats", "log_likelihood", "log_prior")


def merge_trees(runs: Sequence[Run]) -> tuple[xr.DataTree, list[np.ndarray]]:
    """Join the archives of runs.

    Parameters
    ----------
    runs : sequence of Run
        Of one problem and one kind of sampler.

    Returns
    -------
    tuple
        The archive without a summary, and for each run the indices of its samples that are kept, chain after chain.
    """
    trees = [xr.load_datatree(run.path / "posterior.nc", engine="h5netcdf") for run in runs]
    nested = runs[0].nested is not None
    dimension = "draw" if nested else "chain"
    shapes = [(run.n_chains, len(run.samples) // run.n_chains) for run in runs]
    length = min(draws for _, draws in shapes)
    first = [0 if nested else draws - length for _, draws in shapes]
    groups: dict[str, xr.Dataset] = {
        name: _join(
            [tree[name].to_dataset().isel(draw=slice(k, None)) for tree, k in zip(trees, first, strict=True)], dimension
        )
        for name in SAMPLE_GROUPS
    }
    kept = [
        np.arange(chains * draws).reshape(chains, draws)[:, k:].ravel()
        for (chains, draws), k in zip(shapes, first, strict=True)
    ]
    groups["derived"] = _derived([tree["derived"].to_dataset() for tree in trees], kept)
    groups["prior"] = trees[0]["prior"].to_dataset()
    if nested:
        groups["nested"] = _weighted(trees, [len(run.samples) for run in runs])
    attributes = {**trees[0].attrs, "version": __version__}
    groups["/"] = xr.Dataset(attrs=attributes)
    return xr.DataTree.from_dict(groups), kept


def _join(parts: list[xr.Dataset], dimension: str) -> xr.Dataset:
    """Join along chains or draws, numbered anew."""
    whole = xr.concat([part.drop_vars(["chain", "draw"]) for part in parts], dim=dimension, combine_attrs="override")
    return whole.assign_coords({name: np.arange(whole.sizes[name]) for name in ("chain", "draw")})


def _derived(parts: list[xr.Dataset], kept: list[np.ndarray]) -> xr.Dataset:
    """Join derived quantities of the samples that are kept; ``sample`` counts over chain, then draw."""
    joined, offset = [], 0
    for part, indices in zip(parts, kept, strict=True):
        place = np.searchsorted(indices, part["sample"].values)
        found = np.isin(part["sample"].values, indices)
        joined.append(part.isel(sample=found).assign_coords(sample=offset + place[found]))
        offset += len(indices)
    return xr.concat(joined, dim="sample", combine_attrs="override")


def _weighted(trees: Sequence[xr.DataTree], sizes: Sequence[int]) -> xr.Dataset:
    parts = []
    for tree, size in zip(trees, sizes, strict=True):
        part = tree["nested"].to_dataset()
        weight = part["log_weight"] - np.logaddexp.reduce(part["log_weight"].values) + np.log(size / sum(sizes))
        parts.append(part.assign(log_weight=weight.assign_attrs(part["log_weight"].attrs)))
    whole = xr.concat(parts, dim="dead_point", combine_attrs="override")
    # In the order of any nested run: rising likelihood.
    whole = whole.isel(dead_point=np.argsort(whole["log_likelihood"].values, kind="stable"))
    whole["log_prior_volume"].values[:] = _common_volume(parts, whole["log_likelihood"].values)
    return whole


def _common_volume(parts: Sequence[xr.Dataset], levels: np.ndarray) -> np.ndarray:
    """Mean of ln X at rising likelihoods, over the runs that reach them."""
    total, count = np.zeros(len(levels)), np.zeros(len(levels))
    for part in parts:
        own, volume = np.sort(part["log_likelihood"].values), -np.sort(-part["log_prior_volume"].values)
        place = np.maximum(np.searchsorted(own, levels, side="right") - 1, 0)
        reached = levels <= own[-1]
        total += np.where(reached, volume[place], 0.0)
        count += reached
    return np.minimum.accumulate(total / count)


def merged_summary(runs: Sequence[Run], kept: Sequence[np.ndarray], tree: xr.DataTree) -> dict[str, Any]:
    """Summarise merged runs, with the keys of every summary.

    Parameters
    ----------
    runs : sequence of Run
        The parts.
    kept : sequence of arrays
        Indices of their samples that are kept.
    tree : xarray.DataTree
        The joined archive.

    Returns
    -------
    dict
        What JSON can hold.
    """
    summaries = [run.summary for run in runs]
    best = max(runs, key=lambda run: float(run.summary["map"]["log_posterior"]))
    posterior = tree["posterior"].to_dataset()
    samples = {name: posterior[name].values for name in runs[0].names}
    rhat = _rhat(runs, samples)
    evidence = _evidence(runs)
    ess = _effective_samples(runs, kept, tree)
    converged, verdict = _verdict(runs, rhat, evidence, ess)
    numbers: dict[str, Any] = {
        "merged_runs": [run.name for run in runs],
        "shares": [len(indices) / sum(map(len, kept)) for indices in kept],
        "ess": ess,
    }
    if rhat is not None:
        numbers["rhat"] = list(rhat.values())
    if evidence is not None:
        numbers["evidence"] = vars(evidence)
    parameters = {
        name: {
            **{key: best.summary["parameters"][name].get(key) for key in ("label", "unit", "map", "map_std")},
            **interval(samples[name].ravel()),
            **({} if rhat is None else {"rhat": rhat[name]}),
        }
        for name in runs[0].names
    }
    quantities = tree["derived"].to_dataset()
    derived = {
        str(name): {"map": best.summary["derived"][str(name)]["map"], **interval(values.values)}
        for name, values in quantities.items()
    }
    calls, seconds = (sum(float(s.get(key) or 0.0) for s in summaries) for key in ("calls", "seconds"))
    merged = {
        "sampler": summaries[0]["sampler"],
        "converged": converged,
        "verdict": verdict,
        "parameters": parameters,
        "derived": derived,
        "map": best.summary["map"],
        "log_evidence": None if evidence is None else evidence.log_evidence,
        "log_evidence_error": None if evidence is None else evidence.total_error,
        "samples": sum(map(len, kept)),
        "ess": ess,
        "tau": max((s["tau"] for s in summaries if s.get("tau")), default=None),
        "rhat": None if rhat is None else max(rhat.values()),
        "acceptance": _mean([s.get("acceptance") for s in summaries]),
        "burn_in": max((s["burn_in"] for s in summaries if s.get("burn_in") is not None), default=None),
        "thin": None,
        "seconds": seconds,
        "calls": int(calls),
        "calls_per_second": calls / seconds if seconds > 0 else None,
        "diagnostics": numbers,
    }
    ready: dict[str, Any] = json_ready(merged)
    return ready


def _rhat(runs: Sequence[Run], samples: Mapping[str, np.ndarray]) -> dict[str, float] | None:
    """Split R-hat over the chains of all runs; None for nested sampling."""
    if runs[0].nested is not None:
        return None
    return {str(name): split_rhat(values.T) for name, values in samples.items()}


def _evidence(runs: Sequence[Run]) -> Evidence | None:
    known = [(run.log_evidence, run.log_evidence_error) for run in runs]
    if any(value is None or error is None for value, error in known):
        return None
    return combine_seeds([float(value or 0.0) for value, _ in known], [float(error or 0.0) for _, error in known])


def _effective_samples(runs: Sequence[Run], kept: Sequence[np.ndarray], tree: xr.DataTree) -> float:
    if "nested" in tree:
        return kish_sample_size(tree["nested"].to_dataset()["log_weight"].values)
    sizes = (
        float(run.summary.get("ess") or 0.0) * len(k) / len(run.samples) for run, k in zip(runs, kept, strict=True)
    )
    return float(sum(sizes))


def _verdict(
    runs: Sequence[Run], rhat: Mapping[str, float] | None, evidence: Evidence | None, ess: float
) -> tuple[bool, str]:
    bad = [run.name for run in runs if not run.converged]
    parts = [f"{len(runs)} merged runs, {ess:.0f} effective samples"]
    converged = not bad
    if bad:
        parts.append(f"not converged by themselves: {', '.join(bad)}")
    if rhat is not None:
        target = min(float(run.manifest["settings"].get("target_rhat") or 1.01) for run in runs)
        worst = max(rhat, key=rhat.__getitem__)
        converged = converged and rhat[worst] < target
        parts.append(f"largest R-hat over all chains {rhat[worst]:.4f} ({worst}; target {target:g})")
    if evidence is not None and evidence.scatter is not None and evidence.p_value is not None:
        consistent = evidence.p_value >= CONSISTENT
        converged = converged and consistent
        parts.append(
            f"ln Z scatters by {evidence.scatter:.2g}, "
            + ("as" if consistent else "more than")
            + f" the quoted errors explain (p = {evidence.p_value:.2g})"
        )
    return converged, f"{'converged' if converged else 'not converged'}: {'; '.join(parts)}"


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def check_mergeable(runs: Sequence[Run]) -> None:
    """Refuse what is not one problem sampled with different seeds, with the reason.

    Fingerprints are compared where runs are read (`stellarcr.studies.merge`), which also names the key that differs.

    Raises
    ------
    RunError
        For fewer than two runs, merged ones, other samplers, one seed twice, or a search for the maximum.
    """
    if len(runs) < 2:
        raise RunError("there is nothing to merge", remedy="give at least two runs of one problem with different seeds")
    first = runs[0]
    for run in runs:
        where = str(run.path)
        if "merged" in run.manifest:
            raise RunError(f"{run.name} is merged itself", where=where, remedy="give the runs that it was merged from")
        if run.manifest["sampler"] != first.manifest["sampler"]:
            raise RunError(
                f"{first.name} was sampled with {first.manifest['sampler']!r}, {run.name} with "
                f"{run.manifest['sampler']!r}",
                where=where,
                remedy="merge runs of one sampler; 'stellarcr compare' sets the samplers side by side",
            )
        if run.nested is None and len(run.samples) < 2 * run.n_chains:
            raise RunError(f"{run.name} has no samples to merge", where=where, remedy="sample with emcee or dynesty")
    seeds: dict[int, str] = {}
    for run in runs:
        seed = int(run.manifest["seed"])
        if seed in seeds:
            raise RunError(
                f"{seeds[seed]} and {run.name} have the same seed, {seed}: they are one estimate, not two",
                where=str(run.path),
                remedy="leave one out",
            )
        seeds[seed] = run.name


def merged_record(run: Run) -> dict[str, Any]:
    """What the manifest of a merged run keeps of each part."""
    content = (run.path / "posterior.nc").read_bytes()
    return {
        "name": run.name,
        "path": str(run.path),
        "seed": run.manifest["seed"],
        "version": run.manifest["version"],
        "fingerprint": run.manifest["fingerprint"],
        "posterior_sha256": hashlib.sha256(content).hexdigest(),
        "converged": run.converged,
        "log_evidence": run.log_evidence,
        "log_evidence_error": run.log_evidence_error,
    }


def with_summary(tree: xr.DataTree, name: str, summary: Mapping[str, Any]) -> xr.DataTree:
    """Put the summary and the run's name into an archive's root."""
    attributes = {**tree.attrs, "name": name, "converged": int(summary["converged"])}
    return xr.DataTree.from_dict(
        {
            "/": xr.Dataset({"summary": json.dumps(summary)}, attrs=attributes),
            **{group: tree[group].to_dataset() for group in tree.children},
        }
    )
