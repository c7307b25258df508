"""What the UltraNest adapter needs around UltraNest: a quiet surrounding, first live points, recorded slice steps.

UltraNest draws from NumPy's global random state, in its regions, its steps and its error of ln Z. It is seeded anew
before and after every batch of steps, and put back when the run ends. A batch is then decided by its number, the live
points and the region; a resumed run reads the batches that it has made from its record instead of sampling them, and
comes to the point where it was left.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from stellarcr.infer.posterior_protocol import FloatArray

STOP = 2**60
"""More calls than UltraNest is allowed: reporting them makes it end."""

Function = Callable[[FloatArray], FloatArray]


class OneProcess:
    """An MPI communicator of one process: UltraNest would take over the processes of an MPI job, which are ours."""

    def Get_size(self) -> int:
        """Give the number of processes."""
        return 1

    def Get_rank(self) -> int:
        """Give the number of this process."""
        return 0


@dataclass
class FirstPoints:
    """Hands UltraNest its first live points, in the form of its stores of points; keeps nothing.

    UltraNest would draw them itself, and cannot tell impossible ones.
    """

    unit: FloatArray
    log_likelihood: FloatArray
    ncalls: int = 0
    given: int = 0
    stack: tuple[()] = ()

    @property
    def stack_empty(self) -> bool:
        """Whether all points were given."""
        return self.given >= len(self.unit)

    def pop(self, threshold: float) -> tuple[int | None, FloatArray | None]:
        """Give the next point as a row (threshold, log likelihood, quality, point, point)."""
        if self.stack_empty or threshold > -np.inf:
            return None, None
        k, self.given = self.given, self.given + 1
        return k, np.concatenate([[-np.inf, self.log_likelihood[k], 0.0], self.unit[k], self.unit[k]])

    def add(self, row: Any, ncalls: int) -> int:
        """Keep nothing."""
        return 0

    def reset(self) -> None:
        """Begin nothing anew."""

    def flush(self) -> None:
        """Write nothing."""

    def close(self) -> None:
        """Hold nothing."""


@contextmanager
def quiet_and_restored(seed: int) -> Iterator[list[str]]:
    """Seed NumPy's global random state and put it back; gather UltraNest's warnings instead of printing its log."""
    messages: list[str] = []

    class _Gather(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            messages.append(" ".join(record.getMessage().split()))

    logger = logging.getLogger("ultranest")
    handlers, level, propagate = list(logger.handlers), logger.level, logger.propagate
    state = np.random.get_state()  # noqa: NPY002  (UltraNest's own source of randomness)
    logger.handlers, logger.propagate = [_Gather(logging.WARNING)], False
    logger.setLevel(logging.WARNING)
    try:
        reseed(seed, 0)
        yield messages
    finally:
        np.random.set_state(state)  # noqa: NPY002
        logger.handlers, logger.propagate = handlers, propagate
        logger.setLevel(level)


def reseed(seed: int, moment: int) -> None:
    """Seed NumPy's global random state for one moment of a run."""
    np.random.seed(np.random.SeedSequence([seed, 5, moment]).generate_state(8))  # noqa: NPY002


@dataclass
class Batches:
    """Batches of new points, in order.

    Attributes
    ----------
    unit : list of array, each (batch, n_dim)
        Points in the unit cube.
    log_likelihood : list of array, each (batch,)
        Their log likelihood.
    far_enough : list of float
        Share of points that moved farther than the live points' mutual distance in UltraNest's measure.
    """

    unit: list[FloatArray] = field(default_factory=list)
    log_likelihood: list[FloatArray] = field(default_factory=list)
    far_enough: list[float] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.unit)

    def arrays(self, first: int) -> dict[str, np.ndarray]:
        """Batches from number `first` on, as arrays by name."""
        return {
            "unit": np.array(self.unit[first:]),
            "log_likelihood": np.array(self.log_likelihood[first:]),
            "far_enough": np.array(self.far_enough[first:]),
        }

    def extend(self, arrays: dict[str, np.ndarray]) -> None:
        """Append what :meth:`arrays` gave."""
        self.unit += list(arrays["unit"])
        self.log_likelihood += list(arrays["log_likelihood"])
        self.far_enough += [float(value) for value in arrays["far_enough"]]


def birth_contours(root: Any, log_likelihood: FloatArray) -> FloatArray:
    """Contour above which each point was drawn, from UltraNest's tree of points; ``-inf`` for the first live points."""
    births, open_nodes = {}, [root]
    while open_nodes:
        node = open_nodes.pop()
        births.update({child.value: node.value for child in node.children})
        open_nodes += node.children
    return np.array([births[value] for value in log_likelihood], dtype=float)


class RecordedSteps:
    """A step sampler of UltraNest whose batches are recorded.

    Parameters
    ----------
    steps : ultranest.popstepsampler.PopulationSimpleSliceSampler
        Makes a batch.
    batches : Batches
        Batches of earlier sessions, used before new ones are made; new ones are appended.
    seed : int
        Seed of the run.
    after : callable
        Called after each batch with whether it is new; returns whether to stop.
    """

    def __init__(self, steps: Any, batches: Batches, seed: int, after: Callable[[bool], bool]) -> None:
        self.steps, self.batches, self.nsteps = steps, batches, steps.nsteps
        self.number = 0
        self._seed, self._after = seed, after
        self._waiting: list[tuple[FloatArray, float]] = []

    def region_changed(self, values: FloatArray, region: Any) -> None:
        """Pass on what UltraNest tells."""
        self.steps.region_changed(values, region)

    def __next__(
        self, region: Any, *, Lmin: float, us: FloatArray, Ls: FloatArray, transform: Function, loglike: Function,
        **others: Any,
    ) -> tuple[FloatArray, FloatArray, float, int]:  # fmt: skip
        """Give a new point above `Lmin`: in the cube, as a parameter (the same), its log likelihood, and calls."""
        calls = 0
        if not self._waiting:
            new = self.number == len(self.batches)
            if new:
                self._sample(region, Lmin, us, Ls, transform, loglike)
            k, self.number = self.number, self.number + 1
            self._waiting = list(zip(self.batches.unit[k], self.batches.log_likelihood[k], strict=True))[::-1]
            reseed(self._seed, 2 * k + 2)
            calls = STOP if self._after(new) else 0
        unit, value = self._waiting.pop()
        return unit, unit, value, calls

    def _sample(
        self,
        region: Any,
        threshold: float,
        unit: FloatArray,
        values: FloatArray,
        transform: Function,
        loglike: Function,
    ) -> None:
        reseed(self._seed, 2 * self.number + 1)
        # Always empty here: each batch is taken over as a whole.
        first = self.steps.__next__(region, threshold, unit, values, transform, loglike)
        points = [first[:3], *self.steps.prepared_samples]
        self.steps.prepared_samples = []
        self.batches.unit.append(np.array([point[0] for point in points]))
        self.batches.log_likelihood.append(np.array([point[2] for point in points]))
        self.batches.far_enough.append(float(self.steps.logstat[-1][3]))
