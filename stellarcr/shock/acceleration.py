"""Acceleration at a wind termination shock: magnetic field, highest rigidity and mean kinetic energy.

The wind turns a share ``eta_B`` of its power into magnetic field; particles leave the shock when their diffusion
coefficient reaches the shock's velocity times its radius. All functions are pure, broadcast their arguments and
follow the Array API. Source: Qiu, Lin & Yang, arXiv:2605.31362.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import pi
from types import MappingProxyType

import numpy as np

from ..backend import Array, namespace
from ..constants import PARSEC, SPEED_OF_LIGHT, VACUUM_PERMEABILITY
from ..errors import ModelError, ParameterError, nearest
from .checks import check_range

TURBULENCE: Mapping[str, float] = MappingProxyType({"bohm": 0.0, "kraichnan": -1 / 2, "kolmogorov": -2 / 3})
"""Slope delta of K(R) = (c/3) r_L (r_L/L_c)^delta for each named turbulence."""

LOWEST_RIGIDITY = 1.0
"""Injected spectra begin here [GV]; a shock whose highest rigidity is below it injects nothing."""

HIGHEST_RIGIDITY = 1e9
"""Highest cutoff [GV] for which the quadrature of ``spectral_moments`` is accurate."""

INDEX_RANGE = (-4.0, 0.0)
"""Injection indices gamma for which the quadrature of ``spectral_moments`` is accurate."""

_WATT_PER_ERG_S = 1e-7
_M_PER_KM = 1e3
_VOLT_PER_GV = 1e9
_MICROGAUSS_PER_TESLA = 1e10

_LOWEST_EXPONENT = -300.0
"""exp(-300) stands for zero: subnormal numbers are slow."""


def _gauss_legendre(panels: int, order: int, length: float) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights of the composite Gauss-Legendre rule on [0, length]."""
    x, w = np.polynomial.legendre.leggauss(order)
    width = length / panels
    return (width * (np.arange(panels)[:, None] + (x + 1) / 2)).ravel(), np.tile(w * width / 2, panels)


# In ln R the integrands are analytic within pi/2 of the real axis (the zeros of E, the growth of exp(-R/R_max)), so
# panels of width 2 with 12 nodes reach rounding whatever R_max is; exp(-45) is left beyond the last panel.
_LOG_RIGIDITY, _WEIGHT = _gauss_legendre(14, 12, float(np.log(45 * HIGHEST_RIGIDITY / LOWEST_RIGIDITY)))
_RIGIDITY = LOWEST_RIGIDITY * np.exp(_LOG_RIGIDITY)


def magnetic_field(luminosity: Array, velocity: Array, radius: Array, eta_B: Array) -> Array:
    """Magnetic field carried by a wind, B = sqrt(mu0 eta_B L / (2 pi V)) / r.

    Parameters
    ----------
    luminosity : array or float
        Mechanical power L of the wind [erg/s].
    velocity : array or float
        Velocity V of the wind [km/s], above zero.
    radius : array or float
        Distance from the star or cluster [pc], above zero.
    eta_B : array or float
        Share of the wind's power in magnetic field.

    Returns
    -------
    array
        Field [microgauss].

    Raises
    ------
    ModelError, ParameterError
        If a number or NumPy array is out of range.
    """
    check_range("luminosity", luminosity, 0.0, unit="erg/s")
    check_range("velocity", velocity, 0.0, unit="km/s", open_below=True)
    check_range("radius", radius, 0.0, unit="pc", open_below=True)
    check_range("eta_B", eta_B, 0.0, error=ParameterError)
    squared = eta_B * luminosity / velocity
    factor = (VACUUM_PERMEABILITY * _WATT_PER_ERG_S / (2 * pi * _M_PER_KM)) ** 0.5 / PARSEC * _MICROGAUSS_PER_TESLA
    return factor * squared**0.5 / radius


