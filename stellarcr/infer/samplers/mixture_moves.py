"""Moves that propose from a Gaussian mixture fitted to the walkers' own past.

Differential evolution needs hundreds of steps per independent sample in twenty dimensions, and where a posterior bends,
differences of walkers elsewhere point the wrong way. A mixture of Gaussians that resembles the posterior proposes
points far away that are accepted often; and its parts know the local shape, so that walkers can follow a bend. The
mixture is learned from all ensembles during burn-in and frozen before the first step that counts: from there on every
ensemble is a Markov chain of its own, with the same fixed proposals.
"""

from __future__ import annotations

import math

import numpy as np

from stellarcr.infer.posterior_protocol import FloatArray
from stellarcr.infer.samplers.mixture import Mixture
from stellarcr.infer.samplers.moves import EnsemblesMove

BEST_STEP = 2.38
"""Over the root of the number of parameters: the best step of a random walk in a Gaussian, in units of its width (the
factor of differential evolution, see :mod:`~stellarcr.infer.samplers.moves`)."""

SHORTEST_STEP = 0.2
"""Shortest local step over the best one: steps in between, even in their logarithm, serve bends that are tighter than
the part itself (project choice)."""


class MixtureMove(EnsemblesMove):
    """A move that knows a fixed mixture.

    Parameters
    ----------
    ensembles : int
        Number of independent ensembles.
    mixture : Mixture
        What it proposes from.
    """

    def __init__(self, ensembles: int, mixture: Mixture) -> None:
        super().__init__(ensembles)
        self.mixture = mixture


class Independence(MixtureMove):
    """Propose from a fixed mixture, whatever the walker's position; a Metropolis-Hastings step corrects for it."""

    def proposal(
        self, active: FloatArray, others: FloatArray, random: np.random.RandomState
    ) -> tuple[FloatArray, FloatArray]:
        """Propose points with the log ratio of the mixture's density, old over new."""
        old = active.reshape(-1, active.shape[-1])
        new = self.mixture.draw(random, len(old))
        factors = self.mixture.log_density(old) - self.mixture.log_density(new)
        return new.reshape(active.shape), factors.reshape(active.shape[:2])


class Local(MixtureMove):
    r"""Propose from a Gaussian around the walker, of the shape of one part of a fixed mixture.

    The part `k` is drawn with the share :math:`s_k(x) = w_k N_k(x) / q(x)` that it has in the mixture at the walker.
    Given `k` the proposal is symmetric, and the walker is a sample of :math:`p(x)\,s_k(x)`, so that the acceptance
    ratio gains the factor :math:`s_k(x') / s_k(x)`.
    """

    def proposal(
        self, active: FloatArray, others: FloatArray, random: np.random.RandomState
    ) -> tuple[FloatArray, FloatArray]:
        """Propose points with the log ratio of the part's shares, new over old."""
        old = active.reshape(-1, active.shape[-1])
        n, n_dim = old.shape
        log_shares = self.mixture.log_shares(old)
        below = np.cumsum(np.exp(log_shares[:-1]), axis=0)
        part = np.sum(random.rand(n) > below, axis=0)
        step = BEST_STEP / math.sqrt(n_dim) * SHORTEST_STEP ** random.rand(n, 1)
        noise = np.matmul(self.mixture.factors[part], random.randn(n, n_dim, 1))[..., 0]
        new = old + step * noise
        rows = np.arange(n)
        factors = self.mixture.log_shares(new)[part, rows] - log_shares[part, rows]
        return new.reshape(active.shape), factors.reshape(active.shape[:2])
