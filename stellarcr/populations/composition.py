"""What a population injects: number fractions of elements and isotopes at equal rigidity."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from ..errors import ParameterError
from ..species import check_element, nuclide

_SUM_TOLERANCE = 1e-6


@dataclass(frozen=True)
class Composition:
    """Numbers of nuclei per unit rigidity, at the same rigidity, relative to each other.

    Immutable, comparable and safe to send to worker processes. Build one from plain dicts, or load one with
    :func:`stellarcr.data.load_composition` and :func:`stellarcr.data.load_type_ia`.

    Parameters
    ----------
    name : str
        Name of the composition, such as ``snr``.
    elements : mapping of str to float
        Element symbol to number fraction (dimensionless, not negative). Published fractions are not
        renormalised: they need not add up to one.
    isotopes : mapping of str to mapping of int to float, optional
        For the elements whose isotopes are known: mass number to number fraction within the element; each
        adds up to one. Elements that are left out have no isotopic information.
    source : mapping of str to str, optional
        For each element, where its number comes from; "derived" and "placeholder" are said here.

    Raises
    ------
    ParameterError
        For an unknown element or nuclide, a fraction that is negative or not finite, isotopes of an element
        without a fraction, or isotopic fractions that do not add up to one.
    """

    name: str
    elements: Mapping[str, float]
    isotopes: Mapping[str, Mapping[int, float]] = field(default_factory=dict)
    source: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        elements = {symbol: float(fraction) for symbol, fraction in self.elements.items()}
        isotopes = {
            symbol: MappingProxyType({int(a): float(fraction) for a, fraction in inside.items()})
            for symbol, inside in self.isotopes.items()
        }
        _check(self.name, elements, isotopes, self.source)
        object.__setattr__(self, "elements", MappingProxyType(elements))
        object.__setattr__(self, "isotopes", MappingProxyType(isotopes))
        object.__setattr__(self, "source", MappingProxyType(dict(self.source)))

    def __reduce__(self) -> tuple[Callable[..., Composition], tuple[object, ...]]:
        """Rebuild from plain dicts: read-only mappings cannot be pickled."""
        isotopes = {symbol: dict(inside) for symbol, inside in self.isotopes.items()}
        return Composition, (self.name, dict(self.elements), isotopes, dict(self.source))

    def __hash__(self) -> int:
        return hash((self.name, tuple(sorted(self.elements.items()))))

    def __str__(self) -> str:
        lines = [f"Composition {self.name!r}: number fractions at equal rigidity"]
        for symbol, fraction in self.elements.items():
            inside = self.isotopes.get(symbol, {})
            isotopes = " ".join(f"{a}:{part:.3g}" for a, part in inside.items())
            row = f"  {symbol:<2}  {fraction:9.3e}  {isotopes:<28}  {self.source.get(symbol, '')}"
            lines.append(row.rstrip())
        return "\n".join(lines)


def _check(
    name: str,
    elements: Mapping[str, float],
    isotopes: Mapping[str, Mapping[int, float]],
    source: Mapping[str, str],
) -> None:
    where = f"composition {name!r}"
    if not elements:
        raise ParameterError("no elements given", where=where, remedy="give at least one element a fraction")
    for symbol, fraction in elements.items():
        check_element(symbol)
        if not (math.isfinite(fraction) and fraction >= 0.0):
            raise ParameterError(
                f"number fraction of {symbol} is {fraction}",
                where=where,
                remedy="give a finite number that is not negative",
            )
    for symbol in [*isotopes, *source]:
        if symbol not in elements:
            raise ParameterError(
                f"isotopes or source given for {symbol!r}, which has no number fraction",
                where=where,
                remedy=f"add {symbol!r} to the elements ({', '.join(elements)}) or leave it out",
            )
    for symbol, inside in isotopes.items():
        for mass_number, fraction in inside.items():
            nuclide(symbol, mass_number)
            if not (math.isfinite(fraction) and fraction >= 0.0):
                raise ParameterError(
                    f"fraction of {symbol}{mass_number} within {symbol} is {fraction}",
                    where=where,
                    remedy="give a finite number that is not negative",
                )
        total = math.fsum(inside.values())
        if abs(total - 1.0) > _SUM_TOLERANCE:
            raise ParameterError(
                f"isotopic fractions of {symbol} add up to {total:.6g}, not 1",
                where=where,
                remedy="divide them by their sum",
            )
