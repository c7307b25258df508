"""What a calibration found: ranks, tests, verdict."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ..infer.calibration import LEAST_MOCKS, LOG_LIKELIHOOD, MockFit, MockRecord, Uniformity, holm, uniformity_of

LEVEL = 0.05
"""Probability that a right calibration is called wrong (project choice, the usual one)."""


@dataclass(frozen=True)
class Calibration:
    """Ranks of truths in the posteriors of their mock data, and whether they are uniform.

    Attributes
    ----------
    records : tuple of MockRecord
        Every mock, failed and unconverged ones included.
    draws : int
        Posterior draws among which truths were ranked.
    quantities : tuple of str
        Free parameters and `LOG_LIKELIHOOD`.
    labels : dict of str
        LaTeX labels of the quantities.
    tests : dict of Uniformity
        By quantity; empty if fewer than `LEAST_MOCKS` mocks have ranks.
    corrected : dict of (float, float)
        p-values of chi2 and distance after Holm's correction for the number of all tests, by quantity.
    """

    records: tuple[MockRecord, ...]
    draws: int
    quantities: tuple[str, ...]
    labels: Mapping[str, str]
    tests: Mapping[str, Uniformity]
    corrected: Mapping[str, tuple[float, float]]

    @property
    def ranked(self) -> tuple[MockRecord, ...]:
        """Mocks with ranks, converged or not: all of them are tested, since leaving some out would bias the ranks."""
        return tuple(record for record in self.records if record.ranks)

    @property
    def failed(self) -> tuple[MockRecord, ...]:
        """Mocks whose fit ended with an error: they have no ranks."""
        return tuple(record for record in self.records if not record.ranks)

    @property
    def unconverged(self) -> tuple[MockRecord, ...]:
        """Mocks with ranks whose fit did not converge."""
        return tuple(record for record in self.ranked if not record.converged)

    @property
    def uniform(self) -> bool | None:
        """Whether no corrected test rejects; None where nothing was tested."""
        if not self.tests:
            return None
        return min(min(pair) for pair in self.corrected.values()) >= LEVEL

    @property
    def rejected(self) -> int:
        """Single tests below `LEVEL` before the correction."""
        return sum(p < LEVEL for test in self.tests.values() for p in (test.chi2_p, test.distance_p))

    @property
    def expected_rejections(self) -> float:
        """How many of them chance alone gives."""
        return LEVEL * 2 * len(self.tests)

    @property
    def verdict(self) -> str:
        """Say it in one line, with the numbers."""
        n, failed, unconverged = len(self.records), len(self.failed), len(self.unconverged)
        if self.uniform is None:
            words = f"not tested: {len(self.ranked)} of {n} mocks have ranks, and a test needs {LEAST_MOCKS}"
        else:
            least = min(min(pair) for pair in self.corrected.values())
            words = (
                f"{'uniform' if self.uniform else 'NOT uniform'}: {n} mocks, smallest p-value of "
                f"{2 * len(self.tests)} tests {least:.3g} after Holm's correction; {self.rejected} below "
                f"{LEVEL:g} before it, {self.expected_rejections:.1f} expected"
            )
        if failed:
            words += f"; {failed} fits FAILED and have no ranks"
        if missed := sum(record.missed_mode for record in self.ranked):
            words += f"; {missed} fits MISSED A MODE, in which the truth lies"
        if unconverged:
            words += f"; {unconverged} fits did not converge (their ranks are counted)"
        return words

    def ranks_of(self, quantity: str) -> np.ndarray:
        """Ranks ``(n,)`` of one quantity, in the order of the mocks."""
        return np.array([record.ranks[quantity] for record in self.ranked], dtype=int)

    def csv(self) -> str:
        """One row per mock: its number, fit, truths and ranks."""
        text = io.StringIO()
        parameters = [name for name in self.quantities if name != LOG_LIKELIHOOD]
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(
            ["mock", "converged", "effective_samples", "above_maximum", "calls", "seconds"]
            + [f"truth:{name}" for name in parameters]
            + [f"rank:{name}" for name in self.quantities]
        )
        for record in self.records:
            effective = "" if record.effective_samples is None else f"{record.effective_samples:.0f}"
            above = "" if record.above_maximum is None else f"{record.above_maximum:.3f}"
            writer.writerow(
                [record.index, str(record.converged).lower(), effective, above, record.calls, f"{record.seconds:.2f}"]
                + [repr(record.truth[name]) for name in parameters]
                + [record.ranks.get(name, "") for name in self.quantities]
            )
        return text.getvalue()

    def to_dict(self) -> dict[str, Any]:
        """Everything but the single ranks, for JSON."""
        return {
            "verdict": self.verdict,
            "uniform": self.uniform,
            "mocks": len(self.records),
            "draws": self.draws,
            "failed": {record.index: record.verdict for record in self.failed},
            "unconverged": {record.index: record.verdict for record in self.unconverged},
            "level": LEVEL,
            "rejected": self.rejected,
            "expected_rejections": self.expected_rejections,
            "seconds": sum(record.seconds for record in self.records),
            "calls": sum(record.calls for record in self.records),
            "quantities": {
                name: asdict(test)
                | {"chi2_p_holm": self.corrected[name][0], "distance_p_holm": self.corrected[name][1]}
                for name, test in self.tests.items()
            },
        }


def assess(records: Sequence[MockRecord], fit: MockFit) -> Calibration:
    """Test the ranks of all mocks.

    Parameters
    ----------
    records : sequence of MockRecord
        Every mock, in order.
    fit : MockFit
        What was calibrated.
    """
    quantities = (*fit.posterior.names, LOG_LIKELIHOOD)
    ranked = [record for record in records if record.ranks]
    tests = {}
    if len(ranked) >= LEAST_MOCKS:
        tests = {name: uniformity_of(np.array([r.ranks[name] for r in ranked]), fit.draws) for name in quantities}
    pairs = holm(np.array([p for test in tests.values() for p in (test.chi2_p, test.distance_p)])).reshape(-1, 2)
    return Calibration(
        records=tuple(records),
        draws=fit.draws,
        quantities=quantities,
        labels=dict(zip(fit.posterior.names, fit.posterior.labels, strict=True)) | {LOG_LIKELIHOOD: r"\ln L"},
        tests=tests,
        corrected={name: (float(a), float(b)) for name, (a, b) in zip(tests, pairs, strict=True)},
    )
