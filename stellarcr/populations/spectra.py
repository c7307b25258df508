"""Shapes of injected spectra: pure functions of rigidity, one point or many.

All take the rigidity [GV] with shape ``(n_rigidity,)`` and parameters of shape ``(...)`` or plain numbers, and
return the number of particles per unit rigidity, up to a normalisation, with shape ``(..., n_rigidity)``.
"""

from __future__ import annotations

from ..backend import Array, namespace

LOWEST_EXPONENT = -300.0
"""Spectra are cut at exp(-300): underflow and subnormal numbers are slow, and nothing is ever seen there."""


def column(parameter: Array) -> Array:
    """Give a parameter of shape ``(...)`` a last axis for the rigidities; leave numbers alone.

    Parameters
    ----------
    parameter : float or array
        Value or values of one parameter.
    """
    return parameter[..., None] if getattr(parameter, "ndim", 0) else parameter


def power_law(rigidity: Array, index: Array, maximum_rigidity: Array) -> Array:
    """Power law with an exponential cutoff, (R/GV)^index exp(-R/R_max).

    Source: Qiu, Lin & Yang, arXiv:2605.31362 (winds).
    """
    xp = namespace(rigidity, index, maximum_rigidity)
    exponent = column(index) * xp.log(rigidity) - rigidity * (1.0 / column(maximum_rigidity))
    return xp.exp(xp.maximum(exponent, LOWEST_EXPONENT))


def broken_power_law(
    rigidity: Array, index_low: Array, index_high: Array, break_rigidity: Array, maximum_rigidity: Array
) -> Array:
    """Continuous broken power law with an exponential cutoff.

    (R/R_br)^index_low below R_br, (R/R_br)^index_high above, times exp(-R/R_max).
    Source: Qiu, Lin & Yang, arXiv:2605.31362 (supernova remnants).
    """
    xp = namespace(rigidity, index_low, index_high, break_rigidity, maximum_rigidity)
    ratio = xp.log(rigidity / column(break_rigidity))
    below = xp.where(ratio < 0, ratio, 0.0)
    exponent = column(index_low) * below + column(index_high) * (ratio - below)
    exponent = exponent - rigidity * (1.0 / column(maximum_rigidity))
    return xp.exp(xp.maximum(exponent, LOWEST_EXPONENT))
