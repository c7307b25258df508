"""Energy axes of published spectra, with exact Jacobians per nuclide.

Axis codes are those of the cosmic-ray data base CRDB: ``R`` rigidity [GV], ``EK`` kinetic energy per nucleus [GeV],
``EKN`` kinetic energy per nucleon [GeV], ``ETOT`` total energy per nucleus [GeV].
"""

from __future__ import annotations

import math

from ..backend import Array, namespace
from ..constants import SPEED_OF_LIGHT
from ..errors import ParameterError, nearest
from ..species import Nuclide

AXES = {"R": "GV", "EK": "GeV", "EKN": "GeV", "ETOT": "GeV"}
"""Unit of each axis."""


def check_axis(axis: str) -> None:
    """Refuse an axis code that is not known.

    Raises
    ------
    ParameterError
        With the known codes.
    """
    if axis not in AXES:
        raise ParameterError(f"unknown axis {axis!r}", remedy=nearest(axis, AXES))


def total_energy(axis: str, x: Array, nuclide: Nuclide) -> Array:
    """Total energy per nucleus [GeV] at a point of an axis."""
    xp = namespace(x)
    if axis == "R":
        return xp.sqrt((nuclide.charge * x) ** 2 + nuclide.mass**2)
    if axis == "EK":
        return x + nuclide.mass
    if axis == "EKN":
        return nuclide.mass_number * x + nuclide.mass
    if axis == "ETOT":
        return x
    check_axis(axis)
    raise AssertionError(axis)


def energy_jacobian(axis: str, x: Array, nuclide: Nuclide) -> Array | float:
    """Return the derivative of the energy per nucleus with respect to the axis, dE/dx."""
    if axis == "R":
        return nuclide.charge**2 * x / total_energy("R", x, nuclide)
    return float(nuclide.mass_number) if axis == "EKN" else 1.0


def rigidity(axis: str, x: Array, nuclide: Nuclide) -> Array:
    """Rigidity [GV] at a point of an axis; 0 below the rest energy."""
    if axis == "R":
        return x
    xp = namespace(x)
    energy = total_energy(axis, x, nuclide)
    squared = energy**2 - nuclide.mass**2
    return xp.sqrt(xp.where(squared > 0, squared, 0.0)) / nuclide.charge


def from_rigidity(axis: str, value: Array, nuclide: Nuclide) -> Array:
    """Point of an axis that belongs to a rigidity [GV]; the inverse of `rigidity`."""
    energy = total_energy("R", value, nuclide)
    if axis == "R":
        return value
    if axis == "ETOT":
        return energy
    check_axis(axis)
    return (energy - nuclide.mass) / (nuclide.mass_number if axis == "EKN" else 1.0)


def detector_kernel(axis: str, x: Array, nuclide: Nuclide, phi: Array) -> tuple[Array, Array]:
    """Where in interstellar rigidity a detector looks, and with what weight.

    The flux per unit of the axis at the detector is ``weight * N_R(rigidity)``, with N_R the interstellar density per
    unit rigidity [1/(m^3 GV)]. It joins the flux of an isotropic gas, J = beta c N / (4 pi), the force field
    J(E) = J_LIS(E + Z phi) p^2 / p_LIS^2 (p^2 = Ek (Ek + 2 m)), and the Jacobian of the axis.

    Parameters
    ----------
    axis : str
        Axis code.
    x : array
        Points on the axis [GV or GeV].
    nuclide : Nuclide
        The nucleus.
    phi : array or float
        Modulation potential [GV].

    Returns
    -------
    rigidity : array
        Interstellar rigidity [GV].
    weight : array
        Flux per density [m/(s sr) times GV per unit of the axis]; 0 below the rest energy.
    """
    xp = namespace(x, phi)
    energy = total_energy(axis, x, nuclide)
    squared = energy**2 - nuclide.mass**2
    interstellar = (energy + nuclide.charge * phi) ** 2 - nuclide.mass**2
    allowed = (squared > 0) & (interstellar > 0)
    safe = xp.where(allowed, interstellar, 1.0)
    # per unit energy J_E = c N_R / (4 pi Z): beta and dR/dE cancel but for Z
    weight = SPEED_OF_LIGHT / (4.0 * math.pi * nuclide.charge) * energy_jacobian(axis, x, nuclide)
    return xp.sqrt(safe) / nuclide.charge, xp.where(allowed, weight * squared / safe, 0.0)
