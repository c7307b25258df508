"""Fits without one data set or experiment, and how well they predict it.

The fit without it is a run of its own beside the first, ``NAME.without.WHAT``, with the same configuration otherwise.
It is resumed where it was cut short, and taken as it is where it is finished. `stellarcr.infer.comparison.leave_out`
has the formulas.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ..config import RunConfig, load_config
from ..errors import RunError
from ..infer.comparison import LeftOut, from_evidences, from_refit, from_samples
from ..infer.comparison.volumes import volume_weights
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
from .reduced_config import HeldOut, config_without, find_held_out

LEAST_SAMPLES = 50
"""Posterior samples without which nothing is said (project choice: a tail needs 25, of which five decide)."""

LEAST_POINTS = 20_000
"""Points at which the likelihood of held-out data is averaged where they have nuisance parameters of their own."""


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
        """The number to quote: the first that is reliable, of the fit without it, evidences, and all data.

        A fit without it counts if it converged.
        """
        found = (self.refitted if self.refit.converged else None, self.evidences, self.samples)
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
        In the order given, data sets first. Reliable densities of data sets, where the fit without them converged, are
        kept beside the run, where ``stellarcr compare`` finds them.

    Raises
    ------
    ConfigError
        For unknown names, and where nothing would be left to fit.
    RunError
        If the run cannot be read, or the folder of the other fit holds another problem.
    """
    stored = _enough(read_finished(run))
    posterior = posterior_of(stored)
    held = find_held_out(posterior, data, experiments)
    config = load_config(stored.path / "config.toml")
    results = []
    for what in held:
        reduced = config_without(config, posterior, what, stored, sampler)
        refit = fit_reduced(reduced, max_time=max_time, max_calls=max_calls, overwrite=overwrite, quiet=quiet)
        results.append(_judge(stored, posterior, what, _enough(refit), draws, seed))
    single = [r for r in results if len(r.held_out.data_sets) == 1 and r.refit.converged]
    write_left_out(stored, {r.held_out.data_sets[0]: r.best for r in single})
    return tuple(results)


def _enough(run: Run) -> Run:
    if len(run.samples) < LEAST_SAMPLES:
        raise RunError(
            f"{run.name!r} holds {len(run.samples)} posterior samples: too few to average a likelihood over",
            where=str(run.path),
            remedy="sample longer; a search for the maximum has no samples",
        )
    return run


def fit_reduced(
    config: RunConfig,
    *,
    max_time: float | str | None = None,
    max_calls: int | None = None,
    overwrite: bool = False,
    quiet: bool = False,
) -> Run:
    """Fit, go on with a fit that was cut short, or take a finished one; parameters as for `stellarcr.run`."""
    going_on = not overwrite and (run_folder(config) / "manifest.json").exists()
    return fit(config, resume=going_on, overwrite=overwrite, max_time=max_time, max_calls=max_calls, quiet=quiet)


# ---------------------------------------------------------------------- judgement


def _judge(run: Run, posterior: Posterior, held_out: HeldOut, refit: Run, draws: int, seed: int) -> LeaveOutResult:
    values = np.sum([run.log_likelihood[name] for name in held_out.data_sets], axis=0)
    rng = np.random.default_rng(seed)
    predicted = held_out_log_likelihood(posterior, refit, held_out, rng)
    data = _held_out_data(posterior, held_out)
    return LeaveOutResult(
        held_out=held_out,
        refit=refit,
        points=sum(group.count for group in data.groups),
        samples=from_samples(values, effective_samples(run), volume_weights(run.nested, run.samples)),
        refitted=from_refit(predicted, effective_samples(refit), _tiled(refit, len(predicted))),
        evidences=_from_evidences(run, refit),
        prediction=predict_experiment(draws_of(refit, draws, seed), data, {}, 10_000, rng),
    )


def _tiled(run: Run, n: int) -> np.ndarray | None:
    """Weights under other prior volumes, for samples that are repeated to `n`."""
    weights = volume_weights(run.nested, run.samples)
    return None if weights is None else np.tile(weights, (1, n // len(run.samples)))


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
