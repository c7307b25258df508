"""One experiment: which points are fitted, with which errors, and the likelihood of a prediction."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from ..backend import Array
from ..data import Spectrum, load_spectrum
from ..errors import ConfigError, DataError, nearest
from ..observe.axes import rigidity
from ..observe.response import Points
from ..species import canonical_species, dominant_isotope, members
from .errors import (
    CorrelatedErrors,
    ErrorModel,
    IndependentErrors,
    UpperLimits,
    combine,
    correlation_matrix,
    gaussian_errors,
)
from .experiment_response import ExperimentResponse
from .schema import LikelihoodFile, load_likelihood_file

LIMIT_CONFIDENCE = 1.645
"""Width of a limit that comes without an error: a 95% one-sided limit of a measurement of zero (project choice)."""


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


@dataclass(frozen=True, eq=False)
class ExperimentData:
    """The points of one experiment that enter a fit, and their errors.

    Attributes
    ----------
    key : str
        Name in configurations and outputs; prefix of the nuisance parameters.
    file : LikelihoodFile
        The resolved likelihood file.
    tables : tuple of Spectrum
        Selected points of every species.
    groups : tuple of DataGroup
        Sets of points that are independent of each other: one per table, or one for tables with a common covariance.
    """

    key: str
    file: LikelihoodFile
    tables: tuple[Spectrum, ...]
    groups: tuple[DataGroup, ...]

    @cached_property
    def errors(self) -> ErrorModel:
        """Error model of all points, in the tables' order."""
        return combine([(group.points, group.errors) for group in self.groups])

    @property
    def values(self) -> np.ndarray:
        """Measured fluxes of all points."""
        return np.concatenate([t.value.value for t in self.tables])

    @property
    def total_errors(self) -> tuple[np.ndarray, np.ndarray]:
        """Lower and upper total error of all points, components in quadrature."""
        pairs = [t.total_error() for t in self.tables]
        return np.concatenate([low.value for low, _ in pairs]), np.concatenate([high.value for _, high in pairs])

    @property
    def slices(self) -> dict[str, slice]:
        """Where each table's points lie in the vector of all points."""
        result, start = {}, 0
        for table in self.tables:
            result[table.name] = slice(start, start + len(table))
            start += len(table)
        return result

    @property
    def elements(self) -> tuple[str, ...]:
        """Elements that the tables contain."""
        return tuple(dict.fromkeys(e for t in self.tables for e in members(t.species)))

    @property
    def measurements(self) -> list[tuple[tuple[str, ...], Points]]:
        """What the response needs to know of every table."""
        return [(members(t.species), Points(t.axis, t.x.value, t.x_low.value, t.x_high.value)) for t in self.tables]

    @property
    def hashes(self) -> dict[str, str]:
        """Hash of every table's file."""
        return {t.name: t.sha256 for t in self.tables}


def load_experiment(
    key: str,
    name: str | None = None,
    changes: Mapping[str, Any] | None = None,
    where: str = "",
    base: Path | None = None,
) -> ExperimentData:
    """Read an experiment's likelihood file and tables, select points, build the error model.

    Parameters
    ----------
    key : str
        Name of the experiment in this run.
    name : str, optional
        Likelihood file: a shipped name or a path; ``key`` by default.
    changes : mapping, optional
        Keys that replace the file's.
    where : str
        The configuration that asked for it.
    base : Path, optional
        Folder to which relative paths refer.

    Raises
    ------
    ConfigError, DataError
        For wrong files, keys or tables.
    """
    file, path = load_likelihood_file(name or key, changes, where, base)
    folder = None if file.folder is None else path.parent / file.folder

    def table(species: str) -> Spectrum:
        return load_spectrum(file.experiment, species, hadronic_model=file.hadronic_model, folder=folder)

    def selected(spectrum: Spectrum) -> Spectrum:
        if spectrum.quantity != "flux":
            raise ConfigError(
                f"table {spectrum.name!r} holds {spectrum.quantity}, not a flux",
                where=str(path),
                remedy="fit fluxes only; predictions of <ln A> come from 'stellarcr spectrum --species lnA'",
            )
        if spectrum.metadata.get("mass_group"):
            raise ConfigError(
                f"table {spectrum.name!r} holds a group of elements that {spectrum.species!r} stands for",
                where=str(path),
                remedy=f"leave {spectrum.species!r} out of species: the model predicts elements, p+He and all",
            )
        where_measured = representative_rigidity(spectrum)
        inside = (where_measured > file.range.rigidity_min) & (where_measured < file.range.rigidity_max)
        if not np.any(inside):
            raise ConfigError(
                f"no point of {spectrum.name!r} lies between rigidity_min = {file.range.rigidity_min} and "
                f"rigidity_max = {file.range.rigidity_max} GV",
                where=str(path),
                remedy=f"its points span {where_measured.min():.4g} to {where_measured.max():.4g} GV",
            )
        return _with_assumed_errors(spectrum.select(inside), file)

    names = [canonical_species(species) for species in file.species]
    if len(set(names)) < len(names):
        raise ConfigError(f"species {file.species} holds one twice", where=str(path), remedy="list each once")
    tables = tuple(selected(table(species)) for species in names)
    _check_components(tables, file, path)
    return ExperimentData(key, file, tables, _groups(tables, file, lambda s: selected(table(s)), path))


