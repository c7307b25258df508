"""Limits between which a component knows a parameter."""

import pytest

from stellarcr.errors import ParameterError
from stellarcr.model.names import check_limits, check_names
from stellarcr.populations.base import ParameterInfo

KNOWN = {
    "wind.share": ParameterInfo("share", 0.1, "", "s", "", (0.0, 1.0)),
    "wind.field": ParameterInfo("field", 0.1, "", "f", "", (1e-3, 0.1)),
    "wind.free": ParameterInfo("free", 0.1, "", "f", ""),
}


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("wind.share", 0.0, 1.0),
        ("wind.log10_share", -float("inf"), 0.0),
        ("wind.field", 1e-3, 0.1),
        ("wind.log10_field", -3.0, -1.0),
        ("wind.free", -1e30, 1e30),
    ],
)
def test_what_lies_inside(name, low, high):
    check_limits(name, low, high, KNOWN)


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("wind.share", -0.1, 0.5),
        ("wind.share", 0.5, 1.1),
        ("wind.log10_share", -2.0, 0.1),
        ("wind.log10_share", 5.0, 5.0),
        ("wind.field", 1e-4, 0.1),
        ("wind.log10_field", -3.0, -0.9),
        ("wind.field", float("nan"), 0.1),
    ],
)
def test_what_does_not(name, low, high):
    with pytest.raises(ParameterError, match=f"(?s){name}.*outside its limits"):
        check_limits(name, low, high, KNOWN)


@pytest.mark.parametrize(
    ("wrong", "offered"),
    [
        ("wind.shar", {"wind.share", "wind.field", "wind.free"}),
        ("wind.log10_shar", {"wind.log10_share", "wind.log10_field", "wind.log10_free"}),
        ("wnd.share", {"wind.share", "wind.field", "wind.free", "snr.power"}),
    ],
)
def test_a_wrong_name_is_shown_those_of_its_section(wrong, offered):
    known = KNOWN | {"snr.power": ParameterInfo("power", 1.0, "erg/yr", "p", "")}
    with pytest.raises(ParameterError) as caught:
        check_names([wrong], known)
    assert set(caught.value.remedy.rpartition("alid names: ")[2].split(", ")) == offered
