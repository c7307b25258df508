"""How low in rigidity the model can be trusted, and what to say below.

The model has no energy losses, no reacceleration and no convection. `LEFT_OUT` says by how much the first two change
what is measured; convection has no numbers here. Changes are of interstellar fluxes at equal rigidity.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..species import ELEMENTS, is_ratio, members

FLUX_LIMIT = 20.0
"""Interstellar rigidity [GV] below which fluxes are warned about.

`project choice`: there the published reacceleration changes protons by about 10%, several times the errors of the data.
"""

RATIO_LIMIT = 10.0
"""Interstellar rigidity [GV] below which ratios are warned about; up to `FLUX_LIMIT` there is a note.

`project choice`: at 10 GV reacceleration changes B/C by 18%, as much as published production cross sections differ
(10 to 20%); above, cross sections are the larger uncertainty.
"""


@dataclass(frozen=True)
class LeftOut:
    """Relative change of a flux or ratio by a process that the model leaves out.

    Attributes
    ----------
    process : str
        ``"losses"`` or ``"reacceleration"``.
    quantity : str
        Element or ratio.
    rigidity : tuple of float
        Interstellar rigidity [GV], ascending.
    change : tuple of float
        With the process over without it, less one.
    source : str
        Where the numbers come from.
    """

    process: str
    quantity: str
    rigidity: tuple[float, ...]
    change: tuple[float, ...]
    source: str

    def at(self, rigidity: float) -> float:
        """Change at a rigidity [GV], by power laws between the points; outside them the nearest point's."""
        size = np.interp(np.log(rigidity), np.log(self.rigidity), np.log(np.abs(self.change)))
        return float(np.copysign(np.exp(size), self.change[0]))


_LOSS_RIGIDITIES = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0)
_LOSS_SOURCE = "benchmarks/losses.py: ionisation and Coulomb losses in the preset plain-diffusion"
_REACCELERATION_SOURCE = "full numerical codes with the parameters of plain-diffusion, v_A = 20 km/s against none"

LEFT_OUT: tuple[LeftOut, ...] = (
    *(
        LeftOut("losses", quantity, _LOSS_RIGIDITIES, change, _LOSS_SOURCE)
        for quantity, change in {
            "H": (-0.358, -0.0842, -0.0190, -0.0074, -0.0030, -0.0009),
            "He": (-0.645, -0.207, -0.0330, -0.0117, -0.0047, -0.0015),
            "B": (-0.917, -0.556, -0.1295, -0.0510, -0.0224, -0.0076),
            "C": (-0.754, -0.327, -0.0661, -0.0258, -0.0112, -0.0037),
            "O": (-0.757, -0.334, -0.0703, -0.0282, -0.0125, -0.0043),
            "Fe": (-0.833, -0.457, -0.1137, -0.0487, -0.0233, -0.0089),
            "B/C": (-0.663, -0.340, -0.0679, -0.0258, -0.0113, -0.0039),
        }.items()
    ),
    # published as "< 0.1%" at 100 GV: the upper end
    LeftOut("reacceleration", "H", (10.0, 30.0, 100.0), (0.39, 0.05, 0.001), _REACCELERATION_SOURCE),
    LeftOut("reacceleration", "B/C", (10.0, 30.0, 100.0), (0.18, 0.06, 0.024), _REACCELERATION_SOURCE),
)
"""Every process and quantity with numbers."""


def left_out(process: str, species: str) -> LeftOut:
    """Numbers of the flux or ratio that resembles a species most.

    For ratios those of B/C; for fluxes those of the element with the nearest charge, for groups of their lightest.

    Parameters
    ----------
    process : str
        ``"losses"`` or ``"reacceleration"``.
    species : str
        Element, group or ratio.
    """
    known = [
        effect for effect in LEFT_OUT if effect.process == process and is_ratio(effect.quantity) == is_ratio(species)
    ]
    if is_ratio(species):
        return known[0]
    charge = ELEMENTS[members(species)[0]]
    return min(known, key=lambda effect: abs(ELEMENTS[effect.quantity] - charge))


def lowest_valid(species: str) -> float:
    """Interstellar rigidity [GV] from which a flux or ratio needs no warning.

    Parameters
    ----------
    species : str
        Element, group, nuclide, ``lnA``, or a ratio of two.
    """
    return RATIO_LIMIT if is_ratio(species) else FLUX_LIMIT


def validity_warnings(lowest: Mapping[str, Mapping[str, float]]) -> list[str]:
    """What to tell a user whose data reach below the model's range.

    Parameters
    ----------
    lowest : mapping
        Of every experiment (name in the configuration), of every species or ratio, the smallest interstellar rigidity
        [GV] on which its prediction depends.

    Returns
    -------
    list of str
        One line per experiment that looks below 20 GV, about its lowest flux and its lowest ratio at most; each begins
        with ``warning:`` or ``note:`` and names experiment, species and rigidity.
    """
    messages = []
    for experiment, rigidities in lowest.items():
        for ratios in (False, True):
            chosen = {name: value for name, value in rigidities.items() if is_ratio(name) == ratios}
            if not chosen:
                continue
            species = min(chosen, key=lambda name: chosen[name])
            value = chosen[species]
            if value >= FLUX_LIMIT:
                continue
            changes = ", ".join(_change(process, species, value) for process in ("reacceleration", "losses"))
            heading = "note" if ratios and value >= RATIO_LIMIT else "warning"
            messages.append(
                f"{heading}: likelihood {experiment!r} sees {species} down to {value:.3g} GV (interstellar), where the "
                f"model leaves out what matters: {changes}; range.rigidity_min cuts (documentation: Validity)"
            )
    return messages


def _change(process: str, species: str, rigidity: float) -> str:
    effect = left_out(process, species)
    bound = "more than " if rigidity < effect.rigidity[0] else ""
    names = {"reacceleration": "reacceleration with v_A = 20 km/s", "losses": "energy losses"}
    return f"{names[process]} {bound}{100 * effect.at(rigidity):+.2g}% of {effect.quantity}"
