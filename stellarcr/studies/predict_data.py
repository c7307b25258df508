"""What a stored run predicts for measurements, fitted or not, and how well it does.

An experiment is described by a likelihood file, as in a fit. Its nuisance parameters are, in this order: what the
caller gives; the posterior's draws, if the run fitted the same experiment under the same key; else the likelihood
file's value or draws from its prior. Nothing is refitted or profiled. Energy scale and normalisation move the
prediction as they do in a fit: J(E) = n J_true(E / s) / s; intrinsic scatter widens the errors. Data for several
hadronic models are checked model by model. `stellarcr.infer.predictive` defines every number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..data import Spectrum
from ..errors import ConfigError, ParameterError, RunError, nearest
from ..infer.posterior import SMALLEST_SCALE
from ..infer.predictive import LEAST_DRAWS, PredictiveCheck, check_predictions, without_limits
from ..infer.priors import prior_from_mapping
from ..infer.runs import Run
from ..likelihood.experiment import DataGroup, ExperimentData, ExperimentLikelihood
from ..likelihood.experiment_response import ExperimentResponse
from ..likelihood.prediction import SourceTable, connect
from .predict import PosteriorDraws, draws_of, injected_species
from .predict_selection import by_hadronic_model, fitted_points, is_related, load_experiments, restrict

NUISANCES = ("phi", "energy_scale", "normalisation", "scatter")


@dataclass(frozen=True, eq=False)
class TablePrediction:
    """One table of measured fluxes with its prediction, point by point.

    Attributes
    ----------
    spectrum : Spectrum
        The measurement.
    mean, median : numpy.ndarray, shape (n,)
        Of the predictions, in the unit of the measurement.
    interval : tuple of numpy.ndarray
        Ends of the central 68% of the predictions.
    pull : numpy.ndarray, shape (n,)
        (Data - mean prediction) / total error of the data on the side of the prediction; NaN for upper limits.
    fitted : numpy.ndarray of bool, shape (n,)
        Points that the run was fitted to.
    """

    spectrum: Spectrum
    mean: np.ndarray
    median: np.ndarray
    interval: tuple[np.ndarray, np.ndarray]
    pull: np.ndarray
    fitted: np.ndarray


@dataclass(frozen=True, eq=False)
class DataCheck:
    """How one data set, or all of an experiment, agrees with a run's predictions.

    Attributes
    ----------
    run, likelihood, name : str
        Name of the run, key of the likelihood, and data set such as ``CALET H``; ``CALET, all`` for the sum.
    fitted : {"no", "partly", "yes"}
        Whether the run was fitted to these points; ``partly`` also where it was fitted to a part or a sum of
        the same experiment's species.
    limits : int
        Upper limits, which are left out.
    result : PredictiveCheck
        Points, chi-squares and p-values.
    mean_pull : float
        Mean of the points' pulls.
    largest_pull, largest_pull_x : float
        The pull farthest from zero, and where it is on the table's axis [GV or GeV].
    largest_pull_species : str
        In which table.
    """

    run: str
    likelihood: str
    name: str
    fitted: str
    limits: int
    result: PredictiveCheck
    mean_pull: float
    largest_pull: float
    largest_pull_x: float
    largest_pull_species: str


@dataclass(frozen=True, eq=False)
class ExperimentPrediction:
    """A run's predictions for one experiment.

    Attributes
    ----------
    run : str
        Name of the run.
    likelihood : str
        Key of the likelihood.
    draws : int
        Posterior draws.
    checks : tuple of DataCheck
        One per independent set of points, then the whole experiment if there are several.
    tables : tuple of TablePrediction
        Point by point.
    nuisances : dict of str to str
        Where each nuisance parameter comes from, in words.
    phi : float
        Median modulation potential [GV].
    skipped : tuple of str
        Species that the likelihood holds and no population injects.
    """

    run: str
    likelihood: str
    draws: int
    checks: tuple[DataCheck, ...]
    tables: tuple[TablePrediction, ...]
    nuisances: dict[str, str]
    phi: float
    skipped: tuple[str, ...]


def predict_data(
    run: str | Path | Run | PosteriorDraws,
    likelihoods: Sequence[str | Path],
    *,
    species: Sequence[str] | None = None,
    nuisances: Mapping[str, float] | None = None,
    draws: int = 500,
    replicates: int = 10_000,
    seed: int = 0,
) -> tuple[ExperimentPrediction, ...]:
    """Predict measurements from the posterior of a stored run and test the agreement.

    Parameters
    ----------
    run : str, Path, Run or PosteriorDraws
        Run folder, or what was read from it.
    likelihoods : sequence of str or Path
        Shipped likelihoods by name, such as ``"dampe"``, or paths of TOML files; the file's name without suffix is
        the key.
    species : sequence of str, optional
        Predict these species only; default: all that the likelihoods hold.
    nuisances : mapping, optional
        Fixed values by full name, such as ``{"dampe.phi": 0.5}``.
    draws : int
        Posterior draws.
    replicates : int
        About how many data sets are replicated for a p-value.
    seed : int
        Of draws, nuisance parameters and replicated data.

    Returns
    -------
    tuple of ExperimentPrediction
        In the order of the likelihoods.

    Raises
    ------
    RunError
        If the run cannot be read, belongs to another model or data, or holds too few samples.
    ConfigError
        For an unknown or doubled likelihood or nuisance parameter, or species that no likelihood holds.
    ParameterError
        For impossible values of nuisance parameters, or too few draws.
    ModelError
        If no population injects anything that a likelihood measures.
    """
    given = dict(nuisances or {})
    data = load_experiments(likelihoods, species)
    known = [f"{d.key}.{name}" for d in data for name in NUISANCES]
    for name in given:
        if name not in known:
            raise ConfigError(f"--set {name}: no such nuisance parameter", remedy=nearest(name, known))
    drawn = draws_of(run, draws, seed)
    require_samples(drawn)
    streams = np.random.SeedSequence(seed).spawn(len(data))
    return tuple(
        predict_experiment(drawn, d, given, replicates, np.random.default_rng(stream))
        for d, stream in zip(data, streams, strict=True)
    )


def require_samples(drawn: PosteriorDraws) -> None:
    """Refuse a run of too few samples.

    Raises
    ------
    RunError
        Says how many there are.
    """
    if len(drawn.run.samples) < LEAST_DRAWS:
        raise RunError(
            f"the run holds {len(drawn.run.samples)} posterior samples: too few to tell how uncertain a prediction is",
            where=str(drawn.run.path),
            remedy="sample longer; an optimum without a Gaussian approximation has no spread",
        )


def predict_experiment(
    drawn: PosteriorDraws, data: ExperimentData, given: Mapping[str, float], replicates: int, rng: np.random.Generator
) -> ExperimentPrediction:
    """Predict the data of one experiment, which need not be those of a likelihood file.

    Parameters
    ----------
    drawn : PosteriorDraws
        Of a run.
    data : ExperimentData
        Tables and errors.
    given : mapping
        Fixed values of nuisance parameters by full name.
    replicates : int
        About how many data sets are replicated for a p-value.
    rng : numpy.random.Generator
        Of nuisance parameters and replicated data.

    Raises
    ------
    ParameterError, ModelError
        As `predict_data`.
    """
    posterior = drawn.posterior
    measured = [t.species for t in data.tables]
    possible = injected_species(measured, posterior.model, f"likelihood {data.key!r}")
    data = restrict(data, possible)
    parameters, sources = _nuisance_draws(drawn, data, given, rng)
    predictions, variance = _predictions(drawn, data, parameters)
    fitted = [fitted_points(posterior, t) for t in data.tables]
    related = [is_related(posterior, t) for t in data.tables]
    tables = tuple(
        _table_prediction(t, predictions[:, part], f)
        for t, part, f in zip(data.tables, data.slices.values(), fitted, strict=True)
    )
    names = np.concatenate([np.full(len(t), k) for k, t in enumerate(data.tables)])
    groups = [piece for group in data.groups for piece in by_hadronic_model(group)]
    if len(data.groups) > 1:
        groups.append(DataGroup(f"{data.file.experiment}, all", np.arange(len(names)), data.errors))
    checks = []
    for group in groups:
        errors, measured_points = without_limits(group.errors)
        if errors is None:
            continue
        points = group.points[measured_points]
        own = None if variance is None else variance[:, points]
        result = check_predictions(data.values[points], predictions[:, points], errors, rng, replicates, own)
        pulls = np.concatenate([t.pull for t in tables])[points]
        farthest = points[int(np.argmax(np.abs(pulls)))]
        was_fitted = np.concatenate(fitted)[points]
        touched = any(related[k] for k in np.unique(names[points]))
        checks.append(
            DataCheck(
                run=drawn.run.name,
                likelihood=data.key,
                name=group.name,
                fitted="yes" if was_fitted.all() else "partly" if was_fitted.any() or touched else "no",
                limits=len(group.points) - len(points),
                result=result,
                mean_pull=float(pulls.mean()),
                largest_pull=float(pulls[np.argmax(np.abs(pulls))]),
                largest_pull_x=float(np.concatenate([t.x.value for t in data.tables])[farthest]),
                largest_pull_species=data.tables[names[farthest]].species,
            )
        )
    return ExperimentPrediction(
        run=drawn.run.name,
        likelihood=data.key,
        draws=len(drawn),
        checks=tuple(checks),
        tables=tables,
        nuisances=sources,
        phi=float(np.median(parameters["phi"])),
        skipped=tuple(name for name in measured if name not in possible),
    )


def _nuisance_draws(
    drawn: PosteriorDraws, data: ExperimentData, given: Mapping[str, float], rng: np.random.Generator
) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Nuisance parameters of every draw, ``(n_draws,)``, and where they come from."""
    same = any(
        k.data.key == data.key and k.data.file.experiment == data.file.experiment for k in drawn.posterior.likelihoods
    )
    values: dict[str, np.ndarray] = {}
    sources: dict[str, str] = {}
    for name in NUISANCES:
        full = f"{data.key}.{name}"
        nuisance = getattr(data.file.nuisances, name)
        value: float | np.ndarray
        if full in given:
            value, sources[name] = float(given[full]), f"{given[full]:g}, as given"
        elif same:
            # a fit without scatter has no such parameter
            value = drawn.values.get(full, 0.0) if name == "scatter" else drawn.values[full]
            sources[name] = "posterior of the run" if np.ndim(value) else f"{value:g}, as in the run"
        elif nuisance.prior is not None:
            prior = prior_from_mapping(nuisance.prior, where=f"likelihood {data.key!r}: {name}")
            value, sources[name] = np.asarray(prior.ppf(rng.random(len(drawn)))), f"prior, {prior.describe()}"
        else:
            value, sources[name] = float(nuisance.value), f"{nuisance.value:g}, as in the likelihood file"
        values[name] = np.broadcast_to(np.asarray(value, dtype=float), (len(drawn),))
        lowest = float(values[name].min())
        least = SMALLEST_SCALE if name == "energy_scale" else 0.0
        may_be_zero = {"phi": "zero or more GV", "scatter": "zero or more"}
        possible = lowest >= least if name in may_be_zero else lowest > least
        if not (np.all(np.isfinite(values[name])) and possible):
            raise ParameterError(
                f"{full} = {lowest:.3g} is not possible",
                remedy=f"give {may_be_zero.get(name, f'a factor above {least:g}')}, "
                "by --set or by a narrower prior in the likelihood file",
            )
    if not np.any(values["scatter"]):
        del values["scatter"], sources["scatter"]  # as good as none
    return values, sources


