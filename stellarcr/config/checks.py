"""Checks of a configuration that need the model and the data."""

from __future__ import annotations

import numpy as np

from ..backend import Array
from ..errors import ConfigError
from ..infer.parameters import ParameterSpace
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
    before, now = config.code, user_code(config, model, data)
    changed = sorted(file for file in before.keys() | now.keys() if before.get(file) != now.get(file))
    if changed:
        raise ConfigError(
            f"the code is not the one that the run began with: {', '.join(changed)}",
            where=f"{config.where} [code]",
            remedy="restore the code, or run the original configuration again under another name",
        )


def check_grid(model: ForwardModel, space: ParameterSpace, where: str) -> None:
    """Refuse a grid that ends before the spectra do: a power is the integral over the grid.

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
        inside, outside = (_energy(member, components[member.name], grid) for grid in (model.grid, beyond))
        lost = np.atleast_1d(outside / (inside + outside))
        if np.max(lost) > CUT_OFF:
            k = int(np.argmax(lost))
            at = {n: np.broadcast_to(v, (len(theta),))[k] for n, v in values.items() if n.startswith(f"{member.name}.")}
            shown = ", ".join(f"{name} = {value:.4g}" for name, value in at.items()) or "its default parameters"
            raise ConfigError(
                f"grid.highest = {model.grid.highest:g} GV cuts off {100 * lost[k]:.2g}% of the power of "
                f"{member.name!r} at {shown}",
                where=where,
                remedy="raise grid.highest to twenty times the largest cutoff, or exclude such cutoffs from the prior",
            )


def _energy(member: Population, values: dict[str, Array], grid: RigidityGrid) -> np.ndarray:
    """Energy of spectra on a grid, up to a factor; the kinetic energy is taken as proportional to rigidity."""
    shape = np.asarray(member.shape(grid.rigidity, values))
    energy = np.sum(shape * (grid.integration_weights * grid.rigidity), axis=-1)
    return np.max(energy, axis=-1) if member.shape_per_element else energy
