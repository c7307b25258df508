"""``posterior.nc``: samples with names, labels and units, in NetCDF groups that ArviZ reads.

Groups
------
posterior
    Equal-weight samples, one variable per parameter, dimensions ``chain`` and ``draw``. A chain is one ensemble of
    emcee (its draws run over steps, then walkers) or, for nested sampling, the only one.
sample_stats
    ``lp``, the log posterior of each sample.
log_likelihood
    Log likelihood of each data set, under its name. HDF5 allows no slash in names: ``AMS-02 B/C`` is the variable
    ``AMS-02 B over C`` with the attribute ``data_set``.
log_prior
    ``log_prior`` of each sample.
derived
    Derived quantities of a thinned set of samples: the variable ``sample`` counts them over chain, then draw.
nested
    Nested sampling only: raw weighted samples with ``log_weight``, ``log_likelihood``, ``log_prior_volume``,
    ``log_prior`` and, where the sampler records it, ``log_likelihood_birth``.
trace
    MCMC only: some walkers over the whole run, burn-in included.
prior
    Draws from the prior, constraints included, with the dimensions and variables of ``posterior``.

Variables of parameters have the attributes ``label`` (LaTeX), ``units`` and, where the problem tells them, ``group``
and ``prior`` (JSON). The root holds the text ``summary``, the same JSON as ``summary.json``: samples and summary are
replaced in one step.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import xarray as xr

from stellarcr.errors import ModelError
from stellarcr.infer.files import disk_errors, write_atomically
from stellarcr.infer.posterior_protocol import FloatArray, Posterior
from stellarcr.infer.runs.reading import DATA_SET, EVIDENCE
from stellarcr.infer.samplers.base import SamplerResult

CHUNK = 256
"""Points per call when samples are evaluated again."""

SAMPLE = ("chain", "draw")

PRIOR_DRAWS = 5000
"""Draws of the prior that are kept: enough for the curve of a marginal density."""


def build_tree(
    posterior: Posterior,
    result: SamplerResult,
    derived: dict[str, FloatArray],
    derived_index: np.ndarray,
    attributes: dict[str, Any],
    summary: Mapping[str, Any] | None = None,
) -> xr.DataTree:
    """Put a result into the groups of the archive.

    Parameters
    ----------
    posterior : Posterior
        The problem; evaluated again at the samples for the parts that a sampler does not keep.
    result : SamplerResult
        The samples.
    derived : dict of arrays, each (n,)
        Derived quantities.
    derived_index : array, shape (n,)
        Samples at which they were computed.
    attributes : dict
        Attributes of the file.
    summary : mapping, optional
        Summary of the run, as JSON can hold it.
    """
    shape = result.samples.shape[:2]
    theta = result.samples.reshape(-1, posterior.n_dim)
    log_prior = _batched(posterior.log_prior, theta)
    terms = _batched_dict(posterior.log_likelihood_terms, theta, slashes=True)
    number = {"units": ""}
    groups = {
        "posterior": _parameters(posterior, result.samples, SAMPLE),
        "sample_stats": xr.Dataset({"lp": (SAMPLE, result.log_posterior, number)}),
        "log_likelihood": xr.Dataset(dict(_data_set(n, v.reshape(shape)) for n, v in terms.items())),
        "log_prior": xr.Dataset({"log_prior": (SAMPLE, log_prior.reshape(shape), number)}),
        "derived": xr.Dataset({n: ("sample", v, number) for n, v in derived.items()}, coords={"sample": derived_index}),
    }
    prior_draws = posterior.sample_prior(np.random.default_rng(0), PRIOR_DRAWS)
    groups["prior"] = _parameters(posterior, prior_draws[np.newaxis], SAMPLE).assign_coords(
        chain=np.arange(1), draw=np.arange(PRIOR_DRAWS)
    )
    for name in ("posterior", "sample_stats", "log_likelihood", "log_prior"):
        groups[name] = groups[name].assign_coords(chain=np.arange(shape[0]), draw=np.arange(shape[1]))
    if result.nested is not None:
        raw = result.nested
        columns = ("log_weight", "log_likelihood", "log_prior_volume")
        groups["nested"] = _parameters(posterior, raw.theta, ("dead_point",)).assign(
            {name: ("dead_point", getattr(raw, name), number) for name in columns}
        )
        groups["nested"]["log_prior"] = ("dead_point", _batched(posterior.log_prior, raw.theta), number)
        if raw.log_likelihood_birth is not None:
            groups["nested"]["log_likelihood_birth"] = ("dead_point", raw.log_likelihood_birth, number)
    if result.trace is not None:
        dims = ("chain", "step", "walker")
        groups["trace"] = (
            _parameters(posterior, result.trace.theta, dims)
            .assign(lp=(dims, result.trace.log_posterior, number))
            .assign_coords(step=result.trace.steps)
        )
    groups["/"] = xr.Dataset({} if summary is None else {"summary": json.dumps(summary)}, attrs=attributes)
    return xr.DataTree.from_dict(groups)


def write_tree(path: Path, tree: xr.DataTree) -> None:
    """Write the archive atomically; an evidence that was computed from an older one is removed.

    Raises
    ------
    RunError
        If the disk is full or cannot be written.
    """
    # Made in memory: HDF5 crashes when the disk fills up while it closes a file.
    content = tree.to_netcdf(engine="h5netcdf")
    write_atomically(path, lambda file: _write_all(file, content))
    with disk_errors(path):
        path.with_name(EVIDENCE).unlink(missing_ok=True)


def _write_all(file: BinaryIO, content: Any) -> None:
    file.write(content)


def derive(posterior: Posterior, theta: FloatArray, largest: int) -> tuple[dict[str, FloatArray], np.ndarray]:
    """Evaluate derived quantities at no more than `largest` evenly spaced samples.

    Returns
    -------
    tuple
        Quantities ``(n,)`` by name, and the index of the samples ``(n,)``.
    """
    index = np.unique(np.linspace(0, len(theta) - 1, min(largest, len(theta))).astype(int))
    return _batched_dict(posterior.derived, theta[index]), index


def _parameters(posterior: Posterior, theta: FloatArray, dims: tuple[str, ...]) -> xr.Dataset:
    described = zip(posterior.names, posterior.labels, posterior.units, strict=True)
    records: dict[str, dict[str, Any]] = getattr(posterior, "parameter_records", dict)()
    more = {name: {"group": record["group"], "prior": json.dumps(record["prior"])} for name, record in records.items()}
    dataset = xr.Dataset(
        {
            name: (dims, theta[..., i], {"label": label, "units": unit, **more.get(name, {})})
            for i, (name, label, unit) in enumerate(described)
        }
    )
    dataset.attrs["parameter_names"] = list(posterior.names)
    return dataset


def _batched(function: Any, theta: FloatArray) -> FloatArray:
    return np.concatenate([function(part) for part in _parts(theta)])


def _data_set(name: str, values: FloatArray) -> tuple[str, tuple[tuple[str, ...], FloatArray, dict[str, str]]]:
    """Name and content of a data set's variable."""
    if "/" not in name:
        return name, (SAMPLE, values, {"units": ""})
    return name.replace("/", " over "), (SAMPLE, values, {"units": "", DATA_SET: name})


def _batched_dict(function: Any, theta: FloatArray, slashes: bool = False) -> dict[str, FloatArray]:
    """Evaluate a function that gives arrays by name; a constant may come as one number."""
    results = [(function(part), len(part)) for part in _parts(theta)]
    joined = {
        name: np.concatenate([np.broadcast_to(values[name], (n,)) for values, n in results]) for name in results[0][0]
    }
    for name in joined:
        if "/" in name and not slashes:
            raise ModelError(f"the quantity name {name!r} contains '/'", remedy="use another name")
    return joined


def _parts(theta: FloatArray) -> list[FloatArray]:
    return [theta[i : i + CHUNK] for i in range(0, len(theta), CHUNK)]
