"""Covariance of two species, one of which was published as a difference."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from ..data import Spectrum
from ..errors import DataError
from ..species import canonical_species
from .components import component_correlation
from .errors import IndependentErrors
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
    Cov_sys(p, He) = (sigma_light^2 - sigma_p^2 - sigma_He^2)/2. Between bins i and j a systematic component has the
    covariance L_i L_j^T rho_ij of (p, He), with L_i the Cholesky factor of its 2x2 covariance in bin i: positive
    definite for any correlation rho, and as published within each bin. What p and He share, and what is He's alone,
    are each correlated like the component.
    """
    choice = file.errors.difference
    assert choice is not False
    by_species = {t.species: k for k, t in enumerate(tables)}
    minuend, subtrahend = canonical_species(choice.minuend), canonical_species(choice.subtrahend)
    if minuend not in by_species or subtrahend not in by_species:
        return None
    first, second = tables[by_species[subtrahend]], tables[by_species[minuend]]
    total = load(canonical_species(choice.total))
    where = f"{path}: [errors.difference]"
    for other in (second, total):
        same = len(other) == len(first) and other.axis == first.axis
        if not (same and np.allclose(other.x.value, first.x.value, rtol=1e-6)):
            raise DataError(
                f"tables {first.name!r} and {other.name!r} have different bins, so their covariance is not defined",
                where=where,
                remedy="fit the same range of both, or remove [errors.difference]",
            )
    if any(np.any(t.upper_limit) for t in tables):
        raise DataError(
            "upper limits cannot be part of a difference covariance",
            where=where,
            remedy="leave the limits out by the rigidity range",
        )
    starts = np.concatenate([[0], np.cumsum([len(t) for t in tables])])
    covariance = np.zeros((starts[-1], starts[-1]))
    for k, block in enumerate(blocks):
        part = slice(starts[k], starts[k + 1])
        full = block if isinstance(block, np.ndarray) else np.diag((0.5 * (block.lower + block.upper)) ** 2)
        covariance[part, part] = full
    pair = [slice(starts[k], starts[k + 1]) for k in (by_species[subtrahend], by_species[minuend])]
    for a, b, value in _pair_covariance(first, second, total, file, where):
        covariance[pair[a], pair[b]] = value
        covariance[pair[b], pair[a]] = value.T
    return covariance


def _pair_covariance(
    first: Spectrum, second: Spectrum, total: Spectrum, file: LikelihoodFile, where: str
) -> list[tuple[int, int, np.ndarray]]:
    """Blocks of the joint covariance that the tables alone do not give: of the difference, and of both."""
    for t in (second, total):
        if set(t.systematics) != set(first.systematics):
            raise DataError(
                f"{first.name!r} has the systematic errors {sorted(first.systematics)}, and {t.name!r} "
                f"{sorted(t.systematics)}: the covariance of a difference needs the same ones of all three tables",
                where=where,
                remedy="join the components into one, or remove [errors.difference]",
            )
    statistical = [0.5 * (t.stat_low.value + t.stat_high.value) for t in (first, second)]
    cross, own = -np.diag(statistical[0] ** 2), np.diag(statistical[1] ** 2)
    log_rigidity = np.log(first.x.value)
    for name in first.systematics:
        sigma, other, sum_of_both = (
            0.5 * (t.systematics[name][0].value + t.systematics[name][1].value) for t in (first, second, total)
        )
        correlation = component_correlation(file.errors.systematic[name], log_rigidity)
        # rows of the Cholesky factor of [[sigma^2, c], [c, other^2]]: (sigma, 0), (shared, alone)
        c = 0.5 * (sum_of_both**2 - sigma**2 - other**2)
        shared = np.divide(c, sigma, out=np.zeros_like(c), where=sigma > 0)
        squared = other**2 - shared**2
        impossible = np.flatnonzero((squared < -1e-9 * other**2) | ((sigma == 0) & (np.abs(c) > 1e-9 * other**2)))
        if len(impossible):
            k = int(impossible[0])
            raise DataError(
                f"systematic errors {name!r} of {first.name!r}, {second.name!r} and {total.name!r} at "
                f"{first.x.value[k]:.4g} {first.x.unit} ({sigma[k]:.3g}, {other[k]:.3g}, {sum_of_both[k]:.3g}) are not "
                "those of two fluxes and their sum",
                where=where,
                remedy="the error of a sum lies between the difference and the sum of both errors: remove "
                "[errors.difference], or leave the point out",
            )
        alone = np.sqrt(np.maximum(squared, 0.0))
        cross = cross + np.outer(sigma, shared) * correlation
        own = own + (np.outer(shared, shared) + np.outer(alone, alone)) * correlation
    return [(0, 1, cross), (1, 1, own)]
