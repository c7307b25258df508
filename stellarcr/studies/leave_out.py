"""Fits without one data set or experiment, and how well they predict it.

The fit without it is a run of its own beside the first, ``NAME.without.WHAT``, with the same configuration otherwise.
It is resumed where it was cut short, and taken as it is where it is finished. `stellarcr.infer.comparison.leave_out`
has the formulas.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..config import RunConfig, load_config
from ..errors import ConfigError, RunError, nearest
from ..infer.comparison import LeftOut, from_evidences, from_refit, from_samples
from ..infer.posterior import Posterior
from ..infer.runs import Run
from ..infer.runs.archive import CHUNK
from ..likelihood.experiment import ExperimentData
from ..likelihood.schema import Nuisance
from .compare_checks import write_left_out
from .compare_groups import read_finished
from .fit import run as fit
from .fit import run_folder
from .pictures import posterior_of
from .predict import draws_of
from .predict_data import ExperimentPrediction, predict_experiment
from .predict_selection import restrict

LEAST_POINTS = 20_000
"""Points at which the likelihood of held-out data is averaged where they have nuisance parameters of their own."""


@dataclass(frozen=True)
class HeldOut:
    """What a fit leaves out.

    Attributes
    ----------
    name : str
        Data set, such as ``DAMPE Fe``, or key of a likelihood, such as ``dampe``.
    key : str
        Key of the likelihood.
    species : tuple of str
        Its species that are left out.
    data_sets : tuple of str
        Independent sets of points that are left out.
    whole : bool
        Whether nothing of the likelihood is left.
    """

    name: str
    key: str
    species: tuple[str, ...]
    data_sets: tuple[str, ...]
    whole: bool

    @property
    def suffix(self) -> str:
        """End of the name of the run that leaves it out: names of folders hold few characters."""
        return re.sub(r"[^A-Za-z0-9_-]+", "_", self.name).strip("_")


@dataclass(frozen=True, eq=False)
class LeaveOutResult:
    """How a model predicts what it was not fitted to.

    Attributes
    ----------
    held_out : HeldOut
        What was left out.
    refit : Run
        The fit without it.
    points : int
        Its number of points.
    samples, refitted : LeftOut
        ln p of it, given all other data: from the fit to all data, and from that without it.
    evidences : LeftOut or None
        The same from the evidences of both; None unless both have one.
    prediction : ExperimentPrediction
        Prediction and data, with chi2 and p-values.
    """

    held_out: HeldOut
    refit: Run
    points: int
    samples: LeftOut
    refitted: LeftOut
    evidences: LeftOut | None
    prediction: ExperimentPrediction

    @property
    def best(self) -> LeftOut:
        """The number to quote: the first that is reliable, of the fit without it, evidences, and all data."""
        found = (self.refitted, self.evidences, self.samples)
        return next((part for part in found if part is not None and part.reliable), self.refitted)


def leave_out(
    run: str | Path,
    data: Sequence[str] = (),
    experiments: Sequence[str] = (),
    *,
    sampler: str | None = None,
    max_time: float | str | None = None,
    max_calls: int | None = None,
    overwrite: bool = False,
    draws: int = 500,
    seed: int = 0,
    quiet: bool = False,
) -> tuple[LeaveOutResult, ...]:
    """Fit without data sets or experiments, one at a time, and predict them.

    Parameters
    ----------
    run : str or Path
        A finished run.
    data : sequence of str
        Data sets, such as ``"DAMPE Fe"``.
    experiments : sequence of str
        Keys of likelihoods, such as ``"dampe"``.
    sampler : str, optional
        Sampler with its default settings, instead of the run's.
    max_time, max_calls : optional
        Limits of each fit, as for `stellarcr.run`.
    overwrite : bool
        Fit again where there is a run already.
    draws : int
        Posterior draws behind the predictions.
    seed : int
        Of draws, nuisance parameters and replicated data.
    quiet : bool
        Print no progress.

    Returns
    -------
    tuple of LeaveOutResult
        In the order given, data sets first. Reliable densities of data sets are kept beside the run, where
        ``stellarcr compare`` finds them.

    Raises
    ------
    ConfigError
        For unknown names, and where nothing would be left to fit.
    RunError
        If the run cannot be read, or the folder of the other fit holds another problem.
    """
    stored = read_finished(run)
    posterior = posterior_of(stored)
    held = find_held_out(posterior, data, experiments)
    config = load_config(stored.path / "config.toml")
    results = []
    for what in held:
        reduced = config_without(config, posterior, what, stored, sampler)
        going_on = not overwrite and (run_folder(reduced) / "manifest.json").exists()
        refit = fit(reduced, resume=going_on, overwrite=overwrite, max_time=max_time, max_calls=max_calls, quiet=quiet)
        results.append(_judge(stored, posterior, what, refit, draws, seed))
    write_left_out(stored, {r.held_out.data_sets[0]: r.best for r in results if len(r.held_out.data_sets) == 1})
    return tuple(results)


def find_held_out(posterior: Posterior, data: Sequence[str], experiments: Sequence[str]) -> list[HeldOut]:
    """Find data sets and experiments of a fit by name.

    Raises
    ------
    ConfigError
        If none is named, or one is unknown.
    """
    if not data and not experiments:
        raise ConfigError(
            "nothing is named that could be left out", remedy='add --data "DAMPE Fe", or --experiment dampe'
        )
    sets = {group.name: (k.data, (group.name,)) for k in posterior.likelihoods for group in k.data.groups}
    whole = {k.data.key: (k.data, tuple(g.name for g in k.data.groups)) for k in posterior.likelihoods}
    found = []
    for names, known, option in ((data, sets, "--data"), (experiments, whole, "--experiment")):
        for name in dict.fromkeys(names):
            if name not in known:
                raise ConfigError(f"{option} {name!r} is not in this run", remedy=nearest(name, known))
            experiment, groups = known[name]
            species = _species_of(experiment, groups)
            rest = {t.species for t in experiment.tables} - set(species)
            found.append(HeldOut(name, experiment.key, species, groups, not rest))
    return found


def _species_of(data: ExperimentData, groups: Sequence[str]) -> tuple[str, ...]:
    points = np.concatenate([group.points for group in data.groups if group.name in groups])
    slices = data.slices
    touched = [t.species for t in data.tables if np.isin(np.arange(len(data.values))[slices[t.name]], points).any()]
    return tuple(dict.fromkeys(touched))


def config_without(
    config: RunConfig, posterior: Posterior, held_out: HeldOut, run: Run, sampler: str | None = None
) -> RunConfig:
    """Take a data set or an experiment out of a configuration.

    Parameters
    ----------
    config : RunConfig
        That of the run.
    posterior : Posterior
        Built from it.
    held_out : HeldOut
        What to take out.
    run : Run
        The run, which names the new one and its folder.
    sampler : str, optional
        Sampler with its default settings.

    Raises
    ------
    ConfigError
        If nothing would be left to fit.
    """
    likelihoods: dict[str, dict[str, Any]] = copy.deepcopy(config.likelihoods)
    parameters = dict(config.parameters)
    key = held_out.key
    if held_out.whole:
        if len(likelihoods) == 1:
            raise ConfigError(
                f"without {held_out.name!r} there is nothing to fit", remedy="leave out one of several data sets"
            )
        del likelihoods[key]
        parameters.pop(key, None)
    else:
        data = next(k.data for k in posterior.likelihoods if k.data.key == key)
        likelihoods[key] = _section_without(likelihoods[key], data, held_out)
    changes: dict[str, Any] = {
        "name": f"{run.name}.without.{held_out.suffix}",
        "description": f"{run.name} without {held_out.name}",
        "likelihoods": likelihoods,
        "parameters": parameters,
        "output": config.output.model_copy(update={"folder": str(run.path.resolve().parent)}),
    }
    if sampler is not None and sampler != config.sampler.get("name", "emcee"):
        changes["sampler"] = {"name": sampler}
    return config.model_copy(update=changes)


def _section_without(section: dict[str, Any], data: ExperimentData, held_out: HeldOut) -> dict[str, Any]:
    """A likelihood's section without some of its species, and without the errors that only these had."""
    left = [t for t in data.tables if t.species not in held_out.species]
    kept = dict.fromkeys(t.species for t in left)
    errors = dict(section.get("errors", {}))
    components = {name for t in left for name in t.systematics}
    if "systematic" in errors:
        errors["systematic"] = {name: c for name, c in errors["systematic"].items() if name in components}
    difference = data.file.errors.difference
    if difference is not False and not {difference.minuend, difference.subtrahend} <= set(kept):
        errors["difference"] = False
    return {**section, "species": list(kept), "errors": errors}


