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
from ..errors import ConfigError, DataError, ParameterError, nearest
from ..observe.axes import rigidity
from ..observe.response import Points
from ..species import dominant_isotope, is_ratio, members, parts
from .difference import difference_covariance
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
from .ratio import quotient
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
        """Measured fluxes or ratios of all points."""
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
        return tuple(dict.fromkeys(e for t in self.tables for part in parts(t.species) for e in members(part)))

    @property
    def holds_ratios(self) -> bool:
        """Whether the tables hold ratios of fluxes; then all of them do."""
        return is_ratio(self.tables[0].species)

    @property
    def measurements(self) -> list[tuple[tuple[str, ...], Points]]:
        """What the response needs to know of every table; of ratios all numerators, then all denominators."""
        return [
            (members(parts(t.species)[k]), Points(t.axis, t.x.value, t.x_low.value, t.x_high.value))
            for k in range(2 if self.holds_ratios else 1)
            for t in self.tables
        ]

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
        return load_spectrum(file.experiment, species, file.hadronic_model, file.axis, folder)

    def selected(spectrum: Spectrum) -> Spectrum:
        if spectrum.quantity not in ("flux", "ratio"):
            raise ConfigError(
                f"table {spectrum.name!r} holds {spectrum.quantity}, no flux and no ratio of fluxes",
                where=str(path),
                remedy="leave it out; predictions of <ln A> come from 'stellarcr spectrum --species lnA'",
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

    names = [_name(species) for species in file.species]
    if len(set(names)) < len(names):
        raise ConfigError(f"species {file.species} holds one twice", where=str(path), remedy="list each once")
    _check_kinds(names, file, path)
    tables = tuple(selected(table(species)) for species in names)
    _check_components(tables, file, path)
    return ExperimentData(key, file, tables, _groups(tables, file, lambda s: selected(table(s)), path))


def representative_rigidity(spectrum: Spectrum) -> np.ndarray:
    """Rigidity [GV] of a spectrum's points, for the dominant isotope (hydrogen for p+He and all-particle).

    Of a ratio the smaller of numerator's and denominator's.
    """
    nuclides = [dominant_isotope(members(part)[0]) for part in parts(spectrum.species)]
    return np.min([rigidity(spectrum.axis, spectrum.x.value, nuclide) for nuclide in nuclides], axis=0)


def _name(species: str) -> str:
    try:
        return "/".join(parts(species))
    except ParameterError:
        if is_ratio(species):
            return species  # the registry knows the experiment's ratios, and which is nearest
        raise


def _check_kinds(names: Sequence[str], file: LikelihoodFile, path: Path) -> None:
    """Refuse what does not go with ratios: fluxes in the same file, and a covariance that is defined for fluxes."""
    ratios = [name for name in names if is_ratio(name)]
    if ratios and len(ratios) < len(names):
        flux = next(name for name in names if not is_ratio(name))
        raise ConfigError(
            f"species holds ratios such as {ratios[0]!r} and fluxes such as {flux!r}",
            where=str(path),
            remedy="give each a likelihood of its own, as ams02 and ams02_ratios: a normalisation of fluxes cancels in "
            "a ratio",
        )
    if ratios and file.errors.difference is not False:
        raise ConfigError(
            "[errors.difference] is about fluxes, and species holds ratios",
            where=str(path),
            remedy="remove [errors.difference]",
        )


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
        covariance = difference_covariance(tables, blocks, file, load, path)
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
        """Predicted fluxes or ratios ``(n, n_points)`` from source spectra and nuisance parameters."""
        key = self.data.key
        scale = parameters[f"{key}.energy_scale"]
        fluxes = self.response.predict(spectra, parameters[f"{key}.phi"], scale)
        if self.data.holds_ratios:
            fluxes = quotient(fluxes)
        normalisation = parameters[f"{key}.normalisation"]
        return fluxes * (normalisation[:, None] if getattr(normalisation, "ndim", 0) else normalisation)

    def log_likelihood(self, spectra: Array, parameters: Mapping[str, Array]) -> Array:
        """Normalised log-likelihood ``(n,)``."""
        return self.data.errors.log_likelihood(self._values - self.predict(spectra, parameters))  # type: ignore[attr-defined]

    def chi2(self, spectra: Array, parameters: Mapping[str, Array]) -> Array:
        """Chi-square of the experiment, correlations included, ``(n,)``."""
        return self.data.errors.chi2(self._values - self.predict(spectra, parameters))  # type: ignore[attr-defined]
