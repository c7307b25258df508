r"""The integral over amplitudes of a linear model, in closed form.

Residuals :math:`r - G a`, whitened by the errors, give a likelihood that is Gaussian in the amplitudes `a`:

.. math:: \ln L(a) = \ln L(\hat a) - \tfrac12 (a - \hat a)^T F (a - \hat a), \quad F = G^T G, \quad
          \hat a = F^{-1} G^T r .

With the prior expanded to second order around :math:`\hat a`,
:math:`\ln\pi(a) = \ln\pi(\hat a) + b \cdot (a-\hat a) + \frac12 (a-\hat a)^T H (a-\hat a) + \dots`,

.. math:: \ln \int L\,\pi\,da = \ln L(\hat a) + \ln\pi(\hat a) + \tfrac12 b^T \Lambda^{-1} b
          + \tfrac d2 \ln 2\pi - \tfrac12 \ln|\Lambda|, \quad \Lambda = F - H,

and the amplitudes given the data follow a Gaussian of mean :math:`\hat a + \Lambda^{-1} b` and covariance
:math:`\Lambda^{-1}`. This is exact where the prior is Gaussian in `a`. Elsewhere the missing orders are of the fourth
power of (width of the likelihood / width of the prior); draws are weighted by what the expansion leaves out,
:math:`\pi(a)` over its expansion, so that nothing of it remains.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from stellarcr.infer.posterior_protocol import FloatArray

_LOG_2PI = math.log(2.0 * math.pi)

_RIDGE = 1e-12
"""Added to the precision of each amplitude, in units of its own, so that no matrix is singular where the data tell
nothing of an amplitude, or only of a sum of several. Errors are then a million times the amplitude, or more."""


@dataclass(frozen=True)
class Peak:
    """The likelihood as a function of the amplitudes, for a batch of points.

    Attributes
    ----------
    amplitudes : array, shape (n, d)
        Where it peaks.
    precision : array, shape (n, d, d)
        Its inverse covariance F.
    chi2 : array, shape (n,)
        Squared norm of the whitened residuals at the peak.
    """

    amplitudes: FloatArray
    precision: FloatArray
    chi2: FloatArray

    @property
    def errors(self) -> FloatArray:
        """Standard deviations of the amplitudes, shape (n, d), if the prior were flat."""
        return np.sqrt(np.diagonal(np.linalg.inv(self.precision), axis1=1, axis2=2))

    @property
    def significance(self) -> FloatArray:
        """Smallest ratio of an amplitude to its error, shape (n,)."""
        return np.min(self.amplitudes / self.errors, axis=-1)

    def chi2_at(self, amplitudes: FloatArray) -> FloatArray:
        """Squared norm of the whitened residuals at other amplitudes, ``(n, d)`` to ``(n,)``."""
        away = amplitudes - self.amplitudes
        return self.chi2 + quadratic(self.precision, away)


def quadratic(matrix: FloatArray, vector: FloatArray) -> FloatArray:
    """Compute v^T M v, ``(n, d, d)`` and ``(n, d)`` to ``(n,)``."""
    return np.sum(vector * (matrix @ vector[..., None])[..., 0], axis=-1)


def find_peak(precision: FloatArray, projected: FloatArray, chi2: FloatArray) -> Peak:
    """Solve the normal equations of a batch.

    Parameters
    ----------
    precision : array, shape (n, d, d)
        G^T G, with the whitened prediction G of each amplitude's unit.
    projected : array, shape (n, d)
        G^T r, with the whitened residuals r that are left without the amplitudes.
    chi2 : array, shape (n,)
        r^T r.

    Returns
    -------
    Peak
    """
    # scaled, because amplitudes are known to very different precision
    own = np.diagonal(precision, axis1=1, axis2=2)
    scale = np.sqrt(np.where(own > 0, own, 1.0))
    precision = precision + _RIDGE * scale[:, :, None] ** 2 * np.eye(precision.shape[-1])
    correlation = precision / (scale[:, :, None] * scale[:, None, :])
    amplitudes = np.linalg.solve(correlation, (projected / scale)[..., None])[..., 0] / scale
    return Peak(amplitudes, precision, chi2 - np.sum(amplitudes * projected, axis=-1))


@dataclass(frozen=True)
class Expansion:
    """The logarithm of a prior density to second order.

    Attributes
    ----------
    at : array, shape (n, d)
        Where it is expanded.
    value : array, shape (n,)
        There.
    gradient : array, shape (n, d)
        There.
    curvature : array, shape (n, d, d)
        Second derivatives there.
    """

    at: FloatArray
    value: FloatArray
    gradient: FloatArray
    curvature: FloatArray

    def __call__(self, amplitudes: FloatArray) -> FloatArray:
        """Evaluate the expansion, ``(n, d)`` to ``(n,)``."""
        away = amplitudes - self.at
        return self.value + np.sum(self.gradient * away, axis=-1) + 0.5 * quadratic(self.curvature, away)


@dataclass(frozen=True)
class Marginal:
    """Integral over the amplitudes, and their distribution.

    Attributes
    ----------
    log_integral : array, shape (n,)
        ln of the integral of exp(-chi2/2) times the prior; NaN where the precision is not positive definite.
    mean : array, shape (n, d)
        Of the amplitudes.
    precision : array, shape (n, d, d)
        Inverse covariance of the amplitudes.
    """

    log_integral: FloatArray
    mean: FloatArray
    precision: FloatArray


def integrate(peak: Peak, prior: Expansion) -> Marginal:
    """Integrate likelihood times prior over the amplitudes; formulas in the module's description.

    Parameters
    ----------
    peak : Peak
        The likelihood.
    prior : Expansion
        Expanded at the peak.
    """
    precision = peak.precision - prior.curvature
    shift = np.linalg.solve(precision, prior.gradient[..., None])[..., 0]
    sign, log_determinant = np.linalg.slogdet(precision)
    d = precision.shape[-1]
    value = (
        -0.5 * peak.chi2
        + prior.value
        + 0.5 * np.sum(prior.gradient * shift, axis=-1)
        + 0.5 * (d * _LOG_2PI - log_determinant)
    )
    return Marginal(np.where(sign > 0, value, np.nan), peak.amplitudes + shift, precision)


def draw(marginal: Marginal, rng: np.random.Generator, count: int) -> FloatArray:
    """Draw amplitudes, shape (n, count, d).

    Parameters
    ----------
    marginal : Marginal
        Their distribution, with positive definite precision.
    rng : numpy.random.Generator
        Source of randomness.
    count : int
        Draws for each point.
    """
    n, d = marginal.mean.shape
    # precision = L L^T, so L^-T z has the covariance precision^-1
    factor = np.linalg.cholesky(marginal.precision)
    noise = rng.standard_normal((n, d, count))
    return marginal.mean[:, None, :] + np.swapaxes(np.linalg.solve(np.swapaxes(factor, 1, 2), noise), 1, 2)
