r"""The prior of a population's power and abundance multipliers, as a density of linear amplitudes.

The spectra of a population with power `P` and multipliers :math:`m_1 .. m_K` of some elements are linear in

.. math:: a_0 = N / N_{\rm ref}, \quad a_k = a_0 m_k ,

where `N` is the number that multiplies abundances and shape, and :math:`N_{\rm ref}` its value for a reference power
and all :math:`m_k = 1`. Power is linear in them too: :math:`P = P_{\rm ref}\,s`, :math:`s = \sum_k \epsilon_k a_k`,
with the shares of energy :math:`\epsilon_k` at :math:`m_k = 1`. So priors of `P` and :math:`m_k` are the density

.. math:: \pi(a) = p_P(P)\,\frac{\partial P}{\partial a_0}\, \prod_k \frac{p_k(a_k / a_0)}{a_0}, \quad
          \frac{\partial P}{\partial a_0}\Big|_m = P_{\rm ref}\,\frac{s}{a_0} ,

for a parameter that is the power itself; for its logarithm to base ten the factor is :math:`1 / (a_0 \ln 10)`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from stellarcr.infer.parameters import ParameterSpace
from stellarcr.infer.posterior_protocol import FloatArray

from .gaussian import Expansion

FLOOR = 1e-3
"""Amplitude, in units of the reference, that stands in for one that the data want near or below zero."""

STEP = 1e-4
"""Relative step of the derivatives of the priors. With eps = 1e-16 second derivatives are good to 1e-7 of 1/x^2."""


@dataclass(frozen=True, eq=False)
class AmplitudePrior:
    """Density of amplitudes that follows from the priors of power and multipliers.

    Attributes
    ----------
    space : ParameterSpace
        The power first, then the multipliers; all free, without constraints.
    logarithmic : bool
        Whether the first is the logarithm to base ten.
    reference : float
        Power (not its logarithm) that belongs to ``s = 1``.
    """

    space: ParameterSpace
    logarithmic: bool
    reference: float

    @property
    def size(self) -> int:
        """Number of amplitudes."""
        return self.space.n_dim

    def parameters(self, amplitudes: FloatArray, shares: FloatArray) -> FloatArray:
        """Power and multipliers of amplitudes.

        Parameters
        ----------
        amplitudes : array, shape (..., d)
            Linear amplitudes, positive.
        shares : array, shape (..., d)
            Share of the power that each amplitude's unit has; they add up to one.

        Returns
        -------
        array, shape (..., d)
            In the order of ``space``.
        """
        sums = np.sum(shares * amplitudes, axis=-1, keepdims=True)
        return np.concatenate([self._power(sums), amplitudes[..., 1:] / amplitudes[..., :1]], axis=-1)

    def amplitudes(self, parameters: FloatArray, shares: FloatArray) -> FloatArray:
        """Amplitudes of power and multipliers; the inverse of `parameters`."""
        power = 10.0 ** parameters[..., :1] if self.logarithmic else parameters[..., :1]
        relative = np.concatenate([np.ones_like(power), parameters[..., 1:]], axis=-1)
        return power / self.reference * relative / np.sum(shares * relative, axis=-1, keepdims=True)

    def _power(self, sums: FloatArray) -> FloatArray:
        return np.log10(self.reference * sums) if self.logarithmic else self.reference * sums

    def inside(self, amplitudes: FloatArray, shares: FloatArray) -> tuple[FloatArray, np.ndarray]:
        """Move amplitudes into the support of the priors.

        Parameters
        ----------
        amplitudes, shares : array, shape (n, d)
            Of any sign; and shares of the power.

        Returns
        -------
        tuple of array
            Amplitudes ``(n, d)``, and which points ``(n,)`` were moved.
        """
        positive = np.maximum(amplitudes, FLOOR)
        given = self.parameters(positive, shares)
        low, high = self._edges
        nearest = np.clip(given, low, high)
        moved = np.any((nearest != given) | (positive != amplitudes), axis=-1)
        return np.where(moved[:, None], self.amplitudes(nearest, shares), amplitudes), moved

    @cached_property
    def _edges(self) -> tuple[FloatArray, FloatArray]:
        """Slightly inside the supports, so that no rounding leads out."""
        cube = np.array([[1e-12], [1.0 - 1e-12]]) * np.ones(self.size)
        low, high = self.space.prior_transform(cube)
        return low, high

    def log_density(self, amplitudes: FloatArray, shares: FloatArray) -> FloatArray:
        """Log-density of amplitudes, ``(n, d)`` to ``(n,)``; -inf where one is not positive."""
        inside = np.all(amplitudes > 0, axis=-1)
        safe = np.where(inside[:, None], amplitudes, 1.0)
        terms = self.space.log_prior_terms(self.parameters(safe, shares))
        return np.where(inside, np.sum(terms, axis=-1) + self._log_jacobian(safe, shares), -np.inf)

    def _log_jacobian(self, amplitudes: FloatArray, shares: FloatArray) -> FloatArray:
        result = -self.size * np.log(amplitudes[:, 0])
        if self.logarithmic:
            return result - math.log(math.log(10.0))
        return result + np.log(self.reference * np.sum(shares * amplitudes, axis=-1))

    def expand(self, amplitudes: FloatArray, shares: FloatArray) -> Expansion:
        """Expand the log-density to second order at positive amplitudes, ``(n, d)``.

        One-dimensional priors are differentiated numerically, everything else by hand. Where a prior ends within a step
        it counts as flat.
        """
        a0, others = amplitudes[:, :1], amplitudes[:, 1:]
        sums = np.sum(shares * amplitudes, axis=-1, keepdims=True)
        multipliers = others / a0
        points = [
            np.concatenate([self._power(sums * f), multipliers * f], axis=-1) for f in (1.0, 1.0 + STEP, 1 - STEP)
        ]
        middle, above, below = np.split(self.space.log_prior_terms(np.concatenate(points)), 3)
        with np.errstate(invalid="ignore"):
            first = (above - below) / (2.0 * STEP)
            second = (above - 2.0 * middle + below) / STEP**2
        # derivatives with respect to s and m, not to their logarithms; a power's own Jacobian is ln s
        scale = np.concatenate([sums, multipliers], axis=-1)
        first, second = _finite(first) / scale, _finite(second) / scale**2
        value = np.sum(middle, axis=-1) + self._log_jacobian(amplitudes, shares)
        if not self.logarithmic:
            first[:, :1] += 1.0 / sums
            second[:, :1] -= 1.0 / sums**2
        return Expansion(amplitudes, value, *self._chain_rule(a0, multipliers, shares, first, second))

    def _chain_rule(
        self, a0: FloatArray, multipliers: FloatArray, shares: FloatArray, first: FloatArray, second: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Carry derivatives with respect to (s, m) over to amplitudes: s is linear in them, m_k = a_k / a_0."""
        size = self.size
        d1, d2 = first[:, 1:], second[:, 1:]
        gradient = first[:, :1] * shares
        gradient[:, :1] -= (np.sum(d1 * multipliers, axis=-1, keepdims=True) + size) / a0
        gradient[:, 1:] += d1 / a0
        curvature = second[:, :1, None] * shares[:, :, None] * shares[:, None, :]
        k = np.arange(1, size)
        curvature[:, k, k] += d2 / a0**2
        mixed = -(d2 * multipliers + d1) / a0**2
        curvature[:, k, 0] += mixed
        curvature[:, 0, k] += mixed
        own = np.sum(d2 * multipliers**2 + 2.0 * d1 * multipliers, axis=-1) + size
        curvature[:, 0, 0] += own / a0[:, 0] ** 2
        return gradient, curvature


def _finite(values: FloatArray) -> FloatArray:
    return np.where(np.isfinite(values), values, 0.0)
