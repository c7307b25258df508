"""Priors: normalised one-dimensional densities, each a frozen dataclass.

To add one, write a class with the methods of `Prior`, decorate it with `register_prior`, and add an example
of it to the shared contract test.
"""

from __future__ import annotations

from .base import PRIOR_KINDS, Prior, register_prior
from .mapping import prior_from_mapping
from .normal import HalfNormal, LogNormal, Normal
from .scipy_prior import ScipyPrior
from .truncated_normal import TruncatedNormal
from .uniform import LogUniform, Uniform

__all__ = [
    "PRIOR_KINDS",
    "HalfNormal",
    "LogNormal",
    "LogUniform",
    "Normal",
    "Prior",
    "ScipyPrior",
    "TruncatedNormal",
    "Uniform",
    "prior_from_mapping",
    "register_prior",
]