# ---------------------------------------------------------------------- judgement


def _judge(run: Run, posterior: Posterior, held_out: HeldOut, refit: Run, draws: int, seed: int) -> LeaveOutResult:
    values = np.sum([run.log_likelihood[name] for name in held_out.data_sets], axis=0)
    rng = np.random.default_rng(seed)
    predicted = held_out_log_likelihood(posterior, refit, held_out, rng)
    data = _held_out_data(posterior, held_out)
    return LeaveOutResult(
        held_out=held_out,
        refit=refit,
        points=int(sum(len(group.points) for group in data.groups)),
        samples=from_samples(values, effective_samples(run)),
        refitted=from_refit(predicted, effective_samples(refit)),
        evidences=_from_evidences(run, refit),
        prediction=predict_experiment(draws_of(refit, draws, seed), data, {}, 10_000, rng),
    )


def effective_samples(run: Run) -> float:
    """Independent samples that a run's equal-weight samples are worth."""
    return float(min(len(run.samples), run.summary.get("ess") or len(run.samples)))


def _from_evidences(run: Run, refit: Run) -> LeftOut | None:
    pairs = [(r.log_evidence, r.log_evidence_error) for r in (run, refit) if r.converged]
    known = [(z, e) for z, e in pairs if z is not None and e is not None]
    return from_evidences(*known) if len(known) == 2 else None


