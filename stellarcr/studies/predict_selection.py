"""Which measurements a prediction is compared with, and which of them a run was fitted to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..data import Spectrum
from ..errors import ConfigError, nearest
from ..infer.posterior import Posterior
from ..infer.predictive import covariance_of
from ..likelihood.errors import CorrelatedErrors, ErrorModel
from ..likelihood.experiment import DataGroup, ExperimentData, load_experiment, representative_rigidity
from ..likelihood.groups import measured_name
from ..likelihood.mixture import MixtureErrors
from ..species import members, parts
from .predict import check_species


def load_experiments(likelihoods: Sequence[str | Path], species: Sequence[str] | None) -> list[ExperimentData]:
    """Read likelihoods and their tables, of all or some species.

    Raises
    ------
    ConfigError, DataError
        For no, unknown, doubled or wrong likelihoods, and species that none of them holds.
    """
    if len(likelihoods) == 0:
        raise ConfigError("no likelihood is named", remedy="name one, such as dampe, or give a TOML file")
    data: dict[str, ExperimentData] = {}
    for name in likelihoods:
        key = Path(name).stem
        if key in data:
            raise ConfigError(f"the likelihood {key!r} is named twice", remedy="name it once, or rename one file")
        data[key] = load_experiment(key, str(name), where="--data")
    if species is None:
        return list(data.values())
    wanted = check_species(species)
    held = {t.species for d in data.values() for t in d.tables}
    for name in wanted:
        if name not in held:
            raise ConfigError(f"no likelihood that is named measures {name!r}", remedy=nearest(name, held))
    return [restrict(d, wanted) for d in data.values() if {t.species for t in d.tables} & set(wanted)]


def restrict(data: ExperimentData, species: Sequence[str]) -> ExperimentData:
    """Keep some species of an experiment; of a common covariance their block is kept.

    Parameters
    ----------
    data : ExperimentData
        All tables of a likelihood.
    species : sequence of str
        Species to keep, at least one of which the data hold.
    """
    tables = tuple(t for t in data.tables if t.species in species)
    slices = data.slices
    kept = np.concatenate([np.arange(data.values.size)[slices[t.name]] for t in tables])
    groups = []
    for group in data.groups:
        inside = np.flatnonzero(np.isin(group.points, kept))
        if len(inside) == 0:
            continue
        if len(inside) < len(group.points):
            name = f"{data.file.experiment} {'+'.join(dict.fromkeys(t.species for t in tables))}"
            group = DataGroup(name, group.points[inside], _block(group.errors, inside))
        groups.append(replace(group, points=np.searchsorted(kept, group.points)))
    return ExperimentData(data.key, data.file, tables, tuple(groups))


def _block(errors: ErrorModel, kept: np.ndarray) -> ErrorModel:
    """Errors of some points of tables that share a covariance, for each hadronic model if there are several."""
    if not isinstance(errors, MixtureErrors):
        return CorrelatedErrors(covariance_of(errors)[np.ix_(kept, kept)])
    inside = [np.flatnonzero(np.isin(index, kept)) for index, _ in errors.alternatives]
    alternatives = tuple(
        (np.searchsorted(kept, index[some]), _block(model, some))
        for (index, model), some in zip(errors.alternatives, inside, strict=True)
    )
    scale, shift = (
        np.stack([row[some] for row, some in zip(a, inside, strict=True)]) for a in (errors.scale, errors.shift)
    )
    return replace(errors, alternatives=alternatives, scale=scale, shift=shift)


def by_hadronic_model(group: DataGroup) -> list[DataGroup]:
    """Split data for several hadronic models: each has a covariance, their mixture has none."""
    errors = group.errors
    if not isinstance(errors, MixtureErrors):
        return [group]
    pairs = zip(errors.names, errors.alternatives, strict=True)
    return [DataGroup(f"{group.name}, {name}", group.points[index], model) for name, (index, model) in pairs]


def fitted_points(posterior: Posterior, table: Spectrum) -> np.ndarray:
    """Points inside the fitted range of the same experiment's same species, whatever the version of the table."""
    fitted = np.zeros(len(table), dtype=bool)
    where = representative_rigidity(table)
    for other in (t for k in posterior.likelihoods for t in k.data.tables):
        if (other.experiment, measured_name(other)) == (table.experiment, measured_name(table)):
            span = representative_rigidity(other)
            fitted |= (where >= 0.999 * span.min()) & (where <= 1.001 * span.max())
    return fitted


def is_related(posterior: Posterior, table: Spectrum) -> bool:
    """Say whether the same experiment's sum, part or ratio of the same elements was fitted."""
    others = [t for k in posterior.likelihoods for t in k.data.tables if t.experiment == table.experiment]
    different = [t for t in others if measured_name(t) != measured_name(table)]
    return any(_elements(t.species) & _elements(table.species) for t in different)


def _elements(name: str) -> set[str]:
    return {element for part in parts(name) for element in members(part)}
