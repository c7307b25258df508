"""`stellarcr calibrate`: simulation-based calibration of a configuration, one mock after the other, resumable."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from dataclasses import replace
from functools import partial
from multiprocessing import get_context, parent_process
from pathlib import Path
from typing import Any

import numpy as np

from ..config import RunConfig, build_collapsed, build_posterior, resolved_toml
from ..errors import ConfigError, ParameterError, RunError
from ..infer.calibration import LEAST_MOCKS, MockFit, MockRecord
from ..infer.collapsed import CollapsedPosterior
from ..infer.posterior import Posterior
from ..infer.samplers import RunInterrupted, get_sampler, settings_from
from ..infer.samplers.evaluate import DEAD_WORKER, DEAD_WORKER_REMEDY
from .calibrate_folder import CalibrationFolder
from .calibrate_progress import CalibrationProgress
from .calibrate_result import Calibration, assess
from .fit import as_config, run_folder, sampler_settings
from .mock_draw import draw_mock

DRAWS = 99
"""Posterior draws among which a truth is ranked: 100 possible ranks, which bins of equal width divide."""


def calibrate(
    config: RunConfig | str | Path,
    mocks: int = 200,
    *,
    seed: int | None = None,
    draws: int = DRAWS,
    sampler: str | None = None,
    processes: int = 1,
    resume: bool = False,
    overwrite: bool = False,
    quiet: bool = False,
) -> Calibration:
    """Draw truths from the prior and data at each, fit them, and test the ranks of the truths.

    Parameters
    ----------
    config : RunConfig or path
        The problem, and the sampler with its settings.
    mocks : int
        Number of mocks, those of earlier sessions included.
    seed : int, optional
        Instead of the configuration's.
    draws : int
        Posterior draws among which a truth is ranked.
    sampler : str, optional
        A sampler with its default settings, instead of the configuration's.
    processes : int
        Mocks that are fitted side by side; results do not depend on it.
    resume, overwrite : bool
        Go on with the calibration in the folder, or replace it.
    quiet : bool
        Print no progress.

    Returns
    -------
    Calibration
        Ranks, tests and verdict; also written to ``<output folder>/<name>.calibration``.

    Raises
    ------
    StellarcrError
        For a wrong configuration, and a folder that cannot be used or holds another calibration.
    RunInterrupted
        After an interrupt; the mocks that are done stay.
    """
    if mocks < LEAST_MOCKS:
        raise ParameterError(f"--mocks {mocks} are too few for a test", remedy=f"draw {LEAST_MOCKS} or more, or 200")
    if draws < 1 or processes < 1:
        raise ParameterError(f"--draws {draws} and --processes {processes} must be positive", remedy="give 1 or more")
    if resume and overwrite:
        raise RunError("--resume and --overwrite exclude each other", remedy="choose one")
    config = as_config(config)
    if sampler is not None:
        config = config.model_copy(update={"sampler": {"name": sampler}})
    fit = mock_fit(config, config.seed if seed is None else seed, draws)
    assert isinstance(fit.posterior, Posterior)
    text = resolved_toml(config, fit.posterior.model, [k.data for k in fit.posterior.likelihoods])
    return run_calibration(
        fit,
        mocks,
        calibration_folder(config),
        config_text=text,
        processes=processes,
        resume=resume,
        overwrite=overwrite,
        quiet=quiet,
    )


def calibration_folder(config: RunConfig | str | Path) -> Path:
    """Folder that a configuration's calibration is written to."""
    folder = run_folder(as_config(config))
    return folder.with_name(f"{folder.name}.calibration")


def mock_fit(config: RunConfig, seed: int, draws: int) -> MockFit:
    """Build the problem, and the fit that every mock of it goes through.

    Raises
    ------
    StellarcrError
        For a wrong configuration, and a sampler that gives no posterior samples.
    """
    # mocks are shared out, not the points of one
    alone: dict[str, Any] = {"processes": 1, "pool": "processes", "dask_scheduler": None}
    map_settings = replace(sampler_settings(config), **alone)
    options = {**config.sampler}
    name = str(options.pop("name", "emcee"))
    options.pop("map", None)
    if name == "map":
        raise ConfigError(
            "the sampler 'map' gives a maximum and no samples, so a truth has no rank",
            where=f"{config.where} [sampler]",
            remedy="calibrate with --sampler emcee",
        )
    settings = settings_from(get_sampler(name).settings_type, {**options, **alone})
    posterior = build_posterior(config)
    build_collapsed(config, posterior)  # a posterior that cannot be collapsed is refused before the first mock
    return MockFit(posterior, partial(_target, config, posterior), name, settings, map_settings, seed, draws)


def _target(
    config: RunConfig, posterior: Posterior, theta: np.ndarray, rng: np.random.Generator
) -> Posterior | CollapsedPosterior:
    """Draw data, and give what the sampler sees of their posterior."""
    mock = draw_mock(posterior, theta, rng)
    return build_collapsed(config, mock) or mock


def run_calibration(
    fit: MockFit,
    mocks: int,
    path: Path,
    *,
    config_text: str = "",
    processes: int = 1,
    resume: bool = False,
    overwrite: bool = False,
    quiet: bool = True,
    plots: bool = True,
) -> Calibration:
    """Fit the mocks that are missing in a folder, then test all of them; parameters as for `calibrate`.

    Parameters
    ----------
    fit : MockFit
        What is calibrated.
    mocks : int
        Number of mocks.
    path : Path
        The folder.
    config_text : str
        The resolved configuration, kept as ``config.toml``.
    plots : bool
        Draw the ranks.

    Raises
    ------
    RunError, RunInterrupted
        As for `calibrate`.
    """
    with closing(CalibrationFolder.open(path, fit, config_text, resume=resume, overwrite=overwrite)) as folder:
        done = {index: record for index, record in folder.records().items() if index < mocks}
        missing = [index for index in range(mocks) if index not in done]
        with CalibrationProgress(list(done.values()), mocks, quiet) as progress:
            try:
                for record in _fitted(fit, missing, processes):
                    folder.write(record)
                    done[record.index] = record
                    progress.add(record)
            except KeyboardInterrupt:
                raise RunInterrupted(
                    f"{len(done)} of {mocks} mocks are done", remedy="run the same command with --resume to go on"
                ) from None
        result = assess([done[index] for index in sorted(done)], fit)
        folder.write_products(result, plots)
        return result


def _fitted(fit: MockFit, indices: Sequence[int], processes: int) -> Iterator[MockRecord]:
    """Yield records in the order in which they are done."""
    if processes == 1 or len(indices) < 2:
        yield from map(fit, indices)
        return
    pool = ProcessPoolExecutor(processes, mp_context=get_context("spawn"), initializer=_start, initargs=(fit,))
    try:
        for future in as_completed([pool.submit(_in_worker, index) for index in indices]):
            yield future.result()
    except BrokenProcessPool as error:
        raise RunError(DEAD_WORKER, remedy=DEAD_WORKER_REMEDY) from error
    finally:
        # what runs now ends with the workers: its mock is drawn again, the same, when the calibration goes on
        for worker in list((pool._processes or {}).values()):
            worker.terminate()
        pool.shutdown(wait=True, cancel_futures=True)


_worker: Callable[[int], MockRecord] | None = None


def _start(fit: Any) -> None:
    global _worker
    _worker = fit
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends its workers
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """Leave when the parent dies, SIGKILL included."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _in_worker(index: int) -> MockRecord:
    if _worker is None:
        raise RunError("a worker process has no problem", remedy="start it through calibrate")
    return _worker(index)
