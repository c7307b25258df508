"""What a trace plot shows, as plain arrays: chains, or the weighted samples of nested sampling."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ParameterError
from .columns import FloatArray


@dataclass(frozen=True, eq=False)
class ChainTrace:
    """The chains of a run, as a trace plot shows them.

    Attributes
    ----------
    name : str
        Name of the run.
    names, labels, units : sequence of str
        The parameters; labels in LaTeX without dollar signs.
    samples : numpy.ndarray, shape (n_chains, n_draws, n_parameters)
        Draws in order; for an ensemble sampler each walker is a chain.
    log_posterior : numpy.ndarray, shape (n_chains, n_draws)
        Log posterior of every draw.
    ensemble : sequence of int, optional
        To which independent ensemble each chain belongs; each is its own by default.
    steps : numpy.ndarray, shape (n_draws,), optional
        The sampler's step of each draw; 1, 2, ... by default.
    burn_in : int
        Steps up to this one are not used.
    r_hat, autocorrelation_time : mapping
        Diagnostics by parameter; the time in steps.
    """

    name: str
    names: Sequence[str]
    labels: Sequence[str]
    units: Sequence[str]
    samples: FloatArray
    log_posterior: FloatArray
    ensemble: Sequence[int] | None = None
    steps: NDArray[np.int_] | None = None
    burn_in: int = 0
    r_hat: Mapping[str, float] = field(default_factory=dict)
    autocorrelation_time: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        shape = (*np.shape(self.log_posterior), len(self.names))
        _check_shape(self.name, "samples", np.shape(self.samples), shape)
        if self.ensemble is not None:
            _check_shape(self.name, "ensemble", np.shape(self.ensemble), shape[:1])
        if self.steps is not None:
            _check_shape(self.name, "steps", np.shape(self.steps), shape[1:2])
        if not self.used.any():
            raise ParameterError(
                f"burn_in = {self.burn_in} of {self.step_numbers[-1]} steps leaves nothing to show",
                where=f"trace of run {self.name!r}",
                remedy="let the run go on for longer",
            )

    @property
    def step_numbers(self) -> NDArray[np.int_]:
        """The sampler's step of each draw."""
        return 1 + np.arange(np.shape(self.log_posterior)[1]) if self.steps is None else np.asarray(self.steps)

    @property
    def used(self) -> NDArray[np.bool_]:
        """Which draws come after burn-in."""
        return np.asarray(self.step_numbers > self.burn_in)


@dataclass(frozen=True, eq=False)
class NestedTrace:
    """The weighted samples of a nested-sampling run, in order of likelihood.

    Attributes
    ----------
    name : str
        Name of the run.
    names, labels, units : sequence of str
        The parameters; labels in LaTeX without dollar signs.
    samples : numpy.ndarray, shape (n_samples, n_parameters)
        Dead and last live points.
    log_likelihood, log_volume, log_weight : numpy.ndarray, shape (n_samples,)
        ln L, ln of the enclosed prior volume X, ln of the posterior weight (of any normalisation).
    log_evidence, log_evidence_error : float, optional
        ln Z and its error.
    """

    name: str
    names: Sequence[str]
    labels: Sequence[str]
    units: Sequence[str]
    samples: FloatArray
    log_likelihood: FloatArray
    log_volume: FloatArray
    log_weight: FloatArray
    log_evidence: float | None = None
    log_evidence_error: float | None = None

    def __post_init__(self) -> None:
        n = np.shape(self.log_likelihood)
        _check_shape(self.name, "samples", np.shape(self.samples), (*n, len(self.names)))
        _check_shape(self.name, "log_volume", np.shape(self.log_volume), n)
        _check_shape(self.name, "log_weight", np.shape(self.log_weight), n)


def _check_shape(name: str, what: str, shape: tuple[int, ...], expected: tuple[int, ...]) -> None:
    if shape != expected or 0 in shape:
        raise ParameterError(
            f"{what} has shape {shape}, expected {expected} with nothing empty", where=f"trace of run {name!r}"
        )


def trace_of(run: Any) -> ChainTrace | NestedTrace:
    """Take from a run what its trace plot shows.

    Parameters
    ----------
    run : stellarcr.infer.runs.Run
        A finished run, of an MCMC or nested sampler.

    Raises
    ------
    ParameterError
        If the run has neither a trace nor nested samples.
    """
    described = {"name": run.name, "names": run.names, "labels": run.labels, "units": run.units}
    if run.nested is not None:
        return NestedTrace(
            **described,
            samples=run.nested.theta,
            log_likelihood=run.nested.log_likelihood,
            log_volume=run.nested.log_prior_volume,
            log_weight=run.nested.log_weight,
            log_evidence=run.log_evidence,
            log_evidence_error=run.log_evidence_error,
        )
    if run.trace is None and "merged" in run.manifest:
        raise ParameterError(
            f"run {run.name!r} is merged of several, and keeps no trace", remedy="draw the runs that it was merged of"
        )
    if run.trace is None:
        raise ParameterError(
            f"run {run.name!r} has no trace: its sampler is {run.summary.get('sampler')!r}",
            remedy="run it with an MCMC or a nested sampler",
        )
    n_chains, n_steps, n_walkers, n_dim = run.trace.theta.shape
    parameters = run.summary["parameters"]
    return ChainTrace(
        **described,
        samples=np.moveaxis(run.trace.theta, 2, 1).reshape(-1, n_steps, n_dim),
        log_posterior=np.moveaxis(run.trace.log_posterior, 2, 1).reshape(-1, n_steps),
        ensemble=np.repeat(np.arange(n_chains), n_walkers).tolist() if n_walkers > 1 else None,
        steps=run.trace.steps,
        burn_in=int(run.summary.get("burn_in") or 0),
        r_hat={name: row["rhat"] for name, row in parameters.items() if row.get("rhat") is not None},
        autocorrelation_time={name: row["tau"] for name, row in parameters.items() if row.get("tau") is not None},
    )
