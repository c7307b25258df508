"""The items made of injected spectra: whether their rows agree with each other and with what is drawn."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from matplotlib.figure import Figure

from stellarcr.stars.cluster import collective_wind, stars_of
from stellarcr.studies.reproduce import abundances, injection, injection_spectra, verdicts
from stellarcr.studies.reproduce.abundances_ratio import fig7
from stellarcr.studies.reproduce.injection import cluster_steps, injected
from stellarcr.studies.reproduce.injection_cutoffs import fig6
from stellarcr.studies.reproduce.injection_knee import Interval
from stellarcr.studies.reproduce.injection_spectra import fig5
from stellarcr.studies.reproduce.items import Settings
from stellarcr.studies.reproduce.printing import row_object
from stellarcr.studies.reproduce.verdicts import Evidence, table1


@pytest.fixture(scope="module")
def settings():
    """Yield settings whose winds are summed over few stars; the grid has few tracks too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(injection, "stars_of", partial(stars_of, mass_step=1.0))
        patch.setattr(injection, "collective_wind", partial(collective_wind, mass_step=1.0))
        yield Settings(grid="genec-z014-v40", recipe="track-radius")


def numbers(result):
    found = {row.quantity: row.ours for row in result.rows}
    assert len(found) == len(result.rows), "two rows have one name"
    return found


def test_every_grid_and_recipe_is_in_the_survey(settings):
    combinations = set(abundances._surveyed(replace(settings, recipe="mine.py:f")))
    assert len(combinations) == 3 * 5
    assert ("genec-z014-v00", "starburst99-classes") in combinations


def test_iron_changes_iron_alone(settings):
    both = [injected(cluster_steps(replace(settings, iron=iron))).abundances for iron in ("tabulated", "solar")]
    assert both[1]["Fe"] == pytest.approx(0.871 * both[0]["Fe"], rel=1e-4)
    assert both[1]["He"] == pytest.approx(both[0]["He"], rel=1e-4)


def test_fig6_cutoffs_at_the_needed_eta(settings):
    result = fig6(settings)
    found = numbers(result)
    assert isinstance(result.draw(), Figure)
    name = "MSC, M_up = 120 Msun"
    needed = found[f"{name}: eta_B for a cutoff of H at 3.5 PV"]
    cutoff = injected(cluster_steps(settings), needed).only("H").effective_cutoff.first[0]
    assert cutoff == pytest.approx(3.5e6, rel=1e-3)
    assert (
        found[f"{name}: lowest eta_B with H in the band"] < needed < found[f"{name}: highest eta_B with H in the band"]
    )


def test_fig7_ratios_are_those_of_the_abundances(settings):
    result = fig7(settings)
    found = numbers(result)
    assert isinstance(result.draw(), Figure)
    fractions = injected(cluster_steps(settings)).abundances
    assert found["MSC, M_up = 120 Msun: H/He"] == pytest.approx(fractions["H"] / fractions["He"])
    assert found["WR, M_up = 120 Msun: H/He"] < found["O + WR, M_up = 120 Msun: H/He"]
    assert found["O + WR, M_up = 120 Msun: H/He"] < found["O-type, M_up = 120 Msun: H/He"]


def test_fig5_parts_add_up(settings, monkeypatch):
    monkeypatch.setattr(injection_spectra, "SURVEY_STEP", 1.0)
    result = fig5(settings)
    numbers(result)
    assert isinstance(result.draw(), Figure)
    for panel in injection_spectra.panels(settings):
        total = panel.spectra("O") + panel.spectra("WR")
        shown = total > 1e-6 * total.max()
        np.testing.assert_allclose(panel.spectra("total")[shown], total[shown], rtol=1e-6)
    bohm = injection_spectra.panels(settings)[0]
    assert bohm.lost["total"] == 0.0


def test_table1_prints_the_numbers_behind_its_verdicts(settings, monkeypatch):
    monkeypatch.setattr(verdicts, "WIND_RECIPES", {})
    found = numbers(table1(settings))
    for source, paper in verdicts.PAPER.items():
        ratio = found[f"{source}: cutoff of He over cutoff of H"]
        inside = (
            found["lowest cutoff of He over cutoff of H for a common break"]
            <= ratio
            <= found["highest cutoff of He over cutoff of H for a common break"]
        )
        assert found[f"{source}: verdict, common break of H and He"] == ("yes" if inside else "no")
        assert len(paper) == 3


@pytest.mark.parametrize(
    ("cutoffs", "ratio", "expected"),
    [
        ((2e6, 2e6), 4.0, ("yes", "yes", "yes")),
        ((2e6, 8e6), 4.0, ("no", "-", "-")),
        ((3e5, 3e5), 4.0, ("yes", "no", "yes")),
        ((2e6, 2e6), 0.05, ("yes", "yes", "no")),
    ],
)
def test_rules_behind_the_verdicts(cutoffs, ratio, expected):
    assert Evidence(*cutoffs, ratio).verdicts(Interval(1.1, 0.8, 1.4), 4.1) == expected


def test_a_grid_without_stripped_stars_has_dashes(settings, monkeypatch):
    monkeypatch.setattr(verdicts, "WIND_RECIPES", {})
    monkeypatch.setattr(injection_spectra, "SURVEY_STEP", 1.0)
    light = Settings(grid=settings.grid)
    tracks = tuple(track for track in settings.tracks.tracks if track.initial_mass <= 12.0)
    # a cached property, which a frozen dataclass keeps in its __dict__
    vars(light)["tracks"] = replace(settings.tracks, tracks=tracks)
    found = {
        row["quantity"]: row["ours"] for item in (fig5, fig6, fig7, table1) for row in map(row_object, item(light).rows)
    }
    assert found["WR, M_up = 12 Msun: eta_B for a cutoff of He at 3.5 PV"] is None
    assert found["WR, M_up = 12 Msun: H/He"] is None
    assert found["WR: verdict, common break of H and He"] == "no"
    assert found["begin of the collective wind's WR phase"] is None
    assert found["O-type, M_up = 12 Msun: H/He"] > 1.0
