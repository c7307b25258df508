"""The bubble that a wind blows into ionised gas and its termination shock: Weaver et al. 1977, no radiative losses.

    R_s = sqrt(F / (4 pi p)),  E_b = 2 pi p (R_b^3 - R_s^3),
    d/dt (4 pi/3 rho0 R_b^3 dR_b/dt) = 4 pi R_b^2 (p - p_II),  dE_b/dt = L - 4 pi R_b^2 p dR_b/dt,

for the momentum flux F(t) and mechanical luminosity L(t) of a wind that changes, from `start` on. R_s follows the wind
at once: a wind of 20 km/s would need 1 Myr to cross 20 pc, a limitation of these equations.

With an external pressure the shell can turn around. It keeps the mass that it has swept up, so the swept mass is that
of the largest radius so far: frozen (and flagged) while R_b is below it, growing again should the shell pass it. Such
a shell swings about pressure equilibrium undamped; R_b and R_s are then estimates.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stellarcr.constants import BOLTZMANN_CONSTANT, PARSEC, PROTON_MASS, YEAR
from stellarcr.errors import ParameterError
from stellarcr.shock.bubble_checks import check_wind
from stellarcr.shock.bubble_dynamics import integrate, thermal_pressure, work_by_quadrature

PARSEC_CM = 100.0 * PARSEC
ENERGY_UNIT = 1e51
"""erg: inside, lengths are in pc, times in yr and energies in this unit, which keeps all three unknowns near one."""
SIMILARITY_ENERGY = 5 / 11
SIMILARITY_RADIUS = (125 / (154 * np.pi)) ** 0.2

Interpolation = Literal["linear", "constant"]


@dataclass(frozen=True)
class Medium:
    """The gas around the bubble: an H II region.

    Parameters
    ----------
    hydrogen_density : float
        n0 [cm^-3]. Default 1 (Qiu, Lin & Yang 2026, arXiv:2605.31362).
    temperature : float
        T_HII [K]; 0 leaves out the external pressure. Default 8000 (same source).
    mass_per_hydrogen : float
        rho0 / (m_p n0). `project choice`: 1.4, helium at a tenth of hydrogen by number.
    particles_per_hydrogen : float
        p_II / (n0 k T_HII). `project choice`: 2, ionised hydrogen without helium.

    Raises
    ------
    ParameterError
        If a density or mass is not positive, or a value is negative or not finite.
    """

    hydrogen_density: float = 1.0
    temperature: float = 8000.0
    mass_per_hydrogen: float = 1.4
    particles_per_hydrogen: float = 2.0

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            may_vanish = field.name in ("temperature", "particles_per_hydrogen")
            if not np.isfinite(value) or value < 0 or (value == 0 and not may_vanish):
                raise ParameterError(
                    f"{field.name} = {value!r} is not a {'non-negative' if may_vanish else 'positive'} finite number",
                    where="Medium",
                    remedy="give n0 in cm^-3 and T in K; temperature = 0 leaves out the external pressure",
                )

    @property
    def mass_density(self) -> float:
        """rho0 [g cm^-3]."""
        return self.mass_per_hydrogen * PROTON_MASS * 1e3 * self.hydrogen_density

    @property
    def pressure(self) -> float:
        """p_II [erg cm^-3]."""
        return self.particles_per_hydrogen * self.hydrogen_density * BOLTZMANN_CONSTANT * 1e7 * self.temperature


@dataclass(frozen=True, eq=False)
class Bubble:
    """History of one bubble or of many (leading axes); every array has the shape (..., n_nodes) of the wind.

    Nodes before the start hold NaN.

    Attributes
    ----------
    age : array
        Age [yr].
    shock_radius : array
        R_s of the termination shock [pc]; NaN where no wind blows (F = 0).
    shell_radius : array
        R_b [pc].
    shell_velocity : array
        dR_b/dt [km/s].
    pressure : array
        p of the shocked wind [erg cm^-3].
    energy : array
        E_b, thermal energy of the shocked wind [erg].
    swept_mass_frozen : array of bool
        The shell has turned around and is inside its largest radius.
    energy_injected : array
        Integral of L dt since the start [erg], exact.
    work : array
        Work on the shell since the start [erg], by a quadrature of its own on the interpolated solution.
    energy_imbalance : array
        (E_b(t) + work - E_b(start) - energy_injected) / (E_b(start) + energy_injected); zero but for numerical error.
    medium : Medium
        The gas around.
    """

    age: NDArray[np.float64]
    shock_radius: NDArray[np.float64]
    shell_radius: NDArray[np.float64]
    shell_velocity: NDArray[np.float64]
    pressure: NDArray[np.float64]
    energy: NDArray[np.float64]
    swept_mass_frozen: NDArray[np.bool_]
    energy_injected: NDArray[np.float64]
    work: NDArray[np.float64]
    energy_imbalance: NDArray[np.float64]
    medium: Medium


def shocked_wind_pressure(shell_radius: ArrayLike, energy: ArrayLike, momentum_flux: ArrayLike) -> NDArray[np.float64]:
    """Pressure between termination shock and shell: s^2 of 2 pi R_b^3 s^3 - E_b s - 2 pi (F/4 pi)^(3/2) = 0, s > 0.

    Parameters
    ----------
    shell_radius : array_like
        R_b [pc] > 0.
    energy : array_like
        E_b [erg] >= 0.
    momentum_flux : array_like
        F [g cm/s^2] >= 0.

    Returns
    -------
    array
        p [erg cm^-3], shape of the arguments broadcast; 0 where E_b = F = 0.

    Raises
    ------
    ParameterError
        If an argument is outside its domain.
    """
    radius, energy, flux = (np.asarray(a, dtype=np.float64) for a in (shell_radius, energy, momentum_flux))
    for name, value, valid in (
        ("shell_radius", radius, radius > 0),
        ("energy", energy, energy >= 0),
        ("momentum_flux", flux, flux >= 0),
    ):
        if not np.all(valid & np.isfinite(value)):
            raise ParameterError(
                f"{name} has the value {value[~(valid & np.isfinite(value))].flat[0]!r}",
                where="shocked_wind_pressure",
                remedy="R_b must be positive, E_b and F non-negative, all finite",
            )
    centimetres = radius * PARSEC_CM
    thermal, ram = energy / (2 * np.pi * centimetres**3), flux / (4 * np.pi * centimetres**2)
    thermal, ram = np.broadcast_arrays(thermal, ram)
    empty = (thermal == 0) & (ram == 0)
    return np.where(empty, 0.0, thermal_pressure(np.where(empty, 1.0, thermal), ram))


def similarity_solution(
    age: ArrayLike, luminosity: ArrayLike, medium: Medium
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Weaver's solution for a constant wind with R_s << R_b and no external pressure.

    Parameters
    ----------
    age : array_like
        [yr].
    luminosity : array_like
        L [erg/s].
    medium : Medium
        The gas around; its pressure is left out.

    Returns
    -------
    tuple of arrays
        R_b = (125/(154 pi))^(1/5) (L t^3/rho0)^(1/5) [pc], dR_b/dt = 3/5 R_b/t [km/s], E_b = 5/11 L t [erg].
    """
    time = np.asarray(age, dtype=np.float64) * YEAR
    power = np.asarray(luminosity, dtype=np.float64)
    radius = SIMILARITY_RADIUS * (power * time**3 / medium.mass_density) ** 0.2
    return radius / PARSEC_CM, 0.6 * radius / time / 1e5, SIMILARITY_ENERGY * power * time


