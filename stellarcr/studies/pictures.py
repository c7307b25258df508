"""Figures of stored runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..config import build_posterior, load_config
from ..errors import ConfigError, RunError
from ..infer.posterior import Posterior
from ..infer.runs import Run, read_run
from .panels import spectrum_panels


def posterior_of(run: Run) -> Posterior:
    """Rebuild model and data of a stored run from its own configuration.

    Parameters
    ----------
    run : Run
        A finished run.

    Raises
    ------
    RunError
        If today's package or tables define another problem than the run's.
    """
    posterior = build_posterior(load_config(run.path / "config.toml"))
    if run.manifest.get("fingerprint") != posterior.fingerprint:
        raise RunError(
            "the run's configuration gives another model or data with this version of the package or tables",
            where=str(run.path),
            remedy=f"use version {run.manifest.get('version', 'of the run')}, or run it again",
        )
    return posterior


def draw(
    kind: str,
    paths: Sequence[Path],
    output: Path | None = None,
    parameters: Sequence[str] | None = None,
    species: Sequence[str] | None = None,
    draws: int = 300,
) -> list[Path]:
    """Draw runs, as PDF and PNG.

    Parameters
    ----------
    kind : {"corner", "spectra", "trace"}
        What to draw.
    paths : sequence of Path
        Run folders. A corner plot overlays them; the others draw each.
    output : Path, optional
        File without suffix; by default in the run's ``plots`` folder.
    parameters, species : sequence of str, optional
        What to show.
    draws : int
        Posterior draws behind bands.

    Returns
    -------
    list of Path
        Files written.

    Raises
    ------
    RunError
        If a folder is not a finished run.
    ConfigError
        If one output is named for several figures.
    """
    from ..plots.style import save

    runs = [read_run(path) for path in paths]
    if output is not None and output.suffix in (".pdf", ".png"):
        output = output.with_suffix("")
    if kind == "corner":
        from ..plots.corner import corner_plot

        target = output or runs[0].path / "plots" / "corner"
        return list(save(corner_plot(runs, parameters), _ready(target)))
    if output is not None and len(runs) > 1:
        raise ConfigError(
            f"--output {output} names one file for {len(runs)} figures",
            remedy="draw one run at a time, or leave it out",
        )
    written: list[Path] = []
    for run in runs:
        target = output or run.path / "plots" / kind
        figure = _trace(run, parameters) if kind == "trace" else _spectra(run, species, draws)
        written.extend(save(figure, _ready(target)))
    return written


def _ready(target: Path) -> Path:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(f"cannot make the folder {target.parent}: {error}", remedy="choose another --output") from error
    return target


def _spectra(run: Run, species: Sequence[str] | None, draws: int):  # type: ignore[no-untyped-def]
    from ..plots.spectra import spectra_plot

    posterior = posterior_of(run)
    rng = np.random.default_rng(0)
    count = min(draws, len(run.samples))
    theta = run.samples[rng.choice(len(run.samples), count, replace=False)]
    return spectra_plot(spectrum_panels(posterior, theta, run.maximum, species))


def _trace(run: Run, parameters: Sequence[str] | None):  # type: ignore[no-untyped-def]
    from ..plots.trace import trace_plot

    return trace_plot(run, parameters)
