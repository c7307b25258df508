"""Draw mock data in memory: the posterior of other measured values, with the responses of the first."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from astropy import units as u

from ..data.spectrum import Spectrum
from ..infer.posterior import Posterior
from ..likelihood.errors import CombinedErrors, ErrorModel, IndependentErrors, UpperLimits, combine, points_of
from ..likelihood.experiment import DataGroup, ExperimentData, ExperimentLikelihood


def draw_mock(posterior: Posterior, theta: np.ndarray, rng: np.random.Generator) -> Posterior:
    """Draw data at a truth; give the posterior of these data.

    Parameters
    ----------
    posterior : Posterior
        The problem with the published data: points, errors and covariances are taken over.
    theta : numpy.ndarray
        Truth ``(n_dim,)``, nuisance parameters included.
    rng : numpy.random.Generator
        Source of randomness.

    Raises
    ------
    DataError
        If an error model cannot be drawn from.
    """
    values = posterior.space.resolve(theta[None, :])
    spectra = posterior.sources.evaluate(values, 1)
    drawn = []
    for likelihood in posterior.likelihoods:
        predicted = likelihood.predict(spectra, values)
        variance = likelihood.scatter_variance(predicted, values)
        drawn.append(draw_experiment(likelihood.data, predicted[0], rng, None if variance is None else variance[0]))
    return with_data(posterior, drawn)


def with_data(posterior: Posterior, data: Sequence[ExperimentData]) -> Posterior:
    """Give the posterior of other data at the same points; nothing is tabulated again.

    Parameters
    ----------
    posterior : Posterior
        The problem.
    data : sequence of ExperimentData
        One for each of its experiments, with the same points in the same order.
    """
    pairs = zip(data, posterior.likelihoods, strict=True)
    likelihoods = tuple(ExperimentLikelihood(new, old.response) for new, old in pairs)
    values = b"".join(np.ascontiguousarray(new.values).tobytes() for new in data)
    fingerprint = hashlib.sha256(posterior.fingerprint.encode() + values).hexdigest()
    return replace(posterior, likelihoods=likelihoods, fingerprint=fingerprint)


def draw_experiment(
    data: ExperimentData, predicted: np.ndarray, rng: np.random.Generator, variance: np.ndarray | None = None
) -> ExperimentData:
    """Draw the measured values of one experiment.

    Errors are the published ones, absolute: they do not scale with the mock's fluxes, and a flux that is small against
    its error may become negative. An upper limit is what its likelihood means by it: the flux is measured with the
    limit's error; below the limit the limit is published again, above it the point becomes a measurement with that
    error.

    Parameters
    ----------
    data : ExperimentData
        Points, errors and limits.
    predicted : numpy.ndarray
        True fluxes, ratios or <ln A> ``(n_points,)`` at all points.
    rng : numpy.random.Generator
        Source of randomness.
    variance : numpy.ndarray, optional
        Of an intrinsic scatter, ``(n_points,)``; it is drawn as the errors are.
    """
    values = data.values.copy()
    seen = np.zeros(len(values), dtype=bool)
    sigma = np.zeros(len(values))
    groups = []
    for group in data.groups:
        points = group.points
        values[points], errors = _draw(
            group.errors, predicted[points], values[points], points_of(variance, points), rng
        )
        for inside, part in limit_parts(group.errors):
            sigma[points[inside]] = part.sigma
            seen[points[inside]] = values[points[inside]] != data.values[points[inside]]
        groups.append(DataGroup(group.name, points, errors))
    tables = tuple(
        _with_values(table, values[part], seen[part], sigma[part])
        for table, part in zip(data.tables, data.slices.values(), strict=True)
    )
    return ExperimentData(data.key, data.file, tables, tuple(groups))


def limit_parts(errors: ErrorModel) -> list[tuple[np.ndarray, UpperLimits]]:
    """Upper limits of a group of points, with the places of these points in the group."""
    if isinstance(errors, UpperLimits):
        return [(np.arange(errors.size), errors)]
    if isinstance(errors, CombinedErrors):
        return [(index[inside], part) for index, model in errors.parts for inside, part in limit_parts(model)]
    return []


def _draw(
    errors: ErrorModel,
    predicted: np.ndarray,
    published: np.ndarray,
    variance: np.ndarray | None,
    rng: np.random.Generator,
) -> tuple[np.ndarray, ErrorModel]:
    """Drawn values, and their error model: that of the points, but for limits that became measurements."""
    if isinstance(errors, CombinedErrors):
        values, parts = np.empty(errors.size), []
        for index, part in errors.parts:
            values[index], drawn = _draw(part, predicted[index], published[index], points_of(variance, index), rng)
            parts.append((index, drawn))
        return values, combine(parts)
    if isinstance(errors, UpperLimits):
        width = errors.sigma if variance is None else np.sqrt(errors.sigma**2 + variance)
        values = predicted + width * rng.standard_normal(errors.size)
        above = values > published
        kept, seen = np.flatnonzero(~above), np.flatnonzero(above)
        parts = [(kept, UpperLimits(errors.sigma[kept]))] if len(kept) else []
        if len(seen):
            parts.append((seen, IndependentErrors(errors.sigma[seen], errors.sigma[seen])))
        return np.where(above, values, published), combine(parts)
    return predicted + errors.draw(rng, 1, variance, predicted)[0], errors


def _with_values(table: Spectrum, values: np.ndarray, seen: np.ndarray, sigma: np.ndarray) -> Spectrum:
    """Replace values; a limit that became a measurement has the limit's width as its only error."""
    unit = table.value.unit
    changed = replace(table, value=values * unit, sha256="")
    if not np.any(seen):
        return changed

    def only(error: u.Quantity, here: np.ndarray) -> u.Quantity:
        return np.where(seen, here, error.to_value(unit)) * unit

    return replace(
        changed,
        stat_low=only(table.stat_low, sigma),
        stat_high=only(table.stat_high, sigma),
        systematics={
            name: (only(low, 0.0 * sigma), only(high, 0.0 * sigma)) for name, (low, high) in table.systematics.items()
        },
        upper_limit=table.upper_limit & ~seen,
    )
