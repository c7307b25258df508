"""A chain in bounded memory: when it is full, every second stored step is dropped.

What is stored depends only on the number of steps, never on time, so that a resumed run stores the same.
"""

from __future__ import annotations

import numpy as np

from stellarcr.infer.posterior_protocol import FloatArray


class StoredChain:
    """Every `stride`-th step of all walkers.

    Parameters
    ----------
    n_walkers : int
        Walkers, all ensembles together.
    n_dim : int
        Parameters.
    capacity : int
        Stored steps at which the stride doubles; even.
    """

    def __init__(self, n_walkers: int, n_dim: int, capacity: int) -> None:
        self.capacity = capacity
        self.stride = 1
        self.n_stored = 0
        self._coords = np.empty((capacity, n_walkers, n_dim))
        self._log_prob = np.empty((capacity, n_walkers))

    @property
    def coords(self) -> FloatArray:
        """Stored points, shape (n_stored, n_walkers, n_dim)."""
        return self._coords[: self.n_stored]

    @property
    def log_prob(self) -> FloatArray:
        """Their log posterior, shape (n_stored, n_walkers)."""
        return self._log_prob[: self.n_stored]

    def add(self, step: int, coords: FloatArray, log_prob: FloatArray) -> bool:
        """Store a step (counted from 1) if it is one to store; say whether old steps were dropped."""
        if step % self.stride:
            return False
        self._coords[self.n_stored] = coords
        self._log_prob[self.n_stored] = log_prob
        self.n_stored += 1
        if self.n_stored < self.capacity:
            return False
        # Stored are steps stride, 2 stride, ...: keep every second, the multiples of the doubled stride.
        half = self.capacity // 2
        self._coords[:half] = self._coords[1::2].copy()
        self._log_prob[:half] = self._log_prob[1::2].copy()
        self.n_stored = half
        self.stride *= 2
        return True

    def restore(self, stride: int, coords: FloatArray, log_prob: FloatArray) -> None:
        """Take over stored steps of a checkpoint."""
        self.stride = stride
        self.n_stored = len(coords)
        self._coords[: self.n_stored] = coords
        self._log_prob[: self.n_stored] = log_prob


def capacity_for(memory_mb: float, n_walkers: int, n_dim: int) -> int:
    """Even number of stored steps that fit the memory, at least 512."""
    per_step = 8 * n_walkers * (n_dim + 1)
    return max(512, int(memory_mb * 1e6 / per_step) // 2 * 2)
