"""The diffusion coefficient."""

from __future__ import annotations

import math

from ..backend import Array, namespace

REFERENCE_RIGIDITY = 4.0
"""Rigidity at which D0 is defined [GV]."""


def diffusion_coefficient(
    rigidity: Array,
    beta: Array,
    D0: Array,
    delta: Array,
    R_h: Array,
    delta_h: Array,
    eta: Array,
    smoothness: float = 0.0,
) -> Array:
    """Diffusion coefficient with a break in its rigidity dependence.

    Sharp (``smoothness = 0``): D0 beta^eta (R/4 GV)^delta below R_h, slope delta_h above, continuous.
    Smooth: D0 beta^eta (R/4 GV)^delta [1 + (R/R_h)^(1/s)]^(s (delta_h - delta)), which tends to the sharp one as
    s goes to zero. Source: Qiu, Lin & Yang, arXiv:2605.31362, eq. 15; the smooth form is the usual one.

    Parameters
    ----------
    rigidity, beta : array
        Rigidity [GV] and velocity over c; broadcast together.
    D0 : array or float
        D at 4 GV for beta = 1, in the unit of the result.
    delta, delta_h : array or float
        Slopes below and above the break.
    R_h : array or float
        Rigidity of the break [GV].
    eta : array or float
        Power of beta.
    smoothness : float
        Width s of the break in ln R; 0 is sharp.

    Returns
    -------
    array
        D in the unit of ``D0``, of the broadcast shape.
    """
    xp = namespace(rigidity, beta, D0, delta, R_h, delta_h, eta)
    # one exponential of the whole array; logarithms are taken before anything is broadcast
    log_rigidity = xp.log(rigidity)
    exponent = delta * (log_rigidity - math.log(REFERENCE_RIGIDITY)) + eta * xp.log(beta)
    distance = log_rigidity - (xp.log(R_h) if hasattr(R_h, "shape") else math.log(R_h))
    if smoothness > 0:
        # log(1 + exp(x)) written so that a large x does not overflow
        x = distance / smoothness
        softened = smoothness * (0.5 * (x + xp.abs(x)) + xp.log1p(xp.exp(-xp.abs(x))))
    else:
        softened = 0.5 * (distance + xp.abs(distance))
    return D0 * xp.exp(exponent + (delta_h - delta) * softened)
