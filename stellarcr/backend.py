"""The array namespace, and the few functions that the Array API lacks.

Kernels are written against ``xp = namespace(array)``: NumPy by default. Any library that follows the
Array API standard (JAX among them) can hand in its arrays and get its own back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

Array = Any
"""An array of any Array API library; ``numpy.ndarray`` by default."""


def namespace(*arrays: Array) -> Any:
    """Return the array namespace of the first array that has one, NumPy if none does.

    Parameters
    ----------
    *arrays : array or float
        Arguments of a kernel.
    """
    for array in arrays:
        if isinstance(array, np.ndarray | np.generic):
            continue
        get = getattr(array, "__array_namespace__", None)
        if get is not None:
            return get()
    return np


def contiguous(array: Array) -> Array:
    """The same array laid out row by row, so that whole rows are read at once."""
    return np.ascontiguousarray(array) if isinstance(array, np.ndarray) else array


def expanded(array: Array, shape: tuple[int, ...], xp: Any) -> Array:
    """Broadcast an array, at no cost where its shape is right already.

    Parameters
    ----------
    array : array
        What is broadcast.
    shape : tuple of int
        To which shape.
    xp : module
        Its namespace.
    """
    return array if array.shape == shape else xp.broadcast_to(array, shape)


@dataclass(frozen=True, eq=False)
class Stencil:
    """A sparse matrix whose rows have about as many entries each: weighted sums over rows of an array.

    Attributes
    ----------
    index : numpy.ndarray of int
        ``(n_rows, n_entries)``: which rows of the array.
    weight : numpy.ndarray
        Their weights, of the same shape; zero where a row has fewer.
    size : int
        Rows of the array that it is applied to.
    """

    index: np.ndarray
    weight: np.ndarray
    size: int

    def __matmul__(self, array: Array) -> Array:
        """Apply it: ``(size, n)`` to ``(n_rows, n)``."""
        xp = namespace(array)
        if xp is np:
            return self._sparse @ array
        taken = xp.take(array, xp.asarray(self.index.ravel()), axis=0)
        weighted = xp.reshape(taken, (*self.index.shape, -1)) * xp.asarray(self.weight)[..., None]
        return xp.sum(weighted, axis=1)

    @cached_property
    def _sparse(self) -> Any:
        from scipy.sparse import csr_matrix

        rows = np.broadcast_to(np.arange(len(self.index))[:, None], self.index.shape)
        used = self.weight != 0.0
        shape = (len(self.index), self.size)
        return csr_matrix((self.weight[used], (rows[used], self.index[used])), shape=shape)


def sum_of_rows(target: np.ndarray, size: int) -> Stencil:
    """A stencil that adds up rows: row k of an array goes into row ``target[k]`` of ``size`` rows."""
    order = np.argsort(target, kind="stable")
    count = np.bincount(target, minlength=size)
    place = np.arange(len(target)) - np.repeat(np.cumsum(count) - count, count)
    index = np.zeros((size, int(count.max(initial=0))), dtype=int)
    weight = np.zeros(index.shape)
    index[target[order], place], weight[target[order], place] = order, 1.0
    return Stencil(index, weight, len(target))


def forward_substitution(
    lower: Array,
    right: Array,
    diagonal: Sequence[Array],
    couplings: Sequence[tuple[int, int, Array]] = (),
    factors: Mapping[int, Array] | None = None,
) -> Array:
    """Solve many triangular systems that share their off-diagonal part.

    d_i x_i = b_i + f_i sum_(j<i) L_ij x_j + sum_(j<i) c_ij x_j, for every column alike but b, d, c and f.

    Parameters
    ----------
    lower : array
        L, ``(n, n)``, or one for each of several groups of columns, ``(n_groups, n, n)``; only what lies below the
        diagonal is read.
    right : array
        b, ``(n, n_groups, n_sets, m)``; ``n_sets`` may be 1 where all sets of columns have the same.
    diagonal : sequence of array
        d, one array ``(n_groups, n_sets, m)`` for each of the n rows.
    couplings : sequence of (int, int, array)
        i, j and c_ij ``(n_groups, n_sets, m)`` of the few that differ between columns.
    factors : mapping of int to array, optional
        f_i, to be broadcast with these, of the rows that have one.

    Returns
    -------
    array
        x, ``(n, n_groups, n_sets, m)``.
    """
    xp = namespace(right)
    factors = factors or {}
    if xp is np:
        return _forward_substitution_in_blocks(lower, right, diagonal, couplings, factors)
    lower = xp.asarray(lower)
    shape = diagonal[0].shape
    solved: list[Array] = []
    for i in range(right.shape[0]):
        total = right[i, ...]
        if i:
            known = xp.stack([xp.reshape(x, (shape[0], -1)) for x in solved], axis=1)
            gained = xp.reshape(lower[..., i : i + 1, :i] @ known, shape)
            total = total + (gained * factors[i] if i in factors else gained)
        for row, column, value in couplings:
            if row == i:
                total = total + value * solved[column]
        solved.append(total / diagonal[i])
    return xp.stack(solved)


_BLOCK = 16
"""Rows that are eliminated together, so that most of the work is one matrix product."""


def _forward_substitution_in_blocks(
    lower: np.ndarray,
    right: np.ndarray,
    diagonal: Sequence[np.ndarray],
    couplings: Sequence[tuple[int, int, np.ndarray]],
    factors: Mapping[int, np.ndarray],
) -> np.ndarray:
    """`forward_substitution` for NumPy: writes into the array that it returns."""
    shape = diagonal[0].shape
    solved = np.empty((len(diagonal), *shape))
    shared = lower.ndim == 2
    flat = solved.reshape(len(diagonal), -1)
    grouped = solved.reshape(len(diagonal), shape[0], -1).transpose(1, 0, 2)

    def gained(rows: slice, columns: slice) -> np.ndarray:
        if shared:
            return (lower[rows, columns] @ flat[columns]).reshape(-1, *shape)
        return np.matmul(lower[:, rows, columns], grouped[:, columns]).transpose(1, 0, 2).reshape(-1, *shape)

    extra: dict[int, list[tuple[int, np.ndarray]]] = {}
    for row, column, value in couplings:
        extra.setdefault(row, []).append((column, value))
    for start in range(0, len(diagonal), _BLOCK):
        stop = min(start + _BLOCK, len(diagonal))
        outside = gained(slice(start, stop), slice(0, start)) if start else None
        for i in range(start, stop):
            total = gained(slice(i, i + 1), slice(start, i))[0] if i > start else None
            if outside is not None:
                total = outside[i - start] if total is None else np.add(total, outside[i - start], out=total)
            if total is None:
                total = right[i]
            else:
                if i in factors:
                    total *= factors[i]
                total += right[i]
            for column, value in extra.get(i, ()):
                total = total + value * solved[column]
            np.divide(total, diagonal[i], out=solved[i])
    return solved


def log_ndtr(x: Array) -> Array:
    """Logarithm of the standard normal distribution function, ln Phi(x).

    Parameters
    ----------
    x : array
        Standardised deviations.
    """
    xp = namespace(x)
    if xp.__name__.startswith("jax"):
        from jax.scipy.special import log_ndtr as jax_log_ndtr

        return jax_log_ndtr(x)
    from scipy.special import log_ndtr as scipy_log_ndtr

    return scipy_log_ndtr(x) if xp is np else xp.asarray(scipy_log_ndtr(np.asarray(x)))
