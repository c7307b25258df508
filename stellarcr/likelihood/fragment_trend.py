"""The part of the fragments' density that a break of the diffusion coefficient makes: known, so not interpolated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..backend import Array
from ..galaxy import Galaxy
from ..galaxy.reduction import escape_coefficient

_WAVENUMBER = 0.12
"""Radial wavenumber [1/kpc] near that of the first slab: the trend need not be exact."""


@dataclass(frozen=True, eq=False)
class Trend:
    """One over the product of (psi D + Gamma) of nuclide and parents, psi that of one slab.

    Attributes
    ----------
    galaxy : Galaxy
        Diffusion.
    own, parents : tuple of float
        2 h Gamma [kpc/s] of each target and of its main parent.
    places : tuple
        For each target: parts of what is made, and ln of the parents' rigidity over the target's at equal energy per
        nucleon: where a sharp break of D lies for the parents.
    """

    galaxy: Galaxy
    own: tuple[float, ...]
    parents: tuple[float, ...]
    places: tuple[tuple[tuple[float, float], ...], ...]

    def __call__(
        self,
        log_rigidity: np.ndarray,
        stretches: Sequence[slice],
        propagation: Mapping[str, Array],
        xp: Any,
        relativistic: Array | None = None,
    ) -> Array:
        """Trend of the targets, each on its stretch of rigidities, one after the other.

        Parameters
        ----------
        log_rigidity : numpy.ndarray
            ln of rigidities [GV].
        stretches : sequence of slice
            Of each target.
        propagation : mapping
            Propagation parameters that are given, by local name, numbers or ``(n,)``.
        xp : module
            Array namespace.
        relativistic : array, optional
            D at the rigidities for beta = 1 [kpc^2/s], if it is known, ``(n_rigidity, n)``.

        Returns
        -------
        array
            ``(n_points, n)``; n = 1 where propagation is fixed.
        """
        psi = float(escape_coefficient(np.asarray(_WAVENUMBER), np.asarray(self.galaxy.half_height)))
        if relativistic is None:
            rigidity = xp.asarray(np.exp(log_rigidity))[:, None]
            relativistic = self.galaxy.diffusion(rigidity, xp.ones_like(rigidity), propagation)
        diffusion = psi * relativistic
        value = {k: propagation.get(k, getattr(self.galaxy, k)) for k in ("R_h", "delta", "delta_h")}
        distance = xp.asarray(log_rigidity)[:, None] - xp.log(xp.asarray(value["R_h"]))
        change = 0.5 * (value["delta_h"] - value["delta"])
        # D at the parents' rigidities, up to a power: what matters is where its break lies
        before = 1.0 - change * (distance + xp.abs(distance))
        parts = []
        for stretch, own, parent, places in zip(stretches, self.own, self.parents, self.places, strict=True):
            here = diffusion[stretch, ...]
            ahead = here
            if self.galaxy.smoothness == 0.0:
                factor = before[stretch, ...]
                for part, shift in places:
                    shifted = distance[stretch, ...] + shift
                    factor = factor + (part * change) * (shifted + xp.abs(shifted))
                ahead = here * factor
            parts.append(1.0 / ((here + own) * (ahead + parent)))
        return xp.concat(parts, axis=0)
