"""Figures of stored runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..config import build_posterior, load_config
from ..errors import ConfigError, RunError
from ..infer.posterior import Posterior
from ..infer.runs import Run, read_run
from .panels import curve_span, figures_of, fitted_tables, pull_panels, series_labels, spectrum_panels


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


def draw_corner(
    paths: Sequence[Path],
    output: Path | None = None,
    *,
    parameters: Sequence[str] | None = None,
    groups: Sequence[str] | None = None,
    style: str = "two-column",
    priors: bool = True,
    labels: Sequence[str] | None = None,
) -> list[Path]:
    """Draw the marginals of runs on top of each other, as PDF and PNG.

    Parameters
    ----------
    paths : sequence of Path
        Run folders.
    output : Path, optional
        File; by default in the ``plots`` folder of the first run.
    parameters, groups, style, priors, labels
        As in `stellarcr.plots.corner_plot`.

    Returns
    -------
    list of Path
        Files written.

    Raises
    ------
    RunError
        If a folder is not a finished run.
    ParameterError
        As `stellarcr.plots.corner_plot`.
    """
    from ..plots.corner import corner_plot

    runs = [read_run(path) for path in paths]
    figure = corner_plot(runs, parameters, groups, style=style, priors=priors, labels=labels)
    return _save(figure, "corner", runs, output)


def draw_spectra(
    paths: Sequence[Path],
    output: Path | None = None,
    *,
    species: Sequence[str] | None = None,
    axis: str = "R",
    scale: float = 2.7,
    style: str | None = None,
    draws: int = 300,
    populations: bool | None = None,
    pulls: bool = True,
    labels: Sequence[str] | None = None,
) -> list[Path]:
    """Draw spectra of one run with its populations, or of several runs on top of each other, as PDF and PNG.

    Ratios of fluxes are drawn on the axis of their tables; beside fluxes they have a file of their own, such as
    ``spectra-ratios``.

    Parameters
    ----------
    paths : sequence of Path
        Run folders.
    output : Path, optional
        File; by default in the ``plots`` folder of the first run.
    species, axis
        As in `stellarcr.studies.panels.spectrum_panels`.
    scale, style
        As in `stellarcr.plots.spectra_plot`.
    draws : int
        Posterior draws behind bands.
    populations : bool, optional
        Whether to draw the populations; by default for one run only.
    pulls : bool
        Whether to draw pulls; several runs have none.
    labels : sequence of str, optional
        Names of the runs in the legend.

    Raises
    ------
    RunError
        If a folder is not a finished run, or its model can no longer be built.
    ParameterError
        For an unknown species, axis or style.
    """
    from ..plots.selection import run_labels
    from ..plots.spectra import spectra_plot
    from ..plots.spectra_overlay import overlay_spectra_plot

    runs = [read_run(path) for path in paths]
    names = run_labels(runs, labels)
    posteriors = [posterior_of(run) for run in runs]
    tables = series_labels(table for posterior in posteriors for table in fitted_tables(posterior))
    thetas = []
    for run in runs:
        rng = np.random.default_rng(0)
        thetas.append(run.samples[rng.choice(len(run.samples), min(draws, len(run.samples)), replace=False)])
    shown = [figures_of(posterior, species, axis) for posterior in posteriors]
    contents = list(dict.fromkeys(content for of_run in shown for content in of_run))
    written: list[Path] = []
    for content in contents:
        spans = [curve_span(posterior, content.axis) for posterior in posteriors]
        span = min(low for low, _ in spans), max(high for _, high in spans)
        panels = {
            name: spectrum_panels(
                posterior, theta, run.maximum, of_run[content] or None, axis=content.axis, span=span, labels=tables
            )
            for name, run, posterior, theta, of_run in zip(names, runs, posteriors, thetas, shown, strict=True)
            if content in of_run
        }
        if len(panels) > 1:
            figure = overlay_spectra_plot(panels, scale=scale, style=style, populations=bool(populations))
        else:
            alone = next(iter(panels.values()))
            if populations is False:
                alone = [panel.without_components() for panel in alone]
            figure = spectra_plot(alone, scale=scale, style=style, pulls=pulls)
        written.extend(_save(figure, "spectra", runs, output, content.suffix(contents)))
    return written


def draw_powers(
    paths: Sequence[Path], output: Path | None = None, *, style: str = "one-column", labels: Sequence[str] | None = None
) -> list[Path]:
    """Draw injected powers against budgets, as PDF and PNG; parameters as in `stellarcr.plots.powers_plot`."""
    from ..plots.powers import powers_plot

    runs = [read_run(path) for path in paths]
    return _save(powers_plot(runs, style=style, labels=labels), "powers", runs, output)


def draw_pulls(
    paths: Sequence[Path], output: Path | None = None, *, style: str = "two-column", labels: Sequence[str] | None = None
) -> list[Path]:
    """Draw pulls and chi2 of one run, or chi2 of several runs side by side, as PDF and PNG.

    Parameters are those of `stellarcr.plots.pulls_plot`; the model is built for one run only.
    """
    from ..plots.pulls import pulls_plot

    runs = [read_run(path) for path in paths]
    panels = pull_panels(posterior_of(runs[0]), runs[0].maximum) if len(runs) == 1 else []
    return _save(pulls_plot(runs, panels, style=style, labels=labels), "pulls", runs, output)


def draw_trace(
    paths: Sequence[Path],
    output: Path | None = None,
    *,
    parameters: Sequence[str] | None = None,
    style: str = "two-column",
) -> list[Path]:
    """Draw how runs went, one figure each, as PDF and PNG.

    Parameters
    ----------
    paths : sequence of Path
        Run folders.
    output : Path, optional
        File, for one run; by default in the ``plots`` folder of each.
    parameters, style
        As in `stellarcr.plots.trace_plot`.

    Raises
    ------
    ConfigError
        If one file is named for several figures.
    RunError
        If a folder is not a finished run.
    """
    from ..plots.trace import trace_plot

    if output is not None and len(paths) > 1:
        raise ConfigError(
            f"--output {output} names one file for {len(paths)} figures",
            remedy="draw one run at a time, or leave it out",
        )
    runs = [read_run(path) for path in paths]
    return [file for run in runs for file in _save(trace_plot(run, parameters, style=style), "trace", [run], output)]


def _save(figure: Any, kind: str, runs: Sequence[Run], output: Path | None, suffix: str = "") -> list[Path]:
    """Write a figure as PDF and PNG; one of several runs is named after all of them."""
    from ..plots.style import save

    others = "".join(f"+{run.name}" for run in runs[1:])
    target = output or runs[0].path / "plots" / f"{kind}{others}"
    if target.suffix in (".pdf", ".png"):
        target = target.with_suffix("")
    target = target.with_name(target.name + suffix)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        return list(save(figure, target))
    except OSError as error:
        raise RunError(f"cannot write {target}.pdf: {error}", remedy="choose another place with --output") from error
