"""One measurement reduced under several assumptions, of which one holds: a mixture of likelihoods.

An air-shower experiment turns one set of counts into fluxes d_k for each of several hadronic interaction models k. The
likelihood of the counts is L = sum_k w_k L_k, with L_k the density of d_k and w_k the prior probability of model k.

Densities of different numbers cannot be compared as they are: a model that makes all fluxes 10% smaller makes their
errors smaller too, and the density of n points larger by 1.1^n for no better fit. So all densities are taken in the
same variable x, the counts in the unit of a flux: d_k = c_k x + o_k, with the published d_k and x their geometric mean
(o_k = 0). Then L_k gains the factor prod_i c_k,i. Of a quantity that is no flux, <ln A>, x is the mean and c_k = 1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..backend import Array, namespace
from ..errors import DataError
from .errors import ErrorModel, points_of


@dataclass(frozen=True, eq=False)
class MixtureErrors:
    """Error models of the same measurement under several assumptions.

    Residuals hold the points of all alternatives, one alternative after the other in any order of points.

    Attributes
    ----------
    alternatives : tuple of (indices, error model)
        Every point belongs to exactly one alternative; all have equally many, in the same order.
    weights : tuple of float
        Prior probability of each alternative; they add up to one.
    scale, shift : numpy.ndarray
        ``(n_alternatives, n)``: c and o of d_k = c_k x + o_k. Scales are positive.
    names : tuple of str
        Of the alternatives.
    """

    alternatives: tuple[tuple[np.ndarray, ErrorModel], ...]
    weights: tuple[float, ...]
    scale: np.ndarray
    shift: np.ndarray
    names: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """Number of points of all alternatives together."""
        return sum(len(index) for index, _ in self.alternatives)

    @property
    def count(self) -> int:
        """Number of points that are measured: those of one alternative."""
        return len(self.alternatives[0][0])

    @cached_property
    def _log_weights(self) -> np.ndarray:
        return np.log(self.weights) + np.sum(np.log(self.scale), axis=-1)

    def _weighted(self, residuals: Array, variance: Array | None) -> Array:
        """Logarithms of the weighted densities, ``(..., n_alternatives)``."""
        xp = namespace(residuals)
        terms = [
            model.log_likelihood(points_of(residuals, index), points_of(variance, index)) + float(weight)
            for (index, model), weight in zip(self.alternatives, self._log_weights, strict=True)
        ]
        return xp.stack(terms, axis=-1)

    def log_likelihood(self, residuals: Array, variance: Array | None = None) -> Array:
        """Logarithm of the weighted sum of the alternatives' densities."""
        xp = namespace(residuals)
        terms = self._weighted(residuals, variance)
        largest = xp.max(terms, axis=-1)
        return largest + xp.log(xp.sum(xp.exp(terms - largest[..., None]), axis=-1))

    def probabilities(self, residuals: Array, variance: Array | None = None) -> Array:
        """Probability of each alternative given the data, ``(..., n_alternatives)``."""
        xp = namespace(residuals)
        terms = self._weighted(residuals, variance)
        shares = xp.exp(terms - xp.max(terms, axis=-1)[..., None])
        return shares / xp.sum(shares, axis=-1)[..., None]

    def chi2(self, residuals: Array, variance: Array | None = None) -> Array:
        """Mean of the alternatives' chi-squares, each with its probability given the data."""
        shares = self.probabilities(residuals, variance)
        return sum(
            shares[..., k] * model.chi2(points_of(residuals, index), points_of(variance, index))
            for k, (index, model) in enumerate(self.alternatives)
        )

    def draw(
        self,
        rng: np.random.Generator,
        count: int,
        variance: np.ndarray | None = None,
        predicted: np.ndarray | None = None,
    ) -> np.ndarray:
        """Draw residuals ``(count, size)``: one alternative holds, and its counts are reduced under all of them.

        Parameters
        ----------
        rng : numpy.random.Generator
            Source of randomness.
        count : int
            Number of data sets.
        variance : numpy.ndarray, optional
            Added to that of each point, ``(size,)`` or ``(count, size)``.
        predicted : numpy.ndarray
            Predictions, ``(size,)`` or ``(count, size)``: a conversion of counts is a factor on the flux.

        Raises
        ------
        DataError
            Without predictions.
        """
        if predicted is None:
            raise DataError(
                "data with several hadronic models cannot be replicated without the predictions they scatter around",
                remedy="give predictions, or choose one hadronic model",
            )
        predicted = np.broadcast_to(predicted, (count, self.size))
        counts = np.empty((count, self.count))
        chosen = rng.choice(len(self.weights), size=count, p=self.weights)
        for k, (index, model) in enumerate(self.alternatives):
            values = predicted[:, index] + model.draw(rng, count, points_of(variance, index), predicted[:, index])
            counts = np.where((chosen == k)[:, None], (values - self.shift[k]) / self.scale[k], counts)
        residuals = np.empty((count, self.size))
        for k, (index, _) in enumerate(self.alternatives):
            residuals[:, index] = self.scale[k] * counts + self.shift[k] - predicted[:, index]
        return residuals


def mixture(
    alternatives: tuple[tuple[np.ndarray, ErrorModel], ...],
    values: np.ndarray,
    weights: tuple[float, ...],
    names: tuple[str, ...],
    relative: bool,
) -> MixtureErrors:
    """Join alternative reductions of one measurement.

    Parameters
    ----------
    alternatives : tuple of (indices, error model)
        Points and errors of each.
    values : numpy.ndarray
        Measured values of all points.
    weights : tuple of float
        Prior weights, positive; need not add up to one.
    names : tuple of str
        Of the alternatives.
    relative : bool
        Whether the values are converted into each other by factors, as fluxes, or by shifts.

    Raises
    ------
    DataError
        If the alternatives have unequal numbers of points, or fluxes that are not positive.
    """
    if len({len(index) for index, _ in alternatives}) > 1:
        counts = ", ".join(f"{name}: {len(index)}" for name, (index, _) in zip(names, alternatives, strict=True))
        raise DataError(
            f"the hadronic models have unequal numbers of points ({counts}): they are no reductions of one measurement",
            remedy="fit a range of rigidity in which all have points, or choose one model",
        )
    each = np.stack([values[index] for index, _ in alternatives])
    if relative and not np.all(each > 0):
        raise DataError(
            "a flux is not positive, so that the fluxes for several hadronic models are not factors apart",
            remedy="leave the point out by the range of rigidity, or choose one model",
        )
    scale = np.exp(np.log(each) - np.mean(np.log(each), axis=0)) if relative else np.ones_like(each)
    shift = np.zeros_like(each) if relative else each - np.mean(each, axis=0)
    total = math.fsum(weights)
    return MixtureErrors(alternatives, tuple(w / total for w in weights), scale, shift, names)
