"""Spectra on the grid between sources and detectors, and which of them a detector tells apart."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from ..galaxy.profiles import RadialProfile
from ..model import ForwardModel
from ..observe.axes import rigidity as from_axis
from ..observe.response import Isotopes, Points
from ..species import Nuclide, dominant_isotope

SEEN_ALIKE = {"R": 10.0, "ETOT": 300.0, "EK": 1000.0, "EKN": np.inf}
"""Rigidity [GV] from which isotopes of an element may be seen as one, by axis.

At equal rigidity they differ in velocity and modulation; at equal energy in rigidity, until masses do not matter.
"""


@dataclass(frozen=True)
class Column:
    """One spectrum on the grid: an element as a place injects it, or what arrives of it through a network.

    Attributes
    ----------
    place : str
        ``"disc"``, the name of a nearby population, or ``"arrived"``.
    element : str
        Element symbol.
    isotopes : tuple of (Nuclide, float)
        Nuclides with number fractions at equal rigidity; of what arrives, the one that detectors take it for.
    folded : bool
        Whether the transfer through the Galaxy is part of the response matrix. If not, it depends on free
        parameters, is applied on the grid, and the column has a single nuclide.
    profile : RadialProfile, optional
        Of a disc: where its sources are.
    members : tuple of Nuclide
        Of what arrives: the nuclides that are added up.
    """

    place: str
    element: str
    isotopes: Isotopes
    folded: bool
    profile: RadialProfile | None = None
    members: tuple[Nuclide, ...] = ()


def isotopes_apart(tables: Iterable[tuple[tuple[str, ...], Points]]) -> set[str]:
    """Elements whose isotopes a detector tells apart: below the rigidities of `SEEN_ALIKE`, and always on the axis EKN.

    Elsewhere the response to the rarer isotopes is that to the most common one, which errs by less than 0.4% of the
    rarer isotope's flux.

    Parameters
    ----------
    tables : iterable of (elements, Points)
        What is measured.
    """
    found: set[str] = set()
    for elements, points in tables:
        lowest = np.where(np.isfinite(points.low), points.low, points.x)
        for element in elements:
            rigidity = from_axis(points.axis, lowest, dominant_isotope(element))
            if np.any(rigidity < SEEN_ALIKE[points.axis]):
                found.add(element)
    return found


def seen_through_network(
    model: ForwardModel, sources: tuple[Column, ...], elements: Sequence[str], apart: Collection[str] | None
) -> tuple[Column, ...]:
    """Columns that detectors see: what is folded or nearby, and the sum of all else by element or nuclide.

    Parameters
    ----------
    model : ForwardModel
        With a network.
    sources : tuple of Column
        What populations inject.
    elements : sequence of str
        Elements that the data need.
    apart : collection of str, optional
        Elements whose isotopes detectors tell apart; all by default.
    """
    kept = tuple(c for c in sources if (c.folded or c.place != "disc") and c.element in elements)
    arriving = {n for c in sources if c.place == "disc" and not c.folded for n, _ in c.isotopes} | set(model.made)
    groups = []
    for element in elements:
        nuclides = tuple(sorted((n for n in arriving if n.symbol == element), key=lambda n: n.mass_number))
        together = apart is not None and element not in apart
        for some in [nuclides] if together and nuclides else [(n,) for n in nuclides]:
            main = max(some, key=lambda n: n.natural_abundance)
            groups.append(Column("arrived", element, ((main, 1.0),), False, None, some))
    return (*kept, *groups)
