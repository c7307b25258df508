"""Simulation-based calibration: whether posteriors of mock data hold the truth as often as they say.

If a truth is drawn from the prior and data from the likelihood at that truth, then the truth is one more draw from the
posterior of these data. Its rank among independent posterior draws is therefore uniform, for every parameter and every
function of parameters and data, whatever model and data are (Talts et al. 2018, arXiv:1804.06788). Ranks that are not
uniform show that prior, likelihood, generator of the data or sampler disagree with one another.
"""

from __future__ import annotations

from .mocks import LOG_LIKELIHOOD, MockFit, MockRecord, mock_random, rank_among
from .uniformity import LEAST_MOCKS, Uniformity, ecdf_band, holm, uniformity_of

__all__ = [
    "LEAST_MOCKS",
    "LOG_LIKELIHOOD",
    "MockFit",
    "MockRecord",
    "Uniformity",
    "ecdf_band",
    "holm",
    "mock_random",
    "rank_among",
    "uniformity_of",
]
