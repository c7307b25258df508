"""Stored runs in the formats of others: CSV, GetDist, one NetCDF file, a LaTeX table."""

from __future__ import annotations

import csv
import json
from io import StringIO
from pathlib import Path

import numpy as np
import xarray as xr

from ..errors import RunError, StellarcrError, nearest
from ..infer.files import write_product
from ..infer.posterior_protocol import FloatArray
from ..infer.priors import prior_from_mapping
from ..infer.runs import Run, read_run
from .latex_table import parameter_table

FORMATS = {"csv": ".csv", "getdist": "", "netcdf": ".nc", "latex": ".tex"}
"""Formats and the suffix of their files; GetDist takes a root for three files."""


def export_run(path: str | Path, form: str, output: str | Path | None = None, weighted: bool = False) -> list[Path]:
    """Write a run in another format.

    Parameters
    ----------
    path : str or Path
        Run folder.
    form : {"csv", "getdist", "netcdf", "latex"}
        ``csv``: samples with weight and log posterior, one per row, explained by a header of comments.
        ``getdist``: ``root.txt``, ``root.paramnames``, ``root.ranges``, as ``getdist.loadMCSamples(root)`` reads them.
        ``netcdf``: the archive, with manifest and configuration put inside. ``latex``: medians and 68 % intervals.
    output : str or Path, optional
        The file, or the root of GetDist's files; default: ``<run name><suffix>`` in the current folder.
    weighted : bool
        The raw weighted samples of nested sampling instead of equal-weight ones; for ``csv`` and ``getdist``.

    Returns
    -------
    list of Path
        Files written.

    Raises
    ------
    RunError
        If the run cannot be read, the format is not known, the run has no weighted samples, or a file cannot be
        written.
    """
    if form not in FORMATS:
        raise RunError(f"unknown format {form!r}", remedy=nearest(form, FORMATS))
    if weighted and form in ("netcdf", "latex"):
        raise RunError(
            f"weighted samples have no place in the format {form!r}",
            remedy="leave out --weighted (the netcdf file holds them in its group 'nested'), or choose csv or getdist",
        )
    run = read_run(path)
    target = Path(f"{run.path.resolve().name}{FORMATS[form]}") if output is None else Path(output)
    if form == "netcdf":
        if target.resolve() == (run.path / "posterior.nc").resolve():
            raise RunError("this would overwrite the run's own archive", where=str(target), remedy="choose another -o")
        write_product(target, _single_file(run))
        return [target]
    if form == "latex":
        write_product(target, parameter_table(run))
        return [target]
    theta, weight, log_posterior = samples_of(run, weighted)
    if form == "csv":
        write_product(target, csv_text(run, theta, weight, log_posterior))
        return [target]
    return _write_getdist(run, target, theta, weight, log_posterior)


def samples_of(run: Run, weighted: bool) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Samples ``(n, n_dim)``, weights ``(n,)`` with sum one, and log posterior ``(n,)`` without normalisation by ln Z.

    Raises
    ------
    RunError
        If weighted samples are asked for and the run has none, or keeps no prior density of them.
    """
    if not weighted:
        return run.samples, run.weights, run.log_posterior
    if run.nested is None:
        raise RunError(
            f"a run of {run.manifest.get('sampler')} has no weighted samples",
            where=str(run.path),
            remedy="leave out --weighted: its samples have equal weights",
        )
    if run.nested.log_prior is None:
        raise RunError(
            "this run, of an older version, does not keep the prior density of its weighted samples",
            where=str(run.path),
            remedy="leave out --weighted, or run it again",
        )
    weight = np.exp(run.nested.log_weight)
    return run.nested.theta, weight / weight.sum(), run.nested.log_likelihood + run.nested.log_prior


def csv_text(run: Run, theta: FloatArray, weight: FloatArray, log_posterior: FloatArray) -> str:
    """Write samples as CSV; numbers are written so that they read back exactly."""
    buffer = StringIO()
    version = run.manifest.get("version", "unknown")
    lines = [
        f"posterior samples of the run {run.name} (sampler {run.manifest.get('sampler')}, stellarcr {version})",
        run.summary["verdict"],
        "weight: weights sum to one; log_posterior: natural log of likelihood times prior",
        "parameters with unit and LaTeX label:",
    ]
    described = zip(run.names, run.units, run.labels, strict=True)
    lines += [f"  {name} [{unit or '1'}]  {label}" for name, unit, label in described]
    buffer.writelines(f"# {line}\n" for line in lines)
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["weight", "log_posterior", *run.names])
    writer.writerows(np.column_stack([weight, log_posterior, theta]).tolist())
    return buffer.getvalue()


def _write_getdist(
    run: Run, root: Path, theta: FloatArray, weight: FloatArray, log_posterior: FloatArray
) -> list[Path]:
    """Write GetDist's text files: rows of weight, minus log posterior, parameters; names with labels; ranges."""
    if root.suffix == ".txt":
        root = root.with_suffix("")
    table = np.column_stack([weight / weight.max(), -log_posterior, theta])
    buffer = StringIO()
    np.savetxt(buffer, table, fmt="%.16e")
    labels = [
        label + (rf"\ [{{\rm {unit}}}]" if unit else "") for label, unit in zip(run.labels, run.units, strict=True)
    ]
    texts = {
        ".txt": buffer.getvalue(),
        ".paramnames": "".join(f"{name}\t{label}\n" for name, label in zip(run.names, labels, strict=True)),
        ".ranges": "".join(f"{name} {' '.join(_range(run, name))}\n" for name in run.names),
    }
    paths = [root.with_name(root.name + suffix) for suffix in texts]
    for path, text in zip(paths, texts.values(), strict=True):
        write_product(path, text)
    return paths


def _range(run: Run, name: str) -> tuple[str, str]:
    """Edges of a parameter's prior; N where it has none, or where the run does not tell."""
    mapping = run.priors.get(name)
    if mapping is None or ":" in str(mapping.get("kind", "")):  # a user's class would need the user's file
        return "N", "N"
    try:
        low, high = prior_from_mapping(mapping).support
    except StellarcrError:  # a kind of prior that this version does not know
        return "N", "N"
    return (f"{low:.10g}" if np.isfinite(low) else "N", f"{high:.10g}" if np.isfinite(high) else "N")


def _single_file(run: Run) -> bytes:
    """The archive with manifest (JSON) and configuration (TOML) as texts in its root."""
    with xr.open_datatree(run.path / "posterior.nc", engine="h5netcdf") as opened:
        tree = opened.load()
    texts = {"manifest": json.dumps(run.manifest), "summary": json.dumps(run.summary)}
    config = run.path / "config.toml"
    if config.exists():
        texts["config"] = config.read_text(encoding="utf-8")
    tree.dataset = tree.to_dataset(inherit=False).assign({name: ((), text) for name, text in texts.items()})
    return bytes(tree.to_netcdf(engine="h5netcdf"))
