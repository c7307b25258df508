"""Units at the door of the forward model."""

import pytest
from astropy import units as u

from stellarcr.config import build_model, config_from_mapping
from stellarcr.errors import ParameterError


@pytest.fixture(scope="module")
def model(small_content):
    return build_model(config_from_mapping(small_content()))


@pytest.mark.parametrize(
    ("x", "axis", "phi", "named", "advised"),
    [
        ([10.0] * u.GeV, "R", 0.0, "the unit GeV", "GV"),
        ([10.0] * u.GV, "EK", 0.0, "the unit GV", "GeV"),
        ([10.0], "R", 0.0, "no unit", "GV"),
        ([10.0] * u.GV, "R", 0.5 * u.GeV, "phi has the unit GeV", "GV"),
        (["ten"], "R", 0.0, "x, on the axis 'R'", "GV"),
    ],
)
def test_units_that_do_not_fit_are_refused(model, x, axis, phi, named, advised):
    with pytest.raises(ParameterError) as caught:
        model.spectra("H", x, axis, phi=phi)
    assert named in caught.value.problem
    assert advised in caught.value.remedy


def test_units_that_fit_are_converted(model):
    plain = model.spectra("H", [10.0, 1e3] * u.GV, phi=0.5)["H"]["total"]
    other = model.spectra("H", [1e-2, 1.0] * u.TV, phi=500 * u.MV)["H"]["total"]
    assert u.allclose(other, plain, rtol=1e-13)
