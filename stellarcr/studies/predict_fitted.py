"""A stored run against the data that it was fitted to."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..infer.runs import Run
from .predict import PosteriorDraws, draws_of
from .predict_data import ExperimentPrediction, predict_experiment, require_samples


def predict_fitted(
    run: str | Path | Run | PosteriorDraws, *, draws: int = 500, replicates: int = 10_000, seed: int = 0
) -> tuple[ExperimentPrediction, ...]:
    """Test a stored run against the data that it was fitted to, with the ranges and errors of its fit.

    The data are used twice, so that p-values are conservative: only a small one means something.

    Parameters
    ----------
    run, draws, replicates, seed
        As for `predict_data`.

    Returns
    -------
    tuple of ExperimentPrediction
        In the order of the run's likelihoods.

    Raises
    ------
    RunError
        If the run cannot be read, belongs to another model or data, or holds too few samples.
    ParameterError
        For too few draws.
    """
    drawn = draws_of(run, draws, seed)
    require_samples(drawn)
    data = [likelihood.data for likelihood in drawn.posterior.likelihoods]
    streams = np.random.SeedSequence(seed).spawn(len(data))
    return tuple(
        predict_experiment(drawn, d, {}, replicates, np.random.default_rng(stream))
        for d, stream in zip(data, streams, strict=True)
    )
