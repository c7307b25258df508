"""Priors: normalised one-dimensional densities, each a frozen dataclass.

To add one to the package, write a class with the methods of `Prior`, decorate it with `register_prior`, and add an
example of it to the shared contract test. A user's own class stays outside: see `UserPrior`.
"""

from __future__ import annotations

from .base import PRIOR_KINDS, Prior, register_prior
from .mapping import prior_from_mapping
from .normal import HalfNormal, LogNormal, Normal
from .scipy_prior import ScipyPrior
from .truncated_normal import TruncatedNormal
from .uniform import LogUniform, Uniform
from .user_prior import UserPrior

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
    "UserPrior",
    "prior_from_mapping",
    "register_prior",
]
