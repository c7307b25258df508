"""Mechanical power of the Galaxy's star clusters: the design's numbers, and quadrature."""

import numpy as np
import pytest
from scipy.integrate import quad

from stellarcr.errors import ParameterError
from stellarcr.shock.galactic_power import galactic_cluster_power


@pytest.mark.parametrize(
    ("reference_mass", "lowest", "counted", "energy_slope", "expected"),
    [
        # design values: eq. 14 of the paper as it evaluates, from 1e2 and 1e3 Msun
        (3e4, 1e2, (1e4, None), 0.0, 2.6e48),
        (3e4, 1e3, (1e4, None), 0.0, 3.9e48),
        # energy proportional to mass: above and below 1e4 Msun
        (3e4, 1e2, (1e4, None), 1.0, 2.2e48),
        (3e4, 1e2, (None, 1e4), 1.0, 4.4e48),
    ],
)
def test_galactic_power(reference_mass, lowest, counted, energy_slope, expected):
    power = galactic_cluster_power(
        2.0,
        1e53,
        reference_mass,
        lowest_mass=lowest,
        highest_mass=1e5,
        counted_from=counted[0],
        counted_to=counted[1],
        energy_slope=energy_slope,
    )
    assert power / 1e48 == pytest.approx(expected / 1e48, abs=0.05)


@pytest.mark.parametrize("slope", [-2.0, -1.7, -2.0 + 1e-9])
@pytest.mark.parametrize("energy_slope", [0.0, 1.0, 0.7])
def test_galactic_power_against_quadrature(slope, energy_slope):
    power = galactic_cluster_power(
        1.5,
        8e52,
        3e4,
        lowest_mass=50.0,
        highest_mass=2e5,
        counted_from=5e3,
        counted_to=1e5,
        energy_slope=energy_slope,
        mass_function_slope=slope,
    )
    formed = quad(lambda x: np.exp((slope + 2) * x), np.log(50.0), np.log(2e5), epsrel=1e-12)[0]
    released_energy = quad(
        lambda x: 8e52 * (np.exp(x) / 3e4) ** energy_slope * np.exp((slope + 1) * x),
        np.log(5e3),
        np.log(1e5),
        epsrel=1e-12,
    )[0]
    assert power == pytest.approx(1.5 * released_energy / formed, rel=1e-9)


def test_proportional_energy_of_all_clusters_needs_no_mass_function():
    for slope in (-2.0, -1.5):
        power = galactic_cluster_power(2.0, 1e53, 3e4, lowest_mass=1e2, highest_mass=1e5, mass_function_slope=slope)
        assert power == pytest.approx(2.0 * 1e53 / 3e4, rel=1e-13)
    # the fixed energy counts clusters, whatever the reference mass is
    fixed = [
        galactic_cluster_power(2.0, 1e53, m, lowest_mass=1e2, highest_mass=1e5, energy_slope=0.0) for m in (1.0, 3e4)
    ]
    assert fixed[0] == pytest.approx(fixed[1], rel=1e-13)


def power_of(**changes):
    return galactic_cluster_power(2.0, 1e53, 3e4, **({"lowest_mass": 1e2, "highest_mass": 1e5} | changes))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: power_of(lowest_mass=0.0), ParameterError, "lowest mass = 0 Msun"),
        (lambda: power_of(highest_mass=50.0), ParameterError, "highest mass = 50 Msun"),
        (lambda: power_of(counted_from=10.0), ParameterError, "counted_from = 10 Msun"),
        (lambda: power_of(counted_from=1e4, counted_to=1e3), ParameterError, "counted_to = 1000 Msun"),
        (lambda: power_of(energy_slope=np.nan), ParameterError, "energy_slope = nan"),
    ],
)
def test_bad_input(call, error, message):
    with pytest.raises(error, match=message) as caught:
        call()
    assert caught.value.remedy
