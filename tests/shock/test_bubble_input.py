"""What a bubble refuses, by name, and the medium around it."""

import numpy as np
import pytest
from scipy import constants as scipy_constants

from stellarcr.errors import DataError, ModelError, ParameterError
from stellarcr.shock.bubble import Medium, shocked_wind_pressure, solve_bubble

GOOD = {"age": [0.0, 1e6, 2e6], "momentum_flux": [1e28] * 3, "luminosity": [1e36] * 3}


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"age": [0.0, 2e6, 1e6]}, DataError, "age = 1e\\+06 does not exceed.*\n.*node 2"),
        ({"age": [0.0, 1e6, 1e6]}, DataError, "does not exceed"),
        ({"age": [0.0, np.nan, 1e6]}, DataError, "age = nan"),
        ({"age": [2e4, 1e6, 2e6]}, DataError, "miss the start"),
        ({"age": [0.0, 1e3, 5e3]}, DataError, "miss the start"),
        ({"age": [0.0]}, DataError, "two age nodes"),
        ({"luminosity": [1e36, -1e36, 1e36]}, DataError, "luminosity = -1e\\+36.*\n.*node 1"),
        ({"luminosity": [1e36, 1e36, np.inf]}, DataError, "luminosity = inf"),
        ({"luminosity": [1e36, 0.0, 1e36]}, DataError, "belongs to a wind with momentum"),
        ({"luminosity": [1e36, "x", 1e36]}, DataError, "do not fit together"),
        ({"luminosity": [1e36, 1e36]}, DataError, "do not fit together"),
        ({"momentum_flux": [[1e28] * 3, [1e28, np.nan, 1e28]]}, DataError, "momentum_flux = nan.*\n.*node 1, star 1"),
        ({"momentum_flux": [0.0] * 3, "luminosity": [0.0] * 3}, DataError, "no wind at the start"),
        ({"mass_loss": [1e19, 1e19, 1e19]}, DataError, "F\\^2 <= 2 L mdot"),
        ({"mass_loss": [1e20, -1.0, 1e20]}, DataError, "mass_loss = -1"),
        ({"interpolation": "liner"}, ParameterError, "did you mean 'linear'"),
        ({"tolerance": 0.0}, ParameterError, "tolerance"),
        ({"start": -1.0}, ParameterError, "start"),
    ],
)
def test_bad_input_is_named(change, error, message):
    solve_bubble(**GOOD)
    with pytest.raises(error, match=message):
        solve_bubble(**{**GOOD, **change})


def test_a_consistent_mass_loss_changes_nothing():
    rate = np.array(GOOD["momentum_flux"]) ** 2 / (2 * np.array(GOOD["luminosity"]))
    checked = solve_bubble(**GOOD, mass_loss=rate)
    np.testing.assert_array_equal(checked.energy, solve_bubble(**GOOD).energy)


@pytest.mark.parametrize("change", [{"hydrogen_density": 0.0}, {"temperature": -1.0}, {"mass_per_hydrogen": np.nan}])
def test_a_bad_medium_is_refused(change):
    with pytest.raises(ParameterError, match=next(iter(change))):
        Medium(**change)


def test_the_medium_of_the_reference_model():
    medium = Medium()
    assert medium.mass_density == pytest.approx(1.4e3 * scipy_constants.m_p, rel=1e-11)
    assert medium.pressure == pytest.approx(2 * 8000 * 1e7 * scipy_constants.k, rel=1e-12)


def test_a_wind_slower_than_its_shell_is_reported():
    ages = np.array([0.0, 1e4, 1e6])
    flux, power = 6e25 * 1e6 * np.ones(3), 3e25 * 1e12 * np.ones(3)  # 1e-6 Msun/yr at 10 km/s
    with pytest.raises(ModelError, match=r"cannot be followed past.*\n.*star 0"):
        solve_bubble(ages, flux, power, medium=Medium(temperature=0.0))


@pytest.mark.parametrize(("place", "name"), [(0, "shell_radius"), (1, "energy"), (2, "momentum_flux")])
@pytest.mark.parametrize("value", [-1.0, np.nan, np.inf])
def test_the_pressure_refuses_what_is_no_bubble(place, name, value):
    arguments = [10.0, 1e50, 1e28]
    arguments[place] = [arguments[place], value]
    with pytest.raises(ParameterError, match=name):
        shocked_wind_pressure(*arguments)
