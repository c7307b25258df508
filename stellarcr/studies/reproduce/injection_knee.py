"""What LHAASO measured at the knee, against rigidity: the breaks of H and He, and H/He."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...data.registry import load_spectrum

Floats = NDArray[np.float64]

HADRONIC_MODEL = "EPOS-LHC"
"""Of the bands that are drawn; the model's default."""

HADRONIC_MODELS = (HADRONIC_MODEL, "QGSJET-II-04", "SIBYLL-2.3d")

FIT_FROM = 5e5
"""Lowest rigidity of the fits [GV]. `project choice`: helium hardens below."""

KNEE = 3e6
"""Rigidity at which H/He is compared [GV], as in the paper's Fig. 7."""

_CHARGE = {"H": 1.0, "He": 2.0}
_STEPS = 2000


class Interval(NamedTuple):
    """A best value with the ends of its 68% interval."""

    best: float
    low: float
    high: float


@dataclass(frozen=True, eq=False)
class KneeSpectrum:
    """LHAASO's spectrum of an element against rigidity.

    Attributes
    ----------
    rigidity : ndarray, shape (n,)
        Total energy over charge [GV]; the rest mass is below 1e-5 of the energy.
    flux : ndarray, shape (n,)
        Per unit rigidity [1/(m2 s sr GV)].
    relative_error : ndarray, shape (n,)
        Statistical and systematic errors in quadrature, over the flux.
    """

    rigidity: Floats
    flux: Floats
    relative_error: Floats

    def at(self, rigidity: float) -> tuple[float, float]:
        """Flux and relative error at a rigidity [GV], interpolated in logarithms."""
        place = np.log(self.rigidity)
        flux = np.exp(np.interp(np.log(rigidity), place, np.log(self.flux)))
        return float(flux), float(np.interp(np.log(rigidity), place, self.relative_error))


def knee_spectrum(element: str, hadronic_model: str = HADRONIC_MODEL) -> KneeSpectrum:
    """LHAASO's H or He for one hadronic model."""
    table = load_spectrum("LHAASO", element, hadronic_model=hadronic_model)
    charge = _CHARGE[element]
    error = 0.5 * sum(table.total_error())
    return KneeSpectrum(table.x.value / charge, table.value.value * charge, (error / table.value).value)


@lru_cache
def measured_break(element: str, hadronic_model: str = HADRONIC_MODEL) -> Interval:
    """Rigidity of the break [GV] of two power laws that meet, fitted from 0.5 PV on.

    Least squares in ln J with total errors, independent between bins; the interval is where chi2 is within 1 of its
    least value. Parameters as of `knee_spectrum`.
    """
    spectrum = knee_spectrum(element, hadronic_model)
    return broken_power_law(spectrum.rigidity, spectrum.flux, spectrum.relative_error)


def broken_power_law(rigidity: Floats, flux: Floats, relative_error: Floats) -> Interval:
    """Fit two power laws that meet; see `measured_break`."""
    used = rigidity >= FIT_FROM
    x, y, error = np.log(rigidity[used]), np.log(flux[used]), relative_error[used]
    # two points at least on each side, or a slope is free
    breaks = np.linspace(x[1], x[-2], _STEPS)
    chi2 = np.empty(_STEPS)
    for place, at in enumerate(breaks):
        shape = np.stack([np.ones_like(x), np.minimum(x - at, 0.0), np.maximum(x - at, 0.0)], axis=1) / error[:, None]
        solution = np.linalg.lstsq(shape, y / error, rcond=None)[0]
        chi2[place] = np.sum((shape @ solution - y / error) ** 2)
    inside = np.exp(breaks[chi2 <= chi2.min() + 1.0])
    return Interval(*(float(value) for value in (np.exp(breaks[np.argmin(chi2)]), inside[0], inside[-1])))


def break_band() -> tuple[float, float]:
    """Lowest and highest end of the 68% intervals of both breaks [GV]."""
    found = [measured_break(element) for element in _CHARGE]
    return min(interval.low for interval in found), max(interval.high for interval in found)


@lru_cache
def measured_ratio(rigidity: float = KNEE, hadronic_model: str = HADRONIC_MODEL) -> Interval:
    """H/He at equal rigidity, J_H(E)/[2 J_He(2E)], with errors of both energy bins as independent."""
    (upper, first), (lower, second) = (knee_spectrum(element, hadronic_model).at(rigidity) for element in ("H", "He"))
    ratio, error = upper / lower, float(np.hypot(first, second))
    return Interval(ratio, ratio * (1.0 - error), ratio * (1.0 + error))
