"""Maximise a batched function on the unit cube: a global stage, then Newton-like polishing.

All derivatives are finite differences whose points are evaluated in one batch: a batch of 64 points costs little
more than one point.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from stellarcr.infer.posterior_protocol import FloatArray

Objective = Callable[[FloatArray], FloatArray]

EDGE = 1e-8
"""Distance kept from the faces of the cube, where an unbounded prior is infinite."""


def evolve(
    objective: Objective,
    population: FloatArray,
    rng: np.random.Generator,
    generations: int,
    tolerance: float = 1.0,
) -> tuple[FloatArray, FloatArray]:
    """Differential evolution: move a population towards the maximum.

    The strategy is "current to best" with the best drawn from the upper tenth, binomial crossover, and random
    factors: the scheme and ranges of ``scipy.optimize.differential_evolution`` ("currenttobest1bin", dithered
    mutation) with a whole generation per batch.

    Parameters
    ----------
    objective : callable
        Maps ``(n, n_dim)`` to ``(n,)``; -inf is allowed.
    population : array, shape (n, n_dim)
        First generation in the unit cube.
    rng : Generator
        Random numbers.
    generations : int
        Largest number of generations.
    tolerance : float
        Stop when best and worst differ by less.

    Returns
    -------
    tuple of arrays
        Last population and its values.
    """
    points, values = population.copy(), objective(population)
    n, n_dim = points.shape
    elite = max(2, n // 10)
    for _ in range(generations):
        if np.isfinite(values).all() and np.ptp(values) < tolerance:
            break
        best = np.argsort(-values)[rng.integers(elite, size=n)]
        one = rng.integers(n, size=n)
        two = (one + rng.integers(1, n, size=n)) % n
        factor = rng.uniform(0.4, 0.9, size=(n, 1))
        trial = points + factor * (points[best] - points) + factor * (points[one] - points[two])
        crossed = rng.random((n, n_dim)) < rng.uniform(0.5, 1.0, size=(n, 1))
        crossed[np.arange(n), rng.integers(n_dim, size=n)] = True
        trial = np.where(crossed, trial, points)
        # Outside the cube: half way to the face, so that maxima at a face are reached.
        trial = np.where(trial < EDGE, (points + EDGE) / 2, trial)
        trial = np.where(trial > 1 - EDGE, (points + 1 - EDGE) / 2, trial)
        trial_values = objective(trial)
        better = trial_values >= values
        points[better], values[better] = trial[better], trial_values[better]
    return points, values


def curvature_steps(objective: Objective, point: FloatArray, drop: float = 0.3) -> FloatArray:
    """Find per coordinate the largest step that changes the objective by at most `drop`.

    Parameters
    ----------
    objective : callable
        Batched function on the unit cube.
    point : array, shape (n_dim,)
        Where to measure.
    drop : float
        Largest change of the objective.

    Returns
    -------
    array, shape (n_dim,)
        Steps between 1e-6 and 0.1.
    """
    sizes = np.geomspace(1e-6, 0.1, 16)
    n_dim = len(point)
    moves = np.einsum("s,ij->sij", sizes, np.eye(n_dim)).reshape(-1, n_dim)
    up, down = np.clip(point + moves, EDGE, 1 - EDGE), np.clip(point - moves, EDGE, 1 - EDGE)
    values = objective(np.vstack([point, up, down]))
    change = np.abs(values[1:] - values[0]).reshape(2, len(sizes), n_dim)
    small = np.all(np.where(np.isfinite(change), change, np.inf) <= drop, axis=0)
    # The last size before the first that is too large: further out the function may come back.
    largest = np.where(small.all(axis=0), len(sizes), np.argmin(small, axis=0)) - 1
    return sizes[np.maximum(largest, 0)]


def gradient(objective: Objective, point: FloatArray, steps: FloatArray) -> tuple[float, FloatArray]:
    """Value and central-difference gradient from one batch of 2 n_dim + 1 points."""
    offsets = np.diag(steps)
    up, down = np.clip(point + offsets, EDGE, 1 - EDGE), np.clip(point - offsets, EDGE, 1 - EDGE)
    values = objective(np.vstack([point, up, down]))
    centre, above, below = values[0], values[1 : len(point) + 1], values[len(point) + 1 :]
    width = np.diag(up) - np.diag(down)
    with np.errstate(invalid="ignore"):
        slope = (above - below) / width
    return float(centre), np.where(np.isfinite(slope), slope, 0.0)


def hessian(objective: Objective, point: FloatArray, steps: FloatArray) -> tuple[float, FloatArray, FloatArray]:
    """Value, gradient and Hessian from one batch of 2 n_dim^2 + 1 points.

    Near a face the centre of the differences moves inside by at most one step. Entries whose differences are not
    finite are zero: the function says nothing about curvature there.

    Returns
    -------
    tuple
        Value at the centre, gradient ``(n_dim,)``, Hessian ``(n_dim, n_dim)``.
    """
    n_dim = len(point)
    centre = np.clip(point, EDGE + steps, 1 - EDGE - steps)
    axes = np.diag(steps)
    i, j = np.triu_indices(n_dim, 1)
    pairs = [axes[i] + axes[j], axes[i] - axes[j], -axes[i] + axes[j], -axes[i] - axes[j]]
    values = objective(centre + np.vstack([np.zeros(n_dim), axes, -axes, *pairs]))
    middle, up, down = values[0], values[1 : n_dim + 1], values[n_dim + 1 : 2 * n_dim + 1]
    matrix = np.empty((n_dim, n_dim))
    with np.errstate(invalid="ignore"):
        slope = (up - down) / (2 * steps)
        matrix[np.diag_indices(n_dim)] = (up - 2 * middle + down) / steps**2
        pp, pm, mp, mm = values[2 * n_dim + 1 :].reshape(4, -1)
        matrix[i, j] = matrix[j, i] = (pp - pm - mp + mm) / (4 * steps[i] * steps[j])
    slope = np.where(np.isfinite(slope), slope, 0.0)
    matrix = np.where(np.isfinite(matrix), matrix, 0.0)
    return float(middle), slope, matrix


def polish(
    objective: Objective, point: FloatArray, *, rounds: int = 40, gain: float = 1e-3
) -> tuple[FloatArray, float]:
    """Climb to the local maximum: L-BFGS-B in rescaled coordinates, then damped Newton steps.

    Parameters
    ----------
    objective : callable
        Batched function on the unit cube, finite at `point`.
    point : array, shape (n_dim,)
        Start.
    rounds : int
        Largest number of Newton steps.
    gain : float
        Stop when a Newton step gains less.

    Returns
    -------
    tuple
        Maximum ``(n_dim,)`` and its value.
    """
    best = np.clip(point, EDGE, 1 - EDGE)
    value = float(objective(best[np.newaxis])[0])
    best, value = _quasi_newton(objective, best, value)
    for _ in range(rounds):
        before = value
        best, value = _newton(objective, best, value)
        if value - before < gain:
            break
    return best, value


def _quasi_newton(objective: Objective, point: FloatArray, value: float) -> tuple[FloatArray, float]:
    # Imported here: it takes half a second, and whoever only reads runs does without.
    from scipy.optimize import minimize

    scale = curvature_steps(objective, point)
    floor = value - 1e6

    def negative(scaled: FloatArray) -> tuple[float, FloatArray]:
        here = np.clip(point + scaled * scale, EDGE, 1 - EDGE)
        centre, slope = gradient(objective, here, 0.03 * scale)
        # L-BFGS-B needs numbers: an impossible point is a very bad one.
        return -max(centre, floor), -slope * scale

    low, high = (EDGE - point) / scale, (1 - EDGE - point) / scale
    found = minimize(
        negative,
        np.zeros(len(point)),
        jac=True,
        method="L-BFGS-B",
        bounds=np.column_stack([low, high]),
        options={"maxiter": 300, "maxcor": 20},
    )
    end = np.clip(point + found.x * scale, EDGE, 1 - EDGE)
    end_value = float(objective(end[np.newaxis])[0])
    return (end, end_value) if end_value > value else (point, value)


def _newton(objective: Objective, point: FloatArray, value: float) -> tuple[FloatArray, float]:
    """Try Newton steps with many dampings and lengths in one batch, and take the best point."""
    scale = curvature_steps(objective, point)
    _, slope, matrix = hessian(objective, point, scale)
    slope, matrix = slope * scale, matrix * np.outer(scale, scale)
    # Coordinates at a face that the function pushes outward stay there.
    fixed = ((point <= 2 * EDGE) & (slope < 0)) | ((point >= 1 - 2 * EDGE) & (slope > 0))
    free = np.flatnonzero(~fixed)
    if len(free) == 0:
        return point, value
    curvature, vectors = np.linalg.eigh(-matrix[np.ix_(free, free)])
    along = vectors.T @ slope[free]
    moves = [
        vectors @ (along / (np.abs(curvature) + damping))
        for damping in np.geomspace(1e-6, 1e2, 17) * max(np.abs(curvature).max(), 1e-12)
    ]
    trial = np.tile(point, (2 * len(moves), 1))
    for row, move in enumerate(moves):
        trial[row, free] += scale[free] * move
        trial[row + len(moves), free] += 0.5 * scale[free] * move
    trial = np.clip(trial, EDGE, 1 - EDGE)
    values = objective(trial)
    best = int(np.argmax(values))
    return (trial[best], float(values[best])) if values[best] > value else (point, value)
