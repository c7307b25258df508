r"""Insertion ranks: a test of one nested-sampling run by itself.

Nested sampling replaces the live point of lowest likelihood by one drawn from the prior above that likelihood, the
contour of its birth. Then its rank among the other live points, by likelihood, is uniform. A sampler that does not draw
from the whole prior above the contour shows in the ranks, and its ln Z is wrong (Fowlie, Handley and Su 2020,
MNRAS 497, 5256).

What counts as live at a contour is every point born below it that lies above it. This holds for any order in which
points were made: for walkers that were started together and inserted one after the other (each is kept only if it lies
above the contour at which it is inserted, and is uniform there), and for batches of several runs that were merged.

The ranks, divided by the number of places, are compared with a uniform distribution by Kolmogorov and Smirnov's test:
all together, and in blocks as long as the number of live points, of which the least likely counts, corrected for their
number. The blocks see a fault of some stage of the run that the whole would hide. The p-value of the run is that of the
worse of the two, corrected for two.

Ranks cannot see new points that stay too near to the live points where their walks began: these live points are
uniform, and so are points that resemble them. Walks so short that some never moved give themselves away by likelihoods
that are equal to those of live points; their share is the second test. Between these and walks that are long enough,
nothing in a single run tells: longer walks, or the evidence by importance sampling, do.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from dataclasses import dataclass

import numpy as np
from scipy.stats import kstest

from stellarcr.errors import RunError
from stellarcr.infer.posterior_protocol import FloatArray

SUSPECT = 0.01
"""p-value below which a run is called suspect (project choice, as for the scatter of seeds)."""

LARGEST_REPEATED = 0.01
"""Share of repeated points above which a run is called suspect (project choice: where a quarter of the steps is
accepted, it is that of walks of 16 steps)."""

LEAST_INSERTIONS = 100
"""Insertions without which nothing is tested (project choice)."""


@dataclass(frozen=True)
class InsertionTest:
    """The test of one run.

    Attributes
    ----------
    insertions : int
        Points that were inserted.
    live_points : float
        Median number of points at an insertion, the new one included.
    mean_rank : float
        Mean of the ranks between 0 and 1; 1/2 with an error of 0.29 over the root of `insertions` if all is well.
    p_all : float
        p-value of all ranks together.
    p_blocks : float
        Smallest p-value of a block, corrected for their number.
    p_value : float
        Of the run: the smaller of the two, corrected for two.
    repeated : float
        Share of the points that have the likelihood of a point that was live when they were inserted.
    passed : bool
        Whether `p_value` is at least 0.01 and `repeated` at most 0.01.
    verdict : str
        The same in words.
    """

    insertions: int
    live_points: float
    mean_rank: float
    p_all: float
    p_blocks: float
    p_value: float
    repeated: float
    passed: bool
    verdict: str


def insertion_ranks(
    log_likelihood: FloatArray, log_likelihood_birth: FloatArray
) -> tuple[FloatArray, np.ndarray, np.ndarray]:
    """Rank every point among those that were live when it was born.

    Parameters
    ----------
    log_likelihood : array, shape (n,)
        Of all points of a run.
    log_likelihood_birth : array, shape (n,)
        Contours above which they were drawn; ``-inf`` for draws from the whole prior, which have no rank.

    Returns
    -------
    ranks : array, shape (m,)
        Between 0 and 1, by rising contour; uniform if all is well. Each is placed at random within its step, so that
        the distribution is continuous.
    live : array of int, shape (m,)
        Number of points at the insertion, the new one included.
    repeated : array of bool, shape (m,)
        Whether a point that was live has the same likelihood.
    """
    jitter = np.random.default_rng(0)
    live: list[float] = []
    ranks, counts, repeated = [], [], []
    for k in np.argsort(log_likelihood_birth, kind="stable"):
        value, birth = float(log_likelihood[k]), float(log_likelihood_birth[k])
        if np.isfinite(birth):
            del live[: bisect_right(live, birth)]
            # equal likelihoods have no order: any place among them is as good
            first, last = bisect_left(live, value), bisect_right(live, value)
            place = jitter.integers(first, last + 1)
            ranks.append((place + jitter.random()) / (len(live) + 1))
            counts.append(len(live) + 1)
            repeated.append(last > first)
        insort(live, value)
    return np.array(ranks), np.array(counts, dtype=int), np.array(repeated, dtype=bool)


def insertion_test(log_likelihood: FloatArray, log_likelihood_birth: FloatArray) -> InsertionTest:
    """Test whether new points of a nested run were drawn from the prior above their contours.

    Parameters
    ----------
    log_likelihood, log_likelihood_birth : array, shape (n,)
        As for :func:`insertion_ranks`.

    Raises
    ------
    RunError
        If there are fewer than 100 insertions.
    """
    ranks, live, repeated = insertion_ranks(log_likelihood, log_likelihood_birth)
    if len(ranks) < LEAST_INSERTIONS:
        raise RunError(
            f"{len(ranks)} insertions are too few to test",
            remedy=f"at least {LEAST_INSERTIONS} are needed: sample longer, or with more live points",
        )
    blocks = np.array_split(ranks, max(1, len(ranks) // max(int(np.median(live)), LEAST_INSERTIONS)))
    p_all = float(kstest(ranks, "uniform").pvalue)
    p_blocks = _corrected(min(float(kstest(block, "uniform").pvalue) for block in blocks), len(blocks))
    p_value = _corrected(min(p_all, p_blocks), 2)
    share, mean = float(np.mean(repeated)), float(np.mean(ranks))
    faults = []
    if share > LARGEST_REPEATED:
        faults.append(f"{100 * share:.1f}% of {len(ranks)} new points repeat a live one, so their walks never moved")
    if p_value < SUSPECT:
        faults.append(
            f"{len(ranks)} insertion ranks are not uniform (p = {p_value:.1g}, mean {mean:.3f} instead of 0.5), so new "
            "points were not drawn from the whole prior above their contours"
        )
    verdict = f"passed: {len(ranks)} insertion ranks are uniform (p = {p_value:.2g}), and hardly a point is repeated"
    if faults:
        verdict = f"suspect: {'; '.join(faults)}: sample with longer walks"
    return InsertionTest(
        insertions=len(ranks),
        live_points=float(np.median(live)),
        mean_rank=mean,
        p_all=p_all,
        p_blocks=p_blocks,
        p_value=p_value,
        repeated=share,
        passed=not faults,
        verdict=verdict,
    )


def _corrected(p_value: float, tests: int) -> float:
    """p-value of the smallest of several independent p-values."""
    return float(-np.expm1(tests * np.log1p(-p_value))) if p_value < 1.0 else 1.0
