"""Sums of exponentials on fewer terms, stars up to a lower mass, and effective cutoffs against eta_B."""

import numpy as np
import pytest

from stellarcr.errors import ParameterError
from stellarcr.shock.injection import integrated_spectrum
from stellarcr.shock.sources import steps_of_stars
from stellarcr.stars.cluster import stars_of
from stellarcr.stars.imf import kroupa
from stellarcr.studies.reproduce.injection import Injected, cluster_steps, highest_mass, injected, star_steps
from stellarcr.studies.reproduce.injection_cutoffs import CutoffCurve, agreement
from stellarcr.studies.reproduce.items import Settings


@pytest.fixture(scope="module")
def settings():
    # the grid of fewest tracks
    return Settings(grid="genec-z014-v00")


def test_gathered_terms_keep_spectra_and_cutoffs():
    rng = np.random.default_rng(1)
    cutoff = np.exp(rng.uniform(np.log(1e3), np.log(1e7), 5000))
    coefficients = np.stack([rng.uniform(0.0, 1.0, 5000), cutoff / 1e7 * rng.uniform(0.0, 1.0, 5000)])
    whole = Injected(("H", "He"), coefficients, cutoff)
    fewer = whole.gathered()
    assert fewer.cutoff.size < 1000
    rigidity = np.geomspace(1.0, 2e7, 50)
    spectra = [integrated_spectrum(rigidity, each.coefficients, each.cutoff) for each in (whole, fewer)]
    np.testing.assert_allclose(spectra[1], spectra[0], rtol=2e-4)
    np.testing.assert_allclose(fewer.effective_cutoff.first, whole.effective_cutoff.first, rtol=2e-4)
    np.testing.assert_allclose(fewer.coefficients.sum(axis=1), coefficients.sum(axis=1), rtol=1e-12)


def test_terms_that_inject_nothing_are_left_out():
    whole = Injected(("H",), np.array([[0.0, 2.0]]), np.array([0.0, 100.0]))
    assert whole.gathered().coefficients.sum() == pytest.approx(2.0)
    empty = Injected(("H",), np.zeros((1, 2)), np.array([0.0, 100.0]))
    assert empty.gathered().coefficients.size == 0


def test_stars_to_a_lower_mass_are_those_of_their_own_quadrature(settings):
    part = star_steps(settings, 60.0).steps
    direct = steps_of_stars(stars_of(settings.tracks, kroupa(60.0)))
    assert len(part) == len(direct)
    np.testing.assert_allclose(part.weight, direct.weight, rtol=1e-10)
    np.testing.assert_allclose(part.luminosity, direct.luminosity, rtol=1e-10)


def test_mass_above_the_grid_is_lowered_or_refused(settings):
    assert highest_mass(settings, 150.0) == 120.0
    assert highest_mass(settings, 105.0) == 105.0
    with pytest.raises(ParameterError, match="130"):
        star_steps(settings, 130.0)


def test_age_limit_takes_the_steps_before_it(settings):
    early, whole = cluster_steps(settings), cluster_steps(settings, last_age=np.inf)
    assert early.weight.sum() == pytest.approx(5e6, rel=1e-3)
    assert early.energy < whole.energy
    assert set(injected(early).elements) >= {"H", "He", "C", "O", "Ne", "Fe"}


def test_needed_eta_of_a_cutoff_that_goes_as_the_square_root():
    eta = np.geomspace(1e-3, 1.0, 4)
    curve = CutoffCurve(eta, np.sqrt(eta) * [[1e7], [2e7]], np.sqrt(eta) * [[1e7], [2e7]])
    for cutoff in (1e5, 3e6, 9e7):  # beyond the nodes on both sides as well
        np.testing.assert_allclose(curve.needed(cutoff), [(cutoff / 1e7) ** 2, (cutoff / 2e7) ** 2], rtol=1e-10)
    np.testing.assert_allclose(curve.at(np.array([0.04]))[:, 0], [2e6, 4e6], rtol=1e-10)


def test_range_for_both_is_where_both_ranges_meet():
    eta = np.geomspace(1e-3, 1.0, 4)
    near = CutoffCurve(eta, np.sqrt(eta) * [[1e7], [1.1e7]], np.sqrt(eta) * [[1e7], [1.1e7]])
    found = agreement(near, (3e6, 4e6))
    np.testing.assert_allclose(found["H"], [0.09, 0.16], rtol=1e-9)
    np.testing.assert_allclose(found["H and He"], [found["H"][0], found["He"][1]], rtol=1e-9)
    apart = CutoffCurve(eta, np.sqrt(eta) * [[1e7], [4e7]], np.sqrt(eta) * [[1e7], [4e7]])
    assert agreement(apart, (3e6, 4e6))["H and He"] == (None, None)
