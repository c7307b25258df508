"""What a sampler needs to know of a problem, and nothing more."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


@runtime_checkable
class Posterior(Protocol):
    """A Bayesian problem with batched functions.

    Every function takes points of shape ``(n, n_dim)`` and gives ``(n,)`` float64; objects are picklable, so
    that worker processes receive them once. Samplers, run folders and summaries use only what is listed here.

    An implementation may also have ``reference()``, which returns one point ``(n_dim,)`` inside the prior:
    the search for the maximum then starts there too; and ``parameter_records()``, which gives for every free
    parameter's name a dict of ``group`` (such as ``"nuisances"``) and ``prior`` (a mapping): run folders keep them.
    """

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the free parameters, in order."""
        ...

    @property
    def labels(self) -> tuple[str, ...]:
        """LaTeX labels without dollar signs."""
        ...

    @property
    def units(self) -> tuple[str, ...]:
        """Units as text; empty for a pure number."""
        ...

    @property
    def n_dim(self) -> int:
        """Number of free parameters."""
        ...

    @property
    def fingerprint(self) -> str:
        """SHA-256 (hex) of everything that defines the problem."""
        ...

    def log_prior(self, theta: FloatArray) -> FloatArray:
        """Log of the normalised prior density; ``-inf`` outside its support."""
        ...

    def log_likelihood(self, theta: FloatArray) -> FloatArray:
        """Log of the normalised likelihood; need not be evaluated where the prior is zero."""
        ...

    def log_posterior(self, theta: FloatArray) -> FloatArray:
        """Sum of log prior and log likelihood; ``-inf`` where the prior is zero."""
        ...

    def prior_transform(self, unit_cube: FloatArray) -> FloatArray:
        """Map points of the unit cube to parameters, ``(n, n_dim)`` to ``(n, n_dim)``."""
        ...

    def sample_prior(self, rng: np.random.Generator, n: int) -> FloatArray:
        """Draw `n` points from the prior."""
        ...

    def log_likelihood_terms(self, theta: FloatArray) -> dict[str, FloatArray]:
        """Log likelihood of each data set."""
        ...

    def derived(self, theta: FloatArray) -> dict[str, FloatArray]:
        """Quantities derived from the parameters."""
        ...

    def chi2_terms(self, theta: FloatArray) -> dict[str, tuple[FloatArray, int]]:
        """Chi-squared and number of points of each data set."""
        ...


@runtime_checkable
class Collapsed(Protocol):
    """A posterior from which parameters were integrated out, and that can give them back."""

    def restored(self, maximum: Any, result: Any, seed: int) -> tuple[Posterior, Any, Any]:
        """Give the full posterior, its maximum and samples with all parameters.

        Parameters
        ----------
        maximum : MapResult
            Of the posterior that was sampled.
        result : SamplerResult
            Its samples.
        seed : int
            Seed of the draws.
        """
        ...


def describe_point(posterior: Any, theta: FloatArray) -> str:
    """Write a point as ``name = value unit, ...`` for an error message."""
    pairs = zip(posterior.names, np.ravel(theta), posterior.units, strict=True)
    return ", ".join(f"{name} = {value:.10g}{' ' + unit if unit else ''}" for name, value, unit in pairs)
