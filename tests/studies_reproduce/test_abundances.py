"""Table 3 and the cutoffs of clusters, with the paper's grid, against independent numbers."""

import pytest

from stellarcr.studies.reproduce import abundances
from stellarcr.studies.reproduce.abundances import table3
from stellarcr.studies.reproduce.injection import cluster_steps, injected
from stellarcr.studies.reproduce.items import Settings


@pytest.fixture(scope="module")
def published():
    return Settings()


def test_abundances_are_in_the_ranges_of_the_design(published, monkeypatch):
    monkeypatch.setattr(abundances, "_surveyed", lambda settings: [(settings.grid, settings.recipe)])
    result = table3(published)
    found = {row.quantity: row.ours for row in result.rows}
    for element, expected, half in (("H", 0.867, 0.003), ("He", 0.132, 0.003), ("O", 3.1e-4, 0.1e-4),
                                    ("Mg", 3.5e-5, 0.05e-5), ("Fe", 4.0e-5, 0.05e-5)):  # fmt: skip
        assert found[f"O-type: {element}"] == pytest.approx(expected, abs=half)
    ranges = {
        "WR": {"H": (0.01, 0.08), "He": (0.80, 0.87), "C": (0.05, 0.14), "O": (0.015, 0.05)},
        "MSC": {"H": (0.775, 0.825), "He": (0.175, 0.225), "C": (1.5e-3, 4.5e-3), "O": (0.65e-3, 1.35e-3)},
    }
    for column, elements in ranges.items():
        for element, (low, high) in elements.items():
            assert low <= found[f"{column}: {element}"] <= high
        assert found[f"{column}: Ne"] == pytest.approx(found[f"{column}: Ne20"] + found[f"{column}: Ne22"])
    assert {row.paper for row in result.rows if row.quantity == "MSC: He"} == {0.194}
    assert all(row.paper is None for row in result.rows if ": Ne" in row.quantity)


def test_clusters_have_their_cutoffs_at_the_break_for_the_eta_of_the_design(published):
    hydrogen, helium = injected(cluster_steps(published), 0.05).only("H", "He").effective_cutoff.first
    assert hydrogen == pytest.approx(3.6e6, abs=0.05e6)
    assert 3.15e6 < helium < 3.45e6
