"""A mass-loss rate that adds up to the mass that a track loses; tabulated rates may be off by tens of per cent."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ..errors import ModelError
from .winds import Floats, check_rows


@dataclass(frozen=True)
class MassLoss:
    """A mass-loss rate that adds up to the mass lost, beside the tabulated one.

    Attributes
    ----------
    rate : array, shape (n,)
        -dM/dt at the ages of the track [Msun/yr], never negative; its trapezoid integral is the mass lost.
    ratio : array, shape (n,)
        `rate` over the tabulated rate; 1 where both are zero, infinite where only the latter is (or none is given).
    mass_lost : float
        First mass minus last mass [Msun].
    tabulated_mass_lost : float
        Trapezoid integral of the tabulated rate [Msun].
    """

    rate: Floats
    ratio: Floats
    mass_lost: float
    tabulated_mass_lost: float


def consistent_mass_loss(age: ArrayLike, mass: ArrayLike, tabulated_rate: ArrayLike | None = None) -> MassLoss:
    """Mass-loss rate at the ages of a track whose trapezoid integral is exactly the mass lost.

    The mass that is lost between two rows is given to both, in proportion to their tabulated rates, or in halves where
    these are zero or not given. So a tabulated rate that agrees with the masses comes back unchanged, and jumps stay
    sharp.

    Parameters
    ----------
    age : array, shape (n,)
        Strictly increasing [yr].
    mass : array, shape (n,)
        Never increasing [Msun].
    tabulated_rate : array, shape (n,), optional
        Above zero for loss [Msun/yr].

    Raises
    ------
    ModelError
        If ages do not increase, masses do, or a rate is negative; names the row.
    """
    age, mass = np.asarray(age, dtype=np.float64), np.asarray(mass, dtype=np.float64)
    tabulated = np.zeros_like(mass) if tabulated_rate is None else np.asarray(tabulated_rate, dtype=np.float64)
    if age.ndim != 1 or age.size < 2 or mass.shape != age.shape or tabulated.shape != age.shape:
        raise ModelError(
            f"a track with ages of shape {age.shape}, masses {mass.shape} and rates {tabulated.shape}",
            remedy="give one-dimensional arrays of one length, two rows or more",
        )
    step, lost = np.diff(age), -np.diff(mass)
    check_rows("age", age[1:], step > 0.0, "above that of the row before", first=1)
    check_rows("mass", mass[1:], lost >= 0.0, "at or below that of the row before", first=1)
    check_rows("tabulated_rate", tabulated, np.isfinite(tabulated) & (tabulated >= 0.0), "finite and not below zero")
    pair = tabulated[:-1] + tabulated[1:]
    first_share = np.where(pair > 0.0, tabulated[:-1] / np.where(pair > 0.0, pair, 1.0), 0.5)
    gathered = np.zeros_like(mass)
    gathered[:-1] += lost * first_share
    gathered[1:] += lost * (1.0 - first_share)
    width = np.zeros_like(age)
    width[:-1] += 0.5 * step
    width[1:] += 0.5 * step
    rate = gathered / width
    quotient = np.divide(rate, tabulated, out=np.full_like(rate, np.inf), where=tabulated > 0.0)
    ratio = np.where((rate == 0.0) & (tabulated == 0.0), 1.0, quotient)
    return MassLoss(rate, ratio, float(mass[0] - mass[-1]), float(np.sum(0.5 * step * pair)))
