"""Statistics of model comparison: evidences of repeated runs, prediction of data left out, what the data taught."""

from __future__ import annotations

from .averages import LogMean, log_mean
from .evidence import SEPARATION, BayesFactor, Evidence, bayes_factor, combine_seeds, ranks
from .information import MINIMUM_SAMPLES, Information, marginal_information, total_information
from .leave_out import LeaveOutTotal, LeftOut, difference, from_evidences, from_refit, from_samples, total

__all__ = [
    "MINIMUM_SAMPLES",
    "SEPARATION",
    "BayesFactor",
    "Evidence",
    "Information",
    "LeaveOutTotal",
    "LeftOut",
    "LogMean",
    "bayes_factor",
    "combine_seeds",
    "difference",
    "from_evidences",
    "from_refit",
    "from_samples",
    "log_mean",
    "marginal_information",
    "ranks",
    "total",
    "total_information",
]
