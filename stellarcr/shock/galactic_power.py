"""Mechanical power of all star clusters of the Galaxy, from the star-formation rate and the mass function."""

from __future__ import annotations

from ..errors import ParameterError
from ..stars.imf import power_integral
from .checks import check_range


def galactic_cluster_power(
    star_formation_rate: float,
    energy_per_cluster: float,
    reference_mass: float,
    *,
    lowest_mass: float,
    highest_mass: float,
    counted_from: float | None = None,
    counted_to: float | None = None,
    energy_slope: float = 1.0,
    mass_function_slope: float = -2.0,
) -> float:
    """Mechanical power of the clusters in a range of masses, if all stars form in clusters.

    P = SFR Int E(M) M^s dM / Int M^(s+1) dM, the first integral over the clusters counted, the second over all
    clusters; E(M) = E_ref (M/M_ref)^p. With p = 0 and s = -2 this is eq. 14 of Qiu, Lin & Yang, arXiv:2605.31362:
    SFR E_ref/ln(M_max/M_min) (1/M_counted - 1/M_max). With p = 1 the energy is proportional to the cluster's mass.

    Parameters
    ----------
    star_formation_rate : float
        Star-formation rate [Msun/yr].
    energy_per_cluster : float
        Energy E_ref that the winds of a cluster of the reference mass release in total [erg].
    reference_mass : float
        Mass M_ref of that cluster [Msun]; without effect for ``energy_slope = 0``.
    lowest_mass, highest_mass : float
        Range of the clusters' mass function [Msun].
    counted_from, counted_to : float, optional
        Which clusters are counted [Msun], within that range; all without them.
    energy_slope : float
        p: 0 is the same energy for every cluster, 1 is energy proportional to mass.
    mass_function_slope : float
        s of the mass function dN/dM ~ M^s.

    Returns
    -------
    float
        Mechanical power [erg/yr]; a share eta_acc of it becomes cosmic rays.

    Raises
    ------
    ParameterError
        If a value is out of range or the masses are not in order.
    """
    check_range("star-formation rate", star_formation_rate, 0.0, unit="Msun/yr", error=ParameterError)
    check_range("energy per cluster", energy_per_cluster, 0.0, unit="erg", error=ParameterError)
    check_range("reference mass", reference_mass, 0.0, unit="Msun", open_below=True, error=ParameterError)
    check_range("lowest mass", lowest_mass, 0.0, unit="Msun", open_below=True, error=ParameterError)
    check_range("highest mass", highest_mass, lowest_mass, unit="Msun", open_below=True, error=ParameterError)
    start = lowest_mass if counted_from is None else counted_from
    stop = highest_mass if counted_to is None else counted_to
    check_range("counted_from", start, lowest_mass, highest_mass, unit="Msun", error=ParameterError)
    check_range("counted_to", stop, start, highest_mass, unit="Msun", error=ParameterError)
    check_range("energy_slope", energy_slope, -10.0, 10.0, error=ParameterError)
    check_range("mass_function_slope", mass_function_slope, -10.0, 10.0, error=ParameterError)
    formed = power_integral(lowest_mass / reference_mass, highest_mass / reference_mass, mass_function_slope + 1)
    released = power_integral(start / reference_mass, stop / reference_mass, mass_function_slope + energy_slope)
    return float(star_formation_rate * energy_per_cluster / reference_mass * released / formed)
