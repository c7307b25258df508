"""Covariance of two species, one of which was published as a difference."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from ..data import Spectrum
from ..errors import DataError
from ..species import canonical_species
from .errors import IndependentErrors, correlation_matrix
from .schema import LikelihoodFile


def difference_covariance(
    tables: Sequence[Spectrum],
    blocks: Sequence[IndependentErrors | np.ndarray],
    file: LikelihoodFile,
    load: Callable[[str], Spectrum],
    path: Path,
) -> np.ndarray | None:
    """Covariance of a species with the one that was subtracted to obtain it; None if only one of them is fitted.

    With He = light - p in each bin: Cov_stat(p, He) = -sigma_p^2 and, from the three published systematic errors,
    Cov_sys(p, He) = (sigma_light^2 - sigma_p^2 - sigma_He^2)/2; between bins it follows each component's correlation.
    """
    choice = file.errors.difference
    assert choice is not False
    by_species = {t.species: k for k, t in enumerate(tables)}
    minuend, subtrahend = canonical_species(choice.minuend), canonical_species(choice.subtrahend)
    if minuend not in by_species or subtrahend not in by_species:
        return None
    first, second = tables[by_species[subtrahend]], tables[by_species[minuend]]
    total = load(canonical_species(choice.total))
    for other in (second, total):
        if len(other) != len(first) or not np.allclose(other.x.value, first.x.value, rtol=1e-6):
            raise DataError(
                f"tables {first.name!r} and {other.name!r} have different bins, so their covariance is not defined",
                where=f"{path}: [errors.difference]",
                remedy="fit the same range of both, or remove [errors.difference]",
            )
    if any(np.any(t.upper_limit) for t in tables):
        raise DataError(
            "upper limits cannot be part of a difference covariance",
            where=f"{path}: [errors.difference]",
            remedy="leave the limits out by the rigidity range",
        )
    sizes = [len(t) for t in tables]
    starts = np.concatenate([[0], np.cumsum(sizes)])
    covariance = np.zeros((starts[-1], starts[-1]))
    for k, block in enumerate(blocks):
        part = slice(starts[k], starts[k + 1])
        full = block if isinstance(block, np.ndarray) else np.diag((0.5 * (block.lower + block.upper)) ** 2)
        covariance[part, part] = full
    cross = -np.diag((0.5 * (first.stat_low.value + first.stat_high.value)) ** 2)
    log_rigidity = np.log(first.x.value)
    for name in first.systematics:
        kind = file.errors.systematic[name]
        sigma_p, sigma_he, sigma_total = (
            0.5 * (t.systematics[name][0].value + t.systematics[name][1].value) for t in (first, second, total)
        )
        product = sigma_p * sigma_he
        coefficient = np.divide(
            0.5 * (sigma_total**2 - sigma_p**2 - sigma_he**2), product, out=np.zeros_like(product), where=product > 0
        )
        mean = 0.5 * (coefficient[:, None] + coefficient)
        correlation = correlation_matrix(kind.correlation, log_rigidity, kind.length)
        cross = cross + np.outer(sigma_p, sigma_he) * mean * correlation
    a, b = by_species[subtrahend], by_species[minuend]
    covariance[starts[a] : starts[a + 1], starts[b] : starts[b + 1]] = cross
    covariance[starts[b] : starts[b + 1], starts[a] : starts[a + 1]] = cross.T
    return covariance
