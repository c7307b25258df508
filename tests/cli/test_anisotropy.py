"""stellarcr anisotropy: what it prints, and what it refuses."""

import json

import numpy as np
import pytest

SOURCES = """
[populations.ia]
options = { boundary = "halo" }
[nearby]
table = "qiu2026"
"""


@pytest.fixture
def config(write_config):
    """Return a configuration in the cylinder with two nearby sources."""
    return write_config('geometry = "slab"', 'geometry = "cylinder"', SOURCES)


def result(stellarcr, *arguments):
    done = stellarcr("anisotropy", *arguments, "--json")
    assert done.code == 0, done.err
    return json.loads(done.out)


def test_numbers(stellarcr, config):
    found = result(stellarcr, config, "--at", "1,100", "--species", "Fe", "--set", "ia.age=1e5")
    assert (found["axis"], found["unit"], found["x"]) == ("R", "GV", [1e3, 1e5])
    # bursts: 3 d / (2 c t), light needing 3261.56 yr
    np.testing.assert_allclose(found["alone"]["nearby_ia"], 1.5 * 3261.56 / 5e4, rtol=1e-5)
    np.testing.assert_allclose(found["alone"]["ia"], 1.5 * 3261.56 / 1e5, rtol=1e-5)
    # the Galaxy's own points inwards and rises with D ~ R^0.25, a little less: nuclei that are destroyed on short ways
    # follow the gradient of the sources, which is steeper
    snr = np.array(found["alone"]["snr"])
    assert np.all((snr > 1e-4) & (snr < 0.1))
    assert 0.9 < np.log(snr[1] / snr[0]) / (0.25 * np.log(100)) < 1.0
    parts, fractions = (np.array(list(found[key].values())) for key in ("part", "fraction"))
    np.testing.assert_allclose(fractions.sum(axis=0), 1.0, rtol=1e-12)
    np.testing.assert_allclose(parts, fractions * np.array(list(found["alone"].values())), rtol=1e-12)
    np.testing.assert_allclose(found["largest"], parts.sum(axis=0), rtol=1e-12)
    assert found["total"] is None


def test_directions_give_a_total(stellarcr, config):
    options = ("--species", "Fe", "--at", "30", "--longitude", "ia=180", "--longitude", "nearby_ia=90")
    found = result(stellarcr, config, *options)
    x = found["part"]["snr"][0] - found["part"]["ia"][0]
    y = found["part"]["nearby_ia"][0]
    assert found["total"][0] == pytest.approx(np.hypot(x, y), rel=1e-12)
    assert found["phase"][0] == pytest.approx(np.degrees(np.arctan2(y, x)) % 360, rel=1e-12)
    printed = stellarcr("anisotropy", config, *options)
    assert "phase (deg)" in printed.out
    assert "ia l = 180 deg" in printed.out
    assert "R [TV]" in printed.out


def test_unknown_directions_are_said(stellarcr, config):
    printed = stellarcr("anisotropy", config, "--at", "10")
    assert printed.code == 0
    assert "give --longitude ia=DEGREES" in printed.out


def test_light_nuclei_know_nothing_of_iron(stellarcr, config):
    found = result(stellarcr, config, "--species", "H", "--axis", "ETOT", "--at", "10")
    assert list(found["alone"]) == ["snr"]
    assert (found["unit"], found["phase"]) == ("GeV", [0.0])


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (("--at", "ten"), "not a list of numbers"),
        (("--at", "-1"), "must be positive"),
        (("--species", "U"), "U"),
        (("--longitude", "snr=3"), "no nearby population 'snr'"),
        (("--longitude", "ia"), "population=degrees"),
        (("--longitude", "ia=1", "--longitude", "ia=2"), "twice"),
        (("--longitude", "ia=nan"), "not finite"),
        (("--set", "ia.age=1000"), "light needs"),
        (("--set", "ia.aeg=1000"), "ia.aeg"),
    ],
)
def test_what_is_refused(options, problem, stellarcr, config):
    done = stellarcr("anisotropy", config, *options)
    assert done.code == 2
    assert problem in done.err
    assert "next:" in done.err


def test_check_of_a_table_lists_its_parameters(stellarcr, config):
    done = stellarcr("check", config)
    assert done.code == 0, done.err
    assert "nearby_ia.distance" in done.out
