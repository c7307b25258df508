"""Sets of points that are independent of each other, and the error model of each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ..data import Spectrum
from ..errors import ConfigError, DataError, nearest
from ..observe.axes import rigidity
from ..species import dominant_isotope, members, parts
from .components import component_correlation, gaussian_errors
from .difference import difference_covariance
from .errors import CorrelatedErrors, ErrorModel, IndependentErrors, UpperLimits, combine
from .mixture import MixtureErrors, mixture
from .schema import LikelihoodFile

LIMIT_CONFIDENCE = 1.645
"""Width of a limit that comes without an error: a 95% one-sided limit of a measurement of zero (project choice)."""

LOG_MASS = "lnA"
"""Name of the mean logarithmic mass among species."""


@dataclass(frozen=True, eq=False)
class DataGroup:
    """Points whose likelihood cannot be split further.

    Attributes
    ----------
    name : str
        Experiment and species, such as ``AMS-02 He`` or ``LHAASO H+He``.
    points : numpy.ndarray of int
        Where they lie in the vector of all points of the experiment.
    errors : ErrorModel
        Over these points.
    """

    name: str
    points: np.ndarray
    errors: ErrorModel

    @property
    def count(self) -> int:
        """Number of measured points: of a measurement that is there for several models, those of one."""
        return self.errors.count if isinstance(self.errors, MixtureErrors) else len(self.points)


def representative_rigidity(spectrum: Spectrum) -> np.ndarray:
    """Rigidity [GV] of a spectrum's points, for the dominant isotope (hydrogen for p+He and all-particle).

    Of a ratio the smaller of numerator's and denominator's.
    """
    nuclides = [dominant_isotope(members(part)[0]) for part in parts(spectrum.species)]
    return np.min([rigidity(spectrum.axis, spectrum.x.value, nuclide) for nuclide in nuclides], axis=0)


def measured_name(spectrum: Spectrum) -> str:
    """What a table measures, by the name that likelihood files use: its species, or ``lnA``."""
    return LOG_MASS if spectrum.quantity == LOG_MASS else spectrum.species


def with_assumed_errors(spectrum: Spectrum, file: LikelihoodFile) -> Spectrum:
    """Add the errors that a file assumes: to tables that publish no systematic one, or to every table.

    Upper limits keep their width. Statistical errors below the file's floor are raised to it.
    """
    measured = np.where(spectrum.upper_limit, 0.0, 1.0) * spectrum.value
    if file.errors.statistical_floor:
        least = file.errors.statistical_floor * np.abs(measured)
        raised = {name: np.maximum(getattr(spectrum, name), least) for name in ("stat_low", "stat_high")}
        spectrum = replace(spectrum, **raised)
    assumed = {
        name: c.relative * np.abs(measured)
        for name, c in file.errors.systematic.items()
        if c.relative and (c.every_table or not spectrum.systematics)
    }
    systematics = {**spectrum.systematics, **{name: (error, error) for name, error in assumed.items()}}
    return replace(spectrum, systematics=systematics)


def check_components(tables: Sequence[Spectrum], file: LikelihoodFile, path: Path) -> None:
    """Refuse components that no table has, and published ones that the file does not mention.

    Raises
    ------
    ConfigError
        Names the component.
    """
    published = {name for t in tables for name in t.systematics}
    for name in file.errors.systematic:
        if name not in published:
            raise ConfigError(
                f"errors.systematic.{name}: the tables have no such component",
                where=str(path),
                remedy=nearest(name, published),
            )
    missing = published - set(file.errors.systematic)
    if missing:
        raise ConfigError(
            f"the tables hold the systematic errors {sorted(missing)}, which [errors.systematic] does not mention",
            where=str(path),
            remedy="say how each is correlated: uncorrelated, full, length, or in parts",
        )


def data_groups(
    alternatives: Sequence[Sequence[Spectrum]],
    file: LikelihoodFile,
    load: Callable[[str, str | None], Spectrum],
    path: Path,
) -> tuple[DataGroup, ...]:
    """Error models of the tables; of several hadronic models one common group, whose likelihood is their mean.

    Parameters
    ----------
    alternatives : sequence of sequence of Spectrum
        The tables, for each hadronic model.
    file : LikelihoodFile
        How errors are correlated.
    load : callable
        Selected points of a species and hadronic model.
    path : Path
        The file, for messages.
    """
    models = file.hadronic_models
    each = [
        _groups(tables, file, lambda s, model=model: load(s, model), path)  # type: ignore[misc]
        for tables, model in zip(alternatives, models, strict=True)
    ]
    if len(each) == 1:
        return each[0]
    joined, start = [], 0
    for tables, groups in zip(alternatives, each, strict=True):
        errors = combine([(group.points, group.errors) for group in groups])
        joined.append((start + np.arange(errors.size), errors))
        start += errors.size
        _check_same_bins(alternatives[0], tables, path)
    tables = alternatives[0]
    values = np.concatenate([t.value.value for some in alternatives for t in some])
    weights = file.hadronic_weights or (1.0,) * len(models)
    name = f"{file.experiment} {'+'.join(measured_name(t) for t in tables)}"
    try:
        errors = mixture(tuple(joined), values, weights, tuple(map(str, models)), tables[0].quantity != LOG_MASS)
    except DataError as error:
        raise DataError(error.problem, where=str(path), remedy=error.remedy) from error
    return (DataGroup(name, np.arange(start), errors),)


def _check_same_bins(tables: Sequence[Spectrum], others: Sequence[Spectrum], path: Path) -> None:
    for table, other in zip(tables, others, strict=True):
        same = len(table) == len(other) and table.axis == other.axis
        if not (same and np.allclose(table.x.value, other.x.value, rtol=1e-6)):
            raise DataError(
                f"tables {table.name!r} and {other.name!r} have different bins, so they are no reductions of one "
                "measurement",
                where=str(path),
                remedy="fit a range that both cover, or choose one hadronic model",
            )


def _groups(
    tables: Sequence[Spectrum], file: LikelihoodFile, load: Callable[[str], Spectrum], path: Path
) -> tuple[DataGroup, ...]:
    """Error models of the tables; species published as a difference share a covariance."""
    blocks: list[IndependentErrors | np.ndarray] = []
    for t in tables:
        log_rigidity = np.log(representative_rigidity(t))
        components = [
            (low.value, high.value, component_correlation(file.errors.systematic[name], log_rigidity))
            for name, (low, high) in t.systematics.items()
        ]
        limits = t.upper_limit
        statistical = (t.stat_low.value, t.stat_high.value)
        if np.any(limits):
            keep = np.flatnonzero(~limits)
            statistical = (statistical[0][keep], statistical[1][keep])
            components = [(low[keep], high[keep], c[np.ix_(keep, keep)]) for low, high, c in components]
        try:
            blocks.append(gaussian_errors(statistical, components))
        except DataError as error:
            raise DataError(error.problem, where=f"table {t.name!r}", remedy=error.remedy) from error
    difference = file.errors.difference
    if difference is not False:
        covariance = difference_covariance(tables, blocks, file, load, path)
        if covariance is not None:
            name = f"{file.experiment} {'+'.join(t.species for t in tables)}"
            return (DataGroup(name, np.arange(len(covariance)), _correlated(covariance, name)),)
    groups: list[DataGroup] = []
    start = 0
    for t, block in zip(tables, blocks, strict=True):
        pieces: list[tuple[np.ndarray, ErrorModel]] = []
        measured, limits = np.flatnonzero(~t.upper_limit), np.flatnonzero(t.upper_limit)
        if len(measured):
            pieces.append((measured, _correlated(block, t.name) if isinstance(block, np.ndarray) else block))
        if len(limits):
            sigma = t.total_error()[1].value[limits]
            pieces.append((limits, UpperLimits(np.where(sigma > 0, sigma, t.value.value[limits] / LIMIT_CONFIDENCE))))
        name = f"{file.experiment} {measured_name(t)}"
        groups.append(DataGroup(name, start + np.arange(len(t)), combine(pieces)))
        start += len(t)
    return tuple(groups)


def _correlated(covariance: np.ndarray, name: str) -> CorrelatedErrors:
    try:
        return CorrelatedErrors(covariance)
    except DataError as error:
        raise DataError(error.problem, where=f"table {name!r}", remedy=error.remedy) from error
