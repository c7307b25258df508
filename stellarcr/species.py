"""The vocabulary: elements and nuclides from H to Ni, their charges, mass numbers and masses.

Masses are those of bare nuclei: the atomic masses of AME 2020 less the electrons' (binding energies of the
electrons, below 1 keV per nucleon, are neglected).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from ._nuclide_table import TABLE
from .constants import ATOMIC_MASS_GEV, ELECTRON_MASS_GEV
from .errors import ParameterError, nearest


@dataclass(frozen=True)
class Nuclide:
    """One bare nucleus.

    Attributes
    ----------
    symbol : str
        Element symbol.
    charge : int
        Charge Z.
    mass_number : int
        Mass number A.
    mass : float
        Rest energy [GeV].
    natural_abundance : float
        Terrestrial number fraction within the element; 0 for radioactive nuclides.
    """

    symbol: str
    charge: int
    mass_number: int
    mass: float
    natural_abundance: float

    @property
    def name(self) -> str:
        """Symbol and mass number, such as ``He4``."""
        return f"{self.symbol}{self.mass_number}"

    def __str__(self) -> str:
        return self.name


NUCLIDES: Mapping[tuple[str, int], Nuclide] = MappingProxyType(
    {
        (symbol, mass_number): Nuclide(
            symbol, charge, mass_number, atomic_mass * ATOMIC_MASS_GEV - charge * ELECTRON_MASS_GEV, abundance
        )
        for symbol, charge, mass_number, atomic_mass, abundance in TABLE
    }
)
"""Every nuclide by (symbol, mass number)."""

ELEMENTS: Mapping[str, int] = MappingProxyType({n.symbol: n.charge for n in NUCLIDES.values()})
"""Charge of every element, H to Ni, in order of charge."""

GROUPS: Mapping[str, tuple[str, ...]] = MappingProxyType({"p+He": ("H", "He"), "all": tuple(ELEMENTS)})
"""Sums of elements that experiments publish."""

_ALIASES = {"p": "H", "pHe": "p+He", "H+He": "p+He", "light": "p+He", "all-particle": "all"}


def nuclide(symbol: str, mass_number: int) -> Nuclide:
    """Look up one nuclide.

    Parameters
    ----------
    symbol : str
        Element symbol, ``H`` to ``Ni``.
    mass_number : int
        Mass number.

    Raises
    ------
    ParameterError
        If the vocabulary does not hold it.
    """
    try:
        return NUCLIDES[symbol, mass_number]
    except KeyError:
        known = [n.name for n in NUCLIDES.values() if n.symbol == symbol] or [n.name for n in NUCLIDES.values()]
        raise ParameterError(
            f"unknown nuclide '{symbol}{mass_number}'", remedy=nearest(f"{symbol}{mass_number}", known)
        ) from None


def isotopes(symbol: str) -> tuple[Nuclide, ...]:
    """All nuclides of an element, by mass number.

    Parameters
    ----------
    symbol : str
        Element symbol.

    Raises
    ------
    ParameterError
        If the element is unknown.
    """
    check_element(symbol)
    return tuple(n for n in NUCLIDES.values() if n.symbol == symbol)


def dominant_isotope(symbol: str) -> Nuclide:
    """Return the nuclide of an element with the largest natural abundance."""
    return max(isotopes(symbol), key=lambda n: n.natural_abundance)


def natural_isotopes(symbol: str) -> dict[int, float]:
    """Natural (terrestrial) number fractions of an element's stable isotopes, by mass number.

    Parameters
    ----------
    symbol : str
        Element symbol.

    Returns
    -------
    dict
        Mass number to number fraction; sums to one.
    """
    stable = {n.mass_number: n.natural_abundance for n in isotopes(symbol) if n.natural_abundance > 0}
    total = sum(stable.values())
    return {mass_number: fraction / total for mass_number, fraction in stable.items()}


def check_element(symbol: str) -> None:
    """Refuse a symbol that is not an element from H to Ni.

    Raises
    ------
    ParameterError
        With the nearest symbols.
    """
    if symbol not in ELEMENTS:
        raise ParameterError(f"unknown element {symbol!r}", remedy=nearest(symbol, ELEMENTS))


def canonical_species(name: str) -> str:
    """Return the one spelling of an element or group: ``p`` becomes ``H``, ``light`` becomes ``p+He``.

    Raises
    ------
    ParameterError
        If it is neither an element nor a group.
    """
    name = _ALIASES.get(name, name)
    if name not in ELEMENTS and name not in GROUPS:
        raise ParameterError(f"unknown species {name!r}", remedy=nearest(name, [*ELEMENTS, *GROUPS]))
    return name


def members(name: str) -> tuple[str, ...]:
    """Elements that a species name stands for: itself, or the members of its group.

    Raises
    ------
    ParameterError
        If it is neither an element nor a group.
    """
    name = canonical_species(name)
    return GROUPS.get(name, (name,))


def is_ratio(name: str) -> bool:
    """Whether a name is that of a ratio of two fluxes, such as ``B/C``."""
    return "/" in name


def parts(name: str) -> tuple[str, ...]:
    """Species whose fluxes a name is made of: itself, or numerator and denominator of a ratio such as ``B/C``.

    Parameters
    ----------
    name : str
        Element, group, or two of them with a slash between.

    Raises
    ------
    ParameterError
        If one of them is neither an element nor a group, or there are more than two.
    """
    names = [part.strip() for part in name.split("/")]
    if len(names) > 2:
        raise ParameterError(f"{name!r} is no ratio of two", remedy="write one numerator and one denominator: B/C")
    try:
        return tuple(canonical_species(part) for part in names)
    except ParameterError as error:
        if len(names) == 1:
            raise
        raise ParameterError(f"unknown ratio {name!r}: {error.problem}", remedy=error.remedy) from None
