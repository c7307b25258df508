"""Statistics of model comparison: evidences of repeated runs, and what the data taught."""

from __future__ import annotations

from .evidence import SEPARATION, BayesFactor, Evidence, bayes_factor, combine_seeds, ranks
from .information import MINIMUM_SAMPLES, Information, marginal_information, total_information

__all__ = [
    "MINIMUM_SAMPLES",
    "SEPARATION",
    "BayesFactor",
    "Evidence",
    "Information",
    "bayes_factor",
    "combine_seeds",
    "marginal_information",
    "ranks",
    "total_information",
]
