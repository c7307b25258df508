"""The whole job: folder, checks, maximum, sampling, archive, summary."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from stellarcr._version import __version__
from stellarcr.errors import RunError, StellarcrError
from stellarcr.infer.files import write_json
from stellarcr.infer.pools.pool import require_workers
from stellarcr.infer.posterior_protocol import Collapsed, Posterior
from stellarcr.infer.progress import duration
from stellarcr.infer.runs.archive import build_tree, derive, write_tree
from stellarcr.infer.runs.checks import check_same_problem
from stellarcr.infer.runs.extension import extended_settings, pending_extension, plan_extension
from stellarcr.infer.runs.folder import RunFolder
from stellarcr.infer.runs.reading import Run, read_run
from stellarcr.infer.samplers import get_sampler, require_sampler, settings_from
from stellarcr.infer.samplers.base import RunInterrupted, Sampler, SamplerResult
from stellarcr.infer.samplers.evaluate import check_prior_draws
from stellarcr.infer.samplers.map import MapResult, MapSettings, find_maximum, improve_maximum
from stellarcr.infer.samplers.settings import SamplerSettings

DERIVED_DRAWS = 2000
"""Posterior samples at which derived quantities are computed; 16 % quantiles are then known to 0.03 sigma."""


def execute(
    posterior: Posterior,
    sampler: str,
    settings: SamplerSettings | Mapping[str, Any] | None,
    folder: str | Path,
    *,
    config_text: str = "",
    resume: bool = False,
    overwrite: bool = False,
    extend: bool | int = False,
    limits: Mapping[str, Any] | None = None,
    quiet: bool = False,
    extras: Mapping[str, Any] | None = None,
    citations: str = "",
    map_settings: MapSettings | None = None,
) -> Run:
    """Sample a posterior into a run folder, or go on with one.

    Parameters
    ----------
    posterior : Posterior
        The problem.
    sampler : str
        Name of the sampler, as for `stellarcr.infer.samplers.get_sampler`.
    settings : SamplerSettings, mapping or None
        The sampler's settings; None for the defaults.
    folder : str or Path
        The run folder.
    config_text : str
        The resolved configuration as TOML; it is kept, and compared key by key when a run is resumed.
    resume : bool
        Go on with the run in the folder, if it is the same problem.
    overwrite : bool
        Replace the run in the folder.
    extend : bool or int
        Go on with a finished run: True doubles the steps of emcee or the effective samples of dynamic dynesty, a
        number adds so many. The old results stay until the new ones are written. An extension that was interrupted
        goes on to its aim, with `extend` or `resume`.
    limits : mapping, optional
        ``max_time`` [s] and ``max_calls`` for this session, instead of those of `settings`; both count the whole
        run. An extension knows no others.
    quiet : bool
        Print no progress.
    extras : mapping, optional
        More entries for the manifest; ``data_hashes`` is compared when a run is resumed.
    citations : str
        BibTeX of what the run used.
    map_settings : MapSettings, optional
        Settings of the search for the maximum that precedes sampling.

    Returns
    -------
    Run
        The finished run, as :func:`read_run` gives it.

    Raises
    ------
    RunError
        If the folder cannot be used, or holds another problem.
    RunInterrupted
        If SIGINT or SIGTERM arrived; a checkpoint was written, and the run can be resumed.
    ModelError, ParameterError
        If the posterior gives NaN, or all points drawn from the prior are impossible.
    """
    if (resume or extend) and overwrite:
        raise RunError(f"{'resume' if resume else 'extend'} and overwrite exclude each other", remedy="choose one")
    adapter = get_sampler(sampler)
    given = {key: value for key, value in (limits or {}).items() if value is not None}
    settings = replace(_settings(adapter, settings), **given)
    # before a folder is made: what cannot be used leaves no failed run
    require_sampler(sampler)
    require_workers(settings.workers)
    path = Path(folder)
    common: dict[str, Any] = {"config_text": config_text, "extras": extras}
    if resume or extend:
        opened = RunFolder.resume(path, quiet=quiet)
    else:
        opened = RunFolder.create(
            path, posterior, sampler, settings, citations=citations, overwrite=overwrite, quiet=quiet, **common
        )
    # One BLAS thread: the matrices are small, and workers share the machine.
    with opened as run_folder, threadpool_limits(1):
        if resume or extend:
            check_same_problem(run_folder, posterior, sampler, settings, **common)
            if extend or pending_extension(run_folder.manifest):
                record = plan_extension(run_folder, sampler, settings, extend, given)
                settings = extended_settings(settings, record)
                run_folder.begin_extension(record)
            elif _is_complete(run_folder, settings):
                run_folder.note(f"nothing to do: the run is finished ({path})")
                return read_run(path)
            else:
                _require_checkpoint(run_folder, sampler)
                run_folder.change_limits(settings, config_text)
                run_folder.begin_session()
                run_folder.note("resumed")
        return _work(run_folder, posterior, adapter, settings, map_settings)


def _settings(adapter: Sampler, settings: SamplerSettings | Mapping[str, Any] | None) -> SamplerSettings:
    if isinstance(settings, SamplerSettings):
        if not isinstance(settings, adapter.settings_type):
            raise RunError(
                f"settings of type {type(settings).__name__} do not fit the sampler {adapter.name!r}",
                remedy=f"give {adapter.settings_type.__name__}",
            )
        return settings
    return settings_from(adapter.settings_type, settings or {}, where=f"sampler {adapter.name!r}")


def _is_complete(folder: RunFolder, settings: SamplerSettings) -> bool:
    """Whether the run ended, and the limits and targets now given would not let it go further."""
    if folder.manifest["status"] != "finished" or not (folder.path / "posterior.nc").exists():
        return False
    decisive = {key for key in settings.LIMITS if key.startswith(("target", "max", "min"))}
    if folder.manifest.get("converged"):
        decisive = {key for key in decisive if key.startswith(("target", "min"))}
    before, now = folder.manifest["settings"], settings.as_dict()
    # A setting that the run's version did not have is at its default.
    return all(before.get(key, now[key]) == now[key] for key in decisive)


def _require_checkpoint(folder: RunFolder, sampler: str) -> None:
    """Refuse to begin a finished run from nothing: it has results, and its checkpoints were removed."""
    if folder.manifest["status"] == "finished" and folder.slots.fields(sampler) is None:
        raise RunError(
            "the checkpoints of this finished run are gone: it cannot go on",
            where=f"{folder.path}/state",
            remedy="start anew with --overwrite, or under another --name",
        )


def _work(
    folder: RunFolder,
    posterior: Posterior,
    adapter: Sampler,
    settings: SamplerSettings,
    map_settings: MapSettings | None,
) -> Run:
    try:
        maximum, result = _sample(folder, posterior, adapter, settings, map_settings)
        run = _write_results(folder, posterior, maximum, result)
    except RunInterrupted as error:
        folder.note(error.problem)
        folder.end_session("interrupted", error.problem)
        raise RunInterrupted(error.problem, where=str(folder.path), remedy=error.remedy) from None
    except KeyboardInterrupt:
        folder.end_session("interrupted", "interrupted twice: work since the last checkpoint is lost")
        raise RunInterrupted(
            f"{adapter.name} was interrupted twice, and stopped at once",
            where=str(folder.path),
            remedy="run the same command with --resume to go on from the last checkpoint",
        ) from None
    except StellarcrError as error:
        _record_failure(folder, error.problem)
        raise
    except Exception as error:
        _record_failure(folder, f"{type(error).__name__}: {error}")
        raise
    return run


def _record_failure(folder: RunFolder, problem: str) -> None:
    """Record a failure; where the disk itself is the problem the manifest stays as it is."""
    try:
        folder.note(f"failed: {problem}")
        folder.end_session("failed", problem)
    except RunError:
        folder.progress.say(f"failed: {problem} (and the manifest could not be written)")


def _sample(
    folder: RunFolder,
    posterior: Posterior,
    adapter: Sampler,
    settings: SamplerSettings,
    map_settings: MapSettings | None,
) -> tuple[MapResult, SamplerResult]:
    draws = check_prior_draws(posterior, settings.seed)
    folder.note(f"prior: {draws['possible']} of {draws['draws']} draws are possible")
    if isinstance(settings, MapSettings):
        map_settings = settings
    elif map_settings is None:
        map_settings = MapSettings(
            seed=settings.seed,
            processes=settings.processes,
            pool=settings.pool,
            dask_scheduler=settings.dask_scheduler,
        )
    maximum = find_maximum(posterior, map_settings, folder)
    folder.note(maximum.summary())
    result = adapter.run(posterior, settings, folder, start=maximum)
    folder.note(result.verdict)
    best = np.unravel_index(np.argmax(result.log_posterior), result.log_posterior.shape)
    if result.log_posterior[best] > maximum.log_posterior + 1e-3:
        better = improve_maximum(posterior, maximum, result.samples[best])
        folder.note(
            f"sampling found a better maximum: log posterior {better.log_posterior:.3f} "
            f"instead of {maximum.log_posterior:.3f}"
        )
        maximum = better
    return maximum, result


def _write_results(folder: RunFolder, posterior: Posterior, maximum: MapResult, result: SamplerResult) -> Run:
    from stellarcr.infer.summary import build_summary

    if isinstance(posterior, Collapsed):
        posterior, maximum, result = posterior.restored(maximum, result, int(folder.manifest["seed"]))
        folder.note(result.verdict)
    theta = result.samples.reshape(-1, posterior.n_dim)
    derived, index = derive(posterior, theta, DERIVED_DRAWS)
    attributes = {
        "name": folder.path.name,
        "fingerprint": posterior.fingerprint,
        "version": __version__,
        "sampler": result.sampler,
        "converged": int(result.converged),
    }
    summary = build_summary(posterior, result, maximum, derived)
    write_tree(folder.path / "posterior.nc", build_tree(posterior, result, derived, index, attributes, summary))
    write_json(folder.path / "summary.json", summary)
    folder.manifest["converged"] = result.converged
    rate = result.n_calls / result.seconds if result.seconds > 0 else 0.0
    folder.note(f"{result.n_calls:,} calls in {duration(result.seconds)} ({rate:,.0f} per second)")
    if record := pending_extension(folder.manifest):
        key = "steps" if record["quantity"] == "steps" else "ess"
        record.update(status="finished", reached=int(result.diagnostics[key]))
    folder.end_session("finished", result.verdict)
    folder.progress.close(
        sampler=result.sampler,
        calls=result.n_calls,
        calls_per_second=rate,
        seconds=result.seconds,
        status="finished",
        converged=result.converged,
    )
    return read_run(folder.path)