def representative_rigidity(spectrum: Spectrum) -> np.ndarray:
    """Rigidity [GV] of a spectrum's points, for the dominant isotope (hydrogen for p+He and all-particle)."""
    nuclide = dominant_isotope(members(spectrum.species)[0])
    return rigidity(spectrum.axis, spectrum.x.value, nuclide)


def _with_assumed_errors(spectrum: Spectrum, file: LikelihoodFile) -> Spectrum:
    """Add the errors that a file assumes to a table that publishes no systematic one; upper limits keep their width."""
    if spectrum.systematics:
        return spectrum
    measured = np.where(spectrum.upper_limit, 0.0, 1.0) * spectrum.value
    assumed = {name: c.relative * measured for name, c in file.errors.systematic.items() if c.relative}
    return replace(spectrum, systematics={name: (error, error) for name, error in assumed.items()})


def _check_components(tables: Sequence[Spectrum], file: LikelihoodFile, path: Path) -> None:
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
            remedy="say how each is correlated: uncorrelated, full, or length",
        )


def _groups(
    tables: Sequence[Spectrum], file: LikelihoodFile, load: Callable[[str], Spectrum], path: Path
) -> tuple[DataGroup, ...]:
    """Error models of the tables; species published as a difference share a covariance."""
    blocks: list[IndependentErrors | np.ndarray] = []
    for t in tables:
        log_rigidity = np.log(representative_rigidity(t))
        components = []
        for name, (low, high) in t.systematics.items():
            choice = file.errors.systematic[name]
            components.append(
                (low.value, high.value, correlation_matrix(choice.correlation, log_rigidity, choice.length))
            )
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
        covariance = _difference_covariance(tables, blocks, file, load, path)
        if covariance is not None:
            name = f"{file.experiment} {'+'.join(t.species for t in tables)}"
            return (DataGroup(name, np.arange(len(covariance)), _correlated(covariance, name)),)
    groups: list[DataGroup] = []
    start = 0
    for t, block in zip(tables, blocks, strict=True):
        parts: list[tuple[np.ndarray, ErrorModel]] = []
        measured, limits = np.flatnonzero(~t.upper_limit), np.flatnonzero(t.upper_limit)
        if len(measured):
            parts.append((measured, _correlated(block, t.name) if isinstance(block, np.ndarray) else block))
        if len(limits):
            sigma = t.total_error()[1].value[limits]
            parts.append((limits, UpperLimits(np.where(sigma > 0, sigma, t.value.value[limits] / LIMIT_CONFIDENCE))))
        groups.append(DataGroup(f"{file.experiment} {t.species}", start + np.arange(len(t)), combine(parts)))
        start += len(t)
    return tuple(groups)


def _correlated(covariance: np.ndarray, name: str) -> CorrelatedErrors:
    try:
        return CorrelatedErrors(covariance)
    except DataError as error:
        raise DataError(error.problem, where=f"table {name!r}", remedy=error.remedy) from error


def _difference_covariance(
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


@dataclass(frozen=True, eq=False)
class ExperimentLikelihood:
    """Data of one experiment joined to the response that predicts them.

    Attributes
    ----------
    data : ExperimentData
        Points and errors.
    response : ExperimentResponse
        Matrix from source spectra to the points.
    """

    data: ExperimentData
    response: ExperimentResponse

    def __post_init__(self) -> None:
        object.__setattr__(self, "_values", self.data.values)

    def predict(self, spectra: Array, parameters: Mapping[str, Array]) -> Array:
        """Predicted fluxes ``(n, n_points)`` from source spectra and nuisance parameters."""
        key = self.data.key
        scale = parameters[f"{key}.energy_scale"]
        fluxes = self.response.predict(spectra, parameters[f"{key}.phi"], scale)
        normalisation = parameters[f"{key}.normalisation"]
        return fluxes * (normalisation[:, None] if getattr(normalisation, "ndim", 0) else normalisation)

    def log_likelihood(self, spectra: Array, parameters: Mapping[str, Array]) -> Array:
        """Normalised log-likelihood ``(n,)``."""
        return self.data.errors.log_likelihood(self._values - self.predict(spectra, parameters))  # type: ignore[attr-defined]

    def chi2(self, spectra: Array, parameters: Mapping[str, Array]) -> Array:
        """Chi-square of the experiment, correlations included, ``(n,)``."""
        return self.data.errors.chi2(self._values - self.predict(spectra, parameters))  # type: ignore[attr-defined]
