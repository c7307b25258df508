"""Injection by winds: rates of the nuclides, spectra integrated over time, abundances and energies.

A wind is described by steps (points in time, of one star, a cluster, or all stars of an IMF), each with its power,
its highest rigidity and its composition. Each step injects A (R/GV)^gamma exp(-R/R_max) above 1 GV, nuclei of all
species at the same rigidity; the amplitude A is set by the energy that the step puts into cosmic rays. What is
injected in total is the sum over steps with quadrature weights [yr]: a sum of exponentials.
Source: Qiu, Lin & Yang, arXiv:2605.31362.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..backend import Array, namespace
from ..constants import GEV_PER_ERG, YEAR
from ..errors import ModelError, ParameterError, nearest
from .acceleration import LOWEST_RIGIDITY, check_nuclide_axis, injects, spectral_moments
from .checks import check_range

_LOWEST_EXPONENT = -300.0
"""exp(-300) stands for zero: subnormal numbers are slow."""


def injection_amplitude(
    luminosity: Array,
    maximum_rigidity: Array,
    fractions: Array,
    charge: Array,
    mass: Array,
    gamma: Array = -2.0,
    eta_acc: Array = 0.1,
) -> Array:
    """Amplitude A of each nuclide's spectrum A (R/GV)^gamma exp(-R/R_max), R > 1 GV.

    Set by the energy: the kinetic energies of all nuclides above 1 GV add up to eta_acc L. The source writes
    N_Z = eta_acc n_Z L/<E> for it, which holds where the integral of (R/GV)^gamma exp(-R/R_max) is 1 GV (gamma = -2
    and large R_max); here A is N_Z over that integral, so that energy is conserved for all indices.

    Parameters
    ----------
    luminosity : array or float
        Mechanical power L of the wind [erg/s], shape ``(...)``.
    maximum_rigidity : array or float
        R_max [GV], shape ``(...)``; nothing is injected below 1 GV.
    fractions : array
        Number fraction of each nuclide in the wind, shape ``(..., n_nuclides)``.
    charge, mass : array
        Charge and rest energy [GeV] of each nuclide, shape ``(n_nuclides,)``.
    gamma : array or float
        Injection index.
    eta_acc : array or float
        Share of the power in cosmic rays.

    Returns
    -------
    array
        A [1/(GV s)], shape ``(..., n_nuclides)``.

    Raises
    ------
    ModelError, ParameterError
        If shapes disagree, or a number or NumPy array is out of range.
    """
    check_range("luminosity", luminosity, 0.0, unit="erg/s")
    check_range("number fraction", fractions, 0.0)
    check_range("eta_acc", eta_acc, 0.0, 1.0, error=ParameterError)
    check_nuclide_axis("fractions", fractions, charge, mass)
    xp = namespace(luminosity, maximum_rigidity, fractions, gamma, eta_acc)
    cutoff = xp.asarray(maximum_rigidity, dtype=xp.float64)
    numbers = xp.asarray(fractions, dtype=xp.float64)
    energy = xp.sum(spectral_moments(cutoff, gamma, charge, mass)[1] * numbers, axis=-1)
    # a dead wind has no composition, hence no energy; its luminosity is zero
    active = injects(cutoff) & (energy > 0)
    power = xp.asarray(eta_acc * luminosity * GEV_PER_ERG, dtype=xp.float64)
    return xp.where(active, power / xp.where(energy > 0, energy, 1.0), 0.0)[..., None] * numbers


def number_rate(amplitude: Array, maximum_rigidity: Array, gamma: Array = -2.0) -> Array:
    """Nuclei injected above 1 GV per second, N_Z = eta_acc n_Z L/<E>.

    Parameters
    ----------
    amplitude : array
        A [1/(GV s)] from ``injection_amplitude``, shape ``(..., n_nuclides)``.
    maximum_rigidity : array or float
        R_max [GV], shape ``(...)``.
    gamma : array or float
        Injection index.

    Returns
    -------
    array
        N_Z [1/s], shape ``(..., n_nuclides)``.
    """
    number, _ = spectral_moments(maximum_rigidity, gamma, [1.0], [1.0])
    return amplitude * number[..., None]


@dataclass(frozen=True)
class EnergyBudget:
    """Where the energy for cosmic rays went [erg]: arrays of the steps' leading shape, or numbers.

    Attributes
    ----------
    available : array
        eta_acc times the wind's energy.
    injected : array
        The part of steps with R_max of 1 GV or more.
    lost : array
        The part of steps with R_max below 1 GV, which inject nothing.
    """

    available: Array
    injected: Array
    lost: Array


def energy_budget(
    luminosity: Array, maximum_rigidity: Array, weights: Array, mask: Array | None = None, eta_acc: Array = 0.1
) -> EnergyBudget:
    """Energy available to cosmic rays, and the part lost where R_max is below 1 GV.

    Parameters
    ----------
    luminosity, maximum_rigidity : array
        Power [erg/s] and R_max [GV] of the steps, shape ``(..., n_steps)``.
    weights : array
        Quadrature weights of the steps [yr], shape ``(n_steps,)`` or ``(..., n_steps)``.
    mask : array of bool, optional
        Which steps belong to the source population; all without it.
    eta_acc : array or float
        Share of the power in cosmic rays.
    """
    check_range("luminosity", luminosity, 0.0, unit="erg/s")
    check_range("weight", weights, 0.0, unit="yr")
    check_range("eta_acc", eta_acc, 0.0, 1.0, error=ParameterError)
    xp = namespace(luminosity, maximum_rigidity, weights)
    energy = luminosity * weights * YEAR
    if mask is not None:
        energy = xp.where(mask, energy, 0.0)
    active = injects(maximum_rigidity)
    injected = eta_acc * xp.sum(xp.where(active, energy, 0.0), axis=-1)
    lost = eta_acc * xp.sum(xp.where(active, 0.0, energy), axis=-1)
    return EnergyBudget(injected + lost, injected, lost)


def integrated_amplitude(amplitude: Array, weights: Array, mask: Array | None = None) -> Array:
    """Nuclei that each step adds to the total spectrum, per GV at 1 GV: the coefficients of a sum of exponentials.

    Parameters
    ----------
    amplitude : array
        A [1/(GV s)] from ``injection_amplitude``, shape ``(..., n_steps, n_nuclides)``.
    weights : array
        Quadrature weights of the steps [yr], times stars per step for an IMF; shape ``(n_steps,)`` or
        ``(..., n_steps)``.
    mask : array of bool, optional
        Which steps belong to the source population, same shapes; all without it.

    Returns
    -------
    array
        Coefficients [1/GV], shape ``(..., n_nuclides, n_steps)``.

    Raises
    ------
    ModelError
        If shapes disagree or a weight is negative.
    """
    check_range("weight", weights, 0.0, unit="yr")
    for name, values in (("weights", weights), ("mask", mask)):
        if values is not None and tuple(values.shape)[-1:] != tuple(amplitude.shape)[-2:-1]:
            raise ModelError(
                f"shapes disagree: amplitude {tuple(amplitude.shape)}, {name} {tuple(values.shape)}",
                remedy=f"the last axis of {name} and the last but one of the amplitude are the steps",
            )
    xp = namespace(amplitude, weights)
    seconds = weights * YEAR
    if mask is not None:
        seconds = xp.where(mask, seconds, 0.0)
    return xp.matrix_transpose(amplitude * seconds[..., None])


def integrated_spectrum(rigidity: Array, coefficients: Array, maximum_rigidity: Array, gamma: Array = -2.0) -> Array:
    """Spectra integrated over the steps, Q(R) = (R/GV)^gamma sum_k c_k exp(-R/R_max,k).

    Parameters
    ----------
    rigidity : array
        Rigidity [GV], shape ``(n_rigidity,)``, from 1 GV on: there is no injection below.
    coefficients : array
        From ``integrated_amplitude`` [1/GV], shape ``(..., n_species, n_steps)``; nuclides, or elements after
        ``WindNuclides.sum_isotopes(coefficients, axis=-2)``.
    maximum_rigidity : array
        R_max of the steps [GV], shape ``(n_steps,)`` or ``(..., n_steps)``.
    gamma : array or float
        Injection index, a number or of shape ``(...)``.

    Returns
    -------
    array
        Q [1/GV], shape ``(..., n_species, n_rigidity)``.

    Raises
    ------
    ModelError
        If the rigidity begins below 1 GV.
    """
    check_range("rigidity", rigidity, LOWEST_RIGIDITY, unit="GV")
    check_range("R_max", maximum_rigidity, 0.0, unit="GV")
    xp = namespace(rigidity, coefficients, maximum_rigidity, gamma)
    exponent = -rigidity * inverse_cutoff(maximum_rigidity)[..., None]
    decay = xp.exp(xp.where(exponent > _LOWEST_EXPONENT, exponent, _LOWEST_EXPONENT))
    index = xp.asarray(gamma, dtype=xp.float64)[..., None, None]
    return xp.matmul(coefficients, decay) * xp.exp(index * xp.log(rigidity))


def inverse_cutoff(maximum_rigidity: Array) -> Array:
    """1/R_max [1/GV]; 1/(1 GV) where nothing is injected and the coefficient is zero."""
    xp = namespace(maximum_rigidity)
    return 1.0 / xp.where(injects(maximum_rigidity), maximum_rigidity, LOWEST_RIGIDITY)


def kinetic_energy_released(
    coefficients: Array, maximum_rigidity: Array, charge: Array, mass: Array, gamma: Array = -2.0
) -> Array:
    """Kinetic energy above 1 GV of spectra integrated over the steps.

    Parameters
    ----------
    coefficients : array
        From ``integrated_amplitude`` [1/GV], shape ``(..., n_nuclides, n_steps)``.
    maximum_rigidity : array
        R_max of the steps [GV], shape ``(n_steps,)`` or ``(..., n_steps)``.
    charge, mass : array
        Charge and rest energy [GeV] of each nuclide.
    gamma : array or float
        Injection index, a number or of shape ``(..., 1)``.

    Returns
    -------
    array
        Energy of each nuclide [erg], shape ``(..., n_nuclides)``.
    """
    xp = namespace(coefficients, maximum_rigidity, gamma)
    energy = spectral_moments(maximum_rigidity, gamma, charge, mass)[1]
    return xp.sum(coefficients * xp.matrix_transpose(energy), axis=-1) / GEV_PER_ERG


def equal_rigidity_abundances(coefficients: Array) -> Array:
    """Number fractions of the species at equal rigidity far below all cutoffs.

    Parameters
    ----------
    coefficients : array
        From ``integrated_amplitude`` [1/GV], shape ``(..., n_species, n_steps)``.

    Returns
    -------
    array
        Fractions of all species given, shape ``(..., n_species)``; all zero where nothing is injected.
    """
    xp = namespace(coefficients)
    numbers = xp.sum(coefficients, axis=-1)
    total = xp.sum(numbers, axis=-1, keepdims=True)
    return numbers / xp.where(total > 0, total, 1.0)


def species_ratio(values: Array, species: Sequence[str], upper: str = "H", lower: str = "He", axis: int = -2) -> Array:
    """Ratio of two species, such as H/He at equal rigidity.

    Parameters
    ----------
    values : array
        Spectra ``(..., n_species, n_rigidity)``, or abundances ``(..., n_species)`` with ``axis=-1``.
    species : sequence of str
        Names along that axis.
    upper, lower : str
        Names of the numerator and of the denominator.
    axis : int
        -1 or -2, counted from the end.

    Returns
    -------
    array
        The ratio, without that axis; NaN where the denominator is zero.

    Raises
    ------
    ParameterError
        If a name is not among the species.
    """
    names = list(species)
    for name in (upper, lower):
        if name not in names:
            raise ParameterError(f"no species {name!r} in the wind", remedy=nearest(name, names))
    if axis not in (-1, -2) or len(values.shape) < -axis or values.shape[axis] != len(names):
        raise ModelError(
            f"shape {tuple(values.shape)} has no axis {axis} of {len(names)} species",
            remedy="axis is -1 for abundances, -2 for spectra",
        )
    xp = namespace(values)
    above = xp.take(values, xp.asarray([names.index(upper)]), axis=axis)
    below = xp.take(values, xp.asarray([names.index(lower)]), axis=axis)
    ratio = above / xp.where(below > 0, below, 1.0)
    return xp.squeeze(xp.where(below > 0, ratio, xp.nan), axis=axis)
