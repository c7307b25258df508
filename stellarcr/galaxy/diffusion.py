"""The diffusion coefficient."""

from __future__ import annotations

import math
from typing import Any

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
    rigidity : array
        Rigidity [GV].
    beta : array or float
        Velocity over c; broadcast with the rigidity.
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
    # one exponential, and few passes over the whole array: what is small is joined before it is broadcast
    log_rigidity, log_scale = _log(rigidity, xp), _log(D0, xp)
    low = log_rigidity - math.log(REFERENCE_RIGIDITY)
    distance = log_rigidity - _log(R_h, xp)
    change = delta_h - delta
    if smoothness > 0:
        # log(1 + exp(x)) written so that a large x does not overflow
        x = distance / smoothness
        bend = (smoothness * change) * (0.5 * (x + xp.abs(x)) + xp.log1p(xp.exp(-xp.abs(x))))
    else:
        bend = (0.5 * change) * (distance + xp.abs(distance))
    return xp.exp(delta * low + bend + (log_scale + eta * _log(beta, xp)))


def _log(value: Array, xp: Any) -> Array:
    return xp.log(value) if hasattr(value, "shape") else math.log(value)
