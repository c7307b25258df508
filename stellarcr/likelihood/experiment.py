"""One experiment: which points are fitted, with which errors, and the likelihood of a prediction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from ..backend import Array
from ..data import Spectrum, load_spectrum
from ..errors import ConfigError, ParameterError
from ..observe.response import Points
from ..species import is_ratio, members, parts
from .errors import ErrorModel, combine, points_of
from .experiment_response import ExperimentResponse
from .groups import (
    LOG_MASS,
    DataGroup,
    check_components,
    data_groups,
    representative_rigidity,
    with_assumed_errors,
)
from .mixture import MixtureErrors
from .ratio import quotient
from .schema import LikelihoodFile, load_likelihood_file

__all__ = ["DataGroup", "ExperimentData", "ExperimentLikelihood", "load_experiment", "representative_rigidity"]


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
        Selected points of every species; of several hadronic models all tables of the first, then of the second.
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
    def holds_log_mass(self) -> bool:
        """Whether the tables hold <ln A>; then all of them do."""
        return self.tables[0].quantity == LOG_MASS

    @property
    def holds_quotients(self) -> bool:
        """Whether predictions are quotients of fluxes: ratios, and <ln A>, the mean of ln A weighted with fluxes."""
        return self.holds_ratios or self.holds_log_mass

    @property
    def distinct_tables(self) -> tuple[Spectrum, ...]:
        """Every measurement once: of tables for several hadronic models those of the first."""
        return self.tables[: len(self.tables) // len(self.file.hadronic_models)]

    @property
    def measurements(self) -> list[tuple[tuple[str, ...], Points]]:
        """What the response needs to know of every table; of quotients all numerators, then all denominators."""
        return [
            (
                members(parts(t.species)[k if self.holds_ratios else 0]),
                Points(t.axis, t.x.value, t.x_low.value, t.x_high.value, log_mass=self.holds_log_mass and k == 0),
            )
            for k in range(2 if self.holds_quotients else 1)
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

    def selected(species: str, model: str | None) -> Spectrum:
        return _selected(load_spectrum(file.experiment, species, model, file.axis, folder), file, path)

    names = [_name(species) for species in file.species]
    if len(set(names)) < len(names):
        raise ConfigError(f"species {file.species} holds one twice", where=str(path), remedy="list each once")
    _check_kinds(names, file, path)
    alternatives = [tuple(selected(species, model) for species in names) for model in file.hadronic_models]
    tables = tuple(table for some in alternatives for table in some)
    check_components(tables, file, path)
    return ExperimentData(key, file, tables, data_groups(alternatives, file, selected, path))


def _selected(spectrum: Spectrum, file: LikelihoodFile, path: Path) -> Spectrum:
    """Refuse what cannot be fitted; keep the points inside the range, with the errors that the file assumes."""
    if spectrum.quantity not in ("flux", "ratio", LOG_MASS):
        raise ConfigError(
            f"table {spectrum.name!r} holds {spectrum.quantity}: no flux, no ratio of fluxes, no <ln A>",
            where=str(path),
            remedy="leave it out",
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
    return with_assumed_errors(spectrum.select(inside), file)


def _name(species: str) -> str:
    if species == LOG_MASS:
        return species
    try:
        return "/".join(parts(species))
    except ParameterError:
        if is_ratio(species):
            return species  # the registry knows the experiment's ratios, and which is nearest
        raise


def _check_kinds(names: Sequence[str], file: LikelihoodFile, path: Path) -> None:
    """Refuse kinds of data that do not go together in one file, and a covariance of fluxes for what is none."""
    kinds = {"ratios": [], "<ln A>": [], "fluxes": []}  # type: dict[str, list[str]]
    for name in names:
        kinds["<ln A>" if name == LOG_MASS else "ratios" if is_ratio(name) else "fluxes"].append(name)
    held = {kind: some for kind, some in kinds.items() if some}
    if len(held) > 1:
        raise ConfigError(
            f"species holds {' and '.join(f'{kind} such as {some[0]!r}' for kind, some in held.items())}",
            where=str(path),
            remedy="give each a likelihood of its own, as ams02 and ams02_ratios: a normalisation of fluxes cancels in "
            "a ratio",
        )
    if "fluxes" not in held and file.errors.difference is not False:
        raise ConfigError(
            f"[errors.difference] is about fluxes, and species holds {next(iter(held))}",
            where=str(path),
            remedy="remove [errors.difference]",
        )


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
        """Predicted fluxes, ratios or <ln A> ``(n, n_points)`` from source spectra and nuisance parameters."""
        key = self.data.key
        scale = parameters[f"{key}.energy_scale"]
        fluxes = self.response.predict(spectra, parameters[f"{key}.phi"], scale)
        if self.data.holds_quotients:
            fluxes = quotient(fluxes)
        normalisation = parameters[f"{key}.normalisation"]
        return fluxes * (normalisation[:, None] if getattr(normalisation, "ndim", 0) else normalisation)

    def scatter_variance(self, predicted: Array, parameters: Mapping[str, Array]) -> Array | None:
        """Variance that the intrinsic scatter adds to each point, ``(n, n_points)``; None without scatter.

        (scatter x prediction)^2: with the prediction, and not the data, the likelihood is a density of the data.
        """
        scatter = parameters.get(f"{self.data.key}.scatter", 0.0)
        if getattr(scatter, "ndim", 0):
            return (scatter[:, None] * predicted) ** 2
        return None if scatter == 0.0 else (scatter * predicted) ** 2

    def log_likelihood(self, spectra: Array, parameters: Mapping[str, Array]) -> Array:
        """Normalised log-likelihood ``(n,)``."""
        return self.data.errors.log_likelihood(*self._compared(spectra, parameters))

    def chi2(self, spectra: Array, parameters: Mapping[str, Array]) -> Array:
        """Chi-square of the experiment, correlations included, ``(n,)``."""
        return self.data.errors.chi2(*self._compared(spectra, parameters))

    def log_likelihood_terms(self, spectra: Array, parameters: Mapping[str, Array]) -> dict[str, Array]:
        """Log-likelihood ``(n,)`` of each group of points; they add up to the whole."""
        residuals, variance = self._compared(spectra, parameters)
        return {
            g.name: g.errors.log_likelihood(points_of(residuals, g.points), points_of(variance, g.points))
            for g in self.data.groups
        }

    def chi2_terms(self, spectra: Array, parameters: Mapping[str, Array]) -> dict[str, tuple[Array, int]]:
        """Chi-square ``(n,)`` and number of points of each group."""
        residuals, variance = self._compared(spectra, parameters)
        return {
            g.name: (g.errors.chi2(points_of(residuals, g.points), points_of(variance, g.points)), g.count)
            for g in self.data.groups
        }

    def hadronic_probabilities(self, spectra: Array, parameters: Mapping[str, Array]) -> dict[str, Array]:
        """Probability ``(n,)`` of each hadronic model given the data and the parameters; empty for a single one."""
        mixtures = [g for g in self.data.groups if isinstance(g.errors, MixtureErrors)]
        if not mixtures:
            return {}
        residuals, variance = self._compared(spectra, parameters)
        errors = mixtures[0].errors
        assert isinstance(errors, MixtureErrors)
        shares = errors.probabilities(residuals, variance)
        return {name: shares[..., k] for k, name in enumerate(errors.names)}

    def draw(self, rng: np.random.Generator, predicted: np.ndarray, parameters: Mapping[str, Array]) -> np.ndarray:
        """Draw data sets ``(n, n_points)`` around predictions of this shape, one each, intrinsic scatter included.

        Raises
        ------
        DataError
            If the data hold upper limits, whose experiments would have seen something else.
        """
        variance = self.scatter_variance(predicted, parameters)
        return predicted + self.data.errors.draw(rng, len(predicted), variance, predicted)

    def _compared(self, spectra: Array, parameters: Mapping[str, Array]) -> tuple[Array, Array | None]:
        """Residuals, and the variance of the intrinsic scatter."""
        predicted = self.predict(spectra, parameters)
        return self._values - predicted, self.scatter_variance(predicted, parameters)  # type: ignore[attr-defined]
