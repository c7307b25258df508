"""Rows typed by hand from the source tables, and levels that are known independently."""

import numpy as np
import pytest

from stellarcr.data import load_spectrum

MISSING = float("nan")

# experiment, species, options; row from 1; x_low, x_high, x, value, stat (low, high), systematic (low, high)
ROWS = [
    ("CALET", "H", {}, 4, "EK", (100.0, 125.9, 112.1, 0.0315), (0.0003, 0.0003), (0.0023, 0.00247)),
    ("CALET", "Ni", {}, 3, "EKN", (MISSING, MISSING, 25.12, 2.69e-05), (8e-07, 8e-07), (1.52e-06, 2.25e-06)),
    ("CREAM-II", "N", {}, 2, "EKN", (175.0, 529.0, 294.0, 5.39e-07), (6.8e-08, 6.8e-08), (9.702e-08, 9.702e-08)),
    ("GRAPES-3", "H", {}, 5, "ETOT", (251188.6, 398107.2, 316000.0, 1.28e-11), (2e-13, 2e-13), (1.2e-12, 1.1e-12)),
    (
        "H.E.S.S.", "Fe", {}, 2, "ETOT",
        (MISSING, MISSING, 25120.0, 4.288e-09), (4.963e-10, 4.914e-10), (9.517e-10, 9.517e-10),
    ),
    ("PAMELA", "He", {}, 50, "R", (MISSING, MISSING, 18.03, 1.003), (0.005, 0.005), (0.04, 0.04)),
    ("BESS-TeV", "He", {}, 9, "EKN", (MISSING, MISSING, 0.7941, 65.6), (1.9, 1.9), (4.7, 4.7)),
    ("TRACER", "Ne", {}, 4, "EKN", (MISSING, MISSING, 59.19, 0.000121), (1e-06, 1e-06), None),
    ("Voyager 1", "H", {}, 5, "EKN", (MISSING, MISSING, 0.01148, 24590.0), (1349.0, 1425.0), None),
    (
        "Voyager 1", "C", {}, 7, "EKN",
        (0.0566, 0.068, 0.0623, 38.9), (1.689349, 1.689349), (1.95, 1.95),
    ),
    (
        "Tibet-III", "all", {"hadronic_model": "QGSJET+PD"}, 10, "ETOT",
        (MISSING, MISSING, 891000.0, 3.071e-12), (5e-15, 5e-15), None,
    ),
    (
        "IceCube-IceTop", "He", {}, 18, "ETOT",
        (630957000.0, 1000000000.0, 794328000.0, 2.785e-21), (2.785e-21, 1.181e-21), (2.785e-21, 1.65e-22),
    ),
    ("TALE", "lnA", {}, 6, "ETOT", (100000000.0, 125892500.0, 112201800.0, 2.77), (0.11, 0.11), (0.44, 0.41)),
    ("CALET", "H/He", {"axis": "R"}, 4, "R", (MISSING, MISSING, 317.2, 4.12), (0.06, 0.06), (0.13, 0.04)),
    ("PAMELA", "B/C", {"axis": "EKN"}, 2, "EKN", (MISSING, MISSING, 0.6639, 0.324), (0.007, 0.007), (0.021, 0.023)),
    (
        "DAMPE", "H", {"status": "superseded"}, 3, "EK",
        (100.0, 158.5, 125.1, 0.0238), (0.0, 0.0), (0.001942, 0.001942),
    ),
]  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[0]} {row[1]}")
def test_row(row):
    experiment, species, options, number, axis, numbers, stat, systematic = row
    spectrum = load_spectrum(experiment, species, **options)
    i = number - 1
    assert spectrum.axis == axis
    found = [q.value[i] for q in (spectrum.x_low, spectrum.x_high, spectrum.x, spectrum.value)]
    np.testing.assert_array_equal(found, numbers)
    assert (spectrum.stat_low.value[i], spectrum.stat_high.value[i]) == stat
    if systematic is None:
        assert not spectrum.systematics
    else:
        low, high = spectrum.systematics["total"]
        assert (low.value[i], high.value[i]) == systematic


def test_upper_limits_are_marked():
    limits = {
        (species, model): load_spectrum("KASCADE", species, model).upper_limit
        for species in ("H", "He")
        for model in ("QGSJET-01", "SIBYLL-2.1")
    }
    assert {key: int(mask.sum()) for key, mask in limits.items()} == {
        ("H", "QGSJET-01"): 0,
        ("H", "SIBYLL-2.1"): 2,
        ("He", "QGSJET-01"): 2,
        ("He", "SIBYLL-2.1"): 5,
    }
    assert list(limits["H", "SIBYLL-2.1"].nonzero()[0]) == [18, 19]


def test_kascade_components_are_the_published_ones():
    # <ln A> of the first bin: basic 0.117, theory 0.385 below; their quadrature sum is printed as 0.4023854
    spectrum = load_spectrum("KASCADE", "lnA")
    assert spectrum.systematics["analysis"][0].value[0] == 0.117
    assert spectrum.systematics["hadronic"][0].value[0] == 0.385


def test_kascade_groups_add_up_to_all_particles():
    parts = [load_spectrum("KASCADE", species, "QGSJET-II-04") for species in ("H", "He", "C", "Si", "Fe")]
    whole = load_spectrum("KASCADE", "all")
    total = sum(part.value.value for part in parts)
    # sums of numbers of three or four digits
    np.testing.assert_allclose(total, whole.value.value, rtol=5e-4)


def at(spectrum, x):
    """Interpolate between points, both axes in logarithms."""
    return float(np.exp(np.interp(np.log(x), np.log(spectrum.x.value), np.log(spectrum.value.value))))


def test_protons_at_10_gv():
    assert at(load_spectrum("AMS-02", "H"), 10.0) == pytest.approx(24.6, rel=0.01)


@pytest.mark.parametrize(
    ("experiment", "tolerance"),
    # the three calorimeters agree within their systematic errors of 5 to 10%; ISS-CREAM lies 15% low
    [("DAMPE", 0.05), ("CALET", 0.10), ("CREAM-I+III", 0.10)],
)
def test_protons_at_a_tev(experiment, tolerance):
    spectrum = load_spectrum(experiment, "H")
    x = max(1e3, float(spectrum.x.value[0]))
    assert at(spectrum, x) * x**2.7 == pytest.approx(1.03e4, rel=tolerance + 0.05)


@pytest.mark.parametrize("model", ["EPOS-LHC", "QGSJET-II-04", "SIBYLL-2.3d"])
def test_protons_at_a_pev(model):
    assert 1.31e4 < at(load_spectrum("LHAASO", "H", model), 1e6) * 1e6**2.7 < 1.45e4


@pytest.mark.parametrize("species", ["C", "O", "Fe"])
def test_calet_lies_a_fifth_below_ams(species):
    calet, ams = load_spectrum("CALET", species), load_spectrum("AMS-02", species)
    charge, mass_number = {"C": (6, 12), "O": (8, 16), "Fe": (26, 56)}[species]
    # total energy per nucleon is the kinetic one plus 0.931 GeV; dE/dR = Z^2 R / (A^2 E)
    total = calet.x.value + 0.931
    rigidity = mass_number / charge * np.sqrt(total**2 - 0.931**2)
    flux = calet.value.value * charge**2 * rigidity / (mass_number**2 * total)
    inside = (rigidity > 50.0) & (rigidity < 1000.0)
    ratio = [f / at(ams, r) for f, r in zip(flux[inside], rigidity[inside], strict=True)]
    assert 0.7 < np.mean(ratio) < 0.9