def _predictions(
    drawn: PosteriorDraws, data: ExperimentData, nuisances: Mapping[str, np.ndarray]
) -> tuple[np.ndarray, np.ndarray | None]:
    """Predictions of all draws, ``(n_draws, n_points)``, as in a fit, and the variance that scatter adds to each."""
    posterior = drawn.posterior
    fitted_keys = {k.data.key for k in posterior.likelihoods}
    varying = [
        p.name for p in posterior.space.parameters if p.kind != "fixed" and p.name.partition(".")[0] not in fitted_keys
    ]
    sources = SourceTable.build(posterior.model, data.elements, varying, posterior.sources.fixed)
    ranges = [(float(nuisances[name].min()), float(nuisances[name].max())) for name in ("phi", "energy_scale")]
    response = ExperimentResponse.build(sources, data.measurements, ranges[0], ranges[1])
    sources, connected = connect(sources, [response])
    likelihood = ExperimentLikelihood(data, connected[0])
    spectra = sources.evaluate(drawn.values, len(drawn))
    named = {f"{data.key}.{k}": v for k, v in nuisances.items()}
    predicted = np.asarray(likelihood.predict(spectra, named))
    return predicted, likelihood.scatter_variance(predicted, named)


def _table_prediction(table: Spectrum, predictions: np.ndarray, fitted: np.ndarray) -> TablePrediction:
    mean = predictions.mean(axis=0)
    low, median, high = np.quantile(predictions, [0.16, 0.5, 0.84], axis=0)
    error_low, error_high = (side.value for side in table.total_error())
    residual = table.value.value - mean
    error = np.where(residual < 0, error_high, error_low)
    pull = np.divide(residual, error, out=np.full(len(table), np.nan), where=~table.upper_limit)
    return TablePrediction(table, mean, median, (low, high), pull, fitted)
