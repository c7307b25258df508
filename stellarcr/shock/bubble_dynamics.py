"""Equations of a wind-blown bubble and their integration (inside: pc, yr, 1e51 erg).

A Dormand-Prince 5(4) pair on plain floats. The wind changes its law at every row of a track (some 1000 of them), where
a step has to end or the method loses its order, and the age then admits about one step per row: an own scalar loop
takes tens of microseconds for it, NumPy on arrays of length one ten times that, and ``scipy.integrate.solve_ivp``
restarted at every row more still. The equations are not stiff (their rates are v/R, 1/t and the sound-crossing rate of
the shell), so an explicit step may be a tenth of the age.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import acos, acosh, cos, cosh, inf, isfinite, nan, pi

import numpy as np
from numpy.typing import NDArray

from stellarcr.errors import ModelError

Array = NDArray[np.float64]

# Dormand & Prince 5(4), as in scipy.integrate.RK45 (the tests compare): stages, fifth-order result, error weights
NODES = (0.0, 1 / 5, 3 / 10, 4 / 5, 8 / 9, 1.0, 1.0)
STAGES = (
    (1 / 5,),
    (3 / 40, 9 / 40),
    (44 / 45, -56 / 15, 32 / 9),
    (19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729),
    (9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656),
    (35 / 384, 0.0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84),
)
ERROR_WEIGHTS = (-71 / 57600, 0.0, 71 / 16695, -71 / 1920, 17253 / 339200, -22 / 525, 1 / 40)

TURN_TOLERANCE = 1e-6
"""The shell has turned where |v| < this times R/t: the maximum radius is then right to its square."""
RESUME_TOLERANCE = 1e-10
"""The shell sweeps again once R exceeds the maximum by this fraction."""
LARGEST_STEP = 0.1
"""Largest step over age: keeps the interpolant of the energy bookkeeping accurate."""
SMALL = 1e-30
ROOT = 6.75**0.5


def thermal_pressure(thermal: Array, ram: Array) -> Array:
    """Positive root p = s^2 of s^3 - a s - b = 0: the cubic of the bubble divided by 2 pi R_b^3.

    Parameters
    ----------
    thermal : array
        a = E_b / (2 pi R_b^3) >= 0, the pressure without a cavity of free wind.
    ram : array
        b^(2/3) = F / (4 pi R_b^2), the pressure if the free wind reached the shell.

    Returns
    -------
    array
        Pressure, in the unit of the arguments. Both zero give NaN.

    Notes
    -----
    With x = sqrt(27/4) b / a^(3/2) the root is s = 2 sqrt(a/3) cos(arccos(x)/3), and cosh(arccosh(x)/3) for x > 1: one
    complex expression without cancellation. An `a` below 1e-30 b^(2/3) changes s by less than rounding and is raised.
    """
    a = np.maximum(thermal, SMALL * ram)
    x = ROOT * (ram / a) ** 1.5
    cosine = np.cos(np.arccos(x + 0j) / 3).real
    return np.asarray((4 / 3) * a * cosine * cosine)


def _pressure(thermal: float, ram: float) -> float:
    """`thermal_pressure` of one point; zero where a trial step has spent the energy and no wind blows."""
    a = max(thermal, SMALL * ram)
    if a <= 0:
        return 0.0
    x = ROOT * (ram / a) ** 1.5
    cosine = cos(acos(x) / 3) if x <= 1 else cosh(acosh(x) / 3)
    return (4 / 3) * a * cosine * cosine


@dataclass(frozen=True)
class Track:
    """One integrated bubble.

    Attributes
    ----------
    states : list of (R, v, E)
        On the nodes; NaN before the start.
    frozen : list of bool
        Whether the swept mass is frozen there.
    steps : array, shape (n_steps, 14)
        Accepted steps: segment, length; R, v, E before and after; dv/dt, dE/dt before and after; F/(4 pi) before and
        after.
    """

    states: list[tuple[float, float, float]]
    frozen: list[bool]
    steps: Array


def integrate(
    age: Sequence[float],
    flux: tuple[Sequence[float], Sequence[float]],
    luminosity: tuple[Sequence[float], Sequence[float]],
    start: float,
    state: tuple[float, float, float],
    *,
    density: float,
    external: float,
    tolerance: float,
    where: str = "",
) -> Track:
    """Integrate one bubble from `start` to the last node.

    Parameters
    ----------
    age : sequence of float
        Nodes; `start` lies within them. (Plain lists are several times faster than arrays.)
    flux, luminosity : pair of sequences of float
        F and L, linear within every segment: at its start and at its end.
    start : float
        Age at the start.
    state : tuple of float
        R_b, its derivative and E_b at the start.
    density, external : float
        Density and pressure of the medium.
    tolerance : float
        Relative error of one step.
    where : str
        Name of the star, for errors.

    Returns
    -------
    Track

    Raises
    ------
    ModelError
        If the energy falls to zero.
    """
    maximum, frozen = state[0], False
    pressure_of = _pressure

    def slope(radius: float, velocity: float, energy: float, ram_force: float, power: float) -> tuple[float, float]:
        """dv/dt and dE/dt; `ram_force` is F/(4 pi)."""
        square = radius * radius
        pressure = pressure_of(energy / (2 * pi * square * radius), ram_force / square)
        gain = power - 4 * pi * square * pressure * velocity
        if frozen:
            return 3 * (pressure - external) * square / (density * maximum**3), gain
        return (3 * (pressure - external) / density - 3 * velocity * velocity) / radius, gain

    (a21,), (a31, a32), (a41, a42, a43), (a51, a52, a53, a54), (a61, a62, a63, a64, a65), (b1, _, b3, b4, b5, b6) = (
        STAGES
    )
    e1, _, e3, e4, e5, e6, e7 = ERROR_WEIGHTS
    _, c2, c3, c4, c5, _, _ = NODES
    unset = (nan, nan, nan)
    first = max(k for k, node in enumerate(age) if node <= start)
    states = [unset] * (first + 1)
    if age[first] == start:
        states[first] = state
    frozen_nodes, steps = [False] * (first + 1), []
    r, v, e = state
    t, proposal = start, 1e-3 * start
    for segment in range(first, len(age) - 1):
        left, right = age[segment], age[segment + 1]
        f_left, l_left = flux[0][segment] / (4 * pi), luminosity[0][segment]
        f_slope = (flux[1][segment] / (4 * pi) - f_left) / (right - left)
        l_slope = (luminosity[1][segment] - l_left) / (right - left)
        arrived = False
        while not arrived:
            ends = proposal >= (right - t) * (1 - 1e-12)
            h = right - t if ends else proposal
            end = right if ends else t + h
            f, power, df, dl = f_left + f_slope * (t - left), l_left + l_slope * (t - left), f_slope * h, l_slope * h
            f, f_end = max(f, 0.0), max(f + df, 0.0)  # rounding at the end of a ramp to zero
            l_end = power + dl
            v1 = v
            p1, q1 = slope(r, v1, e, f, power)
            v2 = v + h * a21 * p1
            p2, q2 = slope(r + h * a21 * v1, v2, e + h * a21 * q1, f + c2 * df, power + c2 * dl)
            v3 = v + h * (a31 * p1 + a32 * p2)
            p3, q3 = slope(
                r + h * (a31 * v1 + a32 * v2), v3, e + h * (a31 * q1 + a32 * q2), f + c3 * df, power + c3 * dl
            )
            v4 = v + h * (a41 * p1 + a42 * p2 + a43 * p3)
            r4, energy4 = r + h * (a41 * v1 + a42 * v2 + a43 * v3), e + h * (a41 * q1 + a42 * q2 + a43 * q3)
            p4, q4 = slope(r4, v4, energy4, f + c4 * df, power + c4 * dl)
            v5 = v + h * (a51 * p1 + a52 * p2 + a53 * p3 + a54 * p4)
            r5 = r + h * (a51 * v1 + a52 * v2 + a53 * v3 + a54 * v4)
            energy5 = e + h * (a51 * q1 + a52 * q2 + a53 * q3 + a54 * q4)
            p5, q5 = slope(r5, v5, energy5, f + c5 * df, power + c5 * dl)
            v6 = v + h * (a61 * p1 + a62 * p2 + a63 * p3 + a64 * p4 + a65 * p5)
            r6 = r + h * (a61 * v1 + a62 * v2 + a63 * v3 + a64 * v4 + a65 * v5)
            energy6 = e + h * (a61 * q1 + a62 * q2 + a63 * q3 + a64 * q4 + a65 * q5)
            p6, q6 = slope(r6, v6, energy6, f_end, l_end)
            new_v = v + h * (b1 * p1 + b3 * p3 + b4 * p4 + b5 * p5 + b6 * p6)
            new_r = r + h * (b1 * v1 + b3 * v3 + b4 * v4 + b5 * v5 + b6 * v6)
            new_e = e + h * (b1 * q1 + b3 * q3 + b4 * q4 + b5 * q5 + b6 * q6)
            ratio = inf
            if new_r > 0 and new_e > 0:
                p7, q7 = slope(new_r, new_v, new_e, f_end, l_end)
                scale_v = abs(new_v) + new_r / end
                error_r = abs(e1 * v1 + e3 * v3 + e4 * v4 + e5 * v5 + e6 * v6 + e7 * new_v) / new_r
                error_v = abs(e1 * p1 + e3 * p3 + e4 * p4 + e5 * p5 + e6 * p6 + e7 * p7) / scale_v
                error_e = abs(e1 * q1 + e3 * q3 + e4 * q4 + e5 * q5 + e6 * q6 + e7 * q7) / new_e
                ratio = h * max(error_r, error_v, error_e) / tolerance
            factor = min(5.0, max(0.2, 0.9 * max(ratio, 1e-10) ** -0.2)) if isfinite(ratio) else 0.2
            accepted = ratio <= 1

            # a step may pass neither the turning point nor the return to the largest radius: it ends there (secant)
            turning = accepted and not frozen and new_v < 0
            returning = accepted and frozen and new_r > maximum
            if h > 1e-13 * t:
                if turning and -new_v > TURN_TOLERANCE * new_r / end:
                    accepted, factor = False, min(0.95, max(0.05, v / (v - new_v)))
                if returning and new_r > maximum * (1 + RESUME_TOLERANCE):
                    accepted, factor = False, min(0.95, max(0.05, (maximum - r) / (new_r - r)))
            if not accepted:
                if h < 1e-13 * t:
                    raise ModelError(
                        f"the bubble cannot be followed past {t:.6g} yr: R_b = {r:.3g} pc, E_b = {e * 1e51:.3g} erg",
                        where=where,
                        remedy="E_b falls to zero when the shell is faster than half the wind's velocity: check the "
                        "units of the momentum flux [g cm/s^2] and luminosity [erg/s], or start later",
                    )
                proposal = h * factor
                continue
            steps.append((segment, h, r, v, e, new_r, new_v, new_e, p1, q1, p7, q7, f, f_end))
            r, v, e, t, arrived = new_r, new_v, new_e, end, ends
            if not frozen:
                maximum = max(maximum, r)
            frozen = (frozen or turning) and not returning
            # a step cut short by a node says little about the next one
            proposal = min(max(proposal, h * factor) if ends else h * factor, LARGEST_STEP * t)
        states.append((r, v, e))
        frozen_nodes.append(frozen)
    return Track(states, frozen_nodes, np.array(steps))


def work_by_quadrature(steps: Array, n_segments: int) -> Array:
    """Work on the shell, 4 pi R^2 p dR, in every segment: Gauss-Legendre on Hermite interpolants, shape (n_segments,).

    R is the quintic through (R, v, dv/dt) at both ends of a step, E the cubic through (E, dE/dt), and p follows from
    them: independent of the solver's own sum over stages, so that a wrong energy shows.
    """
    segment, h, r0, v0, e0, r1, v1, e1, a0, q0, a1, q1, ram0, ram1 = steps.T
    points, weights = np.polynomial.legendre.leggauss(4)
    work = np.zeros(len(h))
    for x, weight in zip((points + 1) / 2, weights / 2, strict=True):
        x2, x3 = x * x, x * x * x
        rise = x3 * (10 - 15 * x + 6 * x2)
        first0, first1 = x - x3 * (6 - 8 * x + 3 * x2), x3 * (-4 + 7 * x - 3 * x2)
        second0, second1 = x2 * (0.5 - 1.5 * x + 1.5 * x2 - 0.5 * x3), x3 * (0.5 - x + 0.5 * x2)
        radius = r0 + rise * (r1 - r0) + h * (first0 * v0 + first1 * v1) + h * h * (second0 * a0 + second1 * a1)
        d_rise = 30 * x2 * (1 - x) ** 2
        d_first0, d_first1 = 1 - 18 * x2 + 32 * x3 - 15 * x2 * x2, -12 * x2 + 28 * x3 - 15 * x2 * x2
        d_second0 = x - 4.5 * x2 + 6 * x3 - 2.5 * x2 * x2
        d_second1 = 1.5 * x2 - 4 * x3 + 2.5 * x2 * x2
        advance = d_rise * (r1 - r0) + h * (d_first0 * v0 + d_first1 * v1) + h * h * (d_second0 * a0 + d_second1 * a1)
        energy = e0 + (3 * x2 - 2 * x3) * (e1 - e0)
        energy += h * ((x - 2 * x2 + x3) * q0 + (x3 - x2) * q1)
        ram = ram0 * (1 - x) + ram1 * x
        pressure = thermal_pressure(energy / (2 * np.pi * radius**3), ram / radius**2)
        work += weight * 4 * np.pi * radius**2 * pressure * advance
    return np.bincount(segment.astype(int), weights=work, minlength=n_segments).astype(np.float64)
