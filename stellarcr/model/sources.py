"""From a population's power and composition to what it injects."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..backend import Array, namespace
from ..constants import GEV_PER_ERG, YEAR
from ..observe.grid import RigidityGrid
from ..populations.base import Population


def varied_abundances(population: Population, values: Mapping[str, Array]) -> Array:
    """Number fractions of the elements, multipliers included.

    Parameters
    ----------
    population : Population
        Its composition is multiplied where it has free abundances.
    values : mapping
        Its local parameters, numbers or shape ``(...)``.

    Returns
    -------
    array
        Shape ``(n_elements,)``, or ``(..., n_elements)`` where a multiplier is an array.
    """
    fixed = population.number_fractions
    if not population.free_abundances:
        return fixed
    varying: list[int] = []
    multipliers: list[Array] = []
    for k, name in enumerate(population.multiplier_names):
        value = values.get(name, 1.0)
        if getattr(value, "ndim", 0):
            varying.append(k)
            multipliers.append(value)
        elif value != 1.0:
            fixed = fixed * np.where(np.arange(len(fixed)) == k, value, 1.0)
    if not varying:
        return fixed
    xp = namespace(*multipliers)
    spread = np.zeros((len(varying), len(fixed)))
    spread[np.arange(len(varying)), varying] = 1.0
    return xp.asarray(fixed) * (1.0 + (xp.stack(multipliers, axis=-1) - 1.0) @ xp.asarray(spread))


def energy_weights(population: Population, grid: RigidityGrid) -> np.ndarray:
    """Matrix that integrates kinetic energy: grid spectrum to energy per element [GeV].

    The integral runs from 1 GV over all isotopes of an element.

    Parameters
    ----------
    population : Population
        Gives elements and isotopes.
    grid : RigidityGrid
        The grid, ``size`` points.

    Returns
    -------
    numpy.ndarray
        Shape ``(size, n_elements)``.
    """
    rigidity, weights = grid.rigidity, grid.integration_weights
    columns = []
    for element in population.elements:
        mean = np.zeros_like(rigidity)
        for nuclide, fraction in population.isotopes_of(element):
            energy = np.sqrt((nuclide.charge * rigidity) ** 2 + nuclide.mass**2)
            mean += fraction * (energy - nuclide.mass)
        columns.append(weights * mean)
    return np.stack(columns, axis=-1)


def injected_amplitude(
    population: Population, values: Mapping[str, Array], shape: Array, abundance: Array, energy_weights: np.ndarray
) -> Array:
    """Particles per unit of ``abundance * shape``, from the power or energy of a population.

    Parameters
    ----------
    population : Population
        Whose amplitude it is.
    values : mapping
        Its local parameters.
    shape : array
        Spectrum on the grid, ``(..., size)`` or ``(..., n_elements, size)``.
    abundance : array
        Number fractions, ``(n_elements,)`` or ``(..., n_elements)``.
    energy_weights : numpy.ndarray
        From `ForwardModel.energy_weights`.
    """
    xp = namespace(shape)
    if population.shape_per_element and abundance.ndim == 1:
        flat = xp.reshape(shape, (*shape.shape[:-2], -1))
        released = flat @ xp.asarray((energy_weights * np.asarray(abundance)).T.ravel())
    else:
        energies = xp.sum(shape * energy_weights.T, axis=-1) if population.shape_per_element else shape @ energy_weights
        released = xp.sum(energies * abundance, axis=-1)
    return injected_energy(population, values) / released


def injected_energy(population: Population, values: Mapping[str, Array]) -> Array:
    """Kinetic energy above 1 GV that a population injects.

    Parameters
    ----------
    population : Population
        Whose energy it is.
    values : mapping
        Its local parameters.

    Returns
    -------
    array or float
        A disc's power [GeV/s], or a burst's energy [GeV], shape ``(...)``.
    """
    unit = population.amplitude_unit * GEV_PER_ERG / (YEAR if population.place == "disc" else 1.0)
    return values[population.amplitude_name] * unit