def maximum_rigidity_general(
    luminosity: Array, velocity: Array, shock_radius: Array, coherence_length: Array, eta_B: Array, delta: float
) -> Array:
    """Highest rigidity for any slope of the turbulence: the solution of K(R_max) = V R_s.

    With K(R) = (c/3) r_L (r_L/L_c)^delta, r_L = R/(c B(R_s)) and a = 1/(1 + delta):
    R_max = 3^a (R_s/(c L_c))^(a-1) V^(a-1/2) sqrt(mu0 eta_B L/(2 pi)) in SI, proportional to sqrt(eta_B).

    Parameters
    ----------
    luminosity : array or float
        Mechanical power L of the wind [erg/s]; zero gives zero.
    velocity : array or float
        Velocity V of the wind [km/s].
    shock_radius : array or float
        Radius R_s of the termination shock [pc].
    coherence_length : array or float
        Coherence length L_c of the turbulence [pc].
    eta_B : array or float
        Share of the wind's power in magnetic field.
    delta : float
        Slope, above -1 and below 1; Bohm 0, Kraichnan -1/2, Kolmogorov -2/3.

    Returns
    -------
    array
        R_max [GV], of the broadcast shape.

    Raises
    ------
    ModelError, ParameterError
        If a number or NumPy array is out of range.
    """
    _check_wind(luminosity, velocity, eta_B)
    check_range("shock radius", shock_radius, 0.0, unit="pc")
    check_range("coherence length L_c", coherence_length, 0.0, unit="pc", open_below=True, error=ParameterError)
    if not -1 < delta < 1:
        raise ParameterError(
            f"slope of the turbulence delta = {delta:g} is out of range",
            remedy="give a number above -1 and below 1; Bohm 0, Kraichnan -1/2, Kolmogorov -2/3",
        )
    a = 1 / (1 + delta)
    speed = velocity * _M_PER_KM
    ratio = shock_radius / coherence_length / SPEED_OF_LIGHT
    return 3**a * ratio ** (a - 1) * speed ** (a - 0.5) * _voltage(luminosity, eta_B)


def maximum_rigidity(
    luminosity: Array,
    velocity: Array,
    shock_radius: Array,
    eta_B: Array,
    turbulence: str = "bohm",
    coherence_length: Array | None = None,
) -> Array:
    """Highest rigidity for a named turbulence, in closed form.

    Bohm 3 sqrt(W V), Kraichnan 9 R_s/(c L_c) sqrt(W V^3), Kolmogorov 27 R_s^2/(c L_c)^2 sqrt(W V^5), with
    W = mu0 eta_B L/(2 pi), in SI.

    Parameters
    ----------
    luminosity : array or float
        Mechanical power L of the wind [erg/s]; zero gives zero.
    velocity : array or float
        Velocity V of the wind [km/s].
    shock_radius : array or float
        Radius R_s of the termination shock [pc]; Bohm does not depend on it, except for its shape.
    eta_B : array or float
        Share of the wind's power in magnetic field.
    turbulence : str
        A name in ``TURBULENCE``.
    coherence_length : array or float, optional
        Coherence length L_c of the turbulence [pc]; Bohm needs none.

    Returns
    -------
    array
        R_max [GV], of the broadcast shape.

    Raises
    ------
    ModelError, ParameterError
        If the turbulence is unknown or lacks its coherence length, or a number or NumPy array is out of range.
    """
    if turbulence not in TURBULENCE:
        raise ParameterError(f"unknown turbulence {turbulence!r}", remedy=nearest(turbulence, TURBULENCE))
    _check_wind(luminosity, velocity, eta_B)
    check_range("shock radius", shock_radius, 0.0, unit="pc")
    speed = velocity * _M_PER_KM
    voltage = _voltage(luminosity, eta_B)
    if turbulence == "bohm":
        return 3.0 * voltage * speed**0.5 + 0.0 * shock_radius
    if coherence_length is None:
        raise ParameterError(f"turbulence '{turbulence}' needs a coherence length", remedy="give L_c in pc")
    check_range("coherence length L_c", coherence_length, 0.0, unit="pc", open_below=True, error=ParameterError)
    # (3 V R_s)/(c L_c), the number by which each steeper turbulence exceeds the one before
    gain = 3.0 * speed / SPEED_OF_LIGHT * (shock_radius / coherence_length)
    return 3.0 * voltage * speed**0.5 * (gain if turbulence == "kraichnan" else gain**2)


def _check_wind(luminosity: Array, velocity: Array, eta_B: Array) -> None:
    check_range("luminosity", luminosity, 0.0, unit="erg/s")
    check_range("velocity", velocity, 0.0, unit="km/s")
    check_range("eta_B", eta_B, 0.0, error=ParameterError)


def _voltage(luminosity: Array, eta_B: Array) -> Array:
    """sqrt(mu0 eta_B L / (2 pi)) in GV per (m/s)^(1/2)."""
    return (VACUUM_PERMEABILITY * _WATT_PER_ERG_S / (2 * pi)) ** 0.5 / _VOLT_PER_GV * (eta_B * luminosity) ** 0.5


def injects(maximum_rigidity: Array) -> Array:
    """Whether a shock injects at all: true where R_max [GV] is at least ``LOWEST_RIGIDITY``."""
    return maximum_rigidity >= LOWEST_RIGIDITY


