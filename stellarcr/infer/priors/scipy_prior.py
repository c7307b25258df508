"""Any continuous distribution of `scipy.stats` as a prior."""
# ruff: noqa: D102  (the methods are those of `Prior`, and documented there)

from __future__ import annotations

import math
import numbers
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from stellarcr.errors import ParameterError, nearest

from .base import Density, Prior, Quantile, register_prior


@register_prior("scipy")
@dataclass(frozen=True)
class ScipyPrior(Prior):
    """A continuous distribution of `scipy.stats`.

    Its log-density is evaluated with NumPy only. Where the density diverges at an edge of the support,
    that edge counts as outside: no sampler can be caught there.

    Parameters
    ----------
    distribution : str
        Name in `scipy.stats`, such as ``"beta"``.
    arguments : mapping of str to float
        Shape parameters by their names in `scipy.stats`, and ``loc`` and ``scale``.
    """

    distribution: str
    arguments: tuple[tuple[str, float], ...] | Mapping[str, float] = ()

    def __post_init__(self) -> None:
        arguments = dict(self.arguments)
        object.__setattr__(self, "arguments", tuple(sorted(arguments.items())))
        shapes = _shape_names(self.distribution)
        for name, value in arguments.items():
            if name not in (*shapes, "loc", "scale"):
                raise ParameterError(
                    f"scipy prior {self.distribution}: unknown argument {name!r}",
                    remedy=nearest(name, (*shapes, "loc", "scale")),
                )
            if isinstance(value, bool) or not isinstance(value, numbers.Real) or not math.isfinite(value):
                raise ParameterError(
                    f"scipy prior {self.distribution}: {name} = {value!r} is not a finite number",
                    remedy=f"write {name} as a plain number",
                )
        missing = [name for name in shapes if name not in arguments]
        if missing:
            raise ParameterError(
                f"scipy prior {self.distribution}: {', '.join(missing)} not given",
                remedy=f"give the shape parameters {', '.join(shapes)}",
            )
        if not math.isfinite(self.median):
            given = ", ".join(f"{name} = {value:g}" for name, value in arguments.items())
            raise ParameterError(
                f"scipy prior {self.distribution}: {given} is outside what the distribution allows",
                remedy=f"see the documentation of scipy.stats.{self.distribution}; scale must be positive",
            )

    @cached_property
    def _frozen(self) -> Any:
        from scipy import stats

        return getattr(stats, self.distribution)(**dict(self.arguments))

    @cached_property
    def support(self) -> tuple[float, float]:
        low, high = self._frozen.support()
        return float(low), float(high)

    @cached_property
    def width(self) -> float:
        return float(self._frozen.std())

    def describe(self) -> str:
        given = ", ".join(f"{name}={value:g}" for name, value in dict(self.arguments).items())
        return f"{self.distribution}({given})"

    def density(self) -> Density:
        return Density(self._log_density, (), 0.0)

    def quantile(self) -> Quantile:
        return Quantile(self._frozen.ppf, ())

    def to_mapping(self) -> dict[str, Any]:
        return {"kind": self.kind, "distribution": self.distribution, **dict(self.arguments)}

    def _log_density(self, x: np.ndarray) -> np.ndarray:
        values = self._frozen.logpdf(x)
        return np.where(values < math.inf, values, -math.inf)

    def _cdf(self, x: np.ndarray) -> np.ndarray:
        return self._frozen.cdf(x)

    def _sf(self, x: np.ndarray) -> np.ndarray:
        return self._frozen.sf(x)

    def _isf(self, q: np.ndarray) -> np.ndarray:
        return self._frozen.isf(q)


def _shape_names(distribution: str) -> tuple[str, ...]:
    """Return the shape parameters of a continuous distribution, or say which name is near."""
    from scipy import stats

    if not isinstance(distribution, str):
        raise ParameterError(
            f"scipy prior: distribution = {distribution!r} is a {type(distribution).__name__}, not a string",
            remedy='name a distribution of scipy.stats, such as "beta"',
        )
    found = getattr(stats, distribution, None)
    if not isinstance(found, stats.rv_continuous):
        names = [name for name, value in vars(stats).items() if isinstance(value, stats.rv_continuous)]
        raise ParameterError(
            f"scipy.stats has no continuous distribution {distribution!r}",
            remedy=nearest(distribution, names),
        )
    return tuple(name.strip() for name in found.shapes.split(",")) if found.shapes else ()
