"""The few functions beside the array namespace, against dense linear algebra."""

import numpy as np
import pytest

from stellarcr.backend import Stencil, forward_substitution, sum_of_rows

RNG = np.random.default_rng(8)


def dense(lower, right, diagonal, couplings=(), factors=None):
    """Solve every column by itself with LAPACK."""
    n, groups, sets, m = np.broadcast_shapes(right.shape, (len(diagonal), *diagonal[0].shape))
    solved = np.empty((n, groups, sets, m))
    for g in range(groups):
        for s in range(sets):
            for k in range(m):
                matrix = -np.tril(lower if lower.ndim == 2 else lower[g], -1)
                for row, factor in (factors or {}).items():
                    matrix[row] *= np.broadcast_to(factor, (groups, sets, m))[g, s, k]
                for row, column, value in couplings:
                    matrix[row, column] -= value[g, s, k]
                matrix += np.diag([d[g, s, k] for d in diagonal])
                solved[:, g, s, k] = np.linalg.solve(matrix, np.broadcast_to(right, solved.shape)[:, g, s, k])
    return solved


@pytest.mark.parametrize("n", [1, 2, 15, 16, 17, 40])
@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("sets", [1, 3])
def test_forward_substitution(n, shared, sets):
    groups, m = 2, 3
    lower = RNG.uniform(0, 1, (n, n) if shared else (groups, n, n))
    right = RNG.uniform(0, 1, (n, groups, 1, m))
    diagonal = list(RNG.uniform(3, 6, (n, groups, sets, m)))
    couplings = [(n - 1, 0, RNG.uniform(0, 1, (groups, sets, m))), (n // 2, 0, RNG.uniform(0, 1, (groups, sets, m)))]
    couplings = [c for c in couplings if c[0] > c[1]]
    factors = {n // 3: np.full(m, 0.7), n - 1: RNG.uniform(0.5, 2, m)}
    expected = dense(lower, right, diagonal, couplings, factors)
    before = right.copy()
    found = forward_substitution(lower, right, diagonal, couplings, factors)
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    # the arguments are left alone, and their order in memory does not matter
    np.testing.assert_array_equal(right, before)
    other = [np.asfortranarray(d) for d in diagonal]
    again = forward_substitution(lower, np.asfortranarray(right), other, couplings, factors)
    np.testing.assert_allclose(again, expected, rtol=1e-12)


def test_what_lies_above_the_diagonal_is_not_read():
    lower = RNG.uniform(0, 1, (20, 20))
    right, diagonal = RNG.uniform(0, 1, (20, 1, 1, 2)), list(RNG.uniform(3, 6, (20, 1, 1, 2)))
    np.testing.assert_array_equal(
        forward_substitution(lower, right, diagonal), forward_substitution(np.tril(lower, -1), right, diagonal)
    )


def test_a_stencil_is_a_matrix():
    index = RNG.integers(0, 9, (5, 3))
    weight = RNG.normal(size=(5, 3))
    weight[2] = 0.0
    matrix = np.zeros((5, 9))
    np.add.at(matrix, (np.arange(5)[:, None], index), weight)
    array = RNG.normal(size=(9, 4))
    np.testing.assert_allclose(Stencil(index, weight, 9) @ array, matrix @ array, rtol=1e-13, atol=1e-13)


def test_rows_are_added_up():
    target = np.array([2, 0, 2, 2, 4])
    array = RNG.normal(size=(5, 3))
    expected = np.zeros((6, 3))
    np.add.at(expected, target, array)
    np.testing.assert_allclose(sum_of_rows(target, 6) @ array, expected, rtol=1e-14)
    assert (sum_of_rows(np.zeros(0, dtype=int), 2) @ np.zeros((0, 3))).shape == (2, 3)