def kinetic_energy(rigidity: Array, charge: Array, mass: Array) -> Array:
    """Kinetic energy per nucleus [GeV], sqrt((Z R)^2 + m^2) - m, without cancellation at low rigidity.

    Parameters
    ----------
    rigidity : array or float
        Rigidity [GV].
    charge, mass : array or float
        Charge Z and rest energy [GeV]; all broadcast together.
    """
    momentum = charge * rigidity
    squared = momentum * momentum
    return squared / ((squared + mass * mass) ** 0.5 + mass)


def spectral_moments(maximum_rigidity: Array, gamma: Array, charge: Array, mass: Array) -> tuple[Array, Array]:
    """Number and kinetic energy of the spectrum (R/GV)^gamma exp(-R/R_max) above 1 GV.

    Quadrature in ln R on fixed nodes, accurate to 1e-8 (tested) for R_max from 1 to 1e9 GV and gamma from -4 to 0.
    Where nothing is injected (``injects`` is false) the values are those of R_max = 1 GV, to be masked.

    Parameters
    ----------
    maximum_rigidity : array or float
        R_max [GV], shape ``(...)``.
    gamma : array or float
        Injection index; broadcasts with ``maximum_rigidity``.
    charge, mass : array
        Charge and rest energy [GeV] of each nuclide, shape ``(n_nuclides,)``.

    Returns
    -------
    number : array
        Integral of the spectrum [GV], shape ``(...)``.
    energy : array
        Integral of the spectrum times the kinetic energy [GeV GV], shape ``(..., n_nuclides)``.

    Raises
    ------
    ModelError, ParameterError
        If a number or NumPy array is out of range.
    """
    check_range("R_max", maximum_rigidity, 0.0, HIGHEST_RIGIDITY, unit="GV")
    check_range("gamma", gamma, *INDEX_RANGE, error=ParameterError)
    xp = namespace(maximum_rigidity, gamma)
    log_rigidity, rigidity, weight = xp.asarray(_LOG_RIGIDITY), xp.asarray(_RIGIDITY), xp.asarray(_WEIGHT)
    cutoff, index = xp.asarray(maximum_rigidity, dtype=xp.float64), xp.asarray(gamma, dtype=xp.float64)
    inverse = 1.0 / xp.where(injects(cutoff), cutoff, LOWEST_RIGIDITY)
    exponent = (index[..., None] + 1.0) * log_rigidity - rigidity * inverse[..., None]
    spectrum = xp.exp(xp.where(exponent > _LOWEST_EXPONENT, exponent, _LOWEST_EXPONENT))
    charge, mass = xp.asarray(charge, dtype=xp.float64), xp.asarray(mass, dtype=xp.float64)
    kinetic = weight[:, None] * kinetic_energy(rigidity[:, None], charge, mass)
    return spectrum @ weight, spectrum @ kinetic


def mean_kinetic_energy(maximum_rigidity: Array, gamma: Array, fractions: Array, charge: Array, mass: Array) -> Array:
    """Mean kinetic energy <E> per nucleus, over the nuclides and over (R/GV)^gamma exp(-R/R_max) above 1 GV.

    Parameters
    ----------
    maximum_rigidity : array or float
        R_max [GV], shape ``(...)``.
    gamma : array or float
        Injection index; broadcasts with ``maximum_rigidity``.
    fractions : array
        Number fraction of each nuclide in the wind, shape ``(..., n_nuclides)``.
    charge, mass : array
        Charge and rest energy [GeV] of each nuclide, shape ``(n_nuclides,)``.

    Returns
    -------
    array
        <E> [GeV], shape ``(...)``; NaN where R_max is below 1 GV, as there is no spectrum to average over.

    Raises
    ------
    ModelError, ParameterError
        If shapes disagree, or a number or NumPy array is out of range.
    """
    check_nuclide_axis("fractions", fractions, charge, mass)
    xp = namespace(maximum_rigidity, gamma, fractions)
    number, energy = spectral_moments(maximum_rigidity, gamma, charge, mass)
    mean = xp.sum(energy * xp.asarray(fractions), axis=-1) / number
    return xp.where(injects(xp.asarray(maximum_rigidity, dtype=xp.float64)), mean, xp.nan)


def check_nuclide_axis(name: str, values: Array, charge: Array, mass: Array) -> None:
    """Refuse an array whose last axis is not that of the nuclides' charges and masses.

    Raises
    ------
    ModelError
        With the shapes.
    """
    shapes = tuple(values.shape), tuple(np.shape(charge)), tuple(np.shape(mass))
    if len(shapes[1]) != 1 or shapes[1] != shapes[2] or shapes[0][-1:] != shapes[1]:
        raise ModelError(
            f"shapes disagree: {name} {shapes[0]}, charge {shapes[1]}, mass {shapes[2]}",
            remedy=f"the last axis of {name} is that of the nuclides; charge and mass have one entry for each",
        )
