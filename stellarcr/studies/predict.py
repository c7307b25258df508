"""Spectra and <ln A> that a stored run predicts, with the spread of its posterior.

`predict` gives bands for any species and axis, `stellarcr.studies.predict_data.predict_data` compares with
measurements, fitted or not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ConfigError, ModelError, ParameterError, nearest
from ..infer.posterior import Posterior
from ..infer.runs import Run, read_run
from ..model import ForwardModel
from ..observe.axes import AXES, check_axis
from ..species import is_ratio
from .pictures import posterior_of
from .quantities import absent_parts, canonical_quantity, check_defined, evaluate

LEVELS = (0.68, 0.95)
"""Probabilities inside the bands."""


@dataclass(frozen=True, eq=False)
class PosteriorDraws:
    """Draws of a run, with the model that they belong to.

    Make it once with `draws_of` where several predictions of one run are wanted: rebuilding the model takes about a
    second.

    Attributes
    ----------
    run : Run
        The stored run.
    posterior : Posterior
        Its model, parameters and data.
    theta : numpy.ndarray
        Draws ``(n_draws, n_dim)``, in random order.
    """

    run: Run
    posterior: Posterior
    theta: np.ndarray

    @cached_property
    def values(self) -> dict[str, Any]:
        """Every parameter by full name, nuisance parameters included: numbers or ``(n_draws,)``."""
        return self.posterior.space.resolve(self.theta)

    def __len__(self) -> int:
        return len(self.theta)


@dataclass(frozen=True, eq=False)
class PredictedCurve:
    """One curve with its bands.

    Attributes
    ----------
    species : str
        Element, ``p+He``, ``all``, nuclide, ratio or ``lnA``.
    population : str
        ``total`` or the name of a population.
    median : numpy.ndarray, shape (n_x,)
        Median of the posterior's predictions.
    intervals : dict of float to (numpy.ndarray, numpy.ndarray)
        Probability to the lower and upper end of the central interval.
    label : str
        LaTeX label of the population, without dollar signs; empty for the total.
    """

    species: str
    population: str
    median: np.ndarray
    intervals: dict[float, tuple[np.ndarray, np.ndarray]]
    label: str = ""


@dataclass(frozen=True, eq=False)
class SpectrumPrediction:
    """Predicted spectra of one run.

    Attributes
    ----------
    run : str
        Name of the run.
    axis : str
        Axis code.
    x : numpy.ndarray, shape (n_x,)
        Points on the axis, in `x_unit`.
    phi : float
        Modulation potential [GV].
    draws : int
        Posterior draws behind the bands.
    curves : tuple of PredictedCurve
        By species; the total first, then the populations if they were asked for.
    skipped : tuple of str
        Species that were asked for and no population injects.
    """

    run: str
    axis: str
    x: np.ndarray
    phi: float
    draws: int
    curves: tuple[PredictedCurve, ...]
    skipped: tuple[str, ...] = ()

    @property
    def x_unit(self) -> str:
        """Unit of the axis."""
        return f"{AXES[self.axis]}/n" if self.axis == "EKN" else AXES[self.axis]

    @property
    def flux_unit(self) -> str:
        """Unit of the fluxes; <ln A> and ratios are plain numbers."""
        return f"1 / (m2 s sr {self.x_unit})"

    def curve(self, species: str, population: str = "total") -> PredictedCurve:
        """Look up a curve.

        Raises
        ------
        ParameterError
            If it was not predicted.
        """
        for curve in self.curves:
            if (curve.species, curve.population) == (species, population):
                return curve
        known = [f"{c.species} {c.population}" for c in self.curves]
        raise ParameterError(
            f"no prediction of {species!r} from {population!r}", remedy=nearest(f"{species} {population}", known)
        )


def draws_of(run: str | Path | Run | PosteriorDraws, draws: int = 500, seed: int = 0) -> PosteriorDraws:
    """Take posterior draws of a run and rebuild its model.

    Parameters
    ----------
    run : str, Path, Run or PosteriorDraws
        Run folder or what was read from it; draws are returned as they are.
    draws : int
        Number of draws, without repetition; all of the run's samples if it has fewer.
    seed : int
        Which draws.

    Raises
    ------
    RunError
        If the folder is not a finished run, or was made with another model or data.
    ConfigError
        If no draw is asked for.
    """
    if isinstance(run, PosteriorDraws):
        return run
    if draws < 1:
        raise ConfigError(f"--draws {draws}: a prediction needs posterior draws", remedy="give 500, or more")
    stored = run if isinstance(run, Run) else read_run(run)
    count = min(draws, len(stored.samples))
    chosen = np.random.default_rng(seed).choice(len(stored.samples), count, replace=False)
    return PosteriorDraws(stored, posterior_of(stored), stored.samples[chosen])


def predict(
    run: str | Path | Run | PosteriorDraws,
    species: Sequence[str] = ("H", "He"),
    axis: str = "R",
    x: Sequence[float] | np.ndarray = (1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7),
    *,
    phi: float = 0.0,
    draws: int = 500,
    populations: bool = False,
    levels: Sequence[float] = LEVELS,
    seed: int = 0,
) -> SpectrumPrediction:
    """Predict spectra from the posterior of a stored run.

    Parameters
    ----------
    run : str, Path, Run or PosteriorDraws
        Run folder, or what was read from it.
    species : sequence of str
        Elements, ``"p+He"``, ``"all"``, nuclides such as ``"He3"``, ratios of two of these such as ``"C/O"``, or
        ``"lnA"`` (on the axis ETOT).
    axis : {"R", "EK", "EKN", "ETOT"}
        Axis code.
    x : sequence of float
        Points on the axis: GV, GeV, or GeV per nucleon.
    phi : float
        Modulation potential [GV]; 0 is interstellar. It is given, not drawn: each experiment has its own.
    draws : int
        Posterior draws.
    populations : bool
        Whether to give the share of each population as well.
    levels : sequence of float
        Probabilities inside the central intervals, each between 0 and 1.
    seed : int
        Which draws.

    Returns
    -------
    SpectrumPrediction
        Medians and intervals, point by point.

    Raises
    ------
    RunError
        If the run cannot be read, or belongs to another model or data.
    ConfigError
        For no species, points, draws or levels; points, levels or potentials that are not possible; <ln A> on
        another axis or below the rest energy.
    ParameterError
        For an unknown species or axis.
    ModelError
        If no population injects any of the species; if some are injected, the others are skipped.
    """
    check_axis(axis)
    points = check_points(x, axis)
    chosen = check_levels(levels)
    if not (np.isfinite(phi) and phi >= 0):
        raise ConfigError(f"--phi {phi}: a modulation potential is not negative", remedy="give GV, as in 0.6")
    names = check_species(species)
    drawn = draws_of(run, draws, seed)
    model = drawn.posterior.model
    parameters = drawn.posterior.model_parameters(drawn.values)
    possible = injected_species(names, model)
    curves: list[PredictedCurve] = []
    for name in possible:
        if name == "lnA":
            curves.append(_curve("lnA", "total", _log_mass(model, parameters, axis, points, phi), drawn, chosen))
            continue
        fluxes = evaluate(model, parameters, name, points, axis, phi)
        if is_ratio(name):
            check_defined(name, fluxes, points)
        for key in fluxes if populations else ("total",):
            curves.append(_curve(name, key, fluxes[key], drawn, chosen))
    skipped = tuple(name for name in names if name not in possible)
    return SpectrumPrediction(drawn.run.name, axis, points, float(phi), len(drawn), tuple(curves), skipped)


def _curve(
    species: str, population: str, values: np.ndarray, drawn: PosteriorDraws, levels: Sequence[float]
) -> PredictedCurve:
    # what depends on no free parameter has no axis of draws
    table = np.broadcast_to(values, (len(drawn), np.shape(values)[-1]))
    ends = [0.5 * (1.0 + sign * level) for level in levels for sign in (-1, 1)]
    median, *edges = np.quantile(table, [0.5, *ends], axis=0)
    intervals = {level: (edges[2 * k], edges[2 * k + 1]) for k, level in enumerate(levels)}
    labels = {member.name: member.label for member in drawn.posterior.model.populations}
    return PredictedCurve(species, population, median, intervals, labels.get(population, ""))


def _log_mass(model: ForwardModel, parameters: dict[str, Any], axis: str, x: np.ndarray, phi: float) -> np.ndarray:
    if axis != "ETOT":
        raise ConfigError("<ln A> is defined at equal total energy", remedy="use --axis ETOT")
    with np.errstate(invalid="ignore"):
        mean = np.asarray(model.log_mass(parameters, x, phi))
    bad = ~np.all(np.isfinite(np.atleast_2d(mean)), axis=0)
    if np.any(bad):
        raise ConfigError(
            f"--at {x[bad][0]:g}: <ln A> needs a flux, and there is none",
            remedy="give total energies above the rest energy of a proton, 0.94 GeV, and below the sources' cutoffs",
        )
    return mean


def check_species(species: Sequence[str]) -> list[str]:
    """Bring names of species to one spelling; ``lnA`` is one.

    Raises
    ------
    ConfigError
        If there is none.
    ParameterError
        For an unknown name.
    """
    if isinstance(species, str):
        species = [species]
    if len(species) == 0:
        raise ConfigError("--species is empty", remedy="name elements, groups or ratios, as in H,He,p+He,all,C/O,lnA")
    names = []
    for name in species:
        if name.lower() in ("lna", "<lna>"):
            names.append("lnA")
            continue
        names.append(canonical_quantity(name))
    return list(dict.fromkeys(names))


def check_points(x: Sequence[float] | np.ndarray, axis: str) -> np.ndarray:
    """Give points on an axis as an array.

    Raises
    ------
    ConfigError
        If there is none, or one is not a positive number.
    """
    points = np.atleast_1d(np.asarray(x, dtype=float))
    if points.ndim != 1 or points.size == 0 or not np.all(np.isfinite(points) & (points > 0)):
        raise ConfigError(
            f"--at {points.tolist()}: points must be positive numbers", remedy=f"give {AXES[axis]}, as in 10,100"
        )
    return points


def check_levels(levels: Sequence[float]) -> tuple[float, ...]:
    """Give probabilities in rising order, each once.

    Raises
    ------
    ConfigError
        If there is none, or one is not between 0 and 1.
    """
    for level in levels:
        if not 0.0 < level < 1.0:
            raise ConfigError(f"--level {level:g} is no probability between 0 and 1", remedy="write --level 0.68,0.95")
    if len(levels) == 0:
        raise ConfigError("--level is empty", remedy="write --level 0.68,0.95")
    return tuple(sorted({float(level) for level in levels}))


def injected_species(species: Sequence[str], model: ForwardModel, where: str = "") -> list[str]:
    """Keep the species of which some population injects a part, and the ratios of two of them.

    Parameters
    ----------
    species : sequence of str
        Elements, groups, nuclides, ratios, ``lnA``.
    model : ForwardModel
        Whose populations.
    where : str
        For the message.

    Raises
    ------
    ModelError
        If none is left; names them and what is injected.
    """
    possible = [name for name in species if name == "lnA" or not absent_parts(name, model)]
    if not possible:
        raise ModelError(
            f"no population of the run injects {', '.join(species)}, and the model makes no secondary nuclei",
            where=where,
            remedy=f"choose among {', '.join(model.elements)}; or run a model with a population that injects them",
        )
    return possible
