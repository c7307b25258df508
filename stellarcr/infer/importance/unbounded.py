r"""A change of coordinates after which no sample lies near an edge of the prior.

Each parameter :math:`x` becomes :math:`z` by one of four maps, chosen by where samples lie. An edge far from all of
them does not matter: a proposal that reaches beyond it only wastes draws.

=================  ==================================================  =====================================
samples come near  map, with :math:`\Phi` the normal distribution      what becomes a standard normal density
=================  ==================================================  =====================================
neither edge       :math:`x = z`                                       a standard normal density
both edges         :math:`x = a + (b - a)\,\Phi(z)`                    a constant density between the edges
the lower edge     :math:`x = a + s\,\sqrt2\,{\rm erf}^{-1}\Phi(z)`    the upper half of a normal density
the upper edge     the same from above                                 its lower half
=================  ==================================================  =====================================
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import erf, erfc, erfcinv, erfinv, ndtr, ndtri

from stellarcr.infer.posterior_protocol import FloatArray, Posterior

NEAR = 4.0
"""An edge closer than this many standard deviations to the median of the samples matters (project choice)."""

_NEITHER, _BOTH, _LOWER, _UPPER = range(4)

_LARGEST = 8.0
"""Samples that lie on an edge to rounding are taken at this normal quantile."""


@dataclass(frozen=True)
class Unbounded:
    """The maps of all parameters.

    Attributes
    ----------
    kind : array of int, shape (n_dim,)
        Which map.
    low, high : array, shape (n_dim,)
        Edges of the prior; infinite where it has none.
    scale : array, shape (n_dim,)
        Width of the map at one edge.
    """

    kind: np.ndarray
    low: FloatArray
    high: FloatArray
    scale: FloatArray

    @classmethod
    def around(cls, posterior: Posterior, theta: FloatArray) -> Unbounded:
        """Choose maps by samples ``(n, n_dim)`` of a posterior."""
        with np.errstate(all="ignore"):
            corners = posterior.prior_transform(np.stack([np.zeros(posterior.n_dim), np.ones(posterior.n_dim)]))
        # an order between parameters moves the corners: samples show that the edge is further out
        low = np.minimum(np.where(np.isnan(corners[0]), -np.inf, corners[0]), theta.min(axis=0))
        high = np.maximum(np.where(np.isnan(corners[1]), np.inf, corners[1]), theta.max(axis=0))
        reach = NEAR * np.std(theta, axis=0)
        median = np.median(theta, axis=0)
        near_low, near_high = median - low < reach, high - median < reach
        kind = np.select([near_low & near_high, near_low, near_high], [_BOTH, _LOWER, _UPPER], _NEITHER)
        distance = np.where(kind == _LOWER, theta - low, np.where(kind == _UPPER, high - theta, 1.0))
        scale = np.sqrt(np.mean(distance**2, axis=0))
        return cls(kind, low, high, scale)

    def to_unbounded(self, theta: FloatArray) -> FloatArray:
        """Map parameters ``(n, n_dim)`` to unbounded coordinates; values on an edge to a finite one."""
        z = np.array(theta, dtype=np.float64)
        for k in np.flatnonzero(self.kind != _NEITHER):
            low, high, scale = self.low[k], self.high[k], self.scale[k]
            if self.kind[k] == _BOTH:
                below, above = (z[:, k] - low) / (high - low), (high - z[:, k]) / (high - low)
                z[:, k] = np.clip(np.where(below < 0.5, ndtri(below), -ndtri(above)), -_LARGEST, _LARGEST)
            else:
                t = (z[:, k] - low if self.kind[k] == _LOWER else high - z[:, k]) / (math.sqrt(2.0) * scale)
                z[:, k] = np.maximum(np.where(t < 1.0, ndtri(erf(t)), -ndtri(erfc(t))), -_LARGEST)
        return z

    def to_theta(self, z: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Map coordinates ``(n, n_dim)`` back; also the log of the volume that a unit of theirs becomes, ``(n,)``."""
        theta, log_volume = np.array(z, dtype=np.float64), np.zeros(len(z))
        for k in np.flatnonzero(self.kind != _NEITHER):
            low, high, scale, column = self.low[k], self.high[k], self.scale[k], z[:, k]
            log_normal = -0.5 * column**2 - 0.5 * math.log(2.0 * math.pi)
            if self.kind[k] == _BOTH:
                part = (high - low) * ndtr(-np.abs(column))
                theta[:, k] = np.where(column < 0.0, low + part, high - part)
                log_volume += math.log(high - low) + log_normal
            else:
                t = np.where(column < 0.0, erfinv(ndtr(column)), erfcinv(ndtr(-column)))
                distance = math.sqrt(2.0) * scale * t
                theta[:, k] = low + distance if self.kind[k] == _LOWER else high - distance
                # the derivative of sqrt(2) erfinv is the ratio of the densities of a normal and a half-normal variable
                log_volume += math.log(scale) + log_normal - (0.5 * math.log(2.0 / math.pi) - t**2)
        return theta, log_volume