def held_out_log_likelihood(
    posterior: Posterior, refit: Run, held_out: HeldOut, rng: np.random.Generator
) -> np.ndarray:
    """Log likelihood of what was left out, at samples of the fit without it.

    Parameters
    ----------
    posterior : Posterior
        Of all data.
    refit : Run
        The fit without some.
    held_out : HeldOut
        What was left out; nuisance parameters that only it has are drawn from their prior.
    rng : numpy.random.Generator
        Of these draws.

    Returns
    -------
    numpy.ndarray
        ``(n,)``.

    Raises
    ------
    RunError
        If an order constraint ties parameters of the fit to those that it does not have.
    """
    own = [name for name in posterior.names if name not in refit.names]
    for constraint in posterior.space.constraints:
        if 0 < len(set(constraint.names) & set(own)) < len(constraint.names):
            raise RunError(
                f"the order {constraint.describe()} ties parameters of {held_out.name!r} to others: their prior "
                "without its data is not known",
                where=str(refit.path),
                remedy="leave the constraint out of the fit",
            )
    copies = -(-LEAST_POINTS // len(refit.samples)) if own else 1
    samples = np.tile(refit.samples, (copies, 1))
    theta = posterior.sample_prior(rng, len(samples))
    for k, name in enumerate(posterior.names):
        if name not in own:
            theta[:, k] = samples[:, refit.names.index(name)]
    parts = (theta[i : i + CHUNK] for i in range(0, len(theta), CHUNK))
    terms = (posterior.log_likelihood_terms(part) for part in parts)
    return np.concatenate([np.sum([t[name] for name in held_out.data_sets], axis=0) for t in terms])


def _held_out_data(posterior: Posterior, held_out: HeldOut) -> ExperimentData:
    """The data that were left out, with the nuisance parameters that the fit gave them."""
    data = next(k.data for k in posterior.likelihoods if k.data.key == held_out.key)
    changed = {}
    for parameter in posterior.space.parameters:
        key, _, name = parameter.name.partition(".")
        if key == held_out.key and name in type(data.file.nuisances).model_fields:
            prior = None if parameter.prior is None else dict(parameter.prior.to_mapping())
            if prior is not None or parameter.value is not None:
                changed[name] = Nuisance(value=parameter.value, prior=prior, unit=parameter.unit)
    file = data.file.model_copy(update={"nuisances": data.file.nuisances.model_copy(update=changed)})
    return replace(restrict(data, held_out.species), file=file)
