"""Ensemble moves that advance several independent ensembles together.

emcee moves one ensemble. Here the walkers of all ensembles make up one array, so that each half-step is one
large batch of points, while proposals for an ensemble use only its own walkers.

The snooker move is written out here because the one in emcee 3.1.6 does not leave the posterior invariant: it
divides by the square root of the distance instead of the distance, and uses half the exponent of the acceptance
ratio (corrected upstream in https://github.com/dfm/emcee/pull/531).
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from emcee.moves.move import Move

from stellarcr.infer.posterior_protocol import FloatArray


@dataclass(frozen=True)
class Heat:
    """The prior times a power of the likelihood.

    The prior stays as it is: to a power it need not have a finite integral, and walkers would run away.

    Attributes
    ----------
    power : float
        Power of the likelihood, one over the temperature.
    log_prior : callable
        Log prior of points ``(n, n_dim)``, shape ``(n,)``.
    """

    power: float
    log_prior: Callable[[FloatArray], FloatArray]

    def __call__(self, points: FloatArray, log_posterior: FloatArray) -> FloatArray:
        """Log of the heated density of points ``(n, n_dim)`` from their log posterior ``(n,)``; -inf stays."""
        possible = np.isfinite(log_posterior)
        heated = np.full(log_posterior.shape, -np.inf)
        log_prior = self.log_prior(points[possible])
        heated[possible] = log_prior + self.power * (log_posterior[possible] - log_prior)
        return heated


class EnsemblesMove(Move):
    """Split every ensemble at random into halves and move one with the help of the other.

    Parameters
    ----------
    ensembles : int
        Number of independent ensembles; the walkers of ensemble e are rows e W to (e + 1) W.
    """

    def __init__(self, ensembles: int) -> None:
        self.ensembles = ensembles
        self.heat: Heat | None = None
        """What is sampled instead of the posterior during burn-in, so that walkers spread to other modes."""

    @abstractmethod
    def proposal(
        self, active: FloatArray, others: FloatArray, random: np.random.RandomState
    ) -> tuple[FloatArray, FloatArray]:
        """Propose points.

        Parameters
        ----------
        active : array, shape (ensembles, n, n_dim)
            Walkers to move.
        others : array, shape (ensembles, n, n_dim)
            Walkers of the other half.
        random : RandomState
            emcee's generator.

        Returns
        -------
        tuple of arrays
            Points ``(ensembles, n, n_dim)`` and log proposal factors ``(ensembles, n)``.
        """

    def propose(self, model: Any, state: Any) -> tuple[Any, np.ndarray]:
        """Advance all walkers by one step (emcee's interface)."""
        n_total, n_dim = state.coords.shape
        n_walkers = n_total // self.ensembles
        random = model.random
        first_row = n_walkers * np.arange(self.ensembles)[:, np.newaxis]
        order = np.argsort(random.rand(self.ensembles, n_walkers), axis=1) + first_row
        one, two = order[:, : n_walkers // 2], order[:, n_walkers // 2 :]
        accepted = np.zeros(n_total, dtype=bool)
        for active, others in ((one, two), (two, one)):
            points, factors = self.proposal(state.coords[active], state.coords[others], random)
            points = points.reshape(-1, n_dim)
            log_prob, _ = model.compute_log_prob_fn(points)
            rows = active.ravel()
            old = state.log_prob[rows]
            if self.heat is None:
                gain = factors.ravel() + (log_prob - old)
            else:
                gain = factors.ravel() + (self.heat(points, log_prob) - self.heat(state.coords[rows], old))
            # 1 - rand() lies in (0, 1], so that the logarithm is finite.
            accept = gain > np.log(1.0 - random.rand(len(rows)))
            state.coords[rows[accept]] = points[accept]
            state.log_prob[rows[accept]] = log_prob[accept]
            accepted[rows] = accept
        return state, accepted


class DifferentialEvolution(EnsemblesMove):
    """Add the difference of two other walkers, times 2.38 / sqrt(2 n_dim), to a walker.

    The factor and its small scatter are those of ``emcee.moves.DEMove``, which follows Nelson et al. (2013).
    """

    scatter = 1e-5

    def proposal(
        self, active: FloatArray, others: FloatArray, random: np.random.RandomState
    ) -> tuple[FloatArray, FloatArray]:
        """Propose points; the proposal is symmetric."""
        n_ensembles, n, n_dim = active.shape
        i, j = _distinct(random, others.shape[1], (n_ensembles, n), 2)
        ensemble = np.arange(n_ensembles)[:, np.newaxis]
        difference = others[ensemble, i] - others[ensemble, j]
        factor = 2.38 / np.sqrt(2 * n_dim) * (1 + self.scatter * random.randn(n_ensembles, n, 1))
        return active + factor * difference, np.zeros((n_ensembles, n))


class Snooker(EnsemblesMove):
    """Move along the line to another walker z by a difference projected on it.

    With e the unit vector from z to x: x' = x + 1.7 e e.(z1 - z2), and the acceptance ratio gains a factor
    (|x' - z| / |x - z|)^(n_dim - 1), because the density of lines through z falls with the distance from it.
    """

    factor = 1.7

    def proposal(
        self, active: FloatArray, others: FloatArray, random: np.random.RandomState
    ) -> tuple[FloatArray, FloatArray]:
        """Propose points with the log of the distance factor."""
        n_ensembles, n, n_dim = active.shape
        ensemble = np.arange(n_ensembles)[:, np.newaxis]
        z, z1, z2 = (others[ensemble, k] for k in _distinct(random, others.shape[1], (n_ensembles, n), 3))
        distance = np.linalg.norm(active - z, axis=-1)
        # Two walkers at one point define no line: the point stays.
        safe = np.where(distance > 0.0, distance, 1.0)
        direction = (active - z) / safe[..., np.newaxis]
        step = self.factor * np.sum(direction * (z1 - z2), axis=-1)
        points = active + direction * step[..., np.newaxis]
        with np.errstate(divide="ignore"):
            factors = (n_dim - 1) * (np.log(np.linalg.norm(points - z, axis=-1)) - np.log(safe))
        return points, np.where(distance > 0.0, factors, -np.inf)


def _distinct(random: np.random.RandomState, n: int, shape: tuple[int, int], k: int) -> list[np.ndarray]:
    """Draw `k` (2 or 3) different indices below `n` for every walker."""
    i = random.randint(n, size=shape)
    j = random.randint(n - 1, size=shape)
    j = j + (j >= i)
    if k == 2:
        return [i, j]
    low, high = np.minimum(i, j), np.maximum(i, j)
    m = random.randint(n - 2, size=shape)
    m = m + (m >= low)
    m = m + (m >= high)
    return [i, j, m]
