"""Checks of a configuration that need the model and the data."""

from __future__ import annotations

import numpy as np

from ..backend import Array
from ..errors import ConfigError
from ..infer.parameters import ParameterSpace
from ..infer.runs.checks import changed_code
from ..likelihood.experiment import ExperimentData
from ..model import ForwardModel, plain_name
from ..observe.grid import RigidityGrid
from ..populations.base import Population
from .records import user_code
from .schema import RunConfig

CUT_OFF = 0.01
"""Fraction of a population's power beyond the grid that is refused (project choice: no power is known better)."""

_DRAWS = 256


def check_code(config: RunConfig, model: ForwardModel, data: list[ExperimentData]) -> None:
    """Refuse the configuration of a run whose user code changed since.

    Raises
    ------
    ConfigError
        Names the files.
    """
    if not config.code:
        return
    changed = changed_code(config.code, user_code(config, model, data))
    if changed:
        raise ConfigError(
            f"the code is not the one that the run began with: {'; '.join(changed)}",
            where=f"{config.where} [code]",
            remedy="restore the code, or run the original configuration again under another name",
        )


def check_grid(model: ForwardModel, space: ParameterSpace, where: str) -> None:
    """Refuse spectra that are no spectra, and a grid that ends before they do: a power is the integral over the grid.

    Spectra at the reference point and at draws from the prior are integrated beyond the grid, over four decades.

    Raises
    ------
    ConfigError
        Names the key, the population, and the parameters of the worst spectrum.
    """
    theta = np.concatenate([space.reference()[None, :], space.sample(np.random.default_rng(0), _DRAWS)])
    values = {name: v for name, v in space.resolve(theta).items() if plain_name(name) in model.parameters}
    components = model.local_values(values)
    beyond = RigidityGrid(model.grid.highest, 1e4 * model.grid.highest, model.grid.per_decade)
    for member in model.populations:
        (inside, wrong), (outside, _) = (_energy(member, components[member.name], g) for g in (model.grid, beyond))
        if np.any(wrong):
            raise ConfigError(
                f"the spectrum of {member.name!r} is negative, not finite or zero everywhere at "
                f"{_parameters_of(member, values, int(np.argmax(wrong)), len(theta))}, which the prior allows",
                where=where,
                remedy="correct the shape, or exclude such parameters from the prior",
            )
        lost = outside / (inside + outside)
        if np.max(lost) > CUT_OFF:
            k = int(np.argmax(lost))
            raise ConfigError(
                f"grid.highest = {model.grid.highest:g} GV cuts off {100 * lost[k]:.2g}% of the power of "
                f"{member.name!r} at {_parameters_of(member, values, k, len(theta))}",
                where=where,
                remedy="raise grid.highest to twenty times the largest cutoff, or exclude such cutoffs from the prior",
            )


def _parameters_of(member: Population, values: dict[str, Array], index: int, count: int) -> str:
    """Write the parameters of a population at one of the points."""
    at = {n: np.broadcast_to(v, (count,))[index] for n, v in values.items() if n.startswith(f"{member.name}.")}
    return ", ".join(f"{name} = {value:.4g}" for name, value in at.items()) or "its default parameters"


def _energy(member: Population, values: dict[str, Array], grid: RigidityGrid) -> tuple[np.ndarray, np.ndarray]:
    """Energy of spectra on a grid, up to a factor, and whether they are no spectra.

    The kinetic energy is taken as proportional to rigidity.
    """
    with np.errstate(all="ignore"):  # what comes of it is judged below
        shape = np.asarray(member.shape(grid.rigidity, values))
        by_element = shape if member.shape_per_element else shape[..., None, :]
        energy = np.max(np.sum(by_element * (grid.integration_weights * grid.rigidity), axis=-1), axis=-1)
    wrong = np.any(~np.isfinite(by_element) | (by_element < 0), axis=(-2, -1)) | ~(energy > 0)
    return np.atleast_1d(energy), np.atleast_1d(wrong)