def solve_bubble(
    age: ArrayLike,
    momentum_flux: ArrayLike,
    luminosity: ArrayLike,
    *,
    medium: Medium | None = None,
    interpolation: Interpolation = "linear",
    start: float = 1e4,
    mass_loss: ArrayLike | None = None,
    tolerance: float = 1e-9,
) -> Bubble:
    """Follow the bubble of a wind given on age nodes; many stars at once along leading axes.

    Parameters
    ----------
    age : array_like, shape (..., n_nodes)
        Ages [yr], increasing; the first no later than `start`, the last after it.
    momentum_flux : array_like, shape (..., n_nodes)
        F = sum of mdot v [g cm/s^2] >= 0. Zero, as L, where no wind blows.
    luminosity : array_like, shape (..., n_nodes)
        L = sum of mdot v^2/2 [erg/s] >= 0.
    medium : Medium, optional
        The gas around. Default `Medium()`.
    interpolation : {"linear", "constant"}
        Wind between nodes. "linear" (default) makes F, L and mdot linear in age: the integral of L dt is the trapezoid
        rule's, and a mixture of two winds keeps F^2 <= 2 L mdot. "constant" holds a node's wind until the next node:
        for jumps. A jump on linear nodes is two nodes close to each other: a wind that ends needs a node
        just after its last one, with F = L = 0.
    start : float
        Age [yr] at which the bubble is put on the similarity solution of the wind at that age.
        Default 1e4 (Qiu, Lin & Yang 2026, arXiv:2605.31362).
    mass_loss : array_like, shape (..., n_nodes), optional
        mdot [g/s], for a check only: F^2 <= 2 L mdot holds for any mixture of winds.
    tolerance : float
        Relative error allowed per step, 1e-13 to 1e-3. Default 1e-9.

    Returns
    -------
    Bubble
        Its history on the nodes. After the wind's end the shell coasts, with p from
        E_b alone, and R_s is NaN.

    Raises
    ------
    DataError
        If the arrays do not describe a wind.
    ParameterError
        If an option is out of range.
    ModelError
        If E_b falls to zero: the shell runs away from a wind slower than twice its speed.

    Notes
    -----
    Stars are integrated one after the other, so a batch gives exactly what its stars give alone, at 10-90 ms per star
    with 600 to 1000 nodes on one core (``benchmarks/bubble.py``). A turn of the shell costs a few steps, a node one.
    """
    medium = Medium() if medium is None else medium
    ages, flux, power = check_wind(age, momentum_flux, luminosity, mass_loss, start, interpolation, tolerance)
    shape = ages.shape
    ages, flux, power = (a.reshape(-1, shape[-1]) for a in (ages, flux, power))

    second, parsec = 1 / YEAR, 1 / PARSEC_CM  # in yr, in pc
    erg = 1 / ENERGY_UNIT
    rho = medium.mass_density * erg * second**2 / parsec**5
    external = medium.pressure * erg / parsec**3
    constant = interpolation == "constant"
    flux, power = flux * erg / parsec, power * erg / second
    flux_ends = flux[:, :-1], flux[:, :-1] if constant else flux[:, 1:]
    power_ends = power[:, :-1], power[:, :-1] if constant else power[:, 1:]

    nodes, frozen = np.empty((3, *ages.shape)), np.empty(ages.shape, dtype=bool)
    work, start_energy = np.empty(power_ends[0].shape), np.empty((len(ages), 1))
    for star, nodes_of_star in enumerate(ages):
        flux_of_star = flux_ends[0][star], flux_ends[1][star]
        power_of_star = power_ends[0][star], power_ends[1][star]
        at_start = _value_at(start, nodes_of_star, power_of_star) * second / erg
        radius, velocity, energy = (float(x) for x in similarity_solution(start, at_start, medium))
        track = integrate(
            nodes_of_star.tolist(),
            (flux_of_star[0].tolist(), flux_of_star[1].tolist()),
            (power_of_star[0].tolist(), power_of_star[1].tolist()),
            float(start),
            (radius, velocity * 1e5 * parsec / second, energy * erg),
            density=rho,
            external=external,
            tolerance=tolerance,
            where=f"star {star} of {len(ages)}",
        )
        nodes[:, star], frozen[star] = np.transpose(track.states), track.frozen
        work[star], start_energy[star] = work_by_quadrature(track.steps, len(nodes_of_star) - 1), energy
    shell_radius, shell_velocity, energies = nodes[0], nodes[1] / parsec * second / 1e5, nodes[2] * ENERGY_UNIT

    begin = np.clip(ages[:, :-1], start, ages[:, 1:])
    middle = ((begin + ages[:, 1:]) / 2 - ages[:, :-1]) / np.diff(ages)
    mean_power = power_ends[0] + middle * (power_ends[1] - power_ends[0])  # exact: L is linear
    before = ages < start
    injected = np.where(before, np.nan, _running_sum(mean_power * (ages[:, 1:] - begin)) * ENERGY_UNIT)
    work = np.where(before, np.nan, _running_sum(work) * ENERGY_UNIT)
    budget = start_energy + injected

    with np.errstate(invalid="ignore", divide="ignore"):  # NaN before the start, no R_s without a wind
        flux_cgs = flux / erg * parsec
        centimetres = shell_radius * PARSEC_CM
        pressure = thermal_pressure(energies / (2 * np.pi * centimetres**3), flux_cgs / (4 * np.pi * centimetres**2))
        shock_radius = np.where(flux > 0, np.sqrt(flux_cgs / (4 * np.pi * pressure)) / PARSEC_CM, np.nan)
    return Bubble(
        age=ages.reshape(shape),
        shock_radius=shock_radius.reshape(shape),
        shell_radius=shell_radius.reshape(shape),
        shell_velocity=shell_velocity.reshape(shape),
        pressure=pressure.reshape(shape),
        energy=energies.reshape(shape),
        swept_mass_frozen=frozen.reshape(shape),
        energy_injected=injected.reshape(shape),
        work=work.reshape(shape),
        energy_imbalance=((energies + work - budget) / budget).reshape(shape),
        medium=medium,
    )


def _value_at(age: float, ages: NDArray[np.float64], ends: tuple[NDArray[np.float64], NDArray[np.float64]]) -> float:
    """A quantity that is linear in every segment, at one age."""
    segment = int(np.searchsorted(ages, age, side="right")) - 1
    share = (age - ages[segment]) / (ages[segment + 1] - ages[segment])
    return float(ends[0][segment] + share * (ends[1][segment] - ends[0][segment]))


def _running_sum(per_segment: NDArray[np.float64]) -> NDArray[np.float64]:
    """Cumulative sum over segments, on nodes, from zero."""
    return np.concatenate([np.zeros((len(per_segment), 1)), np.cumsum(per_segment, axis=-1)], axis=-1)
